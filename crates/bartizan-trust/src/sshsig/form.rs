//! The four forms a signature can have, and how each is verified.

use ring::digest;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

use super::webauthn::{Assertion, check_client_data};
use super::{SignatureFacts, SshSigError};
use crate::keys::{KeyType, Point, PublicKey};
use crate::wire::{Reader, Writer};

/// User presence.
const FLAG_UP: u8 = 0x01;
/// User verification.
const FLAG_UV: u8 = 0x04;
/// Backup eligibility.
const FLAG_BE: u8 = 0x08;
/// Attested credential data: part of a registration, never of a signature.
const FLAG_AT: u8 = 0x40;
/// Extension data follow.
const FLAG_ED: u8 = 0x80;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    Ed25519([u8; 64]),
    SkEd25519 { signature: [u8; 64], flags: u8, counter: u32 },
    SkEcdsa { signature: [u8; 64], flags: u8, counter: u32 },
    WebAuthn(Assertion),
}

impl Form {
    pub(super) fn decode(bytes: &[u8], key_type: KeyType) -> Result<Self, SshSigError> {
        let mut r = Reader::new(bytes);
        let name = r.text()?;
        let form = match (name, key_type) {
            ("ssh-ed25519", KeyType::Ed25519) => Self::Ed25519(fixed(&mut r)?),
            ("sk-ssh-ed25519@openssh.com", KeyType::SkEd25519) => {
                Self::SkEd25519 { signature: fixed(&mut r)?, flags: r.u8()?, counter: r.u32()? }
            }
            ("sk-ecdsa-sha2-nistp256@openssh.com", KeyType::SkEcdsaP256) => {
                Self::SkEcdsa { signature: ecdsa(&mut r)?, flags: r.u8()?, counter: r.u32()? }
            }
            ("webauthn-sk-ecdsa-sha2-nistp256@openssh.com", KeyType::SkEcdsaP256) => {
                Self::WebAuthn(Assertion {
                    signature: ecdsa(&mut r)?,
                    flags: r.u8()?,
                    counter: r.u32()?,
                    origin: r.text()?.to_owned(),
                    client_data: r.bytes()?.to_vec(),
                    extensions: r.bytes()?.to_vec(),
                })
            }
            _ => return Err(SshSigError("the signature's algorithm is not that of the key")),
        };
        r.finish()?;
        Ok(form)
    }

    pub(super) fn verify(
        &self,
        key: &PublicKey,
        to_be_signed: &[u8],
    ) -> Result<SignatureFacts, SshSigError> {
        match (self, key.point()) {
            (Self::Ed25519(signature), Point::Ed25519(public)) => {
                check_ed25519(public, to_be_signed, signature)?;
                Ok(SignatureFacts::default())
            }
            (Self::SkEd25519 { signature, flags, counter }, Point::SkEd25519(public)) => {
                check_flags(*flags, &[])?;
                check_ed25519(
                    public,
                    &authenticated(key, *flags, *counter, &[], to_be_signed),
                    signature,
                )?;
                Ok(facts(*flags, *counter, None))
            }
            (Self::SkEcdsa { signature, flags, counter }, Point::SkEcdsaP256(public)) => {
                check_flags(*flags, &[])?;
                check_p256(
                    public,
                    &authenticated(key, *flags, *counter, &[], to_be_signed),
                    signature,
                )?;
                Ok(facts(*flags, *counter, None))
            }
            (Self::WebAuthn(a), Point::SkEcdsaP256(public)) => {
                check_flags(a.flags, &a.extensions)?;
                check_client_data(a, to_be_signed)?;
                let signed = authenticated(key, a.flags, a.counter, &a.extensions, &a.client_data);
                check_p256(public, &signed, &a.signature)?;
                Ok(facts(a.flags, a.counter, Some(a.origin.clone())))
            }
            // `decode` lets no other pair through.
            _ => Err(SshSigError("the signature's algorithm is not that of the key")),
        }
    }
}

/// What a security key signs: authenticator data and the hash of what it was asked to sign.
fn authenticated(
    key: &PublicKey,
    flags: u8,
    counter: u32,
    extensions: &[u8],
    message: &[u8],
) -> Vec<u8> {
    let hash = |bytes| digest::digest(&digest::SHA256, bytes);
    Writer::new()
        .raw(hash(key.application().as_bytes()).as_ref())
        .u8(flags)
        .u32(counter)
        .raw(extensions)
        .raw(hash(message).as_ref())
        .into_bytes()
}

fn check_flags(flags: u8, extensions: &[u8]) -> Result<(), SshSigError> {
    if flags & FLAG_UP == 0 {
        return Err(SshSigError("the key was not touched"));
    }
    if flags & FLAG_AT != 0 {
        return Err(SshSigError("attested credential data in a signature"));
    }
    if (flags & FLAG_ED != 0) == extensions.is_empty() {
        return Err(SshSigError("extension flag and extension data disagree"));
    }
    Ok(())
}

/// What a signature that verified says, after [`check_flags`].
fn facts(flags: u8, counter: u32, origin: Option<String>) -> SignatureFacts {
    SignatureFacts {
        hardware: true,
        // Without a touch it would not have verified.
        user_presence: true,
        user_verification: flags & FLAG_UV != 0,
        backup_eligible: flags & FLAG_BE != 0,
        origin,
        counter: Some(counter),
    }
}

fn check_ed25519(
    public: &[u8; 32],
    message: &[u8],
    signature: &[u8; 64],
) -> Result<(), SshSigError> {
    UnparsedPublicKey::new(&ED25519, public)
        .verify(message, signature)
        .map_err(|_| SshSigError("it does not fit the key and the message"))
}

fn check_p256(public: &[u8; 65], message: &[u8], signature: &[u8; 64]) -> Result<(), SshSigError> {
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, public)
        .verify(message, signature)
        .map_err(|_| SshSigError("it does not fit the key and the message"))
}

fn fixed(r: &mut Reader<'_>) -> Result<[u8; 64], SshSigError> {
    r.bytes()?.try_into().map_err(|_| SshSigError("an Ed25519 signature has 64 bytes"))
}

/// Two multiple-precision integers, as 64 bytes.
fn ecdsa(r: &mut Reader<'_>) -> Result<[u8; 64], SshSigError> {
    let mut inner = Reader::new(r.bytes()?);
    let mut out = [0; 64];
    for half in out.chunks_exact_mut(32) {
        scalar(&mut inner, half)?;
    }
    inner.finish()?;
    Ok(out)
}

/// A positive `mpint` (RFC 4251) of at most 32 bytes, in its one encoding.
fn scalar(r: &mut Reader<'_>, out: &mut [u8]) -> Result<(), SshSigError> {
    let bytes = r.bytes()?;
    let digits = match bytes {
        // A leading zero stands only before a byte that would make the number negative.
        [0, second, ..] if *second & 0x80 != 0 => bytes.get(1..).unwrap_or_default(),
        [first, ..] if *first != 0 && *first & 0x80 == 0 => bytes,
        _ => return Err(SshSigError("an ECDSA number is not canonical")),
    };
    let start =
        out.len().checked_sub(digits.len()).ok_or(SshSigError("an ECDSA number is too long"))?;
    out.get_mut(start..).ok_or(SshSigError("an ECDSA number is too long"))?.copy_from_slice(digits);
    Ok(())
}

#[cfg(test)]
mod tests;
