//! RFC 6962 trees: hashes, growing roots, proofs.
#![expect(clippy::todo, reason = "skeleton")]
use crate::id::Sha256;
use serde::{Deserialize, Serialize};

/// A proof does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not fit")]
pub struct ProofError;

/// SHA-256(0x00 ‖ entry).
pub fn leaf_hash(_entry: &[u8]) -> Sha256 { todo!() }
/// SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(_left: &Sha256, _right: &Sha256) -> Sha256 { todo!() }
/// Root of the empty tree.
pub fn empty_root() -> Sha256 { Sha256::of(b"") }
/// The entry is the `index`th of `size` under `root`.
pub fn verify_inclusion(_leaf: &Sha256, _index: u64, _size: u64, _path: &[Sha256], _root: &Sha256) -> Result<(), ProofError> { todo!() }
/// The tree of `old_size` is a prefix of that of `new_size`. Size 0 needs an empty path and the empty root.
pub fn verify_consistency(_old_size: u64, _old_root: &Sha256, _new_size: u64, _new_root: &Sha256, _path: &[Sha256]) -> Result<(), ProofError> { todo!() }

/// The right edge of a growing tree: enough to append and to compute the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Frontier { size: u64, hashes: Vec<Sha256> }
impl Frontier {
    /// How many leaves.
    pub fn size(&self) -> u64 { self.size }
    /// Adds a leaf.
    pub fn push(&mut self, _leaf: Sha256) { todo!() }
    /// The root.
    pub fn root(&self) -> Sha256 { todo!() }
    /// False when the number of hashes does not fit the size (state read from disk).
    pub fn is_valid(&self) -> bool { todo!() }
}

/// A whole tree in memory: proofs for any size it has had.
#[derive(Debug, Clone, Default)]
pub struct Tree { levels: Vec<Vec<Sha256>> }
impl Tree {
    /// How many leaves.
    pub fn size(&self) -> u64 { todo!() }
    /// Adds a leaf.
    pub fn push(&mut self, _leaf: Sha256) { todo!() }
    /// Root of the first `size` leaves; `None` beyond the end.
    pub fn root_at(&self, _size: u64) -> Option<Sha256> { todo!() }
    /// Path of leaf `index` in the tree of `size`.
    pub fn inclusion_path(&self, _index: u64, _size: u64) -> Option<Vec<Sha256>> { todo!() }
    /// Proof that `old` is a prefix of `new`.
    pub fn consistency_path(&self, _old: u64, _new: u64) -> Option<Vec<Sha256>> { todo!() }
    /// Leaf hash or complete-subtree hash at (level, index), for tiles.
    pub fn node(&self, _level: usize, _index: u64) -> Option<Sha256> { todo!() }
}
