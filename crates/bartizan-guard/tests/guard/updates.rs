//! Updates with real programs: the next version is this very guard with another number in it, built by nobody's key but
//! listed by a vendor's repository that python-tuf made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use bartizan_proto::message::{JobMessage, JobPhase, Message};
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::{Action, Class, Content, Decision, SignatureRole, Stage, Update};
use bartizan_trust::targets::TargetTree;

use crate::pipe::{Guard, Place, guard_command};

const NAME: &str = "bartizan-endpoint.tar";
const OLD: &str = env!("CARGO_PKG_VERSION");
const NEW: &str = "0.2.0";
/// Long enough that no trial ends before its test wants it to.
const LONG: &str = "600";

const BOTH: [(&str, SignatureRole); 2] =
    [("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)];

/// What the new `bartizan-guard` is.
enum Program {
    /// This guard with the number of the new version.
    Works,
    /// A script in its place.
    Script(&'static str),
}

/// An endpoint, and a vendor with a repository for each way to be right or wrong.
struct Scene {
    place: Place,
    program: PathBuf,
    /// The jobs log as the endpoint has seen it.
    seen: u64,
    /// Who signs updates.
    signers: &'static [(&'static str, SignatureRole)],
}

impl Scene {
    fn new(program: &Program, trial_seconds: &str) -> Self {
        let mut place = Place::new();
        let folder = place.path("new");
        fs::create_dir(&folder).unwrap();
        let guard = guard_command().get_program().to_owned();
        match program {
            Program::Works => fs::write(folder.join("bartizan-guard"), renumbered(&guard)).unwrap(),
            Program::Script(text) => fs::write(folder.join("bartizan-guard"), text).unwrap(),
        }
        let verifier = Path::new(&guard).with_file_name("bartizan-tuf");
        assert!(verifier.exists(), "build it beside the guard: cargo build -p bartizan-tuf");
        fs::copy(verifier, folder.join("bartizan-tuf")).unwrap();
        // The tests' own network half stands in for it.
        fs::write(folder.join("bartizan-agent"), "#!/bin/false\n").unwrap();
        for name in ["bartizan-guard", "bartizan-agent", "bartizan-tuf"] {
            let mode = fs::Permissions::from_mode(0o755);
            fs::set_permissions(folder.join(name), mode).unwrap();
        }
        if matches!(program, Program::Works) {
            let said = Command::new(folder.join("bartizan-guard")).arg("--version").output();
            let said = String::from_utf8(said.unwrap().stdout).unwrap();
            assert_eq!(said.trim(), format!("bartizan-guard {NEW}"));
        }
        let target = place.path("target");
        tar(&target, &folder, &["bartizan-guard", "bartizan-agent", "bartizan-tuf"]);
        let made = Command::new(python())
            .arg(
                Path::new(env!("CARGO_MANIFEST_DIR"))
                    .join("../../tests/peers/python/tuf_repository.py"),
            )
            .arg(place.path("vendor"))
            .arg(NAME)
            .arg(&target)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let text = |path: PathBuf| path.display().to_string();
        place.options = vec![
            "--versions".to_owned(),
            text(place.path("versions")),
            "--vendor-root".to_owned(),
            text(place.path("vendor/root.json")),
            "--trial-seconds".to_owned(),
            trial_seconds.to_owned(),
        ];
        Self { place, program: target, seen: 0, signers: &BOTH }
    }

    /// A package with the metadata of a repository, and a signed job for it.
    fn update(&mut self, variant: &str) -> (JobMessage, Vec<u8>) {
        let folder = self.place.path(&format!("package-{variant}"));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("metadata")).unwrap();
        let mut names = vec!["program".to_owned()];
        for entry in fs::read_dir(self.place.path("vendor").join(variant).join("metadata")).unwrap()
        {
            let entry = entry.unwrap();
            let name = format!("metadata/{}", entry.file_name().to_str().unwrap());
            fs::copy(entry.path(), folder.join(&name)).unwrap();
            names.push(name);
        }
        fs::copy(&self.program, folder.join("program")).unwrap();
        let package = self.place.path("package");
        tar(&package, &folder, &names.iter().map(String::as_str).collect::<Vec<_>>());
        let bytes = fs::read(package).unwrap();
        let update = Update {
            target: NAME.to_owned(),
            version: NEW.to_owned(),
            program: content(&fs::read(&self.program).unwrap()),
            content: content(&bytes),
        };
        let tree = TargetTree::new(&[(self.place.endpoint, 0)]).unwrap();
        let mut job = self.place.world.job().unwrap();
        job.targets = tree.targets();
        job.class = Class::Update;
        job.stages = vec![Stage::only(1)];
        job.action = Action::Update(update);
        (self.place.signed_job(&job, self.signers), bytes)
    }

    /// Delivers an update for what this guard has seen.
    fn deliver(&mut self, guard: &mut Guard, update: &(JobMessage, Vec<u8>)) {
        self.deliver_part(guard, update, update.1.len());
    }

    fn deliver_part(
        &mut self,
        guard: &mut Guard,
        (job, bytes): &(JobMessage, Vec<u8>),
        length: usize,
    ) {
        guard.send(&Message::Job(self.place.for_view(job, self.seen)));
        self.seen = self.place.world.jobs.size();
        let asked = guard.receive_until(|message| match message {
            Message::ContentRequest { sha256, offset: 0 } => Some(*sha256),
            _ => None,
        });
        assert_eq!(asked, Sha256::of(bytes));
        let total = u32::try_from(bytes.len()).unwrap();
        let mut offset = 0;
        for piece in bytes[..length].chunks(32 * 1024) {
            guard.send(&Message::Content { sha256: asked, total, offset, bytes: piece.to_vec() });
            offset += u32::try_from(piece.len()).unwrap();
        }
    }

    /// What a server says after a connection; the version that runs.
    fn link(&mut self, guard: &mut Guard) -> String {
        let hello = guard.link(&self.place);
        guard.send(&Message::Welcome { heartbeat_s: 30, admitted: true });
        let size = self.place.world.control.size();
        let witnesses = self.place.world.all_witnesses();
        let checkpoint =
            self.place.world.control.note(size, &witnesses, self.place.world.now).unwrap();
        guard.send(&Message::Control { start: size, entries: Vec::new(), checkpoint });
        self.seen = hello.jobs_size;
        hello.agent
    }

    /// An honest job runs.
    #[track_caller]
    fn works(&mut self, guard: &mut Guard) {
        let (job, content) = self.place.job("echo works");
        guard.deliver(self.place.for_view(&job, self.seen), &content);
        self.seen = self.place.world.jobs.size();
        let receipt = guard.receipt_of(&job);
        assert_eq!(receipt.code, "ok", "{}", self.place.log());
    }
}

fn content(bytes: &[u8]) -> Content {
    Content { sha256: Sha256::of(bytes), size: u32::try_from(bytes.len()).unwrap() }
}

fn python() -> PathBuf {
    let venv = std::env::var_os("BARTIZAN_VENV").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/venv"),
        PathBuf::from,
    );
    let python = venv.join("bin/python");
    assert!(python.exists(), "python-tuf is needed for this test: run `scripts/setup test`");
    python
}

fn tar(archive: &Path, folder: &Path, names: &[&str]) {
    let made = Command::new("tar")
        .args(["--format=ustar", "-cf"])
        .arg(archive)
        .arg("-C")
        .arg(folder)
        .args(names)
        .status()
        .expect("tar is missing");
    assert!(made.success());
}

/// This guard, as the vendor would build it next.
fn renumbered(guard: &std::ffi::OsStr) -> Vec<u8> {
    let mut bytes = fs::read(guard).unwrap();
    assert_eq!(OLD.len(), NEW.len());
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(OLD.len()).position(|part| part == OLD.as_bytes()) {
        at += found;
        bytes[at..at + NEW.len()].copy_from_slice(NEW.as_bytes());
    }
    bytes
}

#[test]
fn both_keys_together_replace_the_endpoints_programs() {
    let mut scene = Scene::new(&Program::Works, LONG);
    let mut guard = scene.place.start();
    assert_eq!(scene.link(&mut guard), OLD);
    let update = scene.update("good");
    scene.deliver(&mut guard, &update);
    // The old version ends its network half, and the new one starts another.
    let mut guard = scene.place.reconnect(guard);
    assert_eq!(scene.link(&mut guard), NEW, "{}", scene.place.log());
    assert!(!scene.place.path("versions/current").exists(), "not before it has checked in");
    let receipt = guard.receipt_of(&update.0);
    assert_eq!((receipt.decision, receipt.code.as_str()), (Decision::Done, "ok"));
    guard.send(&Message::ReceiptStored { seq: receipt.seq });
    let mut guard = scene.place.reconnect(guard);
    assert_eq!(scene.link(&mut guard), NEW);
    scene.works(&mut guard);
    let link = fs::read_link(scene.place.path("versions/current")).unwrap();
    assert_eq!(link, Path::new(NEW));
    guard.kill();
    // The package's own, older program gives way, and the same update is not newer any more.
    let mut guard = scene.place.start();
    assert_eq!(scene.link(&mut guard), NEW);
    guard.send(&Message::Job(scene.place.again(&update.0, scene.seen)));
    assert_eq!(guard.receipt_of_a_refusal(), "update.not_newer");
    scene.works(&mut guard);
}

/// A version that never checks in: the old one takes over, says so, and works.
#[track_caller]
fn rolled_back(text: &'static str) {
    let mut scene = Scene::new(&Program::Script(text), "2");
    let mut guard = scene.place.start();
    scene.link(&mut guard);
    let update = scene.update("good");
    scene.deliver(&mut guard, &update);
    let mut guard = scene.place.reconnect(guard);
    assert_eq!(scene.link(&mut guard), OLD);
    let receipt = guard.receipt_of(&update.0);
    assert_eq!((receipt.decision, receipt.code.as_str()), (Decision::Failed, "update.rolled_back"));
    scene.works(&mut guard);
    assert!(!scene.place.path("versions/current").exists());
    assert!(!scene.place.path("guard/trial.json").exists());
    // The job is used up; nothing is tried again by itself.
    guard.send(&Message::Job(scene.place.again(&update.0, scene.seen)));
    assert_eq!(guard.receipt_of_a_refusal(), "replay.seen");
}

#[test]
fn a_version_that_hangs_is_rolled_back() {
    rolled_back("#!/bin/sh\nexec sleep 600\n");
}

#[test]
fn a_version_that_ends_at_once_is_rolled_back() {
    rolled_back("#!/bin/sh\nexit 1\n");
}

#[test]
fn a_version_that_is_no_program_is_rolled_back() {
    rolled_back("no program");
}

#[test]
fn a_version_that_damages_the_state_is_rolled_back_and_nothing_is_forgotten() {
    rolled_back(
        "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --dir ] && echo damaged > \"$2/state.json\"; shift; done\nexec sleep 600\n",
    );
}

#[test]
fn a_version_that_reaches_no_server_is_rolled_back() {
    let mut scene = Scene::new(&Program::Works, "3");
    let mut guard = scene.place.start();
    scene.link(&mut guard);
    let update = scene.update("good");
    scene.deliver(&mut guard, &update);
    let guard = scene.place.reconnect(guard);
    // It runs, and nobody answers it.
    let mut guard = scene.place.reconnect_when_ended(guard);
    assert_eq!(scene.link(&mut guard), OLD, "{}", scene.place.log());
    assert_eq!(guard.receipt_of(&update.0).code, "update.rolled_back");
    scene.works(&mut guard);
}

#[test]
fn while_a_version_is_on_trial_it_takes_no_jobs() {
    let mut scene = Scene::new(&Program::Works, LONG);
    let mut guard = scene.place.start();
    scene.link(&mut guard);
    let update = scene.update("good");
    scene.deliver(&mut guard, &update);
    let mut guard = scene.place.reconnect(guard);
    scene.link(&mut guard);
    let (job, content) = scene.place.job("echo works");
    guard.deliver(scene.place.for_view(&job, scene.seen), &content);
    let phase = guard.receive_until(|message| match message {
        Message::JobTaken { phase, .. } => Some(*phase),
        _ => None,
    });
    assert_eq!(phase, JobPhase::Waiting);
}

/// Supply chain: what the organisation signed and the vendor did not.
#[test]
fn the_organisations_keys_alone_install_nothing() {
    let mut scene = Scene::new(&Program::Works, LONG);
    let mut guard = scene.place.start();
    scene.link(&mut guard);
    for variant in [
        "unsigned_target",
        "one_of_two",
        "doubled",
        "expired",
        "delegated",
        "wrong_hash",
        "root_gap",
    ] {
        let update = scene.update(variant);
        scene.deliver(&mut guard, &update);
        let receipt = guard.receipt_of(&update.0);
        assert_eq!(receipt.code, "update.vendor_refused", "{variant}: {}", scene.place.log());
        scene.works(&mut guard);
    }
    let log = scene.place.log();
    for code in ["tuf.signature", "tuf.expired", "tuf.no_target", "tuf.rollback"] {
        assert!(log.contains(code), "{code} in {log}");
    }
    assert!(!scene.place.path("versions").exists(), "nothing was written");
    let update = scene.update("good");
    scene.deliver(&mut guard, &update);
    let mut guard = scene.place.reconnect(guard);
    assert_eq!(scene.link(&mut guard), NEW);
}

/// Supply chain: what the vendor signed and too few of the organisation did.
#[test]
fn the_vendors_keys_alone_install_nothing() {
    let mut scene = Scene::new(&Program::Works, LONG);
    let mut guard = scene.place.start();
    scene.link(&mut guard);
    scene.signers = &[("alice", SignatureRole::Author)];
    let update = scene.update("good");
    guard.send(&Message::Job(scene.place.for_view(&update.0, scene.seen)));
    // One person: too few for the class, before anything is asked of the log.
    assert_eq!(guard.receipt_of(&update.0).code, "sig.approvals_missing");
    scene.works(&mut guard);
    assert!(!scene.place.path("versions").exists());
}

#[test]
fn bytes_that_nobody_signed_are_refused_on_the_way() {
    let mut scene = Scene::new(&Program::Works, LONG);
    let mut guard = scene.place.start();
    scene.link(&mut guard);
    let mut update = scene.update("good");
    let last = update.1.len() - 2000;
    let sha256 = Sha256::of(&update.1);
    update.1[last] ^= 1;
    guard.send(&Message::Job(scene.place.for_view(&update.0, scene.seen)));
    scene.seen = scene.place.world.jobs.size();
    let total = u32::try_from(update.1.len()).unwrap();
    let mut offset = 0;
    for piece in update.1.chunks(32 * 1024) {
        guard.send(&Message::Content { sha256, total, offset, bytes: piece.to_vec() });
        offset += u32::try_from(piece.len()).unwrap();
    }
    assert_eq!(guard.receipt_of(&update.0).code, "content.mismatch");
    scene.works(&mut guard);
}

/// Where the guard, and with it everything it started, is killed as by a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Point {
    HalfThePackage,
    PackageSent,
    OnTrial,
    CheckedIn,
    Confirmed,
}

#[test]
fn killed_at_any_step_an_endpoint_has_a_version_that_works() {
    for point in [
        Point::HalfThePackage,
        Point::PackageSent,
        Point::OnTrial,
        Point::CheckedIn,
        Point::Confirmed,
    ] {
        let mut scene = Scene::new(&Program::Works, LONG);
        let mut guard = scene.place.start();
        scene.link(&mut guard);
        let update = scene.update("good");
        let mut guard = if point == Point::HalfThePackage {
            let half = (update.0.clone(), update.1.clone());
            scene.deliver_part(&mut guard, &half, half.1.len() / 2);
            guard
        } else {
            scene.deliver(&mut guard, &update);
            guard
        };
        if point >= Point::OnTrial {
            guard = scene.place.reconnect(guard);
        }
        if point >= Point::CheckedIn {
            scene.link(&mut guard);
            let receipt = guard.receipt_of(&update.0);
            if point == Point::Confirmed {
                guard.send(&Message::ReceiptStored { seq: receipt.seq });
            }
        }
        guard.kill();
        let mut guard = scene.place.start();
        let version = scene.link(&mut guard);
        // A version on trial checks in now; then it starts anew, confirmed.
        if scene.place.path("guard/trial.json").exists() {
            let receipt = guard.receipt_of(&update.0);
            if receipt.decision == Decision::Done {
                guard.send(&Message::ReceiptStored { seq: receipt.seq });
                guard = scene.place.reconnect(guard);
                assert_eq!(scene.link(&mut guard), NEW, "{point:?}");
            }
        }
        assert!(version == OLD || version == NEW);
        scene.works(&mut guard);
        assert!(!scene.place.path("guard/trial.json").exists(), "{point:?}");
    }
}
