//! Alerts of the whole program, with receivers nobody here wrote: `aiosmtpd`, `standardwebhooks`, and syslog over sockets.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bartizan_proto::alerts::{
    AlertDetail, AlertPage, ChannelBody, NoteBody, Observation, Phase, RulesAnswer, RulesBody,
    RulesStored,
};
use bartizan_proto::checks::CheckState;
use bartizan_proto::operator::ServerIdentity;
use bartizan_testkit::load::endpoint::Endpoint;
use bartizan_testkit::load::organisation::Organisation;
use bartizan_testkit::load::plane::Console;
use bartizan_testkit::postgres::Postgres;
use bartizan_trust::id::{AlertId, EndpointId, Sha256};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use crate::endpoints::World;
use crate::program::{Program, founded, log_in};
use crate::{now, wait_for};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A webhook, a mail server and syslog that fail this often first.
struct Receivers {
    dir: PathBuf,
    child: Child,
    ports: Value,
}

impl Receivers {
    fn start(dir: &Path, failures: u32) -> Self {
        let dir = dir.join("receivers");
        std::fs::create_dir_all(&dir).expect("folder");
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("key");
        std::fs::write(dir.join("cert.pem"), made.cert.pem()).expect("write");
        std::fs::write(dir.join("key.pem"), made.signing_key.serialize_pem()).expect("write");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let venv = std::env::var_os("BARTIZAN_VENV")
            .map_or_else(|| root.join("target/venv"), PathBuf::from);
        let python = venv.join("bin/python3");
        assert!(python.exists(), "{} is missing; run scripts/setup test", python.display());
        let mut child = Command::new(python)
            .arg(root.join("tests/peers/python/alarm_receivers.py"))
            .arg(&dir)
            .args([SECRET, &failures.to_string()])
            .stdin(Stdio::null())
            .spawn()
            .expect("start the receivers");
        let ports = dir.join("ports.json");
        until("the receivers (tests/peers/python/requirements.txt)", || {
            assert!(child.try_wait().expect("wait").is_none(), "the receivers ended");
            ports.exists().then_some(())
        });
        let ports = serde_json::from_slice(&std::fs::read(ports).expect("ports")).expect("JSON");
        Self { dir, child, ports }
    }

    fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.dir.join(name)).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    fn refused(&self) -> usize {
        std::fs::read_to_string(self.dir.join("refused.txt")).unwrap_or_default().lines().count()
    }

    /// Names them in a server's configuration.
    fn name(&self, server: &Path) {
        std::fs::write(server.join("hook.secret"), format!("{SECRET}\n")).expect("write");
        std::fs::write(server.join("mail.password"), "correct horse\n").expect("write");
        std::fs::copy(self.dir.join("cert.pem"), server.join("ca.pem")).expect("copy");
        let ca = "ca.pem";
        let port = |name: &str| &self.ports[name];
        let mut text = std::fs::read_to_string(server.join("server.toml")).expect("server.toml");
        text.push_str(&format!(
            "[[channel]]\nname = \"mail\"\nkind = \"email\"\nserver = \"localhost:{}\"\nfrom = \"rmm@example.org\"\n\
             to = [\"alice@example.org\"]\nuser = \"alice\"\npassword_file = \"mail.password\"\nca_file = \"{ca}\"\n\
             [[channel]]\nname = \"hook\"\nkind = \"webhook\"\nurl = \"https://localhost:{}/x\"\nsecret_file = \"hook.secret\"\nca_file = \"{ca}\"\n",
            port("mail"), port("webhook")
        ));
        for transport in ["udp", "tcp", "tls"] {
            text.push_str(&format!(
                "[[channel]]\nname = \"{transport}\"\nkind = \"syslog\"\naddress = \"localhost:{}\"\ntransport = \"{transport}\"\n",
                port(transport)
            ));
            if transport == "tls" {
                text.push_str(&format!("ca_file = \"{ca}\"\n"));
            }
        }
        std::fs::write(server.join("server.toml"), text).expect("write");
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for a state.
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "no {what} after 60 s");
        std::thread::yield_now();
    }
}

/// A server with channels, and a console.
struct Stage {
    program: Program,
    organisation: Organisation,
    console: Console,
    spki: Sha256,
}

impl Stage {
    async fn new(dir: &Path, receivers: &Receivers) -> Self {
        let (program, organisation, console) = founded(dir).await;
        let identity: ServerIdentity = console.fetch("/v1/server").await.expect("server");
        receivers.name(dir);
        let stage = Self { program, organisation, console, spki: identity.spki };
        stage.killed().await
    }

    /// Killed without any warning, started, and logged in to again.
    async fn killed(self) -> Self {
        let program = self.program.crash_and_restart();
        let console = Console::new(program.operator, self.spki).expect("console");
        log_in(&console, &self.organisation).await;
        Self { program, console, ..self }
    }

    async fn alert(&self, check: &str, phase: Phase) -> AlertDetail {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            let page: AlertPage =
                self.console.fetch(&format!("/v1/alerts?check={check}")).await.expect("alerts");
            if let Some(row) = page.alerts.iter().find(|row| row.phase == phase) {
                return self.console.fetch(&format!("/v1/alerts/{}", row.id)).await.expect("alert");
            }
            assert!(Instant::now() < end, "no {phase:?} alert of {check}: {page:?}");
        }
    }
}

fn observation(check: &str, state: CheckState, text: &str) -> String {
    let observation = Observation {
        endpoint: EndpointId::new(Sha256::of(b"e")),
        key: check.to_owned(),
        instance: "/".to_owned(),
        state,
        since: now(),
        at: now(),
        text: text.to_owned(),
    };
    serde_json::to_string(&observation).expect("JSON")
}

const SEQ: &str = "(SELECT COALESCE(MAX(seq), 0) + 1 FROM alert_input)";

/// As a report leaves it, in the transaction that stores the report.
fn say(dir: &Path, check: &str, state: CheckState, text: &str) {
    let database = rusqlite::Connection::open(dir.join("server.db")).expect("open");
    database.busy_timeout(Duration::from_secs(10)).expect("patience");
    let sql = format!("INSERT INTO alert_input VALUES ({SEQ}, 'e', ?1, '/', ?2)");
    let body = observation(check, state, text).into_bytes();
    database.execute(&sql, rusqlite::params![check, body]).expect("insert");
}

#[test]
fn an_alert_reaches_mail_webhook_and_syslog_and_survives_sigkill_between_change_and_sending() {
    let dir = tempfile::tempdir().expect("temp dir");
    let receivers = Receivers::start(dir.path(), 2);
    let server = dir.path().join("server");
    wait_for(async {
        let stage = Stage::new(&server, &receivers).await;
        let hostile = "full\r\nBcc: everybody@example.org\r\n.\r\n<b>\u{202e}";
        say(&server, "disk", CheckState::Error, hostile);
        let detail = stage.alert("disk", Phase::Open).await;
        assert_eq!(detail.notifications.len(), 5, "every channel, without any rules: {detail:?}");
        // Mail and webhook have failed once and wait; the server is killed.
        until("refusals", || (receivers.refused() >= 2).then_some(()));
        let stage = stage.killed().await;
        until("the messages", || {
            (!receivers.lines("webhook.json").is_empty()
                && !receivers.lines("mail.json").is_empty())
            .then_some(())
        });
        let hooks = receivers.lines("webhook.json");
        let hook = &hooks[0];
        assert_eq!(hook["good"], true, "the signature, by `standardwebhooks`");
        assert_eq!(hook["body"]["type"], "alert.opened");
        let sent = |channel: &str| {
            detail
                .notifications
                .iter()
                .find(|row| row.channel == channel)
                .expect("row")
                .id
                .to_string()
        };
        assert_eq!(hook["id"], sent("hook"), "the same id for each attempt");
        let mail = &receivers.lines("mail.json")[0];
        assert_eq!((&mail["tls"], &mail["user"]), (&true.into(), &"alice".into()));
        let head = mail["head"].as_str().expect("head");
        assert!(
            !head.to_lowercase().contains("\nbcc:") && head.contains("Subject: [Bartizan] ERROR"),
            "{head}"
        );
        assert!(head.contains(&sent("mail")), "{head}");
        until("syslog", || {
            let by: Vec<Value> =
                receivers.lines("syslog.json").into_iter().map(|line| line["by"].clone()).collect();
            ["udp", "tcp", "tls"].iter().all(|way| by.contains(&json!(way))).then_some(())
        });
        let lines = receivers.lines("syslog.json");
        assert!(
            lines.iter().all(|line| line["line"].as_str().expect("line").starts_with("<131>1 ")),
            "{lines:?}"
        );

        say(&server, "disk", CheckState::Ok, "fine");
        let detail = stage.alert("disk", Phase::Resolved).await;
        assert_eq!(detail.history.iter().filter(|entry| entry.operator.is_some()).count(), 0);
        until("the end", || {
            receivers
                .lines("webhook.json")
                .iter()
                .any(|hook| hook["body"]["type"] == "alert.resolved")
                .then_some(())
        });
    });
}

#[test]
fn rules_are_checked_kept_and_followed_and_operators_act() {
    let dir = tempfile::tempdir().expect("temp dir");
    let receivers = Receivers::start(dir.path(), 0);
    let server = dir.path().join("server");
    wait_for(async {
        let stage = Stage::new(&server, &receivers).await;
        let console = &stage.console;
        let bad = RulesBody {
            base: 0,
            document: json!({ "routes": [{ "name": "r", "steps": [{ "channels": ["pager"] }] }], "windows": [{ "name": "w" }] }),
        };
        let said = console
            .put::<RulesStored>("/v1/alerts/rules", &bad)
            .await
            .expect_err("refused")
            .to_string();
        assert!(
            said.contains("no channel `pager`") && said.contains("give cron, zone and minutes"),
            "{said}"
        );
        let good = RulesBody {
            base: 0,
            document: json!({ "routes": [{ "name": "r", "check": "disk", "steps": [{ "channels": ["hook"] }] }] }),
        };
        let stored: RulesStored = console.put("/v1/alerts/rules", &good).await.expect("rules");
        assert_eq!(stored.version, 1);
        let late = console
            .put::<RulesStored>("/v1/alerts/rules", &good)
            .await
            .expect_err("refused")
            .to_string();
        assert!(late.contains("alert.rules_changed"), "{late}");

        say(&server, "cpu", CheckState::Warn, "busy");
        say(&server, "disk", CheckState::Warn, "full");
        let detail = stage.alert("disk", Phase::Open).await;
        assert!(detail.why.iter().any(|why| why.says == "`r`: taken"), "{detail:?}");
        assert_eq!(
            detail.notifications.iter().map(|row| row.channel.as_str()).collect::<Vec<_>>(),
            ["hook"]
        );
        assert!(stage.alert("cpu", Phase::Open).await.notifications.is_empty());
        let id = detail.row.id;
        let note = NoteBody { note: "I am on it".to_owned() };
        let _: Value = console
            .send(&format!("/v1/alerts/{id}/acknowledge"), &note)
            .await
            .expect("acknowledge");
        let stage = stage.killed().await;
        let detail = stage.alert("disk", Phase::Acknowledged).await;
        let who = detail.row.acknowledged.expect("somebody");
        assert_eq!(
            (who.operator, who.note.as_str()),
            (stage.organisation.author.id.clone(), "I am on it")
        );
        let answer: RulesAnswer = stage.console.fetch("/v1/alerts/rules").await.expect("rules");
        assert_eq!((answer.version, answer.history.len(), answer.channels.len()), (1, 1, 5));
        assert_eq!(answer.history[0].operator, stage.organisation.author.id);
        let shown = serde_json::to_string(&answer).expect("JSON");
        assert!(
            !shown.contains("secret")
                && !shown.contains("password")
                && !shown.contains("localhost"),
            "{shown}"
        );

        let _: Value = stage
            .console
            .send(&format!("/v1/alerts/{id}/resolve"), &NoteBody::default())
            .await
            .expect("resolve");
        let again = stage
            .console
            .send::<Value>(&format!("/v1/alerts/{id}/resolve"), &NoteBody::default())
            .await;
        assert!(again.expect_err("over").to_string().contains("alert.state"));
    });
}

#[test]
fn what_cannot_be_asked_of_alerts_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (_program, _, console) = founded(dir.path()).await;
        let id = AlertId::new(Sha256::of(b"none"));
        let long = NoteBody { note: "x".repeat(1025) };
        let said =
            console.send::<Value>(&format!("/v1/alerts/{id}/note"), &long).await.expect_err("long");
        assert!(said.to_string().contains("alert.note"));
        for (path, code) in [
            ("/v1/alerts/al_x", "request.id"),
            ("/v1/alerts?phase=bad", "request.filter"),
            (&format!("/v1/alerts?check={}", "x".repeat(257)), "request.filter"),
        ] {
            let said = console.fetch::<Value>(path).await.expect_err(path).to_string();
            assert!(said.contains(code), "{path}: {said}");
        }
        let said =
            console.send::<Value>(&format!("/v1/alerts/{id}/note"), &NoteBody::default()).await;
        assert!(said.expect_err("none").to_string().contains("request.not_found"));
    });
}

#[test]
fn channels_are_tried_and_what_goes_wrong_is_the_answer() {
    let dir = tempfile::tempdir().expect("temp dir");
    let receivers = Receivers::start(dir.path(), 0);
    let server = dir.path().join("server");
    wait_for(async {
        let stage = Stage::new(&server, &receivers).await;
        let test = |channel: &str| ChannelBody { channel: channel.to_owned() };
        for channel in ["mail", "hook", "udp", "tcp", "tls"] {
            let _: Value =
                stage.console.send("/v1/alerts/test", &test(channel)).await.expect(channel);
        }
        until("all of them", || {
            let others = receivers.lines("webhook.json").len() + receivers.lines("mail.json").len();
            (others == 2 && receivers.lines("syslog.json").len() == 3).then_some(())
        });
        std::fs::write(server.join("mail.password"), "wrong\n").expect("write");
        std::fs::write(server.join("hook.secret"), "whsec_AAAA\n").expect("write");
        for (channel, expected) in
            [("mail", "535"), ("hook", "answers 401"), ("pager", "alert.no_channel")]
        {
            let said = stage
                .console
                .send::<Value>("/v1/alerts/test", &test(channel))
                .await
                .expect_err(channel);
            assert!(said.to_string().contains(expected), "{channel}: {said}");
            assert!(!said.to_string().contains("wrong"), "no secret in an answer: {said}");
        }
        // Another certificate than the one that is believed.
        let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("key");
        std::fs::write(server.join("ca.pem"), other.cert.pem()).expect("write");
        for channel in ["mail", "hook", "tls"] {
            let said = stage
                .console
                .send::<Value>("/v1/alerts/test", &test(channel))
                .await
                .expect_err(channel);
            assert!(said.to_string().contains("certificate"), "{channel}: {said}");
        }
    });
}

#[test]
fn whoever_asked_is_told_once_that_an_endpoint_is_back() {
    let dir = tempfile::tempdir().expect("temp dir");
    let receivers = Receivers::start(dir.path(), 0);
    let server = dir.path().join("server");
    wait_for(async {
        let mut world = World::new(&server).await;
        receivers.name(&server);
        let id = world.connect(1).await;
        // The server is killed; the endpoint does not come back at once.
        world.program = world.program.crash_and_restart();
        let pin = world.fleet.pin;
        let console = Console::new(world.program.operator, pin).expect("console");
        log_in(&console, &world.organisation).await;
        let path = format!("/v1/endpoints/{id}/tell-me");
        let body = ChannelBody { channel: "hook".to_owned() };
        let _: Value = console.send(&path, &body).await.expect("tell me");
        let endpoint = Endpoint::new(Arc::clone(&world.fleet), 1, world.tell.clone());
        let endpoint = endpoint.expect("endpoint");
        let stream = endpoint.connect().await.expect("connect");
        let serving = tokio::spawn(endpoint.serve(stream));
        let end = Instant::now() + Duration::from_mins(1);
        while receivers.lines("webhook.json").is_empty() {
            assert!(Instant::now() < end, "nobody was told");
            tokio::task::yield_now().await;
        }
        let told = receivers.lines("webhook.json");
        assert_eq!(told[0]["body"]["type"], "endpoint.back");
        assert_eq!(told[0]["body"]["data"]["message"]["endpoint"], id.to_string());
        let said = console.send::<Value>(&path, &body).await.expect_err("connected").to_string();
        assert!(said.contains("endpoint.connected"), "{said}");
        serving.abort();
    });
}

#[test]
fn alerts_are_kept_and_sent_on_postgresql() {
    let dir = tempfile::tempdir().expect("temp dir");
    let receivers = Receivers::start(dir.path(), 1);
    let database = Postgres::start().expect("PostgreSQL");
    let server = dir.path().join("server");
    wait_for(async {
        let identity = crate::program::init(&server);
        let path = server.join("server.toml");
        let text = std::fs::read_to_string(&path).expect("server.toml");
        let to = format!("database = \"{}\"", database.address());
        std::fs::write(&path, text.replace("database = \"sqlite\"", &to)).expect("write");
        receivers.name(&server);
        let program = Program::start(&server);
        let organisation = Organisation::for_server(&identity, now()).expect("organisation");
        let console = Console::new(program.operator, identity.spki).expect("console");
        let genesis = crate::program::body(&organisation.genesis);
        let _: Value = console.send("/v1/genesis", &genesis).await.expect("genesis");
        log_in(&console, &organisation).await;
        let stage = Stage { program, organisation, console, spki: identity.spki };
        let say = |state| {
            let hex = HEXLOWER.encode(observation("disk", state, "full").as_bytes());
            let sql = format!(
                "INSERT INTO alert_input VALUES ({SEQ}, 'e', 'disk', '/', decode('{hex}', 'hex'))"
            );
            database.query(&sql).expect("insert");
        };
        say(CheckState::Error);
        stage.alert("disk", Phase::Open).await;
        let stage = stage.killed().await;
        until("the webhook", || (!receivers.lines("webhook.json").is_empty()).then_some(()));
        say(CheckState::Ok);
        let detail = stage.alert("disk", Phase::Resolved).await;
        assert!(detail.history.len() >= 3, "{detail:?}");
    });
}
