//! Jobs: delivered, judged, started, refused, ended; and the receipts of it all.

use anyhow::Result;
use bartizan_os::exec::{Report, Scanner};
use bartizan_proto::message::{JobMessage, JobPhase, Message};
use bartizan_trust::authorize::{Outcome, Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::State;
use bartizan_trust::statement::{Decision, StatementType};
use bartizan_trust::time::UnixSeconds;

use super::{Guard, facts, update};
use crate::folder::Started;
use crate::install::now;
use crate::jobs::{self, Awaited, Deed, Piece, RUNNING_MAX};
use crate::outbox::{RECEIPTS_MAX, REFUSALS_MAX};
use crate::receipts::{self, Account};

impl Guard {
    pub(super) fn take_job(&mut self, message: JobMessage) -> Result<()> {
        self.awaited = None;
        let envelope = Envelope::decode(&message.envelope).ok();
        let job = envelope.as_ref().map(Envelope::id);
        let is_policy = |envelope: &Envelope| envelope.kind() == Some(StatementType::Policy);
        if let Some(policy) = envelope.filter(is_policy) {
            return self.take_policy(&message, policy.id());
        }
        let known = |job: &StatementId| {
            self.running.contains_key(job) || self.state.orders.contains_key(job)
        };
        if let Some(job) = job.filter(known) {
            // The server lost the answer with a connection.
            self.send(self.taken(job, JobPhase::Running));
            return Ok(());
        }
        if self.running.len() >= RUNNING_MAX
            || self.outbox.len() >= RECEIPTS_MAX
            || self.results.are_full()
            || self.updating.holds_jobs()
        {
            if let Some(job) = job {
                self.send(self.taken(job, JobPhase::Waiting));
            }
            return Ok(());
        }
        let outcome = authorize(&self.state, &facts(), &jobs::delivery(&message, None));
        match outcome.verdict {
            Verdict::NeedContent(content) if content.size == 0 => self.judge(&message, &[]),
            Verdict::NeedContent(content) if update::is_update(&message) => {
                self.state = outcome.state;
                self.await_package(message, content)
            }
            Verdict::NeedContent(content) => {
                self.state = outcome.state;
                self.awaited = Some(Awaited::new(message, content));
                self.send(Message::ContentRequest { sha256: content.sha256, offset: 0 });
                Ok(())
            }
            Verdict::Refused(refusal) => self.refuse(refusal, outcome.job, outcome.state),
            // Without content there is no proof; `authorize` never says this here.
            Verdict::Run(_) | Verdict::Update(_) | Verdict::Scan(_) | Verdict::Stand(_) => Ok(()),
        }
    }

    pub(super) fn take_content(&mut self, piece: &Piece) -> Result<()> {
        let Some(mut awaited) = self.awaited.take() else { return Ok(()) };
        let taken = awaited.take(piece);
        if awaited.is_on_disk() && taken != Some(false) {
            self.updating.arrived = Some(awaited);
            return self.update_when_idle();
        }
        match taken {
            Some(true) => self.judge(&awaited.message, awaited.received()),
            // The server sends the rest by itself.
            Some(false) => {
                self.awaited = Some(awaited);
                Ok(())
            }
            // Other bytes than announced: let `authorize` say so, as it would of any wrong content.
            None => self.judge(&awaited.message, &piece.bytes),
        }
    }

    /// Decides with everything at hand, at the moment of the start.
    pub(super) fn judge(&mut self, message: &JobMessage, content: &[u8]) -> Result<()> {
        let Outcome { verdict, job, state, ignored, .. } =
            authorize(&self.state, &facts(), &jobs::delivery(message, Some(content)));
        for signature in ignored {
            eprintln!("signature {} does not count: {}", signature.index, signature.reason);
        }
        match verdict {
            Verdict::Run(proof) => self.begin(Deed::Script(proof), state),
            Verdict::Scan(proof) => {
                let pack_keys = self.pack_keys(&proof.statement().tenant);
                let scanner = Scanner { program: self.scanner.clone(), pack_keys };
                let keeping = self.results.begin(proof.job())?;
                self.begin(Deed::Scan(proof, scanner, keeping), state)
            }
            Verdict::Stand(order) => self.take_order(*order, &message.envelope, content, state),
            Verdict::Refused(refusal) => self.refuse(refusal, job, state),
            // A package is judged by `judge_package`.
            Verdict::NeedContent(_) | Verdict::Update(_) => Ok(()),
        }
    }

    fn begin(&mut self, deed: Deed, state: State) -> Result<()> {
        let job = deed.job();
        self.start(deed, None, state)?;
        self.send(self.taken(job, JobPhase::Running));
        Ok(())
    }

    /// Starts what may run. Note first, then the state, both durable before anything runs: a crash between the two leaves a
    /// note without an effect, a crash after them a receipt that says `interrupted`.
    pub(super) fn start(
        &mut self,
        deed: Deed,
        occurrence: Option<UnixSeconds>,
        state: State,
    ) -> Result<()> {
        let started = Started { job: deed.job(), t0: now(), occurrence };
        self.folder.note_started(&started)?;
        self.folder.store_state(&state)?;
        self.state = state;
        let place = jobs::Place {
            folder: self.folder.jobs(),
            groups: self.groups.clone(),
            events: self.sender.clone(),
        };
        let mut work = jobs::start(deed, started.t0, place, &self.launcher)?;
        work.occurrence = occurrence;
        self.running.insert(started.job, work);
        Ok(())
    }

    pub(super) fn refuse(
        &mut self,
        refusal: Refusal,
        job: Option<StatementId>,
        state: State,
    ) -> Result<()> {
        self.state = state;
        let Some(job) = job else {
            eprintln!("a delivery was refused: {refusal}");
            return Ok(());
        };
        if self.outbox.len() < REFUSALS_MAX && self.told.is_new(job, refusal.code()) {
            eprintln!("{job} refused: {refusal}; {}", refusal.advice());
            self.write_receipt(&Account::refused(job, refusal.code()))?;
        }
        self.send(self.taken(job, JobPhase::Refused));
        Ok(())
    }

    pub(super) fn finish(&mut self, job: StatementId, report: &Report) -> Result<()> {
        let work = self.running.remove(&job);
        let t0 = work.as_ref().map_or_else(now, |work| work.t0);
        let occurrence = work.as_ref().and_then(|work| work.occurrence);
        let mut account = Account::ended(job, t0, report).of_run(occurrence);
        if account.decision == Decision::Interrupted && work.is_some_and(|work| work.is_frozen()) {
            let withdrawn = self.state.withdrawals.contains(&job);
            let why = if withdrawn { Refusal::Withdrawn } else { Refusal::Frozen };
            account.code = why.code();
        }
        self.write_receipt(&account)?;
        self.folder.forget_started(job)
    }

    pub(super) fn taken(&self, job: StatementId, phase: JobPhase) -> Message {
        Message::JobTaken { job, phase, jobs_size: self.state.jobs.size }
    }

    /// The receipt is durable before the state that counts it, and both before it is sent.
    pub(super) fn write_receipt(&mut self, account: &Account<'_>) -> Result<()> {
        let (seq, envelope) = receipts::write(&self.device, &mut self.state, account)?;
        let envelope = envelope.encode();
        self.outbox.add(seq, envelope)?;
        self.folder.store_state(&self.state)?;
        self.send_receipts();
        Ok(())
    }
}
