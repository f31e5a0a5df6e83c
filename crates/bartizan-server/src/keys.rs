//! The server's own keys: one for TLS, one for each log. None of them is believed by an endpoint for
//! anything but "these bytes come from this server" and "this is the log".

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use bartizan_proto::operator::ServerIdentity;
use bartizan_store::LogName;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::id::Sha256;
use bartizan_trust::note::{Note, NoteKeyType, NoteSignature, VerifierKey};
use data_encoding::HEXLOWER;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

const TLS_KEY: &str = "tls-key.der";
const TLS_CERTIFICATE: &str = "tls-certificate.der";

/// Signs checkpoints of one log.
pub(crate) struct LogKey {
    pair: Ed25519KeyPair,
    verifier: VerifierKey,
}

/// Everything `init` made.
pub(crate) struct ServerKeys {
    pub(crate) certificate: CertificateDer<'static>,
    pub(crate) private: PrivateKeyDer<'static>,
    pub(crate) spki: Sha256,
    pub(crate) control: LogKey,
    pub(crate) jobs: LogKey,
}

impl LogKey {
    fn load(dir: &Path, log: LogName) -> anyhow::Result<Self> {
        let path = dir.join(log_key_file(log));
        let der = std::fs::read(&path).with_context(|| format!("read `{}`", path.display()))?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| {
            anyhow::anyhow!("`{}` is damaged; restore it from a backup", path.display())
        })?;
        let mut public = [0; 32];
        public.copy_from_slice(pair.public_key().as_ref());
        let short: String = HEXLOWER.encode(&public).chars().take(8).collect();
        let verifier = VerifierKey::new(
            &format!("bartizan/{short}/{}", log.name()),
            NoteKeyType::Ed25519,
            public,
        )?;
        Ok(Self { pair, verifier })
    }

    /// The log's verifier key; its name is the log's origin.
    pub(crate) const fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a checkpoint of this log.
    pub(crate) fn sign_checkpoint(&self, size: u64, root: Sha256) -> anyhow::Result<Note> {
        let text = Checkpoint { origin: self.verifier.name().to_owned(), size, root }.to_text();
        let mut signature = [0; 64];
        signature.copy_from_slice(self.pair.sign(text.as_bytes()).as_ref());
        let line = self.verifier.signature_line(&signature);
        Ok(Note { text, signatures: vec![NoteSignature::parse(&line)?] })
    }
}

impl ServerKeys {
    /// Makes all keys of a new server. Refuses to overwrite.
    pub(crate) fn create(dir: &Path) -> anyhow::Result<()> {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
        // Agents pin the key and never look at the name.
        let mut parameters = rcgen::CertificateParams::new(vec!["bartizan-server".to_owned()])?;
        parameters.distinguished_name.push(rcgen::DnType::CommonName, "bartizan-server");
        parameters.not_after = rcgen::date_time_ymd(4096, 1, 1);
        let certificate = parameters.self_signed(&pair)?;
        write_secret(&dir.join(TLS_KEY), &pair.serialize_der())?;
        write_secret(&dir.join(TLS_CERTIFICATE), certificate.der())?;
        for log in [LogName::Control, LogName::Jobs] {
            create_log_key(dir, log)?;
        }
        Ok(())
    }

    /// Makes a new key for the jobs log of a server that lost it. Refuses to overwrite.
    pub(crate) fn create_jobs_key(dir: &Path) -> anyhow::Result<()> {
        create_log_key(dir, LogName::Jobs)
    }

    /// Reads the keys `create` made.
    pub(crate) fn load(dir: &Path) -> anyhow::Result<Self> {
        let read = |name: &str| {
            let path = dir.join(name);
            std::fs::read(&path).with_context(|| {
                format!("read `{}`; `bartizan-server init` makes it", path.display())
            })
        };
        let certificate = CertificateDer::from(read(TLS_CERTIFICATE)?);
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(read(TLS_KEY)?));
        check_tls(&certificate, &private).with_context(|| {
            format!(
                "`{}` and `{}` are damaged or do not belong together; restore them from a backup",
                dir.join(TLS_KEY).display(),
                dir.join(TLS_CERTIFICATE).display()
            )
        })?;
        let spki =
            crate::tls::spki_hash(&certificate).context("the TLS certificate does not parse")?;
        let control = LogKey::load(dir, LogName::Control)?;
        let jobs = LogKey::load(dir, LogName::Jobs)?;
        Ok(Self { certificate, private, spki, control, jobs })
    }

    /// What a bundle needs to know of this server.
    pub(crate) fn identity(&self, addresses: &[String]) -> ServerIdentity {
        ServerIdentity {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            org: None,
            agent_addresses: addresses.to_vec(),
            spki: self.spki,
            control_vkey: self.control.verifier.to_string(),
            jobs_vkey: self.jobs.verifier.to_string(),
        }
    }
}

/// Now, and not when the first agent connects.
fn check_tls(
    certificate: &CertificateDer<'static>,
    private: &PrivateKeyDer<'static>,
) -> Result<(), rustls::Error> {
    let provider = rustls::crypto::ring::default_provider();
    CertifiedKey::from_der(vec![certificate.clone()], private.clone_key(), &provider).map(|_| ())
}

fn create_log_key(dir: &Path, log: LogName) -> anyhow::Result<()> {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
        .map_err(|_| anyhow::anyhow!("no random numbers from the operating system"))?;
    write_secret(&dir.join(log_key_file(log)), der.as_ref())
}

const fn log_key_file(log: LogName) -> &'static str {
    match log {
        LogName::Control => "control-log-key.der",
        LogName::Jobs => "jobs-log-key.der",
    }
}

fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let context = || format!("write `{}`", path.display());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(context)?;
    file.write_all(bytes).and_then(|()| file.sync_all()).with_context(context)
}
