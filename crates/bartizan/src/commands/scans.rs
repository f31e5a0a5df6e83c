//! What came of a scan: every word of it verified against what endpoints signed before anything is shown.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::JobDetail;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use bartizan_trust::statement::{Action, Decision, Job, Receipt, Scan};
use bartizan_trust::targets::{TargetTree, in_stages};
use clap::Args;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::scan::{output_of, result_path, scanner};
use super::{Console, Context, File, Filter, fetch_all, receipts, watch};
use crate::exit::{Code, Verdict, fail, refused};
use crate::rollout::fetch_receipts;
use crate::terminal::{cell, line, plain_text};

/// `bartizan scan report …`
#[derive(Debug, Args)]
pub(crate) struct ReportOptions {
    /// The job, or enough of its beginning
    id: String,
    /// Write it into a file too; its ending says the form: .json .html .csv .txt
    #[arg(long = "report", value_name = "FILE")]
    reports: Vec<File>,
}

/// `bartizan scan evidence …`
#[derive(Debug, Args)]
pub(crate) struct EvidenceOptions {
    /// The job, or enough of its beginning
    id: String,
    /// The endpoint
    endpoint: EndpointId,
    /// The file [default: ENDPOINT.age]
    #[arg(long, short)]
    output: Option<File>,
}

/// A scan that people signed, and whom it names.
struct Asked {
    id: StatementId,
    scan: Scan,
    targets: Vec<EndpointId>,
}

pub(crate) fn report(context: &Context, options: &ReportOptions) -> Result<()> {
    let console = context.connect()?;
    let asked = fetch(&console, &options.id)?;
    let said = receipts_of(&console, asked.id)?;
    let names: BTreeMap<EndpointId, String> = fetch_all(&console.api, &Filter::default())?
        .into_iter()
        .map(|row| (row.id, cell(&row.hostname)))
        .collect();
    let folder = tempfile::tempdir().context("make a folder for results")?;
    let mut rows = Vec::new();
    for endpoint in &asked.targets {
        let name = names.get(endpoint).cloned().unwrap_or_else(|| endpoint.to_string());
        rows.push(row(&console, &asked, (endpoint, name), said.get(endpoint), folder.path())?);
    }
    let index = folder.path().join("index.json");
    let text = json!({ "job": asked.id, "endpoints": rows }).to_string();
    fs::write(&index, text).context("write the index")?;
    let mut command = scanner()?;
    command.arg("rollup").arg(&index);
    for file in &options.reports {
        command.arg("--report").arg(file);
    }
    if context.terminal.json {
        command.arg("--json");
    }
    let output = output_of(&mut command)?;
    let code = output.status.code().and_then(|code| u8::try_from(code).ok());
    let Some(code) = code.filter(|code| *code <= 3) else {
        let said = plain_text(String::from_utf8_lossy(&output.stderr).trim());
        return Err(fail(Code::Error, said, "correct what is named and try again"));
    };
    line(String::from_utf8_lossy(&output.stdout).trim_end())?;
    if code == 0 { Ok(()) } else { Err(anyhow::Error::new(Verdict(code))) }
}

pub(crate) fn evidence(context: &Context, options: &EvidenceOptions) -> Result<()> {
    let console = context.connect()?;
    let asked = fetch(&console, &options.id)?;
    let endpoint = &options.endpoint;
    if asked.scan.evidence.is_none() {
        let next = "submit another with --evidence-for";
        return Err(fail(Code::Error, "this scan asked for no evidence", next));
    }
    let said = receipts_of(&console, asked.id)?;
    let Some(receipt) = said.get(endpoint).filter(|receipt| receipt.decision == Decision::Done)
    else {
        let next = format!("see what became of it: bartizan scan report {}", asked.id);
        return Err(fail(Code::Pending, format!("{endpoint} has not finished this scan"), next));
    };
    let Some(result) = result(&console, &asked, endpoint, receipt)? else {
        let next = "treat the server as compromised, or have the endpoint scan again";
        return Err(refused(format!("what {endpoint} sent is not what it signed"), next));
    };
    // SPEC: scan.md "What comes back"
    let end = result.iter().position(|byte| *byte == b'\n').map_or(result.len(), |end| end + 1);
    let archive = result.get(end..).unwrap_or_default();
    if archive.is_empty() {
        return Err(fail(Code::Error, "there is no archive", "see the report"));
    }
    let file = options.output.clone().unwrap_or_else(|| format!("{endpoint}.age").into());
    fs::write(&file, archive).with_context(|| format!("write {}", file.display()))?;
    let sha256 = Sha256::of(archive);
    let shown = json!({ "job": asked.id, "endpoint": endpoint, "file": file, "size": archive.len(), "sha256": sha256 });
    let name = file.display();
    let text = format!(
        "{name}: {} bytes, sha256 {sha256}\nopen it: age -d -i KEY {name} | tar -xz",
        archive.len()
    );
    context.terminal.result(&shown, &text)
}

/// The job as it was signed, with exactly the endpoints of its tree: the server can leave none out.
fn fetch(console: &Console, id: &str) -> Result<Asked> {
    let id = watch::find(console, id)?;
    let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
    let envelope = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
    let envelope = Envelope::decode(&envelope).context("read the job")?;
    let job: Job = envelope.statement().context("read the job")?;
    let targets: Vec<EndpointId> = detail.targets.iter().map(|row| row.endpoint).collect();
    let tree = TargetTree::new(&in_stages(&targets, &job.stages)).ok();
    if envelope.id() != id || tree.is_none_or(|tree| tree.targets() != job.targets) {
        return Err(refused(
            "the server shows another job, or other endpoints than those it was signed for",
            "treat the server as compromised: compare with another operator",
        ));
    }
    let Action::Scan(scan) = job.action else {
        return Err(fail(Code::Error, "this job is no scan", "see `bartizan jobs`"));
    };
    Ok(Asked { id, scan: *scan, targets })
}

/// What each endpoint signed about a job: how it ended, or else its last refusal. What does not verify counts for nothing.
fn receipts_of(console: &Console, id: StatementId) -> Result<BTreeMap<EndpointId, Receipt>> {
    let mut all: BTreeMap<EndpointId, Receipt> = BTreeMap::new();
    for bytes in fetch_receipts(&console.api, id)? {
        let Ok((receipt, true)) = receipts::verify(&bytes) else { continue };
        if receipt.job != id {
            continue;
        }
        let later = all.get(&receipt.endpoint).is_none_or(|known| {
            let rank = |receipt: &Receipt| (receipt.decision != Decision::Refused, receipt.seq);
            rank(&receipt) > rank(known)
        });
        if later {
            all.insert(receipt.endpoint, receipt);
        }
    }
    Ok(all)
}

fn row(
    console: &Console,
    asked: &Asked,
    (endpoint, name): (&EndpointId, String),
    receipt: Option<&Receipt>,
    folder: &Path,
) -> Result<Value> {
    let Some(receipt) = receipt else {
        return Ok(
            json!({ "endpoint": endpoint, "name": name, "answer": "none", "code": "none", "exit": null, "result": null }),
        );
    };
    let answer = match receipt.decision {
        Decision::Done => "done",
        Decision::Refused => "refused",
        Decision::Failed
        | Decision::TimedOut
        | Decision::Interrupted
        | Decision::Standing
        | Decision::Ended => "failed",
    };
    let file = match receipt.decision {
        Decision::Done => result(console, asked, endpoint, receipt)?,
        _ => None,
    };
    let file = file
        .map(|bytes| {
            let file = format!("{endpoint}.result");
            fs::write(folder.join(&file), bytes).context("write a result").map(|()| file)
        })
        .transpose()?;
    Ok(
        json!({ "endpoint": endpoint, "name": name, "answer": answer, "code": cell(&receipt.code), "exit": receipt.exit, "result": file }),
    )
}

/// What an endpoint found, if it is here whole and is what the endpoint signed.
fn result(
    console: &Console,
    asked: &Asked,
    endpoint: &EndpointId,
    receipt: &Receipt,
) -> Result<Option<Vec<u8>>> {
    let bytes = match console.api.fetch_bytes(&result_path(asked.id, endpoint)) {
        Ok(bytes) => bytes,
        Err(error) if crate::exit::reason(&error).as_deref() == Some("request.not_found") => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let whole = u64::try_from(bytes.len()).is_ok_and(|size| size == receipt.output.size);
    Ok((whole && Sha256::of(&bytes) == receipt.output.sha256).then(|| bytes.to_vec()))
}
