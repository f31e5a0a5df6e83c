//! Monitoring policies: taken in by place and version, judged anew when trust moves, and what they come to.

mod attacks;
mod effective;
mod forms;
mod model;
mod vectors;

use bartizan_testkit::world::{Delivery, World, signed};
use bartizan_trust::authorize::monitoring::{
    PolicyVerdict, StandingPolicy, ends_policy, judge_policy, review_policy,
};
use bartizan_trust::authorize::{Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, OrgId, Sha256, SiteId, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

use SignatureRole::{Approve, Author};

const DAY: u64 = 24 * 3600;

fn acme() -> TenantId {
    TenantId::from_name("acme").unwrap()
}

fn tenant() -> PolicyPlace {
    PolicyPlace::Tenant { tenant: acme() }
}

fn site(name: &str) -> PolicyPlace {
    PolicyPlace::Site { tenant: acme(), site: SiteId::from_name(name).unwrap() }
}

fn only(number: u32) -> PolicyPlace {
    let endpoint = World::endpoint_id(number).unwrap();
    PolicyPlace::Endpoint { tenant: acme(), endpoint }
}

/// The usual people, and class `observe`. Carol may act for acme only.
fn world() -> World {
    world_with(|_| {})
}

fn world_with(change: impl FnOnce(&mut Bundle)) -> World {
    World::with(|bundle| {
        let base = bundle.classes[0].clone();
        bundle.classes.insert(0, ClassRule { class: Class::Observe, ..base });
        bundle.operators[2].tenants = TenantScope::Only(vec![acme()]);
        change(bundle);
        Ok(())
    })
    .unwrap()
}

fn check(id: &str) -> Check {
    Check {
        id: id.to_owned(),
        title: String::new(),
        every_s: 60,
        fails: 1,
        recovers: 1,
        flaps: 0,
        subject: Subject::RebootPending { severity: Severity::Warn },
    }
}

fn policy(world: &World, place: PolicyPlace, version: u64) -> MonitoringPolicy {
    MonitoringPolicy {
        v: V1,
        org: world.org,
        iat: world.now,
        crit: Vec::new(),
        nonce: "0".repeat(32),
        bundle_min: 1,
        class: Class::Observe,
        place,
        name: "base".to_owned(),
        version,
        until: world.now.plus(30 * DAY),
        inherit: true,
        exclude: Vec::new(),
        checks: vec![check("reboot")],
        display: Display { title: "t".to_owned(), ticket: String::new(), reason: String::new() },
    }
}

/// An endpoint of acme at its site `hq`, and its world.
struct Watched {
    world: World,
    state: State,
}

impl Watched {
    fn new() -> Self {
        Self::within(world())
    }

    fn within(world: World) -> Self {
        let state = world.endpoint(0).unwrap();
        Self { world, state }
    }

    fn policy(&self, place: PolicyPlace, version: u64) -> MonitoringPolicy {
        policy(&self.world, place, version)
    }

    /// Signs, logs and delivers with everything right.
    fn try_take(&mut self, policy: &MonitoringPolicy, who: &[&str]) -> Result<Envelope, Refusal> {
        let roles: Vec<_> = who.iter().map(|name| (*name, Author)).collect();
        let envelope = signed(policy, &roles).unwrap();
        self.deliver(&envelope).map(|_| envelope)
    }

    fn deliver(&mut self, envelope: &Envelope) -> Result<StandingPolicy, Refusal> {
        let delivery = self.world.deliver(envelope, &self.state).unwrap();
        self.judge(&delivery)
    }

    fn judge(&mut self, delivery: &Delivery) -> Result<StandingPolicy, Refusal> {
        let outcome = judge_policy(&self.state, &self.world.facts(), &delivery.as_ref());
        let before = self.state.policies.clone();
        self.state = outcome.state;
        match outcome.verdict {
            PolicyVerdict::Stand(standing) => {
                assert!(self.state.policies.stands(&standing.id()));
                Ok(*standing)
            }
            PolicyVerdict::Refused(refusal) => {
                assert_eq!(self.state.policies, before, "a refusal changes nothing");
                Err(refusal)
            }
        }
    }

    #[track_caller]
    fn takes(&mut self, policy: &MonitoringPolicy, who: &[&str]) -> Envelope {
        self.try_take(policy, who).unwrap()
    }

    #[track_caller]
    fn refuses(&mut self, policy: &MonitoringPolicy, who: &[&str], expected: Refusal) {
        assert_eq!(self.try_take(policy, who).map(|_| ()), Err(expected));
    }

    fn review(&self, envelope: &Envelope) -> Result<Option<Refusal>, Refusal> {
        let standing = review_policy(&self.state, &self.world.facts(), &envelope.encode())?;
        assert_eq!(standing.id(), envelope.id());
        Ok(standing.held())
    }

    /// Time passes, and the endpoint hears of it.
    fn pass(&mut self, seconds: u64) {
        self.world.now = self.world.now.plus(seconds);
        self.state = self.world.caught_up(&self.state).unwrap();
    }

    /// Other work is not harmed (I9).
    #[track_caller]
    fn other_work_runs(&mut self) {
        let delivery = self.world.good_delivery(&self.state).unwrap();
        let outcome = authorize(&self.state, &self.world.facts(), &delivery.as_ref());
        assert!(matches!(outcome.verdict, Verdict::Run(_)), "{:?}", outcome.verdict);
    }
}

#[test]
fn a_policy_stands_on_the_endpoints_of_its_place() {
    for place in [PolicyPlace::Org {}, tenant(), site("hq"), only(0)] {
        let mut watched = Watched::new();
        let envelope = watched.takes(&watched.policy(place, 1), &["alice"]);
        assert_eq!(watched.review(&envelope), Ok(None));
        watched.other_work_runs();
    }
}

#[test]
fn a_later_version_takes_the_place_of_the_one_before() {
    let mut watched = Watched::new();
    let first = watched.takes(&watched.policy(tenant(), 1), &["carol"]);
    let second = watched.takes(&watched.policy(tenant(), 7), &["alice"]);
    assert_eq!(watched.review(&first), Err(Refusal::PolicyUnknown));
    assert_eq!(watched.review(&second), Ok(None));
    assert_eq!(watched.state.policies.standing().count(), 1);
    // Another name, and the same name at another place, are policies of their own.
    let other = MonitoringPolicy { name: "disks".to_owned(), ..watched.policy(tenant(), 1) };
    watched.takes(&other, &["alice"]);
    watched.takes(&watched.policy(site("hq"), 1), &["alice"]);
    assert_eq!(watched.state.policies.standing().count(), 3);
}

#[test]
fn a_policy_goes_on_without_a_server_until_its_end() {
    let mut watched = Watched::new();
    let envelope = watched.takes(&watched.policy(tenant(), 1), &["alice"]);
    watched.world.now = watched.world.now.plus(30 * DAY - 1);
    assert_eq!(watched.review(&envelope), Ok(None));
    watched.world.now = watched.world.now.plus(1);
    assert_eq!(watched.review(&envelope), Err(Refusal::Expired));
}

#[test]
fn what_has_ended_stays_remembered_until_nothing_below_is_alive() {
    let mut watched = Watched::new();
    let second = watched.takes(&watched.policy(tenant(), 2), &["alice"]);
    watched.state.policies.end(second.id());
    watched.refuses(&watched.policy(tenant(), 1), &["alice"], Refusal::PolicyOld);
    let beginning = watched.world.now;
    watched.pass(90 * DAY);
    watched.refuses(&watched.policy(tenant(), 2), &["alice"], Refusal::PolicyOld);
    // A bundle lasts a year; what has ended is forgotten when something else is taken in later.
    let known = watched.state.policies.iter().next().unwrap();
    assert_eq!(known.until, beginning.plus(limits::ORDER_S_MAX));
}

#[test]
fn a_lost_memory_takes_policies_in_again() {
    let mut watched = Watched::new();
    let envelope = watched.takes(&watched.policy(tenant(), 3), &["alice"]);
    let fresh = watched.world.endpoint(0).unwrap();
    watched.state = State { replay_floor: watched.world.now.plus(121), ..fresh };
    watched.deliver(&envelope).unwrap();
    assert_eq!(watched.review(&envelope), Ok(None));
}

#[test]
fn a_class_with_a_delay_makes_policies_wait() {
    let mut watched = Watched::within(world_with(|bundle| bundle.classes[0].delay_s = 600));
    let policy = watched.policy(tenant(), 1);
    let envelope = signed(&policy, &[("alice", Author)]).unwrap();
    assert_eq!(watched.deliver(&envelope).map(|_| ()), Err(Refusal::DelayRuns));
    watched.pass(599);
    assert_eq!(watched.deliver(&envelope).map(|_| ()), Err(Refusal::DelayRuns));
    watched.pass(1);
    watched.deliver(&envelope).unwrap();
    assert!(watched.state.waiting.is_empty());
}

#[test]
fn an_endpoint_keeps_64_policies_and_as_many_names_as_it_remembers() {
    let roomy = |bundle: &mut Bundle| bundle.classes[0].jobs_per_hour_max = 3600;
    let mut watched = Watched::within(world_with(roomy));
    let named = |watched: &Watched, number: usize| MonitoringPolicy {
        name: format!("n{number}"),
        ..watched.policy(tenant(), 1)
    };
    let mut taken = Vec::new();
    for number in 0..limits::POLICIES_MAX {
        taken.push(watched.takes(&named(&watched, number), &["alice"]));
    }
    watched.refuses(&named(&watched, 64), &["alice"], Refusal::PoliciesFull);
    // A new version of one that stands needs no room.
    let next = MonitoringPolicy { version: 2, ..named(&watched, 0) };
    taken[0] = watched.takes(&next, &["alice"]);
    for number in limits::POLICIES_MAX..limits::POLICY_NAMES_MAX {
        watched.state.policies.end(taken[number - limits::POLICIES_MAX].id());
        taken.push(watched.takes(&named(&watched, number), &["alice"]));
    }
    watched.state.policies.end(taken[limits::POLICY_NAMES_MAX - 1].id());
    let beyond = named(&watched, limits::POLICY_NAMES_MAX);
    watched.refuses(&beyond, &["alice"], Refusal::PoliciesFull);
}
