//! The bytes of a script, in memory that nobody can change: what was hashed is what the interpreter reads, to the last line.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use bartizan_trust::id::Sha256;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

/// Writes the bytes and seals them.
pub(crate) fn write(bytes: &[u8]) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know the flag; some newer ones demand it.
    let memory = match memfd_create("script", flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => memfd_create("script", flags)?,
        made => made?,
    };
    let mut file = File::from(memory);
    file.write_all(bytes)?;
    let seals = SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE | SealFlags::SEAL;
    fcntl_add_seals(&file, seals)?;
    Ok(file)
}

/// The hash of what was sealed, read back.
pub(crate) fn hash(file: &mut File) -> io::Result<Sha256> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.read_to_end(&mut bytes)?;
    Ok(Sha256::of(&bytes))
}

/// Where a process that inherits the file finds it.
pub(crate) fn path(file: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::OpenOptions;

    #[test]
    fn sealed_bytes_can_be_read_and_not_changed() {
        let mut file = write(b"echo signed\n").unwrap();
        assert_eq!(hash(&mut file).unwrap(), Sha256::of(b"echo signed\n"));
        assert_eq!(std::fs::read(path(&file)).unwrap(), b"echo signed\n");
        file.seek(SeekFrom::Start(0)).unwrap();
        assert!(file.write(b"x").is_err());
        assert!(file.set_len(0).is_err() && file.set_len(1000).is_err());
        let again = OpenOptions::new().write(true).truncate(true).open(path(&file));
        assert!(again.and_then(|mut file| file.write(b"x")).is_err());
        assert_eq!(hash(&mut file).unwrap(), Sha256::of(b"echo signed\n"));
    }
}
