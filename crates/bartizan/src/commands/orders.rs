//! `orders`: what stands on endpoints, and taking it back.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, JobPage, JobRow, TargetState};
use bartizan_trust::calendar::Offsets;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::limits;
use bartizan_trust::standing::next;
use bartizan_trust::statement::{Job, On, SignatureRole, V1, Withdrawal};
use bartizan_trust::time::UnixSeconds;
use clap::Subcommand;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Console, Context, control, watch};
use crate::exit::{Code, fail};
use crate::home::now;
use crate::sign::render;
use crate::terminal::{cell, table};
use crate::zone;

/// `bartizan orders …`
#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// Take an order (or a job that has not started) back for good, everywhere
    Withdraw {
        /// Its id, or enough of its beginning
        id: String,
        /// Why, for the others
        #[arg(long, default_value = "")]
        reason: String,
    },
}

pub(crate) fn run(context: &Context, command: Option<&OrdersCommand>) -> Result<()> {
    let console = context.connect()?;
    match command {
        None => list(context, &console),
        Some(OrdersCommand::Withdraw { id, reason }) => withdraw(context, &console, id, reason),
    }
}

/// Standing orders, each with its endpoints. States and codes are the server's word; `receipts` verifies them.
fn list(context: &Context, console: &Console) -> Result<()> {
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for row in &newest_and_standing(console)? {
        let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{}", row.id))?;
        let envelope = BASE64.decode(detail.envelope.as_bytes()).context("read an order")?;
        let envelope = Envelope::decode(&envelope).context("read an order")?;
        let job: Job = envelope.statement().context("read an order")?;
        let Some(trigger) = &job.trigger else { continue };
        let withdrawn = console.view.withdrawals.contains(&row.id);
        let upcoming = if withdrawn { None } else { upcoming(&job) };
        for target in &detail.targets {
            let state = state(target.state, withdrawn, trigger.until);
            rows.push(vec![
                row.id.to_string().chars().take(15).collect(),
                cell(&row.title),
                render::what_starts(&trigger.on),
                target.endpoint.to_string().chars().take(15).collect(),
                state.to_owned(),
                target.code.as_deref().map_or_else(String::new, cell),
                target.exit.map_or_else(String::new, |exit| exit.to_string()),
                upcoming.map_or_else(String::new, render::date),
            ]);
        }
        shown.push(as_json(row, &job, &detail, withdrawn, upcoming));
    }
    let text = if rows.is_empty() {
        "no standing orders".to_owned()
    } else {
        table(&["ORDER", "TITLE", "RUNS", "ENDPOINT", "STATE", "LAST", "EXIT", "NEXT"], &rows)
    };
    context.terminal.result(&json!({ "orders": shown }), &text)
}

/// Orders that stand, and those among the newest jobs that do not any more.
pub(crate) fn newest_and_standing(console: &Console) -> Result<Vec<JobRow>> {
    let newest: JobPage = console.api.fetch("/v1/jobs")?;
    let active: JobPage = console.api.fetch("/v1/jobs?state=active")?;
    let mut rows = newest.jobs;
    let older: Vec<JobRow> = active
        .jobs
        .into_iter()
        .filter(|row| !rows.iter().any(|known| known.id == row.id))
        .collect();
    rows.extend(older);
    rows.retain(|row| row.until.is_some());
    Ok(rows)
}

fn as_json(
    row: &JobRow,
    job: &Job,
    detail: &JobDetail,
    withdrawn: bool,
    upcoming: Option<UnixSeconds>,
) -> Value {
    let until = job.trigger.as_ref().map_or(job.window.exp, |trigger| trigger.until);
    let targets: Vec<Value> = detail
        .targets
        .iter()
        .map(|target| {
            json!({
                "endpoint": target.endpoint, "state": state(target.state, withdrawn, until),
                "code": target.code, "exit": target.exit,
            })
        })
        .collect();
    json!({
        "id": row.id, "title": row.title, "class": job.class, "trigger": job.trigger, "withdrawn": withdrawn,
        "next": upcoming, "endpoints": targets,
    })
}

pub(crate) fn state(state: TargetState, withdrawn: bool, until: UnixSeconds) -> &'static str {
    match state {
        TargetState::Running if now() >= until => "over",
        TargetState::Running if withdrawn => "being withdrawn",
        TargetState::Running => "standing",
        TargetState::Done => "over",
        TargetState::Failed => "failed",
        TargetState::Refused => "refused",
        TargetState::Expired => "never taken in",
        TargetState::Cancelled => "cancelled",
        TargetState::Waiting => "waits",
        TargetState::Queued | TargetState::Delivered => "on its way",
    }
}

/// When a schedule comes next, without its jitter.
pub(crate) fn upcoming(job: &Job) -> Option<UnixSeconds> {
    let now = now();
    let offsets = match &job.trigger.as_ref()?.on {
        On::Calendar { zone, .. } => zone::ahead(zone, now).ok()?,
        _ => Offsets::UTC,
    };
    next(job, now, &offsets)
}

/// One signature suffices and nothing waits: it only stops.
fn withdraw(context: &Context, console: &Console, id: &str, reason: &str) -> Result<()> {
    let id = watch::find(console, id)?;
    let statement = withdrawal(console, id, reason)?;
    let stored = control::sign_and_send(context, console, &statement, SignatureRole::Freeze)?;
    control::done_or_waiting(context, &stored, "takes it back")
}

/// What takes a job back for good.
pub(crate) fn withdrawal(console: &Console, id: StatementId, reason: &str) -> Result<Withdrawal> {
    if console.view.withdrawals.contains(&id) {
        return Err(fail(Code::Error, "it was taken back before", "see `bartizan orders`"));
    }
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let envelope = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
    let envelope = Envelope::decode(&envelope).context("read the job")?;
    if envelope.id() != id {
        let next = "tell the other operators, and look at `bartizan log verify`";
        return Err(crate::exit::refused(
            "the server shows another job than the one asked for",
            next,
        ));
    }
    let job: Job = envelope.statement().context("read the job")?;
    let iat = now();
    // An endpoint that has not seen it yet must know until it could not take it in any more.
    let exp = job.window.exp.max(iat.plus(limits::DAY_S)).min(iat.plus(limits::ORDER_S_MAX));
    Ok(Withdrawal {
        v: V1,
        org: console.org.anchor.org(),
        iat,
        crit: Vec::new(),
        job: id,
        exp,
        reason: reason.to_owned(),
    })
}
