//! Messages of the agent plane and of the pipe between agent and guard. Specification: `docs/spec/agent-plane.md`.
//!
//! One byte of type, then the fields in the SSH encoding. What decodes encodes to the same bytes.
//! Types below 64 go to the server, from 64 to the endpoint, from 128 stay on the pipe.

use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::limits as trust_limits;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::statement::Mirror;
use bartizan_trust::wire::{Reader, WireError, Writer};

use crate::limits;

/// Why bytes are not a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No message has this type.
    #[error("unknown message type {0}")]
    UnknownType(u8),
    /// The fields do not fit.
    #[error("malformed message")]
    Wire(#[from] WireError),
    /// A field is above its limit or has no such value.
    #[error("field `{0}` out of range")]
    Field(&'static str),
}

/// Everything that is said on the agent plane and on the pipe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// 1, to the server: first frame of a connection.
    Hello(Hello),
    /// 2, to the server: still here; answered with [`Message::HeartbeatAck`].
    Heartbeat {
        /// Counts within the connection.
        seq: u64,
    },
    /// 3, to the server: inventory as JSON.
    Inventory {
        /// At most 64 KiB.
        json: Vec<u8>,
    },
    /// 4, to the server: the job was taken in; the next one may come.
    JobTaken {
        /// Which.
        job: StatementId,
        /// What became of it for now.
        phase: JobPhase,
        /// Size of the jobs log the endpoint has seen.
        jobs_size: u64,
    },
    /// 5, to the server: live output.
    Output {
        /// Of which job.
        job: StatementId,
        /// Bytes before it, counted over both streams.
        offset: u64,
        /// Which stream.
        stream: Stream,
        /// At most 32 KiB.
        bytes: Vec<u8>,
    },
    /// 6, to the server: a receipt envelope; repeated until [`Message::ReceiptStored`].
    Receipt {
        /// The exact envelope.
        envelope: Vec<u8>,
    },
    /// 7, to the server: send control entries from here.
    ControlRequest {
        /// Index of the first wanted.
        from: u64,
    },
    /// 8, to the server: send content from here.
    ContentRequest {
        /// Which.
        sha256: Sha256,
        /// Where to begin.
        offset: u32,
    },
    /// 64, to the endpoint: answer to [`Message::Hello`].
    Welcome {
        /// Send a heartbeat this often.
        heartbeat_s: u32,
        /// False while in quarantine.
        admitted: bool,
    },
    /// 65, to the endpoint: control entries and a checkpoint that covers them.
    Control {
        /// Index of the first entry.
        start: u64,
        /// Exact envelopes; may be empty when only the checkpoint is newer.
        entries: Vec<Vec<u8>>,
        /// Signed note with co-signatures.
        checkpoint: Vec<u8>,
    },
    /// 66, to the endpoint: a job with its evidence.
    Job(JobMessage),
    /// 67, to the endpoint: a piece of content.
    Content {
        /// Which.
        sha256: Sha256,
        /// Its whole size.
        total: u32,
        /// Where this piece begins.
        offset: u32,
        /// At most 32 KiB.
        bytes: Vec<u8>,
    },
    /// 68, to the endpoint: receipts up to here are stored durably.
    ReceiptStored {
        /// Sequence number.
        seq: u64,
    },
    /// 69, to the endpoint: send the inventory now.
    InventoryRequest,
    /// 70, to the endpoint: answer to [`Message::Heartbeat`].
    HeartbeatAck {
        /// Its number.
        seq: u64,
    },
    /// 71, to the endpoint: a freeze, ahead of the control log. It proves itself by its signatures.
    Freeze {
        /// The exact envelope.
        envelope: Vec<u8>,
    },
    /// 128, guard to agent: how to connect. Sent at the start and whenever the bundle changes it.
    Setup(Setup),
    /// 129, agent to guard: the link to the server came up or went down.
    Link {
        /// SHA-256 of the server's SubjectPublicKeyInfo while up; absent while down.
        server_spki: Option<Sha256>,
    },
    /// 130, agent to guard: sign this TLS 1.3 `CertificateVerify` content.
    TlsSign {
        /// The content of RFC 8446 section 4.4.3, nothing else is signed.
        content: Vec<u8>,
    },
    /// 131, guard to agent: the signature; empty when refused.
    TlsSigned {
        /// Ed25519, 64 bytes.
        signature: Vec<u8>,
    },
    /// 132, agent to guard: a freeze that did not come from the server.
    FreezeFound {
        /// Where it was found.
        place: Place,
        /// The exact envelope.
        envelope: Vec<u8>,
    },
}

/// Where the network half finds freezes besides the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One of the bundle's mirrors.
    Mirror,
    /// The local network.
    Lan,
}

/// First frame of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// [`limits::PROTOCOL_VERSION`].
    pub protocol: u32,
    /// Agent version.
    pub agent: String,
    /// Descriptor envelope.
    pub descriptor: Vec<u8>,
    /// Enrolment envelope.
    pub enrolment: Vec<u8>,
    /// Control entries already replayed.
    pub control_size: u64,
    /// Size of the jobs log already seen.
    pub jobs_size: u64,
}

/// What became of a delivered job for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobPhase {
    /// It runs.
    Running,
    /// It was refused; the receipt says why.
    Refused,
    /// Accepted, waiting for content or its turn.
    Waiting,
}

/// Which stream of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A job with its evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobMessage {
    /// The exact logged envelope.
    pub envelope: Vec<u8>,
    /// C2SP `tlog-proof` of it.
    pub proof: Vec<u8>,
    /// From the smaller to the larger of the endpoint's last seen size and the proof's checkpoint.
    pub consistency: Vec<Sha256>,
    /// This endpoint's stage.
    pub stage: u32,
    /// This endpoint's place in the target tree.
    pub index: u32,
    /// Path to the target root.
    pub path: Vec<Sha256>,
    /// The promotions to its stage, in order, under the proof's checkpoint.
    pub promotions: Vec<LoggedStatement>,
}

/// How the agent connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// Self-signed certificate of the device key, DER.
    pub certificate: Vec<u8>,
    /// `host:port`, tried in order.
    pub addresses: Vec<String>,
    /// Accepted server keys; empty only before the anchor is verified.
    pub spkis: Vec<Sha256>,
    /// Where freezes are looked for besides.
    pub mirrors: Vec<Mirror>,
}

impl Message {
    /// Writes the message.
    pub fn encode(&self) -> Vec<u8> {
        let w = Writer::new();
        let w = match self {
            Self::Hello(m) => w
                .u8(1)
                .u32(m.protocol)
                .text(&m.agent)
                .bytes(&m.descriptor)
                .bytes(&m.enrolment)
                .u64(m.control_size)
                .u64(m.jobs_size),
            Self::Heartbeat { seq } => w.u8(2).u64(*seq),
            Self::Inventory { json } => w.u8(3).bytes(json),
            Self::JobTaken { job, phase, jobs_size } => {
                w.u8(4).raw(job.hash().as_bytes()).u8(phase.code()).u64(*jobs_size)
            }
            Self::Output { job, offset, stream, bytes } => {
                w.u8(5).raw(job.hash().as_bytes()).u64(*offset).u8(stream.code()).bytes(bytes)
            }
            Self::Receipt { envelope } => w.u8(6).bytes(envelope),
            Self::ControlRequest { from } => w.u8(7).u64(*from),
            Self::ContentRequest { sha256, offset } => w.u8(8).raw(sha256.as_bytes()).u32(*offset),
            Self::Welcome { heartbeat_s, admitted } => {
                w.u8(64).u32(*heartbeat_s).u8(u8::from(*admitted))
            }
            Self::Control { start, entries, checkpoint } => {
                let w = w.u8(65).u64(*start).u32(count(entries));
                entries.iter().fold(w, |w, entry| w.bytes(entry)).bytes(checkpoint)
            }
            Self::Job(m) => {
                let w = w.u8(66).bytes(&m.envelope).bytes(&m.proof);
                let w = hashes(hashes(w, &m.consistency).u32(m.stage).u32(m.index), &m.path);
                m.promotions.iter().fold(w.u32(count(&m.promotions)), |w, logged| {
                    hashes(w.bytes(&logged.envelope).u64(logged.index), &logged.path)
                })
            }
            Self::Content { sha256, total, offset, bytes } => {
                w.u8(67).raw(sha256.as_bytes()).u32(*total).u32(*offset).bytes(bytes)
            }
            Self::ReceiptStored { seq } => w.u8(68).u64(*seq),
            Self::InventoryRequest => w.u8(69),
            Self::HeartbeatAck { seq } => w.u8(70).u64(*seq),
            Self::Freeze { envelope } => w.u8(71).bytes(envelope),
            Self::Setup(m) => {
                let w = w.u8(128).bytes(&m.certificate).u32(count(&m.addresses));
                let w = hashes(m.addresses.iter().fold(w, |w, address| w.text(address)), &m.spkis);
                let w = w.u32(count(&m.mirrors));
                m.mirrors.iter().fold(w, |w, mirror| w.text(&mirror.url).u32(mirror.every_s))
            }
            Self::Link { server_spki: None } => w.u8(129).u8(0),
            Self::Link { server_spki: Some(spki) } => w.u8(129).u8(1).raw(spki.as_bytes()),
            Self::TlsSign { content } => w.u8(130).bytes(content),
            Self::TlsSigned { signature } => w.u8(131).bytes(signature),
            Self::FreezeFound { place, envelope } => w.u8(132).u8(place.code()).bytes(envelope),
        };
        w.into_bytes()
    }

    /// Reads exactly one message.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let mut r = Reader::new(bytes);
        let message = match r.u8()? {
            1 => Self::Hello(decode_hello(&mut r)?),
            2 => Self::Heartbeat { seq: r.u64()? },
            3 => Self::Inventory { json: bounded(&mut r, limits::INVENTORY_BYTES_MAX, "json")? },
            4 => Self::JobTaken {
                job: statement_id(&mut r)?,
                phase: JobPhase::decode(r.u8()?)?,
                jobs_size: r.u64()?,
            },
            5 => Self::Output {
                job: statement_id(&mut r)?,
                offset: r.u64()?,
                stream: Stream::decode(r.u8()?)?,
                bytes: bounded(&mut r, limits::CHUNK_BYTES_MAX, "bytes")?,
            },
            6 => Self::Receipt { envelope: envelope(&mut r, "envelope")? },
            7 => Self::ControlRequest { from: r.u64()? },
            8 => Self::ContentRequest { sha256: sha256(&mut r)?, offset: r.u32()? },
            64 => Self::Welcome { heartbeat_s: r.u32()?, admitted: flag(&mut r, "admitted")? },
            65 => decode_control(&mut r)?,
            66 => Self::Job(decode_job(&mut r)?),
            67 => Self::Content {
                sha256: sha256(&mut r)?,
                total: r.u32()?,
                offset: r.u32()?,
                bytes: bounded(&mut r, limits::CHUNK_BYTES_MAX, "bytes")?,
            },
            68 => Self::ReceiptStored { seq: r.u64()? },
            69 => Self::InventoryRequest,
            70 => Self::HeartbeatAck { seq: r.u64()? },
            71 => Self::Freeze { envelope: envelope(&mut r, "envelope")? },
            128 => Self::Setup(decode_setup(&mut r)?),
            129 => Self::Link {
                server_spki: if flag(&mut r, "up")? { Some(sha256(&mut r)?) } else { None },
            },
            130 => Self::TlsSign { content: bounded(&mut r, 256, "content")? },
            131 => Self::TlsSigned { signature: bounded(&mut r, 64, "signature")? },
            132 => Self::FreezeFound {
                place: Place::decode(r.u8()?)?,
                envelope: envelope(&mut r, "envelope")?,
            },
            other => return Err(MessageError::UnknownType(other)),
        };
        r.finish()?;
        Ok(message)
    }
}

impl JobPhase {
    const fn code(self) -> u8 {
        match self {
            Self::Running => 1,
            Self::Refused => 2,
            Self::Waiting => 3,
        }
    }

    const fn decode(code: u8) -> Result<Self, MessageError> {
        match code {
            1 => Ok(Self::Running),
            2 => Ok(Self::Refused),
            3 => Ok(Self::Waiting),
            _ => Err(MessageError::Field("phase")),
        }
    }
}

impl Place {
    const fn code(self) -> u8 {
        match self {
            Self::Mirror => 1,
            Self::Lan => 2,
        }
    }

    const fn decode(code: u8) -> Result<Self, MessageError> {
        match code {
            1 => Ok(Self::Mirror),
            2 => Ok(Self::Lan),
            _ => Err(MessageError::Field("place")),
        }
    }
}

impl Stream {
    /// 1 standard output, 2 standard error.
    pub const fn code(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
        }
    }

    const fn decode(code: u8) -> Result<Self, MessageError> {
        match code {
            1 => Ok(Self::Stdout),
            2 => Ok(Self::Stderr),
            _ => Err(MessageError::Field("stream")),
        }
    }
}

fn decode_hello(r: &mut Reader<'_>) -> Result<Hello, MessageError> {
    Ok(Hello {
        protocol: r.u32()?,
        agent: text(r, "agent")?,
        descriptor: envelope(r, "descriptor")?,
        enrolment: envelope(r, "enrolment")?,
        control_size: r.u64()?,
        jobs_size: r.u64()?,
    })
}

fn decode_control(r: &mut Reader<'_>) -> Result<Message, MessageError> {
    let start = r.u64()?;
    let entries = list(r, trust_limits::CONTROL_ENTRIES_MAX, |r| envelope(r, "entry"))?;
    Ok(Message::Control {
        start,
        entries,
        checkpoint: bounded(r, trust_limits::NOTE_BYTES_MAX, "checkpoint")?,
    })
}

fn decode_job(r: &mut Reader<'_>) -> Result<JobMessage, MessageError> {
    Ok(JobMessage {
        envelope: envelope(r, "envelope")?,
        proof: bounded(r, trust_limits::LOG_PROOF_BYTES_MAX, "proof")?,
        consistency: list(r, trust_limits::LOG_PROOF_MAX, sha256)?,
        stage: r.u32()?,
        index: r.u32()?,
        path: list(r, trust_limits::TARGET_PATH_MAX, sha256)?,
        promotions: list(r, trust_limits::JOB_STAGES_MAX - 1, |r| {
            Ok(LoggedStatement {
                envelope: bounded(r, trust_limits::PROMOTION_BYTES_MAX, "promotion")?,
                index: r.u64()?,
                path: list(r, trust_limits::LOG_PROOF_MAX, sha256)?,
            })
        })?,
    })
}

fn decode_setup(r: &mut Reader<'_>) -> Result<Setup, MessageError> {
    Ok(Setup {
        certificate: bounded(r, 4096, "certificate")?,
        addresses: list(r, limits::ADDRESSES_MAX, |r| text(r, "address"))?,
        spkis: list(r, trust_limits::SERVERS_MAX, sha256)?,
        mirrors: list(r, trust_limits::MIRRORS_MAX, |r| {
            Ok(Mirror { url: text(r, "mirror")?, every_s: r.u32()? })
        })?,
    })
}

fn list<'a, T>(
    r: &mut Reader<'a>,
    count_max: usize,
    mut item: impl FnMut(&mut Reader<'a>) -> Result<T, MessageError>,
) -> Result<Vec<T>, MessageError> {
    let count = usize::try_from(r.u32()?).unwrap_or(usize::MAX);
    if count > count_max {
        return Err(WireError::TooMany.into());
    }
    (0..count).map(|_| item(r)).collect()
}

fn bounded(r: &mut Reader<'_>, max: usize, name: &'static str) -> Result<Vec<u8>, MessageError> {
    let bytes = r.bytes()?;
    if bytes.len() > max { Err(MessageError::Field(name)) } else { Ok(bytes.to_vec()) }
}

fn envelope(r: &mut Reader<'_>, name: &'static str) -> Result<Vec<u8>, MessageError> {
    bounded(r, trust_limits::ENVELOPE_BYTES_MAX, name)
}

fn text(r: &mut Reader<'_>, name: &'static str) -> Result<String, MessageError> {
    let text = r.text()?;
    if text.len() > trust_limits::TEXT_BYTES_MAX {
        Err(MessageError::Field(name))
    } else {
        Ok(text.to_owned())
    }
}

fn sha256(r: &mut Reader<'_>) -> Result<Sha256, MessageError> {
    Ok(Sha256::from_bytes(r.array()?))
}

fn statement_id(r: &mut Reader<'_>) -> Result<StatementId, MessageError> {
    sha256(r).map(StatementId::new)
}

fn flag(r: &mut Reader<'_>, name: &'static str) -> Result<bool, MessageError> {
    match r.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(MessageError::Field(name)),
    }
}

fn hashes(w: Writer, hashes: &[Sha256]) -> Writer {
    hashes.iter().fold(w.u32(count(hashes)), |w, hash| w.raw(hash.as_bytes()))
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
