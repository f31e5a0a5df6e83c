//! The supply chain: whoever has one of the two keys of an update, and the server. Nothing but the endpoint looks at all of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bartizan_proto::operator::{JobSubmission, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256};
use bartizan_trust::statement::SignatureRole::{Approve, Author};
use bartizan_trust::statement::{Action, Class, Content, SignatureRole, Update};
use data_encoding::{BASE64, HEXLOWER};

use super::attempts::{Answer, marking, refusals, still_works};
use super::others::{THIRD, job_for, sign};
use super::repository::{File, Vendor};
use crate::api::session;
use crate::commands::update::add;
use crate::demo::stage::Stage;
use crate::demo::story::{endpoint_id, start_endpoint, text};
use crate::home::Home;

pub(super) const ATTACKER: &str = "supply chain, with the server";
pub(super) const VENDOR: &str = "owner of the vendor and of the server";

/// What a guard writes into its log once it installs something.
const INSTALLED: &str = "is installed and has to check in";
/// What stands in for a vendor's programs: nothing starts it, whatever happens.
const PROGRAM: &[u8] = b"not a program\n";
/// Newer than every release.
const NEWER: &str = "1000.0.0";
/// The vendor's name for it.
const TARGET: &str = "bartizan-endpoint.tar";

/// Who signs, which version, and the program that lies in the package.
struct Tried<'a> {
    signers: &'a [(&'a str, SignatureRole)],
    version: &'a str,
    packed: &'a [u8],
    metadata: &'a [File],
}

const BOTH: &[(&str, SignatureRole)] = &[("alice", Author), ("bob", Approve)];

/// Keys of whoever broke into the vendor; no operator's.
const STRANGERS: &[(&str, SignatureRole)] = &[("vendor-1", Author), ("vendor-2", Approve)];

/// Nobody's.
fn no_metadata() -> [File; 1] {
    [("1.root.json", b"{}".to_vec())]
}

fn unknown_vendor(
    stage: &mut Stage,
    signers: &[(&str, SignatureRole)],
    version: &str,
    packed: &[u8],
) -> Result<Answer> {
    attempt(stage, &Tried { signers, version, packed, metadata: &no_metadata() })
}

pub(super) fn one_person(stage: &mut Stage) -> Result<Answer> {
    unknown_vendor(stage, &[("alice", Author)], NEWER, PROGRAM)
}

pub(super) fn without_the_vendor(stage: &mut Stage) -> Result<Answer> {
    unknown_vendor(stage, BOTH, NEWER, PROGRAM)
}

pub(super) fn another_program(stage: &mut Stage) -> Result<Answer> {
    unknown_vendor(stage, BOTH, NEWER, b"another program\n")
}

pub(super) fn older_version(stage: &mut Stage) -> Result<Answer> {
    unknown_vendor(stage, BOTH, "0.0.1", PROGRAM)
}

/// The vendor's own keys, the server, and a new version in a repository that is right in every point. The endpoint pins this
/// vendor, and no operator has signed: whoever broke into the vendor signs the job with keys of his own.
pub(super) fn vendor_alone(stage: &mut Stage) -> Result<Answer> {
    let (vendor, folder) = (Vendor::new()?, stage.path("vendor"));
    let metadata = vendor.repository(TARGET, NEWER, PROGRAM)?;
    fs::create_dir_all(folder.join("metadata")).context("create a folder")?;
    for (name, bytes) in &metadata {
        fs::write(folder.join("metadata").join(name), bytes).context("write metadata")?;
    }
    fs::write(folder.join("root.json"), vendor.root()?).context("write what is pinned")?;
    believed(stage, &folder)?;
    for who in ["vendor-1", "vendor-2"] {
        let key = stage.path(who).join("id_ed25519");
        stage.ask(who, &["key", "new", "--no-passphrase", "--out", text(&key)?])?;
    }
    stage.kill(THIRD)?;
    let mut command = Command::new(stage.binary("bartizan-guard"));
    command.env("RUNTIME_DIRECTORY", stage.path(&format!("{THIRD}.run")));
    command.args(["run", "--dir"]).arg(stage.path(THIRD));
    command.arg("--vendor-root").arg(folder.join("root.json"));
    command.arg("--versions").arg(folder.join("versions"));
    stage.start(THIRD, &mut command)?;
    let tried = Tried { signers: STRANGERS, version: NEWER, packed: PROGRAM, metadata: &metadata };
    let mut answer = attempt(stage, &tried)?;
    answer.executed |= folder.join("versions").join(NEWER).exists();
    still_works(stage, "vendor-alone")?;
    stage.kill(THIRD)?;
    start_endpoint(stage, THIRD)?;
    Ok(answer)
}

/// The program that endpoints ask must believe the repository: otherwise nothing would be shown here.
fn believed(stage: &Stage, folder: &Path) -> Result<()> {
    let said = Stage::run_to_end(
        Command::new(stage.binary("bartizan-tuf"))
            .arg("verify")
            .args([folder.join("root.json"), folder.join("metadata"), folder.join("store")])
            .arg(TARGET),
    )?;
    ensure!(said.contains(NEWER), "the vendor's repository is not believed: {said}");
    Ok(())
}

/// Hands the update to the server with a session that is right, and makes the server deliver it with these signatures.
fn attempt(stage: &mut Stage, tried: &Tried<'_>) -> Result<Answer> {
    let third: EndpointId = endpoint_id(stage, THIRD)?.parse().context("an endpoint's id")?;
    let (script, _) = marking(stage, "update")?;
    let (mut job, _) = job_for(stage, &script, &[third])?;
    let mut package = Vec::new();
    for (name, bytes) in tried.metadata {
        add(&mut package, &format!("metadata/{name}"), bytes)?;
    }
    add(&mut package, "program", tried.packed)?;
    // An archive ends with two empty blocks.
    package.extend([0; 1024]);
    job.class = Class::Update;
    job.action = Action::Update(Update {
        target: TARGET.to_owned(),
        version: tried.version.to_owned(),
        program: content(PROGRAM)?,
        content: content(&package)?,
    });
    let mut envelope = Envelope::new(&job);
    for (who, role) in tried.signers {
        sign(stage, &mut envelope, who, *role)?;
    }
    let mut submitted = envelope.clone();
    if tried.signers == STRANGERS {
        // The server is asked with a signature that it takes, and then delivers another.
        submitted = Envelope::new(&job);
        sign(stage, &mut submitted, "alice", Author)?;
    }
    let home = Home::open(Some(stage.path("alice")))?;
    let org = home.org()?;
    let api = session::open(&home, &org, None).context("use a session of Alice's")?;
    let submission = JobSubmission {
        envelope: BASE64.encode(&submitted.encode()),
        targets: vec![third],
        content: BASE64.encode(&package),
    };
    let _: Stored = api.send("/v1/jobs", &submission).context("submit the update")?;
    let id = envelope.id().to_string();
    let bytes = HEXLOWER.encode(&envelope.encode());
    stage.edit_database(&format!(
        "UPDATE job SET envelope = x'{bytes}', state = 'active' WHERE id = '{id}'"
    ))?;
    let refusals = refusals(stage, &id, 1)?;
    stage.edit_database(&format!("UPDATE job SET state = 'finished' WHERE id = '{id}'"))?;
    let log = fs::read_to_string(stage.path(&format!("{THIRD}.log"))).unwrap_or_default();
    let trial = stage.path(THIRD).join("trial.json").exists();
    Ok(Answer { refusals, executed: trial || log.contains(INSTALLED) })
}

fn content(bytes: &[u8]) -> Result<Content> {
    let size = u32::try_from(bytes.len()).context("a small package")?;
    Ok(Content { sha256: Sha256::of(bytes), size })
}
