//! A mirror's folder: where everything lies, and reading it without believing it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bartizan_trust::checkpoint;
use bartizan_trust::control::ControlView;
use bartizan_trust::id::{Anchor, EndpointId, StatementId};
use bartizan_trust::merkle::{Frontier, Tree, leaf_hash};
use bartizan_trust::note::VerifierKey;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::Receipt;
use bartizan_trust::tiles::{TILE_WIDTH, decode_entries, encode_entries, entries_path, tile_path};
use serde::{Deserialize, Serialize};

use crate::exit::refused;
use crate::home::{now, read_bounded, write_private};
use crate::trust::{WholeLog, genesis};
use crate::witness::Log;

/// Entries in a full bundle.
const WIDTH: usize = 256;

/// A whole mirror, verified from the anchor.
pub(crate) struct Mirror {
    pub(crate) dir: PathBuf,
    pub(crate) control: WholeLog,
    pub(crate) jobs: WholeLog,
}

/// Receipts and their exact bytes.
pub(crate) type Receipts = BTreeMap<StatementId, (Receipt, Vec<u8>)>;

/// What a job needs besides its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Work {
    pub(crate) content: Vec<u8>,
    pub(crate) targets: Vec<EndpointId>,
}

/// An endpoint, by its own word and that of the enrolment that let it in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndpointFile {
    /// Base64 of the envelope.
    pub(crate) descriptor: String,
    /// Base64 of the envelope.
    pub(crate) enrolment: String,
    /// Whether the server let it in. Nothing proves this; it only says whether jobs are brought to it.
    pub(crate) admitted: bool,
}

impl Mirror {
    /// Reads a mirror. Anything that is not what its log signed is an error.
    pub(crate) fn open(dir: &Path, anchor: Anchor) -> Result<Self> {
        let first = raw_entries(dir, Log::Control, 1)?.into_iter().next();
        let first = first.with_context(|| {
            format!("{} holds no control log; make one with `bartizan log mirror`", dir.display())
        })?;
        let trust = genesis(&first, anchor)?;
        let keys = LogTrust::parse(&trust.bundle.log).context("read the log keys")?;
        let control = read_log(dir, Log::Control, &keys.control)?.context("no control log")?;
        let mut view = ControlView::new(trust);
        for entry in control.entries.iter().skip(1) {
            // One that has no effect has none on endpoints either; the audit lists them.
            let _ = view.advise(anchor.org(), now(), None, entry);
        }
        let keys = LogTrust::parse(&view.chain.current.bundle.log).context("read the log keys")?;
        let jobs = read_log(dir, Log::Jobs, &keys.jobs)?
            .with_context(|| format!("{} holds no jobs log", dir.display()))?;
        Ok(Self { dir: dir.to_owned(), control, jobs })
    }

    /// One of the two logs.
    pub(crate) const fn log(&self, log: Log) -> &WholeLog {
        match log {
            Log::Control => &self.control,
            Log::Jobs => &self.jobs,
        }
    }

    /// Every receipt that its endpoint signed, and the names of files that are none.
    pub(crate) fn receipts(&self) -> Result<(Receipts, Vec<String>)> {
        let mut good = BTreeMap::new();
        let mut bad = Vec::new();
        for name in names(&self.dir.join("receipts"))? {
            let bytes = read_bounded(&self.dir.join("receipts").join(&name))?;
            match super::receipt(&bytes) {
                Some((id, receipt)) => {
                    good.insert(id, (receipt, bytes));
                }
                None => bad.push(format!("receipts/{name}")),
            }
        }
        Ok((good, bad))
    }
}

/// What is kept of a job besides the log, not verified yet.
pub(crate) fn work(dir: &Path, id: StatementId) -> Result<Option<Work>> {
    let folder = dir.join("jobs").join(id.to_string());
    if !folder.join("targets.json").exists() {
        return Ok(None);
    }
    let targets = serde_json::from_slice(&read_bounded(&folder.join("targets.json"))?)
        .with_context(|| format!("read the targets of {id}"))?;
    Ok(Some(Work { content: read_bounded(&folder.join("content"))?, targets }))
}

/// Keeps it; the list of targets last, so that a part is not taken for the whole.
pub(super) fn put_work(dir: &Path, id: StatementId, work: &Work) -> Result<()> {
    let folder = dir.join("jobs").join(id.to_string());
    write_private(&folder.join("content"), &work.content)?;
    let targets = serde_json::to_vec(&work.targets).context("write targets")?;
    write_private(&folder.join("targets.json"), &targets)
}

/// Names in a folder, in order; none where there is no folder.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.with_context(|| format!("list {}", folder.display()))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    // What a crash left half-written has a name of its own.
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

pub(super) fn log_dir(dir: &Path, log: Log) -> PathBuf {
    dir.join("log").join(log.name())
}

/// A log of a mirror, if there is one: its entries are those that its checkpoint signs.
pub(crate) fn read_log(dir: &Path, log: Log, key: &VerifierKey) -> Result<Option<WholeLog>> {
    let path = log_dir(dir, log).join("checkpoint");
    if !path.exists() {
        return Ok(None);
    }
    let next = "this mirror is damaged or of another organisation; use another one";
    let opened = checkpoint::open(&read_bounded(&path)?, key)
        .map_err(|error| refused(format!("{}: {error}", path.display()), next))?;
    let entries = raw_entries(dir, log, opened.checkpoint.size)?;
    let mut frontier = Frontier::default();
    for entry in &entries {
        frontier.push(leaf_hash(entry));
    }
    if frontier.root() != opened.checkpoint.root {
        let problem =
            format!("the entries in {} are not those its checkpoint signs", dir.display());
        return Err(refused(problem, next));
    }
    Ok(Some(WholeLog { entries, opened }))
}

/// The first `size` entries; fewer where files are missing.
fn raw_entries(dir: &Path, log: Log, size: u64) -> Result<Vec<Vec<u8>>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    let folder = log_dir(dir, log);
    for index in 0..size.div_ceil(u64::from(TILE_WIDTH)) {
        let Some(path) = widest(&folder, index)? else { break };
        let bundle = decode_entries(&read_bounded(&path)?)
            .with_context(|| format!("{} is damaged", path.display()))?;
        entries.extend(bundle);
    }
    entries.truncate(usize::try_from(size).context("count entries")?);
    Ok(entries)
}

/// The file of a bundle with most entries.
fn widest(folder: &Path, index: u64) -> Result<Option<PathBuf>> {
    let full = folder.join(entries_path(index, TILE_WIDTH));
    if full.exists() {
        return Ok(Some(full));
    }
    let mut partial = full.into_os_string();
    partial.push(".p");
    let partial = PathBuf::from(partial);
    let widths = names(&partial)?.into_iter().filter_map(|name| name.parse::<u16>().ok()).max();
    Ok(widths.map(|width| partial.join(width.to_string())))
}

/// Writes a log as static tiles; what stands there already is not written again. The checkpoint comes last.
pub(crate) fn write_log(dir: &Path, log: Log, whole: &WholeLog, old: usize) -> Result<()> {
    let folder = log_dir(dir, log);
    let mut tree = Tree::default();
    for entry in &whole.entries {
        tree.push(leaf_hash(entry));
    }
    let (old, size) = (u64::try_from(old).unwrap_or(0), tree.size());
    for level in 0_u8..=4 {
        let (from, to) = (old >> (8 * level), size >> (8 * level));
        if from == to {
            break;
        }
        for tile in from / 256..to.div_ceil(256) {
            let width = u16::try_from((to - tile * 256).min(256)).unwrap_or(TILE_WIDTH);
            let mut bytes = Vec::with_capacity(32 * usize::from(width));
            for index in tile * 256..tile * 256 + u64::from(width) {
                let node = tree.node(usize::from(level) * 8, index);
                bytes.extend_from_slice(node.context("a node of the tree")?.as_bytes());
            }
            replace(&folder.join(tile_path(level, tile, width)), &bytes, width)?;
        }
    }
    let first = usize::try_from(old / 256).unwrap_or(0);
    for (index, bundle) in (old / 256..).zip(whole.entries.chunks(WIDTH).skip(first)) {
        let width = u16::try_from(bundle.len()).unwrap_or(TILE_WIDTH);
        replace(&folder.join(entries_path(index, width)), &encode_entries(bundle), width)?;
    }
    write_private(&folder.join("checkpoint"), &whole.opened.note.encode())
}

fn replace(path: &Path, bytes: &[u8], width: u16) -> Result<()> {
    write_private(path, bytes)?;
    if width == TILE_WIDTH {
        // The full tile serves everybody; its partial versions are no longer needed.
        let mut partial = path.to_owned().into_os_string();
        partial.push(".p");
        let _ = fs::remove_dir_all(partial);
    }
    Ok(())
}
