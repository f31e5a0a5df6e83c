//! `policy`: what endpoints look at, who signed it, why a check runs where it does. `checks`: what came of it.

use anyhow::{Context as _, Result};
use bartizan_proto::monitoring::{EndpointPolicies, PolicyDetail, PolicyList, PolicyRow};
use bartizan_proto::operator::{EndpointDetail, Stored};
use bartizan_trust::authorize::monitoring::stand_behind_policy;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, SiteId, StatementId, TenantId};
use bartizan_trust::limits;
use bartizan_trust::monitoring::{Effective, EffectiveCheck, PassedOver, Why, effective};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{
    Class, MonitoringPolicy, PolicyPlace, SignatureRole, V1, Withdrawal,
};
use clap::{Args, Subcommand};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Console, Context, File, control, endpoint_path, options};
use crate::api::session;
use crate::exit::{Code, fail, refused};
use crate::home::{nonce, now};
use crate::keys::Signer;
use crate::mine;
use crate::monitoring::{self, Given, PolicyFile};
use crate::sign::{policy as words, render};
use crate::terminal::{cell, table};
use crate::witness;

/// How long a policy lasts unless told otherwise, in days.
const DAYS: u64 = 90;

/// `bartizan policy …`
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Sign a policy: from a file, or the one that is useful everywhere
    Sign(SignOptions),
    /// Countersign a policy that waits
    Approve {
        /// Its id
        id: StatementId,
    },
    /// List policies
    List,
    /// Show a policy and where it stands
    Show {
        /// Its id
        id: StatementId,
    },
    /// Take a policy back for good, everywhere
    Withdraw {
        /// Its id
        id: StatementId,
        /// Why, for the others
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Say what an endpoint looks at and why, and what it does not
    Explain {
        /// Which endpoint
        endpoint: EndpointId,
        /// Only this check
        check: Option<String>,
    },
}

/// `bartizan policy sign`
#[derive(Debug, Args)]
pub(crate) struct SignOptions {
    /// The policy, as TOML
    #[arg(required_unless_present = "defaults")]
    file: Option<File>,
    /// The one that comes with the product
    #[arg(long, conflicts_with = "file")]
    defaults: bool,
    /// For this tenant only; without tenant and endpoint: for every endpoint
    #[arg(long, value_parser = options::slug::<TenantId>)]
    tenant: Option<TenantId>,
    /// For this site of the tenant only
    #[arg(long, value_parser = options::slug::<SiteId>, requires = "tenant")]
    site: Option<SiteId>,
    /// For this endpoint only
    #[arg(long, conflicts_with_all = ["tenant", "site"])]
    endpoint: Option<EndpointId>,
    /// How long it lasts; the bundle may allow less
    #[arg(long, default_value_t = DAYS)]
    days: u64,
}

pub(crate) fn run(context: &Context, command: &PolicyCommand) -> Result<()> {
    let console = context.connect()?;
    match command {
        PolicyCommand::Sign(options) => sign(context, &console, options),
        PolicyCommand::Approve { id } => approve(context, &console, *id),
        PolicyCommand::List => list(context, &console),
        PolicyCommand::Show { id } => show(context, &console, *id),
        PolicyCommand::Withdraw { id, reason } => withdraw(context, &console, *id, reason),
        PolicyCommand::Explain { endpoint, check } => {
            explain(context, &console, *endpoint, check.as_deref())
        }
    }
}

/// Where a policy is to be, and for how long.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) tenant: Option<TenantId>,
    pub(crate) site: Option<SiteId>,
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) days: u64,
}

/// The statement to be signed.
pub(crate) fn compose(console: &Console, file: PolicyFile, wish: &Wish) -> Result<Envelope> {
    let bundle = &console.trust.bundle;
    let Some(rule) = bundle.class_rule(Class::Observe) else {
        let next = "add class `observe` to the bundle: `bartizan bundle show`, edit, `bartizan bundle propose`";
        return Err(fail(Code::Error, "the bundle has no class `observe`", next));
    };
    let life_s = wish.days.saturating_mul(limits::DAY_S);
    if life_s > rule.orders.life_s_max {
        let days = rule.orders.life_s_max / limits::DAY_S;
        let problem = format!("the bundle lets policies last for at most {days} days");
        return Err(fail(
            Code::Usage,
            problem,
            "give fewer `--days`, or change `orders` of class `observe`",
        ));
    }
    let place = place(console, wish)?;
    let iat = now();
    let given = Given {
        org: console.org.anchor.org(),
        bundle_min: bundle.version,
        nonce: nonce()?,
        version: next_version(console, &place, file.name())?,
        place,
        iat,
        until: iat.plus(life_s),
    };
    Ok(Envelope::new(&file.statement(given)?))
}

fn sign(context: &Context, console: &Console, options: &SignOptions) -> Result<()> {
    let wish = Wish {
        tenant: options.tenant.clone(),
        site: options.site.clone(),
        endpoint: options.endpoint,
        days: options.days,
    };
    let file = monitoring::read(options.file.as_deref())?;
    let mut envelope = compose(console, file, &wish)?;
    send_signed(context, console, &mut envelope, (SignatureRole::Author, "Sign this policy?"))?;
    let waits = stand_behind_policy(&console.trust.bundle, &envelope.statement()?, &envelope).err();
    let text = match waits {
        None => format!("{} signed; endpoints of its place take it in", envelope.id()),
        Some(_) => format!("{} signed; it waits for `bartizan policy approve`", envelope.id()),
    };
    let words = render::words(&envelope);
    context.terminal.result(
        &json!({ "policy": envelope.id(), "words": words, "waits": waits.map(Refusal::code) }),
        &text,
    )
}

fn place(console: &Console, wish: &Wish) -> Result<PolicyPlace> {
    if let Some(endpoint) = wish.endpoint {
        let detail: EndpointDetail = console.api.fetch(&endpoint_path(&endpoint))?;
        // The server's word: an endpoint of another tenant refuses.
        let Some(tenant) = detail.row.tenant else {
            let next = "admit it first: `bartizan endpoint admit`";
            return Err(fail(Code::Error, "the endpoint belongs to no tenant yet", next));
        };
        return Ok(PolicyPlace::Endpoint { tenant, endpoint });
    }
    Ok(match (wish.tenant.clone(), wish.site.clone()) {
        (Some(tenant), Some(site)) => PolicyPlace::Site { tenant, site },
        (Some(tenant), None) => PolicyPlace::Tenant { tenant },
        (None, _) => PolicyPlace::Org {},
    })
}

/// One more than any the server shows. A server that hides some makes a policy that endpoints refuse, and nothing worse.
fn next_version(console: &Console, place: &PolicyPlace, name: &str) -> Result<u64> {
    let list: PolicyList = console.api.fetch("/v1/policies")?;
    let mut newest = 0;
    for row in &list.policies {
        let (_, policy) = read(console, row)?;
        if policy.place == *place && policy.name == name {
            newest = newest.max(policy.version);
        }
    }
    Ok(newest.saturating_add(1))
}

fn approve(context: &Context, console: &Console, id: StatementId) -> Result<()> {
    let (_, mut envelope, _) = fetch(console, id)?;
    let how = (SignatureRole::Approve, "Countersign this policy?");
    send_signed(context, console, &mut envelope, how)?;
    context.terminal.result(&json!({ "policy": id }), &format!("{id} countersigned"))
}

/// Shows, asks, signs, sends.
fn send_signed(
    context: &Context,
    console: &Console,
    envelope: &mut Envelope,
    (role, question): (SignatureRole, &str),
) -> Result<()> {
    context.terminal.show(&render::statement(envelope)?)?;
    context.terminal.confirm(question)?;
    Signer::open(&context.home, context.key.as_deref())?.sign(envelope, role)?;
    mine::remember(&context.home, envelope)?;
    submit(context, console, envelope).map(drop)
}

/// Sends a policy that was signed.
pub(crate) fn submit(context: &Context, console: &Console, envelope: &Envelope) -> Result<Stored> {
    let stored = console.api.send("/v1/policies", &session::body(envelope))?;
    witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    Ok(stored)
}

/// One policy, and where it stands by the server's word.
pub(crate) fn fetch(
    console: &Console,
    id: StatementId,
) -> Result<(PolicyDetail, Envelope, MonitoringPolicy)> {
    let detail: PolicyDetail = console.api.fetch(&format!("/v1/policies/{id}"))?;
    let (envelope, policy) = read(console, &detail.policy)?;
    if envelope.id() != id {
        return Err(another());
    }
    Ok((detail, envelope, policy))
}

/// What the server shows is a policy of this organisation with the id it says.
pub(crate) fn read(console: &Console, row: &PolicyRow) -> Result<(Envelope, MonitoringPolicy)> {
    let bytes = BASE64.decode(row.envelope.as_bytes()).context("read a policy")?;
    let envelope = Envelope::decode(&bytes).context("read a policy")?;
    let policy: MonitoringPolicy = envelope.statement().context("read a policy")?;
    if envelope.id() != row.id || policy.org != console.org.anchor.org() {
        return Err(another());
    }
    Ok((envelope, policy))
}

fn another() -> anyhow::Error {
    let next = "tell the other operators, and look at `bartizan log verify`";
    refused("the server shows another policy than the one it names", next)
}

fn list(context: &Context, console: &Console) -> Result<()> {
    let list: PolicyList = console.api.fetch("/v1/policies")?;
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for row in &list.policies {
        let (envelope, policy) = read(console, row)?;
        let problem = stand_behind_policy(&console.trust.bundle, &policy, &envelope).err();
        let state = problem.map_or(row.state.as_str(), |problem| problem.code());
        rows.push(vec![
            row.id.to_string().chars().take(15).collect(),
            cell(&policy.name),
            policy.version.to_string(),
            words::place(&policy.place),
            policy.checks.len().to_string(),
            cell(state),
            render::date(policy.until),
        ]);
        shown.push(json!({
            "id": row.id, "name": policy.name, "version": policy.version, "place": policy.place,
            "checks": policy.checks.len(), "state": row.state, "problem": problem.map(Refusal::code), "until": policy.until,
        }));
    }
    let text = if rows.is_empty() {
        "no policies; `bartizan policy sign --defaults` signs one that is useful everywhere"
            .to_owned()
    } else {
        table(&["POLICY", "NAME", "VERSION", "WHERE", "CHECKS", "STATE", "UNTIL"], &rows)
    };
    context.terminal.result(&json!({ "policies": shown }), &text)
}

fn show(context: &Context, console: &Console, id: StatementId) -> Result<()> {
    let (detail, envelope, _) = fetch(console, id)?;
    let rows: Vec<Vec<String>> = detail
        .targets
        .iter()
        .map(|target| {
            let code = target.code.as_deref().map_or_else(String::new, cell);
            vec![target.endpoint.to_string(), standing(&target.state).to_owned(), code]
        })
        .collect();
    let text = render::statement(&envelope)? + &table(&["ENDPOINT", "STATE", "CODE"], &rows);
    let state = &detail.policy.state;
    context.terminal.result(
        &json!({ "policy": id, "state": state, "endpoints": detail.targets }),
        &format!("{text}\nstate   {}", cell(state)),
    )
}

/// How far a policy is on an endpoint, in words.
pub(crate) fn standing(state: &str) -> &'static str {
    match state {
        "queued" | "delivered" => "on its way",
        "running" => "stands",
        "refused" => "refused",
        "done" => "over",
        _ => "?",
    }
}

fn withdraw(context: &Context, console: &Console, id: StatementId, reason: &str) -> Result<()> {
    let withdrawal = withdrawal(console, id, reason)?;
    let stored = control::sign_and_send(context, console, &withdrawal, SignatureRole::Freeze)?;
    control::done_or_waiting(context, &stored, "takes it back")
}

/// What takes a policy back, to be signed.
pub(crate) fn withdrawal(console: &Console, id: StatementId, reason: &str) -> Result<Withdrawal> {
    if console.view.withdrawals.contains(&id) {
        return Err(fail(Code::Error, "it was taken back before", "see `bartizan policy list`"));
    }
    let (_, _, policy) = fetch(console, id)?;
    let iat = now();
    // Known for as long as it could be taken in.
    let exp = policy.until.max(iat.plus(limits::DAY_S)).min(iat.plus(limits::ORDER_S_MAX));
    Ok(Withdrawal {
        v: V1,
        org: console.org.anchor.org(),
        iat,
        crit: Vec::new(),
        job: id,
        exp,
        reason: reason.to_owned(),
    })
}

/// Policies of an endpoint's places.
#[derive(Debug)]
pub(crate) struct OfEndpoint {
    /// Those that stand there.
    pub(crate) standing: Vec<(StatementId, MonitoringPolicy)>,
    /// Those that do not, by name, and why.
    pub(crate) left_out: Vec<(StatementId, String, String)>,
}

/// What the server shows of them, verified here.
pub(crate) fn of_endpoint(console: &Console, endpoint: EndpointId) -> Result<OfEndpoint> {
    let answer: EndpointPolicies =
        console.api.fetch(&format!("{}/policies", endpoint_path(&endpoint)))?;
    let mut found = OfEndpoint { standing: Vec::new(), left_out: Vec::new() };
    for (row, target) in answer.policies.iter().zip(&answer.targets) {
        let (envelope, policy) = read(console, row)?;
        match stand_behind_policy(&console.trust.bundle, &policy, &envelope) {
            Ok(()) if target.state == "running" => found.standing.push((envelope.id(), policy)),
            Ok(()) => found.left_out.push((
                envelope.id(),
                policy.name,
                target.code.clone().unwrap_or_else(|| standing(&target.state).to_owned()),
            )),
            Err(refusal) => {
                found.left_out.push((envelope.id(), policy.name, refusal.code().to_owned()));
            }
        }
    }
    Ok(found)
}

/// By the same function that endpoints use.
fn explain(
    context: &Context,
    console: &Console,
    endpoint: EndpointId,
    only: Option<&str>,
) -> Result<()> {
    let OfEndpoint { standing: policies, left_out } = of_endpoint(console, endpoint)?;
    let by_id: Vec<_> = policies.iter().map(|(id, policy)| (*id, policy)).collect();
    let found = effective(&by_id);
    let wanted = |check: &EffectiveCheck<'_>| only.is_none_or(|only| check.check.id == only);
    let mut text = String::new();
    for check in found.checks.iter().filter(|check| wanted(check)) {
        text += &format!("{}\n  runs because of {}\n", words::line(check.check), named(check));
    }
    for passed in found.passed_over.iter().filter(|passed| wanted(&passed.check)) {
        text += &format!(
            "{}\n  does not run: {}\n",
            words::line(passed.check.check),
            because(&found, passed)
        );
    }
    for (_, name, why) in &left_out {
        text += &format!("policy {} does not stand there: {}\n", cell(name), cell(why));
    }
    if text.is_empty() {
        text += "it looks at nothing";
    }
    let shown = json!({
        "endpoint": endpoint,
        "checks": found.checks.iter().filter(|check| wanted(check)).map(check_json).collect::<Vec<_>>(),
        "passed_over": found.passed_over.iter().filter(|passed| wanted(&passed.check)).map(|passed| {
            json!({ "check": check_json(&passed.check), "why": because(&found, passed) })
        }).collect::<Vec<_>>(),
        "policies_not_there": left_out.iter().map(|(_, name, why)| (name, why)).collect::<Vec<_>>(),
    });
    context.terminal.result(&shown, text.trim_end())
}

fn check_json(check: &EffectiveCheck<'_>) -> Value {
    json!({
        "id": check.check.id, "policy": check.policy, "name": check.from.name, "version": check.from.version,
        "place": check.from.place, "check": check.check,
    })
}

pub(crate) fn named(check: &EffectiveCheck<'_>) -> String {
    let from = check.from;
    format!(
        "policy {} version {} for {}",
        cell(&from.name),
        from.version,
        words::place(&from.place)
    )
}

pub(crate) fn because(found: &Effective<'_>, passed: &PassedOver<'_>) -> String {
    let policy = |id: StatementId| {
        let known = found.checks.iter().find(|check| check.policy == id);
        known.map_or_else(|| format!("policy {id}"), named)
    };
    let own = named(&passed.check);
    match passed.why {
        Why::Blocked(by) => {
            format!("{own} is wider, and {} wants none of the wider ones", policy(by))
        }
        Why::Excluded(by) => format!("{own} names it, and {} leaves it out", policy(by)),
        Why::Replaced(by) => format!("{own} names it, and {} has one of the same name", policy(by)),
        Why::Beyond => format!(
            "{own} names it, and an endpoint does at most {} checks, {} of them over the network",
            limits::EFFECTIVE_CHECKS_MAX,
            limits::NETWORK_CHECKS_MAX
        ),
    }
}
