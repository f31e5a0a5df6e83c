//! Monitoring policies: kept on the disk, judged again whenever trust moves; what they come to is looked at by a thread of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_os::files;
use bartizan_proto::message::{JobMessage, JobPhase};
use bartizan_trust::authorize::monitoring::{
    PolicyOutcome, PolicyVerdict, StandingPolicy, ends_policy, judge_policy, review_policy,
};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::monitoring::{EffectiveCheck, Why, effective};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::State;

use super::{Guard, facts};
use crate::checks::{Planned, Watcher};
use crate::folder::Folder;
use crate::jobs;
use crate::outbox::RECEIPTS_MAX;
use crate::receipts::Account;

/// How often it is asked whether a policy has ended.
const LOOK: Duration = Duration::from_secs(1);

/// The policies that stand here, and what looks.
pub(super) struct Policies {
    kept: BTreeMap<StatementId, StandingPolicy>,
    watcher: Watcher,
    looked: Option<Instant>,
}

impl Policies {
    pub(super) const fn new(watcher: Watcher) -> Self {
        Self { kept: BTreeMap::new(), watcher, looked: None }
    }
}

impl Guard {
    /// A policy came.
    pub(super) fn take_policy(&mut self, message: &JobMessage, id: StatementId) -> Result<()> {
        if self.policies.kept.contains_key(&id) {
            // The server lost the answer with a connection.
            self.send(self.taken(id, JobPhase::Running));
            return Ok(());
        }
        // A version on trial may be taken back, and its memory with it.
        if self.outbox.len() >= RECEIPTS_MAX || self.updating.holds_jobs() {
            self.send(self.taken(id, JobPhase::Waiting));
            return Ok(());
        }
        let delivery = jobs::delivery(message, None);
        let PolicyOutcome { verdict, policy, state, ignored } =
            judge_policy(&self.state, &facts(), &delivery);
        for signature in ignored {
            eprintln!("signature {} does not count: {}", signature.index, signature.reason);
        }
        match verdict {
            PolicyVerdict::Stand(standing) => self.keep_policy(*standing, message, state),
            PolicyVerdict::Refused(refusal) => self.refuse(refusal, policy, state),
        }
    }

    /// The envelope is durable before the state that counts on it, and both before anybody hears of it.
    fn keep_policy(
        &mut self,
        standing: StandingPolicy,
        message: &JobMessage,
        state: State,
    ) -> Result<()> {
        let id = standing.id();
        files::create_private_folder(&self.folder.policies())
            .context("create the folder for policies")?;
        let path = self.folder.policy(id);
        files::write_atomically(&path, &message.envelope)
            .with_context(|| format!("store {}; is the disk full?", path.display()))?;
        let replaced = self.policies.kept.keys().find(|known| !state.policies.stands(known));
        let replaced = replaced.copied();
        self.folder.store_state(&state)?;
        self.state = state;
        eprintln!("policy {id} stands here from now on");
        self.policies.kept.insert(id, standing);
        self.send(self.taken(id, JobPhase::Running));
        self.write_receipt(&Account::policy_standing(id))?;
        if let Some(replaced) = replaced {
            self.end_policy(replaced, Refusal::PolicyOld)?;
        }
        self.plan_checks();
        Ok(())
    }

    /// Reads what stood here before and judges it again. What is missing or damaged is over.
    pub(super) fn load_policies(&mut self) -> Result<()> {
        let standing: Vec<StatementId> = self.state.policies.standing().map(|p| p.id).collect();
        for id in standing {
            match self.reviewed(id) {
                Ok(policy) => {
                    self.policies.kept.insert(id, policy);
                }
                Err(refusal) => self.end_policy(id, refusal)?,
            }
        }
        self.remove_stray_policies();
        self.plan_checks();
        Ok(())
    }

    /// After the control log has moved: policies that no longer stand are over now.
    pub(super) fn review_policies(&mut self) -> Result<()> {
        for id in self.policies.kept.keys().copied().collect::<Vec<_>>() {
            match self.reviewed(id) {
                Ok(policy) => {
                    let held = policy.held();
                    let before = self.policies.kept.insert(id, policy);
                    if before.and_then(|before| before.held()) != held {
                        let how = held.map_or("stands whole", |refusal| refusal.code());
                        eprintln!("policy {id}: {how}");
                    }
                }
                Err(refusal) => self.end_policy(id, refusal)?,
            }
        }
        self.plan_checks();
        Ok(())
    }

    /// What ends with time, and what checks ask the guard's own memory.
    pub(super) fn look_at_policies(&mut self) -> Result<()> {
        if self.policies.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(());
        }
        self.policies.looked = Some(Instant::now());
        self.note_ended();
        let now = self.state.now(&facts());
        let over = |policy: &StandingPolicy| policy.policy().until <= now;
        let over: Vec<StatementId> =
            self.policies.kept.values().filter(|p| over(p)).map(StandingPolicy::id).collect();
        if over.is_empty() {
            return Ok(());
        }
        over.into_iter().try_for_each(|id| self.end_policy(id, Refusal::Expired))?;
        self.plan_checks();
        Ok(())
    }

    fn reviewed(&self, id: StatementId) -> Result<StandingPolicy, Refusal> {
        let bytes = files::read_own(&self.folder.policy(id)).map_err(|_| Refusal::PolicyUnknown)?;
        let envelope = Envelope::decode(&bytes).ok().filter(|envelope| envelope.id() == id);
        if envelope.is_none() {
            return Err(Refusal::PolicyUnknown);
        }
        review_policy(&self.state, &facts(), &bytes)
    }

    fn end_policy(&mut self, id: StatementId, refusal: Refusal) -> Result<()> {
        if !ends_policy(refusal) {
            // Without a bundle nothing can be judged yet; it is judged once there is one.
            return Ok(());
        }
        eprintln!("policy {id} is over: {refusal}; {}", refusal.advice());
        self.policies.kept.remove(&id);
        self.state.policies.end(id);
        self.write_receipt(&Account::order_over(id, refusal.code()))?;
        files::remove_durably(&self.folder.policy(id)).context("remove a policy")
    }

    fn remove_stray_policies(&self) {
        let Ok(entries) = std::fs::read_dir(self.folder.policies()) else { return };
        for path in entries.flatten().map(|entry| entry.path()) {
            let id = path.file_stem().and_then(|stem| stem.to_str()?.parse::<StatementId>().ok());
            if id.is_none_or(|id| !self.state.policies.stands(&id)) {
                let _ = std::fs::remove_file(path);
            }
        }
    }

    /// Tells those who look what there is to look at.
    fn plan_checks(&self) {
        let policies: Vec<_> = self
            .policies
            .kept
            .values()
            .map(|standing| (standing.id(), standing.policy()))
            .collect();
        let found = effective(&policies);
        for passed in found.passed_over.iter().filter(|passed| passed.why == Why::Beyond) {
            eprintln!("check {} is one too many", passed.check.check.id);
        }
        let held = |id| self.policies.kept.get(&id).is_some_and(|kept| kept.held().is_some());
        let planned = |found: &EffectiveCheck<'_>| Planned {
            policy: found.policy,
            check: found.check.clone(),
            held: held(found.policy),
        };
        self.policies.watcher.plan(found.checks.iter().map(planned).collect());
    }

    /// How standing orders ended, for checks that ask.
    fn note_ended(&self) {
        let ended = self.state.orders.iter().filter_map(|(id, order)| Some((*id, order.ended?)));
        self.policies.watcher.note_ended(ended.collect());
    }

    pub(super) fn end_checks(&mut self) {
        self.policies.watcher.end();
    }
}

impl Folder {
    fn policy(&self, id: StatementId) -> PathBuf {
        self.policies().join(format!("{id}.json"))
    }
}
