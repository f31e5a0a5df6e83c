//! Who may connect: networks, for each listener. A guard rail besides the firewall; keys decide who somebody is.

use std::fmt;
use std::net::IpAddr;

/// An address and how many of its leading bits count, like `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Reads `ADDRESS` or `ADDRESS/BITS`; bits of the address that do not count must be 0.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(a, b)| (a, Some(b)));
        let address: IpAddr = address.parse().ok()?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits =
            bits.map_or(Some(most), |bits| bits.parse().ok().filter(|bits| *bits <= most))?;
        let network = Self { address, bits };
        (network.head(address) == Some(number(address))).then_some(network)
    }

    /// Whether it is one of IPv4.
    pub(crate) const fn is_ipv4(self) -> bool {
        self.address.is_ipv4()
    }

    fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && self.head(address) == Some(number(self.address))
    }

    /// The address without the bits that do not count.
    fn head(self, address: IpAddr) -> Option<u128> {
        let width = if address.is_ipv4() { 32 } else { 128_u32 };
        let rest = width.checked_sub(u32::from(self.bits))?;
        Some(number(address).checked_shr(rest).unwrap_or(0).checked_shl(rest).unwrap_or(0))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// The networks of one listener; none named means everybody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Allow(pub(crate) Vec<Network>);

impl Allow {
    /// Whether somebody from there may connect.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.is_empty() || self.0.iter().any(|network| network.contains(address))
    }

    /// Whether any network is named.
    pub(crate) fn is_set(&self) -> bool {
        !self.0.is_empty()
    }
}

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&networks.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(networks: &[&str], address: &str) -> bool {
        let networks = networks.iter().map(|text| Network::parse(text).expect("network"));
        Allow(networks.collect()).permits(address.parse().expect("address"))
    }

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        assert!(permits(&[], "8.8.8.8"), "nothing named: everybody");
        assert!(permits(&["192.0.2.0/24"], "192.0.2.255"));
        assert!(!permits(&["192.0.2.0/24"], "192.0.3.0"));
        assert!(permits(&["192.0.2.7"], "192.0.2.7") && !permits(&["192.0.2.7"], "192.0.2.8"));
        assert!(permits(&["0.0.0.0/0"], "8.8.8.8") && !permits(&["0.0.0.0/0"], "2001:db8::1"));
        assert!(permits(&["2001:db8::/32", "10.0.0.0/8"], "2001:db8:ffff::1"));
        assert!(permits(&["::/0"], "2001:db8::1") && !permits(&["2001:db8::/32"], "2001:db9::"));
        // As a socket for both kinds of addresses shows it.
        assert!(permits(&["10.0.0.0/8"], "::ffff:10.1.2.3"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in
            ["", "host", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/x", "::/129", "10.0.0.0/8/8", "/8"]
        {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
