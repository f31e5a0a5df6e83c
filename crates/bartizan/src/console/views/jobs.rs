//! Jobs.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, JobPage};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::people::lacks_customer;
use bartizan_trust::statement::{Action, Interpreter, Job, Receipt, Script};
use bartizan_trust::targets::{TargetTree, in_stages};
use data_encoding::BASE64;

use super::{bounded, id, job_row, names, next, signed_by, target_row, word};
use crate::commands::{Console, approve, receipts as receipt, watch};
use crate::console::shapes::{
    JobView, JobsQuery, JobsWindow, Part, ReceiptRow, ReceiptsWindow, ScriptView, StateCount,
    TargetsQuery, TargetsWindow, Verification,
};
use crate::exit::{Code, fail, refused};
use crate::rollout::fetch_receipts;
use crate::sign::render;

const STATES: [&str; 5] = ["pending", "active", "finished", "expired", "cancelled"];

/// Jobs, newest first.
pub(crate) fn list(console: &Console, query: &JobsQuery) -> Result<JobsWindow> {
    let state = query.state.as_deref().unwrap_or_default();
    if !state.is_empty() && !STATES.contains(&state) {
        return Err(fail(
            Code::Usage,
            "no such state of jobs",
            format!("one of {}", STATES.join(", ")),
        ));
    }
    let limit = query.limit.clamp(1, 200);
    let page: JobPage = console
        .api
        .fetch(&format!("/v1/jobs?state={state}&offset={}&limit={limit}", query.offset))?;
    let rows = page.jobs.iter().map(|row| job_row(&console.trust.bundle, row)).collect();
    Ok(JobsWindow { total: page.total, offset: query.offset, rows })
}

/// What the server has of a job.
pub(in crate::console) fn detail(console: &Console, id: StatementId) -> Result<JobDetail> {
    console.api.fetch(&format!("/v1/jobs/{id}"))
}

/// Whether it is what an operator signed, with its script and exactly its endpoints.
pub(in crate::console) fn verify(
    console: &Console,
    id: StatementId,
    detail: &JobDetail,
) -> Result<(Envelope, Job, Vec<u8>)> {
    let (envelope, content) = approve::genuine(console, id, detail)?;
    let job: Job = envelope.statement().context("read the job")?;
    let endpoints: Vec<EndpointId> = detail.targets.iter().map(|row| row.endpoint).collect();
    let tree = TargetTree::new(&in_stages(&endpoints, &job.stages));
    let listed = u32::try_from(endpoints.len()).unwrap_or(u32::MAX);
    if listed != job.targets.count || tree.map(|tree| tree.targets()) != Ok(job.targets) {
        let next = "do not sign; tell the other operators and look at `bartizan log verify`";
        return Err(refused("the server lists other endpoints than those the job names", next));
    }
    Ok((envelope, job, content))
}

/// One job.
pub(crate) fn show(console: &Console, text: &str) -> Result<JobView> {
    let id = id(text)?;
    let detail = detail(console, id)?;
    let bytes = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
    let envelope = Envelope::decode(&bytes).context("read the job")?;
    let job: Job = envelope.statement().context("read the job")?;
    let verified = verify(console, id, &detail);
    let content = verified.as_ref().ok().map(|(_, _, content)| content.as_slice());
    let text = match content {
        Some(content) => render::job_envelope(&envelope, content)?,
        None => render::statement(&envelope)?,
    };
    let bundle = &console.trust.bundle;
    let approvals = approve::approvals(console, &envelope, &job);
    Ok(JobView {
        row: job_row(bundle, &detail.row),
        text,
        words: render::words(&envelope),
        tenant: job.tenant.name().to_owned(),
        signatures: signed_by(console, &envelope),
        approvals: u32::try_from(approvals).unwrap_or(u32::MAX),
        approvals_needed: bundle.class_rule(job.class).map_or(0, |rule| rule.approvals),
        who_else: render::who_else(bundle, job.class),
        lacks_customer: lacks_customer(bundle, &job, &envelope),
        script: script(&job, content),
        begins: job.window.nbf.get(),
        ends: job.window.exp.get(),
        ticket: job.display.ticket.clone(),
        reason: job.display.reason.clone(),
        counts: counts(&detail),
        witnessed: detail.witnessed,
        log_index: detail.log_index,
        staged: job.stages.len() > 1,
        starts: job.trigger.as_ref().map(|trigger| render::what_starts(&trigger.on)),
        withdrawn: console.view.withdrawals.contains(&id),
        verification: match verified {
            Ok(_) => Verification::good(),
            Err(error) => Verification::bad(format!("{error:#}")),
        },
    })
}

fn script(job: &Job, content: Option<&[u8]>) -> Option<ScriptView> {
    let Action::Script(script) = &job.action else { return None };
    Some(script_view(script, content?))
}

fn script_view(script: &Script, content: &[u8]) -> ScriptView {
    let interpreter = match script.interpreter {
        Interpreter::Bash => "bash",
        Interpreter::Sh => "sh",
        Interpreter::Python3 => "python3",
    };
    ScriptView {
        interpreter: interpreter.to_owned(),
        text: String::from_utf8_lossy(content).into_owned(),
        sha256: script.content.sha256.to_string(),
        args: script.args.clone(),
        env: script.env.iter().map(|var| format!("{}={}", var.name, var.value)).collect(),
        run_as: script.run_as.clone(),
        timeout_s: script.timeout_s,
        destructive: script.destructive,
    }
}

fn counts(detail: &JobDetail) -> Vec<StateCount> {
    let mut found: BTreeMap<&'static str, u64> = BTreeMap::new();
    for row in &detail.targets {
        *found.entry(watch::target_name(row.state)).or_default() += 1;
    }
    found.into_iter().map(|(state, count)| StateCount { state: state.to_owned(), count }).collect()
}

/// Its endpoints, in the order of its tree.
pub(crate) fn targets(
    console: &Console,
    text: &str,
    query: &TargetsQuery,
) -> Result<TargetsWindow> {
    let id = id(text)?;
    let detail = detail(console, id)?;
    let (_, job, _) = verify(console, id, &detail)?;
    let endpoints: Vec<EndpointId> = detail.targets.iter().map(|row| row.endpoint).collect();
    let stages = in_stages(&endpoints, &job.stages);
    let wanted = query.state.as_deref().filter(|state| !state.is_empty());
    let fitting: Vec<_> = detail
        .targets
        .iter()
        .zip(stages)
        .filter(|(row, _)| wanted.is_none_or(|state| watch::target_name(row.state) == state))
        .collect();
    let total = u64::try_from(fitting.len()).unwrap_or(u64::MAX);
    let shown = Part { offset: query.offset, limit: query.limit }.of(fitting);
    let ids: Vec<EndpointId> = shown.iter().map(|(row, _)| row.endpoint).collect();
    let mut names = names(console, &ids)?;
    let rows = shown
        .into_iter()
        .map(|(row, (endpoint, stage))| target_row(row, stage, names.remove(&endpoint)))
        .collect();
    Ok(TargetsWindow { total, offset: query.offset, rows })
}

/// Its receipts, each verified.
pub(crate) fn receipts(console: &Console, text: &str, part: Part) -> Result<ReceiptsWindow> {
    let id = id(text)?;
    let mut rows = Vec::new();
    for bytes in fetch_receipts(&console.api, id)? {
        rows.push(receipt_row(&bytes, |receipt| receipt.job == id, None)?);
    }
    let bad = rows.iter().filter(|row| !row.verification.verified).count();
    let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let mut rows = part.of(rows);
    let ids: Vec<EndpointId> = rows.iter().filter_map(|row| row.endpoint.parse().ok()).collect();
    let names = names(console, &ids)?;
    for row in &mut rows {
        row.hostname = row.endpoint.parse().ok().and_then(|id: EndpointId| names.get(&id).cloned());
    }
    Ok(ReceiptsWindow {
        total,
        offset: part.offset,
        bad: u64::try_from(bad).unwrap_or(u64::MAX),
        rows,
    })
}

/// A receipt; verified when the endpoint's own key signed it and it `fits` what was asked for.
pub(super) fn receipt_row(
    bytes: &[u8],
    fits: impl Fn(&Receipt) -> bool,
    hostname: Option<String>,
) -> Result<ReceiptRow> {
    let (receipt, signed) = receipt::verify(bytes)?;
    let verification = match (signed, fits(&receipt)) {
        (true, true) => Verification::good(),
        (false, _) => Verification::bad("the endpoint's own key has not signed it"),
        (true, false) => Verification::bad("the server shows a receipt of something else"),
    };
    Ok(ReceiptRow {
        id: Envelope::decode(bytes).context("read a receipt")?.id().to_string(),
        endpoint: receipt.endpoint.to_string(),
        hostname,
        job: receipt.job.to_string(),
        seq: receipt.seq,
        occurrence: receipt.occurrence.map(bartizan_trust::time::UnixSeconds::get),
        decision: word(&receipt.decision),
        next: next(&receipt.code),
        code: bounded(&receipt.code),
        exit: receipt.exit,
        output_bytes: receipt.output.size,
        t0: receipt.t0.get(),
        t1: receipt.t1.get(),
        verification,
    })
}
