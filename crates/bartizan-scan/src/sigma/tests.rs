use serde_json::json;

use super::*;
use crate::pack::SigmaRule;

const DECODE: &str = "
title: Certutil decodes
id: 11111111-1111-4111-8111-111111111111
status: test
logsource:
    product: windows
    category: process_creation
detection:
    image:
        - Image|endswith: '\\certutil.exe'
        - OriginalFileName: CertUtil.exe
    words:
        CommandLine|contains|windash: ' -decode'
    condition: image and words
level: high
";

const FAILED: &str = "
title: Failed log-on
id: 22222222-2222-4222-8222-222222222222
name: failed_logon
logsource:
    product: windows
    service: security
detection:
    selection:
        EventID: 4625
    condition: selection
level: informational
---
title: Many failed log-ons
id: 33333333-3333-4333-8333-333333333333
correlation:
    type: event_count
    rules:
        - failed_logon
    group-by:
        - TargetUserName
    timespan: 5m
    condition:
        gte: 3
level: high
";

fn sigma(sources: &[&str]) -> Sigma {
    let rule =
        |source: &&str| SigmaRule { source: (*source).to_owned(), origin: "test".to_owned() };
    let pack =
        Pack { name: "p".to_owned(), sigma: sources.iter().map(rule).collect(), ..Pack::default() };
    Sigma::new([&pack])
}

fn found(sigma: &mut Sigma, events: &[(Source, Value, i64)]) -> Vec<String> {
    for (source, event, at) in events {
        sigma.handle(event, source, UnixSeconds(*at), || Evidence::at("log"));
    }
    sigma.finish().0.into_iter().map(|finding| finding.rule.reason).collect()
}

#[test]
fn a_process_of_sysmon_or_the_security_log_is_asked_about_alike() {
    let mut rules = sigma(&[DECODE]);
    assert_eq!((rules.loads[0].expected, rules.loads[0].loaded), (1, 1));
    let sysmon = Source::of_windows("Microsoft-Windows-Sysmon/Operational", 1);
    let security = Source::of_windows("Security", 4688);
    let by_sysmon = json!({"Image": "C:\\Windows\\System32\\certutil.exe", "CommandLine": "certutil /decode a b"});
    let data = json!({"NewProcessName": "C:\\Windows\\certutil.exe", "CommandLine": "certutil -decode a b"});
    let by_security =
        fields_of(serde_json::Map::new(), data.as_object().unwrap().clone(), &security);
    let other = json!({"Image": "C:\\Windows\\System32\\certutil.exe", "CommandLine": "certutil -hashfile a"});
    assert_eq!(
        found(
            &mut rules,
            &[(sysmon, by_sysmon.clone(), 1), (security, by_security, 2), (sysmon, other, 3)]
        ),
        ["Certutil decodes", "Certutil decodes"]
    );
    // The same fields from somewhere else are not asked about.
    assert_eq!(found(&mut sigma(&[DECODE]), &[(Source::WEB, by_sysmon, 1)]), [""; 0]);
}

#[test]
fn a_change_of_the_registry_is_also_an_event_of_it() {
    let rule = |title: &str, logsource: &str| {
        format!(
            "title: {title}\nlogsource:\n    product: windows\n{logsource}detection:\n    s:\n        TargetObject|contains: 'SpecialAccounts'\n    condition: s\nlevel: high\n"
        )
    };
    let rules = [
        rule("a", "    category: registry_event\n"),
        rule("b", "    category: registry_set\n"),
        rule("c", ""),
    ];
    let texts: Vec<&str> = rules.iter().map(String::as_str).collect();
    let set = Source::of_windows("Microsoft-Windows-Sysmon/Operational", 13);
    let event = json!({"EventID": 13, "TargetObject": "HKLM\\X\\SpecialAccounts\\UserList"});
    assert_eq!(found(&mut sigma(&texts), &[(set, event.clone(), 1)]).len(), 3);
    // A process is none.
    let process = Source::of_windows("Microsoft-Windows-Sysmon/Operational", 1);
    assert_eq!(found(&mut sigma(&texts), &[(process, event, 1)]).len(), 1);
}

#[test]
fn correlations_count_by_the_times_of_the_events() {
    let security = Source::of_windows("Security", 4625);
    let event = |user: &str, at| (security, json!({"EventID": 4625, "TargetUserName": user}), at);
    let many = [event("a", 0), event("b", 10), event("a", 20), event("a", 30)];
    let correlated = |events: &[_]| {
        found(&mut sigma(&[FAILED]), events).iter().filter(|r| r.starts_with("Many")).count()
    };
    assert_eq!(correlated(&many), 1);
    assert_eq!(correlated(&[event("a", 0), event("a", 20), event("a", 900)]), 0);
}

#[test]
fn a_correlation_may_refer_to_another_source_but_not_to_nothing_or_in_a_circle() {
    let (base, many) = FAILED.split_once("---").unwrap();
    let mut rules = sigma(&[many, base]);
    assert_eq!((rules.loads[0].loaded, &rules.loads[0].not_understood), (2, &Vec::new()));
    let security = Source::of_windows("Security", 4625);
    let event = |at| (security, json!({"EventID": 4625, "TargetUserName": "a"}), at);
    let found = found(&mut rules, &[event(0), event(1), event(2)]);
    assert!(found.contains(&"Many failed log-ons".to_owned()), "{found:?}");
    // The others stay in force.
    let nothing = many.replace("failed_logon", "no_such_rule");
    let circle = many.replace("failed_logon", "33333333-3333-4333-8333-333333333333");
    for bad in [nothing, circle] {
        let rules = sigma(&[&bad, DECODE]);
        assert_eq!((rules.loads[0].expected, rules.loads[0].loaded), (2, 1));
        assert!(rules.loads[0].not_understood[0].1.contains("refers to"));
        assert!(rules.asks(&Source::of_windows("Security", 4688)));
    }
}

#[test]
fn what_is_not_understood_is_named_and_the_rest_works() {
    let rules = sigma(&[
        "title: x\n: nonsense",
        "",
        DECODE,
        "title: no detection\nlogsource:\n    product: windows\n",
    ]);
    assert_eq!((rules.loads[0].expected, rules.loads[0].loaded), (4, 1));
    assert_eq!(rules.loads[0].not_understood.len(), 3);
    assert!(rules.asks(&Source::of_windows("Security", 4688)));
    assert!(!rules.asks(&Source::WEB));
}

#[test]
fn a_rule_that_matches_everything_is_told_up_to_its_limit() {
    let mut rules = sigma(&[FAILED]);
    let security = Source::of_windows("Security", 4625);
    let limit = limits::SIGMA_FINDINGS_PER_RULE_MAX;
    for at in 0..=limit {
        let event = json!({"EventID": 4625, "TargetUserName": format!("u{at}")});
        rules.handle(&event, &security, UnixSeconds(0), || Evidence::at("log"));
    }
    let (findings, omitted) = rules.finish();
    assert_eq!((u64::try_from(findings.len()).unwrap(), omitted), (limit, 1));
}
