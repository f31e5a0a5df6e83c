//! Believes the vendor: what its TUF repository says of a program, and nothing else.
//!
//! A crate of its own, because the library that verifies brings an asynchronous runtime that neither the guard nor its
//! tree of packages should have. It reads files, opens no connection, and runs nothing; guard and operator tool start the
//! program of this crate beside them and judge its answer. Specification: `docs/spec/update.md`.

mod store;

use std::path::Path;

use serde::{Deserialize, Serialize};
use tough::schema::{Root, Signed};
use tough::{
    ExpirationEnforcement, FilesystemTransport, Limits, Repository, RepositoryLoader, TargetName,
    error::Error as Tough,
};

use crate::store::Trial;

/// Where things lie.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The root metadata that came with the package.
    pub root: &'a Path,
    /// The repository's metadata, as it was delivered.
    pub metadata: &'a Path,
    /// What was verified before; changed only when everything is right.
    pub store: &'a Path,
    /// Name of the target.
    pub target: &'a str,
}

/// What the vendor says of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in the repository.
    pub name: String,
    /// Its version, of the field `custom.version`.
    pub version: String,
    /// Its hash, in hexadecimal.
    pub sha256: String,
    /// Its size in bytes.
    pub size: u64,
}

/// Why the vendor's word does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A file could not be read or written.
    #[error("[tuf.files] {what}; is the folder there, and the disk not full?")]
    Files {
        /// What was tried.
        what: &'static str,
        /// How it failed.
        #[source]
        source: std::io::Error,
    },
    /// The metadata does not verify.
    #[error("[{code}] {advice}")]
    Metadata {
        /// A stable code.
        code: &'static str,
        /// What to do about it.
        advice: &'static str,
        /// How it failed.
        #[source]
        source: Box<Tough>,
    },
    /// The vendor has no such program.
    #[error(
        "[tuf.no_target] the top level of the vendor's targets does not list it with a version; delegated targets do not count"
    )]
    NoTarget,
}

/// Metadata is a few kilobytes; nobody waits for more.
const LIMITS: Limits = Limits {
    max_root_size: 64 * 1024,
    max_targets_size: 256 * 1024,
    max_timestamp_size: 16 * 1024,
    max_snapshot_size: 64 * 1024,
    max_root_updates: 64,
};

/// Verifies the whole chain from the pinned root to the target. The store moves forward only if all of it holds, so
/// that what was refused neither counts nor stands in the way of what is good.
pub fn verify(request: &Request<'_>) -> Result<Target, Refused> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|source| Refused::Files { what: "start the runtime", source })?;
    let pinned = std::fs::read(request.root)
        .map_err(|source| Refused::Files { what: "read the pinned root", source })?;
    let trial = Trial::of(request.store)
        .map_err(|source| Refused::Files { what: "copy what is trusted", source })?;
    let root = newest(pinned, trial.root());
    let repository = runtime.block_on(load(&root, request.metadata, trial.path()))?;
    let target = find(&repository, request.target)?;
    trial
        .keep(request.store)
        .map_err(|source| Refused::Files { what: "keep what is trusted", source })?;
    Ok(target)
}

async fn load(root: &Vec<u8>, metadata: &Path, store: &Path) -> Result<Repository, Refused> {
    let missing = || Refused::Files {
        what: "find the metadata",
        source: std::io::ErrorKind::NotFound.into(),
    };
    let absolute = metadata.canonicalize().map_err(|_| missing())?;
    let url = url::Url::from_directory_path(absolute).map_err(|()| missing())?;
    RepositoryLoader::new(root, url.clone(), url)
        .transport(FilesystemTransport)
        .limits(LIMITS)
        .datastore(store)
        .expiration_enforcement(ExpirationEnforcement::Safe)
        .load()
        .await
        .map_err(explain)
}

/// A newer package may pin a later root than the one that was reached before.
fn newest(pinned: Vec<u8>, reached: Option<Vec<u8>>) -> Vec<u8> {
    let version = |bytes: &[u8]| {
        serde_json::from_slice::<Signed<Root>>(bytes).ok().map(|root| root.signed.version)
    };
    match reached {
        Some(reached) if version(&reached) > version(&pinned) => reached,
        _ => pinned,
    }
}

/// Only what the vendor's own targets role lists: delegations are another's word.
fn find(repository: &Repository, name: &str) -> Result<Target, Refused> {
    let wanted = TargetName::new(name).map_err(|_| Refused::NoTarget)?;
    let found = repository.targets().signed.targets.get(&wanted).ok_or(Refused::NoTarget)?;
    let version = found.custom.get("version").and_then(|version| version.as_str());
    Ok(Target {
        name: name.to_owned(),
        version: version.ok_or(Refused::NoTarget)?.to_owned(),
        sha256: data_encoding::HEXLOWER.encode(&found.hashes.sha256),
        size: found.length,
    })
}

fn explain(error: Tough) -> Refused {
    let (code, advice) = match &error {
        Tough::ExpiredMetadata { .. } => {
            ("tuf.expired", "the vendor's metadata is over; fetch the repository again")
        }
        Tough::OlderMetadata { .. } | Tough::OlderSnapshotInTimestamp { .. } => (
            "tuf.rollback",
            "the metadata is older than what was seen before, or a version is missing; fetch it from the vendor itself",
        ),
        Tough::VerifyMetadata { .. } | Tough::VerifyTrustedMetadata { .. } => (
            "tuf.signature",
            "too few of the vendor's keys signed; somebody changed the repository, or the package is of another vendor",
        ),
        Tough::SystemTimeSteppedBackward { .. } => {
            ("tuf.clock", "the clock went back since the last update; set it right")
        }
        _ => ("tuf.invalid", "the metadata is incomplete or damaged; fetch the repository again"),
    };
    Refused::Metadata { code, advice, source: Box::new(error) }
}
