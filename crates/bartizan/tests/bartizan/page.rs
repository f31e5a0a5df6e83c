//! A page of the console, as a browser that keeps to the rules would speak, and one that does not.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// In lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.status, 200, "{self:#?}");
        self.parsed()
    }

    /// It was refused in the form that pages know.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:#?}");
        let problem = self.parsed();
        assert_eq!(problem["code"], code, "{self:#?}");
        for field in ["message", "next"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{self:#?}");
        }
        problem
    }

    #[track_caller]
    fn parsed(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| *known == name).map(|(_, value)| value).next()
    }
}

/// Sends one request exactly as given.
#[track_caller]
pub(crate) fn send(
    port: u16,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Reply {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let mut text = format!("{method} {path} HTTP/1.1\r\nconnection: close\r\n");
    if !body.is_empty() {
        text += &format!("content-type: application/json\r\ncontent-length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    // Whoever refuses early may not read all of it.
    let _ = stream.write_all(format!("{text}\r\n{body}").as_bytes());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8_lossy(&bytes);
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|number| number.parse().ok()).unwrap_or(0);
    let chunked = head.to_lowercase().contains("transfer-encoding: chunked");
    let body = if chunked { dechunked(body) } else { body.to_owned() };
    Reply { status, head: head.to_lowercase(), body }
}

fn dechunked(mut text: &str) -> String {
    let mut whole = String::new();
    while let Some((size, rest)) = text.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or(0);
        if size == 0 || rest.len() < size {
            break;
        }
        whole.push_str(&rest[..size]);
        text = rest[size..].trim_start_matches("\r\n");
    }
    whole
}

/// A page that is logged in.
pub(crate) struct Page {
    pub(crate) port: u16,
    pub(crate) token: String,
}

impl Page {
    /// Starts a person's console and opens its link.
    #[track_caller]
    pub(crate) fn open(stage: &mut Stage, who: &str) -> Self {
        let (port, launch) = start(stage, who);
        Self::with(port, &launch)
    }

    /// Opens a link.
    #[track_caller]
    pub(crate) fn with(port: u16, launch: &str) -> Self {
        let reply =
            Self { port, token: String::new() }.post("/session", &json!({ "launch": launch }));
        let token = reply.json()["token"].as_str().unwrap().to_owned();
        Self { port, token }
    }

    fn call(&self, method: &str, path: &str, body: &str) -> Reply {
        let (host, origin) =
            (format!("localhost:{}", self.port), format!("http://localhost:{}", self.port));
        let bearer = format!("Bearer {}", self.token);
        let mut headers = vec![("host", host.as_str()), ("sec-fetch-site", "same-origin")];
        if method != "GET" {
            headers.push(("origin", &origin));
        }
        if !self.token.is_empty() {
            headers.push(("authorization", &bearer));
        }
        send(self.port, method, &format!("/api/v1{path}"), &headers, body)
    }

    pub(crate) fn fetch(&self, path: &str) -> Reply {
        self.call("GET", path, "")
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        self.fetch(path).json()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, &body.to_string())
    }

    /// A sheet, which can be signed.
    #[track_caller]
    pub(crate) fn sheet(&self, kind: &str, body: &Value) -> Value {
        let sheet = self.post(&format!("/sheets/{kind}"), body).json();
        assert_eq!(sheet["disabled"], Value::Null, "{sheet}");
        sheet
    }

    pub(crate) fn sign(&self, sheet: &Value) -> Reply {
        let request =
            json!({ "token": sheet["token"], "id": sheet["id"], "words": sheet["words"] });
        self.post("/sign", &request)
    }
}

/// Starts a console; its port and the launch token of its link.
#[track_caller]
pub(crate) fn start(stage: &mut Stage, who: &str) -> (u16, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    (port, start_on(stage, who, port, &[]))
}

/// The same on a port, with more options.
#[track_caller]
pub(crate) fn start_on(stage: &mut Stage, who: &str, port: u16, more: &[&str]) -> String {
    let name = format!("console-{who}");
    let text = port.to_string();
    let mut command = stage.command(who, &["console", "--port", &text, "--no-open", "--json"]);
    command.args(more);
    stage.start(&name, &mut command);
    let said = format!("{name}.out");
    stage.wait("the console's link", |stage| stage.read(&said).ends_with(b"\n"));
    let line: Value = serde_json::from_slice(&stage.read(&said)).unwrap();
    let link = line["link"].as_str().unwrap();
    let (place, launch) = link.split_once("/#launch=").unwrap();
    assert_eq!(place, format!("http://localhost:{port}"));
    launch.to_owned()
}
