//! Writing receipts: signed, chained, durable before they leave.

use anyhow::Result;
use bartizan_os::exec::{Ending, Report};
use bartizan_proto::message::Place;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::state::State;
use bartizan_trust::statement::{Decision, Output, Receipt, SignatureRole, V1};
use bartizan_trust::time::UnixSeconds;

use crate::device::DeviceKey;
use crate::install::now;
use crate::trial::Trial;

/// How a freeze came. What the network half says of it is not proven; the freeze itself is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Server,
    Log,
    Mirror,
    Lan,
    File,
}

impl Way {
    /// What the receipt says.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Server => "freeze.by_server",
            Self::Log => "freeze.by_log",
            Self::Mirror => "freeze.by_mirror",
            Self::Lan => "freeze.by_lan",
            Self::File => "freeze.by_file",
        }
    }

    /// For people.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Server => "from the server",
            Self::Log => "by the control log",
            Self::Mirror => "from a mirror",
            Self::Lan => "from the local network",
            Self::File => "from a file",
        }
    }
}

impl From<Place> for Way {
    fn from(place: Place) -> Self {
        match place {
            Place::Mirror => Self::Mirror,
            Place::Lan => Self::Lan,
        }
    }
}

/// What a receipt says of one job.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account<'a> {
    pub(crate) job: StatementId,
    pub(crate) occurrence: Option<UnixSeconds>,
    pub(crate) decision: Decision,
    pub(crate) code: &'a str,
    pub(crate) t0: UnixSeconds,
    pub(crate) exit: Option<i32>,
    pub(crate) output: Output,
    /// Of a scan: which scanner ran.
    pub(crate) program: Option<Sha256>,
}

impl<'a> Account<'a> {
    /// A refusal.
    pub(crate) fn refused(job: StatementId, code: &'a str) -> Self {
        Self::without_run(job, Decision::Refused, code)
    }

    /// The guard or the machine stopped while the job ran.
    pub(crate) fn interrupted(job: StatementId, t0: UnixSeconds) -> Self {
        Self {
            job,
            occurrence: None,
            decision: Decision::Interrupted,
            code: "exec.interrupted",
            t0,
            exit: None,
            output: no_output(),
            program: None,
        }
    }

    /// This endpoint stands still.
    pub(crate) fn frozen(freeze: StatementId, way: Way) -> Self {
        Self::without_run(freeze, Decision::Done, way.code())
    }

    /// A standing order was taken in.
    pub(crate) fn standing(order: StatementId) -> Self {
        Self::without_run(order, Decision::Standing, "order.standing")
    }

    /// A policy was taken in.
    pub(crate) fn policy_standing(policy: StatementId) -> Self {
        Self::without_run(policy, Decision::Standing, "policy.standing")
    }

    /// A standing order or a policy is over.
    pub(crate) fn order_over(order: StatementId, code: &'a str) -> Self {
        Self::without_run(order, Decision::Ended, code)
    }

    /// The same of one run of a standing order.
    pub(crate) fn of_run(self, occurrence: Option<UnixSeconds>) -> Self {
        Self { occurrence, ..self }
    }

    fn without_run(job: StatementId, decision: Decision, code: &'a str) -> Self {
        let (exit, output, program) = (None, no_output(), None);
        Self { job, occurrence: None, decision, code, t0: now(), exit, output, program }
    }

    /// What became of an update.
    pub(crate) fn update(trial: &Trial, decision: Decision, code: &'a str) -> Self {
        let (job, t0) = (trial.job, trial.t0);
        let (exit, output, program) = (None, no_output(), None);
        Self { job, occurrence: None, decision, code, t0, exit, output, program }
    }

    /// A run that ended.
    pub(crate) fn ended(job: StatementId, t0: UnixSeconds, report: &Report) -> Self {
        let (decision, code, exit) = match report.ending {
            Ending::Exited(status) if report.program.is_some() => scanned(status),
            Ending::Exited(0) => (Decision::Done, "ok", Some(0)),
            Ending::Exited(status) => (Decision::Failed, "exec.exit_status", Some(status)),
            Ending::TimedOut => (Decision::TimedOut, "exec.timeout", None),
            Ending::Interrupted => (Decision::Interrupted, "exec.interrupted", None),
            Ending::NotStarted(code) => (Decision::Failed, code, None),
        };
        let (output, program) = (report.output, report.program);
        Self { job, occurrence: None, decision, code, t0, exit, output, program }
    }
}

/// Makes the next receipt of the chain; the state moves on with it.
pub(crate) fn write(
    device: &DeviceKey,
    state: &mut State,
    account: &Account<'_>,
) -> Result<(u64, Envelope)> {
    let receipt = Receipt {
        v: V1,
        org: state.org,
        iat: now(),
        crit: Vec::new(),
        endpoint: state.endpoint,
        seq: state.receipt_seq + 1,
        prev: state.receipt_prev,
        job: account.job,
        occurrence: account.occurrence,
        decision: account.decision,
        code: account.code.to_owned(),
        t0: account.t0,
        t1: now().max(account.t0),
        exit: account.exit,
        output: account.output,
        program: account.program,
        state: state.summary(),
    };
    let mut envelope = Envelope::new(&receipt);
    device.sign(&mut envelope, SignatureRole::Receipt)?;
    state.record_receipt(envelope.id(), &receipt);
    Ok((receipt.seq, envelope))
}

/// What a scan came to: its exit status is its verdict. SPEC: scan.md "What comes back"
const fn scanned(status: i32) -> (Decision, &'static str, Option<i32>) {
    match status {
        0 => (Decision::Done, "ok", Some(0)),
        1 => (Decision::Done, "scan.suspicious", Some(1)),
        2 => (Decision::Done, "scan.compromised", Some(2)),
        3 => (Decision::Done, "scan.incomplete", Some(3)),
        status => (Decision::Failed, "scan.failed", Some(status)),
    }
}

fn no_output() -> Output {
    Output { sha256: Sha256::of(b""), size: 0 }
}
