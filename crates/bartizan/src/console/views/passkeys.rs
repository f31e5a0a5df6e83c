//! Registering passkeys.

use std::time::Instant;

use anyhow::{Context as _, Result};
use bartizan_trust::id::OperatorId;
use bartizan_trust::limits;
use bartizan_trust::statement::is_plain_char;
use data_encoding::BASE64URL_NOPAD;

use crate::commands::keys::{Card, PasskeyRules};
use crate::commands::options::slug;
use crate::console::desk::{Desk, locked};
use crate::console::limits::SHEET_LIFE;
use crate::console::sessions::token;
use crate::console::shapes::{
    PasskeyCard, PasskeyList, PasskeyOptions, PasskeyRegistration, PasskeyRow,
};
use crate::exit::{Code, fail};
use crate::home::nonce;
use crate::keys::{Signer, passkey};

/// Those of this console.
pub(crate) fn list(desk: &Desk) -> Result<PasskeyList> {
    let mut passkeys = Vec::new();
    for one in passkey::load(&desk.context.home)? {
        passkeys.push(PasskeyRow {
            fingerprint: one.public()?.fingerprint(),
            credential: one.credential,
            ssh: one.ssh,
            origin: one.origin,
            synced: one.synced,
        });
    }
    let in_use = Signer::is_a_passkey(&desk.context.home, desk.context.key.as_deref())?;
    Ok(PasskeyList { in_use, origin: desk.origin(), passkeys })
}

/// A challenge for one registration.
pub(crate) fn options(desk: &Desk) -> Result<PasskeyOptions> {
    let challenge = token()?;
    *locked(&desk.registration) = Some((challenge.clone(), Instant::now() + SHEET_LIFE));
    let known = passkey::load(&desk.context.home)?;
    Ok(PasskeyOptions {
        challenge,
        rp_id: passkey::RP_ID.to_owned(),
        rp_name: "Bartizan".to_owned(),
        user_id: BASE64URL_NOPAD.encode(nonce()?.as_bytes()),
        exclude: known.into_iter().map(|one| one.credential).collect(),
    })
}

/// Judges the new credential, keeps it, and makes its card.
pub(crate) fn register(desk: &Desk, request: &PasskeyRegistration) -> Result<PasskeyCard> {
    let plain = request.name.chars().all(is_plain_char);
    if request.name.is_empty() || request.name.len() > limits::TEXT_BYTES_MAX || !plain {
        return Err(fail(
            Code::Usage,
            "the name is empty, too long, or has control characters",
            "write another",
        ));
    }
    let id: OperatorId = slug(&request.id)
        .map_err(|problem| fail(Code::Usage, problem, "write another short name"))?;
    let again =
        || fail(Code::Error, "this registration was ended before, or is too old", "begin again");
    let (challenge, until) = locked(&desk.registration).take().ok_or_else(again)?;
    if Instant::now() >= until {
        return Err(again());
    }
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).context("read base64url");
    let made = passkey::register(
        &challenge,
        &desk.origin(),
        &decode(&request.client_data)?,
        &decode(&request.authenticator_data)?,
        request.may_be_synced,
    )?;
    let rules = PasskeyRules { origin: made.origin.clone(), synced: made.synced };
    let card = Card::new(&desk.context, &id, &request.name, made.ssh.clone(), Some(rules))?;
    let fingerprint = made.public()?.fingerprint();
    passkey::keep(&desk.context.home, made)?;
    let text = serde_json::to_string(&card).context("write the card")?;
    Ok(PasskeyCard { card: text, words: card.words(), fingerprint })
}
