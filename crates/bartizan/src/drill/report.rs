//! The report: text for the terminal, JSON for programs, one page of HTML for those who insure.

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::attempts::Attempt;

/// Said in every report.
const NOT_DEFENDED: &[&str] = &[
    "root on an endpoint owns that endpoint",
    "two operators together may do what two operators may do",
    "an operator's computer, within what that operator may sign alone",
    "a server may withhold work and read what endpoints report",
];

/// What was tried and what came of it.
#[derive(Debug)]
pub(super) struct Report {
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
            "a freeze handed to three endpoints as a file, with the server gone: {} ms until all stood still",
            self.freeze_ms
        )
    }

    pub(super) fn text(&self) -> String {
        format!(
            "\n{}\n{}\nnot defended: {}\n({} s)",
            self.verdict(),
            self.freeze(),
            NOT_DEFENDED.join("; "),
            self.seconds
        )
    }

    pub(super) fn json(&self) -> Result<Value> {
        let attempts: Vec<Value> = self
            .attempts
            .iter()
            .map(|attempt| {
                json!({
                    "name": attempt.name, "attacker": attempt.attacker, "outcome": outcome(attempt),
                    "code": attempt.code, "endpoint": attempt.endpoints.first(), "endpoints": attempt.endpoints,
                })
            })
            .collect();
        let freeze_ms = u64::try_from(self.freeze_ms).context("a freeze that took for ever")?;
        Ok(json!({
            "attempts": attempts, "executed": self.executed(), "freeze_ms": freeze_ms,
            "seconds": self.seconds, "not_defended": NOT_DEFENDED, "version": env!("CARGO_PKG_VERSION"),
        }))
    }

    /// One page, without anything from elsewhere.
    pub(super) fn html(&self) -> String {
        let mut rows = String::new();
        for attempt in &self.attempts {
            rows += &format!(
                "<tr class=\"{}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
                outcome(attempt),
                escape(attempt.attacker),
                escape(attempt.name),
                outcome(attempt),
                escape(&attempt.code),
                attempt.endpoints.len()
            );
        }
        let mut not_defended = String::new();
        for line in NOT_DEFENDED {
            not_defended += &format!("<li>{}</li>\n", escape(line));
        }
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Bartizan drill</title>\n<style>\n\
             body{{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}}\n\
             table{{border-collapse:collapse;width:100%}}th,td{{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #ccc}}\n\
             .executed td{{background:#fdd;font-weight:bold}}\n</style></head><body>\n\
             <h1>Bartizan drill</h1>\n<p><strong>{}</strong></p>\n<p>An attacker who owned the server, with its keys, database and code, \
             attacked a real fleet of three endpoints made for this purpose. Version {}.</p>\n\
             <table><thead><tr><th>Attacker</th><th>Attempt</th><th>Outcome</th><th>Answer</th><th>Answered by</th></tr></thead>\n<tbody>\n{rows}</tbody></table>\n\
             <p>{}</p>\n<h2>Not defended</h2>\n<ul>\n{not_defended}</ul>\n</body></html>\n",
            escape(&self.verdict()),
            env!("CARGO_PKG_VERSION"),
            escape(&self.freeze())
        )
    }
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
            code: "x & y".to_owned(),
            endpoints: vec!["ep_a".to_owned()],
        };
        Report { attempts: vec![attempt], freeze_ms: 12, seconds: 3 }
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
}
