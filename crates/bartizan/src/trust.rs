//! What this console believes: the bundle at the end of the control log, verified from the anchor.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use bartizan_proto::operator::{ControlTimes, LogEntries};
use bartizan_trust::checkpoint::{self, OpenedCheckpoint};
use bartizan_trust::control::{self, ControlView};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Anchor;
use bartizan_trust::merkle::{Frontier, leaf_hash};
use bartizan_trust::note::VerifierKey;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::Bundle;
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;

use crate::api::Api;
use crate::exit::refused;
use crate::home::now;
use crate::witness::Log;

/// Entries asked for at once.
const BATCH: u64 = 64;

/// Every entry of a log, proven to be what its checkpoint says.
pub(crate) struct WholeLog {
    pub(crate) entries: Vec<Vec<u8>>,
    pub(crate) opened: OpenedCheckpoint,
}

/// Downloads a whole log and recomputes its root.
pub(crate) fn whole_log(api: &Api, log: Log, key: &VerifierKey) -> Result<WholeLog> {
    grown_log(api, log, key, &[])
}

/// The same where its beginning is at hand already. Whoever changed what was there before is seen: the root is that of all entries.
pub(crate) fn grown_log(
    api: &Api,
    log: Log,
    key: &VerifierKey,
    known: &[Vec<u8>],
) -> Result<WholeLog> {
    let opened = newest_checkpoint(api, log, key)?;
    let start = u64::try_from(known.len()).context("count entries")?;
    let mut entries = known.to_vec();
    entries.extend(entries_from(api, log, start, opened.checkpoint.size)?);
    let mut frontier = Frontier::default();
    for entry in &entries {
        frontier.push(leaf_hash(entry));
    }
    if frontier.root() != opened.checkpoint.root {
        let problem =
            format!("the entries of the log `{}` are not those its checkpoint signs", log.name());
        return Err(refused(problem, "keep this output and tell the other operators"));
    }
    Ok(WholeLog { entries, opened })
}

/// The newest checkpoint of a log, signed by its key.
pub(crate) fn newest_checkpoint(
    api: &Api,
    log: Log,
    key: &VerifierKey,
) -> Result<OpenedCheckpoint> {
    let note = api.fetch_bytes(&format!("/v1/log/{}/checkpoint", log.name()))?;
    checkpoint::open(&note, key).map_err(|error| {
        refused(
            format!("log {}: {error}", log.name()),
            "this is not the log your bundle names; do not go on",
        )
    })
}

/// Entries of a log from a place on. Nothing proves them yet.
pub(crate) fn entries_from(api: &Api, log: Log, from: u64, size: u64) -> Result<Vec<Vec<u8>>> {
    let mut entries: Vec<Vec<u8>> = Vec::new();
    loop {
        let start = from + u64::try_from(entries.len()).context("count entries")?;
        if start >= size {
            return Ok(entries);
        }
        let end = size.min(start + BATCH);
        let page: LogEntries =
            api.fetch(&format!("/v1/log/{}/entries?start={start}&end={end}", log.name()))?;
        let wanted = usize::try_from(end - start).context("count entries")?;
        if page.start != start || page.entries.is_empty() || page.entries.len() > wanted {
            anyhow::bail!("the server sent other log entries than asked for");
        }
        for entry in page.entries {
            entries.push(BASE64.decode(entry.as_bytes()).context("read a log entry")?);
        }
    }
}

/// What the control log says, by the chain from the anchor. The quorum of witnesses is the endpoints' to demand: this
/// console is one of those witnesses. Delays are judged by the dates in the statements, as advice; endpoints go by
/// witness time.
pub(crate) fn current_view(api: &Api, anchor: Anchor) -> Result<ControlView> {
    view_and_history(api, anchor).map(|(view, _)| view)
}

/// The same, and the bundles that were in force before: whoever has left has enrolled endpoints that stayed.
pub(crate) fn view_and_history(api: &Api, anchor: Anchor) -> Result<(ControlView, Vec<Bundle>)> {
    let mut former = Vec::new();
    let mut before: Option<TrustState> = None;
    let view = replay(api, anchor, &mut |_, _, view| {
        let current = &view.chain.current;
        if let Some(before) = before.take().filter(|before| before.id != current.id) {
            former.push(before.bundle);
        }
        before = Some(current.clone());
    })?;
    Ok((view, former))
}

/// Replays the control log, and shows each entry with what it led to.
pub(crate) fn replay(
    api: &Api,
    anchor: Anchor,
    each: &mut dyn FnMut(u64, &[u8], &ControlView),
) -> Result<ControlView> {
    // The genesis entry says which key signs the log; the anchor says which entry is the genesis.
    let first = entries_from(api, Log::Control, 0, 1)?.pop().context("the control log is empty")?;
    let genesis = genesis(&first, anchor)?;
    let logs = LogTrust::parse(&genesis.bundle.log).context("read the log keys of the bundle")?;
    let whole = whole_log(api, Log::Control, &logs.control)?;
    let mut view = ControlView::new(genesis);
    each(0, &first, &view);
    let claimed: ControlTimes = api.fetch("/v1/control/times").context("ask when entries came")?;
    let claimed: BTreeMap<u64, UnixSeconds> = claimed.times.into_iter().collect();
    for (index, entry) in (0..).zip(&whole.entries).skip(1) {
        // One that has no effect has none on endpoints either; `log audit` lists them.
        let _ = view.advise(anchor.org(), now(), claimed.get(&index).copied(), entry);
        each(index, entry, &view);
    }
    Ok(view)
}

/// Judges a genesis bundle by its anchor and its own root threshold.
pub(crate) fn genesis(entry: &[u8], anchor: Anchor) -> Result<TrustState> {
    let next = "compare the anchor with the other operators; do not go on";
    let envelope = Envelope::decode(entry).context("read the genesis bundle")?;
    if *envelope.id().hash() != *anchor.org().hash() {
        return Err(refused("the control log begins with another organisation's bundle", next));
    }
    control::genesis(&envelope).map_err(|refusal| {
        refused(format!("the genesis bundle is refused: {refusal}"), refusal.advice())
    })
}
