//! The bundle: the current trust root. Specification: `docs/spec/bundle.md`.

use serde::{Deserialize, Serialize};

use super::mirror::{Mirror, check_mirrors};
use super::{Statement, StatementType, V1, check_crit, is_plain_text};
use crate::id::{OperatorId, OrgId, Sha256, StatementId, TenantId};
use crate::json::Validate;
use crate::limits;
use crate::time::UnixSeconds;

/// Who may do what, by how many, watched by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Format version.
    pub v: V1,
    /// The organisation; absent in version 1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub org: Option<OrgId>,
    /// When it was made.
    pub iat: UnixSeconds,
    /// What a reader must understand.
    pub crit: Vec<String>,
    /// 1 for genesis, then exactly one more each time.
    pub version: u64,
    /// The digest of the version before; absent in version 1 only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prev: Option<StatementId>,
    /// After this, endpoints are restricted: they start no job, and go on replaying the control log.
    pub expires: UnixSeconds,
    /// The people.
    pub operators: Vec<Operator>,
    /// How many distinct operators change this bundle.
    pub root: RootRule,
    /// The recovery keys and their delay.
    pub recovery: Recovery,
    /// Weakening changes wait this long, in seconds.
    pub weaken_delay_s: u64,
    /// What each class demands.
    pub classes: Vec<ClassRule>,
    /// Caps that endpoints enforce by themselves.
    pub limits: BundleLimits,
    /// The two logs and their witnesses.
    pub log: LogRule,
    /// Where agents find the server, and by which keys they know it.
    pub servers: Vec<Server>,
    /// Where else agents look for freezes; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mirrors: Vec<Mirror>,
    /// Tenants that countersign.
    pub customers: Vec<Customer>,
    /// How many endpoints tenants have, where people want it to count: no endpoint can know.
    pub tenants: Vec<TenantSize>,
    /// The oldest agent version that may act, `major.minor.patch`.
    pub min_agent: String,
    /// The oldest payload version that may act.
    pub min_statement: u32,
}

/// A person with signing keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operator {
    /// Stable id.
    pub id: OperatorId,
    /// For people.
    pub name: String,
    /// What the operator's signatures can mean.
    pub roles: Vec<OperatorRole>,
    /// Whose endpoints.
    pub tenants: TenantScope,
    /// At least one key.
    pub keys: Vec<OperatorKey>,
}

/// What an operator may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorRole {
    /// Write jobs.
    Author,
    /// Countersign jobs.
    Approve,
    /// Change the bundle.
    Root,
    /// Let endpoints in.
    Enroll,
    /// Freeze.
    Freeze,
    /// Promote roll-outs.
    Promote,
}

/// Which tenants an operator may act for. Always stated; nothing means everything by being absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum TenantScope {
    /// Every tenant.
    All,
    /// These only.
    Only(Vec<TenantId>),
}

impl TenantScope {
    /// Whether `tenant` is inside.
    pub fn contains(&self, tenant: &TenantId) -> bool {
        match self {
            Self::All => true,
            Self::Only(tenants) => tenants.contains(tenant),
        }
    }

    /// What is inside both.
    pub(crate) fn narrowed(&self, other: &Self) -> Self {
        match self {
            Self::All => other.clone(),
            Self::Only(tenants) => Self::Only(
                tenants.iter().filter(|tenant| other.contains(tenant)).cloned().collect(),
            ),
        }
    }
}

/// One key of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorKey {
    /// `type base64`, as in an OpenSSH public key file, without a comment.
    pub ssh: String,
    /// For passkeys: the exact origins that may exercise it.
    pub origins: Vec<String>,
    /// Every signature by this key must carry user verification.
    pub uv: bool,
    /// Whether a credential that can be synced is accepted.
    pub backup_ok: bool,
    /// For people: which device, where it is kept.
    pub note: String,
}

/// How many distinct root operators change the bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RootRule {
    /// At least one; at most as many as hold the role.
    pub threshold: u32,
}

/// The recovery path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recovery {
    /// OpenSSH public keys.
    pub keys: Vec<String>,
    /// Seconds before a recovery takes effect.
    pub delay_s: u64,
}

/// The risk classes, from the mildest to the strictest of those a job can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Built-in reads on a schedule, monitoring policy.
    Observe,
    /// Small, everyday work.
    Routine,
    /// New scripts on more endpoints, patches, reboots, software.
    Change,
    /// More than that, or destructive.
    Fleet,
    /// New versions of the endpoint's own programs: as many root operators as change the bundle.
    Update,
}

impl Class {
    /// Every class, mildest first.
    pub const ALL: &'static [Self] =
        &[Self::Observe, Self::Routine, Self::Change, Self::Fleet, Self::Update];

    /// Its name in the bundle, CLI and console.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Routine => "routine",
            Self::Change => "change",
            Self::Fleet => "fleet",
            Self::Update => "update",
        }
    }
}

impl core::fmt::Display for Class {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// How a person proves presence when signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserCheck {
    /// Any listed key, software keys included.
    None,
    /// A hardware key was touched.
    Presence,
    /// A hardware key was touched and verified its user (PIN or fingerprint).
    Verification,
}

/// What a class demands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassRule {
    /// Which class.
    pub class: Class,
    /// Distinct operators that countersign, the author not counted.
    pub approvals: u32,
    /// How each counted signature must have been made.
    pub user_check: UserCheck,
    /// Most endpoints of one job with content this endpoint has not seen countersigned.
    pub endpoints_new_max: u32,
    /// Most endpoints of one job with content countersigned before.
    pub endpoints_max: u32,
    /// Fewest stages of a job that names at least as many endpoints; with fewer, one for each.
    pub stages_min: u32,
    /// Most endpoints of the first stage, where the class demands more than one.
    pub first_stage_max: u32,
    /// Shortest soak before each later stage in seconds, where the class demands more than one.
    pub soak_s_min: u64,
    /// Seconds between logging and running.
    pub delay_s: u64,
    /// Longest age of the control view at the start, in seconds.
    pub freshness_s: u64,
    /// Longest window in seconds.
    pub window_s_max: u64,
    /// Most jobs of this class an endpoint starts within an hour.
    pub jobs_per_hour_max: u32,
    /// Most jobs of any class that one operator's signature helps to start on an endpoint within an hour, asked of jobs of this class.
    pub operator_jobs_per_hour_max: u32,
    /// The group of the log policy whose witnesses must have co-signed.
    pub witnesses: String,
    /// Which standing orders it allows.
    pub orders: OrderRule,
}

/// Which standing orders a class allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderRule {
    /// Longest life in seconds; 0: none at all.
    pub life_s_max: u64,
    /// Longest age of the control view at the start of a run, in seconds: for so long a withheld freeze can go unseen.
    pub freshness_s_max: u64,
    /// Most runs of all standing orders of this class within an hour.
    pub runs_per_hour_max: u32,
}

impl OrderRule {
    /// No standing orders.
    pub const NONE: Self = Self { life_s_max: 0, freshness_s_max: 0, runs_per_hour_max: 0 };
}

/// Caps that endpoints enforce whatever a job says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundleLimits {
    /// Longest run in seconds.
    pub timeout_s_max: u32,
    /// Most output in bytes.
    pub output_max: u32,
}

/// The two logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogRule {
    /// Verifier key (vkey) of the control log.
    pub control: String,
    /// Verifier key (vkey) of the jobs log.
    pub jobs: String,
    /// C2SP `tlog-policy` text: witnesses, groups and the quorum of the control log.
    pub policy: String,
}

/// One server agents may talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// `host:port`, tried in order.
    pub addresses: Vec<String>,
    /// SHA-256 of the server certificate's SubjectPublicKeyInfo.
    pub spki: Sha256,
}

/// A tenant with a say of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// Which tenant.
    pub tenant: TenantId,
    /// The customer's keys.
    pub keys: Vec<OperatorKey>,
    /// What needs the customer's countersignature.
    pub rule: CustomerRule,
}

/// How many endpoints a tenant has, by the word of those who signed the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSize {
    /// Which tenant.
    pub tenant: TenantId,
    /// So many; jobs on more than a tenth of them, and on more than `routine` allows, are `fleet`.
    pub endpoints: u32,
}

/// What needs the customer's countersignature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomerRule {
    /// Jobs of this class and stricter ones.
    pub from_class: Class,
}

impl Bundle {
    /// The rule of a class.
    pub fn class_rule(&self, class: Class) -> Option<&ClassRule> {
        self.classes.iter().find(|rule| rule.class == class)
    }

    /// The operator with this id.
    pub fn operator(&self, id: &OperatorId) -> Option<&Operator> {
        self.operators.iter().find(|operator| operator.id == *id)
    }
}

impl Statement for Bundle {
    const TYPE: StatementType = StatementType::Bundle;
    fn org(&self) -> Option<OrgId> {
        self.org
    }
    fn iat(&self) -> UnixSeconds {
        self.iat
    }
    fn crit(&self) -> &[String] {
        &self.crit
    }
}

impl Validate for Bundle {
    fn validate(&self) -> Result<(), &'static str> {
        check_crit(&self.crit)?;
        check_version(self)?;
        check_operators(&self.operators, self.root)?;
        check_classes(&self.classes)?;
        check_servers(&self.servers)?;
        check_mirrors(&self.mirrors)?;
        check_customers(&self.customers)?;
        check_tenants(&self.tenants)?;
        check_rest(self)
    }
}

fn check_version(bundle: &Bundle) -> Result<(), &'static str> {
    let genesis = bundle.version == 1;
    if bundle.version == 0 || bundle.version > limits::INTEGER_MAX {
        return Err("version: counts from 1");
    }
    if genesis == bundle.org.is_some() || genesis == bundle.prev.is_some() {
        return Err("org and prev: absent in version 1, present afterwards");
    }
    // A later one may be born expired: people must be able to remove somebody, and a recovery key to name new people,
    // who may not touch the end.
    if genesis && bundle.expires <= bundle.iat {
        return Err("expires: after iat");
    }
    Ok(())
}

fn check_operators(operators: &[Operator], root: RootRule) -> Result<(), &'static str> {
    if operators.is_empty() || operators.len() > limits::OPERATORS_MAX {
        return Err("operators: 1 to 64");
    }
    // Sorted ids make duplicates impossible and give one canonical order.
    if !operators.is_sorted_by(|a, b| a.id < b.id) {
        return Err("operators: sorted by id, each once");
    }
    for operator in operators {
        check_operator(operator)?;
    }
    let mut keys: Vec<&str> =
        operators.iter().flat_map(|o| &o.keys).map(|key| key.ssh.as_str()).collect();
    keys.sort_unstable();
    if !keys.is_sorted_by(|a, b| a < b) {
        return Err("operators: no key belongs to two operators or twice to one");
    }
    let holders = operators.iter().filter(|o| o.roles.contains(&OperatorRole::Root)).count();
    if root.threshold == 0 || usize::try_from(root.threshold).is_ok_and(|t| t > holders) {
        return Err("root.threshold: at least 1 and at most the number of root operators");
    }
    Ok(())
}

fn check_operator(operator: &Operator) -> Result<(), &'static str> {
    if operator.name.is_empty() || !is_plain_text(&operator.name, limits::TEXT_BYTES_MAX) {
        return Err("operator.name: one line of plain text");
    }
    if !operator.roles.is_sorted_by(|a, b| a < b) {
        return Err("operator.roles: sorted, each once");
    }
    if let TenantScope::Only(tenants) = &operator.tenants
        && (tenants.len() > limits::OPERATOR_TENANTS_MAX || !tenants.is_sorted_by(|a, b| a < b))
    {
        return Err("operator.tenants: at most 256, sorted, each once");
    }
    if operator.keys.is_empty() || operator.keys.len() > limits::OPERATOR_KEYS_MAX {
        return Err("operator.keys: 1 to 8");
    }
    operator.keys.iter().try_for_each(check_key)
}

fn check_key(key: &OperatorKey) -> Result<(), &'static str> {
    crate::keys::PublicKey::parse_openssh(&key.ssh)
        .map_err(|_| "key.ssh: a supported key without a comment")?;
    if key.origins.len() > limits::KEY_ORIGINS_MAX
        || key.origins.iter().any(|o| o.is_empty() || !is_plain_text(o, limits::TEXT_BYTES_MAX))
    {
        return Err("key.origins: at most 4");
    }
    if !is_plain_text(&key.note, limits::TEXT_BYTES_MAX) {
        return Err("key.note: one line of plain text");
    }
    Ok(())
}

fn check_classes(classes: &[ClassRule]) -> Result<(), &'static str> {
    if classes.is_empty() || !classes.is_sorted_by(|a, b| a.class < b.class) {
        return Err("classes: at least one, mildest first, each once");
    }
    for rule in classes {
        if rule.window_s_max > limits::WINDOW_S_MAX || rule.delay_s > limits::WINDOW_S_MAX {
            return Err("class: windows and delays of at most 30 days");
        }
        if usize::try_from(rule.stages_min).is_ok_and(|min| min > limits::JOB_STAGES_MAX)
            || rule.soak_s_min > limits::WINDOW_S_MAX
        {
            return Err("class: at most 8 stages, soaks of at most 30 days");
        }
        if rule.stages_min > 1 && rule.first_stage_max == 0 {
            return Err("class.first_stage_max: at least 1 where stages are demanded");
        }
        if rule.freshness_s > limits::INTEGER_MAX || rule.endpoints_max > limits::TARGETS_MAX {
            return Err("class: freshness or endpoints out of range");
        }
        if rule.endpoints_new_max > rule.endpoints_max {
            return Err("class: endpoints_new_max is at most endpoints_max");
        }
        let OrderRule { life_s_max, freshness_s_max, runs_per_hour_max } = rule.orders;
        let rate = rule.jobs_per_hour_max.max(rule.operator_jobs_per_hour_max);
        if rate.max(runs_per_hour_max) > limits::RATE_PER_HOUR_MAX {
            return Err("class: rates of at most 3,600 an hour");
        }
        if life_s_max.max(freshness_s_max) > limits::ORDER_S_MAX {
            return Err("class.orders: a life and a freshness of at most 366 days");
        }
        if rule.witnesses.is_empty() || !is_plain_text(&rule.witnesses, 64) {
            return Err("class.witnesses: a group of the log policy, or `none`");
        }
    }
    Ok(())
}

fn check_servers(servers: &[Server]) -> Result<(), &'static str> {
    if servers.is_empty() || servers.len() > limits::SERVERS_MAX {
        return Err("servers: 1 to 8");
    }
    let bad = |server: &Server| {
        server.addresses.is_empty()
            || server.addresses.len() > limits::SERVER_ADDRESSES_MAX
            || server
                .addresses
                .iter()
                .any(|a| a.is_empty() || !is_plain_text(a, limits::TEXT_BYTES_MAX))
    };
    if servers.iter().any(bad) {
        return Err("server.addresses: 1 to 8");
    }
    Ok(())
}

fn check_customers(customers: &[Customer]) -> Result<(), &'static str> {
    if customers.len() > limits::CUSTOMERS_MAX
        || !customers.is_sorted_by(|a, b| a.tenant < b.tenant)
    {
        return Err("customers: at most 256, sorted by tenant, each once");
    }
    for customer in customers {
        if customer.keys.is_empty() || customer.keys.len() > limits::OPERATOR_KEYS_MAX {
            return Err("customer.keys: 1 to 8");
        }
        customer.keys.iter().try_for_each(check_key)?;
    }
    Ok(())
}

fn check_tenants(tenants: &[TenantSize]) -> Result<(), &'static str> {
    let sized = |tenant: &TenantSize| (1..=limits::TARGETS_MAX).contains(&tenant.endpoints);
    if tenants.len() > limits::CUSTOMERS_MAX
        || !tenants.is_sorted_by(|a, b| a.tenant < b.tenant)
        || !tenants.iter().all(sized)
    {
        return Err("tenants: at most 256, sorted, each once, with an endpoint at least");
    }
    Ok(())
}

fn check_rest(bundle: &Bundle) -> Result<(), &'static str> {
    if bundle.recovery.keys.len() > limits::OPERATOR_KEYS_MAX
        || bundle.recovery.delay_s > limits::INTEGER_MAX
        || bundle.weaken_delay_s > limits::INTEGER_MAX
    {
        return Err("recovery, weaken_delay_s: out of range");
    }
    if bundle.limits.timeout_s_max > limits::SCRIPT_TIMEOUT_S_MAX
        || bundle.limits.output_max > limits::SCRIPT_OUTPUT_BYTES_MAX
    {
        return Err("limits: above what agents allow");
    }
    if bundle.log.policy.len() > limits::POLICY_BYTES_MAX {
        return Err("log.policy: at most 8 KiB");
    }
    crate::policy::LogTrust::parse(&bundle.log).map_err(|_| "log: keys or policy do not parse")?;
    let groups_known = |trust: &crate::policy::LogTrust| {
        bundle.classes.iter().all(|rule| trust.policy.has_group(&rule.witnesses))
    };
    if !crate::policy::LogTrust::parse(&bundle.log).is_ok_and(|trust| groups_known(&trust)) {
        return Err("class.witnesses: not a group of the log policy");
    }
    crate::version::AgentVersion::parse(&bundle.min_agent).ok_or("min_agent: major.minor.patch")?;
    Ok(())
}
