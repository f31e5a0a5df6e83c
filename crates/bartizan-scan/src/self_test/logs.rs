//! The triggers that stand in logs.

use std::io::Cursor;

use super::{TRIGGER, Trigger, Written, event_log, has};
use crate::command;
use crate::events::EventLogs;
use crate::evidence::Output;
use crate::logs::{Dialect, WebLogs};
use crate::model::{Coverage, Evidence, Finding};
use crate::pack::Pack;
use crate::rules::Rules;
use crate::sigma::Sigma;

/// Two requests of one client in a log of IIS, in the order the sequence wants, from an address that was bad in those days.
const WEB_LOG: &str = "#Software: Microsoft Internet Information Services 10.0
#Fields: date time cs-method cs-uri-stem cs-uri-query c-ip cs(User-Agent) sc-status
2021-07-02 16:00:00 POST /bartizan-self-test/one - 2001:db8:7d1f::1 self-test 200
2021-07-02 16:00:01 GET /bartizan-self-test/two - 2001:db8:7d1f::1 self-test 200
";
/// When the events were: 2 July 2021.
const AT: i64 = 1_625_241_600;

pub(super) fn run(rules: &Rules, packs: &[Pack], sigma: &mut Sigma) -> Vec<Trigger> {
    let web = read_web(packs, sigma);
    let (in_web, _) = sigma.finish();
    let commands = read_events(rules, sigma);
    let (in_events, _) = sigma.finish();
    let sigma_rule = |number: u8| format!("sigma.7d1f0000-0000-4000-8000-00000000000{number}");
    vec![
        Trigger { name: "sequence of requests", found: has(&web, "sequence") },
        Trigger { name: "network indicator", found: has(&web, "network") },
        Trigger { name: "sigma in a web log", found: has(&in_web, &sigma_rule(3)) },
        Trigger { name: "command in an event", found: has(&commands, "command") },
        Trigger { name: "sigma in an event log", found: has(&in_events, &sigma_rule(1)) },
        Trigger { name: "sigma correlation", found: has(&in_events, &sigma_rule(2)) },
    ]
}

fn read_web(packs: &[Pack], sigma: &mut Sigma) -> Vec<Finding> {
    let packs: Vec<&Pack> = packs.iter().collect();
    let (mut logs, _) = WebLogs::new(&packs, Some(sigma));
    // What cannot be read is not found, and that is what the caller looks at.
    if let Some(dialect) = Dialect::of(WEB_LOG.as_bytes()) {
        let _ = logs.read("self-test", dialect, false, WEB_LOG.as_bytes());
    }
    logs.finish(&mut Coverage::default())
}

fn read_events(rules: &Rules, sigma: &mut Sigma) -> Vec<Finding> {
    let data = [("NewProcessName", "C:\\self-test.exe"), ("CommandLine", TRIGGER)];
    let first = Written {
        record: 1,
        at: AT,
        channel: "Security",
        provider: "Microsoft-Windows-Security-Auditing",
        event: 4688,
        data: &data,
    };
    let log = event_log(&[first, Written { record: 2, at: AT + 1, ..first }]);
    let mut logs = EventLogs::default();
    let mut output = Output::default();
    let _ = logs.read("self-test", Cursor::new(log), sigma, |event| {
        for text in event.commands() {
            command::examine(rules, text, &Evidence::at("self-test"), &mut output);
        }
    });
    output.findings
}
