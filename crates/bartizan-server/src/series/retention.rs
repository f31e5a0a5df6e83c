//! How long samples are kept: days for each level, for everybody and for tenants of their own.

use bartizan_store::SERIES_LEVELS;
use bartizan_trust::id::TenantId;
use serde::Deserialize;

/// What is kept when nobody says anything: two weeks to look closely, a quarter to compare, two years for trends.
const DEFAULT_DAYS: [u32; SERIES_LEVELS] = [14, 90, 730];
/// A day's window must be whole, and a late report must find its place.
const DAYS_MIN: u32 = 2;
/// Ten years.
const DAYS_MAX: u32 = 3660;
/// Tenants with days of their own.
const TENANTS_MAX: usize = 1000;

/// One `[[retention]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawRetention {
    tenant: Option<String>,
    raw_days: Option<u32>,
    five_minute_days: Option<u32>,
    hour_days: Option<u32>,
}

/// For everybody, and for some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Retention {
    usual: [u32; SERIES_LEVELS],
    tenants: Vec<(TenantId, [u32; SERIES_LEVELS])>,
}

impl Retention {
    /// Reads the sections; what is wrong is said in `problems`.
    pub(crate) fn parse(raw: &[RawRetention], problems: &mut Vec<String>) -> Self {
        let mut retention = Self { usual: DEFAULT_DAYS, tenants: Vec::new() };
        if raw.len() > TENANTS_MAX {
            problems.push(format!("- `retention`: name at most {TENANTS_MAX}"));
        }
        if let Some(usual) = raw.iter().find(|section| section.tenant.is_none()) {
            retention.usual = days(usual, DEFAULT_DAYS, problems);
        }
        if raw.iter().filter(|section| section.tenant.is_none()).count() > 1 {
            problems.push("- `retention`: two sections without a tenant; keep one".to_owned());
        }
        for section in raw {
            let Some(name) = &section.tenant else { continue };
            let days = days(section, retention.usual, problems);
            match name.parse() {
                Ok(tenant) => retention.tenants.push((tenant, days)),
                Err(_) => problems.push(format!(
                    "- `retention`: `{name}` is not a tenant; write for example tenant = \"tn_acme\""
                )),
            }
        }
        retention
    }

    /// Seconds for each level of a tenant.
    pub(crate) fn seconds(&self, tenant: Option<&TenantId>) -> [u64; SERIES_LEVELS] {
        let own = self.tenants.iter().find(|(known, _)| Some(known) == tenant);
        own.map_or(self.usual, |(_, days)| *days).map(|days| u64::from(days) * 86_400)
    }

    /// The longest that anybody's samples are kept as they came.
    pub(crate) fn raw_seconds_max(&self) -> u64 {
        let all = self.tenants.iter().map(|(_, days)| days).chain([&self.usual]);
        all.map(|[raw, ..]| u64::from(*raw) * 86_400).max().unwrap_or_default()
    }
}

fn days(
    section: &RawRetention,
    usual: [u32; SERIES_LEVELS],
    problems: &mut Vec<String>,
) -> [u32; SERIES_LEVELS] {
    let [raw, five_minutes, hours] = usual;
    let days = [
        section.raw_days.unwrap_or(raw),
        section.five_minute_days.unwrap_or(five_minutes),
        section.hour_days.unwrap_or(hours),
    ];
    if !days.is_sorted() || days.iter().any(|days| !(DAYS_MIN..=DAYS_MAX).contains(days)) {
        problems.push(format!(
            "- `retention`: use {DAYS_MIN} to {DAYS_MAX} days, and raw_days ≤ five_minute_days ≤ hour_days"
        ));
    }
    days
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check(text: &str) -> (Retention, Vec<String>) {
        #[derive(Deserialize)]
        struct File {
            #[serde(default)]
            retention: Vec<RawRetention>,
        }
        let file: File = toml::from_str(text).unwrap();
        let mut problems = Vec::new();
        (Retention::parse(&file.retention, &mut problems), problems)
    }

    #[test]
    fn tenants_take_over_what_they_do_not_say() {
        let (retention, problems) = check(
            "[[retention]]\nraw_days = 7\n[[retention]]\ntenant = \"tn_acme\"\nhour_days = 3650\n",
        );
        assert!(problems.is_empty(), "{problems:?}");
        let days = |tenant: &str| {
            let tenant = tenant.parse().unwrap();
            retention.seconds(Some(&tenant)).map(|seconds| seconds / 86_400)
        };
        assert_eq!((days("tn_acme"), days("tn_other")), ([7, 90, 3650], [7, 90, 730]));
        assert_eq!(check("").0.seconds(None).map(|s| s / 86_400), [14, 90, 730]);
    }

    #[test]
    fn what_makes_no_sense_is_a_problem() {
        for text in [
            "[[retention]]\nraw_days = 1\n",
            "[[retention]]\nhour_days = 3661\n",
            "[[retention]]\nraw_days = 100\n",
            "[[retention]]\ntenant = \"acme corp\"\n",
            "[[retention]]\n[[retention]]\n",
        ] {
            assert_eq!(check(text).1.len(), 1, "{text}");
        }
    }
}
