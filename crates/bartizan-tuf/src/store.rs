//! What was verified before. The library writes while it verifies; so it works on a copy.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// What the library keeps.
const FILES: [&str; 5] =
    ["root.json", "timestamp.json", "snapshot.json", "targets.json", "latest_known_time.json"];

/// A copy for one attempt.
pub(crate) struct Trial(tempfile::TempDir);

impl Trial {
    pub(crate) fn of(store: &Path) -> io::Result<Self> {
        fs::create_dir_all(store)?;
        let folder = tempfile::Builder::new().prefix("trial").tempdir_in(store)?;
        for name in FILES {
            if let Some(bytes) = read(&store.join(name))? {
                fs::write(folder.path().join(name), bytes)?;
            }
        }
        Ok(Self(folder))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// The latest root that was reached before.
    pub(crate) fn root(&self) -> Option<Vec<u8>> {
        read(&self.path().join("root.json")).ok().flatten()
    }

    /// Everything held. File by file: each is signed by itself and none is older than before, so a power cut between two
    /// of them leaves nothing that is wrong.
    pub(crate) fn keep(self, store: &Path) -> io::Result<()> {
        for name in FILES {
            if let Some(bytes) = read(&self.path().join(name))? {
                let mut file = tempfile::NamedTempFile::new_in(store)?;
                file.write_all(&bytes)?;
                file.as_file().sync_all()?;
                file.persist(store.join(name))?;
            }
        }
        fs::File::open(store)?.sync_all()
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
