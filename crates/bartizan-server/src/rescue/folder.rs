//! Reading a mirror's folder, as `bartizan log mirror` and `bartizan log rescue` write it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use bartizan_store::LogName;
use bartizan_trust::checkpoint::{self, Checkpoint};
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::merkle::{Frontier, leaf_hash};
use bartizan_trust::note::{Note, VerifierKey};
use bartizan_trust::tiles::{TILE_WIDTH, decode_entries, entries_path};
use data_encoding::BASE64;

/// Largest file that is read: a full bundle of the largest entries.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// A log whose entries are those that its checkpoint signs.
pub(super) struct ReadLog {
    pub(super) entries: Vec<Vec<u8>>,
    pub(super) checkpoint: Checkpoint,
    pub(super) note: Note,
}

/// What lies beside the logs. Nothing of it is verified yet.
#[derive(Default)]
pub(super) struct Mirror {
    pub(super) endpoints: Vec<EndpointFile>,
    pub(super) work: BTreeMap<StatementId, Work>,
    pub(super) receipts: Vec<Vec<u8>>,
    /// Files that cannot be read.
    pub(super) damaged: Vec<String>,
}

/// An endpoint's two envelopes.
pub(super) struct EndpointFile {
    pub(super) id: EndpointId,
    pub(super) descriptor: Vec<u8>,
    pub(super) enrolment: Vec<u8>,
    pub(super) admitted: bool,
}

/// A job's script and targets.
pub(super) struct Work {
    pub(super) content: Vec<u8>,
    pub(super) targets: Vec<EndpointId>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct RawEndpoint {
    descriptor: String,
    enrolment: String,
    admitted: bool,
}

pub(super) fn read_log(from: &Path, log: LogName, key: &VerifierKey) -> anyhow::Result<ReadLog> {
    let dir = from.join("log").join(log.name());
    let path = dir.join("checkpoint");
    let opened = checkpoint::open(&bytes(&path)?, key).with_context(|| {
        format!(
            "`{}` is not signed by the {} log key of this server; the keys must be those of the lost one",
            path.display(),
            log.name()
        )
    })?;
    let checkpoint = opened.checkpoint;
    let mut entries: Vec<Vec<u8>> = Vec::new();
    for index in 0..checkpoint.size.div_ceil(u64::from(TILE_WIDTH)) {
        let path = bundle(&dir, index)?;
        let decoded = decode_entries(&bytes(&path)?)
            .with_context(|| format!("`{}` is damaged", path.display()))?;
        entries.extend(decoded);
    }
    entries.truncate(usize::try_from(checkpoint.size).context("count entries")?);
    let mut frontier = Frontier::default();
    for entry in &entries {
        frontier.push(leaf_hash(entry));
    }
    ensure!(
        frontier.root() == checkpoint.root,
        "the entries in `{}` are not those that its checkpoint signs; use another mirror",
        dir.display()
    );
    Ok(ReadLog { entries, checkpoint, note: opened.note })
}

/// The file of a bundle with most entries.
fn bundle(dir: &Path, index: u64) -> anyhow::Result<PathBuf> {
    let full = dir.join(entries_path(index, TILE_WIDTH));
    if full.exists() {
        return Ok(full);
    }
    let mut partial = full.into_os_string();
    partial.push(".p");
    let partial = PathBuf::from(partial);
    let widths = names(&partial)?.into_iter().filter_map(|name| name.parse::<u16>().ok()).max();
    let width = widths.with_context(|| format!("`{}` is missing", partial.display()))?;
    Ok(partial.join(width.to_string()))
}

/// Reads everything else. A file that does not parse is named, and the others count.
pub(super) fn read(from: &Path) -> anyhow::Result<Mirror> {
    let mut mirror = Mirror::default();
    for name in names(&from.join("endpoints"))? {
        match endpoint(&from.join("endpoints"), &name) {
            Ok(file) => mirror.endpoints.push(file),
            Err(error) => mirror.damaged.push(format!("endpoints/{name}: {error:#}")),
        }
    }
    for name in names(&from.join("jobs"))? {
        match work(&from.join("jobs").join(&name)) {
            Ok(work) => {
                if let Ok(id) = name.parse() {
                    mirror.work.insert(id, work);
                }
            }
            Err(error) => mirror.damaged.push(format!("jobs/{name}: {error:#}")),
        }
    }
    for name in names(&from.join("receipts"))? {
        mirror.receipts.push(bytes(&from.join("receipts").join(name))?);
    }
    Ok(mirror)
}

fn endpoint(folder: &Path, name: &str) -> anyhow::Result<EndpointFile> {
    let id = name.strip_suffix(".json").unwrap_or(name).parse().context("an endpoint's id")?;
    let raw: RawEndpoint = serde_json::from_slice(&bytes(&folder.join(name))?)?;
    let decode = |text: &str| BASE64.decode(text.as_bytes()).context("base64");
    Ok(EndpointFile {
        id,
        descriptor: decode(&raw.descriptor)?,
        enrolment: decode(&raw.enrolment)?,
        admitted: raw.admitted,
    })
}

fn work(folder: &Path) -> anyhow::Result<Work> {
    let targets = serde_json::from_slice(&bytes(&folder.join("targets.json"))?)?;
    Ok(Work { content: bytes(&folder.join("content"))?, targets })
}

fn names(folder: &Path) -> anyhow::Result<Vec<String>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).with_context(|| format!("list `{}`", folder.display()))?;
    let names = entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<std::io::Result<Vec<_>>>()?;
    // What a crash left half-written has a name of its own.
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let read = || {
        let mut bytes = Vec::new();
        fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(bytes)
    };
    read().with_context(|| format!("read `{}`", path.display()))
}
