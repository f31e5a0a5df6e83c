use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use super::*;

/// Does this to everybody who connects.
fn peer(act: impl Fn(TcpStream) + Send + Sync + Clone + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let act = act.clone();
            thread::spawn(move || act(stream));
        }
    });
    port
}

/// Reads a request to its end: who answers before is no web server.
fn hear(stream: &mut TcpStream) {
    let (mut heard, mut byte) = (Vec::new(), [0]);
    while !heard.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        heard.extend(byte);
    }
}

/// Says something without end, after something else.
fn endless(first: &'static [u8], rest: &'static [u8]) -> u16 {
    peer(move |mut stream| {
        let mut said = stream.write_all(first);
        while said.is_ok() {
            said = stream.write_all(rest);
        }
    })
}

/// Takes everything and says nothing.
fn silent() -> u16 {
    peer(|mut stream| {
        let _ = stream.read_to_end(&mut Vec::new());
    })
}

fn plain_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}/")
}

#[test]
fn greetings_are_read_as_far_as_they_count() {
    let greets = peer(|mut stream| {
        let _ = stream.write_all(b"SSH-2.0-");
        let _ = stream.flush();
        let _ = stream.write_all(b"Test\r\n");
        let _ = stream.read(&mut [0]);
    });
    let matched = |answer: Answer| match answer {
        Answer::Connected { matched, .. } => matched,
        other => panic!("{other:?}"),
    };
    assert_eq!(matched(ask(&tcp(greets, Some("2.0-Test")))), Some(true));
    assert_eq!(matched(ask(&tcp(endless(b"", b"noise"), Some("SSH")))), Some(false));
    let late: &[u8] = &[b'x'; 1022];
    assert_eq!(matched(ask(&tcp(endless(late, b"SSH"), Some("SSH")))), Some(false), "beyond 1 KiB");
    assert_eq!(matched(ask(&tcp(silent(), Some("SSH")))), Some(false));
    assert_eq!(matched(ask(&tcp(silent(), None))), None);
}

#[test]
fn nobody_there_is_said() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    failed(&ask(&tcp(port, None)), "connection refused");
    failed(&ask(&web(plain_url(port), None, TlsTrust::Verify)), "connection refused");
}

#[test]
fn a_web_server_that_never_answers_is_given_up() {
    failed(&ask(&web(plain_url(silent()), None, TlsTrust::Verify)), "no answer within 10 s");
}

#[test]
fn a_web_server_that_talks_without_end_is_cut_off() {
    let head = endless(b"HTTP/1.1 200 OK\r\n", b"X-More: and more\r\n");
    failed(&ask(&web(plain_url(head), None, TlsTrust::Verify)), "HTTP");
    failed(&ask(&web(plain_url(endless(b"", b"a")), None, TlsTrust::Verify)), "HTTP");
    let body = peer(|mut stream| {
        hear(&mut stream);
        let mut said = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while said.is_ok() {
            said = stream.write_all(b"noise");
        }
    });
    let asked = ask(&web(plain_url(body), Some("signal"), TlsTrust::Verify));
    assert!(
        matches!(asked, Answer::Responded { status: 200, matched: Some(false), .. }),
        "{asked:?}"
    );
    let asked = ask(&web(plain_url(body), None, TlsTrust::Verify));
    assert!(matches!(asked, Answer::Responded { status: 200, .. }), "{asked:?}");
}

#[test]
fn tls_that_is_none_is_said() {
    let url = |port| format!("https://127.0.0.1:{port}/");
    for trust in [TlsTrust::Verify, TlsTrust::DangerUnverified] {
        failed(&ask(&web(url(endless(b"HTTP/1.1 400 Bad\r\n\r\n", b"x")), None, trust)), "TLS");
        failed(&ask(&web(url(endless(b"\x16\x03\x03\xff\xff", b"\x02")), None, trust)), "TLS");
        failed(&ask(&web(url(peer(drop)), None, trust)), "TLS");
    }
}

#[test]
fn a_redirection_leads_nowhere() {
    let (seen, visits) = std::sync::mpsc::channel();
    let elsewhere = peer(move |_| seen.send(()).unwrap());
    let location = format!(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/\r\nContent-Length: 0\r\n\r\n"
    );
    let redirects = peer(move |mut stream| {
        hear(&mut stream);
        let _ = stream.write_all(location.as_bytes());
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let asked = ask(&web(plain_url(redirects), None, TlsTrust::Verify));
    assert!(matches!(asked, Answer::Responded { status: 302, .. }), "{asked:?}");
    assert!(visits.try_recv().is_err(), "somebody was asked whom no policy named");
}

#[test]
fn what_no_check_may_ask_is_not_asked_whoever_asks_for_it() {
    let request = Request::Tcp { host: "169.254.169.254".to_owned(), port: 80, banner: None };
    let answer =
        ask_within(&Request::Ping { host: "::ffff:169.254.169.254".to_owned() }, &System::here());
    unknown(&answer, "no check may ask");
    unknown(&ask_within(&request, &System::here()), "no check may ask");
}
