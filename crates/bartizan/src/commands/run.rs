//! `run`: compose a job, show it, sign it as its author.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobSubmission, Stored};
use bartizan_trust::class::{Content as Reviewed, derive_class};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, TenantId};
use bartizan_trust::json::Validate;
use bartizan_trust::limits;
use bartizan_trust::statement::{
    Action, Class, ClassRule, Content, Display, EnvVar, Interpreter, Job, Script, SignatureRole,
    Stage, V1, Window,
};
use bartizan_trust::targets::{TargetTree, in_stages};
use clap::{Args, ValueEnum};
use data_encoding::BASE64;
use serde_json::json;

use super::rollout::{self, Offer, Promote};
use super::trigger::TriggerOptions;
use super::{Console, Context, File, endpoints, options, watch};
use crate::exit::{Code, fail};
use crate::home::{nonce, now, read_bounded};
use crate::keys::Signer;
use crate::mine;
use crate::rollout::plan::{self, Demands, Plan};
use crate::sign::render;
use crate::witness;

/// `bartizan run …`
#[derive(Debug, Args)]
pub(crate) struct RunOptions {
    /// Where: `all`, `tenant:NAME`, `site:NAME`, ids or host names
    #[arg(long, required = true)]
    on: Vec<String>,
    /// A stricter class than the derived one
    #[arg(long)]
    class: Option<ClassName>,
    /// Who reads the script [default: by its ending]
    #[arg(long)]
    interpreter: Option<InterpreterName>,
    /// An argument for the script
    #[arg(long = "arg", allow_hyphen_values = true)]
    args: Vec<String>,
    /// A variable, NAME=VALUE
    #[arg(long = "env", value_parser = variable)]
    env: Vec<EnvVar>,
    /// Longest run
    #[arg(long, default_value = "10m", value_parser = options::seconds)]
    timeout: u64,
    /// For endpoints that are away: how long the job may wait
    #[arg(long, default_value = "24h", value_parser = options::seconds)]
    expires: u64,
    /// The local account [default: root]
    #[arg(long)]
    run_as: Option<String>,
    /// Say that it deletes or disables something
    #[arg(long)]
    destructive: bool,
    /// What it does, in a line [default: the file's name]
    #[arg(long)]
    title: Option<String>,
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
    /// Most failures of a stage before the next
    #[arg(long, default_value = "10%", value_parser = plan::percent)]
    max_fail: u32,
    /// How many people let each later stage begin
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=8))]
    promoters: u32,
    /// Let later stages begin by itself while all goes well
    #[arg(long, conflicts_with = "no_wait")]
    auto: bool,
    /// Return as soon as it is submitted
    #[arg(long)]
    no_wait: bool,
    /// Only after this job has ended well on the endpoint; may be given again
    #[arg(long)]
    after: Vec<String>,
    #[command(flatten)]
    trigger: TriggerOptions,
    /// The script
    script: File,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum ClassName {
    Routine,
    Change,
    Fleet,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum InterpreterName {
    Bash,
    Sh,
    Python3,
}

fn variable(text: &str) -> Result<EnvVar, String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok(EnvVar { name: name.to_owned(), value: value.to_owned() })
}

pub(crate) fn run(context: &Context, options: &RunOptions) -> Result<()> {
    let content = read_script(&options.script)?;
    let console = context.connect()?;
    let chosen = endpoints::choose(&console, &options.on)?;
    let mut job = compose(&console, options, &content, chosen.tenant)?;
    job.targets.count = u32::try_from(chosen.endpoints.len()).unwrap_or(u32::MAX);
    job.after = options.after.iter().map(|id| watch::find(&console, id)).collect::<Result<_>>()?;
    job.after.sort_unstable();
    job.after.dedup();
    let derived = derive_class(&console.trust.bundle, &job, Reviewed::New);
    job.class = derived.max(job.class);
    let rule = console.trust.bundle.class_rule(job.class);
    job.stages = stages(options, rule, job.targets.count)?;
    let endpoints = plan::order(&chosen.endpoints, &chosen.present, &job.stages);
    job.targets = TargetTree::new(&in_stages(&endpoints, &job.stages))
        .map_err(|error| fail(Code::Error, error.to_string(), "choose other endpoints"))?
        .targets();
    check_stages(&job, rule)?;
    if let Err(problem) = job.validate() {
        return Err(fail(
            Code::Error,
            format!("this job would be invalid: {problem}"),
            "change the options and try again",
        ));
    }
    let envelope = sign_and_submit(context, &console, &job, &content, &endpoints)?;
    after_submission(context, &console, options, &job, &envelope)
}

/// Says who must do what, and waits where that is wanted.
fn after_submission(
    context: &Context,
    console: &Console,
    options: &RunOptions,
    job: &Job,
    envelope: &Envelope,
) -> Result<()> {
    let id = envelope.id();
    let approvals = console.trust.bundle.class_rule(job.class).map_or(0, |rule| rule.approvals);
    let who = render::who_else(&console.trust.bundle, job.class);
    let later = (job.stages.len() > 1).then(|| {
        let first = job.stages.first().map_or(0, |stage| stage.count);
        format!(
            "{first} of {} endpoints go first; the others begin with: bartizan promote {id}, or bartizan rollout {id} --auto",
            job.targets.count
        )
    });
    if options.no_wait || job.trigger.is_some() {
        let shown = json!({
            "job": id, "class": job.class.name(), "words": render::words(envelope), "approvals_needed": approvals,
            "stages": job.stages.len(),
        });
        let mut text = format!("{id}\nclass {}; {who} must sign: bartizan approve {id}", job.class);
        if let Some(later) = later {
            text += &format!("\n{later}");
        }
        return context.terminal.result(&shown, &text);
    }
    if approvals > 0 {
        eprintln!("{who} must sign: bartizan approve {id}");
    }
    if options.auto {
        return rollout::follow(context, console, id, Promote::Auto, None);
    }
    if let Some(later) = later {
        eprintln!("{later}");
    }
    watch::follow(context, console, id, Offer::WhenReady, None)
}

fn stages(options: &RunOptions, rule: Option<&ClassRule>, count: u32) -> Result<Vec<Stage>> {
    let plan = options.stages.clone().unwrap_or_else(|| Plan::usual(rule, count));
    let demanded = rule.filter(|rule| rule.stages_min > 1).map_or(0, |rule| rule.soak_s_min);
    let demands = Demands {
        soak_s: options.soak.unwrap_or(demanded),
        promote_min: options.promoters,
        failures_percent_max: options.max_fail,
    };
    plan.divide(count, demands)
        .map_err(|problem| fail(Code::Usage, problem, "see `bartizan help run`"))
}

/// Nobody should sign what every endpoint refuses, or what ends before its last stage can begin.
pub(super) fn check_stages(job: &Job, rule: Option<&ClassRule>) -> Result<()> {
    let Some(rule) = rule else { return Ok(()) };
    if bartizan_trust::stages::check_class(rule, job).is_err() {
        let problem = format!(
            "jobs of class `{}` need {} stages, at most {} endpoints in the first, and soaks of {} s",
            job.class, rule.stages_min, rule.first_stage_max, rule.soak_s_min
        );
        return Err(fail(Code::Usage, problem, "leave out --stages and --soak, or say more"));
    }
    let last = u32::try_from(job.stages.len()).unwrap_or(u32::MAX).saturating_sub(1);
    if job.window.nbf.plus(rule.delay_s + job.soak_s(last)) >= job.window.exp {
        let problem = "the job would be over before its last stage can begin";
        return Err(fail(Code::Usage, problem, "give a longer --expires or a shorter --soak"));
    }
    Ok(())
}

fn read_script(path: &Path) -> Result<Vec<u8>> {
    let content = read_bounded(path)?;
    if content.len() > limits::CONTENT_BYTES_MAX {
        return Err(fail(
            Code::Error,
            "the script is larger than 1 MiB",
            "let it fetch large data itself, from a place you trust",
        ));
    }
    Ok(content)
}

fn compose(
    console: &Console,
    options: &RunOptions,
    content: &[u8],
    tenant: TenantId,
) -> Result<Job> {
    let now = now();
    let mut env = options.env.clone();
    env.sort();
    let class = match options.class {
        None | Some(ClassName::Routine) => Class::Routine,
        Some(ClassName::Change) => Class::Change,
        Some(ClassName::Fleet) => Class::Fleet,
    };
    let name = options
        .script
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    Ok(Job {
        v: V1,
        org: console.org.anchor.org(),
        iat: now,
        crit: Vec::new(),
        nonce: nonce()?,
        bundle_min: console.trust.bundle.version,
        tenant,
        class,
        action: Action::Script(Script {
            interpreter: interpreter(options),
            content: Content {
                sha256: Sha256::of(content),
                size: u32::try_from(content.len()).context("count the script")?,
            },
            args: options.args.clone(),
            env,
            run_as: options.run_as.clone(),
            timeout_s: u32::try_from(options.timeout).unwrap_or(u32::MAX),
            output_max: 1024 * 1024,
            destructive: options.destructive,
        }),
        // Filled in when the tree is known.
        targets: bartizan_trust::statement::Targets { count: 1, root: Sha256::of(b"") },
        window: Window { nbf: now, exp: now.plus(options.expires) },
        after: Vec::new(),
        stages: vec![Stage::only(1)],
        display: Display {
            title: options.title.clone().unwrap_or(name),
            ticket: options.ticket.clone(),
            reason: options.reason.clone(),
        },
        trigger: options.trigger.trigger(now)?,
    })
}

fn interpreter(options: &RunOptions) -> Interpreter {
    let ending = options.script.extension().and_then(|ending| ending.to_str());
    match (options.interpreter, ending) {
        (Some(InterpreterName::Bash), _) | (None, Some("bash")) => Interpreter::Bash,
        (Some(InterpreterName::Python3), _) | (None, Some("py")) => Interpreter::Python3,
        (Some(InterpreterName::Sh) | None, _) => Interpreter::Sh,
    }
}

pub(super) fn sign_and_submit(
    context: &Context,
    console: &Console,
    job: &Job,
    content: &[u8],
    endpoints: &[EndpointId],
) -> Result<Envelope> {
    let mut envelope = Envelope::new(job);
    context.terminal.show(&render::job_envelope(&envelope, content)?)?;
    let who = render::who_else(&console.trust.bundle, job.class);
    context.terminal.confirm(&format!("Sign as author? ({who} must sign)"))?;
    Signer::open(&context.home, context.key.as_deref())?
        .sign(&mut envelope, SignatureRole::Author)?;
    mine::remember(&context.home, &envelope)?;
    let submission = JobSubmission {
        envelope: BASE64.encode(&envelope.encode()),
        targets: endpoints.to_vec(),
        content: BASE64.encode(content),
    };
    let _: Stored = console.api.send("/v1/jobs", &submission)?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    Ok(envelope)
}
