//! Servers and consoles that begin anew read the whole control log at once and know no witness times. They judge each entry by what was in
//! force when its makers say that they made it.

use bartizan_testkit::world::{World, operator, signed};
use bartizan_trust::control::ControlView;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;

const ROOT: [&str; 2] = ["alice", "bob"];

/// An organisation older than a week that has just named Dora, which waits for a day.
struct Story {
    world: World,
    view: ControlView,
    named: StatementId,
    made: UnixSeconds,
}

fn story() -> Story {
    let mut world = World::new().unwrap();
    let genesis = TrustState { id: world.bundle_id, bundle: world.bundle.clone() };
    let view = ControlView::new(genesis);
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let made = world.now;
    let dora = operator("dora").unwrap();
    let name = |bundle: &mut Bundle| {
        bundle.iat = made;
        bundle.operators.push(dora);
    };
    world.publish(name, &ROOT).unwrap();
    let named = world.bundle_id;
    Story { world, view, named, made }
}

impl Story {
    /// What somebody makes of the log who looks so long after Dora was named.
    fn read(&mut self, later_s: u64, entry: &[u8]) -> Result<(), Refusal> {
        let now = self.made.plus(later_s);
        self.view.advise(self.world.org, now, None, entry)
    }

    fn read_bundle(&mut self, later_s: u64) {
        let entries = self.world.control.entries_from(1);
        self.read(later_s, &entries[0]).unwrap();
    }

    fn version(&self) -> u64 {
        self.view.chain.current.bundle.version
    }
}

fn by(who: &str, role: SignatureRole, statement: &impl Statement) -> Envelope {
    signed(statement, &[(who, role)]).unwrap()
}

#[test]
fn a_bundle_waits_from_when_it_was_made() {
    let mut story = story();
    story.read_bundle(limits::DAY_S - 1);
    assert_eq!(story.version(), 1);
    let mut story = self::story();
    story.read_bundle(limits::DAY_S);
    assert_eq!(story.version(), 2);
}

#[test]
fn a_veto_counts_by_when_it_was_made() {
    let mut story = story();
    story.world.now = story.made.plus(60);
    let veto = by("bob", SignatureRole::Root, &story.world.veto(story.named)).encode();
    // Both were read long after the delay.
    let entries = story.world.control.entries_from(1);
    let now = story.made.plus(60);
    story.view.advise(story.world.org, now, None, &entries[0]).unwrap();
    assert_eq!(story.read(9 * limits::DAY_S, &veto), Ok(()));
    assert_eq!((story.version(), story.view.chain.pending.len()), (1, 0));
}

#[test]
fn nobody_freezes_thaws_or_takes_back_before_they_were_named() {
    let freeze_role = SignatureRole::Freeze;
    let beforehand = |statement: fn(&World, StatementId) -> Envelope, expected| {
        let mut story = story();
        let frozen = story.world.freeze(FreezeScope::Org, 3600);
        let frozen = by("alice", freeze_role, &frozen);
        let now = story.made.plus(60);
        let entries = story.world.control.entries_from(1);
        story.view.advise(story.world.org, now, None, &entries[0]).unwrap();
        story.read(60, &frozen.encode()).unwrap();
        story.world.now = now;
        let early = statement(&story.world, frozen.id()).encode();
        assert_eq!(story.read(2 * limits::DAY_S, &early), Err(expected));
        // Made when she was somebody, the same counts.
        story.world.now = story.made.plus(limits::DAY_S + 60);
        let late = statement(&story.world, frozen.id()).encode();
        assert_eq!(story.read(2 * limits::DAY_S, &late), Ok(()));
    };
    beforehand(
        |world, _| by("dora", SignatureRole::Freeze, &world.freeze(FreezeScope::Org, 3600)),
        Refusal::FreezeInvalid,
    );
    beforehand(
        |world, frozen| {
            let roles = [("alice", SignatureRole::Freeze), ("dora", SignatureRole::Freeze)];
            signed(&world.thaw(frozen), &roles).unwrap()
        },
        Refusal::ThawThreshold,
    );
    beforehand(
        |world, _| {
            let job = StatementId::new(Sha256::of(b"a job"));
            by("dora", SignatureRole::Freeze, &world.withdrawal(job))
        },
        Refusal::FreezeInvalid,
    );
}
