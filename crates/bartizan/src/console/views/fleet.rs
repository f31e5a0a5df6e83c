//! Endpoints.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{
    EndpointBrief, EndpointDetail, EndpointJobs as PlaneJobs, EndpointLink, EndpointReceipts,
    EndpointRow as PlaneRow, EndpointTree, EndpointWindow, Standing,
};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::Descriptor;
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{bounded, job_row, target_row};
use crate::commands::{Console, endpoints, options, url_encoded};
use crate::console::desk::Desk;
use crate::console::shapes::{
    EndpointJob, EndpointJobs, EndpointRow, EndpointState, EndpointView, FleetCounts, FleetQuery,
    FleetSort, FleetTree, FleetWindow, Part, ReceiptsWindow, SiteBranch, TenantBranch,
    Verification,
};
use crate::exit::{Code, fail};
use crate::journal::{self, Did};

/// A part of the fleet.
pub(crate) fn window(console: &Console, query: &FleetQuery) -> Result<FleetWindow> {
    let mut path = format!(
        "/v1/endpoints/window?offset={}&limit={}&sort={}&descending={}",
        query.offset,
        query.limit.clamp(1, 500),
        match query.sort.unwrap_or(FleetSort::Hostname) {
            FleetSort::Hostname => "hostname",
            FleetSort::Tenant => "tenant",
            FleetSort::Os => "os",
            FleetSort::LastSeen => "last_seen",
        },
        query.descending
    );
    if let Some(search) = query.search.as_deref().filter(|search| !search.is_empty()) {
        path += &format!("&search={}", url_encoded(search));
    }
    match query.tenant.as_deref() {
        None | Some("") => {}
        Some("none") => path += "&tenant=none",
        Some(name) => path += &format!("&tenant={}", slug::<TenantId>(name)?),
    }
    if let Some(site) = query.site.as_deref().filter(|site| !site.is_empty()) {
        path += &format!("&site={}", slug::<SiteId>(site)?);
    }
    if let Some(state) = query.state {
        path += match state {
            EndpointState::Connected => "&state=connected",
            EndpointState::Away => "&state=away",
            EndpointState::Quarantined => "&state=quarantined",
        };
    }
    let found: EndpointWindow = console.api.fetch(&path)?;
    let rows = found.endpoints.iter().map(row).collect();
    Ok(FleetWindow { total: found.total, offset: query.offset, rows })
}

fn slug<T: core::str::FromStr + options::bartizan_slug::Named>(text: &str) -> Result<T> {
    options::slug(text).map_err(|problem| fail(Code::Usage, problem, "choose one of the tree"))
}

fn row(brief: &EndpointBrief) -> EndpointRow {
    EndpointRow {
        id: brief.id.to_string(),
        hostname: bounded(&brief.hostname),
        os: bounded(&brief.os),
        tenant: brief.tenant.as_ref().map(|tenant| tenant.name().to_owned()),
        site: brief.site.as_ref().map(|site| site.name().to_owned()),
        state: match brief.link {
            EndpointLink::Connected => EndpointState::Connected,
            EndpointLink::Away => EndpointState::Away,
            EndpointLink::Quarantined => EndpointState::Quarantined,
        },
        last_seen: brief.last_seen.map(bartizan_trust::time::UnixSeconds::get),
    }
}

/// How many endpoints each tenant and site has.
pub(crate) fn tree(console: &Console) -> Result<FleetTree> {
    let found: EndpointTree = console.api.fetch("/v1/endpoints/tree")?;
    let mut all = FleetCounts::default();
    let mut tenants: Vec<TenantBranch> = Vec::new();
    for branch in found.branches {
        let counts = FleetCounts {
            total: branch.connected.saturating_add(branch.away).saturating_add(branch.quarantined),
            connected: branch.connected,
            away: branch.away,
            quarantined: branch.quarantined,
        };
        let tenant = branch.tenant.map(|tenant| tenant.name().to_owned());
        let site = branch.site.map(|site| site.name().to_owned());
        add(&mut all, counts);
        match tenants.iter_mut().find(|known| known.tenant == tenant) {
            Some(known) => {
                add(&mut known.counts, counts);
                known.sites.push(SiteBranch { site, counts });
            }
            None => {
                tenants.push(TenantBranch {
                    tenant,
                    counts,
                    sites: vec![SiteBranch { site, counts }],
                });
            }
        }
    }
    Ok(FleetTree { counts: all, tenants })
}

const fn add(sum: &mut FleetCounts, more: FleetCounts) {
    sum.total = sum.total.saturating_add(more.total);
    sum.connected = sum.connected.saturating_add(more.connected);
    sum.away = sum.away.saturating_add(more.away);
    sum.quarantined = sum.quarantined.saturating_add(more.quarantined);
}

/// The whole id of an endpoint.
pub(super) fn endpoint(text: &str) -> Result<EndpointId> {
    text.parse().map_err(|error| fail(Code::Usage, format!("{error}"), "use the whole id, `ep_…`"))
}

/// One endpoint, and whether it is who it says.
pub(crate) fn show(console: &Console, id: &str) -> Result<EndpointView> {
    let id = endpoint(id)?;
    let detail: EndpointDetail = console.api.fetch(&format!("/v1/endpoints/{id}"))?;
    let (verification, tenant) = match prove(console, id, &detail.row) {
        Ok(tenant) => (Verification::good(), Some(tenant.name().to_owned())),
        Err(error) => (Verification::bad(format!("{error:#}")), None),
    };
    let plane = &detail.row;
    let row = EndpointRow {
        id: plane.id.to_string(),
        hostname: bounded(&plane.hostname),
        os: bounded(&plane.os),
        tenant: plane.tenant.as_ref().map(|tenant| tenant.name().to_owned()),
        site: plane.site.as_ref().map(|site| site.name().to_owned()),
        state: match (plane.standing, plane.connected) {
            (Standing::Quarantined, _) => EndpointState::Quarantined,
            (Standing::Admitted, true) => EndpointState::Connected,
            (Standing::Admitted, false) => EndpointState::Away,
        },
        last_seen: plane.last_seen.map(bartizan_trust::time::UnixSeconds::get),
    };
    Ok(EndpointView {
        row,
        fingerprint: verification.verified.then(|| fingerprint(plane)).flatten(),
        verification,
        tenant,
        inventory: detail.inventory,
        inventory_at: detail.inventory_at.map(bartizan_trust::time::UnixSeconds::get),
    })
}

fn prove(console: &Console, id: EndpointId, row: &PlaneRow) -> Result<TenantId> {
    anyhow::ensure!(row.id == id, "the server shows another endpoint than the one asked for");
    endpoints::verify_row(console, row)
}

fn fingerprint(row: &PlaneRow) -> Option<String> {
    let envelope = Envelope::decode(&BASE64.decode(row.descriptor.as_bytes()).ok()?).ok()?;
    let described: Descriptor = envelope.statement().ok()?;
    Some(PublicKey::parse_openssh(&described.device_key).ok()?.fingerprint())
}

/// What it was asked to do.
pub(crate) fn jobs(console: &Console, id: &str, part: Part) -> Result<EndpointJobs> {
    let id = endpoint(id)?;
    let path = format!(
        "/v1/endpoints/{id}/jobs?offset={}&limit={}",
        part.offset,
        part.limit.clamp(1, 500)
    );
    let found: PlaneJobs = console.api.fetch(&path)?;
    let rows = found.jobs.iter().map(|one| EndpointJob {
        job: job_row(&console.trust.bundle, &one.job),
        target: target_row(&one.target, 0, None),
    });
    Ok(EndpointJobs { total: found.total, offset: part.offset, rows: rows.collect() })
}

/// What it says it did.
pub(crate) fn receipts(console: &Console, id: &str, part: Part) -> Result<ReceiptsWindow> {
    let id = endpoint(id)?;
    let path = format!(
        "/v1/endpoints/{id}/receipts?offset={}&limit={}",
        part.offset,
        part.limit.clamp(1, 500)
    );
    let found: EndpointReceipts = console.api.fetch(&path)?;
    let mut rows = Vec::new();
    for text in &found.receipts {
        let bytes = BASE64.decode(text.as_bytes()).context("read a receipt")?;
        rows.push(super::jobs::receipt_row(&bytes, |receipt| receipt.endpoint == id, None)?);
    }
    let bad = rows.iter().filter(|row| !row.verification.verified).count();
    Ok(ReceiptsWindow {
        total: found.total,
        offset: part.offset,
        bad: u64::try_from(bad).unwrap_or(u64::MAX),
        rows,
    })
}

/// Lets it in, or asks for its inventory: neither is signed, and neither makes it run anything.
pub(crate) fn ask(desk: &Desk, console: &Console, id: &str, did: Did) -> Result<Value> {
    let id = endpoint(id)?;
    let what = if did == Did::Admitted { "admit" } else { "refresh" };
    console.api.send::<Value>(&format!("/v1/endpoints/{id}/{what}"), &json!({}))?;
    journal::note(&desk.context.home, did, &id.to_string(), None)?;
    Ok(json!({ "endpoint": id }))
}
