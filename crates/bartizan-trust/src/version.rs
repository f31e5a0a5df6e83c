//! Agent versions.

/// `major.minor.patch`, compared number by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AgentVersion([u32; 3]);

impl AgentVersion {
    /// Reads `major.minor.patch` without leading zeros, signs or suffixes.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        let mut number = || parts.next().and_then(parse_number);
        let version = [number()?, number()?, number()?];
        parts.next().is_none().then_some(Self(version))
    }
}

fn parse_number(text: &str) -> Option<u32> {
    let canonical = text == "0" || !text.starts_with('0');
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if canonical && digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        assert!(AgentVersion::parse("0.10.0") > AgentVersion::parse("0.9.9"));
        for bad in ["", "1", "1.2", "1.2.3.4", "01.2.3", "1.2.x", "1..3", "+1.2.3"] {
            assert_eq!(AgentVersion::parse(bad), None, "{bad}");
        }
    }
}
