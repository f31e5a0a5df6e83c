//! What `docs/spec/verification.md` says, read by someone who does not care about speed, bytes or proofs.
//!
//! It is given what is *true* of a delivery (who really signed, what really stands in the log) and remembers
//! everything for ever. The crate is given bytes. The two must agree.

use std::collections::BTreeSet;

use super::*;

/// A person of the organisation, as the bundle has them.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub name: &'static str,
    pub roles: Vec<OperatorRole>,
    pub acme: bool,
    pub globex: bool,
    /// The hardware key of this person counts only with user verification.
    pub hardware_needs_verification: bool,
}

/// What the bundle demands.
#[derive(Debug, Clone)]
pub(super) struct Rules {
    pub members: Vec<Member>,
    pub classes: Vec<ClassRule>,
    pub acme_owner_signs_from: Option<Class>,
    /// How many endpoints the bundle says that acme has.
    pub acme_endpoints: Option<u32>,
    pub expires: u64,
    pub min_statement: u32,
    pub min_agent_met: bool,
}

/// With what a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Device {
    Software,
    Touched,
    Verified,
}

/// One signature, as it came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signed {
    pub who: &'static str,
    pub role: SignatureRole,
    pub device: Device,
    /// Over these very bytes.
    pub true_signature: bool,
}

/// What the payload type says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Job,
    JobOfTheFuture,
    Freeze,
    Promotion,
    Grant,
    Login,
    Foreign,
}

/// Content by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Script {
    Hello,
    Goodbye,
}

/// What arrived as content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Brought {
    Right,
    Wrong,
    Nothing,
}

/// What the vendor's repository says of the program that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Vendor {
    TheSame,
    AnotherVersion,
    Nothing,
}

/// A job, as its author meant it.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub id: u64,
    pub too_large: bool,
    pub garbage: bool,
    pub kind: Kind,
    pub payload_malformed: bool,
    pub crit: bool,
    pub our_org: bool,
    pub tenant: &'static str,
    pub bundle_min: u64,
    pub class: Class,
    pub destructive: bool,
    /// It is an update instead of a script; whether to a newer version.
    pub update: Option<bool>,
    /// It is a scan instead of a script, whose rules are what the script would be; whether it brings evidence home.
    pub scan: Option<bool>,
    pub script: Script,
    pub count: u32,
    pub timeout_s: u32,
    pub stages: Vec<Wave>,
    /// A standing order: for so many seconds from its beginning.
    pub trigger: Option<u64>,
    pub made_at: u64,
    pub begins: u64,
    pub ends: u64,
    pub after: Option<u64>,
    pub signatures: Vec<Signed>,
}

/// A stage of a job.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wave {
    pub count: u32,
    pub soak_s: u64,
    pub promoters: u32,
    pub failures_percent_max: u32,
}

/// How a stage went, as a promotion has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Went {
    pub ok: u32,
    pub fail: u32,
    pub refused: u32,
    pub pending: u32,
}

/// A promotion that came with a job, as it came about.
#[derive(Debug, Clone)]
pub(super) struct Promoted {
    /// Small enough, a promotion, well-formed, of this organisation, and nothing in it that is not understood.
    pub understood: bool,
    pub of_this_job: bool,
    pub to: u32,
    pub follows_the_one_before: bool,
    pub went: Went,
    pub signatures: Vec<Signed>,
    /// Under the checkpoint that was shown, with the right place and path.
    pub logged: bool,
}

/// A witness, and when it co-signed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cosigned {
    pub who: &'static str,
    pub at: u64,
}

/// What came with it.
#[derive(Debug, Clone)]
pub(super) struct Evidence {
    pub listed_here: bool,
    /// The stage of this endpoint.
    pub stage: u32,
    pub promotions: Vec<Promoted>,
    pub proof_readable: bool,
    /// The whole log under the checkpoint shown.
    pub shown_log: Vec<u64>,
    /// Entry that the proof is of, if its place and path are right.
    pub proven_entry: Option<u64>,
    pub signed_by_log: bool,
    pub cosigned: Vec<Cosigned>,
    pub consistency_path_right: bool,
    pub content: Brought,
    pub vendor: Vendor,
}

/// What an endpoint that forgets nothing remembers.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    pub accepted: Vec<u64>,
    pub succeeded: Vec<(u64, u64)>,
    pub started: Vec<(Class, u64)>,
    /// Who has signed what was started, and when.
    pub signed: Vec<(String, u64)>,
    /// And whether it was called destructive.
    pub countersigned: BTreeSet<(Script, bool)>,
    pub log: Vec<u64>,
    pub witness_time: u64,
    pub control_seen_at: u64,
    /// Delayed jobs, and when they were first seen proven.
    pub first_seen: Vec<(u64, u64)>,
    /// Scopes that stand still, and until when by witness time.
    pub frozen: Vec<(FreezeScope, u64)>,
    /// What was taken back.
    pub withdrawn: BTreeSet<u64>,
}

/// What should come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Run,
    Stand,
    NeedContent,
    No(Refusal),
}

/// Reads the rules from top to bottom.
pub(super) fn judge(
    rules: &Rules,
    memory: &mut Memory,
    clock: u64,
    wish: &Wish,
    evidence: &Evidence,
) -> Answer {
    match steps(rules, memory, clock, wish, evidence) {
        Err(refusal) => Answer::No(refusal),
        Ok(answer) => answer,
    }
}

fn demand(holds: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err(otherwise) }
}

fn steps(
    rules: &Rules,
    memory: &mut Memory,
    clock: u64,
    wish: &Wish,
    evidence: &Evidence,
) -> Result<Answer, Refusal> {
    let now = clock.max(memory.witness_time);
    form(rules, wish)?;
    demand(!wish.crit, Refusal::CriticalUnknown)?;
    // What lifts the endpoint to the least version is the way out.
    demand(rules.min_agent_met || wish.update == Some(true), Refusal::AgentTooOld)?;
    demand(wish.our_org, Refusal::WrongOrg)?;
    demand(wish.tenant == "acme", Refusal::WrongTenant)?;
    demand(wish.bundle_min <= 1, Refusal::BundleTooOld)?;
    demand(now < rules.expires, Refusal::BundleExpired)?;
    let rule = class(rules, memory, wish)?;
    demand(wish.update != Some(false), Refusal::UpdateNotNewer)?;
    demand(wish.begins < wish.ends, Refusal::WindowInvalid)?;
    demand(wish.ends - wish.begins <= rule.window_s_max, Refusal::WindowInvalid)?;
    demand(now < wish.ends, Refusal::Expired)?;
    demand(now + 120 >= wish.begins, Refusal::TooEarly)?;
    demand(now + 120 >= wish.made_at, Refusal::TooEarly)?;
    let mut people = people(rules, rule, wish)?;
    demand(evidence.listed_here, Refusal::NotTargeted)?;
    let (time, quorum) = log(rule, memory, wish, evidence)?;
    if evidence.shown_log.len() > memory.log.len() {
        memory.log.clone_from(&evidence.shown_log);
    }
    memory.witness_time = memory.witness_time.max(time);
    let now = clock.max(memory.witness_time);
    demand(now < wish.ends, Refusal::Expired)?;
    demand(now < rules.expires, Refusal::BundleExpired)?;
    demand(!memory.accepted.contains(&wish.id), Refusal::Replayed)?;
    let soak: u64 = wish.stages[..=evidence.stage as usize].iter().map(|wave| wave.soak_s).sum();
    let mut waited = 0;
    if rule.delay_s > 0 || soak > 0 {
        demand(quorum, Refusal::NotWitnessed)?;
        let known = memory.first_seen.iter().find(|(id, _)| *id == wish.id).map(|(_, at)| *at);
        let since = known.unwrap_or(memory.witness_time);
        if known.is_none() {
            memory.first_seen.push((wish.id, since));
        }
        demand(memory.witness_time >= since + rule.delay_s, Refusal::DelayRuns)?;
        waited = memory.witness_time - since - rule.delay_s;
    }
    let signed_by = people.clone();
    people.extend(promoters(rules, rule, wish, evidence)?);
    demand(waited >= soak, Refusal::StageSoaks)?;
    demand(!memory.withdrawn.contains(&wish.id), Refusal::Withdrawn)?;
    demand(!is_frozen(memory, wish, &people), Refusal::Frozen)?;
    let control_age = now.saturating_sub(memory.control_seen_at);
    demand(control_age <= rule.freshness_s, Refusal::ControlStale)?;
    demand(is_after_done(memory, wish), Refusal::AfterMissing)?;
    rates(rule, memory, wish.class, &signed_by, now)?;
    match evidence.content {
        Brought::Nothing => return Ok(Answer::NeedContent),
        Brought::Wrong => return Err(Refusal::ContentMismatch),
        Brought::Right => {}
    }
    let vendor_agrees = wish.update.is_none() || evidence.vendor == Vendor::TheSame;
    demand(vendor_agrees, Refusal::VendorRefused)?;
    memory.accepted.push(wish.id);
    memory.started.push((wish.class, now));
    memory.signed.extend(signed_by.iter().map(|person| ((*person).to_owned(), now)));
    if signed_by.len() > 1 && wish.update.is_none() && wish.scan.is_none() {
        memory.countersigned.insert((wish.script, wish.destructive));
    }
    Ok(if wish.trigger.is_some() { Answer::Stand } else { Answer::Run })
}

/// Steps 1 to 5, as far as they can be told from the bytes.
fn form(rules: &Rules, wish: &Wish) -> Result<(), Refusal> {
    demand(!wish.too_large, Refusal::TooLarge)?;
    demand(!wish.garbage, Refusal::Malformed)?;
    match wish.kind {
        Kind::Job => {}
        Kind::JobOfTheFuture => return Err(Refusal::UnsupportedVersion),
        Kind::Grant => return Err(Refusal::UnsupportedStatement),
        Kind::Promotion | Kind::Freeze | Kind::Login | Kind::Foreign => {
            return Err(Refusal::UnknownKind);
        }
    }
    demand(rules.min_statement == 1, Refusal::UnsupportedVersion)?;
    demand(!wish.payload_malformed, Refusal::Malformed)?;
    // Standing orders run scripts.
    let script = wish.update.is_none() && wish.scan.is_none();
    demand(script || wish.trigger.is_none(), Refusal::Malformed)?;
    Ok(())
}

fn is_after_done(memory: &Memory, wish: &Wish) -> bool {
    let Some(before) = wish.after else { return true };
    // What ended well is remembered to the end of its window by witness time.
    memory.succeeded.iter().any(|(id, ends)| *id == before && *ends > memory.witness_time)
}

fn rates(
    rule: &ClassRule,
    memory: &Memory,
    class: Class,
    people: &BTreeSet<&str>,
    now: u64,
) -> Result<(), Refusal> {
    let lately = |at: u64| now.saturating_sub(at) < 3600;
    let started = memory.started.iter().filter(|(of, at)| *of == class && lately(*at)).count();
    demand(started < rule.jobs_per_hour_max as usize, Refusal::RateLimited)?;
    for person in people {
        let signed = memory.signed.iter().filter(|(who, at)| who == person && lately(*at)).count();
        let allowed = signed < rule.operator_jobs_per_hour_max as usize;
        demand(allowed, Refusal::OperatorRateLimited)?;
    }
    Ok(())
}

fn class<'r>(rules: &'r Rules, memory: &Memory, wish: &Wish) -> Result<&'r ClassRule, Refusal> {
    let script = wish.update.is_none() && wish.scan.is_none();
    let seen = script && memory.countersigned.contains(&(wish.script, wish.destructive));
    let cap = |rule: &ClassRule| if seen { rule.endpoints_max } else { rule.endpoints_new_max };
    let find = |class: Class| rules.classes.iter().find(|rule| rule.class == class);
    let enough = |class| find(class).is_some_and(|rule| wish.count <= cap(rule));
    let derived = if wish.update.is_some() {
        Class::Update
    } else if wish.scan == Some(false) && enough(Class::Observe) {
        Class::Observe
    } else if wish.destructive {
        Class::Fleet
    } else if enough(Class::Routine) {
        Class::Routine
    } else if enough(Class::Change) && rules.acme_endpoints.is_none_or(|all| wish.count <= all / 10)
    {
        Class::Change
    } else {
        Class::Fleet
    };
    let strictness = |class| match class {
        Class::Observe => 0,
        Class::Routine => 1,
        Class::Change => 2,
        Class::Fleet => 3,
        Class::Update => 4,
    };
    demand(strictness(wish.class) >= strictness(derived), Refusal::ClassTooWeak)?;
    demand(wish.update.is_some() || wish.class != Class::Update, Refusal::ClassTooWeak)?;
    let rule = find(wish.class).ok_or(Refusal::ClassUnknown)?;
    demand(wish.count <= cap(rule), Refusal::ClassCap)?;
    demand(wish.update.is_some() || wish.timeout_s <= 3600, Refusal::ClassCap)?;
    let needed = rule.stages_min.min(wish.count) as usize;
    if needed > 1 {
        demand(wish.stages.len() >= needed, Refusal::ClassStages)?;
        demand(wish.stages[0].count <= rule.first_stage_max, Refusal::ClassStages)?;
        let slow = wish.stages[1..].iter().all(|wave| wave.soak_s >= rule.soak_s_min);
        demand(slow, Refusal::ClassStages)?;
    }
    let orders = &rule.orders;
    let order = wish.trigger.is_none_or(|life| {
        life <= orders.life_s_max && 600 <= orders.freshness_s_max && orders.runs_per_hour_max > 0
    });
    demand(order, Refusal::OrderNotAllowed)?;
    Ok(rule)
}

/// Those who stand behind the job: its author and the others.
fn people<'r>(
    rules: &'r Rules,
    rule: &ClassRule,
    wish: &Wish,
) -> Result<BTreeSet<&'r str>, Refusal> {
    let count = |role, held, check| signers(rules, &wish.signatures, role, held, check);
    let authors = count(SignatureRole::Author, OperatorRole::Author, rule.user_check);
    let all_authors = count(SignatureRole::Author, OperatorRole::Author, UserCheck::None);
    demand(!all_authors.is_empty(), Refusal::AuthorMissing)?;
    demand(!authors.is_empty(), Refusal::UserCheckMissing)?;
    let others = |check| -> BTreeSet<&'r str> {
        let mut names = count(SignatureRole::Approve, OperatorRole::Approve, check);
        names.retain(|name| !all_authors.contains(name));
        names
    };
    let needed = rule.approvals as usize;
    demand(others(UserCheck::None).len() >= needed, Refusal::ApprovalsMissing)?;
    demand(others(rule.user_check).len() >= needed, Refusal::UserCheckMissing)?;
    let mut all = others(rule.user_check);
    all.extend(authors.first());
    if rule.class == Class::Update {
        let root = |name: &&str| {
            let member = rules.members.iter().find(|member| member.name == *name);
            member.is_some_and(|member| member.roles.contains(&OperatorRole::Root))
        };
        // The organisation's bundle is changed by two.
        demand(all.iter().copied().filter(root).count() >= 2, Refusal::RootMissing)?;
    }
    if rules.acme_owner_signs_from.is_some_and(|from| rule.class >= from) {
        let owner = wish.signatures.iter().any(|signed| {
            signed.who == "owner" && signed.role == SignatureRole::Customer && signed.true_signature
        });
        demand(owner, Refusal::CustomerMissing)?;
    }
    Ok(all)
}

/// Those whose signatures count in a role.
fn signers<'r>(
    rules: &'r Rules,
    signatures: &[Signed],
    role: SignatureRole,
    held: OperatorRole,
    check: UserCheck,
) -> BTreeSet<&'r str> {
    let mut names = BTreeSet::new();
    for signed in signatures.iter().filter(|s| s.role == role && s.true_signature) {
        let Some(member) = rules.members.iter().find(|member| member.name == signed.who) else {
            continue;
        };
        let key_rule = signed.device != Device::Touched || !member.hardware_needs_verification;
        let user = match check {
            UserCheck::None => true,
            UserCheck::Presence => signed.device != Device::Software,
            UserCheck::Verification => signed.device == Device::Verified,
        };
        if member.acme && member.roles.contains(&held) && key_rule && user {
            names.insert(member.name);
        }
    }
    names
}

/// Whether a freeze stands that covers the job, or the work of somebody behind it.
fn is_frozen(memory: &Memory, wish: &Wish, people: &BTreeSet<&str>) -> bool {
    let covered = |scope: &FreezeScope| match scope {
        FreezeScope::Org => true,
        FreezeScope::Tenant(tenant) => tenant.name() == wish.tenant,
        FreezeScope::Class(class) => *class == wish.class,
        FreezeScope::Operator(operator) => people.contains(operator.name()),
        FreezeScope::Job(_) | FreezeScope::Sessions => false,
    };
    let standing =
        |(scope, ends): &(FreezeScope, u64)| memory.witness_time < *ends && covered(scope);
    memory.frozen.iter().any(standing)
}

/// Those who let this endpoint's stage begin, and the stages before it.
fn promoters<'r>(
    rules: &'r Rules,
    rule: &ClassRule,
    wish: &Wish,
    evidence: &Evidence,
) -> Result<BTreeSet<&'r str>, Refusal> {
    let mut all = BTreeSet::new();
    demand(evidence.promotions.len() == evidence.stage as usize, Refusal::NotPromoted)?;
    for (before, promotion) in evidence.promotions.iter().enumerate() {
        let wave = &wish.stages[before + 1];
        let right = promotion.logged
            && promotion.understood
            && promotion.of_this_job
            && promotion.to as usize == before + 1
            && promotion.follows_the_one_before;
        demand(right, Refusal::NotPromoted)?;
        let Went { ok, fail, refused, pending } = promotion.went;
        let everybody = ok + fail + refused + pending == wish.stages[before].count;
        demand(everybody, Refusal::NotPromoted)?;
        let (role, held) = (SignatureRole::Promote, OperatorRole::Promote);
        let names = signers(rules, &promotion.signatures, role, held, rule.user_check);
        demand(names.len() >= wave.promoters as usize, Refusal::NotPromoted)?;
        let limit = wave.failures_percent_max;
        demand(100 * fail <= limit * (ok + fail), Refusal::StageFailures)?;
        demand(ok > 0 || limit == 100, Refusal::StageFailures)?;
        all.extend(names);
    }
    Ok(all)
}

/// The time of the quorum, and whether there was one.
fn log(
    rule: &ClassRule,
    memory: &Memory,
    wish: &Wish,
    evidence: &Evidence,
) -> Result<(u64, bool), Refusal> {
    demand(evidence.proof_readable, Refusal::NotLogged)?;
    demand(evidence.signed_by_log, Refusal::LogSignature)?;
    demand(evidence.proven_entry == Some(wish.id), Refusal::NotLogged)?;
    let at = |who: &str| evidence.cosigned.iter().filter(|c| c.who == who).map(|c| c.at).max();
    let (one, two) = (at("one"), at("two"));
    let both = one.and_then(|one| two.map(|two| one.min(two)));
    let satisfied = match rule.witnesses.as_str() {
        "none" => true,
        "any-one" => one.is_some() || two.is_some(),
        "both" => both.is_some(),
        other => panic!("a group the model does not know: {other}"),
    };
    demand(satisfied, Refusal::NotWitnessed)?;
    let (seen, shown) = (&memory.log, &evidence.shown_log);
    if seen != shown {
        let consistent = seen.starts_with(shown) || shown.starts_with(seen);
        let refusal = if shown.len() < seen.len() { Refusal::LogShrunk } else { Refusal::LogFork };
        demand(consistent && evidence.consistency_path_right, refusal)?;
    }
    Ok((both.unwrap_or(0), both.is_some()))
}
