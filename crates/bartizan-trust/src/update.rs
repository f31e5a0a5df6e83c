//! Updates of the endpoint's own programs: two keys that stand under nobody's common control, the organisation's and the
//! vendor's. Specification: `docs/spec/update.md`.

use serde::{Deserialize, Serialize};

use crate::refusal::Refusal;
use crate::state::{LocalFacts, State};
use crate::statement::{Content, Update};
use crate::version::AgentVersion;

/// What arrived for an update. The guard measured it while it wrote it down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// All of it.
    pub content: Content,
    /// The program within it.
    pub program: Content,
    /// What the vendor says of the program; `None` when the repository's metadata does not verify.
    pub vendor: Option<VendorTarget>,
}

/// What the vendor's verified repository says of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorTarget {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its bytes.
    pub program: Content,
}

/// Newer than what runs, and than everything that was confirmed here before.
// SPEC: verification.md step 7
pub(crate) fn check_version(
    update: &Update,
    state: &State,
    facts: &LocalFacts<'_>,
) -> Result<(), Refusal> {
    let wanted = AgentVersion::parse(&update.version);
    let floor = state.version_floor.as_deref().and_then(AgentVersion::parse);
    let newer = wanted > AgentVersion::parse(facts.agent_version) && wanted > floor;
    if newer { Ok(()) } else { Err(Refusal::UpdateNotNewer) }
}

/// The organisation's word and the vendor's are the same word, and the bytes are what both speak of.
// SPEC: verification.md step 19
pub(crate) fn check_package(update: &Update, package: &Package) -> Result<(), Refusal> {
    if package.content != update.content || package.program != update.program {
        return Err(Refusal::ContentMismatch);
    }
    let said = package.vendor.as_ref().is_some_and(|vendor| {
        vendor.name == update.target
            && vendor.version == update.version
            && vendor.program == update.program
    });
    if said { Ok(()) } else { Err(Refusal::VendorRefused) }
}
