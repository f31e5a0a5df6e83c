//! The signature under a sheet, and what becomes of the statement then.

use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use bartizan_proto::operator::Stored;
use bartizan_trust::authorize::monitoring::stand_behind_policy;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::{Freeze, Job, SignatureRole, StatementType};
use data_encoding::BASE64URL_NOPAD;

use super::founding;
use super::logs::title;
use super::signing::{by_passkey, usable};
use crate::api::session::{self, Prepared};
use crate::commands::{Console, control, enroll, freeze as freezes, monitoring, rollout};
use crate::compose;
use crate::console::desk::{Desk, locked};
use crate::console::shapes::{SignRequest, Signed};
use crate::console::sheets::{Held, Then};
use crate::exit::{Code, fail};
use crate::journal::{self, Did};
use crate::keys::passkey;
use crate::rollout::View;
use crate::{mine, withhold, witness};

/// Signs what the sheet showed, and sends it.
pub(crate) fn sign(desk: &Desk, request: &SignRequest) -> Result<Signed> {
    let held =
        locked(&desk.sheets).take(&request.token, &request.id, &request.words, Instant::now())?;
    let Held { mut envelope, role, then } = held;
    let then = match then {
        Then::Login { console } => {
            let ssh = signature(desk, &mut envelope, role, request)?;
            let signed = Prepared { envelope, console: *console };
            session::complete(&desk.context.home, &desk.context.home.org()?, &signed, ssh)?;
            desk.forget_view();
            return Ok(signed_alone(&signed.envelope, "You are logged in."));
        }
        Then::Join { org, console } => {
            let ssh = signature(desk, &mut envelope, role, request)?;
            let signed = Prepared { envelope, console: *console };
            founding::enter(desk, &org, &signed, ssh)?;
            return Ok(signed_alone(&signed.envelope, "This console belongs to the organisation."));
        }
        Then::Found { address } => {
            signature(desk, &mut envelope, role, request)?;
            return founding::hand_over(desk, &envelope, &address);
        }
        other => other,
    };
    let console = desk.console()?;
    signature(desk, &mut envelope, role, request)?;
    mine::remember(&desk.context.home, &envelope)?;
    let id = envelope.id().to_string();
    journal::note(&desk.context.home, Did::Signed, &title(&envelope), Some(id))?;
    let signed = send(desk, &console, &envelope, then);
    desk.forget_view();
    signed
}

/// What was signed and needs nobody else.
fn signed_alone(envelope: &Envelope, text: &str) -> Signed {
    Signed {
        id: envelope.id().to_string(),
        kind: envelope.kind().map_or("unknown", StatementType::name).to_owned(),
        enough: true,
        text: text.to_owned(),
        log_index: None,
        command: None,
    }
}

/// Adds this operator's signature; says of which key.
pub(super) fn signature(
    desk: &Desk,
    envelope: &mut Envelope,
    role: SignatureRole,
    request: &SignRequest,
) -> Result<String> {
    if !by_passkey(desk)? {
        let signer = desk.signer()?;
        signer.sign(envelope, role)?;
        return Ok(signer.public().to_openssh());
    }
    let again = "sign the new sheet with a passkey of this console";
    let answer = request.assertion.as_ref();
    let answer = answer.ok_or_else(|| fail(Code::Error, "the passkey has not signed", again))?;
    let known = usable(desk)?.into_iter().find(|one| one.credential == answer.credential);
    let known =
        known.ok_or_else(|| fail(Code::Error, "this passkey was not registered here", again))?;
    let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).context("read base64url");
    let assertion = passkey::Assertion {
        authenticator_data: &decode(&answer.authenticator_data)?,
        client_data: &decode(&answer.client_data)?,
        signature: &decode(&answer.signature)?,
    };
    known.sign(envelope, role, &assertion)?;
    Ok(known.ssh)
}

fn send(desk: &Desk, console: &Console, envelope: &Envelope, then: Then) -> Result<Signed> {
    let context = &desk.context;
    let mut command = None;
    let (stored, enough) = match then {
        Then::Submit { content, targets } => {
            let stored = compose::submit(context, console, envelope, &content, &targets)?;
            (stored, stands(console, envelope)?)
        }
        Then::Countersign => {
            let path = format!("/v1/jobs/{}/signatures", envelope.id());
            let stored: Stored = console.api.send(&path, &session::body(envelope))?;
            witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
            (stored, stands(console, envelope)?)
        }
        Then::Policy => {
            let stored = monitoring::submit(context, console, envelope)?;
            let policy = envelope.statement().context("read the policy")?;
            let bundle = &console.trust.bundle;
            (stored, stand_behind_policy(bundle, &policy, envelope).is_ok())
        }
        Then::Control => {
            if envelope.statement::<Freeze>().is_ok()
                && freezes::stands_alone(&console.view, &console.org.anchor, envelope)
            {
                withhold::expect(&context.home, envelope)?;
            }
            let stored = control::send(context, console, envelope)?;
            let enough = stored.log_index.is_some();
            (stored, enough)
        }
        Then::Promote { job } => {
            rollout::hand_over(context, console, &View::fetch(console, job)?, envelope)?
        }
        Then::Enrol => {
            let (stored, install) = enroll::hand_over(console, envelope)?;
            command = Some(install);
            (stored, true)
        }
        Then::Login { .. } | Then::Join { .. } | Then::Found { .. } => {
            bail!("this is no statement of a log that is there")
        }
    };
    Ok(Signed {
        id: stored.id.to_string(),
        kind: envelope.kind().map_or("unknown", StatementType::name).to_owned(),
        enough,
        text: if enough { "Signed by enough people." } else { "It waits for other people." }
            .to_owned(),
        log_index: stored.log_index,
        command,
    })
}

/// Whether enough people stand behind a job, as endpoints count.
fn stands(console: &Console, envelope: &Envelope) -> Result<bool> {
    let job: Job = envelope.statement().context("read the job")?;
    Ok(bartizan_trust::people::stand_behind(&console.trust.bundle, &job, envelope).is_ok())
}
