//! Logging in: an operator signs the console's TLS key for some hours.

use anyhow::{Context, Result};
use bartizan_proto::operator::{EnvelopeBody, LoginAnswer};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OrgId, Sha256};
use bartizan_trust::statement::{Login, SignatureRole, V1};
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use rustls::pki_types::PrivatePkcs8KeyDer;
use serde::{Deserialize, Serialize};

use super::Api;
use super::tls::{self, Pin};
use crate::exit::{Code, fail};
use crate::home::{Home, OrgFile, now, read_bounded, write_private};
use crate::keys::Signer;
use crate::keys::secret::Secret;

/// A day at work; the server allows twelve hours.
const LOGIN_S: u64 = 12 * 3600;
/// A session that ends within this time is renewed.
const MARGIN_S: u64 = 60;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SessionFile {
    org: OrgId,
    server: Sha256,
    exp: UnixSeconds,
    /// The key that logged in.
    #[serde(default)]
    key: Option<String>,
}

/// The key this console last logged in with.
pub(crate) fn own_key(home: &Home) -> Result<Option<String>> {
    Ok(home.load::<SessionFile>("session.json")?.and_then(|file| file.key))
}

/// A console key that nobody knows, for requests without a login.
pub(crate) fn stranger(address: &str, pin: Pin) -> Result<Api> {
    Api::new(address, &new_key()?, pin)
}

/// A client with a valid login; signs a new one when the old one is over.
pub(crate) fn open(home: &Home, org: &OrgFile, key: Option<&str>) -> Result<Api> {
    let _lock = home.lock("session.lock")?;
    let pin = Pin::Keys(vec![org.spki]);
    if let Some(file) = home.load::<SessionFile>("session.json")?
        && file.org == org.anchor.org()
        && file.server == org.spki
        && now().plus(MARGIN_S) < file.exp
        // Another key than the one that logged in speaks for itself: the other may be about to be removed.
        && key.is_none_or(|given| file.key.as_deref().is_none_or(|ssh| Signer::is_named(given, ssh)))
        && let Ok(bytes) = read_bounded(&home.path("session.key"))
    {
        let der = PrivatePkcs8KeyDer::from(Secret::new(bytes).expose().clone());
        let algorithm = &rcgen::PKCS_ECDSA_P256_SHA256;
        let console = rcgen::KeyPair::from_pkcs8_der_and_sign_algo(&der, algorithm);
        let api = Api::new(
            &org.server,
            &console.map_err(|error| damaged_key(home, &error))?,
            pin.clone(),
        )?;
        // The server may have forgotten it, or a newer bundle removed us.
        let check = api.fetch::<serde_json::Value>("/v1/jobs?state=none");
        match check {
            Ok(_) => return Ok(api),
            Err(error) if !format!("{error:#}").contains("[login.required]") => return Err(error),
            Err(_) => {}
        }
    }
    log_in(home, org, &Signer::open(home, key)?, pin)
}

fn damaged_key(home: &Home, error: &rcgen::Error) -> anyhow::Error {
    let problem = format!("{} is damaged: {error}", home.path("session.key").display());
    fail(
        Code::Error,
        problem,
        "move it away together with session.json; the next command logs in anew",
    )
}

/// A session that is not kept, for a key that is not this console's own.
pub(crate) fn once(org: &OrgFile, signer: &Signer) -> Result<Api> {
    sign_in(org, signer, Pin::Keys(vec![org.spki])).map(|(api, _, _)| api)
}

/// A login that somebody else signs: the page, with a passkey.
pub(crate) struct Prepared {
    pub(crate) envelope: Envelope,
    pub(crate) console: rcgen::KeyPair,
}

/// A new console key, and the statement that lets it speak for its operator.
pub(crate) fn prepare(org: &OrgFile) -> Result<Prepared> {
    let console = new_key()?;
    let certificate = tls::certificate(&console)?;
    let now = now();
    let envelope = Envelope::new(&Login {
        v: V1,
        org: org.anchor.org(),
        iat: now,
        crit: Vec::new(),
        console_key: tls::spki(&certificate).context("read our own certificate")?,
        server: org.spki,
        exp: now.plus(LOGIN_S),
    });
    Ok(Prepared { envelope, console })
}

/// Logs in with what was signed, and keeps the session.
pub(crate) fn complete(home: &Home, org: &OrgFile, signed: &Prepared, ssh: String) -> Result<()> {
    let _lock = home.lock("session.lock")?;
    let (_, exp) = send_login(org, signed, Pin::Keys(vec![org.spki]))?;
    keep(home, org, &signed.console, exp, ssh)
}

fn log_in(home: &Home, org: &OrgFile, signer: &Signer, pin: Pin) -> Result<Api> {
    let (api, console, exp) = sign_in(org, signer, pin)?;
    keep(home, org, &console, exp, signer.public().to_openssh())?;
    Ok(api)
}

fn keep(
    home: &Home,
    org: &OrgFile,
    console: &rcgen::KeyPair,
    exp: UnixSeconds,
    ssh: String,
) -> Result<()> {
    write_private(&home.path("session.key"), &console.serialize_der())?;
    let file = SessionFile { org: org.anchor.org(), server: org.spki, exp, key: Some(ssh) };
    home.save("session.json", &file)
}

fn sign_in(org: &OrgFile, signer: &Signer, pin: Pin) -> Result<(Api, rcgen::KeyPair, UnixSeconds)> {
    let mut prepared = prepare(org)?;
    signer.sign(&mut prepared.envelope, SignatureRole::Login).context("sign the login")?;
    let (api, exp) = send_login(org, &prepared, pin)?;
    Ok((api, prepared.console, exp))
}

fn send_login(org: &OrgFile, signed: &Prepared, pin: Pin) -> Result<(Api, UnixSeconds)> {
    let api = Api::new(&org.server, &signed.console, pin)?;
    let answer: LoginAnswer = api.send("/v1/login", &body(&signed.envelope)).context("log in")?;
    Ok((api, answer.exp))
}

/// An envelope as a request carries it.
pub(crate) fn body(envelope: &Envelope) -> EnvelopeBody {
    EnvelopeBody { envelope: BASE64.encode(&envelope.encode()) }
}

fn new_key() -> Result<rcgen::KeyPair> {
    rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).context("make a console key")
}
