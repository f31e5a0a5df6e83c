//! The attacker's part: whoever owns the server edits its database by hand.
#![expect(clippy::indexing_slicing, reason = "indexing a JSON value gives null, never a panic")]

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::stage::Stage;
use super::story::{
    connected, endpoint_id, start_endpoint, string, submit, text, wait_for_receipts,
};

type Step = Result<(String, ())>;

/// A job that lacks its second signature is marked as complete in the database.
pub(super) fn one_signature(stage: &mut Stage) -> Step {
    let script = stage.write("wipe.sh", "echo this must never be seen\n")?;
    let job =
        submit(stage, "alice", &["--on", "all", "--title", "One signature only", text(&script)?])?;
    edit_database(stage, &format!("UPDATE job SET state = 'active' WHERE id = '{job}'"))?;
    let refused = wait_for_receipts(stage, &job, "refused", 3)?;
    let code = expect_code(&refused, "sig.approvals_missing")?;
    nobody_ran(stage, &job)?;
    Ok((format!("refused by three endpoints: {code}"), ()))
}

/// A row is added, so that an endpoint nobody named gets a job two people signed for another.
pub(super) fn target_added(stage: &mut Stage) -> Step {
    let script = stage.write("one.sh", "echo for the first endpoint only\n")?;
    let (first, second) = (endpoint_id(stage, "endpoint-1")?, endpoint_id(stage, "endpoint-2")?);
    let job =
        submit(stage, "alice", &["--on", &first, "--title", "For one endpoint", text(&script)?])?;
    stage.ask("bob", &["approve", &job, "--no-wait"])?;
    wait_for_receipts(stage, &job, "done", 1)?;
    let sql = format!(
        "INSERT INTO job_target (job, endpoint, state) VALUES ('{job}', '{second}', 'queued'); UPDATE job SET state = 'active' WHERE id = '{job}'"
    );
    edit_database(stage, &sql)?;
    let refused = wait_for_receipts(stage, &job, "refused", 1)?;
    let code = expect_code(&refused, "target.not_listed")?;
    Ok((format!("the endpoint that was signed for ran it; the added one refused: {code}"), ()))
}

/// A third endpoint is away; meanwhile the script that waits for it is replaced.
pub(super) fn payload_swapped(stage: &mut Stage) -> Step {
    let script = stage.write("later.sh", "echo worth waiting for\n")?;
    let third = endpoint_id(stage, "endpoint-3")?;
    stage.kill("endpoint-3")?;
    stage.wait_for("the server to notice", |stage| Ok((connected(stage)? == 2).then_some(())))?;
    let job =
        submit(stage, "alice", &["--on", &third, "--title", "Worth waiting for", text(&script)?])?;
    stage.ask("bob", &["approve", &job, "--no-wait"])?;
    stage.write("waiting-job", &job)?;
    edit_database(
        stage,
        &format!(
            "UPDATE job SET content = {} WHERE id = '{job}'",
            blob("echo swapped script!!\n\n")
        ),
    )?;
    start_endpoint(stage, "endpoint-3")?;
    let refused = wait_for_receipts(stage, &job, "refused", 1)?;
    let code = expect_code(&refused, "content.mismatch")?;
    Ok((format!("refused: {code}"), ()))
}

/// The row is put right again; the job is still inside its window, and a refusal poisons nothing.
pub(super) fn endpoint_returns(stage: &mut Stage) -> Step {
    let job =
        std::fs::read_to_string(stage.path("waiting-job")).context("read the waiting job's id")?;
    let original = blob("echo worth waiting for\n");
    edit_database(stage, &format!("UPDATE job SET content = {original} WHERE id = '{job}'"))?;
    wait_for_receipts(stage, &job, "done", 1)?;
    Ok(("it ran once the server delivered what was signed".to_owned(), ()))
}

/// What an attacker with a shell on the server can do, shown as it is done.
fn edit_database(stage: &Stage, sql: &str) -> Result<()> {
    stage.edit_database(sql)?;
    println!("    sqlite3 server.db \"{sql}\"");
    Ok(())
}

fn blob(content: &str) -> String {
    format!("x'{}'", data_encoding::HEXLOWER.encode(content.as_bytes()))
}

fn expect_code(receipts: &[Value], code: &str) -> Result<String> {
    for receipt in receipts {
        let found = string(receipt, "code")?;
        ensure!(found == code, "refused with `{found}` where `{code}` is right");
    }
    Ok(code.to_owned())
}

fn nobody_ran(stage: &Stage, job: &str) -> Result<()> {
    let page = stage.ask("alice", &["receipts", job])?;
    let ran = page["receipts"]
        .as_array()
        .context("read the receipts")?
        .iter()
        .any(|r| r["decision"] != "refused");
    ensure!(!ran, "an endpoint ran a job with one signature");
    Ok(())
}
