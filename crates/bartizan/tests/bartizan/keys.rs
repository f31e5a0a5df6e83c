//! Keys: made here, from OpenSSH's files, in a real ssh-agent.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::stage::{Answer, Stage, on_terminal, run};

const CARD: [&str; 5] = ["card", "--id", "alice", "--name", "Alice"];

#[track_caller]
fn ssh_keygen(stage: &Stage, kind: &str, passphrase: &str, name: &str) -> String {
    let path = stage.text(name);
    run(Command::new("ssh-keygen").args(["-q", "-t", kind, "-N", passphrase, "-f", &path]))
        .ends_with(0);
    path
}

/// The first two words of a public key: its kind and itself.
fn public(stage: &Stage, name: &str) -> String {
    let text = String::from_utf8(stage.read(name)).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn card_has(answer: &Answer, key: &str) {
    let card: Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!(card["ssh"], key);
    assert!(card["witness"].as_str().unwrap().starts_with("bartizan-witness/alice-"));
    assert_eq!((&card["id"], &card["name"]), (&"op_alice".into(), &"Alice".into()));
}

#[test]
fn a_key_made_on_a_terminal_is_encrypted_and_stock_ssh_keygen_opens_it() {
    let stage = Stage::new();
    let twice = [("New passphrase:", "correct horse"), ("Once more:", "correct horse")];
    on_terminal(&stage.command("alice", &["key", "new"]), &twice).ends_with(0).says(&["SHA256:"]);
    let path = stage.text("alice/id_ed25519");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "only its owner reads a private key");

    let opened = |word| run(Command::new("ssh-keygen").args(["-y", "-P", word, "-f", &path]));
    let key = public(&stage, "alice/id_ed25519.pub");
    assert_eq!(opened("correct horse").ends_with(0).out.trim(), key);
    assert_ne!(opened("wrong").code, 0);
    assert_ne!(opened("").code, 0, "the key is on the disk in the clear");

    let card = stage.command("alice", &CARD);
    on_terminal(&card, &[("Passphrase of", "correct horse")]).ends_with(0).says(&[&key]);
    on_terminal(&card, &[("Passphrase of", "wrong")]).ends_with(1).says(&[
        "wrong passphrase for",
        &path,
        "next:",
    ]);
}

#[test]
fn passphrases_that_differ_or_are_empty_make_no_key() {
    let stage = Stage::new();
    let new = stage.command("alice", &["key", "new"]);
    let differ = [("New passphrase:", "one"), ("Once more:", "two")];
    on_terminal(&new, &differ).ends_with(1).says(&["differ"]);
    let empty = [("New passphrase:", ""), ("Once more:", "")];
    on_terminal(&new, &empty).ends_with(1).says(&["empty passphrase", "--no-passphrase"]);
    assert!(!stage.path("alice/id_ed25519").exists());
    // Without a terminal nobody can be asked.
    let setsid = |command: Command| {
        let mut alone = Command::new("setsid");
        alone.args(["-w"]).arg(command.get_program()).args(command.get_args());
        run(alone.env_remove("BARTIZAN_PASSPHRASE_FILE"))
    };
    setsid(new).ends_with(1).says(&["cannot ask for the passphrase", "BARTIZAN_PASSPHRASE_FILE"]);
    assert!(!stage.path("alice/id_ed25519").exists());
}

#[test]
fn a_passphrase_file_opens_an_encrypted_key_and_a_wrong_one_does_not() {
    let stage = Stage::new();
    let with = |file: &str, arguments: &[&str]| {
        run(stage.command("alice", arguments).env("BARTIZAN_PASSPHRASE_FILE", stage.path(file)))
    };
    stage.write("right", "s3cret\n");
    stage.write("wrong", "secret\n");
    with("right", &["key", "new"]).ends_with(0);
    card_has(&with("right", &CARD).ends_with(0), &public(&stage, "alice/id_ed25519.pub"));
    with("wrong", &CARD).ends_with(1).says(&["wrong passphrase", "id_ed25519", "next: try again"]);
    with("missing", &CARD).ends_with(1).says(&["missing"]);
}

#[test]
fn a_key_that_exists_is_never_overwritten() {
    let stage = Stage::new();
    stage.people(&["alice"]);
    let before = stage.read("alice/id_ed25519");
    stage.tool("alice", &["key", "new", "--no-passphrase"]).ends_with(1).says(&["exists", "--out"]);
    assert_eq!(stage.read("alice/id_ed25519"), before);
    let other = ["key", "new", "--no-passphrase", "--out", "other"];
    let made = stage.json("alice", &other).json();
    assert!(made["fingerprint"].as_str().unwrap().starts_with("SHA256:"));
    assert_eq!(made["public"], public(&stage, "other.pub"));
    assert_eq!(made["path"], "other");
}

#[test]
fn openssh_key_files_serve_and_other_files_are_refused_by_name() {
    let stage = Stage::new();
    let plain = ssh_keygen(&stage, "ed25519", "", "plain");
    let locked = ssh_keygen(&stage, "ed25519", "s3cret", "locked");
    let rsa = ssh_keygen(&stage, "rsa", "", "rsa");
    let p256 = ssh_keygen(&stage, "ecdsa", "", "p256");
    stage.write("pass", "s3cret");
    let card = |key: &str| {
        let mut command = stage.command("alice", &CARD);
        run(command.args(["--key", key]).env("BARTIZAN_PASSPHRASE_FILE", stage.path("pass")))
    };
    card_has(&card(&plain).ends_with(0), &public(&stage, "plain.pub"));
    card_has(&card(&locked).ends_with(0), &public(&stage, "locked.pub"));
    let junk = stage.write("junk", "not a key\n");
    for (key, reason) in [
        (&rsa, "cannot sign statements"),
        (&p256, "cannot sign statements"),
        (&format!("{plain}.pub"), "is not an OpenSSH private key"),
        (&junk, "is not an OpenSSH private key"),
        (&stage.text("absent"), "No such file"),
    ] {
        card(key).ends_with(1).says(&[key, reason, "next: "]);
    }
}

/// A real ssh-agent on a socket of its own.
struct Agent(std::process::Child, String);

impl Agent {
    fn start(stage: &Stage) -> Self {
        let socket = stage.text("agent.sock");
        // -D stays in the foreground, so that it is our child and ends with the test.
        let child = Command::new("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("run `ssh-agent` of OpenSSH");
        let agent = Self(child, socket);
        stage.wait("ssh-agent", |_| agent.run(Command::new("ssh-add").arg("-l")).code < 2);
        agent
    }

    fn run(&self, command: &mut Command) -> Answer {
        run(command.env("SSH_AUTH_SOCK", &self.1))
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_key_in_a_real_ssh_agent_lists_and_signs() {
    let stage = Stage::new();
    let agent = Agent::start(&stage);
    let ask = |arguments: &[&str]| agent.run(stage.command("alice", arguments).arg("--yes"));
    ask(&CARD).ends_with(1).says(&["no fitting key in ssh-agent", "ssh-add"]);

    let first = ssh_keygen(&stage, "ed25519", "", "first");
    let foreign = ssh_keygen(&stage, "rsa", "", "foreign");
    agent.run(Command::new("ssh-add").args(["-q", &first, &foreign])).ends_with(0);
    let list = ask(&["key", "list", "--json"]).json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1, "RSA keys sign no statements: {list}");
    assert_eq!(list["keys"][0]["public"], public(&stage, "first.pub"));
    let fingerprint = list["keys"][0]["fingerprint"].as_str().unwrap().to_owned();
    card_has(&ask(&CARD).ends_with(0), &public(&stage, "first.pub"));

    // A statement signed by the agent verifies, with our reader and with OpenSSH's.
    stage.people(&["bob"]);
    stage.init_server();
    let key = format!("agent:{fingerprint}");
    let make = ["--key", &key, "init", "--id", "alice", "--name", "A", "--with", "bob.card"];
    let rest = ["--server", "identity.json", "--out", "genesis.json"];
    ask(&[make.as_slice(), &rest].concat()).ends_with(0);
    let verify = ["statement", "verify", "genesis.json", "--bundle", "genesis.json"];
    ask(&verify).ends_with(0).says(&["signed  op_alice"]);
    ask(&["statement", "export", "genesis.json", "--dir", "out"]).ends_with(0);
    let line =
        "ssh-keygen -Y verify -f allowed_signers -I signer-0 -n root.v1@bartizan -s sig.0 < pae";
    run(Command::new("sh").args(["-c", line]).current_dir(stage.path("out"))).ends_with(0);
}

#[test]
fn an_agent_that_is_away_or_lacks_the_key_is_said_by_name() {
    let stage = Stage::new();
    let agent = Agent::start(&stage);
    for name in ["first", "second"] {
        let path = ssh_keygen(&stage, "ed25519", "", name);
        agent.run(Command::new("ssh-add").args(["-q", &path])).ends_with(0);
    }
    let ask = |arguments: &[&str]| agent.run(&mut stage.command("alice", arguments));
    ask(&CARD).ends_with(1).says(&["several keys", "bartizan key list"]);
    let other = [CARD.as_slice(), &["--key", "agent:SHA256:nope"]].concat();
    ask(&other).ends_with(1).says(&["no fitting key"]);
    let socket = agent.1.clone();
    drop(agent);
    run(stage.command("alice", &["key", "list"]).env("SSH_AUTH_SOCK", &socket))
        .ends_with(1)
        .says(&["no ssh-agent at", &socket, "next: start one"]);
    stage.json("alice", &["key", "list"]).error(1);
}
