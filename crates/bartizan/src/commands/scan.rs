//! `scan`: have endpoints look for traces of a compromise; what came of it; the evidence.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context as _, Result};
use bartizan_trust::class::{Content as Reviewed, derive_class};
use bartizan_trust::id::{EndpointId, Sha256};
use bartizan_trust::json::Validate;
use bartizan_trust::statement::{
    Action, Class, ClassRule, Content, Display, EvidenceOrder, Job, Look, Scan, ScanPack, Stage,
    Targets, V1, Window,
};
use bartizan_trust::targets::{TargetTree, in_stages};
use clap::{Args, Subcommand};
use serde::Deserialize;
use serde_json::json;

use super::rollout::Offer;
use super::run::sign_and_submit;
use super::{Console, Context, File, endpoints, options, pack, scans, watch};
use crate::compose::check_stages;
use crate::exit::{Code, fail, refused};
use crate::home::{nonce, now, read_bounded};
use crate::rollout::plan::{self, Demands, Plan};
use crate::sign::render;
use crate::terminal::plain_text;

/// `bartizan scan …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct ScanOptions {
    #[command(subcommand)]
    command: Option<ScanCommand>,
    #[command(flatten)]
    order: OrderOptions,
}

/// What came of a scan.
#[derive(Debug, Subcommand)]
pub(crate) enum ScanCommand {
    /// What endpoints found, verified here; exit codes as of the scanner: 0, 1, 2, 3
    Report(scans::ReportOptions),
    /// The encrypted archive of one endpoint; `age -d` opens it
    Evidence(scans::EvidenceOptions),
}

/// A new scan.
#[derive(Debug, Args)]
pub(crate) struct OrderOptions {
    /// Where: `all`, `tenant:NAME`, `site:NAME`, ids or host names
    #[arg(long, required = true)]
    on: Vec<String>,
    /// A signed rule pack besides those built in
    #[arg(long = "pack", value_name = "FILE")]
    packs: Vec<File>,
    /// Only the packs that are given, not those built in
    #[arg(long, requires = "packs")]
    no_builtin: bool,
    /// A mounted image or a collected folder on the endpoints instead of the machine
    #[arg(long, value_name = "DIR", conflicts_with = "logs")]
    root: Option<String>,
    /// A folder of logs on the endpoints only
    #[arg(long, value_name = "DIR")]
    logs: Option<String>,
    /// Also the memory of processes
    #[arg(long, conflicts_with_all = ["root", "logs"])]
    processes: bool,
    /// Leave out what matches, as `**/node_modules/**`; the coverage counts it
    #[arg(long, value_name = "GLOB")]
    exclude: Vec<String>,
    /// A remote-management tool that belongs there
    #[arg(long = "expect-tool", value_name = "NAME")]
    expect_tools: Vec<String>,
    /// Per cent of one processor at most
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100))]
    cpu_percent: u32,
    /// Megabytes read a second at most
    #[arg(long, value_name = "MB")]
    io_mb_per_s: Option<u32>,
    /// End after this long and report what was seen until then
    #[arg(long, default_value = "4h", value_parser = options::seconds)]
    time_budget: u64,
    /// Bytes of the result of each endpoint
    #[arg(long, value_name = "BYTES", default_value_t = 256 * 1024)]
    result_max: u32,
    /// Collect evidence for this reader: `age1…`, `ssh-ed25519 …`, or a file with one
    #[arg(long = "evidence-for", value_name = "RECIPIENT")]
    evidence_for: Vec<String>,
    /// Bytes of the encrypted evidence of each endpoint
    #[arg(long, value_name = "BYTES", default_value_t = 2 * 1024 * 1024)]
    evidence_max: u32,
    /// For endpoints that are away: how long the job may wait
    #[arg(long, default_value = "24h", value_parser = options::seconds)]
    expires: u64,
    /// What it is for, in a line
    #[arg(long, default_value = "Scan for traces of a compromise")]
    title: String,
    /// A ticket
    #[arg(long, default_value = "")]
    ticket: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    /// In which waves, like canary:3,10%,rest [default: what the class demands]
    #[arg(long)]
    stages: Option<Plan>,
    /// How long each stage soaks before the next [default: what the class demands]
    #[arg(long, value_parser = options::seconds)]
    soak: Option<u64>,
    /// Return as soon as it is submitted
    #[arg(long)]
    no_wait: bool,
}

/// What the scanner says of packs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checked {
    packs: Vec<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
    body: Sha256,
    size: u32,
}

/// The pack with the scanner's own triggers: every scan uses it, and no job names it.
const SELF_TEST: &str = "self-test";

pub(crate) fn run(context: &Context, options: &ScanOptions) -> Result<()> {
    match &options.command {
        None => order(context, &options.order),
        Some(ScanCommand::Report(options)) => scans::report(context, options),
        Some(ScanCommand::Evidence(options)) => scans::evidence(context, options),
    }
}

fn order(context: &Context, options: &OrderOptions) -> Result<()> {
    let recipients = recipients(&options.evidence_for)?;
    let packs = packs(options, &recipients)?;
    let console = context.connect()?;
    let chosen = endpoints::choose(&console, &options.on)?;
    let tenant = chosen.tenant;
    for (pack, file) in packs.iter().filter(|(pack, _)| pack.size > 0) {
        if !pack::is_vouched_for(file, &console.trust.bundle, &tenant) {
            let problem =
                format!("no author of jobs has signed the pack {}", plain_text(&pack.name));
            let next = "read it with `bartizan-scan pack show`, then: bartizan pack sign FILE";
            return Err(refused(problem, next));
        }
    }
    let content: Vec<u8> = packs.iter().flat_map(|(_, file)| file.iter().copied()).collect();
    let packs = packs.into_iter().map(|(pack, _)| pack).collect();
    let count = u32::try_from(chosen.endpoints.len()).unwrap_or(u32::MAX);
    let scan = compose(options, packs, &content, recipients)?;
    let mut job = Job { tenant, ..job(&console, options, scan)? };
    job.targets.count = count;
    job.class = derive_class(&console.trust.bundle, &job, Reviewed::New);
    let rule = console.trust.bundle.class_rule(job.class);
    job.stages = stages(options, rule, count)?;
    let endpoints = plan::order(&chosen.endpoints, &chosen.present, &job.stages);
    let tree = TargetTree::new(&in_stages(&endpoints, &job.stages));
    job.targets = tree
        .map_err(|error| fail(Code::Error, error.to_string(), "choose other endpoints"))?
        .targets();
    check_stages(&job, rule)?;
    if let Err(problem) = job.validate() {
        let problem = format!("this scan would be invalid: {problem}");
        return Err(fail(Code::Error, problem, "change the options and try again"));
    }
    let envelope = sign_and_submit(context, &console, &job, &content, &endpoints)?;
    let (id, who) = (envelope.id(), render::who_else(&console.trust.bundle, job.class));
    let next = format!("{who} must sign: bartizan approve {id}");
    if options.no_wait {
        let shown = json!({ "job": id, "class": job.class.name(), "words": render::words(&envelope), "approvals_needed": rule.map_or(0, |rule| rule.approvals) });
        let text = format!("{id}\nclass {}; {next}\nbartizan scan report {id}", job.class);
        return context.terminal.result(&shown, &text);
    }
    if rule.is_some_and(|rule| rule.approvals > 0) {
        eprintln!("{next}");
    }
    eprintln!("when it has ended: bartizan scan report {id}");
    watch::follow(context, &console, id, Offer::WhenReady, None)
}

/// Packs as the job names them, and the files that come with it, in the same order.
fn packs(options: &OrderOptions, recipients: &[String]) -> Result<Vec<(ScanPack, Vec<u8>)>> {
    let mut command = scanner()?;
    command.arg("check");
    for file in &options.packs {
        command.arg("--pack").arg(file);
    }
    for recipient in recipients {
        command.arg("--recipient").arg(recipient);
    }
    let output = output_of(&mut command)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = plain_text(said.trim().trim_start_matches("error: "));
        return Err(fail(
            Code::Error,
            said,
            "correct what is named and try again; nothing was signed",
        ));
    }
    let checked: Checked =
        serde_json::from_slice(&output.stdout).context("read what the scanner says")?;
    let mut files = options.packs.iter();
    let mut all = Vec::new();
    for pack in checked.packs {
        let file = match pack.size {
            0 if options.no_builtin || pack.name == SELF_TEST => continue,
            0 => Vec::new(),
            _ => read_pack(files.next().context("a file for each pack")?, &pack)?,
        };
        all.push((ScanPack { name: pack.name, body: pack.body, size: pack.size }, file));
    }
    all.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name));
    Ok(all)
}

fn read_pack(file: &Path, pack: &Named) -> Result<Vec<u8>> {
    let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    if u32::try_from(bytes.len()).ok() != Some(pack.size) {
        let problem = format!("{} changed while it was read", file.display());
        return Err(fail(Code::Error, problem, "try again"));
    }
    Ok(bytes)
}

/// Recipients as they stand in the job: sorted, each once, keys without their comments.
fn recipients(texts: &[String]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for text in texts {
        let lines = if text.starts_with("age1") || text.starts_with("ssh-ed25519 ") {
            text.clone()
        } else {
            String::from_utf8(read_bounded(Path::new(text))?)
                .with_context(|| format!("{text} is no text"))?
        };
        for line in lines.lines().map(str::trim) {
            if !line.is_empty() && !line.starts_with('#') {
                let words: Vec<&str> = line.split_ascii_whitespace().take(2).collect();
                all.push(if line.starts_with("ssh-") { words.join(" ") } else { line.to_owned() });
            }
        }
    }
    all.sort();
    all.dedup();
    Ok(all)
}

fn compose(
    options: &OrderOptions,
    packs: Vec<ScanPack>,
    content: &[u8],
    recipients: Vec<String>,
) -> Result<Scan> {
    let look = match (&options.root, &options.logs) {
        (Some(path), _) => Look::Root { path: path.clone() },
        (None, Some(path)) => Look::Logs { path: path.clone() },
        (None, None) => Look::Machine {},
    };
    let evidence = (!recipients.is_empty())
        .then_some(EvidenceOrder { recipients, bytes_max: options.evidence_max });
    Ok(Scan {
        packs,
        content: Content {
            sha256: Sha256::of(content),
            size: u32::try_from(content.len()).context("count the packs")?,
        },
        look,
        processes: options.processes,
        exclude: options.exclude.clone(),
        expect_tools: options.expect_tools.clone(),
        cpu_percent: options.cpu_percent,
        io_mb_per_s: options.io_mb_per_s,
        time_budget_s: u32::try_from(options.time_budget).unwrap_or(u32::MAX),
        result_max: options.result_max,
        evidence,
    })
}

fn job(console: &Console, options: &OrderOptions, scan: Scan) -> Result<Job> {
    let now = now();
    Ok(Job {
        v: V1,
        org: console.org.anchor.org(),
        iat: now,
        crit: Vec::new(),
        nonce: nonce()?,
        bundle_min: console.trust.bundle.version,
        // Filled in when the endpoints are known.
        tenant: bartizan_trust::id::TenantId::from_name("unknown")?,
        class: Class::Observe,
        action: Action::Scan(Box::new(scan)),
        targets: Targets { count: 1, root: Sha256::of(b"") },
        window: Window { nbf: now, exp: now.plus(options.expires) },
        after: Vec::new(),
        stages: vec![Stage::only(1)],
        display: Display {
            title: options.title.clone(),
            ticket: options.ticket.clone(),
            reason: options.reason.clone(),
        },
        trigger: None,
    })
}

fn stages(options: &OrderOptions, rule: Option<&ClassRule>, count: u32) -> Result<Vec<Stage>> {
    let plan = options.stages.clone().unwrap_or_else(|| Plan::usual(rule, count));
    let demanded = rule.filter(|rule| rule.stages_min > 1).map_or(0, |rule| rule.soak_s_min);
    let demands = Demands {
        soak_s: options.soak.unwrap_or(demanded),
        promote_min: 1,
        // One that cannot be scanned stops no other.
        failures_percent_max: 100,
    };
    plan.divide(count, demands)
        .map_err(|problem| fail(Code::Usage, problem, "see `bartizan help scan`"))
}

/// The scanner beside this program: it reads what is hostile, and this one does not.
pub(super) fn scanner() -> Result<Command> {
    let own = std::env::current_exe().context("find this program")?;
    let scanner: PathBuf = own.with_file_name("bartizan-scan");
    if !scanner.exists() {
        let problem = format!("{} is missing", scanner.display());
        return Err(fail(Code::Error, problem, "install bartizan-scan beside this program"));
    }
    Ok(Command::new(scanner))
}

pub(super) fn output_of(command: &mut Command) -> Result<Output> {
    command.output().context("run bartizan-scan")
}

/// The path of what an endpoint sent.
pub(super) fn result_path(job: impl core::fmt::Display, endpoint: &EndpointId) -> String {
    format!("/v1/jobs/{job}/results/{endpoint}")
}
