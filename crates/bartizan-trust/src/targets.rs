//! Target trees: which endpoints a job names, at which stage.
#![expect(clippy::todo, reason = "skeleton")]
use crate::id::{EndpointId, Sha256};
use crate::statement::Targets;

/// A list of endpoints that is no target tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TargetError(pub &'static str);

/// The whole tree, for those who know every endpoint (operator and server).
#[derive(Debug, Clone)]
pub struct TargetTree { _private: () }
impl TargetTree {
    /// Sorted, distinct, 1 to the limit; each with its stage.
    pub fn new(_leaves: &[(EndpointId, u32)]) -> Result<Self, TargetError> { todo!() }
    /// What goes into the job.
    pub fn targets(&self) -> Targets { todo!() }
    /// The place of an endpoint and its path.
    pub fn proof(&self, _endpoint: &EndpointId) -> Option<(u32, Vec<Sha256>)> { todo!() }
}
/// Bytes of a leaf: endpoint id, LF, stage in decimal, LF.
pub fn leaf_bytes(_endpoint: &EndpointId, _stage: u32) -> Vec<u8> { todo!() }
/// Whether the endpoint at that stage is a leaf.
pub fn verify_target(_targets: &Targets, _endpoint: &EndpointId, _stage: u32, _index: u32, _path: &[Sha256]) -> bool { todo!() }
