//! What can go wrong with persistence.

use std::path::PathBuf;

/// Why an operation on the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The SQLite file is not a sound database. It is left as it is.
    #[error("the database `{}` is damaged: {finding}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What SQLite said.
        finding: String,
    },
    /// The schema was written by a newer server.
    #[error("the database has schema version {found}, this server knows up to {known}")]
    Newer {
        /// In the database.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// The database could not be opened or reached.
    #[error("cannot open the database {0}")]
    Open(String),
    /// A statement failed.
    #[error("database: {0}")]
    Sql(String),
    /// A value in a row is not what the column should hold.
    #[error("the database holds an unexpected value in `{0}`")]
    Column(&'static str),
    /// Too many operations wait.
    #[error("the database queue is full")]
    Busy,
    /// The database thread has stopped.
    #[error("the database has been closed")]
    Closed,
    /// The commit of the transaction that held this operation failed.
    #[error("the transaction could not be committed: {0}")]
    Commit(String),
}

impl StoreError {
    /// Stable code for logs and exit messages.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "store.damaged",
            Self::Newer { .. } => "store.newer_schema",
            Self::Open(_) => "store.open",
            Self::Sql(_) => "store.sql",
            Self::Column(_) => "store.column",
            Self::Busy => "store.busy",
            Self::Closed => "store.closed",
            Self::Commit(_) => "store.commit",
        }
    }

    /// What to do about it.
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => {
                "restore the file from a backup, or start once with --set-aside-damaged-database to keep it aside and begin with an empty one"
            }
            Self::Newer { .. } => "start the newer version of bartizan-server",
            Self::Open(_) => "check the path, its permissions, or the PostgreSQL address",
            Self::Sql(_) | Self::Column(_) | Self::Commit(_) => {
                "check the disk and the database's own log, then start again"
            }
            Self::Busy => "try again in a moment",
            Self::Closed => "start the server again",
        }
    }
}
