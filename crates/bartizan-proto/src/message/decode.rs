//! Messages out of bytes that anybody may have written.

use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::limits as trust_limits;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::statement::Mirror;
use bartizan_trust::wire::{Reader, WireError};

use super::{Hello, JobMessage, JobPhase, Message, MessageError, Place, Report, Setup, Stream};
use crate::limits;

impl Message {
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
            9 => Self::Report(decode_report(&mut r)?),
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
            72 => Self::ReportStored { epoch: r.u64()?, seq: r.u64()? },
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

fn decode_report(r: &mut Reader<'_>) -> Result<Report, MessageError> {
    Ok(Report {
        epoch: r.u64()?,
        seq: r.u64()?,
        at: r.u64()?,
        dropped: r.u64()?,
        kind: r.u8()?,
        bytes: bounded(r, limits::REPORT_BYTES_MAX, "bytes")?,
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
