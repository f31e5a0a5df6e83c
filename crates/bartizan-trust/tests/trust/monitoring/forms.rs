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
