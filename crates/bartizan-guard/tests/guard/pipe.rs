//! A guard process, and the test as its agent: a small script passes bytes between the guard and two named pipes.

use std::cell::Cell;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::{Hello, JobMessage, Message};
use bartizan_testkit::world::{World, script, signed, trigger};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, EndpointId, Sha256};
use bartizan_trust::proof::LogProof;
use bartizan_trust::statement::{
    Action, Class, ClassRule, Decision, Job, On, Receipt, Script, SignatureRole, Stage, Trigger,
};
use bartizan_trust::targets::TargetTree;
use bartizan_trust::time::UnixSeconds;

/// An organisation and one endpoint whose guard is a real process.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    pub(crate) world: World,
    pub(crate) endpoint: EndpointId,
    started: Cell<u32>,
    /// What the guard is started with besides.
    pub(crate) options: Vec<String>,
}

/// A running guard with the test as its agent.
pub(crate) struct Guard {
    child: Process,
    inward: File,
    outward: File,
    frames: FrameReader,
    number: u32,
}

/// Ends with its test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Place {
    /// Enrols an endpoint.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = UnixSeconds::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
        let world = World::at(now, |bundle| {
            bundle.classes[1].jobs_per_hour_max = 1000;
            let last = bundle.classes.last().unwrap().clone();
            bundle.classes.push(ClassRule { class: Class::Update, ..last });
            Ok(())
        })
        .unwrap();
        let output = enroll(&world, &folder.path().join("guard"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let endpoint = said["endpoint"].as_str().unwrap().parse().unwrap();
        Self { folder, world, endpoint, started: Cell::new(0), options: Vec::new() }
    }

    /// Runs the install command once more.
    pub(crate) fn enroll(&self) -> Output {
        enroll(&self.world, &self.path("guard"))
    }

    /// Files of the test.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_agent(&self, number: u32) {
        for pipe in ["in", "out"] {
            let pipe = format!("{pipe}-{number}");
            let made =
                Command::new("mkfifo").arg(self.path(&pipe)).status().expect("mkfifo is missing");
            assert!(made.success());
        }
        // One process with two threads, so that ending it ends both directions.
        let text = format!(
            "#!/usr/bin/env -S python3 -u\nimport os, threading\n\
             def copy(source, target):\n    \
             while True:\n        \
             piece = os.read(source, 65536)\n        \
             if not piece: os._exit(0)\n        \
             os.write(target, piece)\n\
             inward = os.open('{}', os.O_RDONLY)\n\
             outward = os.open('{}', os.O_WRONLY)\n\
             threading.Thread(target=copy, args=(inward, 1)).start()\n\
             copy(0, outward)\n",
            self.path(&format!("in-{number}")).display(),
            self.path(&format!("out-{number}")).display()
        );
        fs::write(self.path(&format!("agent-{number}")), text).unwrap();
        fs::set_permissions(
            self.path(&format!("agent-{number}")),
            fs::Permissions::from_mode(0o755),
        )
        .unwrap();
    }

    /// Starts the guard and waits for its set-up message.
    pub(crate) fn start(&self) -> Guard {
        self.start_by(&[])
    }

    /// The same by another program, which becomes the guard.
    pub(crate) fn start_by(&self, prefix: &[&str]) -> Guard {
        // New pipes each time: an agent that is being killed with its guard may still hold the old ones.
        let number = self.started.get();
        self.started.set(number + 1);
        self.write_agent(number);
        let log =
            OpenOptions::new().create(true).append(true).open(self.path("guard.log")).unwrap();
        let guard = guard_command();
        let mut command = match prefix {
            [] => guard,
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(guard.get_program());
                command
            }
        };
        // As under systemd: kept while the service is stopped.
        fs::create_dir_all(self.path("run")).unwrap();
        let child = command
            .env("RUNTIME_DIRECTORY", self.path("run"))
            .args(["run", "--dir"])
            .arg(self.path("guard"))
            .arg("--agent-binary")
            .arg(self.path(&format!("agent-{number}")))
            .args(&self.options)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut guard = self.connect(Process(child), number);
        assert!(matches!(guard.receive(), Message::Setup(_)));
        guard
    }

    fn connect(&self, child: Process, number: u32) -> Guard {
        // Opening a named pipe waits for the other side.
        let inward =
            OpenOptions::new().write(true).open(self.path(&format!("in-{number}"))).unwrap();
        let outward = File::open(self.path(&format!("out-{number}"))).unwrap();
        Guard { child, inward, outward, frames: FrameReader::new(), number }
    }

    /// The guard after this agent has ended, by its own or the guard's doing, and another was started.
    pub(crate) fn reconnect(&self, guard: Guard) -> Guard {
        let Guard { child, inward, mut outward, number, .. } = guard;
        // The end of what comes in ends this agent; the end of what goes out shows that it is gone.
        drop(inward);
        std::io::copy(&mut outward, &mut std::io::sink()).unwrap();
        drop(outward);
        let mut guard = self.connect(child, number);
        assert!(matches!(guard.receive(), Message::Setup(_)));
        guard
    }

    /// The same, waiting for the guard to end it.
    pub(crate) fn reconnect_when_ended(&self, guard: Guard) -> Guard {
        let Guard { child, inward, mut outward, number, .. } = guard;
        std::io::copy(&mut outward, &mut std::io::sink()).unwrap();
        drop((inward, outward));
        let mut guard = self.connect(child, number);
        assert!(matches!(guard.receive(), Message::Setup(_)));
        guard
    }

    /// A countersigned, logged job for this endpoint that runs `text`.
    pub(crate) fn job(&mut self, text: &str) -> (JobMessage, Vec<u8>) {
        self.job_with(text, |_| {})
    }

    /// The same, with another script than usual.
    pub(crate) fn job_with(
        &mut self,
        text: &str,
        change: impl FnOnce(&mut Script),
    ) -> (JobMessage, Vec<u8>) {
        let tree = TargetTree::new(&[(self.endpoint, 0)]).unwrap();
        let mut job = self.world.job().unwrap();
        job.targets = tree.targets();
        job.stages = vec![Stage::only(1)];
        let mut action = script(text.as_bytes()).unwrap();
        change(&mut action);
        job.action = Action::Script(action);
        let signers = [("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)];
        (self.signed_job(&job, &signers), text.as_bytes().to_vec())
    }

    /// A job, signed and logged.
    pub(crate) fn signed_job(
        &mut self,
        job: &Job,
        signers: &[(&str, SignatureRole)],
    ) -> JobMessage {
        let envelope = signed(job, signers).unwrap().encode();
        let index = self.world.jobs.append(envelope.clone());
        let message = JobMessage {
            envelope,
            proof: Vec::new(),
            consistency: Vec::new(),
            stage: 0,
            index: 0,
            path: Vec::new(),
            promotions: Vec::new(),
        };
        self.proven(message, index)
    }

    /// The same as a standing order of Carol, approved by Bob.
    pub(crate) fn order(&mut self, text: &str, on: On) -> (JobMessage, Vec<u8>) {
        let tree = TargetTree::new(&[(self.endpoint, 0)]).unwrap();
        let mut job = self.world.job().unwrap();
        job.targets = tree.targets();
        job.stages = vec![Stage::only(1)];
        job.action = Action::Script(script(text.as_bytes()).unwrap());
        let until = self.world.now.plus(24 * 3600);
        job.trigger = Some(Trigger { distance_s: 1, ..trigger(on, until) });
        let signers = [("carol", SignatureRole::Author), ("bob", SignatureRole::Approve)];
        let envelope = signed(&job, &signers).unwrap().encode();
        let index = self.world.jobs.append(envelope.clone());
        let message = JobMessage {
            envelope,
            proof: Vec::new(),
            consistency: Vec::new(),
            stage: 0,
            index: 0,
            path: Vec::new(),
            promotions: Vec::new(),
        };
        (self.proven(message, index), text.as_bytes().to_vec())
    }

    fn proven(&self, message: JobMessage, index: u64) -> JobMessage {
        let size = self.world.jobs.size();
        let note = self.world.jobs.note(size, &self.world.all_witnesses(), self.world.now).unwrap();
        JobMessage { proof: self.world.jobs.proof(index, size, note).unwrap(), ..message }
    }

    /// The same job with the consistency proof this endpoint needs.
    pub(crate) fn for_view(&self, message: &JobMessage, seen: u64) -> JobMessage {
        let consistency = self.world.jobs.consistency(seen, self.world.jobs.size()).unwrap();
        JobMessage { consistency, ..message.clone() }
    }

    /// The same job under the checkpoint of now.
    pub(crate) fn again(&self, message: &JobMessage, seen: u64) -> JobMessage {
        let index = LogProof::decode(&message.proof).unwrap().index;
        self.for_view(&self.proven(message.clone(), index), seen)
    }

    /// Everything the guard wrote to standard error.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.path("guard.log")).unwrap_or_default()
    }
}

impl Guard {
    pub(crate) fn send(&mut self, message: &Message) {
        self.send_bytes(&encode_frame(message));
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        // A guard that is already gone shows at the next read.
        let _ = self.inward.write_all(bytes);
    }

    pub(crate) fn receive(&mut self) -> Message {
        self.try_receive().expect("the guard closed the pipe")
    }

    /// The next message; `None` when the guard closed the pipe.
    pub(crate) fn try_receive(&mut self) -> Option<Message> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.frames.next_message().unwrap() {
                return Some(message);
            }
            match self.outward.read(&mut buffer).unwrap() {
                0 => return None,
                count => self.frames.extend(&buffer[..count]),
            }
        }
    }

    /// Waits for a message that fits.
    pub(crate) fn receive_until<T>(&mut self, mut wanted: impl FnMut(&Message) -> Option<T>) -> T {
        loop {
            if let Some(found) = wanted(&self.receive()) {
                return found;
            }
        }
    }

    /// Link up, control log replayed: what the server does after a connection. Returns the hello.
    pub(crate) fn link(&mut self, place: &Place) -> Hello {
        self.try_link(place).expect("the guard closed the pipe")
    }

    /// The same; `None` when the guard ends this network half meanwhile.
    pub(crate) fn try_link(&mut self, place: &Place) -> Option<Hello> {
        let spki = Sha256::of(b"server key");
        self.send(&Message::Link { server_spki: Some(spki) });
        let hello = loop {
            if let Message::Hello(hello) = self.try_receive()? {
                break hello;
            }
        };
        let size = place.world.control.size();
        let checkpoint =
            place.world.control.note(size, &place.world.all_witnesses(), place.world.now).unwrap();
        let entries = place.world.control.entries_from(hello.control_size);
        self.send(&Message::Control { start: hello.control_size, entries, checkpoint });
        Some(hello)
    }

    /// Delivers a job and its content as the server does.
    pub(crate) fn deliver(&mut self, message: JobMessage, content: &[u8]) {
        let sha256 = Sha256::of(content);
        self.send(&Message::Job(message));
        // Unasked content is ignored, so it may follow at once.
        let total = u32::try_from(content.len()).unwrap();
        self.send(&Message::Content { sha256, total, offset: 0, bytes: content.to_vec() });
    }

    pub(crate) fn receipt(&mut self) -> Receipt {
        self.receive_until(|message| match message {
            Message::Receipt { envelope } => {
                Some(Envelope::decode(envelope).unwrap().statement().unwrap())
            }
            _ => None,
        })
    }

    /// The next receipt of this very job.
    pub(crate) fn receipt_of(&mut self, job: &JobMessage) -> Receipt {
        let id = Envelope::decode(&job.envelope).unwrap().id();
        loop {
            let receipt = self.receipt();
            if receipt.job == id {
                return receipt;
            }
        }
    }

    /// The next receipt of something done, past those that were not confirmed.
    pub(crate) fn receipt_until_done(&mut self) -> Receipt {
        loop {
            let receipt = self.receipt();
            if receipt.decision == Decision::Done {
                return receipt;
            }
        }
    }

    /// The code of the next refusal, past receipts that were not confirmed.
    pub(crate) fn receipt_of_a_refusal(&mut self) -> String {
        loop {
            let receipt = self.receipt();
            if receipt.decision == Decision::Refused {
                return receipt.code;
            }
        }
    }

    /// As a power cut would.
    pub(crate) fn kill(mut self) {
        self.child.0.kill().unwrap();
        self.child.0.wait().unwrap();
    }

    pub(crate) fn is_alive(&mut self) -> bool {
        self.child.0.try_wait().unwrap().is_none()
    }
}

fn enroll(world: &World, folder: &Path) -> Output {
    let enrolment =
        data_encoding::BASE64URL_NOPAD.encode(&world.enrolment("acme").unwrap().encode());
    guard_command()
        .args(["enroll", "--server", "127.0.0.1:1", "--anchor"])
        .arg(Anchor::new(world.org).to_string())
        .args(["--enrolment", &enrolment, "--dir"])
        .arg(folder)
        .output()
        .unwrap()
}

pub(crate) fn guard_command() -> Command {
    Command::new(Path::new(env!("CARGO_BIN_EXE_bartizan-guard")))
}
