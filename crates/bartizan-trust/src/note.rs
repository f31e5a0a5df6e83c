//! C2SP signed notes, verifier keys and timestamped co-signatures. Specification: `docs/spec/logs.md`.

use core::fmt;

use data_encoding::{BASE64, HEXLOWER};
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::id::Sha256;
use crate::limits;
use crate::time::UnixSeconds;

/// Not a signed note or verifier key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct NoteError(pub &'static str);

/// How a note key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NoteKeyType {
    /// 0x01: Ed25519 over the text.
    Ed25519,
    /// 0x04: cosignature/v1, Ed25519 over a timestamped text.
    CosignatureV1,
}

impl NoteKeyType {
    const fn code(self) -> u8 {
        match self {
            Self::Ed25519 => 1,
            Self::CosignatureV1 => 4,
        }
    }
}

/// `name+hash+base64`, a C2SP vkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    // INVARIANT: a valid key name.
    name: String,
    key_type: NoteKeyType,
    key: [u8; 32],
}

impl VerifierKey {
    /// From its parts.
    pub fn new(name: &str, key_type: NoteKeyType, key: [u8; 32]) -> Result<Self, NoteError> {
        if is_key_name(name) {
            Ok(Self { name: name.to_owned(), key_type, key })
        } else {
            Err(NoteError("key name: short, without white space or `+`"))
        }
    }

    /// Reads `name+hash+base64`.
    pub fn parse(vkey: &str) -> Result<Self, NoteError> {
        let bad = NoteError("verifier key (`name+hash+base64`)");
        let mut parts = vkey.splitn(3, '+');
        let (Some(name), Some(hash), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(bad);
        };
        let bytes = crate::base64::decode(encoded).ok_or_else(|| bad.clone())?;
        let (key_type, key) = match bytes.split_first() {
            Some((1, key)) => (NoteKeyType::Ed25519, key),
            Some((4, key)) => (NoteKeyType::CosignatureV1, key),
            _ => return Err(bad),
        };
        let parsed = Self::new(name, key_type, key.try_into().map_err(|_| bad.clone())?)?;
        if HEXLOWER.encode(&parsed.key_id()) == hash { Ok(parsed) } else { Err(bad) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How it signs.
    pub const fn key_type(&self) -> NoteKeyType {
        self.key_type
    }

    /// The 32 bytes of the Ed25519 key.
    pub const fn key_bytes(&self) -> &[u8; 32] {
        &self.key
    }

    /// First four bytes of SHA-256(name ‖ LF ‖ type ‖ key).
    pub fn key_id(&self) -> [u8; 4] {
        let hash =
            Sha256::of_parts(&[self.name.as_bytes(), b"\n", &[self.key_type.code()], &self.key]);
        let [a, b, c, d, ..] = *hash.as_bytes();
        [a, b, c, d]
    }

    /// The signature line (with the final LF) of an Ed25519 signature over the note text.
    pub fn signature_line(&self, signature: &[u8; 64]) -> String {
        self.line(signature)
    }

    /// The signature line (with the final LF) of a cosignature/v1 made at `at` over [`cosignature_message`].
    pub fn cosignature_line(&self, at: UnixSeconds, signature: &[u8; 64]) -> String {
        self.line(&[&at.get().to_be_bytes()[..], signature].concat())
    }

    fn line(&self, signature: &[u8]) -> String {
        let bytes = [&self.key_id()[..], signature].concat();
        format!("\u{2014} {} {}\n", self.name, BASE64.encode(&bytes))
    }

    fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = [&[self.key_type.code()][..], &self.key].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.key_id()), BASE64.encode(&bytes))
    }
}

/// `cosignature/v1 LF time N LF` and the note text.
pub fn cosignature_message(at: UnixSeconds, note_text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {}\n{note_text}", at.get()).into_bytes()
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// Key name.
    pub name: String,
    /// Key id.
    pub key_id: [u8; 4],
    /// The rest.
    pub signature: Vec<u8>,
}

impl NoteSignature {
    /// Reads one line `— name base64` (with or without the final LF).
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let bad = NoteError("note signature line");
        let line = line.strip_suffix('\n').unwrap_or(line);
        let rest = line.strip_prefix("\u{2014} ").ok_or_else(|| bad.clone())?;
        let (name, encoded) = rest.split_once(' ').ok_or_else(|| bad.clone())?;
        let bytes = crate::base64::decode(encoded).ok_or_else(|| bad.clone())?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or_else(|| bad.clone())?;
        if !is_key_name(name) || signature.is_empty() {
            return Err(bad);
        }
        Ok(Self { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }

    fn to_line(&self) -> String {
        let bytes = [&self.key_id[..], &self.signature].concat();
        format!("\u{2014} {} {}\n", self.name, BASE64.encode(&bytes))
    }

    fn is_from(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.key_id == key.key_id()
    }
}

/// A signed note: text (ending in LF) and signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The signed text, ending in LF.
    pub text: String,
    /// Its signatures.
    pub signatures: Vec<NoteSignature>,
}

impl Note {
    /// Reads a note.
    pub fn decode(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > limits::NOTE_BYTES_MAX {
            return Err(NoteError("note: longer than 16 KiB"));
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError("note: not UTF-8"))?;
        if note.bytes().any(|b| b < 0x20 && b != b'\n') {
            return Err(NoteError("note: control characters"));
        }
        // The last empty line parts text and signatures.
        let (text, lines) = note.rsplit_once("\n\n").ok_or(NoteError("note: no signatures"))?;
        let lines =
            lines.strip_suffix('\n').ok_or(NoteError("note: does not end in a line feed"))?;
        let lines: Vec<&str> = lines.split('\n').collect();
        if lines.len() > limits::NOTE_SIGNATURES_MAX {
            return Err(NoteError("note: too many signatures"));
        }
        let signatures = lines.into_iter().map(NoteSignature::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: format!("{text}\n"), signatures })
    }

    /// Writes it.
    pub fn encode(&self) -> Vec<u8> {
        let lines: String = self.signatures.iter().map(NoteSignature::to_line).collect();
        format!("{}\n{lines}", self.text).into_bytes()
    }

    /// True when `key` (type Ed25519) signed the text.
    pub fn is_signed_by(&self, key: &VerifierKey) -> bool {
        key.key_type == NoteKeyType::Ed25519
            && self
                .signatures
                .iter()
                .any(|line| line.is_from(key) && key.verify(self.text.as_bytes(), &line.signature))
    }

    /// The newest valid cosignature time of `key` (type CosignatureV1).
    pub fn cosigned_at(&self, key: &VerifierKey) -> Option<UnixSeconds> {
        if key.key_type != NoteKeyType::CosignatureV1 {
            return None;
        }
        self.signatures
            .iter()
            .filter(|line| line.is_from(key))
            .filter_map(|line| self.cosignature(key, line))
            .max()
    }

    fn cosignature(&self, key: &VerifierKey, line: &NoteSignature) -> Option<UnixSeconds> {
        let (time, signature) = line.signature.split_first_chunk::<8>()?;
        let seconds = u64::from_be_bytes(*time);
        let at = UnixSeconds::new(seconds);
        // A time we cannot hold is not clamped into another one.
        let exact = at.get() == seconds;
        (exact && key.verify(&cosignature_message(at, &self.text), signature)).then_some(at)
    }
}

fn is_key_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= limits::NOTE_NAME_BYTES_MAX
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+')
}
