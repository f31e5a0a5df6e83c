//! An authorised script, made the only way there is, and what became of it.

use std::path::{Path, PathBuf};

use bartizan_os::exec::{Chunk, Ending, Report, Stream, run};
use bartizan_testkit::world::{World, script, signed};
use bartizan_trust::authorize::{Authorized, Verdict, authorize};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{Action, Script, SignatureRole};

/// A folder of the guard's.
pub(crate) struct Place(tempfile::TempDir);

/// Everything a run left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) report: Report,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Ran {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap()
    }

    #[track_caller]
    pub(crate) fn exited(self, code: i32) -> Self {
        let stderr = String::from_utf8_lossy(&self.stderr);
        assert_eq!(self.report.ending, Ending::Exited(code), "{stderr}");
        self
    }
}

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn jobs(&self) -> PathBuf {
        self.path("jobs")
    }

    /// Runs a script to its end.
    pub(crate) fn run(&self, text: &str, change: impl FnOnce(&mut Script)) -> Ran {
        self.run_while(text, change, || false, |_| {})
    }

    /// The same with something to do about each piece of output, and a reason to stop.
    pub(crate) fn run_while(
        &self,
        text: &str,
        change: impl FnOnce(&mut Script),
        stop: impl Fn() -> bool,
        mut seen: impl FnMut(&Chunk<'_>),
    ) -> Ran {
        let proof = prove(text.as_bytes(), change).unwrap();
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let report = run(proof, &self.jobs(), None, stop, |chunk| {
            match chunk.stream {
                Stream::Stdout => stdout.extend_from_slice(chunk.bytes),
                Stream::Stderr => stderr.extend_from_slice(chunk.bytes),
            }
            seen(&chunk);
        });
        let left = std::fs::read_dir(self.jobs()).map_or(0, Iterator::count);
        assert_eq!(left, 0, "nothing of the job stays in the folder");
        Ran { report, stdout, stderr }
    }
}

/// Has a script signed, countersigned, logged, witnessed and authorised.
pub(crate) fn prove(
    content: &[u8],
    change: impl FnOnce(&mut Script),
) -> Result<Box<Authorized<Script>>, Refusal> {
    let mut world = World::new().unwrap();
    let state = world.endpoint(0).unwrap();
    let mut job = world.job().unwrap();
    let mut action = script(content).unwrap();
    change(&mut action);
    job.action = Action::Script(action);
    let signers = [("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)];
    let envelope = signed(&job, &signers).unwrap();
    let mut delivery = world.deliver(&envelope, &state).unwrap();
    delivery.content = Some(content.to_vec());
    match authorize(&state, &world.facts(), &delivery.as_ref()).verdict {
        Verdict::Run(proof) => Ok(proof),
        Verdict::Update(_) | Verdict::Scan(_) => panic!("a script was signed"),
        Verdict::Refused(refusal) => Err(refusal),
        Verdict::NeedContent(_) | Verdict::Stand(_) => panic!("a job with its content"),
    }
}

/// Whether a process is at work; one that only waits to be buried is not.
pub(crate) fn is_alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat"));
    stat.is_ok_and(|stat| stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z')))
}
