use std::io::Cursor;

use super::*;
use crate::pack::{Pack, SigmaRule};
use crate::self_test::{Written, event_log as log};

const LOGON: Written<'_> = Written {
    record: 1,
    at: 1_625_236_200,
    channel: "Security",
    provider: "Microsoft-Windows-Security-Auditing",
    event: 4624,
    data: &[("TargetUserName", "alice"), ("IpAddress", "192.0.2.7")],
};

fn read(bytes: Vec<u8>) -> (Vec<Event>, Vec<Finding>, Coverage) {
    let mut logs = EventLogs::default();
    let mut events = Vec::new();
    logs.read("Security.evtx", Cursor::new(bytes), &mut Sigma::new([]), |event| {
        events.push(event.clone());
    })
    .unwrap();
    let mut coverage = Coverage::default();
    let findings = logs.finish(&mut coverage);
    (events, findings, coverage)
}

fn ids(findings: &[Finding]) -> Vec<&str> {
    findings.iter().map(|finding| finding.rule.id.as_str()).collect()
}

#[test]
fn events_are_read_with_their_fields_and_times() {
    let (events, findings, coverage) = read(log(&[LOGON]));
    assert_eq!(ids(&findings), [""; 0]);
    let [event] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((event.record, event.event, event.at.0), (1, 4624, LOGON.at));
    assert_eq!(event.channel, "Security");
    assert_eq!(event.fields["TargetUserName"], "alice");
    assert_eq!(event.fields["Provider_Name"], LOGON.provider);
    assert_eq!(coverage.areas[&Area::EventLogs].entries, 1);
    assert!(coverage.not_understood.is_empty(), "{coverage:?}");
}

#[test]
fn missing_record_numbers_are_a_finding() {
    let (_, findings, _) =
        read(log(&[LOGON, Written { record: 2, ..LOGON }, Written { record: 6, ..LOGON }]));
    assert_eq!(ids(&findings), ["evtx.records-missing"]);
    assert_eq!(findings[0].evidence.excerpt, "3 to 5");
    // A log that has wrapped around begins at any number.
    let (_, findings, _) =
        read(log(&[Written { record: 70, ..LOGON }, Written { record: 71, ..LOGON }]));
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn a_cleared_log_says_so() {
    let cleared = Written { provider: "Microsoft-Windows-Eventlog", event: 1102, ..LOGON };
    let (_, findings, _) = read(log(&[cleared]));
    assert_eq!(ids(&findings), ["evtx.cleared"]);
    assert_eq!(findings[0].evidence.happened, Some(UnixSeconds(LOGON.at)));
    // The same number of another program means something else.
    let (_, findings, _) = read(log(&[Written { event: 1102, ..LOGON }]));
    assert_eq!(ids(&findings), [""; 0]);
}

#[test]
fn sigma_rules_are_asked_about_events() {
    let source = "title: Alice\nlogsource:\n    product: windows\n    service: security\ndetection:\n    s:\n        EventID: 4624\n        TargetUserName: alice\n    condition: s\nlevel: high\n";
    let rule = SigmaRule { source: source.to_owned(), origin: "test".to_owned() };
    let pack = Pack { name: "p".to_owned(), sigma: vec![rule], ..Pack::default() };
    let mut sigma = Sigma::new([&pack]);
    let bob = Written { record: 2, data: &[("TargetUserName", "bob")], ..LOGON };
    let mut logs = EventLogs::default();
    logs.read("S.evtx", Cursor::new(log(&[LOGON, bob])), &mut sigma, |_| {}).unwrap();
    let (findings, _) = sigma.finish();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].evidence.place, "S.evtx#1");
}

#[test]
fn a_log_of_many_chunks_is_read_whole() {
    let events: Vec<Written<'_>> = (1..=3000).map(|record| Written { record, ..LOGON }).collect();
    let (read, findings, coverage) = read(log(&events));
    assert_eq!((read.len(), ids(&findings)), (3000, Vec::new()));
    assert!(coverage.not_understood.is_empty(), "{coverage:?}");
}

#[test]
fn damaged_logs_are_read_as_far_as_they_go() {
    let whole = log(&[LOGON, Written { record: 2, ..LOGON }]);
    let mut logs = EventLogs::default();
    let mut read = |bytes: Vec<u8>| logs.read("x", Cursor::new(bytes), &mut Sigma::new([]), |_| {});
    assert!(read(b"not a log".to_vec()).is_err());
    assert!(read(Vec::new()).is_err());
    // Whatever is changed, reading ends and nothing panics.
    for place in (0..whole.len()).step_by(97) {
        let mut bytes = whole.clone();
        bytes[place] ^= 0x5a;
        let _ = read(bytes);
    }
    for end in (0..whole.len()).step_by(1013) {
        let _ = read(whole[..end].to_vec());
    }
}

/// Sysmon writes three kinds of changes under the number 12; only a field of it tells which.
#[test]
fn changes_of_the_registry_get_the_category_that_rules_name() {
    const SYSMON: Written<'_> = Written {
        channel: "Microsoft-Windows-Sysmon/Operational",
        provider: "Microsoft-Windows-Sysmon",
        ..LOGON
    };
    let rule = |category: &str| {
        let source = format!(
            "title: {category}\nlogsource:\n    product: windows\n    category: {category}\ndetection:\n    s:\n        TargetObject|endswith: '\\Run\\x'\n    condition: s\nlevel: high\n"
        );
        SigmaRule { source, origin: "test".to_owned() }
    };
    let categories =
        ["registry_add", "registry_delete", "registry_set", "registry_rename", "registry_event"];
    let pack = Pack {
        name: "p".to_owned(),
        sigma: categories.iter().map(|name| rule(name)).collect(),
        ..Pack::default()
    };
    for (number, kind, expected) in [
        (12, "CreateKey", &["registry_add", "registry_event"][..]),
        (12, "DeleteKey", &["registry_delete", "registry_event"]),
        (12, "DeleteValue", &["registry_delete", "registry_event"]),
        (12, "something new", &["registry_event"]),
        (13, "SetValue", &["registry_event", "registry_set"]),
        (14, "RenameKey", &["registry_event", "registry_rename"]),
        (11, "CreateKey", &[]),
    ] {
        let data = [("EventType", kind), ("TargetObject", "HKLM\\Run\\x")];
        let mut sigma = Sigma::new([&pack]);
        let bytes = log(&[Written { event: number, data: &data, ..SYSMON }]);
        EventLogs::default().read("s.evtx", Cursor::new(bytes), &mut sigma, |_| {}).unwrap();
        let mut asked: Vec<String> =
            sigma.finish().0.into_iter().map(|finding| finding.rule.reason).collect();
        asked.sort();
        assert_eq!(asked, expected, "{number} {kind}");
    }
}

#[test]
fn the_old_log_of_powershell_has_a_category_for_each_of_its_events() {
    for (number, category) in [
        (400, Some("ps_classic_start")),
        (600, Some("ps_classic_provider_start")),
        (800, Some("ps_classic_script")),
        (403, None),
    ] {
        let event = Written { channel: "Windows PowerShell", event: number, ..LOGON };
        let (events, _, _) = read(log(&[event]));
        assert_eq!(events[0].source.category, category, "{number}");
        assert_eq!(events[0].source.service, Some("powershell-classic"));
    }
}

#[test]
fn fields_whose_names_have_spaces_are_known_by_the_names_that_rules_use() {
    let event = Written {
        channel: "Microsoft-Windows-Windows Defender/Operational",
        event: 1119,
        data: &[("Threat Name", "x"), ("Path", "y")],
        ..LOGON
    };
    let (events, _, _) = read(log(&[event]));
    assert_eq!(events[0].source.service, Some("windefend"));
    assert_eq!(
        (&events[0].fields["ThreatName"], &events[0].fields["Path"]),
        (&"x".into(), &"y".into())
    );
}
