//! A configuration that is wrong: every mistake at once, each with its key, its cause and what to do.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::program::{Program, init, server};

const GOOD: &str = "agent_listen = \"127.0.0.1:0\"\noperator_listen = \"127.0.0.1:0\"\naddresses = [\"rmm.example:443\"]\n";

/// What the server says about a configuration, and how it ends.
fn judged(command: &str, text: &[u8]) -> (String, Option<i32>) {
    let dir = tempfile::tempdir().expect("temp dir");
    init(dir.path());
    std::fs::write(dir.path().join("server.toml"), text).expect("write");
    let out = server(&[command], dir.path());
    let said = String::from_utf8(out.stderr).expect("text");
    if out.status.code() == Some(3) {
        assert!(!dir.path().join("server.db").exists(), "nothing is touched: {said}");
    }
    (said, out.status.code())
}

fn check(text: &str, expected: &[(&str, &str)]) {
    let (said, code) = judged("check", text.as_bytes());
    if expected.is_empty() {
        assert_eq!(code, Some(0), "{text}\n{said}");
        return;
    }
    assert_eq!(code, Some(3), "{text}\n{said}");
    let problems: Vec<&str> = said.lines().filter(|line| line.starts_with("- ")).collect();
    assert_eq!(problems.len(), expected.len(), "{said}");
    for (key, cause) in expected {
        let found = problems
            .iter()
            .any(|problem| problem.starts_with(&format!("- `{key}`: ")) && problem.contains(cause));
        assert!(found, "`{key}`, {cause}, in\n{said}");
    }
    assert!(said.contains("server.toml"), "the file is named: {said}");
}

#[test]
fn a_good_configuration_passes() {
    check(GOOD, &[]);
}

#[test]
fn every_mistake_is_told_at_once_with_its_key_and_a_remedy() {
    let text = "agent_listen = 7\noperator_listen = \"8.8.8.8:1\"\nmetrics_listen = \"nowhere\"\n\
        addresses = [\"no-port\", \"a b:1\"]\ndatabase = \"mysql\"\nheartbeat_s = 0\n\
        danger_public_operator_plane = \"no\"\nverify_signatures = false\n";
    let expected = [
        ("agent_listen", "not the right type"),
        ("operator_listen", "use a loopback or private address"),
        ("metrics_listen", "`nowhere` is not an IP address and port"),
        ("addresses", "`no-port` is not `host:port`"),
        ("addresses", "`a b:1` is not `host:port`"),
        ("database", "write \"sqlite\""),
        ("heartbeat_s", "use 1 to 300 seconds"),
        ("danger_public_operator_plane", "not the right type"),
        ("verify_signatures", "not a setting; remove it"),
    ];
    check(text, &expected);
}

#[test]
fn what_is_missing_is_named_and_what_has_the_wrong_type_is_not_called_missing() {
    let missing = [
        ("agent_listen", "missing; write for example agent_listen ="),
        ("operator_listen", "missing; write for example operator_listen ="),
        ("addresses", "name 1 to 8"),
    ];
    check("", &missing);
    let wrong =
        ["agent_listen", "operator_listen", "addresses"].map(|key| (key, "not the right type"));
    check("agent_listen = 1\noperator_listen = []\naddresses = \"h:1\"\n", &wrong);
}

#[test]
fn every_command_that_reads_it_refuses_it_alike() {
    let text = format!("{GOOD}speed = 9\nheartbeat_s = 301\n");
    let (first, code) = judged("run", text.as_bytes());
    assert_eq!(code, Some(3), "{first}");
    for command in ["check", "identity"] {
        let (said, code) = judged(command, text.as_bytes());
        assert_eq!(code, Some(3), "{command}: {said}");
        let list = |text: &str| {
            text.lines()
                .filter(|line| line.starts_with("- "))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(list(&said), list(&first), "{command}");
    }
}

#[test]
fn text_that_is_no_toml_names_the_line() {
    for (text, line) in [
        ("agent_listen = \"127.0.0.1:0\"\naddresses = [\n", "line"),
        ("heartbeat_s = 1\nheartbeat_s = 2\n", "line 2"),
        ("this is no configuration\n", "line 1"),
    ] {
        let (said, code) = judged("check", text.as_bytes());
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains(line), "{line} in {said}");
    }
    let (said, code) = judged("check", b"agent_listen = \"\xff\"\n");
    assert_ne!(code, Some(0));
    assert!(said.contains("server.toml"), "{said}");
}

#[test]
fn limits_hold_one_below_and_one_above() {
    let heartbeat = [("heartbeat_s", "out of range")];
    for (seconds, expected) in
        [(0, &heartbeat[..]), (1, &[]), (300, &[]), (301, &heartbeat[..]), (-1, &heartbeat[..])]
    {
        check(&format!("{GOOD}heartbeat_s = {seconds}\n"), expected);
    }
    let addresses = [("addresses", "name 1 to 8")];
    for (count, expected) in [(0, &addresses[..]), (1, &[]), (8, &[]), (9, &addresses[..])] {
        let list = vec!["\"h:1\""; count].join(", ");
        let listen = "agent_listen = \"127.0.0.1:0\"\noperator_listen = \"127.0.0.1:0\"\n";
        check(&format!("{listen}addresses = [{list}]\n"), expected);
    }
}

#[test]
fn a_public_operator_plane_needs_a_word_that_says_danger() {
    let public =
        GOOD.replace("operator_listen = \"127.0.0.1:0\"", "operator_listen = \"0.0.0.0:0\"");
    let refusal = [("operator_listen", "danger_public_operator_plane = true")];
    check(&public, &refusal);
    check(&format!("{public}danger_public_operator_plane = false\n"), &refusal);
    check(&format!("{public}danger_public_operator_plane = true\n"), &[]);
}

#[test]
fn exit_codes_tell_what_kind_of_trouble_it_is() {
    let dir = tempfile::tempdir().expect("temp dir");
    let code = |arguments: &[&str], dir: &Path| {
        let out = server(arguments, dir);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (missing, said) = code(&["run"], &dir.path().join("nowhere"));
    assert_eq!(missing, Some(1));
    assert!(said.contains("`bartizan-server init` makes it"), "{said}");
    assert_eq!(code(&["run", "--fast"], dir.path()).0, Some(2), "wrong arguments");
    init(dir.path());
    for key in ["tls-key.der", "tls-certificate.der", "control-log-key.der", "jobs-log-key.der"] {
        let path = dir.path().join(key);
        let good = std::fs::read(&path).expect("read");
        std::fs::write(&path, b"damaged").expect("write");
        for command in ["check", "run", "identity"] {
            let (damaged, said) = code(&[command], dir.path());
            assert_eq!(damaged, Some(1), "{key}: {said}");
            assert!(said.contains(key) && said.contains("restore"), "{said}");
        }
        std::fs::write(&path, good).expect("write");
    }
    assert_eq!(code(&["check"], dir.path()).0, Some(0));
}

/// What an independent TLS client finds on the agent plane.
fn openssl(program: &Program, dir: &Path, arguments: &[&str]) -> String {
    let out = Command::new("openssl")
        .args(["s_client", "-tls1_3", "-connect", &program.agent.to_string(), "-ign_eof"])
        .args(arguments)
        .arg("-key")
        .arg(dir.join("key.pem"))
        .arg("-cert")
        .arg(dir.join("cert.pem"))
        .stdin(Stdio::null())
        .output()
        .expect("openssl is missing");
    String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned()
}

#[test]
fn both_sides_of_the_agent_plane_name_its_protocol() {
    let dir = tempfile::tempdir().expect("temp dir");
    init(dir.path());
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=endpoint"])
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(dir.path())
        .output()
        .expect("openssl is missing");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let program = Program::start(dir.path());
    // Each of these ends because the server closes; a client that was let in would wait for an answer to its hello.
    let other = openssl(&program, dir.path(), &["-alpn", "h2"]);
    assert!(other.contains("no application protocol"), "{other}");
    let none = openssl(&program, dir.path(), &[]);
    assert!(none.contains("TLSv1.3") && none.contains("No ALPN negotiated"), "{none}");
    let text = std::fs::read_to_string(dir.path().join("ready.json")).expect("still running");
    assert!(text.contains("agent"));
    assert!(program.stop());
}

#[test]
fn a_client_that_names_the_protocol_is_let_in() {
    let dir = tempfile::tempdir().expect("temp dir");
    let identity = init(dir.path());
    let program = Program::start(dir.path());
    crate::wait_for(async {
        let device = bartizan_testkit::load::tls::Identity::generate().expect("key");
        for (alpn, welcome) in
            [(&["bartizan/1"][..], true), (&["h2", "bartizan/1"], true), (&["h2"], false)]
        {
            let config = bartizan_testkit::load::tls::client_config(&device, identity.spki, alpn)
                .expect("configuration");
            let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
            let tcp = tokio::net::TcpStream::connect(program.agent).await.expect("connect");
            let name = "bartizan".try_into().expect("name");
            let outcome = connector.connect(name, tcp).await;
            assert_eq!(outcome.is_ok(), welcome, "{alpn:?}");
            if let Ok(stream) = outcome {
                assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"bartizan/1"[..]));
            }
        }
    });
}
