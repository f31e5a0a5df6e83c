//! This console as a witness: it co-signs only logs that grow, and never forgets what it saw.

use anyhow::{Context, Result};
use bartizan_proto::operator::CosignatureBody;
use bartizan_trust::checkpoint::{self, Checkpoint};
use bartizan_trust::id::Sha256;
use bartizan_trust::merkle::verify_consistency;
use bartizan_trust::note::{VerifierKey, cosignature_message};
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::Bundle;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::witness::AddCheckpoint;
pub(crate) use bartizan_trust::witness::View;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::api::Api;
use crate::exit::refused;
use crate::home::{Home, now};
use crate::keys::witness_key::WitnessKey;
use crate::withhold;

/// One of the two logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Log {
    /// Bundles.
    Control,
    /// Jobs.
    Jobs,
}

impl Log {
    /// Both.
    pub(crate) const ALL: [Self; 2] = [Self::Control, Self::Jobs];

    /// Its name in paths.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Jobs => "jobs",
        }
    }

    /// Its verifier key.
    pub(crate) const fn key(self, trust: &LogTrust) -> &VerifierKey {
        match self {
            Self::Control => &trust.control,
            Self::Jobs => &trust.jobs,
        }
    }
}

/// Views by the log's origin.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessState {
    pub(crate) views: BTreeMap<String, View>,
}

/// Where that is kept.
pub(crate) const FILE: &str = "witness-state.json";

/// What this console has seen so far.
pub(crate) fn load(home: &Home) -> Result<WitnessState> {
    Ok(home.load(FILE)?.unwrap_or_default())
}

/// Accepts a checkpoint that extends the view; anything else is a rewritten log.
pub(crate) fn extend(view: Option<View>, seen: &Checkpoint, path: &[Sha256]) -> Result<View> {
    let old = view.unwrap_or_else(View::nothing);
    let next =
        "keep this output, tell the other operators, and do not sign anything on this server";
    if seen.size < old.size {
        let problem =
            format!("`{}` shrank from {} to {} entries", seen.origin, old.size, seen.size);
        return Err(refused(format!("LOG SHRUNK: {problem}"), next));
    }
    verify_consistency(old.size, &old.root, seen.size, &seen.root, path).map_err(|_| {
        let problem = format!("`{}` at {} entries is not what it was", seen.origin, seen.size);
        refused(format!("LOG FORKED: {problem} (we saw {} entries)", old.size), next)
    })?;
    Ok(View { size: seen.size, root: seen.root })
}

/// Co-signs one log: fetch, verify against what was seen, remember on disk, then sign and send.
/// `None` when the bundle does not list this console as a witness, or while it keeps still.
fn cosign(
    home: &Home,
    api: &Api,
    bundle: &Bundle,
    log: Log,
    at: UnixSeconds,
) -> Result<Option<View>> {
    let trust = LogTrust::parse(&bundle.log).context("read the log policy")?;
    let witness = WitnessKey::open(home)?;
    let public = witness.public()?;
    let own = trust.policy.witnesses().find(|(_, key)| *key.key_bytes() == public);
    let Some((_, vkey)) = own else { return Ok(None) };
    let key = log.key(&trust);
    let _lock = home.lock("witness-state.lock")?;
    let mut state = load(home)?;
    let old = state.views.get(key.name()).copied();
    // Asked for from 0 first, so that a log that shrank shows its shrunken checkpoint rather than an error.
    let newest = fetch(api, log, 0, key)?;
    let size = old.map_or(0, |view| view.size);
    let (opened, path) = if size == 0 || newest.0.checkpoint.size <= size {
        newest
    } else {
        fetch(api, log, size, key)?
    };
    let view = extend(old, &opened.checkpoint, &path)?;
    let withheld = withhold::load(home)?;
    withhold::check(&withheld, log, view.size)?;
    if withheld.reason().is_some() {
        return Ok(None);
    }
    state.views.insert(key.name().to_owned(), view);
    // On disk before the co-signature leaves: a crash must not let us vouch for two histories.
    home.save(FILE, &state)?;
    let signature = witness.sign(&cosignature_message(at, &opened.note.text))?;
    let line = vkey.cosignature_line(at, &signature);
    let line = line.trim_end_matches('\n').to_owned();
    let body = CosignatureBody { size: view.size, root: view.root, line };
    let path = format!("/v1/log/{}/cosignature", log.name());
    api.send::<()>(&path, &body)
        .with_context(|| format!("send the co-signature of {}", log.name()))?;
    Ok(Some(view))
}

/// Co-signs both logs, unless there is a reason to keep still.
pub(crate) fn cosign_both(home: &Home, api: &Api, bundle: &Bundle) -> Result<Vec<(Log, View)>> {
    withhold::look(home, api, bundle)?;
    let mut views = Vec::new();
    for log in Log::ALL {
        views.extend(cosign(home, api, bundle, log, now())?.map(|view| (log, view)));
    }
    Ok(views)
}

/// Co-signs the control log alone.
pub(crate) fn cosign_control(home: &Home, api: &Api, bundle: &Bundle) -> Result<()> {
    cosign_control_at(home, api, bundle, now())
}

/// The same by a clock of the caller's.
pub(crate) fn cosign_control_at(
    home: &Home,
    api: &Api,
    bundle: &Bundle,
    at: UnixSeconds,
) -> Result<()> {
    withhold::look(home, api, bundle)?;
    cosign(home, api, bundle, Log::Control, at).map(drop)
}

type Fetched = (checkpoint::OpenedCheckpoint, Vec<Sha256>);

fn fetch(api: &Api, log: Log, old: u64, key: &VerifierKey) -> Result<Fetched> {
    let body = api.fetch_bytes(&format!("/v1/log/{}/add-checkpoint?old={old}", log.name()))?;
    let request = AddCheckpoint::decode(&body).context("read the server's checkpoint")?;
    if request.old != old {
        anyhow::bail!("the consistency proof is for another size than asked");
    }
    let opened = checkpoint::open(&request.note, key).map_err(|error| {
        refused(format!("log {}: {error}", log.name()), "this is not the log your bundle names")
    })?;
    Ok((opened, request.path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::merkle::{Tree, leaf_hash};

    fn tree(entries: &[&str]) -> Tree {
        let mut tree = Tree::default();
        for entry in entries {
            tree.push(leaf_hash(entry.as_bytes()));
        }
        tree
    }

    fn checkpoint(tree: &Tree) -> Checkpoint {
        let root = tree.root_at(tree.size()).expect("root");
        Checkpoint { origin: "log".to_owned(), size: tree.size(), root }
    }

    #[test]
    fn a_log_that_grows_is_cosigned() {
        let old = extend(None, &checkpoint(&tree(&["a", "b"])), &[]).expect("first sight");
        let new = tree(&["a", "b", "c"]);
        let path = new.consistency_path(2, 3).expect("path");
        assert_eq!(extend(Some(old), &checkpoint(&new), &path).expect("grown").size, 3);
        let same = extend(Some(old), &checkpoint(&tree(&["a", "b"])), &[]);
        assert_eq!(same.expect("unchanged"), old);
    }

    #[test]
    fn a_log_that_shrank_or_forked_is_refused() {
        let old = extend(None, &checkpoint(&tree(&["a", "b"])), &[]).expect("first sight");
        let shrunk = extend(Some(old), &checkpoint(&tree(&["a"])), &[]).expect_err("shrunk");
        assert!(shrunk.to_string().contains("SHRUNK"));
        let forked = tree(&["a", "x", "c"]);
        let path = forked.consistency_path(2, 3).expect("path");
        let error = extend(Some(old), &checkpoint(&forked), &path).expect_err("forked");
        assert!(error.to_string().contains("FORKED"));
        let code = error.downcast_ref::<crate::exit::Failure>().map(|failure| failure.code);
        assert_eq!(code, Some(crate::exit::Code::Refused));
        assert!(extend(Some(old), &checkpoint(&tree(&["a", "x"])), &[]).is_err());
    }
}
