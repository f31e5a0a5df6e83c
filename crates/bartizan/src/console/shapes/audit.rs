//! Who did what, when: from both logs, verified here, and from the notes of this console.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{SignedBy, hundred};

/// Which rows.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
    /// `op_…`; `me` for what was done at this console.
    pub(crate) person: Option<String>,
    /// `job`, `policy`, `promotion`, `bundle`, `freeze`, `thaw`, `veto`, `withdrawal` or `local`.
    pub(crate) kind: Option<String>,
    /// Bare name.
    pub(crate) tenant: Option<String>,
    /// Not before.
    pub(crate) since: Option<u64>,
    /// Before.
    pub(crate) until: Option<u64>,
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuditForm {
    /// For tables.
    Csv,
    /// For programs: one array.
    Json,
}

/// Which rows go into a file.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditExport {
    /// Of the file.
    #[param(inline)]
    pub(crate) form: AuditForm,
    /// As in the list.
    person: Option<String>,
    /// As in the list.
    kind: Option<String>,
    /// As in the list.
    tenant: Option<String>,
    /// As in the list.
    since: Option<u64>,
    /// As in the list.
    until: Option<u64>,
}

impl AuditExport {
    /// The same rows as a list.
    pub(crate) fn query(&self) -> AuditQuery {
        AuditQuery {
            offset: 0,
            limit: 0,
            person: self.person.clone(),
            kind: self.kind.clone(),
            tenant: self.tenant.clone(),
            since: self.since,
            until: self.until,
        }
    }
}

/// A part of what was done, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditWindow {
    /// How many fit.
    pub(crate) total: u64,
    /// Of the first row.
    pub(crate) offset: u64,
    /// The rows.
    pub(crate) rows: Vec<AuditRow>,
    /// Everybody who has signed something, by name.
    pub(crate) people: Vec<AuditPerson>,
    /// Tenants that something was about, by name.
    pub(crate) tenants: Vec<String>,
    /// Entries of both logs that were gone through.
    pub(crate) entries: u64,
}

/// Somebody who has signed something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct AuditPerson {
    /// For people.
    pub(crate) name: String,
    /// `op_…`
    pub(crate) id: String,
}

/// Something that was done.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AuditRow {
    /// When: as its author's clock said, or when this console noted it.
    pub(crate) at: u64,
    /// A later signature has no time of its own: it came after `at`.
    pub(crate) after: bool,
    /// Who signed, as what. Of an entry that adds signatures only those that it adds.
    pub(crate) who: Vec<SignedBy>,
    /// `job`, `policy`, `promotion`, `bundle`, `freeze`, `thaw`, `veto`, `withdrawal`, `unknown` or `local`.
    pub(crate) kind: String,
    /// What was done, in a word or two.
    pub(crate) did: String,
    /// What it is about, in a line.
    pub(crate) title: String,
    /// The statement.
    pub(crate) id: Option<String>,
    /// Of a job.
    pub(crate) class: Option<String>,
    /// Bare name, where it is about one.
    pub(crate) tenant: Option<String>,
    /// `control` or `jobs`, where a log shows it.
    pub(crate) log: Option<String>,
    /// Place in that log.
    pub(crate) index: Option<u64>,
    /// Whether it was done at this console, by its own notes.
    pub(crate) here: bool,
}
