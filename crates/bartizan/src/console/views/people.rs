//! People for the organisation that is there.

use anyhow::Result;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::{Bundle, OperatorRole, SignatureRole};

use super::disabled;
use super::signing::{give, sheet, since_last_bundle};
use crate::commands::keys::Card;
use crate::commands::operator::{insert, person};
use crate::commands::{Console, change};
use crate::console::desk::Desk;
use crate::console::shapes::{PersonRequest, Sheet, ThresholdRequest};
use crate::console::sheets::{Held, Then};
use crate::sign::{fields, render};

/// A bundle that names them too, by the card whose words they read.
pub(crate) fn add(desk: &Desk, console: &Console, request: &PersonRequest) -> Result<Sheet> {
    let card = Card::compared_text(&request.card, &request.words)?;
    proposed(desk, console, "Add this person?", |bundle| {
        insert(bundle, person(&card)?, Some(&card))
    })
}

/// A bundle that so many people change from then on. As many as it asks for sign it, too.
pub(crate) fn threshold(
    desk: &Desk,
    console: &Console,
    request: ThresholdRequest,
) -> Result<Sheet> {
    let question = format!("Let {} people change who may do what?", request.people);
    proposed(desk, console, &question, |bundle| {
        bundle.root.threshold = request.people;
        Ok(())
    })
}

fn proposed(
    desk: &Desk,
    console: &Console,
    question: &str,
    edit: impl Fn(&mut Bundle) -> Result<()>,
) -> Result<Sheet> {
    let next = change::next(&console.view.chain, console.org.anchor.org(), edit)?;
    let needed = console.trust.bundle.root.threshold.max(next.root.threshold);
    let envelope = Envelope::new(&next);
    let text = render::statement(&envelope)? + &fields::changes(&console.view.chain, &envelope)?;
    let difference = since_last_bundle(console, &envelope)?;
    let held = Held { envelope, role: SignatureRole::Root, then: Then::Control };
    let mut sheet = sheet(console, &held, text, question);
    sheet.disabled = disabled(desk, console, OperatorRole::Root, None)?;
    sheet.difference = difference;
    sheet.who_else = Some(match needed {
        1 => "nobody".to_owned(),
        needed => format!("{needed} root operators in all"),
    });
    give(desk, held, sheet)
}
