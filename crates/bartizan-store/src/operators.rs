//! Sessions and enrolments.

use bartizan_trust::id::{Sha256, StatementId};

use crate::engine::Tx;
use crate::error::StoreError;

/// A console that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// The key that logged in: whose it is says the bundle of the day.
    pub ssh: String,
    /// Until when, in seconds.
    pub exp: u64,
}

impl Tx<'_> {
    /// Logs a console in.
    pub fn put_session(
        &mut self,
        console: &Sha256,
        session: &SessionRecord,
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO session (console, ssh, exp) VALUES ($1, $2, $3)
            ON CONFLICT (console) DO UPDATE SET ssh = excluded.ssh, exp = excluded.exp";
        let parameters =
            [console.to_string().into(), session.ssh.clone().into(), session.exp.into()];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// The session of a console, over or not.
    pub fn session(&mut self, console: &Sha256) -> Result<Option<SessionRecord>, StoreError> {
        let sql = "SELECT ssh, exp FROM session WHERE console = $1";
        let Some(row) = self.query_one(sql, &[console.to_string().into()])? else {
            return Ok(None);
        };
        let ssh = row.text(0, "session.ssh")?;
        Ok(Some(SessionRecord { ssh, exp: row.size(1, "session.exp")? }))
    }

    /// Forgets sessions that are over.
    pub fn drop_sessions(&mut self, now: u64) -> Result<(), StoreError> {
        self.execute("DELETE FROM session WHERE exp <= $1", &[now.into()]).map(|_| ())
    }

    /// Keeps an enrolment so that endpoints can come with it.
    pub fn put_enrolment(&mut self, id: StatementId, envelope: &[u8]) -> Result<(), StoreError> {
        let sql = "INSERT INTO enrolment (id, envelope, uses) VALUES ($1, $2, 0) ON CONFLICT (id) DO NOTHING";
        self.execute(sql, &[id.to_string().into(), envelope.into()]).map(|_| ())
    }
}
