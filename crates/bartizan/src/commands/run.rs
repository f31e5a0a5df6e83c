//! `run`: compose a job, show it, sign it as its author.

use anyhow::Result;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::EndpointId;
use bartizan_trust::statement::{Class, Display, EnvVar, Interpreter, Job, SignatureRole};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::rollout::{self, Offer, Promote};
use super::trigger::TriggerOptions;
use super::{Console, Context, File, options, watch};
use crate::compose::{self, Composed, Waves, Wish};
use crate::home::{now, read_bounded};
use crate::keys::Signer;
use crate::mine;
use crate::rollout::plan::{self, Plan};
use crate::sign::render;

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
    let content = read_bounded(&options.script)?;
    compose::check_script(&content)?;
    let console = context.connect()?;
    let wish = wish(&console, options)?;
    let Composed { job, endpoints, milder } = compose::compose(&console, wish, &content)?;
    if milder {
        eprintln!(
            "two people have signed this very script before, and each of these endpoints has run it since: class {}",
            job.class
        );
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

fn wish(console: &Console, options: &RunOptions) -> Result<Wish> {
    let class = match options.class {
        None | Some(ClassName::Routine) => Class::Routine,
        Some(ClassName::Change) => Class::Change,
        Some(ClassName::Fleet) => Class::Fleet,
    };
    let name = options.script.file_name();
    let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Wish {
        on: options.on.clone(),
        interpreter: interpreter(options),
        args: options.args.clone(),
        env: options.env.clone(),
        run_as: options.run_as.clone(),
        timeout_s: u32::try_from(options.timeout).unwrap_or(u32::MAX),
        expires_s: options.expires,
        destructive: options.destructive,
        class,
        display: Display {
            title: options.title.clone().unwrap_or(name),
            ticket: options.ticket.clone(),
            reason: options.reason.clone(),
        },
        waves: Waves {
            plan: options.stages.clone(),
            soak_s: options.soak,
            promoters: options.promoters,
            failures_percent_max: options.max_fail,
        },
        after: options.after.iter().map(|id| watch::find(console, id)).collect::<Result<_>>()?,
        trigger: options.trigger.trigger(now())?,
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
    compose::submit(context, console, &envelope, content, endpoints)?;
    Ok(envelope)
}
