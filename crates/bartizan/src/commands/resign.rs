//! Jobs and a quarantine: whether all that wait were signed as their rows say, and signing again what was ended.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, JobPage, JobState, JobSubmission, Stored};
use bartizan_proto::preflight::Check;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::statement::{Job, SignatureRole, Window};
use bartizan_trust::targets::{TargetTree, in_stages};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{Console, Context, approve};
use crate::home::{nonce, now};
use crate::keys::Signer;
use crate::mine;
use crate::sign::render;
use crate::terminal::cell;
use crate::witness;

/// What was signed again here, so that it is not asked for twice.
const FILE: &str = "signed-again.json";
/// Problems that are named; of more, only the number.
const NAMED_MAX: usize = 5;

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Done {
    jobs: BTreeSet<StatementId>,
}

/// Every job that waits is one that operators signed, for those endpoints, in the log.
pub(super) fn signed(console: &Console, log: &[Vec<u8>]) -> Result<Check> {
    const NAME: &str = "work.signed";
    let mut problems = Vec::new();
    let mut count = 0;
    for state in ["pending", "active"] {
        let page: JobPage = console.api.fetch(&format!("/v1/jobs?state={state}"))?;
        for row in page.jobs {
            count += 1;
            let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{}", row.id))?;
            if let Err(error) = fits(console, row.id, &detail, log) {
                problems.push(format!("{}: {error:#}", row.id));
            }
        }
    }
    if problems.is_empty() {
        return Ok(Check::ok(NAME, format!("{count} jobs wait, each as it was signed")));
    }
    let more = problems.len().saturating_sub(NAMED_MAX);
    problems.truncate(NAMED_MAX);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    let next = "somebody changed the database: find out who, and raise the alarm with `bartizan preflight --quarantine`, which ends these jobs";
    Ok(Check::fail(NAME, problems.join("; ") + &more, next))
}

fn fits(console: &Console, id: StatementId, detail: &JobDetail, log: &[Vec<u8>]) -> Result<()> {
    let (envelope, _) = approve::check(console, id, detail)?;
    let job: Job = envelope.statement().context("read the job")?;
    let place = usize::try_from(detail.log_index).context("a place in the log")?;
    let logged = log.get(place).is_some_and(|entry| *entry == envelope.encode());
    anyhow::ensure!(logged, "the jobs log does not hold it where the server says");
    let rows = u32::try_from(detail.targets.len()).unwrap_or(u32::MAX);
    anyhow::ensure!(
        rows == job.targets.count,
        "it lists {rows} endpoints and was signed for {}",
        job.targets.count
    );
    anyhow::ensure!(targets_fit(&job, detail), "it lists other endpoints than it was signed for");
    let needed = console.trust.bundle.class_rule(job.class).map_or(u32::MAX, |r| r.approvals);
    let approved = u32::try_from(approve::approvals(console, &envelope, &job)).unwrap_or(0);
    anyhow::ensure!(
        detail.row.state != JobState::Active || approved >= needed,
        "it is marked as complete with {approved} of {needed} approvals"
    );
    Ok(())
}

/// The server's rows, in their order, are the leaves of the tree that was signed.
fn targets_fit(job: &Job, detail: &JobDetail) -> bool {
    let endpoints: Vec<EndpointId> = detail.targets.iter().map(|row| row.endpoint).collect();
    TargetTree::new(&in_stages(&endpoints, &job.stages))
        .is_ok_and(|tree| tree.targets() == job.targets)
}

/// Those that nobody has signed again here.
pub(super) fn waiting(context: &Context, cancelled: &[StatementId]) -> Result<Vec<StatementId>> {
    let done: Done = context.home.load(FILE)?.unwrap_or_default();
    Ok(cancelled.iter().filter(|id| !done.jobs.contains(id)).copied().collect())
}

/// Shows each and signs it as its author, as a new job with a new window.
pub(super) fn all(
    context: &Context,
    console: &Console,
    cancelled: &[StatementId],
) -> Result<Vec<StatementId>> {
    let mut again = Vec::new();
    for id in waiting(context, cancelled)? {
        let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
        // One that nobody signed is not offered, whatever the server shows.
        let (old, content) = match approve::check(console, id, &detail) {
            Ok(checked) => checked,
            Err(error) => {
                context
                    .terminal
                    .show(&format!("{id} is left out: {}", cell(&format!("{error:#}"))))?;
                continue;
            }
        };
        again.push(sign_again(context, console, &detail, &old, &content)?);
        let mut done: Done = context.home.load(FILE)?.unwrap_or_default();
        done.jobs.insert(id);
        context.home.save(FILE, &done)?;
    }
    Ok(again)
}

fn sign_again(
    context: &Context,
    console: &Console,
    detail: &JobDetail,
    old: &Envelope,
    content: &[u8],
) -> Result<StatementId> {
    let job: Job = old.statement().context("read the job")?;
    let iat = now();
    let length = job.window.exp.since(job.window.nbf);
    let job = Job {
        iat,
        nonce: nonce()?,
        bundle_min: console.trust.bundle.version,
        window: Window { nbf: iat, exp: iat.plus(length) },
        ..job
    };
    let mut envelope = Envelope::new(&job);
    context.terminal.show(&render::job_envelope(&envelope, content)?)?;
    let who = render::who_else(&console.trust.bundle, job.class);
    context.terminal.confirm(&format!("Sign again as author? ({who} must sign)"))?;
    Signer::open(&context.home, context.key.as_deref())?
        .sign(&mut envelope, SignatureRole::Author)?;
    mine::remember(&context.home, &envelope)?;
    let submission = JobSubmission {
        envelope: BASE64.encode(&envelope.encode()),
        targets: detail.targets.iter().map(|row| row.endpoint).collect(),
        content: BASE64.encode(content),
    };
    let _: Stored = console.api.send("/v1/jobs", &submission)?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    Ok(envelope.id())
}
