//! A small organisation with everything an endpoint checks: people, bundle, two logs, witnesses, endpoints.
//! Deterministic; time stands still until a test moves it.

use anyhow::{Context, Result, anyhow};
use bartizan_trust::authorize::JobDelivery;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::control::{ControlUpdate, enrol, replay};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{
    Anchor, EndpointId, OperatorId, OrgId, Sha256, SiteId, StatementId, TenantId,
};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::limits;
use bartizan_trust::merkle::{Tree, leaf_hash};
use bartizan_trust::note::{Note, NoteKeyType, NoteSignature, VerifierKey, cosignature_message};
use bartizan_trust::proof::LogProof;
use bartizan_trust::stages::LoggedStatement;
use bartizan_trust::state::{LocalFacts, State};
use bartizan_trust::statement::{
    Action, Admit, Bundle, BundleLimits, Class, ClassRule, Content, Display, Enrolment, Freeze,
    FreezeScope, Interpreter, Job, LogRule, On, Operator, OperatorKey, OperatorRole, OrderRule,
    Recovery, RootRule, RunRate, Script, Server, SignatureRole, Stage, Statement, Targets,
    TenantScope, Thaw, Trigger, UserCheck, V1, Veto, Window, Withdrawal,
};
use bartizan_trust::targets::TargetTree;
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::update::Package;

use crate::load::organisation::Key;

mod staged;

pub use staged::{stage, went_well};

/// The script of every job, unless a test says otherwise.
pub const CONTENT: &[u8] = b"echo hello\n";
/// When every world begins.
pub const BEGINNING: UnixSeconds = UnixSeconds::new(1_800_000_000);
const DAY_S: u64 = 24 * 3600;

/// A witness key.
pub struct Witness {
    key: Key,
    /// As it stands in the policy.
    pub vkey: VerifierKey,
}

impl Witness {
    /// The witness with this name.
    pub fn named(name: &str) -> Result<Self> {
        let key = Key::named(&format!("witness {name}"))?;
        let vkey = VerifierKey::new(
            &format!("witness.test/{name}"),
            NoteKeyType::CosignatureV1,
            bytes(&key)?,
        )?;
        Ok(Self { key, vkey })
    }
}

/// A log in memory.
pub struct Log {
    key: Key,
    /// As it stands in the bundle.
    pub vkey: VerifierKey,
    entries: Vec<Vec<u8>>,
    tree: Tree,
}

impl Log {
    /// An empty log.
    pub fn named(name: &str) -> Result<Self> {
        let key = Key::named(&format!("log {name}"))?;
        let vkey =
            VerifierKey::new(&format!("log.test/{name}"), NoteKeyType::Ed25519, bytes(&key)?)?;
        Ok(Self { key, vkey, entries: Vec::new(), tree: Tree::default() })
    }

    /// Adds an entry and returns its place.
    pub fn append(&mut self, entry: Vec<u8>) -> u64 {
        self.tree.push(leaf_hash(&entry));
        self.entries.push(entry);
        self.size() - 1
    }

    /// How many entries.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The same log with its last `count` entries replaced by others.
    pub fn fork(&self, count: usize) -> Result<Self> {
        let mut fork = Self {
            entries: Vec::new(),
            tree: Tree::default(),
            key: self.key.again()?,
            vkey: self.vkey.clone(),
        };
        for entry in self.entries.iter().take(self.entries.len().saturating_sub(count)) {
            fork.append(entry.clone());
        }
        for number in 0..count {
            fork.append(format!("forked {number}").into_bytes());
        }
        Ok(fork)
    }

    /// A checkpoint of the first `size` entries, co-signed at `at`.
    pub fn note(&self, size: u64, witnesses: &[&Witness], at: UnixSeconds) -> Result<Vec<u8>> {
        let each: Vec<_> = witnesses.iter().map(|witness| (*witness, at)).collect();
        self.note_at(size, &each)
    }

    /// The same with a time for each witness.
    pub fn note_at(&self, size: u64, witnesses: &[(&Witness, UnixSeconds)]) -> Result<Vec<u8>> {
        let root = self.tree.root_at(size).context("a size the log has had")?;
        let text = Checkpoint { origin: self.vkey.name().to_owned(), size, root }.to_text();
        let own = self.vkey.signature_line(&self.key.raw(text.as_bytes())?);
        let mut signatures = vec![NoteSignature::parse(&own)?];
        for (witness, at) in witnesses {
            let signature = witness.key.raw(&cosignature_message(*at, &text))?;
            signatures.push(NoteSignature::parse(&witness.vkey.cosignature_line(*at, &signature))?);
        }
        Ok(Note { text, signatures }.encode())
    }

    /// Proof that a smaller size is a prefix of a larger one.
    pub fn consistency(&self, old: u64, new: u64) -> Result<Vec<Sha256>> {
        self.tree.consistency_path(old.min(new), old.max(new)).context("sizes the log has had")
    }

    /// A `tlog-proof` of an entry under the checkpoint `note` of `size` entries.
    pub fn proof(&self, index: u64, size: u64, note: Vec<u8>) -> Result<Vec<u8>> {
        Ok(LogProof { index, path: self.path(index, size)?, checkpoint: note }.encode())
    }

    /// The inclusion path of an entry in the first `size`.
    pub fn path(&self, index: u64, size: u64) -> Result<Vec<Sha256>> {
        self.tree.inclusion_path(index, size).context("an entry within the size")
    }

    /// Every entry from `start`.
    pub fn entries_from(&self, start: u64) -> Vec<Vec<u8>> {
        self.entries.iter().skip(usize::try_from(start).unwrap_or(usize::MAX)).cloned().collect()
    }
}

/// See the module.
pub struct World {
    /// Now, by every clock.
    pub now: UnixSeconds,
    /// The current bundle.
    pub bundle: Bundle,
    /// Its digest.
    pub bundle_id: StatementId,
    /// The organisation.
    pub org: OrgId,
    /// The control log.
    pub control: Log,
    /// The jobs log.
    pub jobs: Log,
    /// Two witnesses, both in the policy.
    pub witnesses: [Witness; 2],
    beginning: UnixSeconds,
    jobs_made: u32,
}

/// A delivery that owns its parts.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The exact envelope.
    pub envelope: Vec<u8>,
    /// `tlog-proof`.
    pub proof: Vec<u8>,
    /// Consistency with what the endpoint has seen.
    pub consistency: Vec<Sha256>,
    /// Stage.
    pub stage: u32,
    /// Place in the target tree.
    pub index: u32,
    /// Path in the target tree.
    pub path: Vec<Sha256>,
    /// Promotions to its stage.
    pub promotions: Vec<LoggedStatement>,
    /// Content.
    pub content: Option<Vec<u8>>,
    /// What arrived for an update.
    pub package: Option<Package>,
}

impl Delivery {
    /// As `authorize` takes it.
    pub fn as_ref(&self) -> JobDelivery<'_> {
        JobDelivery {
            envelope: &self.envelope,
            proof: &self.proof,
            consistency: &self.consistency,
            stage: self.stage,
            index: self.index,
            path: &self.path,
            promotions: &self.promotions,
            content: self.content.as_deref(),
            package: self.package.as_ref(),
        }
    }
}

impl World {
    /// Alice, Bob and Carol; tenants acme and globex; classes `routine` (nobody else signs, at most ten endpoints) and
    /// `change` (one more person).
    pub fn new() -> Result<Self> {
        Self::with(|_| Ok(()))
    }

    /// The same with another genesis bundle.
    pub fn with(change: impl FnOnce(&mut Bundle) -> Result<()>) -> Result<Self> {
        Self::at(BEGINNING, change)
    }

    /// The same at another time, for programs that read a real clock.
    pub fn at(now: UnixSeconds, change: impl FnOnce(&mut Bundle) -> Result<()>) -> Result<Self> {
        let (mut control, jobs) = (Log::named("control")?, Log::named("jobs")?);
        let witnesses = [Witness::named("one")?, Witness::named("two")?];
        let mut bundle = bundle(&control, &jobs, &witnesses, now)?;
        change(&mut bundle)?;
        let genesis =
            signed(&bundle, &[("alice", SignatureRole::Root), ("bob", SignatureRole::Root)])?;
        control.append(genesis.encode());
        let bundle_id = genesis.id();
        let org = OrgId::new(*bundle_id.hash());
        Ok(Self {
            now,
            beginning: now,
            bundle,
            bundle_id,
            org,
            control,
            jobs,
            witnesses,
            jobs_made: 0,
        })
    }

    /// Facts as the endpoint reads them now.
    pub const fn facts(&self) -> LocalFacts<'static> {
        LocalFacts { now: self.now, agent_version: "0.1.0" }
    }

    /// The device key of an endpoint.
    pub fn device(number: u32) -> Result<Key> {
        Key::named(&format!("device {number}"))
    }

    /// Its id.
    pub fn endpoint_id(number: u32) -> Result<EndpointId> {
        Ok(Self::device(number)?.public.endpoint_id())
    }

    /// An endpoint of acme that has replayed the control log.
    pub fn endpoint(&self, number: u32) -> Result<State> {
        self.endpoint_of(number, "acme")
    }

    /// An endpoint of any tenant.
    pub fn endpoint_of(&self, number: u32, tenant: &str) -> Result<State> {
        let state =
            self.caught_up(&State::new(Anchor::new(self.org), Self::endpoint_id(number)?))?;
        enrol(&state, &self.facts(), &self.enrolment(tenant)?.encode())
            .map_err(|refusal| anyhow!("{refusal}"))
    }

    /// The enrolment of a tenant, signed by Alice.
    pub fn enrolment(&self, tenant: &str) -> Result<Envelope> {
        let enrolment = Enrolment {
            v: V1,
            org: self.org,
            iat: self.beginning,
            crit: Vec::new(),
            nonce: "0".repeat(32),
            tenant: TenantId::from_name(tenant)?,
            site: SiteId::from_name("hq")?,
            labels: Vec::new(),
            max_uses: 100,
            exp: self.beginning.plus(DAY_S),
            admit: Admit::Auto,
        };
        signed(&enrolment, &[("alice", SignatureRole::Enroll)])
    }

    /// The endpoint after everything in the control log.
    pub fn caught_up(&self, state: &State) -> Result<State> {
        let (entries, checkpoint) = self.control_for(state)?;
        let update = ControlUpdate {
            start: state.control.size(),
            entries: &entries,
            checkpoint: &checkpoint,
        };
        replay(state, &self.facts(), &update)
            .map(|(state, _)| state)
            .map_err(|refusal| anyhow!("{refusal}"))
    }

    /// What the server would send it.
    pub fn control_for(&self, state: &State) -> Result<(Vec<Vec<u8>>, Vec<u8>)> {
        let entries = self.control.entries_from(state.control.size());
        Ok((entries, self.control.note(self.control.size(), &self.all_witnesses(), self.now)?))
    }

    /// Both witnesses.
    pub fn all_witnesses(&self) -> Vec<&Witness> {
        self.witnesses.iter().collect()
    }

    /// The next bundle, changed by a test, signed and logged.
    pub fn publish(&mut self, change: impl FnOnce(&mut Bundle), signers: &[&str]) -> Result<()> {
        let mut next = self.bundle.clone();
        next.org = Some(self.org);
        next.version += 1;
        next.prev = Some(self.bundle_id);
        change(&mut next);
        let roles: Vec<_> = signers.iter().map(|name| (*name, SignatureRole::Root)).collect();
        let envelope = signed(&next, &roles)?;
        self.control.append(envelope.encode());
        self.bundle_id = envelope.id();
        self.bundle = next;
        Ok(())
    }

    /// Logs a statement in the control log.
    pub fn log_control(&mut self, envelope: &Envelope) {
        self.control.append(envelope.encode());
    }

    /// A freeze from now on.
    pub fn freeze(&self, scope: FreezeScope, seconds: u64) -> Freeze {
        Freeze {
            v: V1,
            org: self.org,
            iat: self.now,
            crit: Vec::new(),
            scope,
            exp: self.now.plus(seconds),
            reason: "test".to_owned(),
        }
    }

    /// The end of a freeze.
    pub fn thaw(&self, freeze: StatementId) -> Thaw {
        let reason = "test".to_owned();
        Thaw { v: V1, org: self.org, iat: self.now, crit: Vec::new(), freeze, reason }
    }

    /// A job or standing order is taken back.
    pub fn withdrawal(&self, job: StatementId) -> Withdrawal {
        let (reason, exp) = ("test".to_owned(), self.now.plus(30 * DAY_S));
        Withdrawal { v: V1, org: self.org, iat: self.now, crit: Vec::new(), job, exp, reason }
    }

    /// A veto against a waiting bundle.
    pub fn veto(&self, bundle: StatementId) -> Veto {
        let reason = "test".to_owned();
        Veto { v: V1, org: self.org, iat: self.now, crit: Vec::new(), bundle, reason }
    }

    /// A job of class `change` for endpoints 0 to 2 of acme.
    pub fn job(&mut self) -> Result<Job> {
        self.jobs_made += 1;
        Ok(Job {
            v: V1,
            org: self.org,
            iat: self.now,
            crit: Vec::new(),
            nonce: format!("{:032x}", self.jobs_made),
            bundle_min: 1,
            tenant: TenantId::from_name("acme")?,
            class: Class::Change,
            action: Action::Script(script(CONTENT)?),
            targets: Self::tree(&[0, 1, 2])?.targets(),
            window: Window { nbf: self.now, exp: self.now.plus(3600) },
            after: Vec::new(),
            stages: vec![Stage::only(3)],
            display: Display {
                title: "say hello".to_owned(),
                ticket: String::new(),
                reason: String::new(),
            },
            trigger: None,
        })
    }

    /// The target tree of some endpoints.
    pub fn tree(numbers: &[u32]) -> Result<TargetTree> {
        Self::staged_tree(numbers, &[Stage::only(u32::try_from(numbers.len())?)])
    }

    /// An ordinary, countersigned, logged job and its delivery to an endpoint.
    pub fn good_delivery(&mut self, state: &State) -> Result<Delivery> {
        let job = self.job()?;
        let envelope =
            signed(&job, &[("alice", SignatureRole::Author), ("bob", SignatureRole::Approve)])?;
        self.deliver(&envelope, state)
    }

    /// Logs an envelope and delivers it to an endpoint with everything right.
    pub fn deliver(&mut self, envelope: &Envelope, state: &State) -> Result<Delivery> {
        self.deliver_bytes(envelope.encode(), state)
    }

    /// The same for bytes that may be no envelope.
    pub fn deliver_bytes(&mut self, envelope: Vec<u8>, state: &State) -> Result<Delivery> {
        let index = self.jobs.append(envelope.clone());
        let size = self.jobs.size();
        let note = self.jobs.note(size, &self.all_witnesses(), self.now)?;
        let place = Self::tree(&[0, 1, 2])?.place(&state.endpoint).unwrap_or_default();
        Ok(Delivery {
            envelope,
            proof: self.jobs.proof(index, size, note)?,
            consistency: self.jobs.consistency(state.jobs.size, size)?,
            stage: place.stage,
            index: place.index,
            path: place.path,
            promotions: Vec::new(),
            content: Some(CONTENT.to_vec()),
            package: None,
        })
    }
}

/// Signs a statement by named people, each in a role.
pub fn signed<S: Statement>(statement: &S, signers: &[(&str, SignatureRole)]) -> Result<Envelope> {
    let mut envelope = Envelope::new(statement);
    for (name, role) in signers {
        Key::named(name)?.sign(&mut envelope, *role)?;
    }
    Ok(envelope)
}

/// A trigger with room for everything but what a test is about.
pub fn trigger(on: On, until: UnixSeconds) -> Trigger {
    let rate = RunRate { runs: 1000, per_s: DAY_S };
    Trigger { on, until, freshness_s: DAY_S, rate, distance_s: 60, jitter_s: 0, late_s: 0 }
}

/// A script action over these bytes.
pub fn script(content: &[u8]) -> Result<Script> {
    Ok(Script {
        interpreter: Interpreter::Sh,
        content: Content { sha256: Sha256::of(content), size: u32::try_from(content.len())? },
        args: Vec::new(),
        env: Vec::new(),
        run_as: None,
        timeout_s: 60,
        output_max: 64 * 1024,
        destructive: false,
    })
}

/// Targets of any count, for tests of counts only.
pub fn targets_of(count: u32) -> Targets {
    Targets { count, root: Sha256::of(b"some root") }
}

/// An operator key without special rules.
pub fn operator_key(public: &PublicKey) -> OperatorKey {
    OperatorKey {
        ssh: public.to_openssh(),
        origins: Vec::new(),
        uv: false,
        backup_ok: false,
        note: "test".to_owned(),
    }
}

/// An operator with every role, for all tenants.
pub fn operator(name: &str) -> Result<Operator> {
    let mut roles = vec![
        OperatorRole::Author,
        OperatorRole::Approve,
        OperatorRole::Root,
        OperatorRole::Enroll,
        OperatorRole::Freeze,
        OperatorRole::Promote,
    ];
    roles.sort_unstable();
    Ok(Operator {
        id: OperatorId::from_name(name)?,
        name: name.to_owned(),
        roles,
        tenants: TenantScope::All,
        keys: vec![operator_key(&Key::named(name)?.public)],
    })
}

fn bundle(
    control: &Log,
    jobs: &Log,
    [one, two]: &[Witness; 2],
    now: UnixSeconds,
) -> Result<Bundle> {
    Ok(Bundle {
        v: V1,
        org: None,
        iat: now,
        crit: Vec::new(),
        version: 1,
        prev: None,
        expires: now.plus(365 * DAY_S),
        operators: vec![operator("alice")?, operator("bob")?, operator("carol")?],
        root: RootRule { threshold: 2 },
        recovery: Recovery { keys: Vec::new(), delay_s: 3 * DAY_S },
        weaken_delay_s: DAY_S,
        classes: vec![
            class_rule(Class::Routine, 0, 10),
            class_rule(Class::Change, 1, 250),
            class_rule(Class::Fleet, 1, limits::TARGETS_MAX),
        ],
        limits: BundleLimits { timeout_s_max: 3600, output_max: 1024 * 1024 },
        log: LogRule {
            control: control.vkey.to_string(),
            jobs: jobs.vkey.to_string(),
            policy: format!(
                "witness one {}\nwitness two {}\ngroup any-one any one two\ngroup both all one two\nquorum both\n",
                one.vkey, two.vkey
            ),
        },
        servers: vec![Server {
            addresses: vec!["rmm.example:443".to_owned()],
            spki: Sha256::of(b"server key"),
        }],
        mirrors: Vec::new(),
        customers: Vec::new(),
        tenants: Vec::new(),
        min_agent: "0.1.0".to_owned(),
        min_statement: 1,
    })
}

fn class_rule(class: Class, approvals: u32, endpoints: u32) -> ClassRule {
    ClassRule {
        class,
        approvals,
        user_check: UserCheck::None,
        endpoints_new_max: endpoints,
        endpoints_max: endpoints.saturating_mul(5).min(limits::TARGETS_MAX),
        stages_min: 1,
        first_stage_max: endpoints,
        soak_s_min: 0,
        delay_s: 0,
        freshness_s: 3600,
        window_s_max: 7 * DAY_S,
        jobs_per_hour_max: 5,
        operator_jobs_per_hour_max: 1000,
        witnesses: if approvals == 0 { "any-one" } else { "both" }.to_owned(),
        orders: OrderRule {
            life_s_max: 90 * DAY_S,
            freshness_s_max: 7 * DAY_S,
            runs_per_hour_max: 120,
        },
    }
}

fn bytes(key: &Key) -> Result<[u8; 32]> {
    key.public.ed25519_bytes().context("an Ed25519 key")
}
