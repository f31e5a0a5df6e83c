//! Founding an organisation and joining it through the pages of real consoles, against a real server.

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::page::{Page, start, start_on};
use crate::passkeys::Authenticator;
use crate::stage::{Stage, run};

/// A server that serves nobody yet.
fn server() -> Stage {
    let mut stage = Stage::new();
    stage.init_server();
    stage.start_server();
    stage
}

fn identity(stage: &Stage) -> String {
    String::from_utf8(stage.read("identity.json")).unwrap()
}

/// What the wizard sends of Alice.
fn wish(stage: &Stage, people: &[Value]) -> Value {
    json!({
        "id": "alice", "name": "Alice Example", "people": people, "identity": identity(stage),
        "address": stage.plane, "recovery": false,
    })
}

/// A person who has made two passkeys on a page of their console.
struct Person {
    page: Page,
    keys: [Authenticator; 2],
}

impl Person {
    fn new(stage: &mut Stage, who: &str) -> Self {
        let page = Page::open(stage, who);
        let me = Self { page, keys: [*b"one.", *b"two."].map(Authenticator::new) };
        for key in &me.keys {
            let options = me.page.post("/passkeys/options", &json!({})).json();
            let challenge = options["challenge"].as_str().unwrap();
            let (client_data, authenticator_data) = key.create(&me.origin(), challenge);
            let made = json!({ "id": who, "name": who, "client_data": client_data, "authenticator_data": authenticator_data });
            me.page.post("/passkeys", &made).json();
        }
        me
    }

    fn origin(&self) -> String {
        format!("http://localhost:{}", self.page.port)
    }

    /// Asks for a sheet and signs it with the first passkey.
    #[track_caller]
    fn signs(&self, kind: &str, body: &Value) -> Value {
        let sheet = self.page.sheet(kind, body);
        self.page.post("/sign", &self.keys[0].answer(&self.origin(), &sheet)).json()
    }

    #[track_caller]
    fn enters(&self, anchor: &Value, address: &str) {
        self.signs("join", &json!({ "anchor": anchor, "address": address }));
        assert_eq!(self.page.get("/me")["standing"], "ready");
    }
}

/// The words that a sheet asks for.
fn asked(sheet: &Value) -> Vec<String> {
    let words: Vec<&str> = sheet["passphrase"].as_str().unwrap().split(' ').collect();
    assert_eq!(words.len(), 8);
    let places = sheet["asked"].as_array().unwrap();
    places
        .iter()
        .map(|at| words[usize::try_from(at.as_u64().unwrap()).unwrap() - 1].to_owned())
        .collect()
}

#[test]
fn two_people_found_an_organisation_with_passkeys_and_paper() {
    let mut stage = server();
    let address = stage.plane.clone();
    let (alice, bob) = (Person::new(&mut stage, "alice"), Person::new(&mut stage, "bob"));
    let card = bob.page.post("/founding/card", &json!({ "id": "bob", "name": "Bob" })).json();
    let person = json!({ "card": card["card"], "words": card["words"] });
    let known = alice.page.post("/founding/person", &person).json();
    assert_eq!(
        (known["id"].clone(), known["fingerprints"].as_array().unwrap().len()),
        (json!("bob"), 2)
    );
    let mut request = wish(&stage, &[person]);
    request["recovery"] = json!(true);
    let draft = alice.page.post("/founding/draft", &request).json();

    // Nothing is signed before both passphrases are written down.
    alice.page.post("/sheets/genesis", &json!({})).refused(400, "error");
    let sheets = draft["sheets"].as_array().unwrap();
    let (first, second) = (asked(&sheets[0]), asked(&sheets[1]));
    let check = |kind: &str, words: &[String]| {
        alice.page.post("/founding/check", &json!({ "kind": kind, "words": words }))
    };
    check("recovery", &second).refused(400, "founding.other_words");
    assert_eq!(check("recovery", &first).json()["left"], json!(["spare_witness"]));
    alice.page.post("/sheets/genesis", &json!({})).refused(400, "error");
    assert_eq!(check("spare_witness", &second).json()["left"], json!([]));
    check("recovery", &first).refused(400, "error");

    let signed = alice.signs("genesis", &json!({}));
    assert_eq!(signed["enough"], false, "{signed}");
    let waiting = alice.page.get("/founding")["waiting"].clone();
    assert_eq!(
        (waiting["anchor"].clone(), waiting["complete"].clone(), waiting["published"].clone()),
        (draft["anchor"].clone(), json!(false), json!(false)),
        "{waiting}"
    );
    no_secret_is_left(&stage, &alice.page, sheets);
    // Her console ends and is started again: what she signed still waits.
    stage.end("console-alice");
    let launch = start_on(&mut stage, "alice", alice.page.port, &[]);
    let alice = Person { page: Page::with(alice.page.port, &launch), ..alice };
    assert_eq!(alice.page.get("/founding")["waiting"]["anchor"], draft["anchor"]);

    let given = json!({ "file": waiting["file"], "address": address });
    let sheet = bob.page.sheet("countersign", &given);
    assert_eq!(sheet["words"], draft["words"], "what they compare by telephone");
    assert_eq!(sheet["signatures"][0]["verification"]["verified"], true, "{sheet}");
    let signed =
        bob.page.post("/sign", &bob.keys[1].answer(&bob.origin(), &swapped(&sheet))).json();
    assert_eq!(signed["enough"], true, "{signed}");
    for one in [&alice, &bob] {
        assert_eq!(one.page.get("/founding")["waiting"]["published"], true);
        one.enters(&draft["anchor"], &address);
        one.page.fetch("/founding").refused(400, "founding.over");
    }
    let trust = alice.page.get("/trust");
    let keys = |at: usize| trust["operators"][at]["keys"].as_array().unwrap().len();
    assert_eq!((keys(0), keys(1), trust["root_threshold"].clone()), (2, 2, json!(2)), "{trust}");
    assert_eq!(trust["recovery_keys"].as_array().unwrap().len(), 1);
    the_paper_opens(&stage, &draft);
}

/// The second passkey answers as well: what a browser does when that device is the one at hand.
fn swapped(sheet: &Value) -> Value {
    let mut sheet = sheet.clone();
    sheet["passkey"]["credentials"].as_array_mut().unwrap().swap(0, 1);
    sheet
}

/// The passphrases were in one answer and nowhere else; no key lies about.
fn no_secret_is_left(stage: &Stage, page: &Page, sheets: &[Value]) {
    let mut texts = vec![page.fetch("/founding").body, page.fetch("/me").body];
    for name in ["alice", "console-alice.out", "console-alice.log"] {
        let path = stage.path(name);
        let files = if path.is_dir() {
            std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
        } else {
            vec![path]
        };
        for file in files {
            texts.push(String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned());
        }
    }
    for text in texts {
        for sheet in sheets {
            let secret = sheet["passphrase"].as_str().unwrap();
            let armor = sheet["armor"].as_str().unwrap().lines().nth(2).unwrap();
            assert!(!text.contains(secret) && !text.contains(armor), "{text}");
        }
        assert!(!text.contains("OPENSSH PRIVATE KEY"), "{text}");
    }
}

/// The key on the sheet is the organisation's, under the words that were shown.
fn the_paper_opens(stage: &Stage, draft: &Value) {
    let sheet = &draft["sheets"][0];
    assert!(sheet["code"].as_str().unwrap().starts_with("<svg"));
    assert_eq!(sheet["facts"][0]["value"], draft["anchor"], "{sheet}");
    stage.write("typed.age", sheet["armor"].as_str().unwrap());
    stage.write("phrase", sheet["passphrase"].as_str().unwrap());
    let mut finish =
        stage.command("alice", &["recover", "finish", "--sheet", "typed.age", "--json"]);
    let opened = run(finish.env("BARTIZAN_PASSPHRASE_FILE", stage.path("phrase"))).json();
    assert_eq!(opened["version"], 1, "{opened}");
}

#[test]
fn one_founds_alone_with_a_key_file_and_adds_another_afterwards() {
    let mut stage = server();
    stage.people(&["alice", "bob"]);
    let alice = Page::open(&mut stage, "alice");
    let state = alice.get("/founding");
    assert_eq!(
        (state["keys"][0]["place"].clone(), state["signs_by_passkey"].clone()),
        (json!("file"), json!(false))
    );
    let draft = alice.post("/founding/draft", &wish(&stage, &[])).json();
    assert_eq!(
        draft["warnings"].as_array().unwrap().len(),
        2,
        "software key, no recovery: {draft}"
    );
    assert_eq!(draft["sheets"], json!([]));
    let signed = alice.sign(&alice.sheet("genesis", &json!({}))).json();
    assert_eq!(signed["enough"], true, "{signed}");
    let place = json!({ "anchor": draft["anchor"], "address": stage.plane });
    alice.sign(&alice.sheet("join", &place)).json();
    assert_eq!(alice.get("/me")["standing"], "ready");

    // The card that the command line makes.
    let card = String::from_utf8(stage.read("bob.card")).unwrap();
    let words = crate::people::words(&stage, "bob");
    let person = json!({ "card": card, "words": words });
    let mut forged = person.clone();
    forged["card"] = json!(card.replace("\"name\":\"bob\"", "\"name\":\"Bob\""));
    alice.post("/sheets/person", &forged).refused(422, "refused");
    let added = alice.sign(&alice.sheet("person", &person)).json();
    assert_eq!(added["enough"], true, "{added}");
    let trust = alice.get("/trust");
    assert_eq!(
        trust["operators"].as_array().unwrap().len(),
        2,
        "in the first week at once: {trust}"
    );
    let bob = Page::open(&mut stage, "bob");
    bob.sign(&bob.sheet("join", &place)).json();
    assert_eq!(bob.get("/me")["operator"]["name"], "bob");

    // From then on both change the bundle. Both sign that.
    alice.post("/sheets/threshold", &json!({ "people": 3 })).refused(400, "error");
    let raised = alice.sign(&alice.sheet("threshold", &json!({ "people": 2 }))).json();
    assert_eq!(raised["enough"], false, "{raised}");
    bob.sign(&bob.sheet("approval", &json!({ "id": raised["id"] }))).json();
    assert_eq!(alice.get("/trust")["root_threshold"], 2);
}

const ROUTES: [(&str, &str); 9] = [
    ("/founding/card", r#"{"id":"eve","name":"Eve"}"#),
    ("/founding/person", r#"{"card":"{}","words":""}"#),
    (
        "/founding/draft",
        r#"{"id":"eve","name":"Eve","people":[],"identity":"{}","address":"127.0.0.1:1","recovery":true}"#,
    ),
    ("/founding/check", r#"{"kind":"recovery","words":[]}"#),
    ("/founding/publish", "{}"),
    ("/founding/forget", "{}"),
    ("/sheets/genesis", "{}"),
    ("/sheets/countersign", r#"{"file":"","address":"127.0.0.1:1"}"#),
    ("/sheets/join", r#"{"anchor":"bz1-x","address":"127.0.0.1:1"}"#),
];

#[test]
fn founding_is_over_where_there_is_an_organisation_and_closed_to_other_pages() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    let before = stage.read("alice/org.json");
    page.fetch("/founding").refused(400, "founding.over");
    for (path, body) in ROUTES {
        let body: Value = serde_json::from_str(body).unwrap();
        page.post(path, &body).refused(400, "founding.over");
    }
    assert_eq!(stage.read("alice/org.json"), before);
    // Before there is one: neither without the token nor from another origin.
    let (port, _) = start(&mut stage, "eve");
    let nobody = Page { port, token: String::new() };
    let host = format!("localhost:{port}");
    for (path, body) in ROUTES {
        nobody.post(path, &serde_json::from_str(body).unwrap()).refused(401, "console.no_session");
        let foreign = [("host", host.as_str()), ("origin", "http://evil.example")];
        crate::page::send(port, "POST", &format!("/api/v1{path}"), &foreign, body)
            .refused(403, "console.foreign_origin");
    }
}

#[test]
fn what_came_from_elsewhere_is_judged_before_anybody_signs_it() {
    let mut stage = server();
    stage.people(&["alice", "bob", "eve"]);
    let alice = Page::open(&mut stage, "alice");
    let text = |name: &str| String::from_utf8(stage.read(name)).unwrap();
    let bob = json!({ "card": text("bob.card"), "words": crate::people::words(&stage, "bob") });
    // Eve's card on its way in the place of Bob's: her words are not those that Bob reads.
    let swapped = json!({ "card": text("eve.card"), "words": bob["words"] });
    alice.post("/founding/person", &swapped).refused(422, "refused");
    alice.post("/founding/draft", &wish(&stage, &[swapped])).refused(422, "refused");
    // Another server, a text that is none, a server that is away.
    let other = Stage::new();
    other.init_server();
    let mut foreign = wish(&stage, std::slice::from_ref(&bob));
    foreign["identity"] = json!(identity(&other));
    alice.post("/founding/draft", &foreign).refused(422, "refused");
    foreign["identity"] = json!("ssh-ed25519 AAAA");
    alice.post("/founding/draft", &foreign).refused(400, "usage");
    foreign["identity"] = json!(identity(&stage));
    foreign["address"] = json!("127.0.0.1:1");
    alice.post("/founding/draft", &foreign).refused(502, "unreachable");
    alice.post("/sheets/genesis", &json!({})).refused(400, "error");
    // A name that would fool a terminal or a page.
    let mut loud = wish(&stage, &[]);
    loud["name"] = json!("Alice\u{202e}");
    alice.post("/founding/draft", &loud).refused(422, "refused");

    alice.post("/founding/draft", &wish(&stage, &[bob])).json();
    assert_eq!(alice.sign(&alice.sheet("genesis", &json!({}))).json()["enough"], false);
    let file = alice.get("/founding")["waiting"]["file"].clone();
    let eve = Page::open(&mut stage, "eve");
    let given = json!({ "file": file, "address": stage.plane });
    let sheet = eve.post("/sheets/countersign", &given).json();
    assert!(sheet["disabled"].as_str().unwrap().contains("does not name"), "{sheet}");
    eve.sign(&sheet).json();
    assert_eq!(
        eve.get("/founding")["waiting"]["complete"],
        false,
        "her signature counts for nothing"
    );
    // Not once more by the same person.
    let again = alice.post("/sheets/countersign", &given).json();
    assert!(again["disabled"].as_str().unwrap().contains("signed it already"), "{again}");
    let card = BASE64.encode(&stage.read("bob.card"));
    for odd in ["", "e30=", &card] {
        let odd = json!({ "file": odd, "address": stage.plane });
        eve.post("/sheets/countersign", &odd).refused(400, "usage");
    }
    // Begun again: nothing is left of it.
    assert_eq!(alice.post("/founding/forget", &json!({})).json()["waiting"], Value::Null);
    alice.post("/sheets/genesis", &json!({})).refused(400, "error");
}

#[test]
fn the_server_is_away_when_the_last_one_signs_and_takes_the_bundle_later() {
    let mut stage = server();
    stage.people(&["alice"]);
    let alice = Page::open(&mut stage, "alice");
    alice.post("/founding/draft", &wish(&stage, &[])).json();
    let sheet = alice.sheet("genesis", &json!({}));
    stage.end("server");
    alice.sign(&sheet).refused(502, "unreachable");
    let waiting = alice.get("/founding")["waiting"].clone();
    assert_eq!(
        (
            waiting["complete"].clone(),
            waiting["published"].clone(),
            waiting["problem"]["code"].clone()
        ),
        (json!(true), json!(false), json!("unreachable")),
        "what was signed is kept: {waiting}"
    );
    alice.post("/founding/publish", &json!({})).refused(502, "unreachable");
    stage.restart_server_where_it_was();
    let published = alice.post("/founding/publish", &json!({})).json();
    assert_eq!(published["waiting"]["published"], true, "{published}");
    let place = json!({ "anchor": waiting["anchor"], "address": stage.plane });
    alice.sign(&alice.sheet("join", &place)).json();
    assert_eq!(alice.get("/me")["standing"], "ready");
}

#[test]
fn somebody_else_was_first_on_the_server_and_nobody_enters_by_accident() {
    let mut stage = server();
    stage.people(&["alice", "eve"]);
    let (alice, eve) = (Page::open(&mut stage, "alice"), Page::open(&mut stage, "eve"));
    let mut hers = wish(&stage, &[]);
    (hers["id"], hers["name"]) = (json!("eve"), json!("Eve"));
    let mine = alice.post("/founding/draft", &wish(&stage, &[])).json();
    let hers = eve.post("/founding/draft", &hers).json();
    eve.sign(&eve.sheet("genesis", &json!({}))).json();
    let late = alice.sign(&alice.sheet("genesis", &json!({}))).refused(400, "genesis.exists");
    assert!(late["message"].as_str().unwrap().contains("kept here"), "{late}");
    let waiting = alice.get("/founding")["waiting"].clone();
    assert_eq!(waiting["published"], false, "{waiting}");
    assert!(waiting["problem"]["message"].as_str().unwrap().contains("serves the organisation"));
    // Neither her own anchor, which is not there, nor that of an organisation that does not name her.
    for anchor in [&mine["anchor"], &hers["anchor"]] {
        let place = json!({ "anchor": anchor, "address": stage.plane });
        let reply = alice.sign(&alice.sheet("join", &place));
        assert_eq!(reply.status, 422, "{reply:?}");
        assert!(!stage.path("alice/org.json").exists());
    }
    alice.post("/founding/draft", &wish(&stage, &[])).refused(400, "error");
}
