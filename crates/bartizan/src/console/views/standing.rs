//! Standing orders: what stands where, and how its last run ended by the endpoint's own receipt.

use std::collections::BTreeMap;

use anyhow::Result;
use bartizan_proto::operator::{JobRow, TargetRow};
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::statement::Receipt;
use bartizan_trust::time::UnixSeconds;

use super::{bounded, jobs, names, next, word};
use crate::commands::{Console, orders as order, receipts as receipt};
use crate::console::shapes::{LastRun, OrderRow, OrderTarget, Orders, Verification};
use crate::rollout::fetch_newest_receipts;
use crate::sign::render;

/// Endpoints of a standing order that are listed.
const TARGETS_MAX: usize = 200;

/// All of them.
pub(crate) fn orders(console: &Console) -> Result<Orders> {
    let mut orders = Vec::new();
    for row in &order::newest_and_standing(console)? {
        orders.extend(shown(console, row)?);
    }
    Ok(Orders { orders })
}

fn shown(console: &Console, row: &JobRow) -> Result<Option<OrderRow>> {
    let detail = jobs::detail(console, row.id)?;
    let (_, job, _) = jobs::verify(console, row.id, &detail)?;
    let Some(trigger) = &job.trigger else { return Ok(None) };
    let withdrawn = console.view.withdrawals.contains(&row.id);
    let listed: Vec<&TargetRow> = detail.targets.iter().take(TARGETS_MAX).collect();
    let ids: Vec<EndpointId> = listed.iter().map(|row| row.endpoint).collect();
    let mut names = names(console, &ids)?;
    let mut last = last_runs(fetch_newest_receipts(&console.api, row.id)?, row.id)?;
    let endpoints = listed.iter().map(|target| OrderTarget {
        endpoint: target.endpoint.to_string(),
        hostname: names.remove(&target.endpoint),
        state: order::state(target.state, withdrawn, trigger.until).to_owned(),
        last: last.remove(&target.endpoint),
    });
    let upcoming = order::upcoming(&job).filter(|_| !withdrawn).map(UnixSeconds::get);
    Ok(Some(OrderRow {
        id: row.id.to_string(),
        title: bounded(&row.title),
        class: job.class.name().to_owned(),
        starts: render::what_starts(&trigger.on),
        until: trigger.until.get(),
        upcoming,
        withdrawn,
        targets: u64::try_from(detail.targets.len()).unwrap_or(u64::MAX),
        endpoints: endpoints.collect(),
    }))
}

/// The newest run of each endpoint. Receipts that say only that the order stands are none.
fn last_runs(receipts: Vec<Vec<u8>>, order: StatementId) -> Result<BTreeMap<EndpointId, LastRun>> {
    let mut newest: BTreeMap<EndpointId, (Receipt, bool)> = BTreeMap::new();
    for bytes in receipts {
        let (receipt, signed) = receipt::verify(&bytes)?;
        let run = receipt.job == order && receipt.occurrence.is_some();
        let newer = newest.get(&receipt.endpoint).is_none_or(|(known, _)| known.seq < receipt.seq);
        if run && newer {
            newest.insert(receipt.endpoint, (receipt, signed));
        }
    }
    Ok(newest.into_iter().map(|(id, (receipt, signed))| (id, last_run(&receipt, signed))).collect())
}

fn last_run(receipt: &Receipt, signed: bool) -> LastRun {
    LastRun {
        at: receipt.t1.get(),
        decision: word(&receipt.decision),
        next: next(&receipt.code),
        code: bounded(&receipt.code),
        exit: receipt.exit,
        verification: if signed {
            Verification::good()
        } else {
            Verification::bad("the endpoint's own key has not signed it")
        },
    }
}
