//! People, keys, roles and customers over time, as two people and a real endpoint see it.

use std::process::Command;

use serde_json::Value;

use crate::stage::{Answer, Stage, on_terminal};

/// The eight words of a person's card, as their own screen shows them.
pub(crate) fn words(stage: &Stage, who: &str) -> String {
    let card = stage.tool(who, &["card", "--id", who, "--name", who]).ends_with(0);
    let line = card.err.lines().find_map(|line| line.strip_prefix("words"));
    line.unwrap_or_else(|| panic!("{card:?}")).trim().to_owned()
}

/// What one proposed, the other signs.
#[track_caller]
pub(crate) fn both(stage: &Stage, proposed: &Answer, other: &str) -> Value {
    let proposed = proposed.json();
    assert_eq!(proposed["done"], false, "one is not enough: {proposed}");
    let id = proposed["statement"].as_str().unwrap();
    stage.json(other, &["approve", id]).ends_with(0).json()
}

/// A job of class `change` by two people ran well on the endpoint.
#[track_caller]
pub(crate) fn runs(stage: &Stage, author: &str, approver: &str) {
    stage.write("ok.sh", "true\n");
    let run = ["run", "--on", "all", "--class", "change", "--no-wait", "ok.sh"];
    let job = stage.json(author, &run).json()["job"].as_str().unwrap().to_owned();
    stage.json(approver, &["approve", &job, "--no-wait"]).ends_with(0);
    stage.wait("a receipt", |stage| decision(stage, approver, &job) == "done/ok");
}

/// The last receipt of a job: decision and code.
pub(crate) fn decision(stage: &Stage, who: &str, job: &str) -> String {
    let page = stage.json(who, &["receipts", job]).json();
    let last = page["receipts"].as_array().unwrap().last();
    last.map_or_else(String::new, |receipt| {
        let field = |name: &str| receipt[name].as_str().unwrap_or_default().to_owned();
        format!("{}/{}", field("decision"), field("code"))
    })
}

fn version(stage: &Stage) -> u64 {
    stage.json("alice", &["bundle", "show"]).json()["version"].as_u64().unwrap()
}

/// `--key` of a second key of a person, with its card.
fn second_key(stage: &Stage, who: &str) -> (String, String) {
    let path = stage.text(&format!("{who}-second"));
    stage.tool(who, &["key", "new", "--no-passphrase", "--out", &path]).ends_with(0);
    let card = stage.tool(who, &["--key", &path, "card", "--id", who, "--name", who]).ends_with(0);
    stage.write(&format!("{who}-second.card"), &card.out);
    let line = card.err.lines().find_map(|line| line.strip_prefix("words")).unwrap();
    (path, line.trim().to_owned())
}

fn fingerprints(stage: &Stage, who: &str) -> Vec<String> {
    let list = stage.json("alice", &["operator", "list"]).json();
    let people = list["operators"].as_array().unwrap();
    let found = people.iter().find(|o| o["id"] == format!("op_{who}"));
    let keys = found.map_or(&[][..], |operator| operator["keys"].as_array().unwrap());
    keys.iter().map(|key| key["fingerprint"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_person_is_added_only_with_the_words_of_their_card() {
    let stage = Stage::organisation();
    stage.people(&["carol", "mallory"]);
    let (real, other) = (words(&stage, "carol"), words(&stage, "mallory"));
    // The card was exchanged on its way: Carol reads other words than it has.
    std::fs::copy(stage.path("mallory.card"), stage.path("mail.card")).unwrap();
    let add =
        |card: &str, words: &str| stage.json("alice", &["operator", "add", card, "--words", words]);
    let error = add("mail.card", &real).error(3);
    assert!(error["message"].as_str().unwrap().contains("not the words"), "{error}");
    assert!(!error.to_string().contains(&other), "the words are not given away: {error}");
    // `--yes` answers no question about words.
    stage.json("alice", &["operator", "add", "carol.card"]).error(1);
    assert_eq!(stage.json("bob", &["pending"]).json()["drafts"].as_array().map_or(0, Vec::len), 0);

    let proposed = add("carol.card", &real);
    assert_eq!(proposed.json()["done"], false);
    let id = proposed.json()["statement"].as_str().unwrap().to_owned();
    let shown = stage.tool("bob", &["approve", &id]).ends_with(0);
    shown.says(&[
        "+ operators[op_carol].name = carol",
        "it allows something new",
        "group any-two 2 alice bob carol",
    ]);
    assert_eq!(fingerprints(&stage, "carol").len(), 1);
    let anchor = stage.json("bob", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
    stage.json("carol", &["join", "--anchor", &anchor, "--server", &stage.plane]).ends_with(0);
}

#[test]
fn the_words_are_typed_on_a_terminal_and_not_shown() {
    let stage = Stage::organisation();
    stage.people(&["carol"]);
    let real = words(&stage, "carol");
    let card = stage.text("carol.card");
    let command = stage.command("alice", &["operator", "add", &card, "--yes"]);
    let wrong = on_terminal(&command, &[("Words: ", "amberbank amberbank")]).ends_with(3);
    assert!(!wrong.out.contains(&real), "{wrong:?}");
    let typed = format!("  {} ", real.to_uppercase());
    on_terminal(&command, &[("Words: ", &typed)]).ends_with(0).says(&["waits for other operators"]);
}

#[test]
fn a_removed_person_is_refused_at_once_also_for_what_they_signed_before() {
    let mut stage = Stage::with_endpoint();
    stage.people(&["carol"]);
    let carol = words(&stage, "carol");
    both(
        &stage,
        &stage.json("alice", &["operator", "add", "carol.card", "--words", &carol]),
        "bob",
    );
    let anchor = stage.json("bob", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
    stage.json("carol", &["join", "--anchor", &anchor, "--server", &stage.plane]).ends_with(0);
    runs(&stage, "alice", "carol");

    // What Carol signed is queued while the endpoint is away.
    stage.end("guard");
    let approved = stage.submit("change", "echo approved by carol\n");
    stage.json("carol", &["approve", &approved, "--no-wait"]).ends_with(0);
    stage.write("script.sh", "echo by carol\n");
    let run = ["run", "--on", "all", "--class", "change", "--no-wait", "script.sh"];
    let authored = stage.json("carol", &run).json()["job"].as_str().unwrap().to_owned();
    stage.json("alice", &["approve", &authored, "--no-wait"]).ends_with(0);
    let proposed = stage.json("alice", &["operator", "remove", "carol"]);
    proposed.says(&["witness remove carol"]);
    let id = proposed.json()["statement"].as_str().unwrap().to_owned();
    let shown = stage.tool("bob", &["approve", &id]).ends_with(0);
    shown.says(&["- operators[op_carol].name = carol", "it only takes away, and acts at once"]);
    assert_eq!(fingerprints(&stage, "carol"), Vec::<String>::new());
    // Her session ends with it.
    stage.json("carol", &["endpoints"]).error(3);

    stage.restart_guard(&[]);
    stage.wait("refusals of both", |stage| {
        decision(stage, "bob", &authored) == "refused/sig.author_missing"
            && decision(stage, "bob", &approved) == "refused/sig.approvals_missing"
    });
    runs(&stage, "alice", "bob");
}

#[test]
fn a_lost_key_is_removed_with_the_one_that_is_left() {
    let stage = Stage::with_endpoint();
    let (second, words) = second_key(&stage, "bob");
    let first = fingerprints(&stage, "bob").remove(0);
    // The only key is not taken away.
    stage.json("alice", &["operator", "key", "remove", "bob", &first]).error(1);
    let add = ["operator", "key", "add", "bob-second.card", "--words", &words, "--note", "safe"];
    both(&stage, &stage.json("alice", &add), "bob");
    assert_eq!(fingerprints(&stage, "bob").len(), 2);

    // The first one is lost. What a thief signed with it waits for the endpoint's answer.
    let stolen = stage.submit("change", "echo never\n");
    stage.json("alice", &["operator", "key", "remove", "bob", "SHA256:none"]).error(1);
    let removal = stage.json("alice", &["operator", "key", "remove", "bob", &first]).json();
    let id = removal["statement"].as_str().unwrap();
    stage.json("bob", &["--key", &second, "approve", id]).ends_with(0);
    assert_eq!(fingerprints(&stage, "bob").len(), 1);
    let late = stage.json("bob", &["approve", &stolen, "--no-wait"]);
    assert_ne!(late.code, 0, "{late:?}");
    std::fs::rename(&second, stage.path("bob/id_ed25519")).unwrap();
    runs(&stage, "alice", "bob");
}

#[test]
fn a_role_is_taken_at_once_and_given_by_both() {
    let stage = Stage::organisation();
    let take = ["operator", "role", "bob", "--remove", "enroll,promote", "--tenants", "acme"];
    let done = both(&stage, &stage.json("alice", &take), "bob");
    assert_eq!(done["done"], true);
    let bundle = stage.json("alice", &["bundle", "show"]).json();
    let bob = &bundle["operators"][1];
    assert_eq!(bob["roles"], serde_json::json!(["author", "approve", "root", "freeze"]), "{bob}");
    assert_eq!(bob["tenants"]["only"], serde_json::json!(["tn_acme"]), "{bob}");
    both(&stage, &stage.json("alice", &["operator", "role", "bob", "--add", "enroll"]), "bob");
    stage.json("alice", &["operator", "role", "bob", "--add", "enroll"]).error(1);
    stage.json("alice", &["operator", "role", "bob", "--add", "king"]).error(2);
    stage.json("alice", &["operator", "remove", "nobody"]).error(1);
    // Nobody can be removed below the threshold: that is what the recovery key is for.
    let error = stage.json("alice", &["operator", "remove", "bob"]).error(1);
    assert!(error["message"].as_str().unwrap().contains("threshold"), "{error}");
    assert_eq!(version(&stage), 3);
}

#[test]
fn a_bundle_is_renewed_in_time_and_the_tool_says_when() {
    let stage = Stage::organisation();
    let status = stage.json("alice", &["status"]).json();
    assert_eq!(status["warning"], Value::Null);
    let renew = |time: &str| stage.json("alice", &["bundle", "renew", "--for", time]);
    both(&stage, &renew("59d"), "bob");
    let warned = stage.json("alice", &["status"]).json();
    assert!(warned["warning"].as_str().unwrap().contains("bundle renew"), "{warned}");
    stage.tool("alice", &["org"]).ends_with(0).says(&["WARNING: bundle version 2 expires in 5"]);
    both(&stage, &renew("400d"), "bob");
    assert_eq!(stage.json("alice", &["status"]).json()["warning"], Value::Null);
    assert_eq!(stage.json("alice", &["org"]).json()["warning"], Value::Null);
}

#[test]
fn an_expired_bundle_stops_work_and_a_renewal_brings_it_back() {
    let stage = Stage::with_endpoint();
    both(&stage, &stage.json("alice", &["bundle", "renew", "--for", "4s"]), "bob");
    stage.wait("the end of the bundle", |stage| {
        let status = stage.json("alice", &["status"]).json();
        status["warning"].as_str().is_some_and(|text| text.contains("has expired"))
    });
    let job = stage.submit("change", "echo late\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    stage.wait("a refusal", |stage| decision(stage, "bob", &job) == "refused/bundle.expired");
    // Freezes and bundles still work, and what waited runs after the renewal.
    stage.json("bob", &["freeze", "tenant:other", "--no-wait"]).ends_with(0);
    both(&stage, &stage.json("alice", &["bundle", "renew"]), "bob");
    stage.wait("the job", |stage| decision(stage, "bob", &job) == "done/ok");
}

#[test]
fn a_customer_countersigns_what_happens_on_its_endpoints() {
    let stage = Stage::with_endpoint();
    stage.people(&["acme-it", "globex-it"]);
    let (acme, globex) = (words(&stage, "acme-it"), words(&stage, "globex-it"));
    let set = |tenant: &str, card: &str, words: &str| {
        stage.json(
            "alice",
            &[
                "customer",
                "set",
                "--tenant",
                tenant,
                "--card",
                card,
                "--words",
                words,
                "--from-class",
                "change",
            ],
        )
    };
    set("acme", "acme-it.card", &globex).error(3);
    both(&stage, &set("acme", "acme-it.card", &acme), "bob");
    both(&stage, &set("globex", "globex-it.card", &globex), "bob");
    stage.tool("alice", &["customer", "list"]).ends_with(0).says(&["acme", "change", "acme-it"]);
    let anchor = stage.json("bob", &["org"]).json()["anchor"].as_str().unwrap().to_owned();
    for who in ["acme-it", "globex-it"] {
        stage.json(who, &["join", "--anchor", &anchor, "--server", &stage.plane]).ends_with(0);
    }

    let job = stage.submit("change", "echo on acme\n");
    stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
    assert_eq!(stage.json("bob", &["job", &job]).json()["row"]["state"], "pending");
    // A customer sees its own jobs and nothing of others; it is no operator.
    assert_eq!(stage.json("globex-it", &["jobs"]).json()["jobs"], serde_json::json!([]));
    stage.json("globex-it", &["approve", &job, "--as-customer", "--no-wait"]).error(1);
    for other in [&["endpoints"][..], &["pending"], &["freeze", "org"], &["log", "verify"]] {
        if other != ["pending"] {
            let error = stage.json("acme-it", other);
            assert_ne!(error.code, 0, "{other:?} {error:?}");
        }
    }
    // Neither does an operator pass for the customer.
    stage.json("alice", &["approve", &job, "--as-customer", "--no-wait"]).error(3);
    let shown = stage.tool("acme-it", &["approve", &job, "--as-customer", "--no-wait"]);
    shown.ends_with(0).says(&["│ echo on acme", "tenant acme"]);
    stage.wait("a receipt", |stage| decision(stage, "bob", &job) == "done/ok");
    stage.json("acme-it", &["approve", &job, "--as-customer", "--no-wait"]).error(1);

    // What is below the class goes on without it; without the rule everything does.
    stage.write("small.sh", "true\n");
    stage.json("alice", &["run", "--on", "all", "small.sh"]).ends_with(0);
    both(&stage, &stage.json("alice", &["customer", "remove", "--tenant", "acme"]), "bob");
    stage.json("alice", &["customer", "remove", "--tenant", "acme"]).error(1);
    runs(&stage, "alice", "bob");
    stage.json("acme-it", &["jobs"]).error(3);
}

#[test]
fn a_customer_signs_a_file_offline_with_the_tool_or_with_stock_ssh_keygen() {
    let stage = Stage::with_endpoint();
    stage.people(&["acme-it", "globex-it"]);
    for (who, tenant) in [("acme-it", "acme"), ("globex-it", "globex")] {
        let (card, words) = (format!("{who}.card"), words(&stage, who));
        let set = ["customer", "set", "--tenant", tenant, "--card", &card, "--words", &words];
        both(&stage, &stage.json("alice", &set), "bob");
    }
    let export = |script: &str, dir: &str| {
        let job = stage.submit("change", script);
        stage.json("bob", &["approve", &job, "--no-wait"]).ends_with(0);
        let shown = stage.json("alice", &["customer", "export", &job, "--dir", dir]).json();
        let said = shown["words"].as_str().unwrap();
        stage.tool("bob", &["job", &job]).ends_with(0).says(&[said]);
        job
    };
    let (job, other) = (export("echo for acme\n", "one"), export("echo another\n", "two"));
    let send = |job: &str, file: &str| stage.json("alice", &["customer", "send", job, file]);

    // With the tool, by somebody who has never joined anything: the same sheet, and a no writes nothing.
    let (request, out) = (stage.text("one/request.json"), stage.text("acme.sig"));
    let approve = ["customer", "approve", &request, "--out", &out];
    let command = stage.command("acme-it", &approve);
    let said = on_terminal(&command, &[("[y/N]", "n")]).ends_with(1);
    said.says(&["│ echo for acme", "tenant acme", "words", "nothing was signed"]);
    assert!(!stage.path("acme.sig").exists());
    on_terminal(&command, &[("[y/N]", "y")]).ends_with(0).says(&["countersigned"]);
    let sheet = String::from_utf8(stage.read("one/sheet.txt")).unwrap();
    let shown = stage.tool("acme-it", &approve).ends_with(0).out;
    // All but how long there is still time.
    let lines = |text: &str| -> Vec<String> {
        let words = |line: &&str| !line.starts_with("when ");
        text.trim_end().lines().filter(words).map(str::to_owned).collect()
    };
    assert!(lines(&shown).starts_with(&lines(&sheet)), "{sheet}\n{shown}");

    // Each of these is refused, and the job goes on waiting.
    let keygen = |folder: &str, key: &str, role: &str, out: &str| {
        let key = stage.text(&format!("{key}/id_ed25519"));
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-Y", "sign", "-n", role, "-f", &key])
            .stdin(std::fs::File::open(stage.path(folder).join("pae")).unwrap());
        let output = sign.output().expect("ssh-keygen");
        assert!(output.status.success(), "{output:?}");
        std::fs::write(stage.path(out), output.stdout).unwrap();
    };
    keygen("two", "acme-it", "customer.v1@bartizan", "other-job.sig");
    keygen("one", "acme-it", "approve.v1@bartizan", "other-role.sig");
    keygen("one", "acme-it", "file", "no-role.sig");
    keygen("one", "globex-it", "customer.v1@bartizan", "other-customer.sig");
    keygen("one", "alice", "customer.v1@bartizan", "operator.sig");
    stage.write("nonsense.sig", "-----BEGIN SSH SIGNATURE-----\nAAAA\n");
    for (file, what) in [
        ("other-job.sig", "not one of this job"),
        ("other-role.sig", "approve.v1@bartizan"),
        ("no-role.sig", "another namespace"),
        ("other-customer.sig", "not one of the customer's"),
        ("operator.sig", "not one of the customer's"),
        ("nonsense.sig", "another kind"),
        ("one/pae", "no SSH signature"),
    ] {
        let error = send(&job, file).error(3);
        assert!(error["message"].as_str().unwrap().contains(what), "{file}: {error}");
    }
    assert_eq!(stage.json("bob", &["job", &job]).json()["row"]["state"], "pending");

    send(&job, "acme.sig").ends_with(0);
    stage.wait("a receipt", |stage| decision(stage, "bob", &job) == "done/ok");
    send(&job, "acme.sig").error(1);
    stage.json("alice", &["customer", "export", &job, "--dir", "three"]).error(1);

    // With what OpenSSH brings along.
    send(&other, "other-job.sig").ends_with(0);
    stage.wait("a receipt", |stage| decision(stage, "bob", &other) == "done/ok");

    // A request that was changed on its way is not shown, let alone signed.
    let request = String::from_utf8(stage.read("one/request.json")).unwrap();
    let mut parts: Value = serde_json::from_str(&request).unwrap();
    parts["content"] = "ZWNobyBldmlsCg==".into();
    stage.write("swapped.json", &parts.to_string());
    stage.write("cut.json", &request[..request.len() / 2]);
    for (file, what) in
        [("swapped.json", "another one than the job names"), ("cut.json", "no request")]
    {
        let error = stage.json("acme-it", &["customer", "approve", file]).error(3);
        assert!(error["message"].as_str().unwrap().contains(what), "{file}: {error}");
    }
}
