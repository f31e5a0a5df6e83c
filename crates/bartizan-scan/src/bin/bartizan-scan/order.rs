//! `order`: a scan as people signed it, for the guard that starts it. SPEC: scan.md "The run", "What comes back"

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bartizan_scan::builtin;
use bartizan_scan::model::Report;
use bartizan_scan::pack::{Pack, body_digest, decode_body, split_pack};
use bartizan_scan::report::{Form, render};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::limits;
use bartizan_trust::statement::{Look, Scan, ScanPack};
use serde_json::{Value, json};

use crate::age::Recipient;
use crate::arguments::{PackArguments, ScanArguments};
use crate::packs::{self, Loaded};
use crate::{collect, output, scan, scope, signature};

/// Scans as the order in a folder says; one line of JSON on standard output, and the archive behind it.
pub(crate) fn run(folder: &Path) -> Result<u8> {
    let order = read_bounded(&folder.join("order.json"), limits::PAYLOAD_BYTES_MAX)?;
    let order: Scan = serde_json::from_slice(&order).context("read the order")?;
    let evidence = order.evidence.as_ref();
    // Before anything is looked at: nobody waits for an archive that cannot be made.
    let recipients: Vec<Recipient> = evidence
        .map_or(&[][..], |evidence| &evidence.recipients)
        .iter()
        .map(|text| Recipient::parse(text))
        .collect::<Result<_>>()?;
    let loaded = load(&order, folder)?;
    let arguments = arguments(&order);
    let scope = scope::scope(&arguments)?;
    let mut report = scan::examine(&arguments, &scope, loaded)?;
    let code = report.exit_code();
    let archive = match evidence {
        Some(evidence) => {
            let bytes_max = usize::try_from(evidence.bytes_max).unwrap_or(usize::MAX);
            let (facts, archive) = collect::collect(&report, &scope, &recipients, bytes_max)?;
            report.archive = Some(facts);
            archive
        }
        None => Vec::new(),
    };
    report.leave_excerpts_out();
    let result = fit(report, usize::try_from(order.result_max).unwrap_or(usize::MAX))?;
    let mut out = std::io::stdout().lock();
    out.write_all(result.as_bytes())
        .and_then(|()| out.write_all(&archive))
        .and_then(|()| out.flush())
        .context("write the result")?;
    Ok(code)
}

/// The report as one line within a limit: its mildest findings go first, then names in the coverage.
fn fit(mut report: Report, bytes_max: usize) -> Result<String> {
    let mut keep = report.findings.len();
    loop {
        let line = render(&report, Form::Json);
        if line.len() <= bytes_max {
            return Ok(line);
        }
        if keep == 0 && !report.coverage.shorten() {
            bail!("the report does not fit into {bytes_max} bytes: allow more");
        }
        keep = keep.saturating_sub(keep / 4 + 1);
        report.leave_findings_out(keep);
    }
}

fn arguments(order: &Scan) -> ScanArguments {
    let (root, logs) = match &order.look {
        Look::Machine {} => (None, None),
        Look::Root { path } => (Some(path.into()), None),
        Look::Logs { path } => (None, Some(path.into())),
    };
    ScanArguments {
        root,
        logs,
        packs: PackArguments::default(),
        exclude: order.exclude.clone(),
        expect_tools: order.expect_tools.clone(),
        canaries: None,
        no_processes: !order.processes,
        pids: Vec::new(),
        network_mounts: false,
        reports: Vec::new(),
        quiet: true,
        jobs: 1,
        cpu_percent: u8::try_from(order.cpu_percent).unwrap_or(1),
        io_mb_per_s: order.io_mb_per_s,
        time_budget: Some(Duration::from_secs(u64::from(order.time_budget_s))),
        resume: None,
    }
}

/// `check`: what a job may name, before anybody signs it.
pub(crate) fn check(files: &[PathBuf], recipients: &[String]) -> Result<u8> {
    for text in recipients {
        Recipient::parse(text)?;
    }
    let mut packs = Vec::new();
    for file in builtin::files() {
        packs.push(named(file, 0)?);
    }
    for path in files {
        let file = read_bounded(path, usize::try_from(limits::SCAN_CONTENT_BYTES_MAX)?)?;
        let name = path.display();
        let pack = named(&file, file.len()).with_context(|| format!("read the pack {name}"))?;
        let problems = packs::unusable(&decode_body(split_pack(&file)?.body)?);
        ensure!(problems.is_empty(), "{name}: rules that cannot be used: {}", problems.join("; "));
        packs.push(pack);
    }
    output::line(&json!({ "packs": packs }).to_string())?;
    Ok(0)
}

fn named(file: &[u8], size: usize) -> Result<Value> {
    let parts = split_pack(file)?;
    let pack = decode_body(parts.body)?;
    Ok(json!({ "name": pack.name, "body": body_digest(parts.body), "size": size }))
}

/// Exactly the packs of the order, and the self-test's own: without its rules nothing could be tested.
fn load(order: &Scan, folder: &Path) -> Result<Loaded> {
    let keys = signature::read_keys(&folder.join("keys")).unwrap_or_default();
    let content_max = usize::try_from(limits::SCAN_CONTENT_BYTES_MAX).unwrap_or(usize::MAX);
    let content = read_bounded(&folder.join("content"), content_max)?;
    let mut rest = content.as_slice();
    let mut all = Vec::new();
    for wanted in &order.packs {
        let size = usize::try_from(wanted.size).unwrap_or(usize::MAX);
        let (file, others) = rest.split_at_checked(size).context("the content is cut short")?;
        rest = others;
        let pack = if file.is_empty() {
            (built_in(wanted)?, "built in".to_owned())
        } else {
            delivered(wanted, file, &keys)?
        };
        all.push(pack);
    }
    ensure!(rest.is_empty(), "the content is longer than its packs");
    if !order.packs.iter().any(|pack| pack.name == builtin::SELF_TEST) {
        for pack in builtin::packs().context("decode the built-in packs")? {
            if pack.name == builtin::SELF_TEST {
                all.push((pack, "built in".to_owned()));
            }
        }
    }
    let (packs, trust) = all.into_iter().unzip();
    Ok(packs::assemble(packs, trust))
}

fn built_in(wanted: &ScanPack) -> Result<Pack> {
    for file in builtin::files() {
        let parts = split_pack(file).context("read a built-in pack: this program is damaged")?;
        let pack = decode_body(parts.body).context("decode a built-in pack")?;
        if pack.name != wanted.name {
            continue;
        }
        ensure!(
            body_digest(parts.body) == wanted.body.to_string(),
            "the pack `{}` built in here is another one ({}) than the one that was signed: update this endpoint, or send the pack with the job",
            wanted.name,
            pack.version
        );
        return Ok(pack);
    }
    bail!("no pack `{}` is built in here: send it with the job", wanted.name)
}

fn delivered(wanted: &ScanPack, file: &[u8], keys: &[PublicKey]) -> Result<(Pack, String)> {
    let name = &wanted.name;
    let parts = split_pack(file).with_context(|| format!("read the pack `{name}`"))?;
    ensure!(
        body_digest(parts.body) == wanted.body.to_string(),
        "the pack `{name}` has another body than the one that was signed"
    );
    let by = signature::signer(&parts, keys).with_context(|| {
        format!("the pack `{name}` is not used; have an author of jobs sign it: bartizan pack sign")
    })?;
    let pack = decode_body(parts.body).with_context(|| format!("decode the pack `{name}`"))?;
    ensure!(pack.name == *name, "the pack `{name}` calls itself `{}`", pack.name);
    Ok((pack, format!("signed by {by}")))
}

fn read_bounded(path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    let file = fs::File::open(path).with_context(|| format!("read {}", path.display()))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(limit).read_to_end(&mut bytes).with_context(|| format!("read {}", path.display()))?;
    ensure!(bytes.len() <= bytes_max, "{} is too large", path.display());
    Ok(bytes)
}
