//! Connections for alarms and vendors' repositories: TLS with a name that is checked, everything with a time limit.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// For one read or write.
const PATIENCE: Duration = Duration::from_secs(15);
/// Where systems keep the certificates they believe.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Anything bytes go through.
pub trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// An open connection without TLS.
pub fn connect(address: &str) -> Result<TcpStream> {
    let found = address.to_socket_addrs().with_context(|| format!("find {address}"))?;
    let mut last = None;
    for candidate in found {
        match TcpStream::connect_timeout(&candidate, CONNECT_PATIENCE) {
            Ok(stream) => {
                stream.set_read_timeout(Some(PATIENCE)).context("set a time limit")?;
                stream.set_write_timeout(Some(PATIENCE)).context("set a time limit")?;
                return Ok(stream);
            }
            Err(error) => last = Some(error),
        }
    }
    let error = last.map_or_else(|| anyhow::anyhow!("no such host"), anyhow::Error::new);
    Err(error.context(format!("connect to {address}")))
}

/// TLS over it; the certificate must be of `host`.
pub fn secure(
    stream: TcpStream,
    host: &str,
    ca: Option<&Path>,
) -> Result<StreamOwned<ClientConnection, TcpStream>> {
    let connection =
        ClientConnection::new(Arc::new(config(ca)?), server_name(host)?).context("TLS")?;
    Ok(StreamOwned::new(connection, stream))
}

/// What a client of TLS needs that believes a file's certificates, or the system's.
pub fn config(ca: Option<&Path>) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("TLS")?
        .with_root_certificates(roots(ca)?)
        .with_no_client_auth();
    Ok(config)
}

/// The name that a certificate must be of.
pub fn server_name(host: &str) -> Result<ServerName<'static>> {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    ServerName::try_from(name).with_context(|| format!("`{host}` is no host name"))
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(certificates(ca)?);
    anyhow::ensure!(added > 0, "no certificate to believe");
    Ok(roots)
}

/// The certificates of a file, or those the system believes.
pub(crate) fn certificates(ca: Option<&Path>) -> Result<Vec<CertificateDer<'static>>> {
    let path = ca.or_else(|| SYSTEM.iter().map(Path::new).find(|path| path.exists()));
    let path = path.context(
        "this system has no list of certificates to believe; install ca-certificates or give ca_file",
    )?;
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("read the certificates in {}", path.display()))?;
    anyhow::ensure!(!found.is_empty(), "{} holds no certificate", path.display());
    Ok(found)
}
