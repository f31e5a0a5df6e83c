//! Facts of Windows programs.

use bartizan_scan::fuzz;
use bartizan_scan::pack::Pack;
use bartizan_scan::rules::{self, Rules};

use crate::tree::{packed, plain};

/// Bytes before the first section.
const HEADERS: usize = 512;
pub(crate) const MAY_RUN: u32 = 0x6000_0020;
pub(crate) const DATA: u32 = 0xc000_0040;

/// A program of these sections, one behind the other.
pub(crate) fn sections(sections: &[(&[u8], u32)]) -> Vec<u8> {
    let mut file = vec![0_u8; HEADERS];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(60, &64_u32.to_le_bytes());
    put(64, b"PE\0\0");
    put(68, &0x8664_u16.to_le_bytes());
    put(70, &u16::try_from(sections.len()).unwrap().to_le_bytes());
    put(84, &240_u16.to_le_bytes());
    put(86, &0x22_u16.to_le_bytes());
    put(88, &0x20b_u16.to_le_bytes());
    put(88 + 32, &0x1000_u32.to_le_bytes());
    put(88 + 36, &512_u32.to_le_bytes());
    put(88 + 108, &16_u32.to_le_bytes());
    let (mut offset, mut address) = (HEADERS, 0x1000_u32);
    for (number, (bytes, rights)) in sections.iter().enumerate() {
        let header = 88 + 240 + 40 * number;
        let length = u32::try_from(bytes.len()).unwrap();
        put(header, b".part");
        for (at, value) in [
            (8, length),
            (12, address),
            (16, length),
            (20, u32::try_from(offset).unwrap()),
            (36, *rights),
        ] {
            put(header + at, &value.to_le_bytes());
        }
        offset += bytes.len();
        address += length.next_multiple_of(0x1000);
    }
    for (bytes, _) in sections {
        file.extend_from_slice(bytes);
    }
    file
}

fn rules() -> Rules {
    let rule = serde_json::json!({
        "id": "packed", "reason": "r", "level": "suspicious", "confidence": "high", "source": "s", "advice": "a",
    });
    let pack = serde_json::json!({
        "v": 1, "name": "p", "version": "1", "made": 1_800_000_000, "title": "t",
        "files": [{ "rule": rule, "kind": ["pe"], "packed": true }],
    });
    let (rules, loaded) = rules::compile(&[Pack::parse(pack.to_string().as_bytes()).unwrap()]);
    assert_eq!(loaded[0].problems, Vec::<String>::new());
    rules
}

#[test]
fn a_windows_program_is_packed_when_what_runs_in_it_is_compressed() {
    let (packed, plain, rules) = (packed(), plain(), rules());
    let short = &packed[..4000];
    for (what, parts, expected) in [
        ("compressed code", vec![(packed.as_slice(), MAY_RUN)], true),
        ("code of a compiler", vec![(plain.as_slice(), MAY_RUN)], false),
        ("a picture in its data", vec![(&plain, MAY_RUN), (&packed, DATA)], false),
        ("a small loader beside it", vec![(&plain[..4096], MAY_RUN), (&packed, MAY_RUN)], true),
        ("too little to tell", vec![(short, MAY_RUN)], false),
        ("no code", vec![(&packed, DATA)], false),
    ] {
        let found = fuzz::file(&rules, "a/b.exe", &sections(&parts)).findings;
        assert_eq!(!found.is_empty(), expected, "{what}");
        for finding in found {
            assert_eq!(finding.evidence.excerpt, "its code is packed");
        }
    }
    // What was cut off is not judged.
    let whole = sections(&[(&packed, MAY_RUN)]);
    let cut = &whole[..HEADERS + 2000];
    assert!(fuzz::file(&rules, "a/b.exe", cut).findings.is_empty());
}
