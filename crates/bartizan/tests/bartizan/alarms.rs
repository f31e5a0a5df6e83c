//! Alarms by webhook and mail, to receivers that are away for a while.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::stage::{Stage, run};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let venv =
        std::env::var_os("BARTIZAN_VENV").map_or_else(|| root.join("target/venv"), PathBuf::from);
    let python = venv.join("bin/python3");
    assert!(python.exists(), "{} is missing; run scripts/setup test", python.display());
    python
}

impl Stage {
    /// Starts a webhook and a mail server that fail this often first, and names them in a person's `alarms.toml`.
    fn receivers(&mut self, who: &str, failures: u32) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::create_dir_all(self.path("receivers")).unwrap();
        self.write("receivers/cert.pem", &made.cert.pem());
        self.write("receivers/key.pem", &made.signing_key.serialize_pem());
        let script = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/peers/python/alarm_receivers.py");
        let mut command = Command::new(python());
        command.arg(script).arg(self.path("receivers")).args([SECRET, &failures.to_string()]);
        self.start("receivers", &mut command);
        self.wait("the receivers (aiosmtpd of tests/peers/python/requirements.txt)", |stage| {
            stage.path("receivers/ports.json").exists()
        });
        let ports: Value = serde_json::from_slice(&self.read("receivers/ports.json")).unwrap();
        let ca = self.text("receivers/cert.pem");
        std::fs::create_dir_all(self.path(who)).unwrap();
        self.write(&format!("{who}/webhook.secret"), &format!("{SECRET}\n"));
        self.write(&format!("{who}/mail.password"), "correct horse\n");
        let text = format!(
            "[[webhook]]\nurl = \"https://localhost:{}/hook\"\nsecret_file = \"webhook.secret\"\nca_file = \"{ca}\"\n\n\
             [email]\nserver = \"localhost:{}\"\nfrom = \"bartizan@example.org\"\nto = [\"alice@example.org\", \"bob@example.org\"]\n\
             user = \"alice\"\npassword_file = \"mail.password\"\nca_file = \"{ca}\"\n",
            ports["webhook"], ports["mail"]
        );
        self.write(&format!("{who}/alarms.toml"), &text);
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let path = self.path("receivers").join(name);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[test]
fn a_stolen_key_is_told_by_webhook_and_mail_when_the_receivers_come_back() {
    let mut stage = Stage::robbed();
    stage.receivers("alice", 2);
    stage.end("witness-alice");
    // The first look; from then on what is new counts.
    stage.json("alice", &["witness", "--once"]).ends_with(0);
    stage.write("x.sh", "true\n");
    let job = ["run", "--on", "all", "--class", "change", "--no-wait", "x.sh"];
    let stolen = stage.json("thief", &job).ends_with(0).json()["job"].as_str().unwrap().to_owned();

    // Nobody hears it: both receivers fail. It waits on the disk, and this process is gone.
    stage.json("alice", &["witness", "--once"]).ends_with(0);
    let waiting = stage.json("alice", &["alarm", "list"]).json();
    let one = &waiting["waiting"][0];
    assert!(one["alarm"]["text"].as_str().unwrap().contains(&stolen), "{waiting}");
    let channels: Vec<&Value> = one["channels"].as_object().unwrap().values().collect();
    assert_eq!(channels.len(), 2, "{waiting}");
    assert!(channels.iter().all(|channel| channel["tries"] == 1), "{waiting}");
    assert!(stage.lines("webhook.json").is_empty() && stage.lines("mail.json").is_empty());

    // Another process tries again, with growing pauses, until both have it.
    let mut witness = stage.command("alice", &["witness", "--interval", "60s"]);
    stage.start("witness-alice", &mut witness);
    stage.wait("the alarm", |stage| {
        !stage.lines("webhook.json").is_empty() && !stage.lines("mail.json").is_empty()
    });
    let (hooks, mails) = (stage.lines("webhook.json"), stage.lines("mail.json"));
    assert_eq!((hooks.len(), mails.len()), (1, 1), "once each: {hooks:?} {mails:?}");
    assert_eq!(hooks[0]["good"], true, "the signature");
    let text = hooks[0]["body"]["data"]["text"].as_str().unwrap();
    assert!(text.contains("signed with your key elsewhere") && text.contains(&stolen), "{text}");
    assert_eq!(hooks[0]["body"]["data"]["facts"]["id"], stolen.as_str());
    let mail = &mails[0];
    assert_eq!((&mail["tls"], &mail["user"]), (&true.into(), &"alice".into()), "{mail}");
    assert_eq!(mail["to"], serde_json::json!(["alice@example.org", "bob@example.org"]));
    assert!(mail["text"].as_str().unwrap().contains(text), "{mail}");
    assert!(mail["head"].as_str().unwrap().contains("Subject: [Bartizan] a job was signed"));
    stage.wait("an empty outbox", |stage| {
        let list = stage.json("alice", &["alarm", "list"]).json();
        list["waiting"].as_array().unwrap().is_empty()
    });
}

#[test]
fn channels_are_tried_by_hand_and_what_is_wrong_is_named() {
    let mut stage = Stage::new();
    stage.tool("alice", &["alarm", "test"]).ends_with(1).says(&["alarms.toml", "no channel"]);
    stage.receivers("alice", 0);
    stage.json("alice", &["alarm", "test"]).ends_with(0);
    assert_eq!(stage.lines("webhook.json").len(), 1);

    // A receiver with another certificate gets nothing, and no mail server is spoken to in the clear.
    let good = String::from_utf8(stage.read("alice/alarms.toml")).unwrap();
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let other = stage.write("other.pem", &other.cert.pem());
    stage.write("alice/alarms.toml", &good.replace(&stage.text("receivers/cert.pem"), &other));
    let refused = stage.tool("alice", &["alarm", "test"]).ends_with(1);
    refused.says(&["webhook https://localhost", "email alice@example.org", "certificate", "next:"]);
    assert_eq!((stage.lines("webhook.json").len(), stage.lines("mail.json").len()), (1, 1));

    stage.write("alice/alarms.toml", &good);
    stage.write("alice/mail.password", "wrong\n");
    stage.tool("alice", &["alarm", "test"]).ends_with(1).says(&["535"]);
    // The desktop, by a program of that name that writes down what it is told.
    let shown = stage.text("shown");
    std::fs::create_dir(stage.path("bin")).unwrap();
    let script =
        stage.write("bin/notify-send", &format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{shown}'\n"));
    run(Command::new("chmod").args(["+x", &script])).ends_with(0);
    stage.write("alice/alarms.toml", "desktop = true\n");
    let path = format!("{}:{}", stage.text("bin"), std::env::var("PATH").unwrap());
    run(stage.command("alice", &["alarm", "test"]).env("PATH", path)).ends_with(0);
    let shown = String::from_utf8(stage.read("shown")).unwrap();
    assert!(shown.ends_with("--\nBartizan\nthis is a test\n"), "{shown}");

    stage.write("alice/alarms.toml", "speed = 9\n");
    stage.tool("alice", &["alarm", "test"]).ends_with(1).says(&["speed", "alarms.toml"]);
}
