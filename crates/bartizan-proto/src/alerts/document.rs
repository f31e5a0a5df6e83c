//! The alerting rules: one document, read strictly, with every problem at once.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_trust::calendar::{Cron, Offsets};
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::calendar::Hours;
use super::limits;
use super::types::{Severity, plain};

/// An endpoint is away for so long before it is told, where no rule says otherwise.
pub(super) const OFFLINE_MINUTES: u32 = 5;

/// The document as people write it. Every list may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RulesDocument {
    /// Which endpoints are told when they are away; the first that fits counts.
    #[serde(default)]
    pub offline: Vec<OfflineRule>,
    /// When nothing is sent.
    #[serde(default)]
    pub windows: Vec<WindowRule>,
    /// Which endpoints are reached through which other.
    #[serde(default)]
    pub depends: Vec<DependsRule>,
    /// Who is told, and how; the first that fits counts.
    #[serde(default)]
    pub routes: Vec<RouteRule>,
}

/// One `[[offline]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfflineRule {
    /// Only of this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Only at this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Only this endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointId>,
    /// Only systems whose name has this in it, whatever the case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<String>,
    /// How bad it is; left out, it is not an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Minutes until it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_min: Option<u32>,
}

/// One `[[windows]]`: either `cron`, `zone` and `minutes`, or `from` and `until`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowRule {
    /// Its name.
    pub name: String,
    /// Only of this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Only at this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Only this endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointId>,
    /// Only this check; with `*` at its end, all that begin so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// When it begins, as in standing orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// In the time of which zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// How long it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<u32>,
    /// Begins once, then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<UnixSeconds>,
    /// Ends then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<UnixSeconds>,
}

/// One `[[depends]]`: links of these endpoints go through another endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DependsRule {
    /// Only of this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Only at this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Only this endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointId>,
    /// The endpoint without which they cannot be reached.
    pub on: EndpointId,
}

/// One `[[routes]]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RouteRule {
    /// Its name.
    pub name: String,
    /// Only of this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
    /// Only at this site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Only this endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<EndpointId>,
    /// Only this check; with `*` at its end, all that begin so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Only what is so bad or worse.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub severity: Option<Severity>,
    /// Only then; left out: always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hours: Vec<HoursRule>,
    /// Look at the routes after it, too.
    #[serde(default)]
    pub also: bool,
    /// Who is told, and who is told later if nobody looks after it.
    pub steps: Vec<StepRule>,
    /// Minutes until it is told again, until it is over or somebody looks after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resend_min: Option<u32>,
    /// Whether the end is told, too; left out: yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<bool>,
}

/// Some hours of some days in the time of a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HoursRule {
    /// `mon` to `sun`.
    pub days: Vec<String>,
    /// `08:00`
    pub from: String,
    /// `18:00`; not after `from`: on the next day.
    pub to: String,
    /// A name of the IANA time zone database.
    pub zone: String,
}

/// One step of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepRule {
    /// Minutes after the alert could be sent first.
    #[serde(default)]
    pub after_min: u32,
    /// Names of channels in `server.toml`.
    pub channels: Vec<String>,
}

/// A channel of the server, as operators see it: nothing secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// `email`, `webhook` or `syslog`.
    pub kind: String,
}

impl RulesDocument {
    /// Reads a document part by part, so that one wrong value does not hide the problems of the others.
    pub fn read(value: &serde_json::Value) -> Result<Self, Vec<String>> {
        let Some(object) = value.as_object() else {
            return Err(vec!["the rules are not an object".to_owned()]);
        };
        let mut problems = Vec::new();
        let known = ["offline", "windows", "depends", "routes"];
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let key = plain(key, limits::KEY_BYTES_MAX);
            problems.push(format!("`{key}`: not a kind of rule; there are {}", known.join(", ")));
        }
        let document = Self {
            offline: read_list(object, "offline", &mut problems),
            windows: read_list(object, "windows", &mut problems),
            depends: read_list(object, "depends", &mut problems),
            routes: read_list(object, "routes", &mut problems),
        };
        if problems.is_empty() { Ok(document) } else { Err(problems) }
    }

    /// Names of all zones.
    pub fn zones(&self) -> BTreeSet<&str> {
        let windows = self.windows.iter().filter_map(|window| window.zone.as_deref());
        let hours = self.routes.iter().flat_map(|route| &route.hours);
        windows.chain(hours.map(|hours| hours.zone.as_str())).collect()
    }

    /// All that is wrong with it, where these channels and zones exist.
    pub fn problems(&self, channels: &[Channel], zones: &BTreeMap<String, Offsets>) -> Vec<String> {
        let mut problems = Vec::new();
        for (at, rule) in (1..).zip(&self.offline) {
            check_offline(rule, &format!("offline {at}"), &mut problems);
        }
        for window in &self.windows {
            check_window(window, zones, &mut problems);
        }
        for (at, rule) in (1..).zip(&self.depends) {
            if rule.endpoint == Some(rule.on) {
                problems.push(format!("depends {at}: an endpoint does not depend on itself"));
            }
        }
        for route in &self.routes {
            check_route(route, channels, zones, &mut problems);
        }
        check_names("windows", self.windows.iter().map(|window| &window.name), &mut problems);
        check_names("routes", self.routes.iter().map(|route| &route.name), &mut problems);
        problems
    }
}

fn read_list<T: DeserializeOwned>(
    object: &serde_json::Map<String, serde_json::Value>,
    name: &str,
    problems: &mut Vec<String>,
) -> Vec<T> {
    let Some(value) = object.get(name) else { return Vec::new() };
    let Some(items) = value.as_array() else {
        problems.push(format!("{name}: not a list of rules"));
        return Vec::new();
    };
    if items.len() > limits::RULES_MAX {
        problems.push(format!("{name}: at most {} rules", limits::RULES_MAX));
        return Vec::new();
    }
    let mut rules = Vec::new();
    for (at, item) in (1..).zip(items) {
        match T::deserialize(item) {
            Ok(rule) => rules.push(rule),
            Err(error) => {
                let error = plain(&error.to_string(), limits::TEXT_BYTES_MAX);
                problems.push(format!("{name} {at}: {error}"));
            }
        }
    }
    rules
}

fn check_offline(rule: &OfflineRule, name: &str, problems: &mut Vec<String>) {
    let minutes = rule.after_min.unwrap_or(OFFLINE_MINUTES);
    if !limits::OFFLINE_MINUTES.contains(&minutes) {
        problems.push(format!("{name}: after_min: 2 minutes to a week (10080)"));
    }
    if rule.severity.is_none() && rule.after_min.is_some() {
        problems.push(format!(
            "{name}: after_min without severity tells nobody; add a severity or remove it"
        ));
    }
    if rule.os.as_ref().is_some_and(|os| os.is_empty() || os.len() > limits::KEY_BYTES_MAX) {
        problems.push(format!("{name}: os: 1 to {} bytes", limits::KEY_BYTES_MAX));
    }
}

fn check_window(
    window: &WindowRule,
    zones: &BTreeMap<String, Offsets>,
    problems: &mut Vec<String>,
) {
    let name = format!("window `{}`", plain(&window.name, limits::KEY_BYTES_MAX));
    check_pattern(window.check.as_deref(), &name, problems);
    let recurs = [window.cron.is_some(), window.zone.is_some(), window.minutes.is_some()];
    let once = [window.from.is_some(), window.until.is_some()];
    let whole = match (recurs, once) {
        ([true, true, true], [false, false]) => true,
        ([false, false, false], [true, true]) => window.from < window.until,
        _ => false,
    };
    if !whole {
        problems.push(format!("{name}: give cron, zone and minutes, or from and a later until"));
    }
    if window.cron.as_deref().is_some_and(|cron| Cron::parse(cron).is_none()) {
        problems.push(format!("{name}: cron: five fields of numbers, for example `0 3 * * 0`"));
    }
    if window.minutes.is_some_and(|minutes| !(1..=limits::WINDOW_MINUTES_MAX).contains(&minutes)) {
        problems.push(format!("{name}: minutes: 1 to a week ({})", limits::WINDOW_MINUTES_MAX));
    }
    check_zone(window.zone.as_deref(), &name, zones, problems);
}

fn check_zone(
    zone: Option<&str>,
    name: &str,
    zones: &BTreeMap<String, Offsets>,
    problems: &mut Vec<String>,
) {
    let Some(zone) = zone.filter(|zone| !zones.contains_key(*zone)) else { return };
    let zone = plain(zone, limits::KEY_BYTES_MAX);
    problems.push(format!(
        "{name}: zone: the server knows no `{zone}`; write for example Europe/Berlin or UTC"
    ));
}

fn check_pattern(check: Option<&str>, name: &str, problems: &mut Vec<String>) {
    let Some(check) = check else { return };
    let body = check.strip_suffix('*').unwrap_or(check);
    if check.is_empty() || check.len() > limits::KEY_BYTES_MAX || body.contains('*') {
        problems.push(format!("{name}: check: a name, or its beginning and `*`"));
    }
}

fn check_route(
    route: &RouteRule,
    channels: &[Channel],
    zones: &BTreeMap<String, Offsets>,
    problems: &mut Vec<String>,
) {
    let name = format!("route `{}`", plain(&route.name, limits::KEY_BYTES_MAX));
    check_pattern(route.check.as_deref(), &name, problems);
    for hours in &route.hours {
        if Hours::parse(&hours.days, &hours.from, &hours.to).is_none() {
            problems.push(format!(
                "{name}: hours: days like [\"mon\", \"fri\"] and times like 08:00 and 18:00"
            ));
        }
        check_zone(Some(&hours.zone), &name, zones, problems);
    }
    let resends = limits::RESEND_MINUTES_MIN..=limits::STEP_MINUTES_MAX;
    if route.resend_min.is_some_and(|minutes| !resends.contains(&minutes)) {
        problems.push(format!(
            "{name}: resend_min: 5 minutes to a week ({})",
            limits::STEP_MINUTES_MAX
        ));
    }
    if route.steps.is_empty() || route.steps.len() > limits::STEPS_MAX {
        problems.push(format!("{name}: steps: 1 to {}", limits::STEPS_MAX));
    }
    if !route.steps.is_sorted_by(|a, b| a.after_min < b.after_min) {
        problems.push(format!("{name}: steps: each comes later than the one before (after_min)"));
    }
    for step in &route.steps {
        if step.after_min > limits::STEP_MINUTES_MAX {
            problems
                .push(format!("{name}: after_min: at most a week ({})", limits::STEP_MINUTES_MAX));
        }
        if step.channels.is_empty() || step.channels.len() > limits::CHANNELS_MAX {
            problems.push(format!("{name}: channels: 1 to {}", limits::CHANNELS_MAX));
        }
        for wanted in &step.channels {
            if !channels.iter().any(|channel| channel.name == *wanted) {
                let wanted = plain(wanted, limits::KEY_BYTES_MAX);
                problems.push(format!("{name}: server.toml has no channel `{wanted}`"));
            }
        }
    }
}

fn check_names<'a>(
    what: &str,
    names: impl Iterator<Item = &'a String>,
    problems: &mut Vec<String>,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_. ".contains(c));
        if name.is_empty() || name.len() > limits::KEY_BYTES_MAX || !plain {
            problems.push(format!("{what}: a name has 1 to 64 letters, digits, spaces and - _ ."));
        } else if !seen.insert(name) {
            problems.push(format!("{what}: `{name}` is there twice"));
        }
    }
}
