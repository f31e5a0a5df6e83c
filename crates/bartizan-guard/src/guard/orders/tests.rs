//! Standing orders and what else a guard is at: with its own event loop, and real scripts.

use std::fs;
use std::path::{Path, PathBuf};

use bartizan_proto::message::Message;
use bartizan_testkit::evil_half::{KnownJob, SERVER_KEY};
use bartizan_testkit::world::{World, script, signed, trigger};
use bartizan_trust::id::{Anchor, Sha256};
use bartizan_trust::statement::SignatureRole::{Approve, Author};
use bartizan_trust::statement::{Action, Freeze, FreezeScope, SignatureRole, Stage};
use bartizan_trust::targets::TargetTree;

use super::super::evil_half::load;
use super::super::{Ending, Event};
use super::*;
use crate::arguments::Enroll;
use crate::device::DeviceKey;
use crate::install::{enroll, now};

/// An endpoint where an order stands that writes a line whenever a file changes.
struct Place {
    _folder: tempfile::TempDir,
    root: PathBuf,
    world: World,
    guard: Guard,
    id: StatementId,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        let mut world = World::at(now(), |_| Ok(())).unwrap();
        enroll(&Enroll {
            server: "127.0.0.1:1".to_owned(),
            anchor: Anchor::new(world.org).to_string(),
            enrolment: data_encoding::BASE64URL_NOPAD
                .encode(&world.enrolment("acme").unwrap().encode()),
            folder: root.join("guard"),
        })
        .unwrap();
        let endpoint = DeviceKey::load(&root.join("guard/device.key")).unwrap().endpoint();
        let text = format!("echo ran >> '{}'\n", root.join("runs").display());
        let mut job = world.job().unwrap();
        let tree = TargetTree::new(&[(endpoint, 0)]).unwrap();
        (job.targets, job.stages) = (tree.targets(), vec![Stage::only(1)]);
        job.action = Action::Script(script(text.as_bytes()).unwrap());
        let watched = root.join("watched").to_str().unwrap().to_owned();
        job.trigger = Some(trigger(On::FileChanged { path: watched }, world.now.plus(3600)));
        let envelope = signed(&job, &[("alice", Author), ("bob", Approve)]).unwrap();
        let order = known(&mut world, &envelope, text.into_bytes());
        let guard = load(&root.join("guard"));
        let mut place = Self { _folder: folder, root, world, guard, id: envelope.id() };
        place.say(Message::Link { server_spki: Some(Sha256::of(SERVER_KEY)) });
        place.control(0);
        for message in order.delivery() {
            place.say(message);
        }
        assert!(place.guard.state.orders.contains_key(&place.id), "it stands");
        place
    }

    fn say(&mut self, message: Message) {
        self.guard.handle(Event::FromAgent(self.guard.generation, message)).unwrap();
    }

    fn control(&mut self, start: u64) {
        let log = &self.world.control;
        let checkpoint = log.note(log.size(), &self.world.all_witnesses(), self.world.now).unwrap();
        let entries = log.entries_from(start);
        self.say(Message::Control { start, entries, checkpoint });
    }

    /// The file changes, and the guard looks, whenever it looked last.
    fn change(&mut self, text: &str) {
        fs::write(self.root.join("watched"), text).unwrap();
        self.look();
    }

    fn look(&mut self) {
        self.guard.orders.looked = None;
        // As if everything had been a while ago: two runs do not come in one second.
        let ago = |at: UnixSeconds| UnixSeconds::new(at.get() - 100);
        let order = self.guard.state.orders.get_mut(&self.id).unwrap();
        (order.since, order.last) = (ago(order.since), order.last.map(ago));
        self.guard.look_at_orders().unwrap();
        while !self.guard.running.is_empty() {
            let event = self.guard.events.recv().unwrap();
            self.guard.handle(event).unwrap();
        }
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.root.join("runs")).unwrap_or_default().lines().count()
    }

    /// How often the endpoint has said this of the order.
    fn told(&self, code: &str) -> usize {
        self.guard
            .outbox
            .waiting()
            .filter_map(|bytes| crate::outbox::parse(bytes))
            .filter(|(_, receipt)| receipt.job == self.id && receipt.code == code)
            .count()
    }
}

fn known(world: &mut World, envelope: &Envelope, content: Vec<u8>) -> KnownJob {
    let index = world.jobs.append(envelope.encode());
    let size = world.jobs.size();
    let note = world.jobs.note(size, &world.all_witnesses(), world.now).unwrap();
    let message = bartizan_proto::message::JobMessage {
        envelope: envelope.encode(),
        proof: world.jobs.proof(index, size, note).unwrap(),
        consistency: Vec::new(),
        stage: 0,
        index: 0,
        path: Vec::new(),
        promotions: Vec::new(),
    };
    KnownJob { message, content, mark: "order", honest: true }
}

/// The state of a version that is taken back may be the one from before the update. What ran meanwhile would run again.
#[test]
fn no_order_runs_while_a_version_may_be_taken_back() {
    let mut place = Place::new();
    place.change("one");
    assert_eq!(place.runs(), 1);
    place.guard.updating.ending = Some(Ending::TryNew);
    place.change("two");
    assert_eq!(place.runs(), 1, "an update is under way");
    place.guard.updating.ending = None;
    place.look();
    assert_eq!(place.runs(), 2, "nothing was lost by waiting");
}

/// Told once, not each second; and once more when it happens again after the order has run.
#[test]
fn an_order_that_is_frozen_again_says_so_again() {
    let mut place = Place::new();
    let role = SignatureRole::Freeze;
    for round in 1..=2 {
        let freeze = Freeze {
            reason: format!("round {round}"),
            ..place.world.freeze(FreezeScope::Org, 600)
        };
        let freeze = signed(&freeze, &[("bob", role)]).unwrap();
        let before = place.world.control.size();
        place.world.log_control(&freeze);
        place.control(before);
        place.change(&format!("frozen {round}"));
        place.look();
        place.look();
        assert_eq!((place.runs(), place.told("freeze.covered")), (round - 1, round));
        let thaw = signed(&place.world.thaw(freeze.id()), &[("alice", role), ("bob", role)]);
        place.world.log_control(&thaw.unwrap());
        place.control(before + 1);
        place.look();
        assert_eq!((place.runs(), place.told("freeze.covered")), (round, round));
    }
}

/// What was under way for the old organisation is nothing to the new one.
#[test]
fn an_update_and_the_orders_of_the_old_organisation_are_put_aside_with_the_rest() {
    let place = Place::new();
    let folder = &place.guard.folder;
    let names = ["trial.json", "state.before-update.json", "orders"];
    let within = |root: &Path| names.map(|name| root.join(name).exists());
    fs::write(place.root.join("guard/trial.json"), "{}").unwrap();
    folder.copy_state().unwrap();
    assert_eq!(within(folder.root()), [true; 3]);
    let aside = folder.set_aside().unwrap();
    assert_eq!((within(folder.root()), within(&aside)), ([false; 3], [true; 3]));
}
