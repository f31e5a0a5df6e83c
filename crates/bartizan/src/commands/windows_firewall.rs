//! The rules of `firewall` for Windows, as PowerShell commands.
//!
//! Windows lets everything out unless told otherwise, and there a rule that blocks wins over one that allows. So each pair is
//! allowed, for machines that block by default, and whatever is no pair is blocked, for the others.

use core::fmt::Write as _;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bartizan_proto::limits::LAN_PORT;

use super::firewall::comment;

/// Longest path of a program: `MAX_PATH`.
const PATH_CHARS_MAX: usize = 260;

/// A path that means itself between PowerShell's single quotes.
pub(super) fn program(text: &str) -> Result<String, String> {
    let drive =
        matches!(text.as_bytes(), [letter, b':', b'\\', ..] if letter.is_ascii_alphabetic());
    let plain = |c: char| (c.is_ascii_graphic() || c == ' ') && !r#"'"`$*?<>|%/"#.contains(c);
    let fits = |part: &str| part.chars().all(plain) && !part.contains(':');
    if drive && text.len() <= PATH_CHARS_MAX && text.get(2..).is_some_and(fits) {
        return Ok(text.to_owned());
    }
    Err(r"the whole path of the program, like C:\Program Files\Bartizan\bartizan-agent.exe"
        .to_owned())
}

/// Commands that let the program reach the pairs and nothing else.
pub(super) fn rules(program: &str, version: u64, pairs: &[(String, SocketAddr)]) -> String {
    let mut text = format!(
        "#Requires -RunAsAdministrator\n\
         # Endpoints of bundle {version}. Host names were looked up just now; Windows looks names up in a service of its own.\n\
         # Freezes from the local network come to UDP port {LAN_PORT}: let it in where you filter what comes in.\n\
         $ErrorActionPreference = 'Stop'\n\
         Get-NetFirewallRule -Group 'Bartizan' -ErrorAction SilentlyContinue | Remove-NetFirewallRule\n\
         $agent = @{{ Group = 'Bartizan'; Direction = 'Outbound'; Program = '{program}' }}\n"
    );
    let mut ports: BTreeMap<IpAddr, BTreeSet<u16>> = BTreeMap::new();
    for (name, place) in pairs {
        ports.entry(place.ip()).or_default().insert(place.port());
        let _ = writeln!(
            text,
            "New-NetFirewallRule @agent -Action Allow -DisplayName 'Bartizan: {}' -Protocol TCP -RemoteAddress '{}' -RemotePort {}",
            comment(name),
            place.ip(),
            place.port()
        );
    }
    let _ = writeln!(
        text,
        "New-NetFirewallRule @agent -Action Block -DisplayName 'Bartizan: other addresses' -RemoteAddress {}",
        quoted(&other_addresses(ports.keys()))
    );
    for (address, allowed) in &ports {
        let _ = write!(
            text,
            "New-NetFirewallRule @agent -Action Block -DisplayName 'Bartizan: other ports of {address}' -Protocol TCP -RemoteAddress '{address}' -RemotePort {}\n\
             New-NetFirewallRule @agent -Action Block -DisplayName 'Bartizan: UDP to {address}' -Protocol UDP -RemoteAddress '{address}'\n",
            quoted(&other_ports(allowed))
        );
    }
    text
}

fn quoted(ranges: &[String]) -> String {
    ranges.iter().map(|range| format!("'{range}'")).collect::<Vec<_>>().join(",")
}

fn other_addresses<'a>(known: impl Iterator<Item = &'a IpAddr>) -> Vec<String> {
    let (mut four, mut six) = (BTreeSet::new(), BTreeSet::new());
    for address in known {
        match address {
            IpAddr::V4(address) => four.insert(u128::from(address.to_bits())),
            IpAddr::V6(address) => six.insert(address.to_bits()),
        };
    }
    let mut ranges: Vec<String> = gaps(&four, u128::from(u32::MAX))
        .into_iter()
        .map(|(from, to)| {
            let shown = |bits: u128| Ipv4Addr::from(u32::try_from(bits).unwrap_or(u32::MAX));
            format!("{}-{}", shown(from), shown(to))
        })
        .collect();
    ranges.extend(
        gaps(&six, u128::MAX)
            .into_iter()
            .map(|(from, to)| format!("{}-{}", Ipv6Addr::from(from), Ipv6Addr::from(to))),
    );
    ranges
}

fn other_ports(known: &BTreeSet<u16>) -> Vec<String> {
    let known = known.iter().map(|port| u128::from(*port)).collect();
    let range = |(from, to): (u128, u128)| {
        if from == to { from.to_string() } else { format!("{from}-{to}") }
    };
    gaps(&known, u128::from(u16::MAX)).into_iter().map(range).collect()
}

/// What is left of 0 to `max` without these numbers, as ranges with both ends in them.
fn gaps(known: &BTreeSet<u128>, max: u128) -> Vec<(u128, u128)> {
    let mut ranges = Vec::new();
    let mut next = Some(0);
    for number in known {
        if let Some(from) = next
            && from < *number
        {
            ranges.push((from, number - 1));
        }
        next = number.checked_add(1).filter(|next| *next <= max);
    }
    ranges.extend(next.map(|from| (from, max)));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str = r"C:\Program Files\Bartizan\bartizan-agent.exe";

    fn pair(name: &str, place: &str) -> (String, SocketAddr) {
        (name.to_owned(), place.parse().expect("address"))
    }

    #[test]
    fn the_pairs_are_allowed_and_everything_else_is_blocked() {
        let pairs = [
            pair("a.example:8443", "192.0.2.7:8443"),
            pair("b.example:443", "192.0.2.7:443"),
            pair("x'; Remove-Item C:\\ #", "[2001:db8::1]:443"),
        ];
        let text = rules(AGENT, 3, &pairs);
        let commands: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("New-NetFirewallRule @agent "))
            .collect();
        assert_eq!(
            commands,
            [
                "-Action Allow -DisplayName 'Bartizan: a.example:8443' -Protocol TCP -RemoteAddress '192.0.2.7' -RemotePort 8443",
                "-Action Allow -DisplayName 'Bartizan: b.example:443' -Protocol TCP -RemoteAddress '192.0.2.7' -RemotePort 443",
                "-Action Allow -DisplayName 'Bartizan: xRemove-ItemC:' -Protocol TCP -RemoteAddress '2001:db8::1' -RemotePort 443",
                "-Action Block -DisplayName 'Bartizan: other addresses' -RemoteAddress '0.0.0.0-192.0.2.6','192.0.2.8-255.255.255.255','::-2001:db8::','2001:db8::2-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'",
                "-Action Block -DisplayName 'Bartizan: other ports of 192.0.2.7' -Protocol TCP -RemoteAddress '192.0.2.7' -RemotePort '0-442','444-8442','8444-65535'",
                "-Action Block -DisplayName 'Bartizan: UDP to 192.0.2.7' -Protocol UDP -RemoteAddress '192.0.2.7'",
                "-Action Block -DisplayName 'Bartizan: other ports of 2001:db8::1' -Protocol TCP -RemoteAddress '2001:db8::1' -RemotePort '0-442','444-65535'",
                "-Action Block -DisplayName 'Bartizan: UDP to 2001:db8::1' -Protocol UDP -RemoteAddress '2001:db8::1'",
            ]
        );
        assert!(text.contains(&format!("Program = '{AGENT}' }}\n")), "{text}");
        assert!(text.is_ascii(), "no byte order mark, no code page: {text}");
    }

    #[test]
    fn what_is_left_out_is_exactly_what_was_named() {
        for (known, expected) in [
            (&[][..], &[(0, 9)][..]),
            (&[0, 1, 9], &[(2, 8)]),
            (&[4], &[(0, 3), (5, 9)]),
            (&[3, 5], &[(0, 2), (4, 4), (6, 9)]),
            (&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], &[]),
        ] {
            assert_eq!(gaps(&known.iter().copied().collect(), 9), expected);
        }
        assert_eq!(gaps(&BTreeSet::from([u128::MAX]), u128::MAX), [(0, u128::MAX - 1)]);
    }

    #[test]
    fn only_a_path_that_means_itself_is_a_program() {
        assert_eq!(program(AGENT).as_deref(), Ok(AGENT));
        for bad in [
            "",
            "agent.exe",
            r"\\host\share\a.exe",
            r"C:agent.exe",
            r"C:\a'b.exe",
            r"C:\a$b.exe",
            r"C:\%x%\a.exe",
            "C:\\a\nb.exe",
            r"C:\a:b",
            "C:\\a\u{2019}b.exe",
            "C:/a.exe",
        ] {
            assert!(program(bad).is_err(), "{bad:?}");
        }
        assert!(program(&format!("C:\\{}", "a".repeat(PATH_CHARS_MAX))).is_err());
    }
}
