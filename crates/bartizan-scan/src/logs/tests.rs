use super::*;
use crate::model::{Confidence, Level, Rule};
use crate::pack::{NetworkRule, SigmaRule};

const LINE: &str =
    "192.0.2.7 - - [02/Jul/2021:16:30:00 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"x\"\n";

fn read(pack: &Pack, logs: &[(&str, bool, &str)]) -> (Vec<String>, Coverage) {
    let mut sigma = Sigma::new([pack]);
    let (mut web, unusable) = WebLogs::new(&[pack], Some(&mut sigma));
    assert!(unusable.is_empty());
    for (place, rotated, text) in logs {
        let dialect = Dialect::of(text.as_bytes()).unwrap();
        web.read(place, dialect, *rotated, text.as_bytes()).unwrap();
    }
    let mut coverage = Coverage::default();
    let findings = web.finish(&mut coverage);
    let ids = findings.into_iter().chain(sigma.finish().0).map(|finding| finding.rule.id);
    (ids.collect(), coverage)
}

#[test]
fn a_whole_log_says_nothing_but_its_period() {
    let (findings, coverage) = read(&Pack::default(), &[("/var/log/access.log", false, LINE)]);
    assert_eq!(findings, [""; 0]);
    assert_eq!(coverage.periods.len(), 1);
    assert_eq!(coverage.periods[0].from.to_string(), "2021-07-02T16:30:00Z");
    assert_eq!(coverage.areas[&Area::WebLogs].entries, 1);
    assert!(coverage.not_understood.is_empty());
}

#[test]
fn heads_ends_and_zero_bytes_are_looked_at() {
    let iis = "2021-07-02 14:48:44 10.0.0.4 GET /\n#Fields: date time c-ip cs-uri-stem\n2021-07-02 14:48:44 192.0.2.7 /\n";
    let cut = LINE.trim_end();
    let zero = format!("{LINE}\0\0{LINE}");
    let pack = Pack::default();
    assert_eq!(read(&pack, &[("a", false, iis)]).0, ["log.head-missing"]);
    assert_eq!(read(&pack, &[("a", true, cut)]).0, ["log.cut-off"]);
    assert_eq!(read(&pack, &[("a", false, cut)]).0, [""; 0], "a log that is being written");
    assert_eq!(read(&pack, &[("a", false, &zero)]).0, ["log.zero-bytes"]);
}

#[test]
fn a_day_that_is_missing_between_others_is_found_across_rotated_files() {
    let day = |day: u32| {
        format!("#Fields: date time c-ip cs-uri-stem\n2021-06-{day:02} 10:00:00 192.0.2.7 /\n")
    };
    let logs: Vec<(String, String)> = (1..=30)
        .filter(|number| *number != 18)
        .map(|number| (format!("/inetpub/logs/W3SVC1/u_ex2106{number:02}.log"), day(number)))
        .collect();
    let logs: Vec<_> =
        logs.iter().map(|(name, text)| (name.as_str(), true, text.as_str())).collect();
    let (findings, coverage) = read(&Pack::default(), &logs);
    assert_eq!(findings, ["log.days-missing"]);
    assert_eq!(coverage.periods.len(), 1);
    assert_eq!(coverage.periods[0].missing, ["2021-06-18"]);
}

#[test]
fn clients_are_compared_with_indicators_of_their_own_time() {
    let rule = Rule {
        id: "bad-client".to_owned(),
        reason: String::new(),
        level: Level::Suspicious,
        confidence: Confidence::Medium,
        stage: None,
        source: String::new(),
        advice: String::new(),
    };
    let until = |text: &str| NetworkRule {
        rule: rule.clone(),
        indicator: "192.0.2.0/24".to_owned(),
        from: None,
        until: UnixSeconds::parse(text),
    };
    let pack = |until| Pack { network: vec![until], ..Pack::default() };
    let twice = format!("{LINE}{LINE}");
    let found = |until| read(&pack(until), &[("a", false, &twice)]).0;
    assert_eq!(found(until("2021-08-01")), ["bad-client"], "told once");
    assert_eq!(found(until("2021-07-01")), [""; 0], "expired by then");
}

#[test]
fn sigma_rules_about_web_servers_are_asked() {
    let source = "title: Probe\nid: probe\nlogsource:\n    category: webserver\ndetection:\n    s:\n        cs-uri-query|contains: 'id=1'\n        sc-status: 200\n    condition: s\nlevel: high\n";
    let rule = SigmaRule { source: source.to_owned(), origin: "test".to_owned() };
    let pack = Pack { sigma: vec![rule], ..Pack::default() };
    let probe = LINE.replace("GET /", "GET /x?id=1");
    assert_eq!(read(&pack, &[("a", false, LINE), ("b", false, &probe)]).0, ["sigma.probe"]);
}

#[test]
fn long_lines_and_other_text_are_counted_not_believed() {
    let long = format!("{LINE}{}\nother text\n{LINE}", "x".repeat(limits::LOG_LINE_BYTES_MAX + 1));
    let (findings, coverage) = read(&Pack::default(), &[("a", false, &long)]);
    assert_eq!(findings, [""; 0]);
    assert_eq!(coverage.areas[&Area::WebLogs].entries, 2);
    // The long one counts for its length and for what it is not.
    assert_eq!(coverage.not_understood["lines of web logs"], 3);
}

#[test]
fn series_do_not_depend_on_rotation() {
    for (a, b) in [
        ("/w/u_ex210702.log", "/w/u_ex210703.log"),
        ("/w/access.log", "/w/access.log.12.gz"),
        ("/w/access.log-20210702.gz", "/w/access.log"),
    ] {
        assert_eq!(series_of(a, Dialect::W3c), series_of(b, Dialect::W3c));
    }
    assert_ne!(series_of("/w/a.log", Dialect::W3c), series_of("/w/b.log", Dialect::W3c));
}
