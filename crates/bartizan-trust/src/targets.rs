//! Target trees: which endpoints a job names, at which stage. Specification: `docs/spec/targets.md`.

use crate::id::{EndpointId, Sha256};
use crate::limits;
use crate::merkle::{Tree, leaf_hash, verify_inclusion};
use crate::statement::Targets;

/// A list of endpoints that is no target tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TargetError(pub &'static str);

/// The whole tree, for those who know every endpoint (operator and server).
#[derive(Debug, Clone)]
pub struct TargetTree {
    // INVARIANT: sorted, distinct, in the order of the tree's leaves.
    endpoints: Vec<EndpointId>,
    tree: Tree,
    targets: Targets,
}

impl TargetTree {
    /// Sorted by the text of the id, distinct, 1 to the limit; each with its stage.
    pub fn new(leaves: &[(EndpointId, u32)]) -> Result<Self, TargetError> {
        let count = u32::try_from(leaves.len()).unwrap_or(u32::MAX);
        if count == 0 || count > limits::TARGETS_MAX {
            return Err(TargetError("a job names 1 to 1,048,576 endpoints"));
        }
        if !leaves.is_sorted_by(|a, b| a.0.to_string() < b.0.to_string()) {
            return Err(TargetError("the endpoints are not sorted by id, each once"));
        }
        let mut tree = Tree::default();
        for (endpoint, stage) in leaves {
            tree.push(leaf_hash(&leaf_bytes(endpoint, *stage)));
        }
        let root = tree.root_at(u64::from(count)).ok_or(TargetError("the tree is empty"))?;
        let endpoints = leaves.iter().map(|(endpoint, _)| *endpoint).collect();
        Ok(Self { endpoints, tree, targets: Targets { count, root } })
    }

    /// What goes into the job.
    pub const fn targets(&self) -> Targets {
        self.targets
    }

    /// The place of an endpoint and its path.
    pub fn proof(&self, endpoint: &EndpointId) -> Option<(u32, Vec<Sha256>)> {
        let text = endpoint.to_string();
        let place = self.endpoints.binary_search_by(|known| known.to_string().cmp(&text)).ok()?;
        let index = u32::try_from(place).ok()?;
        let path = self.tree.inclusion_path(u64::from(index), u64::from(self.targets.count))?;
        Some((index, path))
    }
}

/// Sorts endpoints as a target tree wants them.
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

    fn endpoints(count: u32) -> Vec<(EndpointId, u32)> {
        let mut ids: Vec<_> =
            (0..count).map(|n| EndpointId::new(Sha256::of(&n.to_be_bytes()))).collect();
        sort_endpoints(&mut ids);
        ids.into_iter().map(|id| (id, 0)).collect()
    }

    #[test]
    fn every_endpoint_proves_its_own_leaf_and_no_other() {
        for count in [1, 2, 3, 7, 64, 100] {
            let leaves = endpoints(count);
            let tree = TargetTree::new(&leaves).unwrap();
            let stranger = EndpointId::new(Sha256::of(b"stranger"));
            assert_eq!(tree.proof(&stranger), None);
            for (endpoint, _) in &leaves {
                let (index, path) = tree.proof(endpoint).unwrap();
                let listed = |endpoint, stage, index| {
                    verify_target(&tree.targets(), endpoint, stage, index, &path)
                };
                assert!(listed(endpoint, 0, index));
                assert!(!listed(endpoint, 1, index), "another stage");
                assert!(!listed(&stranger, 0, index), "another endpoint");
                assert!(!listed(endpoint, 0, index + 1), "another place");
            }
        }
    }

    #[test]
    fn unsorted_double_or_no_endpoints_are_no_tree() {
        let mut leaves = endpoints(3);
        leaves.swap(0, 1);
        assert!(TargetTree::new(&leaves).is_err());
        let (first, _) = endpoints(1)[0];
        assert!(TargetTree::new(&[(first, 0), (first, 1)]).is_err());
        assert!(TargetTree::new(&[]).is_err());
    }
}
