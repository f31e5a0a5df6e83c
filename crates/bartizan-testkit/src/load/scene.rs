//! One endpoint that has replayed its control log, and one countersigned, logged and witnessed job for
//! it: what benchmarks measure and fuzz targets start from. Always the same bytes.

use anyhow::{Context, Result, anyhow};
use bartizan_proto::operator::ServerIdentity;
use bartizan_trust::authorize::JobDelivery;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::control::{ControlUpdate, enrol, replay};
use bartizan_trust::id::{Anchor, EndpointId, Sha256};
use bartizan_trust::merkle::{Tree, leaf_hash};
use bartizan_trust::note::{Note, NoteKeyType, NoteSignature, VerifierKey};
use bartizan_trust::proof::LogProof;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::SignatureRole;
use bartizan_trust::targets::TargetTree;
use bartizan_trust::time::UnixSeconds;

use super::organisation::{Key, Organisation};

/// The date of every scene.
pub const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);

/// How large a scene is.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Endpoints the job names.
    pub targets: u32,
    /// Entries of the jobs log, the job among them.
    pub logged: u64,
}

/// See the module.
pub struct Scene {
    /// The people.
    pub organisation: Organisation,
    /// The endpoint's key.
    pub device: Key,
    /// The control log's only entry.
    pub genesis: Vec<u8>,
    /// Its checkpoint, co-signed by both.
    pub control_note: Vec<u8>,
    /// The enrolment envelope.
    pub enrolment: Vec<u8>,
    /// The endpoint before it heard anything.
    pub fresh: State,
    /// The endpoint after it replayed the control log and verified its enrolment.
    pub state: State,
    /// The job's envelope with both signatures.
    pub job: Vec<u8>,
    /// Its script.
    pub content: Vec<u8>,
    /// Its `tlog-proof`.
    pub proof: Vec<u8>,
    /// The endpoint's place in the target tree.
    pub index: u32,
    /// Its path.
    pub path: Vec<Sha256>,
}

impl Scene {
    /// Builds one.
    pub fn new(size: Size) -> Result<Self> {
        let (control, jobs) = (Log::named("control")?, Log::named("jobs")?);
        let organisation = Organisation::for_server(&identity(&control, &jobs), NOW)?;
        let device = Key::named("device 0")?;
        let genesis = organisation.genesis.encode();
        let control_note = control.note(&organisation, &tree_of(&[&genesis]), 1)?;
        let enrolment = organisation.enrolment(1000, NOW)?.encode();
        let fresh = State::new(Anchor::new(organisation.id()), device.public.endpoint_id());
        let state = admitted(&fresh, &genesis, &control_note, &enrolment)?;

        let content = b"#!/bin/sh\nuname -a\n".to_vec();
        let leaves = leaves(&device, size.targets);
        let tree = TargetTree::new(&leaves).map_err(|error| anyhow!("{error}"))?;
        let place = tree.place(&state.endpoint).context("the endpoint is a target")?;
        let mut envelope = organisation.job(tree.targets(), &content, 0, NOW)?;
        organisation.approver.key.sign(&mut envelope, SignatureRole::Approve)?;
        let job = envelope.encode();
        let proof = logged(&organisation, &jobs, &job, size.logged)?;
        Ok(Self {
            organisation,
            device,
            genesis,
            control_note,
            enrolment,
            fresh,
            state,
            job,
            content,
            proof,
            index: place.index,
            path: place.path,
        })
    }

    /// The job as the server delivers it.
    pub fn delivery(&self) -> JobDelivery<'_> {
        JobDelivery {
            envelope: &self.job,
            proof: &self.proof,
            consistency: &[],
            stage: 0,
            index: self.index,
            path: &self.path,
            promotions: &[],
            content: Some(&self.content),
            package: None,
        }
    }
}

/// What the endpoint's guard would read beside its state.
pub const fn facts() -> LocalFacts<'static> {
    LocalFacts { now: NOW, agent_version: "0.1.0" }
}

fn admitted(fresh: &State, genesis: &[u8], note: &[u8], enrolment: &[u8]) -> Result<State> {
    let entries = [genesis.to_vec()];
    let update = ControlUpdate { start: 0, entries: &entries, checkpoint: note };
    let (state, _) = replay(fresh, &facts(), &update).map_err(|r| anyhow!("replay: {r:?}"))?;
    enrol(&state, &facts(), enrolment).map_err(|r| anyhow!("enrol: {r:?}"))
}

fn leaves(device: &Key, count: u32) -> Vec<(EndpointId, u32)> {
    let mut ids = vec![device.public.endpoint_id()];
    for number in 1..count {
        ids.push(EndpointId::new(Sha256::of(&number.to_be_bytes())));
    }
    ids.sort_by_cached_key(EndpointId::to_string);
    ids.into_iter().map(|id| (id, 0)).collect()
}

/// The job somewhere in the middle of a log of `count` entries.
fn logged(organisation: &Organisation, jobs: &Log, job: &[u8], count: u64) -> Result<Vec<u8>> {
    let place = count / 2;
    let mut tree = Tree::default();
    for index in 0..count {
        tree.push(if index == place { leaf_hash(job) } else { leaf_hash(&index.to_be_bytes()) });
    }
    let path = tree.inclusion_path(place, count).context("a place in the log")?;
    Ok(LogProof { index: place, path, checkpoint: jobs.note(organisation, &tree, count)? }.encode())
}

fn tree_of(entries: &[&[u8]]) -> Tree {
    let mut tree = Tree::default();
    for entry in entries {
        tree.push(leaf_hash(entry));
    }
    tree
}

fn identity(control: &Log, jobs: &Log) -> ServerIdentity {
    ServerIdentity {
        version: "0.1.0".to_owned(),
        org: None,
        agent_addresses: vec!["bartizan.example:443".to_owned()],
        spki: Sha256::of(b"a server"),
        control_vkey: control.vkey.to_string(),
        jobs_vkey: jobs.vkey.to_string(),
    }
}

struct Log {
    key: Key,
    vkey: VerifierKey,
}

impl Log {
    fn named(name: &str) -> Result<Self> {
        let key = Key::named(&format!("{name} log"))?;
        let name = format!("bartizan.example/{name}");
        let vkey = VerifierKey::new(&name, NoteKeyType::Ed25519, key.ed25519()?)?;
        Ok(Self { key, vkey })
    }

    /// A checkpoint signed by the log and both witnesses.
    fn note(&self, organisation: &Organisation, tree: &Tree, size: u64) -> Result<Vec<u8>> {
        let root = tree.root_at(size).context("a tree of that size")?;
        let text = Checkpoint { origin: self.vkey.name().to_owned(), size, root }.to_text();
        let own = self.vkey.signature_line(&self.key.raw(text.as_bytes())?);
        let mut note = Note { text, signatures: vec![NoteSignature::parse(&own)?] };
        for person in [&organisation.author, &organisation.approver] {
            let line = person.cosign(&note.encode(), NOW)?;
            note.signatures.push(NoteSignature::parse(&line)?);
        }
        Ok(note.encode())
    }
}
