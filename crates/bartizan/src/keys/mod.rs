//! Keys that sign statements: files, ssh-agent, hardware behind either.

pub(crate) mod agent;
pub(crate) mod file;
pub(crate) mod passkey;
pub(crate) mod secret;
pub(crate) mod security_key;
pub(crate) mod witness_key;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::sshsig::{SshSig, to_be_signed};
use bartizan_trust::statement::SignatureRole;

use crate::exit::{Code, coded, fail};
use crate::home::Home;

/// What `--key` says of a passkey.
pub(crate) const PASSKEY: &str = "passkey";

fn only_in_a_page() -> anyhow::Error {
    let next = "run `bartizan console` and sign in its page; or name another key with --key";
    coded(Code::Error, "key.passkey", "a passkey signs in the pages of the console only", next)
}

/// Keys of the home that are tried, in order, when none is named.
const OWN_FILES: [&str; 3] = ["id_ed25519", "id_ed25519_sk", "id_ecdsa_sk"];

/// A key that can sign.
pub(crate) enum Signer {
    /// A software key in an OpenSSH file.
    File(file::FileKey),
    /// A key in ssh-agent, perhaps hardware.
    Agent(PublicKey),
    /// A hardware key of which we have the handle; `ssh-keygen` talks to it.
    SecurityKey {
        /// The handle.
        path: PathBuf,
        /// The public half.
        public: PublicKey,
    },
}

impl Signer {
    /// The key named by `--key`, or the one that is there.
    pub(crate) fn open(home: &Home, given: Option<&str>) -> Result<Self> {
        match given {
            Some(PASSKEY) => Err(only_in_a_page()),
            Some(text) if text.starts_with("agent:") => {
                Self::from_agent(text.strip_prefix("agent:"))
            }
            Some(path) => Self::from_file(Path::new(path)),
            None => {
                let own = OWN_FILES.map(|name| home.path(name));
                match own.iter().find(|path| path.exists()) {
                    Some(path) => Self::from_file(path),
                    None if !passkey::load(home)?.is_empty() => Err(only_in_a_page()),
                    None => Self::from_agent(None),
                }
            }
        }
    }

    /// Whether the key of [`Self::open`] comes from a file, and not from ssh-agent; asks nobody.
    pub(crate) fn is_in_a_file(home: &Home, given: Option<&str>) -> bool {
        match given {
            Some(text) => text != PASSKEY && !text.starts_with("agent:"),
            None => OWN_FILES.iter().any(|name| home.path(name).exists()),
        }
    }

    /// The public half of the key that [`Self::open`] would take, if it is no passkey; asks nobody for a passphrase.
    pub(crate) fn public_of(home: &Home, given: Option<&str>) -> Option<PublicKey> {
        let path = match given {
            Some(PASSKEY) => return None,
            Some(text) if text.starts_with("agent:") => None,
            Some(path) => Some(PathBuf::from(path)),
            None => OWN_FILES.map(|name| home.path(name)).into_iter().find(|path| path.exists()),
        };
        if let Some(path) = path {
            return file::public(&path);
        }
        match Self::from_agent(given.and_then(|text| text.strip_prefix("agent:"))) {
            Ok(Self::Agent(key)) => Some(key),
            Ok(Self::File(_) | Self::SecurityKey { .. }) | Err(_) => None,
        }
    }

    fn from_agent(fingerprint: Option<&str>) -> Result<Self> {
        let keys = agent::identities().context("ask ssh-agent for keys")?;
        let mut fitting =
            keys.into_iter().filter(|(key, _)| fingerprint.is_none_or(|f| key.fingerprint() == f));
        match (fitting.next(), fitting.next()) {
            (Some((key, _)), None) => Ok(Self::Agent(key)),
            (None, _) => Err(fail(
                Code::Error,
                "no fitting key in ssh-agent",
                "give --key FILE, or load a key with ssh-add",
            )),
            (Some(_), Some(_)) => Err(fail(
                Code::Error,
                "ssh-agent holds several keys",
                "choose one of `bartizan key list` with --key agent:SHA256:…",
            )),
        }
    }

    fn from_file(path: &Path) -> Result<Self> {
        match file::load(path)? {
            file::Loaded::Software(key) => Ok(Self::File(key)),
            file::Loaded::SecurityKey(public) => {
                Ok(Self::SecurityKey { path: path.to_owned(), public })
            }
        }
    }

    /// Whether signatures come from a passkey, which only a page can ask for; asks nobody.
    pub(crate) fn is_a_passkey(home: &Home, given: Option<&str>) -> Result<bool> {
        let none_else = given.is_none() && !Self::is_in_a_file(home, None);
        Ok(given == Some(PASSKEY) || (none_else && !passkey::load(home)?.is_empty()))
    }

    /// Whether `--key` names the key with this public half; asks nobody.
    pub(crate) fn is_named(given: &str, ssh: &str) -> bool {
        if given == PASSKEY {
            return PublicKey::parse_openssh(ssh)
                .is_ok_and(|key| key.application() == passkey::RP_ID);
        }
        match given.strip_prefix("agent:") {
            Some(fingerprint) => {
                PublicKey::parse_openssh(ssh).is_ok_and(|key| key.fingerprint() == fingerprint)
            }
            None => file::public(Path::new(given)).is_some_and(|key| key.to_openssh() == ssh),
        }
    }

    /// The public half.
    pub(crate) const fn public(&self) -> &PublicKey {
        match self {
            Self::File(key) => &key.public,
            Self::Agent(public) | Self::SecurityKey { public, .. } => public,
        }
    }

    /// Adds this key's signature to an envelope.
    pub(crate) fn sign(&self, envelope: &mut Envelope, role: SignatureRole) -> Result<()> {
        let pae = envelope.pae();
        let message = to_be_signed(role, &pae);
        if self.public().key_type().is_hardware() {
            eprintln!("Touch your security key to sign ({role}).");
        }
        let signature = match self {
            Self::File(key) => SshSig::from_ed25519(&key.public, role, key.sign(&message)?),
            Self::Agent(public) => {
                let blob = agent::sign(public, &message).context("sign with ssh-agent")?;
                SshSig::from_ssh_signature(public, role, &blob).context("read its signature")?
            }
            Self::SecurityKey { path, .. } => security_key::sign(path, role, &pae)?,
        };
        // A signature that does not verify would only be found out by others.
        signature.verify(&pae).context("verify our own signature")?;
        if signature.public_key() != self.public() {
            bail!("the signature is by another key");
        }
        envelope.add_signature(&signature).context("add the signature")
    }
}
