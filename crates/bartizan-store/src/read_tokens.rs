//! Tokens that may read series and nothing else. Of a token only its hash is here.

use bartizan_trust::id::{OperatorId, Sha256, TenantId};

use crate::engine::{Row, Tx};
use crate::error::StoreError;

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadTokenRecord {
    /// What people call it.
    pub name: String,
    /// Of what it reads, if not of everybody.
    pub tenant: Option<TenantId>,
    /// Who made it.
    pub operator: OperatorId,
    /// When.
    pub at: u64,
    /// Until when it counts.
    pub exp: u64,
}

const COLUMNS: &str = "name, tenant, operator, at, exp";

impl Tx<'_> {
    /// Keeps a new token; false when there is one of that name.
    pub fn put_read_token(
        &mut self,
        hash: &Sha256,
        token: &ReadTokenRecord,
    ) -> Result<bool, StoreError> {
        let sql = "INSERT INTO read_token (name, hash, tenant, operator, at, exp)
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO NOTHING";
        let parameters = [
            token.name.as_str().into(),
            hash.to_string().into(),
            token.tenant.as_ref().map(ToString::to_string).into(),
            token.operator.to_string().into(),
            token.at.into(),
            token.exp.into(),
        ];
        Ok(self.execute(sql, &parameters)? > 0)
    }

    /// The token of a hash, over or not.
    pub fn read_token(&mut self, hash: &Sha256) -> Result<Option<ReadTokenRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM read_token WHERE hash = $1");
        let row = self.query_one(&sql, &[hash.to_string().into()])?;
        row.as_ref().map(record).transpose()
    }

    /// All of them, by name.
    pub fn read_tokens(&mut self) -> Result<Vec<ReadTokenRecord>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM read_token ORDER BY name");
        self.query(&sql, &[])?.iter().map(record).collect()
    }

    /// Forgets a token; false when there is none of that name.
    pub fn drop_read_token(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM read_token WHERE name = $1", &[name.into()])? > 0)
    }
}

fn record(row: &Row) -> Result<ReadTokenRecord, StoreError> {
    let column = |name| move |_| StoreError::Column(name);
    // A tenant that cannot be read must not become everybody.
    let tenant = row.opt_text(1, "read_token.tenant")?.map(|tenant| tenant.parse()).transpose();
    Ok(ReadTokenRecord {
        name: row.text(0, "read_token.name")?,
        tenant: tenant.map_err(column("read_token.tenant"))?,
        operator: row
            .text(2, "read_token.operator")?
            .parse()
            .map_err(column("read_token.operator"))?,
        at: row.size(3, "read_token.at")?,
        exp: row.size(4, "read_token.exp")?,
    })
}
