//! What is signed with this operator's keys, and whether it was signed here: a stolen key shows itself in the logs.
//!
//! The alarm is raised by the operator's own computer, never through the server.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::{Context as _, Result};
use bartizan_trust::control::ControlView;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::merkle::{Frontier, leaf_hash};
use bartizan_trust::statement::{Operator, StatementType};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::alarm::Alarms;
use crate::api::Api;
use crate::exit::refused;
use crate::home::{Home, read_bounded};
use crate::trust::entries_from;
use crate::witness::{Log, View};

/// Ids of what was signed here, a line each.
const SIGNED: &str = "signed.log";
/// How far the logs were looked through.
const LOOKED: &str = "looked.json";

/// Notes that a statement is signed here; durable before the statement leaves.
pub(crate) fn remember(home: &Home, envelope: &Envelope) -> Result<()> {
    let path = home.path(SIGNED);
    let write = || -> std::io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path)?;
        file.write_all(format!("{}\n", envelope.id()).as_bytes())?;
        file.sync_all()
    };
    write().with_context(|| format!("write {}", path.display()))
}

/// Ids of what was signed here, by the console and by the command line.
pub(crate) fn remembered(home: &Home) -> Result<BTreeSet<String>> {
    if !home.path(SIGNED).exists() {
        return Ok(BTreeSet::new());
    }
    let text = read_bounded(&home.path(SIGNED))?;
    Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

/// An entry of a log that bears a signature of one of this operator's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mine {
    pub(crate) log: Log,
    pub(crate) index: u64,
    pub(crate) id: StatementId,
    pub(crate) kind: &'static str,
    pub(crate) roles: Vec<&'static str>,
    /// Whether this console remembers signing it.
    pub(crate) here: bool,
}

impl Mine {
    pub(crate) fn json(&self) -> Value {
        json!({
            "log": self.log.name(), "index": self.index, "id": self.id, "kind": self.kind,
            "roles": self.roles, "signed_here": self.here,
        })
    }
}

/// Which operator a console's key belongs to.
pub(crate) fn operator<'v>(view: &'v ControlView, key: &str) -> Option<&'v Operator> {
    let operators = &view.chain.current.bundle.operators;
    operators.iter().find(|operator| operator.keys.iter().any(|known| known.ssh == key))
}

/// The entries that bear a valid signature of this operator.
pub(crate) fn signed_by(
    home: &Home,
    me: &Operator,
    log: Log,
    start: u64,
    entries: &[Vec<u8>],
) -> Result<Vec<Mine>> {
    let here = remembered(home)?;
    let mut found = Vec::new();
    for (index, entry) in (start..).zip(entries) {
        let Ok(envelope) = Envelope::decode(entry) else { continue };
        let (verified, _) = envelope.verify_signatures();
        let own = |key: &str| me.keys.iter().any(|known| known.ssh == key);
        let roles: Vec<&'static str> = verified
            .iter()
            .filter(|signature| own(&signature.key.to_openssh()))
            .map(|signature| signature.role.namespace())
            .collect();
        if !roles.is_empty() {
            let id = envelope.id();
            let kind = envelope.kind().map_or("?", StatementType::name);
            let here = here.contains(&id.to_string());
            found.push(Mine { log, index, id, kind, roles, here });
        }
    }
    Ok(found)
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Looked {
    logs: BTreeMap<String, Frontier>,
}

/// Looks through what is new under a checkpoint this console has co-signed, and raises the alarm. What was there at
/// the first look is taken as known. An alarm that cannot be delivered is raised again in the next round.
pub(crate) fn look(
    home: &Home,
    api: &Api,
    view: &ControlView,
    me: &Operator,
    views: &[(Log, View)],
    alarms: &Alarms,
) -> Result<Vec<String>> {
    let mut looked: Looked = home.load(LOOKED)?.unwrap_or_default();
    let mut told = Vec::new();
    for (log, seen) in views {
        let before = looked.logs.get(log.name());
        let mut frontier = before.cloned().unwrap_or_default();
        let start = frontier.size();
        if start > seen.size {
            // A smaller log is the witness's alarm, and it has been raised.
            continue;
        }
        let entries = entries_from(api, *log, start, seen.size)?;
        for entry in &entries {
            frontier.push(leaf_hash(entry));
        }
        if frontier.root() != seen.root {
            let problem =
                format!("the server shows other entries of `{}` than it signs", log.name());
            alarms.raise(&problem, &json!({ "log": log.name(), "size": seen.size }))?;
            return Err(refused(problem, "keep this output and tell the other operators"));
        }
        if before.is_some() {
            for mine in signed_by(home, me, *log, start, &entries)? {
                if !mine.here {
                    let text = format!(
                        "a {} was signed with your key elsewhere: {} ({} entry {})",
                        mine.kind,
                        mine.id,
                        log.name(),
                        mine.index
                    );
                    alarms.raise(&text, &mine.json())?;
                    told.push(text);
                }
            }
            told.extend(changes(*log, start, &entries, view, alarms)?);
        }
        looked.logs.insert(log.name().to_owned(), frontier);
        home.save(LOOKED, &looked)?;
    }
    Ok(told)
}

/// Every new control statement concerns everybody.
fn changes(
    log: Log,
    start: u64,
    entries: &[Vec<u8>],
    view: &ControlView,
    alarms: &Alarms,
) -> Result<Vec<String>> {
    let mut told = Vec::new();
    if log != Log::Control {
        return Ok(told);
    }
    for (index, entry) in (start..).zip(entries) {
        let decoded = Envelope::decode(entry).ok();
        let kind = decoded.as_ref().and_then(Envelope::kind).map_or("?", StatementType::name);
        let id = decoded.map(|envelope| envelope.id());
        let waits = view.chain.pending.iter().find(|pending| Some(pending.trust.id) == id);
        let text = match (id, waits) {
            (Some(id), Some(pending)) => format!(
                "the control log has a new {kind} that weakens something and acts at {} unless somebody vetoes it: bartizan bundle veto {id}",
                pending.due().get()
            ),
            (Some(id), None) => format!("the control log has a new {kind}: {id}"),
            (None, _) => format!("the control log has an entry that is no statement: {index}"),
        };
        let facts = json!({ "log": "control", "index": index, "kind": kind, "id": id });
        alarms.raise(&text, &facts)?;
        told.push(text);
    }
    Ok(told)
}
