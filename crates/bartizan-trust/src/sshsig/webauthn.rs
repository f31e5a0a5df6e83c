//! The client data of a passkey's signature.

use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;

use super::SshSigError;
use crate::limits;

/// A WebAuthn assertion in its SSH form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assertion {
    pub(super) signature: [u8; 64],
    pub(super) flags: u8,
    pub(super) counter: u32,
    pub(super) origin: String,
    pub(super) client_data: Vec<u8>,
    pub(super) extensions: Vec<u8>,
}

/// What we read of `clientDataJSON`. Browsers add fields of their own, so others are passed over;
/// a field that stands twice is refused.
#[derive(Deserialize)]
struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
    #[serde(rename = "topOrigin", default)]
    top_origin: Option<serde::de::IgnoredAny>,
}

/// The client data were made for exactly these bytes, by the page at the stated origin itself.
pub(super) fn check_client_data(
    assertion: &Assertion,
    to_be_signed: &[u8],
) -> Result<(), SshSigError> {
    if assertion.client_data.len() > limits::CLIENT_DATA_BYTES_MAX {
        return Err(SshSigError("client data longer than 2 KiB"));
    }
    // Serde would read a list of the values in order, too.
    if assertion.client_data.first() != Some(&b'{') {
        return Err(SshSigError("client data that are not WebAuthn's"));
    }
    let read: ClientData = serde_json::from_slice(&assertion.client_data)
        .map_err(|_| SshSigError("client data that are not WebAuthn's"))?;
    if read.kind != "webauthn.get" {
        return Err(SshSigError("client data of another ceremony"));
    }
    if read.challenge != BASE64URL_NOPAD.encode(to_be_signed) {
        return Err(SshSigError("the challenge is not this statement in this role"));
    }
    if read.origin != assertion.origin {
        return Err(SshSigError("two origins"));
    }
    if read.cross_origin || read.top_origin.is_some() {
        return Err(SshSigError("made inside a frame of another page"));
    }
    Ok(())
}
