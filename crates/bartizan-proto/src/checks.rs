//! Checks of monitoring policies: how a state comes about from single looks, and results on their way to the server.
//! Specification: `docs/spec/policy.md`, "How a state comes about" and "Results".

mod result;

pub use result::{CheckResult, ResultError, encode_results, parse_results};

use std::collections::VecDeque;

use bartizan_trust::limits::CHECK_LOOKS_MAX;
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

/// How a check stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// Well.
    Ok,
    /// Not so good.
    Warn,
    /// Bad.
    Error,
    /// It could not be told.
    Unknown,
    /// It is not looked at any more.
    Gone,
}

impl CheckState {
    /// In one word, as on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Unknown => "unknown",
            Self::Gone => "gone",
        }
    }

    const fn is_known(self) -> bool {
        matches!(self, Self::Ok | Self::Warn | Self::Error)
    }

    const fn is_bad(self) -> bool {
        matches!(self, Self::Warn | Self::Error)
    }
}

/// How patient a check is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// So many looks in a row must be worse.
    pub fails: u32,
    /// So many looks in a row must be better.
    pub recovers: u32,
    /// After so many changes within an hour nothing gets better; 0: never held.
    pub flaps: u32,
}

/// A change of state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Nothing at the first.
    pub from: Option<CheckState>,
    /// The state now.
    pub to: CheckState,
}

/// What a check remembers of its looks. Pure: looks and the time come as arguments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settling {
    state: Option<CheckState>,
    since: u64,
    /// The newest looks, the newest last.
    looks: VecDeque<CheckState>,
    /// When the state changed lately.
    changes: Vec<u64>,
}

/// Over what time changes are counted.
const FLAP_S: u64 = 3600;

impl Settling {
    /// The state, once there is one.
    pub const fn state(&self) -> Option<CheckState> {
        self.state
    }

    /// Since when, by the endpoint's clock.
    pub const fn since(&self) -> UnixSeconds {
        UnixSeconds::new(self.since)
    }

    /// Takes one look in.
    // SPEC: policy.md "How a state comes about"
    pub fn handle_look(
        &mut self,
        patience: Patience,
        look: CheckState,
        now: UnixSeconds,
    ) -> Option<Change> {
        self.looks.push_back(look);
        let most = usize::try_from(CHECK_LOOKS_MAX).unwrap_or(usize::MAX);
        self.looks.drain(..self.looks.len().saturating_sub(most));
        // What a clock that was ahead left behind does not count.
        let lately = |at: &u64| *at <= now.get() && now.get() - at < FLAP_S;
        self.changes.retain(lately);
        let to = self.next(patience).filter(|next| Some(*next) != self.state)?;
        let from = self.state.replace(to);
        self.since = now.get();
        if from.is_some() {
            self.changes.push(now.get());
            self.changes.drain(..self.changes.len().saturating_sub(most));
        }
        Some(Change { from, to })
    }

    fn next(&self, patience: Patience) -> Option<CheckState> {
        let Patience { fails, recovers, flaps } = patience;
        if self.newest(fails, |look| look == CheckState::Unknown).is_some() {
            return Some(CheckState::Unknown);
        }
        let Some(state) = self.state.filter(|state| state.is_known()) else {
            return self.settled(fails, recovers);
        };
        if let Some((mildest, _)) = self.newest(fails, |look| look.is_known() && look > state) {
            return Some(mildest);
        }
        let held = flaps > 0 && u32::try_from(self.changes.len()).is_ok_and(|count| count >= flaps);
        let better = self.newest(recovers, |look| look < state)?;
        (!held).then_some(better.1)
    }

    /// The first state, or the one after nothing was known.
    fn settled(&self, fails: u32, recovers: u32) -> Option<CheckState> {
        let fine = self.newest(recovers, |look| look == CheckState::Ok);
        let bad = || self.newest(fails, CheckState::is_bad);
        let mixed = || self.newest(fails.max(recovers), CheckState::is_known);
        fine.or_else(bad).or_else(mixed).map(|(mildest, _)| mildest)
    }

    /// The mildest and the worst of the newest looks, if there are so many and all are like this.
    fn newest(
        &self,
        count: u32,
        alike: impl Fn(CheckState) -> bool,
    ) -> Option<(CheckState, CheckState)> {
        let count = usize::try_from(count).ok().filter(|count| *count > 0)?;
        let first = self.looks.len().checked_sub(count)?;
        let looks = || self.looks.iter().skip(first).copied();
        if !looks().all(alike) {
            return None;
        }
        Some((looks().min()?, looks().max()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use CheckState::{Error, Ok, Unknown, Warn};

    const PATIENT: Patience = Patience { fails: 3, recovers: 2, flaps: 0 };

    /// Looks a minute apart; what the state is after each.
    fn states(patience: Patience, looks: &[CheckState]) -> Vec<Option<CheckState>> {
        let mut settling = Settling::default();
        let mut states = Vec::new();
        for (minute, look) in (0_u64..).zip(looks) {
            let change = settling.handle_look(patience, *look, UnixSeconds::new(minute * 60));
            assert_eq!(change.is_some(), settling.state() != states.last().copied().flatten());
            states.push(settling.state());
        }
        states
    }

    #[test]
    fn one_bad_look_is_no_alarm_and_one_good_look_no_recovery() {
        let looks = [Ok, Ok, Error, Error, Ok, Error, Error, Error, Ok, Error, Ok, Ok];
        let found = states(PATIENT, &looks);
        let expected = [
            None,
            Some(Ok),
            Some(Ok),
            Some(Ok),
            Some(Ok),
            Some(Ok),
            Some(Ok),
            Some(Error),
            Some(Error),
            Some(Error),
            Some(Error),
            Some(Ok),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_mixed_run_of_bad_looks_is_as_bad_as_its_mildest() {
        assert_eq!(states(PATIENT, &[Ok, Ok, Error, Warn, Error]).last(), Some(&Some(Warn)));
        assert_eq!(
            states(PATIENT, &[Ok, Ok, Error, Error, Error, Warn, Ok]).last(),
            Some(&Some(Warn))
        );
    }

    #[test]
    fn what_could_not_be_told_is_unknown_and_not_well() {
        let one = Patience { fails: 1, recovers: 1, flaps: 0 };
        assert_eq!(
            states(one, &[Ok, Unknown, Error, Unknown, Ok]),
            [Some(Ok), Some(Unknown), Some(Error), Some(Unknown), Some(Ok)]
        );
        assert_eq!(states(PATIENT, &[Ok, Ok, Unknown, Unknown, Ok]).last(), Some(&Some(Ok)));
        // Looks that alternate settle all the same.
        let slow = Patience { fails: 3, recovers: 3, flaps: 0 };
        assert_eq!(states(slow, &[Ok, Error, Ok]).last(), Some(&Some(Ok)));
    }

    #[test]
    fn what_flaps_stays_bad_until_it_is_quiet() {
        let patience = Patience { fails: 1, recovers: 1, flaps: 3 };
        let mut settling = Settling::default();
        let mut look = |look, minute: u64| {
            settling.handle_look(patience, look, UnixSeconds::new(minute * 60));
            settling.state().unwrap()
        };
        look(Ok, 0);
        assert_eq!((look(Error, 1), look(Ok, 2), look(Error, 3)), (Error, Ok, Error));
        assert_eq!((look(Ok, 4), look(Error, 5), look(Ok, 60)), (Error, Error, Error));
        // The first of three changes is an hour ago.
        assert_eq!(look(Ok, 61), Ok);
    }

    #[test]
    fn a_clock_that_was_ahead_holds_nothing() {
        let patience = Patience { fails: 1, recovers: 1, flaps: 1 };
        let mut settling = Settling::default();
        for look in [Ok, Error] {
            settling.handle_look(patience, look, UnixSeconds::new(1_000_000));
        }
        settling.handle_look(patience, Ok, UnixSeconds::new(60));
        assert_eq!(settling.state(), Some(Ok));
    }

    /// The page, read by somebody with all looks and all changes before them.
    fn naive(
        patience: Patience,
        looks: &[CheckState],
        changed: &[u64],
        state: Option<CheckState>,
        minute: u64,
    ) -> Option<CheckState> {
        let run = |count: u32, alike: &dyn Fn(CheckState) -> bool| -> Vec<CheckState> {
            let tail: Vec<_> =
                looks.iter().rev().take_while(|look| alike(**look)).copied().collect();
            let count = usize::try_from(count).unwrap();
            if tail.len() >= count { tail[..count].to_vec() } else { Vec::new() }
        };
        let known = |look: CheckState| look != Unknown;
        if !run(patience.fails, &|look| look == Unknown).is_empty() {
            return Some(Unknown);
        }
        match state {
            None | Some(Unknown) => {
                if !run(patience.recovers, &|look| look == Ok).is_empty() {
                    return Some(Ok);
                }
                let bad = run(patience.fails, &|look| look == Warn || look == Error);
                let all = run(patience.fails.max(patience.recovers), &known);
                bad.iter().min().or_else(|| all.iter().min()).copied().or(state)
            }
            Some(state) => {
                let worse = run(patience.fails, &|look| known(look) && look > state);
                let better = run(patience.recovers, &|look| known(look) && look < state);
                let lately = changed.iter().filter(|at| minute - **at < 60).count();
                let held = patience.flaps > 0 && lately >= usize::try_from(patience.flaps).unwrap();
                if let Some(mildest) = worse.iter().min() {
                    return Some(*mildest);
                }
                let better = better.iter().max().copied().filter(|_| !held);
                Some(better.unwrap_or(state))
            }
        }
    }

    #[test]
    fn the_machine_and_the_page_agree() {
        // Every series of seven looks under some patience, and long ones made by a counter.
        let kinds = [Ok, Warn, Error, Unknown];
        for number in 0..4_usize.pow(7) {
            let looks: Vec<_> = (0..7).map(|at| kinds[number / 4_usize.pow(at) % 4]).collect();
            let small = u32::try_from(number % 3).unwrap();
            agree(Patience { fails: 1 + small, recovers: 3 - small, flaps: small }, &looks);
        }
        let mut seed = 7_usize;
        for round in 0..200 {
            let looks: Vec<_> = (0..150)
                .map(|_| {
                    seed = seed
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    kinds[(seed >> 33) % if round % 2 == 0 { 4 } else { 3 }]
                })
                .collect();
            let round = u32::try_from(round).unwrap();
            agree(
                Patience { fails: 1 + round % 4, recovers: 1 + round / 4 % 4, flaps: round % 7 },
                &looks,
            );
        }
    }

    fn agree(patience: Patience, looks: &[CheckState]) {
        let (mut settling, mut state, mut changed) = (Settling::default(), None, Vec::new());
        for (minute, look) in (0_u64..).zip(looks) {
            settling.handle_look(patience, *look, UnixSeconds::new(minute * 60));
            let seen = &looks[..=usize::try_from(minute).unwrap()];
            let next = naive(patience, seen, &changed, state, minute);
            if next != state && state.is_some() {
                changed.push(minute);
            }
            state = next;
            assert_eq!(settling.state(), state, "{patience:?} {seen:?}");
        }
    }
}
