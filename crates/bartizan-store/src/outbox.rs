//! Messages about alerts until their channel has them, wishes of operators, and observations that wait to be judged.
//! Each is written in the transaction of what causes it.

use bartizan_trust::id::{AlertId, EndpointId, NotificationId, OperatorId};

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// Longest problem that is kept, in characters.
const PROBLEM_CHARS_MAX: usize = 256;

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRecord {
    /// The same for each attempt.
    pub id: NotificationId,
    /// About which alert.
    pub alert: Option<AlertId>,
    /// Over which channel.
    pub channel: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// When it was written.
    pub created: u64,
    /// When it is tried next, or was settled.
    pub due: u64,
    /// How often it was tried.
    pub tries: u64,
    /// What went wrong last.
    pub problem: Option<String>,
    /// What it says, as the server wrote it.
    pub body: Vec<u8>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// The channel has it.
    Sent,
    /// It is tried again then.
    Again {
        /// When.
        due: u64,
        /// Why it failed.
        problem: String,
    },
    /// It is not tried any more.
    Failed {
        /// Why.
        problem: String,
    },
}

/// Whoever wants to be told that an endpoint is back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WishRecord {
    /// Which endpoint.
    pub endpoint: EndpointId,
    /// Who.
    pub operator: OperatorId,
    /// Over which channel.
    pub channel: String,
    /// Since when.
    pub at: u64,
}

const COLUMNS: &str = "id, alert, channel, state, created, due, tries, problem, body";

impl Tx<'_> {
    /// Keeps a message until it is sent. One that is there already stays as it is.
    pub fn put_notification(
        &mut self,
        (id, alert): (NotificationId, Option<AlertId>),
        channel: &str,
        at: u64,
        body: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO alert_outbox (id, alert, channel, state, created, due, tries, body)
            VALUES ($1, $2, $3, 'waiting', $4, $4, 0, $5) ON CONFLICT (id) DO NOTHING";
        let alert = alert.map(|alert| alert.to_string());
        self.execute(
            sql,
            &[id.to_string().into(), alert.into(), channel.into(), at.into(), body.into()],
        )
        .map(drop)
    }

    /// Messages of a channel that are due, oldest first.
    pub fn due_notifications(
        &mut self,
        channel: &str,
        now: u64,
        limit: u64,
    ) -> Result<Vec<NotificationRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alert_outbox WHERE state = 'waiting' AND channel = $1 AND due <= $2
             ORDER BY due, id LIMIT $3"
        );
        self.query(&sql, &[channel.into(), now.into(), limit.into()])?.iter().map(read).collect()
    }

    /// Messages that wait, of each channel.
    pub fn waiting_notifications(&mut self) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "SELECT channel, COUNT(*) FROM alert_outbox WHERE state = 'waiting' GROUP BY channel ORDER BY channel";
        let rows = self.query(sql, &[])?;
        rows.iter().map(|row| Ok((row.text(0, "channel")?, row.size(1, "count")?))).collect()
    }

    /// Notes how an attempt ended.
    pub fn settle_notification(
        &mut self,
        id: NotificationId,
        at: u64,
        attempt: &Attempt,
    ) -> Result<(), StoreError> {
        let (state, due, problem) = match attempt {
            Attempt::Sent => ("sent", at, None),
            Attempt::Again { due, problem } => ("waiting", *due, Some(problem)),
            Attempt::Failed { problem } => ("failed", at, Some(problem)),
        };
        let problem = problem.map(|text| text.chars().take(PROBLEM_CHARS_MAX).collect::<String>());
        let sql = "UPDATE alert_outbox SET state = $2, due = $3, problem = $4, tries = tries + 1 WHERE id = $1";
        self.execute(sql, &[id.to_string().into(), state.into(), due.into(), problem.into()])
            .map(drop)
    }

    /// What was sent of an alert, or will be, oldest first.
    pub fn notifications_of(
        &mut self,
        alert: AlertId,
        limit: u64,
    ) -> Result<Vec<NotificationRecord>, StoreError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM alert_outbox WHERE alert = $1 ORDER BY created, id LIMIT $2"
        );
        self.query(&sql, &[alert.to_string().into(), limit.into()])?.iter().map(read).collect()
    }

    /// One message.
    pub fn notification(
        &mut self,
        id: NotificationId,
    ) -> Result<Option<NotificationRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM alert_outbox WHERE id = $1");
        self.query_one(&sql, &[id.to_string().into()])?.as_ref().map(read).transpose()
    }

    /// Forgets messages that were settled before.
    pub fn drop_notifications_before(&mut self, before: u64) -> Result<(), StoreError> {
        let sql = "DELETE FROM alert_outbox WHERE state <> 'waiting' AND due < $1";
        self.execute(sql, &[before.into()]).map(drop)
    }

    /// An operator wants to be told when an endpoint is back.
    pub fn put_wish(&mut self, wish: &WishRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO alert_wish (endpoint, operator, channel, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (endpoint, operator, channel) DO NOTHING";
        let parameters = [
            wish.endpoint.to_string().into(),
            wish.operator.to_string().into(),
            wish.channel.as_str().into(),
            wish.at.into(),
        ];
        self.execute(sql, &parameters).map(drop)
    }

    /// It was granted.
    pub fn drop_wish(&mut self, wish: &WishRecord) -> Result<(), StoreError> {
        let sql = "DELETE FROM alert_wish WHERE endpoint = $1 AND operator = $2 AND channel = $3";
        let (endpoint, operator) = (wish.endpoint.to_string(), wish.operator.to_string());
        self.execute(sql, &[endpoint.into(), operator.into(), wish.channel.as_str().into()])
            .map(drop)
    }

    /// All that wait.
    pub fn wishes(&mut self) -> Result<Vec<WishRecord>, StoreError> {
        let read = |row: &Row| {
            let bad = StoreError::Column("alert_wish");
            Ok(WishRecord {
                endpoint: row.text(0, "alert_wish.endpoint")?.parse().map_err(|_| bad)?,
                operator: row
                    .text(1, "alert_wish.operator")?
                    .parse()
                    .map_err(|_| StoreError::Column("alert_wish.operator"))?,
                channel: row.text(2, "alert_wish.channel")?,
                at: row.size(3, "alert_wish.at")?,
            })
        };
        let sql = "SELECT endpoint, operator, channel, at FROM alert_wish ORDER BY at, endpoint, operator, channel";
        self.query(sql, &[])?.iter().map(read).collect()
    }

    /// Keeps an observation until the alerts have it: in the transaction of the report that brought it. Of each check and instance
    /// only the newest waits, so that an endpoint which floods fills no more than its own places.
    pub fn queue_observation(
        &mut self,
        (endpoint, check, instance): (EndpointId, &str, &str),
        body: &[u8],
    ) -> Result<(), StoreError> {
        let sql = "INSERT INTO alert_input (seq, endpoint, check_id, instance, body)
            VALUES ((SELECT COALESCE(MAX(seq), 0) + 1 FROM alert_input), $1, $2, $3, $4)
            ON CONFLICT (endpoint, check_id, instance) DO UPDATE SET seq = excluded.seq, body = excluded.body";
        let endpoint = endpoint.to_string();
        self.execute(sql, &[endpoint.into(), check.into(), instance.into(), body.into()]).map(drop)
    }

    /// Observations that wait, in the order in which they came.
    pub fn queued_observations(&mut self, limit: u64) -> Result<Vec<(u64, Vec<u8>)>, StoreError> {
        let rows =
            self.query("SELECT seq, body FROM alert_input ORDER BY seq LIMIT $1", &[limit.into()])?;
        rows.iter()
            .map(|row| Ok((row.size(0, "alert_input.seq")?, row.bytes(1, "alert_input.body")?)))
            .collect()
    }

    /// Observations up to here were judged.
    pub fn drop_observations(&mut self, to: u64) -> Result<(), StoreError> {
        self.execute("DELETE FROM alert_input WHERE seq <= $1", &[to.into()]).map(drop)
    }
}

fn read(row: &Row) -> Result<NotificationRecord, StoreError> {
    let id = row.text(0, "alert_outbox.id")?;
    let alert = row.opt_text(1, "alert_outbox.alert")?;
    Ok(NotificationRecord {
        id: id.parse().map_err(|_| StoreError::Column("alert_outbox.id"))?,
        alert: alert
            .map(|id| id.parse().map_err(|_| StoreError::Column("alert_outbox.alert")))
            .transpose()?,
        channel: row.text(2, "alert_outbox.channel")?,
        state: row.text(3, "alert_outbox.state")?,
        created: row.size(4, "alert_outbox.created")?,
        due: row.size(5, "alert_outbox.due")?,
        tries: row.size(6, "alert_outbox.tries")?,
        problem: row.opt_text(7, "alert_outbox.problem")?,
        body: row.bytes(8, "alert_outbox.body")?,
    })
}
