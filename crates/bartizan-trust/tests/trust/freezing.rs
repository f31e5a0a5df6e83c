//! Freezes and thaws (I6): who may stop what, for how long, and who lets it go on.

use bartizan_testkit::world::{World, operator, signed};
use bartizan_trust::authorize::{Verdict, authorize};
use bartizan_trust::control::{self, ControlUpdate, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, OrgId, Sha256, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::State;
use bartizan_trust::statement::*;

const HOUR_S: u64 = 3600;
const ROLE: SignatureRole = SignatureRole::Freeze;

fn world() -> World {
    World::new().unwrap()
}

fn freeze(world: &World, scope: FreezeScope, seconds: u64, by: &[&str]) -> Envelope {
    let roles: Vec<_> = by.iter().map(|name| (*name, ROLE)).collect();
    signed(&world.freeze(scope, seconds), &roles).unwrap()
}

fn thaw(world: &World, freeze: StatementId, by: &[&str]) -> Envelope {
    let roles: Vec<_> = by.iter().map(|name| (*name, ROLE)).collect();
    signed(&world.thaw(freeze), &roles).unwrap()
}

/// The endpoint after everything in the control log, and what of it was skipped.
fn seen(world: &World, state: &State) -> (State, Vec<Refusal>) {
    let (entries, checkpoint) = world.control_for(state).unwrap();
    let update =
        ControlUpdate { start: state.control.size(), entries: &entries, checkpoint: &checkpoint };
    let (state, skipped) = replay(state, &world.facts(), &update).unwrap();
    (state, skipped.into_iter().map(|entry| entry.refusal).collect())
}

/// What becomes of an honest, countersigned job of Alice and Bob.
fn try_job(world: &mut World, state: &State) -> Result<(), Refusal> {
    let delivery = world.good_delivery(state).unwrap();
    match authorize(state, &world.facts(), &delivery.as_ref()).verdict {
        Verdict::Update(_) | Verdict::Scan(_) => panic!("nobody signed such a job"),
        Verdict::Run(_) => Ok(()),
        Verdict::Refused(refusal) => Err(refusal),
        Verdict::NeedContent(_) | Verdict::Stand(_) => panic!("the content was there"),
    }
}

/// A clock is set forward beyond the end of every freeze, and one stolen key freezes something that nobody needs: what stands
/// is not forgotten over it.
#[test]
fn i6_a_freeze_by_hand_under_a_clock_set_forward_makes_no_other_forgotten() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let org = world.freeze(FreezeScope::Org, 10 * limits::DAY_S);
    let quorum = [("alice", SignatureRole::Freeze), ("bob", SignatureRole::Freeze)];
    let org = signed(&org, &quorum).unwrap();
    world.log_control(&org);
    let state = world.caught_up(&state).unwrap();
    let real = world.now;
    world.now = real.plus(20 * limits::DAY_S);
    let nothing = world.freeze(FreezeScope::Job(StatementId::new(Sha256::of(b"nothing"))), 60);
    let nothing = signed(&nothing, &[("carol", SignatureRole::Freeze)]).unwrap();
    let after = control::freeze(&state, &world.facts(), &nothing.encode()).unwrap();
    world.now = real;
    let ids: Vec<_> = after.freezes.standing(after.floor).map(|(id, _)| *id).collect();
    assert!(ids.contains(&org.id()), "{ids:?}");
}

/// Nor does such a clock keep out a freeze that a mirror or the local network brings.
#[test]
fn i6_a_clock_set_forward_keeps_no_freeze_out() {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let freeze = world.freeze(FreezeScope::Org, 3600);
    let freeze = signed(&freeze, &[("carol", SignatureRole::Freeze)]).unwrap();
    world.now = world.now.plus(3600);
    let after = control::freeze(&state, &world.facts(), &freeze.encode()).unwrap();
    assert_eq!(after.freezes.standing(after.floor).count(), 1);
    // Once witnesses say that it is over, it is.
    let late = world.caught_up(&state).unwrap();
    let found = control::freeze(&late, &world.facts(), &freeze.encode());
    assert_eq!(found.map(|_| ()), Err(Refusal::Expired));
}

#[test]
fn i6_one_operator_stops_everything_and_it_ends_by_itself() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.log_control(&freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]));
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, []);
    assert_eq!(try_job(&mut world, &state), Err(Refusal::Frozen));
    world.now = world.now.plus(HOUR_S - 1);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(try_job(&mut world, &state), Err(Refusal::Frozen));
    world.now = world.now.plus(1);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(try_job(&mut world, &state), Ok(()));
}

#[test]
fn i6_a_local_clock_set_forward_ends_no_freeze() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].freshness_s = 7 * limits::DAY_S;
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    world.log_control(&freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]));
    let state = world.caught_up(&state).unwrap();
    let mut job = world.job().unwrap();
    job.window.exp = world.now.plus(limits::DAY_S);
    let both = [("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)];
    let delivery = world.deliver(&signed(&job, &both).unwrap(), &state).unwrap();
    let mut facts = world.facts();
    facts.now = facts.now.plus(2 * HOUR_S);
    let verdict = authorize(&state, &facts, &delivery.as_ref()).verdict;
    assert!(matches!(verdict, Verdict::Refused(Refusal::Frozen)), "{verdict:?}");
}

#[test]
fn i6_each_scope_stops_what_it_says_and_nothing_else() {
    let operator = |name| FreezeScope::Operator(OperatorId::from_name(name).unwrap());
    let tenant = |name| FreezeScope::Tenant(TenantId::from_name(name).unwrap());
    let cases = [
        (FreezeScope::Org, true),
        (tenant("acme"), true),
        (tenant("globex"), false),
        (FreezeScope::Class(Class::Change), true),
        (FreezeScope::Class(Class::Routine), false),
        (operator("alice"), true),
        (operator("bob"), true),
        (operator("carol"), false),
        (FreezeScope::Sessions, false),
        (FreezeScope::Job(StatementId::new(Sha256::of(b"another"))), false),
    ];
    for (scope, stops) in cases {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        world.log_control(&freeze(&world, scope.clone(), HOUR_S, &["carol"]));
        let (state, skipped) = seen(&world, &state);
        assert_eq!(skipped, [], "{scope:?}");
        assert_eq!(try_job(&mut world, &state).is_err(), stops, "{scope:?}");
    }
}

#[test]
fn i6_one_job_is_stopped_and_the_next_is_not() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let delivery = world.good_delivery(&state).unwrap();
    let id = Envelope::decode(&delivery.envelope).unwrap().id();
    world.log_control(&freeze(&world, FreezeScope::Job(id), HOUR_S, &["bob"]));
    let state = world.caught_up(&state).unwrap();
    let outcome = authorize(&state, &world.facts(), &delivery.as_ref());
    assert!(matches!(outcome.verdict, Verdict::Refused(Refusal::Frozen)), "{:?}", outcome.verdict);
    assert_eq!(try_job(&mut world, &outcome.state), Ok(()));
}

#[test]
fn a_freeze_alone_is_short_and_few() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.log_control(&freeze(&world, FreezeScope::Org, 4 * HOUR_S + 1, &["alice"]));
    for _ in 0..4 {
        world.now = world.now.plus(1);
        world.log_control(&freeze(&world, FreezeScope::Sessions, 4 * HOUR_S, &["alice"]));
    }
    let another = freeze(&world, FreezeScope::Sessions, HOUR_S, &["bob"]);
    world.log_control(&another);
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, [Refusal::FreezeLimit, Refusal::FreezeLimit], "too long, and the fourth");
    assert!(state.freezes.iter().any(|(id, _)| *id == another.id()), "another's do not count");
}

#[test]
fn a_day_later_one_operator_may_freeze_again() {
    for (later, expected) in
        [(limits::DAY_S - 1, Some(Refusal::FreezeLimit)), (limits::DAY_S, None)]
    {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        // Long ones, made with another: they are still remembered a day later, and count as hers.
        for days in 2..5 {
            let length_s = days * limits::DAY_S;
            world.log_control(&freeze(&world, FreezeScope::Sessions, length_s, &["alice", "bob"]));
        }
        let (state, skipped) = seen(&world, &state);
        assert_eq!(skipped, []);
        world.now = world.now.plus(later);
        world.log_control(&freeze(&world, FreezeScope::Sessions, HOUR_S, &["alice"]));
        assert_eq!(seen(&world, &state).1, Vec::from_iter(expected), "{later} s later");
    }
}

#[test]
fn a_freeze_may_be_dated_ahead_as_far_as_clocks_differ() {
    let world = world();
    let state = world.endpoint(0).unwrap();
    let skew = limits::CLOCK_SKEW_S;
    for (ahead, expected) in [(skew, Ok(())), (skew + 1, Err(Refusal::TooEarly))] {
        let mut dated = world.freeze(FreezeScope::Org, HOUR_S);
        (dated.iat, dated.exp) = (dated.iat.plus(ahead), dated.exp.plus(ahead));
        let bytes = signed(&dated, &[("carol", ROLE)]).unwrap().encode();
        let found = control::freeze(&state, &world.facts(), &bytes).map(|_| ());
        assert_eq!(found, expected, "{ahead} s ahead");
    }
}

#[test]
fn a_quorum_may_freeze_for_days() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.log_control(&freeze(&world, FreezeScope::Org, 20 * limits::DAY_S, &["alice", "carol"]));
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, []);
    world.now = world.now.plus(10 * limits::DAY_S);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(try_job(&mut world, &state), Err(Refusal::Frozen));
    let mut world = self::world();
    let state = world.endpoint(0).unwrap();
    let too_long = limits::FREEZE_QUORUM_S_MAX + 1;
    world.log_control(&freeze(&world, FreezeScope::Org, too_long, &["alice", "carol"]));
    assert_eq!(seen(&world, &state).1, [Refusal::FreezeLimit]);
}

#[test]
fn strangers_and_those_without_the_role_freeze_nothing() {
    let mut world = World::with(|bundle| {
        bundle.operators[2].roles.retain(|role| *role != OperatorRole::Freeze);
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    for by in [&["mallory"][..], &["carol"], &[]] {
        world.log_control(&freeze(&world, FreezeScope::Org, HOUR_S, by));
    }
    let wrong_role = world.freeze(FreezeScope::Org, HOUR_S);
    world.log_control(&signed(&wrong_role, &[("alice", SignatureRole::Approve)]).unwrap());
    let mut foreign = world.freeze(FreezeScope::Org, HOUR_S);
    foreign.org = bartizan_trust::id::OrgId::new(Sha256::of(b"other"));
    world.log_control(&signed(&foreign, &[("alice", ROLE)]).unwrap());
    let mut later = world.freeze(FreezeScope::Org, HOUR_S);
    later.iat = world.now.plus(limits::CLOCK_SKEW_S + 1);
    later.exp = later.iat.plus(1);
    world.log_control(&signed(&later, &[("alice", ROLE)]).unwrap());
    let (state, skipped) = seen(&world, &state);
    let no = Refusal::FreezeInvalid;
    assert_eq!(skipped, [no, no, no, no, Refusal::WrongOrg, Refusal::TooEarly]);
    assert_eq!(try_job(&mut world, &state), Ok(()));
}

#[test]
fn a_thaw_needs_the_maker_and_one_more_or_a_quorum() {
    for (by, enough) in [
        (&["carol"][..], false),
        (&["alice"], false),
        (&["carol", "mallory"], false),
        (&["carol", "carol"], false),
        (&["carol", "alice"], true),
        // The root threshold is two.
        (&["alice", "bob"], true),
    ] {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        let frozen = freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]);
        world.log_control(&frozen);
        world.log_control(&thaw(&world, frozen.id(), by));
        let (state, skipped) = seen(&world, &state);
        let expected = if enough { vec![] } else { vec![Refusal::ThawThreshold] };
        assert_eq!(skipped, expected, "{by:?}");
        assert_eq!(try_job(&mut world, &state).is_ok(), enough, "{by:?}");
    }
}

/// A world whose bundle takes so many people to change.
fn with_threshold(threshold: u32) -> World {
    World::with(|bundle| {
        bundle.root.threshold = threshold;
        Ok(())
    })
    .unwrap()
}

#[test]
fn where_a_quorum_is_three_two_thaw_only_with_the_maker() {
    for (by, enough) in [
        (&["carol", "alice"][..], true),
        (&["alice", "bob"], false),
        (&["alice", "bob", "carol"], true),
    ] {
        let mut world = World::with(|bundle| {
            bundle.operators.push(operator("dora")?);
            Ok(())
        })
        .unwrap();
        world.publish(|bundle| bundle.root.threshold = 3, &["alice", "bob", "carol"]).unwrap();
        let state = world.endpoint(0).unwrap();
        let frozen = freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]);
        world.log_control(&frozen);
        world.log_control(&thaw(&world, frozen.id(), by));
        let expected = if enough { vec![] } else { vec![Refusal::ThawThreshold] };
        assert_eq!(seen(&world, &state).1, expected, "{by:?}");
    }
}

#[test]
fn where_one_person_is_a_quorum_two_thaw_all_the_same() {
    for (by, enough) in [(&["alice"][..], false), (&["alice", "bob"], true)] {
        let mut world = with_threshold(1);
        let state = world.endpoint(0).unwrap();
        let frozen = freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]);
        world.log_control(&frozen);
        world.log_control(&thaw(&world, frozen.id(), by));
        let expected = if enough { vec![] } else { vec![Refusal::ThawThreshold] };
        assert_eq!(seen(&world, &state).1, expected, "{by:?}");
    }
}

/// How many freezes, and how many withdrawals, an endpoint remembers at a time.
fn remembered(
    world: &mut World,
    state: &State,
    at: bartizan_trust::time::UnixSeconds,
) -> [usize; 2] {
    world.now = at;
    let state = serde_json::to_value(world.caught_up(state).unwrap()).unwrap();
    ["freezes", "withdrawals"].map(|kept| state[kept].as_object().map_or(0, serde_json::Map::len))
}

#[test]
fn a_freeze_is_remembered_for_its_time_and_for_a_day_at_least() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let begin = world.now;
    world.log_control(&freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]));
    world.log_control(&freeze(&world, FreezeScope::Org, 3 * limits::DAY_S, &["alice", "bob"]));
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, []);
    // The short one counts among those of a day.
    assert_eq!(remembered(&mut world, &state, begin.plus(limits::DAY_S - 1))[0], 2);
    assert_eq!(remembered(&mut world, &state, begin.plus(limits::DAY_S))[0], 1);
    assert_eq!(remembered(&mut world, &state, begin.plus(3 * limits::DAY_S - 1))[0], 1);
    assert_eq!(remembered(&mut world, &state, begin.plus(3 * limits::DAY_S))[0], 0);
}

#[test]
fn a_withdrawal_is_remembered_until_its_job_is_over() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let withdrawal = world.withdrawal(StatementId::new(Sha256::of(b"a job")));
    let (begin, over) = (world.now, withdrawal.exp);
    world.log_control(&signed(&withdrawal, &[("carol", ROLE)]).unwrap());
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, []);
    assert_eq!(remembered(&mut world, &state, begin.plus(over.since(begin) - 1))[1], 1);
    assert_eq!(remembered(&mut world, &state, over)[1], 0);
}

#[test]
fn a_thaw_of_another_organisation_or_with_something_unknown_ends_nothing() {
    let another = World::with(|bundle| {
        bundle.weaken_delay_s += 1;
        Ok(())
    });
    let org = another.unwrap().org;
    for (thaw, expected) in [
        (
            |_: OrgId, thaw: Thaw| Thaw { crit: vec!["later".to_owned()], ..thaw },
            Refusal::CriticalUnknown,
        ),
        (|org, thaw| Thaw { org, ..thaw }, Refusal::WrongOrg),
    ] as [(fn(OrgId, Thaw) -> Thaw, Refusal); 2]
    {
        let mut world = world();
        let state = world.endpoint(0).unwrap();
        let frozen = freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]);
        world.log_control(&frozen);
        let wrong = thaw(org, world.thaw(frozen.id()));
        world.log_control(&signed(&wrong, &[("alice", ROLE), ("carol", ROLE)]).unwrap());
        let (state, skipped) = seen(&world, &state);
        assert_eq!(skipped, [expected]);
        assert_eq!(try_job(&mut world, &state), Err(Refusal::Frozen));
    }
}

#[test]
fn a_thaw_of_nothing_is_reported() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let unknown = StatementId::new(Sha256::of(b"unknown"));
    world.log_control(&thaw(&world, unknown, &["alice", "bob"]));
    assert_eq!(seen(&world, &state).1, [Refusal::FreezeUnknown]);
}

#[test]
fn a_freeze_by_another_way_acts_at_once_and_a_thawed_one_does_not_return() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    let frozen = freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]);
    let state = control::freeze(&state, &world.facts(), &frozen.encode()).unwrap();
    assert_eq!(try_job(&mut world, &state), Err(Refusal::Frozen));
    // Later it comes by the log as well, and is thawed there.
    world.log_control(&frozen);
    world.log_control(&thaw(&world, frozen.id(), &["carol", "alice"]));
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, []);
    assert_eq!(try_job(&mut world, &state), Ok(()));
    // It stays remembered while it could come back.
    assert!(state.freezes.iter().any(|(id, _)| *id == frozen.id()));
    assert_eq!(state.freezes.standing(state.floor).count(), 0);
    // Whoever kept a copy delivers it again.
    let state = control::freeze(&state, &world.facts(), &frozen.encode()).unwrap();
    assert_eq!(try_job(&mut world, &state), Ok(()));
    let by = |by: &[&str]| freeze(&world, FreezeScope::Org, HOUR_S + 1, by).encode();
    let refused = |bytes: &[u8]| control::freeze(&state, &world.facts(), bytes).map(|_| ());
    assert_eq!(refused(&by(&["mallory"])), Err(Refusal::FreezeInvalid));
    assert_eq!(refused(b"junk"), Err(Refusal::Malformed));
    let lifted = thaw(&world, frozen.id(), &["carol", "alice"]).encode();
    assert_eq!(refused(&lifted), Err(Refusal::UnknownKind), "thaws come by the log only");
}

#[test]
fn a_freeze_by_another_way_is_as_large_as_an_entry_of_the_log_at_most() {
    let world = world();
    let state = world.endpoint(0).unwrap();
    let of = |bytes: usize| control::freeze(&state, &world.facts(), &vec![b' '; bytes]).map(|_| ());
    assert_eq!(of(limits::ENVELOPE_BYTES_MAX), Err(Refusal::Malformed));
    assert_eq!(of(limits::ENVELOPE_BYTES_MAX + 1), Err(Refusal::TooLarge));
}

#[test]
fn a_frozen_fleet_still_follows_its_bundles() {
    let mut world = world();
    let state = world.endpoint(0).unwrap();
    world.log_control(&freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]));
    world.publish(|bundle| bundle.operators.truncate(2), &["alice", "bob"]).unwrap();
    let (state, skipped) = seen(&world, &state);
    assert_eq!(skipped, []);
    assert_eq!(state.trust.as_ref().unwrap().bundle.version, 2);
    assert_eq!(
        try_job(&mut world, &state),
        Err(Refusal::Frozen),
        "its maker's removal thaws nothing"
    );
}

#[test]
fn a_withheld_freeze_stops_work_by_the_witnesses_silence() {
    let mut world = World::with(|bundle| {
        bundle.classes[1].freshness_s = 600;
        Ok(())
    })
    .unwrap();
    let state = world.endpoint(0).unwrap();
    // Frozen by its people; the server drops it, and they co-sign the control log no longer. The jobs log goes on.
    let silent_since = world.now;
    world.now = silent_since.plus(600);
    assert_eq!(try_job(&mut world, &state), Ok(()), "as old as the class allows");
    world.now = silent_since.plus(601);
    assert_eq!(try_job(&mut world, &state), Err(Refusal::ControlStale));
    // Work goes on once the log, with the freeze, is co-signed again and the freeze is over.
    world.log_control(&freeze(&world, FreezeScope::Org, HOUR_S, &["carol"]));
    let state = world.caught_up(&state).unwrap();
    assert_eq!(try_job(&mut world, &state), Err(Refusal::Frozen));
    world.now = world.now.plus(HOUR_S);
    let state = world.caught_up(&state).unwrap();
    assert_eq!(try_job(&mut world, &state), Ok(()));
}
