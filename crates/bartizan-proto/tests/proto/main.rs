//! Frames and messages: round trips, limits and hostile bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod lan;
mod samples;

use bartizan_proto::frame::{FrameError, FrameReader, encode_frame};
use bartizan_proto::limits;
use bartizan_proto::message::{
    Hello, JobMessage, JobPhase, Message, MessageError, Place, Report, ReportKind, Setup, Stream,
};
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::limits as trust_limits;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::statement::Mirror;
use bartizan_trust::wire::WireError;
use proptest::prelude::*;

fn one_of_each() -> Vec<Message> {
    let hash = Sha256::of(b"x");
    let job = StatementId::new(hash);
    vec![
        Message::Hello(Hello {
            protocol: limits::PROTOCOL_VERSION,
            agent: "0.1.0".into(),
            descriptor: b"{}".to_vec(),
            enrolment: b"{}".to_vec(),
            control_size: 1,
            jobs_size: 2,
        }),
        Message::Heartbeat { seq: 7 },
        Message::Inventory { json: b"{}".to_vec() },
        Message::JobTaken { job, phase: JobPhase::Running, jobs_size: 3 },
        Message::JobTaken { job, phase: JobPhase::Refused, jobs_size: 3 },
        Message::JobTaken { job, phase: JobPhase::Waiting, jobs_size: 3 },
        Message::Output { job, offset: 9, stream: Stream::Stderr, bytes: b"err".to_vec() },
        Message::Output { job, offset: 9, stream: Stream::Stdout, bytes: b"out".to_vec() },
        Message::Receipt { envelope: b"{}".to_vec() },
        Message::ControlRequest { from: 4 },
        Message::ContentRequest { sha256: hash, offset: 5 },
        Message::Report(report(2, b"samples".to_vec())),
        Message::Report(report(200, vec![])),
        Message::ReportStored { epoch: 1, seq: u64::MAX },
        Message::Welcome { heartbeat_s: 30, admitted: true },
        Message::Control {
            start: 0,
            entries: vec![b"a".to_vec(), vec![]],
            checkpoint: b"note".to_vec(),
        },
        Message::Job(JobMessage {
            envelope: b"{}".to_vec(),
            proof: b"proof".to_vec(),
            consistency: vec![hash],
            stage: 0,
            index: 1,
            path: vec![hash, hash],
            promotions: vec![LoggedStatement {
                envelope: b"{}".to_vec(),
                index: 7,
                path: vec![hash],
            }],
        }),
        Message::Content { sha256: hash, total: 10, offset: 0, bytes: b"0123456789".to_vec() },
        Message::ReceiptStored { seq: 1 },
        Message::InventoryRequest,
        Message::HeartbeatAck { seq: 7 },
        Message::Freeze { envelope: b"{}".to_vec() },
        Message::Setup(Setup {
            certificate: vec![1, 2, 3],
            addresses: vec!["rmm.example:443".into()],
            spkis: vec![hash],
            mirrors: vec![Mirror { url: "https://a.example/x".into(), every_s: 60 }],
        }),
        Message::Link { server_spki: Some(hash) },
        Message::Link { server_spki: None },
        Message::TlsSign { content: vec![0x20; 130] },
        Message::TlsSigned { signature: vec![1; 64] },
        Message::FreezeFound { place: Place::Mirror, envelope: b"{}".to_vec() },
        Message::FreezeFound { place: Place::Lan, envelope: b"{}".to_vec() },
    ]
}

fn report(kind: u8, bytes: Vec<u8>) -> Report {
    Report { epoch: u64::MAX, seq: 3, at: 1_800_000_000, dropped: 4, kind, bytes }
}

#[test]
fn kinds_of_reports_have_the_numbers_of_the_specification() {
    let numbers = ReportKind::ALL.map(ReportKind::code);
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(numbers.map(ReportKind::of), ReportKind::ALL.map(Some));
    assert_eq!([0, 5, 255].map(ReportKind::of), [None; 3]);
}

#[test]
fn the_largest_job_with_every_promotion_fits_a_frame() {
    let hash = Sha256::of(b"x");
    let promotion = LoggedStatement {
        envelope: vec![b' '; trust_limits::PROMOTION_BYTES_MAX],
        index: u64::MAX,
        path: vec![hash; trust_limits::LOG_PROOF_MAX],
    };
    let largest = JobMessage {
        envelope: vec![b' '; trust_limits::ENVELOPE_BYTES_MAX],
        proof: vec![b' '; trust_limits::LOG_PROOF_BYTES_MAX],
        consistency: vec![hash; trust_limits::LOG_PROOF_MAX],
        stage: u32::MAX,
        index: u32::MAX,
        path: vec![hash; trust_limits::TARGET_PATH_MAX],
        promotions: vec![promotion.clone(); trust_limits::JOB_STAGES_MAX - 1],
    };
    let bytes = Message::Job(largest.clone()).encode();
    assert!(bytes.len() <= limits::FRAME_BYTES_MAX, "{} bytes", bytes.len());
    assert!(Message::decode(&bytes).is_ok());
    let mut more = largest;
    more.promotions.push(promotion);
    assert!(Message::decode(&Message::Job(more).encode()).is_err());
}

#[test]
fn every_message_survives_the_wire() {
    for message in one_of_each() {
        assert_eq!(Message::decode(&message.encode()), Ok(message));
    }
}

#[test]
fn bytes_cut_off_or_added_are_refused() {
    for message in one_of_each() {
        let bytes = message.encode();
        for cut in 0..bytes.len() {
            assert!(Message::decode(&bytes[..cut]).is_err(), "{message:?} cut at {cut}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(
            Message::decode(&longer),
            Err(MessageError::Wire(WireError::Trailing)),
            "{message:?}"
        );
    }
}

#[test]
fn fields_above_their_limit_are_refused_and_at_it_are_not() {
    let check = |at: Message, above: Message| {
        assert_eq!(Message::decode(&at.encode()), Ok(at));
        assert!(Message::decode(&above.encode()).is_err());
    };
    let inventory = |n| Message::Inventory { json: vec![b' '; n] };
    check(inventory(limits::INVENTORY_BYTES_MAX), inventory(limits::INVENTORY_BYTES_MAX + 1));
    let receipt = |n| Message::Receipt { envelope: vec![b' '; n] };
    check(receipt(trust_limits::ENVELOPE_BYTES_MAX), receipt(trust_limits::ENVELOPE_BYTES_MAX + 1));
    let control = |n| Message::Control { start: 0, entries: vec![vec![]; n], checkpoint: vec![] };
    check(
        control(trust_limits::CONTROL_ENTRIES_MAX),
        control(trust_limits::CONTROL_ENTRIES_MAX + 1),
    );
    let note = |n| Message::Control { start: 0, entries: vec![], checkpoint: vec![0; n] };
    check(note(trust_limits::NOTE_BYTES_MAX), note(trust_limits::NOTE_BYTES_MAX + 1));
    let hash = Sha256::of(b"x");
    let chunk = |n| Message::Content { sha256: hash, total: 1, offset: 0, bytes: vec![0; n] };
    check(chunk(limits::CHUNK_BYTES_MAX), chunk(limits::CHUNK_BYTES_MAX + 1));
    let observed = |n| Message::Report(report(1, vec![0; n]));
    check(observed(limits::REPORT_BYTES_MAX), observed(limits::REPORT_BYTES_MAX + 1));
    let addresses = |n| {
        Message::Setup(Setup {
            certificate: vec![],
            addresses: vec![String::new(); n],
            spkis: vec![],
            mirrors: vec![],
        })
    };
    check(addresses(limits::ADDRESSES_MAX), addresses(limits::ADDRESSES_MAX + 1));
    let text = |n: usize| {
        Message::Setup(Setup {
            certificate: vec![],
            addresses: vec!["a".repeat(n)],
            spkis: vec![],
            mirrors: vec![],
        })
    };
    check(text(trust_limits::TEXT_BYTES_MAX), text(trust_limits::TEXT_BYTES_MAX + 1));
}

#[test]
fn unknown_types_and_values_are_refused() {
    assert_eq!(Message::decode(&[]), Err(MessageError::Wire(WireError::Short)));
    for code in (0..=255_u8).filter(|code| !matches!(code, 1..=9 | 64..=72 | 128..=132)) {
        assert_eq!(Message::decode(&[code]), Err(MessageError::UnknownType(code)));
    }
    // `admitted` is 0 or 1.
    assert_eq!(Message::decode(&[64, 0, 0, 0, 1, 2]), Err(MessageError::Field("admitted")));
}

#[test]
fn a_stream_is_cut_into_the_same_messages_however_it_arrives() {
    let messages = one_of_each();
    let bytes: Vec<u8> = messages.iter().flat_map(encode_frame).collect();
    for step in [1, 2, 3, 7, 64, bytes.len()] {
        let mut reader = FrameReader::new();
        let mut seen = Vec::new();
        for piece in bytes.chunks(step) {
            reader.extend(piece);
            while let Some(message) = reader.next_message().unwrap() {
                seen.push(message);
            }
        }
        assert_eq!(seen, messages, "in steps of {step}");
    }
}

#[test]
fn an_announced_giant_is_refused_before_it_arrives() {
    let header = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut reader = FrameReader::new();
    reader.extend(&header(limits::FRAME_BYTES_MAX));
    assert!(matches!(reader.next_message(), Ok(None)));
    let mut reader = FrameReader::new();
    reader.extend(&header(limits::FRAME_BYTES_MAX + 1));
    assert!(matches!(reader.next_message(), Err(FrameError::TooLarge(_))));
}

proptest! {
    #[test]
    fn whatever_decodes_encodes_to_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }

    #[test]
    fn damaged_messages_never_panic(which in 0..23_usize, at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let mut bytes = one_of_each()[which].encode();
        let at = at.index(bytes.len());
        bytes[at] = value;
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }
}
