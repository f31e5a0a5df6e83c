//! What a job would need, before anything is written or signed.

use anyhow::Result;
use bartizan_trust::id::Sha256;
use bartizan_trust::statement::{Action, Content, Display, EnvVar, Interpreter, Job};

use super::orders;
use super::signing::{EXPIRES_S, FAILURES_PERCENT, TIMEOUT_S, author_disabled, class, planned};
use crate::commands::Console;
use crate::compose::{self, Composed, Waves, Wish};
use crate::console::desk::Desk;
use crate::console::shapes::{Preview, PreviewRequest, PreviewScript, ScriptReview};
use crate::exit::{Code, fail};
use crate::sign::render;

/// Any content that no endpoint has seen.
const UNSEEN: &[u8] = b"# preview\n";

/// What a script on these endpoints would need.
pub(crate) fn preview(desk: &Desk, console: &Console, request: PreviewRequest) -> Result<Preview> {
    let script = request.script;
    let content = match &script {
        Some(script) => {
            let wrong = |_| fail(Code::Usage, "no SHA-256", "reload the page");
            Content { sha256: script.sha256.parse().map_err(wrong)?, size: script.size }
        }
        None => Content { sha256: Sha256::of(UNSEEN), size: 1 },
    };
    let known = script.is_some();
    let mut wish = Wish {
        on: request.on,
        interpreter: Interpreter::Sh,
        args: Vec::new(),
        env: Vec::new(),
        run_as: None,
        timeout_s: TIMEOUT_S,
        expires_s: longest(console),
        destructive: request.destructive,
        class: class(request.class),
        display: Display {
            title: "preview".to_owned(),
            ticket: String::new(),
            reason: String::new(),
        },
        waves: Waves {
            plan: None,
            soak_s: None,
            promoters: 1,
            failures_percent_max: FAILURES_PERCENT,
        },
        after: Vec::new(),
        trigger: request.trigger.map(orders::trigger).transpose()?,
    };
    if let Some(script) = script {
        written(&mut wish, script);
    }
    let Composed { job, milder, .. } = compose::compose_of(console, wish, content)?;
    let bundle = &console.trust.bundle;
    Ok(Preview {
        tenant: job.tenant.name().to_owned(),
        endpoints: job.targets.count,
        class: job.class.name().to_owned(),
        approvals_needed: bundle.class_rule(job.class).map_or(0, |rule| rule.approvals),
        who_else: render::who_else(bundle, job.class),
        stages: planned(&job),
        review: if known { review(desk, console, &job)? } else { None },
        ran_everywhere: milder,
        disabled: author_disabled(desk, console, &job)?,
    })
}

/// What is known already of the script, as a job would have it.
fn written(wish: &mut Wish, script: PreviewScript) {
    let env = script.env.into_iter().map(|var| EnvVar { name: var.name, value: var.value });
    wish.interpreter = script.interpreter.into();
    wish.args = script.args;
    wish.env = env.collect();
    wish.run_as = script.run_as.filter(|user| !user.is_empty());
}

fn review(desk: &Desk, console: &Console, job: &Job) -> Result<Option<ScriptReview>> {
    let Action::Script(script) = &job.action else { return Ok(None) };
    let form = script.reviewed_as();
    let reviews = desk.logs.reviews(console)?;
    let newest = reviews.iter().find(|review| review.form == form);
    Ok(newest.map(|newest| super::scripts::review(console, newest)))
}

/// Long enough for the stages of every class; a preview is never signed.
fn longest(console: &Console) -> u64 {
    let longest = console.trust.bundle.classes.iter().map(|rule| rule.window_s_max).max();
    longest.unwrap_or(EXPIRES_S)
}
