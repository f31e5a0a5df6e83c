//! The decision: may this job run here, now? Specification: `docs/spec/verification.md`.
#![expect(clippy::todo, reason = "skeleton")]

use crate::envelope::IgnoredSignature;
use crate::id::{OperatorId, Sha256, StatementId};
use crate::refusal::Refusal;
use crate::state::{LocalFacts, State};
use crate::statement::{Class, Job, Script};

/// A job with its evidence, as delivered.
#[derive(Debug, Clone, Copy)]
pub struct JobDelivery<'a> {
    /// The exact logged envelope.
    pub envelope: &'a [u8],
    /// C2SP `tlog-proof`.
    pub proof: &'a [u8],
    /// Consistency between the last seen checkpoint and the proof's.
    pub consistency: &'a [Sha256],
    /// This endpoint's stage.
    pub stage: u32,
    /// Its place in the target tree.
    pub index: u32,
    /// Its path.
    pub path: &'a [Sha256],
    /// The content; `None` when it has not arrived yet.
    pub content: Option<&'a [u8]>,
}

/// Proof that an action may run on this endpoint now. Made by [`authorize`] only; used once.
#[derive(Debug)]
pub struct Authorized<A> {
    job: StatementId,
    statement: Job,
    action: A,
    content: Vec<u8>,
    signers: Vec<OperatorId>,
}

impl Authorized<Script> {
    /// Which job.
    pub fn job(&self) -> StatementId { self.job }
    /// The whole statement.
    pub fn statement(&self) -> &Job { &self.statement }
    /// What to run.
    pub fn action(&self) -> &Script { &self.action }
    /// The verified content.
    pub fn content(&self) -> &[u8] { &self.content }
    /// Author first, then approvers.
    pub fn signers(&self) -> &[OperatorId] { &self.signers }
}

/// What became of a delivery.
#[derive(Debug)]
pub enum Verdict {
    /// Run it. The state must be durable before the proof is used.
    Run(Box<Authorized<Script>>),
    /// Everything but the content is right: fetch it and deliver again. Nothing was used up.
    NeedContent(crate::statement::Content),
    /// No.
    Refused(Refusal),
}

/// A decision and the state it leaves.
#[derive(Debug)]
pub struct Outcome {
    /// Run, or not.
    pub verdict: Verdict,
    /// The job's id, if the envelope could be read at all.
    pub job: Option<StatementId>,
    /// The class that was judged, once known.
    pub class: Option<Class>,
    /// The state afterwards; equal to the one before unless `Run` or the jobs view moved.
    pub state: State,
    /// Signatures that did not count, for the audit.
    pub ignored: Vec<IgnoredSignature>,
}

/// Decides. Pure: no IO, no clock, no randomness.
pub fn authorize(_state: &State, _facts: &LocalFacts<'_>, _delivery: &JobDelivery<'_>) -> Outcome {
    todo!()
}
