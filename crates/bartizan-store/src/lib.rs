//! Remembers: what the server must not forget, on SQLite or PostgreSQL with the same SQL.
//!
//! One thread owns the database. Operations wait in a bounded queue; those that queue up while a
//! transaction commits share the next one, and nobody is answered before the commit.

mod alerts;
mod checks;
mod endpoints;
mod engine;
mod error;
mod fleet;
mod inventory;
mod jobs;
mod logs;
mod operators;
mod outbox;
mod outgoing;
mod policies;
mod promotions;
mod quarantine;
mod queue;
mod read_tokens;
mod receipts;
mod reports;
mod results;
mod schema;
mod series;

pub use alerts::{AlertFilter, AlertRecord, AlertRows, AlertStanding, RulesRecord};
pub use checks::{CHANGES_OF_ENDPOINT_MAX, CHECKS_OF_ENDPOINT_MAX, CheckRecord, Room};
pub use endpoints::{Admission, EndpointFilter, EndpointRecord, Introduction, Place, Standing};
pub use engine::{Location, Tx};
pub use error::StoreError;
pub use fleet::{BriefRecord, FleetFilter, FleetOrder, PlaceCount};
pub use inventory::{
    CHANGES_MAX, ChangeRecord, FieldRecord, FoundItem, GroupRecord, IndexItem, ItemFilter,
    MarkRecord, Members, Numbered, PartRecord, SectionRecord, SectionWrite, ValueRecord,
};
pub use jobs::{DueJob, JobRecord, NewJob, TargetRecord};
pub use logs::{CosignatureRecord, LogName};
pub use operators::SessionRecord;
pub use outbox::{Attempt, NotificationRecord, WishRecord};
pub use outgoing::{OutgoingRecord, OutgoingWaiting};
pub use policies::{PolicyAnswer, PolicyRecord, PolicyTarget};
pub use promotions::PromotionRecord;
pub use queue::{Access, QUEUE_MAX, Store, StoreCounters};
pub use read_tokens::ReadTokenRecord;
pub use receipts::{Answer, ListedReceipt, ReceiptRecord};
pub use reports::{ReportFloor, ReportPlace, Taken};
pub use series::{SERIES_LEVELS, SERIES_PARTS_MAX, SeriesOwner, WindowRows};

use std::path::{Path, PathBuf};

/// Moves a damaged SQLite database out of the way, at the explicit wish of the administrator, and
/// says where it is kept.
pub fn set_aside(path: &Path, suffix: &str) -> std::io::Result<PathBuf> {
    let renamed = |extension: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(extension);
        PathBuf::from(name)
    };
    let kept = renamed(&format!(".damaged-{suffix}"));
    std::fs::rename(path, &kept)?;
    for extension in ["-wal", "-shm"] {
        let from = renamed(extension);
        if from.exists() {
            std::fs::rename(&from, renamed(&format!(".damaged-{suffix}{extension}")))?;
        }
    }
    Ok(kept)
}
