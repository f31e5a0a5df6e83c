//! The supply chain: whoever has one of the two keys of an update, and the server. Nothing but the endpoint looks at all of it.

use std::fs;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobSubmission, Stored};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256};
use bartizan_trust::statement::SignatureRole::{Approve, Author};
use bartizan_trust::statement::{Action, Class, Content, SignatureRole, Update};
use data_encoding::BASE64;

use super::attempts::{Answer, marking, refusals};
use super::others::{THIRD, job_for, sign};
use crate::api::session;
use crate::commands::update::add;
use crate::demo::stage::Stage;
use crate::demo::story::endpoint_id;
use crate::home::Home;

pub(super) const ATTACKER: &str = "supply chain, with the server";

/// What a guard writes into its log once it installs something.
const INSTALLED: &str = "is installed and has to check in";
/// What stands in for a vendor's programs: nothing starts it, whatever happens.
const PROGRAM: &[u8] = b"not a program\n";
/// Newer than every release.
const NEWER: &str = "1000.0.0";

/// Who signs, which version, and the program that lies in the package.
struct Tried<'a> {
    signers: &'a [(&'a str, SignatureRole)],
    version: &'a str,
    packed: &'a [u8],
}

const BOTH: &[(&str, SignatureRole)] = &[("alice", Author), ("bob", Approve)];

pub(super) fn one_person(stage: &mut Stage) -> Result<Answer> {
    let signers = &[("alice", Author)];
    attempt(stage, &Tried { signers, version: NEWER, packed: PROGRAM })
}

pub(super) fn without_the_vendor(stage: &mut Stage) -> Result<Answer> {
    attempt(stage, &Tried { signers: BOTH, version: NEWER, packed: PROGRAM })
}

pub(super) fn another_program(stage: &mut Stage) -> Result<Answer> {
    attempt(stage, &Tried { signers: BOTH, version: NEWER, packed: b"another program\n" })
}

pub(super) fn older_version(stage: &mut Stage) -> Result<Answer> {
    attempt(stage, &Tried { signers: BOTH, version: "0.0.1", packed: PROGRAM })
}

/// Hands the update to the server with a session that is right, and makes the server deliver it.
fn attempt(stage: &mut Stage, tried: &Tried<'_>) -> Result<Answer> {
    let third: EndpointId = endpoint_id(stage, THIRD)?.parse().context("an endpoint's id")?;
    let (script, _) = marking(stage, "update")?;
    let (mut job, _) = job_for(stage, &script, &[third])?;
    let mut package = Vec::new();
    add(&mut package, "metadata/1.root.json", b"{}")?;
    add(&mut package, "program", tried.packed)?;
    // An archive ends with two empty blocks.
    package.extend([0; 1024]);
    job.class = Class::Update;
    job.action = Action::Update(Update {
        target: "bartizan-endpoint.tar".to_owned(),
        version: tried.version.to_owned(),
        program: content(PROGRAM)?,
        content: content(&package)?,
    });
    let mut envelope = Envelope::new(&job);
    for (who, role) in tried.signers {
        sign(stage, &mut envelope, who, *role)?;
    }
    let home = Home::open(Some(stage.path("alice")))?;
    let org = home.org()?;
    let api = session::open(&home, &org, None).context("use a session of Alice's")?;
    let submission = JobSubmission {
        envelope: BASE64.encode(&envelope.encode()),
        targets: vec![third],
        content: BASE64.encode(&package),
    };
    let _: Stored = api.send("/v1/jobs", &submission).context("submit the update")?;
    let id = envelope.id().to_string();
    stage.edit_database(&format!("UPDATE job SET state = 'active' WHERE id = '{id}'"))?;
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
