//! The operator plane: who may ask, and what survives a crash.

use bartizan_proto::operator::{
    CosignatureBody, EndpointPage, JobDetail, JobState, JobSubmission, LogEntries, LoginAnswer,
    Stored,
};
use bartizan_testkit::load::organisation::{Key, Organisation};
use bartizan_testkit::load::plane::Console;
use bartizan_testkit::world::{operator, operator_key};
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, OrgId, Sha256, TenantId};
use bartizan_trust::note::Note;
use bartizan_trust::statement::{
    Bundle, Class, Customer, CustomerRule, Login, SignatureRole, V1, Veto,
};
use bartizan_trust::targets::TargetTree;
use data_encoding::BASE64;
use serde_json::Value;

use crate::program::{Program, body, founded, init, log_in};
use crate::{now, wait_for};

const PRIVATE: &[&str] = &[
    "/v1/endpoints",
    "/v1/jobs",
    "/v1/log/control/entries?start=0&end=1",
    "/v1/log/control/checkpoint",
    "/v1/log/jobs/add-checkpoint?old=0",
    "/v1/log/control/tile/0/000.p/1",
];

async fn refusal(console: &Console, path: &str) -> String {
    console.fetch_bytes(path).await.expect_err(path).to_string()
}

async fn refused_body(console: &Console, path: &str, envelope: &Envelope) -> String {
    console.send::<Value>(path, &body(envelope)).await.expect_err(path).to_string()
}

fn submission(envelope: &Envelope, targets: &[EndpointId]) -> JobSubmission {
    JobSubmission {
        envelope: BASE64.encode(&envelope.encode()),
        targets: targets.to_vec(),
        content: BASE64.encode(b"echo hello\n"),
    }
}

fn job(organisation: &Organisation, number: u64) -> (Envelope, Vec<EndpointId>) {
    let targets = vec![EndpointId::new(Sha256::of(b"somewhere"))];
    let tree = TargetTree::new(&[(targets[0], 0)]).expect("tree");
    let envelope = organisation.job(tree.targets(), b"echo hello\n", number, now()).expect("job");
    (envelope, targets)
}

#[test]
fn without_a_login_nothing_is_answered() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (program, organisation, console) = founded(dir.path()).await;
        let identity: bartizan_proto::operator::ServerIdentity =
            console.fetch("/v1/server").await.expect("server");
        let stranger = Console::new(program.operator, identity.spki).expect("console");
        for path in PRIVATE {
            assert!(refusal(&stranger, path).await.contains("login.required"), "{path}");
            if !path.contains("entries?") {
                continue;
            }
            assert!(console.fetch_bytes(path).await.is_ok(), "{path}");
        }
        let (job, targets) = job(&organisation, 1);
        let posted = stranger.send::<Value>("/v1/jobs", &submission(&job, &targets)).await;
        assert!(posted.expect_err("refused").to_string().contains("login.required"));
    });
}

#[test]
fn a_login_of_another_console_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (program, organisation, console) = founded(dir.path()).await;
        let identity: bartizan_proto::operator::ServerIdentity =
            console.fetch("/v1/server").await.expect("server");
        let thief = Console::new(program.operator, identity.spki).expect("console");
        let stolen = organisation.login(console.key, now()).expect("login");
        assert!(refused_body(&thief, "/v1/login", &stolen).await.contains("login.refused"));
        let mut unsigned = organisation.login(thief.key, now()).expect("login");
        unsigned = Envelope::new(
            &unsigned.statement::<bartizan_trust::statement::Login>().expect("login"),
        );
        assert!(refused_body(&thief, "/v1/login", &unsigned).await.contains("login.refused"));
        log_in(&thief, &organisation).await;
    });
}

#[test]
fn a_genesis_bundle_for_another_server_is_refused() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let own = init(&dir.path().join("own"));
        let other = init(&dir.path().join("other"));
        let program = Program::start(&dir.path().join("own"));
        let console = Console::new(program.operator, own.spki).expect("console");
        let theirs = Organisation::for_server(&other, now()).expect("organisation");
        let said = refused_body(&console, "/v1/genesis", &theirs.genesis).await;
        assert!(
            said.contains("genesis.other_server") && said.contains(&own.spki.to_string()),
            "{said}"
        );
        assert!(said.contains(&own.control_vkey) && said.contains(&own.jobs_vkey), "{said}");

        let ours = Organisation::for_server(&own, now()).expect("organisation");
        let unsigned = Envelope::new(
            &ours.genesis.statement::<bartizan_trust::statement::Bundle>().expect("bundle"),
        );
        assert!(
            refused_body(&console, "/v1/genesis", &unsigned).await.contains("bundle.threshold")
        );
        let _: Stored = console.send("/v1/genesis", &body(&ours.genesis)).await.expect("genesis");
        assert!(
            refused_body(&console, "/v1/genesis", &ours.genesis).await.contains("genesis.exists")
        );
    });
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (mut program, organisation, _) = founded(dir.path()).await;
        for number in 1..=3 {
            let identity = server_identity(dir.path());
            let console = Console::new(program.operator, identity.spki).expect("console");
            log_in(&console, &organisation).await;
            let (job, targets) = job(&organisation, number);
            let stored: Stored =
                console.send("/v1/jobs", &submission(&job, &targets)).await.expect("submit");
            program = program.crash_and_restart();

            let console = Console::new(program.operator, identity.spki).expect("console");
            log_in(&console, &organisation).await;
            let index = stored.log_index.expect("logged");
            let path = format!("/v1/log/jobs/entries?start={index}&end={}", index + 1);
            let found: LogEntries = console.fetch(&path).await.expect("entries");
            assert_eq!(found.entries, [BASE64.encode(&job.encode())]);
            let note = console.fetch_bytes("/v1/log/jobs/checkpoint").await.expect("checkpoint");
            let checkpoint =
                Checkpoint::parse(&Note::decode(&note).expect("note").text).expect("checkpoint");
            assert_eq!(checkpoint.size, index + 1);
            let file =
                std::fs::read(dir.path().join("log/jobs/checkpoint")).expect("checkpoint file");
            assert_eq!(
                Note::decode(&file).expect("note").text.lines().nth(1),
                Some((index + 1).to_string().as_str())
            );
        }
    });
}

fn server_identity(dir: &std::path::Path) -> bartizan_proto::operator::ServerIdentity {
    serde_json::from_slice(&crate::program::server(&["identity"], dir).stdout).expect("identity")
}

#[test]
fn a_job_is_active_only_with_the_second_person() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (_program, organisation, console) = founded(dir.path()).await;
        let (mut job, targets) = job(&organisation, 1);
        let _: Stored =
            console.send("/v1/jobs", &submission(&job, &targets)).await.expect("submit");
        let path = format!("/v1/jobs/{}", job.id());
        let show = async || console.fetch::<JobDetail>(&path).await.expect("job");
        assert_eq!(show().await.row.state, JobState::Pending);
        let signatures = format!("{path}/signatures");
        assert!(refused_body(&console, &signatures, &job).await.contains("sig.approvals_missing"));
        // The author approves: a signature, but not a second person.
        let mut alone = job.clone();
        organisation.author.key.sign(&mut alone, SignatureRole::Approve).expect("sign");
        assert!(
            refused_body(&console, &signatures, &alone).await.contains("sig.approvals_missing")
        );
        assert_eq!(show().await.row.state, JobState::Pending);
        organisation.approver.key.sign(&mut job, SignatureRole::Approve).expect("sign");
        let stored: Stored = console.send(&signatures, &body(&job)).await.expect("approve");
        let shown = show().await;
        assert_eq!((shown.row.state, Some(shown.log_index)), (JobState::Active, stored.log_index));
        assert_eq!(shown.envelope, BASE64.encode(&job.encode()));
    });
}

#[test]
fn a_job_that_endpoints_would_refuse_is_refused_early() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (_program, organisation, console) = founded(dir.path()).await;
        let (job, targets) = job(&organisation, 1);
        let post = async |body: &JobSubmission| {
            console.send::<Value>("/v1/jobs", body).await.expect_err("refused").to_string()
        };
        let mut wrong = submission(&job, &targets);
        wrong.content = BASE64.encode(b"rm -rf /\n");
        assert!(post(&wrong).await.contains("content.mismatch"));
        let mut wrong = submission(&job, &targets);
        wrong.targets = vec![EndpointId::new(Sha256::of(b"elsewhere"))];
        assert!(post(&wrong).await.contains("target.not_listed"));
        let unsigned =
            Envelope::new(&job.statement::<bartizan_trust::statement::Job>().expect("job"));
        assert!(post(&submission(&unsigned, &targets)).await.contains("sig.author_missing"));
        let _: Stored =
            console.send("/v1/jobs", &submission(&job, &targets)).await.expect("submit");
        assert!(post(&submission(&job, &targets)).await.contains("job.exists"));
        let page: EndpointPage =
            console.fetch("/v1/endpoints?search=%25&limit=5").await.expect("endpoints");
        assert!(page.endpoints.is_empty());
    });
}

#[test]
fn cosignatures_are_taken_from_the_policys_witnesses_only() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let (_program, organisation, console) = founded(dir.path()).await;
        let fetched = console.fetch_bytes("/v1/log/control/checkpoint").await.expect("checkpoint");
        let note = Note::decode(&fetched).expect("note");
        let checkpoint = Checkpoint::parse(&note.text).expect("checkpoint");
        let post = async |size: u64, root: Sha256, line: String| {
            console
                .send::<Value>("/v1/log/control/cosignature", &CosignatureBody { size, root, line })
                .await
        };
        let line = organisation.author.cosign(&fetched, now()).expect("cosign");
        let other = note.text.replace(&checkpoint.root.to_string(), "x");
        assert_eq!(other, note.text, "roots are base64 in notes");
        let refused = post(checkpoint.size, Sha256::of(b"fork"), line.clone())
            .await
            .expect_err("another root");
        assert!(refused.to_string().contains("cosignature.refused"));
        let forged = line.replacen("alice", "mallory", 1);
        assert!(post(checkpoint.size, checkpoint.root, forged).await.is_err());
        post(checkpoint.size, checkpoint.root, line).await.expect("cosignature");
        let fetched = console.fetch_bytes("/v1/log/control/checkpoint").await.expect("checkpoint");
        assert_eq!(Note::decode(&fetched).expect("note").signatures.len(), 2);
        assert_eq!(
            std::fs::read(dir.path().join("log/control/checkpoint")).expect("file"),
            fetched
        );
    });
}

/// An organisation with a recovery key and a customer.
fn with_guests(identity: &bartizan_proto::operator::ServerIdentity) -> Organisation {
    let mut organisation = Organisation::for_server(identity, now()).expect("organisation");
    let mut bundle: Bundle = organisation.genesis.statement().expect("bundle");
    bundle.recovery.keys = vec![Key::named("paper").expect("key").public.to_openssh()];
    let key = |name: &str| operator_key(&Key::named(name).expect("key").public);
    let customer = |tenant: &TenantId, name: &str| Customer {
        tenant: tenant.clone(),
        keys: vec![key(name)],
        rule: CustomerRule { from_class: Class::Observe },
    };
    let other = TenantId::from_name("zz-other").expect("tenant");
    bundle.customers =
        vec![customer(&organisation.tenant, "their person"), customer(&other, "another's person")];
    organisation.genesis = Envelope::new(&bundle);
    for person in [&organisation.author, &organisation.approver] {
        person.key.sign(&mut organisation.genesis, SignatureRole::Root).expect("sign");
    }
    organisation
}

/// A console that somebody who is no operator has logged in.
async fn guest(
    program: &Program,
    organisation: &Organisation,
    server: Sha256,
    name: &str,
) -> Console {
    let console = Console::new(program.operator, server).expect("console");
    let login = organisation.login(console.key, now()).expect("login");
    let mut login = Envelope::new(&login.statement::<Login>().expect("login"));
    Key::named(name).expect("key").sign(&mut login, SignatureRole::Login).expect("sign");
    let answer: LoginAnswer = console.send("/v1/login", &body(&login)).await.expect(name);
    assert_eq!(answer.operator, None);
    console
}

#[test]
fn customers_and_recovery_keys_reach_what_is_theirs_and_nothing_else() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let identity = init(dir.path());
        let program = Program::start(dir.path());
        let organisation = with_guests(&identity);
        let console = Console::new(program.operator, identity.spki).expect("console");
        let _: Stored =
            console.send("/v1/genesis", &body(&organisation.genesis)).await.expect("genesis");
        log_in(&console, &organisation).await;
        let (job, targets) = job(&organisation, 1);
        let _: Stored =
            console.send("/v1/jobs", &submission(&job, &targets)).await.expect("submit");
        let own = guest(&program, &organisation, identity.spki, "their person").await;
        let other = guest(&program, &organisation, identity.spki, "another's person").await;
        let paper = guest(&program, &organisation, identity.spki, "paper").await;
        let path = format!("/v1/jobs/{}", job.id());
        let detail: JobDetail = own.fetch(&path).await.expect("their own job");
        assert_eq!(detail.row.state, JobState::Pending, "the customer has not signed");
        for (who, foreign) in [(&other, "not_found"), (&paper, "not_found")] {
            assert!(refusal(who, &path).await.contains(foreign));
        }
        for (number, who) in [&own, &other, &paper].into_iter().enumerate() {
            for closed in [
                "/v1/endpoints",
                "/v1/freezes",
                "/v1/control/drafts",
                "/v1/log/jobs/checkpoint",
                "/v1/log/jobs/entries?start=0&end=1",
            ] {
                assert!(refusal(who, closed).await.contains("not_an_operator"), "{closed}");
            }
            assert!(who.fetch_bytes("/v1/log/control/entries?start=0&end=1").await.is_ok());
            let jobs: Value = who.fetch("/v1/jobs").await.expect("jobs");
            assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(usize::from(number == 0)));
            let posted = who.send::<Value>("/v1/jobs", &submission(&job, &targets)).await;
            assert!(posted.expect_err("refused").to_string().contains("not_an_operator"));
        }
        // A customer's key countersigns; a stranger to the job does not.
        let mut signed =
            Envelope::decode(&BASE64.decode(detail.envelope.as_bytes()).expect("base64"))
                .expect("envelope");
        Key::named("their person")
            .expect("key")
            .sign(&mut signed, SignatureRole::Customer)
            .expect("sign");
        let path = format!("{path}/signatures");
        assert!(refused_body(&other, &path, &signed).await.contains("not_found"));
        let _: Stored = own.send(&path, &body(&signed)).await.expect("countersign");
    });
}

#[test]
fn a_recovery_dated_back_waits_and_can_be_vetoed_also_after_a_restart() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let identity = init(dir.path());
        let program = Program::start(dir.path());
        let organisation = with_guests(&identity);
        let console = Console::new(program.operator, identity.spki).expect("console");
        let _: Stored =
            console.send("/v1/genesis", &body(&organisation.genesis)).await.expect("genesis");
        let paper = guest(&program, &organisation, identity.spki, "paper").await;
        let genesis: Bundle = organisation.genesis.statement().expect("bundle");
        let mut next = genesis.clone();
        let org = OrgId::new(*organisation.genesis.id().hash());
        (next.org, next.prev, next.version) = (Some(org), Some(organisation.genesis.id()), 2);
        next.iat = bartizan_trust::time::UnixSeconds::new(genesis.iat.get() - 3_000_000);
        next.operators = ["eve", "mallory"].map(|name| operator(name).expect("operator")).to_vec();
        let mut thief = Envelope::new(&next);
        Key::named("paper").expect("key").sign(&mut thief, SignatureRole::Recover).expect("sign");
        for name in ["eve", "mallory"] {
            Key::named(name).expect("key").sign(&mut thief, SignatureRole::Root).expect("sign");
        }
        let stored: Stored = paper.send("/v1/control", &body(&thief)).await.expect("logged");
        assert!(stored.log_index.is_some());
        // With nothing but a bundle does a recovery key move anything.
        let veto = Veto {
            v: V1,
            org,
            iat: now(),
            crit: Vec::new(),
            bundle: thief.id(),
            reason: String::new(),
        };
        let mut veto = Envelope::new(&veto);
        assert!(refused_body(&paper, "/v1/control", &veto).await.contains("not_an_operator"));
        let program = program.crash_and_restart();
        let console = Console::new(program.operator, identity.spki).expect("console");
        log_in(&console, &organisation).await;
        organisation.approver.key.sign(&mut veto, SignatureRole::Root).expect("sign");
        let _: Stored = console.send("/v1/control", &body(&veto)).await.expect("vetoed");
        let view: Value = console.fetch("/v1/freezes").await.expect("freezes");
        assert_eq!(view["pending"], serde_json::json!([]));
        log_in(&console, &organisation).await;
    });
}
