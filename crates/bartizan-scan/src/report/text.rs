//! For a terminal: findings, coverage, and the verdict as the last line.

use core::fmt::Write as _;

use crate::model::{Coverage, Ending, Finding, Report};

/// Findings of one rule shown one by one; more are counted.
const SHOWN_PER_RULE: usize = 10;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::new();
    let mut rest = report.findings.as_slice();
    while let Some(first) = rest.first() {
        let same =
            rest.iter().take_while(|f| f.pack == first.pack && f.rule.id == first.rule.id).count();
        let (group, others) = rest.split_at(same);
        add_group(&mut text, first, group);
        rest = others;
    }
    if report.findings_omitted > 0 {
        let _ = writeln!(
            text,
            "{} more findings of the same rules are counted, not shown\n",
            report.findings_omitted
        );
    }
    add_coverage(&mut text, &report.coverage);
    let coverage = if report.is_complete() { "complete" } else { "incomplete" };
    let _ = writeln!(
        text,
        "verdict: {} (coverage {coverage}: {} files, {} bytes); next: {}",
        report.verdict.name(),
        report.coverage.files.read + report.coverage.files.partly,
        report.coverage.bytes,
        report.next_step()
    );
    text
}

fn add_group(text: &mut String, first: &Finding, group: &[Finding]) {
    let rule = &first.rule;
    let _ = writeln!(
        text,
        "{:?} · {}/{} · confidence {:?}",
        rule.level, first.pack, rule.id, rule.confidence
    );
    let _ = writeln!(text, "  {}", rule.reason);
    for finding in group.iter().take(SHOWN_PER_RULE) {
        let evidence = &finding.evidence;
        let _ = writeln!(text, "  at {}", evidence.place);
        if !evidence.excerpt.is_empty() {
            let _ = writeln!(text, "     {}", evidence.excerpt);
        }
        let mut facts = Vec::new();
        facts.extend(evidence.happened.map(|time| format!("happened {time}")));
        facts.extend(evidence.modified.map(|time| format!("changed {time}")));
        facts.extend(evidence.created.map(|time| format!("created {time}")));
        facts.extend(evidence.sha256.as_ref().map(|digest| format!("sha256 {digest}")));
        if !facts.is_empty() {
            let _ = writeln!(text, "     {}", facts.join(", "));
        }
    }
    if group.len() > SHOWN_PER_RULE {
        let _ = writeln!(text, "  and {} more places", group.len() - SHOWN_PER_RULE);
    }
    let _ = writeln!(text, "  source: {}", rule.source);
    let _ = writeln!(text, "  what to do: {}\n", rule.advice);
}

/// The lines of the coverage, for every form that is read by people.
pub(super) fn coverage_lines(coverage: &Coverage) -> Vec<String> {
    let files = &coverage.files;
    let mut lines = vec![format!(
        "files: {} found, {} read, {} in part, {} unreadable, {} links and devices, {} left out, {} changed meanwhile, {} in archives",
        files.found,
        files.read,
        files.partly,
        files.unreadable,
        files.special,
        files.excluded,
        files.changed,
        files.members
    )];
    for (area, counts) in &coverage.areas {
        lines.push(format!(
            "{}: {} existed, {} read, {} entries",
            area.name(),
            counts.existed,
            counts.read,
            counts.entries
        ));
    }
    for period in &coverage.periods {
        let missing = if period.missing.is_empty() {
            "no gaps".to_owned()
        } else {
            format!("missing {}", period.missing.join(", "))
        };
        lines.push(format!("{}: {} to {}, {missing}", period.log, period.from, period.until));
    }
    for pack in &coverage.packs {
        lines.push(format!(
            "rules: {} {} of {} ({}), {} of {} in force",
            pack.name,
            pack.version,
            pack.made.day(),
            pack.trust,
            pack.loaded,
            pack.expected
        ));
    }
    for (why, count) in &coverage.not_understood {
        lines.push(format!("not understood: {count} × {why}"));
    }
    for unreadable in coverage.unreadable.iter().take(20) {
        lines.push(format!("unreadable: {}: {}", unreadable.place, unreadable.why));
    }
    if coverage.unreadable_count > 20 {
        lines.push(format!("unreadable: {} places altogether", coverage.unreadable_count));
    }
    lines.push(format!(
        "self-test: {} of {} triggers found",
        coverage.self_test.0, coverage.self_test.1
    ));
    lines.push(match coverage.ending {
        Ending::Complete => "the scan went to its end".to_owned(),
        Ending::Interrupted => "the scan was interrupted".to_owned(),
        Ending::OutOfTime => "the time for the scan was up before its end".to_owned(),
    });
    lines
}

fn add_coverage(text: &mut String, coverage: &Coverage) {
    text.push_str("coverage\n");
    for line in coverage_lines(coverage) {
        let _ = writeln!(text, "  {line}");
    }
}
