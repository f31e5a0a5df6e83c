//! Organisations and histories, from proptest.

use super::model::{Device, Kind, Member, Rules, Script, Vendor, Wave, Went};
use super::*;

/// An organisation, and what happens to one of its endpoints.
#[derive(Debug, Clone)]
pub(super) struct Case {
    pub rules: Rules,
    pub steps: Vec<Step>,
}

/// One delivery.
#[derive(Debug, Clone)]
pub(super) struct Step {
    /// Seconds since the one before.
    pub wait: u64,
    /// How far the local clock is off.
    pub clock_off: i64,
    /// The control log is replayed first.
    pub catch_up: bool,
    /// Before it, something is frozen for a while, and perhaps thawed again.
    pub freeze: Option<(FreezeScope, u64, bool)>,
    /// Before it, an earlier job is taken back.
    pub withdraw: Option<usize>,
    /// If it runs, it succeeds.
    pub ends_well: bool,
    /// An earlier delivery once more, instead of a new job.
    pub again: Option<usize>,
    /// `None`: the mildest that its count and new content allow.
    pub class: Option<Class>,
    pub count: u32,
    pub script: Script,
    /// An update instead of a script; whether to a newer version.
    pub update: Option<bool>,
    pub vendor: Vendor,
    /// A scan instead of a script; whether with evidence.
    pub scan: Option<bool>,
    pub author: (&'static str, Device),
    pub approvers: Vec<(&'static str, Device)>,
    /// Later stages; their counts and those of the first are cut to fit.
    pub waves: Vec<Wave>,
    /// What comes with it, one for each later stage up to its own.
    pub promotions: Vec<PromotionStep>,
    pub oddities: Vec<Oddity>,
}

/// A promotion to a stage.
#[derive(Debug, Clone)]
pub(super) struct PromotionStep {
    pub promoters: Vec<(&'static str, Device)>,
    /// How the stage before went; `None`: all of it well.
    pub went: Option<Went>,
    pub odd: Option<PromotionOddity>,
}

/// One thing that is not as it should be about a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PromotionOddity {
    Missing,
    NotLogged,
    OtherStatement,
    TooLarge,
    Crit,
    OtherOrg,
    OtherJob,
    OtherStage,
    OtherPrev,
    BrokenSignature,
    SignedAsApprover,
}

/// One thing that is not as in an ordinary delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Oddity {
    TooLarge,
    Garbage,
    Kind(Kind),
    PayloadMalformed,
    Crit,
    OtherOrg,
    OtherTenant,
    NewerBundle,
    Destructive,
    SlowScript,
    Trigger,
    WindowBackwards,
    WindowLong,
    WindowPast,
    WindowSoon,
    WindowFuture,
    MadeAhead,
    AfterUnknown,
    AfterEarlier,
    NoAuthor,
    AuthorApproves,
    StrangerApproves,
    BrokenApproval,
    ApprovalInAnotherRole,
    OwnerSigns,
    OwnerForged,
    Unlisted,
    WrongPlace,
    WrongStage,
    ProofUnreadable,
    ProofWrong,
    OtherLogKey,
    /// That many entries of the true log left out, and that many forged ones in their place.
    Fork(usize, usize),
    OldCheckpoint(usize),
    ConsistencyWrong,
    NoWitness,
    OneWitness,
    StrangerWitness,
    OldCosignature,
    NoContent,
    OtherContent,
}

const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

fn device() -> impl Strategy<Value = Device> {
    prop_oneof![4 => Just(Device::Software), 1 => Just(Device::Touched), 3 => Just(Device::Verified)]
}

fn member(name: &'static str) -> impl Strategy<Value = Member> {
    let rarely = || prop::bool::weighted(0.07);
    let root = prop::bool::weighted(0.7);
    (rarely(), rarely(), rarely(), rarely(), rarely(), rarely(), root).prop_map(
        move |(
            no_author,
            no_approve,
            no_promote,
            no_acme,
            no_globex,
            hardware_needs_verification,
            root,
        )| {
            let mut roles =
                vec![OperatorRole::Author, OperatorRole::Approve, OperatorRole::Promote];
            roles.retain(|role| match role {
                OperatorRole::Author => !no_author,
                OperatorRole::Promote => !no_promote,
                _ => !no_approve,
            });
            // The genesis and the enrolment of every world are signed by Alice and Bob.
            roles.extend([OperatorRole::Enroll, OperatorRole::Freeze]);
            if root || name != "carol" {
                roles.push(OperatorRole::Root);
            }
            let founder = name == "alice";
            Member {
                name,
                roles,
                acme: founder || !no_acme,
                globex: !no_globex,
                hardware_needs_verification,
            }
        },
    )
}

fn class_rule(class: Class) -> impl Strategy<Value = ClassRule> {
    let approvals = match class {
        Class::Observe | Class::Routine => prop_oneof![8 => 0..=0u32, 1 => 1..=1u32],
        Class::Update => prop_oneof![1 => 0..=0u32, 4 => 1..=1u32],
        Class::Change | Class::Fleet => prop_oneof![6 => 1..=1u32, 2 => 2..=2u32],
    };
    let user_check = prop_oneof![
        6 => Just(UserCheck::None),
        1 => Just(UserCheck::Presence),
        1 => Just(UserCheck::Verification)
    ];
    let witnesses = prop_oneof![3 => Just("both"), 3 => Just("any-one"), 1 => Just("none")];
    let freshness = prop_oneof![2 => Just(1000u64), 4 => Just(100_000)];
    let rarely = || prop::bool::weighted(0.04);
    (
        (approvals, user_check, witnesses, freshness),
        (1..=4u32, 0..=4u32, 1..=3u32, prop_oneof![1 => 1..=2u32, 2 => Just(100)]),
        (
            (
                prop::option::weighted(
                    0.08,
                    (2..=3u32, 1..=2u32, prop::sample::select(&[0, 50][..])),
                ),
                rarely(),
            ),
            0..=3u64,
        ),
    )
        .prop_map(
            move |(
                (approvals, user_check, witnesses, freshness_s),
                (new, more, rate, signed),
                (odd, orders),
            )| {
                let (stages_min, first_stage_max, soak_s_min) = odd.0.unwrap_or((1, 1, 0));
                let scale = if class >= Class::Fleet { 100 } else { 1 };
                ClassRule {
                    class,
                    approvals,
                    user_check,
                    endpoints_new_max: new * scale,
                    endpoints_max: (new + more) * scale,
                    stages_min,
                    first_stage_max,
                    soak_s_min,
                    delay_s: if odd.1 { 60 } else { 0 },
                    freshness_s,
                    window_s_max: 10_000,
                    jobs_per_hour_max: rate,
                    operator_jobs_per_hour_max: signed,
                    witnesses: witnesses.to_owned(),
                    orders: OrderRule {
                        life_s_max: if orders == 0 { 0 } else { 4999 + orders },
                        freshness_s_max: 600,
                        runs_per_hour_max: 10,
                    },
                }
            },
        )
}

fn rules() -> impl Strategy<Value = Rules> {
    let members = (member("alice"), member("bob"), member("carol"));
    let classes = (
        class_rule(Class::Routine),
        class_rule(Class::Change),
        prop::option::weighted(0.8, class_rule(Class::Fleet)),
        prop::option::weighted(0.8, class_rule(Class::Update)),
        prop::option::weighted(0.7, class_rule(Class::Observe)),
    );
    let owner = prop_oneof![8 => Just(None), 1 => Just(Some(Class::Routine)), 1 => Just(Some(Class::Fleet))];
    let size = prop::option::weighted(0.2, 5..=60u32);
    let rest = (
        (owner, size),
        prop::bool::weighted(0.06),
        prop::bool::weighted(0.03),
        prop::bool::weighted(0.03),
    );
    (members, classes, rest).prop_map(
        |(members, classes, ((owner, size), ends_soon, future, new_agent))| Rules {
            members: vec![members.0, members.1, members.2],
            classes: classes
                .4
                .into_iter()
                .chain([classes.0, classes.1])
                .chain(classes.2)
                .chain(classes.3)
                .collect(),
            acme_owner_signs_from: owner,
            acme_endpoints: size,
            expires: BEGINNING.get() + if ends_soon { 4000 } else { 1_000_000 },
            min_statement: if future { 2 } else { 1 },
            min_agent_met: !new_agent,
        },
    )
}

fn oddity() -> impl Strategy<Value = Oddity> {
    let form = vec![
        Oddity::TooLarge,
        Oddity::Garbage,
        Oddity::Kind(Kind::JobOfTheFuture),
        Oddity::Kind(Kind::Freeze),
        Oddity::Kind(Kind::Promotion),
        Oddity::Kind(Kind::Grant),
        Oddity::Kind(Kind::Login),
        Oddity::Kind(Kind::Foreign),
        Oddity::PayloadMalformed,
        Oddity::Crit,
        Oddity::OtherOrg,
        Oddity::OtherTenant,
        Oddity::NewerBundle,
        Oddity::SlowScript,
        Oddity::Trigger,
        Oddity::Trigger,
        Oddity::WindowBackwards,
        Oddity::WindowLong,
        Oddity::WindowPast,
        Oddity::WindowFuture,
        Oddity::MadeAhead,
    ];
    let people = vec![
        Oddity::Destructive,
        Oddity::WindowSoon,
        Oddity::AfterUnknown,
        Oddity::AfterEarlier,
        Oddity::AfterEarlier,
        Oddity::NoAuthor,
        Oddity::AuthorApproves,
        Oddity::StrangerApproves,
        Oddity::BrokenApproval,
        Oddity::ApprovalInAnotherRole,
        Oddity::OwnerSigns,
        Oddity::OwnerForged,
    ];
    let evidence = vec![
        Oddity::Unlisted,
        Oddity::WrongPlace,
        Oddity::WrongStage,
        Oddity::ProofUnreadable,
        Oddity::ProofWrong,
        Oddity::OtherLogKey,
        Oddity::ConsistencyWrong,
        Oddity::NoWitness,
        Oddity::OneWitness,
        Oddity::StrangerWitness,
        Oddity::OldCosignature,
        Oddity::NoContent,
        Oddity::NoContent,
        Oddity::OtherContent,
    ];
    prop_oneof![
        2 => prop::sample::select(form),
        4 => prop::sample::select(people),
        4 => prop::sample::select(evidence),
        1 => (1..=3usize, 0..=2usize).prop_map(|(out, forged)| Oddity::Fork(out, forged)),
        1 => (1..=2usize).prop_map(Oddity::OldCheckpoint),
    ]
}

fn scope() -> impl Strategy<Value = FreezeScope> {
    let tenant = |name| TenantId::from_name(name).unwrap();
    let operator = |name| OperatorId::from_name(name).unwrap();
    prop::sample::select(vec![
        FreezeScope::Org,
        FreezeScope::Tenant(tenant("acme")),
        FreezeScope::Tenant(tenant("globex")),
        FreezeScope::Class(Class::Routine),
        FreezeScope::Class(Class::Fleet),
        FreezeScope::Operator(operator("alice")),
        FreezeScope::Operator(operator("carol")),
        FreezeScope::Sessions,
    ])
}

fn wave() -> impl Strategy<Value = Wave> {
    let soak = prop_oneof![3 => Just(0u64), 2 => Just(50), 1 => Just(1000)];
    let limit = prop_oneof![2 => Just(0u32), 2 => Just(50), 1 => Just(100)];
    (1..=2u32, soak, prop_oneof![3 => Just(1u32), 1 => Just(2)], limit).prop_map(
        |(count, soak_s, promoters, failures_percent_max)| Wave {
            count,
            soak_s,
            promoters,
            failures_percent_max,
        },
    )
}

fn promotion() -> impl Strategy<Value = PromotionStep> {
    let odd = prop::sample::select(vec![
        PromotionOddity::Missing,
        PromotionOddity::NotLogged,
        PromotionOddity::OtherStatement,
        PromotionOddity::TooLarge,
        PromotionOddity::Crit,
        PromotionOddity::OtherOrg,
        PromotionOddity::OtherJob,
        PromotionOddity::OtherStage,
        PromotionOddity::OtherPrev,
        PromotionOddity::BrokenSignature,
        PromotionOddity::SignedAsApprover,
    ]);
    let went = (0..=2u32, 0..=1u32, 0..=1u32, 0..=1u32)
        .prop_map(|(ok, fail, refused, pending)| Went { ok, fail, refused, pending });
    let person = (prop::sample::select(&PEOPLE[..]), device());
    let verified = |who| (who, Device::Verified);
    let enough = Just(vec![verified("carol"), verified("bob")]);
    (
        prop_oneof![1 => prop::collection::vec(person, 0..=2).boxed(), 3 => enough.boxed()],
        prop::option::weighted(0.3, went),
        prop::option::weighted(0.2, odd),
    )
        .prop_map(|(promoters, went, odd)| PromotionStep { promoters, went, odd })
}

fn step() -> impl Strategy<Value = Step> {
    let time = (
        prop_oneof![5 => 0..=60u64, 2 => 900..=1100u64, 1 => 3500..=3700u64, 1 => Just(9000)],
        prop_oneof![8 => -60..=60i64, 1 => Just(-20_000), 1 => Just(3000)],
        prop::bool::weighted(0.7),
        prop::bool::weighted(0.8),
        prop::option::weighted(0.2, 0..6usize),
        prop::option::weighted(0.12, (scope(), 30..=4000u64, prop::bool::weighted(0.3))),
        prop::option::weighted(0.08, 0..6usize),
    );
    let class = prop_oneof![
        1 => Just(Class::Observe),
        3 => Just(Class::Routine),
        3 => Just(Class::Change),
        3 => Just(Class::Fleet)
    ];
    let person = || (prop::sample::select(&PEOPLE[..]), device());
    let anyone = (person(), prop::collection::vec(person(), 0..=3));
    let verified = |who| (who, Device::Verified);
    let enough = Just((verified("alice"), vec![verified("carol"), verified("bob")]));
    let job = (
        prop::option::weighted(0.2, class),
        1..=5u32,
        prop_oneof![Just(Script::Hello), Just(Script::Goodbye)],
        prop_oneof![1 => anyone.boxed(), 2 => enough.boxed()],
        prop::option::weighted(0.15, prop::bool::weighted(0.85)),
        (
            prop_oneof![4 => Just(Vendor::TheSame), 1 => Just(Vendor::AnotherVersion), 1 => Just(Vendor::Nothing)],
            prop::option::weighted(0.15, prop::bool::weighted(0.4)),
        ),
    );
    let oddities = prop_oneof![
        4 => prop::collection::vec(oddity(), 0..=0),
        5 => prop::collection::vec(oddity(), 1..=1),
        2 => prop::collection::vec(oddity(), 2..=3),
    ];
    let waves = prop_oneof![
        3 => prop::collection::vec(wave(), 0..=0),
        3 => prop::collection::vec(wave(), 1..=2),
    ];
    let rollout = (waves, prop::collection::vec(promotion(), 2..=2));
    (time, job, rollout, oddities).prop_map(
        |(
            (wait, clock_off, catch_up, ends_well, again, freeze, withdraw),
            (class, count, script, (author, approvers), update, (vendor, scan)),
            (waves, promotions),
            oddities,
        )| {
            Step {
                wait,
                clock_off,
                catch_up,
                freeze,
                withdraw,
                ends_well,
                again,
                class,
                count,
                script,
                update,
                vendor,
                scan: scan.filter(|_| update.is_none()),
                author,
                approvers,
                waves,
                promotions,
                oddities,
            }
        },
    )
}

/// See the module.
pub(super) fn case() -> impl Strategy<Value = Case> {
    (rules(), prop::collection::vec(step(), 1..=6)).prop_map(|(rules, steps)| Case { rules, steps })
}
