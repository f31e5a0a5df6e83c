//! Monitoring policies: read from their exact bytes and verified here; and checks, which are endpoints' word.

use anyhow::{Result, bail};
use bartizan_proto::monitoring::{CheckPage, CheckRow, PolicyList, PolicyRow, PolicyTargetRow};
use bartizan_trust::authorize::monitoring::stand_behind_policy;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::monitoring::effective;
use bartizan_trust::statement::{
    Class, MonitoringPolicy, OperatorRole, PolicyPlace, SignatureRole,
};

use super::fleet::endpoint;
use super::inbox::{has_signed, key_too_weak};
use super::signing::{control_sheet, give, sheet as plain_sheet};
use super::{bounded, disabled, id, names, next, own, signed_by};
use crate::commands::monitoring::{self as policies, OfEndpoint, Wish};
use crate::commands::options::slug;
use crate::commands::{Console, url_encoded};
use crate::console::desk::Desk;
use crate::console::failure::problem;
use crate::console::shapes::{
    AboutRequest, CheckResult, EndpointChecks, PassedCheck, Policies, PolicyItem, PolicyRequest,
    PolicyTarget, PolicyVerdict, PolicyView, PolicyWhere, RunningCheck, Sheet, Verification,
};
use crate::console::sheets::{Held, Then};
use crate::exit::{Code, fail};
use crate::monitoring::{self, FILE_BYTES_MAX};
use crate::sign::{policy as words, render};

/// Endpoints of one policy in one answer.
const TARGETS_MAX: usize = 1_000;
/// Results of one endpoint that are looked at: twice what it may report at most.
const RESULTS_MAX: usize = 2_000;

/// All of them.
pub(crate) fn list(console: &Console) -> Result<Policies> {
    let list: PolicyList = console.api.fetch("/v1/policies")?;
    let rows = list.policies.iter().map(|row| {
        let (envelope, policy) = policies::read(console, row)?;
        Ok(item(console, row, &envelope, &policy))
    });
    Ok(Policies {
        policies: rows.collect::<Result<_>>()?,
        defaults: monitoring::DEFAULTS.to_owned(),
    })
}

fn item(
    console: &Console,
    row: &PolicyRow,
    envelope: &Envelope,
    policy: &MonitoringPolicy,
) -> PolicyItem {
    let stands = stand_behind_policy(&console.trust.bundle, policy, envelope);
    PolicyItem {
        id: envelope.id().to_string(),
        name: bounded(&policy.name),
        version: policy.version,
        title: bounded(&policy.display.title),
        place: place(&policy.place),
        checks: u64::try_from(policy.checks.len()).unwrap_or(u64::MAX),
        state: bounded(&row.state),
        until: policy.until.get(),
        at: policy.iat.get(),
        verification: match stands {
            Ok(()) => Verification::good(),
            Err(refusal) => Verification::bad(refusal.code()),
        },
    }
}

fn place(place: &PolicyPlace) -> PolicyWhere {
    let site = match place {
        PolicyPlace::Site { site, .. } => Some(site.name().to_owned()),
        PolicyPlace::Org {} | PolicyPlace::Tenant { .. } | PolicyPlace::Endpoint { .. } => None,
    };
    let endpoint = match place {
        PolicyPlace::Endpoint { endpoint, .. } => Some(endpoint.to_string()),
        PolicyPlace::Org {} | PolicyPlace::Tenant { .. } | PolicyPlace::Site { .. } => None,
    };
    PolicyWhere {
        words: words::place(place),
        tenant: place.tenant().map(|tenant| tenant.name().to_owned()),
        site,
        endpoint,
    }
}

/// One policy.
pub(crate) fn show(desk: &Desk, console: &Console, text: &str) -> Result<PolicyView> {
    let id = id(text)?;
    let (detail, envelope, policy) = policies::fetch(console, id)?;
    let shown = detail.targets.get(..TARGETS_MAX).unwrap_or(&detail.targets);
    let ids: Vec<EndpointId> = shown.iter().map(|target| target.endpoint).collect();
    let hostnames = names(console, &ids)?;
    let target = |row: &PolicyTargetRow| PolicyTarget {
        endpoint: row.endpoint.to_string(),
        hostname: hostnames.get(&row.endpoint).cloned(),
        state: policies::standing(&row.state).to_owned(),
        code: row.code.as_deref().map(bounded),
        next: row.code.as_deref().and_then(next),
    };
    let withdrawn = console.view.withdrawals.contains(&id);
    let withdraw_disabled = if withdrawn {
        Some("It was taken back already.".to_owned())
    } else {
        disabled(desk, console, OperatorRole::Freeze, None)?
    };
    Ok(PolicyView {
        policy: item(console, &detail.policy, &envelope, &policy),
        text: render::statement(&envelope)?,
        source: monitoring::source(&policy)?,
        signatures: signed_by(console, &envelope),
        targets: shown.iter().map(target).collect(),
        targets_total: u64::try_from(detail.targets.len()).unwrap_or(u64::MAX),
        approve_disabled: approve_disabled(desk, console, &envelope, &policy)?,
        withdraw_disabled,
    })
}

fn approve_disabled(
    desk: &Desk,
    console: &Console,
    envelope: &Envelope,
    policy: &MonitoringPolicy,
) -> Result<Option<String>> {
    let bundle = &console.trust.bundle;
    if stand_behind_policy(bundle, policy, envelope).is_ok() {
        return Ok(Some("Enough people have signed it.".to_owned()));
    }
    if let Some(why) = may_sign(desk, console, OperatorRole::Approve, policy)? {
        return Ok(Some(why));
    }
    let Some(me) = own(desk, console)? else { return Ok(None) };
    let signed = |role| has_signed(console, envelope, role, &me.id);
    if signed(SignatureRole::Author) {
        return Ok(Some("You wrote it: somebody else must countersign.".to_owned()));
    }
    if signed(SignatureRole::Approve) {
        return Ok(Some("You have signed it; it waits for others.".to_owned()));
    }
    Ok(None)
}

/// Why this operator cannot sign a policy in this role; nothing if so.
fn may_sign(
    desk: &Desk,
    console: &Console,
    role: OperatorRole,
    policy: &MonitoringPolicy,
) -> Result<Option<String>> {
    if let Some(why) = disabled(desk, console, role, policy.place.tenant())? {
        return Ok(Some(why));
    }
    let everywhere = |me: &bartizan_trust::statement::Operator| policy.place.is_within(&me.tenants);
    if own(desk, console)?.is_some_and(|me| !everywhere(me)) {
        return Ok(Some("A policy for everybody needs an operator with all tenants.".to_owned()));
    }
    key_too_weak(desk, &console.trust.bundle, Class::Observe)
}

fn compose(console: &Console, request: &PolicyRequest) -> Result<Envelope> {
    if request.source.len() > usize::try_from(FILE_BYTES_MAX).unwrap_or(usize::MAX) {
        let next = "make several policies of it, each with a name of its own";
        return Err(fail(Code::Usage, "the text is larger than 256 KiB", next));
    }
    let usage = |problem: String| fail(Code::Usage, problem, "choose another place");
    let filled = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let tenant = filled(&request.tenant).as_deref().map(slug::<TenantId>).transpose();
    let site = filled(&request.site).as_deref().map(slug::<SiteId>).transpose();
    let wish = Wish {
        tenant: tenant.map_err(usage)?,
        site: site.map_err(usage)?,
        endpoint: filled(&request.endpoint).as_deref().map(endpoint).transpose()?,
        days: request.days,
    };
    if wish.site.is_some() && wish.tenant.is_none() {
        return Err(fail(Code::Usage, "a site needs its tenant", "name the tenant, too"));
    }
    policies::compose(console, monitoring::parse(&request.source)?, &wish)
}

/// What a source text would be.
pub(crate) fn verdict(console: &Console, request: &PolicyRequest) -> Result<PolicyVerdict> {
    let who_else = render::who_else(&console.trust.bundle, Class::Observe);
    let composed = compose(console, request).and_then(|envelope| render::statement(&envelope));
    let (text, wrong) = match composed {
        Ok(text) => (Some(text), None),
        Err(error) if crate::exit::told(&error).exit == Code::Unreachable => return Err(error),
        Err(error) => (None, Some(problem(&error))),
    };
    Ok(PolicyVerdict { text, problem: wrong, who_else })
}

/// A policy, as its author signs it.
pub(crate) fn sheet(desk: &Desk, console: &Console, request: &PolicyRequest) -> Result<Sheet> {
    let envelope = compose(console, request)?;
    let policy: MonitoringPolicy = envelope.statement()?;
    let held = Held { envelope, role: SignatureRole::Author, then: Then::Policy };
    let text = render::statement(&held.envelope)?;
    let mut sheet = plain_sheet(console, &held, text, "Sign this policy?");
    sheet.disabled = may_sign(desk, console, OperatorRole::Author, &policy)?;
    about(console, &policy, &mut sheet);
    if policy.version > 1 {
        sheet.notes.push(format!(
            "It takes the place of version {} for good.",
            policy.version.saturating_sub(1)
        ));
    }
    give(desk, held, sheet)
}

fn about(console: &Console, policy: &MonitoringPolicy, sheet: &mut Sheet) {
    sheet.tenant = policy.place.tenant().map(|tenant| tenant.name().to_owned());
    sheet.class = Some(policy.class.name().to_owned());
    sheet.until = Some(policy.until.get());
    sheet.who_else = Some(render::who_else(&console.trust.bundle, policy.class));
    sheet.notes.push("It reads, and starts or changes nothing.".to_owned());
}

/// A policy that waits, as the next person signs it.
pub(crate) fn approval(desk: &Desk, console: &Console, text: &str) -> Result<Sheet> {
    let (_, envelope, policy) = policies::fetch(console, id(text)?)?;
    let held = Held { envelope, role: SignatureRole::Approve, then: Then::Policy };
    let text = render::statement(&held.envelope)?;
    let question = "Compare the words with the author. Sign as approver?";
    let mut sheet = plain_sheet(console, &held, text, question);
    sheet.disabled = approve_disabled(desk, console, &held.envelope, &policy)?;
    about(console, &policy, &mut sheet);
    give(desk, held, sheet)
}

/// Takes a policy back.
pub(crate) fn withdrawal(desk: &Desk, console: &Console, request: &AboutRequest) -> Result<Sheet> {
    let withdrawal = policies::withdrawal(console, id(&request.id)?, &request.reason)?;
    let envelope = Envelope::new(&withdrawal);
    let (held, sheet) =
        control_sheet(desk, console, &envelope, SignatureRole::Freeze, "Take it back for good?")?;
    give(desk, held, sheet)
}

/// What an endpoint looks at, by the function that endpoints use, and what it says it found.
pub(crate) fn checks(console: &Console, text: &str) -> Result<EndpointChecks> {
    let endpoint = endpoint(text)?;
    let OfEndpoint { standing, left_out } = policies::of_endpoint(console, endpoint)?;
    let by_id: Vec<_> = standing.iter().map(|(id, policy)| (*id, policy)).collect();
    let found = effective(&by_id);
    let mut results = results(console, endpoint)?;
    let running = found.checks.iter().map(|check| {
        let (own, others) =
            core::mem::take(&mut results).into_iter().partition(|one| one.check == check.check.id);
        results = others;
        RunningCheck {
            id: check.check.id.clone(),
            words: words::line(check.check),
            because: policies::named(check),
            policy: check.policy.to_string(),
            results: own,
        }
    });
    let running: Vec<RunningCheck> = running.collect();
    let passed = found.passed_over.iter().map(|passed| PassedCheck {
        words: words::line(passed.check.check),
        why: policies::because(&found, passed),
        policy: passed.check.policy.to_string(),
    });
    let not_there = left_out.into_iter().map(|(id, name, why)| PassedCheck {
        words: bounded(&name),
        why: next(&why).map_or_else(|| bounded(&why), |next| format!("{}: {next}", bounded(&why))),
        policy: id.to_string(),
    });
    Ok(EndpointChecks {
        running,
        passed_over: passed.collect(),
        not_there: not_there.collect(),
        other: results,
    })
}

fn results(console: &Console, endpoint: EndpointId) -> Result<Vec<CheckResult>> {
    let mut found = Vec::new();
    let mut after = String::new();
    loop {
        let path = format!("/v1/checks?endpoint={endpoint}&state=&after={}", url_encoded(&after));
        let page: CheckPage = console.api.fetch(&path)?;
        if page.checks.iter().any(|check| check.endpoint != endpoint) {
            bail!("the server answers for another endpoint");
        }
        found.extend(page.checks.iter().map(result));
        match page.next {
            Some(next) if next != after && found.len() < RESULTS_MAX => after = next,
            Some(_) | None => return Ok(found),
        }
    }
}

fn result(row: &CheckRow) -> CheckResult {
    CheckResult {
        check: bounded(&row.check),
        instance: bounded(&row.instance),
        state: bounded(&row.state),
        since: row.since,
        at: row.at,
        text: bounded(&row.text),
    }
}
