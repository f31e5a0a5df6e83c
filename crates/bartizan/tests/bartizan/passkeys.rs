//! Passkeys through real consoles, servers and endpoints. The authenticator is software, and does as it is told.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::page::{Page, start_on};
use crate::stage::Stage;

/// A device with one passkey.
pub(crate) struct Authenticator {
    credential: [u8; 4],
    pair: EcdsaKeyPair,
    random: SystemRandom,
}

impl Authenticator {
    pub(crate) fn new(credential: [u8; 4]) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { credential, pair, random }
    }

    /// What a browser makes on a page of `origin`.
    pub(crate) fn create(&self, origin: &str, challenge: &str) -> (String, String) {
        let point = self.pair.public_key().as_ref();
        let mut data = digest(&SHA256, b"localhost").as_ref().to_vec();
        data.extend([0x45, 0, 0, 0, 1]);
        data.extend([0; 16]);
        data.extend([0, 4]);
        data.extend(self.credential);
        data.extend(HEXLOWER.decode(b"a5010203262001215820").unwrap());
        data.extend(&point[1..33]);
        data.extend(HEXLOWER.decode(b"225820").unwrap());
        data.extend(&point[33..]);
        (client_data("create", origin, challenge), BASE64URL_NOPAD.encode(&data))
    }

    /// What a browser answers on a page of `origin`.
    pub(crate) fn answer(&self, origin: &str, sheet: &Value) -> Value {
        let request = &sheet["passkey"];
        assert_eq!(request["rp_id"], "localhost", "{sheet}");
        let client_data = client_data("get", origin, request["challenge"].as_str().unwrap());
        let bytes = BASE64URL_NOPAD.decode(client_data.as_bytes()).unwrap();
        let mut data = digest(&SHA256, b"localhost").as_ref().to_vec();
        data.extend([0x05, 0, 0, 0, 2]);
        let signed = [data.as_slice(), digest(&SHA256, &bytes).as_ref()].concat();
        let signature = self.pair.sign(&self.random, &signed).unwrap();
        let assertion = json!({
            "credential": request["credentials"][0], "authenticator_data": BASE64URL_NOPAD.encode(&data),
            "client_data": client_data, "signature": BASE64URL_NOPAD.encode(signature.as_ref()),
        });
        json!({ "token": sheet["token"], "id": sheet["id"], "words": sheet["words"], "assertion": assertion })
    }
}

fn client_data(kind: &str, origin: &str, challenge: &str) -> String {
    let text = json!({ "type": format!("webauthn.{kind}"), "challenge": challenge, "origin": origin, "crossOrigin": false });
    BASE64URL_NOPAD.encode(text.to_string().as_bytes())
}

#[test]
fn a_passkey_is_registered_added_and_signs_work_that_runs() {
    let mut stage = Stage::with_endpoint();
    let page = Page::open(&mut stage, "alice");
    let (port, origin) = (page.port, format!("http://localhost:{}", page.port));
    let other = format!("http://localhost:{}", port - 1);
    let key = Authenticator::new(*b"cred");
    let register = |origin: &str| {
        let options = page.post("/passkeys/options", &json!({})).json();
        let (client_data, authenticator_data) =
            key.create(origin, options["challenge"].as_str().unwrap());
        page.post("/passkeys", &json!({ "id": "alice", "name": "Alice", "client_data": client_data, "authenticator_data": authenticator_data }))
    };
    register(&other).refused(422, "refused");
    let card = register(&origin).json();
    assert_eq!(page.get("/passkeys")["passkeys"][0]["origin"], json!(origin));
    stage.write("alice-passkey.card", card["card"].as_str().unwrap());
    let add = [
        "operator",
        "key",
        "add",
        "alice-passkey.card",
        "--words",
        card["words"].as_str().unwrap(),
    ];
    let added = stage.json("alice", &add).json();
    let bundle = added["statement"].as_str().unwrap();
    stage.json("bob", &["approve", bundle]).ends_with(0);
    let trust = page.get("/trust");
    let keys = trust["operators"][0]["keys"].as_array().unwrap();
    assert!(
        keys.iter()
            .any(|key| key["origins"][0] == json!(origin) && key["user_verification"] == true),
        "{trust}"
    );
    assert_eq!(page.get("/trust/history")["bundles"].as_array().unwrap().len(), 2);
    stage.end("console-alice");

    let launch = start_on(&mut stage, "alice", port, &["--key", "passkey"]);
    let page = Page::with(port, &launch);
    assert_eq!(page.get("/me")["standing"], "login_needed");
    let sheet = page.post("/sheets/login", &json!({})).json();
    page.post("/sign", &key.answer(&other, &sheet)).refused(422, "refused");
    let sheet = page.post("/sheets/login", &json!({})).json();
    assert_eq!(page.post("/sign", &key.answer(&origin, &sheet)).json()["kind"], "login");
    let me = page.get("/me");
    assert_eq!(
        (me["standing"].clone(), me["key"]["place"].clone()),
        (json!("ready"), json!("passkey")),
        "{me}"
    );

    let wish =
        json!({ "on": ["all"], "script": "exit 0\n", "interpreter": "sh", "title": "by passkey" });
    let sheet = page.sheet("job", &wish);
    // A page on another port of this computer gets a signature from the same credential; it is worth nothing.
    page.post("/sign", &key.answer(&other, &sheet)).refused(422, "refused");
    let sheet = page.sheet("job", &wish);
    page.sign(&sheet).refused(400, "error");
    let (first, second) = (page.sheet("job", &wish), page.sheet("job", &wish));
    let mut crossed = key.answer(&origin, &first);
    for field in ["token", "id", "words"] {
        crossed[field] = second[field].clone();
    }
    page.post("/sign", &crossed).refused(422, "refused");
    assert_eq!(page.get("/jobs")["total"], 0, "nothing was signed");

    let signed = page.post("/sign", &key.answer(&origin, &first)).json();
    assert_eq!(signed["enough"], true, "{signed}");
    let job = signed["id"].as_str().unwrap();
    stage.wait("the job to finish", |_| {
        page.get(&format!("/jobs/{job}"))["row"]["state"] == "finished"
    });
    let receipts = page.get(&format!("/jobs/{job}/receipts"));
    assert_eq!(receipts["rows"][0]["decision"], "done", "{receipts}");
    // On the command line it is said why it does not sign there.
    stage.write("x.sh", "exit 0\n");
    let refused =
        stage.json("alice", &["run", "--key", "passkey", "--on", "all", "--no-wait", "x.sh"]);
    assert_eq!(refused.error(1)["code"], "key.passkey");
}
