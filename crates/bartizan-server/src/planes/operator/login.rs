//! Who is asking: signed logins bound to the console's TLS key.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use bartizan_proto::operator::{EnvelopeBody, LoginAnswer, ServerIdentity};
use bartizan_store::SessionRecord;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::OperatorId;
use bartizan_trust::limits::CLOCK_SKEW_S;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::Login;
use bartizan_trust::visitor::{self, Visitor};
use data_encoding::BASE64;
use serde::de::DeserializeOwned;

use super::Peer;
use super::failure::Failure;
use crate::app::{App, Organisation, now};

/// An operator with a session. Extracting it is what every private route begins with, but for those few that are also
/// for a [`Guest`].
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub(super) operator: OperatorId,
    pub(super) organisation: Arc<Organisation>,
}

impl FromRequestParts<Arc<App>> for Session {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let guest = Guest::from_request_parts(parts, app).await?;
        match guest.visitor {
            Visitor::Operator(operator) => Ok(Self { operator, organisation: guest.organisation }),
            Visitor::Customer(_) | Visitor::Recovery => Err(not_yours()),
        }
    }
}

/// Anybody with a session: an operator, a customer's person, or whoever holds a recovery key.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) visitor: Visitor,
    pub(super) organisation: Arc<Organisation>,
}

impl FromRequestParts<Arc<App>> for Guest {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let peer =
            parts.extensions.get::<Peer>().and_then(|peer| peer.0).ok_or_else(unauthenticated)?;
        let organisation = app.organisation().ok_or_else(Failure::no_organisation)?;
        let session = app.db.read(move |tx| tx.session(&peer)).await?;
        let session =
            session.filter(|session| now().get() < session.exp).ok_or_else(unauthenticated)?;
        // A newer bundle may have removed the key since the login.
        let visitor =
            visitor::holder(organisation.bundle(), &session.ssh).ok_or_else(unauthenticated)?;
        Ok(Self { visitor, organisation })
    }
}

/// A customer sees its own jobs and the control log; a recovery key moves people and sees the control log.
pub(super) fn not_yours() -> Failure {
    Failure::new(
        StatusCode::FORBIDDEN,
        "login.not_an_operator",
        "this key is a customer's or a recovery key, and this is for operators",
        "use an operator key of the current bundle",
    )
}

fn unauthenticated() -> Failure {
    Failure::new(
        StatusCode::UNAUTHORIZED,
        "login.required",
        "this console is not logged in",
        "run `bartizan login` with an operator key of the current bundle",
    )
}

/// Reads a JSON body.
pub(super) fn read_json<T: DeserializeOwned>(body: &Bytes) -> Result<T, Failure> {
    serde_json::from_slice(body).map_err(|error| {
        Failure::bad(
            "request.json",
            format!("the body is not the expected JSON: {error}"),
            "see the operator API",
        )
    })
}

/// Reads base64.
pub(super) fn read_base64(text: &str) -> Result<Vec<u8>, Failure> {
    BASE64.decode(text.as_bytes()).map_err(|_| {
        Failure::bad("request.base64", "a field is not standard base64", "see the operator API")
    })
}

/// Reads an envelope and its exact bytes.
pub(super) fn read_envelope(body: &Bytes) -> Result<(Envelope, Vec<u8>), Failure> {
    let body: EnvelopeBody = read_json(body)?;
    decode_envelope(&body.envelope)
}

/// Decodes an envelope from base64.
pub(super) fn decode_envelope(text: &str) -> Result<(Envelope, Vec<u8>), Failure> {
    let bytes = read_base64(text)?;
    let envelope = Envelope::decode(&bytes)
        .map_err(|error| Failure::refused(Refusal::Malformed, error.to_string()))?;
    Ok((envelope, bytes))
}

/// `GET /v1/server`
pub(super) async fn server(State(app): State<Arc<App>>) -> Json<ServerIdentity> {
    let org = app.organisation().map(|organisation| organisation.org);
    Json(ServerIdentity { org, ..app.identity.clone() })
}

/// `POST /v1/login`
// SPEC: operator-api.md "Login"
pub(super) async fn login(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    body: Bytes,
) -> Result<Json<LoginAnswer>, Failure> {
    let refused = |message: &str| {
        let next = "sign a new login for this console and this server";
        Failure::new(StatusCode::UNAUTHORIZED, "login.refused", message, next)
    };
    let organisation = app.organisation().ok_or_else(Failure::no_organisation)?;
    let console = peer.0.ok_or_else(|| refused("the connection has no client certificate"))?;
    let (envelope, _) = read_envelope(&body)?;
    let login: Login = envelope
        .statement()
        .map_err(|error| Failure::refused(Refusal::Malformed, error.to_string()))?;
    let (visitor, ssh) = visitor::login(organisation.bundle(), &envelope)
        .ok_or_else(|| refused("nobody whom the bundle names signed this login"))?;
    let now = now();
    if login.org != organisation.org || login.server != app.identity.spki {
        return Err(refused("the login is for another organisation or server"));
    }
    if login.console_key != console {
        return Err(refused("the login is for another console than the one that sent it"));
    }
    if !login.crit.is_empty() || now >= login.exp || login.iat > now.plus(CLOCK_SKEW_S) {
        return Err(refused("the login is over, not yet valid, or has critical fields"));
    }
    let session = SessionRecord { ssh, exp: login.exp.get() };
    app.db.write(move |tx| tx.put_session(&console, &session)).await?;
    let operator = match visitor {
        Visitor::Operator(operator) => {
            tracing::info!(operator.id = %operator, "operator logged in");
            Some(operator)
        }
        Visitor::Customer(tenant) => {
            tracing::info!(tenant.id = %tenant, "customer logged in");
            None
        }
        Visitor::Recovery => {
            tracing::warn!("somebody logged in with a recovery key");
            None
        }
    };
    Ok(Json(LoginAnswer { operator, exp: login.exp }))
}
