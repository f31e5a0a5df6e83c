//! Echo requests through a datagram socket, which needs no privileges where the system allows it.

use std::io;
use std::net::{SocketAddr, UdpSocket as StdUdpSocket};
use std::time::Instant;

use bartizan_proto::probe::{Answer, PINGS};
use ring::rand::{SecureRandom as _, SystemRandom};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

use crate::limits::{PING_DATAGRAMS_MAX, PING_PATIENCE, PING_PAUSE};
use crate::{Trouble, here, reach, since};

/// Bytes that only we know, so that nobody else's answer counts.
const TOKEN_BYTES: usize = 16;
const HEAD_BYTES: usize = 8;

pub(crate) async fn ask(host: &str) -> Result<Answer, Trouble> {
    // Only the first: the middle of two machines' times is nobody's.
    let address = reach::addresses(host, 0).await?.into_iter().next();
    let address = address.ok_or_else(|| here("no address"))?;
    let socket = open(address).map_err(|error| refused(&error))?;
    let mut token = [0; TOKEN_BYTES];
    SystemRandom::new().fill(&mut token).map_err(|_| here("no random bytes"))?;
    if socket.connect(address).await.is_err() {
        return Ok(Answer::Echoed { received: 0, ms: None });
    }
    let times = exchange(&socket, address.is_ipv6(), &token).await;
    let received = u32::try_from(times.len()).unwrap_or(PINGS);
    Ok(Answer::Echoed { received, ms: middle(times) })
}

fn refused(error: &io::Error) -> Trouble {
    if error.kind() == io::ErrorKind::PermissionDenied {
        return here(
            "this system lets nobody send echo requests without privileges; set net.ipv4.ping_group_range to `0 2147483647` (sysctl)",
        );
    }
    here(format!("open a socket for echo requests: {}", error.kind()))
}

fn open(address: SocketAddr) -> io::Result<UdpSocket> {
    let protocol = if address.is_ipv6() { Protocol::ICMPV6 } else { Protocol::ICMPV4 };
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    // To the kernel's calls it is a datagram socket like any other.
    UdpSocket::from_std(StdUdpSocket::from(socket))
}

/// Sends all and collects; how long each took that came back.
async fn exchange(socket: &UdpSocket, v6: bool, token: &[u8; TOKEN_BYTES]) -> Vec<u64> {
    let mut sent: Vec<(u16, Instant)> = Vec::new();
    let mut times = Vec::new();
    let mut datagrams = 0;
    for sequence in 0..u16::try_from(PINGS).unwrap_or(u16::MAX) {
        sent.push((sequence, Instant::now()));
        // What cannot be sent is lost like what does not come back.
        let _ = socket.send(&echo_request(v6, sequence, token)).await;
        let last = usize::try_from(PINGS).is_ok_and(|all| sent.len() == all);
        let patience = if last { PING_PATIENCE } else { PING_PAUSE };
        let collecting = async {
            let mut buffer = [0; 256];
            while !(last && sent.is_empty()) && datagrams < PING_DATAGRAMS_MAX {
                datagrams += 1;
                let Ok(count) = socket.recv(&mut buffer).await else { continue };
                let came = echo_reply(v6, buffer.get(..count).unwrap_or_default(), token);
                let known = sent.iter().position(|(sequence, _)| came == Some(*sequence));
                if let Some(known) = known {
                    times.push(since(sent.swap_remove(known).1));
                }
            }
            // Who floods is not listened to any more; the pace stays.
            if !last {
                sleep(PING_PAUSE).await;
            }
        };
        let _ = timeout(patience, collecting).await;
    }
    times
}

/// The kernel fills in identifier and checksum.
fn echo_request(v6: bool, sequence: u16, token: &[u8; TOKEN_BYTES]) -> Vec<u8> {
    let mut packet = vec![if v6 { 128 } else { 8 }, 0, 0, 0, 0, 0];
    packet.extend(sequence.to_be_bytes());
    packet.extend(token);
    packet
}

/// The number of an answer to one of ours.
fn echo_reply(v6: bool, packet: &[u8], token: &[u8; TOKEN_BYTES]) -> Option<u16> {
    let (head, rest) = packet.split_first_chunk::<HEAD_BYTES>()?;
    let [kind, code, _, _, _, _, high, low] = *head;
    let ours = kind == if v6 { 129 } else { 0 } && code == 0 && rest == token;
    ours.then_some(u16::from_be_bytes([high, low]))
}

fn middle(mut times: Vec<u64>) -> Option<u64> {
    times.sort_unstable();
    times.get(times.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_to_our_own_request_counts() {
        let token = [7; TOKEN_BYTES];
        for (v6, kind) in [(false, 0), (true, 129)] {
            let mut packet = echo_request(v6, 258, &token);
            assert_eq!(echo_reply(v6, &packet, &token), None, "a request is no answer");
            packet[0] = kind;
            assert_eq!(echo_reply(v6, &packet, &token), Some(258));
            assert_eq!(echo_reply(!v6, &packet, &token), None);
            assert_eq!(echo_reply(v6, &packet, &[8; TOKEN_BYTES]), None, "somebody else's");
            assert_eq!(echo_reply(v6, &packet[..packet.len() - 1], &token), None);
            packet.push(0);
            assert_eq!(echo_reply(v6, &packet, &token), None);
        }
        for length in 0..HEAD_BYTES {
            assert_eq!(echo_reply(false, &vec![0; length], &token), None);
        }
    }

    #[test]
    fn the_middle_of_the_times_is_told() {
        assert_eq!(middle(vec![]), None);
        assert_eq!(middle(vec![9, 1, 2]), Some(2));
    }
}
