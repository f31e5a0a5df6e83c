//! Losing the server: mirrors, putting them together, and going on where it was.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::stage::{Answer, Stage, program, run};

/// What a backup of a server holds at least.
const KEPT: [&str; 5] = [
    "server.toml",
    "tls-key.der",
    "tls-certificate.der",
    "control-log-key.der",
    "jobs-log-key.der",
];

impl Stage {
    fn copy(&self, files: &[&str], from: &str, to: &str) {
        std::fs::create_dir_all(self.path(to)).unwrap();
        for file in files {
            std::fs::copy(self.path(from).join(file), self.path(to).join(file)).unwrap();
        }
    }

    #[track_caller]
    fn done(&self, class: &str, script: &str) -> String {
        let job = self.submit(class, script);
        self.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
        job
    }

    /// Sizes and roots, as a console verifies them.
    #[track_caller]
    fn roots(&self) -> Vec<(Value, Value)> {
        let verified = self.json("alice", &["log", "verify"]).json();
        let logs = verified["logs"].as_array().unwrap();
        logs.iter().map(|log| (log["size"].clone(), log["root"].clone())).collect()
    }

    /// Two people let a server out of the quarantine it came up in.
    #[track_caller]
    fn look_and_lift(&self) {
        let frozen = self.json("bob", &["freeze", "org", "--for", "1h"]).ends_with(0).json();
        self.json("bob", &["preflight", "--lift"]).ends_with(0);
        let thaw = self.json("bob", &["thaw", frozen["freeze"].as_str().unwrap()]).json();
        self.json("alice", &["approve", thaw["statement"].as_str().unwrap()]).ends_with(0);
    }

    fn server_rescue(&self, from: &str) -> Answer {
        let dir = self.text("server");
        let from = self.text(from);
        run(Command::new(program("bartizan-server"))
            .args(["rescue", "--dir", &dir, "--from", &from]))
    }
}

#[test]
fn a_destroyed_server_is_made_again_from_mirrors_and_endpoints_do_not_notice() {
    let mut stage = Stage::with_endpoint();
    let first = stage.done("routine", "echo one\n");
    stage.json("alice", &["log", "mirror", "mirror-alice"]).ends_with(0);
    let second = stage.done("routine", "echo two\n");
    let pending = stage.submit("change", "echo three\n");
    for name in ["witness-alice", "witness-bob"] {
        stage.end(name);
    }
    stage.json("alice", &["witness", "--once"]).ends_with(0);
    stage.json("bob", &["witness", "--once", "--mirror", "mirror-bob"]).ends_with(0);
    let before = stage.roots();
    let receipts = stage.json("alice", &["receipts", &first]).json()["receipts"].clone();
    assert_eq!(receipts.as_array().unwrap().len(), 1);

    stage.copy(&KEPT, "server", "backup");
    stage.end("server");
    std::fs::remove_dir_all(stage.path("server")).unwrap();

    // An old mirror alone is not enough, and says so: alice has co-signed more.
    let old = ["log", "rescue", "--from", "mirror-alice", "--out", "too-old"];
    stage.tool("alice", &old).ends_with(3).says(&["LOST jobs: entries 1 to 2", "log.shrunk"]);
    let both = ["log", "rescue", "--from", "mirror-alice", "mirror-bob", "--out", "rescue"];
    let put = stage.json("alice", &both).json();
    assert_eq!(put["kept"]["jobs"], 3, "{put}");
    assert_eq!(put["kept"]["refused"], serde_json::json!([]), "{put}");

    // With other keys it would be another server; that is refused before anything is written.
    stage.copy(&KEPT, "backup", "server");
    stage.copy(&["tls-key.der"], "backup", "keys");
    std::fs::remove_file(stage.path("server/jobs-log-key.der")).unwrap();
    stage.server_rescue("rescue").ends_with(1).says(&["backup"]);
    stage.copy(&["control-log-key.der"], "backup", "keys");
    std::fs::copy(stage.path("backup/control-log-key.der"), stage.path("server/jobs-log-key.der"))
        .unwrap();
    stage.server_rescue("rescue").ends_with(1).says(&["jobs log key"]);
    stage.copy(&KEPT, "backup", "server");
    let rescued = stage.server_rescue("rescue").ends_with(0).json();
    assert_eq!(
        (&rescued["jobs"], &rescued["receipts"], &rescued["endpoints"]),
        (&3.into(), &2.into(), &1.into()),
        "{rescued}"
    );
    assert_eq!(rescued["missing"], serde_json::json!([]));
    stage.server_rescue("rescue").ends_with(1).says(&["has logs already"]);

    stage.restart_server_where_it_was();
    assert_eq!(stage.roots(), before, "the same trees");
    stage.wait("the endpoint", |stage| {
        let list = stage.json("alice", &["endpoints"]).json();
        let row = &list["endpoints"][0];
        row["connected"] == true && row["tenant"] == "tn_acme" && row["standing"] == "admitted"
    });
    assert_eq!(stage.json("alice", &["receipts", &first]).json()["receipts"], receipts);
    let jobs = stage.json("alice", &["jobs"]).json();
    let state = |id: &str| {
        let rows = jobs["jobs"].as_array().unwrap();
        rows.iter().find(|row| row["id"] == id).unwrap()["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        [state(&first), state(&second), state(&pending)],
        ["finished", "finished", "cancelled"]
    );

    // It comes up in quarantine. People freeze, look, lift and thaw; then what waited is signed again, and what is new
    // works, on an endpoint that remembers everything.
    for who in ["alice", "bob"] {
        let mut command = stage.command(who, &["witness", "--interval", "1s"]);
        stage.start(&format!("witness-{who}"), &mut command);
    }
    stage.json("bob", &["preflight", "--lift"]).error(3);
    stage.look_and_lift();
    let again = stage.json("alice", &["preflight", "--resign"]).ends_with(0).json();
    let again = again["signed_again"][0].as_str().unwrap().to_owned();
    stage.json("bob", &["approve", &again, "--no-wait"]).ends_with(0);
    stage.json("bob", &["watch", &again, "--timeout", "20s"]).ends_with(0);
    stage.done("routine", "echo four\n");
    for who in ["alice", "bob"] {
        let audit = stage.json(who, &["log", "audit", "--against", "mirror-alice", "mirror-bob"]);
        let audit = audit.json();
        assert_eq!(audit["ok"], true, "{audit}");
        assert_eq!(audit["report"]["receipts"], 5, "four jobs and the freeze: {audit}");
    }
}

#[test]
fn a_lost_key_of_the_jobs_log_is_replaced_by_a_bundle() {
    let mut stage = Stage::with_endpoint();
    stage.done("routine", "echo one\n");
    for name in ["witness-alice", "witness-bob"] {
        stage.end(name);
    }
    stage.json("alice", &["witness", "--once", "--mirror", "mirror"]).ends_with(0);
    stage.copy(&KEPT[..4], "server", "backup");
    stage.end("server");
    std::fs::remove_dir_all(stage.path("server")).unwrap();
    stage.copy(&KEPT[..4], "backup", "server");
    stage.server_rescue("mirror").ends_with(1).says(&["jobs-log-key.der", "backup"]);
    let (dir, from) = (stage.text("server"), stage.text("mirror"));
    let lost = ["rescue", "--dir", &dir, "--from", &from, "--jobs-log-key-lost"];
    let rescued = run(Command::new(program("bartizan-server")).args(lost)).ends_with(0).json();
    let key = rescued["new_jobs_vkey"].as_str().unwrap();
    stage.restart_server_where_it_was();
    // Nothing is signed under a key that the bundle does not name.
    stage.json("alice", &["log", "verify"]).error(3);

    let mut bundle = stage.json("alice", &["bundle", "show"]).json();
    bundle["log"]["jobs"] = key.into();
    stage.write("next.json", &bundle.to_string());
    let proposed = stage.json("alice", &["bundle", "propose", "next.json"]).json();
    stage.json("bob", &["approve", proposed["statement"].as_str().unwrap()]).ends_with(0);
    for who in ["alice", "bob"] {
        let mut command = stage.command(who, &["witness", "--interval", "1s"]);
        stage.start(&format!("witness-{who}"), &mut command);
    }
    stage.look_and_lift();
    stage.done("routine", "echo two\n");
    stage.json("alice", &["log", "audit"]).ends_with(0);
}

#[test]
fn a_mirror_is_stock_tiles_and_two_that_contradict_each_other_are_not_put_together() {
    let mut stage = Stage::with_endpoint();
    stage.done("routine", "echo one\n");
    stage.json("alice", &["log", "mirror", "before"]).ends_with(0);
    // The same bytes as the server's own static files, which other tests check against stock tools.
    for file in ["tile/0/000.p/1", "tile/entries/000.p/1"] {
        for log in ["control", "jobs"] {
            let path = format!("log/{log}/{file}");
            let published = stage.read(&format!("server/{path}"));
            assert_eq!(stage.read(&format!("before/{path}")), published, "{path}");
        }
    }
    for name in ["witness-alice", "witness-bob", "server"] {
        stage.end(name);
    }
    stage.edit_database(
        "DELETE FROM log_entry WHERE log = 'jobs'; DELETE FROM cosignature WHERE log = 'jobs'; \
         DELETE FROM receipt; DELETE FROM job_target; DELETE FROM job;",
    );
    std::fs::remove_dir_all(stage.path("server/log")).unwrap();
    stage.restart_server_where_it_was();
    let again = ["log", "mirror", "before"];
    stage.tool("alice", &again).ends_with(3).says(&["LOG SHRUNK", "evidence"]);
    stage.write("script.sh", "echo another\n");
    let job = ["run", "--on", "all", "--class", "change", "--no-wait", "script.sh"];
    stage.json("alice", &job).error(3);
    stage.tool("alice", &again).ends_with(3).says(&["LOG FORKED"]);
    // A folder without a memory takes what it is shown; only the comparison tells.
    stage.json("bob", &["log", "mirror", "after"]).ends_with(0);
    let both = ["log", "rescue", "--from", "before", "after", "--out", "merged"];
    stage.tool("alice", &both).ends_with(3).says(&["LOG FORKED", "before", "after"]);
    let audit = stage.json("alice", &["log", "audit", "--against", "before"]);
    assert_eq!(audit.code, 3);
    let codes = codes(&audit);
    assert_eq!(codes.iter().filter(|code| *code == "log.forked").count(), 2, "{audit:#?}");
    // An altered entry, script or list of targets is found when the mirror is read.
    let bundle = "before/log/jobs/tile/entries/000.p/1";
    let text = String::from_utf8_lossy(&stage.read(bundle)).replace('A', "B");
    std::fs::write(stage.path(bundle), text.as_bytes()).unwrap();
    let damaged = ["log", "audit", "--mirror", "before"];
    stage.tool("alice", &damaged).ends_with(3).says(&["not those its checkpoint signs"]);
}

fn codes(answer: &Answer) -> Vec<String> {
    let shown: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
    let findings = shown["report"]["findings"].as_array().unwrap();
    findings.iter().map(|finding| finding["code"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_audit_is_clean_until_somebody_signs_or_withholds() {
    let stage = Stage::with_endpoint();
    stage.done("routine", "echo one\n");
    let job = stage.done("routine", "echo two\n");
    stage.json("bob", &["freeze", "sessions", "--for", "1h"]).ends_with(0);
    let clean = stage.json("bob", &["log", "audit"]).json();
    assert_eq!(
        (&clean["ok"], &clean["report"]["findings"]),
        (&true.into(), &serde_json::json!([]))
    );
    assert_eq!(clean["report"]["receipts"], 3, "two jobs and the freeze: {clean}");
    stage.tool("bob", &["log", "audit"]).ends_with(0).says(&["nothing that needs looking into"]);

    // Offline, from a mirror, it is the same.
    stage.json("bob", &["log", "mirror", "mirror"]).ends_with(0);
    let offline = stage.json("bob", &["log", "audit", "--mirror", "mirror"]).json();
    assert_eq!(offline["report"], clean["report"]);

    // A receipt disappears: the next one names it.
    stage.edit_database("DELETE FROM receipt WHERE seq = 1");
    let gap = stage.json("bob", &["log", "audit"]);
    assert_eq!((gap.code, codes(&gap)), (3, vec!["receipt.gap".to_owned()]), "{gap:#?}");

    // Somebody whom no bundle names adds a signature to a job, and the server logs it.
    stranger_signs(&stage, &job);
    let signed = stage.json("bob", &["log", "audit"]);
    assert!(codes(&signed).contains(&"signer.unknown".to_owned()), "{signed:#?}");
    stage.json("bob", &["witness", "--once"]).ends_with(0);
    // The mirror from before is behind what bob has co-signed since then.
    let old = stage.json("bob", &["log", "audit", "--mirror", "mirror"]);
    assert_eq!((old.code, codes(&old)), (3, vec!["log.shrunk".to_owned()]), "{old:#?}");
}

/// An entry of the jobs log that the server's owner made: the job with one more signature.
fn stranger_signs(stage: &Stage, job: &str) {
    use bartizan_trust::envelope::Envelope;
    use bartizan_trust::merkle::leaf_hash;
    use bartizan_trust::sshsig::SshSig;
    use data_encoding::{BASE64, HEXLOWER};

    stage.json("bob", &["log", "export", "--dir", "export"]);
    let place = (0..9).map(|n| format!("export/jobs/{n:06}")).find(|place| {
        Envelope::decode(&stage.read(&format!("{place}/envelope.json")))
            .is_ok_and(|envelope| envelope.id().to_string() == job)
    });
    let place = place.unwrap();
    let key = stage.text("stranger");
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &key]))
        .ends_with(0);
    let pae = stage.text(&format!("{place}/pae"));
    run(Command::new("ssh-keygen").args([
        "-Y",
        "sign",
        "-q",
        "-n",
        "approve.v1@bartizan",
        "-f",
        &key,
        &pae,
    ]))
    .ends_with(0);
    let armour = std::fs::read_to_string(Path::new(&pae).with_extension("sig")).unwrap();
    let encoded: String = armour.lines().filter(|line| !line.starts_with('-')).collect();
    let signature = SshSig::decode(&BASE64.decode(encoded.as_bytes()).unwrap()).unwrap();
    let mut envelope = Envelope::decode(&stage.read(&format!("{place}/envelope.json"))).unwrap();
    envelope.add_signature(&signature).unwrap();
    let entry = envelope.encode();
    stage.edit_database(&format!(
        "INSERT INTO log_entry (log, idx, entry, leaf) SELECT 'jobs', MAX(idx) + 1, X'{}', X'{}' FROM log_entry WHERE log = 'jobs'",
        HEXLOWER.encode(&entry),
        HEXLOWER.encode(leaf_hash(&entry).as_bytes())
    ));
    // The next entry takes it along.
    stage.done("routine", "echo three\n");
}
