//! DSSE v1 envelopes. Specification: `docs/spec/envelope.md`.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::id::{Sha256, StatementId};
use crate::json::{self, JsonError, Validate};
use crate::keys::PublicKey;
use crate::limits;
use crate::sshsig::{SignatureFacts, SshSig};
use crate::statement::{
    SignatureRole, Statement, StatementType, decode_payload, encode_payload, is_plain_text,
};

/// Why bytes are not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// JSON, base64, size or canonical form.
    #[error("malformed envelope: {0}")]
    Malformed(String),
    /// Above a limit.
    #[error("envelope above a limit: {0}")]
    TooLarge(&'static str),
}

impl From<JsonError> for EnvelopeError {
    fn from(error: JsonError) -> Self {
        match error {
            JsonError::TooLarge { .. } => Self::TooLarge("bytes"),
            JsonError::Syntax(source) => Self::Malformed(source.to_string()),
            JsonError::TooDeep | JsonError::NotCanonical | JsonError::Invalid(_) => {
                Self::Malformed(error.to_string())
            }
        }
    }
}

/// A decoded envelope. Its payload is bytes until a statement is decoded from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Signature {
    // A hint for other tools; never believed.
    keyid: String,
    blob: Vec<u8>,
}

/// A signature that verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedSignature {
    /// Its place in the envelope.
    pub index: usize,
    /// By this key.
    pub key: PublicKey,
    /// In this role.
    pub role: SignatureRole,
    /// In this way.
    pub facts: SignatureFacts,
}

/// A signature that was passed over, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoredSignature {
    /// Its place in the envelope.
    pub index: usize,
    /// Why.
    pub reason: String,
}

impl Envelope {
    /// An unsigned envelope around a statement.
    pub fn new<S: Statement>(statement: &S) -> Self {
        Self {
            payload_type: S::TYPE.payload_type().to_owned(),
            payload: encode_payload(statement),
            signatures: Vec::new(),
        }
    }

    /// Reads the exact bytes: limits first, then strict, canonical JSON.
    pub fn decode(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        let raw: Raw = json::decode(bytes, limits::ENVELOPE_BYTES_MAX)?;
        let payload = decode_base64(&raw.payload)?;
        if payload.len() > limits::PAYLOAD_BYTES_MAX {
            return Err(EnvelopeError::TooLarge("payload"));
        }
        if raw.signatures.len() > limits::ENVELOPE_SIGNATURES_MAX {
            return Err(EnvelopeError::TooLarge("signatures"));
        }
        let signatures = raw
            .signatures
            .into_iter()
            .map(|signature| {
                Ok(Signature { blob: decode_base64(&signature.sig)?, keyid: signature.keyid })
            })
            .collect::<Result<_, EnvelopeError>>()?;
        Ok(Self { payload_type: raw.payload_type, payload, signatures })
    }

    /// Writes them.
    pub fn encode(&self) -> Vec<u8> {
        json::encode(&Raw {
            payload_type: self.payload_type.clone(),
            payload: BASE64.encode(&self.payload),
            signatures: self
                .signatures
                .iter()
                .map(|s| RawSignature { keyid: s.keyid.clone(), sig: BASE64.encode(&s.blob) })
                .collect(),
        })
    }

    /// The payload type as it stands.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// The kind it names, if it is one of ours.
    pub fn kind(&self) -> Option<StatementType> {
        StatementType::from_payload_type(&self.payload_type)
    }

    /// The payload bytes.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Pre-authentication encoding.
    pub fn pae(&self) -> Vec<u8> {
        pae(&self.payload_type, &self.payload)
    }

    /// SHA-256 of the pre-authentication encoding.
    pub fn id(&self) -> StatementId {
        StatementId::new(Sha256::of(&self.pae()))
    }

    /// How many signatures it carries.
    pub fn signature_count(&self) -> usize {
        self.signatures.len()
    }

    /// Adds a signature; the same blob twice is kept once.
    pub fn add_signature(&mut self, signature: &SshSig) -> Result<(), EnvelopeError> {
        if self.signatures.iter().any(|known| known.blob == signature.encode()) {
            return Ok(());
        }
        if self.signatures.len() >= limits::ENVELOPE_SIGNATURES_MAX {
            return Err(EnvelopeError::TooLarge("signatures"));
        }
        let keyid = signature.public_key().fingerprint();
        self.signatures.push(Signature { keyid, blob: signature.encode().to_vec() });
        Ok(())
    }

    /// Decodes the payload as `S` if the payload type says so.
    pub fn statement<S: Statement>(&self) -> Result<S, EnvelopeError> {
        if self.kind() != Some(S::TYPE) {
            return Err(EnvelopeError::Malformed(format!("not a {}", S::TYPE.payload_type())));
        }
        Ok(decode_payload(&self.payload)?)
    }

    /// Verifies each signature; those that fail are reported, never fatal.
    pub fn verify_signatures(&self) -> (Vec<VerifiedSignature>, Vec<IgnoredSignature>) {
        let message = self.pae();
        let mut verified = Vec::new();
        let mut ignored = Vec::new();
        for (index, signature) in self.signatures.iter().enumerate() {
            let outcome =
                SshSig::decode(&signature.blob).and_then(|sig| Ok((sig.verify(&message)?, sig)));
            match outcome {
                Ok((facts, sig)) => verified.push(VerifiedSignature {
                    index,
                    key: sig.public_key().clone(),
                    role: sig.role(),
                    facts,
                }),
                Err(error) => ignored.push(IgnoredSignature { index, reason: error.to_string() }),
            }
        }
        (verified, ignored)
    }

    /// The SSHSIG blobs, for export.
    pub fn signature_blobs(&self) -> impl Iterator<Item = &[u8]> {
        self.signatures.iter().map(|signature| signature.blob.as_slice())
    }
}

/// DSSE pre-authentication encoding.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn decode_base64(text: &str) -> Result<Vec<u8>, EnvelopeError> {
    crate::base64::decode(text)
        .ok_or_else(|| EnvelopeError::Malformed("base64 that is not canonical".to_owned()))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<RawSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSignature {
    keyid: String,
    sig: String,
}

impl Validate for Raw {
    fn validate(&self) -> Result<(), &'static str> {
        let hint =
            |signature: &RawSignature| is_plain_text(&signature.keyid, limits::TEXT_BYTES_MAX);
        if !is_plain_text(&self.payload_type, limits::TEXT_BYTES_MAX)
            || !self.signatures.iter().all(hint)
        {
            return Err("payloadType and keyid: short, plain text");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unsigned(payload: &[u8]) -> Envelope {
        Envelope {
            payload_type: "application/x".to_owned(),
            payload: payload.to_vec(),
            signatures: Vec::new(),
        }
    }

    #[test]
    fn pre_authentication_encoding_is_that_of_dsse() {
        // The example of the DSSE specification.
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
    }

    #[test]
    fn payload_and_signature_limits_hold_at_and_above() {
        let at = unsigned(&vec![b'x'; limits::PAYLOAD_BYTES_MAX]);
        assert_eq!(Envelope::decode(&at.encode()).expect("at the limit"), at);
        let above = unsigned(&vec![b'x'; limits::PAYLOAD_BYTES_MAX + 1]);
        assert!(matches!(
            Envelope::decode(&above.encode()),
            Err(EnvelopeError::TooLarge("payload"))
        ));

        let signed = |n| Envelope {
            signatures: vec![Signature { keyid: String::new(), blob: vec![1] }; n],
            ..unsigned(b"{}")
        };
        assert!(Envelope::decode(&signed(limits::ENVELOPE_SIGNATURES_MAX).encode()).is_ok());
        let above = signed(limits::ENVELOPE_SIGNATURES_MAX + 1).encode();
        assert!(matches!(Envelope::decode(&above), Err(EnvelopeError::TooLarge("signatures"))));
        assert!(matches!(
            Envelope::decode(&vec![b' '; limits::ENVELOPE_BYTES_MAX + 1]),
            Err(EnvelopeError::TooLarge("bytes"))
        ));
    }

    #[test]
    fn other_forms_of_the_same_envelope_are_refused() {
        let text = String::from_utf8(unsigned(b"{}").encode()).expect("text");
        assert!(Envelope::decode(text.as_bytes()).is_ok());
        for bad in [
            format!("{text}\n"),
            text.replace("e30=", "e30"),
            text.replace("e30=", "e31="),
            text.replace("\"signatures\":[]", "\"signatures\":[],\"x\":1"),
            text.replace("\"payload\":", "\"payload\":\"\",\"payload\":"),
            text.replace(",\"signatures\":[]", ""),
            text.replace("application/x", "application/\\u0078"),
        ] {
            assert_ne!(bad, text);
            assert!(Envelope::decode(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
