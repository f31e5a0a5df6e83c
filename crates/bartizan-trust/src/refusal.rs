//! Why an endpoint says no: one exhaustive list, each reason with a stable code.

/// A reasoned "no". Exhaustive on purpose: a new reason must break every reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// A limit of `limits.rs` was exceeded before parsing.
    TooLarge,
    /// The bytes are not what their type says: syntax, unknown or duplicate field, non-canonical form.
    Malformed,
    /// The statement kind is not one this endpoint acts on.
    UnknownKind,
    /// The payload type's version is below the bundle's minimum or above what we know.
    UnsupportedVersion,
    /// `crit` names something this endpoint does not understand.
    CriticalUnknown,
    /// Typed, but not yet supported: grant.
    UnsupportedStatement,
    /// The statement belongs to another organisation.
    WrongOrg,
    /// The job belongs to another tenant than the one this endpoint enrolled in.
    WrongTenant,
    /// The policy is for another site or another endpoint.
    WrongPlace,
    /// The job needs a newer bundle than this endpoint has seen.
    BundleTooOld,
    /// The bundle is expired: no job starts until a new one is in force.
    BundleExpired,
    /// A bundle's version is not exactly one more than the current one, or `prev` differs.
    BundleChain,
    /// A bundle lacks the root threshold of the old or of the new root.
    BundleThreshold,
    /// A veto names no waiting bundle, or is not signed by a root operator.
    VetoInvalid,
    /// A freeze that no operator who may freeze has signed.
    FreezeInvalid,
    /// A freeze that is longer than its signers may make it, or one too many within a day.
    FreezeLimit,
    /// A thaw of a freeze that is not known.
    FreezeUnknown,
    /// A thaw that neither a quorum signed nor the freeze's maker with one more operator.
    ThawThreshold,
    /// The genesis bundle is not the one the anchor names.
    AnchorMismatch,
    /// No valid author signature by an operator with the author role for this tenant.
    AuthorMissing,
    /// Fewer distinct approvers than the class demands (the author never counts).
    ApprovalsMissing,
    /// A signature lacks the touch or user verification the class demands.
    UserCheckMissing,
    /// Fewer root operators signed the update than change the bundle.
    RootMissing,
    /// The tenant's own rule is not met.
    CustomerMissing,
    /// The job claims a class that is weaker than the one derived from it.
    ClassTooWeak,
    /// The class is not in the bundle.
    ClassUnknown,
    /// More endpoints than the class may touch.
    ClassCap,
    /// Fewer stages, a larger first stage or a shorter soak than the class demands.
    ClassStages,
    /// The window has not begun.
    TooEarly,
    /// The window is over.
    Expired,
    /// The window is longer than the class allows, or ends before it begins.
    WindowInvalid,
    /// This endpoint is not a leaf of the target tree.
    NotTargeted,
    /// The job-log proof does not show these exact bytes.
    NotLogged,
    /// Fewer witnesses co-signed the checkpoint than the class demands.
    NotWitnessed,
    /// A checkpoint is not signed by the log key of the bundle.
    LogSignature,
    /// A log shows a smaller size than before.
    LogShrunk,
    /// Two checkpoints of one log contradict each other.
    LogFork,
    /// The control view is older than the class's freshness.
    ControlStale,
    /// Control entries are missing or start at another place than this endpoint's size.
    ControlGap,
    /// This job was accepted before.
    Replayed,
    /// The seen-set is full.
    SeenFull,
    /// The delay of the job's class is not over.
    DelayRuns,
    /// A later stage, and the promotions to it are missing, not in order, not logged, or not signed by enough.
    NotPromoted,
    /// A later stage was promoted although more failed in the one before than the job allows.
    StageFailures,
    /// A later stage, and not enough witness time has passed since this endpoint first saw the job.
    StageSoaks,
    /// A visible freeze covers this job.
    Frozen,
    /// A job named in `after` has no successful local receipt.
    AfterMissing,
    /// The local rate for the class is used up.
    RateLimited,
    /// The local rate of one of the operators who signed is used up.
    OperatorRateLimited,
    /// The job or standing order was taken back.
    Withdrawn,
    /// The class allows no such standing order or policy: its life, its freshness, or any at all.
    OrderNotAllowed,
    /// As many standing orders as an endpoint keeps stand here.
    OrdersFull,
    /// No such standing order stands here.
    OrderUnknown,
    /// No run of this standing order is due.
    OrderNotDue,
    /// A version of this policy that is as high or higher was taken in here before.
    PolicyOld,
    /// As many policies as an endpoint keeps stand here.
    PoliciesFull,
    /// No such policy stands here.
    PolicyUnknown,
    /// The content is missing, or its hash or size differ from what was signed.
    ContentMismatch,
    /// The enrolment is expired, not signed by an operator with the role, or not for this organisation.
    EnrolmentInvalid,
    /// The agent is older than the bundle's `min_agent`.
    AgentTooOld,
    /// The update is not newer than every version that ran here.
    UpdateNotNewer,
    /// The vendor's repository does not say the same of the program, or does not verify.
    VendorRefused,
}

/// Whether delivering the same statement again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Never: the statement itself is wrong for this endpoint.
    Terminal,
    /// Later, or with better evidence beside it.
    Later,
}

impl Refusal {
    /// Every refusal, in declaration order; for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::TooLarge,
        Self::Malformed,
        Self::UnknownKind,
        Self::UnsupportedVersion,
        Self::CriticalUnknown,
        Self::UnsupportedStatement,
        Self::WrongOrg,
        Self::WrongTenant,
        Self::WrongPlace,
        Self::BundleTooOld,
        Self::BundleExpired,
        Self::BundleChain,
        Self::BundleThreshold,
        Self::VetoInvalid,
        Self::FreezeInvalid,
        Self::FreezeLimit,
        Self::FreezeUnknown,
        Self::ThawThreshold,
        Self::AnchorMismatch,
        Self::AuthorMissing,
        Self::ApprovalsMissing,
        Self::UserCheckMissing,
        Self::RootMissing,
        Self::CustomerMissing,
        Self::ClassTooWeak,
        Self::ClassUnknown,
        Self::ClassCap,
        Self::ClassStages,
        Self::TooEarly,
        Self::Expired,
        Self::WindowInvalid,
        Self::NotTargeted,
        Self::NotLogged,
        Self::NotWitnessed,
        Self::LogSignature,
        Self::LogShrunk,
        Self::LogFork,
        Self::ControlStale,
        Self::ControlGap,
        Self::Replayed,
        Self::SeenFull,
        Self::DelayRuns,
        Self::NotPromoted,
        Self::StageFailures,
        Self::StageSoaks,
        Self::Frozen,
        Self::AfterMissing,
        Self::RateLimited,
        Self::OperatorRateLimited,
        Self::Withdrawn,
        Self::OrderNotAllowed,
        Self::OrdersFull,
        Self::OrderUnknown,
        Self::OrderNotDue,
        Self::PolicyOld,
        Self::PoliciesFull,
        Self::PolicyUnknown,
        Self::ContentMismatch,
        Self::EnrolmentInvalid,
        Self::AgentTooOld,
        Self::UpdateNotNewer,
        Self::VendorRefused,
    ];

    /// The stable code shared by audit, console, docs and tests.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooLarge => "input.too_large",
            Self::Malformed => "input.malformed",
            Self::UnknownKind => "input.unknown_kind",
            Self::UnsupportedVersion => "input.unsupported_version",
            Self::CriticalUnknown => "input.critical_unknown",
            Self::UnsupportedStatement => "unsupported.statement",
            Self::WrongOrg => "scope.wrong_org",
            Self::WrongTenant => "scope.wrong_tenant",
            Self::WrongPlace => "scope.wrong_place",
            Self::BundleTooOld => "bundle.too_old",
            Self::BundleExpired => "bundle.expired",
            Self::BundleChain => "bundle.chain",
            Self::BundleThreshold => "bundle.threshold",
            Self::VetoInvalid => "bundle.veto_invalid",
            Self::FreezeInvalid => "freeze.invalid",
            Self::FreezeLimit => "freeze.limit",
            Self::FreezeUnknown => "freeze.unknown",
            Self::ThawThreshold => "freeze.thaw_threshold",
            Self::AnchorMismatch => "bundle.anchor_mismatch",
            Self::AuthorMissing => "sig.author_missing",
            Self::ApprovalsMissing => "sig.approvals_missing",
            Self::UserCheckMissing => "sig.user_check_missing",
            Self::RootMissing => "sig.root_missing",
            Self::CustomerMissing => "sig.customer_missing",
            Self::ClassTooWeak => "class.too_weak",
            Self::ClassUnknown => "class.unknown",
            Self::ClassCap => "class.cap",
            Self::ClassStages => "class.stages",
            Self::TooEarly => "window.too_early",
            Self::Expired => "window.expired",
            Self::WindowInvalid => "window.invalid",
            Self::NotTargeted => "target.not_listed",
            Self::NotLogged => "log.not_logged",
            Self::NotWitnessed => "log.not_witnessed",
            Self::LogSignature => "log.signature",
            Self::LogShrunk => "log.shrunk",
            Self::LogFork => "log.fork",
            Self::ControlStale => "log.control_stale",
            Self::ControlGap => "log.control_gap",
            Self::Replayed => "replay.seen",
            Self::SeenFull => "replay.full",
            Self::DelayRuns => "delay.runs",
            Self::NotPromoted => "stage.not_promoted",
            Self::StageFailures => "stage.failures",
            Self::StageSoaks => "stage.soaks",
            Self::Frozen => "freeze.covered",
            Self::AfterMissing => "after.missing",
            Self::RateLimited => "rate.limited",
            Self::OperatorRateLimited => "rate.operator",
            Self::Withdrawn => "freeze.withdrawn",
            Self::OrderNotAllowed => "order.not_allowed",
            Self::OrdersFull => "order.full",
            Self::OrderUnknown => "order.unknown",
            Self::OrderNotDue => "order.not_due",
            Self::PolicyOld => "policy.old_version",
            Self::PoliciesFull => "policy.full",
            Self::PolicyUnknown => "policy.unknown",
            Self::ContentMismatch => "content.mismatch",
            Self::EnrolmentInvalid => "enrolment.invalid",
            Self::AgentTooOld => "agent.too_old",
            Self::UpdateNotNewer => "update.not_newer",
            Self::VendorRefused => "update.vendor_refused",
        }
    }

    /// Whether a later delivery of the same statement can be accepted.
    pub const fn retry(self) -> Retry {
        match self {
            // Evidence that travels beside the statement, or local conditions that pass.
            Self::TooLarge
            | Self::Malformed
            | Self::UnknownKind
            | Self::UnsupportedVersion
            | Self::CriticalUnknown
            | Self::UnsupportedStatement
            | Self::WrongOrg
            | Self::WrongTenant
            | Self::WrongPlace
            | Self::BundleChain
            | Self::VetoInvalid
            | Self::FreezeInvalid
            | Self::FreezeLimit
            | Self::FreezeUnknown
            | Self::ThawThreshold
            | Self::AnchorMismatch
            | Self::ClassTooWeak
            | Self::ClassUnknown
            | Self::ClassCap
            | Self::ClassStages
            | Self::Expired
            | Self::WindowInvalid
            | Self::Replayed
            | Self::UpdateNotNewer
            | Self::Withdrawn
            | Self::OrderNotAllowed
            | Self::OrderUnknown
            | Self::PolicyOld
            | Self::PolicyUnknown
            | Self::EnrolmentInvalid => Retry::Terminal,
            Self::BundleTooOld
            | Self::BundleExpired
            | Self::BundleThreshold
            | Self::AuthorMissing
            | Self::ApprovalsMissing
            | Self::UserCheckMissing
            | Self::RootMissing
            | Self::CustomerMissing
            | Self::VendorRefused
            | Self::TooEarly
            | Self::NotTargeted
            | Self::NotLogged
            | Self::NotWitnessed
            | Self::LogSignature
            | Self::LogShrunk
            | Self::LogFork
            | Self::ControlStale
            | Self::ControlGap
            | Self::SeenFull
            | Self::DelayRuns
            | Self::NotPromoted
            | Self::StageFailures
            | Self::StageSoaks
            | Self::Frozen
            | Self::AfterMissing
            | Self::RateLimited
            | Self::OperatorRateLimited
            | Self::OrdersFull
            | Self::OrderNotDue
            | Self::PoliciesFull
            | Self::ContentMismatch
            | Self::AgentTooOld => Retry::Later,
        }
    }

    /// What a person can do about it: one sentence for CLI and console.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::TooLarge => "make the statement smaller; the limits are in the specification",
            Self::Malformed => "the bytes were damaged or made by another tool; sign the job again",
            Self::UnknownKind
            | Self::UnsupportedVersion
            | Self::CriticalUnknown
            | Self::AgentTooOld => "update the agent on this endpoint",
            Self::UnsupportedStatement => "this release does not act on this kind of statement yet",
            Self::WrongOrg => "check that the endpoint belongs to your organisation",
            Self::WrongPlace => "deliver it to endpoints of its signed place only",
            Self::WrongTenant => {
                "choose endpoints of the job's tenant only; a tenant label changed by the server does not count"
            }
            Self::BundleTooOld => "wait until the endpoint has replayed the control log",
            Self::BundleExpired => "publish a renewed bundle signed by the root operators",
            Self::BundleChain => "publish the missing bundle versions in order",
            Self::BundleThreshold => "have more root operators sign the bundle",
            Self::VetoInvalid => "name a bundle that waits, and sign as a root operator",
            Self::FreezeInvalid => "have an operator with the freeze role sign",
            Self::FreezeLimit => "freeze for at most 4 hours, 3 times a day, or have a quorum sign",
            Self::FreezeUnknown => "look at the standing freezes with `bartizan frozen`",
            Self::ThawThreshold => "have another operator sign the thaw too",
            Self::AnchorMismatch => {
                "compare the anchor in the install command with `bartizan status`"
            }
            Self::AuthorMissing => "have an operator with the author role for this tenant sign",
            Self::ApprovalsMissing => "have another operator run `bartizan approve`",
            Self::UserCheckMissing => "sign with a security key and its PIN or fingerprint",
            Self::RootMissing => "have more root operators run `bartizan approve`",
            Self::CustomerMissing => "ask the customer to countersign",
            Self::ClassTooWeak => "submit the job with the stricter class",
            Self::ClassUnknown => "use a class that the bundle defines",
            Self::ClassCap => "split the job, or use a stricter class",
            Self::ClassStages => "roll it out in stages: `bartizan run --stages`",
            Self::TooEarly => "wait until the job's window begins",
            Self::Expired => "sign the job again with a new window",
            Self::WindowInvalid => "shorten the window to what the class allows",
            Self::NotTargeted => "the job does not name this endpoint; sign a job that does",
            Self::NotLogged => "the server must log the job before it delivers it",
            Self::NotWitnessed => "run `bartizan witness` on the operators' computers",
            Self::LogSignature | Self::LogShrunk | Self::LogFork => {
                "treat the server as compromised: compare checkpoints with `bartizan log verify`"
            }
            Self::ControlStale => {
                "run `bartizan witness` so that the control log is co-signed again"
            }
            Self::ControlGap => "the endpoint asks for the missing entries by itself",
            Self::Replayed => "nothing: the job ran already; see its receipt",
            Self::SeenFull => "wait until the windows of earlier jobs have passed",
            Self::DelayRuns | Self::StageSoaks => {
                "wait: it starts by itself; `bartizan freeze job:ID` stops it"
            }
            Self::NotPromoted => {
                "it waits for its stage: `bartizan promote` when the one before went well"
            }
            Self::StageFailures => "find out what failed; then sign a new job",
            Self::Frozen => "thaw with two operators when it is safe",
            Self::AfterMissing => "wait for the earlier job's receipt",
            Self::RateLimited => "wait; the class allows only so many jobs an hour",
            Self::OperatorRateLimited => {
                "wait, or have other people sign; if these starts were not yours: `bartizan freeze operator:ID`"
            }
            Self::Withdrawn => {
                "nothing: somebody took it back; sign a new one if it is still wanted"
            }
            Self::OrderNotAllowed => {
                "shorten its life or its freshness, use another class, or change the class's `orders` in the bundle"
            }
            Self::OrdersFull => "withdraw standing orders that nobody needs: `bartizan orders`",
            Self::OrderUnknown | Self::PolicyUnknown => "submit it to the server again",
            Self::OrderNotDue => "nothing: it runs when it is due",
            Self::PolicyOld => "nothing: a later version counts; sign one with a higher number",
            Self::PoliciesFull => "withdraw policies that nobody needs: `bartizan policy list`",
            Self::ContentMismatch => "the server must deliver exactly the script that was signed",
            Self::UpdateNotNewer => "nothing: this version or a later one runs already",
            Self::VendorRefused => {
                "compare the vendor's repository; the endpoint's journal says what it found"
            }
            Self::EnrolmentInvalid => "create a new install command with `bartizan enroll`",
        }
    }
}

impl core::fmt::Display for Refusal {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::error::Error for Refusal {}
