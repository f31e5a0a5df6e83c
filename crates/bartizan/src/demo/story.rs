//! The story, step by step.
#![expect(clippy::indexing_slicing, reason = "indexing a JSON value gives null, never a panic")]

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::attack;
use super::stage::{Stage, free_port};

const ENDPOINTS: [&str; 3] = ["endpoint-1", "endpoint-2", "endpoint-3"];

/// Plays every step in order.
pub(crate) fn play(stage: &mut Stage) -> Result<()> {
    step("bootstrap: two operators make keys and sign the genesis bundle", || bootstrap(stage))?;
    step("server: starts, receives the bundle, cannot make one", || server(stage))?;
    step("witnesses: both operators' computers co-sign the logs", || witnesses(stage))?;
    step("enrol: three endpoints, each with its own device key", || enrol(stage))?;
    step("inventory: the endpoints report", || inventory(stage))?;
    let hello = step("run: Alice signs a script for all three; they wait", || author_signs(stage))?;
    step(
        "approve: Bob reads, compares the words and countersigns; one endpoint goes first",
        || approve(stage, &hello),
    )?;
    step("promote: it ended well there, so Alice lets the other two begin", || {
        promote(stage, &hello)
    })?;
    step("receipts: three, signed by the endpoints", || receipts(stage, &hello))?;
    step("attack: the server delivers a job with one signature", || attack::one_signature(stage))?;
    step("attack: the server adds an endpoint to a signed job", || attack::target_added(stage))?;
    step("attack: the server swaps the script of a signed job", || attack::payload_swapped(stage))?;
    step("queue: the endpoint that was off gets its job when it returns", || {
        attack::endpoint_returns(stage)
    })?;
    step("log: verified by the operator, and every statement with stock ssh-keygen", || {
        verify_log(stage)
    })
}

/// The fleet of the story, without a word: server, two operators, two witnesses, three endpoints.
pub(crate) fn found(stage: &mut Stage) -> Result<()> {
    bootstrap(stage)?;
    server(stage)?;
    witnesses(stage)?;
    enrol(stage)?;
    Ok(())
}

/// One more endpoint, of a tenant of its own.
pub(crate) fn enrol_one(stage: &mut Stage, tenant: &str, name: &str) -> Result<()> {
    let grant =
        stage.ask("alice", &["enroll", "--tenant", tenant, "--site", "hq", "--uses", "1"])?;
    let arguments = words_of(&string(&grant, "command")?);
    install(stage, &arguments, name)
}

/// Runs the install command of `bartizan enroll` and starts the service.
fn install(stage: &mut Stage, command: &[String], name: &str) -> Result<()> {
    let (_, rest) = command.split_first().context("read the install command")?;
    Stage::run_to_end(
        Command::new(stage.binary("bartizan-guard")).args(rest).arg("--dir").arg(stage.path(name)),
    )?;
    start_endpoint(stage, name)
}

/// One line a step: what happens, what came of it, how long it took.
fn step<T>(title: &str, work: impl FnOnce() -> Result<(String, T)>) -> Result<T> {
    let start = Instant::now();
    let (outcome, value) = work().with_context(|| title.to_owned())?;
    println!("✓ {title}\n    {outcome} ({:.1} s)", start.elapsed().as_secs_f32());
    Ok(value)
}

type Step<T = ()> = Result<(String, T)>;

fn bootstrap(stage: &mut Stage) -> Step {
    let (agent, operator) = (free_port()?, free_port()?);
    let address = format!("127.0.0.1:{agent}");
    Stage::run_to_end(
        Command::new(stage.binary("bartizan-server"))
            .args(["init", "--dir"])
            .arg(stage.path("server"))
            .args(["--address", &address, "--agent-listen", &address])
            .args(["--operator-listen", &format!("127.0.0.1:{operator}")]),
    )?;
    let identity = Stage::run_to_end(
        Command::new(stage.binary("bartizan-server"))
            .args(["identity", "--dir"])
            .arg(stage.path("server")),
    )?;
    let identity = stage.write("server-identity.json", &identity)?;
    stage.write("operator-plane", &format!("127.0.0.1:{operator}"))?;
    for (id, name) in [("alice", "Alice"), ("bob", "Bob")] {
        let key = stage.path(id).join("id_ed25519");
        stage.ask(id, &["key", "new", "--no-passphrase", "--out", text(&key)?])?;
        let card =
            Stage::run_to_end(&mut stage.operator(id, &["card", "--id", id, "--name", name]))?;
        stage.write(&format!("{id}.card.json"), &card)?;
    }
    let genesis = stage.path("genesis.json");
    let card = stage.path("bob.card.json");
    stage.ask(
        "alice",
        &[
            "init",
            "--id",
            "alice",
            "--name",
            "Alice",
            "--with",
            text(&card)?,
            "--server",
            text(&identity)?,
            "--threshold",
            "2",
            "--out",
            text(&genesis)?,
        ],
    )?;
    let signed = stage.ask("bob", &["init", "--countersign", text(&genesis)?])?;
    Ok((format!("both saw the words: {}", string(&signed, "words")?), ()))
}

fn server(stage: &mut Stage) -> Step {
    let mut command = Command::new(stage.binary("bartizan-server"));
    command.args(["run", "--dir"]).arg(stage.path("server"));
    stage.start("server", &mut command)?;
    stage.wait_for("the server", |stage| {
        Ok(stage.path("server").join("ready.json").exists().then_some(()))
    })?;
    let plane = operator_plane(stage)?;
    let genesis = stage.path("genesis.json");
    let published =
        stage.ask("alice", &["init", "--publish", text(&genesis)?, "--server", &plane])?;
    let anchor = string(&published, "anchor")?;
    stage.ask("bob", &["join", "--anchor", &anchor, "--server", &plane])?;
    Ok((format!("anchor {anchor}"), ()))
}

fn witnesses(stage: &mut Stage) -> Step {
    start_witnesses(stage)?;
    Ok(("an entry only some have seen will not be believed".to_owned(), ()))
}

/// Both operators' computers co-sign the logs from now on.
pub(crate) fn start_witnesses(stage: &mut Stage) -> Result<()> {
    for who in ["alice", "bob"] {
        let mut command = stage.operator(who, &["witness", "--interval", "2s"]);
        stage.start(&format!("witness-{who}"), &mut command)?;
    }
    stage.wait_for("both co-signatures", |stage| {
        let note = std::fs::read_to_string(stage.path("server").join("log/control/checkpoint"))
            .unwrap_or_default();
        let signatures = note.lines().filter(|line| line.starts_with('\u{2014}')).count();
        Ok((signatures >= 3).then_some(()))
    })
}

fn enrol(stage: &mut Stage) -> Step {
    let grant =
        stage.ask("alice", &["enroll", "--tenant", "acme", "--site", "hq", "--uses", "3"])?;
    let arguments = words_of(&string(&grant, "command")?);
    for name in ENDPOINTS {
        install(stage, &arguments, name)?;
    }
    stage.wait_for("three connected endpoints", |stage| {
        let connected = connected(stage)?;
        Ok((connected == ENDPOINTS.len()).then_some(()))
    })?;
    Ok((
        "each trusts the anchor from its install command, not the server it reached".to_owned(),
        (),
    ))
}

/// Starts guard and agent of one endpoint.
pub(crate) fn start_endpoint(stage: &mut Stage, name: &str) -> Result<()> {
    // As under systemd: a folder that is kept while the service is stopped.
    let kept = stage.path(&format!("{name}.run"));
    std::fs::create_dir_all(&kept).context("create a folder")?;
    let mut command = Command::new(stage.binary("bartizan-guard"));
    command.env("RUNTIME_DIRECTORY", kept).args(["run", "--dir"]).arg(stage.path(name));
    stage.start(name, &mut command)
}

/// How many endpoints the server holds a connection to.
pub(crate) fn connected(stage: &Stage) -> Result<usize> {
    let list = stage.ask("alice", &["endpoints"])?;
    let rows = list["endpoints"].as_array().context("read the endpoint list")?;
    Ok(rows.iter().filter(|row| row["connected"] == true).count())
}

/// The id of an endpoint, from its own guard.
pub(crate) fn endpoint_id(stage: &Stage, name: &str) -> Result<String> {
    let status = Stage::run_to_end(
        Command::new(stage.binary("bartizan-guard"))
            .args(["status", "--dir"])
            .arg(stage.path(name)),
    )?;
    let status: Value = serde_json::from_str(&status).context("read the guard's status")?;
    string(&status, "endpoint")
}

fn inventory(stage: &mut Stage) -> Step {
    let id = endpoint_id(stage, "endpoint-1")?;
    let detail = stage.wait_for("an inventory", |stage| {
        let detail = stage.ask("alice", &["endpoint", "show", &id])?;
        Ok((!detail["inventory"].is_null()).then_some(detail))
    })?;
    let of = |pointer: &str| {
        detail["inventory"].pointer(pointer).map_or("?".to_owned(), Value::to_string)
    };
    Ok((
        format!("{}, kernel {}, {} bytes of memory", of("/os"), of("/kernel"), of("/memory/total")),
        (),
    ))
}

fn author_signs(stage: &mut Stage) -> Step<String> {
    let script = stage.write("hello.sh", "echo \"hello from $$\"\nuname -sr\nid -un\n")?;
    let job = submit(stage, "alice", &["--on", "all", "--title", "Say hello", text(&script)?])?;
    let status = stage.ask("alice", &["job", &job])?;
    ensure!(
        status["row"]["state"] == "pending",
        "the job should wait for a second person, but is {}",
        status["row"]["state"]
    );
    Ok((format!("waiting for a second operator: {}", short(&job)), job))
}

/// Signs a job of class `change` as its author and returns its id.
pub(crate) fn submit(stage: &Stage, who: &str, arguments: &[&str]) -> Result<String> {
    let mut all = vec!["run", "--class", "change", "--no-wait"];
    all.extend_from_slice(arguments);
    string(&stage.ask(who, &all)?, "job")
}

fn approve(stage: &mut Stage, job: &str) -> Step {
    let approved = stage.ask("bob", &["approve", job, "--no-wait"])?;
    let view = stage.wait_for("the first endpoint to end well", |stage| {
        let view = stage.ask("alice", &["rollout", job, "--once"])?;
        Ok((view["next"] == "ready").then_some(view))
    })?;
    let ran: Vec<u64> = (0..2).filter_map(|at| view["stages"][at]["done"].as_u64()).collect();
    ensure!(ran == [1, 0], "one endpoint should have run it, and {ran:?} have, by stages");
    Ok((format!("words {}; the other two wait for their stage", string(&approved, "words")?), ()))
}

fn promote(stage: &mut Stage, job: &str) -> Step {
    let promoted = stage.ask("alice", &["promote", job])?;
    ensure!(promoted["enough"] == true, "her signature should suffice: {promoted}");
    let mut lines = 0_usize;
    stage.follow("bob", &["watch", job], |event| {
        if event["kind"] == "output" {
            lines += 1;
            print_output(event);
        }
    })?;
    ensure!(lines > 0, "no live output arrived");
    Ok(("signed on a receipt that her computer verified; live output above".to_owned(), ()))
}

fn print_output(event: &Value) {
    let endpoint = event["endpoint"].as_str().map_or("?", |id| id.get(..9).unwrap_or(id));
    for line in event["text"].as_str().unwrap_or_default().lines() {
        println!("    {endpoint} │ {line}");
    }
}

fn receipts(stage: &mut Stage, job: &str) -> Step {
    let all = wait_for_receipts(stage, job, "done", ENDPOINTS.len())?;
    let exits: Vec<String> = all.iter().map(|receipt| receipt["exit"].to_string()).collect();
    Ok((format!("verified against the device keys, exit codes {}", exits.join(", ")), ()))
}

/// Waits for `count` verified receipts with this decision and returns them.
pub(crate) fn wait_for_receipts(
    stage: &mut Stage,
    job: &str,
    decision: &str,
    count: usize,
) -> Result<Vec<Value>> {
    stage.wait_for(&format!("{count} receipts that say `{decision}`"), |stage| {
        let page = stage.ask("alice", &["receipts", job])?;
        let all = page["receipts"].as_array().context("read the receipts")?;
        if all.iter().any(|receipt| receipt["verified"] != true) {
            bail!("a receipt does not verify: {page}");
        }
        let fitting: Vec<Value> =
            all.iter().filter(|receipt| receipt["decision"] == decision).cloned().collect();
        Ok((fitting.len() >= count).then_some(fitting))
    })
}

/// Our own verification, then every signature of every statement with a tool that is not ours.
fn verify_log(stage: &mut Stage) -> Step {
    let report = stage.ask("bob", &["log", "verify"])?;
    ensure!(report["ok"] == true, "the log does not verify: {report}");
    let folder = stage.path("exported");
    let exported = stage.ask("bob", &["log", "export", "--dir", text(&folder)?])?;
    let said = Stage::run_to_end(Command::new("sh").arg(folder.join("verify.sh")))?;
    let good = said.lines().filter(|line| line.starts_with("Good ")).count();
    let expected = exported["signatures"].as_u64().context("read how many were exported")?;
    ensure!(u64::try_from(good)? == expected, "ssh-keygen found {good} of {expected} good");
    if let Some(last) = said.lines().last() {
        println!("    {last}");
    }
    let statements = &exported["statements"];
    Ok((format!("{statements} statements; ssh-keygen: {good} signatures good"), ()))
}

fn operator_plane(stage: &Stage) -> Result<String> {
    std::fs::read_to_string(stage.path("operator-plane"))
        .context("read the operator plane's address")
}

/// A text field of an answer.
pub(crate) fn string(value: &Value, field: &str) -> Result<String> {
    value[field].as_str().map(str::to_owned).with_context(|| format!("no `{field}` in {value}"))
}

/// A path as text; the demo's own are always plain.
pub(crate) fn text(path: &std::path::Path) -> Result<&str> {
    path.to_str().context("a path that is not text")
}

fn words_of(command: &str) -> Vec<String> {
    command.split_whitespace().map(|word| word.trim_matches('\'').to_owned()).collect()
}

/// The beginning of an id, for people.
pub(crate) fn short(id: &str) -> String {
    id.chars().take(11).collect()
}
