//! The operators' side: genesis, login, enrolment, jobs and co-signatures, through the operator plane.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bartizan_proto::operator::{
    CosignatureBody, EnvelopeBody, JobSubmission, LoginAnswer, ReceiptPage, Stored,
};
use bartizan_testkit::load::endpoint::now;
use bartizan_testkit::load::organisation::Organisation;
use bartizan_testkit::load::plane::Console;
use bartizan_testkit::load::server::Server;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, StatementId};
use bartizan_trust::note::Note;
use bartizan_trust::statement::{Decision, Freeze, FreezeScope, Receipt, SignatureRole, V1};
use bartizan_trust::targets::TargetTree;
use data_encoding::BASE64;

use crate::fleet::Connected;

const CONTENT: &[u8] = b"#!/bin/sh\necho hi\n";
const PATIENCE: Duration = Duration::from_secs(30);

/// Both operators at one console.
pub(crate) struct Operators {
    pub(crate) organisation: Organisation,
    pub(crate) enrolment: Envelope,
    console: Console,
}

/// A job that waits for its second signature.
pub(crate) struct Pending {
    id: StatementId,
    envelope: Envelope,
}

impl Operators {
    /// Publishes the genesis bundle, logs in, lets `agents` endpoints in and co-signs the control log.
    pub(crate) async fn open(server: &Server, agents: u32) -> Result<Self> {
        let organisation = Organisation::for_server(&server.identity, now()?)?;
        let console = Console::new(server.operator_plane, server.identity.spki)?;
        let _: serde_json::Value =
            console.send("/v1/genesis", &body(&organisation.genesis)).await?;
        let login = organisation.login(console.key, now()?)?;
        let _: LoginAnswer = console.send("/v1/login", &body(&login)).await?;
        let enrolment = organisation.enrolment(agents, now()?)?;
        let _: Stored = console.send("/v1/enrolments", &body(&enrolment)).await?;
        let operators = Self { organisation, enrolment, console };
        operators.cosign("control", 1).await?;
        Ok(operators)
    }

    /// `GET`, its JSON answer.
    pub(crate) async fn fetch<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.console.fetch(path).await
    }

    /// Submits a job signed by its author only.
    pub(crate) async fn submit(&self, targets: &[EndpointId], number: u32) -> Result<Pending> {
        let leaves: Vec<(EndpointId, u32)> = targets.iter().map(|id| (*id, 0)).collect();
        let tree = TargetTree::new(&leaves).map_err(|error| anyhow::anyhow!("{error}"))?;
        let envelope = self.organisation.job(tree.targets(), CONTENT, u64::from(number), now()?)?;
        let submission = JobSubmission {
            envelope: BASE64.encode(&envelope.encode()),
            targets: targets.to_vec(),
            content: BASE64.encode(CONTENT),
        };
        let stored: Stored = self.console.send("/v1/jobs", &submission).await?;
        ensure!(stored.id == envelope.id(), "the server names another job");
        Ok(Pending { id: stored.id, envelope })
    }

    /// Adds the second signature; both witnesses co-sign the log that now holds the job.
    pub(crate) async fn approve(&self, job: &Pending) -> Result<()> {
        let mut envelope = job.envelope.clone();
        self.organisation.approver.key.sign(&mut envelope, SignatureRole::Approve)?;
        let path = format!("/v1/jobs/{}/signatures", job.id);
        let stored: Stored = self.console.send(&path, &body(&envelope)).await?;
        let index = stored.log_index.context("the signed job is not logged")?;
        self.cosign("jobs", index + 1).await
    }

    /// One operator freezes everything for an hour.
    pub(crate) async fn freeze(&self) -> Result<()> {
        let iat = now()?;
        let mut envelope = Envelope::new(&Freeze {
            v: V1,
            org: self.organisation.id(),
            iat,
            crit: Vec::new(),
            scope: FreezeScope::Org,
            exp: iat.plus(3600),
            reason: "measured".to_owned(),
        });
        self.organisation.approver.key.sign(&mut envelope, SignatureRole::Freeze)?;
        let stored: Stored = self.console.send("/v1/control", &body(&envelope)).await?;
        ensure!(stored.log_index.is_some(), "the freeze waits for other operators");
        Ok(())
    }

    /// Receipts the server shows for the job, counted by endpoint; each verified.
    pub(crate) async fn receipts(&self, job: &Pending, fleet: &Connected) -> Result<u64> {
        let targets: BTreeSet<&EndpointId> = fleet.targets.iter().collect();
        let mut answered = BTreeSet::new();
        let (mut all, mut after) = (Vec::new(), Some(String::new()));
        while let Some(place) = after {
            let path = format!("/v1/jobs/{}/receipts?after={place}", job.id);
            let page: ReceiptPage = self.console.fetch(&path).await?;
            all.extend(page.receipts);
            after = page.next;
        }
        for receipt in &all {
            let envelope = Envelope::decode(&BASE64.decode(receipt.as_bytes())?)?;
            let statement: Receipt = envelope.statement()?;
            let (verified, _) = envelope.verify_signatures();
            let own = verified.iter().any(|s| {
                s.role == SignatureRole::Receipt && s.key.endpoint_id() == statement.endpoint
            });
            ensure!(own && statement.job == job.id, "a receipt that is not the endpoint's own");
            if statement.decision == Decision::Done && targets.contains(&statement.endpoint) {
                answered.insert(statement.endpoint);
            }
        }
        Ok(u64::try_from(answered.len())?)
    }

    /// Both people co-sign the newest checkpoint once it covers `size` entries.
    async fn cosign(&self, log: &str, size: u64) -> Result<()> {
        let (note, checkpoint) = self.checkpoint(log, size).await?;
        for person in [&self.organisation.author, &self.organisation.approver] {
            let body = CosignatureBody {
                size: checkpoint.size,
                root: checkpoint.root,
                line: person.cosign(&note, now()?)?,
            };
            let path = format!("/v1/log/{log}/cosignature");
            let _: serde_json::Value = self.console.send(&path, &body).await?;
        }
        Ok(())
    }

    async fn checkpoint(&self, log: &str, size: u64) -> Result<(Vec<u8>, Checkpoint)> {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let bytes = self.console.fetch_bytes(&format!("/v1/log/{log}/checkpoint")).await?;
            let checkpoint = Checkpoint::parse(&Note::decode(&bytes)?.text)?;
            if checkpoint.size >= size {
                return Ok((bytes, checkpoint));
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        bail!("no checkpoint of the {log} log covers {size} entries")
    }
}

fn body(envelope: &Envelope) -> EnvelopeBody {
    EnvelopeBody { envelope: BASE64.encode(&envelope.encode()) }
}
