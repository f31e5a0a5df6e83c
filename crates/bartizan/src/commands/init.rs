//! `init`, `join`, `org`: an organisation comes into being on its operators' computers.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{EnvelopeBody, ServerIdentity, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OperatorId, OrgId};
use bartizan_trust::json::Validate;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{
    Bundle, BundleLimits, Class, ClassRule, LogRule, Operator, OperatorRole, OrderRule, Recovery,
    RootRule, Server, SignatureRole, TenantScope, UserCheck, V1,
};
use bartizan_trust::words::eight_words;
use clap::Args;
use serde_json::json;

use super::keys::{Card, WitnessCard};
use super::recovery::PublicHalves;
use super::{Context, File, options, policy};
use crate::api::session;
use crate::api::tls::Pin;
use crate::exit::{Code, fail, refused};
use crate::home::{OrgFile, now, read_bounded, write_private};
use crate::keys::Signer;
use crate::mine;
use crate::sign::render;
use crate::witness;

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;

/// `bartizan init …`
#[derive(Debug, Args)]
pub(crate) struct InitOptions {
    /// Your short name
    #[arg(long, value_parser = options::slug::<OperatorId>, requires = "name")]
    id: Option<OperatorId>,
    /// Your name
    #[arg(long)]
    name: Option<String>,
    /// Cards of the other operators (`bartizan card`)
    #[arg(long = "with", num_args = 1..)]
    cards: Vec<File>,
    /// Guardians: files that `bartizan witness key` printed
    #[arg(long = "witness", num_args = 1..)]
    guardians: Vec<File>,
    /// The server: the file that `bartizan-server identity` printed; with --publish its operator plane, host:port
    #[arg(long)]
    server: Option<String>,
    /// How many operators change the bundle
    #[arg(long, default_value_t = 2)]
    threshold: u32,
    /// Where to write the bundle
    #[arg(long, default_value = "genesis.json")]
    out: File,
    /// The recovery key: recovery.json, which `bartizan recovery new` made
    #[arg(long)]
    recovery: Option<File>,
    /// How long a recovery waits, so that it can be vetoed
    #[arg(long, default_value = "72h", value_parser = options::seconds)]
    recovery_delay: u64,
    /// Most endpoints of one job of class `change` (for large fleets)
    #[arg(long, default_value_t = 250)]
    change_endpoints_max: u32,
    /// Add your signature to a bundle that another operator made
    #[arg(long, conflicts_with_all = ["id", "publish"])]
    countersign: Option<File>,
    /// Hand a complete bundle to the server
    #[arg(long, requires = "server")]
    publish: Option<File>,
}

pub(crate) fn run(context: &Context, options: &InitOptions) -> Result<()> {
    if let Some(path) = &options.countersign {
        return countersign(context, path);
    }
    if let (Some(path), Some(server)) = (&options.publish, &options.server) {
        return publish(context, path, server);
    }
    let (Some(id), Some(name), Some(server)) = (&options.id, &options.name, &options.server) else {
        return Err(fail(
            Code::Usage,
            "too few options",
            "give --id, --name and --server; or --countersign FILE; or --publish FILE --server host:port",
        ));
    };
    if options.out.exists() {
        let problem = format!("{} exists; others may have signed it", options.out.display());
        return Err(fail(Code::Error, problem, "choose another --out, or move it away"));
    }
    let identity: ServerIdentity = serde_json::from_slice(&read_bounded(Path::new(server))?)
        .with_context(|| format!("read {server}; make it with `bartizan-server identity`"))?;
    let mut cards = vec![Card::own(context, id, name)?];
    for path in &options.cards {
        let card = serde_json::from_slice(&read_bounded(path)?);
        cards.push(card.with_context(|| format!("read the card {}", path.display()))?);
    }
    cards.sort_by(|a, b| a.id.cmp(&b.id));
    let mut witnesses: Vec<(String, String)> =
        cards.iter().map(|card| (card.id.name().to_owned(), card.witness.clone())).collect();
    for path in &options.guardians {
        let card = serde_json::from_slice(&read_bounded(path)?);
        let card: WitnessCard =
            card.with_context(|| format!("read the witness's card {}", path.display()))?;
        witnesses.push((card.name, card.witness));
    }
    let mut bundle = propose(&cards, &witnesses, &identity, options)?;
    bundle.recovery.delay_s = options.recovery_delay;
    match &options.recovery {
        Some(path) => PublicHalves::read(path)?.put_into(&mut bundle)?,
        None => eprintln!(
            "WARNING: no recovery key. Whoever loses a person cannot replace them; see `bartizan recovery new`."
        ),
    }
    if options.recovery_delay < DAY_S {
        eprintln!("WARNING: a recovery that waits less than a day can hardly be vetoed.");
    }
    if let Err(problem) = bundle.validate() {
        return Err(fail(
            Code::Error,
            format!("this bundle would be invalid: {problem}"),
            "change the options and try again",
        ));
    }
    let mut envelope = Envelope::new(&bundle);
    sign(context, &mut envelope)?;
    write_private(&options.out, &envelope.encode())?;
    let next = format!("the others run: bartizan init --countersign {}", options.out.display());
    show(context, &envelope, &next)
}

fn propose(
    cards: &[Card],
    witnesses: &[(String, String)],
    identity: &ServerIdentity,
    options: &InitOptions,
) -> Result<Bundle> {
    let operators = cards.iter().map(operator).collect::<Result<Vec<_>>>()?;
    let hardware = operators.iter().flat_map(|operator| &operator.keys).all(|key| {
        PublicKey::parse_openssh(&key.ssh).is_ok_and(|key| key.key_type().is_hardware())
    });
    if !hardware {
        eprintln!(
            "WARNING: software keys. Whoever copies such a file is that operator, so no class can demand a touch. Use security keys outside of a lab."
        );
    }
    let check = if hardware { UserCheck::Verification } else { UserCheck::None };
    let now = now();
    Ok(Bundle {
        v: V1,
        org: None,
        iat: now,
        crit: Vec::new(),
        version: 1,
        prev: None,
        expires: now.plus(365 * DAY_S),
        root: RootRule { threshold: options.threshold },
        recovery: Recovery { keys: Vec::new(), delay_s: 3 * DAY_S },
        weaken_delay_s: DAY_S,
        classes: classes(check, witnesses.len(), options.change_endpoints_max),
        limits: BundleLimits { timeout_s_max: 24 * 3600, output_max: 8 * 1024 * 1024 },
        log: LogRule {
            control: identity.control_vkey.clone(),
            jobs: identity.jobs_vkey.clone(),
            policy: policy::write(witnesses, None),
        },
        servers: vec![Server { addresses: identity.agent_addresses.clone(), spki: identity.spki }],
        mirrors: Vec::new(),
        customers: Vec::new(),
        tenants: Vec::new(),
        min_agent: "0.1.0".to_owned(),
        min_statement: 1,
        operators,
    })
}

fn operator(card: &Card) -> Result<Operator> {
    Ok(Operator {
        id: card.id.clone(),
        name: card.name.clone(),
        roles: vec![
            OperatorRole::Author,
            OperatorRole::Approve,
            OperatorRole::Root,
            OperatorRole::Enroll,
            OperatorRole::Freeze,
            OperatorRole::Promote,
        ],
        tenants: TenantScope::All,
        keys: vec![card.operator_key("from the operator's card")?],
    })
}

/// The mildest class; the others are what it is but for what they say.
fn observe() -> ClassRule {
    ClassRule {
        class: Class::Observe,
        approvals: 0,
        user_check: UserCheck::None,
        endpoints_new_max: 100_000,
        endpoints_max: 100_000,
        stages_min: 1,
        first_stage_max: 100_000,
        soak_s_min: 0,
        delay_s: 0,
        freshness_s: DAY_S,
        window_s_max: 7 * DAY_S,
        jobs_per_hour_max: 600,
        operator_jobs_per_hour_max: 600,
        witnesses: "any-one".to_owned(),
        orders: OrderRule {
            life_s_max: 90 * DAY_S,
            freshness_s_max: 14 * DAY_S,
            runs_per_hour_max: 600,
        },
    }
}

fn classes(check: UserCheck, witnesses: usize, change_endpoints_max: u32) -> Vec<ClassRule> {
    let two = if witnesses > 1 { "any-two" } else { "any-one" };
    let base = observe();
    vec![
        base.clone(),
        ClassRule {
            class: Class::Routine,
            user_check: check,
            endpoints_new_max: 10,
            endpoints_max: 50,
            freshness_s: HOUR_S,
            window_s_max: DAY_S,
            jobs_per_hour_max: 60,
            operator_jobs_per_hour_max: 60,
            orders: OrderRule { freshness_s_max: 7 * DAY_S, runs_per_hour_max: 120, ..base.orders },
            ..base.clone()
        },
        ClassRule {
            class: Class::Change,
            approvals: 1,
            user_check: check,
            endpoints_new_max: change_endpoints_max,
            endpoints_max: change_endpoints_max,
            // A few first, then the rest as soon as somebody has seen them end well. One endpoint has one stage.
            stages_min: 2,
            first_stage_max: 25,
            freshness_s: HOUR_S,
            jobs_per_hour_max: 60,
            operator_jobs_per_hour_max: 60,
            witnesses: two.to_owned(),
            orders: OrderRule {
                life_s_max: 30 * DAY_S,
                freshness_s_max: 7 * DAY_S,
                runs_per_hour_max: 60,
            },
            ..base.clone()
        },
        ClassRule {
            class: Class::Fleet,
            approvals: 1,
            user_check: check,
            stages_min: 3,
            first_stage_max: 25,
            soak_s_min: 1800,
            delay_s: 900,
            freshness_s: 600,
            jobs_per_hour_max: 10,
            operator_jobs_per_hour_max: 30,
            witnesses: two.to_owned(),
            orders: OrderRule::NONE,
            ..base.clone()
        },
        ClassRule {
            class: Class::Update,
            // As many root operators as change the bundle must sign, whatever stands here.
            approvals: 0,
            user_check: check,
            freshness_s: HOUR_S,
            jobs_per_hour_max: 10,
            operator_jobs_per_hour_max: 30,
            witnesses: two.to_owned(),
            orders: OrderRule::NONE,
            ..base
        },
    ]
}

fn countersign(context: &Context, path: &Path) -> Result<()> {
    let mut envelope = Envelope::decode(&read_bounded(path)?)
        .with_context(|| format!("read {}", path.display()))?;
    sign(context, &mut envelope)?;
    write_private(path, &envelope.encode())?;
    let next = format!(
        "when enough have signed: bartizan init --publish {} --server host:port",
        path.display()
    );
    show(context, &envelope, &next)
}

fn sign(context: &Context, envelope: &mut Envelope) -> Result<()> {
    context.terminal.show(&render::statement(envelope)?)?;
    context.terminal.confirm("Do the other operators see the same words? Sign this bundle?")?;
    Signer::open(&context.home, context.key.as_deref())?.sign(envelope, SignatureRole::Root)?;
    mine::remember(&context.home, envelope)
}

fn show(context: &Context, envelope: &Envelope, next: &str) -> Result<()> {
    let anchor = Anchor::new(OrgId::new(*envelope.id().hash()));
    let words = render::words(envelope);
    let shown =
        json!({ "anchor": anchor, "words": words, "signatures": envelope.signature_count() });
    context.terminal.result(&shown, &format!("signed; anchor {anchor}\n{next}"))
}

fn publish(context: &Context, path: &Path, address: &str) -> Result<()> {
    let envelope = Envelope::decode(&read_bounded(path)?)
        .with_context(|| format!("read {}", path.display()))?;
    let anchor = Anchor::new(OrgId::new(*envelope.id().hash()));
    check_free(context, anchor)?;
    let genesis = crate::trust::genesis(&envelope.encode(), anchor)?;
    let spkis: Vec<_> = genesis.bundle.servers.iter().map(|server| server.spki).collect();
    let api = session::stranger(address, Pin::Keys(spkis))?;
    let _: Stored = api.send(
        "/v1/genesis",
        &EnvelopeBody { envelope: data_encoding::BASE64.encode(&envelope.encode()) },
    )?;
    let spki = api.server_key()?;
    finish(context, &OrgFile { anchor, server: api.address().to_owned(), spki })
}

/// Becomes part of an organisation that exists: believes nothing but the anchor.
pub(crate) fn join(context: &Context, anchor: Anchor, address: &str) -> Result<()> {
    check_free(context, anchor)?;
    let api = session::stranger(address, Pin::FirstContact)?;
    let spki = api.server_key()?;
    finish(context, &OrgFile { anchor, server: api.address().to_owned(), spki })
}

/// One home, one organisation: its memory of the logs must not be mixed with another's.
fn check_free(context: &Context, anchor: Anchor) -> Result<()> {
    match context.home.load::<OrgFile>("org.json")? {
        Some(org) if org.anchor != anchor => Err(fail(
            Code::Error,
            format!("this console belongs to the organisation {} already", org.anchor),
            "use another directory for this one: --home DIR",
        )),
        Some(_) | None => Ok(()),
    }
}

fn finish(context: &Context, org: &OrgFile) -> Result<()> {
    let api = session::open(&context.home, org, context.key.as_deref())?;
    let trust = crate::trust::current_view(&api, org.anchor)?.chain.current;
    if !trust.bundle.servers.iter().any(|server| server.spki == org.spki) {
        let next = "check the address; if it is right, somebody stands in between";
        return Err(refused("this server's key is not in the organisation's bundle", next));
    }
    context.home.save("org.json", org)?;
    witness::cosign_both(&context.home, &api, &trust.bundle)?;
    show_org(context)
}

/// The organisation of this console.
pub(crate) fn show_org(context: &Context) -> Result<()> {
    let org = context.home.org()?;
    let words = eight_words(org.anchor.org().hash());
    let warning = crate::expiry::warning(&context.home)?;
    let shown = json!({
        "anchor": org.anchor, "org": org.anchor.org(), "words": words, "server": org.server, "warning": warning,
    });
    let mut text = format!("anchor {}\nwords  {words}\nserver {}", org.anchor, org.server);
    if let Some(warning) = warning {
        text += &format!("\n{warning}");
    }
    context.terminal.result(&shown, &text)
}
