//! The report: text for the terminal, JSON for programs, one page of HTML for those who insure.

use anyhow::{Context as _, Result};
use bartizan_trust::time::UnixSeconds;
use serde_json::{Value, json};

use super::attempts::Attempt;
/// Said in every report.
const NOT_DEFENDED: &[&str] = &[
    "root on an endpoint owns that endpoint",
    "two operators together may do what two operators may do",
    "an operator's computer, within what that operator may sign alone",
    "a server may withhold work and read what endpoints report",
    "a whole machine that is put back to an older moment does not know what it ran since",
    "text that an endpoint reports may be a lie",
];

/// Said in every report: what this drill does not play.
const NOT_PLAYED: &[&str] = &[
    "a browser in which somebody else's page runs: tests of passkeys stand for it",
    "an update that both the vendor and two people signed: nothing is updated in the drill, and its tests have a vendor of their own",
];

/// One page, without anything from elsewhere.
const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8886;--bad:#c22}
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}
h1{margin-bottom:0}h2{margin:1.5rem 0 .3rem;font-size:1.15rem}
.verdict{font-size:1.25rem;font-weight:600;border-left:.35rem solid #2a7;padding:.2rem 0 .2rem .8rem}
.verdict.broken{border-color:var(--bad)}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}
code{font-size:.9em;white-space:nowrap}
.executed td{color:var(--bad);font-weight:bold}
ul{margin:.2rem 0;padding-left:1.2rem}
@media print{@page{size:A4;margin:14mm}:root{color-scheme:light}body{font-size:8.5pt;line-height:1.25;margin:0;padding:0;max-width:none}
h1{font-size:16pt}h2{margin:.6rem 0 .1rem}p{margin:.5rem 0}td{padding:.12rem .5rem .12rem 0}tr{break-inside:avoid}thead{display:table-header-group}}
";

/// What was tried and what came of it.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) made_at: UnixSeconds,
    pub(super) attempts: Vec<Attempt>,
    pub(super) freeze_ms: u128,
    pub(super) seconds: u64,
}

impl Report {
    /// How many attempts ran something.
    pub(super) fn executed(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.executed).count()
    }

    fn verdict(&self) -> String {
        let all = self.attempts.len();
        let executed = self.executed();
        if executed == 0 {
            format!("{all} attempts, none ran anything on any endpoint")
        } else {
            format!("{all} attempts, {executed} RAN SOMETHING")
        }
    }

    fn freeze(&self) -> String {
        format!(
            "A freeze handed to three endpoints as a file, with the server gone: {} ms until all stood still.",
            self.freeze_ms
        )
    }

    pub(super) fn text(&self) -> String {
        format!(
            "\n{}\n{}\nnot defended: {}\nnot played: {}\n({} s)",
            self.verdict(),
            self.freeze(),
            NOT_DEFENDED.join("; "),
            NOT_PLAYED.join("; "),
            self.seconds
        )
    }

    /// One row for each who answered.
    pub(super) fn json(&self) -> Result<Value> {
        let row = |attempt: &Attempt, code: &str, endpoint: &str| {
            json!({
                "name": attempt.name, "attacker": attempt.attacker, "outcome": outcome(attempt),
                "code": code, "endpoint": endpoint,
            })
        };
        let mut attempts = Vec::new();
        for attempt in &self.attempts {
            if attempt.answers.is_empty() {
                attempts.push(row(attempt, "", ""));
            }
            attempts.extend(attempt.answers.iter().map(|(who, code)| row(attempt, code, who)));
        }
        let freeze_ms = u64::try_from(self.freeze_ms).context("a freeze that took for ever")?;
        Ok(json!({
            "attempts": attempts, "tried": self.attempts.len(), "executed": self.executed(),
            "freeze_ms": freeze_ms, "seconds": self.seconds, "made_at": self.made_at,
            "not_defended": NOT_DEFENDED, "not_played": NOT_PLAYED, "version": env!("CARGO_PKG_VERSION"),
        }))
    }

    pub(super) fn html(&self) -> String {
        let broken = if self.executed() == 0 { "" } else { " broken" };
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>Bartizan drill</title>\n<style>\n{STYLE}</style></head><body>\n\
             <h1>Bartizan drill</h1>\n<p>{} · version {} · took {} s</p>\n<p class=\"verdict{broken}\">{}</p>\n\
             <p>Attackers with the server's keys, database and processes, with one operator's session or key, in an endpoint's network half, on the way to the server, or with one of \
             the two keys of an update attacked a real fleet of three endpoints, made for this purpose on one machine. Whether anything ran was read from marks that the \
             scripts would have left, not from what the server says. After the freeze was lifted by two people, honest work ran on all endpoints.</p>\n\
             <table><thead><tr><th>Attacker</th><th>What was tried</th><th>Outcome</th><th>Answer</th><th>Refused by</th></tr></thead>\n<tbody>\n{}</tbody></table>\n\
             <h2>Stopping</h2>\n<p>{}</p>\n<h2>Not defended</h2>\n{}<h2>Not played here</h2>\n{}</body></html>\n",
            escape(&day(self.made_at)),
            env!("CARGO_PKG_VERSION"),
            self.seconds,
            escape(&self.verdict()),
            self.rows(),
            escape(&self.freeze()),
            list(NOT_DEFENDED),
            list(NOT_PLAYED),
        )
    }

    fn rows(&self) -> String {
        let row = |attempt: &Attempt| {
            format!(
                "<tr class=\"{0}\"><td>{1}</td><td>{2}</td><td>{0}</td><td><code>{3}</code></td><td>{4}</td></tr>\n",
                outcome(attempt),
                escape(attempt.attacker),
                escape(attempt.name),
                escape(&attempt.codes()),
                escape(&who(attempt))
            )
        };
        self.attempts.iter().map(row).collect::<Vec<String>>().concat()
    }
}

/// Endpoints by their number, others by name.
fn who(attempt: &Attempt) -> String {
    let endpoints = attempt.answers.iter().filter(|(who, _)| who.starts_with("ep_")).count();
    let others = attempt.answers.iter().filter(|(who, _)| !who.starts_with("ep_"));
    let mut all: Vec<String> = others.map(|(who, _)| who.clone()).collect();
    match endpoints {
        0 => {}
        1 => all.push("1 endpoint".to_owned()),
        count => all.push(format!("{count} endpoints")),
    }
    all.join(", ")
}

fn list(lines: &[&str]) -> String {
    let items: Vec<String> =
        lines.iter().map(|line| format!("<li>{}</li>", escape(line))).collect();
    format!("<ul>\n{}\n</ul>\n", items.join("\n"))
}

/// Year, month and day in UTC: of whole days since 1970, counted in years that begin in March.
pub(super) fn day(at: UnixSeconds) -> String {
    let days = at.get() / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{}-{month:02}-{day:02}", era * 400 + year + next)
}

const fn outcome(attempt: &Attempt) -> &'static str {
    if attempt.executed { "executed" } else { "refused" }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(executed: bool) -> Report {
        let attempt = Attempt {
            name: "a <script> in a name",
            attacker: "owner",
            executed,
            answers: vec![("ep_a".to_owned(), "x & y".to_owned())],
        };
        let made_at = UnixSeconds::new(1_800_000_000);
        Report { made_at, attempts: vec![attempt], freeze_ms: 12, seconds: 3 }
    }

    #[test]
    fn the_page_shows_text_as_text_and_an_execution_as_what_it_is() {
        let page = report(false).html();
        assert!(page.contains("a &lt;script&gt; in a name") && page.contains("x &amp; y"));
        assert!(page.contains("none ran anything") && !page.contains("RAN SOMETHING"));
        let broken = report(true);
        assert!(broken.html().contains("class=\"executed\"") && broken.text().contains("RAN"));
        assert_eq!(broken.json().map(|json| json["executed"].clone()).ok(), Some(json!(1)));
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (1_709_251_199, "2024-02-29"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(day(UnixSeconds::new(seconds)), expected);
        }
    }

    #[test]
    fn an_attempt_in_json_has_exactly_what_is_documented() {
        let json = report(false).json().unwrap();
        let mut fields: Vec<&String> = json["attempts"][0].as_object().unwrap().keys().collect();
        fields.sort_unstable();
        assert_eq!(fields, ["attacker", "code", "endpoint", "name", "outcome"]);
    }
}
