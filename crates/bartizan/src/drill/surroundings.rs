//! What lies around an endpoint: the network on the way to its server, and its clock.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::statement::Job;
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;
use serde_json::Value;

use super::attempts::{Answer, refusals, runs, start_server, still_works, while_away};
use super::others::THIRD;
use crate::api::session;
use crate::demo::stage::{Stage, free_port};
use crate::demo::story::{connected, endpoint_id, start_endpoint, start_witnesses, string};
use crate::home::{Home, now};
use crate::{trust, witness};

pub(super) const ENDPOINTS: [&str; 3] = ["endpoint-1", "endpoint-2", THIRD];
/// What the network half of an endpoint says of a server whose key the bundle does not name.
const UNKNOWN_KEY: &str = "server.unknown_key";

/// Another server on the very address that the bundle names. It has everything but the key.
pub(super) fn impostor(stage: &mut Stage) -> Result<Answer> {
    let address = agent_address(stage)?;
    stage.kill("server")?;
    let place = stage.path("impostor");
    Stage::run_to_end(
        Command::new(stage.binary("bartizan-server"))
            .args(["init", "--dir"])
            .arg(&place)
            .args(["--address", &address, "--agent-listen", &address])
            .args(["--operator-listen", &format!("127.0.0.1:{}", free_port()?)]),
    )?;
    let mut command = Command::new(stage.binary("bartizan-server"));
    command.args(["run", "--dir"]).arg(&place);
    stage.start("impostor", &mut command)?;
    let refusals = stage.wait_for("every endpoint to turn the impostor away", |stage| {
        let mut refused = Vec::new();
        for name in ENDPOINTS {
            let log = fs::read_to_string(stage.path(&format!("{name}.log"))).unwrap_or_default();
            if log.contains(UNKNOWN_KEY) {
                refused.push((endpoint_id(stage, name)?, UNKNOWN_KEY.to_owned()));
            }
        }
        Ok((refused.len() == ENDPOINTS.len()).then_some(refused))
    })?;
    stage.kill("impostor")?;
    start_server(stage)?;
    stage.wait_for("the endpoints to come back", |stage| {
        Ok((connected(stage)? == ENDPOINTS.len()).then_some(()))
    })?;
    Ok(Answer { refusals, executed: false })
}

/// The address that endpoints call, from the server's own word about itself.
pub(super) fn agent_address(stage: &Stage) -> Result<String> {
    let identity = fs::read_to_string(stage.path("server-identity.json")).context("read it")?;
    let identity: Value = serde_json::from_str(&identity).context("read the server's identity")?;
    let address =
        identity.get("agent_addresses").and_then(|all| all.get(0)).and_then(Value::as_str);
    address.map(str::to_owned).context("find the server's address")
}

/// How long the freeze lasts: long enough for witnesses to see it, and waited for here.
const FREEZE: &str = "20s";

/// A job is frozen for a little while. The attacker's server keeps witnesses from the endpoint once they have seen the freeze, and the
/// endpoint's clock goes on beyond its end: to the endpoint that is a clock set forward. Without witnesses no freeze ends.
pub(super) fn clock_ahead(stage: &mut Stage) -> Result<Answer> {
    let (job, mark) = while_away(stage, "clock-ahead", &[])?;
    let frozen =
        stage.ask("bob", &["freeze", &format!("job:{job}"), "--for", FREEZE, "--no-wait"])?;
    let end = now().plus(20);
    string(&frozen, "freeze").context("the id of the freeze")?;
    all_is_seen(stage)?;
    for who in ["alice", "bob"] {
        stage.kill(&format!("witness-{who}"))?;
    }
    ensure!(now() < end, "this machine is too slow: the freeze was over before it was seen");
    stage.wait_for("the end of the freeze by the clock", |_| Ok((now() > end).then_some(())))?;
    start_endpoint(stage, THIRD)?;
    let refusals = refusals(stage, &job, 1)?;
    let executed = runs(&mark) > 0;
    stage.edit_database(&format!("UPDATE job SET state = 'finished' WHERE id = '{job}'"))?;
    start_witnesses(stage)?;
    Ok(Answer { refusals, executed })
}

/// The window of a job that is over by witnesses' time, and how far beyond its end they are.
const WINDOW: &str = "90s";
const BEYOND_S: u64 = 15;

/// A job is signed and the server keeps it for itself. The endpoint sees its window end by its witnesses' time; its own clock is set
/// back into the window, and now the server delivers. No process can be given a clock of its own, so the witnesses' is ahead
/// instead: to the endpoint that is the same.
pub(super) fn clock_behind(stage: &mut Stage) -> Result<Answer> {
    let (job, mark) = while_away(stage, "clock-behind", &["--expires", WINDOW])?;
    stage.edit_database(&format!("UPDATE job SET state = 'finished' WHERE id = '{job}'"))?;
    all_is_seen(stage)?;
    let end = window_end(stage, &job)?;
    let beyond = end.plus(BEYOND_S);
    for who in ["alice", "bob"] {
        stage.kill(&format!("witness-{who}"))?;
        cosign_at(stage, who, beyond)?;
    }
    start_endpoint(stage, THIRD)?;
    stage.wait_for("the endpoint to hear its witnesses' time", |stage| {
        Ok((witness_time(stage, THIRD)? >= beyond).then_some(()))
    })?;
    stage.edit_database(&format!("UPDATE job SET state = 'active' WHERE id = '{job}'"))?;
    let refusals = refusals(stage, &job, 1)?;
    ensure!(
        now() < end,
        "this machine is too slow: the window was over by the endpoint's clock as well"
    );
    let executed = runs(&mark) > 0;
    stage.edit_database(&format!("UPDATE job SET state = 'finished' WHERE id = '{job}'"))?;
    start_witnesses(stage)?;
    still_works(stage, "clock-behind-after")?;
    Ok(Answer { refusals, executed })
}

/// When a job's window ends, by what was signed.
fn window_end(stage: &Stage, job: &str) -> Result<UnixSeconds> {
    let envelope = string(&stage.ask("alice", &["job", job])?, "envelope")?;
    let envelope = BASE64.decode(envelope.as_bytes()).context("read the job")?;
    let job: Job = Envelope::decode(&envelope)?.statement().context("read the job")?;
    Ok(job.window.exp)
}

/// Somebody's witness co-signs the control log by another clock.
fn cosign_at(stage: &Stage, who: &str, at: UnixSeconds) -> Result<()> {
    let home = Home::open(Some(stage.path(who)))?;
    let org = home.org()?;
    let api = session::open(&home, &org, None).context("use the session of an operator")?;
    let view = trust::current_view(&api, org.anchor)?;
    witness::cosign_control_at(&home, &api, &view.chain.current.bundle, at)
}

/// What an endpoint knows of its witnesses' time, by its own word.
fn witness_time(stage: &Stage, name: &str) -> Result<UnixSeconds> {
    let status = Stage::run_to_end(
        Command::new(stage.binary("bartizan-guard"))
            .args(["status", "--dir"])
            .arg(stage.path(name)),
    )?;
    let status: Value = serde_json::from_str(&status).context("read the guard's status")?;
    let floor = status.get("floor").and_then(Value::as_u64).context("no time in the status")?;
    Ok(UnixSeconds::new(floor))
}

/// Waits until both witnesses have seen everything that is logged.
fn all_is_seen(stage: &mut Stage) -> Result<()> {
    for log in ["control", "jobs"] {
        let size = entries(stage, log)?;
        stage.wait_for("both witnesses to see what is logged", |stage| {
            Ok(is_seen(stage, log, size).then_some(()))
        })?;
    }
    Ok(())
}

/// Whether both witnesses have co-signed so many entries of a log.
fn is_seen(stage: &Stage, log: &str, size: u64) -> bool {
    let note = stage.path("server").join("log").join(log).join("checkpoint");
    let note = fs::read_to_string(note).unwrap_or_default();
    let seen = note.lines().nth(1).and_then(|line| line.parse::<u64>().ok());
    let signatures = note.lines().filter(|line| line.starts_with('\u{2014}')).count();
    seen >= Some(size) && signatures >= 3
}

/// How many entries a log has, with or without witnesses.
fn entries(stage: &Stage, log: &str) -> Result<u64> {
    let database = stage.path("server").join("server.db");
    let count = Stage::run_to_end(
        Command::new("sqlite3")
            .args(["-cmd", ".timeout 10000"])
            .arg(database)
            .arg(format!("SELECT COUNT(*) FROM log_entry WHERE log = '{log}'")),
    )?;
    count.trim().parse().context("count the entries of a log")
}
