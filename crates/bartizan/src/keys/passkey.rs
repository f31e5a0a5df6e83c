//! Passkeys: the browser has the key and signs; this process says what, and verifies it before anybody else does.
//!
//! A passkey for signing belongs to the name `localhost` and to one exact origin with its port: a page on another port of this
//! computer can get a signature from the same credential, and only the origin in it differs (`docs/spec/keys.md`).

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::limits;
use bartizan_trust::sshsig::{SshSig, to_be_signed};
use bartizan_trust::statement::SignatureRole;
use bartizan_trust::wire::Writer;
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use crate::exit::{Code, fail, refused};
use crate::home::Home;

/// The relying party: passkeys belong to a name, and this one is no server's.
pub(crate) const RP_ID: &str = "localhost";
/// Passkeys of one person here: two, and one more while one is replaced.
const PASSKEYS_MAX: usize = 4;
const FILE: &str = "passkeys.json";
/// Flags of authenticator data.
const USER_PRESENT: u8 = 0x01;
const USER_VERIFIED: u8 = 0x04;
const MAY_BE_SYNCED: u8 = 0x08;
const HAS_KEY: u8 = 0x40;
/// A P-256 key in COSE as every authenticator writes it: kty, alg, crv, then x and y.
const COSE_BEFORE_X: [u8; 10] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
const COSE_BEFORE_Y: [u8; 3] = [0x22, 0x58, 0x20];

/// A credential that was registered through this console.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Passkey {
    /// Base64url of the credential's id.
    pub(crate) credential: String,
    /// The public half, as the bundle names it.
    pub(crate) ssh: String,
    /// The one origin that may use it.
    pub(crate) origin: String,
    /// Whether it can be copied to other devices.
    pub(crate) synced: bool,
}

/// What the browser gave for a challenge.
#[derive(Debug)]
pub(crate) struct Assertion<'a> {
    pub(crate) authenticator_data: &'a [u8],
    pub(crate) client_data: &'a [u8],
    /// ASN.1, as WebAuthn has it.
    pub(crate) signature: &'a [u8],
}

/// Those of this home.
pub(crate) fn load(home: &Home) -> Result<Vec<Passkey>> {
    Ok(home.load(FILE)?.unwrap_or_default())
}

/// Keeps a new one.
pub(crate) fn keep(home: &Home, passkey: Passkey) -> Result<()> {
    let mut all = load(home)?;
    if all.iter().any(|known| known.credential == passkey.credential) {
        return Err(fail(Code::Error, "this passkey is registered already", "use it"));
    }
    if all.len() >= PASSKEYS_MAX {
        let problem = format!("{PASSKEYS_MAX} passkeys are registered here already");
        let next = format!("take one out of {}", home.path(FILE).display());
        return Err(fail(Code::Error, problem, next));
    }
    all.push(passkey);
    home.save(FILE, &all)
}

impl Passkey {
    /// The public half.
    pub(crate) fn public(&self) -> Result<PublicKey> {
        PublicKey::parse_openssh(&self.ssh).context("read the public half of a passkey")
    }

    /// Adds the signature that the browser gave to an envelope, if it is one: of this key, for exactly these bytes in this
    /// role, made on our own page by a person who was verified.
    pub(crate) fn sign(
        &self,
        envelope: &mut Envelope,
        role: SignatureRole,
        assertion: &Assertion<'_>,
    ) -> Result<()> {
        let public = self.public()?;
        let blob = ssh_form(&self.origin, assertion)?;
        let next = "nothing was signed; sign the sheet again with the passkey of this console";
        let signature = SshSig::from_ssh_signature(&public, role, &blob)
            .map_err(|error| refused(error.to_string(), next))?;
        let facts = signature
            .verify(&envelope.pae())
            .map_err(|error| refused(format!("the passkey's answer: {error}"), next))?;
        if !facts.user_verification {
            return Err(refused("the passkey did not verify who you are", next));
        }
        if facts.backup_eligible && !self.synced {
            return Err(refused("the passkey says now that it can be synced", next));
        }
        envelope.add_signature(&signature).context("add the signature")
    }
}

/// The challenge for a statement in a role, in base64url.
pub(crate) fn challenge(envelope: &Envelope, role: SignatureRole) -> String {
    BASE64URL_NOPAD.encode(&to_be_signed(role, &envelope.pae()))
}

/// A WebAuthn assertion in the form that OpenSSH gave it (`docs/spec/envelope.md`, "Signatures").
fn ssh_form(origin: &str, assertion: &Assertion<'_>) -> Result<Vec<u8>> {
    let data = AuthenticatorData::read(assertion.authenticator_data)?;
    let (r, s) = numbers(assertion.signature).context("the passkey's signature is damaged")?;
    let rs = Writer::new().bytes(r).bytes(s).into_bytes();
    Ok(Writer::new()
        .text("webauthn-sk-ecdsa-sha2-nistp256@openssh.com")
        .bytes(&rs)
        .u8(data.flags)
        .u32(data.counter)
        .text(origin)
        .bytes(assertion.client_data)
        .bytes(data.rest)
        .into_bytes())
}

/// The two numbers of an ECDSA signature; ASN.1 and SSH write a number alike.
fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let body = match der {
        [0x30, length, body @ ..] if usize::from(*length) == body.len() => body,
        _ => return None,
    };
    let (r, rest) = number(body)?;
    let (s, rest) = number(rest)?;
    rest.is_empty().then_some((r, s))
}

fn number(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    match bytes {
        [0x02, length, rest @ ..] if *length <= 33 => rest.split_at_checked(usize::from(*length)),
        _ => None,
    }
}

struct AuthenticatorData<'a> {
    flags: u8,
    counter: u32,
    rest: &'a [u8],
}

impl<'a> AuthenticatorData<'a> {
    fn read(bytes: &'a [u8]) -> Result<Self> {
        let wrong = || {
            refused("these are no data of an authenticator", "use a browser that knows passkeys")
        };
        let (hash, rest) = bytes.split_first_chunk::<32>().ok_or_else(wrong)?;
        let (flags, rest) = rest.split_first().ok_or_else(wrong)?;
        let (counter, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
        if hash != Sha256::of(RP_ID.as_bytes()).as_bytes() {
            return Err(refused(
                "the passkey belongs to another name than localhost",
                "use one made by this console",
            ));
        }
        Ok(Self { flags: *flags, counter: u32::from_be_bytes(*counter), rest })
    }
}

/// What we read of the client data of a new credential. Browsers add members of their own.
#[derive(Deserialize)]
struct Created {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<serde::de::IgnoredAny>,
}

/// Judges a new credential: made for our challenge, on our own page, by a person who was verified.
pub(crate) fn register(
    challenge: &str,
    origin: &str,
    client_data: &[u8],
    authenticator_data: &[u8],
    may_be_synced: bool,
) -> Result<Passkey> {
    let next = "nothing was kept; begin again";
    let no = |problem: &str| refused(problem, next);
    if client_data.len() > limits::CLIENT_DATA_BYTES_MAX || client_data.first() != Some(&b'{') {
        return Err(no("client data that are not WebAuthn's"));
    }
    let made: Created = serde_json::from_slice(client_data)
        .map_err(|_| no("client data that are not WebAuthn's"))?;
    if made.kind != "webauthn.create" || made.challenge != challenge {
        return Err(no("the passkey was made for another request"));
    }
    if made.origin != origin || made.cross_origin || made.top_origin.is_some() {
        return Err(no("the passkey was made on another page"));
    }
    let data = AuthenticatorData::read(authenticator_data)?;
    if data.flags & (USER_PRESENT | USER_VERIFIED | HAS_KEY)
        != USER_PRESENT | USER_VERIFIED | HAS_KEY
    {
        return Err(no("the authenticator did not verify who you are"));
    }
    let synced = data.flags & MAY_BE_SYNCED != 0;
    if synced && !may_be_synced {
        let next = "use a security key; or say that a synced passkey is wanted, which others then see in the bundle";
        return Err(refused("this passkey can be copied to other devices", next));
    }
    let (credential, point) =
        credential(data.rest).ok_or_else(|| no("the new key is not P-256, or damaged"))?;
    let blob = Writer::new()
        .text("sk-ecdsa-sha2-nistp256@openssh.com")
        .text("nistp256")
        .bytes(&point)
        .text(RP_ID)
        .into_bytes();
    let public = PublicKey::decode(&blob).map_err(|error| no(&error.to_string()))?;
    Ok(Passkey {
        credential: BASE64URL_NOPAD.encode(credential),
        ssh: public.to_openssh(),
        origin: origin.to_owned(),
        synced,
    })
}

/// Model, credential id, key. Extensions may follow and mean nothing here.
fn credential(bytes: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let (_model, rest) = bytes.split_first_chunk::<16>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (credential, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let rest = rest.strip_prefix(&COSE_BEFORE_X)?;
    let (x, rest) = rest.split_first_chunk::<32>()?;
    let rest = rest.strip_prefix(&COSE_BEFORE_Y)?;
    let (y, _) = rest.split_first_chunk::<32>()?;
    let fits = (1..=1023).contains(&credential.len());
    fits.then(|| (credential, [&[0x04], x.as_slice(), y.as_slice()].concat()))
}

#[cfg(test)]
mod tests;
