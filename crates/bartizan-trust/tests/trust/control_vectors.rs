//! Replays `vectors/control`: control logs and what endpoints make of them. With `BARTIZAN_WRITE_VECTORS=1` it writes them first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use bartizan_testkit::world::{World, signed};
use bartizan_trust::control::{ControlUpdate, enrol, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, Sha256, StatementId};
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use SignatureRole::{Freeze as Freezes, Root};

/// A control log as it came, and what is believed afterwards. Bytes are base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// `ok`, or the code of the refusal of all of it.
    expect: String,
    /// Entries without effect, by their place in the log.
    skipped: BTreeMap<u64, String>,
    now: UnixSeconds,
    state: State,
    start: u64,
    entries: Vec<String>,
    checkpoint: String,
    /// An enrolment judged afterwards, and what comes of it.
    enrolment: Option<(String, String)>,
    /// Afterwards: the version of the bundle in force, how many wait, and how many freezes stand.
    bundle: u64,
    waiting: usize,
    standing: usize,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/control").join(name)
}

/// What an endpoint makes of it: the code, the entries skipped, the state.
fn judged(vector: &Vector) -> (String, BTreeMap<u64, String>, State) {
    let bytes = |text: &String| BASE64.decode(text.as_bytes()).unwrap();
    let entries: Vec<_> = vector.entries.iter().map(bytes).collect();
    let checkpoint = bytes(&vector.checkpoint);
    let update = ControlUpdate { start: vector.start, entries: &entries, checkpoint: &checkpoint };
    let facts = LocalFacts { now: vector.now, agent_version: "0.1.0" };
    match replay(&vector.state, &facts, &update) {
        Ok((state, skipped)) => {
            let skipped = skipped.iter().map(|e| (e.index, e.refusal.code().to_owned())).collect();
            ("ok".to_owned(), skipped, state)
        }
        Err(refusal) => (refusal.code().to_owned(), BTreeMap::new(), vector.state.clone()),
    }
}

fn enrolled(vector: &Vector, state: &State, enrolment: &str) -> String {
    let facts = LocalFacts { now: vector.now, agent_version: "0.1.0" };
    let enrolment = BASE64.decode(enrolment.as_bytes()).unwrap();
    enrol(state, &facts, &enrolment)
        .map_or_else(|refusal| refusal.code().to_owned(), |_| "ok".to_owned())
}

fn believed(state: &State) -> (u64, usize, usize) {
    let version = state.trust.as_ref().map_or(0, |trust| trust.bundle.version);
    (version, state.pending.len(), state.freezes.standing(state.floor).count())
}

fn read(name: &str) -> Vec<(PathBuf, Vector)> {
    fs::read_dir(folder(name))
        .unwrap()
        .map(|file| file.unwrap().path())
        .map(|path| (path.clone(), serde_json::from_slice(&fs::read(path).unwrap()).unwrap()))
        .collect()
}

#[test]
fn control_vectors_are_judged_as_they_say() {
    if env::var_os("BARTIZAN_WRITE_VECTORS").is_some() {
        write();
    }
    for (name, least) in [("accept", 7), ("reject", 16)] {
        let vectors = read(name);
        assert!(vectors.len() >= least, "{name}: {} files", vectors.len());
        for (path, vector) in vectors {
            let (code, skipped, state) = judged(&vector);
            assert_eq!((&code, &skipped), (&vector.expect, &vector.skipped), "{}", path.display());
            let after = (vector.bundle, vector.waiting, vector.standing);
            assert_eq!(believed(&state), after, "{}", path.display());
            let mut all_well = code == "ok" && skipped.is_empty();
            if let Some((enrolment, expected)) = &vector.enrolment {
                assert_eq!(enrolled(&vector, &state, enrolment), *expected, "{}", path.display());
                all_well &= expected == "ok";
            }
            assert_eq!(all_well, name == "accept", "{}", path.display());
        }
    }
}

/// Codes without a vector, and why.
const WITHOUT: &[(Refusal, &str)] = &[
    (Refusal::TooLarge, "60 KiB of nothing; each limit has a test one below and one above"),
    (
        Refusal::SeenFull,
        "needs 4,096 remembered jobs: `i3_a_full_memory_refuses_instead_of_forgetting`",
    ),
    (
        Refusal::OrdersFull,
        "needs 32 standing orders, and what is kept of each: tests/trust/standing",
    ),
    (Refusal::WrongPlace, "only of policies: vectors/policy"),
    (Refusal::PolicyOld, "only of policies: vectors/policy"),
    (Refusal::PoliciesFull, "needs 64 policies: tests/trust/monitoring"),
    (
        Refusal::PolicyUnknown,
        "comes of what the guard has kept on its disk: tests/trust/monitoring",
    ),
    (
        Refusal::OrderUnknown,
        "comes of what the guard has kept on its disk, not of a delivery: tests/trust/standing",
    ),
    (
        Refusal::OrderNotDue,
        "comes of a clock and of what the machine shows, not of a delivery: tests/trust/standing",
    ),
];

/// What is read of the vectors of `authorize` here.
#[derive(Deserialize)]
struct Expected {
    expect: String,
}

/// A code that nobody has seen on the wire is a code that another implementation gets wrong.
#[test]
fn every_refusal_code_has_a_vector_or_a_reason_why_not() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (_, vector) in read("reject") {
        seen.extend(vector.skipped.values().cloned());
        seen.extend(vector.enrolment.map(|(_, code)| code));
        seen.insert(vector.expect);
    }
    for file in fs::read_dir(folder("../authorize/reject")).unwrap() {
        let vector: Expected =
            serde_json::from_slice(&fs::read(file.unwrap().path()).unwrap()).unwrap();
        seen.insert(vector.expect);
    }
    for refusal in Refusal::ALL {
        let excused = WITHOUT.iter().any(|(without, _)| without == refusal);
        assert_ne!(seen.contains(refusal.code()), excused, "{refusal}: a vector, or a reason");
    }
}

/// Histories, each told to one endpoint.
struct Writer {
    accept: BTreeMap<&'static str, Vector>,
    reject: BTreeMap<&'static str, Vector>,
}

impl Writer {
    /// What the world's server would send to an endpoint in this state, changed by whoever tells it.
    fn tell(
        &mut self,
        name: &'static str,
        world: &World,
        state: &State,
        change: impl FnOnce(&mut Vector),
    ) {
        let (entries, checkpoint) = world.control_for(state).unwrap();
        let mut vector = Vector {
            expect: String::new(),
            skipped: BTreeMap::new(),
            now: world.now,
            state: state.clone(),
            start: state.control.size(),
            entries: entries.iter().map(|entry| BASE64.encode(entry)).collect(),
            checkpoint: BASE64.encode(&checkpoint),
            enrolment: None,
            bundle: 0,
            waiting: 0,
            standing: 0,
        };
        change(&mut vector);
        let (code, skipped, after) = judged(&vector);
        let mut all_well = code == "ok" && skipped.is_empty();
        if let Some((enrolment, code)) = vector.enrolment.take() {
            assert_eq!(code, "");
            let code = enrolled(&vector, &after, &enrolment);
            all_well &= code == "ok";
            vector.enrolment = Some((enrolment, code));
        }
        (vector.expect, vector.skipped) = (code, skipped);
        (vector.bundle, vector.waiting, vector.standing) = believed(&after);
        let files = if all_well { &mut self.accept } else { &mut self.reject };
        assert!(files.insert(name, vector).is_none());
    }
}

fn settled() -> (World, State) {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    world.now = world.now.plus(limits::FIRST_WEEK_S);
    let state = world.caught_up(&state).unwrap();
    (world, state)
}

const ROOTS: [&str; 2] = ["alice", "bob"];

fn write() {
    let mut writer = Writer { accept: BTreeMap::new(), reject: BTreeMap::new() };
    genesis(&mut writer);
    checkpoints(&mut writer);
    bundles(&mut writer);
    freezes(&mut writer);
    for (name, files) in [("accept", writer.accept), ("reject", writer.reject)] {
        let _ = fs::remove_dir_all(folder(name));
        fs::create_dir_all(folder(name)).unwrap();
        for (file, vector) in files {
            let mut text = serde_json::to_vec_pretty(&vector).unwrap();
            text.push(b'\n');
            fs::write(folder(name).join(format!("{file}.json")), text).unwrap();
        }
    }
}

fn genesis(writer: &mut Writer) {
    let world = World::new().unwrap();
    let fresh = State::new(Anchor::new(world.org), World::endpoint_id(0).unwrap());
    let enrolment = |envelope: &Envelope| Some((BASE64.encode(&envelope.encode()), String::new()));
    let good = world.enrolment("acme").unwrap();
    writer.tell("genesis", &world, &fresh, |v| v.enrolment = enrolment(&good));
    let statement: Enrolment = good.statement().unwrap();
    let forged = signed(&statement, &[("mallory", SignatureRole::Enroll)]).unwrap();
    writer.tell("enrolment_by_a_stranger", &world, &fresh, |v| v.enrolment = enrolment(&forged));
    let lost = State { replay_floor: UnixSeconds::new(1), ..fresh.clone() };
    writer.tell("genesis_after_lost_memory", &world, &lost, |_| {});
    let other = World::with(|bundle| {
        "0.0.1".clone_into(&mut bundle.min_agent);
        Ok(())
    })
    .unwrap();
    writer.tell("genesis_of_another", &other, &fresh, |_| {});
    let one = signed(&world.bundle, &[("alice", Root)]).unwrap().encode();
    let mut log = bartizan_testkit::world::Log::named("control").unwrap();
    log.append(one.clone());
    let note = log.note(1, &world.all_witnesses(), world.now).unwrap();
    writer.tell("genesis_by_one_of_two", &world, &fresh, |v| {
        (v.entries, v.checkpoint) = (vec![BASE64.encode(&one)], BASE64.encode(&note));
    });
}

fn checkpoints(writer: &mut Writer) {
    let (mut world, state) = settled();
    let no_entries = |v: &mut Vector| v.entries.clear();
    writer.tell("the_same_again_later", &world, &state, no_entries);
    writer.tell("from_another_place", &world, &state, |v| v.start = 0);
    let note = |log: &bartizan_testkit::world::Log, size, witnesses: &[_]| {
        BASE64.encode(&log.note(size, witnesses, world.now).unwrap())
    };
    let unwitnessed = note(&world.control, 1, &world.all_witnesses()[..1]);
    writer.tell("one_witness_of_two", &world, &state, |v| v.checkpoint = unwitnessed);
    let fork = note(&world.control.fork(1).unwrap(), 1, &world.all_witnesses());
    writer.tell("another_history", &world, &state, |v| v.checkpoint = fork);
    writer.tell("signed_by_nobody", &world, &state, |v| {
        v.checkpoint = BASE64.encode(b"no note");
    });
    world.publish(|bundle| bundle.weaken_delay_s += 1, &ROOTS).unwrap();
    let longer = world.caught_up(&state).unwrap();
    let shorter = BASE64.encode(&world.control.note(1, &world.all_witnesses(), world.now).unwrap());
    writer.tell("a_shorter_log", &world, &longer, |v| v.checkpoint = shorter);
}

fn bundles(writer: &mut Writer) {
    let (mut world, state) = settled();
    world.publish(|bundle| bundle.operators.truncate(2), &ROOTS).unwrap();
    writer.tell("tightened_at_once", &world, &state, |_| {});
    let (mut world, state) = settled();
    world.publish(|bundle| bundle.weaken_delay_s = 0, &ROOTS).unwrap();
    writer.tell("weakened_waits", &world, &state, |_| {});
    let waits = world.caught_up(&state).unwrap();
    let by_nobody = signed(&world.veto(world.bundle_id), &[("mallory", Root)]).unwrap();
    world.log_control(&by_nobody);
    writer.tell("veto_by_a_stranger", &world, &waits, |_| {});
    // Whoever comes late: what waits behind takes people away at once, and they veto nothing.
    let (mut world, state) = settled();
    world.publish(|bundle| bundle.classes[0].endpoints_new_max += 1, &ROOTS).unwrap();
    let weaker = world.bundle_id;
    world.publish(|bundle| bundle.operators.truncate(2), &ROOTS).unwrap();
    world.log_control(&signed(&world.veto(weaker), &[("carol", Root)]).unwrap());
    writer.tell("veto_by_somebody_removed_behind_it", &world, &state, |_| {});
    for (name, version, signers) in
        [("skips_a_version", 3, &ROOTS[..]), ("signed_by_one_of_two", 2, &ROOTS[..1])]
    {
        let (mut world, state) = settled();
        world.publish(|bundle| bundle.version = version, signers).unwrap();
        writer.tell(name, &world, &state, |_| {});
    }
}

fn freezes(writer: &mut Writer) {
    let (mut world, state) = settled();
    let freeze = world.freeze(FreezeScope::Org, 3600);
    let freeze = signed(&freeze, &[("carol", Freezes)]).unwrap();
    world.log_control(&freeze);
    writer.tell("freeze_by_one", &world, &state, |_| {});
    let frozen = world.caught_up(&state).unwrap();
    let thaw = |world: &World, id, by: &[&str]| {
        let roles: Vec<_> = by.iter().map(|name| (*name, Freezes)).collect();
        signed(&world.thaw(id), &roles).unwrap()
    };
    let alone = thaw(&world, freeze.id(), &["carol"]);
    world.log_control(&alone);
    writer.tell("thaw_by_its_maker_alone", &world, &frozen, |_| {});
    let frozen = world.caught_up(&frozen).unwrap();
    let both = thaw(&world, freeze.id(), &["carol", "alice"]);
    world.log_control(&both);
    writer.tell("thaw_by_two", &world, &frozen, |_| {});
    let (mut world, state) = settled();
    let nothing = StatementId::new(Sha256::of(b"nothing"));
    world.log_control(&thaw(&world, nothing, &ROOTS));
    writer.tell("thaw_of_nothing", &world, &state, |_| {});
    let stranger = world.freeze(FreezeScope::Org, 3600);
    let too_long = world.freeze(FreezeScope::Org, limits::FREEZE_ALONE_S_MAX + 1);
    for (name, freeze, by) in [
        ("freeze_by_a_stranger", stranger, "mallory"),
        ("freeze_by_one_for_too_long", too_long, "carol"),
    ] {
        let (mut world, state) = settled();
        world.log_control(&signed(&freeze, &[(by, Freezes)]).unwrap());
        writer.tell(name, &world, &state, |_| {});
    }
}
