//! Sheets: what is to be signed, in words from the exact bytes.

use std::time::Instant;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobPage, JobState};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::json::Validate as _;
use bartizan_trust::people::lacks_customer;
use bartizan_trust::statement::{
    Action, Bundle, Class, Display, EnvVar, Job, OperatorRole, SignatureRole, StatementType,
};
use bartizan_trust::time::UnixSeconds;

use super::{
    difference, disabled, id, inbox, jobs, orders as orders_view, own, role_word, signed_by,
};
use crate::api::session::{self, Prepared};
use crate::commands::options::slug;
use crate::commands::{Console, approve, control, enroll, freeze as freezes, orders, rollout};
use crate::compose::{self, Composed, Waves, Wish};
use crate::console::desk::{Desk, locked};
use crate::console::limits::SHEET_LIFE;
use crate::console::shapes::{
    AboutRequest, ChosenClass, Compose, Difference, EnrolmentRequest, FreezeRequest,
    PasskeyRequest, PlannedStage, PromotionRequest, Sheet,
};
use crate::console::sheets::{Held, Then};
use crate::exit::{Code, fail};
use crate::home::now;
use crate::keys::Signer;
use crate::keys::passkey::{self, Passkey};
use crate::rollout::View;
use crate::rollout::plan::Plan;
use crate::sign::{fields, render};

/// As on the command line.
pub(super) const TIMEOUT_S: u32 = 600;
pub(super) const EXPIRES_S: u64 = 86_400;
pub(super) const FAILURES_PERCENT: u32 = 10;
const FREEZE_S: u64 = 4 * 3600;

/// A sheet without its token.
pub(super) fn sheet(console: &Console, held: &Held, text: String, question: &str) -> Sheet {
    Sheet { signatures: signed_by(console, &held.envelope), ..bare(held, text, question) }
}

pub(super) fn bare(held: &Held, text: String, question: &str) -> Sheet {
    let envelope = &held.envelope;
    Sheet {
        token: String::new(),
        expires: now().plus(SHEET_LIFE.as_secs()).get(),
        id: envelope.id().to_string(),
        kind: envelope.kind().map_or("unknown", StatementType::name).to_owned(),
        role: role_word(held.role),
        words: render::words(envelope),
        text,
        question: question.to_owned(),
        disabled: None,
        tenant: None,
        class: None,
        endpoints: None,
        until: None,
        who_else: None,
        signatures: Vec::new(),
        stages: Vec::new(),
        notes: Vec::new(),
        difference: None,
        passkey: None,
    }
}

/// Keeps what is shown under a token.
pub(super) fn give(desk: &Desk, held: Held, mut sheet: Sheet) -> Result<Sheet> {
    if by_passkey(desk)? {
        sheet.passkey = Some(PasskeyRequest {
            challenge: passkey::challenge(&held.envelope, held.role),
            rp_id: passkey::RP_ID.to_owned(),
            credentials: usable(desk)?.into_iter().map(|one| one.credential).collect(),
        });
    }
    sheet.token = locked(&desk.sheets).put(held, Instant::now())?;
    Ok(sheet)
}

pub(super) fn by_passkey(desk: &Desk) -> Result<bool> {
    Signer::is_a_passkey(&desk.context.home, desk.context.key.as_deref())
}

/// Passkeys that belong to this very origin.
pub(super) fn usable(desk: &Desk) -> Result<Vec<Passkey>> {
    let mut all = passkey::load(&desk.context.home)?;
    all.retain(|one| one.origin == desk.origin());
    Ok(all)
}

/// What lets this console speak for its operator for some hours.
pub(crate) fn login(desk: &Desk) -> Result<Sheet> {
    if !by_passkey(desk)? {
        return Err(fail(Code::Error, "this console logs in by itself", "reload the page"));
    }
    if usable(desk)?.is_empty() {
        let problem = format!("no passkey of this console belongs to {}", desk.origin());
        let next = "register one, or start the console on the port it had";
        return Err(fail(Code::Error, problem, next));
    }
    let Prepared { envelope, console } = session::prepare(&desk.context.home.org()?)?;
    let text = render::statement(&envelope)?;
    let held = Held {
        envelope,
        role: SignatureRole::Login,
        then: Then::Login { console: Box::new(console) },
    };
    let sheet = bare(&held, text, "Log in?");
    give(desk, held, sheet)
}

pub(super) const fn class(chosen: Option<ChosenClass>) -> Class {
    match chosen {
        None | Some(ChosenClass::Routine) => Class::Routine,
        Some(ChosenClass::Change) => Class::Change,
        Some(ChosenClass::Fleet) => Class::Fleet,
    }
}

pub(super) fn planned(job: &Job) -> Vec<PlannedStage> {
    let stage = |stage: &bartizan_trust::statement::Stage| PlannedStage {
        name: stage.name.clone(),
        count: stage.count,
        soak_s: stage.soak_s,
    };
    job.stages.iter().map(stage).collect()
}

pub(super) fn author_disabled(desk: &Desk, console: &Console, job: &Job) -> Result<Option<String>> {
    match disabled(desk, console, OperatorRole::Author, Some(&job.tenant))? {
        Some(reason) => Ok(Some(reason)),
        None => inbox::key_too_weak(desk, &console.trust.bundle, job.class),
    }
}

fn wish(request: Compose) -> Result<Wish> {
    let usage = |problem: String| fail(Code::Usage, problem, "change what you wrote and try again");
    Ok(Wish {
        on: request.on,
        interpreter: request.interpreter.into(),
        args: request.args,
        env: request
            .env
            .into_iter()
            .map(|var| EnvVar { name: var.name, value: var.value })
            .collect(),
        run_as: request.run_as.filter(|user| !user.is_empty()),
        timeout_s: request.timeout_s.unwrap_or(TIMEOUT_S),
        expires_s: request.expires_s.unwrap_or(EXPIRES_S),
        destructive: request.destructive,
        class: class(request.class),
        display: Display { title: request.title, ticket: request.ticket, reason: request.reason },
        waves: Waves {
            plan: match request.stages.as_deref().filter(|text| !text.is_empty()) {
                Some(text) => Some(text.parse::<Plan>().map_err(usage)?),
                None => None,
            },
            soak_s: request.soak_s,
            promoters: request.promoters.unwrap_or(1),
            failures_percent_max: request.failures_percent_max.unwrap_or(FAILURES_PERCENT),
        },
        after: request.after.iter().map(|text| id(text)).collect::<Result<_>>()?,
        trigger: request.trigger.map(orders_view::trigger).transpose()?,
    })
}

/// A new job, as its author signs it.
pub(crate) fn job(desk: &Desk, console: &Console, request: Compose) -> Result<Sheet> {
    let content = request.script.clone().into_bytes();
    let Composed { job, endpoints, milder } = compose::compose(console, wish(request)?, &content)?;
    let envelope = Envelope::new(&job);
    let text = render::job_envelope(&envelope, &content)?;
    let difference = since_last_time(console, &job, None, &text)?;
    let then = Then::Submit { content, targets: endpoints };
    let held = Held { envelope, role: SignatureRole::Author, then };
    let mut sheet = sheet(console, &held, text, "Sign as author?");
    sheet.disabled = author_disabled(desk, console, &job)?;
    sheet.difference = difference;
    of_job(console, &job, &held.envelope, &mut sheet);
    if milder {
        let text = "Two people have signed this very script before, and each of these endpoints has run it since: that is why its class is so mild.";
        sheet.notes.push(text.to_owned());
    }
    give(desk, held, sheet)
}

/// What a sheet says of a job besides its text.
fn of_job(console: &Console, job: &Job, envelope: &Envelope, sheet: &mut Sheet) {
    let bundle = &console.trust.bundle;
    sheet.tenant = Some(job.tenant.name().to_owned());
    sheet.class = Some(job.class.name().to_owned());
    sheet.endpoints = Some(job.targets.count);
    sheet.until = Some(job.window.exp.get());
    sheet.who_else = Some(render::who_else(bundle, job.class));
    sheet.stages = planned(job);
    let mut note = |text: String| sheet.notes.push(text);
    if let Action::Script(script) = &job.action {
        if script.destructive {
            note("Its author says that it deletes or disables something.".to_owned());
        }
        if script.run_as.is_none() {
            note("It runs as root.".to_owned());
        }
    }
    if job.stages.len() > 1 {
        note(format!(
            "It runs in {} stages; somebody lets each later one begin.",
            job.stages.len()
        ));
    }
    if let Some(trigger) = &job.trigger {
        note(format!("It is a standing order and runs {}.", render::what_starts(&trigger.on)));
    }
    if let Some(rule) = bundle.class_rule(job.class).filter(|rule| rule.delay_s > 0) {
        note(format!("Endpoints wait {} after it was signed.", render::length(rule.delay_s)));
    }
    if lacks_customer(bundle, job, envelope) {
        note("The customer's own people must countersign, too.".to_owned());
    }
}

/// What differs from the newest job of the same title that was signed by enough people.
fn since_last_time(
    console: &Console,
    job: &Job,
    own: Option<StatementId>,
    text: &str,
) -> Result<Option<Difference>> {
    let page: JobPage = console.api.fetch("/v1/jobs")?;
    let last = page.jobs.iter().find(|row| {
        row.title == job.display.title
            && Some(row.id) != own
            && row.at <= job.iat
            && row.state != JobState::Pending
    });
    let Some(last) = last else { return Ok(None) };
    let detail = jobs::detail(console, last.id)?;
    // One that does not verify is nothing to compare with.
    let Ok((envelope, before, content)) = jobs::verify(console, last.id, &detail) else {
        return Ok(None);
    };
    let old = render::job_envelope(&envelope, &content)?;
    let at: UnixSeconds = before.iat;
    Ok(Some(difference::lines(last.id.to_string(), at, &comparable(&old), &comparable(text))))
}

/// Without what differs each time and means nothing.
fn comparable(text: &str) -> String {
    const EACH_TIME: [&str; 3] = ["id      ", "words   ", "when    "];
    let kept = text.lines().filter(|line| !EACH_TIME.iter().any(|head| line.starts_with(head)));
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// A statement of the inbox, as the next person signs it.
pub(crate) fn approval(desk: &Desk, console: &Console, text: &str) -> Result<Sheet> {
    let id = id(text)?;
    let draft = control::drafts(console)?.into_iter().find(|envelope| envelope.id() == id);
    match draft {
        Some(envelope) => approve_draft(desk, console, envelope),
        None => approve_job(desk, console, id),
    }
}

fn approve_job(desk: &Desk, console: &Console, id: StatementId) -> Result<Sheet> {
    let detail = jobs::detail(console, id)?;
    approve::check(console, id, &detail)?;
    let (envelope, job, content) = jobs::verify(console, id, &detail)?;
    let text = render::job_envelope(&envelope, &content)?;
    let difference = since_last_time(console, &job, Some(id), &text)?;
    let held = Held { envelope, role: SignatureRole::Approve, then: Then::Countersign };
    let question = "Compare the words with the author. Sign as approver?";
    let mut sheet = sheet(console, &held, text, question);
    sheet.disabled = inbox::approval_disabled(desk, console, &held.envelope, &job)?;
    sheet.difference = difference;
    of_job(console, &job, &held.envelope, &mut sheet);
    give(desk, held, sheet)
}

fn approve_draft(desk: &Desk, console: &Console, envelope: Envelope) -> Result<Sheet> {
    let role = control::role_of_draft(&envelope)?;
    let mut text = render::statement(&envelope)?;
    let mut difference = None;
    if envelope.kind() == Some(StatementType::Bundle) {
        text += &fields::changes(&console.view.chain, &envelope)?;
        difference = since_last_bundle(console, &envelope)?;
    }
    let held = Held { envelope, role, then: Then::Control };
    let mut sheet = sheet(console, &held, text, "Compare the words with the others. Sign?");
    sheet.disabled = inbox::draft_disabled(desk, console, &held.envelope)?;
    sheet.difference = difference;
    give(desk, held, sheet)
}

pub(super) fn since_last_bundle(
    console: &Console,
    envelope: &Envelope,
) -> Result<Option<Difference>> {
    let next: Bundle = envelope.statement().context("read the bundle")?;
    let chain = &console.view.chain;
    let known =
        core::iter::once(&chain.current).chain(chain.pending.iter().map(|waits| &waits.trust));
    let Some(before) = known.into_iter().find(|known| next.prev == Some(known.id)) else {
        return Ok(None);
    };
    let lines = difference::places(fields::differing(Some(&before.bundle), envelope)?);
    Ok(Some(Difference {
        from: before.id.to_string(),
        at: before.bundle.iat.get(),
        same: lines.is_empty(),
        lines,
    }))
}

/// Lets the next stage begin.
pub(crate) fn promotion(
    desk: &Desk,
    console: &Console,
    request: &PromotionRequest,
) -> Result<Sheet> {
    let view = View::fetch(console, id(&request.job)?)?;
    let despite = request.despite_refusals.as_deref();
    rollout::check(&view, despite, own(desk, console)?.map(|me| &me.id))?;
    let envelope = rollout::promotion(console, &view, despite)?;
    let (_, before, stage) = view.next_stage().context("every stage may begin already")?;
    let text = format!("{}{}", rollout::before_signing(before), render::statement(&envelope)?);
    let question = format!("Let the stage `{}` begin?", stage.name);
    let held =
        Held { envelope, role: SignatureRole::Promote, then: Then::Promote { job: view.id } };
    let mut sheet = sheet(console, &held, text, &question);
    sheet.disabled = disabled(desk, console, OperatorRole::Promote, Some(&view.job.tenant))?;
    sheet.tenant = Some(view.job.tenant.name().to_owned());
    sheet.class = Some(view.job.class.name().to_owned());
    sheet.endpoints = Some(stage.count);
    give(desk, held, sheet)
}

/// Stops things.
pub(crate) fn freeze(desk: &Desk, console: &Console, request: &FreezeRequest) -> Result<Sheet> {
    let scope = freezes::scope(&request.scope)
        .map_err(|problem| fail(Code::Usage, problem, "choose what to stop"))?;
    let seconds = request.seconds.unwrap_or(FREEZE_S).max(1);
    let freeze = freezes::freeze_of(console.org.anchor.org(), scope, seconds, &request.reason);
    let until = freeze.exp.get();
    let mut sheet =
        control_sheet(desk, console, &Envelope::new(&freeze), SignatureRole::Freeze, "Stop it?")?;
    sheet.1.until = Some(until);
    give(desk, sheet.0, sheet.1)
}

/// Ends a freeze.
pub(crate) fn thaw(desk: &Desk, console: &Console, request: &AboutRequest) -> Result<Sheet> {
    let thaw = control::thaw_of(console, id(&request.id)?, &request.reason)?;
    let (held, mut sheet) = control_sheet(
        desk,
        console,
        &Envelope::new(&thaw),
        SignatureRole::Freeze,
        "End the freeze?",
    )?;
    sheet.who_else = Some("one more operator".to_owned());
    give(desk, held, sheet)
}

/// Stops a bundle that waits.
pub(crate) fn veto(desk: &Desk, console: &Console, request: &AboutRequest) -> Result<Sheet> {
    let bundle = id(&request.id)?;
    if !console.view.chain.pending.iter().any(|waits| waits.trust.id == bundle) {
        return Err(fail(Code::Error, "no such bundle waits", "look at the bundles that wait"));
    }
    let veto = control::veto_of(console, bundle, &request.reason);
    let (held, sheet) = control_sheet(
        desk,
        console,
        &Envelope::new(&veto),
        SignatureRole::Root,
        "Stop this bundle?",
    )?;
    give(desk, held, sheet)
}

/// Takes a job back.
pub(crate) fn withdrawal(desk: &Desk, console: &Console, request: &AboutRequest) -> Result<Sheet> {
    let withdrawal = orders::withdrawal(console, id(&request.id)?, &request.reason)?;
    let envelope = Envelope::new(&withdrawal);
    let (held, sheet) =
        control_sheet(desk, console, &envelope, SignatureRole::Freeze, "Take it back for good?")?;
    give(desk, held, sheet)
}

/// Lets new endpoints in.
pub(crate) fn enrolment(
    desk: &Desk,
    console: &Console,
    request: EnrolmentRequest,
) -> Result<Sheet> {
    let usage = |problem: String| fail(Code::Usage, problem, "write another name");
    let wish = enroll::Wish {
        tenant: slug(&request.tenant).map_err(usage)?,
        site: slug(&request.site).map_err(usage)?,
        labels: request.labels,
        uses: request.uses.unwrap_or(10),
        expires_s: request.expires_s.unwrap_or(7 * 86_400),
        manual: request.manual,
    };
    let enrolment = enroll::enrolment(console, wish)?;
    if let Err(problem) = enrolment.validate() {
        let problem = format!("this enrolment would be invalid: {problem}");
        return Err(fail(Code::Usage, problem, "change it and try again"));
    }
    let envelope = Envelope::new(&enrolment);
    let text = render::statement(&envelope)?;
    let held = Held { envelope, role: SignatureRole::Enroll, then: Then::Enrol };
    let mut sheet = sheet(console, &held, text, "Let these endpoints in?");
    sheet.disabled = disabled(desk, console, OperatorRole::Enroll, Some(&enrolment.tenant))?;
    sheet.tenant = Some(enrolment.tenant.name().to_owned());
    sheet.endpoints = Some(enrolment.max_uses);
    sheet.until = Some(enrolment.exp.get());
    give(desk, held, sheet)
}

pub(super) fn control_sheet(
    desk: &Desk,
    console: &Console,
    envelope: &Envelope,
    role: SignatureRole,
    question: &str,
) -> Result<(Held, Sheet)> {
    let text = render::statement(envelope)?;
    let held = Held { envelope: envelope.clone(), role, then: Then::Control };
    let mut sheet = sheet(console, &held, text, question);
    let needed =
        if role == SignatureRole::Root { OperatorRole::Root } else { OperatorRole::Freeze };
    sheet.disabled = disabled(desk, console, needed, None)?;
    Ok((held, sheet))
}
