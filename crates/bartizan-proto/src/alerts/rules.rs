//! Rules in force: which of them an alert meets now.

use std::collections::BTreeMap;

use bartizan_trust::calendar::{Cron, Offsets};
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;

use super::calendar::{Hours, open_until};
use super::document::{
    Channel, DependsRule, HoursRule, OFFLINE_MINUTES, OfflineRule, RouteRule, RulesDocument,
    StepRule, WindowRule,
};
use super::types::{Alert, EndpointFacts, Severity};
use super::{LINK, limits};

const MINUTE_S: u64 = 60;

/// Rules in force.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    document: RulesDocument,
    zones: BTreeMap<String, Offsets>,
    /// Of recurring windows, which are open: judged once a minute.
    open: Vec<Option<UnixSeconds>>,
    judged: u64,
}

impl Rules {
    /// Puts a document in force that has no problems. Without any, everything goes to every channel at once.
    pub fn new(
        document: Option<RulesDocument>,
        channels: &[Channel],
        zones: BTreeMap<String, Offsets>,
    ) -> Self {
        let document = document.unwrap_or_else(|| default_document(channels));
        let open = vec![None; document.windows.len()];
        Self { document, zones, open, judged: u64::MAX }
    }

    /// The document.
    pub const fn document(&self) -> &RulesDocument {
        &self.document
    }

    /// How bad it is when this endpoint is away, and after how long; and which rule says so.
    pub(super) fn offline(
        &self,
        id: EndpointId,
        facts: &EndpointFacts,
    ) -> (Option<(Severity, u64)>, String) {
        let rules = &self.document.offline;
        let os = facts.os.to_lowercase();
        let fits = |rule: &OfflineRule| {
            fits_place(
                rule.tenant.as_ref(),
                rule.site.as_ref(),
                facts.tenant.as_ref(),
                facts.site.as_ref(),
            ) && rule.endpoint.is_none_or(|wanted| wanted == id)
                && rule.os.as_ref().is_none_or(|part| os.contains(&part.to_lowercase()))
        };
        if let Some((at, rule)) = (1..).zip(rules).find(|(_, rule)| fits(rule)) {
            let after_s = u64::from(rule.after_min.unwrap_or(OFFLINE_MINUTES)) * MINUTE_S;
            return (rule.severity.map(|severity| (severity, after_s)), format!("offline {at}"));
        }
        if self.is_needed(id) {
            let says = "other endpoints depend on it".to_owned();
            return (Some((Severity::Error, u64::from(OFFLINE_MINUTES) * MINUTE_S)), says);
        }
        if is_workstation(&os) {
            return (None, "workstations are switched off by people (default)".to_owned());
        }
        let says = "not a workstation's system (default)".to_owned();
        (Some((Severity::Error, u64::from(OFFLINE_MINUTES) * MINUTE_S)), says)
    }

    fn is_needed(&self, id: EndpointId) -> bool {
        self.document.depends.iter().any(|rule| rule.on == id)
    }

    /// Through which endpoints this one is reached.
    pub(super) fn parents(
        &self,
        id: EndpointId,
        facts: &EndpointFacts,
    ) -> impl Iterator<Item = EndpointId> {
        let fits = move |rule: &&DependsRule| {
            fits_place(
                rule.tenant.as_ref(),
                rule.site.as_ref(),
                facts.tenant.as_ref(),
                facts.site.as_ref(),
            ) && rule.endpoint.is_none_or(|wanted| wanted == id)
                && rule.on != id
        };
        self.document.depends.iter().filter(fits).map(|rule| rule.on)
    }

    /// Looks once a minute which windows are open.
    pub(super) fn judge_windows(&mut self, now: UnixSeconds) {
        let minute = now.get() / MINUTE_S;
        if self.judged == minute {
            return;
        }
        self.judged = minute;
        let zones = &self.zones;
        let judge = |window: &WindowRule| {
            let cron = Cron::parse(window.cron.as_deref()?)?;
            open_until(&cron, window.minutes?, zones.get(window.zone.as_deref()?)?, now)
        };
        self.open = self.document.windows.iter().map(judge).collect();
    }

    /// The window in which an alert is now, and until when.
    pub(super) fn window(
        &self,
        alert: &Alert,
        now: UnixSeconds,
    ) -> Option<(&WindowRule, UnixSeconds)> {
        let once = |window: &WindowRule| {
            let (from, until) = (window.from?, window.until?);
            (from <= now && now < until).then_some(until)
        };
        let open = self.document.windows.iter().zip(&self.open);
        open.filter_map(|(window, until)| Some((window, until.or_else(|| once(window))?)))
            .filter(|(_, until)| now < *until)
            .filter(|(window, _)| {
                let (tenant, site) = (window.tenant.as_ref(), window.site.as_ref());
                fits_alert(tenant, site, window.endpoint, window.check.as_deref(), alert)
            })
            .max_by_key(|(_, until)| *until)
    }

    /// The routes that an alert takes now.
    pub(super) fn routes(&self, alert: &Alert, now: UnixSeconds) -> Vec<&RouteRule> {
        let mut found = Vec::new();
        for route in &self.document.routes {
            if self.refuses(route, alert, now).is_none() {
                found.push(route);
                if !route.also {
                    break;
                }
            }
        }
        found
    }

    /// Why an alert does not take a route, if it does not.
    pub(super) fn refuses(
        &self,
        route: &RouteRule,
        alert: &Alert,
        now: UnixSeconds,
    ) -> Option<&'static str> {
        let (tenant, site) = (route.tenant.as_ref(), route.site.as_ref());
        if !fits_alert(tenant, site, route.endpoint, route.check.as_deref(), alert) {
            return Some("is for others");
        }
        if route.severity.is_some_and(|least| alert.severity < least) {
            return Some("is for what is worse");
        }
        let within = |rule: &HoursRule| {
            let hours = Hours::parse(&rule.days, &rule.from, &rule.to);
            let offsets = self.zones.get(&rule.zone);
            hours
                .zip(offsets)
                .is_some_and(|(hours, offsets)| hours.contains(offsets.local_minute(now)))
        };
        let closed = !route.hours.is_empty() && !route.hours.iter().any(within);
        closed.then_some("is for other hours")
    }
}

/// Without rules: every alert to every channel.
fn default_document(channels: &[Channel]) -> RulesDocument {
    let names: Vec<String> =
        channels.iter().take(limits::CHANNELS_MAX).map(|channel| channel.name.clone()).collect();
    let route = RouteRule {
        name: "default".to_owned(),
        tenant: None,
        site: None,
        endpoint: None,
        check: None,
        severity: None,
        hours: Vec::new(),
        also: false,
        steps: vec![StepRule { after_min: 0, channels: names }],
        resend_min: None,
        recovery: None,
    };
    let routes = if channels.is_empty() { Vec::new() } else { vec![route] };
    RulesDocument { routes, ..RulesDocument::default() }
}

/// By the name of the system: people switch these off at night.
fn is_workstation(os: &str) -> bool {
    let windows = os.contains("windows") && !os.contains("server");
    windows || os.contains("macos") || os.contains("mac os") || os.contains("darwin")
}

fn fits_place(
    tenant: Option<&TenantId>,
    site: Option<&SiteId>,
    of: Option<&TenantId>,
    at: Option<&SiteId>,
) -> bool {
    tenant.is_none_or(|wanted| of == Some(wanted)) && site.is_none_or(|wanted| at == Some(wanted))
}

fn fits_alert(
    tenant: Option<&TenantId>,
    site: Option<&SiteId>,
    endpoint: Option<EndpointId>,
    check: Option<&str>,
    alert: &Alert,
) -> bool {
    let key = |pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => alert.key.starts_with(beginning),
        None => alert.key == pattern,
    };
    fits_place(tenant, site, alert.tenant.as_ref(), alert.site.as_ref())
        && endpoint.is_none_or(|wanted| alert.endpoint == Some(wanted))
        && check.is_none_or(key)
}

/// Whether an alert is one of a link.
pub(super) fn is_link(alert: &Alert) -> bool {
    alert.key == LINK && alert.endpoint.is_some()
}
