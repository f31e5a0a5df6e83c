//! `watch`, `jobs`, `pending`, `job`: what became of work.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{
    JobDetail, JobEvent, JobEvents, JobPage, JobState, TargetRow, TargetState,
};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::StatementType;
use data_encoding::BASE64;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::rollout::{self, Offer};
use super::{Console, Context, control};
use crate::exit::{Code, fail};
use crate::sign::render;
use crate::terminal::{cell, json_text, line, plain_text, table};

/// How long the server may hold a question for news.
const POLL_S: u64 = 20;
/// The same while a stage may become ready: a soak ends without any news.
const OFFER_POLL_S: u64 = 3;

pub(crate) fn list(context: &Context, state: &str) -> Result<()> {
    let console = context.connect()?;
    let path =
        if state.is_empty() { "/v1/jobs".to_owned() } else { format!("/v1/jobs?state={state}") };
    let page: JobPage = console.api.fetch(&path)?;
    let rows: Vec<Vec<String>> = page
        .jobs
        .iter()
        .map(|job| {
            let state = state_name(job.state).to_owned();
            vec![
                job.id.to_string(),
                state,
                job.class.name().to_owned(),
                job.targets.to_string(),
                cell(&job.title),
            ]
        })
        .collect();
    let mut text = if rows.is_empty() {
        String::new()
    } else {
        table(&["JOB", "STATE", "CLASS", "ON", "TITLE"], &rows) + "\n"
    };
    let mut shown = serde_json::to_value(&page).context("write the answer")?;
    if state == "pending" {
        let drafts = control::drafts(&console)?;
        for draft in &drafts {
            let id = draft.id();
            let kind = draft.kind().map_or("?", StatementType::name);
            text += &format!("{kind} {id} lacks signatures: bartizan approve {id}\n");
        }
        let ids: Vec<StatementId> = drafts.iter().map(Envelope::id).collect();
        if let Some(object) = shown.as_object_mut() {
            object.insert("drafts".to_owned(), json!(ids));
        }
    }
    if text.is_empty() {
        "nothing".clone_into(&mut text);
    }
    context.terminal.result(&shown, text.trim_end())
}

pub(crate) const fn state_name(state: JobState) -> &'static str {
    match state {
        JobState::Pending => "pending",
        JobState::Active => "active",
        JobState::Finished => "finished",
        JobState::Expired => "expired",
        JobState::Cancelled => "cancelled",
    }
}

/// A job by its id or enough of its beginning.
pub(crate) fn find(console: &Console, text: &str) -> Result<StatementId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let page: JobPage = console.api.fetch("/v1/jobs")?;
    let mut fitting =
        page.jobs.iter().filter(|job| text.len() > 5 && job.id.to_string().starts_with(text));
    match (fitting.next(), fitting.next()) {
        (Some(job), None) => Ok(job.id),
        (None, _) => Err(fail(
            Code::Error,
            format!("no job begins with `{}`", cell(text)),
            "see `bartizan jobs`",
        )),
        (Some(_), Some(_)) => {
            Err(fail(Code::Error, "several jobs begin like that", "give more of the id"))
        }
    }
}

pub(crate) fn show(context: &Context, id: &str) -> Result<()> {
    let console = context.connect()?;
    let id = find(&console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let envelope = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
    let content = BASE64.decode(detail.content.as_bytes()).context("read the script")?;
    let rendered =
        render::job_envelope(&Envelope::decode(&envelope).context("read the job")?, &content)?;
    let rows: Vec<Vec<String>> = detail.targets.iter().map(target_line).collect();
    let witnessed =
        if detail.witnessed { "witnessed" } else { "waiting for witnesses (bartizan witness)" };
    let text = format!(
        "{rendered}state   {}, {witnessed}\n\n{}",
        state_name(detail.row.state),
        table(&["ENDPOINT", "STATE", "CODE", "EXIT"], &rows)
    );
    context.terminal.result(&serde_json::to_value(&detail).context("write the answer")?, &text)
}

fn target_line(row: &TargetRow) -> Vec<String> {
    vec![
        row.endpoint.to_string().chars().take(15).collect(),
        target_name(row.state).to_owned(),
        row.code.as_deref().map_or_else(String::new, cell),
        row.exit.map_or_else(String::new, |exit| exit.to_string()),
    ]
}

pub(crate) const fn target_name(state: TargetState) -> &'static str {
    match state {
        TargetState::Queued => "queued",
        TargetState::Delivered => "delivered",
        TargetState::Waiting => "waiting",
        TargetState::Refused => "refused",
        TargetState::Running => "running",
        TargetState::Done => "done",
        TargetState::Failed => "failed",
        TargetState::Expired => "expired",
        TargetState::Cancelled => "cancelled",
    }
}

pub(crate) fn run(context: &Context, id: &str, timeout: Option<u64>) -> Result<()> {
    let console = context.connect()?;
    let id = find(&console, id)?;
    follow(context, &console, id, Offer::Never, timeout)
}

/// Shows what happens until the job has ended everywhere.
pub(crate) fn follow(
    context: &Context,
    console: &Console,
    id: StatementId,
    offer: Offer,
    timeout: Option<u64>,
) -> Result<()> {
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let mut offer = if context.terminal.can_ask() { offer } else { Offer::Never };
    let mut states: BTreeMap<EndpointId, TargetRow> =
        detail.targets.into_iter().map(|row| (row.endpoint, row)).collect();
    let bar = progress_bar(context, states.len());
    let start = Instant::now();
    let mut after = 0;
    loop {
        let longest = if offer == Offer::Never { POLL_S } else { OFFER_POLL_S };
        let wait = timeout.map_or(longest, |limit| {
            longest.min(limit.saturating_sub(start.elapsed().as_secs()).max(1))
        });
        let news: JobEvents =
            console.api.fetch(&format!("/v1/jobs/{id}/events?after={after}&wait_s={wait}"))?;
        for event in news.events {
            take(context, &bar, &mut states, event)?;
        }
        after = news.next;
        bar.set_position(
            states
                .values()
                .filter(|row| has_ended(row.state))
                .count()
                .try_into()
                .unwrap_or(u64::MAX),
        );
        if matches!(news.state, JobState::Finished | JobState::Expired | JobState::Cancelled) {
            // The state may be newer than the news that came with it.
            let rest: JobEvents =
                console.api.fetch(&format!("/v1/jobs/{id}/events?after={after}&wait_s=0"))?;
            for event in rest.events {
                take(context, &bar, &mut states, event)?;
            }
            let last: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
            states = last.targets.into_iter().map(|row| (row.endpoint, row)).collect();
            bar.finish_and_clear();
            return summary(context, id, &states);
        }
        if timeout.is_some_and(|limit| start.elapsed() >= Duration::from_secs(limit)) {
            bar.finish_and_clear();
            return Err(not_ended(id, &states));
        }
        if offer == Offer::WhenReady && news.state == JobState::Active {
            offer = rollout::offer(context, console, &bar, id)?;
        }
    }
}

fn not_ended(id: StatementId, states: &BTreeMap<EndpointId, TargetRow>) -> anyhow::Error {
    let refused = states.values().filter(|row| row.state == TargetState::Refused).count();
    if refused == 0 {
        let next = format!("look again: bartizan watch {id}");
        return fail(Code::Pending, "the job has not ended yet", next);
    }
    let problem = format!("{refused} endpoints refused the job so far");
    fail(Code::Refused, problem, format!("see why: bartizan receipts {id}"))
}

const fn has_ended(state: TargetState) -> bool {
    matches!(
        state,
        TargetState::Done
            | TargetState::Failed
            | TargetState::Refused
            | TargetState::Expired
            | TargetState::Cancelled
    )
}

fn progress_bar(context: &Context, count: usize) -> ProgressBar {
    if context.terminal.json {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(count).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} endpoints, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

fn take(
    context: &Context,
    bar: &ProgressBar,
    states: &mut BTreeMap<EndpointId, TargetRow>,
    event: JobEvent,
) -> Result<()> {
    match event {
        JobEvent::Target(row) => {
            if context.terminal.json {
                let shown = json!({ "kind": "target", "endpoint": row.endpoint, "state": target_name(row.state), "code": row.code, "exit": row.exit });
                line(&json_text(&shown))?;
            } else if row.state == TargetState::Waiting {
                bar.suspend(|| line(&waiting_line(&row)))?;
            } else if row.state == TargetState::Refused {
                bar.suspend(|| line(&refusal_line(&row)))?;
            }
            states.insert(row.endpoint, row);
        }
        JobEvent::Output { endpoint, stream, bytes } => {
            let bytes = BASE64.decode(bytes.as_bytes()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes);
            if context.terminal.json {
                let shown = json!({ "kind": "output", "endpoint": endpoint, "stream": stream, "text": text });
                return line(&json_text(&shown));
            }
            let short: String = endpoint.to_string().chars().take(9).collect();
            for text in plain_text(&text).lines() {
                // Not `bar.println`, which says nothing where there is no terminal.
                bar.suspend(|| line(&format!("{short} │ {text}")))?;
            }
        }
    }
    Ok(())
}

fn waiting_line(row: &TargetRow) -> String {
    let code = row.code.as_deref().unwrap_or("unknown");
    let what = if code == Refusal::NotPromoted.code() { "waits for its stage" } else { "waits" };
    format!("{} {what}: {}", row.endpoint, cell(code))
}

fn refusal_line(row: &TargetRow) -> String {
    let code = row.code.as_deref().unwrap_or("unknown");
    let advice = Refusal::ALL
        .iter()
        .find(|refusal| refusal.code() == code)
        .map_or("see the guide", |refusal| refusal.advice());
    format!("{} refused: {}; {advice}", row.endpoint, cell(code))
}

fn summary(
    context: &Context,
    id: StatementId,
    states: &BTreeMap<EndpointId, TargetRow>,
) -> Result<()> {
    let count = |state| states.values().filter(|row| row.state == state).count();
    let shown = json!({
        "kind": "summary", "job": id,
        "done": count(TargetState::Done), "failed": count(TargetState::Failed),
        "refused": count(TargetState::Refused), "expired": count(TargetState::Expired),
    });
    let text = format!(
        "done {}, failed {}, refused {}, expired {}\nreceipts: bartizan receipts {id}",
        count(TargetState::Done),
        count(TargetState::Failed),
        count(TargetState::Refused),
        count(TargetState::Expired)
    );
    context.terminal.result(&shown, &text)?;
    if count(TargetState::Refused) > 0 {
        return Err(fail(
            Code::Refused,
            "endpoints refused the job",
            format!("see why: bartizan receipts {id}"),
        ));
    }
    let cancelled = count(TargetState::Cancelled);
    if cancelled > 0 {
        let problem = format!("a quarantine of the server ended it on {cancelled} endpoints");
        return Err(fail(Code::Error, problem, "sign it again: bartizan preflight --resign"));
    }
    let unwell = count(TargetState::Failed) + count(TargetState::Expired);
    if unwell > 0 {
        let next = format!("see the exit codes: bartizan receipts {id}");
        return Err(fail(Code::Error, format!("it did not succeed on {unwell} endpoints"), next));
    }
    Ok(())
}
