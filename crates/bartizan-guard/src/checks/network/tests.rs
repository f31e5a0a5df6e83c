use bartizan_os::looks::Judged;
use bartizan_trust::statement::{DnsRecord, HttpMethod, TlsTrust};

use super::*;

const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);

fn levels(warn: u64, error: u64) -> Levels {
    Levels { warn: Some(warn), error: Some(error) }
}

/// Instance, state, value.
fn judged(subject: &Subject, answer: &Answer) -> Vec<(String, &'static str, Option<u64>)> {
    let state = |judged| match judged {
        Judged::Fine => "ok",
        Judged::Bad(Severity::Warn) => "warn",
        Judged::Bad(Severity::Error) => "error",
        Judged::Unknown => "unknown",
    };
    let seen = judge(subject, answer, NOW);
    seen.into_iter().map(|seen| (seen.instance, state(seen.judged), seen.value)).collect()
}

#[track_caller]
fn one(subject: &Subject, answer: &Answer, expected: &str) {
    let judged = judged(subject, answer);
    assert_eq!(judged.len(), 1, "{judged:?}");
    assert_eq!((judged[0].0.as_str(), judged[0].1), ("", expected), "{answer:?}");
}

fn failed(ends: Option<u64>) -> Answer {
    Answer::Failed { text: "no".to_owned(), ends }
}

fn unknown() -> Answer {
    Answer::Unknown { text: "it may not".to_owned() }
}

fn in_days(days: u64) -> u64 {
    NOW.get() + days * DAY_S + 60
}

#[test]
fn a_port_is_judged_by_connection_greeting_and_time() {
    let subject = Subject::Tcp {
        host: "a".to_owned(),
        port: 22,
        banner: Some("SSH".to_owned()),
        above: Some(levels(100, 200)),
        severity: Severity::Error,
    };
    let connected = |ms, matched| Answer::Connected { ms, matched: Some(matched) };
    one(&subject, &connected(99, true), "ok");
    one(&subject, &connected(100, true), "warn");
    one(&subject, &connected(200, true), "error");
    one(&subject, &connected(1, false), "error");
    one(&subject, &failed(None), "error");
    one(&subject, &unknown(), "unknown");
}

#[test]
fn a_web_server_is_judged_by_its_answer_and_its_certificate_by_itself() {
    let subject = |severity, expires| Subject::Http {
        url: "https://a/".to_owned(),
        method: HttpMethod::Get,
        status: vec![200, 204],
        contains: Some("well".to_owned()),
        above: Some(levels(100, 200)),
        expires,
        tls: TlsTrust::Verify,
        severity,
    };
    let said =
        |status, matched, ends| Answer::Responded { ms: 5, status, matched: Some(matched), ends };
    let plain = subject(Severity::Warn, None);
    one(&plain, &said(204, true, Some(1)), "ok");
    one(&plain, &said(301, true, None), "warn");
    one(&plain, &said(200, false, None), "warn");
    one(&plain, &failed(Some(1)), "warn");
    let slow = Answer::Responded { ms: 200, status: 200, matched: Some(true), ends: None };
    one(&plain, &slow, "error");
    let both = subject(Severity::Error, Some(levels(21, 7)));
    let two = |answer: &Answer| {
        let judged = judged(&both, answer);
        assert_eq!((judged[0].0.as_str(), judged[1].0.as_str()), ("", CERTIFICATE));
        (judged[0].1, judged[1].1, judged[1].2)
    };
    assert_eq!(two(&said(200, true, Some(in_days(22)))), ("ok", "ok", Some(22)));
    assert_eq!(two(&said(200, true, Some(in_days(21)))), ("ok", "warn", Some(21)));
    assert_eq!(two(&said(500, true, Some(in_days(7)))), ("error", "error", Some(7)));
    assert_eq!(two(&failed(Some(NOW.get() - 1))), ("error", "error", Some(0)));
    assert_eq!(two(&failed(None)), ("error", "unknown", None));
    assert_eq!(two(&unknown()), ("unknown", "unknown", None));
}

#[test]
fn records_are_judged_as_a_whole() {
    let subject = |wanted: &[&str]| Subject::Dns {
        name: "a".to_owned(),
        record: DnsRecord::A,
        server: None,
        wanted: wanted.iter().map(|text| (*text).to_owned()).collect(),
        above: None,
        severity: Severity::Error,
    };
    let said = |records: &[&str]| Answer::Resolved {
        ms: 1,
        records: records.iter().map(|text| (*text).to_owned()).collect(),
    };
    one(&subject(&[]), &said(&["192.0.2.1"]), "ok");
    one(&subject(&[]), &said(&[]), "error");
    one(&subject(&["192.0.2.1"]), &said(&["192.0.2.1"]), "ok");
    one(&subject(&["192.0.2.1"]), &said(&["192.0.2.1", "192.0.2.2"]), "error");
    one(&subject(&["192.0.2.1"]), &failed(None), "error");
    let long = vec!["x".repeat(256); 32];
    let seen = judge(&subject(&["a"]), &Answer::Resolved { ms: 1, records: long }, NOW);
    assert_eq!(seen[0].text.len(), 256, "a result has room for so much");
}

#[test]
fn echoes_are_judged_by_loss_and_time() {
    let subject = Subject::Ping {
        host: "a".to_owned(),
        loss: Some(levels(25, 75)),
        above: Some(levels(10, 20)),
    };
    let said = |received, ms| {
        let judged = judged(&subject, &Answer::Echoed { received, ms });
        assert_eq!((judged[0].0.as_str(), judged[1].0.as_str()), (LOSS, TIME));
        (judged[0].1, judged[0].2, judged[1].1)
    };
    assert_eq!(said(4, Some(9)), ("ok", Some(0), "ok"));
    assert_eq!(said(3, Some(10)), ("warn", Some(25), "warn"));
    assert_eq!(said(1, Some(20)), ("error", Some(75), "error"));
    assert_eq!(said(0, None), ("error", Some(100), "unknown"));
    let only = Subject::Ping { host: "a".to_owned(), loss: Some(levels(25, 75)), above: None };
    let gone = judged(&only, &failed(None));
    assert_eq!(gone, [(LOSS.to_owned(), "error", Some(100))]);
}

#[test]
fn a_file_of_certificates_is_judged_by_the_first_end() {
    let file = |below| Subject::CertificateFile { path: "/a.pem".to_owned(), below };
    let ends = |ends| Answer::Certificates { ends };
    one(&file(levels(30, 7)), &ends(in_days(31)), "ok");
    one(&file(levels(30, 7)), &ends(in_days(30)), "warn");
    one(&file(levels(30, 7)), &ends(in_days(7)), "error");
    let only_warn = Levels { warn: Some(3), error: None };
    one(&file(only_warn), &ends(NOW.get()), "warn");
    one(&file(levels(30, 7)), &unknown(), "unknown");
    let missing = file(levels(30, 7));
    assert!(request(&missing).is_err_and(|why| why.contains("/a.pem")));
}
