//! The job: asks endpoints to act. Specification: `docs/spec/job.md`.

use core::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Class, Scan, Trigger, V1, check_crit, is_plain_text};
use crate::id::{OrgId, Sha256, StatementId, TenantId};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;
use crate::version::AgentVersion;

/// A signed request to act.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Format version.
    pub v: V1,
    /// The organisation.
    pub org: OrgId,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// 32 hexadecimal digits, random: two equal requests are two jobs.
    pub nonce: String,
    /// Endpoints with an older bundle wait.
    pub bundle_min: u64,
    /// Whose endpoints.
    pub tenant: TenantId,
    /// Claimed class: the derived one or a stricter one.
    pub class: Class,
    /// What to do.
    pub action: Action,
    /// On which endpoints.
    pub targets: Targets,
    /// When.
    pub window: Window,
    /// Jobs that must have succeeded here before.
    pub after: Vec<StatementId>,
    /// Waves: the first runs at once, each later one after its promotion.
    pub stages: Vec<Stage>,
    /// For people.
    pub display: Display,
    /// Makes it a standing order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
}

/// What a job does: one variant per kind, each with exactly its own fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// Runs a script.
    Script(Script),
    /// Replaces the endpoint's own programs.
    Update(Update),
    /// Looks for traces of a compromise, and changes nothing.
    Scan(Box<Scan>),
}

/// A script and how to run it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Who reads it.
    pub interpreter: Interpreter,
    /// Which bytes.
    pub content: Content,
    /// Passed as they are; no shell splits them.
    pub args: Vec<String>,
    /// The whole environment besides `PATH`, `HOME` and `LANG`; sorted by name.
    pub env: Vec<EnvVar>,
    /// The local account; absent: the guard's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run_as: Option<String>,
    /// Ended after this many seconds.
    pub timeout_s: u32,
    /// Bytes of output kept; the rest is counted.
    pub output_max: u32,
    /// The author says that it deletes, wipes or disables something: class `fleet` at any count.
    pub destructive: bool,
}

/// A new version of the endpoint's programs, which the vendor has signed too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Update {
    /// Name of the target in the vendor's repository.
    pub target: String,
    /// Its version: `major.minor.patch`, higher than any that ran here.
    pub version: String,
    /// The target's bytes: what the vendor signed.
    pub program: Content,
    /// Which bytes are delivered: the repository's metadata and the target in one archive.
    pub content: Content,
}

/// Interpreters an endpoint may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interpreter {
    /// `/bin/bash`
    Bash,
    /// `/bin/sh`
    Sh,
    /// `python3`
    Python3,
}

/// Which bytes a job carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Their hash.
    pub sha256: Sha256,
    /// Their number.
    pub size: u32,
}

/// One environment variable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvVar {
    /// `[A-Za-z_][A-Za-z0-9_]*`
    pub name: String,
    /// No NUL.
    pub value: String,
}

/// The endpoints of a job, by the root of their tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Targets {
    /// How many leaves.
    pub count: u32,
    /// Root of the target tree.
    pub root: Sha256,
}

/// When a job may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Not before.
    pub nbf: UnixSeconds,
    /// Not at or after.
    pub exp: UnixSeconds,
}

/// A wave of a roll-out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// For people.
    pub name: String,
    /// How many endpoints it has: so many leaves of the target tree, after those of the stages before.
    pub count: u32,
    /// Seconds that must have passed since the stage before could begin; 0 for the first.
    pub soak_s: u64,
    /// How many distinct operators promote to it; 0 for the first, at least 1 for the others.
    pub promote_min: u32,
    /// Most failures of the stage before, in per cent of what ended there; 100 for the first.
    pub failures_percent_max: u32,
}

/// Text for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Display {
    /// What it does, in a line.
    pub title: String,
    /// A ticket number or address; may be empty.
    pub ticket: String,
    /// Why; may be empty.
    pub reason: String,
}

statement_header!(Job);

impl Stage {
    /// The only stage of a job that has no others.
    pub fn only(count: u32) -> Self {
        Self { name: "all".to_owned(), count, soak_s: 0, promote_min: 0, failures_percent_max: 100 }
    }
}

impl Job {
    /// The places of a stage's endpoints in the target tree; empty when there is no such stage.
    pub fn places(&self, stage: u32) -> Range<u32> {
        let stage = usize::try_from(stage).unwrap_or(usize::MAX);
        let count = |stages: &[Stage]| {
            stages.iter().fold(0_u32, |sum, stage| sum.saturating_add(stage.count))
        };
        let before = self.stages.get(..stage).map_or(u32::MAX, count);
        let own = self.stages.get(stage).map_or(0, |stage| stage.count);
        before..before.saturating_add(own)
    }

    /// Seconds from the beginning of the first stage to the earliest beginning of this one.
    pub fn soak_s(&self, stage: u32) -> u64 {
        let later = usize::try_from(stage).unwrap_or(usize::MAX).saturating_add(1);
        self.stages.iter().take(later).fold(0, |sum, stage| sum.saturating_add(stage.soak_s))
    }

    /// When nothing of it can happen any more: a standing order outlives the window in which it is taken in.
    pub fn ends(&self) -> UnixSeconds {
        let until = self.trigger.as_ref().map_or(UnixSeconds::ZERO, |trigger| trigger.until);
        self.window.exp.max(until)
    }
}

impl Validate for Job {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if self.nonce.len() != 32 || !self.nonce.bytes().all(hex) {
            return Err("nonce: 32 lower-case hexadecimal digits");
        }
        if self.bundle_min == 0 || self.bundle_min > limits::INTEGER_MAX {
            return Err("bundle_min: counts from 1");
        }
        if self.targets.count == 0 || self.targets.count > limits::TARGETS_MAX {
            return Err("targets.count: 1 to 1,048,576");
        }
        if self.after.len() > limits::JOB_AFTER_MAX || !self.after.is_sorted_by(|a, b| a < b) {
            return Err("after: at most 8, sorted, each once");
        }
        check_stages(&self.stages, self.targets.count)?;
        check_display(&self.display)?;
        if let Some(trigger) = &self.trigger {
            trigger.check()?;
            if trigger.until <= self.window.nbf {
                return Err("trigger.until: after the beginning of the window");
            }
        }
        match &self.action {
            Action::Script(script) => check_script(script),
            Action::Update(_) if self.trigger.is_some() => Err("trigger: not for updates"),
            Action::Update(update) => check_update(update),
            Action::Scan(_) if self.trigger.is_some() => Err("trigger: not for scans"),
            Action::Scan(scan) => scan.check(),
        }
    }
}

impl Script {
    /// What people have looked at when they countersign it, as one hash: everything that says what it does. How long it may take
    /// and how much it may say is the bundle's to limit.
    // SPEC: verification.md step 7
    pub fn reviewed_as(&self) -> Sha256 {
        let looked_at = Self { timeout_s: 0, output_max: 0, ..self.clone() };
        Sha256::of(&serde_json::to_vec(&looked_at).unwrap_or_default())
    }
}

impl Action {
    /// Which bytes the job carries.
    pub const fn content(&self) -> Content {
        match self {
            Self::Script(script) => script.content,
            Self::Update(update) => update.content,
            Self::Scan(scan) => scan.content,
        }
    }
}

fn check_stages(stages: &[Stage], count: u32) -> Result<(), &'static str> {
    let Some((first, later)) = stages.split_first() else { return Err("stages: 1 to 8") };
    if stages.len() > limits::JOB_STAGES_MAX {
        return Err("stages: 1 to 8");
    }
    let bad = |stage: &Stage| {
        stage.name.is_empty()
            || !is_plain_text(&stage.name, 64)
            || stage.count == 0
            || stage.soak_s > limits::WINDOW_S_MAX
            || stage.failures_percent_max > 100
    };
    if stages.iter().any(bad) {
        return Err(
            "stage: a short name, an endpoint, a soak of at most 30 days, at most 100 per cent",
        );
    }
    // Nobody promotes to the first stage: what says nothing is written in one way only.
    if first.soak_s != 0 || first.promote_min != 0 || first.failures_percent_max != 100 {
        return Err("stages: the first has no soak, no promotion and no limit of failures");
    }
    if !later.iter().all(|stage| (1..=limits::PROMOTERS_MAX).contains(&stage.promote_min)) {
        return Err("stage.promote_min: 1 to 8 after the first");
    }
    let total: u64 = stages.iter().map(|stage| u64::from(stage.count)).sum();
    if total != u64::from(count) {
        return Err("stages: their counts add up to targets.count");
    }
    Ok(())
}

pub(super) fn check_display(display: &Display) -> Result<(), &'static str> {
    let fine = |text: &str| is_plain_text(text, limits::TEXT_BYTES_MAX);
    if display.title.is_empty()
        || !fine(&display.title)
        || !fine(&display.ticket)
        || !fine(&display.reason)
    {
        return Err("display: one line of plain text each, and a title");
    }
    Ok(())
}

fn check_update(update: &Update) -> Result<(), &'static str> {
    if update.target.is_empty()
        || !is_plain_text(&update.target, limits::UPDATE_NAME_BYTES_MAX)
        || update.target.contains('/')
    {
        return Err("update.target: a short name without a folder");
    }
    if AgentVersion::parse(&update.version).is_none() {
        return Err("update.version: major.minor.patch");
    }
    if update.content.size > limits::UPDATE_BYTES_MAX
        || update.program.size == 0
        || update.program.size >= update.content.size
    {
        return Err("update.content: at most 64 MiB, and the program within it");
    }
    Ok(())
}

fn check_script(script: &Script) -> Result<(), &'static str> {
    if usize::try_from(script.content.size).is_ok_and(|size| size > limits::CONTENT_BYTES_MAX) {
        return Err("content.size: at most 1 MiB");
    }
    let argument = |text: &str| text.len() <= limits::SCRIPT_ARG_BYTES_MAX && !text.contains('\0');
    if script.args.len() > limits::SCRIPT_ARGS_MAX || !script.args.iter().all(|a| argument(a)) {
        return Err("args: at most 64 of at most 4 KiB, without NUL");
    }
    if script.env.len() > limits::SCRIPT_ENV_MAX || !script.env.is_sorted_by(|a, b| a.name < b.name)
    {
        return Err("env: at most 64, sorted by name, each once");
    }
    if !script.env.iter().all(|var| is_env_name(&var.name) && argument(&var.value)) {
        return Err("env: names of letters, digits and underscores; values without NUL");
    }
    if script.run_as.as_ref().is_some_and(|user| !is_account_name(user)) {
        return Err("run_as: a local account name");
    }
    if script.timeout_s == 0 || script.timeout_s > limits::SCRIPT_TIMEOUT_S_MAX {
        return Err("timeout_s: 1 to 86,400");
    }
    if script.output_max > limits::SCRIPT_OUTPUT_BYTES_MAX {
        return Err("output_max: at most 8 MiB");
    }
    Ok(())
}

fn is_env_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    first && name.len() <= 128 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_account_name(name: &str) -> bool {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    first && name.len() <= 32 && name.bytes().all(rest)
}
