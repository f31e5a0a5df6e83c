//! Making a lost server again from a mirror: logs, co-signatures, endpoints, jobs, receipts.
//!
//! Everything is verified again, because a mirror may come from anywhere. What no statement proves (the end of an output, live
//! inventory, unused enrolments) is gone.

mod folder;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, ensure};
use bartizan_store::{
    Admission, CosignatureRecord, Introduction, LogName, NewJob, PromotionRecord, Store, Tx,
};
use bartizan_trust::control::{self, ControlView, judge_enrolment};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OrgId, StatementId};
use bartizan_trust::merkle::leaf_hash;
use bartizan_trust::note::Note;
use bartizan_trust::policy::Policy;
use bartizan_trust::statement::{Admit, Descriptor, Enrolment, Job, Promotion, SignatureRole};

use crate::app::{Organisation, now};
use crate::config::Config;
use crate::db::Db;
use crate::keys::ServerKeys;
use crate::planes::agent::receipts;
use crate::planes::operator::judge;
use folder::{EndpointFile, Mirror, ReadLog};

/// Whether the key of the jobs log survived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobsKey {
    /// It lies in the directory.
    Kept,
    /// A new one is made; endpoints take it from a bundle in the control log, whose key must have survived.
    Lost,
}

/// What was made again.
#[derive(Debug, Default, serde::Serialize)]
pub(crate) struct Rescued {
    control: usize,
    jobs_log: usize,
    cosignatures: usize,
    endpoints: usize,
    jobs: usize,
    receipts: usize,
    /// To be named as `log.jobs` in a new bundle, where it differs from the one in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    new_jobs_vkey: Option<String>,
    /// What the mirror lacks or holds without proof.
    missing: Vec<String>,
}

/// Fills the database of a server that has none yet. All of it, or nothing.
pub(crate) async fn rescue(dir: &Path, from: &Path, jobs_key: JobsKey) -> anyhow::Result<Rescued> {
    let config = Config::load(dir)?;
    if jobs_key == JobsKey::Lost {
        ServerKeys::create_jobs_key(dir)?;
    }
    let keys = ServerKeys::load(dir)
        .context("the keys of the lost server are needed: restore them from a backup (docs/guide/witnesses.md says what to do without)")?;
    let control = folder::read_log(from, LogName::Control, keys.control.verifier())?;
    let organisation = organisation(&control)?;
    let own = keys.jobs.verifier();
    // The mirror's checkpoint was signed by the lost key, which the bundle in force names.
    let signed_by = if jobs_key == JobsKey::Lost { &organisation.log.jobs } else { own };
    let jobs = folder::read_log(from, LogName::Jobs, signed_by)?;
    let new_jobs_vkey = (organisation.log.jobs != *own).then(|| own.to_string());
    ensure!(
        organisation.bundle().servers.iter().any(|server| server.spki == keys.spki),
        "the bundle in force names another TLS key than `{}` holds; endpoints would not connect. Restore tls-key.der and tls-certificate.der from a backup",
        dir.display()
    );
    let mirror = folder::read(from)?;
    let plan = Plan { control, jobs, organisation, mirror, new_jobs_vkey };
    let db = Db::new(Store::open(&config.database)?);
    db.write(move |tx| {
        if tx.log_size(LogName::Control)? > 0 || tx.log_size(LogName::Jobs)? > 0 {
            return Ok(None);
        }
        plan.fill(tx).map(Some)
    })
    .await?
    .context("this server has logs already; rescue into a fresh database")
}

/// Everything that was read and verified.
struct Plan {
    control: ReadLog,
    jobs: ReadLog,
    organisation: Organisation,
    mirror: Mirror,
    new_jobs_vkey: Option<String>,
}

fn organisation(control: &ReadLog) -> anyhow::Result<Organisation> {
    let (first, rest) =
        control.entries.split_first().context("the mirror's control log is empty")?;
    let genesis = Envelope::decode(first).context("the first control entry")?;
    let org = OrgId::new(*genesis.id().hash());
    let trust = control::genesis(&genesis).context("the genesis bundle")?;
    let mut view = ControlView::new(trust);
    for entry in rest {
        // One that has no effect had none before.
        let _ = view.advise(org, now(), None, entry);
    }
    Organisation::new(org, view)
}

type Stored<T> = Result<T, bartizan_store::StoreError>;

impl Plan {
    fn fill(self, tx: &mut Tx<'_>) -> Stored<Rescued> {
        let mut rescued = Rescued {
            control: self.control.entries.len(),
            jobs_log: self.jobs.entries.len(),
            new_jobs_vkey: self.new_jobs_vkey.clone(),
            missing: self.mirror.damaged.clone(),
            ..Rescued::default()
        };
        let policy = &self.organisation.log.policy;
        for (name, log) in [(LogName::Control, &self.control), (LogName::Jobs, &self.jobs)] {
            for entry in &log.entries {
                tx.append(name, entry, &leaf_hash(entry))?;
            }
            // A new key means a new origin, which nobody has co-signed yet.
            if name == LogName::Jobs && self.new_jobs_vkey.is_some() {
                continue;
            }
            for record in cosignatures(policy, log) {
                tx.put_cosignature(name, &record)?;
                rescued.cosignatures += 1;
            }
        }
        for entry in &self.control.entries {
            if let Ok(envelope) = Envelope::decode(entry) {
                tx.put_statement(envelope.id(), "control", entry)?;
            }
        }
        self.fill_endpoints(tx, &mut rescued)?;
        self.fill_jobs(tx, &mut rescued)?;
        self.fill_promotions(tx)?;
        self.fill_receipts(tx, &mut rescued)?;
        Ok(rescued)
    }

    fn fill_endpoints(&self, tx: &mut Tx<'_>, rescued: &mut Rescued) -> Stored<()> {
        for file in &self.mirror.endpoints {
            let Some((who, admission, at)) = self.introduction(file) else {
                rescued.missing.push(format!("{}: not what an endpoint signed", file.id));
                continue;
            };
            if let Some(admission) = &admission {
                tx.put_enrolment(admission.enrolment, &file.enrolment)?;
            }
            tx.introduce(&who, admission.as_ref(), at)?;
            if file.admitted {
                tx.admit(file.id)?;
            }
            rescued.endpoints += 1;
        }
        Ok(())
    }

    /// An endpoint that introduced itself before. Its enrolment is judged by the day it was made.
    fn introduction(&self, file: &EndpointFile) -> Option<(Introduction, Option<Admission>, u64)> {
        let envelope = Envelope::decode(&file.descriptor).ok()?;
        let descriptor: Descriptor = envelope.statement().ok()?;
        let (signatures, _) = envelope.verify_signatures();
        let signed = signatures
            .iter()
            .any(|s| s.role == SignatureRole::Descriptor && s.key.endpoint_id() == file.id);
        if !signed || descriptor.org != self.organisation.org {
            return None;
        }
        let admission = self.admission(&descriptor, &file.enrolment);
        let who = Introduction {
            id: file.id,
            hostname: descriptor.hostname,
            os: descriptor.os,
            descriptor: file.descriptor.clone(),
            enrolment: file.enrolment.clone(),
            control_size: 0,
            jobs_size: 0,
        };
        Some((who, admission, descriptor.iat.get()))
    }

    fn admission(&self, descriptor: &Descriptor, bytes: &[u8]) -> Option<Admission> {
        let enrolment: Enrolment = Envelope::decode(bytes).ok()?.statement().ok()?;
        let (bundle, org) = (self.organisation.bundle(), self.organisation.org);
        let membership = judge_enrolment(bundle, org, enrolment.iat, bytes).ok()?;
        (membership.enrolment == descriptor.enrolment).then(|| Admission {
            enrolment: membership.enrolment,
            tenant: membership.tenant,
            site: membership.site,
            uses_max: u64::from(enrolment.max_uses),
            auto: enrolment.admit == Admit::Auto,
        })
    }

    fn fill_jobs(&self, tx: &mut Tx<'_>, rescued: &mut Rescued) -> Stored<()> {
        for (id, found) in logged_jobs(&self.jobs.entries) {
            let work = self.mirror.work.get(&id);
            let work =
                work.filter(|work| judge::is_payload(&found.job, &work.targets, &work.content));
            let bundle = self.organisation.bundle();
            let mut state = judge::state(bundle, &found.job, &found.envelope);
            if work.is_none() {
                // It cannot be delivered any more. The log keeps it, and this says that it was there.
                state = "expired";
                rescued.missing.push(format!("{id}: script and targets"));
            }
            let (content, targets) = work
                .map_or_else(Default::default, |work| (work.content.clone(), work.targets.clone()));
            tx.put_job(&NewJob {
                id,
                class: found.job.class.name().to_owned(),
                title: found.job.display.title.clone(),
                tenant: found.job.tenant.to_string(),
                submitted: found.job.iat.get(),
                exp: found.job.ends().get(),
                state,
                envelope: found.bytes,
                content,
                log_index: found.index,
                targets,
            })?;
            rescued.jobs += 1;
        }
        Ok(())
    }

    /// In the order in which they were logged: a later one to the same stage takes the place of the one before.
    fn fill_promotions(&self, tx: &mut Tx<'_>) -> Stored<()> {
        for (log_index, entry) in (0..).zip(&self.jobs.entries) {
            let Ok(envelope) = Envelope::decode(entry) else { continue };
            let Ok(promotion) = envelope.statement::<Promotion>() else { continue };
            let (stage, id) = (promotion.to, envelope.id());
            let record = PromotionRecord { stage, id, envelope: entry.clone(), log_index };
            tx.put_promotion(promotion.job, &record)?;
        }
        Ok(())
    }

    fn fill_receipts(&self, tx: &mut Tx<'_>, rescued: &mut Rescued) -> Stored<()> {
        let mut receipts: Vec<_> =
            self.mirror.receipts.iter().filter_map(|bytes| receipts::read(bytes.clone())).collect();
        receipts.sort_by_key(|(record, _)| (record.endpoint, record.seq));
        for (record, answer) in &receipts {
            tx.put_receipt(record, answer)?;
        }
        rescued.receipts = receipts.len();
        for id in
            receipts.iter().map(|(record, _)| record.job).collect::<std::collections::BTreeSet<_>>()
        {
            tx.finish_job(id, receipts::is_final)?;
        }
        Ok(())
    }
}

struct Logged {
    index: u64,
    job: Job,
    envelope: Envelope,
    bytes: Vec<u8>,
}

/// Each job with the envelope that came last, which has most signatures.
fn logged_jobs(entries: &[Vec<u8>]) -> BTreeMap<StatementId, Logged> {
    let mut found = BTreeMap::new();
    for (index, bytes) in (0_u64..).zip(entries) {
        let Ok(envelope) = Envelope::decode(bytes) else { continue };
        let Ok(job) = envelope.statement::<Job>() else { continue };
        found.insert(envelope.id(), Logged { index, job, envelope, bytes: bytes.clone() });
    }
    found
}

/// The co-signatures that the mirror's checkpoint carries.
fn cosignatures(policy: &Policy, log: &ReadLog) -> Vec<CosignatureRecord> {
    let size = log.checkpoint.size;
    let mut records = Vec::new();
    for (witness, vkey) in policy.witnesses() {
        for line in &log.note.signatures {
            let one = Note { text: log.note.text.clone(), signatures: vec![line.clone()] };
            let Some(at) = one.cosigned_at(vkey) else { continue };
            let Some(line) = String::from_utf8(one.encode())
                .ok()
                .and_then(|text| text.rsplit_once("\n\n").map(|(_, line)| line.to_owned()))
            else {
                continue;
            };
            let (witness, root) = (witness.to_owned(), log.checkpoint.root);
            records.push(CosignatureRecord { size, witness, root, line, at: at.get() });
        }
    }
    records
}
