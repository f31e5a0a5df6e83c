//! Runs of a schedule against a naive reading that remembers everything for ever, under clocks that go anywhere.

use proptest::prelude::*;

use super::*;

/// Something that happens.
#[derive(Debug, Clone)]
enum Step {
    /// So many seconds pass.
    Pass(u64),
    /// They pass, and the endpoint hears from its server.
    Hear(u64),
    /// The local clock is off by so much from now on.
    Clock(i64),
    /// Everything stands still for so many seconds.
    Freeze(u64),
    /// The endpoint looks whether a run is due.
    Look,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..5000u64).prop_map(Step::Pass),
        2 => (1..5000u64).prop_map(Step::Hear),
        1 => (-20_000..20_000i64).prop_map(Step::Clock),
        1 => (600..9000u64).prop_map(Step::Freeze),
        6 => Just(Step::Look),
    ]
}

#[derive(Default)]
struct Memory {
    /// When each run was due, and when it started.
    ran: Vec<(u64, u64)>,
    frozen_until: u64,
    heard_at: u64,
    freezes: usize,
}

/// What the specification says, over everything that ever happened.
fn naive(memory: &Memory, trigger: &Trigger, begun: u64, now: u64) -> Result<u64, Refusal> {
    let On::Interval { every_s } = trigger.on else { panic!("a schedule") };
    if now >= trigger.until.get() {
        return Err(Refusal::Expired);
    }
    let due = (begun..=now).step_by(every_s as usize).last().filter(|due| *due > begun);
    let fits = |due: &u64| {
        let newer = memory.ran.iter().all(|(earlier, _)| due > earlier);
        let apart = memory
            .ran
            .iter()
            .all(|(earlier, _)| due.saturating_sub(*earlier) >= trigger.distance_s);
        newer && apart && now <= due + trigger.late_s + 60
    };
    let due = due.filter(fits).ok_or(Refusal::OrderNotDue)?;
    if memory.heard_at < memory.frozen_until {
        return Err(Refusal::Frozen);
    }
    if now.saturating_sub(memory.heard_at) > trigger.freshness_s {
        return Err(Refusal::ControlStale);
    }
    let lately =
        |per_s: u64| memory.ran.iter().filter(|(_, at)| now.saturating_sub(*at) < per_s).count();
    if lately(trigger.rate.per_s) >= trigger.rate.runs as usize || lately(HOUR) >= 120 {
        return Err(Refusal::RateLimited);
    }
    Ok(due)
}

proptest! {
    #![proptest_config(crate::cases(120))]

    #[test]
    fn i3_runs_agree_with_a_naive_reading_and_none_runs_twice(
        steps in prop::collection::vec(step(), 1..80),
        every_s in prop_oneof![Just(600u64), Just(3600), 60..7000u64],
        (runs, per_s) in (1..6u32, 600..30_000u64),
        (distance_s, late_s, freshness_s) in (60..4000u64, prop_oneof![Just(0u64), 0..9000u64], 3000..60_000u64),
    ) {
        let change = |t: &mut Trigger| {
            (t.distance_s, t.late_s, t.freshness_s) = (distance_s, late_s, freshness_s);
            t.rate = RunRate { runs, per_s };
        };
        let mut order = Standing::of(On::Interval { every_s }, change);
        let trigger = order.job().trigger.unwrap();
        let begun = order.world.now.get();
        let mut memory = Memory { heard_at: begun, ..Memory::default() };
        let mut clock_off = 0;
        for step in steps {
            match step {
                Step::Pass(seconds) => order.pass_alone(seconds),
                Step::Hear(seconds) => {
                    order.pass(seconds);
                    memory.heard_at = order.world.now.get();
                }
                Step::Clock(off) => clock_off = off,
                // One person may freeze three times a day.
                Step::Freeze(seconds) if memory.freezes < limits::FREEZES_PER_DAY => {
                    memory.freezes += 1;
                    let freeze = order.world.freeze(FreezeScope::Org, seconds);
                    order.world.log_control(&signed(&freeze, &[("bob", SignatureRole::Freeze)]).unwrap());
                    order.pass(0);
                    memory.heard_at = order.world.now.get();
                    memory.frozen_until = memory.frozen_until.max(order.world.now.get() + seconds);
                }
                Step::Freeze(_) => {}
                Step::Look => {
                    let clock = order.world.now.get().saturating_add_signed(clock_off);
                    let now = clock.max(memory.heard_at);
                    let found = order.judge_at(UnixSeconds::new(clock));
                    let expected = naive(&memory, &trigger, begun, now);
                    let due = found.as_ref().map(|run| run.occurrence.due.get()).map_err(|refusal| *refusal);
                    prop_assert_eq!(due, expected);
                    if let Ok(run) = found {
                        let due = run.occurrence.due.get();
                        prop_assert!(memory.ran.iter().all(|(earlier, _)| *earlier != due), "twice");
                        let at = memory.ran.last().map_or(now, |(_, last)| now.max(*last));
                        memory.ran.push((due, at));
                        order.state = run.state;
                    }
                }
            }
        }
    }
}
