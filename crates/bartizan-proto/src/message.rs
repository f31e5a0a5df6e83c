//! Messages of the agent plane and of the pipe between agent and guard. Specification: `docs/spec/agent-plane.md`.
//!
//! One byte of type, then the fields in the SSH encoding. What decodes encodes to the same bytes.
//! Types below 64 go to the server, from 64 to the endpoint, from 128 stay on the pipe.

mod decode;
mod encode;

use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::statement::Mirror;
use bartizan_trust::wire::WireError;

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
    /// 9, to the server: what the endpoint observed; repeated until [`Message::ReportStored`].
    Report(Report),
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
    /// 72, to the endpoint: reports up to here are stored durably.
    ReportStored {
        /// Of this spool.
        epoch: u64,
        /// Sequence number.
        seq: u64,
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
    /// [`crate::limits::PROTOCOL_VERSION`].
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

/// What an endpoint observed, on its way to the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Names the spool it comes from; a lost spool is followed by one with another name.
    pub epoch: u64,
    /// Rises within the spool; there may be gaps.
    pub seq: u64,
    /// The endpoint's own time, in seconds.
    pub at: u64,
    /// Samples, results or events that were thrown away before this report, because there was no room for them.
    pub dropped: u64,
    /// What the bytes are, see [`ReportKind`]. A number without a meaning is no error: the endpoint may be newer.
    pub kind: u8,
    /// At most 32 KiB.
    pub bytes: Vec<u8>,
}

/// What a report holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReportKind {
    /// A section of the inventory.
    Inventory,
    /// A batch of samples.
    Samples,
    /// Results of checks.
    Checks,
    /// Events from the machine's logs.
    Events,
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

impl ReportKind {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Inventory, Self::Samples, Self::Checks, Self::Events];

    /// Its number on the wire.
    pub const fn code(self) -> u8 {
        match self {
            Self::Inventory => 1,
            Self::Samples => 2,
            Self::Checks => 3,
            Self::Events => 4,
        }
    }

    /// The kind with a number, if this program knows one.
    pub fn of(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
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
