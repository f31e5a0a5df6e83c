//! OpenSSH private key files.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use bartizan_trust::keys::PublicKey;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{Cipher, Kdf, LineEnding, PrivateKey};

use super::secret::Secret;
use crate::exit::{Code, fail};
use crate::home::{read_bounded, write_private};

/// Rounds of bcrypt; what `ssh-keygen` uses is 16 to 24.
const KDF_ROUNDS: u32 = 24;

/// A software key.
pub(crate) struct FileKey {
    pair: Ed25519KeyPair,
    /// The public half.
    pub(crate) public: PublicKey,
}

impl FileKey {
    /// A bare Ed25519 signature.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<[u8; 64]> {
        self.pair.sign(message).as_ref().try_into().context("an Ed25519 signature has 64 bytes")
    }
}

/// What a key file holds.
pub(crate) enum Loaded {
    /// The key itself.
    Software(FileKey),
    /// The handle of a hardware key.
    SecurityKey(PublicKey),
}

/// The public half of a key file, whether or not that is encrypted.
pub(crate) fn public(path: &Path) -> Option<PublicKey> {
    let text = Secret::new(read_bounded(path).ok()?);
    let key = PrivateKey::from_openssh(text.expose().as_slice()).ok()?;
    PublicKey::decode(&key.public_key().to_bytes().ok()?).ok()
}

/// Reads a private key; asks for its passphrase if it has one.
pub(crate) fn load(path: &Path) -> Result<Loaded> {
    decode(&Secret::new(read_bounded(path)?), path)
}

/// The same for what was read before; `path` names it in questions and errors.
pub(crate) fn decode(text: &Secret<Vec<u8>>, path: &Path) -> Result<Loaded> {
    let mut key = PrivateKey::from_openssh(text.expose().as_slice()).map_err(|error| {
        let problem = format!("{} is not an OpenSSH private key: {error}", path.display());
        fail(Code::Error, problem, "name the private half of a key made by `ssh-keygen` or `bartizan key new`; a damaged one must come from a backup")
    })?;
    let blob = key.public_key().to_bytes().context("read the public key")?;
    let public = PublicKey::decode(&blob).map_err(|error| unfit(path, &error.to_string()))?;
    if public.key_type().is_hardware() {
        return Ok(Loaded::SecurityKey(public));
    }
    if key.is_encrypted() {
        let passphrase = passphrase(path)?;
        key = key.decrypt(passphrase.expose()).map_err(|_| {
            let problem = format!("wrong passphrase for {}", path.display());
            fail(
                Code::Error,
                problem,
                "try again; `ssh-keygen -y -f FILE` tells whether a passphrase fits",
            )
        })?;
    }
    let KeypairData::Ed25519(pair) = key.key_data() else {
        return Err(unfit(path, "a software key must be Ed25519"));
    };
    let seed = Secret::new(pair.private.to_bytes());
    Ok(Loaded::Software(from_seed(&seed)?))
}

fn unfit(path: &Path, why: &str) -> anyhow::Error {
    let problem = format!("{} cannot sign statements: {why}", path.display());
    fail(Code::Error, problem, "use a key of type ed25519-sk, ecdsa-sk or ed25519")
}

fn from_seed(seed: &Secret<[u8; 32]>) -> Result<FileKey> {
    let pair =
        Ed25519KeyPair::from_seed_unchecked(seed.expose()).map_err(|_| anyhow!("bad key"))?;
    let bytes = pair.public_key().as_ref().try_into().context("an Ed25519 key has 32 bytes")?;
    Ok(FileKey { pair, public: PublicKey::from_ed25519(bytes) })
}

/// From `BARTIZAN_PASSPHRASE_FILE`, or asked for.
pub(crate) fn passphrase(path: &Path) -> Result<Secret<String>> {
    if let Some(file) = std::env::var_os("BARTIZAN_PASSPHRASE_FILE") {
        let bytes = Secret::new(read_bounded(Path::new(&file))?);
        let text = str::from_utf8(bytes.expose()).context("the passphrase file is not text")?;
        return Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()));
    }
    ask(&format!("Passphrase of {}: ", path.display()))
}

fn ask(question: &str) -> Result<Secret<String>> {
    rpassword::prompt_password(question).map(Secret::new).map_err(|error| {
        fail(
            Code::Error,
            format!("cannot ask for the passphrase: {error}"),
            "run it on a terminal, name a file that holds it in BARTIZAN_PASSPHRASE_FILE, or use ssh-agent",
        )
    })
}

/// Makes a key file and its `.pub`. For labs and automation: people should hold hardware keys.
pub(crate) fn create(path: &Path, encrypted: bool) -> Result<PublicKey> {
    if path.exists() {
        bail!("{} exists already; choose another name with --out", path.display());
    }
    let seed = new_seed()?;
    let mut key = PrivateKey::from(Ed25519Keypair::from_seed(seed.expose()));
    if encrypted {
        key = encrypt(&key, path)?;
    }
    let text = key.to_openssh(LineEnding::LF).context("write the key")?;
    write_private(path, text.as_bytes())?;
    let public = from_seed(&seed)?.public;
    let mut beside = path.as_os_str().to_owned();
    beside.push(".pub");
    write_private(Path::new(&beside), format!("{}\n", public.to_openssh()).as_bytes())?;
    Ok(public)
}

fn new_seed() -> Result<Secret<[u8; 32]>> {
    let mut seed = [0; 32];
    SystemRandom::new().fill(&mut seed).map_err(|_| anyhow!("no randomness"))?;
    Ok(Secret::new(seed))
}

/// A key that is not stored here, as OpenSSH text without a passphrase; the caller encrypts it.
pub(crate) fn generate() -> Result<(Secret<String>, PublicKey)> {
    let seed = new_seed()?;
    let key = PrivateKey::from(Ed25519Keypair::from_seed(seed.expose()));
    let text = key.to_openssh(LineEnding::LF).context("write the key")?;
    Ok((Secret::new(String::clone(&text)), from_seed(&seed)?.public))
}

/// A passphrase that is asked for twice, or read from `BARTIZAN_PASSPHRASE_FILE`. `instead` says what to do when it is empty.
pub(crate) fn new_passphrase(path: &Path, instead: &str) -> Result<Secret<String>> {
    let first = if std::env::var_os("BARTIZAN_PASSPHRASE_FILE").is_some() {
        passphrase(path)?
    } else {
        let first = ask("New passphrase: ")?;
        let second = ask("Once more: ")?;
        if first.expose() != second.expose() {
            bail!("the two differ");
        }
        first
    };
    if first.expose().is_empty() {
        bail!("an empty passphrase protects nothing; {instead}");
    }
    Ok(first)
}

fn encrypt(key: &PrivateKey, path: &Path) -> Result<PrivateKey> {
    let first = new_passphrase(path, "choose another, or give --no-passphrase")?;
    let mut random = [0; 20];
    SystemRandom::new().fill(&mut random).map_err(|_| anyhow!("no randomness"))?;
    let [a, b, c, d, salt @ ..] = random;
    let kdf = Kdf::Bcrypt { salt: salt.to_vec(), rounds: KDF_ROUNDS };
    let checkint = u32::from_be_bytes([a, b, c, d]);
    key.encrypt_with(Cipher::Aes256Ctr, kdf, checkint, first.expose()).context("encrypt the key")
}
