//! What the fuzz targets do: one function per parser that reads bytes of the network or the disk.
//!
//! Each takes any bytes, must not panic, and says whether it accepted them. What is accepted must
//! encode to the same bytes again. `fuzz/` holds a line per target; the committed corpora are
//! replayed on stable by this crate's tests.

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a fuzz target reports; every function here may"
)]

mod machines;
mod monitoring;
mod pipe;
mod seeds;

pub use machines::{authorize, control};
pub use pipe::pipe;
pub use seeds::{Seed, seeds};

use bartizan_proto::checks::{encode_results, parse_results};
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::inventory::{Items, Query, Record, apply, difference, records};
use bartizan_proto::message::Message;
use bartizan_proto::probe::{Answer, Request};
use bartizan_proto::samples::{CHUNK_LIMITS, Samples};
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::json;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::note::Note;
use bartizan_trust::policy::Policy;
use bartizan_trust::proof::LogProof;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::state::State;
use bartizan_trust::statement::{
    Bundle, Descriptor, Enrolment, Freeze, Job, Login, MonitoringPolicy, Promotion, Receipt,
    Statement, Thaw, Veto, Withdrawal, decode_payload, encode_payload,
};
use bartizan_trust::tiles;
use bartizan_trust::witness::AddCheckpoint;

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the function, the file in `fuzz/fuzz_targets` and the folder in `fuzz/corpus`.
    pub name: &'static str,
    /// What it does with bytes; true when they were accepted.
    pub run: fn(&[u8]) -> bool,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "add_checkpoint", run: add_checkpoint },
    Target { name: "authorize", run: authorize },
    Target { name: "checkpoint", run: checkpoint },
    Target { name: "checks", run: checks },
    Target { name: "control", run: control },
    Target { name: "entries", run: entries },
    Target { name: "envelope", run: envelope },
    Target { name: "frames", run: frames },
    Target { name: "inventory", run: inventory },
    Target { name: "message", run: message },
    Target { name: "note", run: note },
    Target { name: "payload", run: payload },
    Target { name: "pipe", run: pipe },
    Target { name: "policy", run: policy },
    Target { name: "probe", run: probe },
    Target { name: "proof", run: proof },
    Target { name: "public_key", run: public_key },
    Target { name: "samples", run: samples },
    Target { name: "sshsig", run: sshsig },
    Target { name: "state", run: state },
];

/// DSSE envelopes, their signatures and, when the kind is known, their statement.
pub fn envelope(bytes: &[u8]) -> bool {
    let Ok(envelope) = Envelope::decode(bytes) else { return false };
    assert_eq!(envelope.encode(), bytes, "an envelope that encodes otherwise");
    let (verified, ignored) = envelope.verify_signatures();
    assert_eq!(verified.len() + ignored.len(), envelope.signature_count(), "a signature got lost");
    true
}

/// SSHSIG blobs.
pub fn sshsig(bytes: &[u8]) -> bool {
    let Ok(signature) = SshSig::decode(bytes) else { return false };
    assert_eq!(signature.encode(), bytes, "a signature that encodes otherwise");
    // Almost always false; what counts is that it returns.
    let _ = signature.verify(b"message");
    true
}

/// Public keys: an SSH blob, or the text of a key file.
pub fn public_key(bytes: &[u8]) -> bool {
    if let Some(key) =
        str::from_utf8(bytes).ok().and_then(|text| PublicKey::parse_openssh(text).ok())
    {
        assert_eq!(key.to_openssh().as_bytes(), bytes, "a key that prints otherwise");
        return true;
    }
    let Ok(key) = PublicKey::decode(bytes) else { return false };
    assert_eq!(key.blob(), bytes, "a key that encodes otherwise");
    assert_eq!(
        PublicKey::parse_openssh(&key.to_openssh()),
        Ok(key),
        "a key that does not parse back"
    );
    true
}

/// Signed notes.
pub fn note(bytes: &[u8]) -> bool {
    let Ok(note) = Note::decode(bytes) else { return false };
    assert_eq!(note.encode(), bytes, "a note that encodes otherwise");
    true
}

/// The text of a checkpoint.
pub fn checkpoint(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let Ok(checkpoint) = Checkpoint::parse(text) else { return false };
    assert_eq!(checkpoint.to_text(), text, "a checkpoint that prints otherwise");
    true
}

/// C2SP `tlog-witness`: what a guardian is sent.
pub fn add_checkpoint(bytes: &[u8]) -> bool {
    let Ok(request) = AddCheckpoint::decode(bytes) else { return false };
    assert_eq!(request.encode(), bytes, "a request that encodes otherwise");
    request.origin().is_ok()
}

/// C2SP `tlog-proof`.
pub fn proof(bytes: &[u8]) -> bool {
    let Ok(proof) = LogProof::decode(bytes) else { return false };
    assert_eq!(proof.encode(), bytes, "a proof that encodes otherwise");
    true
}

/// C2SP `tlog-policy`. Comments make it lossy, so it has no round trip; its quorum must exist.
pub fn policy(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    let Ok(policy) = Policy::parse(text) else { return false };
    assert!(
        policy.quorum() == "none" || policy.has_group(policy.quorum()),
        "a quorum that names nothing"
    );
    true
}

/// Kinds of statements.
const PAYLOAD_KINDS: u8 = 12;

/// Payloads: the first byte chooses the kind.
pub fn payload(bytes: &[u8]) -> bool {
    let Some((kind, payload)) = bytes.split_first() else { return false };
    match kind % PAYLOAD_KINDS {
        0 => payload_of::<Bundle>(payload),
        1 => payload_of::<Job>(payload),
        2 => payload_of::<Enrolment>(payload),
        3 => payload_of::<Login>(payload),
        4 => payload_of::<Descriptor>(payload),
        5 => payload_of::<Receipt>(payload),
        6 => payload_of::<Freeze>(payload),
        7 => payload_of::<Thaw>(payload),
        8 => payload_of::<Veto>(payload),
        9 => payload_of::<Promotion>(payload),
        10 => payload_of::<Withdrawal>(payload),
        _ => payload_of::<MonitoringPolicy>(payload),
    }
}

fn payload_of<S: Statement>(payload: &[u8]) -> bool {
    let Ok(statement) = decode_payload::<S>(payload) else { return false };
    assert_eq!(encode_payload(&statement), payload, "a statement that encodes otherwise");
    true
}

/// Results of checks. Blanks make them lossy: what was read must read the same again.
pub fn checks(bytes: &[u8]) -> bool {
    let Ok(results) = parse_results(bytes) else { return false };
    assert_eq!(
        parse_results(&encode_results(&results)),
        Ok(results),
        "results that read otherwise"
    );
    true
}

/// What guard and probe say to each other: a request, or an answer to one of every kind.
pub fn probe(bytes: &[u8]) -> bool {
    if let Ok(request) = Request::decode(bytes) {
        assert_eq!(request.encode(), bytes, "a request that encodes otherwise");
        return true;
    }
    let answers: Vec<Answer> = monitoring::requests()
        .iter()
        .filter_map(|(_, request)| Answer::decode(bytes, request).ok())
        .collect();
    assert!(
        answers.iter().all(|answer| answer.encode() == bytes),
        "an answer that encodes otherwise"
    );
    !answers.is_empty()
}

/// Records of inventory sections, and queries: the same bytes are tried as both.
pub fn inventory(bytes: &[u8]) -> bool {
    if let Ok(text) = str::from_utf8(bytes) {
        let _ = Query::parse(text);
    }
    let Ok(record) = Record::decode(bytes) else { return false };
    assert_eq!(record.encode(), bytes, "a record that encodes otherwise");
    let section = record.section.clone();
    if let Ok(items) = apply(Items::new(), &record.into_delta()) {
        let all = records(&section, &items, None, difference(&Items::new(), &items));
        let fits = |record: &Record| Record::decode(&record.encode()).as_ref() == Ok(record);
        assert!(all.iter().all(fits), "a section that cannot be sent on");
    }
    true
}

/// Messages of the agent plane and the pipe.
pub fn message(bytes: &[u8]) -> bool {
    let Ok(message) = Message::decode(bytes) else { return false };
    assert_eq!(message.encode(), bytes, "a message that encodes otherwise");
    true
}

/// A stream of frames; however it is cut, the same messages come out. Accepted: every byte was one.
pub fn frames(bytes: &[u8]) -> bool {
    let (whole, clean) = read_frames(&[bytes]);
    let (front, back) = bytes.split_at(bytes.len() / 2);
    assert_eq!(read_frames(&[front, back]), (whole.clone(), clean), "a cut changed the messages");
    let encoded: Vec<u8> = whole.iter().flat_map(encode_frame).collect();
    assert!(bytes.starts_with(&encoded), "frames that encode otherwise");
    clean && encoded.len() == bytes.len()
}

fn read_frames(pieces: &[&[u8]]) -> (Vec<Message>, bool) {
    let mut reader = FrameReader::new();
    let mut messages = Vec::new();
    for piece in pieces {
        reader.extend(piece);
        loop {
            match reader.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, false),
            }
        }
    }
    (messages, true)
}

/// Batches of samples. A series can be written in several ways, so it is the values that must come back.
pub fn samples(bytes: &[u8]) -> bool {
    let Ok(samples) = Samples::decode(bytes, &CHUNK_LIMITS) else { return false };
    let again = Samples::decode(&samples.encode(), &CHUNK_LIMITS);
    let same =
        again.is_ok_and(|again| (again.times, again.series) == (samples.times, samples.series));
    assert!(same, "samples that do not come back");
    true
}

/// The guard's state file.
pub fn state(bytes: &[u8]) -> bool {
    let Ok(state) = serde_json::from_slice::<State>(bytes) else { return false };
    let again = serde_json::from_slice::<State>(&json::encode(&state));
    assert!(again.is_ok_and(|again| again == state), "a state that does not survive a restart");
    true
}

/// Entry bundles of a log.
pub fn entries(bytes: &[u8]) -> bool {
    let Some(entries) = tiles::decode_entries(bytes) else { return false };
    assert_eq!(tiles::encode_entries(&entries), bytes, "an entry bundle that encodes otherwise");
    true
}
