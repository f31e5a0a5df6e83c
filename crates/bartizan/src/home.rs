//! The operator's directory: keys, the organisation, what this console has witnessed.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bartizan_trust::id::{Anchor, Sha256};
use bartizan_trust::time::UnixSeconds;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::exit::{Code, coded, fail};

/// Largest file of ours that is read.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// The directory.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

/// Which organisation and server this console works with.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrgFile {
    pub(crate) anchor: Anchor,
    /// `host:port` of the operator plane.
    pub(crate) server: String,
    /// SHA-256 of the server's TLS key, from the bundle.
    pub(crate) spki: Sha256,
}

impl Home {
    /// The directory given, or the default one; made when it is missing.
    pub(crate) fn open(given: Option<PathBuf>) -> Result<Self> {
        let path = match given {
            Some(path) => path,
            None => {
                std::env::home_dir().context("find your home directory")?.join(".config/bartizan")
            }
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("create {}", path.display()))?;
        Ok(Self(path))
    }

    /// A file inside.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// The organisation, or what to do to have one.
    pub(crate) fn org(&self) -> Result<OrgFile> {
        self.load("org.json")?.ok_or_else(|| {
            let next = "open `bartizan console` and found or join one there; or run `bartizan join --anchor bz1-… --server host:port`";
            let problem = "this console belongs to no organisation yet";
            coded(Code::Error, "console.no_organisation", problem, next)
        })
    }

    /// Reads a JSON file, if it exists.
    pub(crate) fn load<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>> {
        let path = self.path(name);
        if !path.exists() {
            return Ok(None);
        }
        let bytes = read_bounded(&path)?;
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            let problem = format!("{} is damaged: {error}", path.display());
            fail(Code::Error, problem, remedy(name))
        })
    }

    /// Writes a JSON file: complete and on disk, or not at all.
    pub(crate) fn save<T: Serialize>(&self, name: &str, value: &T) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(value).context("write JSON")?;
        write_private(&self.path(name), &bytes)
    }

    /// Waits until no other process of this operator holds the lock; dropping the file lets go.
    pub(crate) fn lock(&self, name: &str) -> Result<File> {
        let path = self.path(name);
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        let file = file.with_context(|| format!("open {}", path.display()))?;
        file.lock().with_context(|| format!("lock {}", path.display()))?;
        Ok(file)
    }
}

/// What to do about a damaged file; it is never replaced in silence.
fn remedy(name: &str) -> &'static str {
    match name {
        "org.json" => "restore it from a backup, or move it away and run `bartizan join` again",
        "witness-state.json" => {
            "restore it from a backup; or move it away after another operator's `bartizan log verify` shows the same roots as yours, because this console forgets what it has seen"
        }
        "session.json" => "move it away; the next command logs in anew",
        _ => "restore it from a backup, or move it away",
    }
}

/// Reads a file of at most 16 MiB.
pub(crate) fn read_bounded(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read as _;
    let file = File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut bytes = Vec::new();
    file.take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)
        .with_context(|| format!("read {}", path.display()))?;
    Ok(bytes)
}

/// Writes a file of mode 0600: a temporary one is synced and renamed, then the directory is synced.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let work = || -> std::io::Result<()> {
        let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        // tempfile makes mode 0600 and a name of its own.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()
    };
    work().with_context(|| format!("write {}", path.display()))
}

/// The local clock.
pub(crate) fn now() -> UnixSeconds {
    UnixSeconds::new(
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    )
}

/// 32 random hexadecimal digits.
pub(crate) fn nonce() -> Result<String> {
    let mut bytes = [0; 16];
    let random = ring::rand::SystemRandom::new();
    ring::rand::SecureRandom::fill(&random, &mut bytes)
        .map_err(|_| anyhow::anyhow!("no randomness"))?;
    Ok(data_encoding::HEXLOWER.encode(&bytes))
}
