//! The console's process: who may ask it, and what it says.

use serde_json::{Value, json};

use crate::page::{Page, send, start};
use crate::stage::{Stage, run};

const API: &str = "/api/v1/me";

#[test]
fn only_its_own_pages_are_answered() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    let port = page.port;
    let (host, bearer) = (format!("localhost:{port}"), format!("Bearer {}", page.token));
    let own = [("host", host.as_str()), ("authorization", bearer.as_str())];
    assert_eq!(send(port, "GET", API, &own, "").json()["standing"], "ready");

    // Without the token, with a wrong one, with the token of the link.
    send(port, "GET", API, &own[..1], "").refused(401, "console.no_session");
    for wrong in ["Bearer x", "bearer ", &page.token, "Basic YTpi"] {
        send(port, "GET", API, &[own[0], ("authorization", wrong)], "")
            .refused(401, "console.no_session");
    }
    // A name that somebody made point here, other ports, no name, two names.
    let other = format!("localhost:{}", port.wrapping_add(1).max(1024));
    for foreign in [
        "evil.example",
        &format!("evil.example:{port}"),
        "localhost",
        &other,
        &format!("127.0.0.1:{port}"),
        &format!("localhost.:{port}"),
    ] {
        send(port, "GET", API, &[("host", foreign), own[1]], "")
            .refused(421, "console.foreign_host");
    }
    send(port, "GET", API, &[own[0], own[0], own[1]], "").refused(421, "console.foreign_host");
    // Pages of other origins, other ports of this computer among them, even with a token.
    let origins = [
        "http://evil.example".to_owned(),
        "null".to_owned(),
        format!("http://{other}"),
        format!("https://{host}"),
        format!("http://127.0.0.1:{port}"),
    ];
    for origin in &origins {
        send(port, "GET", API, &[own[0], own[1], ("origin", origin)], "")
            .refused(403, "console.foreign_origin");
    }
    for site in ["cross-site", "same-site", "none", "odd"] {
        send(port, "GET", API, &[own[0], own[1], ("sec-fetch-site", site)], "")
            .refused(403, "console.foreign_origin");
    }
    // A link may open a page in a window of its own; frames and scripts of other pages get nothing.
    let window = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
    let frame = [("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")];
    let script = [("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "script")];
    let fetched = |path: &str, how: &[(&str, &str); 2]| {
        let site = ("sec-fetch-site", "cross-site");
        send(port, "GET", path, &[own[0], own[1], site, how[0], how[1]], "")
    };
    assert_eq!(fetched("/fleet", &window).status, 200);
    fetched(API, &window).refused(403, "console.foreign_origin");
    for how in [&frame, &script] {
        fetched("/fleet", how).refused(403, "console.foreign_origin");
    }
    // A form of another page cannot leave its origin out.
    send(port, "POST", "/api/v1/sign", &own, "{}").refused(403, "console.foreign_origin");
    send(port, "POST", "/api/v1/session", &own[..1], "{\"launch\":\"x\"}")
        .refused(403, "console.foreign_origin");
}

#[test]
fn a_link_opens_one_page_once() {
    let mut stage = Stage::organisation();
    let (port, launch) = start(&mut stage, "alice");
    let nobody = Page { port, token: String::new() };
    nobody.post("/session", &json!({ "launch": "guessed" })).refused(401, "console.no_session");
    let token = nobody.post("/session", &json!({ "launch": launch })).json()["token"]
        .as_str()
        .unwrap()
        .to_owned();
    nobody.post("/session", &json!({ "launch": launch })).refused(401, "console.no_session");
    let page = Page { port, token };
    assert_eq!(page.get("/me")["pages"], 1);
    let (host, origin, bearer) = (
        format!("localhost:{port}"),
        format!("http://localhost:{port}"),
        format!("Bearer {}", page.token),
    );
    let headers = [("host", host.as_str()), ("origin", &origin), ("authorization", &bearer)];
    assert_eq!(send(port, "DELETE", "/api/v1/session", &headers, "").status, 204);
    page.fetch("/me").refused(401, "console.no_session");
}

#[test]
fn every_answer_is_sealed_and_pages_get_a_policy_with_a_nonce() {
    let mut stage = Stage::organisation();
    let (port, _) = start(&mut stage, "alice");
    let host = format!("localhost:{port}");
    let page = send(port, "GET", "/fleet/acme", &[("host", &host)], "");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(
        policy.contains("default-src 'none'")
            && policy.contains("require-trusted-types-for 'script'"),
        "{policy}"
    );
    assert!(policy.contains("style-src 'self' 'nonce-") && !policy.contains("unsafe"), "{policy}");
    let again = send(port, "GET", "/", &[("host", &host)], "");
    assert_ne!(again.header("content-security-policy").unwrap(), policy, "a nonce is used once");
    let refused = send(port, "GET", API, &[("host", &host)], "");
    for reply in [&page, &again, &refused] {
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(reply.header(name), Some(value), "{reply:#?}");
        }
        for absent in ["set-cookie", "access-control-allow-origin"] {
            assert_eq!(reply.header(absent), None, "{reply:#?}");
        }
    }
    // Passkeys belong to the name; the number is sent there, for pages only.
    let number = format!("127.0.0.1:{port}");
    let sent = send(port, "GET", "/fleet", &[("host", &number)], "");
    assert_eq!(
        (sent.status, sent.header("location")),
        (308, Some(format!("http://{host}/fleet").as_str()))
    );
    send(port, "GET", "/nowhere.js", &[("host", &host)], "").refused(404, "console.no_such_file");
}

#[test]
fn bodies_are_bounded_and_what_is_no_request_is_refused() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    let large = json!({ "id": "x".repeat(9 * 1024 * 1024) });
    page.post("/sheets/approval", &large).refused(413, "console.too_large");
    page.post("/sheets/approval", &json!({})).refused(422, "console.bad_request");
    page.post("/sheets/approval", &json!({ "id": "x", "extra": 1 }))
        .refused(422, "console.bad_request");
    page.post("/sheets/approval", &json!({ "id": "st_x" })).refused(400, "usage");
    page.fetch("/nowhere").refused(404, "console.unknown_route");
    page.fetch("/jobs?state=odd").refused(400, "usage");
    page.fetch("/endpoints/ep_x").refused(400, "usage");
}

#[test]
fn a_port_in_use_and_a_console_without_an_organisation_say_what_to_do() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    let text = page.port.to_string();
    let second = stage.json("bob", &["console", "--port", &text, "--no-open"]);
    let error = second.error(1);
    assert!(error["message"].as_str().unwrap().contains(&text), "{error}");
    stage.people(&["carol"]);
    let alone = Page::open(&mut stage, "carol");
    let me = alone.get("/me");
    assert_eq!(me["standing"], "no_organisation", "{me}");
    assert!(me["problem"]["next"].as_str().unwrap().contains("start page"), "{me}");
    alone.fetch("/overview").refused(400, "console.no_organisation");
}

#[test]
fn the_server_is_away_and_the_page_is_told_so() {
    let mut stage = Stage::organisation();
    let page = Page::open(&mut stage, "alice");
    assert_eq!(page.get("/me")["standing"], "ready");
    stage.end("server");
    stage.wait("the page to know", |_| page.get("/me")["standing"] == "unreachable");
    page.fetch("/overview").refused(502, "unreachable");
}

#[test]
fn what_is_shown_of_the_organisation_is_what_was_verified() {
    let mut stage = Stage::with_endpoint();
    let page = Page::open(&mut stage, "alice");
    let me = page.get("/me");
    assert_eq!(me["operator"]["name"], "Alice", "{me}");
    assert_eq!(me["key"]["place"], "file");
    let org = stage.json("alice", &["org"]).json();
    assert_eq!(me["organisation"]["words"], org["words"]);

    let fleet = page.get("/endpoints?search=&limit=10");
    assert_eq!(
        (fleet["total"].clone(), fleet["rows"][0]["state"].clone()),
        (json!(1), json!("connected")),
        "{fleet}"
    );
    let tree = page.get("/endpoints/tree");
    assert_eq!(tree["tenants"][0]["sites"][0]["counts"]["connected"], 1, "{tree}");
    let id = fleet["rows"][0]["id"].as_str().unwrap().to_owned();
    let one = page.get(&format!("/endpoints/{id}"));
    assert_eq!(
        (one["verification"]["verified"].clone(), one["tenant"].clone()),
        (json!(true), json!("acme")),
        "{one}"
    );
    assert_eq!(page.get("/endpoints?state=away")["total"], 0);
    assert_eq!(page.get("/endpoints?state=connected&sort=last_seen&descending=true")["total"], 1);
    assert_eq!(page.get("/endpoints?tenant=none")["total"], 0);
    assert_eq!(page.get(&format!("/endpoints?search={}", &id[3..20]))["total"], 1);

    let trust = page.get("/trust");
    assert_eq!(trust["operators"].as_array().unwrap().len(), 2, "{trust}");
    assert_eq!(trust["operators"][0]["me"], true);
    let history = page.get("/trust/history");
    assert_eq!(history["bundles"][0]["state"], "in_force", "{history}");
    assert!(!history["bundles"][0]["changes"].as_array().unwrap().is_empty());
    let logs = page.get("/logs");
    assert!(
        logs["logs"].as_array().unwrap().iter().all(|log| log["verification"]["verified"] == true),
        "{logs}"
    );
    let overview = page.get("/overview");
    assert_eq!(
        (overview["endpoints"]["connected"].clone(), overview["waiting"].clone()),
        (json!(1), json!(0)),
        "{overview}"
    );
}

#[test]
fn the_server_lies_about_an_endpoint_and_the_page_says_so() {
    let mut stage = Stage::with_endpoint();
    let page = Page::open(&mut stage, "alice");
    let id = page.get("/endpoints")["rows"][0]["id"].as_str().unwrap().to_owned();
    // What a hostile endpoint or server can write into every field.
    let hostile = "<img src=x onerror=alert(1)>\u{1b}[2J\u{202e}=cmd|'/c calc'!A1\u{0}";
    let hex = data_encoding::HEXLOWER.encode(format!("{hostile}{}", "A".repeat(5000)).as_bytes());
    stage.edit_database(&format!(
        "UPDATE endpoint SET hostname = CAST(x'{hex}' AS TEXT), os = CAST(x'{hex}' AS TEXT)"
    ));
    let reply = page.fetch("/endpoints");
    assert!(reply.header("content-type").unwrap().starts_with("application/json"));
    assert!(
        !reply.body.contains('\u{1b}') && !reply.body.contains('\u{0}'),
        "control characters are escaped"
    );
    let row = reply.json()["rows"][0].clone();
    for field in ["hostname", "os"] {
        let text = row[field].as_str().unwrap();
        assert!(text.starts_with(hostile) && text.chars().count() == 512, "{text}");
    }
    // An enrolment that nobody signed: another endpoint's tenant, say.
    stage.edit_database("UPDATE endpoint SET enrolment = descriptor");
    let one = page.get(&format!("/endpoints/{id}"));
    assert_eq!(
        (one["verification"]["verified"].clone(), one["tenant"].clone()),
        (json!(false), Value::Null),
        "{one}"
    );
}

#[test]
fn an_entry_is_verified_by_the_commands_that_the_page_shows() {
    let mut stage = Stage::with_endpoint();
    let job = stage.submit("routine", "exit 0\n");
    let page = Page::open(&mut stage, "bob");
    let rows = page.get("/logs/jobs/entries?limit=5");
    assert_eq!(
        (rows["total"].clone(), rows["rows"][0]["id"].clone()),
        (json!(1), json!(job)),
        "{rows}"
    );
    let entry = page.get("/logs/jobs/entries/0");
    assert_eq!(entry["verification"]["verified"], true, "{entry}");
    assert!(entry["text"].as_str().unwrap().contains(&job));
    let folder = stage.path("stock");
    std::fs::create_dir(&folder).unwrap();
    for file in entry["files"].as_array().unwrap() {
        let bytes =
            data_encoding::BASE64.decode(file["base64"].as_str().unwrap().as_bytes()).unwrap();
        std::fs::write(folder.join(file["name"].as_str().unwrap()), bytes).unwrap();
    }
    let commands = entry["commands"].as_array().unwrap();
    assert_eq!(commands.len(), 1, "{entry}");
    let command = commands[0].as_str().unwrap();
    let good = run(std::process::Command::new("sh").args(["-c", command]).current_dir(&folder));
    good.ends_with(0).says(&["Good"]);
    std::fs::write(folder.join("pae"), b"something else").unwrap();
    let bad = run(std::process::Command::new("sh").args(["-c", command]).current_dir(&folder));
    assert_ne!(bad.code, 0, "{bad:?}");
    page.fetch("/logs/jobs/entries/1").refused(400, "usage");
    page.fetch("/logs/odd/entries").refused(400, "usage");
}
