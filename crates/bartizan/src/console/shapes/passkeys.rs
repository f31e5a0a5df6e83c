//! Passkeys of this console.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Passkeys that were registered through this console.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyList {
    /// Whether this console signs with them.
    pub(crate) in_use: bool,
    /// The one origin of this console; a passkey of another one does not sign here.
    pub(crate) origin: String,
    /// Oldest first.
    pub(crate) passkeys: Vec<PasskeyRow>,
}

/// A passkey.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyRow {
    /// Base64url of the credential.
    pub(crate) credential: String,
    /// `SHA256:…`
    pub(crate) fingerprint: String,
    /// The public half.
    pub(crate) ssh: String,
    /// Where it may be used.
    pub(crate) origin: String,
    /// Whether it can be copied to other devices.
    pub(crate) synced: bool,
}

/// For `navigator.credentials.create`: ES256, user verification required, no attestation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyOptions {
    /// Base64url without padding; good for one registration.
    pub(crate) challenge: String,
    /// `localhost`.
    pub(crate) rp_id: String,
    /// For people.
    pub(crate) rp_name: String,
    /// Base64url.
    pub(crate) user_id: String,
    /// Base64url of credentials that are registered already.
    pub(crate) exclude: Vec<String>,
}

/// What the browser gave; bytes in base64url without padding.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyRegistration {
    /// The operator's short name in the organisation.
    pub(crate) id: String,
    /// The operator's name.
    pub(crate) name: String,
    /// `response.clientDataJSON`
    pub(crate) client_data: String,
    /// `response.getAuthenticatorData()`
    pub(crate) authenticator_data: String,
    /// A passkey that can be copied to other devices is wanted.
    #[serde(default)]
    pub(crate) may_be_synced: bool,
}

/// The card of the new passkey, for whoever adds it: `bartizan operator add` or `operator key add`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PasskeyCard {
    /// The card: JSON to be handed over as a file.
    pub(crate) card: String,
    /// Eight words, to be read to whoever adds it.
    pub(crate) words: String,
    /// `SHA256:…`
    pub(crate) fingerprint: String,
}
