//! Monitoring policies: which an endpoint remembers, which checks they come to, and why. Specification: `docs/spec/policy.md`.

use serde::{Deserialize, Serialize};

use crate::id::StatementId;
use crate::limits;
use crate::statement::{Check, Layer, MonitoringPolicy};
use crate::time::UnixSeconds;

/// The policies an endpoint has taken in: the newest version of each name at each of its four places. Sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Policies(Vec<KnownPolicy>);

/// The newest version of a policy that was taken in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownPolicy {
    /// Where it counts.
    pub layer: Layer,
    /// Its name there.
    pub name: String,
    /// Its version: nothing as high or below is taken in again.
    pub version: u64,
    /// Its digest.
    pub id: StatementId,
    /// Whether it stands.
    pub stands: bool,
    /// Remembered until then by witness time: no version below it can be alive any more.
    pub until: UnixSeconds,
}

impl Policies {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Whether nothing was ever taken in, or everything is forgotten.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every version that is remembered.
    pub fn iter(&self) -> impl Iterator<Item = &KnownPolicy> {
        self.0.iter()
    }

    /// Those that stand.
    pub fn standing(&self) -> impl Iterator<Item = &KnownPolicy> {
        self.0.iter().filter(|known| known.stands)
    }

    /// Whether one stands.
    pub fn stands(&self, id: &StatementId) -> bool {
        self.standing().any(|known| known.id == *id)
    }

    /// The newest version of a policy's name at its place.
    pub(crate) fn newest(&self, policy: &MonitoringPolicy) -> Option<&KnownPolicy> {
        let layer = policy.place.layer();
        self.0.iter().find(|known| known.layer == layer && known.name == policy.name)
    }

    /// Whether one more can be taken in.
    // SPEC: verification.md P9
    pub(crate) fn has_room(&self, policy: &MonitoringPolicy, floor: UnixSeconds) -> bool {
        let known = self.newest(policy);
        let remembered = self.0.iter().filter(|known| known.stands || floor < known.until).count();
        let names = known.is_some() || remembered < limits::POLICY_NAMES_MAX;
        let standing = known.is_some_and(|known| known.stands)
            || self.standing().count() < limits::POLICIES_MAX;
        names && standing
    }

    /// Takes a version in; the one before it is over.
    pub(crate) fn take(&mut self, id: StatementId, policy: &MonitoringPolicy, floor: UnixSeconds) {
        let layer = policy.place.layer();
        self.0.retain(|known| {
            let same = known.layer == layer && known.name == policy.name;
            !same && (known.stands || floor < known.until)
        });
        self.0.push(KnownPolicy {
            layer,
            name: policy.name.clone(),
            version: policy.version,
            id,
            stands: true,
            // Whoever counts versions up makes later ones later: none below outlives this.
            until: policy.iat.plus(limits::ORDER_S_MAX),
        });
        self.0.sort_by(|a, b| (a.layer, &a.name).cmp(&(b.layer, &b.name)));
    }

    /// One is over. Its version stays remembered.
    pub fn end(&mut self, id: StatementId) {
        for known in self.0.iter_mut().filter(|known| known.id == id) {
            known.stands = false;
        }
    }
}

/// What the policies of an endpoint come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effective<'a> {
    /// What is looked at.
    pub checks: Vec<EffectiveCheck<'a>>,
    /// What is not, and why.
    pub passed_over: Vec<PassedOver<'a>>,
}

/// A check that an endpoint does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffectiveCheck<'a> {
    /// By which policy.
    pub policy: StatementId,
    /// The policy.
    pub from: &'a MonitoringPolicy,
    /// The check.
    pub check: &'a Check,
}

/// A check that an endpoint does not do although one of its policies names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassedOver<'a> {
    /// The check.
    pub check: EffectiveCheck<'a>,
    /// Why.
    pub why: Why,
}

/// Why a check is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A nearer policy wants none of the wider ones.
    Blocked(StatementId),
    /// A nearer policy leaves it out.
    Excluded(StatementId),
    /// A nearer policy, or at the same place one whose name comes first, has a check of the same name.
    Replaced(StatementId),
    /// There are as many checks as an endpoint does.
    Beyond,
}

/// The checks of an endpoint, from the policies of its places: nearer ones first, then by name.
// SPEC: policy.md "What an endpoint looks at"
pub fn effective<'a>(policies: &[(StatementId, &'a MonitoringPolicy)]) -> Effective<'a> {
    let mut nearest: Vec<_> = policies.to_vec();
    nearest.sort_by(|(a_id, a), (b_id, b)| {
        let layers = b.place.layer().cmp(&a.place.layer());
        layers.then_with(|| a.name.cmp(&b.name)).then_with(|| a_id.cmp(b_id))
    });
    let mut effective = Effective::default();
    for (policy, from) in &nearest {
        for check in &from.checks {
            let found = EffectiveCheck { policy: *policy, from, check };
            match passed_over(&nearest, &effective.checks, &found) {
                Some(why) => effective.passed_over.push(PassedOver { check: found, why }),
                None => effective.checks.push(found),
            }
        }
    }
    effective
}

fn passed_over(
    policies: &[(StatementId, &MonitoringPolicy)],
    known: &[EffectiveCheck<'_>],
    found: &EffectiveCheck<'_>,
) -> Option<Why> {
    let layer = found.from.place.layer();
    let nearer = || policies.iter().filter(move |(_, policy)| policy.place.layer() > layer);
    if let Some((by, _)) = nearer().find(|(_, policy)| !policy.inherit) {
        return Some(Why::Blocked(*by));
    }
    if let Some((by, _)) = nearer().find(|(_, policy)| policy.exclude.contains(&found.check.id)) {
        return Some(Why::Excluded(*by));
    }
    if let Some(other) = known.iter().find(|other| other.check.id == found.check.id) {
        return Some(Why::Replaced(other.policy));
    }
    let network = known.iter().filter(|other| other.check.subject.uses_network());
    let asks_too_much =
        found.check.subject.uses_network() && network.count() >= limits::NETWORK_CHECKS_MAX;
    (asks_too_much || known.len() >= limits::EFFECTIVE_CHECKS_MAX).then_some(Why::Beyond)
}
