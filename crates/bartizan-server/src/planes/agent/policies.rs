//! Delivering monitoring policies to the endpoints of their places, as jobs are delivered. Endpoints judge them.

use anyhow::Result;
use bartizan_proto::message::{JobMessage, Message};
use bartizan_store::{PolicyRecord, PolicyTarget};
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::statement::Class;
use tokio::time::Instant;

use super::delivery::{Attempt, InFlight, is_terminal, passes_with_time};
use super::session::Session;
use crate::app::Organisation;
use crate::logs::Covered;
use crate::metrics::count;

/// A policy that may still have to reach an endpoint.
pub(super) type Due = (PolicyRecord, PolicyTarget);

/// Of the active policies of an endpoint's places, those that it does not have and may still take.
pub(super) fn due(organisation: &Organisation, all: Vec<Due>) -> Vec<Due> {
    let wanted = |(policy, target): &Due| {
        let open = matches!(target.state.as_str(), "queued" | "delivered" | "refused");
        let withdrawn = organisation.view.withdrawals.contains(&policy.id);
        open && !withdrawn && !is_terminal(target.code.as_deref())
    };
    all.into_iter().filter(wanted).collect()
}

impl Session {
    /// True when it went out.
    pub(super) async fn deliver_policy(
        &mut self,
        organisation: &Organisation,
        (policy, target): &Due,
    ) -> Result<bool> {
        let attempt = self.attempts.get(&policy.id);
        if attempt.is_some_and(|attempt| Instant::now() < attempt.not_before) {
            return Ok(false);
        }
        let Some(covered) = self.covering_policy(organisation, policy) else { return Ok(false) };
        let log = &self.app.logs.jobs;
        let Some(proof) = log.proof(policy.log_index, &covered) else { return Ok(false) };
        let version = organisation.bundle().version;
        let evidence = Sha256::of_parts(&[
            &policy.envelope,
            &policy.log_index.to_be_bytes(),
            &version.to_be_bytes(),
        ]);
        let unchanged = attempt.is_some_and(|attempt| attempt.evidence == evidence);
        if unchanged && target.state == "refused" && !passes_with_time(target.code.as_deref()) {
            return Ok(false);
        }
        let tried = attempt.map_or(0, |attempt| attempt.count);
        let consistency = log.consistency(self.jobs_size, covered.size);
        self.push_control(true).await?;
        self.note_attempt(policy.id, Attempt::next(evidence, tried));
        self.in_flight = Some(InFlight::begin(policy.id));
        let envelope = policy.envelope.clone();
        let (path, promotions) = (Vec::new(), Vec::new());
        let message =
            JobMessage { envelope, proof, consistency, stage: 0, index: 0, path, promotions };
        self.send(&Message::Job(message)).await?;
        count(&self.app.metrics.jobs_delivered);
        self.move_policy(policy.id, "delivered").await?;
        Ok(true)
    }

    /// Takes note of where a policy stands without a receipt.
    pub(super) async fn move_policy(&self, policy: StatementId, state: &'static str) -> Result<()> {
        let id = self.id;
        Ok(self.app.db.write(move |tx| tx.move_policy(policy, id, state)).await?)
    }

    fn covering_policy(
        &self,
        organisation: &Organisation,
        policy: &PolicyRecord,
    ) -> Option<Covered> {
        let witnesses = &organisation.log.policy;
        let rule = organisation.bundle().class_rule(Class::Observe);
        let group = rule.map_or_else(|| witnesses.quorum(), |rule| rule.witnesses.as_str());
        self.app.logs.jobs.covered(witnesses, group, policy.log_index.saturating_add(1))
    }
}
