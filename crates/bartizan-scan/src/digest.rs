//! Digests, taken piece by piece.

use data_encoding::HEXLOWER;
use md5::{Digest as _, Md5};
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};

/// Which digests the rules need besides SHA-256, which every finding carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Some rule names files by MD5.
    pub md5: bool,
    /// Some rule names files by SHA-1.
    pub sha1: bool,
}

/// Digests being taken.
pub struct Digester {
    sha256: Context,
    sha1: Option<Context>,
    md5: Option<Md5>,
}

/// Digests, as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digests {
    /// SHA-256.
    pub sha256: [u8; 32],
    /// SHA-1, if it was wanted.
    pub sha1: Option<[u8; 20]>,
    /// MD5, if it was wanted.
    pub md5: Option<[u8; 16]>,
}

impl Digester {
    /// Begins.
    pub fn new(wanted: Wanted) -> Self {
        Self {
            sha256: Context::new(&SHA256),
            sha1: wanted.sha1.then(|| Context::new(&SHA1_FOR_LEGACY_USE_ONLY)),
            md5: wanted.md5.then(Md5::new),
        }
    }

    /// Adds bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(bytes);
        }
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
    }

    /// Ends.
    pub fn finish(self) -> Digests {
        Digests {
            sha256: array(self.sha256.finish().as_ref()),
            sha1: self.sha1.map(|sha1| array(sha1.finish().as_ref())),
            md5: self.md5.map(|md5| array(&md5.finalize())),
        }
    }
}

impl Digests {
    /// Of bytes that are all here.
    pub fn of(bytes: &[u8], wanted: Wanted) -> Self {
        let mut digester = Digester::new(wanted);
        digester.update(bytes);
        digester.finish()
    }

    /// SHA-256 in hexadecimal.
    pub fn sha256_hex(&self) -> String {
        HEXLOWER.encode(&self.sha256)
    }
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_standards() {
        let all = Wanted { md5: true, sha1: true };
        let digests = Digests::of(b"abc", all);
        assert_eq!(
            digests.sha256_hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            HEXLOWER.encode(&digests.sha1.unwrap()),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        assert_eq!(HEXLOWER.encode(&digests.md5.unwrap()), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(Digests::of(b"abc", Wanted::default()).md5, None);
    }
}
