//! RFC 6962 trees: hashes, growing roots, proofs. Specification: `docs/spec/logs.md`.

use serde::{Deserialize, Serialize};

use crate::id::Sha256;
use crate::limits;

/// A proof does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof does not fit")]
pub struct ProofError;

/// SHA-256(0x00 ‖ entry).
pub fn leaf_hash(entry: &[u8]) -> Sha256 {
    Sha256::of_parts(&[&[0], entry])
}

/// SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Sha256, right: &Sha256) -> Sha256 {
    Sha256::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// Root of the empty tree.
pub fn empty_root() -> Sha256 {
    Sha256::of(b"")
}

/// The entry is the `index`th of `size` under `root` (RFC 9162 section 2.1.3.2).
pub fn verify_inclusion(
    leaf: &Sha256,
    index: u64,
    size: u64,
    path: &[Sha256],
    root: &Sha256,
) -> Result<(), ProofError> {
    if index >= size || size > limits::LOG_SIZE_MAX {
        return Err(ProofError);
    }
    // A path that is longer than the tree is high ends the loop.
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(ProofError);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A right edge without siblings on the levels between.
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == *root { Ok(()) } else { Err(ProofError) }
}

/// The tree of `old_size` is a prefix of that of `new_size` (RFC 9162 section 2.1.4.2). Equal sizes and an
/// old size of 0 need an empty path; the empty tree has one root.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Sha256,
    new_size: u64,
    new_root: &Sha256,
    path: &[Sha256],
) -> Result<(), ProofError> {
    if old_size > new_size || new_size > limits::LOG_SIZE_MAX {
        return Err(ProofError);
    }
    if old_size == new_size {
        return if path.is_empty() && old_root == new_root { Ok(()) } else { Err(ProofError) };
    }
    if old_size == 0 {
        return if path.is_empty() && *old_root == empty_root() { Ok(()) } else { Err(ProofError) };
    }
    let mut path = path.iter();
    let first =
        if old_size.is_power_of_two() { old_root } else { path.next().ok_or(ProofError)? };
    let shift = (old_size - 1).trailing_ones();
    let (mut node, mut last) = ((old_size - 1) >> shift, (new_size - 1) >> shift);
    let (mut old, mut new) = (*first, *first);
    for sibling in path {
        if last == 0 {
            return Err(ProofError);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = node_hash(&new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && old == *old_root && new == *new_root { Ok(()) } else { Err(ProofError) }
}

/// The right edge of a growing tree: enough to append and to compute the root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Frontier {
    size: u64,
    // INVARIANT: one hash for each bit set in `size`, largest subtree first.
    hashes: Vec<Sha256>,
}

impl Frontier {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: Sha256) {
        let mut hash = leaf;
        let mut size = self.size;
        while size & 1 == 1
            && let Some(left) = self.hashes.pop()
        {
            hash = node_hash(&left, &hash);
            size >>= 1;
        }
        self.hashes.push(hash);
        self.size += 1;
    }

    /// How many leaves.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root.
    pub fn root(&self) -> Sha256 {
        let mut from_the_right = self.hashes.iter().rev();
        from_the_right.next().map_or_else(empty_root, |last| {
            from_the_right.fold(*last, |right, left| node_hash(left, &right))
        })
    }

    /// False when the number of hashes does not fit the size (state read from disk).
    pub fn is_valid(&self) -> bool {
        self.size <= limits::LOG_SIZE_MAX
            && u32::try_from(self.hashes.len()).is_ok_and(|count| count == self.size.count_ones())
    }
}

/// A whole tree in memory: proofs for any size it has had.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    // INVARIANT: level 0 holds the leaves, level n the roots of complete subtrees of 2^n leaves.
    levels: Vec<Vec<Sha256>>,
}

impl Tree {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: Sha256) {
        let mut hash = leaf;
        let mut level = 0;
        loop {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(nodes) = self.levels.get_mut(level) else { return };
            nodes.push(hash);
            let [.., left, right] = nodes.as_slice() else { return };
            if nodes.len() % 2 == 1 {
                return;
            }
            hash = node_hash(left, right);
            level += 1;
        }
    }

    /// How many leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| u64::try_from(leaves.len()).unwrap_or(u64::MAX))
    }

    /// Root of the first `size` leaves; `None` beyond the end.
    pub fn root_at(&self, size: u64) -> Option<Sha256> {
        if size == 0 { Some(empty_root()) } else { self.range_root(0, size) }
    }

    /// Path of leaf `index` in the tree of `size` (RFC 9162 section 2.1.3.1).
    pub fn inclusion_path(&self, index: u64, size: u64) -> Option<Vec<Sha256>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut start, mut end) = (0, size);
        let mut path = Vec::new();
        while end - start > 1 {
            let middle = start + split(end - start);
            if index < middle {
                path.push(self.range_root(middle, end)?);
                end = middle;
            } else {
                path.push(self.range_root(start, middle)?);
                start = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// Proof that `old` is a prefix of `new` (RFC 9162 section 2.1.4.1).
    pub fn consistency_path(&self, old: u64, new: u64) -> Option<Vec<Sha256>> {
        if old > new || new > self.size() {
            return None;
        }
        if old == 0 || old == new {
            return Some(Vec::new());
        }
        let (mut start, mut end) = (0, new);
        let mut path = Vec::new();
        // Down to the subtree that ends exactly where the old tree ended.
        while end != old {
            let middle = start + split(end - start);
            if old <= middle {
                path.push(self.range_root(middle, end)?);
                end = middle;
            } else {
                path.push(self.range_root(start, middle)?);
                start = middle;
            }
        }
        // The verifier knows the old root itself.
        if start != 0 {
            path.push(self.range_root(start, end)?);
        }
        path.reverse();
        Some(path)
    }

    /// Leaf hash or complete-subtree hash at (level, index), for tiles.
    pub fn node(&self, level: usize, index: u64) -> Option<Sha256> {
        self.levels.get(level)?.get(usize::try_from(index).ok()?).copied()
    }

    /// Root of the leaves from `start` to `end`, where `start` is a multiple of the largest power of two
    /// below the length, as it is everywhere in RFC 9162's recursion.
    fn range_root(&self, start: u64, end: u64) -> Option<Sha256> {
        let mut parts = Vec::new();
        let mut at = start;
        while at < end {
            let level = (end - at).ilog2();
            parts.push(self.node(usize::try_from(level).ok()?, at >> level)?);
            at += 1 << level;
        }
        let mut from_the_right = parts.iter().rev();
        let last = from_the_right.next()?;
        Some(from_the_right.fold(*last, |right, left| node_hash(left, &right)))
    }
}

/// The largest power of two below `size`, for sizes above one.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "small numbers in tests"
)]
mod tests {
    use super::*;

    /// RFC 9162 section 2.1.1, as it stands there.
    fn naive_root(leaves: &[Sha256]) -> Sha256 {
        match leaves {
            [] => empty_root(),
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(split(leaves.len() as u64) as usize);
                node_hash(&naive_root(left), &naive_root(right))
            }
        }
    }

    fn leaves(count: u64) -> Vec<Sha256> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    fn tree(leaves: &[Sha256]) -> Tree {
        let mut tree = Tree::default();
        for leaf in leaves {
            tree.push(*leaf);
        }
        tree
    }

    #[test]
    fn frontier_and_tree_agree_with_the_definition() {
        let all = leaves(130);
        let tree = tree(&all);
        let mut frontier = Frontier::default();
        for size in 0..=130_u64 {
            let expected = naive_root(&all[..size as usize]);
            assert_eq!(tree.root_at(size), Some(expected), "{size}");
            assert_eq!(
                (frontier.root(), frontier.size(), frontier.is_valid()),
                (expected, size, true)
            );
            if let Some(leaf) = all.get(size as usize) {
                frontier.push(*leaf);
            }
        }
        assert_eq!(tree.root_at(131), None);
    }

    #[test]
    fn every_inclusion_proof_verifies_and_no_mutation_does() {
        let all = leaves(33);
        let tree = tree(&all);
        for size in 1..=33 {
            let root = tree.root_at(size).unwrap();
            for index in 0..size {
                let leaf = all[index as usize];
                let path = tree.inclusion_path(index, size).unwrap();
                assert_eq!(
                    verify_inclusion(&leaf, index, size, &path, &root),
                    Ok(()),
                    "{index}/{size}"
                );
                refuse_mutations(&path, |path| verify_inclusion(&leaf, index, size, path, &root));
                for other in (0..size).filter(|other| *other != index) {
                    assert!(verify_inclusion(&leaf, other, size, &path, &root).is_err());
                }
                assert!(verify_inclusion(&leaf_hash(b"other"), index, size, &path, &root).is_err());
            }
            assert_eq!(tree.inclusion_path(size, size), None);
        }
    }

    #[test]
    fn every_consistency_proof_verifies_and_no_mutation_does() {
        let all = leaves(33);
        let tree = tree(&all);
        for new in 0..=33 {
            let new_root = tree.root_at(new).unwrap();
            for old in 0..=new {
                let old_root = tree.root_at(old).unwrap();
                let path = tree.consistency_path(old, new).unwrap();
                assert_eq!(
                    verify_consistency(old, &old_root, new, &new_root, &path),
                    Ok(()),
                    "{old}→{new}"
                );
                refuse_mutations(&path, |path| {
                    verify_consistency(old, &old_root, new, &new_root, path)
                });
                let other = Sha256::of(b"other");
                assert!(
                    verify_consistency(old, &other, new, &new_root, &path).is_err(),
                    "{old}→{new}"
                );
                if old != 0 {
                    assert!(
                        verify_consistency(old, &old_root, new, &other, &path).is_err(),
                        "{old}→{new}"
                    );
                }
                if old < new {
                    assert!(verify_consistency(new, &new_root, old, &old_root, &path).is_err());
                }
            }
        }
    }

    fn refuse_mutations(path: &[Sha256], verify: impl Fn(&[Sha256]) -> Result<(), ProofError>) {
        for at in 0..path.len() {
            let mut changed = path.to_vec();
            changed[at] = Sha256::of(b"changed");
            assert!(verify(&changed).is_err());
            changed.remove(at);
            assert!(verify(&changed).is_err());
        }
        let longer = [path, &[Sha256::of(b"more")]].concat();
        assert!(verify(&longer).is_err());
    }

    #[test]
    fn sizes_above_the_limit_are_refused() {
        let root = Sha256::of(b"root");
        let above = limits::LOG_SIZE_MAX + 1;
        assert!(verify_inclusion(&root, 0, above, &[], &root).is_err());
        assert!(verify_consistency(above, &root, above, &root, &[]).is_err());
        assert_eq!(
            verify_consistency(limits::LOG_SIZE_MAX, &root, limits::LOG_SIZE_MAX, &root, &[]),
            Ok(())
        );
        let long = vec![root; limits::LOG_PROOF_MAX + 1];
        assert!(verify_inclusion(&root, 0, limits::LOG_SIZE_MAX, &long, &root).is_err());
    }

    #[test]
    fn a_frontier_that_does_not_fit_its_size_is_seen() {
        let bad: Frontier = serde_json::from_str(r#"{"size":3,"hashes":[]}"#).unwrap();
        assert!(!bad.is_valid());
    }

    #[test]
    fn a_log_has_at_most_2_to_the_40_entries() {
        let (leaf, left) = (leaf_hash(b"the last"), leaf_hash(b"everything before"));
        // The last entry of a full tree: everything else stands to its left.
        let path = leaves(40);
        let root = path.iter().fold(leaf, |hash, sibling| node_hash(sibling, &hash));
        let full = 1 << 40;
        assert_eq!(verify_inclusion(&leaf, full - 1, full, &path, &root), Ok(()));
        let root = node_hash(&left, &leaf);
        assert_eq!(verify_inclusion(&leaf, full, full + 1, &[left], &root), Err(ProofError));
        assert_eq!(verify_consistency(full / 2, &left, full, &root, &[leaf]), Ok(()));
        assert_eq!(verify_consistency(full, &left, full + 1, &root, &[leaf]), Err(ProofError));
    }

    #[test]
    fn a_tree_proves_nothing_about_what_it_does_not_hold() {
        let tree = tree(&leaves(5));
        assert_eq!(tree.consistency_path(4, 3), None, "a later tree is no prefix");
        assert_eq!(tree.consistency_path(4, 6), None, "it has five entries");
        assert!(tree.consistency_path(4, 5).is_some());
    }
}
