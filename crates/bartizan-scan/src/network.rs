//! Addresses and names that were bad for a while. An address of a rented machine is somebody else's the month after: an indicator
//! with dates speaks only about evidence from between them.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::model::{Evidence, Finding, Rule};
use crate::pack::{NetworkRule, Pack};
use crate::time::UnixSeconds;

/// Indicators by what they name.
#[derive(Debug, Default)]
pub struct Indicators {
    rules: Vec<Known>,
    addresses: HashMap<IpAddr, Vec<usize>>,
    networks: Vec<(IpAddr, u32, usize)>,
    domains: HashMap<String, Vec<usize>>,
}

#[derive(Debug)]
struct Known {
    pack: String,
    rule: Rule,
    indicator: String,
    from: UnixSeconds,
    until: UnixSeconds,
}

/// What an indicator names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// One address.
    Address(IpAddr),
    /// A network: its address and the length of its prefix.
    Network(IpAddr, u32),
    /// A domain with all below it, in lower case.
    Domain(String),
}

impl Named {
    /// Reads an address, a network (`192.0.2.0/24`) or a domain. `[.]` and `hxxp` are how analysts keep links from working.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace("[.]", ".").to_ascii_lowercase();
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Address(address));
        }
        if let Some((address, length)) = text.split_once('/') {
            let (address, length) = (address.parse::<IpAddr>().ok()?, length.parse().ok()?);
            return (length <= bits(address)).then_some(Self::Network(address, length));
        }
        let text = text.trim_end_matches('.').trim_start_matches("*.");
        let label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        let is_domain = text.contains('.') && text.len() <= 253 && text.split('.').all(label);
        is_domain.then(|| Self::Domain(text.to_owned()))
    }
}

impl Indicators {
    /// The network rules of these packs. Returns also the ids of rules that cannot be used.
    pub fn new<'p>(packs: impl IntoIterator<Item = &'p Pack>) -> (Self, Vec<String>) {
        let mut indicators = Self::default();
        let mut unusable = Vec::new();
        for pack in packs {
            for rule in &pack.network {
                match Named::parse(&rule.indicator) {
                    Some(named) => indicators.add(&pack.name, rule, named),
                    None => unusable.push(format!("{}/{}", pack.name, rule.rule.id)),
                }
            }
        }
        (indicators, unusable)
    }

    fn add(&mut self, pack: &str, rule: &NetworkRule, named: Named) {
        let number = self.rules.len();
        self.rules.push(Known {
            pack: pack.to_owned(),
            rule: rule.rule.clone(),
            indicator: rule.indicator.clone(),
            from: rule.from.unwrap_or(UnixSeconds(i64::MIN)),
            until: rule.until.unwrap_or(UnixSeconds(i64::MAX)),
        });
        match named {
            Named::Address(address) => self.addresses.entry(address).or_default().push(number),
            Named::Network(address, length) => self.networks.push((address, length, number)),
            Named::Domain(domain) => self.domains.entry(domain).or_default().push(number),
        }
    }

    /// How many indicators are in force.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Findings for an address or a host name that evidence from that moment names.
    pub fn check(&self, text: &str, at: UnixSeconds, evidence: &Evidence) -> Vec<Finding> {
        if self.is_empty() {
            return Vec::new();
        }
        self.matching(text)
            .into_iter()
            .filter_map(|number| self.rules.get(number))
            .filter(|known| known.from <= at && at < known.until)
            .map(|known| {
                let mut evidence = evidence.clone();
                evidence.happened = Some(at);
                if evidence.excerpt.is_empty() {
                    evidence.excerpt.clone_from(&known.indicator);
                }
                Finding::new(&known.pack, &known.rule, evidence)
            })
            .collect()
    }

    fn matching(&self, text: &str) -> Vec<usize> {
        let text = text.trim_matches(['[', ']']).trim_end_matches('.');
        if let Ok(address) = text.parse::<IpAddr>() {
            // `::ffff:192.0.2.7` is how a dual-stack socket shows an IPv4 client.
            let address = address.to_canonical();
            let exact = self.addresses.get(&address).into_iter().flatten().copied();
            let within = self
                .networks
                .iter()
                .filter(|(network, length, _)| contains(*network, *length, address))
                .map(|(_, _, number)| *number);
            return exact.chain(within).collect();
        }
        let mut found = Vec::new();
        let name = text.to_ascii_lowercase();
        let mut rest = Some(name.as_str());
        while let Some(domain) = rest {
            found.extend(self.domains.get(domain).into_iter().flatten().copied());
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        found
    }
}

const fn bits(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn contains(network: IpAddr, length: u32, address: IpAddr) -> bool {
    let same =
        |difference: u128, width: u32| difference.checked_shr(width - length).unwrap_or(0) == 0;
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            same(u128::from(network.to_bits() ^ address.to_bits()), 32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            same(network.to_bits() ^ address.to_bits(), 128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Level};

    fn indicators(rules: &[(&str, Option<i64>, Option<i64>)]) -> (Indicators, Vec<String>) {
        let rule = |(indicator, from, until): &(&str, Option<i64>, Option<i64>)| NetworkRule {
            rule: Rule {
                id: (*indicator).to_owned(),
                reason: String::new(),
                level: Level::Suspicious,
                confidence: Confidence::Medium,
                stage: None,
                source: String::new(),
                advice: String::new(),
            },
            indicator: (*indicator).to_owned(),
            from: from.map(UnixSeconds),
            until: until.map(UnixSeconds),
        };
        let network = rules.iter().map(rule).collect();
        let pack = Pack { name: "p".to_owned(), network, ..Pack::default() };
        Indicators::new([&pack])
    }

    #[test]
    fn an_indicator_speaks_only_about_its_own_time() {
        let (known, _) =
            indicators(&[("192.0.2.7", Some(100), Some(200)), ("198.51.100.0/24", None, None)]);
        let hits = |text, at| known.check(text, UnixSeconds(at), &Evidence::at("log")).len();
        assert_eq!((hits("192.0.2.7", 99), hits("192.0.2.7", 100)), (0, 1));
        assert_eq!((hits("192.0.2.7", 199), hits("192.0.2.7", 200)), (1, 0));
        assert_eq!(hits("::ffff:192.0.2.7", 150), 1);
        assert_eq!((hits("198.51.100.255", 1), hits("198.51.101.0", 1)), (1, 0));
    }

    #[test]
    fn a_domain_is_matched_with_what_is_below_it_and_nothing_else() {
        let (known, _) =
            indicators(&[("bad[.]example", None, None), ("2001:db8::/32", None, None)]);
        let hits = |text| known.check(text, UnixSeconds(0), &Evidence::at("log")).len();
        assert_eq!(
            (hits("bad.example"), hits("A.Bad.Example."), hits("notbad.example")),
            (1, 1, 0)
        );
        assert_eq!((hits("2001:db8:1::9"), hits("2001:db9::1"), hits("32.1.13.184")), (1, 0, 0));
    }

    #[test]
    fn what_names_nothing_is_not_used() {
        let bad = ["", "192.0.2.0/33", "not a domain", "x", "a..b", "-/8"];
        let rules: Vec<_> = bad.iter().map(|text| (*text, None, None)).collect();
        let (known, unusable) = indicators(&rules);
        assert!(known.is_empty());
        assert_eq!(unusable.len(), bad.len());
        // A prefix of no bits holds every address of its family.
        let (all, _) = indicators(&[("0.0.0.0/0", None, None)]);
        assert_eq!(all.check("203.0.113.9", UnixSeconds(0), &Evidence::at("log")).len(), 1);
    }
}
