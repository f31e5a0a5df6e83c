//! A new job: whose endpoints, which class, in which waves. The command line and the pages make theirs here, so that the same wish is
//! the same statement.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobSubmission, Stored};
use bartizan_trust::authorize::orders::check_trigger;
use bartizan_trust::class::{Content as Reviewed, derive_class};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId, TenantId};
use bartizan_trust::json::Validate as _;
use bartizan_trust::limits;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{
    Action, Class, ClassRule, Content, Display, EnvVar, Interpreter, Job, Script, Stage, Targets,
    Trigger, V1, Window,
};
use bartizan_trust::targets::{TargetTree, in_stages};
use data_encoding::BASE64;

use crate::commands::{Console, Context, endpoints};
use crate::exit::{Code, coded, fail};
use crate::home::{nonce, now};
use crate::reviews;
use crate::rollout::plan::{self, Demands, Plan};
use crate::witness;

/// Most output of one run that an endpoint keeps.
const OUTPUT_BYTES_MAX: u32 = 1024 * 1024;

/// What somebody wants to run.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// `all`, `tenant:NAME`, `site:NAME`, ids or host names.
    pub(crate) on: Vec<String>,
    pub(crate) interpreter: Interpreter,
    pub(crate) args: Vec<String>,
    pub(crate) env: Vec<EnvVar>,
    pub(crate) run_as: Option<String>,
    pub(crate) timeout_s: u32,
    pub(crate) expires_s: u64,
    pub(crate) destructive: bool,
    /// At least this one.
    pub(crate) class: Class,
    pub(crate) display: Display,
    pub(crate) waves: Waves,
    pub(crate) after: Vec<StatementId>,
    pub(crate) trigger: Option<Trigger>,
}

/// In which waves, where the class does not say.
#[derive(Debug, Clone)]
pub(crate) struct Waves {
    pub(crate) plan: Option<Plan>,
    pub(crate) soak_s: Option<u64>,
    pub(crate) promoters: u32,
    pub(crate) failures_percent_max: u32,
}

/// A job and the endpoints it names, in the order of its tree.
#[derive(Debug, Clone)]
pub(crate) struct Composed {
    pub(crate) job: Job,
    pub(crate) endpoints: Vec<EndpointId>,
    /// Its class is milder because each of them has run this very script after two people had signed it.
    pub(crate) milder: bool,
}

/// The job that a wish becomes.
pub(crate) fn compose(console: &Console, wish: Wish, content: &[u8]) -> Result<Composed> {
    check_script(content)?;
    let size = u32::try_from(content.len()).context("count the script")?;
    compose_of(console, wish, Content { sha256: Sha256::of(content), size })
}

/// The same of a script whose text is not at hand.
pub(crate) fn compose_of(console: &Console, wish: Wish, content: Content) -> Result<Composed> {
    let chosen = endpoints::choose(console, &wish.on)?;
    let waves = wish.waves.clone();
    let mut job = script_job(console, wish, content, chosen.tenant)?;
    job.targets.count = u32::try_from(chosen.endpoints.len()).unwrap_or(u32::MAX);
    job.after.sort_unstable();
    job.after.dedup();
    let (derived, milder) = derived(console, &job, &chosen.endpoints)?;
    let milder = milder && job.class <= derived;
    job.class = derived.max(job.class);
    let rule = console.trust.bundle.class_rule(job.class);
    job.stages = stages(&waves, rule, job.targets.count)?;
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
    Ok(Composed { job, endpoints, milder })
}

/// The mildest class that every one of the endpoints allows. One that ran this very script after two people had signed it allows a
/// milder one, and each says so by its own receipts; that is asked for only where it matters.
fn derived(console: &Console, job: &Job, endpoints: &[EndpointId]) -> Result<(Class, bool)> {
    let bundle = &console.trust.bundle;
    let new = derive_class(bundle, job, Reviewed::New);
    let known = derive_class(bundle, job, Reviewed::Reviewed);
    let Action::Script(script) = &job.action else { return Ok((new, false)) };
    let milder = known < new && reviews::ran_on_all(console, script, endpoints)?;
    Ok(if milder { (known, true) } else { (new, false) })
}

fn stages(waves: &Waves, rule: Option<&ClassRule>, count: u32) -> Result<Vec<Stage>> {
    let plan = waves.plan.clone().unwrap_or_else(|| Plan::usual(rule, count));
    let demanded = rule.filter(|rule| rule.stages_min > 1).map_or(0, |rule| rule.soak_s_min);
    let demands = Demands {
        soak_s: waves.soak_s.unwrap_or(demanded),
        promote_min: waves.promoters,
        failures_percent_max: waves.failures_percent_max,
    };
    plan.divide(count, demands)
        .map_err(|problem| coded(Code::Usage, "compose.stages", problem, "see `bartizan help run`"))
}

/// Nobody should sign what every endpoint refuses, or what ends before its last stage can begin.
pub(crate) fn check_stages(job: &Job, rule: Option<&ClassRule>) -> Result<()> {
    let Some(rule) = rule else { return Ok(()) };
    if bartizan_trust::stages::check_class(rule, job).is_err() {
        let problem = format!(
            "jobs of class `{}` need {} stages, at most {} endpoints in the first, and soaks of {} s",
            job.class, rule.stages_min, rule.first_stage_max, rule.soak_s_min
        );
        let next = "leave out --stages and --soak, or say more";
        return Err(coded(Code::Usage, "compose.soak", problem, next));
    }
    let last = u32::try_from(job.stages.len()).unwrap_or(u32::MAX).saturating_sub(1);
    if job.window.nbf.plus(rule.delay_s + job.soak_s(last)) >= job.window.exp {
        let problem = "the job would be over before its last stage can begin";
        let next = "give a longer --expires or a shorter --soak";
        return Err(coded(Code::Usage, "compose.window", problem, next));
    }
    check_order(job, rule)
}

/// The same of a standing order that its class does not allow.
fn check_order(job: &Job, rule: &ClassRule) -> Result<()> {
    if check_trigger(rule, job).is_ok() {
        return Ok(());
    }
    let orders = rule.orders;
    if orders.runs_per_hour_max == 0 {
        let problem = format!("standing orders of class `{}` are not allowed", job.class);
        return Err(not_allowed(problem, "choose fewer endpoints, or run it once"));
    }
    let problem = format!(
        "standing orders of class `{}` end within {} d and need news every {} d",
        job.class,
        orders.life_s_max / limits::DAY_S,
        orders.freshness_s_max / limits::DAY_S
    );
    Err(not_allowed(problem, "let it stand for a shorter time, or need news more often"))
}

/// Endpoints refuse it by the same code.
fn not_allowed(problem: String, next: &str) -> anyhow::Error {
    coded(Code::Refused, Refusal::OrderNotAllowed.code(), problem, next)
}

/// A script that fits into a job.
pub(crate) fn check_script(content: &[u8]) -> Result<()> {
    if content.len() > limits::CONTENT_BYTES_MAX {
        return Err(fail(
            Code::Error,
            "the script is larger than 1 MiB",
            "let it fetch large data itself, from a place you trust",
        ));
    }
    Ok(())
}

fn script_job(console: &Console, wish: Wish, content: Content, tenant: TenantId) -> Result<Job> {
    let now = now();
    let mut env = wish.env;
    env.sort();
    Ok(Job {
        v: V1,
        org: console.org.anchor.org(),
        iat: now,
        crit: Vec::new(),
        nonce: nonce()?,
        bundle_min: console.trust.bundle.version,
        tenant,
        class: wish.class,
        action: Action::Script(Script {
            interpreter: wish.interpreter,
            content,
            args: wish.args,
            env,
            run_as: wish.run_as,
            timeout_s: wish.timeout_s,
            output_max: OUTPUT_BYTES_MAX,
            destructive: wish.destructive,
        }),
        // Filled in when the tree is known.
        targets: Targets { count: 1, root: Sha256::of(b"") },
        window: Window { nbf: now, exp: now.plus(wish.expires_s) },
        after: wish.after,
        stages: vec![Stage::only(1)],
        display: wish.display,
        trigger: wish.trigger,
    })
}

/// Hands a signed job over with what belongs to it.
pub(crate) fn submit(
    context: &Context,
    console: &Console,
    envelope: &Envelope,
    content: &[u8],
    endpoints: &[EndpointId],
) -> Result<Stored> {
    let submission = JobSubmission {
        envelope: BASE64.encode(&envelope.encode()),
        targets: endpoints.to_vec(),
        content: BASE64.encode(content),
    };
    let stored: Stored = console.api.send("/v1/jobs", &submission)?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    Ok(stored)
}
