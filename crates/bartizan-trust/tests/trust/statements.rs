//! Limits and forms of every statement kind: at the limit accepted, one above refused.

use bartizan_trust::id::{EndpointId, OrgId, Sha256, SiteId, StatementId, TenantId};
use bartizan_trust::json::JsonError;
use bartizan_trust::json::Validate as _;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::limits;
use bartizan_trust::note::{NoteKeyType, VerifierKey};
use bartizan_trust::statement::*;
use bartizan_trust::time::UnixSeconds;
use ring::signature::{Ed25519KeyPair, KeyPair};

const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);

fn public(seed: u8) -> [u8; 32] {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
    pair.public_key().as_ref().try_into().unwrap()
}

fn ssh(seed: u8) -> String {
    PublicKey::from_ed25519(public(seed)).to_openssh()
}

fn vkey(name: &str, kind: NoteKeyType, seed: u8) -> String {
    VerifierKey::new(name, kind, public(seed)).unwrap().to_string()
}

fn operator(name: &str, seed: u8) -> Operator {
    Operator {
        id: format!("op_{name}").parse().unwrap(),
        name: name.to_owned(),
        roles: vec![OperatorRole::Author, OperatorRole::Approve, OperatorRole::Root],
        tenants: TenantScope::All,
        keys: vec![OperatorKey {
            ssh: ssh(seed),
            origins: vec![],
            uv: false,
            backup_ok: false,
            note: String::new(),
        }],
    }
}

fn class(class: Class) -> ClassRule {
    ClassRule {
        class,
        approvals: 1,
        user_check: UserCheck::None,
        endpoints_new_max: 10,
        endpoints_max: 50,
        stages_min: 1,
        first_stage_max: 10,
        soak_s_min: 0,
        delay_s: 0,
        freshness_s: 3600,
        window_s_max: 3600,
        jobs_per_hour_max: 60,
        operator_jobs_per_hour_max: 60,
        witnesses: "any".to_owned(),
        orders: OrderRule::NONE,
    }
}

fn bundle() -> Bundle {
    let policy = format!(
        "witness w1 {}\ngroup any any w1\nquorum any\n",
        vkey("w1", NoteKeyType::CosignatureV1, 9)
    );
    Bundle {
        v: V1,
        org: None,
        iat: NOW,
        crit: vec![],
        version: 1,
        prev: None,
        expires: NOW.plus(1),
        operators: vec![operator("alice", 1), operator("bob", 2)],
        root: RootRule { threshold: 2 },
        recovery: Recovery { keys: vec![], delay_s: 0 },
        weaken_delay_s: 0,
        classes: vec![class(Class::Routine), class(Class::Change)],
        limits: BundleLimits { timeout_s_max: 3600, output_max: 1024 },
        log: LogRule {
            control: vkey("control", NoteKeyType::Ed25519, 7),
            jobs: vkey("jobs", NoteKeyType::Ed25519, 8),
            policy,
        },
        servers: vec![Server { addresses: vec!["a:1".to_owned()], spki: Sha256::of(b"spki") }],
        mirrors: vec![],
        customers: vec![],
        tenants: vec![],
        min_agent: "0.1.0".to_owned(),
        min_statement: 1,
    }
}

fn job() -> Job {
    Job {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: vec![],
        nonce: "0".repeat(32),
        bundle_min: 1,
        tenant: TenantId::from_name("acme").unwrap(),
        class: Class::Change,
        action: Action::Script(script()),
        targets: Targets { count: 1, root: Sha256::of(b"root") },
        window: Window { nbf: NOW, exp: NOW.plus(60) },
        after: vec![],
        stages: vec![Stage::only(1)],
        display: Display { title: "t".to_owned(), ticket: String::new(), reason: String::new() },
        trigger: None,
    }
}

fn script() -> Script {
    Script {
        interpreter: Interpreter::Sh,
        content: Content { sha256: Sha256::of(b""), size: 0 },
        args: vec![],
        env: vec![],
        run_as: None,
        timeout_s: 1,
        output_max: 0,
        destructive: false,
    }
}

/// Of one endpoint each.
fn stages(count: usize) -> Vec<Stage> {
    let later = Stage { promote_min: 1, failures_percent_max: 0, ..Stage::only(1) };
    let mut stages = vec![later; count];
    stages[0] = Stage::only(1);
    stages
}

fn promotion() -> Promotion {
    Promotion {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: vec![],
        job: StatementId::new(Sha256::of(b"job")),
        to: 1,
        prev: None,
        evidence: Evidence {
            ok: 1,
            fail: 0,
            refused: 0,
            pending: 0,
            receipts_root: Sha256::of(b"receipts"),
        },
        despite_refusals: None,
    }
}

fn receipt() -> Receipt {
    Receipt {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: vec![],
        endpoint: EndpointId::new(Sha256::of(b"ep")),
        seq: 1,
        prev: None,
        job: StatementId::new(Sha256::of(b"job")),
        occurrence: None,
        decision: Decision::Done,
        code: "ok".to_owned(),
        t0: NOW,
        t1: NOW,
        exit: Some(0),
        output: Output { sha256: Sha256::of(b""), size: 0 },
        program: None,
        state: StateSummary { bundle: 1, clog: 1, jlog: 1, floor: NOW },
    }
}

/// `base` is fine; `change(n)` is fine at `limit` and refused one above, with `word` in the reason.
#[track_caller]
fn limited<S: Statement + Clone>(
    base: &S,
    limit: usize,
    word: &str,
    change: impl Fn(&mut S, usize),
) {
    let with = |n| {
        let mut statement = base.clone();
        change(&mut statement, n);
        statement.validate()
    };
    assert_eq!(with(limit), Ok(()), "at the limit: {word}");
    let problem = with(limit + 1).expect_err(word);
    assert!(problem.contains(word), "`{problem}` should name `{word}`");
}

/// `change` makes `base` invalid, with `word` in the reason.
#[track_caller]
fn refused<S: Statement + Clone>(base: &S, word: &str, change: impl Fn(&mut S)) {
    assert_eq!(base.validate(), Ok(()));
    let mut statement = base.clone();
    change(&mut statement);
    let problem = statement.validate().expect_err(word);
    assert!(problem.contains(word), "`{problem}` should name `{word}`");
}

fn on_script(change: impl Fn(&mut Script, usize)) -> impl Fn(&mut Job, usize) {
    move |job, n| {
        let Action::Script(script) = &mut job.action else { panic!("a script") };
        change(script, n);
    }
}

#[test]
fn statements_decode_to_what_was_encoded() {
    let bundle = bundle();
    assert_eq!(decode_payload::<Bundle>(&encode_payload(&bundle)).unwrap(), bundle);
    let job = job();
    assert_eq!(decode_payload::<Job>(&encode_payload(&job)).unwrap(), job);
    let receipt = receipt();
    assert_eq!(decode_payload::<Receipt>(&encode_payload(&receipt)).unwrap(), receipt);
    let promotion = promotion();
    assert_eq!(decode_payload::<Promotion>(&encode_payload(&promotion)).unwrap(), promotion);
}

#[test]
fn another_format_version_is_refused() {
    let text = String::from_utf8(encode_payload(&job())).unwrap();
    for other in ["0", "2", "\"1\"", "1.0"] {
        let changed = text.replacen("{\"v\":1", &format!("{{\"v\":{other}"), 1);
        assert!(
            matches!(decode_payload::<Job>(changed.as_bytes()), Err(JsonError::Syntax(_))),
            "{other}"
        );
    }
}

#[test]
fn a_statement_of_another_kind_does_not_decode() {
    assert!(decode_payload::<Receipt>(&encode_payload(&job())).is_err());
    assert!(decode_payload::<Job>(&encode_payload(&receipt())).is_err());
    assert!(decode_payload::<Bundle>(&encode_payload(&job())).is_err());
}

#[test]
fn an_unknown_action_or_field_inside_an_action_is_refused() {
    let text = String::from_utf8(encode_payload(&job())).unwrap();
    for (from, to) in [
        ("\"kind\":\"script\"", "\"kind\":\"reboot\""),
        ("\"destructive\":false", "\"destructive\":false,\"url\":\"x\""),
        ("\"timeout_s\":1,", "\"timeout_s\":1,\"timeout_s\":1,"),
        ("\"destructive\":false", "\"destructive\":null"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text);
        assert!(decode_payload::<Job>(changed.as_bytes()).is_err(), "{to}");
    }
}

#[test]
fn job_limits() {
    let base = job();
    limited(&base, limits::JOB_STAGES_MAX, "stages", |job, n| {
        job.stages = stages(n);
        job.targets.count = n as u32;
    });
    limited(&base, limits::JOB_AFTER_MAX, "after", |job, n| {
        let mut ids: Vec<_> =
            (0..n).map(|i| StatementId::new(Sha256::of(&i.to_be_bytes()))).collect();
        ids.sort();
        job.after = ids;
    });
    limited(&base, limits::TARGETS_MAX as usize, "targets", |job, n| {
        job.targets.count = n as u32;
        job.stages = vec![Stage::only(n as u32)];
    });
    limited(&base, limits::TEXT_BYTES_MAX, "display", |job, n| job.display.title = "t".repeat(n));
    refused(&base, "stages", |job| job.stages.clear());
    refused(&base, "targets", |job| job.targets.count = 0);
    refused(&base, "nonce", |job| job.nonce = "A".repeat(32));
    refused(&base, "bundle_min", |job| job.bundle_min = 0);
    refused(&base, "display", |job| job.display.title.clear());
}

#[test]
fn stage_limits() {
    let targets = Targets { count: 2, root: Sha256::of(b"root") };
    let base = Job { stages: stages(2), targets, ..job() };
    limited(&base, 100, "stage", |job, n| job.stages[1].failures_percent_max = n as u32);
    limited(&base, 64, "stage", |job, n| job.stages[1].name = "s".repeat(n));
    limited(&base, limits::PROMOTERS_MAX as usize, "promote_min", |job, n| {
        job.stages[1].promote_min = n as u32;
    });
    let days = limits::WINDOW_S_MAX as usize;
    limited(&base, days, "stage", |job, n| job.stages[1].soak_s = n as u64);
    refused(&base, "promote_min", |job| job.stages[1].promote_min = 0);
    refused(&base, "add up", |job| job.stages[1].count = 2);
    refused(&base, "add up", |job| job.targets.count = 3);
    refused(&base, "stage", |job| job.stages[1].count = 0);
    refused(&base, "first", |job| job.stages[0].soak_s = 1);
    refused(&base, "first", |job| job.stages[0].promote_min = 1);
    refused(&base, "first", |job| job.stages[0].failures_percent_max = 99);
}

#[test]
fn promotion_limits() {
    let base = promotion();
    refused(&base, "to", |promotion| promotion.to = 0);
    refused(&base, "prev", |promotion| promotion.to = 2);
    refused(&base, "prev", |promotion| promotion.prev = Some(promotion.job));
    let later = Promotion { to: 2, prev: Some(base.job), ..base.clone() };
    limited(&later, limits::JOB_STAGES_MAX - 1, "to", |promotion, n| promotion.to = n as u32);
    limited(&base, limits::TARGETS_MAX as usize - 1, "evidence", |promotion, n| {
        promotion.evidence.pending = n as u32;
    });
    refused(&base, "despite", |promotion| promotion.evidence.refused = 1);
    refused(&base, "despite", |promotion| promotion.despite_refusals = Some("why".to_owned()));
    let refusing = Promotion {
        evidence: Evidence { refused: 1, ..base.evidence },
        despite_refusals: Some("why".to_owned()),
        ..base
    };
    limited(&refusing, limits::TEXT_BYTES_MAX, "despite", |promotion, n| {
        promotion.despite_refusals = Some("w".repeat(n));
    });
    refused(&refusing, "despite", |promotion| promotion.despite_refusals = Some(String::new()));
}

#[test]
fn script_limits() {
    let base = job();
    limited(
        &base,
        limits::CONTENT_BYTES_MAX,
        "content",
        on_script(|s, n| s.content.size = n as u32),
    );
    limited(
        &base,
        limits::SCRIPT_ARGS_MAX,
        "args",
        on_script(|s, n| s.args = vec![String::new(); n]),
    );
    limited(
        &base,
        limits::SCRIPT_ARG_BYTES_MAX,
        "args",
        on_script(|s, n| s.args = vec!["a".repeat(n)]),
    );
    limited(
        &base,
        limits::SCRIPT_TIMEOUT_S_MAX as usize,
        "timeout",
        on_script(|s, n| s.timeout_s = n as u32),
    );
    limited(
        &base,
        limits::SCRIPT_OUTPUT_BYTES_MAX as usize,
        "output",
        on_script(|s, n| s.output_max = n as u32),
    );
    limited(
        &base,
        limits::SCRIPT_ENV_MAX,
        "env",
        on_script(|s, n| {
            s.env =
                (0..n).map(|i| EnvVar { name: format!("V{i:03}"), value: String::new() }).collect();
        }),
    );
    for (word, env) in [("env", "1A"), ("env", ""), ("env", "A=B"), ("env", "Ä")] {
        refused(&base, word, |job| {
            let Action::Script(script) = &mut job.action else { panic!("a script") };
            script.env = vec![EnvVar { name: env.to_owned(), value: String::new() }];
        });
    }
    for user in ["", "Root", "root;", "-x", "../x"] {
        refused(&base, "run_as", |job| {
            let Action::Script(script) = &mut job.action else { panic!("a script") };
            script.run_as = Some(user.to_owned());
        });
    }
    refused(&base, "args", |job| {
        let Action::Script(script) = &mut job.action else { panic!("a script") };
        script.args = vec!["a\0b".to_owned()];
    });
}

fn order(on: On) -> Job {
    let rate = RunRate { runs: 1, per_s: 60 };
    let until = NOW.plus(1000);
    let trigger =
        Trigger { on, until, freshness_s: 60, rate, distance_s: 60, jitter_s: 0, late_s: 0 };
    Job { trigger: Some(trigger), ..job() }
}

fn on_trigger(change: impl Fn(&mut Trigger, u64)) -> impl Fn(&mut Job, usize) {
    move |job, n| change(job.trigger.as_mut().unwrap(), n as u64)
}

#[test]
fn standing_order_limits() {
    let base = order(On::Interval { every_s: 60 });
    limited(
        &base,
        limits::ORDER_RUNS_MAX as usize,
        "rate",
        on_trigger(|t, n| t.rate.runs = n as u32),
    );
    limited(&base, limits::ORDER_RATE_S_MAX as usize, "rate", on_trigger(|t, n| t.rate.per_s = n));
    limited(
        &base,
        limits::ORDER_RATE_S_MAX as usize,
        "distance",
        on_trigger(|t, n| t.distance_s = n),
    );
    limited(&base, limits::ORDER_S_MAX as usize, "freshness", on_trigger(|t, n| t.freshness_s = n));
    limited(&base, limits::ORDER_LATE_S_MAX as usize, "jitter", on_trigger(|t, n| t.jitter_s = n));
    limited(&base, limits::ORDER_LATE_S_MAX as usize, "late", on_trigger(|t, n| t.late_s = n));
    limited(&base, limits::ORDER_RATE_S_MAX as usize, "every_s", |job, n| {
        *job = order(On::Interval { every_s: n as u64 });
    });
    for (word, change) in [
        ("rate", (|t| t.rate.runs = 0) as fn(&mut Trigger)),
        ("rate", |t| t.rate.per_s = 59),
        ("distance", |t| t.distance_s = limits::ORDER_DISTANCE_S_MIN - 1),
        ("freshness", |t| t.freshness_s = 0),
        ("every_s", |t| t.on = On::Interval { every_s: 59 }),
        ("until", |t| t.until = NOW),
    ] {
        refused(&base, word, |job| change(job.trigger.as_mut().unwrap()));
    }
    refused(&order(On::RebootPending {}), "jitter", |job| job.trigger.as_mut().unwrap().late_s = 1);
}

#[test]
fn what_starts_an_order_is_strict() {
    let text = str::to_owned;
    let at = |cron: &str, zone: &str| On::Calendar { cron: text(cron), zone: text(zone) };
    let disk = |path: &str, percent| On::DiskBelow { path: text(path), percent };
    let (file, unit) =
        (|p: &str| On::FileChanged { path: text(p) }, |u: &str| On::ServiceDown { unit: text(u) });
    for good in [
        at("0 3 * * *", "America/Argentina/Buenos_Aires"),
        at("* * * * *", "Etc/GMT+1"),
        disk("/", 99),
        file("/etc/hosts"),
        unit("getty@tty1.service"),
        On::Start {},
    ] {
        let job = order(good);
        assert_eq!(decode_payload::<Job>(&encode_payload(&job)).unwrap(), job);
    }
    for (word, bad) in [
        ("cron", at("0 3 * *", "UTC")),
        ("zone", at("0 3 * * *", "../../etc/passwd")),
        ("zone", at("0 3 * * *", "/etc/localtime")),
        ("zone", at("0 3 * * *", "")),
        ("zone", at("0 3 * * *", "Europe/")),
        ("percent", disk("/", 0)),
        ("percent", disk("/", 100)),
        ("path", disk("srv", 10)),
        ("path", file("/srv/../etc/shadow")),
        ("path", file("/a\nb")),
        ("unit", unit("")),
        ("unit", unit("../x")),
        ("unit", unit("a/b")),
        ("unit", unit(".hidden")),
    ] {
        refused(&job(), word, |job| *job = order(bad.clone()));
    }
}

#[test]
fn withdrawals_end() {
    let base = Withdrawal {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: vec![],
        job: StatementId::new(Sha256::of(b"job")),
        exp: NOW.plus(60),
        reason: String::new(),
    };
    limited(&base, limits::ORDER_S_MAX as usize, "exp", |w, n| w.exp = NOW.plus(n as u64));
    refused(&base, "exp", |w| w.exp = w.iat);
    refused(&base, "reason", |w| w.reason = "a\nb".to_owned());
}

#[test]
fn text_that_could_mislead_a_signer_is_refused() {
    for bad in
        ["a\nb", "\u{1b}[31m", "\u{202e}txt", "a\u{200b}b", "\u{feff}", "\u{2066}x", "tab\there"]
    {
        refused(&job(), "display", |job| job.display.title = bad.to_owned());
        refused(&job(), "display", |job| job.display.reason = bad.to_owned());
        refused(&bundle(), "operator.name", |bundle| bundle.operators[0].name = bad.to_owned());
    }
}

#[test]
fn bundle_limits() {
    let base = bundle();
    limited(&base, limits::OPERATORS_MAX, "operators", |bundle, n| {
        bundle.operators = (0..n).map(|i| operator(&format!("op{i:02}"), 20 + i as u8)).collect();
    });
    limited(&base, limits::OPERATOR_KEYS_MAX, "keys", |bundle, n| {
        let key = bundle.operators[0].keys[0].clone();
        bundle.operators[0].keys =
            (0..n).map(|i| OperatorKey { ssh: ssh(100 + i as u8), ..key.clone() }).collect();
    });
    limited(&base, limits::KEY_ORIGINS_MAX, "origins", |bundle, n| {
        bundle.operators[0].keys[0].origins = vec!["http://localhost:8740".to_owned(); n];
    });
    limited(&base, limits::MIRRORS_MAX, "mirrors", |bundle, n| {
        bundle.mirrors = vec![Mirror { url: "http://a".to_owned(), every_s: 1 }; n];
    });
    limited(&base, limits::MIRROR_EVERY_S_MAX as usize, "mirror.every_s", |bundle, n| {
        let every_s = u32::try_from(n).unwrap();
        bundle.mirrors = vec![Mirror { url: "http://a".to_owned(), every_s }];
    });
    limited(&base, limits::SERVERS_MAX, "servers", |bundle, n| {
        bundle.servers = vec![bundle.servers[0].clone(); n];
    });
    limited(&base, 2, "threshold", |bundle, n| bundle.root.threshold = n as u32);
    refused(&base, "threshold", |bundle| bundle.root.threshold = 0);
    refused(&base, "version", |bundle| bundle.version = 0);
    refused(&base, "org and prev", |bundle| bundle.version = 2);
    refused(&base, "org and prev", |bundle| bundle.prev = Some(StatementId::new(Sha256::of(b"x"))));
    refused(&base, "expires", |bundle| bundle.expires = bundle.iat);
    let mut removal = base.clone();
    (removal.version, removal.expires) = (2, removal.iat);
    (removal.org, removal.prev) =
        (Some(OrgId::new(Sha256::of(b"org"))), Some(StatementId::new(Sha256::of(b"x"))));
    assert_eq!(removal.validate(), Ok(()), "a removal leaves the end as it is");
    refused(&base, "sorted", |bundle| bundle.operators.reverse());
    refused(&base, "two operators", |bundle| {
        bundle.operators[1].keys = bundle.operators[0].keys.clone();
    });
    refused(&base, "mildest first", |bundle| bundle.classes.reverse());
    refused(&base, "witnesses", |bundle| bundle.classes[0].witnesses = "nobody".to_owned());
    limited(&base, limits::JOB_STAGES_MAX, "stages", |bundle, n| {
        bundle.classes[1].stages_min = n as u32;
    });
    limited(&base, limits::WINDOW_S_MAX as usize, "soaks", |bundle, n| {
        bundle.classes[1].soak_s_min = n as u64;
    });
    refused(&base, "first_stage_max", |bundle| {
        (bundle.classes[1].stages_min, bundle.classes[1].first_stage_max) = (2, 0);
    });
    limited(&base, limits::RATE_PER_HOUR_MAX as usize, "rates", |bundle, n| {
        bundle.classes[0].operator_jobs_per_hour_max = n as u32;
    });
    limited(&base, limits::ORDER_S_MAX as usize, "orders", |bundle, n| {
        bundle.classes[0].orders.life_s_max = n as u64;
    });
    limited(&base, limits::TARGETS_MAX as usize, "tenants", |bundle, n| {
        let tenant = TenantId::from_name("acme").unwrap();
        bundle.tenants = vec![TenantSize { tenant, endpoints: n as u32 }];
    });
    limited(&base, limits::CUSTOMERS_MAX, "tenants", |bundle, n| {
        let sized = |i| TenantSize {
            tenant: TenantId::from_name(&format!("t{i:03}")).unwrap(),
            endpoints: 1,
        };
        bundle.tenants = (0..n).map(sized).collect();
    });
    refused(&base, "rates", |bundle| bundle.classes[0].orders.runs_per_hour_max = 3601);
    refused(&base, "endpoints_new_max", |bundle| bundle.classes[0].endpoints_new_max = 51);
    refused(&base, "log", |bundle| bundle.log.jobs = bundle.log.control.clone());
    refused(&base, "min_agent", |bundle| bundle.min_agent = "1".to_owned());
    refused(&base, "key.ssh", |bundle| bundle.operators[0].keys[0].ssh.push_str(" alice@laptop"));
}

#[test]
fn receipts_form_a_chain() {
    let base = receipt();
    refused(&base, "seq", |receipt| receipt.seq = 0);
    refused(&base, "seq", |receipt| receipt.seq = 2);
    refused(&base, "seq", |receipt| receipt.prev = Some(StatementId::new(Sha256::of(b"x"))));
    limited(&base, 64, "code", |receipt, n| receipt.code = "c".repeat(n));
}

#[test]
fn logins_and_enrolments_end() {
    let login = Login {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: vec![],
        console_key: Sha256::of(b"c"),
        server: Sha256::of(b"s"),
        exp: NOW.plus(60),
    };
    limited(&login, limits::LOGIN_S_MAX as usize, "exp", |login, n| login.exp = NOW.plus(n as u64));
    refused(&login, "exp", |login| login.exp = login.iat);
    let enrolment = Enrolment {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: vec![],
        nonce: "a".repeat(32),
        tenant: TenantId::from_name("acme").unwrap(),
        site: SiteId::from_name("hq").unwrap(),
        labels: vec![],
        max_uses: 1,
        exp: NOW.plus(60),
        admit: Admit::Auto,
    };
    limited(&enrolment, 100_000, "max_uses", |enrolment, n| enrolment.max_uses = n as u32);
    limited(&enrolment, 16, "labels", |enrolment, n| {
        enrolment.labels = (0..n).map(|i| format!("l{i:02}")).collect();
    });
    refused(&enrolment, "max_uses", |enrolment| enrolment.max_uses = 0);
    refused(&enrolment, "exp", |enrolment| enrolment.exp = enrolment.iat);
}

#[test]
fn every_refusal_has_its_own_code_and_advice() {
    use bartizan_trust::refusal::Refusal;
    let mut codes: Vec<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), Refusal::ALL.len());
    assert!(Refusal::ALL.iter().all(|refusal| refusal.advice().len() > 20));
}
