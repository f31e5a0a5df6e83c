//! What the fuzz targets do: any bytes may come from a hostile disk, and none may end the scan. `fuzz/` holds a line for each
//! target; the committed corpora are replayed on stable by this crate's tests.

use std::io::Cursor;
use std::sync::LazyLock;

use serde_json::Value;

use crate::digest::Digests;
use crate::events::EventLogs;
use crate::evidence::{FileEvidence, Output};
use crate::logs::{Dialect, WebLogs};
use crate::model::{Coverage, Evidence};
use crate::pack::{Pack, SigmaRule, decode_body, split_pack};
use crate::rules::{self, Rules};
use crate::sigma::{Sigma, Source};
use crate::time::UnixSeconds;
use crate::{builtin, file, import};

/// A fuzz target.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name: of the file in `fuzz/fuzz_targets` and the folder in `fuzz/corpus`.
    pub name: &'static str,
    /// Takes any bytes.
    pub run: fn(&[u8]),
}

/// All of them: one for each parser.
pub const TARGETS: [Target; 9] = [
    Target { name: "scan_pack", run: pack },
    Target { name: "scan_file", run: any_file },
    Target { name: "scan_hive", run: hive },
    Target { name: "scan_program", run: program },
    Target { name: "scan_web_log", run: web_log },
    Target { name: "scan_event_log", run: event_log },
    Target { name: "scan_import", run: imports },
    Target { name: "scan_sigma", run: sigma },
    Target { name: "scan_yara", run: yara },
];

/// Names that make the most of a file; its first byte chooses one.
const PATHS: [&str; 8] = [
    "Windows/System32/Tasks/x.crt",
    "etc/cron.d/x",
    "root/.ssh/authorized_keys",
    "etc/systemd/system/x.service",
    "root/.bash_history",
    "etc/ld.so.preload",
    "Windows/System32/config/SOFTWARE",
    "var/www/html/uploads/x.jpg",
];
/// Longest source of rules that is compiled: the compiler's time is not what is looked for.
const SOURCE_BYTES_MAX: usize = 4096;

static RULES: LazyLock<Rules> = LazyLock::new(rules);

/// The rules that are built in.
pub fn rules() -> Rules {
    rules::compile(&builtin::packs().unwrap_or_default()).0
}

/// A pack from a stick.
pub fn pack(bytes: &[u8]) {
    if let Ok(parts) = split_pack(bytes) {
        let _ = decode_body(parts.body);
    }
    let _ = Pack::parse(bytes);
}

/// A file under a name.
pub fn file(rules: &Rules, path: &str, bytes: &[u8]) -> Output {
    file_with_logs(rules, path, bytes, &[])
}

fn file_with_logs(rules: &Rules, path: &str, bytes: &[u8], logs: &[Vec<u8>]) -> Output {
    let evidence = FileEvidence {
        place: path,
        path,
        size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        modified: None,
        created: None,
        mode: Some(0o104_755),
        is_deleted: true,
        head: bytes,
        tail: &[],
        logs,
        digests: Some(Digests::of(bytes, rules.wanted())),
    };
    let mut output = Output::default();
    file::examine(rules, &evidence, &mut output);
    output
}

/// A file under one of several names.
fn any_file(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let path = PATHS.get(usize::from(*choice) % PATHS.len()).copied().unwrap_or_default();
    let _ = file(&RULES, path, bytes);
}

/// A registry hive and a log of it; the first four bytes say how long the hive is.
fn hive(bytes: &[u8]) {
    let Some((length, bytes)) = bytes.split_first_chunk() else { return };
    let length = usize::try_from(u32::from_le_bytes(*length)).unwrap_or(usize::MAX);
    let (hive, log) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
    let path = "Windows/System32/config/SOFTWARE";
    let _ = file_with_logs(&RULES, path, hive, &[log.to_vec()]);
}

/// What a program says of itself, also of one that was read in part.
fn program(bytes: &[u8]) {
    for size in [0, 1 << 20, u64::MAX] {
        let _ = file::elf::facts(bytes, size);
        let _ = file::pe::facts(bytes, size);
    }
}

/// A log of a web server.
pub fn web_log(bytes: &[u8]) {
    if let Some(dialect) = Dialect::of(bytes) {
        let (mut logs, _) = WebLogs::new(&[], None);
        let _ = logs.read("fuzz", dialect, false, bytes);
        let _ = logs.finish(&mut Coverage::default());
    }
}

/// A log of Windows.
pub fn event_log(bytes: &[u8]) {
    let mut logs = EventLogs::default();
    let mut sigma = Sigma::new([]);
    let _ = logs.read("fuzz", Cursor::new(bytes), &mut sigma, |_| {});
    let _ = logs.finish(&mut Coverage::default());
}

/// Indicators of others; the first byte says in which form.
fn imports(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let _ = match choice % 4 {
        0 => import::csv("fuzz", bytes),
        1 => import::misp("fuzz", bytes),
        2 => import::openioc("fuzz", bytes),
        _ => import::stix("fuzz", bytes),
    };
}

/// A Sigma rule, a zero byte, and an event that it is asked about.
fn sigma(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let source = parts.next().unwrap_or_default();
    let source = String::from_utf8_lossy(source.get(..SOURCE_BYTES_MAX).unwrap_or(source));
    let event: Value = parts
        .next()
        .and_then(|event| serde_json::from_slice(event).ok())
        .unwrap_or_else(|| serde_json::json!({ "CommandLine": "x" }));
    let rule = SigmaRule { source: source.into_owned(), origin: "fuzz".to_owned() };
    let pack = Pack { name: "fuzz".to_owned(), sigma: vec![rule], ..Pack::default() };
    let mut sigma = Sigma::new([&pack]);
    let place = || Evidence::at("fuzz");
    for source in [Source::of_windows("Security", 4688), Source::WEB] {
        sigma.handle(&event, &source, UnixSeconds(0), place);
    }
    let _ = sigma.finish();
}

/// A YARA source.
fn yara(bytes: &[u8]) {
    let source = bytes.get(..SOURCE_BYTES_MAX).unwrap_or(bytes);
    let source = String::from_utf8_lossy(source);
    let _ = import::yara([("fuzz", source.as_ref())]);
}
