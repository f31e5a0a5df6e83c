//! Arbitrary code in the place of `bartizan-agent`: it knows everything the server ever sent, and writes what it likes to
//! the guard's pipe. Every run is made from a seed.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::limits::FRAME_BYTES_MAX;
use bartizan_proto::message::{Hello, JobMessage, Message, Place};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use bartizan_trust::statement::SignatureRole::{Approve, Author};
use bartizan_trust::statement::{Action, FreezeScope, SignatureRole, Stage};
use bartizan_trust::targets::TargetTree;

use crate::numbers::Numbers;
use crate::world::{World, script, signed};

/// The key of the server that the bundle names.
pub const SERVER_KEY: &[u8] = b"server key";

/// A job the network half has seen.
#[derive(Debug, Clone)]
pub struct KnownJob {
    /// With its true evidence.
    pub message: JobMessage,
    /// Its script.
    pub content: Vec<u8>,
    /// The line its script writes.
    pub mark: &'static str,
    /// Whether enough people signed it for this endpoint.
    pub honest: bool,
}

impl KnownJob {
    /// The job and its content, as the server sends them.
    pub fn delivery(&self) -> [Message; 2] {
        let sha256 = Sha256::of(&self.content);
        let total = u32::try_from(self.content.len()).unwrap_or(u32::MAX);
        let bytes = self.content.clone();
        let content = Message::Content { sha256, total, offset: 0, bytes };
        [Message::Job(self.message.clone()), content]
    }
}

/// A mark, targets, signers, and whether that is enough.
type Kind<'a> = (&'static str, &'a [EndpointId], &'a [(&'a str, SignatureRole)], bool);

/// Everything that honest people made and the network half can say again.
pub struct Known {
    /// Jobs, all of them in the log.
    pub jobs: Vec<KnownJob>,
    /// The control log with its checkpoint.
    control: (Vec<Vec<u8>>, Vec<u8>),
    /// A freeze of everything, by Bob.
    pub freeze: Envelope,
}

/// Whether a guard that keeps its rules has ended this network half. One for each network half: a frame may begin in one
/// write and end in another.
#[derive(Default)]
pub struct Patience(FrameReader);

impl Patience {
    /// Takes what was written; true when it was the end. Half a frame is none: the guard waits for the rest.
    pub fn ends_with(&mut self, bytes: &[u8]) -> bool {
        self.0.extend(bytes);
        loop {
            match self.0.next_message() {
                Ok(Some(message)) if is_its_own(&message) => {}
                Ok(None) => return false,
                Ok(Some(_)) | Err(_) => return true,
            }
        }
    }
}

fn is_its_own(message: &Message) -> bool {
    match message {
        Message::Hello(_)
        | Message::Heartbeat { .. }
        | Message::Inventory { .. }
        | Message::JobTaken { .. }
        | Message::Output { .. }
        | Message::Receipt { .. }
        | Message::ControlRequest { .. }
        | Message::ContentRequest { .. }
        | Message::HeartbeatAck { .. }
        | Message::Setup(_)
        | Message::TlsSigned { .. } => false,
        Message::Link { server_spki: Some(spki) } => *spki == Sha256::of(SERVER_KEY),
        _ => true,
    }
}

impl Known {
    /// Jobs of all kinds for an endpoint; each that runs leaves its line in `marks`.
    pub fn new(world: &mut World, endpoint: EndpointId, marks: &Path) -> Result<Self> {
        let here = [endpoint];
        let elsewhere = [World::endpoint_id(77)?];
        let (alice, bob) = (("alice", Author), ("bob", Approve));
        let kinds: [Kind<'_>; 6] = [
            ("first", &here, &[alice, bob], true),
            ("second", &here, &[alice, bob], true),
            ("one signature", &here, &[alice], false),
            ("twice by one", &here, &[alice, ("alice", Approve)], false),
            ("strangers", &here, &[("mallory", Author), ("trudy", Approve)], false),
            ("elsewhere", &elsewhere, &[alice, bob], false),
        ];
        let mut jobs = Vec::new();
        for (mark, targets, signers, honest) in kinds {
            jobs.push(job(world, targets, signers, (mark, marks), honest)?);
        }
        for known in &mut jobs {
            prove(world, &mut known.message, 0)?;
        }
        let size = world.control.size();
        let checkpoint = world.control.note(size, &world.all_witnesses(), world.now)?;
        let control = (world.control.entries_from(0), checkpoint);
        let freeze =
            signed(&world.freeze(FreezeScope::Org, 3600), &[("bob", SignatureRole::Freeze)])?;
        Ok(Self { jobs, control, freeze })
    }

    /// One more job that must run, and its evidence for an endpoint that has seen the first `seen` entries.
    pub fn one_more(
        world: &mut World,
        endpoint: EndpointId,
        marks: &Path,
        seen: u64,
    ) -> Result<KnownJob> {
        let signers = [("alice", Author), ("bob", Approve)];
        let mut known = job(world, &[endpoint], &signers, ("afterwards", marks), true)?;
        prove(world, &mut known.message, seen)?;
        Ok(known)
    }

    /// The line a job leaves, and whether it may.
    pub fn may_run(&self, mark: &str) -> bool {
        self.jobs.iter().any(|job| job.mark == mark && job.honest)
    }

    /// Ids of the jobs that may run.
    pub fn honest_ids(&self) -> Vec<StatementId> {
        let honest = self.jobs.iter().filter(|job| job.honest);
        honest.filter_map(|job| Some(Envelope::decode(&job.message.envelope).ok()?.id())).collect()
    }

    /// What an honest server would say first.
    pub fn greeting(&self) -> [Message; 2] {
        let (entries, checkpoint) = self.control.clone();
        [
            Message::Link { server_spki: Some(Sha256::of(SERVER_KEY)) },
            Message::Control { start: 0, entries, checkpoint },
        ]
    }

    /// The next thing the network half writes.
    pub fn write(&self, numbers: &mut Numbers) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.say(numbers).iter().flat_map(encode_frame).collect();
        if numbers.once_in(12) {
            bytes = numbers.damage(&bytes);
        }
        if numbers.once_in(40) {
            bytes = oversized(numbers);
        }
        bytes
    }

    fn say(&self, numbers: &mut Numbers) -> Vec<Message> {
        match numbers.below(16) {
            0..=5 => self.deliver(numbers),
            6..=8 => self.control(numbers),
            9 => self.content(numbers).into_iter().collect(),
            10 => vec![self.frozen(numbers)],
            11 => vec![Message::ReceiptStored { seq: numbers.draw() >> numbers.below(64) }],
            12 => vec![Message::InventoryRequest, Message::Link { server_spki: None }],
            13 => self.greeting().to_vec(),
            14 => vec![self.handshake(numbers)],
            _ => vec![not_its_own(numbers)],
        }
    }

    /// A job with parts of others, and its content or another's.
    fn deliver(&self, numbers: &mut Numbers) -> Vec<Message> {
        let Some(job) = numbers.pick(&self.jobs) else { return Vec::new() };
        let mut message = job.message.clone();
        if numbers.once_in(3)
            && let Some(other) = numbers.pick(&self.jobs).map(|other| other.message.clone())
        {
            match numbers.below(6) {
                0 => message.envelope = numbers.damage(&message.envelope),
                1 => message.envelope = merged(&message.envelope, &other.envelope),
                2 => message.proof = other.proof,
                3 => message.path.extend(vec![Sha256::of(&other.envelope); numbers.below(30)]),
                4 => message.index = u32::try_from(numbers.below(9)).unwrap_or_default(),
                _ => message.proof = numbers.damage(&message.proof),
            }
        }
        let mut all = vec![Message::Job(message)];
        let content =
            if numbers.once_in(4) { numbers.damage(&job.content) } else { job.content.clone() };
        all.extend(pieces(&content, Sha256::of(&job.content), numbers));
        if numbers.once_in(8) {
            all.reverse();
        }
        all
    }

    fn control(&self, numbers: &mut Numbers) -> Vec<Message> {
        let (mut entries, mut checkpoint) = self.control.clone();
        let mut start = 0;
        match numbers.below(8) {
            0 => start = numbers.draw() >> numbers.below(64),
            1 => entries.push(self.freeze.encode()),
            2 => checkpoint = numbers.damage(&checkpoint),
            3 => entries = entries.iter().map(|entry| numbers.damage(entry)).collect(),
            4 => entries.clear(),
            5 => entries = vec![b"junk".to_vec(); numbers.below(50)],
            _ => {}
        }
        vec![Message::Control { start, entries, checkpoint }]
    }

    fn content(&self, numbers: &mut Numbers) -> Option<Message> {
        let bytes = numbers.pick(&self.jobs)?.content.clone();
        let sha256 = Sha256::of(&numbers.pick(&self.jobs)?.content);
        let offset = u32::try_from(numbers.draw() >> 32).ok()? >> numbers.below(32);
        let total = u32::try_from(numbers.draw() >> 32).ok()? >> numbers.below(32);
        Some(Message::Content { sha256, total, offset, bytes })
    }

    fn frozen(&self, numbers: &mut Numbers) -> Message {
        let envelope = match numbers.below(8) {
            0 => self.freeze.encode(),
            1 => vec![b'{'; numbers.below(70_000)],
            2 => self.jobs.first().map(|job| job.message.envelope.clone()).unwrap_or_default(),
            _ => numbers.damage(&self.freeze.encode()),
        };
        match numbers.below(3) {
            0 => Message::FreezeFound { place: Place::Mirror, envelope },
            1 => Message::FreezeFound { place: Place::Lan, envelope },
            _ => Message::Freeze { envelope },
        }
    }

    /// It tries to have something signed that is no handshake.
    fn handshake(&self, numbers: &mut Numbers) -> Message {
        let pae = self.freeze.pae();
        let content = match numbers.below(3) {
            0 => pae,
            1 => [vec![b' '; 64], b"TLS 1.3, client CertificateVerify".to_vec(), pae].concat(),
            _ => numbers.damage(&[b' '; 64]),
        };
        Message::TlsSign { content }
    }
}

/// What only the guard says, or the server to nobody but an agent.
fn not_its_own(numbers: &mut Numbers) -> Message {
    let hello = Hello {
        protocol: 1,
        agent: "0.1.0".to_owned(),
        descriptor: b"{}".to_vec(),
        enrolment: b"{}".to_vec(),
        control_size: 0,
        jobs_size: 0,
    };
    match numbers.below(4) {
        0 => Message::Heartbeat { seq: numbers.draw() },
        1 => Message::Receipt { envelope: b"{}".to_vec() },
        2 => Message::Hello(hello),
        _ => Message::Link { server_spki: Some(Sha256::of(b"the attacker's key")) },
    }
}

fn oversized(numbers: &mut Numbers) -> Vec<u8> {
    let length = FRAME_BYTES_MAX + numbers.below(3);
    let announced = u32::try_from(length).unwrap_or(u32::MAX);
    let mut bytes = announced.to_be_bytes().to_vec();
    bytes.resize(4 + length, u8::try_from(numbers.below(256)).unwrap_or_default());
    bytes
}

/// In one piece or several, in order or not.
fn pieces(content: &[u8], sha256: Sha256, numbers: &mut Numbers) -> Vec<Message> {
    let total = u32::try_from(content.len()).unwrap_or(u32::MAX);
    let size = if numbers.once_in(3) { 1 + numbers.below(20) } else { content.len().max(1) };
    let piece = |(number, bytes): (usize, &[u8])| Message::Content {
        sha256,
        total,
        offset: u32::try_from(number * size).unwrap_or(u32::MAX),
        bytes: bytes.to_vec(),
    };
    content.chunks(size).enumerate().map(piece).collect()
}

/// The one's payload with both's signatures.
fn merged(one: &[u8], other: &[u8]) -> Vec<u8> {
    let (Ok(mut envelope), Ok(theirs)) = (Envelope::decode(one), Envelope::decode(other)) else {
        return one.to_vec();
    };
    for blob in theirs.signature_blobs() {
        if let Ok(signature) = bartizan_trust::sshsig::SshSig::decode(blob) {
            let _ = envelope.add_signature(&signature);
        }
    }
    envelope.encode()
}

fn job(
    world: &mut World,
    targets: &[EndpointId],
    signers: &[(&str, SignatureRole)],
    (mark, marks): (&'static str, &Path),
    honest: bool,
) -> Result<KnownJob> {
    let content = format!("echo '{mark}' >> '{}'\n", marks.display()).into_bytes();
    let leaves: Vec<_> = targets.iter().map(|target| (*target, 0)).collect();
    let tree = TargetTree::new(&leaves).ok().context("a list of targets")?;
    let mut job = world.job()?;
    job.targets = tree.targets();
    job.stages = vec![Stage::only(u32::try_from(targets.len())?)];
    job.action = Action::Script(script(&content)?);
    let envelope = signed(&job, signers)?.encode();
    world.jobs.append(envelope.clone());
    let message = JobMessage {
        envelope,
        proof: Vec::new(),
        consistency: Vec::new(),
        stage: 0,
        index: 0,
        path: Vec::new(),
        promotions: Vec::new(),
    };
    Ok(KnownJob { message, content, mark, honest })
}

/// Its proof under the newest checkpoint.
fn prove(world: &World, message: &mut JobMessage, seen: u64) -> Result<()> {
    let size = world.jobs.size();
    let place = world.jobs.entries_from(0).iter().position(|entry| *entry == message.envelope);
    let place = u64::try_from(place.context("it was logged")?)?;
    let note = world.jobs.note(size, &world.all_witnesses(), world.now)?;
    message.proof = world.jobs.proof(place, size, note)?;
    message.consistency = world.jobs.consistency(seen, size)?;
    Ok(())
}
