//! What the pages get and send, as JSON. These types make the API document; a page is typed by it.
//!
//! Texts that come from endpoints, the server or other people are plain strings: bounded, and shown by the page as text only.

mod alerts;
mod audit;
mod fleet;
mod founding;
mod inventory;
mod jobs;
mod logs;
mod me;
mod orders;
mod passkeys;
mod policies;
mod saved;
mod scripts;
mod series;
mod sheets;
mod stop;
mod trust;

pub(crate) use alerts::*;
pub(crate) use audit::*;
pub(crate) use fleet::*;
pub(crate) use founding::*;
pub(crate) use inventory::*;
pub(crate) use jobs::*;
pub(crate) use logs::*;
pub(crate) use me::*;
pub(crate) use orders::*;
pub(crate) use passkeys::*;
pub(crate) use policies::*;
pub(crate) use saved::*;
pub(crate) use scripts::*;
pub(crate) use series::*;
pub(crate) use sheets::*;
pub(crate) use stop::*;
pub(crate) use trust::*;

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Body of every refused request.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Stable.
    pub(crate) code: String,
    /// What is wrong, for people.
    pub(crate) message: String,
    /// What to do next.
    pub(crate) next: String,
}

/// Whether this console has verified something itself, and what does not fit.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Verification {
    /// Verified here, from signatures; not the server's word.
    pub(crate) verified: bool,
    /// Why not.
    pub(crate) problem: Option<String>,
}

impl Verification {
    pub(crate) const fn good() -> Self {
        Self { verified: true, problem: None }
    }

    pub(crate) fn bad(problem: impl Into<String>) -> Self {
        Self { verified: false, problem: Some(problem.into()) }
    }
}

/// A part of a long list.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Rows to pass over.
    #[serde(default)]
    pub(crate) offset: u64,
    /// Rows wanted; at most 500.
    #[serde(default = "hundred")]
    #[param(default = 100, maximum = 500)]
    pub(crate) limit: u64,
}

pub(crate) const fn hundred() -> u64 {
    100
}

/// Rows in one answer.
const PART_MAX: u64 = 500;

impl Part {
    /// The places of a log of so many entries, of which the newest stand first.
    pub(crate) fn of_newest(self, size: u64) -> core::ops::Range<u64> {
        let end = size.saturating_sub(self.offset);
        end.saturating_sub(self.limit.clamp(1, PART_MAX))..end
    }

    /// The rows of a list that are at hand.
    pub(crate) fn of<T>(self, rows: Vec<T>) -> Vec<T> {
        let start = usize::try_from(self.offset).unwrap_or(usize::MAX);
        let limit = usize::try_from(self.limit.clamp(1, PART_MAX)).unwrap_or(1);
        rows.into_iter().skip(start).take(limit).collect()
    }
}

/// Who signed something, and as what.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SignedBy {
    /// The operator, if a bundle names the key.
    pub(crate) operator: Option<String>,
    /// The operator's name.
    pub(crate) name: Option<String>,
    /// `author`, `approve`, `root` …
    pub(crate) role: String,
    /// Of the key.
    pub(crate) fingerprint: String,
    /// Whether it counts by the bundle in force; if not, why.
    pub(crate) verification: Verification,
}

/// An endpoint as endpoints are shown everywhere: the whole id.
pub(crate) type EndpointText = String;
