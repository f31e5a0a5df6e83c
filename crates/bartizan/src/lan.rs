//! Sending a freeze to the local network, past a server that withholds it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_proto::lan::datagrams;
use bartizan_proto::limits::{LAN_ENVELOPE_BYTES_MAX, LAN_PORT};

use crate::exit::{Code, fail};

/// Datagrams get lost: each is sent this often.
const ROUNDS: u32 = 5;
/// Between rounds, so that one burst of other traffic does not swallow all of them.
const PAUSE: Duration = Duration::from_millis(200);

/// `ADDRESS` or `ADDRESS:PORT`; the address may be one that reaches a whole network.
pub(crate) fn place(text: &str) -> Result<SocketAddr, String> {
    let whole = text.parse::<SocketAddr>().ok();
    let bare = || text.parse::<IpAddr>().ok().map(|address| (address, LAN_PORT).into());
    whole.or_else(bare).filter(SocketAddr::is_ipv4).ok_or_else(|| {
        "an IPv4 address, perhaps with a port, like 192.168.7.255 or 192.168.7.255:8446".to_owned()
    })
}

/// Every network this machine is part of, and the one it would take without knowing any.
pub(crate) fn networks() -> Vec<SocketAddr> {
    let table = std::fs::read_to_string("/proc/net/route").unwrap_or_default();
    let mut places = vec![Ipv4Addr::BROADCAST];
    for address in table.lines().skip(1).filter_map(broadcast_address) {
        if !places.contains(&address) {
            places.push(address);
        }
    }
    places.into_iter().map(|address| (address, LAN_PORT).into()).collect()
}

/// Of a line of the kernel's table: a network that is reached without a router.
fn broadcast_address(line: &str) -> Option<Ipv4Addr> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let number = |at: usize| u32::from_str_radix(fields.get(at)?, 16).ok().map(u32::swap_bytes);
    let (network, router, mask) = (number(1)?, number(2)?, number(7)?);
    let many = mask != 0 && mask != u32::MAX;
    (router == 0 && many).then(|| Ipv4Addr::from_bits(network | !mask))
}

/// Sends an envelope to every place; returns those that it left for.
pub(crate) fn send(envelope: &[u8], places: &[SocketAddr]) -> Result<Vec<SocketAddr>> {
    let pieces = datagrams(envelope);
    if pieces.is_empty() {
        let problem = format!("the freeze is larger than {LAN_ENVELOPE_BYTES_MAX} bytes");
        return Err(fail(
            Code::Error,
            problem,
            "let fewer people sign it, or hand it over as a file",
        ));
    }
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).context("open a UDP socket")?;
    socket.set_broadcast(true).context("allow broadcasts")?;
    let mut reached = Vec::new();
    let mut problem = None;
    for round in 0..ROUNDS {
        if round > 0 {
            std::thread::sleep(PAUSE);
        }
        for place in places {
            let sent: std::io::Result<Vec<usize>> =
                pieces.iter().map(|piece| socket.send_to(piece, place)).collect();
            match sent {
                Ok(_) if reached.contains(place) => {}
                Ok(_) => reached.push(*place),
                Err(error) => problem = Some(error),
            }
        }
    }
    match problem {
        Some(error) if reached.is_empty() => Err(fail(
            Code::Error,
            format!("the freeze left for no network: {error}"),
            "name one: --lan-to 192.168.7.255",
        )),
        _ => Ok(reached),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_without_a_router_are_read_from_the_kernels_table() {
        let read = |line| broadcast_address(line).map(|address| address.to_string());
        let direct = "eth0\t0007A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0";
        assert_eq!(read(direct).as_deref(), Some("192.168.7.255"));
        assert_eq!(read("eth0\t00000000\t0107A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0"), None);
        assert_eq!(read("wg0\t0507A8C0\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0"), None);
        assert_eq!(read("nonsense"), None);
    }

    #[test]
    fn places_are_addresses_of_the_old_kind() {
        assert_eq!(place("192.168.7.255"), Ok(([192, 168, 7, 255], LAN_PORT).into()));
        assert_eq!(place("10.0.0.1:99"), Ok(([10, 0, 0, 1], 99).into()));
        for text in ["", "host", "::1", "10.0.0.1:x"] {
            assert!(place(text).is_err(), "{text}");
        }
    }
}
