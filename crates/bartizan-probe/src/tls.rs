//! TLS over a connection, and when the certificate ends that was shown.

use std::io::Read as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bartizan_trust::statement::TlsTrust;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::limits::SYSTEM_FILE_BYTES_MAX;
use crate::{Trouble, certificates, here, there};

/// A connection whose other end has shown a certificate.
pub(crate) struct Secured {
    pub(crate) stream: TlsStream<TcpStream>,
    /// When that ends.
    pub(crate) ends: Option<u64>,
}

/// Shakes hands. What was shown is told also where it is not believed.
pub(crate) async fn secure(
    stream: TcpStream,
    host: &str,
    trust: TlsTrust,
    roots: Option<&Path>,
) -> Result<Secured, Trouble> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let inner = match trust {
        TlsTrust::Verify => Some(verifier(roots, &provider)?),
        TlsTrust::DangerUnverified => None,
    };
    let shown = Arc::new(Shown { inner, provider: Arc::clone(&provider), ends: OnceLock::new() });
    let verifier: Arc<dyn ServerCertVerifier> = Arc::<Shown>::clone(&shown);
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| here(error.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let name = ServerName::try_from(host.to_owned()).map_err(|_| here("no name for TLS"))?;
    let shaken = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
    let ends = shown.ends.get().copied();
    match (shaken, ends) {
        (Ok(stream), ends) => Ok(Secured { stream, ends }),
        (Err(error), Some(ends)) => Err(Trouble::Shown(format!("TLS: {error}"), ends)),
        (Err(error), None) => Err(there(format!("TLS: {error}"))),
    }
}

fn verifier(
    roots: Option<&Path>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Trouble> {
    let missing =
        || here("this system has no list of certificates to believe; install ca-certificates");
    let mut bytes = Vec::new();
    std::fs::File::open(roots.ok_or_else(missing)?)
        .and_then(|file| file.take(SYSTEM_FILE_BYTES_MAX).read_to_end(&mut bytes))
        .map_err(|error| here(format!("read the certificates to believe: {}", error.kind())))?;
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).filter_map(Result::ok));
    WebPkiServerVerifier::builder_with_provider(Arc::new(store), Arc::clone(provider))
        .build()
        .map_err(|_| missing())
}

/// Remembers the end of what is shown before anybody believes it or not.
#[derive(Debug)]
struct Shown {
    inner: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    ends: OnceLock<u64>,
}

impl ServerCertVerifier for Shown {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if let Some(ends) = certificates::end(end_entity) {
            let _ = self.ends.set(ends);
        }
        match &self.inner {
            Some(inner) => {
                inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
            }
            // The policy says so in so many words.
            None => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
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
