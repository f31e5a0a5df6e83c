//! C2SP `tlog-policy`: which witnesses count, in which groups.
#![expect(clippy::todo, reason = "skeleton")]
use crate::note::{Note, VerifierKey};
use crate::statement::LogRule;
use crate::time::UnixSeconds;

/// Not a policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("log policy line {line}: {problem}")]
pub struct PolicyError { /// Line number, from 1; 0 for the whole.
    pub line: usize, /// What is wrong.
    pub problem: &'static str }

/// The parsed log section of a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTrust { /// Key of the control log.
    pub control: VerifierKey, /// Key of the jobs log.
    pub jobs: VerifierKey, /// Witnesses and groups.
    pub policy: Policy }
impl LogTrust {
    /// Parses keys and policy. The two logs have different names.
    pub fn parse(_rule: &LogRule) -> Result<Self, PolicyError> { todo!() }
}
/// Witnesses, groups, quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy { _private: () }
impl Policy {
    /// Reads the text.
    pub fn parse(_text: &str) -> Result<Self, PolicyError> { todo!() }
    /// Whether `name` is a witness, a group, or `none`.
    pub fn has_group(&self, _name: &str) -> bool { todo!() }
    /// Name of the quorum.
    pub fn quorum(&self) -> &str { todo!() }
    /// The witnesses, by name.
    pub fn witnesses(&self) -> impl Iterator<Item = (&str, &VerifierKey)> { core::iter::empty() }
    /// The latest time T such that the co-signatures made at T or later satisfy `group`;
    /// `None` when all of them together do not. `none` is satisfied at time 0.
    pub fn satisfied_at(&self, _group: &str, _note: &Note) -> Option<UnixSeconds> { todo!() }
}
