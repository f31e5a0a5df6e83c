//! Messages as bytes.

use bartizan_trust::id::Sha256;
use bartizan_trust::wire::Writer;

use super::Message;

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
            Self::Report(m) => {
                let w = w.u8(9).u64(m.epoch).u64(m.seq).u64(m.at).u64(m.dropped);
                w.u8(m.kind).bytes(&m.bytes)
            }
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
            Self::ReportStored { epoch, seq } => w.u8(72).u64(*epoch).u64(*seq),
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
}

fn hashes(w: Writer, hashes: &[Sha256]) -> Writer {
    hashes.iter().fold(w.u32(count(hashes)), |w, hash| w.raw(hash.as_bytes()))
}

fn count<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).unwrap_or(u32::MAX)
}
