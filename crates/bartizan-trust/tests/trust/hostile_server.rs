//! The evil server as a machine: it owns both log keys, the database and the network, and does anything in any order
//! to three endpoints. People sign honestly and witnesses co-sign only what grows. After every step: what ran was signed
//! by enough people for this endpoint, inside its window, logged before witnesses, not frozen, not taken back, and ran once (I1 to
//! I6); and honest work still goes through (I9). Every history is made from a seed.

mod bits;
mod orders;
mod promotions;

use std::collections::{BTreeMap, BTreeSet};

use bartizan_testkit::world::{CONTENT, Delivery, World, script, signed, stage};
use bartizan_trust::authorize::{Verdict, authorize};
use bartizan_trust::control;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, Sha256, StatementId};
use bartizan_trust::limits;
use bartizan_trust::note::Note;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::SignatureRole::{Approve, Author, Promote};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

const ENDPOINTS: u32 = 3;

/// What the people did with a job.
#[derive(Debug, Clone)]
struct Intent {
    approved: bool,
    targets: Vec<u32>,
    window_s: u64,
    /// One endpoint after the other, with so long a soak between them.
    staged: Option<u64>,
    /// A standing order: endpoints run it every ten minutes by themselves.
    order: bool,
}

/// Which envelope of a job the server delivers.
#[derive(Debug, Clone, Copy)]
enum Shown {
    /// With every signature people gave.
    Whole,
    /// With the author's alone.
    AuthorOnly,
    /// With a stranger's approval.
    Stranger,
    /// With Bob's approval of another job.
    Transplanted,
    /// With the author's own approval.
    SelfApproved,
}

/// Under which checkpoint.
#[derive(Debug, Clone, Copy)]
enum Under {
    /// The newest that witnesses have seen.
    Witnessed,
    /// An older one.
    Older(Index),
    /// The newest, without witnesses.
    Alone,
    /// Another history, signed by the log's key.
    Fork,
    /// Another history, with witnesses' lines of the true one.
    ForkWithTheirLines,
}

/// With which promotions, when the endpoint is in a later stage.
#[derive(Debug, Clone, Copy)]
enum Promoted {
    /// Those people made.
    Honestly,
    /// The last one missing.
    TooFew,
    /// In the other order.
    Reordered,
    /// Those of another job.
    OfAnother(Index),
    /// Made up, and signed by a stranger.
    ByAStranger,
    /// Made up, with the author's signature of the job.
    Transplanted,
}

/// One bit.
#[derive(Debug, Clone, Copy)]
enum Part {
    Envelope,
    Proof,
    Path,
    Content,
    Promotion,
}

#[derive(Debug, Clone)]
struct Deliver {
    endpoint: u32,
    job: Index,
    shown: Shown,
    proof_of: Option<Index>,
    under: Under,
    promoted: Promoted,
    /// Witnesses look before it is delivered.
    cosign: bool,
    path_of: u32,
    /// Another stage than its own.
    stage: Option<u32>,
    content: bool,
    flip: Option<(Part, Index, u8)>,
    clock_off: i64,
}

#[derive(Debug, Clone)]
enum Act {
    Deliver(Box<Deliver>),
    /// Witnesses look at the logs.
    Cosign,
    Wait(u64),
    /// An endpoint is shown the control log.
    Control(u32),
    /// An endpoint loses its state and begins again.
    Lose(u32),
    /// Carol freezes everything for ten minutes, and this endpoint learns of it.
    Freeze(u32),
    /// People look how a job went, and promote it if all is well.
    Promote(Index),
    /// The server does with a job what an honest one would, stage by stage.
    Onwards(Index),
    /// Carol takes a job or an order back. Endpoints hear of it when they are shown the control log.
    Withdraw(Index),
    /// An endpoint looks at its orders.
    Tick(Box<orders::Tick>),
    /// An honest job goes to everybody, as an honest server would do it.
    Honest,
}

fn deliver() -> impl Strategy<Value = Deliver> {
    let shown = prop_oneof![
        12 => Just(Shown::Whole), 1 => Just(Shown::AuthorOnly), 1 => Just(Shown::Stranger),
        1 => Just(Shown::Transplanted), 1 => Just(Shown::SelfApproved),
    ];
    let under = prop_oneof![
        12 => Just(Under::Witnessed), 1 => any::<Index>().prop_map(Under::Older), 1 => Just(Under::Alone),
        1 => Just(Under::Fork), 1 => Just(Under::ForkWithTheirLines),
    ];
    let part = prop_oneof![
        Just(Part::Envelope),
        Just(Part::Proof),
        Just(Part::Path),
        Just(Part::Content),
        Just(Part::Promotion)
    ];
    let promoted = prop_oneof![
        6 => Just(Promoted::Honestly), 1 => Just(Promoted::TooFew), 1 => Just(Promoted::Reordered),
        1 => any::<Index>().prop_map(Promoted::OfAnother), 1 => Just(Promoted::ByAStranger),
        1 => Just(Promoted::Transplanted),
    ];
    (
        (0..ENDPOINTS, any::<Index>(), shown, prop::option::weighted(0.1, any::<Index>()), under),
        (
            prop::option::weighted(0.15, 0..ENDPOINTS),
            prop::option::weighted(0.08, 0..3u32),
            prop::bool::weighted(0.92),
            prop::bool::weighted(0.7),
        ),
        (
            prop::option::weighted(0.25, (part, any::<Index>(), 0..8u8)),
            prop_oneof![8 => Just(0i64), 1 => Just(-100_000), 1 => Just(20_000)],
            promoted,
        ),
    )
        .prop_map(
            |(
                (endpoint, job, shown, proof_of, under),
                (path, stage, content, cosign),
                (flip, clock_off, promoted),
            )| {
                Deliver {
                    endpoint,
                    job,
                    shown,
                    proof_of,
                    under,
                    cosign,
                    path_of: path.unwrap_or(endpoint),
                    stage,
                    promoted,
                    content,
                    flip,
                    clock_off,
                }
            },
        )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        20 => deliver().prop_map(|deliver| Act::Deliver(Box::new(deliver))),
        3 => Just(Act::Cosign),
        1 => prop_oneof![3 => 0..100u64, 3 => 3000..5000u64, 1 => Just(40_000u64)].prop_map(Act::Wait),
        2 => (0..ENDPOINTS).prop_map(Act::Control),
        1 => (0..ENDPOINTS).prop_map(Act::Lose),
        1 => (0..ENDPOINTS).prop_map(Act::Freeze),
        3 => any::<Index>().prop_map(Act::Promote),
        4 => any::<Index>().prop_map(Act::Onwards),
        1 => any::<Index>().prop_map(Act::Withdraw),
        14 => orders::tick().prop_map(|tick| Act::Tick(Box::new(tick))),
        1 => Just(Act::Honest),
    ]
}

fn intent() -> impl Strategy<Value = Intent> {
    let targets = prop_oneof![Just(vec![0, 1, 2]), Just(vec![0]), Just(vec![1, 2]), Just(vec![2])];
    (
        prop::bool::weighted(0.7),
        targets,
        prop_oneof![2 => Just(3600u64), 1 => Just(60), 2 => Just(20_000)],
        prop_oneof![2 => Just(None), 1 => Just(Some(0u64)), 1 => Just(Some(50)), 1 => Just(Some(3000))],
        prop::bool::weighted(0.4),
    )
        .prop_map(|(approved, targets, window_s, staged, order)| Intent {
            approved,
            targets,
            window_s,
            staged,
            order,
        })
}

type History = (Vec<Intent>, Vec<Act>);

fn history() -> impl Strategy<Value = History> {
    (prop::collection::vec(intent(), 1..5), prop::collection::vec(act(), 5..30))
}

struct Job {
    intent: Intent,
    statement: bartizan_trust::statement::Job,
    whole: Envelope,
    author_only: Envelope,
    made_at: UnixSeconds,
    promotions: Vec<Envelope>,
}

struct Machine {
    world: World,
    endpoints: Vec<State>,
    jobs: Vec<Job>,
    /// Where each envelope stands in the true jobs log.
    places: BTreeMap<Vec<u8>, u64>,
    /// Checkpoints of the true log that honest witnesses have co-signed.
    witnessed: Vec<(u64, Vec<u8>)>,
    ran: BTreeSet<(u32, StatementId)>,
    /// When each was taken back, and its place in the control log.
    withdrawn: BTreeMap<StatementId, u64>,
    /// What guards keep of the orders that stand.
    kept: BTreeMap<(u32, StatementId), Vec<u8>>,
    /// Runs of orders, by when they were due.
    order_runs: BTreeSet<(u32, StatementId, UnixSeconds)>,
    /// By witness time, for each endpoint.
    frozen_until: Vec<UnixSeconds>,
    outcomes: BTreeMap<String, u32>,
}

impl Machine {
    fn new(intents: &[Intent]) -> Self {
        let mut world = World::with(|bundle| {
            bundle.classes[1].jobs_per_hour_max = 1000;
            // Wide, so that windows are not only kept because the control view grows stale first.
            bundle.classes[1].freshness_s = 30_000;
            Ok(())
        })
        .unwrap();
        let endpoints = (0..ENDPOINTS).map(|number| world.endpoint(number).unwrap()).collect();
        let jobs = intents.iter().map(|intent| Job::new(&mut world, intent)).collect();
        let mut machine = Self {
            world,
            endpoints,
            jobs,
            places: BTreeMap::new(),
            witnessed: Vec::new(),
            ran: BTreeSet::new(),
            withdrawn: BTreeMap::new(),
            kept: BTreeMap::new(),
            order_runs: BTreeSet::new(),
            frozen_until: vec![UnixSeconds::ZERO; ENDPOINTS as usize],
            outcomes: BTreeMap::new(),
        };
        for number in 0..machine.jobs.len() {
            let envelopes =
                [machine.jobs[number].author_only.encode(), machine.jobs[number].whole.encode()];
            for envelope in envelopes {
                machine.log(envelope);
            }
        }
        machine.cosign();
        machine
    }

    fn log(&mut self, envelope: Vec<u8>) {
        if !self.places.contains_key(&envelope) {
            let place = self.world.jobs.append(envelope.clone());
            self.places.insert(envelope, place);
        }
    }

    /// Honest witnesses: they see one history, and it grows.
    fn cosign(&mut self) {
        let size = self.world.jobs.size();
        let note = self.world.jobs.note(size, &self.world.all_witnesses(), self.world.now).unwrap();
        self.witnessed.push((size, note));
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Deliver(deliver) => self.deliver(deliver),
            Act::Cosign => self.cosign(),
            Act::Wait(seconds) => self.world.now = self.world.now.plus(*seconds),
            Act::Control(number) => {
                let state = self.world.caught_up(&self.endpoints[*number as usize]).unwrap();
                self.endpoints[*number as usize] = state;
            }
            Act::Lose(number) => self.lose(*number),
            Act::Freeze(number) => self.freeze(*number),
            Act::Promote(job) => self.promote(job.index(self.jobs.len())),
            Act::Onwards(job) => self.onwards(*job),
            Act::Withdraw(job) => self.withdraw(job.index(self.jobs.len())),
            Act::Tick(tick) => self.tick(tick),
            Act::Honest => self.honest(),
        }
    }

    /// What a guard does that finds its state gone.
    fn lose(&mut self, number: u32) {
        let endpoint = World::endpoint_id(number).unwrap();
        let fresh = State::new(Anchor::new(self.world.org), endpoint);
        let mut state = self.world.caught_up(&fresh).unwrap();
        state.membership.clone_from(&self.endpoints[number as usize].membership);
        // What was frozen ahead of the log is forgotten with the rest.
        self.frozen_until[number as usize] = UnixSeconds::ZERO;
        state.replay_floor = self.world.now.plus(limits::CLOCK_SKEW_S + 1);
        self.endpoints[number as usize] = state;
        self.kept.retain(|(endpoint, _), _| *endpoint != number);
    }

    /// A freeze that comes ahead of the control log. The fourth within a day has no effect.
    fn freeze(&mut self, number: u32) {
        let statement = self.world.freeze(FreezeScope::Org, 600);
        let envelope = signed(&statement, &[("carol", SignatureRole::Freeze)]).unwrap();
        let state = &self.endpoints[number as usize];
        if let Ok(frozen) = control::freeze(state, &self.world.facts(), &envelope.encode()) {
            self.endpoints[number as usize] = frozen;
            self.frozen_until[number as usize] = statement.exp;
        }
    }

    fn envelope(&self, deliver: &Deliver) -> Envelope {
        let job = deliver.job.get(&self.jobs);
        match deliver.shown {
            Shown::Whole => job.whole.clone(),
            Shown::AuthorOnly => job.author_only.clone(),
            Shown::Stranger => {
                signed(&job.statement, &[("alice", Author), ("mallory", Approve)]).unwrap()
            }
            Shown::SelfApproved => {
                signed(&job.statement, &[("alice", Author), ("alice", Approve)]).unwrap()
            }
            Shown::Transplanted => {
                let mut envelope = job.author_only.clone();
                for other in &self.jobs {
                    for blob in other.whole.signature_blobs() {
                        envelope.add_signature(&SshSig::decode(blob).unwrap()).unwrap();
                    }
                }
                envelope
            }
        }
    }

    fn deliver(&mut self, deliver: &Deliver) {
        let envelope = self.envelope(deliver).encode();
        let promotions = self.promotions(deliver);
        // The server may log whatever it likes; witnesses look at growth, not at sense.
        self.log(envelope.clone());
        for promotion in &promotions {
            self.log(promotion.encode());
        }
        if deliver.cosign {
            self.cosign();
        }
        let proven = deliver
            .proof_of
            .map_or_else(|| envelope.clone(), |other| other.get(&self.jobs).whole.encode());
        let state = self.endpoints[deliver.endpoint as usize].clone();
        let (proof, consistency) = self.proof(&proven, deliver.under, &state);
        let job = deliver.job.get(&self.jobs);
        let tree = World::staged_tree(&job.intent.targets, &job.statement.stages).unwrap();
        let path_of = World::endpoint_id(deliver.path_of).unwrap();
        let place = tree.place(&path_of).unwrap_or_default();
        let stage = deliver.stage.unwrap_or(place.stage);
        let mut delivery = Delivery {
            envelope,
            proof,
            consistency,
            stage,
            index: place.index,
            path: place.path,
            promotions: self.logged(&promotions, deliver.under),
            content: deliver.content.then(|| CONTENT.to_vec()),
            package: None,
        };
        if let Some((part, at, bit)) = deliver.flip {
            bits::flip(&mut delivery, part, at, bit);
        }
        self.judge(deliver.endpoint, deliver.clock_off, &delivery);
    }

    /// A proof under the chosen checkpoint, and the best consistency path there is for it.
    fn proof(&self, entry: &[u8], under: Under, state: &State) -> (Vec<u8>, Vec<Sha256>) {
        let place = self.places[entry];
        let log = &self.world.jobs;
        let (size, note) = match under {
            Under::Witnessed => self.witnessed.last().unwrap().clone(),
            Under::Older(at) => at.get(&self.witnessed).clone(),
            Under::Alone => (log.size(), log.note(log.size(), &[], self.world.now).unwrap()),
            Under::Fork | Under::ForkWithTheirLines => return self.forked(entry, under, state),
        };
        // An entry that is not under this checkpoint yet gets the proof of one that is.
        let place = place.min(size - 1);
        let seen = state.jobs.size.min(log.size());
        (log.proof(place, size, note).unwrap(), log.consistency(seen, size).unwrap())
    }

    fn forked(&self, entry: &[u8], under: Under, state: &State) -> (Vec<u8>, Vec<Sha256>) {
        let mut fork = self.world.jobs.fork(1).unwrap();
        let place = fork.append(entry.to_vec());
        let mut note = Note::decode(&fork.note(fork.size(), &[], self.world.now).unwrap()).unwrap();
        if matches!(under, Under::ForkWithTheirLines) {
            let theirs = Note::decode(&self.witnessed.last().unwrap().1).unwrap();
            note.signatures.extend(theirs.signatures.into_iter().skip(1));
        }
        let seen = state.jobs.size.min(fork.size());
        (
            fork.proof(place, fork.size(), note.encode()).unwrap(),
            fork.consistency(seen, fork.size()).unwrap(),
        )
    }

    fn judge(&mut self, number: u32, clock_off: i64, delivery: &Delivery) {
        let clock = self.world.now.get().saturating_add_signed(clock_off);
        let facts = LocalFacts { now: UnixSeconds::new(clock), agent_version: "0.1.0" };
        let state = &self.endpoints[number as usize];
        let outcome = authorize(state, &facts, &delivery.as_ref());
        let name = match &outcome.verdict {
            Verdict::Update(_) | Verdict::Scan(_) => panic!("nobody signed such a job"),
            Verdict::Run(proof) => {
                let id = proof.job();
                assert_eq!(proof.content(), CONTENT, "{id} ran with other content");
                assert!(self.ran.insert((number, id)), "{id} ran twice on endpoint {number}");
                let frozen_until = self.frozen_until[number as usize];
                assert!(outcome.state.floor >= frozen_until, "I6: {id} ran under a freeze");
                self.check(number, id, outcome.state.now(&facts), &delivery.envelope);
                "run"
            }
            Verdict::Stand(order) => {
                let id = order.id;
                assert!(self.ran.insert((number, id)), "{id} was taken in twice on {number}");
                let frozen_until = self.frozen_until[number as usize];
                assert!(outcome.state.floor >= frozen_until, "I6: {id} stands under a freeze");
                self.check(number, id, outcome.state.now(&facts), &delivery.envelope);
                self.kept.insert((number, id), delivery.envelope.clone());
                "stand"
            }
            Verdict::NeedContent(_) => "need_content",
            Verdict::Refused(refusal) => refusal.code(),
        };
        *self.outcomes.entry(name.to_owned()).or_default() += 1;
        self.endpoints[number as usize] = outcome.state;
    }

    /// What ran is what people meant.
    fn check(&self, number: u32, id: StatementId, now: UnixSeconds, envelope: &[u8]) {
        let job = self.jobs.iter().find(|job| job.whole.id() == id).expect("a job of ours");
        assert!(job.intent.approved, "I1: nobody approved {id}");
        assert!(job.intent.targets.contains(&number), "I2: {id} is not for endpoint {number}");
        self.check_not_withdrawn(number, id);
        let tree = World::staged_tree(&job.intent.targets, &job.statement.stages).unwrap();
        let stage = tree.place(&World::endpoint_id(number).unwrap()).unwrap().stage;
        let promoted = stage as usize <= job.promotions.len();
        assert!(promoted, "I2: {id} ran on endpoint {number} before its stage");
        let soaked = job.made_at.plus(job.statement.soak_s(stage));
        assert!(self.world.now >= soaked, "I2: {id} ran on endpoint {number} before its soak");
        assert!(now < job.statement.window.exp, "I4: {id} ran after its window");
        let place = self.places[envelope];
        assert!(self.witnessed.iter().any(|(size, _)| place < *size), "I5: {id} had no witness");
    }

    /// I9: whatever happened, an honest job runs on every endpoint.
    fn honest(&mut self) {
        let job = Job::new(
            &mut self.world,
            &Intent {
                approved: true,
                targets: vec![0, 1, 2],
                window_s: 3600,
                staged: None,
                order: false,
            },
        );
        // After a loss of state an endpoint takes no job made before that moment, and a little after.
        // And a freeze ends by itself.
        self.world.now = self.world.now.plus(limits::CLOCK_SKEW_S + 2 + 600);
        let statement = bartizan_trust::statement::Job {
            iat: self.world.now,
            window: Window { nbf: self.world.now, exp: self.world.now.plus(3600) },
            ..job.statement
        };
        let whole = signed(&statement, &[("alice", Author), ("bob", Approve)]).unwrap();
        let envelope = whole.encode();
        let intent = job.intent;
        let made_at = self.world.now;
        let author_only = whole.clone();
        self.jobs.push(Job { intent, statement, author_only, whole, made_at, promotions: vec![] });
        self.log(envelope.clone());
        self.cosign();
        for number in 0..ENDPOINTS {
            let caught_up = self.world.caught_up(&self.endpoints[number as usize]).unwrap();
            self.endpoints[number as usize] = caught_up;
            let state = self.endpoints[number as usize].clone();
            let (proof, consistency) = self.proof(&envelope, Under::Witnessed, &state);
            let place = World::tree(&[0, 1, 2]).unwrap().place(&state.endpoint).unwrap();
            let before = self.ran.len();
            let content = Some(CONTENT.to_vec());
            let envelope = envelope.clone();
            let delivery = Delivery {
                envelope,
                proof,
                consistency,
                stage: 0,
                index: place.index,
                path: place.path,
                promotions: Vec::new(),
                content,
                package: None,
            };
            self.judge(number, 0, &delivery);
            assert_eq!(self.ran.len(), before + 1, "I9: {:?}", self.outcomes);
        }
    }
}

impl Job {
    fn new(world: &mut World, intent: &Intent) -> Self {
        let mut statement = world.job().unwrap();
        if let Some(soak_s) = intent.staged {
            statement.stages = vec![stage("later", soak_s); intent.targets.len()];
            statement.stages[0] = Stage::only(1);
        } else {
            statement.stages = vec![Stage::only(intent.targets.len() as u32)];
        }
        let tree = World::staged_tree(&intent.targets, &statement.stages).unwrap();
        statement.targets = tree.targets();
        statement.window.exp = world.now.plus(intent.window_s);
        statement.action = Action::Script(script(CONTENT).unwrap());
        if intent.order {
            statement.trigger = Some(orders::trigger(world.now));
        }
        let author_only = signed(&statement, &[("alice", Author)]).unwrap();
        let both = [("alice", Author), ("bob", Approve)];
        let whole =
            if intent.approved { signed(&statement, &both).unwrap() } else { author_only.clone() };
        let made_at = world.now;
        let intent = intent.clone();
        Self { intent, statement, whole, author_only, made_at, promotions: Vec::new() }
    }
}

fn play((intents, acts): &History) -> BTreeMap<String, u32> {
    let mut machine = Machine::new(intents);
    for act in acts {
        machine.act(act);
    }
    machine.honest();
    machine.outcomes
}

/// Runs of all four tests together; `PROPTEST_CASES` asks for more, `BARTIZAN_SEED` for one again.
const RUNS: u64 = 2000;

/// The history of a seed, played; a failing one is made as small as it can be first.
fn play_seed(seed: u64) {
    let config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let numbers = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, numbers);
    let tree = history().new_tree(&mut runner).unwrap();
    let played = runner.run_one(tree, |history| {
        play(&history);
        Ok(())
    });
    if let Err(failed) = played {
        panic!("BARTIZAN_SEED={seed} plays this again: {failed}");
    }
}

/// A quarter of the seeds, so that more than one processor has something to do.
fn play_quarter(quarter: u64) {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse().expect("a number"));
    if let Some(seed) = asked("BARTIZAN_SEED") {
        return play_seed(seed);
    }
    let runs = asked("PROPTEST_CASES").unwrap_or(RUNS);
    (0..runs).filter(|seed| seed % 4 == quarter).for_each(play_seed);
}

/// The history of a seed, as it comes.
fn history_of(seed: u64) -> History {
    let bytes: Vec<u8> = seed.to_be_bytes().iter().cycle().take(32).copied().collect();
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    history().new_tree(&mut runner).unwrap().current()
}

#[test]
fn a_hostile_server_runs_only_what_people_signed() {
    play_quarter(0);
}

#[test]
fn a_hostile_server_runs_only_what_people_signed_second_quarter() {
    play_quarter(1);
}

#[test]
fn a_hostile_server_runs_only_what_people_signed_third_quarter() {
    play_quarter(2);
}

#[test]
fn a_hostile_server_runs_only_what_people_signed_last_quarter() {
    play_quarter(3);
}

/// A machine that never gets anywhere would find nothing.
#[test]
fn the_hostile_server_gets_as_far_as_it_can() {
    let mut all: BTreeMap<String, u32> = BTreeMap::new();
    for seed in 0..200 {
        for (name, count) in play(&history_of(seed)) {
            *all.entry(name).or_default() += count;
        }
    }
    for code in [
        "run",
        "need_content",
        "sig.approvals_missing",
        "target.not_listed",
        "log.not_logged",
        "log.not_witnessed",
        "replay.seen",
        "content.mismatch",
        "window.expired",
        "freeze.covered",
        "input.malformed",
        "stage.not_promoted",
        "stage.soaks",
        "stand",
        "freeze.withdrawn",
        "order ran",
        "order: order.not_due",
        "order: log.control_stale",
        "order: freeze.covered",
        "order: freeze.withdrawn",
        "order: content.mismatch",
        "order: sig.approvals_missing",
        "order: order.unknown",
        "order: window.expired",
    ] {
        assert!(all.contains_key(code), "{code} never came up: {all:?}");
    }
    assert!(all["run"] > 250, "{all:?}");
}
