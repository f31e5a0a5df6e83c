//! Rules taken out one at a time, to see whether the model notices. The code stays as it is: what it is shown, or what it
//! remembers, is changed so that it decides as if the rule were not there.

use bartizan_testkit::world::{Delivery, World};
use bartizan_trust::authorize::{Outcome, authorize};
use bartizan_trust::control::{ControlUpdate, SkippedEntry, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::freezes::Freezes;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::SignatureRole::{Approve, Author};
use bartizan_trust::time::UnixSeconds;

use super::cast::Cast;

/// A rule that is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mutation {
    /// An author's own approval counts.
    AuthorMayApprove,
    /// Nobody else needs to sign.
    NoApprovals,
    /// Operators who were removed count.
    RemovedPeopleCount,
    /// Every endpoint is listed.
    EverybodyIsListed,
    /// Nothing is remembered of what ran.
    NoSeenSet,
    /// After a loss of state, old jobs are taken.
    LossForgetsEverything,
    /// The window is judged by the local clock alone.
    LocalClockOnly,
    /// No witness is needed.
    NoWitnesses,
    /// Freezes cover nothing.
    FreezesCoverNothing,
    /// The control view never grows stale.
    NoFreshness,
    /// One root signature is enough for the next bundle.
    OneRootSignature,
    /// A weakening does not wait.
    NoDelay,
}

impl Mutation {
    pub(super) fn authorize(
        self,
        cast: &Cast,
        state: &State,
        facts: &LocalFacts<'_>,
        delivery: &Delivery,
    ) -> Outcome {
        let shown = self.shown(cast, state, facts, delivery);
        let mut outcome = authorize(&shown, facts, &delivery.as_ref());
        // The rule is gone, not what the endpoint knows.
        outcome.state.endpoint = state.endpoint;
        outcome.state.trust.clone_from(&state.trust);
        outcome.state.freezes.clone_from(&state.freezes);
        outcome.state.control_seen_at = state.control_seen_at;
        outcome.state.floor = outcome.state.floor.max(state.floor);
        let started = std::mem::take(&mut outcome.state.seen);
        outcome.state.seen = state.seen.clone().into_iter().chain(started).collect();
        outcome
    }

    /// What the endpoint is made to believe.
    fn shown(
        self,
        cast: &Cast,
        state: &State,
        facts: &LocalFacts<'_>,
        delivery: &Delivery,
    ) -> State {
        let mut shown = state.clone();
        let rules = shown.trust.iter_mut().flat_map(|trust| &mut trust.bundle.classes);
        match self {
            Self::AuthorMayApprove => {
                if approves_own(delivery) {
                    rules.for_each(|rule| rule.approvals = rule.approvals.saturating_sub(1));
                }
            }
            Self::NoApprovals => rules.for_each(|rule| rule.approvals = 0),
            Self::NoWitnesses => rules.for_each(|rule| "none".clone_into(&mut rule.witnesses)),
            Self::RemovedPeopleCount => {
                if let Some(trust) = &mut shown.trust {
                    trust.bundle.operators.clone_from(&cast.world.bundle.operators);
                }
            }
            Self::EverybodyIsListed => shown.endpoint = World::endpoint_id(0).unwrap(),
            Self::NoSeenSet => shown.seen.clear(),
            Self::LocalClockOnly => {
                shown.floor = UnixSeconds::ZERO;
                // Or the view is fresh by the same clock.
                shown.control_seen_at = facts.now.max(state.control_seen_at);
            }
            Self::FreezesCoverNothing => shown.freezes = Freezes::new(),
            Self::NoFreshness => shown.control_seen_at = UnixSeconds::new(u64::MAX),
            Self::LossForgetsEverything | Self::OneRootSignature | Self::NoDelay => {}
        }
        shown
    }

    pub(super) fn replay(
        self,
        state: &State,
        facts: &LocalFacts<'_>,
        update: &ControlUpdate<'_>,
    ) -> Result<(State, Vec<SkippedEntry>), Refusal> {
        let mut shown = state.clone();
        if let Some(trust) = &mut shown.trust {
            match self {
                Self::OneRootSignature => trust.bundle.root.threshold = 1,
                Self::NoDelay => trust.bundle.weaken_delay_s = 0,
                _ => {}
            }
        }
        let (mut next, skipped) = replay(&shown, facts, update)?;
        if next.trust == shown.trust {
            next.trust.clone_from(&state.trust);
        }
        Ok((next, skipped))
    }
}

fn approves_own(delivery: &Delivery) -> bool {
    let Ok(envelope) = Envelope::decode(&delivery.envelope) else { return false };
    let (verified, _) = envelope.verify_signatures();
    verified
        .iter()
        .filter(|one| one.role == Author)
        .any(|author| verified.iter().any(|other| other.role == Approve && other.key == author.key))
}
