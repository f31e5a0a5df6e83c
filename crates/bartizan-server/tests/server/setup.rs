//! Setting up, configuration, database files.

use std::os::unix::fs::PermissionsExt as _;

use crate::program::{Program, init, server};

#[test]
fn init_makes_private_keys_and_identity_repeats_what_it_printed() {
    let dir = tempfile::tempdir().expect("temp dir");
    let dir = dir.path().join("server");
    let identity = init(&dir);
    let mode =
        |path: &std::path::Path| path.metadata().expect("metadata").permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    for key in ["tls-key.der", "control-log-key.der", "jobs-log-key.der"] {
        assert_eq!(mode(&dir.join(key)), 0o600, "{key}");
    }
    let again = server(&["identity"], &dir);
    assert_eq!(
        serde_json::from_slice::<bartizan_proto::operator::ServerIdentity>(&again.stdout)
            .expect("identity"),
        identity
    );
    assert!(!identity.agent_addresses[0].ends_with(":0"), "a free port was picked");
    assert!(identity.control_vkey.contains("/control+") && identity.jobs_vkey.contains("/jobs+"));
}

#[test]
fn init_never_replaces_a_server() {
    let dir = tempfile::tempdir().expect("temp dir");
    init(dir.path());
    let again = server(&["init", "--address", "h:1"], dir.path());
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("exists already"));
}

#[test]
fn a_malformed_configuration_shows_all_its_problems_at_once() {
    let dir = tempfile::tempdir().expect("temp dir");
    init(dir.path());
    let text = "agent_listen = 7\noperator_listen = \"8.8.8.8:1\"\nheartbeat_s = 100000\nspeed = 9\naddresses = []\n";
    std::fs::write(dir.path().join("server.toml"), text).expect("write");
    let out = server(&["run"], dir.path());
    let said = String::from_utf8_lossy(&out.stderr);
    for key in ["agent_listen", "operator_listen", "heartbeat_s", "speed", "addresses"] {
        assert!(said.contains(&format!("- `{key}`")), "{key} in:\n{said}");
    }
    assert_eq!(out.status.code(), Some(3));
}

#[test]
fn a_public_operator_plane_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    for public in ["0.0.0.0:8444", "8.8.8.8:8444", "[::]:8444"] {
        let out = server(
            &["init", "--address", "h:1", "--operator-listen", public],
            &dir.path().join("s"),
        );
        assert!(!out.status.success());
        assert!(
            String::from_utf8_lossy(&out.stderr).contains("can be reached from the internet"),
            "{public}"
        );
    }
    assert!(!dir.path().join("s").exists(), "nothing was written");
}

#[test]
fn a_damaged_database_is_reported_and_set_aside_only_when_told() {
    let dir = tempfile::tempdir().expect("temp dir");
    init(dir.path());
    let database = dir.path().join("server.db");
    std::fs::write(&database, b"somebody wrote over this").expect("write");
    let out = server(&["run"], dir.path());
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(4), "{said}");
    assert!(
        said.contains("server.db") && said.contains("store.damaged") && said.contains("next:"),
        "{said}"
    );
    assert_eq!(std::fs::read(&database).expect("read"), b"somebody wrote over this");

    assert!(Program::start_with(dir.path(), &["--set-aside-damaged-database"]).stop());
    let kept = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("entry").file_name().to_string_lossy().starts_with("server.db.damaged-")
    };
    assert!(std::fs::read_dir(dir.path()).expect("dir").any(kept));
}

#[test]
fn it_stops_cleanly_when_asked() {
    let dir = tempfile::tempdir().expect("temp dir");
    init(dir.path());
    assert!(Program::start(dir.path()).stop());
    assert!(!dir.path().join("ready.json").exists());
    assert!(server(&["check"], dir.path()).status.success());
}
