//! A changed bundle: made from the one it follows, shown as a difference, signed, sent.

use anyhow::Result;
use bartizan_proto::operator::Stored;
use bartizan_trust::chain::Chain;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::OrgId;
use bartizan_trust::json::Validate as _;
use bartizan_trust::state::TrustState;
use bartizan_trust::statement::{Bundle, SignatureRole};
use bartizan_trust::tighten::only_tightens;
use serde_json::json;

use super::{Console, Context, control};
use crate::exit::{Code, fail};
use crate::home::now;
use crate::keys::Signer;
use crate::mine;
use crate::sign::render;

/// Signs a changed bundle and hands it over; says whether it acts at once, waits, or lacks signatures.
pub(super) fn propose(
    context: &Context,
    console: &Console,
    edit: impl Fn(&mut Bundle) -> Result<()>,
) -> Result<()> {
    let next = next(&console.view.chain, console.org.anchor.org(), edit)?;
    let mut envelope = Envelope::new(&next);
    control::show(context, console, &envelope)?;
    context.terminal.confirm("Sign this bundle?")?;
    Signer::open(&context.home, context.key.as_deref())?
        .sign(&mut envelope, SignatureRole::Root)?;
    mine::remember(&context.home, &envelope)?;
    let stored = control::send(context, console, &envelope)?;
    told(context, console, &envelope, &stored)
}

/// The bundle after the one in force where that only takes away: it acts at once, and whatever waits is dropped. Anything
/// else follows what comes last.
pub(crate) fn next(
    chain: &Chain,
    org: OrgId,
    edit: impl Fn(&mut Bundle) -> Result<()>,
) -> Result<Bundle> {
    let at_once = follow(&chain.current, org, &edit);
    let Some(last) = chain.pending.last() else { return at_once };
    match at_once {
        Ok(next) if only_tightens(&chain.current.bundle, &next) => Ok(next),
        Ok(_) | Err(_) => follow(&last.trust, org, &edit),
    }
}

/// The bundle that follows `before`, changed.
pub(super) fn follow(
    before: &TrustState,
    org: OrgId,
    edit: impl Fn(&mut Bundle) -> Result<()>,
) -> Result<Bundle> {
    let mut next = before.bundle.clone();
    edit(&mut next)?;
    if next == before.bundle {
        return Err(fail(Code::Error, "this changes nothing", "see `bartizan bundle show`"));
    }
    next.org = Some(org);
    next.version = before.bundle.version + 1;
    next.prev = Some(before.id);
    next.iat = now();
    next.validate().map_err(|problem| {
        let next = "change less, or something else in the same step: `bartizan bundle propose`";
        fail(Code::Error, format!("this bundle would be invalid: {problem}"), next)
    })?;
    Ok(next)
}

fn told(context: &Context, console: &Console, envelope: &Envelope, stored: &Stored) -> Result<()> {
    let id = envelope.id();
    if stored.log_index.is_none() {
        return control::waits_for_others(context, id);
    }
    let mut view = console.view.clone();
    let judged = view.advise(console.org.anchor.org(), now(), Some(now()), &envelope.encode());
    let waits = view.chain.pending.iter().find(|pending| pending.trust.id == id);
    let text = match (judged, waits) {
        (Ok(()), Some(pending)) => format!(
            "{id} is published and waits until {}; `bartizan bundle veto {id}` stops it",
            render::date(pending.due())
        ),
        (Ok(()) | Err(_), _) => format!("{id} is published and acts at once"),
    };
    let due = waits.map(bartizan_trust::chain::PendingBundle::due);
    context.terminal.result(&json!({ "statement": id, "done": true, "due": due }), &text)
}
