//! Limits and forms of the payload: at the limit accepted, one above refused.

use bartizan_trust::json::Validate as _;

use super::*;

#[track_caller]
fn fine(change: impl Fn(&mut MonitoringPolicy)) {
    let mut policy = policy(&world(), tenant(), 1);
    change(&mut policy);
    assert_eq!(policy.validate(), Ok(()));
    let bytes = encode_payload(&policy);
    assert_eq!(decode_payload::<MonitoringPolicy>(&bytes).unwrap(), policy);
}

#[track_caller]
fn wrong(change: impl Fn(&mut MonitoringPolicy)) {
    let mut policy = policy(&world(), tenant(), 1);
    change(&mut policy);
    assert!(policy.validate().is_err());
    assert!(decode_payload::<MonitoringPolicy>(&encode_payload(&policy)).is_err());
}

fn of(subject: Subject) -> impl Fn(&mut MonitoringPolicy) {
    move |policy| policy.checks[0].subject = subject.clone()
}

fn levels(warn: impl Into<Option<u64>>, error: impl Into<Option<u64>>) -> Levels {
    Levels { warn: warn.into(), error: error.into() }
}

#[test]
fn numbers_and_names_have_limits() {
    fine(|p| p.version = limits::INTEGER_MAX);
    wrong(|p| p.version = limits::INTEGER_MAX + 1);
    wrong(|p| p.version = 0);
    wrong(|p| p.bundle_min = 0);
    wrong(|p| p.nonce.truncate(31));
    wrong(|p| p.class = Class::Routine);
    fine(|p| p.until = p.iat.plus(limits::ORDER_S_MAX));
    wrong(|p| p.until = p.iat.plus(limits::ORDER_S_MAX + 1));
    wrong(|p| p.until = p.iat);
    fine(|p| p.name = "a".repeat(32));
    for name in [String::new(), "A".to_owned(), "a_b".to_owned(), "a".repeat(33)] {
        wrong(|p| p.name.clone_from(&name));
        wrong(|p| p.checks[0].id.clone_from(&name));
        wrong(|p| p.exclude = vec![name.clone()]);
    }
    wrong(|p| p.checks[0].id = "link".to_owned());
    fine(|p| p.checks[0].id = "link-speed".to_owned());
    let ids = |count: usize| (0..count).map(|n| format!("c{n:03}")).collect::<Vec<_>>();
    fine(|p| p.exclude = ids(limits::POLICY_EXCLUDES_MAX));
    wrong(|p| p.exclude = ids(limits::POLICY_EXCLUDES_MAX + 1));
    wrong(|p| p.exclude = vec!["b".to_owned(), "a".to_owned()]);
    let checks = |count| ids(count).iter().map(|id| check(id)).collect::<Vec<_>>();
    fine(|p| p.checks = checks(limits::POLICY_CHECKS_MAX));
    wrong(|p| p.checks = checks(limits::POLICY_CHECKS_MAX + 1));
    wrong(|p| p.checks = vec![check("a"), check("a")]);
    fine(|p| p.checks.clear());
    wrong(|p| p.display.title.clear());
}

#[test]
fn looks_have_limits() {
    for every_s in [limits::CHECK_EVERY_S_MIN, limits::CHECK_EVERY_S_MAX] {
        fine(|p| p.checks[0].every_s = every_s);
    }
    for every_s in [limits::CHECK_EVERY_S_MIN - 1, limits::CHECK_EVERY_S_MAX + 1] {
        wrong(|p| p.checks[0].every_s = every_s);
    }
    fine(|p| (p.checks[0].fails, p.checks[0].recovers, p.checks[0].flaps) = (60, 60, 60));
    for looks in [0, 61] {
        wrong(|p| p.checks[0].fails = looks);
        wrong(|p| p.checks[0].recovers = looks);
    }
    wrong(|p| p.checks[0].flaps = 61);
    wrong(|p| p.checks[0].title = "a\u{202e}b".to_owned());
}

#[test]
fn levels_are_in_order_and_within_their_range() {
    for good in [levels(80, 90), levels(80, 80), levels(None, 100), levels(0, None)] {
        fine(of(Subject::Cpu { above: good }));
    }
    for bad in [levels(None, None), levels(90, 80), levels(None, 101), levels(101, None)] {
        wrong(of(Subject::Cpu { above: bad }));
        wrong(of(Subject::Memory { above: bad }));
        wrong(of(Subject::Swap { above: bad }));
    }
    fine(of(Subject::Load { above: levels(100_000, None) }));
    wrong(of(Subject::Load { above: levels(100_001, None) }));
    fine(of(Subject::UpdateAge { above: levels(36_500, None) }));
    wrong(of(Subject::UpdateAge { above: levels(36_501, None) }));
    fine(of(Subject::Disk { paths: vec![], below: levels(20, 10) }));
    wrong(of(Subject::Disk { paths: vec![], below: levels(10, 20) }));
    wrong(of(Subject::Inodes { paths: vec![], below: levels(101, 10) }));
    assert_eq!(levels(80, 90).above(89), Some(Severity::Warn));
    assert_eq!(levels(80, 90).above(90), Some(Severity::Error));
    assert_eq!(levels(80, 90).above(79), None);
    assert_eq!(levels(20, 10).below(10), Some(Severity::Error));
    assert_eq!(levels(20, 10).below(20), Some(Severity::Warn));
    assert_eq!(levels(20, 10).below(21), None);
    assert_eq!(levels(20, None).worst(), Severity::Warn);
}

#[test]
fn what_is_looked_at_has_limits() {
    let path = |text: &str| text.to_owned();
    let paths = |count: usize| (0..count).map(|n| format!("/{n:03}")).collect::<Vec<_>>();
    fine(of(Subject::Disk { paths: paths(16), below: levels(1, None) }));
    wrong(of(Subject::Disk { paths: paths(17), below: levels(1, None) }));
    wrong(of(Subject::Inodes { paths: vec![path("/b"), path("/a")], below: levels(1, None) }));
    for bad in ["relative", "", "/a/../b"] {
        let (path, severity) = (path(bad), Severity::Warn);
        wrong(of(Subject::FileExists { path: path.clone(), wanted: true, severity }));
        wrong(of(Subject::Disk { paths: vec![path], below: levels(1, None) }));
    }
    let severity = Severity::Error;
    let content = |pattern: String| {
        let path = "/etc/motd".to_owned();
        of(Subject::FileContent { path, pattern, wanted: true, severity })
    };
    fine(content("a".repeat(limits::PATTERN_BYTES_MAX)));
    wrong(content("a".repeat(limits::PATTERN_BYTES_MAX + 1)));
    wrong(content(String::new()));
    let services = |units: Vec<String>| of(Subject::Service { units, severity });
    fine(services(vec!["nginx".to_owned(), "vpn@hq.service".to_owned()]));
    wrong(services(vec![]));
    wrong(services(vec!["../x".to_owned()]));
    let process = |name: String, least, most| of(Subject::Process { name, least, most, severity });
    fine(process("a".repeat(limits::PROCESS_NAME_BYTES_MAX), 1, 1));
    wrong(process("a".repeat(limits::PROCESS_NAME_BYTES_MAX + 1), 1, 1));
    wrong(process("a".to_owned(), 2, 1));
    let order = StatementId::new(Sha256::of(b"order"));
    let ended = |ok: Vec<i32>, warn: Vec<i32>| of(Subject::Order { order, ok, warn });
    fine(ended((0..8).collect(), (8..16).collect()));
    wrong(ended((0..8).collect(), (8..17).collect()));
    wrong(ended(vec![0, 1], vec![1]));
    wrong(ended(vec![1, 0], vec![]));
    let backup = |suffix: &str, size_min| {
        let (folder, suffix) = ("/backup".to_owned(), suffix.to_owned());
        of(Subject::BackupAge { folder, suffix, size_min, above: levels(None, 86_400) })
    };
    fine(backup(".tar.gz", limits::INTEGER_MAX));
    wrong(backup("a/b", 0));
    wrong(backup("", limits::INTEGER_MAX + 1));
}

fn tcp(host: &str, port: u16) -> Subject {
    let host = host.to_owned();
    Subject::Tcp { host, port, banner: None, above: None, severity: Severity::Error }
}

fn web(url: &str) -> Subject {
    Subject::Http {
        url: url.to_owned(),
        method: HttpMethod::Get,
        status: vec![200],
        contains: None,
        above: None,
        expires: None,
        tls: TlsTrust::Verify,
        severity: Severity::Error,
    }
}

fn name(name: &str, server: Option<&str>, wanted: &[&str]) -> Subject {
    Subject::Dns {
        name: name.to_owned(),
        record: DnsRecord::A,
        server: server.map(str::to_owned),
        wanted: wanted.iter().map(|text| (*text).to_owned()).collect(),
        above: None,
        severity: Severity::Warn,
    }
}

#[test]
fn whom_checks_may_ask_has_limits() {
    let longest = format!("{}.a", [&*"a".repeat(63); 4].join(".")).split_off(4);
    assert_eq!(longest.len(), limits::HOST_BYTES_MAX);
    for host in [
        "acme.example",
        "_dmarc.acme.example",
        "127.0.0.1",
        "::1",
        "2001:db8::1",
        "10.0.0.1",
        &longest,
    ] {
        fine(of(tcp(host, 1)));
    }
    for host in [
        "",
        "Acme.example",
        "a..b",
        "a.",
        "-a",
        "a b",
        "a/b",
        "a:1",
        "user@a",
        "127.1",
        "0x7f.1",
        "2130706433",
        "[::1]",
        &format!("a{longest}"),
        &"a".repeat(64),
    ] {
        wrong(of(tcp(host, 1)));
    }
    wrong(of(tcp("acme.example", 0)));
    let server = |server| of(name("acme.example", Some(server), &[]));
    for good in ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:53"] {
        fine(server(good));
    }
    for bad in ["ns.acme.example", "169.254.169.254", "[fe80::1]:53", "192.0.2.53:0", ""] {
        wrong(server(bad));
    }
    wrong(of(name("192.0.2.1", None, &[])));
    fine(of(name("acme.example", None, &["192.0.2.1", "192.0.2.2"])));
    wrong(of(name("acme.example", None, &["192.0.2.2", "192.0.2.1"])));
    let many: Vec<String> = (0..=limits::CHECK_NAMES_MAX).map(|n| format!("{n:02}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    fine(of(name("acme.example", None, &many[1..])));
    wrong(of(name("acme.example", None, &many)));
}

/// However it is written: where clouds hand out a machine's credentials, and what is no single machine.
#[test]
fn the_machines_own_credentials_cannot_be_asked_for() {
    for address in [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "::ffff:169.254.169.254",
        "::169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
        "fd00:ec2::254",
        "fd20:ce::254",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "0.1.2.3",
        "::",
        "255.255.255.255",
        "224.0.0.1",
        "ff02::1",
    ] {
        assert!(!may_be_asked(address.parse().unwrap()), "{address}");
        wrong(of(tcp(address, 80)));
        let bracketed =
            if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
        wrong(of(web(&format!("http://{bracketed}/latest/"))));
    }
    for address in [
        "169.253.255.255",
        "169.255.0.0",
        "::ffff:10.0.0.1",
        "fd00:ec2::253",
        "64:ff9b::a00:1",
        "::1",
    ] {
        assert!(may_be_asked(address.parse().unwrap()), "{address}");
        fine(of(tcp(address, 80)));
    }
}

#[test]
fn addresses_of_the_web_have_limits() {
    for url in [
        "http://acme.example/",
        "https://acme.example:8443/a?b=c&d=%20",
        "https://[2001:db8::1]:1/",
        "http://127.0.0.1/",
    ] {
        fine(of(web(url)));
    }
    let parts = parse_url("https://[2001:db8::1]:8443/a?b").unwrap();
    assert_eq!((parts.tls, parts.host, parts.port), (true, "2001:db8::1", 8443));
    assert_eq!((parts.authority, parts.path), ("[2001:db8::1]:8443", "/a?b"));
    assert_eq!(parse_url("http://acme.example/").unwrap().port, 80);
    for url in [
        "file:///etc/passwd",
        "ftp://acme.example/",
        "acme.example",
        "http://acme.example",
        "http:///",
        "http://a@b/",
        "http://a:b@c/",
        "http://a:0/",
        "http://a:080/",
        "http://a:65536/",
        "http://a:/",
        "http://a?b/",
        "http://a/#b",
        "http://a/ b",
        "http://a/\\b",
        "HTTP://a/",
        "http://::1/",
        "http://[::1/",
        "http://[a]/",
        "http://[::1]x/",
        "http://a/\u{e4}",
    ] {
        wrong(of(web(url)));
    }
    let path = |length: usize| format!("http://a/{}", "b".repeat(length - "http://a/".len()));
    fine(of(web(&path(limits::URL_BYTES_MAX))));
    wrong(of(web(&path(limits::URL_BYTES_MAX + 1))));
}

/// What a question to a web server may say beside its address.
struct Web<'w> {
    url: &'w str,
    method: HttpMethod,
    status: Vec<u16>,
    contains: Option<String>,
    expires: Option<Levels>,
    tls: TlsTrust,
}

const PLAIN: &str = "http://acme.example/";
const SECURE: &str = "https://acme.example/";

fn asking(change: impl Fn(&mut Web<'_>)) -> impl Fn(&mut MonitoringPolicy) {
    let mut web = Web {
        url: SECURE,
        method: HttpMethod::Get,
        status: vec![200],
        contains: None,
        expires: None,
        tls: TlsTrust::Verify,
    };
    change(&mut web);
    let Web { url, method, status, contains, expires, tls } = web;
    let (url, severity, above) = (url.to_owned(), Severity::Error, None);
    of(Subject::Http { url, method, status, contains, above, expires, tls, severity })
}

#[test]
fn questions_to_web_servers_have_limits() {
    let days = |warn, error| Some(levels(warn, error));
    fine(asking(|w| (w.expires, w.tls) = (days(20, 10), TlsTrust::DangerUnverified)));
    wrong(asking(|w| w.expires = days(10, 20)));
    wrong(asking(|w| (w.expires, w.url) = (days(20, 10), PLAIN)));
    wrong(asking(|w| (w.tls, w.url) = (TlsTrust::DangerUnverified, PLAIN)));
    let text = |length| Some("a".repeat(length));
    fine(asking(|w| w.contains = text(256)));
    wrong(asking(|w| w.contains = text(257)));
    wrong(asking(|w| w.contains = text(0)));
    fine(asking(|w| w.method = HttpMethod::Head));
    wrong(asking(|w| (w.method, w.contains) = (HttpMethod::Head, text(1))));
    fine(asking(|w| w.status = vec![100, 599]));
    fine(asking(|w| w.status = (200..216).collect()));
    for codes in [vec![], vec![99], vec![600], vec![204, 200], (200..217).collect()] {
        wrong(asking(|w| w.status.clone_from(&codes)));
    }
}

#[test]
fn questions_have_limits() {
    let slow = |ms| {
        let (host, above) = ("a".to_owned(), Some(levels(ms, None)));
        of(Subject::Tcp { host, port: 1, banner: None, above, severity: Severity::Warn })
    };
    fine(slow(limits::PROBE_MS_MAX));
    wrong(slow(limits::PROBE_MS_MAX + 1));
    let ping = |loss, above| of(Subject::Ping { host: "a".to_owned(), loss, above });
    fine(ping(Some(levels(25, 100)), None));
    wrong(ping(Some(levels(25, 101)), None));
    wrong(ping(None, None));
    let file = |path: &str, below| of(Subject::CertificateFile { path: path.to_owned(), below });
    fine(file("/etc/a.pem", levels(36_500, 1)));
    wrong(file("/etc/a.pem", levels(36_501, 1)));
    wrong(file("a.pem", levels(2, 1)));
    let every = |seconds: u64| {
        move |p: &mut MonitoringPolicy| {
            (p.checks[0].subject, p.checks[0].every_s) = (tcp("a", 1), seconds);
        }
    };
    fine(every(limits::NETWORK_EVERY_S_MIN));
    wrong(every(limits::NETWORK_EVERY_S_MIN - 1));
    let many = |count: usize| {
        (0..count)
            .map(|n| Check { subject: tcp("a", 1), ..check(&format!("c{n:03}")) })
            .chain([check("d")])
            .collect::<Vec<_>>()
    };
    fine(|p| p.checks = many(limits::NETWORK_CHECKS_MAX));
    wrong(|p| p.checks = many(limits::NETWORK_CHECKS_MAX + 1));
}
