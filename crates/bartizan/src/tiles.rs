//! A part of a log, proven by its tiles: hashes that lead to the root of a checkpoint, without a download of the whole log.
// SPEC: logs.md "Tiles"

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::id::Sha256;
use bartizan_trust::limits::LOG_SIZE_MAX;
use bartizan_trust::merkle::{empty_root, leaf_hash, node_hash};
use bartizan_trust::tiles::{TILE_WIDTH, tile_path};

use crate::exit::refused;

/// Hashes in a full tile.
const WIDTH: u64 = 256;
/// Levels of tiles: one more could only hold the root of more entries than a log may have.
const LEVELS_MAX: u8 = 6;
/// Bytes of a hash.
const HASH_BYTES: usize = 32;

/// The tiles that were asked for, each of which leads to the root.
pub(crate) struct Tiles<F> {
    fetch: F,
    checkpoint: Checkpoint,
    // INVARIANT: every hash here is one of the tree whose root the checkpoint signs.
    known: BTreeMap<(u8, u64), Vec<Sha256>>,
}

impl<F: FnMut(&str) -> Result<Vec<u8>>> Tiles<F> {
    /// Fetches the right edge of the tree, which alone leads to the root.
    pub(crate) fn open(checkpoint: Checkpoint, fetch: F) -> Result<Self> {
        anyhow::ensure!(checkpoint.size <= LOG_SIZE_MAX, "the log is too large");
        let mut tiles = Self { fetch, checkpoint, known: BTreeMap::new() };
        let size = tiles.checkpoint.size;
        let mut subtrees = Vec::new();
        for level in (0..LEVELS_MAX).rev() {
            let (tile, width) = (complete(level, size) / WIDTH, complete(level, size) % WIDTH);
            if width == 0 {
                continue;
            }
            let hashes = tiles.fetched(level, tile, width)?;
            subtrees.extend(perfect(&hashes));
            tiles.known.insert((level, tile), hashes);
        }
        if joined(&subtrees) == tiles.checkpoint.root { Ok(tiles) } else { Err(other_tree()) }
    }

    /// The root of the first `size` entries, whatever they were called when there were no more.
    pub(crate) fn root_at(&mut self, size: u64) -> Result<Sha256> {
        anyhow::ensure!(size <= self.checkpoint.size, "the log is shorter");
        let mut subtrees = Vec::new();
        for level in (0..LEVELS_MAX).rev() {
            let end = complete(level, size);
            let mut hashes = Vec::new();
            for index in end - end % WIDTH..end {
                hashes.push(self.hash(level, index)?);
            }
            subtrees.extend(perfect(&hashes));
        }
        Ok(joined(&subtrees))
    }

    /// Refuses entries that are not those of the log, from a place on.
    pub(crate) fn prove(&mut self, start: u64, entries: &[Vec<u8>]) -> Result<()> {
        for (index, entry) in (start..).zip(entries) {
            if self.hash(0, index)? != leaf_hash(entry) {
                return Err(other_tree());
            }
        }
        Ok(())
    }

    fn hash(&mut self, level: u8, index: u64) -> Result<Sha256> {
        self.load(level, index / WIDTH)?;
        self.known_hash(level, index).context("the log has no such entry")
    }

    fn known_hash(&self, level: u8, index: u64) -> Option<Sha256> {
        let place = usize::try_from(index % WIDTH).ok()?;
        self.known.get(&(level, index / WIDTH))?.get(place).copied()
    }

    /// Full tiles, from the one that is known down to the one that is wanted: the hash of each stands in the tile above it.
    fn load(&mut self, level: u8, tile: u64) -> Result<()> {
        let mut missing = Vec::new();
        let mut place = (level, tile);
        while !self.known.contains_key(&place) {
            anyhow::ensure!(place.0 < LEVELS_MAX, "the log has no such entry");
            missing.push(place);
            place = (place.0 + 1, place.1 / WIDTH);
        }
        for (level, tile) in missing.into_iter().rev() {
            let above = self.known_hash(level + 1, tile).context("the log has no such entry")?;
            let hashes = self.fetched(level, tile, WIDTH)?;
            if joined(&perfect(&hashes)) != above {
                return Err(other_tree());
            }
            self.known.insert((level, tile), hashes);
        }
        Ok(())
    }

    fn fetched(&mut self, level: u8, tile: u64, width: u64) -> Result<Vec<Sha256>> {
        let width = u16::try_from(width).unwrap_or(TILE_WIDTH);
        let bytes = (self.fetch)(&tile_path(level, tile, width))?;
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if hashes.len() != usize::from(width) || !rest.is_empty() {
            return Err(other_tree());
        }
        Ok(hashes.iter().copied().map(Sha256::from_bytes).collect())
    }
}

/// Hashes of a level: roots of complete subtrees of 256^level entries.
fn complete(level: u8, size: u64) -> u64 {
    // Levels are few, so that the shift is below the width of the number.
    size >> (8 * u32::from(level))
}

/// Neighbours of one height, joined to as few and as large subtrees as their number allows, the largest first.
fn perfect(hashes: &[Sha256]) -> Vec<Sha256> {
    let mut subtrees: Vec<(u32, Sha256)> = Vec::new();
    for hash in hashes {
        let (mut height, mut hash) = (0, *hash);
        while let Some((_, left)) = subtrees.pop_if(|(other, _)| *other == height) {
            hash = node_hash(&left, &hash);
            height += 1;
        }
        subtrees.push((height, hash));
    }
    subtrees.into_iter().map(|(_, hash)| hash).collect()
}

/// The root over subtrees, the largest first.
fn joined(subtrees: &[Sha256]) -> Sha256 {
    let mut from_the_right = subtrees.iter().rev();
    from_the_right.next().map_or_else(empty_root, |last| {
        from_the_right.fold(*last, |right, left| node_hash(left, &right))
    })
}

fn other_tree() -> anyhow::Error {
    let problem = "the server shows other entries of the log than its checkpoint signs";
    refused(problem, "keep this output and tell the other operators")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use bartizan_trust::merkle::Tree;

    use super::*;

    fn entry(index: u64) -> Vec<u8> {
        format!("entry {index}").into_bytes()
    }

    fn tree(size: u64) -> Tree {
        let mut tree = Tree::default();
        for index in 0..size {
            tree.push(leaf_hash(&entry(index)));
        }
        tree
    }

    fn checkpoint(tree: &Tree) -> Checkpoint {
        let root = tree.root_at(tree.size()).expect("a root");
        Checkpoint { origin: "test.example/jobs".to_owned(), size: tree.size(), root }
    }

    /// What a server's files hold, as `published` writes them.
    fn file(tree: &Tree, path: &str) -> Vec<u8> {
        let rest = path.strip_prefix("tile/").expect("a tile");
        let (level, rest) = rest.split_once('/').expect("a level");
        let (index, width) = rest.split_once(".p/").unwrap_or((rest, "256"));
        let index: u64 = index.replace(['x', '/'], "").parse().expect("an index");
        let level: usize = level.parse().expect("a level");
        let nodes = index * WIDTH..index * WIDTH + width.parse::<u64>().expect("a width");
        let node = |node| tree.node(8 * level, node).expect("a node");
        nodes.flat_map(|index| *node(index).as_bytes()).collect()
    }

    #[test]
    fn a_window_of_ten_thousand_entries_takes_a_few_tiles() {
        let tree = tree(10_000);
        let asked = RefCell::new(Vec::new());
        let fetch = |path: &str| {
            asked.borrow_mut().push(path.to_owned());
            Ok(file(&tree, path))
        };
        let mut tiles = Tiles::open(checkpoint(&tree), fetch).expect("the right edge");
        let window: Vec<_> = (4_950..5_050).map(entry).collect();
        tiles.prove(4_950, &window).expect("the entries");
        let expected = ["tile/1/000.p/39", "tile/0/039.p/16", "tile/0/019"];
        assert_eq!(*asked.borrow(), expected);
    }

    #[test]
    fn every_size_leads_to_its_root_and_to_the_roots_before_it() {
        for size in [0, 1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 66_000] {
            let tree = tree(size);
            let mut tiles =
                Tiles::open(checkpoint(&tree), |path| Ok(file(&tree, path))).expect("a log");
            for before in [0, 1, 2, 3, 255, 256, 257, 300, 65_536, size / 2, size] {
                if before > size {
                    tiles.root_at(before).expect_err("a log that is shorter");
                    continue;
                }
                assert_eq!(tiles.root_at(before).ok(), tree.root_at(before), "{before} of {size}");
            }
            for index in [0, size / 3, size.saturating_sub(1)].into_iter().filter(|at| *at < size) {
                tiles.prove(index, &[entry(index)]).expect("its entry");
                tiles.prove(index, &[entry(index + 1)]).expect_err("another entry");
            }
            tiles.prove(size, &[entry(size)]).expect_err("no entry");
        }
    }

    #[test]
    fn a_server_that_shows_another_tree_is_refused() {
        let (own, other) = (tree(1_000), {
            let mut other = tree(500);
            for index in 500..1_000 {
                other.push(leaf_hash(&entry(index + 1)));
            }
            other
        });
        let edge = Tiles::open(checkpoint(&own), |path| Ok(file(&other, path)));
        assert!(edge.is_err(), "the right edge of another tree");
        // Honest at the edge, and another log within.
        let fetch = |path: &str| {
            let shown = if path == "tile/0/002" { &other } else { &own };
            Ok(file(shown, path))
        };
        let mut tiles = Tiles::open(checkpoint(&own), fetch).expect("the right edge");
        tiles.prove(100, &[entry(100)]).expect("an entry that both have");
        tiles.prove(600, &[entry(601)]).expect_err("an entry of the other");
        for damaged in [Vec::new(), vec![0; 31], vec![0; 33], vec![0; 32 * 256]] {
            let short = Tiles::open(checkpoint(&own), |_| Ok(damaged.clone()));
            assert!(short.is_err(), "{} bytes", damaged.len());
        }
    }
}
