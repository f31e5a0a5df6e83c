//! Limits of the probe.

use std::time::Duration;

/// What counts of a greeting: programs say who they are in their first line.
pub(crate) const BANNER_BYTES_MAX: usize = 1024;
/// What counts of a body: the beginning of a page, not a download.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024;
/// Longest head of an answer: more than any server needs for its cookies.
pub(crate) const HEAD_BYTES_MAX: usize = 32 * 1024;
/// Addresses of one name that are tried, each for the same part of the time.
pub(crate) const ADDRESSES_MAX: usize = 4;
/// For one address of several.
pub(crate) const CONNECT_PATIENCE: Duration = Duration::from_secs(4);
/// How long a greeting is waited for.
pub(crate) const BANNER_PATIENCE: Duration = Duration::from_secs(4);
/// How long one name server is waited for before it or the next is asked.
pub(crate) const DNS_PATIENCE: Duration = Duration::from_secs(3);
/// Questions to name servers: as many as fit into the time.
pub(crate) const DNS_TRIES: usize = 3;
/// Datagrams that are read before somebody is taken for noise.
pub(crate) const DNS_DATAGRAMS_MAX: usize = 16;
/// Name servers of a system: the C library takes as many.
pub(crate) const NAME_SERVERS_MAX: usize = 3;
/// Largest answer of a name server: what two bytes can count.
pub(crate) const DNS_BYTES_MAX: usize = 65_535;
/// What is read of the system's list of name servers, or of certificates.
pub(crate) const SYSTEM_FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Between two echo requests.
pub(crate) const PING_PAUSE: Duration = Duration::from_millis(250);
/// After the last one.
pub(crate) const PING_PATIENCE: Duration = Duration::from_secs(2);
/// Datagrams that are read of whatever comes back.
pub(crate) const PING_DATAGRAMS_MAX: usize = 64;
