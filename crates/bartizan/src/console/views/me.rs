//! Who uses this console, what needs a person, and what changed.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobPage, Summary};
use bartizan_proto::preflight::ServerPreflight;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Operator, TenantScope};
use bartizan_trust::words::eight_words;

use super::{bounded, inbox, job_row, own, stop, trust};
use crate::api::session;
use crate::commands::Console;
use crate::console::desk::Desk;
use crate::console::failure::problem;
use crate::console::shapes::{
    Alert, FleetCounts, KeyPlace, Me, MyOperator, News, Organisation, Overview, ServerLink,
    Severity, SigningKey, Standing, SyncState,
};
use crate::exit::{self, Code};
use crate::home::OrgFile;
use crate::keys::{Signer, passkey};
use crate::sign::render::role_name;
use crate::{expiry, withhold, witness};

/// Whose console this is; also where the server is away.
pub(crate) fn me(desk: &Desk) -> Result<Me> {
    let home = &desk.context.home;
    let org: Option<OrgFile> = home.load("org.json")?;
    let found = desk.console();
    let standing = match &found {
        Ok(_) => Standing::Ready,
        Err(_) if org.is_none() => Standing::NoOrganisation,
        Err(error) if exit::told(error).exit == Code::Unreachable => Standing::Unreachable,
        Err(error) if exit::told(error).code == "key.passkey" => Standing::LoginNeeded,
        Err(_) => Standing::Refused,
    };
    let console = found.as_ref().ok();
    let operator = match console {
        Some(console) => own(desk, console)?.map(operator),
        None => None,
    };
    Ok(Me {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        standing,
        problem: found.as_ref().err().map(problem),
        operator,
        key: key(desk)?,
        organisation: match (&org, console) {
            (Some(org), Some(console)) => Some(Organisation {
                anchor: org.anchor.to_string(),
                words: eight_words(org.anchor.org().hash()),
                bundle_version: console.trust.bundle.version,
                bundle_expires: console.trust.bundle.expires.get(),
                warning: expiry::warning(home)?,
            }),
            _ => None,
        },
        server: org
            .as_ref()
            .map(|org| ServerLink { address: org.server.clone(), spki: org.spki.to_string() }),
        sync: match desk.view_state() {
            Some(state) => Some(SyncState {
                checked_at: state.checked_at,
                control_size: state.control_size,
                keeps_still: withhold::load(home)?.reason(),
            }),
            None => None,
        },
        pages: u32::try_from(desk.pages()).unwrap_or(u32::MAX),
    })
}

fn operator(me: &Operator) -> MyOperator {
    MyOperator {
        id: me.id.to_string(),
        name: me.name.clone(),
        roles: me.roles.iter().map(|role| role_name(*role).to_owned()).collect(),
        tenants: tenants(&me.tenants),
    }
}

pub(super) fn tenants(scope: &TenantScope) -> Option<Vec<String>> {
    match scope {
        TenantScope::All => None,
        TenantScope::Only(names) => Some(names.iter().map(|name| name.name().to_owned()).collect()),
    }
}

/// The key that logged in. Nobody is asked for a passphrase only to show it.
fn key(desk: &Desk) -> Result<Option<SigningKey>> {
    let Some(ssh) = session::own_key(&desk.context.home)? else { return Ok(None) };
    let public = PublicKey::parse_openssh(&ssh).context("read the key of the session")?;
    let hardware = public.key_type().is_hardware();
    let place =
        match (Signer::is_in_a_file(&desk.context.home, desk.context.key.as_deref()), hardware) {
            _ if public.application() == passkey::RP_ID => KeyPlace::Passkey,
            (true, true) => KeyPlace::SecurityKey,
            (true, false) => KeyPlace::File,
            (false, _) => KeyPlace::Agent,
        };
    Ok(Some(SigningKey {
        place,
        fingerprint: public.fingerprint(),
        key_type: public.key_type().name().to_owned(),
        hardware,
    }))
}

/// What needs a person now.
pub(crate) fn overview(desk: &Desk, console: &Console) -> Result<Overview> {
    let summary: Summary = console.api.fetch("/v1/summary")?;
    let active: JobPage = console.api.fetch("/v1/jobs?state=active&limit=20")?;
    let inbox = inbox::inbox(desk, console)?;
    let for_me = inbox.items.iter().filter(|item| item.disabled.is_none()).count();
    Ok(Overview {
        endpoints: counts(&summary),
        waiting: pending(&summary).saturating_add(summary.drafts),
        waiting_for_me: u64::try_from(for_me).unwrap_or(u64::MAX),
        active: active.jobs.iter().map(|row| job_row(&console.trust.bundle, row)).collect(),
        freezes: stop::standing(console, &summary),
        pending: trust::pending(console)?,
        open_alerts: summary.alerts.open,
        alerts: alerts(desk, console, &summary)?,
    })
}

const fn counts(summary: &Summary) -> FleetCounts {
    FleetCounts {
        total: summary.connected.saturating_add(summary.away).saturating_add(summary.quarantined),
        connected: summary.connected,
        away: summary.away,
        quarantined: summary.quarantined,
    }
}

fn pending(summary: &Summary) -> u64 {
    in_state(summary, "pending")
}

fn in_state(summary: &Summary, state: &str) -> u64 {
    summary.jobs.iter().filter(|(known, _)| known == state).map(|(_, count)| count).sum()
}

fn alerts(desk: &Desk, console: &Console, summary: &Summary) -> Result<Vec<Alert>> {
    let home = &desk.context.home;
    let mut found = Vec::new();
    let mut alert = |code: &str, severity, text: String, next: &str| {
        found.push(Alert { code: code.to_owned(), severity, text, next: next.to_owned() });
    };
    let logs = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let memory = witness::load(home)?;
    for (log, size) in
        [(witness::Log::Control, summary.control_size), (witness::Log::Jobs, summary.jobs_size)]
    {
        let seen = memory.views.get(log.key(&logs).name()).map_or(0, |view| view.size);
        if seen > size {
            let text = format!(
                "The log `{}` has {size} entries; this console co-signed {seen}.",
                log.name()
            );
            alert(
                "log.shrunk",
                Severity::Urgent,
                text,
                "sign nothing on this server, and tell the other operators; the log page shows what is left",
            );
        }
    }
    let server: ServerPreflight = console.api.fetch("/v1/preflight")?;
    for reason in server.quarantine.iter().flat_map(|quarantine| &quarantine.reasons) {
        let text =
            format!("The server is in quarantine and delivers no jobs: {}", bounded(&reason.text));
        alert("server.quarantine", Severity::Urgent, text, "see `bartizan preflight`");
    }
    if let Some(reason) = withhold::load(home)?.reason() {
        let text = format!("This console co-signs nothing: {reason}");
        alert(
            "witness.keeps_still",
            Severity::Warning,
            text,
            "look at the page of freezes; `bartizan witness` says how to go on",
        );
    }
    if let Some(warning) = expiry::warning(home)? {
        alert("bundle.expires", Severity::Warning, warning, "renew it: `bartizan bundle renew`");
    }
    Ok(found)
}

/// What there is to know now, for pages that watch.
pub(crate) fn summary(console: &Console) -> Result<Vec<News>> {
    let summary: Summary = console.api.fetch("/v1/summary")?;
    let counts = counts(&summary);
    let mut news = vec![
        News::Fleet {
            total: counts.total,
            connected: counts.connected,
            quarantined: counts.quarantined,
        },
        News::Jobs {
            pending: pending(&summary),
            active: in_state(&summary, "active"),
            log_size: summary.jobs_size,
        },
        News::Alerts {
            open: summary.alerts.open,
            acknowledged: summary.alerts.acknowledged,
            changed: summary.alerts.changed,
        },
        News::Control { size: summary.control_size, drafts: summary.drafts },
    ];
    news.extend(
        summary
            .freezes
            .iter()
            .map(|(id, confirmed)| News::Freeze { id: id.to_string(), confirmed: *confirmed }),
    );
    Ok(news)
}
