//! Tokens for programs that read series, such as Grafana: made by an operator, for all or one tenant, kept as a hash. They read what
//! `prom` answers and nothing else, propose nothing and authorise nothing.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use bartizan_proto::series::{NewReadToken, ReadToken, ReadTokenMade, ReadTokens, RevokeReadToken};
use bartizan_store::{ReadTokenRecord, StoreError, Tx};
use bartizan_trust::id::{Sha256, TenantId};
use bartizan_trust::time::UnixSeconds;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use ring::rand::{SecureRandom as _, SystemRandom};

use super::failure::Failure;
use super::login::{Session, read_json};
use crate::app::{App, now};

/// What a token begins with, so that people and scanners of repositories know it.
const PREFIX: &str = "bzread_";
/// Nobody guesses as many.
const SECRET_BYTES: usize = 32;
/// Tokens at once: one for each program that reads.
const TOKENS_MAX: usize = 100;
/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Two years: whoever forgot it does not meet it for ever.
const DAYS_MAX: u32 = 730;

/// Whoever may read series: an operator, or a token.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    /// Of this tenant only.
    pub(super) tenant: Option<TenantId>,
}

impl FromRequestParts<Arc<App>> for Reader {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Failure> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else {
            return Session::from_request_parts(parts, app).await.map(|_| Self { tenant: None });
        };
        let token = header.to_str().ok().and_then(token_of).ok_or_else(unknown)?;
        let organisation = app.organisation().ok_or_else(Failure::no_organisation)?;
        let hash = Sha256::of(token.as_bytes());
        let found = app.db.read(move |tx| tx.read_token(&hash)).await?.ok_or_else(unknown)?;
        // With whoever made it goes what they gave away.
        let operators = &organisation.bundle().operators;
        let is_there = operators.iter().any(|operator| operator.id == found.operator);
        if now().get() >= found.exp || !is_there {
            return Err(unknown());
        }
        Ok(Self { tenant: found.tenant })
    }
}

/// `Bearer TOKEN`, or `Basic` with any name and the token as the password: some programs know only that.
fn token_of(header: &str) -> Option<String> {
    let token = match header.split_once(' ')? {
        (scheme, token) if scheme.eq_ignore_ascii_case("bearer") => token.trim().to_owned(),
        (scheme, pair) if scheme.eq_ignore_ascii_case("basic") => {
            let pair = String::from_utf8(BASE64.decode(pair.trim().as_bytes()).ok()?).ok()?;
            pair.split_once(':')?.1.to_owned()
        }
        _ => return None,
    };
    token.starts_with(PREFIX).then_some(token)
}

fn unknown() -> Failure {
    Failure::new(
        StatusCode::UNAUTHORIZED,
        "token.unknown",
        "this token is not known, over, or of somebody who is no operator any more",
        "make one with `bartizan metrics token new NAME`",
    )
}

/// `POST /v1/metrics/tokens`
pub(super) async fn make(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<Json<ReadTokenMade>, Failure> {
    let wish: NewReadToken = read_json(&body)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if wish.name.is_empty() || wish.name.len() > NAME_BYTES_MAX || !wish.name.chars().all(plain) {
        let next = format!("use 1 to {NAME_BYTES_MAX} letters, digits and - _ .");
        return Err(Failure::bad("token.name", "no name for a token", next));
    }
    if !(1..=DAYS_MAX).contains(&wish.days) {
        let next = format!("use 1 to {DAYS_MAX} days");
        return Err(Failure::bad("token.days", "a token holds for some days", next));
    }
    let mut secret = [0; SECRET_BYTES];
    SystemRandom::new()
        .fill(&mut secret)
        .map_err(|_| Failure::internal(&anyhow::anyhow!("no randomness")))?;
    let token = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&secret));
    let (at, hash) = (now().get(), Sha256::of(token.as_bytes()));
    let exp = at + u64::from(wish.days) * 86_400;
    tracing::info!(operator.id = %session.operator, token.name = wish.name, "a token that reads series");
    let record = ReadTokenRecord {
        name: wish.name,
        tenant: wish.tenant,
        operator: session.operator,
        at,
        exp,
    };
    let put = app.db.write(move |tx| {
        if tx.read_tokens()?.len() >= TOKENS_MAX {
            return Ok(None);
        }
        tx.put_read_token(&hash, &record).map(Some)
    });
    match put.await? {
        Some(true) => Ok(Json(ReadTokenMade { token, exp: UnixSeconds::new(exp) })),
        Some(false) => Err(conflict("token.exists", "there is a token of this name")),
        None => Err(conflict("token.too_many", "there are as many tokens as there may be")),
    }
}

fn conflict(code: &str, message: &str) -> Failure {
    let next = "revoke one with `bartizan metrics token revoke NAME`, or take another name";
    Failure::new(StatusCode::CONFLICT, code, message, next)
}

/// `GET /v1/metrics/tokens`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<ReadTokens>, Failure> {
    let found = app.db.read(all).await?;
    let shown = |record: ReadTokenRecord| ReadToken {
        name: record.name,
        tenant: record.tenant,
        operator: record.operator,
        at: UnixSeconds::new(record.at),
        exp: UnixSeconds::new(record.exp),
    };
    Ok(Json(ReadTokens { tokens: found.into_iter().map(shown).collect() }))
}

fn all(tx: &mut Tx<'_>) -> Result<Vec<ReadTokenRecord>, StoreError> {
    tx.read_tokens()
}

/// `POST /v1/metrics/tokens/revoke`
pub(super) async fn revoke(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let RevokeReadToken { name } = read_json(&body)?;
    tracing::info!(operator.id = %session.operator, token.name = name, "a token is revoked");
    if app.db.write(move |tx| tx.drop_read_token(&name)).await? {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Failure::not_found("token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_stands_in_two_kinds_of_headers() {
        let basic = |pair: &str| format!("Basic {}", BASE64.encode(pair.as_bytes()));
        for (header, token) in [
            ("Bearer bzread_x".to_owned(), Some("bzread_x")),
            ("bearer  bzread_x ".to_owned(), Some("bzread_x")),
            (basic("anybody:bzread_x"), Some("bzread_x")),
            (basic("bzread_x"), None),
            ("Bearer other".to_owned(), None),
            ("Basic !!".to_owned(), None),
            ("Digest bzread_x".to_owned(), None),
            ("bzread_x".to_owned(), None),
        ] {
            assert_eq!(token_of(&header).as_deref(), token, "{header}");
        }
    }
}
