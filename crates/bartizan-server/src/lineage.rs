//! Whether this is the server that last stopped here: the same program, its own database, its own directory.
//!
//! A number counts up in the database and in a file beside it, the database first. A database restored from a backup
//! is behind the file, a directory copied elsewhere is another one, and a new program has another version. None of this
//! stops somebody who owns the server: endpoints rely on signatures and witnesses. It stops honest people from going on
//! with a server that is not what they think it is.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use bartizan_proto::preflight::QuarantineReason;
use bartizan_store::{LogName, StoreError};
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::id::Sha256;
use bartizan_trust::note::Note;
use serde::{Deserialize, Serialize};

use crate::db::Db;
use crate::published::write_atomically;

const FILE: &str = "lineage.json";
const KEY: &str = "lineage";
/// A power cut may lose the last write of either side.
const LOST_MAX: u64 = 1;

/// In the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InDatabase {
    seq: u64,
    version: String,
}

/// Beside it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct InFile {
    seq: u64,
    machine: String,
    inode: u64,
}

/// What was found at the start.
#[derive(Debug)]
struct Found<'a> {
    version: &'a str,
    machine: &'a str,
    inode: u64,
    database: Option<InDatabase>,
    file: Option<InFile>,
    /// Of each log: its name, entries in the database, entries that its files promise.
    logs: Vec<(&'static str, u64, u64)>,
}

/// Why this may be another server than the one that stopped here.
pub(crate) async fn judge(db: &Db, dir: &Path) -> anyhow::Result<Vec<QuarantineReason>> {
    let read = db.read(|tx| {
        let sizes = (tx.log_size(LogName::Control)?, tx.log_size(LogName::Jobs)?);
        Ok((tx.meta(KEY)?, sizes))
    });
    let (database, (control, jobs)) = read.await?;
    let file = std::fs::read(dir.join(FILE)).ok();
    let found = Found {
        version: env!("CARGO_PKG_VERSION"),
        machine: &machine(),
        inode: inode(dir),
        database: database.and_then(|text| serde_json::from_str(&text).ok()),
        file: file.and_then(|bytes| serde_json::from_slice(&bytes).ok()),
        logs: vec![
            ("control", control, promised(dir, "control")),
            ("jobs", jobs, promised(dir, "jobs")),
        ],
    };
    Ok(reasons(&found))
}

fn reasons(found: &Found<'_>) -> Vec<QuarantineReason> {
    let mut reasons = Vec::new();
    let mut say = |code: &str, text: String| {
        reasons.push(QuarantineReason { code: code.to_owned(), text });
    };
    for (name, has, promised) in &found.logs {
        if has < promised {
            say(
                "restore.older_than_logs",
                format!(
                    "the database has {has} entries of the {name} log, its files promise {promised}"
                ),
            );
        }
    }
    let empty = found.logs.iter().all(|(_, has, _)| *has == 0);
    match (&found.database, &found.file) {
        // Nothing has ever happened here.
        _ if empty => {}
        (None, _) | (_, None) => say(
            "restore.unknown",
            "the database or the directory bears no trace of a last run".to_owned(),
        ),
        (Some(database), Some(file)) => {
            if file.seq > database.seq + LOST_MAX {
                say("restore.database", "the database is older than the directory".to_owned());
            }
            if database.seq > file.seq + 1 + LOST_MAX {
                say("restore.directory", "the directory is older than the database".to_owned());
            }
            if file.machine != found.machine {
                say("restore.machine", "the directory comes from another machine".to_owned());
            } else if file.inode != found.inode {
                say("restore.copied", "the directory is a copy".to_owned());
            }
            if database.version != found.version {
                let text = format!("version {} after {}", found.version, database.version);
                say("update", text);
            }
        }
    }
    reasons
}

/// Counts on, so that what is copied from now on is older.
pub(crate) async fn mark(db: &Db, dir: &Path) -> anyhow::Result<()> {
    let write = db.write(|tx| {
        let known = tx.meta(KEY)?.and_then(|text| serde_json::from_str::<InDatabase>(&text).ok());
        let seq = known.map_or(0, |known| known.seq) + 1;
        let next = InDatabase { seq, version: env!("CARGO_PKG_VERSION").to_owned() };
        let text = serde_json::to_string(&next).map_err(|_| StoreError::Column("lineage"))?;
        tx.set_meta(KEY, &text)?;
        Ok(seq)
    });
    let file = InFile { seq: write.await?, machine: machine(), inode: inode(dir) };
    write_atomically(&dir.join(FILE), &serde_json::to_vec(&file)?)
}

/// A name of this machine that says nothing about it.
fn machine() -> String {
    let id = std::fs::read("/etc/machine-id").unwrap_or_default();
    Sha256::of_parts(&[b"bartizan lineage ", &id]).to_string()
}

fn inode(dir: &Path) -> u64 {
    std::fs::metadata(dir).map_or(0, |metadata| metadata.ino())
}

/// How many entries the published checkpoint of a log promises.
fn promised(dir: &Path, log: &str) -> u64 {
    let note = std::fs::read(dir.join("log").join(log).join("checkpoint")).ok();
    let note = note.and_then(|bytes| Note::decode(&bytes).ok());
    note.and_then(|note| Checkpoint::parse(&note.text).ok()).map_or(0, |checkpoint| checkpoint.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(change: impl FnOnce(&mut Found<'_>)) -> Vec<String> {
        let mut found = Found {
            version: "0.2.0",
            machine: "here",
            inode: 7,
            database: Some(InDatabase { seq: 10, version: "0.2.0".to_owned() }),
            file: Some(InFile { seq: 10, machine: "here".to_owned(), inode: 7 }),
            logs: vec![("control", 3, 3), ("jobs", 5, 5)],
        };
        change(&mut found);
        reasons(&found).into_iter().map(|reason| reason.code).collect()
    }

    #[test]
    fn the_server_that_stopped_here_goes_on() {
        assert!(codes(|_| {}).is_empty());
        // Crashed between the two writes, or lost the last one of either.
        for (database, file) in [(11, 10), (10, 11), (12, 10)] {
            let crashed = codes(|found| {
                found.database = Some(InDatabase { seq: database, version: "0.2.0".to_owned() });
                found.file = Some(InFile { seq: file, machine: "here".to_owned(), inode: 7 });
            });
            assert!(crashed.is_empty(), "{database} {file} {crashed:?}");
        }
        // A new one has nothing to go on with.
        let new = codes(|found| {
            (found.database, found.file) = (None, None);
            found.logs = vec![("control", 0, 0), ("jobs", 0, 0)];
        });
        assert!(new.is_empty());
        // Files of a log that are missing are written again.
        assert!(codes(|found| found.logs = vec![("control", 3, 0), ("jobs", 5, 0)]).is_empty());
    }

    #[test]
    fn a_restored_copied_or_updated_server_is_told() {
        let file =
            |seq, machine: &str, inode| Some(InFile { seq, machine: machine.to_owned(), inode });
        assert_eq!(codes(|found| found.file = file(12, "here", 7)), ["restore.database"]);
        assert_eq!(codes(|found| found.file = file(7, "here", 7)), ["restore.directory"]);
        assert_eq!(codes(|found| found.file = file(10, "there", 9)), ["restore.machine"]);
        assert_eq!(codes(|found| found.file = file(10, "here", 9)), ["restore.copied"]);
        assert_eq!(codes(|found| found.version = "0.3.0"), ["update"]);
        assert_eq!(codes(|found| found.version = "0.1.0"), ["update"]);
        assert_eq!(codes(|found| found.database = None), ["restore.unknown"]);
        assert_eq!(codes(|found| found.file = None), ["restore.unknown"]);
        let shorter = |found: &mut Found<'_>| found.logs = vec![("control", 3, 3), ("jobs", 4, 5)];
        assert_eq!(codes(shorter), ["restore.older_than_logs"]);
        let lost = codes(|found| {
            found.database = None;
            found.logs = vec![("control", 0, 3), ("jobs", 0, 0)];
        });
        assert_eq!(lost, ["restore.older_than_logs"]);
    }
}
