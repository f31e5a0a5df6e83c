//! TLS 1.3 without certificate authorities: both sides are known by the hash of their keys.

use std::sync::Arc;

use bartizan_proto::limits::ALPN;
use bartizan_trust::id::Sha256;
use bartizan_trust::keys::PublicKey;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::NoServerSessionStorage;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    ServerConfig, SignatureScheme,
};

use crate::keys::ServerKeys;

/// The DER before the 32 bytes of an Ed25519 SubjectPublicKeyInfo (RFC 8410).
const ED25519_SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// SHA-256 of a certificate's SubjectPublicKeyInfo.
pub(crate) fn spki_hash(certificate: &CertificateDer<'_>) -> Option<Sha256> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    Some(Sha256::of(parsed.subject_public_key_info().as_ref()))
}

/// The device key of an agent's certificate.
pub(crate) fn device_key(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let parsed = webpki::EndEntityCert::try_from(certificate).ok()?;
    let spki = parsed.subject_public_key_info();
    let key = spki.as_ref().strip_prefix(ED25519_SPKI_PREFIX.as_slice())?;
    key.try_into().ok().map(PublicKey::from_ed25519)
}

/// TLS of the agent plane: a client certificate over an Ed25519 key is required.
pub(crate) fn agent_config(keys: &ServerKeys) -> anyhow::Result<Arc<ServerConfig>> {
    config(keys, Clients::Agents)
}

/// TLS of the operator plane: a client certificate is welcome; without one only public routes answer.
pub(crate) fn operator_config(keys: &ServerKeys) -> anyhow::Result<Arc<ServerConfig>> {
    config(keys, Clients::Consoles)
}

fn config(keys: &ServerKeys, clients: Clients) -> anyhow::Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(SelfSigned { clients, provider: Arc::clone(&provider) });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![keys.certificate.clone()], keys.private.clone_key())?;
    // No resumption: every connection proves its key again, and an idle one keeps no ticket.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    config.alpn_protocols = match clients {
        Clients::Agents => vec![ALPN.to_vec()],
        Clients::Consoles => vec![b"http/1.1".to_vec()],
    };
    Ok(Arc::new(config))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clients {
    Agents,
    Consoles,
}

/// Accepts any self-signed certificate whose key signs the handshake; who that key is gets decided later.
#[derive(Debug)]
struct SelfSigned {
    clients: Clients,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for SelfSigned {
    fn client_auth_mandatory(&self) -> bool {
        self.clients == Clients::Agents
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let usable = match self.clients {
            Clients::Agents => device_key(end_entity).is_some(),
            Clients::Consoles => spki_hash(end_entity).is_some(),
        };
        if usable {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::BadEncoding))
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::PeerIncompatible(PeerIncompatible::Tls13RequiredForQuic))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        match self.clients {
            Clients::Agents => vec![SignatureScheme::ED25519],
            Clients::Consoles => {
                vec![SignatureScheme::ED25519, SignatureScheme::ECDSA_NISTP256_SHA256]
            }
        }
    }
}
