//! Replays `vectors/policy`. With `BARTIZAN_WRITE_VECTORS=1` it writes them first, each from a case by name.

use std::path::Path;
use std::{env, fs};

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::*;

/// One decision. Bytes are base64.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    /// `stand`, or the code of the refusal.
    expect: String,
    now: UnixSeconds,
    agent_version: String,
    state: State,
    envelope: String,
    proof: String,
    consistency: Vec<Sha256>,
    /// Of the state afterwards: witness time, and the size of the jobs log.
    floor: UnixSeconds,
    jobs_size: u64,
}

type Change = fn(&mut Watched, &mut MonitoringPolicy);

fn cases() -> Vec<(&'static str, &'static str, Option<Refusal>, Change)> {
    vec![
        ("tenant", "carol", None, |_, _| {}),
        ("org", "alice", None, |_, p| p.place = PolicyPlace::Org {}),
        ("site", "carol", None, |_, p| p.place = site("hq")),
        ("endpoint", "carol", None, |_, p| p.place = only(0)),
        ("next_version", "carol", None, |watched, p| {
            watched.takes(&watched.policy(tenant(), 1), &["alice"]);
            p.version = 2;
        }),
        ("every_kind", "alice", None, |_, p| p.checks = every_kind()),
        ("network_kinds", "alice", None, |_, p| p.checks = network_kinds()),
        ("link_local", "alice", Some(Refusal::Malformed), |_, p| {
            let host = "169.254.169.254".to_owned();
            p.checks[0].subject = Subject::Ping { host, loss: Some(levels(1)), above: None };
        }),
        ("older_version", "carol", Some(Refusal::PolicyOld), |watched, _| {
            watched.takes(&watched.policy(tenant(), 2), &["alice"]);
        }),
        ("other_tenant", "alice", Some(Refusal::WrongTenant), |_, p| {
            p.place = PolicyPlace::Tenant { tenant: TenantId::from_name("globex").unwrap() };
        }),
        ("other_site", "alice", Some(Refusal::WrongPlace), |_, p| p.place = site("branch")),
        ("other_endpoint", "alice", Some(Refusal::WrongPlace), |_, p| p.place = only(1)),
        ("out_of_scope", "carol", Some(Refusal::AuthorMissing), |_, p| {
            p.place = PolicyPlace::Org {};
        }),
        ("stranger", "mallory", Some(Refusal::AuthorMissing), |_, _| {}),
        ("other_org", "alice", Some(Refusal::WrongOrg), |_, p| {
            p.org = OrgId::new(Sha256::of(b"other"));
        }),
        ("too_long_a_life", "alice", Some(Refusal::OrderNotAllowed), |_, p| {
            p.until = p.iat.plus(91 * DAY);
        }),
        ("over", "alice", Some(Refusal::Expired), |watched, _| watched.pass(30 * DAY)),
        ("ahead_of_time", "alice", Some(Refusal::TooEarly), |_, p| {
            p.iat = p.iat.plus(121);
        }),
        ("newer_bundle", "alice", Some(Refusal::BundleTooOld), |_, p| p.bundle_min = 2),
        ("critical", "alice", Some(Refusal::CriticalUnknown), |_, p| p.crit = vec!["x".to_owned()]),
        ("stricter_class", "alice", Some(Refusal::Malformed), |_, p| p.class = Class::Routine),
        ("no_levels", "alice", Some(Refusal::Malformed), |_, p| {
            p.checks[0].subject = Subject::Cpu { above: Levels { warn: None, error: None } };
        }),
        ("withdrawn", "alice", Some(Refusal::Withdrawn), |watched, p| {
            let withdrawal = watched.world.withdrawal(Envelope::new(p).id());
            let by_bob = signed(&withdrawal, &[("bob", SignatureRole::Freeze)]).unwrap();
            watched.world.log_control(&by_bob);
            watched.pass(1);
        }),
        ("frozen", "alice", Some(Refusal::Frozen), |watched, _| {
            let freeze = watched.world.freeze(FreezeScope::Org, 3600);
            let by_bob = signed(&freeze, &[("bob", SignatureRole::Freeze)]).unwrap();
            watched.world.log_control(&by_bob);
            watched.pass(1);
        }),
        ("stale", "alice", Some(Refusal::ControlStale), |watched, _| {
            watched.world.now = watched.world.now.plus(3601);
        }),
    ]
}

fn every_kind() -> Vec<Check> {
    let above = Levels { warn: Some(80), error: Some(90) };
    let below = Levels { warn: Some(20), error: Some(10) };
    let (severity, path, paths) = (Severity::Warn, "/srv/file".to_owned(), vec!["/".to_owned()]);
    let pattern = "ERROR|FATAL".to_owned();
    let subjects = vec![
        Subject::BackupAge {
            folder: "/backup".to_owned(),
            suffix: ".gz".to_owned(),
            size_min: 1,
            above: Levels { warn: None, error: Some(86_400) },
        },
        Subject::Cpu { above },
        Subject::Disk { paths: paths.clone(), below },
        Subject::FileAge { path: path.clone(), above, absent: Some(Severity::Error) },
        Subject::FileContent {
            path: path.clone(),
            pattern: pattern.clone(),
            wanted: false,
            severity,
        },
        Subject::FileExists { path: path.clone(), wanted: true, severity },
        Subject::FileSize { path: path.clone(), above, absent: None },
        Subject::Inodes { paths, below },
        Subject::Load { above },
        Subject::Log { path, pattern, above },
        Subject::Memory { above },
        Subject::Order {
            order: StatementId::new(Sha256::of(b"order")),
            ok: vec![0],
            warn: vec![1],
        },
        Subject::Process { name: "sshd".to_owned(), least: 1, most: 100, severity },
        Subject::RebootPending { severity },
        Subject::Service { units: vec!["nginx.service".to_owned()], severity },
        Subject::Swap { above },
        Subject::UpdateAge { above },
    ];
    let named = |subject: Subject| Check {
        subject: subject.clone(),
        ..check(&subject.name().replace('_', "-"))
    };
    subjects.into_iter().map(named).collect()
}

const fn levels(error: u64) -> Levels {
    Levels { warn: None, error: Some(error) }
}

fn network_kinds() -> Vec<Check> {
    let severity = Severity::Error;
    let subjects = vec![
        Subject::CertificateFile {
            path: "/etc/ssl/certs/web.pem".to_owned(),
            below: Levels { warn: Some(30), error: Some(7) },
        },
        Subject::Dns {
            name: "acme.example".to_owned(),
            record: DnsRecord::Mx,
            server: Some("192.0.2.53".to_owned()),
            wanted: vec!["10 mail.acme.example".to_owned()],
            above: Some(levels(500)),
            severity,
        },
        Subject::Http {
            url: "https://www.acme.example/health?full=1".to_owned(),
            method: HttpMethod::Get,
            status: vec![200, 204],
            contains: Some("all well".to_owned()),
            above: Some(levels(2000)),
            expires: Some(levels(14)),
            tls: TlsTrust::Verify,
            severity,
        },
        Subject::Ping {
            host: "2001:db8::1".to_owned(),
            loss: Some(levels(50)),
            above: Some(levels(200)),
        },
        Subject::Tcp {
            host: "mail.acme.example".to_owned(),
            port: 25,
            banner: Some("220 ".to_owned()),
            above: None,
            severity,
        },
    ];
    let named = |subject: Subject| Check {
        subject: subject.clone(),
        ..check(&subject.name().replace('_', "-"))
    };
    subjects.into_iter().map(named).collect()
}

fn judged(vector: &Vector) -> (String, State) {
    let bytes = |text: &str| BASE64.decode(text.as_bytes()).unwrap();
    let delivery = Delivery {
        envelope: bytes(&vector.envelope),
        proof: bytes(&vector.proof),
        consistency: vector.consistency.clone(),
        stage: 0,
        index: 0,
        path: Vec::new(),
        promotions: Vec::new(),
        content: None,
        package: None,
    };
    let facts = LocalFacts { now: vector.now, agent_version: &vector.agent_version };
    let outcome = judge_policy(&vector.state, &facts, &delivery.as_ref());
    let answer = match outcome.verdict {
        PolicyVerdict::Stand(_) => "stand".to_owned(),
        PolicyVerdict::Refused(refusal) => refusal.code().to_owned(),
    };
    (answer, outcome.state)
}

fn made(who: &str, expected: Option<Refusal>, change: Change) -> Vector {
    let mut watched = Watched::new();
    let mut policy = watched.policy(tenant(), 1);
    change(&mut watched, &mut policy);
    let envelope = signed(&policy, &[(who, Author)]).unwrap();
    let delivery = watched.world.deliver(&envelope, &watched.state).unwrap();
    let mut vector = Vector {
        expect: expected.map_or("stand", Refusal::code).to_owned(),
        now: watched.world.now,
        agent_version: "0.1.0".to_owned(),
        state: watched.state,
        envelope: BASE64.encode(&delivery.envelope),
        proof: BASE64.encode(&delivery.proof),
        consistency: delivery.consistency,
        floor: UnixSeconds::ZERO,
        jobs_size: 0,
    };
    let (_, after) = judged(&vector);
    (vector.floor, vector.jobs_size) = (after.floor, after.jobs.size);
    vector
}

#[test]
fn policy_vectors_are_judged_as_they_say() {
    let writes = env::var_os("BARTIZAN_WRITE_VECTORS").is_some();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/policy");
    for (name, who, expected, change) in cases() {
        let mut text = serde_json::to_vec_pretty(&made(who, expected, change)).unwrap();
        text.push(b'\n');
        let folder = root.join(if expected.is_none() { "accept" } else { "reject" });
        let file = folder.join(format!("{name}.json"));
        if writes {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&file, &text).unwrap();
        }
        let known = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(known == text, "{} is another one", file.display());
        let vector: Vector = serde_json::from_slice(&known).unwrap();
        let (answer, after) = judged(&vector);
        assert_eq!(answer, vector.expect, "{name}");
        assert_eq!((after.floor, after.jobs.size), (vector.floor, vector.jobs_size), "{name}");
    }
}
