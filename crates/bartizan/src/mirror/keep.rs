//! Bringing a mirror up to date from the server.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, JobState, Standing};
use bartizan_trust::checkpoint;
use bartizan_trust::id::StatementId;
use bartizan_trust::merkle::{Frontier, leaf_hash};
use bartizan_trust::note::VerifierKey;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::Job;
use data_encoding::BASE64;
use serde::Serialize;

use super::folder::{self, EndpointFile, Work};
use crate::api::Api;
use crate::commands::{Console, Filter, fetch_all};
use crate::exit::refused;
use crate::home::{now, write_private};
use crate::rollout::fetch_receipts;
use crate::trust::{WholeLog, entries_from};
use crate::witness::Log;

/// How long after its window a job's receipts are still asked for, in seconds: endpoints come back late.
const LATE_S: u64 = 30 * 24 * 3600;
/// In the folder of a job whose every receipt is here.
const FINAL: &str = "final";

/// What a mirror holds after an update.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Kept {
    pub(crate) control: usize,
    pub(crate) jobs: usize,
    pub(crate) receipts: usize,
    pub(crate) endpoints: usize,
    /// What the server sent that is not what was signed; it is not kept.
    pub(crate) refused: Vec<String>,
}

/// Takes in everything new. A log that does not continue the mirror's leaves the mirror as it was, and is refused.
pub(crate) fn update(console: &Console, dir: &Path) -> Result<Kept> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let api = &console.api;
    let control = update_log(api, dir, Log::Control, &trust.control)?;
    let jobs = update_log(api, dir, Log::Jobs, &trust.jobs)?;
    let mut kept =
        Kept { control: control.entries.len(), jobs: jobs.entries.len(), ..Kept::default() };
    for (id, job, _) in super::jobs(&jobs.entries) {
        keep_job(api, dir, id, &job, &mut kept)?;
    }
    for id in super::freezes(&control.entries) {
        keep_receipts(api, dir, id, &mut kept)?;
    }
    keep_endpoints(api, dir, &mut kept)?;
    kept.receipts = folder::names(&dir.join("receipts"))?.len();
    Ok(kept)
}

fn update_log(api: &Api, dir: &Path, log: Log, key: &VerifierKey) -> Result<WholeLog> {
    let known = folder::read_log(dir, log, key)?;
    let mut entries = known.map_or_else(Vec::new, |known| known.entries);
    let old = entries.len();
    let note = api.fetch_bytes(&format!("/v1/log/{}/checkpoint", log.name()))?;
    let opened = checkpoint::open(&note, key).map_err(|error| {
        refused(
            format!("log {}: {error}", log.name()),
            "this is not the log your bundle names; do not go on",
        )
    })?;
    let have = u64::try_from(old).context("count entries")?;
    let next = "keep this mirror, it is evidence; tell the other operators; do not sign anything on this server";
    if opened.checkpoint.size < have {
        let problem = format!(
            "LOG SHRUNK: `{}` has {} entries, the mirror {have}",
            key.name(),
            opened.checkpoint.size
        );
        return Err(refused(problem, next));
    }
    entries.extend(entries_from(api, log, have, opened.checkpoint.size)?);
    let mut frontier = Frontier::default();
    for entry in &entries {
        frontier.push(leaf_hash(entry));
    }
    if frontier.root() != opened.checkpoint.root {
        let problem = format!("LOG FORKED: `{}` does not continue the mirror", key.name());
        return Err(refused(problem, next));
    }
    let whole = WholeLog { entries, opened };
    folder::write_log(dir, log, &whole, old)?;
    Ok(whole)
}

fn keep_job(api: &Api, dir: &Path, id: StatementId, job: &Job, kept: &mut Kept) -> Result<()> {
    let mark = dir.join("jobs").join(id.to_string()).join(FINAL);
    if mark.exists() {
        return Ok(());
    }
    // A server that lost or hides a job must not keep us from the others.
    let detail: JobDetail = match api.fetch(&format!("/v1/jobs/{id}")) {
        Ok(detail) => detail,
        Err(error) => {
            kept.refused.push(format!("{id}: {error:#}"));
            return Ok(());
        }
    };
    if folder::work(dir, id)?.is_none() {
        let content = BASE64.decode(detail.content.as_bytes()).context("read a script")?;
        let targets = detail.targets.iter().map(|row| row.endpoint).collect();
        let work = Work { content, targets };
        if super::fits(job, &work) {
            folder::put_work(dir, id, &work)?;
        } else {
            kept.refused.push(format!("{id}: script or targets are not those that were signed"));
        }
    }
    keep_receipts(api, dir, id, kept)?;
    let late = now() > job.ends().plus(LATE_S);
    if detail.row.state == JobState::Finished || late {
        write_private(&mark, b"")?;
    }
    Ok(())
}

fn keep_receipts(api: &Api, dir: &Path, id: StatementId, kept: &mut Kept) -> Result<()> {
    for bytes in fetch_receipts(api, id)? {
        let Some((receipt, _)) = super::receipt(&bytes) else {
            kept.refused.push(format!("{id}: a receipt that its endpoint did not sign"));
            continue;
        };
        let path = dir.join("receipts").join(format!("{receipt}.json"));
        if !path.exists() {
            write_private(&path, &bytes)?;
        }
    }
    Ok(())
}

fn keep_endpoints(api: &Api, dir: &Path, kept: &mut Kept) -> Result<()> {
    for row in fetch_all(api, &Filter::default())? {
        let descriptor = BASE64.decode(row.descriptor.as_bytes()).context("read a descriptor")?;
        if super::descriptor(row.id, &descriptor).is_none() {
            kept.refused.push(format!("{}: a descriptor that it did not sign", row.id));
            continue;
        }
        let file = EndpointFile {
            descriptor: row.descriptor,
            enrolment: row.enrolment,
            admitted: row.standing == Standing::Admitted,
        };
        let path = dir.join("endpoints").join(format!("{}.json", row.id));
        let bytes = serde_json::to_vec(&file).context("write an endpoint")?;
        if std::fs::read(&path).ok().as_deref() != Some(&bytes[..]) {
            write_private(&path, &bytes)?;
        }
        kept.endpoints += 1;
    }
    Ok(())
}
