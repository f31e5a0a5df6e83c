//! TLS 1.3 with a server that is known by its key.

use std::sync::Arc;

use anyhow::{Context, Result};
use bartizan_trust::id::Sha256;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};

/// Which server keys are accepted.
#[derive(Debug, Clone)]
pub(crate) enum Pin {
    /// One of these.
    Keys(Vec<Sha256>),
    /// Any: for the first contact, whose answers are then verified against the anchor.
    FirstContact,
}

/// SHA-256 of a certificate's SubjectPublicKeyInfo.
pub(crate) fn spki(certificate: &CertificateDer<'_>) -> Option<Sha256> {
    let certificate = webpki::EndEntityCert::try_from(certificate).ok()?;
    Some(Sha256::of(&certificate.subject_public_key_info()))
}

/// A client that shows the console's key.
pub(crate) fn config(console: &rcgen::KeyPair, pin: Pin) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(KeyVerifier { provider: Arc::clone(&provider), pin });
    let certificate = certificate(console)?;
    let key = PrivatePkcs8KeyDer::from(console.serialize_der());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("TLS 1.3")?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(vec![certificate], key.into())
        .context("use the console's key")?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The console's own certificate; only its key matters.
pub(crate) fn certificate(console: &rcgen::KeyPair) -> Result<CertificateDer<'static>> {
    let names = vec!["bartizan-console".to_owned()];
    let parameters = rcgen::CertificateParams::new(names).context("make a certificate")?;
    Ok(parameters.self_signed(console).context("make a certificate")?.der().clone())
}

/// Believes keys, not names: the handshake proves possession, the pin says whose key it must be.
#[derive(Debug)]
struct KeyVerifier {
    provider: Arc<CryptoProvider>,
    pin: Pin,
}

impl ServerCertVerifier for KeyVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let fits = match &self.pin {
            Pin::FirstContact => true,
            Pin::Keys(keys) => spki(end_entity).is_some_and(|key| keys.contains(&key)),
        };
        if fits {
            return Ok(ServerCertVerified::assertion());
        }
        Err(CertificateError::ApplicationVerificationFailure.into())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
