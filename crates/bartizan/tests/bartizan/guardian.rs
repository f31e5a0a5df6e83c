//! A guardian box: logs ask it, it has no login, and nobody gets two histories out of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use bartizan_trust::note::{Note, VerifierKey};
use serde_json::Value;

use crate::stage::{Stage, on_terminal, run};

impl Stage {
    /// Starts a guardian with this home; its address and verifier key.
    fn guardian(&mut self, name: &str, logs: &[&str]) -> (String, String) {
        let serve = ["witness", "serve", "--listen", "127.0.0.1:0", "--json"];
        let mut command = self.command(name, &[&serve, logs].concat());
        self.start(name, &mut command);
        let file = format!("{name}.out");
        self.wait("the guardian", |stage| stage.read(&file).ends_with(b"\n"));
        let ready: Value = serde_json::from_slice(&self.read(&file)).unwrap();
        let field = |name: &str| ready[name].as_str().unwrap().to_owned();
        (field("listen"), field("witness"))
    }
}

/// The client in Python; what it is asked for, it writes as JSON.
fn client(arguments: &[&str]) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let script = root.join("tests/peers/python/witness_client.py");
    run(Command::new(crate::alarms::python()).arg(script).args(arguments)).ends_with(0).json()
}

#[test]
fn a_client_written_from_the_text_of_c2sp_gets_what_it_says() {
    let mut stage = Stage::new();
    let log = client(&["python.test/log"]);
    let alarm = format!("printf '%s\\n' \"$BARTIZAN_ALARM\" >> '{}'", stage.text("heard"));
    let key = ["--log-key", log.as_str().unwrap(), "--alarm", &alarm];
    let (address, witness) = stage.guardian("guardian", &key);
    let url = format!("http://{address}");
    let said = client(&["python.test/log", &url, &witness]);
    let answers: Vec<(&str, u64, bool, Option<&str>)> = said
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let what = one["what"].as_str().unwrap();
            let good = one["cosigned"].as_bool().unwrap();
            (what, one["status"].as_u64().unwrap(), good, one["size"].as_str())
        })
        .collect();
    let expected = [
        ("first sight", 200, true, None),
        ("growth", 200, true, None),
        ("the same again", 200, true, None),
        ("from zero", 409, false, Some("11\n")),
        ("shrunk", 409, false, Some("11\n")),
        ("another root", 409, false, Some("11\n")),
        ("a fork", 422, false, None),
        ("old above new", 400, false, None),
        ("not its key", 403, false, None),
        ("unknown log", 404, false, None),
        ("growth after all that", 200, true, None),
        ("nonsense", 400, false, None),
        ("too long", 400, false, None),
    ];
    assert_eq!(answers, expected);
    // Proof of the fork is kept: the log's own signature under another root.
    let kept: Vec<_> = std::fs::read_dir(stage.path("guardian/evidence")).unwrap().collect();
    assert_eq!(kept.len(), 1);
    let note = Note::decode(&std::fs::read(kept[0].as_ref().unwrap().path()).unwrap()).unwrap();
    assert!(note.is_signed_by(&VerifierKey::parse(log.as_str().unwrap()).unwrap()));
    let heard = String::from_utf8(stage.read("heard")).unwrap();
    assert!(
        heard.contains("LOG FORKED: `python.test/log`") && heard.lines().count() == 1,
        "{heard}"
    );
    // Killed and begun again, it has not forgotten.
    stage.end("guardian");
    let (address, _) = stage.guardian("guardian", &key);
    let answer = post(&address, b"old 0\n\n").unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    let again = client(&["python.test/log", &format!("http://{address}"), &witness]);
    let first = &again[0];
    assert_eq!((&first["status"], &first["size"]), (&409.into(), &"20\n".into()), "{again}");
    // Its keeper withdraws it, and lets it speak again.
    let asked = |stage: &Stage, how: &[&str]| {
        stage.tool("guardian", &[&["witness"], how].concat()).ends_with(0);
        client(&["python.test/log", &format!("http://{address}"), &witness])[0]["status"].clone()
    };
    assert_eq!(asked(&stage, &["--withhold", "stop the fleet"]), 503);
    assert_eq!(asked(&stage, &["--resume"]), 409);
}

/// Bob signs what Alice proposed, and the bundle acts.
fn both_sign(stage: &Stage, arguments: &[&str]) {
    let id = stage.json("alice", arguments).json()["statement"].as_str().unwrap().to_owned();
    stage.json("bob", &["approve", &id]).ends_with(0);
}

#[test]
fn a_guardian_comes_into_an_organisation_that_exists_and_goes_again() {
    let mut stage = Stage::organisation();
    let made = stage.tool("guardian", &["witness", "key", "--name", "tower"]).ends_with(0);
    stage.write("tower.card", &made.out);
    let words = made.err.lines().next().unwrap().strip_prefix("words").unwrap().trim().to_owned();
    let add = |stage: &Stage, card: &str, words: &str| {
        stage.json("alice", &["operator", "witness", "add", card, "--words", words])
    };
    // Somebody else's key on the way, another name, words of something else.
    let other = stage.tool("mallory", &["witness", "key", "--name", "tower"]).ends_with(0);
    stage.write("swapped.card", &other.out);
    stage.write("renamed.card", &made.out.replace("\"tower\"", "\"castle\""));
    for (card, words) in [("swapped.card", &*words), ("renamed.card", &words), ("tower.card", "a")]
    {
        let error = add(&stage, card, words).error(3);
        assert!(error["next"].as_str().unwrap().contains("changed on its way"), "{error}");
    }
    stage.write("broken.card", "{\"name\":\"tower\"}");
    add(&stage, "broken.card", &words).error(1);
    // A guardian takes nobody's place, and is not two witnesses under two names.
    for (name, home) in [("alice", "castle"), ("tower-2", "bob")] {
        let card = stage.tool(home, &["witness", "key", "--name", name]).ends_with(0);
        stage.write("clash.card", &card.out);
        let words = card.err.lines().next().unwrap().strip_prefix("words").unwrap().trim();
        let error = add(&stage, "clash.card", words).error(1);
        assert!(error["message"].as_str().unwrap().contains("is there already"), "{error}");
    }
    stage.tool("guardian", &["witness", "key", "--name", "To wer"]).ends_with(2);

    // One after the other: typed, then signed by both.
    let card = stage.text("tower.card");
    let command = stage.command("alice", &["operator", "witness", "add", &card]);
    let answers = [("Words: ", words.to_uppercase()), ("[y/N]", "y".to_owned())];
    let answers: Vec<(&str, &str)> = answers.iter().map(|(q, a)| (*q, a.as_str())).collect();
    let proposed = on_terminal(&command, &answers).ends_with(0);
    assert!(!proposed.out.contains(&format!(" {words}")), "the words come from the other side");
    let drafts = stage.json("bob", &["pending"]).json()["drafts"].clone();
    stage.json("bob", &["approve", drafts[0].as_str().unwrap()]).ends_with(0);
    add(&stage, "tower.card", &words).error(1);
    stage.tool("bob", &["operator", "list"]).ends_with(0).says(&["witnesses: alice, bob, tower"]);

    let anchor = stage.json("bob", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
    let known = ["--genesis", "genesis.json", "--anchor", &anchor, "--name", "tower"];
    let (address, _) = stage.guardian("guardian", &known);
    stage.end("server");
    let config = String::from_utf8(stage.read("server/server.toml")).unwrap();
    stage.write(
        "server/server.toml",
        &format!("{config}\n[[witness]]\nurl = \"http://{address}\"\n"),
    );
    stage.restart_server_where_it_was();
    stage.endpoint();
    let cosigned = |stage: &Stage| {
        let logs = stage.json("bob", &["log", "verify"]).json()["logs"].clone();
        let by = |at: usize| logs[at]["cosigned_by"].as_array().unwrap().contains(&"tower".into());
        by(0) && by(1)
    };
    let job = stage.submit("routine", "exit 0\n");
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    stage.wait("the guardian's co-signatures", cosigned);
    // `change` needs two witnesses of its last entry. No console watches by itself: Bob's co-signs once, as he approves,
    // and the second is the guardian.
    let job = stage.submit("change", "exit 0\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);

    stage.json("alice", &["operator", "witness", "remove", "nobody"]).error(1);
    both_sign(&stage, &["operator", "witness", "remove", "tower"]);
    stage.tool("bob", &["operator", "list"]).ends_with(0).says(&["witnesses: alice, bob\n"]);
    assert!(!cosigned(&stage), "it counts no longer, though it still co-signs");
    let job = stage.submit("change", "exit 0\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    assert_eq!(stage.json("bob", &["job", &job]).json()["witnessed"], false);
    stage.json("alice", &["witness", "--once"]).ends_with(0);
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
}

fn post(address: &str, body: &[u8]) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let head = format!(
        "POST /add-checkpoint HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn a_guardian_alone_witnesses_an_organisation_so_that_work_goes_on_without_consoles() {
    let mut stage = Stage::new();
    stage.people(&["alice", "bob"]);
    stage.init_server();
    let card = stage.json("guardian", &["witness", "key", "--name", "tower"]).ends_with(0);
    stage.write("guardian.card", &card.out);
    let make = ["init", "--id", "alice", "--name", "Alice", "--with", "bob.card"];
    let rest = ["--witness", "guardian.card", "--server", "identity.json", "--out", "genesis.json"];
    let anchor = stage.json("alice", &[make.as_slice(), &rest].concat()).json();
    let anchor = anchor["anchor"].as_str().unwrap().to_owned();
    stage.json("bob", &["init", "--countersign", "genesis.json"]).ends_with(0);

    // Without the anchor it knows no log: a bundle proves nothing by itself.
    let blind = ["witness", "serve", "--genesis", "genesis.json"];
    stage.tool("guardian", &blind).ends_with(2).says(&["--anchor"]);
    let other = format!("bz1-{}", "a".repeat(anchor.len() - 4));
    assert_ne!(stage.tool("guardian", &[&blind[..], &["--anchor", &other]].concat()).code, 0);

    let known = ["--genesis", "genesis.json", "--anchor", &anchor, "--name", "tower"];
    let (address, witness) = stage.guardian("guardian", &known);
    assert!(card.out.contains(&witness), "{witness}");
    let config = String::from_utf8(stage.read("server/server.toml")).unwrap();
    stage.write(
        "server/server.toml",
        &format!("{config}\n[[witness]]\nurl = \"http://{address}\"\n"),
    );
    stage.start_server();
    let publish = ["init", "--publish", "genesis.json", "--server", &stage.plane];
    stage.json("alice", &publish).ends_with(0);
    stage.endpoint();
    // From here on no console co-signs by itself: the job's author does once, the guardian must do the rest.
    let cosigned = |stage: &Stage, size: u64| {
        let verified = stage.json("alice", &["log", "verify"]).json();
        let jobs = &verified["logs"][1];
        jobs["size"] == size && jobs["cosigned_by"].as_array().unwrap().contains(&"tower".into())
    };
    let job = stage.submit("routine", "exit 0\n");
    stage.json("alice", &["watch", &job, "--timeout", "20s"]).ends_with(0);
    stage.wait("the guardian's co-signature", |stage| cosigned(stage, 1));
    stage.end("guardian");
    let second = stage.submit("routine", "exit 0 # again\n");
    stage.json("alice", &["watch", &second, "--timeout", "20s"]).ends_with(0);
    assert!(!cosigned(&stage, 2), "it is dead");
    // It comes back at another address, as boxes do; the server is told.
    let (back, _) = stage.guardian("guardian", &known);
    stage.end("server");
    let config = String::from_utf8(stage.read("server/server.toml")).unwrap();
    stage.write("server/server.toml", &config.replace(&address, &back));
    stage.restart_server_where_it_was();
    stage.wait("it catches up", |stage| cosigned(stage, 2));
}

/// Kills at any moment, with somebody at the same time who holds the log's key: every co-signature that ever came out is of one
/// history. Only the disk remembers across kills.
#[test]
fn a_guardian_killed_at_any_moment_never_cosigns_two_histories() {
    use bartizan_trust::checkpoint::{self, Checkpoint};
    use bartizan_trust::merkle::{Tree, leaf_hash};
    use bartizan_trust::note::{NoteKeyType, NoteSignature};
    use bartizan_trust::witness::AddCheckpoint;
    use ring::signature::{Ed25519KeyPair, KeyPair as _};

    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap();
    let public: [u8; 32] = pair.public_key().as_ref().try_into().unwrap();
    let key = VerifierKey::new("hostile.test/log", NoteKeyType::Ed25519, public).unwrap();
    let tree = |history: u64| {
        let mut tree = Tree::default();
        for n in 0..64_u64 {
            // Histories part at different places.
            let entry = if n < history * 7 { format!("{n}") } else { format!("{history} {n}") };
            tree.push(leaf_hash(entry.as_bytes()));
        }
        tree
    };
    let histories: Vec<Tree> = (0..4).map(tree).collect();
    let ask = |history: usize, old: u64, size: u64| {
        let tree: &Tree = &histories[history];
        let root = tree.root_at(size).unwrap();
        let text = Checkpoint { origin: key.name().to_owned(), size, root }.to_text();
        let signature: [u8; 64] = pair.sign(text.as_bytes()).as_ref().try_into().unwrap();
        let line = NoteSignature::parse(&key.signature_line(&signature)).unwrap();
        let note = Note { text, signatures: vec![line] }.encode();
        let path = tree.consistency_path(old.min(size), size).unwrap();
        AddCheckpoint { old, path, note }
    };
    let mut stage = Stage::new();
    let logs = key.to_string();
    let mut given: Vec<(usize, Checkpoint)> = Vec::new();
    // A small generator, so that a failure is a seed.
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: u64| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below
    };
    let mut known = 0;
    for _ in 0..10 {
        let (address, witness) = stage.guardian("guardian", &["--log-key", &logs]);
        let witness = VerifierKey::parse(&witness).unwrap();
        let answered = AtomicUsize::new(0);
        // Now and then it lives; otherwise it dies in the middle of a request, after some.
        let dies_after = usize::try_from(random(24)).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for _ in 0..16 {
                    let history = usize::try_from(random(4)).unwrap();
                    let old = if random(4) == 0 { random(64) } else { known };
                    let request = ask(history, old, (old + random(3)).min(64));
                    let answer = post(&address, &request.encode()).unwrap_or_default();
                    answered.fetch_add(1, Ordering::Relaxed);
                    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
                    if answer.starts_with("HTTP/1.1 409") {
                        known = body.trim().parse().unwrap_or(known);
                    }
                    if !answer.starts_with("HTTP/1.1 200") || body.is_empty() {
                        continue;
                    }
                    let mut opened = checkpoint::open(&request.note, &key).unwrap();
                    opened.note.signatures.push(NoteSignature::parse(body.trim_end()).unwrap());
                    assert!(opened.note.cosigned_at(&witness).is_some(), "{answer}");
                    known = opened.checkpoint.size;
                    given.push((history, opened.checkpoint));
                }
            });
            while answered.load(Ordering::Relaxed) < dies_after.min(16) {
                std::thread::yield_now();
            }
            stage.end("guardian");
        });
    }
    assert!(given.len() > 10, "only {} co-signatures: nothing was tried", given.len());
    for (at, (history, later)) in given.iter().enumerate() {
        for (_, earlier) in &given[..at] {
            assert!(earlier.size <= later.size, "it went back: {earlier:?} {later:?}");
            assert_eq!(histories[*history].root_at(earlier.size), Some(earlier.root), "{later:?}");
        }
    }
}
