//! Seeds of the corpora: valid inputs of every target. `bartizan-corpus` writes them.

use anyhow::Result;
use bartizan_proto::frame::encode_frame;
use bartizan_proto::inventory::{Delta, Fact, Item, Items, Record, records};
use bartizan_proto::message::{Hello, JobMessage, JobPhase, Message, Place, Report, Setup, Stream};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::json;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::merkle::empty_root;
use bartizan_trust::note::Note;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::statement::{
    Decision, Descriptor, Evidence, Freeze, FreezeScope, Mirror, Output, Promotion, Receipt,
    SignatureRole, StateSummary, Statement, Thaw, V1, Veto, Withdrawal,
};
use bartizan_trust::tiles;
use bartizan_trust::wire::Writer;
use bartizan_trust::witness::AddCheckpoint;
use data_encoding::BASE64;

use super::machines::stage;
use crate::load::machine::Machine;
use crate::load::scene::NOW;
use crate::world::went_well;

/// A valid input.
#[derive(Debug, Clone)]
pub struct Seed {
    /// The target that accepts it.
    pub target: &'static str,
    /// File name.
    pub name: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

pub(super) fn seed(target: &'static str, name: &str, bytes: Vec<u8>) -> Seed {
    Seed { target, name: name.to_owned(), bytes }
}

/// Every seed; always the same.
pub fn seeds() -> Result<Vec<Seed>> {
    let envelopes = envelopes()?;
    let messages = messages(&envelopes)?;
    let mut all = statements(&envelopes)?;
    all.extend(keys(&envelopes)?);
    all.extend(notes()?);
    for (name, message) in &messages {
        all.push(seed("message", name, message.encode()));
    }
    let stream: Vec<u8> = messages.iter().flat_map(|(_, message)| encode_frame(message)).collect();
    all.push(seed("frames", "every-message", stream));
    all.push(seed("frames", "empty", Vec::new()));
    all.extend(machines()?);
    let day = |count| Machine::new(1).batch(1_800_000_000, count).encode();
    all.push(seed("samples", "five-minutes", day(5)));
    all.push(seed("samples", "six-hours", day(360)));
    all.extend(super::monitoring::seeds());
    all.extend(super::pipe::seeds(&messages));
    all.extend(padded_inside(&all));
    Ok(all)
}

/// Base64 with padding in its middle: two codings of the same bytes, which lenient decoders accept.
fn padded_inside(seeds: &[Seed]) -> Vec<Seed> {
    let wanted = [
        ("note", "control"),
        ("checkpoint", "control"),
        ("proof", "job"),
        ("public_key", "ed25519-text"),
        ("envelope", "receipt"),
    ];
    let found = seeds.iter().filter(|seed| wanted.contains(&(seed.target, &seed.name)));
    found.filter_map(pad_inside).collect()
}

fn pad_inside(original: &Seed) -> Option<Seed> {
    let text = str::from_utf8(&original.bytes).ok()?;
    // A word that is base64 of 32 bytes or more. The text of a note is any text, and the note in a
    // proof any bytes: the last word of the one and the first of the other are the parser's own.
    let ends = |c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c));
    let decoded = |word| Some((word, BASE64.decode(str::as_bytes(word)).ok()?));
    let long = |word: &&str| word.len() >= 43 && word.len().is_multiple_of(4);
    let mut words: Vec<_> = text.split(ends).filter(long).filter_map(decoded).collect();
    if original.target == "note" {
        words.reverse();
    }
    let (word, bytes) = words.into_iter().next()?;
    let (front, back) = bytes.split_at_checked(1)?;
    let twice = BASE64.encode(front) + &BASE64.encode(back);
    let bytes = text.replacen(word, &twice, 1).into_bytes();
    Some(seed(original.target, "refused-padding-inside", bytes))
}

type Named<T> = Vec<(&'static str, T)>;

fn envelopes() -> Result<Named<Envelope>> {
    let stage = stage();
    let mut descriptor = Envelope::new(&Descriptor {
        v: V1,
        org: stage.organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        device_key: stage.device.public.to_openssh(),
        enrolment: Envelope::decode(&stage.enrolment)?.id(),
        hostname: "web-1".to_owned(),
        os: "Debian GNU/Linux 13".to_owned(),
    });
    stage.device.sign(&mut descriptor, SignatureRole::Descriptor)?;
    let mut receipt = Envelope::new(&receipt()?);
    stage.device.sign(&mut receipt, SignatureRole::Receipt)?;
    let mut all = vec![
        ("bundle", stage.organisation.genesis.clone()),
        ("job", Envelope::decode(&stage.job)?),
        ("enrolment", Envelope::decode(&stage.enrolment)?),
        ("login", stage.organisation.login(Sha256::of(b"console"), NOW)?),
        ("descriptor", descriptor),
        ("receipt", receipt),
        ("freeze", stops(FreezeScope::Tenant(stage.organisation.tenant.clone()))?),
        ("thaw", signed_by_approver(&thaw(), SignatureRole::Freeze)?),
        ("veto", signed_by_approver(&veto(), SignatureRole::Root)?),
        ("promotion", signed_by_approver(&promotion()?, SignatureRole::Promote)?),
        ("withdrawal", signed_by_approver(&withdrawal(), SignatureRole::Freeze)?),
    ];
    // Both of the last kind.
    all.extend(super::monitoring::policies()?);
    Ok(all)
}

fn stops(scope: FreezeScope) -> Result<Envelope> {
    let freeze = Freeze {
        v: V1,
        org: stage().organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        scope,
        exp: NOW.plus(3600),
        reason: "strange jobs".to_owned(),
    };
    signed_by_approver(&freeze, SignatureRole::Freeze)
}

fn thaw() -> Thaw {
    Thaw {
        v: V1,
        org: stage().organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        freeze: StatementId::new(Sha256::of(b"freeze")),
        reason: String::new(),
    }
}

fn veto() -> Veto {
    Veto {
        v: V1,
        org: stage().organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        bundle: StatementId::new(Sha256::of(b"bundle")),
        reason: "nobody asked".to_owned(),
    }
}

fn promotion() -> Result<Promotion> {
    let stage = stage();
    Ok(Promotion {
        v: V1,
        org: stage.organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        job: Envelope::decode(&stage.job)?.id(),
        to: 2,
        prev: Some(StatementId::new(Sha256::of(b"promotion"))),
        evidence: Evidence { refused: 1, ..went_well() },
        despite_refusals: Some("it is being replaced".to_owned()),
    })
}

fn withdrawal() -> Withdrawal {
    Withdrawal {
        v: V1,
        org: stage().organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        job: StatementId::new(Sha256::of(b"job")),
        exp: NOW.plus(3600),
        reason: "not needed".to_owned(),
    }
}

fn signed_by_approver<S: Statement>(statement: &S, role: SignatureRole) -> Result<Envelope> {
    let mut envelope = Envelope::new(statement);
    stage().organisation.approver.key.sign(&mut envelope, role)?;
    Ok(envelope)
}

fn receipt() -> Result<Receipt> {
    let stage = stage();
    Ok(Receipt {
        v: V1,
        org: stage.organisation.id(),
        iat: NOW,
        crit: Vec::new(),
        endpoint: stage.state.endpoint,
        seq: 1,
        prev: None,
        job: Envelope::decode(&stage.job)?.id(),
        occurrence: None,
        decision: Decision::Done,
        code: "ok".to_owned(),
        t0: NOW,
        t1: NOW,
        exit: Some(0),
        output: Output { sha256: Sha256::of(b"hello\n"), size: 6 },
        program: None,
        state: StateSummary { bundle: 1, clog: 1, jlog: 6, floor: NOW },
    })
}

fn statements(envelopes: &Named<Envelope>) -> Result<Vec<Seed>> {
    let mut all = Vec::new();
    for (kind, (name, envelope)) in (0_u8..).zip(envelopes) {
        all.push(seed("envelope", name, envelope.encode()));
        let kind = kind.min(super::PAYLOAD_KINDS - 1);
        all.push(seed("payload", name, [&[kind], envelope.payload()].concat()));
    }
    let unsigned = Envelope::new(&receipt()?);
    all.push(seed("envelope", "unsigned", unsigned.encode()));
    Ok(all)
}

fn keys(envelopes: &Named<Envelope>) -> Result<Vec<Seed>> {
    let mut all = Vec::new();
    for (name, envelope) in envelopes {
        for (number, blob) in envelope.signature_blobs().enumerate() {
            all.push(seed("sshsig", &format!("{name}-{number}"), blob.to_vec()));
        }
    }
    let key = &stage().device.public;
    all.push(seed("public_key", "ed25519", key.blob().to_vec()));
    all.push(seed("public_key", "ed25519-text", key.to_openssh().into_bytes()));
    let point = [&[4], P256_BASE_X.as_slice(), P256_BASE_Y.as_slice()].concat();
    let raw = key.ed25519_bytes().unwrap_or_default();
    let ed25519 = Writer::new().text(SK_ED25519).bytes(&raw).text("ssh:");
    for (name, blob) in [("sk-ecdsa", ecdsa_blob(&point)), ("sk-ed25519", ed25519.into_bytes())] {
        let key = PublicKey::decode(&blob)?;
        all.push(seed("public_key", name, blob));
        all.push(seed("public_key", &format!("{name}-text"), key.to_openssh().into_bytes()));
        all.push(seed("sshsig", name, hardware_signature(&key, name)?.encode().to_vec()));
    }
    let passkey = PublicKey::decode(&ecdsa_blob(&point))?;
    all.push(seed(
        "sshsig",
        "webauthn",
        hardware_signature(&passkey, "webauthn")?.encode().to_vec(),
    ));
    Ok(all)
}

/// The base point of P-256: on the curve, and nobody's key.
const P256_BASE_X: [u8; 32] = [
    0x6b, 0x17, 0xd1, 0xf2, 0xe1, 0x2c, 0x42, 0x47, 0xf8, 0xbc, 0xe6, 0xe5, 0x63, 0xa4, 0x40, 0xf2,
    0x77, 0x03, 0x7d, 0x81, 0x2d, 0xeb, 0x33, 0xa0, 0xf4, 0xa1, 0x39, 0x45, 0xd8, 0x98, 0xc2, 0x96,
];
const P256_BASE_Y: [u8; 32] = [
    0x4f, 0xe3, 0x42, 0xe2, 0xfe, 0x1a, 0x7f, 0x9b, 0x8e, 0xe7, 0xeb, 0x4a, 0x7c, 0x0f, 0x9e, 0x16,
    0x2b, 0xce, 0x33, 0x57, 0x6b, 0x31, 0x5e, 0xce, 0xcb, 0xb6, 0x40, 0x68, 0x37, 0xbf, 0x51, 0xf5,
];
const SK_ED25519: &str = "sk-ssh-ed25519@openssh.com";
const SK_ECDSA: &str = "sk-ecdsa-sha2-nistp256@openssh.com";
const WEBAUTHN: &str = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com";

fn ecdsa_blob(point: &[u8]) -> Vec<u8> {
    Writer::new().text(SK_ECDSA).text("nistp256").bytes(point).text("localhost").into_bytes()
}

/// Well-formed, but over nothing: a seed must decode, not verify.
fn hardware_signature(key: &PublicKey, name: &str) -> Result<SshSig> {
    let integers = || Writer::new().bytes(&[1; 32]).bytes(&[2; 32]).into_bytes();
    let signature = match name {
        "sk-ed25519" => Writer::new().text(SK_ED25519).bytes(&[1; 64]).u8(5).u32(7),
        "sk-ecdsa" => Writer::new().text(SK_ECDSA).bytes(&integers()).u8(5).u32(7),
        _ => {
            let client_data =
                r#"{"type":"webauthn.get","challenge":"AAAA","origin":"http://localhost:7443"}"#;
            let head = Writer::new().text(WEBAUTHN).bytes(&integers()).u8(5).u32(7);
            head.text("http://localhost:7443").text(client_data).text("")
        }
    };
    Ok(SshSig::from_ssh_signature(key, SignatureRole::Author, &signature.into_bytes())?)
}

/// A record of a section: everything of it, or a change.
fn inventory(base: Option<Sha256>) -> Vec<u8> {
    let item = Item::from([
        ("name".to_owned(), Fact::Text("nginx".to_owned())),
        ("held".to_owned(), Fact::Flag(true)),
        ("size".to_owned(), Fact::Number(-7)),
    ]);
    let items = Items::from([("nginx:amd64".to_owned(), item)]);
    let gone = base.map(|_| "apache2:amd64".to_owned()).into_iter().collect();
    let delta = Delta { set: items.clone(), gone };
    records("packages", &items, base, delta).first().map(Record::encode).unwrap_or_default()
}

fn notes() -> Result<Vec<Seed>> {
    let stage = stage();
    let note = Note::decode(&stage.control_note)?;
    let policy =
        &stage.state.trust.as_ref().map(|t| t.bundle.log.policy.clone()).unwrap_or_default();
    let request =
        |old, path| AddCheckpoint { old, path, note: stage.control_note.clone() }.encode();
    Ok(vec![
        seed("add_checkpoint", "first", request(0, Vec::new())),
        seed("add_checkpoint", "two-hashes", request(7, vec![empty_root(); 2])),
        seed("note", "control", stage.control_note.clone()),
        seed("checkpoint", "control", note.text.into_bytes()),
        seed("proof", "job", stage.proof.clone()),
        seed("policy", "two-people", policy.clone().into_bytes()),
        seed("policy", "none", b"quorum none\n".to_vec()),
        seed("inventory", "whole", inventory(None)),
        seed("inventory", "change", inventory(Some(Sha256::of(b"before")))),
        seed("state", "fresh", json::encode(&stage.fresh)),
        seed("state", "enrolled", json::encode(&stage.state)),
        seed("entries", "none", tiles::encode_entries::<&[u8]>(&[])),
        seed("entries", "two", tiles::encode_entries(&[&stage.genesis, &stage.job])),
    ])
}

fn job_message() -> JobMessage {
    let stage = stage();
    JobMessage {
        envelope: stage.job.clone(),
        proof: stage.proof.clone(),
        consistency: Vec::new(),
        stage: 0,
        index: stage.index,
        path: stage.path.clone(),
        promotions: Vec::new(),
    }
}

/// To a later stage, with the promotion to it.
fn promoted(envelope: Vec<u8>) -> JobMessage {
    let promotion = LoggedStatement { envelope, index: 3, path: vec![Sha256::of(b"path")] };
    JobMessage { stage: 1, promotions: vec![promotion], ..job_message() }
}

fn control_message() -> Message {
    let stage = stage();
    Message::Control {
        start: 0,
        entries: vec![stage.genesis.clone()],
        checkpoint: stage.control_note.clone(),
    }
}

fn machines() -> Result<Vec<Seed>> {
    let message = Message::Job(job_message()).encode();
    let length = u32::try_from(message.len())?.to_be_bytes();
    let delivery = [&length, &*message, &stage().content].concat();
    Ok(vec![
        seed("authorize", "countersigned", delivery),
        seed("control", "genesis", control_message().encode()),
    ])
}

fn messages(envelopes: &Named<Envelope>) -> Result<Named<Message>> {
    let envelope = |name| {
        envelopes.iter().find(|(n, _)| *n == name).map(|(_, e)| e.encode()).unwrap_or_default()
    };
    let job = Envelope::decode(&stage().job)?.id();
    let sha256 = Sha256::of(&stage().content);
    let bytes = stage().content.clone();
    let total = u32::try_from(bytes.len())?;
    Ok(vec![
        (
            "hello",
            Message::Hello(Hello {
                protocol: 1,
                agent: "0.1.0".to_owned(),
                descriptor: envelope("descriptor"),
                enrolment: envelope("enrolment"),
                control_size: 1,
                jobs_size: 0,
            }),
        ),
        ("heartbeat", Message::Heartbeat { seq: 7 }),
        ("inventory", Message::Inventory { json: br#"{"hostname":"web-1"}"#.to_vec() }),
        ("job-taken", Message::JobTaken { job, phase: JobPhase::Running, jobs_size: 6 }),
        (
            "output",
            Message::Output { job, offset: 0, stream: Stream::Stdout, bytes: b"hi\n".to_vec() },
        ),
        ("receipt", Message::Receipt { envelope: envelope("receipt") }),
        ("control-request", Message::ControlRequest { from: 1 }),
        ("content-request", Message::ContentRequest { sha256, offset: 0 }),
        (
            "report",
            Message::Report(Report {
                epoch: 1,
                seq: 2,
                at: 1_800_000_000,
                dropped: 0,
                kind: 2,
                bytes: b"x".to_vec(),
            }),
        ),
        ("report-stored", Message::ReportStored { epoch: 1, seq: 2 }),
        ("welcome", Message::Welcome { heartbeat_s: 30, admitted: true }),
        ("control", control_message()),
        ("job", Message::Job(job_message())),
        ("job-promoted", Message::Job(promoted(envelope("promotion")))),
        ("content", Message::Content { sha256, total, offset: 0, bytes }),
        ("receipt-stored", Message::ReceiptStored { seq: 1 }),
        ("inventory-request", Message::InventoryRequest),
        ("freeze", Message::Freeze { envelope: b"{}".to_vec() }),
        ("heartbeat-ack", Message::HeartbeatAck { seq: 7 }),
        (
            "setup",
            Message::Setup(Setup {
                certificate: vec![0x30, 0],
                addresses: vec!["bartizan.example:443".to_owned()],
                spkis: vec![sha256],
                mirrors: vec![Mirror { url: "https://mirror.example/f".to_owned(), every_s: 60 }],
            }),
        ),
        ("link-up", Message::Link { server_spki: Some(sha256) }),
        ("link-down", Message::Link { server_spki: None }),
        ("tls-sign", Message::TlsSign { content: vec![b' '; 64] }),
        ("freeze-found", Message::FreezeFound { place: Place::Lan, envelope: b"{}".to_vec() }),
        ("tls-signed", Message::TlsSigned { signature: vec![0; 64] }),
    ])
}
