//! What an audit finds, each in a mirror made for it: the finding has its code, and what is whole stays clean.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use bartizan_testkit::world::{CONTENT, Log, World, signed};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, EndpointId, Sha256, StatementId};
use bartizan_trust::statement::{
    Decision, FreezeScope, Output, Receipt, SignatureRole, StateSummary, V1,
};
use bartizan_trust::targets::sort_endpoints;
use bartizan_trust::tiles::encode_entries;
use bartizan_trust::time::UnixSeconds;
use serde_json::{Value, json};

use crate::stage::Stage;

const BOTH: [(&str, SignatureRole); 2] =
    [("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)];

/// An organisation that began two hours ago; the windows of its first jobs are over.
fn world() -> World {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    World::at(UnixSeconds::new(now - 7200), |_| Ok(())).unwrap()
}

fn receipt(
    world: &World,
    number: u32,
    seq: u64,
    prev: Option<StatementId>,
    job: StatementId,
    decision: Decision,
) -> Envelope {
    let statement = Receipt {
        v: V1,
        org: world.org,
        iat: world.now,
        crit: Vec::new(),
        endpoint: World::endpoint_id(number).unwrap(),
        seq,
        prev,
        job,
        occurrence: None,
        decision,
        code: "ok".to_owned(),
        t0: world.now,
        t1: world.now,
        exit: Some(0),
        output: Output { sha256: Sha256::of(b""), size: 0 },
        program: None,
        state: StateSummary { bundle: 1, clog: 1, jlog: 1, floor: world.now },
    };
    let mut envelope = Envelope::new(&statement);
    World::device(number).unwrap().sign(&mut envelope, SignatureRole::Receipt).unwrap();
    envelope
}

/// A mirror's folder with these receipts.
struct Folder {
    stage: Stage,
}

impl Folder {
    fn new(world: &World, receipts: &[Envelope]) -> Self {
        let folder = Self { stage: Stage::new() };
        folder.log(world, "control", &world.control);
        folder.log(world, "jobs", &world.jobs);
        for receipt in receipts {
            folder.write(&format!("receipts/{}.json", receipt.id()), &receipt.encode());
        }
        let org = json!({
            "anchor": Anchor::new(world.org), "server": "localhost:1", "spki": Sha256::of(b""),
        });
        std::fs::create_dir_all(folder.stage.path("home")).unwrap();
        folder.stage.write("home/org.json", &org.to_string());
        folder
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.stage.path("mirror").join(name);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    fn log(&self, world: &World, name: &str, log: &Log) {
        let note = log.note(log.size(), &world.all_witnesses(), world.now).unwrap();
        self.write(&format!("log/{name}/checkpoint"), &note);
        let path = format!("log/{name}/tile/entries/000.p/{}", log.size());
        self.write(&path, &encode_entries(&log.entries_from(0)));
    }

    /// The script and the targets of a job.
    fn work(&self, job: StatementId, content: &[u8]) {
        let mut targets: Vec<EndpointId> =
            (0..3).map(|number| World::endpoint_id(number).unwrap()).collect();
        sort_endpoints(&mut targets);
        self.write(&format!("jobs/{job}/content"), content);
        self.write(&format!("jobs/{job}/targets.json"), &serde_json::to_vec(&targets).unwrap());
    }

    /// Code and weight of each finding.
    #[track_caller]
    fn findings(&self, exit: i32) -> Vec<(String, String)> {
        let answer = self.stage.json("home", &["log", "audit", "--mirror", "mirror"]);
        assert_eq!(answer.code, exit, "{answer:#?}");
        let shown: Value = serde_json::from_str(answer.out.lines().last().unwrap()).unwrap();
        assert_eq!(shown["ok"], exit == 0);
        let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
        let findings = shown["report"]["findings"].as_array().unwrap();
        findings.iter().map(|f| (text(f, "code"), text(f, "weight"))).collect()
    }
}

fn notes(codes: &[&str]) -> Vec<(String, String)> {
    codes.iter().map(|code| ((*code).to_owned(), "note".to_owned())).collect()
}

fn problems(codes: &[&str]) -> Vec<(String, String)> {
    codes.iter().map(|code| ((*code).to_owned(), "problem".to_owned())).collect()
}

/// A job by enough people, in the log.
fn good(world: &mut World) -> Envelope {
    let envelope = signed(&world.job().unwrap(), &BOTH).unwrap();
    world.jobs.append(envelope.encode());
    envelope
}

#[test]
fn a_whole_history_is_clean_and_what_honest_people_do_are_notes() {
    let mut world = world();
    let job = good(&mut world);
    let answers: Vec<Envelope> =
        (0..3).map(|n| receipt(&world, n, 1, None, job.id(), Decision::Done)).collect();
    let folder = Folder::new(&world, &answers);
    assert_eq!(folder.findings(0), notes(&["job.not_kept"]));
    folder.work(job.id(), b"another script");
    assert_eq!(folder.findings(0), notes(&["job.not_kept"]), "not what was signed is not kept");
    folder.work(job.id(), CONTENT);
    assert_eq!(folder.findings(0), []);

    let folder = Folder::new(&world, &answers[..2]);
    folder.work(job.id(), CONTENT);
    assert_eq!(folder.findings(0), notes(&["receipt.missing"]));

    // The fourth freeze of a day has no effect; a job that nobody approved ran nowhere.
    for seconds in 1..=4 {
        let freeze = world.freeze(FreezeScope::Sessions, 3600 + seconds);
        world.log_control(&signed(&freeze, &[("alice", SignatureRole::Freeze)]).unwrap());
    }
    let alone = signed(&world.job().unwrap(), &BOTH[..1]).unwrap();
    world.jobs.append(alone.encode());
    let folder = Folder::new(&world, &answers);
    folder.work(job.id(), CONTENT);
    let expected = notes(&["statement.no_effect", "statement.too_few_signatures"]);
    assert_eq!(folder.findings(0), expected);
}

#[test]
fn a_job_in_stages_is_kept_by_its_own_tree() {
    let mut world = world();
    let job = signed(&world.staged_job(0).unwrap(), &BOTH).unwrap();
    world.jobs.append(job.encode());
    let answers: Vec<Envelope> =
        (0..3).map(|n| receipt(&world, n, 1, None, job.id(), Decision::Done)).collect();
    let folder = Folder::new(&world, &answers);
    folder.work(job.id(), CONTENT);
    assert_eq!(folder.findings(0), []);
}

#[test]
fn a_job_that_ran_without_enough_people_is_a_problem() {
    let mut world = world();
    let alone = signed(&world.job().unwrap(), &BOTH[..1]).unwrap();
    world.jobs.append(alone.encode());
    let refused = receipt(&world, 0, 1, None, alone.id(), Decision::Refused);
    let folder = Folder::new(&world, std::slice::from_ref(&refused));
    assert_eq!(folder.findings(0), notes(&["statement.too_few_signatures"]), "it was refused");
    let ran = receipt(&world, 1, 1, None, alone.id(), Decision::Done);
    assert_eq!(
        Folder::new(&world, &[refused, ran]).findings(3),
        problems(&["job.ran_unauthorised"])
    );
}

#[test]
fn work_that_stands_in_no_log_and_receipts_that_are_withheld_are_problems() {
    let mut world = world();
    let job = good(&mut world);
    let hidden = signed(&world.job().unwrap(), &BOTH).unwrap();
    let first = receipt(&world, 0, 1, None, hidden.id(), Decision::Done);
    let second = receipt(&world, 0, 2, Some(first.id()), job.id(), Decision::Done);
    let others = [1, 2].map(|n| receipt(&world, n, 1, None, job.id(), Decision::Done));
    let all = [&[first, second.clone()], &others[..]].concat();
    let folder = Folder::new(&world, &all);
    folder.work(job.id(), CONTENT);
    assert_eq!(folder.findings(3), problems(&["receipt.of_nothing"]));
    // Leaving it out does not help: the next one names it.
    let folder = Folder::new(&world, &[&[second], &others[..]].concat());
    folder.work(job.id(), CONTENT);
    assert_eq!(folder.findings(3), problems(&["receipt.gap"]));
    // One that another endpoint signed is none.
    let mut forged = Envelope::new(
        &receipt(&world, 0, 1, None, job.id(), Decision::Done).statement::<Receipt>().unwrap(),
    );
    World::device(1).unwrap().sign(&mut forged, SignatureRole::Receipt).unwrap();
    let folder = Folder::new(&world, &[&[forged], &others[..]].concat());
    folder.work(job.id(), CONTENT);
    let mut expected = problems(&["receipt.invalid"]);
    expected.extend(notes(&["receipt.missing"]));
    assert_eq!(folder.findings(3), expected);
}

#[test]
fn what_has_no_place_in_a_log_and_whom_no_bundle_names_are_problems() {
    let mut world = world();
    let job = good(&mut world);
    let answers: Vec<Envelope> =
        (0..3).map(|n| receipt(&world, n, 1, None, job.id(), Decision::Done)).collect();
    world.jobs.append(b"no statement".to_vec());
    world.jobs.append(answers[0].encode());
    let enough = [BOTH[0], BOTH[1], ("mallory", SignatureRole::Approve)];
    let joined = signed(&job.statement::<bartizan_trust::statement::Job>().unwrap(), &enough);
    world.jobs.append(joined.unwrap().encode());
    let freeze = world.freeze(FreezeScope::Org, 60);
    let thaw = world.thaw(signed(&freeze, &[]).unwrap().id());
    world.log_control(&signed(&freeze, &[("alice", SignatureRole::Freeze)]).unwrap());
    world.log_control(&signed(&thaw, &[("alice", SignatureRole::Freeze)]).unwrap());
    let folder = Folder::new(&world, &answers);
    folder.work(job.id(), CONTENT);
    let expected = [
        "statement.too_few_signatures",
        "log.no_statement",
        "log.wrong_kind",
        "signer.unknown",
        "signer.unknown",
    ];
    assert_eq!(folder.findings(3), problems(&expected));
}
