//! The attempts, one after the other.
#![expect(clippy::indexing_slicing, reason = "indexing a JSON value gives null, never a panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::{Job, SignatureRole};
use data_encoding::HEXLOWER;
use serde_json::Value;

use super::{cuts, others, supply, surroundings};
use crate::demo::stage::Stage;
use crate::demo::story::{connected, endpoint_id, start_endpoint, string, submit, text};
use crate::home::Home;
use crate::keys::Signer;

/// What came of one attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) name: &'static str,
    pub(super) attacker: &'static str,
    /// Whether anything ran that should not have.
    pub(super) executed: bool,
    /// Who refused, and with which code.
    pub(super) answers: Vec<(String, String)>,
}

impl Attempt {
    /// The codes, each once.
    pub(super) fn codes(&self) -> String {
        let codes: BTreeSet<&str> = self.answers.iter().map(|(_, code)| code.as_str()).collect();
        codes.into_iter().collect::<Vec<_>>().join(", ")
    }
}

/// An attempt to play.
pub(super) struct Play {
    name: &'static str,
    attacker: &'static str,
    attempt: fn(&mut Stage) -> Result<Answer>,
}

/// Who refused with which code, and whether the mark is there that must not be.
pub(super) struct Answer {
    pub(super) refusals: Vec<(String, String)>,
    pub(super) executed: bool,
}

pub(super) const OWNER: &str = "owner of the server";

const FLEET: [&str; 3] = ["endpoint-1", "endpoint-2", "endpoint-3"];

/// In this order; each leaves the fleet able to do honest work.
pub(super) const ALL: &[Play] = &[
    Play {
        name: "a job with one signature is marked as complete",
        attacker: OWNER,
        attempt: one_signature,
    },
    Play {
        name: "strangers sign a job in the operators' place",
        attacker: OWNER,
        attempt: strangers,
    },
    Play {
        name: "an author approves his own job",
        attacker: "insider with the server",
        attempt: insider,
    },
    Play { name: "an endpoint is added to a signed job", attacker: OWNER, attempt: target_added },
    Play {
        name: "an endpoint is given another customer's job",
        attacker: OWNER,
        attempt: other_tenant,
    },
    Play { name: "the script of a signed job is swapped", attacker: OWNER, attempt: swapped },
    Play { name: "a finished job is delivered again", attacker: OWNER, attempt: replayed },
    Play { name: "a job is delivered after its window", attacker: OWNER, attempt: expired },
    Play {
        name: "a job with one signature is put into the guard's pipe",
        attacker: "evil network half of an endpoint",
        attempt: others::evil_network_half,
    },
    Play {
        name: "a job is submitted with an operator's session, signed by a stranger",
        attacker: "stolen session",
        attempt: others::stolen_session,
    },
    Play {
        name: "a job that destroys is signed by one person as everyday work",
        attacker: "stolen key, with the server",
        attempt: others::stolen_key,
    },
    Play {
        name: "an update that one person signed is marked as complete",
        attacker: supply::ATTACKER,
        attempt: supply::one_person,
    },
    Play {
        name: "an update that two people signed and the vendor did not",
        attacker: supply::ATTACKER,
        attempt: supply::without_the_vendor,
    },
    Play {
        name: "an update with another program in its package than was signed",
        attacker: supply::ATTACKER,
        attempt: supply::another_program,
    },
    Play {
        name: "an update to a version older than the one that runs",
        attacker: supply::ATTACKER,
        attempt: supply::older_version,
    },
    Play {
        name: "an update that the vendor signed and nobody of the organisation",
        attacker: supply::VENDOR,
        attempt: supply::vendor_alone,
    },
    Play {
        name: "somebody on the way poses as the server, with a TLS key of his own",
        attacker: "network",
        attempt: surroundings::impostor,
    },
    Play {
        name: "somebody on the way cuts connections in mid-frame and sends what he recorded again",
        attacker: "network",
        attempt: cuts::cut_and_replayed,
    },
    Play {
        name: "the endpoint's clock is past the end of a freeze that its witnesses have not seen end",
        attacker: "clock, with the server",
        attempt: surroundings::clock_ahead,
    },
    Play {
        name: "the endpoint's clock is set back into the window of a job that its witnesses have seen end",
        attacker: "clock, with the server",
        attempt: surroundings::clock_behind,
    },
];

/// After this an endpoint takes nothing that was signed before it: the last but the logs.
pub(super) const SNAPSHOT: Play = Play {
    name: "an endpoint's state is put back, and a finished job delivered again",
    attacker: "rolled-back snapshot, with the server",
    attempt: others::rolled_back_state,
};

impl Play {
    pub(super) fn run(&self, stage: &mut Stage) -> Result<Attempt> {
        let answer = (self.attempt)(stage).with_context(|| self.name.to_owned())?;
        ensure!(
            answer.executed || !answer.refusals.is_empty(),
            "nobody refused, and nothing ran: the attempt was not made"
        );
        Ok(Attempt {
            name: self.name,
            attacker: self.attacker,
            executed: answer.executed,
            answers: answer.refusals,
        })
    }
}

/// A script that leaves a mark, and where.
pub(super) fn marking(stage: &Stage, name: &str) -> Result<(String, String)> {
    let mark = text(&stage.path(&format!("{name}.mark")))?.to_owned();
    let script = stage.write(&format!("{name}.sh"), &format!("echo ran >> '{mark}'\n"))?;
    Ok((text(&script)?.to_owned(), mark))
}

/// Lines in a mark: how often its script ran.
pub(super) fn runs(mark: &str) -> usize {
    fs::read_to_string(mark).map_or(0, |marks| marks.lines().count())
}

/// Refusal receipts of a job, once there are as many as `count`.
pub(super) fn refusals(
    stage: &mut Stage,
    job: &str,
    count: usize,
) -> Result<Vec<(String, String)>> {
    stage.wait_for("the endpoints' refusals", |stage| {
        let all = receipts(stage, job)?;
        let refused: Vec<_> =
            all.iter().filter(|receipt| receipt["decision"] == "refused").map(answered).collect();
        Ok((refused.len() >= count).then_some(refused))
    })
}

fn answered(receipt: &Value) -> (String, String) {
    let text = |field: &str| receipt[field].as_str().unwrap_or_default().to_owned();
    (text("endpoint"), text("code"))
}

/// Receipts that verify against the endpoints' own keys; others count for nothing.
fn receipts(stage: &Stage, job: &str) -> Result<Vec<Value>> {
    let page = stage.ask("alice", &["receipts", job])?;
    let all = page["receipts"].as_array().context("read the receipts")?;
    Ok(all.iter().filter(|receipt| receipt["verified"] == true).cloned().collect())
}

pub(super) fn finished(stage: &mut Stage, job: &str, count: usize) -> Result<()> {
    stage.wait_for("the honest part of the job", |stage| {
        let done =
            receipts(stage, job)?.iter().filter(|receipt| receipt["decision"] == "done").count();
        Ok((done >= count).then_some(()))
    })
}

/// I9: an honest job runs on the endpoint that was attacked, once.
pub(super) fn still_works(stage: &mut Stage, name: &str) -> Result<()> {
    let (script, mark) = marking(stage, name)?;
    let third = endpoint_id(stage, others::THIRD)?;
    let job = submit(stage, "alice", &["--on", &third, &script])?;
    approve(stage, &job)?;
    finished(stage, &job, 1)?;
    ensure!(runs(&mark) == 1, "an honest job left {} marks", runs(&mark));
    Ok(())
}

pub(super) fn approve(stage: &Stage, job: &str) -> Result<()> {
    stage.ask("bob", &["approve", job, "--no-wait"]).map(|_| ())
}

/// The same script for each endpoint of the fleet, one job each: a job for all of them goes in stages.
fn one_job_each(stage: &mut Stage, script: &str) -> Result<Vec<String>> {
    let mut jobs = Vec::new();
    for name in FLEET {
        let endpoint = endpoint_id(stage, name)?;
        let job = submit(stage, "alice", &["--on", &endpoint, script])?;
        approve(stage, &job)?;
        jobs.push(job);
    }
    Ok(jobs)
}

fn one_signature(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "one-signature")?;
    let job = submit(stage, "alice", &["--on", "all", &script])?;
    stage.edit_database(&format!("UPDATE job SET state = 'active' WHERE id = '{job}'"))?;
    let refusals = refusals(stage, &job, 3)?;
    Ok(Answer { refusals, executed: runs(&mark) > 0 })
}

/// The attacker has keys, too, just not those of the bundle.
fn strangers(stage: &mut Stage) -> Result<Answer> {
    for who in ["stranger-1", "stranger-2"] {
        let key = stage.path(who).join("id_ed25519");
        stage.ask(who, &["key", "new", "--no-passphrase", "--out", text(&key)?])?;
    }
    forged(
        stage,
        "strangers",
        &[("stranger-1", SignatureRole::Author), ("stranger-2", SignatureRole::Approve)],
    )
}

fn insider(stage: &mut Stage) -> Result<Answer> {
    forged(stage, "insider", &[("alice", SignatureRole::Author), ("alice", SignatureRole::Approve)])
}

/// Replaces the envelope of a job in the database by one that these people have signed.
fn forged(stage: &mut Stage, name: &str, signers: &[(&str, SignatureRole)]) -> Result<Answer> {
    let (script, mark) = marking(stage, name)?;
    let job = submit(stage, "alice", &["--on", "all", &script])?;
    let folder = stage.path(&format!("{name}.exported"));
    stage.ask("alice", &["statement", "export", &job, "--dir", text(&folder)?])?;
    let original = fs::read(folder.join("envelope.json")).context("read the exported job")?;
    let statement: Job = Envelope::decode(&original)?.statement()?;
    let mut envelope = Envelope::new(&statement);
    for (who, role) in signers {
        let home = Home::open(Some(stage.path(who)))?;
        let key = stage.path(who).join("id_ed25519");
        Signer::open(&home, Some(text(&key)?))?.sign(&mut envelope, *role)?;
    }
    let bytes = HEXLOWER.encode(&envelope.encode());
    let sql = format!("UPDATE job SET envelope = x'{bytes}', state = 'active' WHERE id = '{job}'");
    stage.edit_database(&sql)?;
    let refusals = refusals(stage, &job, 3)?;
    Ok(Answer { refusals, executed: runs(&mark) > 0 })
}

fn target_added(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "target-added")?;
    let (first, second) = (endpoint_id(stage, "endpoint-1")?, endpoint_id(stage, "endpoint-2")?);
    let job = submit(stage, "alice", &["--on", &first, &script])?;
    approve(stage, &job)?;
    finished(stage, &job, 1)?;
    deliver_to(stage, &job, &second)?;
    let refusals = refusals(stage, &job, 1)?;
    Ok(Answer { refusals, executed: runs(&mark) > 1 })
}

/// Makes the server deliver a job to an endpoint.
pub(super) fn deliver_to(stage: &Stage, job: &str, endpoint: &str) -> Result<()> {
    stage.edit_database(
        &format!(
            "INSERT INTO job_target (job, endpoint, state) VALUES ('{job}', '{endpoint}', 'queued'); UPDATE job SET state = 'active' WHERE id = '{job}'"
        ),
    )
}

/// A fourth endpoint belongs to another customer; its job is sent to the first.
fn other_tenant(stage: &mut Stage) -> Result<Answer> {
    let before = connected(stage)?;
    crate::demo::story::enrol_one(stage, "globex", "endpoint-4")?;
    stage
        .wait_for("the fourth endpoint", |stage| Ok((connected(stage)? > before).then_some(())))?;
    let (script, mark) = marking(stage, "other-tenant")?;
    let (first, fourth) = (endpoint_id(stage, "endpoint-1")?, endpoint_id(stage, "endpoint-4")?);
    let job = submit(stage, "alice", &["--on", &fourth, &script])?;
    approve(stage, &job)?;
    finished(stage, &job, 1)?;
    stage
        .edit_database(&format!("UPDATE endpoint SET tenant = 'tn_globex' WHERE id = '{first}'"))?;
    deliver_to(stage, &job, &first)?;
    let refusals = refusals(stage, &job, 1)?;
    stage.edit_database(&format!("UPDATE endpoint SET tenant = 'tn_acme' WHERE id = '{first}'"))?;
    stage.kill("endpoint-4")?;
    Ok(Answer { refusals, executed: runs(&mark) > 1 })
}

/// A job that waits for an endpoint that is away, changed while it waits.
pub(super) fn while_away(
    stage: &mut Stage,
    name: &str,
    options: &[&str],
) -> Result<(String, String)> {
    let (script, mark) = marking(stage, name)?;
    let third = endpoint_id(stage, "endpoint-3")?;
    stage.kill("endpoint-3")?;
    stage.wait_for("the server to notice", |stage| Ok((connected(stage)? == 2).then_some(())))?;
    let arguments = [&["--on", &third][..], options, &[&script]].concat();
    let job = submit(stage, "alice", &arguments)?;
    approve(stage, &job)?;
    Ok((job, mark))
}

fn swapped(stage: &mut Stage) -> Result<Answer> {
    let (job, mark) = while_away(stage, "swapped", &[])?;
    let other = stage.path("swapped-script.mark");
    let script = HEXLOWER.encode(format!("echo ran >> '{}'\n", text(&other)?).as_bytes());
    stage.edit_database(&format!("UPDATE job SET content = x'{script}' WHERE id = '{job}'"))?;
    start_endpoint(stage, "endpoint-3")?;
    let refusals = refusals(stage, &job, 1)?;
    // Ended here, so that the honest script does not follow later.
    stage.edit_database(&format!("UPDATE job SET state = 'finished' WHERE id = '{job}'"))?;
    Ok(Answer { refusals, executed: other.exists() || runs(&mark) > 0 })
}

fn replayed(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "replayed")?;
    let jobs = one_job_each(stage, &script)?;
    for job in &jobs {
        finished(stage, job, 1)?;
        stage.edit_database(
            &format!(
                "UPDATE job_target SET state = 'queued', code = NULL, decision = NULL, receipt_seq = NULL WHERE job = '{job}'; UPDATE job SET state = 'active' WHERE id = '{job}'"
            ),
        )?;
    }
    let mut refused = Vec::new();
    for job in &jobs {
        refused.extend(refusals(stage, job, 1)?);
    }
    let refusals = refused;
    Ok(Answer { refusals, executed: runs(&mark) > 3 })
}

fn expired(stage: &mut Stage) -> Result<Answer> {
    let (job, mark) = while_away(stage, "expired", &["--expires", "3s"])?;
    stage.wait_for("the end of the job's window", |stage| {
        let state = stage.ask("alice", &["job", &job])?;
        Ok((state["row"]["state"] == "expired").then_some(()))
    })?;
    stage.edit_database(
        &format!(
            "UPDATE job SET exp = exp + 86400, state = 'active' WHERE id = '{job}'; UPDATE job_target SET state = 'queued' WHERE job = '{job}'"
        ),
    )?;
    start_endpoint(stage, "endpoint-3")?;
    let refusals = refusals(stage, &job, 1)?;
    Ok(Answer { refusals, executed: runs(&mark) > 0 })
}

/// The attempt, and how long the freeze took.
pub(super) struct WithheldFreeze {
    pub(super) attempt: Attempt,
    pub(super) milliseconds: u128,
}

/// Harmful work runs everywhere, signed by two people who were deceived; the server passes no freeze on. Bob hands
/// it to the endpoints as a file.
pub(super) fn withheld_freeze(stage: &mut Stage) -> Result<WithheldFreeze> {
    let mark = stage.path("withheld.mark");
    let harm = format!("sleep 30\necho ran >> '{}'\n", text(&mark)?);
    let script = stage.write("withheld.sh", &harm)?;
    let jobs = one_job_each(stage, text(&script)?)?;
    for job in &jobs {
        stage.wait_for("the work to run everywhere", |stage| {
            let detail = stage.ask("alice", &["job", job])?;
            Ok((detail["targets"][0]["state"] == "running").then_some(()))
        })?;
    }
    stage.kill("server")?;
    let begun = Instant::now();
    let file = stage.path("freeze.json");
    stage.ask("bob", &["freeze", "tenant:acme", "--for", "1h", "--out", text(&file)?])?;
    for name in FLEET {
        Stage::run_to_end(&mut guard(stage, name, &["freeze", "--file", text(&file)?]))?;
    }
    stage.wait_for("every endpoint to stand still", |stage| {
        let frozen = |name: &&str| -> Result<bool> {
            let status = Stage::run_to_end(&mut guard(stage, name, &["status"]))?;
            let status: Value = serde_json::from_str(&status).context("read the guard's status")?;
            Ok(status["frozen_by"].as_array().is_some_and(|by| !by.is_empty()))
        };
        let all = FLEET.iter().map(frozen).collect::<Result<Vec<bool>>>()?;
        Ok(all.iter().all(|frozen| *frozen).then_some(()))
    })?;
    let milliseconds = begun.elapsed().as_millis();
    start_server(stage)?;
    let ended = stage.wait_for("receipts of what was ended", |stage| {
        let mut ended: Vec<Value> = Vec::new();
        for job in &jobs {
            let all = receipts(stage, job)?;
            ended.extend(all.into_iter().filter(|receipt| receipt["code"] == "freeze.covered"));
        }
        Ok((ended.len() == 3).then_some(ended))
    })?;
    let attempt = Attempt {
        name: "a running job goes on because the server withholds the freeze",
        attacker: OWNER,
        executed: mark.exists(),
        answers: ended.iter().map(answered).collect(),
    };
    Ok(WithheldFreeze { attempt, milliseconds })
}

fn guard(stage: &Stage, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(stage.binary("bartizan-guard"));
    command.args(arguments).arg("--dir").arg(stage.path(name));
    command
}

pub(super) fn start_server(stage: &mut Stage) -> Result<()> {
    let _ = fs::remove_file(stage.path("server").join("ready.json"));
    let mut command = Command::new(stage.binary("bartizan-server"));
    command.args(["run", "--dir"]).arg(stage.path("server"));
    stage.start("server", &mut command)?;
    stage.wait_for("the server", |stage| {
        Ok(stage.path("server").join("ready.json").exists().then_some(()))
    })
}

/// I9: after all refusals, and a thaw by two, an honest job runs everywhere.
pub(super) fn honest_work_goes_on(stage: &mut Stage) -> Result<()> {
    let file = stage.path("freeze.json");
    let bytes = fs::read(&file).context("read the freeze")?;
    let id = Envelope::decode(&bytes)?.id().to_string();
    // The server did not know of it: it must be logged before it can be thawed.
    stage.ask("bob", &["freeze", "--send", text(&file)?])?;
    let thaw = stage.ask("bob", &["thaw", &id])?;
    stage.ask("alice", &["approve", &string(&thaw, "statement")?])?;
    let (script, mark) = marking(stage, "honest")?;
    let job = submit(stage, "alice", &["--on", "tenant:acme", &script])?;
    approve(stage, &job)?;
    // The first endpoint, then, on its receipt, the others.
    stage.ask("alice", &["rollout", &job, "--auto", "--timeout", "60s"])?;
    finished(stage, &job, 3)?;
    ensure!(runs(&mark) == 3, "the honest job left {} marks", runs(&mark));
    Ok(())
}

pub(super) fn remove_folder(path: &Path) -> Result<()> {
    if path.exists() {
        fs::remove_dir_all(path).with_context(|| format!("remove {}", path.display()))?;
    }
    Ok(())
}
