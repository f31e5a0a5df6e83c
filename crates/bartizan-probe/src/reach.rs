//! From a name to a connection. What may not be asked is left out after the name was looked up, and what was looked up is what is
//! connected to: a name that changes its mind in between leads nowhere else.

use std::net::{IpAddr, SocketAddr};

use bartizan_trust::statement::may_be_asked;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::limits::{ADDRESSES_MAX, CONNECT_PATIENCE};
use crate::{Trouble, here, there};

/// The addresses of a host that may be asked, a few.
pub(crate) async fn addresses(host: &str, port: u16) -> Result<Vec<SocketAddr>, Trouble> {
    let found: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, port)],
        Err(_) => lookup_host((host, port))
            .await
            .map_err(|_| there(format!("{host} has no address, or no name server answers")))?
            .collect(),
    };
    if found.is_empty() {
        return Err(there(format!("{host} has no address")));
    }
    let allowed = found.into_iter().filter(|address| may_be_asked(address.ip()));
    let allowed: Vec<SocketAddr> = allowed.take(ADDRESSES_MAX).collect();
    if allowed.is_empty() {
        return Err(here(format!("{host} has only addresses that no check may ask")));
    }
    Ok(allowed)
}

/// A connection to the first of its addresses that takes one.
pub(crate) async fn connect(host: &str, port: u16) -> Result<TcpStream, Trouble> {
    let mut last = there("no address");
    for address in addresses(host, port).await? {
        last = match timeout(CONNECT_PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => there(format!("connect to {address}: {}", error.kind())),
            Err(_) => there(format!("connect to {address}: no answer")),
        };
    }
    Err(last)
}
