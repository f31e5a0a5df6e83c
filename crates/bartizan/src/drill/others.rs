//! Attackers who do not own the server, or more than it: an endpoint's network half, a stolen session, a stolen key, a
//! state that is put back, two logs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use bartizan_proto::frame::encode_frame;
use bartizan_proto::message::{JobMessage, Message};
use bartizan_proto::operator::{JobSubmission, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256};
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::statement::{Action, Class, Job, SignatureRole};
use bartizan_trust::targets::{TargetTree, sort_endpoints};
use data_encoding::{BASE64, HEXLOWER};

use super::attempts::{
    Answer, Attempt, OWNER, approve, deliver_to, finished, marking, remove_folder, runs,
    start_server,
};
use crate::api::session;
use crate::demo::stage::Stage;
use crate::demo::story::{endpoint_id, start_endpoint, submit, text};
use crate::home::Home;
use crate::keys::Signer;

pub(super) const THIRD: &str = "endpoint-3";

/// The network half of one endpoint is the attacker's program; it has a job with one signature and says it is ready.
pub(super) fn evil_network_half(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "evil-half")?;
    let content = fs::read(&script).context("read the script")?;
    let third: EndpointId = endpoint_id(stage, THIRD)?.parse().context("an endpoint's id")?;
    let (statement, path) = job_for(stage, &script, &[third])?;
    let mut envelope = Envelope::new(&statement);
    sign(stage, &mut envelope, "alice", SignatureRole::Author)?;
    let job = JobMessage {
        envelope: envelope.encode(),
        proof: Vec::new(),
        consistency: Vec::new(),
        stage: 0,
        index: 0,
        path,
        promotions: Vec::new(),
    };
    let total = u32::try_from(content.len()).context("a short script")?;
    let said = [
        Message::Content { sha256: Sha256::of(&content), total, offset: 0, bytes: content.clone() },
        Message::Job(job),
        Message::Content { sha256: Sha256::of(&content), total, offset: 0, bytes: content },
    ];
    let frames = stage.path("evil-half.frames");
    fs::write(&frames, said.iter().flat_map(encode_frame).collect::<Vec<u8>>())
        .context("write what the network half says")?;
    let program = stage.write(
        "evil-half-agent",
        &format!("#!/bin/sh\ncat '{}'\nexec cat >/dev/null\n", text(&frames)?),
    )?;
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755))
        .context("make it a program")?;
    stage.kill(THIRD)?;
    let mut command = Command::new(stage.binary("bartizan-guard"));
    command.env("RUNTIME_DIRECTORY", stage.path(&format!("{THIRD}.run")));
    command.args(["run", "--dir"]).arg(stage.path(THIRD)).arg("--agent-binary").arg(&program);
    stage.start(THIRD, &mut command)?;
    let code = said_by(stage, THIRD, &envelope)?;
    stage.kill(THIRD)?;
    start_endpoint(stage, THIRD)?;
    Ok(Answer { refusals: vec![(third.to_string(), code)], executed: runs(&mark) > 0 })
}

/// Alice's session, without her key: whoever has it can ask the server, and signs as a stranger.
pub(super) fn stolen_session(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "stolen-session")?;
    let thief = stage.path("thief");
    copy_folder(&stage.path("alice"), &thief)?;
    for key in ["id_ed25519", "id_ed25519.pub"] {
        let _ = fs::remove_file(thief.join(key));
    }
    stage.ask(
        "thief",
        &["key", "new", "--no-passphrase", "--out", text(&thief.join("id_ed25519"))?],
    )?;
    let first: EndpointId =
        endpoint_id(stage, "endpoint-1")?.parse().context("an endpoint's id")?;
    let (statement, _) = job_for(stage, &script, &[first])?;
    let mut envelope = Envelope::new(&statement);
    sign(stage, &mut envelope, "thief", SignatureRole::Author)?;
    sign(stage, &mut envelope, "thief", SignatureRole::Approve)?;
    let home = Home::open(Some(thief))?;
    let org = home.org()?;
    let api = session::open(&home, &org, None).context("use the stolen session")?;
    let submission = JobSubmission {
        envelope: BASE64.encode(&envelope.encode()),
        targets: vec![first],
        content: BASE64.encode(&fs::read(&script).context("read the script")?),
    };
    let answer: Result<Stored> = api.send("/v1/jobs", &submission);
    let code = match answer {
        Ok(_) => bail!("the server took a job that a stranger signed"),
        Err(error) => crate::exit::reason(&error).context("the server gives a code")?,
    };
    Ok(Answer { refusals: vec![("server".to_owned(), code)], executed: runs(&mark) > 0 })
}

/// Alice's key, and the server: a job that destroys, called everyday work so that nobody else has to sign.
pub(super) fn stolen_key(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "stolen-key")?;
    let third: EndpointId = endpoint_id(stage, THIRD)?.parse().context("an endpoint's id")?;
    let row = submit(stage, "alice", &["--on", &third.to_string(), &script])?;
    let (mut statement, _) = job_for(stage, &script, &[third])?;
    statement.class = Class::Routine;
    if let Action::Script(action) = &mut statement.action {
        action.destructive = true;
    }
    let mut envelope = Envelope::new(&statement);
    sign(stage, &mut envelope, "alice", SignatureRole::Author)?;
    let bytes = HEXLOWER.encode(&envelope.encode());
    stage.edit_database(&format!(
        "UPDATE job SET envelope = x'{bytes}', state = 'active' WHERE id = '{row}'"
    ))?;
    let code = said_by(stage, THIRD, &envelope)?;
    stage.edit_database(&format!("UPDATE job SET state = 'finished' WHERE id = '{row}'"))?;
    Ok(Answer { refusals: vec![(third.to_string(), code)], executed: runs(&mark) > 0 })
}

/// Somebody puts an endpoint's state back to what it was before a job ran, and the server delivers the job again. Such an
/// endpoint takes nothing that was signed before that, so this comes after the honest work.
pub(super) fn rolled_back_state(stage: &mut Stage) -> Result<Answer> {
    let (script, mark) = marking(stage, "rolled-back")?;
    let third = endpoint_id(stage, THIRD)?;
    let state = stage.path(THIRD).join("state.json");
    let older = fs::read(&state).context("read the endpoint's state")?;
    let job = submit(stage, "alice", &["--on", &third, &script])?;
    approve(stage, &job)?;
    finished(stage, &job, 1)?;
    stage.kill(THIRD)?;
    fs::write(&state, older).context("put the state back")?;
    stage.edit_database(&format!("DELETE FROM job_target WHERE job = '{job}'"))?;
    deliver_to(stage, &job, &third)?;
    start_endpoint(stage, THIRD)?;
    let folder = stage.path("rolled-back.exported");
    stage.ask("alice", &["statement", "export", &job, "--dir", text(&folder)?])?;
    let envelope = Envelope::decode(&fs::read(folder.join("envelope.json")).context("read it")?)?;
    let code = said_by(stage, THIRD, &envelope)?;
    Ok(Answer { refusals: vec![(third, code)], executed: runs(&mark) > 1 })
}

/// How the jobs log is falsified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Falsified {
    /// Its end is cut off.
    RolledBack,
    /// Its last entry is another.
    Forked,
}

/// The owner of the server falsifies the jobs log, with the real log key. Both operators' consoles must notice.
pub(super) fn falsified_log(stage: &mut Stage, how: Falsified) -> Result<Attempt> {
    for who in ["alice", "bob"] {
        // They ended by themselves when an earlier attempt falsified the log.
        let _ = stage.kill(&format!("witness-{who}"));
    }
    stage.kill("server")?;
    let last = "idx = (SELECT MAX(idx) FROM log_entry WHERE log = 'jobs')";
    let (name, code, word, sql) = match how {
        Falsified::RolledBack => (
            "the jobs log is rolled back to hide what was signed",
            "log.shrunk",
            "SHRUNK",
            "DELETE FROM log_entry WHERE log = 'jobs' AND idx >= 2".to_owned(),
        ),
        Falsified::Forked => (
            "the last entry of the jobs log is exchanged",
            "log.fork",
            "FORKED",
            format!(
                "UPDATE log_entry SET entry = x'{}', leaf = x'{}' WHERE log = 'jobs' AND {last}",
                HEXLOWER.encode(b"nothing happened"),
                HEXLOWER.encode(leaf_hash(b"nothing happened").as_bytes())
            ),
        ),
    };
    stage.edit_database(&format!("{sql}; DELETE FROM cosignature WHERE log = 'jobs'"))?;
    remove_folder(&stage.path("server").join("log/jobs"))?;
    start_server(stage)?;
    let mut answers = Vec::new();
    for who in ["alice", "bob"] {
        let output = stage
            .operator(who, &["witness", "--once"])
            .output()
            .context("run `bartizan witness`")?;
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(
            output.status.code() == Some(3) && complaint.contains(word),
            "{who} did not notice that the log was falsified: {complaint}"
        );
        answers.push((format!("witness {who}"), code.to_owned()));
    }
    Ok(Attempt { name, attacker: OWNER, executed: false, answers })
}

/// A job of Alice's for these endpoints, unsigned, and the path of the first.
pub(super) fn job_for(
    stage: &Stage,
    script: &str,
    targets: &[EndpointId],
) -> Result<(Job, Vec<Sha256>)> {
    let targets: Vec<String> = targets.iter().map(ToString::to_string).collect();
    let job = submit(stage, "alice", &["--on", &targets.join(","), script])?;
    let folder = stage.path(&format!("{job}.exported"));
    stage.ask("alice", &["statement", "export", &job, "--dir", text(&folder)?])?;
    let bytes = fs::read(folder.join("envelope.json")).context("read the exported job")?;
    let mut statement: Job = Envelope::decode(&bytes)?.statement()?;
    statement.nonce = crate::home::nonce()?;
    let mut ids = targets.iter().map(|id| id.parse()).collect::<Result<Vec<EndpointId>, _>>()?;
    sort_endpoints(&mut ids);
    let leaves: Vec<_> = ids.iter().map(|id| (*id, 0)).collect();
    let tree = TargetTree::new(&leaves).ok().context("make a target tree")?;
    let first = ids.first().context("a target")?;
    let place = tree.place(first).context("find the place of a target")?;
    Ok((statement, place.path))
}

pub(super) fn sign(
    stage: &Stage,
    envelope: &mut Envelope,
    who: &str,
    role: SignatureRole,
) -> Result<()> {
    let home = Home::open(Some(stage.path(who)))?;
    let key = stage.path(who).join("id_ed25519");
    Signer::open(&home, Some(text(&key)?))?.sign(envelope, role)
}

/// The code with which an endpoint refused a job, from its own log.
fn said_by(stage: &mut Stage, endpoint: &str, job: &Envelope) -> Result<String> {
    let beginning = format!("{} refused: ", job.id());
    let log = stage.path(&format!("{endpoint}.log"));
    stage.wait_for("the endpoint's refusal", |_| {
        let said = fs::read_to_string(&log).unwrap_or_default();
        let line = said.lines().find_map(|line| line.strip_prefix(&beginning));
        Ok(line.and_then(|line| line.split(';').next()).map(str::to_owned))
    })
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("create {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry.context("read a folder")?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("copy {}", target.display()))?;
        }
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).context("keep it private")
}
