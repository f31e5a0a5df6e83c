//! Secrets are read from their file for each use, and wiped after it.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use zeroize::Zeroizing;

/// Longest secret: a key of 64 bytes in base64 with room.
const BYTES_MAX: u64 = 4096;

/// What a file holds, without white space around it.
pub fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>> {
    let shown = path.display();
    let file = std::fs::File::open(path).with_context(|| format!("open {shown}"))?;
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(BYTES_MAX + 1).read_to_end(&mut bytes).with_context(|| format!("read {shown}"))?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= BYTES_MAX);
    ensure!(fits, "{shown} is longer than a secret");
    let trimmed = Zeroizing::new(bytes.trim_ascii().to_vec());
    ensure!(!trimmed.is_empty(), "{shown} is empty");
    Ok(trimmed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_a_content_and_an_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        assert!(read(&path).is_err());
        let check = |content: &[u8]| {
            std::fs::write(&path, content).unwrap();
            read(&path).ok().map(|secret| secret.to_vec())
        };
        assert_eq!(check(b" word\n"), Some(b"word".to_vec()));
        assert_eq!(check(b" \n"), None);
        assert_eq!(check(&[b'x'; 4096]).map(|secret| secret.len()), Some(4096));
        assert_eq!(check(&[b'x'; 4097]), None);
    }
}
