//! What the state of evidence itself says: logs that were emptied, cut off or that skip. These rules need no pack, since whoever
//! wipes traces wipes them everywhere alike.

use crate::model::{Confidence, Evidence, Finding, Level, Rule};

/// Their findings name this in place of a pack.
pub const PACK: &str = "integrity";

/// A rule about evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IntegrityRule {
    id: &'static str,
    reason: &'static str,
    level: Level,
    confidence: Confidence,
    advice: &'static str,
}

/// A log of a series that speaks daily is silent on some days.
pub const DAYS_MISSING: IntegrityRule = IntegrityRule {
    id: "log.days-missing",
    reason: "days are missing from a log that has entries on the same weekdays before and after",
    level: Level::Suspicious,
    confidence: Confidence::Low,
    advice: "ask whether the server was off on these days; look for the same days in backups, load balancers and event logs",
};

/// Entries come before the log says what its columns are.
pub const HEAD_MISSING: IntegrityRule = IntegrityRule {
    id: "log.head-missing",
    reason: "the beginning of a log was removed: entries come before its head",
    level: Level::Suspicious,
    confidence: Confidence::Medium,
    advice: "compare with backups of this log, and find out who could write to its folder",
};

/// Zero bytes, as an editor in place or a crash leaves them.
pub const ZERO_BYTES: IntegrityRule = IntegrityRule {
    id: "log.zero-bytes",
    reason: "zero bytes stand in a text log",
    level: Level::Note,
    confidence: Confidence::Low,
    advice: "a crash leaves them at the end; in the middle somebody overwrote lines",
};

/// A rotated log ends in the middle of a line.
pub const CUT_OFF: IntegrityRule = IntegrityRule {
    id: "log.cut-off",
    reason: "a closed log ends in the middle of a line",
    level: Level::Note,
    confidence: Confidence::Low,
    advice: "a full disk or a crash does this, and so does a truncation; compare the time of its last line with the first of the next log",
};

/// A log of Windows was emptied.
pub const EVENTS_CLEARED: IntegrityRule = IntegrityRule {
    id: "evtx.cleared",
    reason: "an event log was cleared",
    level: Level::Suspicious,
    confidence: Confidence::Medium,
    advice: "ask the account that is named whether it did this; the events before are in backups and in central log stores",
};

/// Numbers of event records are missing in the middle of a log.
pub const RECORDS_MISSING: IntegrityRule = IntegrityRule {
    id: "evtx.records-missing",
    reason: "record numbers are missing in the middle of an event log",
    level: Level::Suspicious,
    confidence: Confidence::Low,
    advice: "Windows numbers records without gaps; a damaged disk also loses them, so look at the chunk that could not be read",
};

/// A finding of such a rule.
pub fn finding(rule: &IntegrityRule, evidence: Evidence) -> Finding {
    let rule = Rule {
        id: rule.id.to_owned(),
        reason: rule.reason.to_owned(),
        level: rule.level,
        confidence: rule.confidence,
        stage: None,
        source: "Bartizan".to_owned(),
        advice: rule.advice.to_owned(),
    };
    Finding::new(PACK, &rule, evidence)
}
