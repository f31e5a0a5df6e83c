//! The guard's own event loop against arbitrary code in the place of its network half, two thousand times. Every run is a
//! seed: `BARTIZAN_SEED=17 cargo nextest run -p bartizan-guard evil_half` plays one again.

use std::fs;
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use bartizan_proto::frame::FrameReader;
use bartizan_proto::message::Message;
use bartizan_testkit::evil_half::{Known, KnownJob};
use bartizan_testkit::numbers::Numbers;
use bartizan_testkit::world::{World, signed};
use bartizan_trust::id::{Anchor, StatementId};
use bartizan_trust::statement::SignatureRole;

use super::update::Updating;
use super::{Beside, Event, Guard, launcher};
use crate::arguments::Enroll;
use crate::arguments::Updates;
use crate::collector::Collector;
use crate::device::DeviceKey;
use crate::folder::Folder;
use crate::install::{enroll, now};
use crate::pipe::Separation;

/// How often the network half writes something in one run.
const WRITES: usize = 12;
/// Runs of all four tests together.
const RUNS: u64 = 2000;
/// A job of one line, on a machine with much else to do.
const PATIENCE: Duration = Duration::from_mins(1);

/// What every run begins with: an enrolled endpoint, and everything its network half knows.
struct Setting {
    /// Removed at the end.
    _folder: tempfile::TempDir,
    root: PathBuf,
    trust: StatementId,
    known: Known,
    /// The control log after people have frozen and thawed, from its second entry.
    thawed: (Vec<Vec<u8>>, Vec<u8>),
    /// A job made after all the others, for an endpoint that has seen none of them, and for one that has seen them.
    afterwards: [KnownJob; 2],
}

impl Setting {
    fn new() -> Self {
        // In memory where that is possible: the guard makes everything durable, and there are many runs.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() {
            tempfile::tempdir_in(memory).unwrap()
        } else {
            tempfile::tempdir().unwrap()
        };
        let root = folder.path().to_owned();
        let mut world = World::at(now(), |bundle| {
            bundle.classes[1].jobs_per_hour_max = 1000;
            Ok(())
        })
        .unwrap();
        let enrolment = world.enrolment("acme").unwrap().encode();
        enroll(&Enroll {
            server: "127.0.0.1:1".to_owned(),
            anchor: Anchor::new(world.org).to_string(),
            enrolment: data_encoding::BASE64URL_NOPAD.encode(&enrolment),
            folder: root.join("enrolled"),
        })
        .unwrap();
        let device = DeviceKey::load(&root.join("enrolled/device.key")).unwrap();
        let marks = root.join("marks");
        let known = Known::new(&mut world, device.endpoint(), &marks).unwrap();
        let logged = world.jobs.size();
        let mut afterwards = Known::one_more(&mut world, device.endpoint(), &marks, 0).unwrap();
        let unseen = afterwards.clone();
        afterwards.message.consistency = world.jobs.consistency(logged, logged + 1).unwrap();
        let role = SignatureRole::Freeze;
        let thaw = world.thaw(known.freeze.id());
        let thaw = signed(&thaw, &[("alice", role), ("bob", role)]).unwrap();
        world.log_control(&known.freeze);
        world.log_control(&thaw);
        let checkpoint = world.control.note(3, &world.all_witnesses(), world.now).unwrap();
        let thawed = (world.control.entries_from(1), checkpoint);
        let trust = world.bundle_id;
        Self { _folder: folder, root, trust, known, thawed, afterwards: [unseen, afterwards] }
    }

    fn known(&self) -> &Known {
        &self.known
    }
}

/// One run.
struct Place<'s> {
    setting: &'s Setting,
    guard: Guard,
}

impl<'s> Place<'s> {
    fn new(setting: &'s Setting) -> Self {
        // A folder for each run: threads of the one before, which look at the machine, may still write into theirs.
        static RUNS: AtomicU64 = AtomicU64::new(0);
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let _ = fs::remove_dir_all(setting.root.join(format!("guard-{}", run.wrapping_sub(1))));
        let folder = setting.root.join(format!("guard-{run}"));
        let _ = fs::remove_file(setting.root.join("marks"));
        fs::create_dir(&folder).unwrap();
        for entry in fs::read_dir(setting.root.join("enrolled")).unwrap() {
            let entry = entry.unwrap();
            if entry.path().is_file() {
                fs::copy(entry.path(), folder.join(entry.file_name())).unwrap();
            }
        }
        Self { setting, guard: load(&folder) }
    }

    /// What came through the pipe, as its reader would hand it on. False when the network half is given up.
    fn take(&mut self, reader: &mut FrameReader, bytes: &[u8]) -> bool {
        reader.extend(bytes);
        loop {
            let generation = self.guard.generation;
            let event = match reader.next_message() {
                Ok(Some(message)) => Event::FromAgent(generation, message),
                Ok(None) => return true,
                Err(error) => Event::AgentGone(generation, error.to_string()),
            };
            self.guard.handle(event).unwrap();
            self.finish_jobs();
            self.check();
            if self.guard.generation != generation {
                return false;
            }
        }
    }

    fn finish_jobs(&mut self) {
        while !self.guard.running.is_empty() {
            let event = self.guard.events.recv_timeout(PATIENCE).expect("a job ends");
            self.guard.handle(event).unwrap();
        }
    }

    /// Executed is within honestly signed, once each; trust is where people put it.
    fn check(&self) {
        let marks = self.marks();
        for mark in &marks {
            assert!(self.setting.known().may_run(mark), "`{mark}` ran");
            let times = marks.iter().filter(|other| *other == mark).count();
            assert_eq!(times, 1, "`{mark}` ran {times} times");
        }
        let honest = self.setting.known().honest_ids();
        assert!(self.guard.state.seen.keys().all(|id| honest.contains(id)));
        let trust = self.guard.state.trust.as_ref();
        assert!(trust.is_none_or(|trust| trust.id == self.setting.trust));
    }

    fn marks(&self) -> Vec<String> {
        let text = fs::read_to_string(self.setting.root.join("marks")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// I9: people thaw what was frozen, and an honest job runs.
    fn goes_on(mut self) {
        for message in self.setting.known().greeting() {
            self.say(message);
        }
        let (entries, checkpoint) = self.setting.thawed.clone();
        self.say(Message::Control { start: 1, entries, checkpoint });
        let [unseen, seen] = &self.setting.afterwards;
        let job = if self.guard.state.jobs.size == 0 { unseen } else { seen };
        for message in job.delivery() {
            self.say(message);
        }
        self.finish_jobs();
        assert!(self.marks().contains(&job.mark.to_owned()), "{:?}", self.marks());
    }

    fn say(&mut self, message: Message) {
        self.guard.handle(Event::FromAgent(self.guard.generation, message)).unwrap();
    }
}

pub(super) fn load(path: &Path) -> Guard {
    let folder = Folder::new(path);
    let enrolled = folder.load_enrolled().unwrap();
    let (launcher, orders) = launcher::open();
    std::thread::spawn(move || orders.serve());
    // Nothing is started: the test speaks for it.
    let program = PathBuf::from("/nonexistent");
    let groups = Err("not in tests".to_owned());
    let updates = Updates {
        versions: path.join("versions"),
        vendor_root: path.join("no-vendor-root.json"),
        trial_s: 600,
        on_trial: false,
    };
    let updating = Updating::begin(&folder, &updates).unwrap();
    let halves = (program, Separation::NotRoot);
    let (sender, events) = sync_channel(64);
    // What it is asked stays unanswered: the machine these tests run on is none of their business.
    let beside = Beside { launcher, collector: Collector::deaf(), sender, events };
    Guard::load(folder, enrolled, halves, beside, groups, updating).unwrap()
}

/// Plays a run; how many jobs ran before the last.
fn play(setting: &Setting, seed: u64) -> usize {
    let mut numbers = Numbers::new(seed);
    let mut place = Place::new(setting);
    let mut reader = FrameReader::new();
    // Most begin as an honest one would: otherwise the guard knows nobody yet, and refuses everything for that alone.
    if !numbers.once_in(4) {
        setting.known().greeting().into_iter().for_each(|message| place.say(message));
    }
    for _ in 0..WRITES {
        let written = setting.known().write(&mut numbers);
        if !place.take(&mut reader, &written) {
            reader = FrameReader::new();
        }
    }
    let ran = place.marks().len();
    place.goes_on();
    ran
}

/// The seeds of one of four tests, so that both processors have something to do.
fn seeds(quarter: u64) -> Vec<u64> {
    if let Ok(seed) = std::env::var("BARTIZAN_SEED") {
        return vec![seed.parse().expect("BARTIZAN_SEED is a number")];
    }
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    (0..cases.unwrap_or(RUNS)).filter(|seed| seed % 4 == quarter).collect()
}

fn play_quarter(quarter: u64) {
    let setting = Setting::new();
    let (mut runs, mut ran) = (0, 0);
    for seed in seeds(quarter) {
        let played = std::panic::catch_unwind(AssertUnwindSafe(|| play(&setting, seed)));
        ran += played.unwrap_or_else(|cause| {
            eprintln!("BARTIZAN_SEED={seed} plays this again");
            std::panic::resume_unwind(cause)
        });
        runs += 1;
    }
    println!("{runs} runs, {ran} honest jobs ran in them");
    // A network half that never gets anything through would find nothing.
    assert!(runs < 100 || ran > runs / 4, "{ran} jobs in {runs} runs");
}

#[test]
fn evil_half_runs_only_what_people_signed() {
    play_quarter(0);
}

#[test]
fn evil_half_runs_only_what_people_signed_second_quarter() {
    play_quarter(1);
}

#[test]
fn evil_half_runs_only_what_people_signed_third_quarter() {
    play_quarter(2);
}

#[test]
fn evil_half_runs_only_what_people_signed_last_quarter() {
    play_quarter(3);
}

#[test]
fn evil_half_finds_no_effect_in_any_bytes_of_the_corpus() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/pipe");
    let setting = Setting::new();
    let mut place = Place::new(&setting);
    let greeting = setting.known().greeting();
    let mut played = 0;
    for entry in fs::read_dir(corpus).unwrap() {
        let bytes = fs::read(entry.unwrap().path()).unwrap();
        greeting.clone().into_iter().for_each(|message| place.say(message));
        let before = place.guard.state.clone();
        place.take(&mut FrameReader::new(), &bytes);
        let after = &place.guard.state;
        assert_eq!((&before.trust, &before.seen), (&after.trust, &after.seen));
        assert_eq!(before.freezes, after.freezes);
        played += 1;
    }
    assert!(played >= 30, "{played} files in the corpus");
    assert_eq!(place.marks(), Vec::<String>::new());
    place.goes_on();
}
