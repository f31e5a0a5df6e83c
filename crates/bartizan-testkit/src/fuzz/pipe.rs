//! The guard's pipe as a fuzz target: everything a network half can write, and an endpoint that judges as the guard does.

use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::limits::FRAME_BYTES_MAX;
use bartizan_proto::message::{JobMessage, Message};
use bartizan_trust::authorize::{JobDelivery, Verdict, authorize};
use bartizan_trust::control::{self, ControlUpdate, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::state::State;

use super::machines::stage;
use super::seeds::{Seed, seed};
use crate::load::scene;

/// A stream of frames to an endpoint that has replayed its control log. Accepted: every byte was of a frame. Whatever
/// was said, at most the one job that people signed ran, and trust stayed where it was.
pub fn pipe(bytes: &[u8]) -> bool {
    let mut endpoint = Endpoint { state: stage().state.clone(), awaited: None, runs: 0 };
    let mut reader = FrameReader::new();
    let mut taken = 0;
    reader.extend(bytes);
    let clean = loop {
        match reader.next_message() {
            Ok(Some(message)) => {
                taken += encode_frame(&message).len();
                endpoint.take(message);
            }
            Ok(None) => break true,
            Err(_) => break false,
        }
    };
    assert_eq!(endpoint.state.trust, stage().state.trust, "trust moved");
    assert!(endpoint.runs <= 1, "a job ran twice");
    clean && taken == bytes.len()
}

struct Endpoint {
    state: State,
    awaited: Option<JobMessage>,
    runs: u32,
}

impl Endpoint {
    fn take(&mut self, message: Message) {
        match message {
            Message::Job(job) => {
                self.judge(&job, None);
                self.awaited = Some(job);
            }
            Message::Content { bytes, .. } => {
                if let Some(job) = self.awaited.take() {
                    self.judge(&job, Some(&bytes));
                }
            }
            Message::Control { start, entries, checkpoint } => {
                let update = ControlUpdate { start, entries: &entries, checkpoint: &checkpoint };
                if let Ok((state, _)) = replay(&self.state, &scene::facts(), &update) {
                    self.state = state;
                }
            }
            Message::Freeze { envelope } | Message::FreezeFound { envelope, .. } => {
                if let Ok(state) = control::freeze(&self.state, &scene::facts(), &envelope) {
                    self.state = state;
                }
            }
            // No decision depends on the others.
            _ => {}
        }
    }

    fn judge(&mut self, job: &JobMessage, content: Option<&[u8]>) {
        let delivery = JobDelivery {
            envelope: &job.envelope,
            proof: &job.proof,
            consistency: &job.consistency,
            stage: job.stage,
            index: job.index,
            path: &job.path,
            promotions: &job.promotions,
            content,
            package: None,
        };
        let outcome = authorize(&self.state, &scene::facts(), &delivery);
        self.state = outcome.state;
        if let Verdict::Run(authorized) = outcome.verdict {
            let honest = Envelope::decode(&stage().job).map(|envelope| envelope.id());
            assert!(honest.is_ok_and(|id| id == authorized.job()), "a job nobody signed would run");
            self.runs += 1;
        }
    }
}

/// Malicious bytes, and each message by itself.
pub(super) fn seeds(messages: &[(&'static str, Message)]) -> Vec<Seed> {
    let mut all: Vec<Seed> = messages
        .iter()
        .map(|(name, message)| seed("pipe", &format!("say-{name}"), encode_frame(message)))
        .collect();
    all.extend(malformed().into_iter().map(|(name, bytes)| seed("pipe", name, bytes)));
    for (name, messages) in nonsense(messages) {
        all.push(seed("pipe", name, messages.iter().flat_map(encode_frame).collect()));
    }
    all
}

fn malformed() -> Vec<(&'static str, Vec<u8>)> {
    let framed = |length: usize, body: &[u8]| {
        let length = u32::try_from(length).unwrap_or(u32::MAX);
        [&length.to_be_bytes(), body].concat()
    };
    let inventory = encode_frame(&Message::InventoryRequest);
    let over = FRAME_BYTES_MAX + 1;
    let half = inventory.get(..inventory.len() - 1).unwrap_or_default().to_vec();
    vec![
        ("refused-all-ones", vec![0xff; 256]),
        ("refused-all-zeros", vec![0; 256]),
        ("refused-an-empty-frame", framed(0, b"")),
        ("refused-a-giant", framed(usize::MAX, b"x")),
        ("refused-one-above-the-limit", framed(over, &vec![69; over])),
        ("refused-the-longest-of-nothing", framed(FRAME_BYTES_MAX, &vec![0; FRAME_BYTES_MAX])),
        ("refused-an-unknown-type", framed(1, &[200])),
        ("refused-a-byte-too-many", framed(2, &[69, 0])),
        ("refused-a-field-longer-than-its-frame", framed(5, &[71, 0xff, 0xff, 0xff, 0xff])),
        (
            "refused-more-entries-than-bytes",
            framed(13, &[65, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        ),
        ("refused-half-a-frame", half),
        ("refused-half-a-length", vec![0, 0]),
        ("refused-a-good-frame-and-then-junk", [inventory, vec![0xee; 40]].concat()),
        ("refused-a-web-request", b"GET / HTTP/1.1\r\nHost: guard\r\n\r\n".to_vec()),
        ("refused-a-tls-hello", [&[0x16, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &[7; 40]].concat()),
        ("refused-json", b"{\"run\":\"/bin/sh\"}\n".to_vec()),
        ("refused-a-shell-script", b"#!/bin/sh\necho owned\n".to_vec()),
    ]
}

fn nonsense(messages: &[(&'static str, Message)]) -> Vec<(&'static str, Vec<Message>)> {
    let known =
        |wanted: &str| messages.iter().find(|(name, _)| *name == wanted).map(|(_, m)| m.clone());
    let hash = Sha256::of(b"nothing");
    let content = |total, offset, bytes: &[u8]| Message::Content {
        sha256: hash,
        total,
        offset,
        bytes: bytes.to_vec(),
    };
    let control =
        |start, entries| Message::Control { start, entries, checkpoint: b"no note".to_vec() };
    let freeze = |envelope: &[u8]| Message::Freeze { envelope: envelope.to_vec() };
    let nested = [vec![b'['; 5000], vec![b']'; 5000]].concat();
    let empty_job = Message::Job(JobMessage {
        envelope: Vec::new(),
        proof: Vec::new(),
        consistency: vec![hash; 64],
        stage: u32::MAX,
        index: u32::MAX,
        path: vec![hash; 20],
        promotions: Vec::new(),
    });
    let twice = |name: &str| known(name).map(|message| vec![message.clone(), message]);
    vec![
        ("content-nobody-asked-for", vec![content(5, 4, b"123456789"), content(0, u32::MAX, b"")]),
        ("content-that-wraps-around", vec![content(u32::MAX, u32::MAX, b"x"), content(1, 0, b"")]),
        ("control-from-the-end-of-numbers", vec![control(u64::MAX, vec![b"junk".to_vec()])]),
        ("refused-control-of-many-empty-entries", vec![control(0, vec![Vec::new(); 4000])]),
        (
            "control-in-pieces-that-do-not-fit",
            vec![control(0, vec![vec![1]]), control(7, vec![vec![2]])],
        ),
        (
            "freezes-that-are-none",
            vec![freeze(b""), freeze(&nested), freeze(b"{\"payload\":\"\"}")],
        ),
        ("a-job-of-nothing", vec![empty_job]),
        (
            "a-job-twice-and-other-content",
            twice("job").into_iter().flatten().chain([content(3, 0, b"abc")]).collect(),
        ),
        ("receipts-of-the-future-stored", vec![Message::ReceiptStored { seq: u64::MAX }]),
        ("a-statement-to-sign", vec![Message::TlsSign { content: b"DSSEv1 1 x 2 {}".to_vec() }]),
        ("another-servers-key", vec![Message::Link { server_spki: Some(hash) }]),
        ("up-and-down", vec![Message::Link { server_spki: None }; 50]),
        ("inventories-all-day", vec![Message::InventoryRequest; 200]),
    ]
}
