//! An organisation for load tests: two operators with software keys who are also its two witnesses,
//! bound to a real server's identity.

use anyhow::{Context, Result, anyhow};
use bartizan_proto::operator::ServerIdentity;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{OperatorId, OrgId, Sha256, SiteId, TenantId};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::limits;
use bartizan_trust::note::{Note, NoteKeyType, VerifierKey, cosignature_message};
use bartizan_trust::sshsig::{SshSig, to_be_signed};
use bartizan_trust::statement::{
    Action, Admit, Bundle, BundleLimits, Class, ClassRule, Content, Display, Enrolment,
    Interpreter, Job, LogRule, Login, Operator, OperatorKey, OperatorRole, OrderRule, Recovery,
    RootRule, Script, Server, SignatureRole, Stage, Targets, TenantScope, UserCheck, V1, Window,
};
use bartizan_trust::time::UnixSeconds;
use ring::signature::{Ed25519KeyPair, KeyPair};

const DAY_S: u64 = 24 * 3600;
const HOUR_S: u64 = 3600;

/// An Ed25519 key made from a name: the same name gives the same key, so nothing has to be stored.
pub struct Key {
    pair: Ed25519KeyPair,
    seed: Sha256,
    /// The public half.
    pub public: PublicKey,
}

impl Key {
    /// The key with this name. For tests only: anybody can make it.
    pub fn named(name: &str) -> Result<Self> {
        let seed = Sha256::of_parts(&[b"load test key ", name.as_bytes()]);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_bytes())
            .map_err(|_| anyhow!("a seed that is no key"))?;
        let public = PublicKey::from_ed25519(pair.public_key().as_ref().try_into()?);
        Ok(Self { pair, seed, public })
    }

    /// The same key once more.
    pub fn again(&self) -> Result<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(self.seed.as_bytes())
            .map_err(|_| anyhow!("a seed that is no key"))?;
        Ok(Self { pair, seed: self.seed, public: self.public.clone() })
    }

    /// PKCS #8, for TLS.
    pub fn pkcs8(&self) -> Vec<u8> {
        // RFC 8410: version 0, id-Ed25519, an octet string with an octet string of the seed.
        const HEAD: &[u8] =
            &[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        [HEAD, self.seed.as_bytes()].concat()
    }

    /// Adds this key's signature in `role`.
    pub fn sign(&self, envelope: &mut Envelope, role: SignatureRole) -> Result<()> {
        let signature = self.raw(&to_be_signed(role, &envelope.pae()))?;
        Ok(envelope.add_signature(&SshSig::from_ed25519(&self.public, role, signature))?)
    }

    /// The bare Ed25519 signature.
    pub fn raw(&self, message: &[u8]) -> Result<[u8; 64]> {
        Ok(self.pair.sign(message).as_ref().try_into()?)
    }

    pub(super) fn ed25519(&self) -> Result<[u8; 32]> {
        self.public.ed25519_bytes().context("an Ed25519 key")
    }
}

/// An operator: signs statements and co-signs both logs.
pub struct Person {
    /// Stable id.
    pub id: OperatorId,
    /// Signs statements.
    pub key: Key,
    witness: Key,
    vkey: VerifierKey,
}

impl Person {
    fn named(name: &str) -> Result<Self> {
        let witness = Key::named(&format!("{name} witness"))?;
        let vkey = VerifierKey::new(
            &format!("{name}.load.test"),
            NoteKeyType::CosignatureV1,
            witness.ed25519()?,
        )?;
        Ok(Self { id: OperatorId::from_name(name)?, key: Key::named(name)?, witness, vkey })
    }

    /// The co-signature line for a checkpoint note.
    pub fn cosign(&self, note: &[u8], at: UnixSeconds) -> Result<String> {
        let note = Note::decode(note)?;
        let signature = self.witness.raw(&cosignature_message(at, &note.text))?;
        Ok(self.vkey.cosignature_line(at, &signature))
    }

    fn operator(&self) -> Operator {
        let mut roles = vec![
            OperatorRole::Author,
            OperatorRole::Approve,
            OperatorRole::Root,
            OperatorRole::Enroll,
            OperatorRole::Freeze,
        ];
        roles.sort_unstable();
        Operator {
            id: self.id.clone(),
            name: self.id.name().to_owned(),
            roles,
            tenants: TenantScope::All,
            keys: vec![OperatorKey {
                ssh: self.key.public.to_openssh(),
                origins: Vec::new(),
                uv: false,
                backup_ok: false,
                note: "load test".to_owned(),
            }],
        }
    }
}

/// Two people, one tenant.
pub struct Organisation {
    /// Signs as author.
    pub author: Person,
    /// Signs as approver.
    pub approver: Person,
    /// The only tenant.
    pub tenant: TenantId,
    /// The genesis bundle, signed by both.
    pub genesis: Envelope,
    server: Sha256,
}

impl Organisation {
    /// An organisation that uses this server and its logs.
    pub fn for_server(identity: &ServerIdentity, now: UnixSeconds) -> Result<Self> {
        let (author, approver) = (Person::named("alice")?, Person::named("bob")?);
        let mut genesis = Envelope::new(&bundle(identity, &author, &approver, now));
        author.key.sign(&mut genesis, SignatureRole::Root)?;
        approver.key.sign(&mut genesis, SignatureRole::Root)?;
        let tenant = TenantId::from_name("acme")?;
        Ok(Self { author, approver, tenant, genesis, server: identity.spki })
    }

    /// Its id.
    pub fn id(&self) -> OrgId {
        OrgId::new(*self.genesis.id().hash())
    }

    /// A login of the author over a console's TLS key.
    pub fn login(&self, console_key: Sha256, now: UnixSeconds) -> Result<Envelope> {
        let mut envelope = Envelope::new(&Login {
            v: V1,
            org: self.id(),
            iat: now,
            crit: Vec::new(),
            console_key,
            server: self.server,
            exp: now.plus(HOUR_S),
        });
        self.author.key.sign(&mut envelope, SignatureRole::Login)?;
        Ok(envelope)
    }

    /// An enrolment that admits `uses` endpoints.
    pub fn enrolment(&self, uses: u32, now: UnixSeconds) -> Result<Envelope> {
        let mut envelope = Envelope::new(&Enrolment {
            v: V1,
            org: self.id(),
            iat: now,
            crit: Vec::new(),
            nonce: "0".repeat(32),
            tenant: self.tenant.clone(),
            site: SiteId::from_name("hq")?,
            labels: Vec::new(),
            max_uses: uses,
            exp: now.plus(HOUR_S),
            admit: Admit::Auto,
        });
        self.author.key.sign(&mut envelope, SignatureRole::Enroll)?;
        Ok(envelope)
    }

    /// A job of class `change`, signed by its author only.
    pub fn job(
        &self,
        targets: Targets,
        content: &[u8],
        number: u64,
        now: UnixSeconds,
    ) -> Result<Envelope> {
        let action = Action::Script(Script {
            interpreter: Interpreter::Sh,
            content: Content { sha256: Sha256::of(content), size: u32::try_from(content.len())? },
            args: Vec::new(),
            env: Vec::new(),
            run_as: None,
            timeout_s: 60,
            output_max: 4096,
            destructive: false,
        });
        let mut envelope = Envelope::new(&Job {
            v: V1,
            org: self.id(),
            iat: now,
            crit: Vec::new(),
            nonce: format!("{number:032x}"),
            bundle_min: 1,
            tenant: self.tenant.clone(),
            class: Class::Change,
            action,
            targets,
            window: Window { nbf: now, exp: now.plus(HOUR_S) },
            after: Vec::new(),
            stages: vec![Stage::only(targets.count)],
            display: Display {
                title: "load".to_owned(),
                ticket: String::new(),
                reason: String::new(),
            },
            trigger: None,
        });
        self.author.key.sign(&mut envelope, SignatureRole::Author)?;
        Ok(envelope)
    }
}

fn bundle(
    identity: &ServerIdentity,
    author: &Person,
    approver: &Person,
    now: UnixSeconds,
) -> Bundle {
    let (a, b) = (author.id.name(), approver.id.name());
    let policy = format!(
        "witness {a} {}\nwitness {b} {}\ngroup one any {a} {b}\ngroup both all {a} {b}\nquorum both\n",
        author.vkey, approver.vkey
    );
    Bundle {
        v: V1,
        org: None,
        iat: now,
        crit: Vec::new(),
        version: 1,
        prev: None,
        expires: now.plus(365 * DAY_S),
        operators: vec![author.operator(), approver.operator()],
        root: RootRule { threshold: 2 },
        recovery: Recovery { keys: Vec::new(), delay_s: 3 * DAY_S },
        weaken_delay_s: DAY_S,
        classes: vec![
            class_rule(Class::Routine, 0, 10),
            class_rule(Class::Change, 1, limits::TARGETS_MAX),
        ],
        limits: BundleLimits { timeout_s_max: 3600, output_max: 1024 * 1024 },
        log: LogRule {
            control: identity.control_vkey.clone(),
            jobs: identity.jobs_vkey.clone(),
            policy,
        },
        servers: vec![Server { addresses: identity.agent_addresses.clone(), spki: identity.spki }],
        mirrors: Vec::new(),
        customers: Vec::new(),
        tenants: Vec::new(),
        min_agent: "0.1.0".to_owned(),
        min_statement: 1,
    }
}

fn class_rule(class: Class, approvals: u32, endpoints: u32) -> ClassRule {
    ClassRule {
        class,
        approvals,
        user_check: UserCheck::None,
        endpoints_new_max: endpoints,
        endpoints_max: endpoints,
        stages_min: 1,
        first_stage_max: endpoints,
        soak_s_min: 0,
        delay_s: 0,
        freshness_s: HOUR_S,
        window_s_max: DAY_S,
        jobs_per_hour_max: 1000,
        operator_jobs_per_hour_max: 1000,
        witnesses: if approvals == 0 { "one" } else { "both" }.to_owned(),
        orders: OrderRule::NONE,
    }
}
