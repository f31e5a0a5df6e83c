//! `rollout` and `promote`: job by stages, on evidence that is verified here.

use std::time::{Duration, Instant};

use anyhow::Result;
use bartizan_proto::operator::{JobEvents, JobState, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, StatementId};
use bartizan_trust::statement::{Promotion, SignatureRole, V1};
use clap::Args;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{Console, Context, options, watch};
use crate::api::session;
use crate::exit::{Code, fail};
use crate::home::now;
use crate::keys::Signer;
use crate::mine;
use crate::rollout::shown::{as_json, as_text};
pub(crate) use crate::rollout::shown::{next_text, said};
use crate::rollout::{Member, Next, Said, StageView, View};
use crate::sign::render;
use crate::terminal::{agrees, cell, json_text, line};
use crate::witness;

/// How long the server may hold a question for news: soaks end without any.
const POLL_S: u64 = 3;
/// Endpoints named before a promotion is signed.
const NAMED_MAX: usize = 20;

/// `bartizan rollout …`
#[derive(Debug, Args)]
pub(crate) struct RolloutOptions {
    /// The job's id, or enough of its beginning
    id: String,
    /// Promote by itself while stages go well
    #[arg(long)]
    auto: bool,
    /// Show it once and return
    #[arg(long, conflicts_with = "auto")]
    once: bool,
    /// Stop after this long, with exit code 4
    #[arg(long, value_parser = options::seconds)]
    timeout: Option<u64>,
}

/// `bartizan promote …`
#[derive(Debug, Args)]
pub(crate) struct PromoteOptions {
    /// The job's id, or enough of its beginning
    id: String,
    /// Go on although endpoints refused, and say why
    #[arg(long, value_name = "REASON")]
    despite_refusals: Option<String>,
}

/// How a roll-out is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promote {
    /// A person does it.
    ByHand,
    /// This console does it, as long as all goes well.
    Auto,
}

/// Whether whoever watches a job is asked to let its next stage begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    /// Not here.
    Never,
    /// As soon as the stage before allows it.
    WhenReady,
}

pub(crate) fn run(context: &Context, options: &RolloutOptions) -> Result<()> {
    let console = context.connect()?;
    let id = watch::find(&console, &options.id)?;
    if options.once {
        let view = View::fetch(&console, id)?;
        return context.terminal.result(&as_json(&view), &as_text(&view));
    }
    let promote = if options.auto { Promote::Auto } else { Promote::ByHand };
    follow(context, &console, id, promote, options.timeout)
}

pub(crate) fn promote(context: &Context, options: &PromoteOptions) -> Result<()> {
    let console = context.connect()?;
    let id = watch::find(&console, &options.id)?;
    let view = View::fetch(&console, id)?;
    let despite = options.despite_refusals.as_deref();
    check(&view, despite, me(context, &console)?.as_ref())?;
    context.terminal.show(&as_text(&view))?;
    let (stored, enough) = sign(context, &console, &view, despite)?;
    let stage = view.next_stage().map_or(0, |(to, _, _)| to);
    let shown = json!({ "job": id, "promotion": stored.id, "to": stage, "enough": enough });
    let text = if enough {
        format!("stage {stage} may begin; see it: bartizan rollout {id}")
    } else {
        format!("stage {stage} wants more people: bartizan promote {id}")
    };
    context.terminal.result(&shown, &text)
}

/// Who promotes from this console.
fn me(context: &Context, console: &Console) -> Result<Option<OperatorId>> {
    let key = session::own_key(&context.home)?;
    let operator = key.as_deref().and_then(|key| mine::operator(&console.view, key));
    Ok(operator.map(|operator| operator.id.clone()))
}

/// Nobody should sign what endpoints refuse, what this console cannot stand for, or the same twice.
pub(crate) fn check(view: &View, despite: Option<&str>, me: Option<&OperatorId>) -> Result<()> {
    let id = view.id;
    if view.state != JobState::Active {
        let next = format!("look at it: bartizan rollout {id} --once");
        return Err(fail(Code::Error, "the job is not at work", next));
    }
    match view.next(now()) {
        Next::Ready | Next::Refusals if view.is_signed_by(me) => {
            let problem = "you have signed; the stage wants another person";
            Err(fail(
                Code::Pending,
                problem,
                format!("ask another operator: bartizan promote {id}"),
            ))
        }
        Next::Ready => {
            if despite.is_some() {
                let next = "leave out --despite-refusals";
                return Err(fail(Code::Usage, "no endpoint refused", next));
            }
            Ok(())
        }
        Next::Refusals if despite.is_some() => refusals_aside(view),
        next => Err(not_now(id, &next)),
    }
}

/// What must hold beside the refusals somebody accepts.
fn refusals_aside(view: &View) -> Result<()> {
    let Some((_, before, stage)) = view.next_stage() else { return Ok(()) };
    if !before.evidence().allows(stage) {
        return Err(not_now(view.id, &Next::TooEarly));
    }
    match view.soak_left(now()) {
        0 => Ok(()),
        left => Err(not_now(view.id, &Next::Soaks(left))),
    }
}

fn not_now(id: StatementId, next: &Next) -> anyhow::Error {
    let (code, problem, advice) = match next {
        Next::Nothing => (
            Code::Error,
            "every stage may begin already".to_owned(),
            format!("follow it: bartizan rollout {id}"),
        ),
        Next::TooEarly => (
            Code::Pending,
            "too little of the stage has ended well yet".to_owned(),
            format!(
                "follow it: bartizan rollout {id}; if its endpoints do not come back, sign the job again: whoever is there goes first"
            ),
        ),
        Next::Soaks(left) => (
            Code::Pending,
            format!("the stage soaks for {left} seconds more"),
            format!("let this console wait: bartizan rollout {id} --auto"),
        ),
        Next::Failures => (
            Code::Refused,
            "HALTED: more failed than the job allows".to_owned(),
            format!(
                "see why: bartizan receipts {id}; stop the rest: bartizan freeze job:{id}; then sign a new job"
            ),
        ),
        Next::Refusals => (
            Code::Refused,
            "HALTED: endpoints refused the job".to_owned(),
            format!(
                "see why: bartizan receipts {id}; stop it: bartizan freeze job:{id}; or go on: bartizan promote {id} --despite-refusals REASON"
            ),
        ),
        Next::Ready => {
            (Code::Error, "the stage can be promoted".to_owned(), format!("bartizan promote {id}"))
        }
    };
    fail(code, problem, advice)
}

/// Asks whether the next stage may begin, once it is ready; says whether to ask for another one later.
pub(crate) fn offer(
    context: &Context,
    console: &Console,
    bar: &ProgressBar,
    id: StatementId,
) -> Result<Offer> {
    let ready = |view: &View| view.next(now()) == Next::Ready && view.has_settled();
    let view = View::fetch(console, id)?;
    let Some((to, _, stage)) = view.next_stage() else { return Ok(Offer::Never) };
    if matches!(view.next(now()), Next::Failures | Next::Refusals) {
        bar.suspend(|| line(&next_text(&view)))?;
        return Ok(Offer::Never);
    }
    // Whoever has signed waits for another person like everybody else.
    if !ready(&view) || view.is_signed_by(me(context, console)?.as_ref()) {
        return Ok(Offer::WhenReady);
    }
    bar.suspend(|| {
        let envelope = draft(context, console, &view, None)?;
        let by_hand = format!("later: bartizan promote {id}");
        if !agrees(&format!("Let stage {to} ({}) begin?", cell(&stage.name)))? {
            line(&by_hand)?;
            return Ok(Offer::Never);
        }
        // Somebody else may have answered meanwhile.
        let newer = View::fetch(console, id)?;
        if newer.promoted.len() != view.promoted.len() || !ready(&newer) {
            return Ok(Offer::WhenReady);
        }
        match send(context, console, &view, envelope) {
            Ok(_) => Ok(Offer::WhenReady),
            // Whoever may not promote goes on watching.
            Err(error) => {
                eprintln!("not promoted: {}\n{by_hand}", cell(&format!("{error:#}")));
                Ok(Offer::Never)
            }
        }
    })
}

/// Signs the promotion to the next stage, and says whether endpoints will act on it.
fn sign(
    context: &Context,
    console: &Console,
    view: &View,
    despite: Option<&str>,
) -> Result<(Stored, bool)> {
    let Some((to, _, stage)) = view.next_stage() else {
        return Err(not_now(view.id, &Next::Nothing));
    };
    let envelope = draft(context, console, view, despite)?;
    context.terminal.confirm(&format!("Let stage {to} ({}) begin?", cell(&stage.name)))?;
    send(context, console, view, envelope)
}

/// The promotion to the next stage, shown and not yet signed.
fn draft(
    context: &Context,
    console: &Console,
    view: &View,
    despite: Option<&str>,
) -> Result<Envelope> {
    let envelope = promotion(console, view, despite)?;
    let Some((_, before, _)) = view.next_stage() else {
        return Err(not_now(view.id, &Next::Nothing));
    };
    context.terminal.show(&format!(
        "{}{}",
        before_signing(before),
        render::statement(&envelope)?
    ))?;
    Ok(envelope)
}

/// The promotion to the next stage: somebody else's where it claims no more than was verified here, else a new one.
pub(crate) fn promotion(console: &Console, view: &View, despite: Option<&str>) -> Result<Envelope> {
    let Some((to, before, _)) = view.next_stage() else {
        return Err(not_now(view.id, &Next::Nothing));
    };
    let evidence = before.evidence();
    let own = Promotion {
        v: V1,
        org: console.org.anchor.org(),
        iat: now(),
        crit: Vec::new(),
        job: view.id,
        to,
        prev: view.promoted.last().map(|last| last.id),
        evidence,
        despite_refusals: despite.map(str::to_owned),
    };
    Ok(view.usable_draft().map_or_else(|| Envelope::new(&own), |(envelope, _)| envelope.clone()))
}

fn send(
    context: &Context,
    console: &Console,
    view: &View,
    mut envelope: Envelope,
) -> Result<(Stored, bool)> {
    Signer::open(&context.home, context.key.as_deref())?
        .sign(&mut envelope, SignatureRole::Promote)?;
    mine::remember(&context.home, &envelope)?;
    hand_over(context, console, view, &envelope)
}

/// Hands a signed promotion over, and says whether endpoints will act on it.
pub(crate) fn hand_over(
    context: &Context,
    console: &Console,
    view: &View,
    envelope: &Envelope,
) -> Result<(Stored, bool)> {
    let path = format!("/v1/jobs/{}/promotions", view.id);
    let stored: Stored = console.api.send(&path, &session::body(envelope))?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    let after = View::fetch(console, view.id)?;
    Ok((stored, after.promoted.len() > view.promoted.len()))
}

/// Who is behind the numbers: the ones that did not end well, and the ones not heard of.
pub(crate) fn before_signing(stage: &StageView) -> String {
    let mut text = String::new();
    let odd = stage.members.iter().filter(|member| member.said != Said::Ok);
    for member in odd.clone().take(NAMED_MAX) {
        let (word, code) = said(member);
        text += &format!("        {} {word} {code}\n", member.endpoint);
    }
    let more = odd.count().saturating_sub(NAMED_MAX);
    if more > 0 {
        text += &format!("        and {more} more\n");
    }
    text
}

/// Shows what happens until the job has ended everywhere.
pub(crate) fn follow(
    context: &Context,
    console: &Console,
    id: StatementId,
    promote: Promote,
    timeout: Option<u64>,
) -> Result<()> {
    if promote == Promote::Auto {
        context.terminal.confirm("Promote by itself while stages go well?")?;
    }
    let quiet = Context {
        home: context.home.clone(),
        key: context.key.clone(),
        terminal: crate::terminal::Terminal { yes: true, json: context.terminal.json },
    };
    let bar =
        if context.terminal.json { ProgressBar::hidden() } else { ProgressBar::new_spinner() };
    let me = me(context, console)?;
    let (start, mut after, mut shown) = (Instant::now(), 0, String::new());
    loop {
        let view = View::fetch(console, id)?;
        show(context, &bar, &view, &mut shown)?;
        if matches!(view.state, JobState::Finished | JobState::Expired | JobState::Cancelled) {
            bar.finish_and_clear();
            return ended(context, &view);
        }
        if promote == Promote::Auto {
            match view.next(now()) {
                Next::Ready
                    if view.has_settled()
                        && view.state == JobState::Active
                        && !view.is_signed_by(me.as_ref()) =>
                {
                    bar.suspend(|| sign(&quiet, console, &view, None))?;
                    continue;
                }
                halted @ (Next::Failures | Next::Refusals) => {
                    bar.finish_and_clear();
                    return Err(not_now(id, &halted));
                }
                Next::Nothing | Next::TooEarly | Next::Soaks(_) | Next::Ready => {}
            }
        }
        if timeout.is_some_and(|limit| start.elapsed() >= Duration::from_secs(limit)) {
            bar.finish_and_clear();
            let next = format!("look again: bartizan rollout {id}");
            return Err(fail(Code::Pending, "the roll-out has not ended yet", next));
        }
        let left = timeout.map_or(POLL_S, |limit| limit.saturating_sub(start.elapsed().as_secs()));
        let wait = POLL_S.min(left.max(1));
        let news: JobEvents =
            console.api.fetch(&format!("/v1/jobs/{id}/events?after={after}&wait_s={wait}"))?;
        after = news.next;
    }
}

/// Redraws on a terminal; elsewhere says what changed.
fn show(context: &Context, bar: &ProgressBar, view: &View, shown: &mut String) -> Result<()> {
    let text = if context.terminal.json { json_text(&as_json(view)) } else { as_text(view) };
    // A soak that grows shorter is news on a terminal only.
    let news = text.replace(&view.soak_left(now()).to_string(), "");
    if news == *shown && (context.terminal.json || bar.is_hidden()) {
        return Ok(());
    }
    if !context.terminal.json && !bar.is_hidden() {
        bar.set_message(format!("\n{text}"));
        bar.tick();
    } else {
        line(&text)?;
    }
    *shown = news;
    Ok(())
}

fn ended(context: &Context, view: &View) -> Result<()> {
    if !context.terminal.json {
        context.terminal.result(&Value::Null, &as_text(view))?;
    }
    let all = |wanted: fn(&Member) -> bool| {
        view.stages.iter().flat_map(|stage| &stage.members).filter(|member| wanted(member)).count()
    };
    let id = view.id;
    let refused = all(|member| matches!(member.said, Said::Refused(_)));
    if refused > 0 {
        let next = format!("see why: bartizan receipts {id}");
        return Err(fail(Code::Refused, format!("{refused} endpoints refused the job"), next));
    }
    let unwell = all(|member| member.said != Said::Ok);
    if unwell > 0 {
        let next = format!("see the exit codes: bartizan receipts {id}");
        return Err(fail(Code::Error, format!("it did not succeed on {unwell} endpoints"), next));
    }
    Ok(())
}
