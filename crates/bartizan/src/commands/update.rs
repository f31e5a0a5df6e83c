//! `update`: a new version of the endpoints' programs, from the vendor's repository, signed by the organisation too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use bartizan_trust::id::Sha256;
use bartizan_trust::json::Validate;
use bartizan_trust::limits;
use bartizan_trust::statement::{
    Action, Class, ClassRule, Content, Display, Job, Stage, Targets, Update, V1, Window,
};
use bartizan_trust::targets::{TargetTree, in_stages};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::json;

use super::rollout::Offer;
use super::run::sign_and_submit;
use super::{Console, Context, endpoints, options, watch};
use crate::compose::check_stages;
use crate::exit::{Code, fail, refused};
use crate::home::{nonce, now};
use crate::rollout::plan::{self, Demands, Plan};
use crate::sign::render;
use crate::vendor::{METADATA_BYTES_MAX, ROOTS_MAX, Repository, Source, listed_version};

/// `bartizan update …`
#[derive(Debug, Args)]
pub(crate) struct UpdateOptions {
    /// The vendor's repository: an address or a folder with `metadata` and `targets` in it
    #[arg(long, value_name = "URL|DIR")]
    repository: Source,
    /// For https:// believe these certificates instead of the system's
    #[arg(long, value_name = "PEM")]
    ca: Option<PathBuf>,
    /// The vendor's root metadata, as it came with your package
    #[arg(long, default_value = "/usr/share/bartizan/vendor-root.json")]
    vendor_root: PathBuf,
    /// The target in the repository
    #[arg(long, default_value = "bartizan-endpoint.tar")]
    target: String,
    /// Where: `all`, `tenant:NAME`, `site:NAME`, ids or host names
    #[arg(long, required = true)]
    on: Vec<String>,
    /// For endpoints that are away: how long the job may wait; the vendor's metadata may end earlier
    #[arg(long, default_value = "24h", value_parser = options::seconds)]
    expires: u64,
    /// In which rings, like canary:3,10%,rest [default: what the class demands]
    #[arg(long)]
    stages: Option<Plan>,
    /// How long each ring soaks before the next [default: what the class demands]
    #[arg(long, value_parser = options::seconds)]
    soak: Option<u64>,
    /// Most failures of a ring before the next
    #[arg(long, default_value = "10%", value_parser = plan::percent)]
    max_fail: u32,
    /// How many people let each later ring begin
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    promoters: u32,
    /// A ticket
    #[arg(long, default_value = "")]
    ticket: String,
    /// Why
    #[arg(long, default_value = "")]
    reason: String,
    /// Return as soon as it is submitted
    #[arg(long)]
    no_wait: bool,
}

/// What the verifier prints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vendor {
    name: String,
    version: String,
    sha256: Sha256,
    size: u32,
}

pub(crate) fn run(context: &Context, options: &UpdateOptions) -> Result<()> {
    let known = &options.vendor_root;
    let repository = Repository::open(&options.repository, known, options.ca.as_deref())?;
    let vendor = ask_vendor(context, options, &repository)?;
    fetch_target(context, &repository, &vendor)?;
    let program = read_target(&repository.targets(), &vendor)?;
    let package = pack(&repository.metadata(), &program)?;
    let console = context.connect()?;
    let Some(rule) = console.trust.bundle.class_rule(Class::Update) else {
        return Err(fail(
            Code::Error,
            "the bundle has no class `update`, so every endpoint refuses this",
            "add the class to the bundle: `bartizan bundle show`, edit, then `bartizan bundle propose`",
        ));
    };
    let chosen = endpoints::choose(&console, &options.on)?;
    let count = u32::try_from(chosen.endpoints.len()).unwrap_or(u32::MAX);
    let stages = rings(options, rule, count)?;
    let endpoints = plan::order(&chosen.endpoints, &chosen.present, &stages);
    let tree = TargetTree::new(&in_stages(&endpoints, &stages))
        .map_err(|error| fail(Code::Error, error.to_string(), "choose other endpoints"))?;
    let job = compose(&console, options, &vendor, &package)?;
    let job = Job { tenant: chosen.tenant, targets: tree.targets(), stages, ..job };
    check_stages(&job, Some(rule))?;
    if let Err(problem) = job.validate() {
        return Err(fail(
            Code::Error,
            format!("this job would be invalid: {problem}"),
            "change the options and try again",
        ));
    }
    let envelope = sign_and_submit(context, &console, &job, &package, &endpoints)?;
    let (id, root) = (envelope.id(), console.trust.bundle.root.threshold);
    let next = format!("{root} root operators must have signed: bartizan approve {id}");
    if options.no_wait {
        let shown = json!({ "job": id, "class": job.class.name(), "version": vendor.version, "words": render::words(&envelope), "root_threshold": root });
        return context.terminal.result(&shown, &format!("{id}\n{next}"));
    }
    eprintln!("{next}");
    watch::follow(context, &console, id, Offer::WhenReady, None)
}

fn rings(options: &UpdateOptions, rule: &ClassRule, count: u32) -> Result<Vec<Stage>> {
    let plan = options.stages.clone().unwrap_or_else(|| Plan::usual(Some(rule), count));
    let demanded = if rule.stages_min > 1 { rule.soak_s_min } else { 0 };
    let demands = Demands {
        soak_s: options.soak.unwrap_or(demanded),
        promote_min: options.promoters,
        failures_percent_max: options.max_fail,
    };
    plan.divide(count, demands)
        .map_err(|problem| fail(Code::Usage, problem, "see `bartizan help update`"))
}

/// Verifies the repository as every endpoint will, so that nobody signs what they refuse.
fn ask_vendor(
    context: &Context,
    options: &UpdateOptions,
    repository: &Repository,
) -> Result<Vendor> {
    let own = std::env::current_exe().context("find this program")?;
    let verifier = own.with_file_name("bartizan-tuf");
    let answer = Command::new(&verifier)
        .arg("verify")
        .args([&options.vendor_root, &repository.metadata()])
        .arg(context.home.path("vendor"))
        .arg(&options.target)
        .output()
        .with_context(|| format!("run {}; it belongs beside this program", verifier.display()))?;
    if !answer.status.success() {
        return Err(refused(
            format!(
                "the vendor's repository is not believed: {}",
                String::from_utf8_lossy(&answer.stderr).trim()
            ),
            "fetch it again from the vendor itself; sign nothing of this copy",
        ));
    }
    serde_json::from_slice(&answer.stdout).context("read what the verifier says")
}

fn fetch_target(context: &Context, repository: &Repository, vendor: &Vendor) -> Result<()> {
    if vendor.size > limits::UPDATE_BYTES_MAX {
        let next = "ask the vendor; no endpoint takes more";
        return Err(refused("the target is larger than 64 MiB", next));
    }
    let bar = if context.terminal.json { ProgressBar::hidden() } else { ProgressBar::new(0) };
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes}, {elapsed}") {
        bar.set_style(style);
    }
    repository.fetch_target(&vendor.name, vendor.sha256, vendor.size, &bar)
}

/// The target's bytes, which repositories keep under their hash or under their plain name.
fn read_target(targets: &Path, vendor: &Vendor) -> Result<Vec<u8>> {
    let hashed = targets.join(format!("{}.{}", vendor.sha256, vendor.name));
    let path = if hashed.exists() { hashed } else { targets.join(&vendor.name) };
    let size = fs::metadata(&path).with_context(|| format!("find {}", path.display()))?.len();
    if size != u64::from(vendor.size) || size > u64::from(limits::UPDATE_BYTES_MAX) {
        return Err(refused(
            format!("{} is not as large as the vendor says, or larger than 64 MiB", path.display()),
            "fetch the target again",
        ));
    }
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    if Sha256::of(&bytes) != vendor.sha256 {
        return Err(refused(
            format!("{} is not what the vendor signed", path.display()),
            "fetch the target again; if it stays so, tell the vendor",
        ));
    }
    Ok(bytes)
}

/// One archive of what endpoints need: the metadata, and the target under the name `program`.
fn pack(metadata: &Path, program: &[u8]) -> Result<Vec<u8>> {
    let mut archive = Vec::new();
    for name in metadata_names(metadata)? {
        let path = metadata.join(&name);
        let size = fs::metadata(&path).with_context(|| format!("find {}", path.display()))?.len();
        if size > METADATA_BYTES_MAX {
            return Err(fail(
                Code::Error,
                format!("{} is larger than 256 KiB", path.display()),
                "this is no repository of the vendor's; fetch it again",
            ));
        }
        let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
        add(&mut archive, &format!("metadata/{name}"), &bytes)?;
    }
    add(&mut archive, "program", program)?;
    // Two empty blocks end an archive.
    archive.resize(archive.len() + 1024, 0);
    Ok(archive)
}

/// Every root, and the newest of the others: what a client that knows the first root reads.
fn metadata_names(metadata: &Path) -> Result<BTreeSet<String>> {
    let mut names: BTreeSet<String> = fs::read_dir(metadata)
        .with_context(|| format!("list {}", metadata.display()))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_suffix(".root.json").is_some_and(|n| n.parse::<u32>().is_ok()))
        .take(ROOTS_MAX)
        .collect();
    names.insert("timestamp.json".to_owned());
    let snapshot = listed(metadata, "timestamp.json", "snapshot.json")?;
    let targets = listed(metadata, &snapshot, "targets.json")?;
    names.extend([snapshot, targets]);
    Ok(names)
}

/// The file that another one names, with its version where the repository keeps several.
fn listed(metadata: &Path, by: &str, file: &str) -> Result<String> {
    let path = metadata.join(by);
    let bytes = fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let version = listed_version(&bytes, file)
        .with_context(|| format!("{} names no {file}", path.display()))?;
    let versioned = format!("{version}.{file}");
    Ok(if metadata.join(&versioned).exists() { versioned } else { file.to_owned() })
}

/// A plain file as in a POSIX archive: a header, the bytes, zeros up to the next block.
pub(crate) fn add(archive: &mut Vec<u8>, name: &str, bytes: &[u8]) -> Result<()> {
    let mut header = Vec::with_capacity(512);
    let mut field = |text: &str, length: usize| {
        header.extend(text.bytes().chain(core::iter::repeat(0)).take(length));
    };
    anyhow::ensure!(name.len() < 100, "a name of the repository is too long: {name}");
    field(name, 100);
    field("0000644", 8);
    field("0000000", 8);
    field("0000000", 8);
    field(&format!("{:011o}", bytes.len()), 12);
    field("00000000000", 12);
    // Eight blanks stand for the sum while it is counted.
    field("        ", 8);
    field("0", 1);
    field("", 100);
    field("ustar", 6);
    field("00", 2);
    field("", 247);
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    let (before, rest) = header.split_at_checked(148).context("a header of 512 bytes")?;
    let (_, after) = rest.split_at_checked(8).context("a header of 512 bytes")?;
    archive.extend_from_slice(before);
    archive.extend_from_slice(format!("{sum:06o}\0 ").as_bytes());
    archive.extend_from_slice(after);
    archive.extend_from_slice(bytes);
    archive.resize(archive.len().next_multiple_of(512), 0);
    Ok(())
}

fn compose(
    console: &Console,
    options: &UpdateOptions,
    vendor: &Vendor,
    package: &[u8],
) -> Result<Job> {
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
        class: Class::Update,
        action: Action::Update(Update {
            target: vendor.name.clone(),
            version: vendor.version.clone(),
            program: Content { sha256: vendor.sha256, size: vendor.size },
            content: Content {
                sha256: Sha256::of(package),
                size: u32::try_from(package.len()).context("count the package")?,
            },
        }),
        targets: Targets { count: 1, root: Sha256::of(b"") },
        window: Window { nbf: now, exp: now.plus(options.expires) },
        after: Vec::new(),
        stages: vec![Stage::only(1)],
        display: Display {
            title: format!("Update to {}", vendor.version),
            ticket: options.ticket.clone(),
            reason: options.reason.clone(),
        },
        trigger: None,
    })
}
