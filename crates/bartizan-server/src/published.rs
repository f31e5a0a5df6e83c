//! A log as static files: C2SP tlog-tiles, each written atomically, the checkpoint last.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::note::Note;
use bartizan_trust::tiles::{encode_entries, entries_path, tile_path};

use crate::db::Db;
use crate::logs::Log;

const TILE_WIDTH: u64 = 256;

/// The directory of one log.
pub(crate) struct Published {
    dir: PathBuf,
    /// What the checkpoint file signs.
    text: Option<String>,
}

impl Published {
    /// Opens the directory and reads up to where it was published.
    pub(crate) fn open(dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).with_context(|| format!("create `{}`", dir.display()))?;
        let note =
            std::fs::read(dir.join("checkpoint")).ok().and_then(|bytes| Note::decode(&bytes).ok());
        Ok(Self { dir: dir.to_owned(), text: note.map(|note| note.text) })
    }

    /// The size of the checkpoint file.
    pub(crate) fn size(&self) -> Option<u64> {
        self.text
            .as_deref()
            .and_then(|text| Checkpoint::parse(text).ok())
            .map(|checkpoint| checkpoint.size)
    }

    /// The text of the checkpoint file.
    pub(crate) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The files are of another history: they are all written again.
    pub(crate) fn distrust(&mut self) {
        self.text = None;
    }

    /// Writes every tile that is new or wider since the last checkpoint.
    pub(crate) async fn write_tiles(&self, log: &Log, db: &Db, size: u64) -> anyhow::Result<()> {
        let old = self.size().filter(|old| *old <= size).unwrap_or(0);
        for level in 0_u8..=4 {
            let (from, to) = (nodes(old, level), nodes(size, level));
            if from == to {
                break;
            }
            for tile in from / TILE_WIDTH..to.div_ceil(TILE_WIDTH) {
                self.write_tile(log, level, tile, to)?;
                if level == 0 {
                    self.write_entries(log, db, tile, to).await?;
                }
            }
        }
        Ok(())
    }

    /// Writes the checkpoint; from then on the tiles count as published.
    pub(crate) fn write_checkpoint(&mut self, note: &Note) -> anyhow::Result<()> {
        write_atomically(&self.dir.join("checkpoint"), &note.encode())?;
        self.text = Some(note.text.clone());
        Ok(())
    }

    fn write_tile(&self, log: &Log, level: u8, tile: u64, nodes: u64) -> anyhow::Result<()> {
        let (first, width) = span(tile, nodes);
        let mut bytes = Vec::with_capacity(32 * usize::from(width));
        for index in first..first + u64::from(width) {
            let node = log.node(usize::from(level) * 8, index).context("a node of the tree")?;
            bytes.extend_from_slice(node.as_bytes());
        }
        self.replace(&tile_path(level, tile, width), &bytes, width)
    }

    async fn write_entries(&self, log: &Log, db: &Db, tile: u64, nodes: u64) -> anyhow::Result<()> {
        let (first, width) = span(tile, nodes);
        let name = log.name();
        let entries =
            db.read(move |tx| tx.log_entries(name, first, first + u64::from(width))).await?;
        self.replace(&entries_path(tile, width), &encode_entries(&entries), width)
    }

    fn replace(&self, path: &str, bytes: &[u8], width: u16) -> anyhow::Result<()> {
        let path = self.dir.join(path);
        write_atomically(&path, bytes)?;
        if u64::from(width) == TILE_WIDTH {
            // The full tile serves everybody; its partial versions are no longer needed.
            let mut partial = path.into_os_string();
            partial.push(".p");
            let _ = std::fs::remove_dir_all(partial);
        }
        Ok(())
    }
}

/// How many nodes level `level` of the tiles has.
const fn nodes(size: u64, level: u8) -> u64 {
    size >> (8 * level)
}

/// First node of a tile and how many it has.
fn span(tile: u64, nodes: u64) -> (u64, u16) {
    let first = tile * TILE_WIDTH;
    let width = nodes.saturating_sub(first).min(TILE_WIDTH);
    (first, u16::try_from(width).unwrap_or(u16::MAX))
}

/// Writes a file so that readers see the old or the new one, and a crash leaves one of them.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let parent = path.parent().context("a file has a directory")?;
    let write = || {
        std::fs::create_dir_all(parent)?;
        let mut name = path.as_os_str().to_owned();
        name.push(".new");
        let mut file = std::fs::File::create(&name)?;
        file.write_all(bytes)?;
        file.sync_data()?;
        std::fs::rename(&name, path)
    };
    write().with_context(|| format!("write `{}`", path.display()))
}
