use super::*;
use crate::model::{Coverage, Evidence, Finding, Rule};
use crate::report::{Form, render_fleet};
use crate::time::UnixSeconds;

fn finding(id: &str, level: Level, place: &str) -> Finding {
    let rule = Rule {
        id: id.to_owned(),
        reason: format!("{id} was seen"),
        level,
        confidence: Confidence::High,
        stage: None,
        source: "us".to_owned(),
        advice: "look".to_owned(),
    };
    Finding::new("ours", &rule, Evidence::at(place))
}

fn scanned(name: &str, findings: Vec<Finding>, coverage: Coverage) -> Answer {
    let report = Report {
        v: 1,
        tool: "t".to_owned(),
        scope: name.to_owned(),
        started: UnixSeconds(1),
        ended: UnixSeconds(2),
        verdict: Verdict::of(&findings),
        findings,
        findings_omitted: 0,
        coverage,
        archive: None,
    };
    Answer {
        endpoint: format!("ep_{name}"),
        name: name.to_owned(),
        state: State::Scanned,
        verdict: Some(report.verdict),
        complete: report.is_complete(),
        code: "ok".to_owned(),
        report: Some(report),
    }
}

fn silent(name: &str, state: State) -> Answer {
    Answer {
        state,
        verdict: None,
        complete: false,
        report: None,
        ..scanned(name, vec![], Coverage::default())
    }
}

#[test]
fn the_worst_endpoint_is_the_verdict_and_silence_is_never_good_news() {
    let good = || scanned("good", vec![], Coverage::default());
    let code = |answers: &[Answer]| roll_up("st_x", answers).exit_code();
    assert_eq!(code(&[good()]), 0);
    assert_eq!(code(&[]), 3);
    for state in [State::Failed, State::Refused, State::NoAnswer] {
        assert_eq!(code(&[good(), silent("away", state)]), 3, "{state:?}");
        assert_eq!(code(&[silent("away", state)]), 3, "{state:?}");
    }
    let suspicious =
        || scanned("odd", vec![finding("a", Level::Suspicious, "/x")], Coverage::default());
    assert_eq!(code(&[good(), suspicious(), silent("away", State::NoAnswer)]), 1);
    let bad = scanned("bad", vec![finding("b", Level::Compromised, "/y")], Coverage::default());
    let all = roll_up("st_x", &[good(), suspicious(), bad]);
    assert_eq!(all.exit_code(), 2);
    let names: Vec<&str> = all.endpoints.iter().map(|row| row.name.as_str()).collect();
    assert_eq!(names, ["bad", "odd", "good"]);
    let missing = Answer { state: State::ResultMissing, report: None, ..good() };
    assert_eq!(code(&[missing]), 3);
}

#[test]
fn what_was_not_seen_is_told_of_each_endpoint() {
    let mut coverage = Coverage::default();
    coverage.add_unreadable("/secret", "denied");
    coverage.ending = Ending::OutOfTime;
    let all =
        roll_up("st_x", &[scanned("busy", vec![], coverage), silent("away", State::NoAnswer)]);
    assert_eq!((all.counts.incomplete, all.counts.no_answer), (1, 1));
    let gaps =
        |name: &str| all.endpoints.iter().find(|row| row.name == name).unwrap().gaps.join("; ");
    assert_eq!(gaps("busy"), "the time for the scan was up; 1 places could not be read");
    assert_eq!(gaps("away"), "it was not looked at");
}

#[test]
fn findings_stand_together_by_their_rule() {
    let here = |name: &str, places: &[&str]| {
        let findings = places.iter().map(|place| finding("a", Level::Suspicious, place)).collect();
        scanned(name, findings, Coverage::default())
    };
    let all = roll_up("st_x", &[here("one", &["/1", "/2", "/3", "/4"]), here("two", &["/1"])]);
    let [rule] = all.rules.as_slice() else { panic!("one rule") };
    assert_eq!((rule.findings, rule.endpoints.len()), (5, 2));
    assert_eq!((rule.endpoints[0].findings, rule.endpoints[0].places.len()), (4, 3));
}

#[test]
fn what_endpoints_say_is_text_in_every_form() {
    let name = "<script>alert(1)</script>";
    let place = "=cmd|'/c calc'!A1,\"x\"\u{1b}[2J";
    let answer = scanned(name, vec![finding("a", Level::Suspicious, place)], Coverage::default());
    let all = roll_up("st_x", std::slice::from_ref(&answer));
    let html = render_fleet(&all, std::slice::from_ref(&answer), Form::Html).unwrap();
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    let csv = render_fleet(&all, std::slice::from_ref(&answer), Form::Csv).unwrap();
    assert!(csv.contains("'=cmd") && csv.lines().count() == 2, "{csv}");
    let json = render_fleet(&all, std::slice::from_ref(&answer), Form::Json).unwrap();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&value["verdict"], &value["endpoints"][0]["name"]),
        (&"suspicious".into(), &name.into())
    );
    let text = render_fleet(&all, &[answer], Form::Text).unwrap();
    assert!(!text.contains('\u{1b}'), "{text}");
    assert!(text.lines().last().unwrap().starts_with("fleet verdict: suspicious"), "{text}");
}
