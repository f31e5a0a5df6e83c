use super::*;

fn tcp(banner: Option<&str>) -> Request {
    Request::Tcp {
        host: "db.acme.example".to_owned(),
        port: 5432,
        banner: banner.map(str::to_owned),
    }
}

fn http(contains: Option<&str>) -> Request {
    Request::Http {
        url: "https://acme.example/".to_owned(),
        method: HttpMethod::Get,
        contains: contains.map(str::to_owned),
        tls: TlsTrust::Verify,
    }
}

fn dns() -> Request {
    Request::Dns { name: "acme.example".to_owned(), record: DnsRecord::Mx, server: None }
}

fn ping() -> Request {
    Request::Ping { host: "2001:db8::1".to_owned() }
}

fn certificates(count: usize, length: usize) -> Request {
    Request::Certificates { base64: vec!["A".repeat(length); count] }
}

fn failed(text: &str, ends: Option<u64>) -> Answer {
    Answer::Failed { text: text.to_owned(), ends }
}

fn unknown(text: &str) -> Answer {
    Answer::Unknown { text: text.to_owned() }
}

#[track_caller]
fn comes_through(request: &Request, answer: &Answer) {
    assert_eq!(Request::decode(&request.encode()).as_ref(), Ok(request));
    assert_eq!(Answer::decode(&answer.encode(), request).as_ref(), Ok(answer));
}

#[track_caller]
fn refused(request: &Request, answer: &Answer) {
    assert!(Answer::decode(&answer.encode(), request).is_err(), "{answer:?}");
}

#[test]
fn every_kind_comes_through() {
    let certificate = Answer::Certificates { ends: 1_800_000_000 };
    comes_through(&certificates(CERTIFICATES_MAX, CERTIFICATE_BYTES_MAX), &certificate);
    comes_through(&tcp(None), &Answer::Connected { ms: 3, matched: None });
    comes_through(&tcp(Some("SSH-2.0")), &Answer::Connected { ms: 3, matched: Some(false) });
    let responded = |matched| Answer::Responded { ms: 9, status: 301, matched, ends: Some(7) };
    comes_through(&http(None), &responded(None));
    comes_through(&http(Some("ok")), &responded(Some(true)));
    comes_through(&http(None), &failed("the certificate has ended", Some(1)));
    comes_through(&dns(), &Answer::Resolved { ms: 1, records: vec!["10 mail".to_owned()] });
    comes_through(&ping(), &Answer::Echoed { received: 4, ms: Some(1) });
    comes_through(&ping(), &Answer::Echoed { received: 0, ms: None });
    comes_through(&ping(), &unknown("it may not"));
}

#[test]
fn an_answer_to_another_question_is_refused() {
    refused(&ping(), &Answer::Connected { ms: 3, matched: None });
    refused(&tcp(Some("x")), &Answer::Connected { ms: 3, matched: None });
    refused(&tcp(None), &Answer::Connected { ms: 3, matched: Some(true) });
    refused(&tcp(None), &failed("no", Some(1)));
    refused(&dns(), &Answer::Certificates { ends: 1 });
    let responded = Answer::Responded { ms: 1, status: 200, matched: None, ends: None };
    refused(&http(Some("x")), &responded);
}

#[test]
fn answers_have_limits() {
    let records = |count: usize| (0..count).map(|n| format!("{n:03}")).collect::<Vec<_>>();
    comes_through(&dns(), &Answer::Resolved { ms: 1, records: records(RECORDS_MAX) });
    refused(&dns(), &Answer::Resolved { ms: 1, records: records(RECORDS_MAX + 1) });
    refused(&dns(), &Answer::Resolved { ms: 1, records: vec!["b".to_owned(), "a".to_owned()] });
    refused(&ping(), &Answer::Echoed { received: PINGS + 1, ms: Some(1) });
    refused(&ping(), &Answer::Echoed { received: 1, ms: None });
    refused(&ping(), &Answer::Echoed { received: 0, ms: Some(1) });
    refused(&http(None), &Answer::Responded { ms: 1, status: 99, matched: None, ends: None });
    comes_through(&ping(), &unknown(&"x".repeat(trust::TEXT_BYTES_MAX)));
    refused(&ping(), &unknown(&"x".repeat(trust::TEXT_BYTES_MAX + 1)));
    refused(&ping(), &unknown("a\u{202e}b"));
    refused(&ping(), &unknown("a\nb"));
    let longest = vec!["\"".repeat(trust::TEXT_BYTES_MAX); RECORDS_MAX];
    let longest = Answer::Resolved { ms: trust::INTEGER_MAX, records: longest };
    assert!(longest.encode().len() <= ANSWER_BYTES_MAX, "an answer within its limits fits");
    assert!(
        certificates(CERTIFICATES_MAX, CERTIFICATE_BYTES_MAX).encode().len() <= REQUEST_BYTES_MAX
    );
}

#[test]
fn a_request_that_no_policy_could_make_is_refused() {
    let refused =
        |request: &Request| assert!(Request::decode(&request.encode()).is_err(), "{request:?}");
    refused(&certificates(CERTIFICATES_MAX + 1, 1));
    refused(&certificates(1, CERTIFICATE_BYTES_MAX + 1));
    refused(&certificates(0, 0));
    refused(&tcp(Some("")));
    refused(&Request::Ping { host: "169.254.169.254".to_owned() });
    refused(&Request::Ping { host: "Acme".to_owned() });
    let file = "file:///etc/passwd".to_owned();
    let Request::Http { method, contains, tls, .. } = http(None) else { panic!() };
    refused(&Request::Http { url: file, method, contains, tls });
    for bytes in
        [&b""[..], b"{}", b"{\"ask\":\"shell\"}", b"{\"ask\":\"ping\",\"host\":\"a\",\"x\":1}"]
    {
        assert!(Request::decode(bytes).is_err());
    }
    assert!(Request::decode(b"{\"ask\":\"ping\",\"host\":\"a\"}").is_ok());
    assert!(Request::decode(b"{\"ask\":\"ping\",\"host\":\"a\"} ").is_err(), "one way to write it");
    assert!(Answer::decode(&vec![b' '; ANSWER_BYTES_MAX + 1], &ping()).is_err());
}
