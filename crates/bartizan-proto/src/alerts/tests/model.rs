//! Generated histories, against a reading of the rules that is as plain as can be.

use proptest::prelude::*;

use super::*;

/// What the plain reading says of one check whose results come in time.
#[derive(Default)]
struct Plain {
    openings: Vec<u64>,
    is_ill: bool,
    /// While it flaps: since when its state has held.
    flapping: Option<u64>,
    is_open: bool,
    was_open: bool,
    ended: Option<u64>,
    told: Vec<&'static str>,
}

impl Plain {
    fn wait(&mut self, now: u64) {
        let Some(since) = self.flapping.filter(|since| now >= since + limits::CALM_S) else {
            return;
        };
        self.flapping = None;
        self.openings.clear();
        if !self.is_ill {
            self.is_open = false;
            self.ended = Some(since + limits::CALM_S);
            self.told.push("resolved");
        }
    }

    fn see(&mut self, is_ill: bool, now: u64) {
        let changed = self.is_ill != is_ill;
        self.is_ill = is_ill;
        if self.flapping.is_some() {
            if changed {
                self.flapping = Some(now);
            }
        } else if is_ill && !self.is_open {
            if self.ended.is_none_or(|ended| now - ended > limits::REOPEN_S) {
                self.openings.clear();
            }
            self.openings.retain(|at| now - at < limits::FLAP_WINDOW_S);
            self.openings.push(now);
            (self.is_open, self.was_open) = (true, true);
            let flaps = self.openings.len() >= limits::FLAP_OPENS;
            self.flapping = flaps.then_some(now);
            self.told.push(if flaps { "flapping" } else { "opened" });
        } else if !is_ill && self.is_open {
            self.is_open = false;
            self.ended = Some(now);
            self.told.push("resolved");
        }
    }
}

fn seconds() -> impl Strategy<Value = u64> {
    // In tens, as the world's clock goes; often short, sometimes long.
    prop_oneof![4 => 1_u64..60, 2 => 60_u64..400].prop_map(|tens| tens * 10)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_check_is_told_as_the_plain_reading_of_the_rules_says(
        history in proptest::collection::vec((any::<bool>(), seconds()), 1..60)
    ) {
        let mut world = World::new(&everything_to_mail());
        let mut plain = Plain::default();
        for (is_ill, pause) in history {
            world.check(1, "disk", if is_ill { CheckState::Error } else { CheckState::Ok });
            plain.see(is_ill, world.now);
            for _ in 0..pause / 10 {
                world.pass(10);
                plain.wait(world.now);
            }
            let told: Vec<&str> = world.sent.iter().map(|sent| sent.message.reason.name()).collect();
            prop_assert_eq!(&told, &plain.told);
            let is_open = world.stored.values().any(|alert| alert.phase == Phase::Open);
            prop_assert_eq!(is_open, plain.is_open);
            prop_assert_eq!(!world.stored.is_empty(), plain.was_open);
        }
    }

    /// Whatever links do: what was told is told to be over, once, and in the end everything is over.
    #[test]
    fn whatever_links_do_every_alert_that_was_told_ends_once(
        turns in proptest::collection::vec((0_u64..12, any::<bool>(), 0_u64..40), 1..120)
    ) {
        let mut world = World::new(&everything_to_mail());
        world.connect("a", 0..6);
        world.connect("b", 6..12);
        for (number, is_up, pause) in turns {
            world.link(number, is_up);
            world.pass(pause * 10);
        }
        for number in 0..12 {
            world.link(number, true);
        }
        world.pass(2 * limits::CALM_S + limits::RELEASE_S);
        prop_assert!(world.stored.values().all(|alert| alert.phase == Phase::Resolved));
        let mut told: BTreeMap<AlertId, i64> = BTreeMap::new();
        for sent in &world.sent {
            let count = told.entry(sent.message.alert.unwrap()).or_default();
            match sent.message.reason {
                Reason::Opened | Reason::Flapping => *count = 1,
                Reason::Resolved => *count -= 1,
                other => prop_assert!(false, "{:?}", other),
            }
            prop_assert!(*count >= 0, "an end without a beginning");
        }
        prop_assert!(told.values().all(|count| *count == 0), "{:?}", told);
    }

    /// Within a window of everything nothing goes out, whatever happens.
    #[test]
    fn nothing_goes_out_within_a_window(
        turns in proptest::collection::vec((0_u64..6, 0_u8..4, 0_u64..30), 1..60)
    ) {
        let mut rules = everything_to_mail();
        rules["windows"] = json!([{ "name": "w", "from": START, "until": START + 20_000 }]);
        let mut world = World::new(&rules);
        world.connect("a", 0..6);
        for (number, what, pause) in turns {
            match what {
                0 => world.link(number, false),
                1 => world.link(number, true),
                2 => world.check(number, "disk", CheckState::Error),
                _ => world.check(number, "disk", CheckState::Ok),
            }
            world.pass(pause * 10);
            if world.now < START + 20_000 {
                prop_assert!(world.sent.is_empty());
            }
        }
        world.pass(25_000);
        let still = world.stored.values().filter(|alert| alert.phase == Phase::Open && alert.hidden_by.is_none());
        let told: std::collections::BTreeSet<_> = world.sent.iter().filter_map(|sent| sent.message.alert).collect();
        for alert in still {
            prop_assert!(told.contains(&alert.id), "what is still wrong is told");
        }
    }

    /// Bytes from an endpoint never break the machine, and it keeps no more than its limits.
    #[test]
    fn observations_of_any_content_are_bounded(
        said in proptest::collection::vec((".{0,200}", ".{0,300}", ".{0,600}", any::<u64>(), any::<u64>(), 0_u8..4), 1..30)
    ) {
        let mut world = World::new(&everything_to_mail());
        for (key, instance, text, since, at, state) in said {
            let state = [CheckState::Ok, CheckState::Warn, CheckState::Error, CheckState::Unknown][usize::from(state)];
            let (since, at) = (UnixSeconds::new(since), UnixSeconds::new(at));
            let observation = Observation { endpoint: endpoint(1), key, instance, state, since, at, text };
            world.machine.handle_observation(observation, world.at());
            world.pass(10);
        }
        for alert in world.stored.values() {
            prop_assert!(alert.key.len() <= limits::KEY_BYTES_MAX && alert.instance.len() <= limits::INSTANCE_BYTES_MAX);
            prop_assert!(alert.text.len() <= limits::TEXT_BYTES_MAX && alert.at <= world.at() && alert.since <= alert.at);
            prop_assert!(!alert.text.chars().any(char::is_control));
        }
    }
}
