//! Who stands still: counted while it happens, then shown endpoint by endpoint from receipts that the endpoints signed.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{EndpointRow, FreezeReceipts, FreezeView, Standing};
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::statement::Receipt;
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::endpoints::fetch_all;
use super::{Console, Context, Filter, receipts};
use crate::exit::refused;
use crate::sign::render;
use crate::terminal::{cell, json_text, line, table};

/// How long `freeze` waits for endpoints that are connected.
const CONFIRM_FOR: Duration = Duration::from_secs(20);
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// Endpoints in a table for people; of more, only those that have not confirmed are listed.
const ROWS_MAX: usize = 50;

/// Counts up until every connected endpoint has confirmed, or for twenty seconds; then shows who has.
pub(super) fn wait(
    context: &Context,
    console: &Console,
    id: StatementId,
    lan: &[SocketAddr],
) -> Result<()> {
    let until = Instant::now() + CONFIRM_FOR;
    let bar = bar(context);
    let mut shown = None;
    loop {
        let (confirmed, connected) = count(console, id)?;
        bar.set_length(u64::try_from(connected).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(confirmed).unwrap_or(u64::MAX));
        if context.terminal.json && shown.replace(confirmed) != Some(confirmed) {
            let news =
                json!({ "kind": "progress", "confirmed": confirmed, "connected": connected });
            line(&json_text(&news))?;
        }
        if confirmed >= connected || Instant::now() >= until {
            break;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    bar.finish_and_clear();
    report(context, console, id, lan)
}

/// `bartizan frozen ID`
pub(super) fn show(context: &Context, console: &Console, id: StatementId) -> Result<()> {
    report(context, console, id, &[])
}

fn bar(context: &Context) -> ProgressBar {
    if context.terminal.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} connected endpoints, {elapsed}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// Of the connected endpoints, how many have confirmed by the server's word: a figure to watch, not to believe.
fn count(console: &Console, id: StatementId) -> Result<(usize, usize)> {
    let view: FreezeView = console.api.fetch("/v1/freezes")?;
    let row = view.freezes.into_iter().find(|row| row.id == id);
    let row = row.context("the server does not show the freeze it has just stored")?;
    let connected: Vec<EndpointId> = admitted(console)?
        .into_iter()
        .filter(|endpoint| endpoint.connected)
        .map(|endpoint| endpoint.id)
        .collect();
    let confirmed = connected.iter().filter(|endpoint| row.confirmed.contains(endpoint)).count();
    Ok((confirmed, connected.len()))
}

pub(crate) fn admitted(console: &Console) -> Result<Vec<EndpointRow>> {
    let rows = fetch_all(&console.api, &Filter::default())?;
    Ok(rows.into_iter().filter(|row| row.standing == Standing::Admitted).collect())
}

/// An endpoint's own word.
pub(crate) struct Confirmed {
    pub(crate) way: String,
    pub(crate) at: UnixSeconds,
}

fn report(context: &Context, console: &Console, id: StatementId, lan: &[SocketAddr]) -> Result<()> {
    let (confirmed, bad) = verified(console, id)?;
    let rows = admitted(console)?;
    let (mut table_rows, mut shown) = (Vec::new(), Vec::new());
    let (mut missing, mut offline) = (Vec::new(), Vec::new());
    for row in &rows {
        let Some(own) = confirmed.get(&row.id) else {
            let list = if row.connected { &mut missing } else { &mut offline };
            list.push(row.id.to_string());
            let state = if row.connected { "NOT YET" } else { "offline" };
            let seen = row.last_seen.map_or_else(String::new, render::date);
            table_rows.push(vec![row.id.to_string(), cell(&row.hostname), state.to_owned(), seen]);
            continue;
        };
        if rows.len() <= ROWS_MAX {
            let state = format!("frozen {}", cell(&own.way));
            let cells = [row.id.to_string(), cell(&row.hostname), state, render::date(own.at)];
            table_rows.push(cells.to_vec());
        }
        let way = own.way.trim_start_matches("by ");
        shown.push(json!({ "endpoint": row.id, "way": way, "at": own.at }));
    }
    let text = format!(
        "{}{id} stands; {} of {} endpoints confirmed, {} connected ones not yet, {} are offline{}",
        table(&["ENDPOINT", "NAME", "STATE", "SINCE"], &table_rows),
        shown.len(),
        rows.len(),
        missing.len(),
        offline.len(),
        if missing.len() + offline.len() == 0 {
            ""
        } else {
            "; look again: bartizan frozen FREEZE"
        }
    );
    let shown = json!({
        "freeze": id, "standing": true, "confirmed": shown, "missing": missing, "offline": offline,
        "lan": lan, "unverified": bad,
    });
    context.terminal.result(&shown, &text)?;
    if bad > 0 {
        let problem = format!("{bad} confirmations do not verify");
        return Err(refused(problem, "the server made them up; trust the others only"));
    }
    Ok(())
}

/// The first confirmation of each endpoint that its own key signed; how many were signed by nobody.
pub(crate) fn verified(
    console: &Console,
    id: StatementId,
) -> Result<(BTreeMap<EndpointId, Confirmed>, usize)> {
    let mut confirmed = BTreeMap::new();
    let mut bad = 0;
    let mut after: Option<EndpointId> = None;
    loop {
        let from = after.map_or_else(String::new, |id| format!("?after={id}"));
        let page: FreezeReceipts =
            console.api.fetch(&format!("/v1/freezes/{id}/receipts{from}"))?;
        for text in &page.receipts {
            let bytes = BASE64.decode(text.as_bytes()).context("read a receipt")?;
            match receipts::verify(&bytes)? {
                (receipt, true) if receipt.job == id => {
                    confirmed.entry(receipt.endpoint).or_insert_with(|| own_word(&receipt));
                }
                _ => bad += 1,
            }
        }
        match page.next {
            // Always onward, whatever the server says.
            Some(next) if after.is_none_or(|before| before.to_string() < next.to_string()) => {
                after = Some(next);
            }
            _ => return Ok((confirmed, bad)),
        }
    }
}

fn own_word(receipt: &Receipt) -> Confirmed {
    let way = receipt.code.strip_prefix("freeze.by_").unwrap_or(&receipt.code);
    Confirmed { way: format!("by {way}"), at: receipt.iat }
}
