//! How an organisation comes into being, and how a console becomes part of one. The command line and the console's pages ask
//! the people; what is made of the answers is decided here.

use anyhow::Result;
use bartizan_proto::operator::{EnvelopeBody, ServerIdentity, Stored};
use bartizan_trust::control;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, OrgId};
use bartizan_trust::json::Validate as _;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{
    Bundle, BundleLimits, Class, ClassRule, LogRule, OrderRule, Recovery, RootRule, Server,
    UserCheck, V1,
};

use crate::api::Api;
use crate::api::session;
use crate::api::tls::Pin;
use crate::commands::keys::{Card, WitnessCard};
use crate::commands::operator::person;
use crate::commands::policy;
use crate::commands::recovery::PublicHalves;
use crate::exit::{Code, coded, fail, refused};
use crate::home::{Home, OrgFile, now};
use crate::witness;

const HOUR_S: u64 = 3600;
const DAY_S: u64 = 24 * HOUR_S;
/// What a recovery waits, so that it can be vetoed.
pub(crate) const RECOVERY_DELAY_S: u64 = 3 * DAY_S;
/// Most endpoints of one job of class `change`.
pub(crate) const CHANGE_ENDPOINTS_MAX: u32 = 250;

/// What is asked of whoever founds an organisation.
pub(crate) struct Wish<'a> {
    /// Everybody's, the founder's among them.
    pub(crate) cards: Vec<Card>,
    /// Guardians that watch besides the people's consoles.
    pub(crate) guardians: Vec<WitnessCard>,
    /// What `bartizan-server identity` printed.
    pub(crate) identity: &'a ServerIdentity,
    /// How many operators change the bundle.
    pub(crate) threshold: u32,
    /// The recovery key, and a spare witness.
    pub(crate) recovery: Option<PublicHalves>,
    pub(crate) recovery_delay_s: u64,
    pub(crate) change_endpoints_max: u32,
}

/// The first bundle.
pub(crate) fn genesis(wish: Wish<'_>) -> Result<Bundle> {
    let Wish { mut cards, guardians, identity, .. } = wish;
    cards.sort_by(|a, b| a.id.cmp(&b.id));
    let people = cards.iter().map(|card| (card.id.name().to_owned(), card.witness.clone()));
    let witnesses: Vec<policy::Witness> =
        people.chain(guardians.into_iter().map(|card| (card.name, card.witness))).collect();
    let operators = cards.iter().map(person).collect::<Result<Vec<_>>>()?;
    let hardware =
        operators.iter().flat_map(|operator| &operator.keys).all(|key| is_hardware(&key.ssh));
    let check = if hardware { UserCheck::Verification } else { UserCheck::None };
    let now = now();
    let mut bundle = Bundle {
        v: V1,
        org: None,
        iat: now,
        crit: Vec::new(),
        version: 1,
        prev: None,
        expires: now.plus(365 * DAY_S),
        root: RootRule { threshold: wish.threshold },
        recovery: Recovery { keys: Vec::new(), delay_s: wish.recovery_delay_s },
        weaken_delay_s: DAY_S,
        classes: classes(check, witnesses.len(), wish.change_endpoints_max),
        limits: BundleLimits { timeout_s_max: 24 * 3600, output_max: 8 * 1024 * 1024 },
        log: LogRule {
            control: identity.control_vkey.clone(),
            jobs: identity.jobs_vkey.clone(),
            policy: policy::write(&witnesses, None),
        },
        servers: vec![Server { addresses: identity.agent_addresses.clone(), spki: identity.spki }],
        mirrors: Vec::new(),
        customers: Vec::new(),
        tenants: Vec::new(),
        min_agent: "0.1.0".to_owned(),
        min_statement: 1,
        operators,
    };
    if let Some(recovery) = &wish.recovery {
        recovery.put_into(&mut bundle)?;
    }
    bundle.validate().map_err(|problem| {
        let problem = format!("this bundle would be invalid: {problem}");
        fail(Code::Error, problem, "change what you wrote and try again")
    })?;
    Ok(bundle)
}

fn is_hardware(ssh: &str) -> bool {
    PublicKey::parse_openssh(ssh).is_ok_and(|key| key.key_type().is_hardware())
}

/// What whoever founds should know of this bundle before signing it.
pub(crate) fn warnings(bundle: &Bundle) -> Vec<&'static str> {
    let mut found = Vec::new();
    if !bundle.operators.iter().flat_map(|operator| &operator.keys).all(|key| is_hardware(&key.ssh))
    {
        found.push("Software keys. Whoever copies such a file is that operator, so no class can demand a touch. Use security keys outside of a lab.");
    }
    if bundle.recovery.keys.is_empty() {
        found.push("No recovery key. Whoever loses a person cannot replace them; see `bartizan recovery new`.");
    }
    if bundle.recovery.delay_s < DAY_S {
        found.push("A recovery that waits less than a day can hardly be vetoed.");
    }
    found
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

/// What the organisation of a first bundle is known by.
pub(crate) fn anchor_of(envelope: &Envelope) -> Anchor {
    Anchor::new(OrgId::new(*envelope.id().hash()))
}

/// Whether enough people have signed a first bundle.
pub(crate) fn is_complete(envelope: &Envelope) -> bool {
    control::genesis(envelope).is_ok()
}

/// Hands a complete first bundle to the server that it names, at `host:port` of the operator plane.
pub(crate) fn publish(envelope: &Envelope, address: &str) -> Result<OrgFile> {
    let anchor = anchor_of(envelope);
    let genesis = crate::trust::genesis(&envelope.encode(), anchor)?;
    let api = session::stranger(address, server_of(&genesis.bundle))?;
    let body = EnvelopeBody { envelope: data_encoding::BASE64.encode(&envelope.encode()) };
    let _: Stored = api.send("/v1/genesis", &body)?;
    Ok(OrgFile { anchor, server: api.address().to_owned(), spki: api.server_key()? })
}

/// Nobody but a server that the bundle names.
pub(crate) fn server_of(bundle: &Bundle) -> Pin {
    Pin::Keys(bundle.servers.iter().map(|server| server.spki).collect())
}

/// An organisation by its anchor, at a server whose key is believed once the log has confirmed it.
pub(crate) fn at(anchor: Anchor, address: &str) -> Result<OrgFile> {
    let api = session::stranger(address, Pin::FirstContact)?;
    let spki = api.server_key()?;
    Ok(OrgFile { anchor, server: api.address().to_owned(), spki })
}

/// One home, one organisation: its memory of the logs must not be mixed with another's.
pub(crate) fn check_free(home: &Home, anchor: Anchor) -> Result<()> {
    match home.load::<OrgFile>("org.json")? {
        Some(org) if org.anchor != anchor => Err(fail(
            Code::Error,
            format!("this console belongs to the organisation {} already", org.anchor),
            "use another directory for this one: --home DIR",
        )),
        Some(_) | None => Ok(()),
    }
}

/// No organisation at all: what founds one or joins one is asked here.
pub(crate) fn check_none(home: &Home) -> Result<()> {
    match home.load::<OrgFile>("org.json")? {
        None => Ok(()),
        Some(org) => Err(coded(
            Code::Error,
            "founding.over",
            format!("this console belongs to the organisation {} already", org.anchor),
            "reload the page; for another organisation, start a console with another --home",
        )),
    }
}

/// Becomes part of an organisation: believes nothing but what leads back to the anchor.
pub(crate) fn enter(home: &Home, org: &OrgFile, api: &Api) -> Result<()> {
    let trust = crate::trust::current_view(api, org.anchor)?.chain.current;
    if !trust.bundle.servers.iter().any(|server| server.spki == org.spki) {
        let next = "check the address; if it is right, somebody stands in between";
        return Err(refused("this server's key is not in the organisation's bundle", next));
    }
    home.save("org.json", org)?;
    witness::cosign_both(home, api, &trust.bundle)?;
    Ok(())
}
