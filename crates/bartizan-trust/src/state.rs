//! What an endpoint remembers: the argument and the result of every decision.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::chain::PendingBundle;
use crate::freezes::Freezes;
use crate::id::{Anchor, EndpointId, OperatorId, OrgId, Sha256, SiteId, StatementId, TenantId};
use crate::limits;
use crate::merkle::Frontier;
use crate::monitoring::Policies;
use crate::standing::{EndedRun, OrderState};
use crate::statement::{Bundle, Class, Decision, Job, MonitoringPolicy, Receipt, StateSummary};
use crate::time::UnixSeconds;
use crate::withdrawals::Withdrawals;

/// Everything persistent. One JSON file, written atomically by the guard.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Format version of this file.
    pub format: u32,
    /// The organisation, from the anchor.
    pub org: OrgId,
    /// This endpoint.
    pub endpoint: EndpointId,
    /// What the control log said, once it was replayed to a bundle.
    pub trust: Option<TrustState>,
    /// Bundles that wait for their delay.
    #[serde(default)]
    pub pending: Vec<PendingBundle>,
    /// When the organisation began.
    #[serde(default)]
    pub genesis_at: UnixSeconds,
    /// What stands still.
    #[serde(default)]
    pub freezes: Freezes,
    /// Where this endpoint belongs, once its enrolment was verified against the bundle.
    pub membership: Option<Membership>,
    /// Control entries replayed.
    pub control: Frontier,
    /// Newest quorum time of a control checkpoint: how fresh the control view is.
    pub control_seen_at: UnixSeconds,
    /// Last seen checkpoint of the jobs log.
    pub jobs: JobsView,
    /// Witness time: never goes back.
    pub floor: UnixSeconds,
    /// Jobs made before this are refused: set when state was lost.
    pub replay_floor: UnixSeconds,
    /// The highest version that was confirmed here: no update goes back to it or below.
    #[serde(default)]
    pub version_floor: Option<String>,
    /// Accepted jobs and the end of their windows.
    pub seen: BTreeMap<StatementId, UnixSeconds>,
    /// Jobs that wait for their class's delay.
    #[serde(default)]
    pub waiting: BTreeMap<StatementId, Waiting>,
    /// Jobs that ended well, and the end of their windows; for `after`.
    pub succeeded: BTreeMap<StatementId, UnixSeconds>,
    /// Content that was countersigned when it ran here.
    pub reviewed: BTreeSet<Sha256>,
    /// Starts that may lie within the last hour, per class.
    pub starts: BTreeMap<Class, Vec<UnixSeconds>>,
    /// The same per operator who signed, over all classes.
    #[serde(default)]
    pub signed_starts: BTreeMap<OperatorId, Vec<UnixSeconds>>,
    /// Standing orders.
    #[serde(default)]
    pub orders: BTreeMap<StatementId, OrderState>,
    /// The newest runs of standing orders per class, as many as the class allows within an hour.
    #[serde(default)]
    pub runs: BTreeMap<Class, Vec<UnixSeconds>>,
    /// Monitoring policies.
    #[serde(default, skip_serializing_if = "Policies::is_empty")]
    pub policies: Policies,
    /// What was taken back.
    #[serde(default)]
    pub withdrawals: Withdrawals,
    /// Number of the last receipt.
    pub receipt_seq: u64,
    /// The last receipt.
    pub receipt_prev: Option<StatementId>,
}

/// The bundle an endpoint believes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustState {
    /// Its digest.
    pub id: StatementId,
    /// The bundle.
    pub bundle: Bundle,
}

/// Where an endpoint belongs, by a signed enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The enrolment.
    pub enrolment: StatementId,
    /// Whose endpoint.
    pub tenant: TenantId,
    /// Where it stands.
    pub site: SiteId,
}

/// The endpoint's own note that its enrolment was verified here while it was good. Kept apart from the state, so that whoever
/// loses the state is still who it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Joined {
    /// In which organisation.
    pub org: OrgId,
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// By which enrolment.
    pub enrolment: StatementId,
}

impl Joined {
    /// What a member notes.
    pub fn of(state: &State) -> Option<Self> {
        let enrolment = state.membership.as_ref()?.enrolment;
        Some(Self { org: state.org, endpoint: state.endpoint, enrolment })
    }
}

/// A job whose delay runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// Witness time at which it was first seen.
    pub since: UnixSeconds,
    /// The end of its window.
    pub exp: UnixSeconds,
}

/// What was last seen of the jobs log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobsView {
    /// Size.
    pub size: u64,
    /// Root.
    pub root: Sha256,
}

/// Facts the guard reads just before it asks for a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalFacts<'a> {
    /// The local clock.
    pub now: UnixSeconds,
    /// Version of this agent.
    pub agent_version: &'a str,
}

impl State {
    /// A new endpoint that knows nothing but its anchor and its key.
    pub fn new(anchor: Anchor, endpoint: EndpointId) -> Self {
        Self {
            format: 1,
            org: anchor.org(),
            endpoint,
            trust: None,
            pending: Vec::new(),
            genesis_at: UnixSeconds::ZERO,
            freezes: Freezes::default(),
            membership: None,
            control: Frontier::default(),
            control_seen_at: UnixSeconds::ZERO,
            jobs: JobsView { size: 0, root: crate::merkle::empty_root() },
            floor: UnixSeconds::ZERO,
            replay_floor: UnixSeconds::ZERO,
            version_floor: None,
            seen: BTreeMap::new(),
            waiting: BTreeMap::new(),
            succeeded: BTreeMap::new(),
            reviewed: BTreeSet::new(),
            starts: BTreeMap::new(),
            signed_starts: BTreeMap::new(),
            orders: BTreeMap::new(),
            runs: BTreeMap::new(),
            policies: Policies::new(),
            withdrawals: Withdrawals::new(),
            receipt_seq: 0,
            receipt_prev: None,
        }
    }

    /// The later of the local clock and witness time.
    pub fn now(&self, facts: &LocalFacts<'_>) -> UnixSeconds {
        facts.now.max(self.floor)
    }

    /// Takes note of a receipt that was made: the chain goes on from it, and later jobs may wait for it.
    pub fn record_receipt(&mut self, id: StatementId, receipt: &Receipt) {
        self.receipt_seq = receipt.seq;
        self.receipt_prev = Some(id);
        if let Some(due) = receipt.occurrence {
            if let Some(order) = self.orders.get_mut(&receipt.job) {
                let well = receipt.decision == Decision::Done;
                order.ended = Some(EndedRun { due, well, exit: receipt.exit });
            }
            return;
        }
        if receipt.decision == Decision::Done
            && let Some(exp) = self.seen.get(&receipt.job)
        {
            self.succeeded.insert(receipt.job, *exp);
        }
    }

    /// Witness time moves forward, and with it what need not be remembered any longer.
    pub(crate) fn advance_floor(&mut self, witnessed_at: UnixSeconds) {
        self.floor = self.floor.max(witnessed_at);
    }

    /// Jobs that must still be remembered: their windows are not over by witness time. The local
    /// clock does not count here, since setting it forward and back would let a job run again.
    pub(crate) fn remembered(&self) -> usize {
        self.seen.values().filter(|exp| **exp > self.floor).count()
    }

    /// Whether a job ended well here and is still remembered: forgetting follows witness time, not the
    /// moment at which the map happens to be pruned.
    pub(crate) fn has_succeeded(&self, job: &StatementId) -> bool {
        self.succeeded.get(job).is_some_and(|exp| *exp > self.floor)
    }

    /// Since when something waits for its delay: from now on, if it is new; not longer than to its end. `None` when too many wait.
    pub(crate) fn waits_since(&mut self, id: StatementId, exp: UnixSeconds) -> Option<UnixSeconds> {
        if let Some(waiting) = self.waiting.get(&id) {
            return Some(waiting.since);
        }
        let floor = self.floor;
        self.waiting.retain(|_, waiting| waiting.exp > floor);
        if self.waiting.len() >= limits::WAITING_MAX {
            return None;
        }
        self.waiting.insert(id, Waiting { since: floor, exp });
        Some(floor)
    }

    /// Starts of a class within the hour before `now`.
    pub(crate) fn starts_within_hour(&self, class: Class, now: UnixSeconds) -> usize {
        self.starts.get(&class).map_or(0, |starts| within_hour(starts, now))
    }

    /// Starts within the hour before `now` that one of these people has signed: of the busiest of them.
    pub(crate) fn signed_within_hour(&self, signers: &[OperatorId], now: UnixSeconds) -> usize {
        let of = |who| self.signed_starts.get(who).map_or(0, |starts| within_hour(starts, now));
        signers.iter().map(of).max().unwrap_or(0)
    }

    /// A job starts: it never starts again.
    pub(crate) fn record_start(
        &mut self,
        id: StatementId,
        job: &Job,
        signers: &[OperatorId],
        reviewed: Option<Sha256>,
        now: UnixSeconds,
    ) {
        let floor = self.floor;
        self.seen.retain(|_, exp| *exp > floor);
        self.succeeded.retain(|_, exp| *exp > floor);
        self.seen.insert(id, job.window.exp);
        self.waiting.remove(&id);
        self.count_start(job.class, signers, now);
        if let Some(content) = reviewed {
            self.reviewed.insert(content);
            if self.reviewed.len() > limits::REVIEWED_MAX {
                // Forgetting is safe: the content counts as new again.
                self.reviewed.pop_first();
            }
        }
    }

    /// A policy is taken in, and counts like a start.
    pub(crate) fn record_policy(
        &mut self,
        id: StatementId,
        policy: &MonitoringPolicy,
        signers: &[OperatorId],
        now: UnixSeconds,
    ) {
        self.policies.take(id, policy, self.floor);
        self.waiting.remove(&id);
        self.count_start(policy.class, signers, now);
    }

    fn count_start(&mut self, class: Class, signers: &[OperatorId], now: UnixSeconds) {
        self.starts.entry(class).or_default().push(now);
        for operator in signers {
            self.signed_starts.entry(operator.clone()).or_default().push(now);
        }
        let floor = self.floor;
        // By witness time, which never goes back: a clock set forward and back forgets nothing.
        let lately = |starts: &mut Vec<UnixSeconds>| {
            starts.retain(|at| floor.since(*at) < 3600);
            !starts.is_empty()
        };
        self.starts.retain(|_, starts| lately(starts));
        self.signed_starts.retain(|_, starts| lately(starts));
    }

    /// What a receipt says of this state.
    pub fn summary(&self) -> StateSummary {
        StateSummary {
            bundle: self.trust.as_ref().map_or(0, |trust| trust.bundle.version),
            clog: self.control.size(),
            jlog: self.jobs.size,
            floor: self.floor,
        }
    }
}

fn within_hour(starts: &[UnixSeconds], now: UnixSeconds) -> usize {
    starts.iter().filter(|at| now.since(**at) < 3600).count()
}
