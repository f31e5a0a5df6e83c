//! Receipts the server has not confirmed yet: one file each, oldest first.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bartizan_os::files;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::Receipt;

/// Most receipts kept for a server that is away. Work is not begun when there is no room for its receipt.
pub(crate) const RECEIPTS_MAX: usize = 4096;
/// From here on refusals leave no receipts, so that a hostile server cannot fill the room that work needs.
pub(crate) const REFUSALS_MAX: usize = 1024;

/// The unconfirmed receipts, on disk and in memory.
pub(crate) struct Outbox {
    folder: PathBuf,
    waiting: BTreeMap<u64, Vec<u8>>,
}

impl Outbox {
    /// Reads what an earlier run left. A file that is no receipt is left alone and reported.
    pub(crate) fn load(folder: &Path) -> Result<Self> {
        files::create_private_folder(folder).context("create the outbox")?;
        let mut waiting = BTreeMap::new();
        for entry in fs::read_dir(folder).context("read the outbox")? {
            let path = entry.context("read the outbox")?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match read_receipt(&path) {
                Some((seq, bytes)) => {
                    waiting.insert(seq, bytes);
                }
                None => eprintln!("{} is not a receipt; left where it is", path.display()),
            }
        }
        Ok(Self { folder: folder.to_owned(), waiting })
    }

    /// Stores a receipt durably.
    pub(crate) fn add(&mut self, seq: u64, envelope: Vec<u8>) -> Result<()> {
        files::write_atomically(&self.path(seq), &envelope)
            .context("store a receipt; is the disk full?")?;
        self.waiting.insert(seq, envelope);
        Ok(())
    }

    /// The server has stored everything up to `seq`.
    pub(crate) fn confirm(&mut self, seq: u64) {
        let later = self.waiting.split_off(&seq.saturating_add(1));
        for confirmed in std::mem::replace(&mut self.waiting, later).into_keys() {
            // A file that stays is sent again, which does no harm.
            let _ = fs::remove_file(self.path(confirmed));
        }
    }

    /// All of them, oldest first.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = &Vec<u8>> {
        self.waiting.values()
    }

    /// What may go out after `sent`, so that at most `in_flight_max` are unconfirmed at once.
    pub(crate) fn after(&self, sent: u64, in_flight_max: usize) -> Vec<(u64, Vec<u8>)> {
        let in_flight = self.waiting.range(..=sent).count();
        let unsent = self.waiting.range(sent.saturating_add(1)..);
        let room = in_flight_max.saturating_sub(in_flight);
        unsent.take(room).map(|(seq, envelope)| (*seq, envelope.clone())).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn path(&self, seq: u64) -> PathBuf {
        self.folder.join(format!("{seq:016}.json"))
    }
}

/// Reads a stored receipt.
pub(crate) fn parse(bytes: &[u8]) -> Option<(Envelope, Receipt)> {
    let envelope = Envelope::decode(bytes).ok()?;
    let receipt = envelope.statement().ok()?;
    Some((envelope, receipt))
}

fn read_receipt(path: &Path) -> Option<(u64, Vec<u8>)> {
    let bytes = fs::read(path).ok()?;
    let (_, receipt) = parse(&bytes)?;
    Some((receipt.seq, bytes))
}
