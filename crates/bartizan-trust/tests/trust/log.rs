//! Trees, notes, checkpoints and proofs against implementations that nobody here wrote.

mod go;
mod notes;
mod trees;
mod vectors;
mod witness;

use bartizan_trust::merkle::{Tree, leaf_hash};

/// Entry `n` of every test log.
fn entry(n: u64) -> Vec<u8> {
    format!("entry {n}").into_bytes()
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree::default();
    for n in 0..size {
        tree.push(leaf_hash(&entry(n)));
    }
    tree
}
