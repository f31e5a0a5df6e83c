//! TLS 1.3 without certificate authorities: the server is its key, this endpoint is its key.

use std::sync::{Arc, Mutex};

use anyhow::{Context, Result};
use bartizan_proto::limits::ALPN;
use bartizan_proto::message::Setup;
use bartizan_trust::id::Sha256;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::sign::{CertifiedKey, Signer, SigningKey};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, PeerMisbehaved,
    SignatureAlgorithm, SignatureScheme,
};

use crate::pipe::Pipe;

/// What `Setup` says, as a TLS configuration; the second part tells which key the server showed.
pub(crate) fn configure(
    setup: &Setup,
    pipe: &Arc<Pipe>,
) -> Result<(ClientConfig, Arc<PinnedServer>)> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(PinnedServer {
        pins: setup.spkis.clone(),
        provider: Arc::clone(&provider),
        shown: Mutex::new(None),
    });
    let resolver = Arc::new(DeviceCertificate(Arc::new(CertifiedKey::new(
        vec![CertificateDer::from(setup.certificate.clone())],
        Arc::new(GuardedKey(Arc::clone(pipe))),
    ))));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .context("configure TLS 1.3")?
        .dangerous()
        .with_custom_certificate_verifier(Arc::<PinnedServer>::clone(&verifier))
        .with_client_cert_resolver(resolver);
    // Every connection shows the server's key anew; a cache of tickets would only cost memory.
    config.resumption = Resumption::disabled();
    config.enable_sni = true;
    config.alpn_protocols = vec![ALPN.to_vec()];
    Ok((config, verifier))
}

/// Accepts exactly the keys the bundle names. Without a bundle it accepts any key once and reports it: what such a server says
/// is believed only as far as the anchor reaches.
#[derive(Debug)]
pub(crate) struct PinnedServer {
    pins: Vec<Sha256>,
    provider: Arc<CryptoProvider>,
    shown: Mutex<Option<Sha256>>,
}

impl PinnedServer {
    /// Accepts any key that signs its handshake.
    pub(crate) const fn any(provider: Arc<CryptoProvider>) -> Self {
        Self { pins: Vec::new(), provider, shown: Mutex::new(None) }
    }

    /// The key the server showed in the last handshake.
    pub(crate) fn shown(&self) -> Option<Sha256> {
        self.shown.lock().ok().and_then(|shown| *shown)
    }

    /// Before another server is asked.
    pub(crate) fn forget(&self) {
        if let Ok(mut shown) = self.shown.lock() {
            *shown = None;
        }
    }

    /// The key the server showed, if it is not one to be accepted.
    pub(crate) fn stranger(&self) -> Option<Sha256> {
        self.shown().filter(|spki| !self.accepts(spki))
    }

    fn accepts(&self, spki: &Sha256) -> bool {
        self.pins.is_empty() || self.pins.contains(spki)
    }
}

impl ServerCertVerifier for PinnedServer {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let certificate = webpki::EndEntityCert::try_from(end_entity)
            .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
        let spki = Sha256::of(&certificate.subject_public_key_info());
        if let Ok(mut shown) = self.shown.lock() {
            *shown = Some(spki);
        }
        if !self.accepts(&spki) {
            return Err(Error::InvalidCertificate(
                CertificateError::ApplicationVerificationFailure,
            ));
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The device's certificate, whatever the server asks for.
#[derive(Debug)]
struct DeviceCertificate(Arc<CertifiedKey>);

impl ResolvesClientCert for DeviceCertificate {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The device key, which only the guard holds.
#[derive(Debug)]
struct GuardedKey(Arc<Pipe>);

impl SigningKey for GuardedKey {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        offered
            .contains(&SignatureScheme::ED25519)
            .then(|| -> Box<dyn Signer> { Box::new(GuardedSigner(Arc::clone(&self.0))) })
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ED25519
    }
}

#[derive(Debug)]
struct GuardedSigner(Arc<Pipe>);

impl Signer for GuardedSigner {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        self.0
            .sign(message)
            .ok_or_else(|| Error::General("the guard did not sign the handshake".to_owned()))
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
