//! What the fuzz targets do: any bytes may come from a hostile disk, and none may end the scan.

use std::io::Cursor;

use crate::digest::Digests;
use crate::events::EventLogs;
use crate::evidence::{FileEvidence, Output};
use crate::logs::{Dialect, WebLogs};
use crate::pack::{Pack, decode_body, split_pack};
use crate::rules::{self, Rules};
use crate::sigma::Sigma;
use crate::{builtin, file};

/// The rules that are built in; compiled once by each target.
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

/// A file under a name that makes the most of it.
pub fn file(rules: &Rules, path: &str, bytes: &[u8]) -> Output {
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
        logs: &[],
        digests: Some(Digests::of(bytes, rules.wanted())),
    };
    let mut output = Output::default();
    file::examine(rules, &evidence, &mut output);
    output
}

/// A log of a web server.
pub fn web_log(bytes: &[u8]) {
    if let Some(dialect) = Dialect::of(bytes) {
        let (mut logs, _) = WebLogs::new(&[], None);
        let _ = logs.read("fuzz", dialect, false, bytes);
        let _ = logs.finish(&mut crate::model::Coverage::default());
    }
}

/// A log of Windows.
pub fn event_log(bytes: &[u8]) {
    let mut logs = EventLogs::default();
    let mut sigma = Sigma::new([]);
    let _ = logs.read("fuzz", Cursor::new(bytes), &mut sigma, |_| {});
    let _ = logs.finish(&mut crate::model::Coverage::default());
}
