//! Alerts: what needs a person, told once, to the right people. Specification: `docs/spec/alerts.md`.
//!
//! [`Machine`] takes observations, links and the passing of time, and says what to keep and what to send. It does no IO and reads
//! no clock; whoever drives it keeps its [`Changes`] in one transaction.

mod api;
mod calendar;
mod document;
mod explain;
mod groups;
mod machine;
mod observe;
mod plan;
mod rules;
#[cfg(test)]
mod tests;
mod types;

pub use api::{
    AlertDetail, AlertPage, AlertRow, ChannelBody, NoteBody, NotificationRow, RulesAnswer,
    RulesBody, RulesStored, RulesVersion,
};
pub use calendar::{HOUR_MINUTES, Hours};
pub use document::{
    Channel, DependsRule, HoursRule, OfflineRule, RouteRule, RulesDocument, StepRule, WindowRule,
};
pub use machine::{Changes, Machine};
pub use rules::Rules;
pub use types::{
    Acknowledgement, Alert, EndpointFacts, Entry, Happening, Message, Notification, Observation,
    OperatorDeed, Phase, Reason, Sent, Severity, Why, Wish,
};

/// What the alert of a lost link is about.
pub const LINK: &str = "link";
/// What the alert of a site that lost most of its links is about.
pub const SITE: &str = "site.link";
/// What the alert of a server that lost most of its links is about.
pub const NETWORK: &str = "server.network";
/// What the alert of an endpoint with too many alerts is about.
pub const FLOOD: &str = "alerts.flood";

/// Limits, each with its reason.
pub mod limits {
    /// Longest name of a check: a label, not a story.
    pub const KEY_BYTES_MAX: usize = 64;
    /// Longest instance: a mount point or the name of a service.
    pub const INSTANCE_BYTES_MAX: usize = 128;
    /// Longest text of a result, as policies bound it.
    pub const TEXT_BYTES_MAX: usize = 256;
    /// Longest note of an operator.
    pub const NOTE_BYTES_MAX: usize = 1024;
    /// Alerts of one endpoint at once: what is above says that something is wrong with the endpoint itself, or that it lies.
    pub const ENDPOINT_ALERTS_MAX: usize = 200;
    /// Lines of one alert's history: an alert that changes for months must not fill the disk.
    pub const ENTRIES_MAX: u32 = 500;
    /// Results remembered to tell a late one from a new one; enough for 10,000 endpoints with 40 checks each.
    pub const SEEN_MAX: usize = 400_000;
    /// Whoever waits for endpoints at once.
    pub const WISHES_MAX: usize = 1_000;
    /// Results that are older came late: their check may be well again already.
    pub const LATE_S: u64 = 600;
    /// How long a late result waits for a newer one. An endpoint that catches up sends all it has within this time.
    pub const SETTLE_S: u64 = 120;
    /// For so long an older result after a newer one is not believed; after that the endpoint's clock was set back.
    pub const REORDER_S: u64 = 900;
    /// A check that could not be judged for so long is an alert.
    pub const UNKNOWN_AFTER_S: u64 = 900;
    /// What comes back within this time is the same alert.
    pub const REOPEN_S: u64 = 1_800;
    /// Openings within [`FLAP_WINDOW_S`] that make an alert flapping.
    pub const FLAP_OPENS: usize = 4;
    /// See [`FLAP_OPENS`].
    pub const FLAP_WINDOW_S: u64 = 3_600;
    /// A flapping alert is quiet until its state has held for so long.
    pub const CALM_S: u64 = 1_800;
    /// After a start nobody is away for so long: 10,000 endpoints come back within a minute, and pauses between attempts grow.
    pub const GRACE_S: u64 = 300;
    /// Links lost within this time were lost together: silence is noticed after 60 to 90 seconds, each endpoint at its own moment.
    pub const TOGETHER_S: u64 = 120;
    /// Fewer lost links are told one by one.
    pub const SITE_LOST_MIN: usize = 3;
    /// Fewer lost links are never called the server's own network.
    pub const NETWORK_LOST_MIN: usize = 5;
    /// A site that is back at once is not told.
    pub const GROUP_AFTER_S: u64 = 60;
    /// What a site hid is told so long after the site came back, if it did not.
    pub const RELEASE_S: u64 = 180;
    /// Rules of one kind.
    pub const RULES_MAX: usize = 256;
    /// Steps of a route.
    pub const STEPS_MAX: usize = 8;
    /// Channels of a step.
    pub const CHANNELS_MAX: usize = 16;
    /// Longest maintenance window, in minutes: a week. Longer is an alert nobody wants.
    pub const WINDOW_MINUTES_MAX: u32 = 7 * 24 * 60;
    /// Longest delay of a step or pause between repetitions, in minutes: a week.
    pub const STEP_MINUTES_MAX: u32 = 7 * 24 * 60;
    /// Least pause between repetitions, in minutes.
    pub const RESEND_MINUTES_MIN: u32 = 5;
    /// How long an endpoint may be away before it is told: two minutes, because losses together are looked for first, to a week.
    pub const OFFLINE_MINUTES: core::ops::RangeInclusive<u32> = 2..=10_080;
    /// Largest document of rules.
    pub const RULES_BYTES_MAX: usize = 256 * 1024;
}
