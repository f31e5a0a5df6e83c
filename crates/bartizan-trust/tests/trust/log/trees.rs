//! RFC 6962 trees and proofs: `ct-merkle` and the Rust port of Go's `tlog` make and judge the same.

use bartizan_trust::id::Sha256;
use bartizan_trust::merkle::{Frontier, leaf_hash, verify_consistency, verify_inclusion};
use bartizan_trust::tiles::tile_path;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::prelude::*;
use tlog_tiles::{Hash, Tile, check_record, check_tree};

use super::{entry, tree};

type Peer = MemoryBackedTree<sha2::Sha256, Vec<u8>>;

fn peer(size: u64) -> Peer {
    let mut peer = Peer::new();
    (0..size).for_each(|n| peer.push(entry(n)));
    peer
}

fn theirs(hash: &Sha256) -> Hash {
    Hash(*hash.as_bytes())
}

fn all_theirs(path: &[Sha256]) -> Vec<Hash> {
    path.iter().map(theirs).collect()
}

fn concat(path: &[Sha256]) -> Vec<u8> {
    path.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// What somebody could do to a proof on its way.
#[derive(Debug, Clone, Copy)]
enum Harm {
    None,
    Shorter,
    Longer,
    Flipped(prop::sample::Index),
    Swapped(prop::sample::Index),
}

fn harm() -> impl Strategy<Value = Harm> {
    prop_oneof![
        3 => Just(Harm::None),
        1 => Just(Harm::Shorter),
        1 => Just(Harm::Longer),
        2 => any::<prop::sample::Index>().prop_map(Harm::Flipped),
        1 => any::<prop::sample::Index>().prop_map(Harm::Swapped),
    ]
}

fn harmed(mut path: Vec<Sha256>, harm: Harm) -> Vec<Sha256> {
    match harm {
        Harm::Shorter => path.truncate(path.len().saturating_sub(1)),
        Harm::Longer => path.push(Sha256::of(b"one more")),
        Harm::Flipped(at) if !path.is_empty() => {
            let chosen = at.index(path.len());
            let mut bytes = *path[chosen].as_bytes();
            bytes[at.index(32)] ^= 1;
            path[chosen] = Sha256::from_bytes(bytes);
        }
        Harm::Swapped(at) if path.len() > 1 => {
            let chosen = at.index(path.len() - 1);
            path.swap(chosen, chosen + 1);
        }
        Harm::None | Harm::Flipped(_) | Harm::Swapped(_) => {}
    }
    path
}

proptest! {
    #![proptest_config(crate::cases(300))]

    #[test]
    fn inclusion_is_judged_as_by_two_peers(
        size in 1..600u64, index in 0..620u64, other_leaf in prop::bool::weighted(0.2), harm in harm(),
    ) {
        let tree = tree(size);
        let root = tree.root_at(size).unwrap();
        let path = harmed(tree.inclusion_path(index.min(size - 1), size).unwrap(), harm);
        let leaf = if other_leaf { b"another".to_vec() } else { entry(index) };
        let ours = verify_inclusion(&leaf_hash(&leaf), index, size, &path, &root).is_ok();

        let peer_root = RootHash::<sha2::Sha256>::new((*root.as_bytes()).into(), size);
        let ct = InclusionProof::try_from_bytes(concat(&path))
            .is_ok_and(|proof| peer_root.verify_inclusion(&leaf, index, &proof).is_ok());
        let go = check_record(&all_theirs(&path), size, theirs(&root), index, theirs(&leaf_hash(&leaf))).is_ok();
        prop_assert_eq!((ours, ours), (ct, go));
        let honest = index < size && !other_leaf && path == tree.inclusion_path(index, size).unwrap();
        prop_assert_eq!(ours, honest);
    }

    /// The size is bound by the checkpoint, not by the path: where a path has the same shape in two sizes it fits both.
    #[test]
    fn inclusion_in_a_tree_of_another_size_is_judged_as_by_two_peers(
        size in 1..600u64, index in 0..600u64, claimed in 1..620u64,
    ) {
        let index = index % size;
        let tree = tree(size);
        let root = tree.root_at(size).unwrap();
        let path = tree.inclusion_path(index, size).unwrap();
        let leaf = leaf_hash(&entry(index));
        let ours = verify_inclusion(&leaf, index, claimed, &path, &root).is_ok();
        let ct = InclusionProof::try_from_bytes(concat(&path)).is_ok_and(|proof| {
            let root = RootHash::<sha2::Sha256>::new((*root.as_bytes()).into(), claimed);
            root.verify_inclusion(&entry(index), index, &proof).is_ok()
        });
        let go = check_record(&all_theirs(&path), claimed, theirs(&root), index, theirs(&leaf)).is_ok();
        prop_assert_eq!((ours, ours), (ct, go));
        prop_assert!(ours || claimed != size);
    }

    #[test]
    fn consistency_between_other_sizes_is_judged_as_by_two_peers(
        old in 1..600u64, more in 0..200u64, claimed_old in 1..620u64, claimed_more in 0..200u64,
    ) {
        let (new, claimed_new) = (old + more, claimed_old + claimed_more);
        let tree = tree(new);
        let (old_root, new_root) = (tree.root_at(old).unwrap(), tree.root_at(new).unwrap());
        let path = tree.consistency_path(old, new).unwrap();
        for (before, after) in [(claimed_old, claimed_new), (old, claimed_new), (claimed_old, new)] {
            if before > after {
                prop_assert!(verify_consistency(before, &old_root, after, &new_root, &path).is_err());
                continue;
            }
            let ours = verify_consistency(before, &old_root, after, &new_root, &path).is_ok();
            let root = |hash: &Sha256, size| RootHash::<sha2::Sha256>::new((*hash.as_bytes()).into(), size);
            let ct = ConsistencyProof::try_from_bytes(concat(&path)).is_ok_and(|proof| {
                root(&new_root, after).verify_consistency(&root(&old_root, before), &proof).is_ok()
            });
            let go = check_tree(&all_theirs(&path), after, theirs(&new_root), before, theirs(&old_root)).is_ok();
            prop_assert_eq!((ours, ours), (ct, go), "{} to {}", before, after);
        }
    }

    #[test]
    fn consistency_is_judged_as_by_two_peers(
        old in 1..600u64, more in 0..200u64, wrong_root in prop::bool::weighted(0.2), harm in harm(),
    ) {
        let new = old + more;
        let tree = tree(new);
        let old_root = if wrong_root { Sha256::of(b"another history") } else { tree.root_at(old).unwrap() };
        let new_root = tree.root_at(new).unwrap();
        let honest_path = tree.consistency_path(old, new).unwrap();
        let path = harmed(honest_path.clone(), harm);
        let ours = verify_consistency(old, &old_root, new, &new_root, &path).is_ok();

        let root = |hash: &Sha256, size| RootHash::<sha2::Sha256>::new((*hash.as_bytes()).into(), size);
        let ct = ConsistencyProof::try_from_bytes(concat(&path)).is_ok_and(|proof| {
            root(&new_root, new).verify_consistency(&root(&old_root, old), &proof).is_ok()
        });
        let go = check_tree(&all_theirs(&path), new, theirs(&new_root), old, theirs(&old_root)).is_ok();
        prop_assert_eq!((ours, ours), (ct, go));
        prop_assert_eq!(ours, !wrong_root && path == honest_path);
    }

    #[test]
    fn tile_paths_are_those_of_the_port_of_go(level in 0..8u8, index in 0..2_000_000_000u64, width in 1..=256u16) {
        let theirs = Tile::new(8, level, index, u32::from(width), false).path();
        // Go writes the height of tiles; C2SP fixes it at 8 and leaves it out.
        prop_assert_eq!(tile_path(level, index, width), theirs.replacen("tile/8/", "tile/", 1));
    }
}

#[test]
fn roots_and_proofs_are_the_bytes_of_ct_merkle() {
    let ours = tree(300);
    let mut frontier = Frontier::default();
    for size in 1..=300_u64 {
        frontier.push(leaf_hash(&entry(size - 1)));
        let peer = peer(size);
        let root = ours.root_at(size).unwrap();
        assert_eq!(root.as_bytes()[..], peer.root().as_bytes()[..], "root of {size}");
        assert_eq!(frontier.root(), root, "frontier of {size}");
        for index in [0, size / 3, size - 1] {
            let path = ours.inclusion_path(index, size).unwrap();
            let theirs = peer.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(concat(&path), theirs.as_bytes(), "entry {index} of {size}");
        }
        for old in [1, size / 2, size - 1].into_iter().filter(|old| (1..=size).contains(old)) {
            let path = ours.consistency_path(old, size).unwrap();
            let theirs = peer.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(concat(&path), theirs.as_bytes(), "{old} to {size}");
        }
    }
}
