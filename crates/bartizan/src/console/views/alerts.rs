//! Alerts: the server's word, and what it says of endpoints.

use anyhow::Result;
use bartizan_proto::alerts::{
    AlertDetail, AlertPage, AlertRow, ChannelBody, Entry, NoteBody, NotificationRow, Severity,
};
use bartizan_trust::id::{AlertId, EndpointId, SiteId, TenantId};

use super::fleet::endpoint;
use super::{bounded, name_of, word};
use crate::commands::options::slug;
use crate::commands::{Console, url_encoded};
use crate::console::failure::problem;
use crate::console::limits::ALERTS_AT_ONCE;
use crate::console::shapes::{
    AlertCare, AlertDeed, AlertDeedKind, AlertEvent, AlertItem, AlertMessage, AlertReason,
    AlertSeverity, AlertView, AlertsQuery, AlertsWindow, ManyDone, NotDone, TellMeRequest,
};
use crate::exit::{Code, fail};

/// Some of the alerts that fit.
pub(crate) fn list(console: &Console, query: &AlertsQuery) -> Result<AlertsWindow> {
    let page: AlertPage = console.api.fetch(&path(query)?)?;
    Ok(AlertsWindow {
        total: page.total,
        offset: query.offset,
        rows: page.alerts.iter().map(|row| item(console, row)).collect(),
    })
}

fn path(query: &AlertsQuery) -> Result<String> {
    let usage = |problem: String| fail(Code::Usage, problem, "choose another filter");
    let tenant = query.tenant.as_deref().map(slug::<TenantId>).transpose().map_err(usage)?;
    let site = query.site.as_deref().map(slug::<SiteId>).transpose().map_err(usage)?;
    let of = query.endpoint.as_deref().map(endpoint).transpose()?;
    let behind = query.behind.as_deref().map(alert).transpose()?;
    let state = query.state.map_or_else(|| "active".to_owned(), |state| word(&state));
    let mut path = format!(
        "/v1/alerts?phase={state}&offset={}&limit={}&hidden={}",
        query.offset,
        query.limit.clamp(1, 500),
        query.hidden
    );
    for (name, value) in [
        ("severity", query.severity.map(|severity| word(&severity))),
        ("tenant", tenant.map(|tenant| tenant.to_string())),
        ("site", site.map(|site| site.to_string())),
        ("endpoint", of.map(|endpoint| endpoint.to_string())),
        ("behind", behind.map(|id| id.to_string())),
        ("search", query.search.clone()),
    ] {
        let value = value.map(|value| format!("&{name}={}", url_encoded(&value)));
        path += &value.unwrap_or_default();
    }
    Ok(path)
}

fn item(console: &Console, row: &AlertRow) -> AlertItem {
    AlertItem {
        id: row.id.to_string(),
        state: row.phase.name().to_owned(),
        severity: match row.severity {
            Severity::Warning => AlertSeverity::Warning,
            Severity::Error => AlertSeverity::Error,
            Severity::Critical => AlertSeverity::Critical,
        },
        endpoint: row.endpoint.map(|id| id.to_string()),
        hostname: row.hostname.as_deref().map(bounded),
        tenant: row.tenant.as_ref().map(|tenant| tenant.name().to_owned()),
        site: row.site.as_ref().map(|site| site.name().to_owned()),
        check: bounded(&row.check),
        instance: bounded(&row.instance),
        text: bounded(&row.text),
        since: row.since.get(),
        changed: row.changed.get(),
        resolved: row.resolved.map(bartizan_trust::time::UnixSeconds::get),
        acknowledged: row.acknowledged.as_ref().map(|care| AlertCare {
            name: name_of(console, &care.operator),
            at: care.at.get(),
            note: bounded(&care.note),
        }),
        hidden_by: row.hidden_by.map(|id| id.to_string()),
        hidden: row.hidden,
        flapping: row.flapping,
    }
}

/// One alert.
pub(crate) fn show(console: &Console, id: &str) -> Result<AlertView> {
    let detail: AlertDetail = console.api.fetch(&format!("/v1/alerts/{}", alert(id)?))?;
    let why = detail
        .why
        .iter()
        .map(|why| AlertReason { about: bounded(&why.about), says: bounded(&why.says) });
    Ok(AlertView {
        alert: item(console, &detail.row),
        history: detail.history.iter().map(|entry| event(console, entry)).collect(),
        messages: detail.notifications.iter().map(message).collect(),
        why: why.collect(),
    })
}

fn event(console: &Console, entry: &Entry) -> AlertEvent {
    AlertEvent {
        at: entry.at.get(),
        claimed: entry.claimed.map(bartizan_trust::time::UnixSeconds::get),
        what: word(&entry.what),
        name: entry.operator.as_ref().map(|id| name_of(console, id)),
        text: entry.text.chars().take(bartizan_proto::alerts::limits::NOTE_BYTES_MAX).collect(),
    }
}

fn message(row: &NotificationRow) -> AlertMessage {
    AlertMessage {
        channel: bounded(&row.channel),
        state: bounded(&row.state),
        created: row.created.get(),
        due: row.due.get(),
        tries: row.tries,
        problem: row.problem.as_deref().map(bounded),
    }
}

/// One deed with some alerts. What does not work with one does not stop the others.
pub(crate) fn act(console: &Console, deed: &AlertDeed) -> Result<ManyDone> {
    let ids = few(&deed.ids)?.iter().map(|id| alert(id)).collect::<Result<Vec<AlertId>>>()?;
    let name = match deed.deed {
        AlertDeedKind::Acknowledge => "acknowledge",
        AlertDeedKind::Resolve => "resolve",
        AlertDeedKind::Note => "note",
    };
    let body = NoteBody { note: deed.note.clone() };
    each(&ids, |id| console.api.send::<()>(&format!("/v1/alerts/{id}/{name}"), &body))
}

/// A wish for each of these endpoints.
pub(crate) fn tell_me(console: &Console, request: &TellMeRequest) -> Result<ManyDone> {
    let ids = few(&request.endpoints)?;
    let ids = ids.iter().map(|id| endpoint(id)).collect::<Result<Vec<EndpointId>>>()?;
    let body = ChannelBody { channel: request.channel.clone() };
    each(&ids, |id| console.api.send::<()>(&format!("/v1/endpoints/{id}/tell-me"), &body))
}

/// With each; that nobody answers ends it at once.
fn each<T: ToString>(ids: &[T], mut act: impl FnMut(&T) -> Result<()>) -> Result<ManyDone> {
    let mut all = ManyDone { done: 0, left: Vec::new() };
    for id in ids {
        let Err(error) = act(id) else {
            all.done = all.done.saturating_add(1);
            continue;
        };
        if crate::exit::told(&error).exit == Code::Unreachable {
            return Err(error);
        }
        let problem = problem(&error);
        let (code, message) = (problem.code, bounded(&problem.message));
        all.left.push(NotDone { id: id.to_string(), code, message });
    }
    Ok(all)
}

fn few(ids: &[String]) -> Result<&[String]> {
    if ids.len() > ALERTS_AT_ONCE {
        let problem = format!("more than {ALERTS_AT_ONCE} at once");
        return Err(fail(Code::Usage, problem, "choose fewer, then the others"));
    }
    Ok(ids)
}

fn alert(id: &str) -> Result<AlertId> {
    id.parse().map_err(|error| fail(Code::Usage, format!("{error}"), "use the whole id, `al_…`"))
}
