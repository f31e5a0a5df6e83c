//! Alerting rules: in words, and maintenance windows that come and go.

use anyhow::{Context as _, Result};
use bartizan_proto::alerts::{
    DependsRule, HoursRule, OfflineRule, RouteRule, RulesAnswer, RulesBody, RulesDocument,
    RulesStored, WindowRule,
};
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::time::UnixSeconds;

use super::fleet::endpoint;
use super::{bounded, name_of};
use crate::commands::Console;
use crate::commands::options::slug;
use crate::console::shapes::{
    AlertChannel, AlertRule, AlertRules, AlertRulesVersion, EndWindowRequest, MaintenanceWindow,
    WindowRequest,
};
use crate::exit::{Code, fail};

const RULES: &str = "/v1/alerts/rules";

/// The rules in force.
pub(crate) fn show(console: &Console) -> Result<AlertRules> {
    let answer: RulesAnswer = console.api.fetch(RULES)?;
    let document = answer.document.unwrap_or_default();
    let links = document.offline.iter().map(offline);
    let channels = answer
        .channels
        .iter()
        .map(|channel| AlertChannel { name: bounded(&channel.name), kind: bounded(&channel.kind) });
    let history = answer.history.iter().map(|version| AlertRulesVersion {
        version: version.version,
        at: version.at.get(),
        name: name_of(console, &version.operator),
    });
    Ok(AlertRules {
        version: answer.version,
        windows: document.windows.iter().map(window).collect(),
        routes: document.routes.iter().map(route).collect(),
        links: links.chain(document.depends.iter().map(depends)).collect(),
        channels: channels.collect(),
        history: history.collect(),
    })
}

fn window(rule: &WindowRule) -> MaintenanceWindow {
    MaintenanceWindow {
        name: bounded(&rule.name),
        tenant: rule.tenant.as_ref().map(|tenant| tenant.name().to_owned()),
        site: rule.site.as_ref().map(|site| site.name().to_owned()),
        endpoint: rule.endpoint.map(|id| id.to_string()),
        check: rule.check.as_deref().map(bounded),
        cron: rule.cron.as_deref().map(bounded),
        zone: rule.zone.as_deref().map(bounded),
        minutes: rule.minutes,
        from: rule.from.map(UnixSeconds::get),
        until: rule.until.map(UnixSeconds::get),
    }
}

/// Whose alerts, in words.
fn place(
    tenant: Option<&TenantId>,
    site: Option<&SiteId>,
    endpoint: Option<EndpointId>,
) -> Vec<String> {
    let tenant = tenant.map(|tenant| format!("tenant {}", tenant.name()));
    let site = site.map(|site| format!("site {}", site.name()));
    let endpoint = endpoint.map(|id| format!("endpoint {id}"));
    [tenant, site, endpoint].into_iter().flatten().collect()
}

fn applies(mut parts: Vec<String>, all: &str) -> String {
    if parts.is_empty() {
        parts.push(all.to_owned());
    }
    bounded(&parts.join(", "))
}

fn offline(rule: &OfflineRule) -> AlertRule {
    let mut parts = place(rule.tenant.as_ref(), rule.site.as_ref(), rule.endpoint);
    parts.extend(rule.os.as_ref().map(|os| format!("systems with “{os}” in their name")));
    let after = rule.after_min.map_or_else(String::new, |after| format!(" after {after} minutes"));
    let says = rule.severity.map_or_else(
        || "being away is not told".to_owned(),
        |severity| format!("being away is told as {}{after}", severity.name()),
    );
    AlertRule { name: None, applies: applies(parts, "every endpoint"), says: vec![says] }
}

fn depends(rule: &DependsRule) -> AlertRule {
    let parts = place(rule.tenant.as_ref(), rule.site.as_ref(), rule.endpoint);
    let says = format!("not told while {} is away", rule.on);
    AlertRule { name: None, applies: applies(parts, "every endpoint"), says: vec![says] }
}

fn route(rule: &RouteRule) -> AlertRule {
    let mut parts = place(rule.tenant.as_ref(), rule.site.as_ref(), rule.endpoint);
    parts.extend(rule.check.as_ref().map(|check| format!("check {check}")));
    parts.extend(rule.severity.map(|severity| format!("{} or worse", severity.name())));
    parts.extend(rule.hours.iter().map(hours));
    let mut says: Vec<String> = rule
        .steps
        .iter()
        .map(|step| {
            let after = match step.after_min {
                0 => "at once".to_owned(),
                minutes => format!("after {minutes} minutes, if nobody looks after it"),
            };
            bounded(&format!("{after}: {}", step.channels.join(", ")))
        })
        .collect();
    says.extend(rule.resend_min.map(|minutes| format!("again every {minutes} minutes")));
    if rule.recovery == Some(false) {
        says.push("its end is not told".to_owned());
    }
    if rule.also {
        says.push("then the routes below, too".to_owned());
    }
    AlertRule { name: Some(bounded(&rule.name)), applies: applies(parts, "every alert"), says }
}

fn hours(rule: &HoursRule) -> String {
    format!("{} {} to {} in {}", rule.days.join(" "), rule.from, rule.to, rule.zone)
}

/// Adds a window to the rules that were shown.
pub(crate) fn make_window(console: &Console, request: WindowRequest) -> Result<AlertRules> {
    let made = rule(request.window)?;
    change(console, request.base, |document| {
        if document.windows.iter().any(|window| window.name == made.name) {
            let problem = format!("there is a window `{}` already", made.name);
            return Err(fail(Code::Usage, problem, "give it another name"));
        }
        document.windows.push(made);
        Ok(())
    })
}

/// Takes a window out of the rules that were shown.
pub(crate) fn end_window(console: &Console, request: &EndWindowRequest) -> Result<AlertRules> {
    change(console, request.base, |document| {
        let before = document.windows.len();
        document.windows.retain(|window| window.name != request.name);
        if document.windows.len() == before {
            let next = "look at the windows again: it may be over";
            return Err(fail(Code::Error, "there is no such window", next));
        }
        Ok(())
    })
}

/// Reads, changes, and stores rules; refused where they are no longer those that were shown.
fn change(
    console: &Console,
    base: u64,
    edit: impl FnOnce(&mut RulesDocument) -> Result<()>,
) -> Result<AlertRules> {
    let answer: RulesAnswer = console.api.fetch(RULES)?;
    let mut document = answer.document.unwrap_or_default();
    edit(&mut document)?;
    let document = serde_json::to_value(&document).context("write the rules")?;
    // The version is the page's: the server refuses if somebody changed the rules since.
    let _: RulesStored = console.api.put(RULES, &RulesBody { base, document })?;
    show(console)
}

fn rule(window: MaintenanceWindow) -> Result<WindowRule> {
    let usage = |problem: String| fail(Code::Usage, problem, "choose another place");
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    let (tenant, site) = (filled(window.tenant), filled(window.site));
    Ok(WindowRule {
        name: window.name,
        tenant: tenant.as_deref().map(slug).transpose().map_err(usage)?,
        site: site.as_deref().map(slug).transpose().map_err(usage)?,
        endpoint: filled(window.endpoint).as_deref().map(endpoint).transpose()?,
        check: filled(window.check),
        cron: filled(window.cron),
        zone: filled(window.zone),
        minutes: window.minutes,
        from: window.from.map(UnixSeconds::new),
        until: window.until.map(UnixSeconds::new),
    })
}
