//! Rows of the store as the operator plane shows them.

use bartizan_proto::operator::{
    EndpointBrief, EndpointLink, EndpointRow, JobRow, JobState, Standing, TargetRow, TargetState,
};
use bartizan_store::{BriefRecord, EndpointRecord, JobRecord, TargetRecord};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{Class, Decision, Job};
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;

const DECISIONS: [Decision; 7] = [
    Decision::Refused,
    Decision::Done,
    Decision::Failed,
    Decision::TimedOut,
    Decision::Interrupted,
    Decision::Standing,
    Decision::Ended,
];

/// A decision's name in the database.
pub(crate) const fn decision_name(decision: Decision) -> &'static str {
    match decision {
        Decision::Refused => "refused",
        Decision::Done => "done",
        Decision::Failed => "failed",
        Decision::TimedOut => "timed_out",
        Decision::Interrupted => "interrupted",
        Decision::Standing => "standing",
        Decision::Ended => "ended",
    }
}

/// A state that was written by hand and means nothing shows as queued.
fn target_state(state: &str, code: Option<&str>) -> TargetState {
    match state {
        "delivered" => TargetState::Delivered,
        "refused" if waits(code) => TargetState::Waiting,
        "refused" => TargetState::Refused,
        "running" => TargetState::Running,
        "done" => TargetState::Done,
        "failed" => TargetState::Failed,
        "expired" => TargetState::Expired,
        "cancelled" => TargetState::Cancelled,
        _ => TargetState::Queued,
    }
}

/// A target.
pub(crate) fn target_row(record: &TargetRecord) -> TargetRow {
    let decision = record.decision.as_deref();
    TargetRow {
        endpoint: record.endpoint,
        state: target_state(&record.state, record.code.as_deref()),
        code: record.code.clone(),
        decision: DECISIONS.into_iter().find(|known| Some(decision_name(*known)) == decision),
        exit: record.exit,
    }
}

/// Whether a refusal says that the endpoint goes on by itself, or with the next stage.
fn waits(code: Option<&str>) -> bool {
    let waiting = [Refusal::NotPromoted, Refusal::StageSoaks, Refusal::DelayRuns];
    waiting.iter().any(|refusal| Some(refusal.code()) == code)
}

/// A job's state; one that means nothing shows as pending.
pub(crate) fn job_state(text: &str) -> JobState {
    match text {
        "active" => JobState::Active,
        "finished" => JobState::Finished,
        "expired" => JobState::Expired,
        "cancelled" => JobState::Cancelled,
        _ => JobState::Pending,
    }
}

/// A job.
pub(crate) fn job_row(record: &JobRecord) -> JobRow {
    let envelope = Envelope::decode(&record.envelope).ok();
    let job = envelope.and_then(|envelope| envelope.statement::<Job>().ok());
    let tenant = job.as_ref().map(|job| job.tenant.clone());
    let trigger = job.and_then(|job| job.trigger);
    let class = Class::ALL.iter().copied().find(|class| class.name() == record.class);
    JobRow {
        id: record.id,
        state: job_state(&record.state),
        class: class.unwrap_or(Class::Fleet),
        title: record.title.clone(),
        at: UnixSeconds::new(record.submitted),
        targets: record.targets,
        until: trigger.map(|trigger| trigger.until),
        tenant,
        author: None,
        counts: Vec::new(),
        log_index: Some(record.log_index),
    }
}

/// Where so many targets of a job stand, from states as they are stored.
pub(crate) fn state_counts(stored: &[(String, Option<String>, u64)]) -> Vec<(TargetState, u64)> {
    let mut counts: Vec<(TargetState, u64)> = Vec::new();
    for (state, code, count) in stored {
        let state = target_state(state, code.as_deref());
        match counts.iter_mut().find(|(known, _)| *known == state) {
            Some((_, sum)) => *sum += count,
            None => counts.push((state, *count)),
        }
    }
    counts
}

/// An endpoint without its envelopes.
pub(crate) fn endpoint_brief(record: BriefRecord, connected: bool) -> EndpointBrief {
    EndpointBrief {
        id: record.id,
        tenant: record.tenant,
        site: record.site,
        hostname: record.hostname,
        os: record.os,
        link: match (record.admitted, connected) {
            (false, _) => EndpointLink::Quarantined,
            (true, true) => EndpointLink::Connected,
            (true, false) => EndpointLink::Away,
        },
        last_seen: record.last_seen.map(UnixSeconds::new),
    }
}

/// An endpoint.
pub(crate) fn endpoint_row(record: EndpointRecord, connected: bool) -> EndpointRow {
    EndpointRow {
        id: record.id,
        tenant: record.tenant,
        site: record.site,
        hostname: record.hostname,
        os: record.os,
        standing: if record.admitted { Standing::Admitted } else { Standing::Quarantined },
        connected,
        last_seen: record.last_seen.map(UnixSeconds::new),
        descriptor: BASE64.encode(&record.descriptor),
        enrolment: BASE64.encode(&record.enrolment),
        receipt: record.receipt.map(|envelope| BASE64.encode(&envelope)),
    }
}
