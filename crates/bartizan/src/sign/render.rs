//! Statements in words, rendered from the bytes that are signed and nothing else.

use anyhow::{Context, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::{
    Action, Bundle, Class, Enrolment, Evidence, Freeze, Interpreter, Job, Login, On, OperatorRole,
    Pack, Promotion, Receipt, Script, StatementType, TenantScope, Thaw, Trigger, Update, UserCheck,
    Veto, Withdrawal,
};
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::words::eight_words;

use super::{fields, policy, scan};
use crate::commands::scope_text;
use crate::home::now;
use crate::terminal::{cell, plain_text};

/// The eight words of a statement.
pub(crate) fn words(envelope: &Envelope) -> String {
    eight_words(envelope.id().hash())
}

/// Any statement, in words. The caller shows it before it asks for a signature.
pub(crate) fn statement(envelope: &Envelope) -> Result<String> {
    let body = match envelope.kind() {
        Some(StatementType::Bundle) => {
            format!("{}every field\n{}", bundle(&envelope.statement()?), fields::all(envelope)?)
        }
        Some(StatementType::Job) => job(&envelope.statement()?, None),
        Some(StatementType::Enrolment) => enrolment(&envelope.statement()?),
        Some(StatementType::Login) => login(&envelope.statement()?),
        Some(StatementType::Receipt) => receipt(&envelope.statement()?),
        Some(StatementType::Freeze) => freeze(&envelope.statement()?),
        Some(StatementType::Thaw) => thaw(&envelope.statement()?),
        Some(StatementType::Veto) => veto(&envelope.statement()?),
        Some(StatementType::Pack) => pack(&envelope.statement()?),
        Some(StatementType::Withdrawal) => withdrawal(&envelope.statement()?),
        Some(StatementType::Promotion) => promotion(&envelope.statement()?),
        Some(StatementType::Policy) => policy::text(&envelope.statement()?),
        Some(StatementType::Descriptor | StatementType::Grant) | None => {
            plain_text(core::str::from_utf8(envelope.payload()).context("the payload is not text")?)
                + "\n"
        }
    };
    Ok(format!("{body}id      {}\nwords   {}\n", envelope.id(), words(envelope)))
}

/// A job, with its script when it is at hand.
pub(crate) fn job_envelope(envelope: &Envelope, content: &[u8]) -> Result<String> {
    let body = job(&envelope.statement()?, Some(content));
    Ok(format!("{body}id      {}\nwords   {}\n", envelope.id(), words(envelope)))
}

fn job(job: &Job, content: Option<&[u8]>) -> String {
    match &job.action {
        Action::Script(script) => script_job(job, script, content),
        Action::Update(update) => update_job(job, update),
        Action::Scan(scan) => scan::job(job, scan),
    }
}

fn update_job(job: &Job, update: &Update) -> String {
    let mut text = format!(
        "JOB     {}\nclass   {}\nwhere   {} endpoint(s) of tenant {}\nwhen    until {}\nwhat    UPDATE of the endpoint's own programs to version {}\ntarget  {}, {} bytes, sha256 {}\npackage {} bytes, sha256 {}\n",
        cell(&job.display.title),
        job.class,
        job.targets.count,
        job.tenant.name(),
        date(job.window.exp),
        cell(&update.version),
        cell(&update.target),
        update.program.size,
        update.program.sha256,
        update.content.size,
        update.content.sha256,
    );
    text += &why(job);
    text + &conditions(job)
}

pub(super) fn why(job: &Job) -> String {
    if job.display.reason.is_empty() && job.display.ticket.is_empty() {
        return String::new();
    }
    format!("why     {} {}\n", cell(&job.display.ticket), cell(&job.display.reason))
}

fn script_job(job: &Job, script: &Script, content: Option<&[u8]>) -> String {
    let interpreter = match script.interpreter {
        Interpreter::Bash => "bash",
        Interpreter::Sh => "sh",
        Interpreter::Python3 => "python3",
    };
    let mut text = format!(
        "JOB     {}\nclass   {}{}\nwhere   {} endpoint(s) of tenant {}\nwhen    until {}\nwhat    {interpreter} script, {} bytes, sha256 {}\nlimits  {} s, {} bytes of output\n",
        cell(&job.display.title),
        job.class,
        if script.destructive { ", DESTRUCTIVE" } else { "" },
        job.targets.count,
        job.tenant.name(),
        date(job.window.exp),
        script.content.size,
        script.content.sha256,
        script.timeout_s,
        script.output_max,
    );
    text += &why(job);
    text += &conditions(job);
    if let Some(user) = &script.run_as {
        text += &format!("as      {}\n", cell(user));
    }
    for argument in &script.args {
        text += &format!("arg     {}\n", escaped(argument));
    }
    for var in &script.env {
        text += &format!("env     {}={}\n", var.name, escaped(&var.value));
    }
    if let Some(content) = content {
        text += "script\n";
        for line in plain_text(&String::from_utf8_lossy(content)).lines() {
            text += &format!("  │ {line}\n");
        }
    }
    text
}

/// What most jobs do not have, so that nothing that is signed goes unseen.
pub(super) fn conditions(job: &Job) -> String {
    let mut text = String::new();
    if job.window.nbf > now() {
        text += &format!("begins  {}\n", date(job.window.nbf));
    }
    for before in &job.after {
        text += &format!("after   {before}\n");
    }
    for stage in job.stages.iter().filter(|_| job.stages.len() > 1) {
        text += &format!(
            "stage   {}: {} endpoint(s), after a soak of {} s, {} must promote, at most {} % failures\n",
            cell(&stage.name),
            stage.count,
            stage.soak_s,
            stage.promote_min,
            stage.failures_percent_max
        );
    }
    if let Some(trigger) = &job.trigger {
        text += &standing(trigger);
    }
    for demand in &job.crit {
        text += &format!("demands {}\n", cell(demand));
    }
    text
}

/// Everything that makes a job a standing order.
fn standing(trigger: &Trigger) -> String {
    let mut text = format!(
        "AGAIN   {}\nuntil   {}\nrate    at most {} runs in {}, {} apart\nalone   without news from the server for at most {}: for so long a withheld freeze can go unseen\n",
        what_starts(&trigger.on),
        date(trigger.until),
        trigger.rate.runs,
        length(trigger.rate.per_s),
        length(trigger.distance_s),
        length(trigger.freshness_s),
    );
    if trigger.on.is_schedule() {
        let (jitter, late) = (length(trigger.jitter_s), length(trigger.late_s));
        text += &format!(
            "late    {jitter} of jitter; a run that was missed starts up to {late} late\n"
        );
    }
    text
}

/// What starts the runs of a standing order, in words.
pub(crate) fn what_starts(on: &On) -> String {
    match on {
        On::Interval { every_s } => format!("every {}", length(*every_s)),
        On::Calendar { cron, zone } => format!("at {} ({})", cell(cron), cell(zone)),
        On::Start {} => "once after each start of the machine".to_owned(),
        On::DiskBelow { path, percent } => {
            format!("while {} has less than {percent} % of room", cell(path))
        }
        On::ServiceDown { unit } => format!("while the service {} does not run", cell(unit)),
        On::RebootPending {} => "while the machine wants to be started anew".to_owned(),
        On::FileChanged { path } => format!("whenever {} changes", cell(path)),
        On::Ended { order, well } => {
            format!("whenever a run of {order} has ended {}", if *well { "well" } else { "badly" })
        }
    }
}

/// A length of time, exactly.
pub(crate) fn length(seconds: u64) -> String {
    match seconds {
        0 => "0 s".to_owned(),
        s if s % 86_400 == 0 => format!("{} d", s / 86_400),
        s if s % 3600 == 0 => format!("{} h", s / 3600),
        s if s % 60 == 0 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}

fn bundle(bundle: &Bundle) -> String {
    let mut text = format!(
        "BUNDLE  version {}, valid until {}\nroot    {} of the root operators change it\n",
        bundle.version,
        date(bundle.expires),
        bundle.root.threshold
    );
    for operator in &bundle.operators {
        let roles: Vec<&str> = operator.roles.iter().map(|role| role_name(*role)).collect();
        let scope = match &operator.tenants {
            TenantScope::All => "all tenants".to_owned(),
            TenantScope::Only(tenants) => {
                tenants.iter().map(bartizan_trust::id::Slug::name).collect::<Vec<_>>().join(", ")
            }
        };
        text += &format!(
            "person  {} ({}): {}; {scope}\n",
            cell(&operator.name),
            operator.id,
            roles.join(", ")
        );
        for key in &operator.keys {
            text += &format!("        key {} {}\n", cell(&key.ssh), cell(&key.note));
        }
    }
    for rule in &bundle.classes {
        let check = match rule.user_check {
            UserCheck::None => "any key",
            UserCheck::Presence => "a touched key",
            UserCheck::Verification => "a key that verified its user",
        };
        text += &format!(
            "class   {}: author and {} more, {check}; at most {} endpoints with new content, {} with reviewed; witnesses {}\n",
            rule.class,
            rule.approvals,
            rule.endpoints_new_max,
            rule.endpoints_max,
            cell(&rule.witnesses)
        );
    }
    for server in &bundle.servers {
        text += &format!("server  {} key {}\n", cell(&server.addresses.join(", ")), server.spki);
    }
    text
}

pub(crate) const fn role_name(role: OperatorRole) -> &'static str {
    match role {
        OperatorRole::Author => "author",
        OperatorRole::Approve => "approve",
        OperatorRole::Root => "root",
        OperatorRole::Enroll => "enroll",
        OperatorRole::Freeze => "freeze",
        OperatorRole::Promote => "promote",
    }
}

fn enrolment(enrolment: &Enrolment) -> String {
    format!(
        "ENROL   up to {} endpoint(s) into tenant {}, site {}, until {}\n",
        enrolment.max_uses,
        enrolment.tenant.name(),
        enrolment.site.name(),
        date(enrolment.exp)
    )
}

fn login(login: &Login) -> String {
    format!("LOGIN   this console may speak for you until {}\n", date(login.exp))
}

fn promotion(promotion: &Promotion) -> String {
    let Evidence { ok, fail, refused, pending, receipts_root } = promotion.evidence;
    let mut text = format!(
        "PROMOTE stage {} of {} may begin\nbefore  {ok} ended well, {fail} failed, {refused} refused, {pending} not heard of\nproof   receipts {receipts_root}\n",
        promotion.to, promotion.job
    );
    if let Some(reason) = &promotion.despite_refusals {
        text += &format!("DESPITE refusals: {}\n", cell(reason));
    }
    if let Some(prev) = promotion.prev {
        text += &format!("after   {prev}\n");
    }
    for demand in &promotion.crit {
        text += &format!("demands {}\n", cell(demand));
    }
    text
}

fn freeze(freeze: &Freeze) -> String {
    format!(
        "FREEZE  {}\nuntil   {}\nwhy     {}\n",
        scope_text(&freeze.scope),
        date(freeze.exp),
        cell(&freeze.reason)
    )
}

fn thaw(thaw: &Thaw) -> String {
    format!("THAW    {}\nwhy     {}\n", thaw.freeze, cell(&thaw.reason))
}

fn veto(veto: &Veto) -> String {
    format!("VETO    bundle {}\nwhy     {}\n", veto.bundle, cell(&veto.reason))
}

fn pack(pack: &Pack) -> String {
    format!(
        "PACK    {} {}\nbody    {}\nwhat    rules of the scanner; they run nothing\n",
        cell(&pack.name),
        cell(&pack.version),
        pack.body
    )
}

fn withdrawal(withdrawal: &Withdrawal) -> String {
    format!("TAKE BACK {} for good\nwhy     {}\n", withdrawal.job, cell(&withdrawal.reason))
}

fn receipt(receipt: &Receipt) -> String {
    format!(
        "RECEIPT {} of {}: {:?}, {}\n",
        receipt.seq,
        receipt.endpoint,
        receipt.decision,
        cell(&receipt.code)
    )
}

/// Who must sign besides the author, in words.
pub(crate) fn who_else(bundle: &Bundle, class: Class) -> String {
    let approvals = bundle.class_rule(class).map_or(0, |rule| rule.approvals);
    let root = if class == Class::Update { bundle.root.threshold.saturating_sub(1) } else { 0 };
    match approvals.max(root) {
        0 => "nobody else".to_owned(),
        1 => "one more operator".to_owned(),
        count => format!("{count} more operators"),
    }
}

fn escaped(text: &str) -> String {
    plain_text(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Distance from now: what a person needs, without a calendar. This very second has passed:
/// what happened in it is told more often than what will.
pub(crate) fn date(at: UnixSeconds) -> String {
    distance(at, now())
}

fn distance(at: UnixSeconds, now: UnixSeconds) -> String {
    let (seconds, past) = if at > now { (at.since(now), false) } else { (now.since(at), true) };
    let length = match seconds {
        0..=119 => format!("{seconds} seconds"),
        120..=7_199 => format!("{} minutes", seconds / 60),
        7_200..=172_799 => format!("{} hours", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if past {
        format!("{length} ago ({})", at.get())
    } else {
        format!("in {length} ({})", at.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_and_never_obeyed() {
        assert_eq!(escaped("a\u{1b}[2Jb\n\u{202e}c"), "a\\u{1b}[2Jb\\n\\u{202e}c");
        assert!(!cell("x\u{202e}y\u{1b}").contains('\u{202e}'));
    }

    #[test]
    fn dates_say_how_far_away_they_are() {
        let now = UnixSeconds::new(1_000_000);
        assert_eq!(distance(now.plus(3600), now), "in 60 minutes (1003600)");
        assert_eq!(distance(now.plus(1), now), "in 1 seconds (1000001)");
        assert_eq!(distance(now, now), "0 seconds ago (1000000)");
        assert_eq!(distance(UnixSeconds::new(500_000), now), "5 days ago (500000)");
    }
}
