//! Alerts, their rules and channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use bartizan_proto::alerts::{
    Alert, AlertDetail, AlertPage, AlertRow, ChannelBody, Entry, Message, NoteBody, Notification,
    NotificationRow, OperatorDeed, Phase, Reason, RulesAnswer, RulesBody, RulesDocument,
    RulesStored, RulesVersion, Severity, Wish, limits,
};
use bartizan_store::{AlertFilter, NotificationRecord, RulesRecord, StoreError, Tx};
use bartizan_trust::id::{AlertId, EndpointId};
use bartizan_trust::time::UnixSeconds;
use serde::Deserialize;

use super::endpoints;
use super::failure::Failure;
use super::login::{Session, read_json};
use crate::alerts::{self, Request, Wished};
use crate::app::{App, now};
use crate::channels::Channel;
use crate::zones;

/// Rows in one answer.
const ROWS_MAX: u64 = 500;
/// Longest text of a filter.
const FILTER_BYTES_MAX: usize = 256;
/// Messages of one alert in one answer.
const NOTIFICATIONS_MAX: u64 = 500;
/// Earlier rules in one answer.
const HISTORY_MAX: u64 = 100;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    offset: u64,
    limit: Option<u64>,
    /// `open`, `acknowledged`, `resolved`, `waiting`, `active` (open or acknowledged); left out: all but waiting.
    phase: Option<String>,
    severity: Option<Severity>,
    tenant: Option<String>,
    site: Option<String>,
    endpoint: Option<String>,
    check: Option<String>,
    /// Those that are hidden behind this one.
    behind: Option<String>,
    #[serde(default)]
    hidden: bool,
    /// In check, instance, text or host name.
    search: Option<String>,
}

/// `GET /v1/alerts`
pub(super) async fn list(
    State(app): State<Arc<App>>,
    _session: Session,
    Query(wanted): Query<Wanted>,
) -> Result<Json<AlertPage>, Failure> {
    let (offset, limit) = (wanted.offset, wanted.limit.unwrap_or(100).clamp(1, ROWS_MAX));
    let filter = filter(wanted)?;
    let read = app.db.read(move |tx| {
        let (total, rows) = tx.alert_window(&filter, offset, limit)?;
        let mut alerts = Vec::new();
        for (hidden, body) in rows {
            alerts.push((hidden, alerts::read_alert(&body)?));
        }
        let names = names(tx, alerts.iter().filter_map(|(_, alert)| alert.endpoint))?;
        Ok((total, alerts, names))
    });
    let (total, found, names) = read.await?;
    let row = |(hidden, alert): (u64, Alert)| {
        let hostname = alert.endpoint.and_then(|id| names.get(&id).cloned());
        AlertRow::new(alert, hostname, hidden)
    };
    Ok(Json(AlertPage { total, alerts: found.into_iter().map(row).collect() }))
}

fn filter(wanted: Wanted) -> Result<AlertFilter, Failure> {
    let texts = [
        &wanted.tenant,
        &wanted.site,
        &wanted.endpoint,
        &wanted.check,
        &wanted.behind,
        &wanted.search,
    ];
    if texts.into_iter().flatten().any(|text| text.len() > FILTER_BYTES_MAX) {
        return Err(Failure::bad("request.filter", "a filter is too long", "look for less"));
    }
    let phases: Vec<Phase> = match wanted.phase.as_deref() {
        None => Vec::new(),
        Some("active") => vec![Phase::Open, Phase::Acknowledged],
        Some("open") => vec![Phase::Open],
        Some("acknowledged") => vec![Phase::Acknowledged],
        Some("resolved") => vec![Phase::Resolved],
        Some("waiting") => vec![Phase::Waiting],
        Some(_) => {
            let next = "use active, open, acknowledged, resolved or waiting";
            return Err(Failure::bad("request.filter", "there is no such phase", next));
        }
    };
    Ok(AlertFilter {
        phases: phases.into_iter().map(|phase| phase.name().to_owned()).collect(),
        severity: wanted.severity.map(|severity| severity.name().to_owned()),
        tenant: wanted.tenant,
        site: wanted.site,
        endpoint: wanted.endpoint,
        check: wanted.check,
        behind: wanted.behind,
        hidden: wanted.hidden,
        search: wanted.search,
    })
}

fn names(
    tx: &mut Tx<'_>,
    ids: impl Iterator<Item = EndpointId>,
) -> Result<BTreeMap<EndpointId, String>, StoreError> {
    let mut ids: Vec<EndpointId> = ids.collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(tx.fleet_rows(&ids)?.into_iter().map(|row| (row.id, row.hostname)).collect())
}

/// `GET /v1/alerts/{id}`
pub(super) async fn show(
    State(app): State<Arc<App>>,
    _session: Session,
    Path(id): Path<String>,
) -> Result<Json<AlertDetail>, Failure> {
    let id = parse(&id)?;
    let read = app.db.read(move |tx| {
        let Some(body) = tx.alert(id)? else { return Ok(None) };
        let alert = alerts::read_alert(&body)?;
        let names = names(tx, alert.endpoint.into_iter())?;
        let behind = AlertFilter { behind: Some(id.to_string()), ..AlertFilter::default() };
        let (hidden, _) = tx.alert_window(&behind, 0, 1)?;
        let row = AlertRow::new(alert, names.into_values().next(), hidden);
        Ok(Some((row, tx.alert_entries(id)?, tx.notifications_of(id, NOTIFICATIONS_MAX)?)))
    });
    let (row, entries, sent) = read.await?.ok_or_else(|| Failure::not_found("alert"))?;
    // A line that somebody wrote by hand and that means nothing is left out.
    let history = entries.iter().filter_map(|body| serde_json::from_slice::<Entry>(body).ok());
    let why = app.alerts.ask(|reply| Request::Why { id, reply }).await.unwrap_or_default();
    Ok(Json(AlertDetail {
        row,
        history: history.collect(),
        notifications: sent.into_iter().map(notification_row).collect(),
        why,
    }))
}

fn notification_row(record: NotificationRecord) -> NotificationRow {
    NotificationRow {
        id: record.id,
        channel: record.channel,
        state: record.state,
        created: UnixSeconds::new(record.created),
        due: UnixSeconds::new(record.due),
        tries: record.tries,
        problem: record.problem,
    }
}

/// `POST /v1/alerts/{id}/acknowledge`
pub(super) async fn acknowledge(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    act(&app, session, &id, (OperatorDeed::Acknowledge, &body)).await
}

/// `POST /v1/alerts/{id}/resolve`
pub(super) async fn resolve(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    act(&app, session, &id, (OperatorDeed::Resolve, &body)).await
}

/// `POST /v1/alerts/{id}/note`
pub(super) async fn note(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    act(&app, session, &id, (OperatorDeed::Note, &body)).await
}

async fn act(
    app: &App,
    session: Session,
    id: &str,
    (deed, body): (OperatorDeed, &Bytes),
) -> Result<StatusCode, Failure> {
    let id = parse(id)?;
    let body: NoteBody = if body.is_empty() { NoteBody::default() } else { read_json(body)? };
    if body.note.len() > limits::NOTE_BYTES_MAX {
        let message = format!("the note is longer than {} bytes", limits::NOTE_BYTES_MAX);
        return Err(Failure::bad("alert.note", message, "say it in fewer words"));
    }
    tracing::info!(operator.id = %session.operator, alert.id = %id, "alert: {deed:?}");
    let (operator, note) = (session.operator, body.note);
    let request = |reply| Request::Deed { id, deed, operator, note, reply };
    if app.alerts.ask(request).await.ok_or_else(stopping)? {
        return Ok(StatusCode::NO_CONTENT);
    }
    if app.db.read(move |tx| tx.alert(id)).await?.is_none() {
        return Err(Failure::not_found("alert"));
    }
    let message = "the alert is over, or does not need anybody yet";
    Err(Failure::new(
        StatusCode::CONFLICT,
        "alert.state",
        message,
        "look at it with `bartizan alerts why`",
    ))
}

/// `GET /v1/alerts/rules`
pub(super) async fn rules(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<RulesAnswer>, Failure> {
    let history = app.db.read(|tx| tx.alert_rules_history(HISTORY_MAX)).await?;
    let document = match history.first() {
        Some(record) => {
            let read = serde_json::from_slice(&record.body);
            Some(read.map_err(|_| StoreError::Column("alert_rules.body"))?)
        }
        None => None,
    };
    let version = |record: &RulesRecord| RulesVersion {
        version: record.version,
        at: UnixSeconds::new(record.at),
        operator: record.operator.clone(),
    };
    Ok(Json(RulesAnswer {
        document,
        version: history.first().map_or(0, |record| record.version),
        history: history.iter().map(version).collect(),
        channels: app.config.channels.iter().map(Channel::shown).collect(),
    }))
}

/// `PUT /v1/alerts/rules`
pub(super) async fn set_rules(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<Json<RulesStored>, Failure> {
    if body.len() > limits::RULES_BYTES_MAX {
        let message = format!("the rules are longer than {} bytes", limits::RULES_BYTES_MAX);
        return Err(Failure::bad("alert.rules", message, "write fewer rules"));
    }
    let body: RulesBody = read_json(&body)?;
    let wrong = |problems: Vec<String>| {
        Failure::bad(
            "alert.rules",
            problems.join("\n"),
            "correct the rules; docs/guide/alerts.md shows whole ones",
        )
    };
    let document = RulesDocument::read(&body.document).map_err(wrong)?;
    let channels: Vec<_> = app.config.channels.iter().map(Channel::shown).collect();
    let problems = document.problems(&channels, &zones::load(&document.zones(), now()));
    if !problems.is_empty() {
        return Err(wrong(problems));
    }
    tracing::info!(operator.id = %session.operator, "alerting rules changed");
    let (base, document, operator) = (body.base, Box::new(document), session.operator);
    let request = |reply| Request::Rules { base, document, operator, reply };
    let version = app.alerts.ask(request).await.ok_or_else(stopping)?;
    let version = version.ok_or_else(|| {
        let message = "somebody changed the rules since you read them";
        Failure::new(
            StatusCode::CONFLICT,
            "alert.rules_changed",
            message,
            "read them again, then change those",
        )
    })?;
    Ok(Json(RulesStored { version }))
}

/// `POST /v1/alerts/test`: one message now, without the outbox; what goes wrong is the answer.
pub(super) async fn test(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let body: ChannelBody = read_json(&body)?;
    let channel = channel(&app, &body.channel)?.clone();
    tracing::info!(operator.id = %session.operator, channel = channel.name, "a channel is tried");
    let message = Message {
        reason: Reason::Test,
        alert: None,
        severity: None,
        endpoint: None,
        hostname: String::new(),
        tenant: None,
        site: None,
        key: String::new(),
        instance: String::new(),
        text: format!("{} tries this channel", session.operator),
        since: now(),
        at: now(),
        hidden: 0,
    };
    let id = Notification::new(&channel.name, message.clone(), &session.operator.to_string()).id;
    alerts::send(channel, id.to_string(), message).await.map_err(|error| {
        let next = "correct the channel in server.toml, or look at the receiver's log";
        Failure::new(
            StatusCode::BAD_GATEWAY,
            "alert.channel",
            format!("not delivered: {error:#}"),
            next,
        )
    })?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/endpoints/{id}/tell-me`
pub(super) async fn tell_me(
    State(app): State<Arc<App>>,
    session: Session,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let endpoint = endpoints::parse(&id)?;
    let body: ChannelBody = read_json(&body)?;
    let name = channel(&app, &body.channel)?.name.clone();
    if app.db.read(move |tx| tx.endpoint(endpoint)).await?.is_none() {
        return Err(Failure::not_found("endpoint"));
    }
    let wish = Wish { endpoint, operator: session.operator, channel: name, at: now() };
    let wished =
        app.alerts.ask(|reply| Request::Wish { wish, reply }).await.ok_or_else(stopping)?;
    match wished {
        Wished::Kept => Ok(StatusCode::NO_CONTENT),
        Wished::Connected => {
            let message = "the endpoint is connected now";
            Err(Failure::new(
                StatusCode::CONFLICT,
                "endpoint.connected",
                message,
                "there is nothing to wait for",
            ))
        }
        Wished::Full => {
            let message = "too many wait for endpoints already";
            Err(Failure::new(
                StatusCode::CONFLICT,
                "alert.wishes",
                message,
                "wait until some are back",
            ))
        }
    }
}

fn channel<'a>(app: &'a App, name: &str) -> Result<&'a Channel, Failure> {
    app.config.channels.iter().find(|channel| channel.name == name).ok_or_else(|| {
        let next = "`bartizan alerts rules show` lists the channels; server.toml has them";
        Failure::new(StatusCode::NOT_FOUND, "alert.no_channel", "there is no such channel", next)
    })
}

fn parse(id: &str) -> Result<AlertId, Failure> {
    id.parse().map_err(|error| {
        Failure::bad("request.id", format!("{error}"), "copy the id from `bartizan alerts`")
    })
}

fn stopping() -> Failure {
    let next = "try again when it is back";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "server.stopping", "the server stops", next)
}
