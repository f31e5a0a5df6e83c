//! The console's witness key: co-signs log checkpoints, never statements.

use anyhow::{Context, Result, anyhow};
use bartizan_trust::id::Sha256;
use bartizan_trust::note::{NoteKeyType, VerifierKey};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::secret::Secret;
use crate::exit::{Code, fail};
use crate::home::{Home, read_bounded, write_private};

const FILE: &str = "witness.key";

/// The key pair.
pub(crate) struct WitnessKey(Ed25519KeyPair);

impl WitnessKey {
    /// Loads it, or makes it at first use.
    pub(crate) fn open(home: &Home) -> Result<Self> {
        let _lock = home.lock("witness.lock")?;
        let path = home.path(FILE);
        if !path.exists() {
            let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new());
            write_private(&path, key.map_err(|_| anyhow!("no randomness"))?.as_ref())?;
        }
        let bytes = Secret::new(read_bounded(&path)?);
        let pair = Ed25519KeyPair::from_pkcs8(bytes.expose())
            .map_err(|_| {
            let problem = format!("{} is damaged", path.display());
            fail(
                Code::Error,
                problem,
                "restore it from a backup; the bundle knows this console as a witness by this key only",
            )
        })?;
        Ok(Self(pair))
    }

    /// The public half.
    pub(crate) fn public(&self) -> Result<[u8; 32]> {
        self.0.public_key().as_ref().try_into().context("an Ed25519 key has 32 bytes")
    }

    /// Its verifier key for an operator's card.
    pub(crate) fn vkey(&self, id: &str) -> Result<VerifierKey> {
        let public = self.public()?;
        let mark: String = Sha256::of(&public).to_string().chars().take(8).collect();
        let name = format!("bartizan-witness/{id}-{mark}");
        VerifierKey::new(&name, NoteKeyType::CosignatureV1, public).context("name the witness key")
    }

    /// A bare signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        self.0.sign(message).as_ref().try_into().context("an Ed25519 signature has 64 bytes")
    }
}
