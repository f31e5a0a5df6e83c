//! The two logs: the trees in memory, signed checkpoints, co-signatures, and what is published as files.
//!
//! Entries get into a log inside the transaction of the operation that caused them. After its commit
//! [`Logs::publish`] brings tree, checkpoint and files up to what the database holds.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context as _;
use bartizan_store::{CosignatureRecord, LogName};
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::id::Sha256;
use bartizan_trust::merkle::Tree;
use bartizan_trust::note::{Note, NoteSignature};
use bartizan_trust::policy::Policy;
use bartizan_trust::proof::LogProof;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::witness::AddCheckpoint;
use tokio::sync::watch;

use crate::db::Db;
use crate::keys::LogKey;
use crate::published::Published;

/// Sizes whose co-signatures are kept. Witnesses come one after the other while the log grows, so more than the newest.
const SIZES_KEPT: usize = 32;
/// Leaves read at once.
const LEAVES_AT_ONCE: u64 = 4096;

/// A checkpoint that satisfies a group of witnesses.
#[derive(Debug, Clone)]
pub(crate) struct Covered {
    pub(crate) size: u64,
    /// The time by which the group co-signed it.
    pub(crate) at: UnixSeconds,
    pub(crate) note: Vec<u8>,
}

/// Why a co-signature was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CosignatureError {
    #[error("size and root are not those of a checkpoint of this log")]
    OtherCheckpoint,
    #[error("the line is not a note signature")]
    Malformed,
    #[error("no witness of the bundle's policy made a valid signature like this")]
    UnknownWitness,
}

struct LogState {
    tree: Tree,
    /// Per size: witness, line and time.
    cosignatures: BTreeMap<u64, Vec<CosignatureRecord>>,
    /// Per group the best checkpoint, until something changes: a fan-out asks for every endpoint.
    best: HashMap<String, Option<Covered>>,
}

/// One log.
pub(crate) struct Log {
    name: LogName,
    key: LogKey,
    state: Mutex<LogState>,
    published: tokio::sync::Mutex<Published>,
    /// Changes when the log grew or got a co-signature.
    changed: watch::Sender<u64>,
}

/// Both.
pub(crate) struct Logs {
    pub(crate) control: Log,
    pub(crate) jobs: Log,
}

impl Logs {
    pub(crate) const fn log(&self, name: LogName) -> &Log {
        match name {
            LogName::Control => &self.control,
            LogName::Jobs => &self.jobs,
        }
    }
}

impl Log {
    /// Reads the log from the database and publishes what the files lack.
    pub(crate) async fn load(
        name: LogName,
        key: LogKey,
        db: &Db,
        dir: &std::path::Path,
    ) -> anyhow::Result<Self> {
        let published = Published::open(&dir.join("log").join(name.name()))?;
        let state =
            LogState { tree: Tree::default(), cosignatures: BTreeMap::new(), best: HashMap::new() };
        let log = Self {
            name,
            key,
            state: Mutex::new(state),
            published: tokio::sync::Mutex::new(published),
            changed: watch::Sender::new(0),
        };
        log.publish(db).await.with_context(|| format!("publish the {} log", name.name()))?;
        let kept = db.read(move |tx| tx.cosignatures(name, 0)).await?;
        for cosignature in kept {
            log.keep(cosignature);
        }
        Ok(log)
    }

    /// Brings tree and files up to the database. Concurrent calls wait for each other; each returns when
    /// everything committed before it is published.
    pub(crate) async fn publish(&self, db: &Db) -> anyhow::Result<()> {
        let mut published = self.published.lock().await;
        let name = self.name;
        loop {
            let start = self.size();
            let leaves = db.read(move |tx| tx.log_leaves(name, start, LEAVES_AT_ONCE)).await?;
            if leaves.is_empty() {
                break;
            }
            let mut state = self.lock();
            state.best.clear();
            for leaf in leaves {
                state.tree.push(leaf);
            }
        }
        let size = self.size();
        let own = published.size().and_then(|size| self.note(size)).map(|note| note.text);
        if own.as_deref() != published.text() {
            published.distrust();
        }
        if published.size() != Some(size) {
            published.write_tiles(self, db, size).await?;
            let note = self.note(size).context("a log knows its own root")?;
            published.write_checkpoint(&note)?;
            self.changed.send_modify(|count| *count += 1);
        }
        Ok(())
    }

    pub(crate) const fn name(&self) -> LogName {
        self.name
    }

    pub(crate) fn size(&self) -> u64 {
        self.lock().tree.size()
    }

    /// Wakes when the log grew or got a co-signature.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// The newest checkpoint with the co-signatures it has.
    pub(crate) fn latest(&self) -> anyhow::Result<Note> {
        let state = self.lock();
        self.note_at(&state, state.tree.size()).context("a log knows its own root")
    }

    /// The largest checkpoint of at least `size_min` entries that satisfies `group`.
    pub(crate) fn covered(&self, policy: &Policy, group: &str, size_min: u64) -> Option<Covered> {
        let mut state = self.lock();
        let best = if let Some(known) = state.best.get(group) {
            known.clone()
        } else {
            let found = self.find_covered(&state, policy, group);
            state.best.insert(group.to_owned(), found.clone());
            found
        };
        best.filter(|covered| covered.size >= size_min)
    }

    fn find_covered(&self, state: &LogState, policy: &Policy, group: &str) -> Option<Covered> {
        let newest = state.tree.size();
        let sizes = state.cosignatures.keys().rev().copied().filter(|size| *size != newest);
        std::iter::once(newest).chain(sizes).find_map(|size| {
            let note = self.note_at(state, size)?;
            let at = policy.satisfied_at(group, &note)?;
            Some(Covered { size, at, note: note.encode() })
        })
    }

    /// The policy may have changed: nothing found before counts.
    pub(crate) fn forget_best(&self) {
        self.lock().best.clear();
    }

    /// A C2SP tlog-proof of an entry under a checkpoint.
    pub(crate) fn proof(&self, index: u64, covered: &Covered) -> Option<Vec<u8>> {
        let path = self.lock().tree.inclusion_path(index, covered.size)?;
        Some(LogProof { index, path, checkpoint: covered.note.clone() }.encode())
    }

    /// Consistency between two sizes, whichever is smaller; empty when there is nothing to show or no way to show it.
    pub(crate) fn consistency(&self, one: u64, other: u64) -> Vec<Sha256> {
        let (old, new) = (one.min(other), one.max(other));
        if old == 0 || old == new {
            return Vec::new();
        }
        self.lock().tree.consistency_path(old, new).unwrap_or_default()
    }

    /// The checkpoint of any size the log has had, with the co-signatures kept for it.
    pub(crate) fn note(&self, size: u64) -> Option<Note> {
        self.note_at(&self.lock(), size)
    }

    pub(crate) fn inclusion_path(&self, index: u64, size: u64) -> Option<Vec<Sha256>> {
        self.lock().tree.inclusion_path(index, size)
    }

    /// What a C2SP witness wants to see that last co-signed `old` entries; `None` beyond the end.
    pub(crate) fn add_checkpoint(&self, old: u64) -> Option<AddCheckpoint> {
        let state = self.lock();
        let size = state.tree.size();
        let note = self.note_at(&state, size)?.encode();
        let path = state.tree.consistency_path(old, size)?;
        Some(AddCheckpoint { old, path, note })
    }

    pub(crate) fn node(&self, level: usize, index: u64) -> Option<Sha256> {
        self.lock().tree.node(level, index)
    }

    /// Judges a co-signature of one of our own checkpoints.
    // SPEC: operator-api.md "Co-signatures"
    pub(crate) fn judge(
        &self,
        policy: &Policy,
        size: u64,
        root: &Sha256,
        line: &str,
    ) -> Result<CosignatureRecord, CosignatureError> {
        let own_root = self.lock().tree.root_at(size);
        if own_root.as_ref() != Some(root) {
            return Err(CosignatureError::OtherCheckpoint);
        }
        let signature = NoteSignature::parse(line).map_err(|_| CosignatureError::Malformed)?;
        let (witness, key) = policy
            .witnesses()
            .find(|(_, key)| key.name() == signature.name && key.key_id() == signature.key_id)
            .ok_or(CosignatureError::UnknownWitness)?;
        let note = Note { text: self.text(size, *root), signatures: vec![signature] };
        let at = note.cosigned_at(key).ok_or(CosignatureError::UnknownWitness)?;
        let line = format!("{}\n", line.trim_end_matches('\n'));
        Ok(CosignatureRecord { size, witness: witness.to_owned(), root: *root, line, at: at.get() })
    }

    /// Takes a judged (and stored) co-signature in; returns the smallest size worth keeping.
    fn keep(&self, cosignature: CosignatureRecord) -> u64 {
        let mut state = self.lock();
        state.best.clear();
        if state.tree.root_at(cosignature.size) == Some(cosignature.root) {
            let line = state.cosignatures.entry(cosignature.size).or_default();
            line.retain(|known| known.witness != cosignature.witness);
            line.push(cosignature);
        }
        while state.cosignatures.len() > SIZES_KEPT {
            state.cosignatures.pop_first();
        }
        let oldest = state.cosignatures.keys().next().copied().unwrap_or(0);
        drop(state);
        self.changed.send_modify(|count| *count += 1);
        oldest
    }

    /// Stores a judged co-signature, takes it in, and shows it.
    pub(crate) async fn take(&self, db: &Db, record: CosignatureRecord) -> anyhow::Result<()> {
        let (name, stored) = (self.name, record.clone());
        db.write(move |tx| tx.put_cosignature(name, &stored)).await?;
        let oldest = self.keep(record);
        db.write(move |tx| tx.drop_cosignatures(name, oldest)).await?;
        self.republish().await
    }

    /// Writes the newest checkpoint with its co-signatures to its file.
    async fn republish(&self) -> anyhow::Result<()> {
        let mut published = self.published.lock().await;
        let (size, note) = (self.size(), self.latest()?);
        if published.size() == Some(size) {
            published.write_checkpoint(&note)?;
        }
        Ok(())
    }

    fn note_at(&self, state: &LogState, size: u64) -> Option<Note> {
        let root = state.tree.root_at(size)?;
        let mut note = self.key.sign_checkpoint(size, root).ok()?;
        let cosignatures = state.cosignatures.get(&size).into_iter().flatten();
        note.signatures.extend(cosignatures.filter_map(|c| NoteSignature::parse(&c.line).ok()));
        Some(note)
    }

    fn text(&self, size: u64, root: Sha256) -> String {
        Checkpoint { origin: self.key.verifier().name().to_owned(), size, root }.to_text()
    }

    fn lock(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
