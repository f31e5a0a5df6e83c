//! Target trees: which endpoints a job names, at which stage. Specification: `docs/spec/targets.md`.

use std::collections::BTreeMap;

use crate::id::{EndpointId, Sha256};
use crate::limits;
use crate::merkle::{Tree, leaf_hash, verify_inclusion};
use crate::statement::{Stage, Targets};

/// A list of endpoints that is no target tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TargetError(pub &'static str);

/// The whole tree, for those who know every endpoint (operator and server).
#[derive(Debug, Clone)]
pub struct TargetTree {
    // INVARIANT: every endpoint once, with its stage and its place among the leaves.
    places: BTreeMap<EndpointId, (u32, u32)>,
    tree: Tree,
    targets: Targets,
}

/// Where an endpoint stands in a target tree, and the proof of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetPlace {
    /// Its stage.
    pub stage: u32,
    /// The index of its leaf.
    pub index: u32,
    /// The path from there to the root.
    pub path: Vec<Sha256>,
}

impl TargetTree {
    /// Sorted by stage, then by the text of the id; 1 to the limit, each endpoint once.
    pub fn new(leaves: &[(EndpointId, u32)]) -> Result<Self, TargetError> {
        let count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        if count == 0 || count > limits::TARGETS_MAX {
            return Err(TargetError("a job names 1 to 1,048,576 endpoints"));
        }
        let sorted = |a: &(EndpointId, u32), b: &(EndpointId, u32)| {
            (a.1, a.0.to_string()) < (b.1, b.0.to_string())
        };
        if !leaves.is_sorted_by(sorted) {
            return Err(TargetError("the endpoints are not sorted by stage and id, each once"));
        }
        let mut tree = Tree::default();
        let mut places = BTreeMap::new();
        for (index, (endpoint, stage)) in (0..).zip(leaves) {
            tree.push(leaf_hash(&leaf_bytes(endpoint, *stage)));
            if places.insert(*endpoint, (*stage, index)).is_some() {
                return Err(TargetError("an endpoint stands in two stages"));
            }
        }
        let root = tree.root_at(u64::from(count)).ok_or(TargetError("the tree is empty"))?;
        Ok(Self { places, tree, targets: Targets { count, root } })
    }

    /// What goes into the job.
    pub const fn targets(&self) -> Targets {
        self.targets
    }

    /// The place of an endpoint.
    pub fn place(&self, endpoint: &EndpointId) -> Option<TargetPlace> {
        let (stage, index) = *self.places.get(endpoint)?;
        let path = self.tree.inclusion_path(u64::from(index), u64::from(self.targets.count))?;
        Some(TargetPlace { stage, index, path })
    }
}

/// Gives each endpoint of a sorted list its stage, where stages take so many each.
pub fn in_stages(endpoints: &[EndpointId], stages: &[Stage]) -> Vec<(EndpointId, u32)> {
    let numbers = (0..).zip(stages).flat_map(|(number, stage)| {
        core::iter::repeat_n(number, usize::try_from(stage.count).unwrap_or(usize::MAX))
    });
    endpoints.iter().copied().zip(numbers).collect()
}

/// Sorts the endpoints of one stage as a target tree wants them.
pub fn sort_endpoints(endpoints: &mut [EndpointId]) {
    endpoints.sort_by_cached_key(ToString::to_string);
}

/// Bytes of a leaf: endpoint id, LF, stage in decimal, LF.
pub fn leaf_bytes(endpoint: &EndpointId, stage: u32) -> Vec<u8> {
    format!("{endpoint}\n{stage}\n").into_bytes()
}

/// Whether the endpoint at that stage is a leaf.
pub fn verify_target(
    targets: &Targets,
    endpoint: &EndpointId,
    stage: u32,
    index: u32,
    path: &[Sha256],
) -> bool {
    let leaf = leaf_hash(&leaf_bytes(endpoint, stage));
    path.len() <= limits::TARGET_PATH_MAX
        && verify_inclusion(&leaf, u64::from(index), u64::from(targets.count), path, &targets.root)
            .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoints(count: u32) -> Vec<EndpointId> {
        let mut ids: Vec<_> =
            (0..count).map(|n| EndpointId::new(Sha256::of(&n.to_be_bytes()))).collect();
        sort_endpoints(&mut ids);
        ids
    }

    #[test]
    fn every_endpoint_proves_its_own_leaf_and_no_other() {
        for count in [1, 2, 3, 7, 64, 100] {
            let ids = endpoints(count);
            // The first in a stage of its own.
            let mut stages = vec![Stage::only(1)];
            if count > 1 {
                stages.push(Stage { promote_min: 1, ..Stage::only(count - 1) });
            }
            let leaves = in_stages(&ids, &stages);
            let tree = TargetTree::new(&leaves).unwrap();
            let stranger = EndpointId::new(Sha256::of(b"stranger"));
            assert_eq!(tree.place(&stranger), None);
            for (place, (endpoint, stage)) in (0..).zip(&leaves) {
                let found = tree.place(endpoint).unwrap();
                assert_eq!((found.stage, found.index), (*stage, place));
                let listed = |endpoint, stage, index| {
                    verify_target(&tree.targets(), endpoint, stage, index, &found.path)
                };
                assert!(listed(endpoint, *stage, place));
                assert!(!listed(endpoint, stage + 1, place), "another stage");
                assert!(!listed(&stranger, *stage, place), "another endpoint");
                assert!(!listed(endpoint, *stage, place + 1), "another place");
            }
        }
    }

    #[test]
    fn unsorted_double_or_no_endpoints_are_no_tree() {
        let ids = endpoints(3);
        assert!(TargetTree::new(&[(ids[0], 0), (ids[1], 0), (ids[2], 1)]).is_ok());
        assert!(TargetTree::new(&[(ids[1], 0), (ids[0], 0), (ids[2], 1)]).is_err());
        assert!(TargetTree::new(&[(ids[0], 1), (ids[1], 0)]).is_err());
        assert!(TargetTree::new(&[(ids[0], 0), (ids[0], 1)]).is_err());
        assert!(TargetTree::new(&[(ids[0], 0), (ids[0], 0)]).is_err());
        assert!(TargetTree::new(&[]).is_err());
    }
}
