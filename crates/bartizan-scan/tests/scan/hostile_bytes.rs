//! Bytes that mean harm to a parser: fixtures with places overwritten, cut off or repeated. The fuzz targets do the same for longer.

use bartizan_scan::fuzz;
use bartizan_scan::pack::{Pack, encode_body, join_pack};
use bartizan_scan::self_test::hive;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use crate::tree::pe;

fn fixtures() -> Vec<(&'static str, Vec<u8>)> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut gzip, b"text").unwrap();
    let values: [(&str, &str); 2] = [("a", "b"), ("longer", "value")];
    vec![
        ("Windows/x.exe", pe("CertUtil.exe", b"overlay")),
        ("Windows/System32/config/SOFTWARE", hive(&[("A\\B", &values), ("A\\C", &values)])),
        ("a.gz", gzip.finish().unwrap()),
        ("a.zip", zip()),
        ("a.tar", tar()),
        ("kworking/agent.crt", b"-----BEGIN CERTIFICATE-----\nTVqQAAMAAAAEAAAA\n".to_vec()),
        ("Windows/System32/Tasks/t", b"<Task><Exec><Command>a</Command></Exec></Task>".to_vec()),
        ("etc/cron.d/x", b"* * * * * root true\n".to_vec()),
        ("root/.ssh/authorized_keys", b"ssh-ed25519 AAAA x\n".to_vec()),
    ]
}

/// One stored member.
pub(crate) fn zip() -> Vec<u8> {
    let mut zip =
        b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\x04\0\0\0\x01\0\0\0atext".to_vec();
    let at = u32::try_from(zip.len()).unwrap();
    zip.extend(b"PK\x01\x02\x14\0\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\0\0\0\x04\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a");
    let size = u32::try_from(zip.len()).unwrap() - at;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(at.to_le_bytes());
    zip.extend([0, 0]);
    zip
}

pub(crate) fn tar() -> Vec<u8> {
    let mut tar = vec![0_u8; 512];
    tar[..5].copy_from_slice(b"a.txt");
    tar[124..135].copy_from_slice(b"00000000004");
    tar[156] = b'0';
    tar[257..263].copy_from_slice(b"ustar\0");
    tar.extend(b"text");
    tar.resize(2048, 0);
    tar
}

#[test]
fn members_of_archives_are_seen() {
    let rules = fuzz::rules();
    for (name, bytes) in
        fixtures().into_iter().filter(|(name, _)| ["a.gz", "a.zip", "a.tar"].contains(name))
    {
        assert_eq!(fuzz::file(&rules, name, &bytes).coverage.files.members, 1, "{name}");
    }
}

fn damaged(bytes: &[u8], damage: &[(usize, u8)], cut: usize, repeat: bool) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, value) in damage {
        let length = bytes.len();
        if let Some(byte) = bytes.get_mut(at % length) {
            *byte = *value;
        }
    }
    bytes.truncate(bytes.len() - cut % bytes.len());
    if repeat { bytes.repeat(2) } else { bytes }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_end_no_scan(
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 0..8),
        cut in any::<usize>(),
        repeat in any::<bool>(),
    ) {
        static RULES: std::sync::LazyLock<bartizan_scan::rules::Rules> = std::sync::LazyLock::new(fuzz::rules);
        for (name, bytes) in fixtures() {
            let bytes = damaged(&bytes, &damage, if repeat { 0 } else { cut }, repeat);
            let _ = fuzz::file(&RULES, name, &bytes);
            fuzz::event_log(&[b"ElfFile\0".as_slice(), &bytes].concat());
            fuzz::web_log(&[b"#Fields: date time c-ip cs-method cs-uri-stem\n".as_slice(), &bytes].concat());
        }
    }

    #[test]
    fn damaged_packs_are_refused_or_read(
        damage in prop::collection::vec((any::<usize>(), any::<u8>()), 0..4),
        cut in 0..40_usize,
    ) {
        let pack = Pack { v: 1, name: "x".to_owned(), ..Pack::default() };
        let file = join_pack(b"{}", &encode_body(&pack).unwrap());
        fuzz::pack(&damaged(&file, &damage, cut, false));
    }
}
