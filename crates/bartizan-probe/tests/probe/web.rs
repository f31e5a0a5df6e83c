use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use bartizan_testkit::peers::{certificate, nginx};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Days from now, as a person counts.
fn days_until(ends: u64) -> u64 {
    (ends - now() + 3600) / 86_400
}

#[test]
fn nginx_is_asked_and_a_certificate_that_ends_soon_is_seen() {
    let peer =
        nginx(Some(5), "location / { return 200 'all is well'; } location /old { return 301 /; }")
            .unwrap();
    let url = |path: &str| format!("https://127.0.0.1:{}{path}", peer.port);
    let asked = ask(&web(url("/"), Some("well"), TlsTrust::DangerUnverified));
    let Answer::Responded { status: 200, matched: Some(true), ends: Some(ends), .. } = asked else {
        panic!("{asked:?}")
    };
    assert_eq!(days_until(ends), 5);
    let lacks = ask(&web(url("/"), Some("sick"), TlsTrust::DangerUnverified));
    assert!(
        matches!(lacks, Answer::Responded { status: 200, matched: Some(false), .. }),
        "{lacks:?}"
    );
    let moved = ask(&web(url("/old"), None, TlsTrust::DangerUnverified));
    assert!(
        matches!(moved, Answer::Responded { status: 301, .. }),
        "it is not followed: {moved:?}"
    );
    // This system does not believe it; what it shows is told all the same.
    let refused = ask(&web(url("/"), None, TlsTrust::Verify));
    failed(&refused, "TLS");
    assert!(matches!(refused, Answer::Failed { ends: Some(ends), .. } if days_until(ends) == 5));

    let believed = System { roots: Some(peer.path("certificate.pem")), ..System::here() };
    let asked = ask_within(&web(url("/"), None, TlsTrust::Verify), &believed);
    assert!(matches!(asked, Answer::Responded { status: 200, .. }), "{asked:?}");
    let other = format!("https://localhost:{}/", peer.port);
    let asked = ask_within(&web(other, None, TlsTrust::Verify), &believed);
    failed(&asked, "TLS");
    let none = System { roots: None, ..System::here() };
    unknown(&ask_within(&web(url("/"), None, TlsTrust::Verify), &none), "ca-certificates");
}

#[test]
fn a_head_is_asked_for_without_a_body() {
    let peer =
        nginx(None, "location / { if ($request_method = HEAD) { return 204; } return 500; }")
            .unwrap();
    let url = format!("http://127.0.0.1:{}/", peer.port);
    let request =
        Request::Http { url, method: HttpMethod::Head, contains: None, tls: TlsTrust::Verify };
    let asked = ask(&request);
    assert!(matches!(asked, Answer::Responded { status: 204, ends: None, .. }), "{asked:?}");
    let asked = ask(&tcp(peer.port, None));
    assert!(matches!(asked, Answer::Connected { matched: None, .. }), "{asked:?}");
}

#[test]
fn the_first_end_of_several_certificates_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let made = |days| {
        certificate(folder.path(), days).unwrap();
        let text = fs::read_to_string(folder.path().join("certificate.pem")).unwrap();
        text.lines().filter(|line| !line.starts_with('-')).collect::<String>()
    };
    let (long, short) = (made(90), made(3));
    let asked = ask(&Request::Certificates { base64: vec![long.clone(), short] });
    assert!(matches!(asked, Answer::Certificates { ends } if days_until(ends) == 3), "{asked:?}");
    let broken = long[..long.len() / 2].to_owned();
    unknown(&ask(&Request::Certificates { base64: vec![long, broken] }), "cannot be read");
}
