//! `bartizan drill --fleet`: the harmless part, on the fleet that is there. A freeze that covers nothing anybody works with
//! shows who is reached and how fast; both logs are replayed and every signature in them is verified.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{FreezeView, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Freeze, FreezeScope, SignatureRole, Thaw, V1};
use serde_json::json;

use super::endpoints::fetch_all;
use super::{Console, Context, Filter, control};
use crate::exit::refused;
use crate::home::now;
use crate::terminal::{cell, line};
use crate::trust::whole_log;
use crate::witness::Log;

/// How long connected endpoints have to confirm.
const CONFIRM_FOR: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the freeze stands if nobody thaws it.
const FREEZE_S: u64 = 600;

/// What the logs hold.
struct Checked {
    statements: usize,
    signatures: usize,
    problems: Vec<String>,
}

/// Who has confirmed, and when the last of them did.
struct Reached {
    confirmed: BTreeSet<EndpointId>,
    milliseconds: u64,
}

pub(super) fn run(context: &Context, whole_org: bool) -> Result<()> {
    let console = context.connect()?;
    let scope = if whole_org {
        context.terminal.confirm("Stop ALL work of the organisation for up to ten minutes?")?;
        FreezeScope::Org
    } else {
        // No job has this id: nothing that anybody works with stands still.
        let nobodys = format!("bartizan drill {}", now().get());
        FreezeScope::Job(StatementId::new(Sha256::of(nobodys.as_bytes())))
    };
    let iat = now();
    let freeze = Freeze {
        v: V1,
        org: console.org.anchor.org(),
        iat,
        crit: Vec::new(),
        scope,
        exp: iat.plus(FREEZE_S),
        reason: "drill".to_owned(),
    };
    let begun = Instant::now();
    let stored = control::sign_and_send(context, &console, &freeze, SignatureRole::Freeze)?;
    let reached = wait(context, &console, &stored, begun)?;
    let thaw = Thaw {
        v: V1,
        org: console.org.anchor.org(),
        iat: now(),
        crit: Vec::new(),
        freeze: stored.id,
        reason: "drill".to_owned(),
    };
    let thaw = control::sign_and_send(context, &console, &thaw, SignatureRole::Freeze)?;
    // Last, so that what was just signed is among it.
    let checked = check_logs(&console)?;
    report(context, &console, &checked, &reached, &thaw)
}

/// Roots, and every signature of every statement.
fn check_logs(console: &Console) -> Result<Checked> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let mut checked = Checked { statements: 0, signatures: 0, problems: Vec::new() };
    for log in Log::ALL {
        let whole = whole_log(&console.api, log, log.key(&trust))?;
        for (index, entry) in whole.entries.iter().enumerate() {
            let place = format!("{} {index}", log.name());
            let Ok(envelope) = Envelope::decode(entry) else {
                checked.problems.push(format!("{place}: not a statement"));
                continue;
            };
            let (verified, ignored) = envelope.verify_signatures();
            checked.statements += 1;
            checked.signatures += verified.len();
            let wrong = ignored.iter().map(|one| format!("{place}: {}", cell(&one.reason)));
            checked.problems.extend(wrong);
        }
    }
    Ok(checked)
}

/// Until every connected endpoint has confirmed, or the time is over.
fn wait(context: &Context, console: &Console, stored: &Stored, begun: Instant) -> Result<Reached> {
    let mut reached = Reached { confirmed: BTreeSet::new(), milliseconds: 0 };
    if stored.log_index.is_none() {
        return Ok(reached);
    }
    loop {
        let view: FreezeView = console.api.fetch("/v1/freezes")?;
        let row = view.freezes.into_iter().find(|row| row.id == stored.id);
        let confirmed: BTreeSet<EndpointId> =
            row.map(|row| row.confirmed.into_iter().collect()).unwrap_or_default();
        if confirmed.len() > reached.confirmed.len() {
            let milliseconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            reached = Reached { confirmed, milliseconds };
            if !context.terminal.json {
                line(&format!(
                    "{} have confirmed after {milliseconds} ms",
                    reached.confirmed.len()
                ))?;
            }
        }
        let rows = fetch_all(&console.api, &Filter::default())?;
        let all =
            rows.iter().filter(|row| row.connected).all(|row| reached.confirmed.contains(&row.id));
        if all || begun.elapsed() > CONFIRM_FOR {
            return Ok(reached);
        }
        std::thread::sleep(LOOK_EVERY);
    }
}

fn report(
    context: &Context,
    console: &Console,
    checked: &Checked,
    reached: &Reached,
    thaw: &Stored,
) -> Result<()> {
    let rows = fetch_all(&console.api, &Filter::default())?;
    let silent = |connected: bool| -> Vec<String> {
        let silent = rows.iter().filter(|row| !reached.confirmed.contains(&row.id));
        silent.filter(|row| row.connected == connected).map(|row| row.id.to_string()).collect()
    };
    let (silent, absent) = (silent(true), silent(false));
    let thawed = thaw.log_index.is_some();
    let mut text = format!(
        "{} statements and {} signatures in both logs; {} problems\n{} of {} endpoints confirmed the freeze, the last after {} ms\n",
        checked.statements,
        checked.signatures,
        checked.problems.len(),
        reached.confirmed.len(),
        rows.len(),
        reached.milliseconds
    );
    for problem in &checked.problems {
        text += &format!("  {problem}\n");
    }
    for id in &silent {
        text += &format!("  connected and silent: {id}\n");
    }
    for id in &absent {
        text += &format!("  not connected: {id}\n");
    }
    if !thawed {
        text += &format!(
            "the freeze ends by itself within ten minutes, or at once when another operator runs: bartizan approve {}\n",
            thaw.id
        );
    }
    let shown = json!({
        "statements": checked.statements, "signatures": checked.signatures, "problems": checked.problems,
        "endpoints": rows.len(), "confirmed": reached.confirmed, "milliseconds": reached.milliseconds,
        "silent": silent, "absent": absent, "thaw": thaw.id, "thawed": thawed,
    });
    context.terminal.result(&shown, &text)?;
    if checked.problems.is_empty() && silent.is_empty() {
        return Ok(());
    }
    Err(refused(
        format!("{} problems, {} endpoints silent", checked.problems.len(), silent.len()),
        "look after what is listed above; `bartizan log verify` says more about the logs",
    ))
}
