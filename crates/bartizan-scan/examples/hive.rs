//! Prints every value of a registry hive, for `scripts/compare-hives`: key, name, type, length and digest of the data, between
//! tabs. With logs behind the hive they are applied first.

use std::io::Write as _;

use bartizan_scan::registry::{Hive, apply, is_open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files = Vec::new();
    for path in std::env::args_os().skip(1) {
        files.push(std::fs::read(path)?);
    }
    let (hive, logs) = files.split_first().ok_or("give a hive, and its logs")?;
    let bytes = if is_open(hive) && !logs.is_empty() { apply(hive, logs)? } else { hive.clone() };
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut failure = None;
    let (_, damaged) = Hive::open(&bytes)?.visit(|key| {
        failure = failure.take().or(writeln!(out, "{}", key.path).err());
        for value in &key.values {
            let digest = ring::digest::digest(&ring::digest::SHA256, &value.data);
            let digest = data_encoding::HEXLOWER.encode(digest.as_ref());
            let (name, kind, length) = (&value.name, value.kind, value.data.len());
            let line = writeln!(out, "{}\t{name}\t{kind}\t{length}\t{digest}", key.path);
            failure = failure.take().or(line.err());
        }
    });
    if damaged {
        return Err("some keys or values could not be followed".into());
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}
