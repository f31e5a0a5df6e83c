//! The two engines behind one small surface: `$n` placeholders, four kinds of value.

use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use rusqlite::types::ValueRef;

use crate::error::StoreError;

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL connection string.
    Postgres(String),
}

/// A value of a column or parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}
impl From<u64> for Value {
    fn from(value: u64) -> Self {
        // Sizes and seconds stay far below 2^63.
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}
impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}
impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}
impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(value.to_vec())
    }
}
impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl ToSql for Value {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(value) if *ty == Type::INT4 => i32::try_from(*value)?.to_sql(ty, out),
            Self::Int(value) => value.to_sql(ty, out),
            Self::Text(value) => value.to_sql(ty, out),
            Self::Bytes(value) => value.to_sql(ty, out),
        }
    }
    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT4 | Type::INT8 | Type::TEXT | Type::VARCHAR | Type::BYTEA)
    }
    to_sql_checked!();
}

/// One row of a result.
#[derive(Debug)]
pub(crate) struct Row(Vec<Value>);

impl Row {
    pub(crate) fn int(&self, index: usize, column: &'static str) -> Result<i64, StoreError> {
        self.opt_int(index, column)?.ok_or(StoreError::Column(column))
    }
    pub(crate) fn opt_int(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<i64>, StoreError> {
        match self.0.get(index) {
            Some(Value::Int(value)) => Ok(Some(*value)),
            Some(Value::Null) => Ok(None),
            Some(Value::Text(_) | Value::Bytes(_)) | None => Err(StoreError::Column(column)),
        }
    }
    pub(crate) fn size(&self, index: usize, column: &'static str) -> Result<u64, StoreError> {
        u64::try_from(self.int(index, column)?).map_err(|_| StoreError::Column(column))
    }
    pub(crate) fn text(&self, index: usize, column: &'static str) -> Result<String, StoreError> {
        self.opt_text(index, column)?.ok_or(StoreError::Column(column))
    }
    /// A text that names something.
    pub(crate) fn id<T: core::str::FromStr>(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.text(index, column)?.parse().map_err(|_| StoreError::Column(column))
    }
    pub(crate) fn opt_text(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<String>, StoreError> {
        match self.0.get(index) {
            Some(Value::Text(value)) => Ok(Some(value.clone())),
            Some(Value::Null) => Ok(None),
            Some(Value::Int(_) | Value::Bytes(_)) | None => Err(StoreError::Column(column)),
        }
    }
    /// Bytes; a text somebody wrote by hand into a bytes column is taken as its bytes.
    pub(crate) fn bytes(&self, index: usize, column: &'static str) -> Result<Vec<u8>, StoreError> {
        match self.0.get(index) {
            Some(Value::Bytes(value)) => Ok(value.clone()),
            Some(Value::Text(value)) => Ok(value.clone().into_bytes()),
            Some(Value::Null | Value::Int(_)) | None => Err(StoreError::Column(column)),
        }
    }
    pub(crate) fn opt_bytes(
        &self,
        index: usize,
        column: &'static str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        match self.0.get(index) {
            Some(Value::Null) => Ok(None),
            _ => self.bytes(index, column).map(Some),
        }
    }
}

pub(crate) enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres(Box<postgres::Client>),
}

impl Engine {
    pub(crate) fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Sqlite(path) => open_sqlite(path).map(Self::Sqlite),
            Location::Postgres(address) => postgres::Client::connect(address, postgres::NoTls)
                .map(|client| Self::Postgres(Box::new(client)))
                .map_err(|error| StoreError::Open(format!("PostgreSQL: {}", describe(&error)))),
        }
    }

    pub(crate) fn batch(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).map_err(sqlite_error),
            Self::Postgres(client) => client.batch_execute(sql).map_err(postgres_error),
        }
    }

    /// One statement without parameters that comes again and again.
    pub(crate) fn step(&mut self, sql: &str) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(sqlite_error)?;
                statement.raw_execute().map(|_| ()).map_err(sqlite_error)
            }
            Self::Postgres(client) => client.batch_execute(sql).map_err(postgres_error),
        }
    }

    /// Begins a transaction. SQLite takes the write lock at once, so that a write never fails half-way
    /// because another program changed the file since the first read.
    pub(crate) fn begin(&mut self, writes: bool) -> Result<(), StoreError> {
        let immediate = writes && matches!(self, Self::Sqlite(_));
        self.step(if immediate { "BEGIN IMMEDIATE" } else { "BEGIN" })
    }

    pub(crate) fn is_lost(&self) -> bool {
        match self {
            Self::Sqlite(_) => false,
            Self::Postgres(client) => client.is_closed(),
        }
    }
}

/// An open transaction.
pub struct Tx<'e> {
    pub(crate) engine: &'e mut Engine,
}

impl core::fmt::Debug for Tx<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Tx")
    }
}

impl Tx<'_> {
    pub(crate) fn execute(&mut self, sql: &str, parameters: &[Value]) -> Result<u64, StoreError> {
        match self.engine {
            Engine::Sqlite(connection) => {
                let mut statement = connection.prepare_cached(sql).map_err(sqlite_error)?;
                bind(&mut statement, parameters)?;
                let changed = statement.raw_execute().map_err(sqlite_error)?;
                Ok(u64::try_from(changed).unwrap_or(u64::MAX))
            }
            Engine::Postgres(client) => {
                client.execute(sql, &references(parameters)).map_err(postgres_error)
            }
        }
    }

    pub(crate) fn query(
        &mut self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        match self.engine {
            Engine::Sqlite(connection) => query_sqlite(connection, sql, parameters),
            Engine::Postgres(client) => client
                .query(sql, &references(parameters))
                .map_err(postgres_error)?
                .iter()
                .map(read_postgres)
                .collect(),
        }
    }

    pub(crate) fn query_one(
        &mut self,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.query(sql, parameters)?.into_iter().next())
    }

    /// A number that changes when another program changed the database. PostgreSQL has no such
    /// number; there it changes with the clock, every five seconds.
    pub fn outside_changes(&mut self) -> Result<i64, StoreError> {
        let sql = match self.engine {
            Engine::Sqlite(_) => "PRAGMA data_version",
            Engine::Postgres(_) => {
                "SELECT CAST(extract(epoch FROM clock_timestamp()) / 5 AS BIGINT)"
            }
        };
        self.query_one(sql, &[])?.ok_or(StoreError::Column("data_version"))?.int(0, "data_version")
    }
}

/// Memory for pages of the database, taken as they are needed. The index of what ten thousand machines have installed is
/// larger than the 2 MiB that SQLite takes by itself, and each first inventory touches thousands of its pages.
const SQLITE_CACHE_KIB: u32 = 64 * 1024;

fn open_sqlite(path: &Path) -> Result<rusqlite::Connection, StoreError> {
    let damaged = |finding: String| StoreError::Damaged { path: path.to_owned(), finding };
    let connection = rusqlite::Connection::open(path)
        .map_err(|error| StoreError::Open(format!("`{}`: {error}", path.display())))?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(sqlite_error)?;
    let finding: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| damaged(error.to_string()))?;
    if finding != "ok" {
        return Err(damaged(finding));
    }
    connection
        .execute_batch(&format!(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-{SQLITE_CACHE_KIB};"
        ))
        .map_err(|error| damaged(error.to_string()))?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

fn bind(
    statement: &mut rusqlite::CachedStatement<'_>,
    parameters: &[Value],
) -> Result<(), StoreError> {
    // SQLite numbers `$1` by first appearance, PostgreSQL by its digits: bind by name.
    for (number, value) in (1_usize..).zip(parameters) {
        let name = format!("${number}");
        let Some(index) = statement.parameter_index(&name).map_err(sqlite_error)? else { continue };
        match value {
            Value::Null => statement.raw_bind_parameter(index, rusqlite::types::Null),
            Value::Int(value) => statement.raw_bind_parameter(index, value),
            Value::Text(value) => statement.raw_bind_parameter(index, value),
            Value::Bytes(value) => statement.raw_bind_parameter(index, value),
        }
        .map_err(sqlite_error)?;
    }
    Ok(())
}

fn query_sqlite(
    connection: &rusqlite::Connection,
    sql: &str,
    parameters: &[Value],
) -> Result<Vec<Row>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(sqlite_error)?;
    bind(&mut statement, parameters)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut out = Vec::new();
    while let Some(row) = rows.next().map_err(sqlite_error)? {
        let values = (0..columns)
            .map(|index| row.get_ref(index).map_err(sqlite_error).and_then(read_sqlite));
        out.push(Row(values.collect::<Result<_, _>>()?));
    }
    Ok(out)
}

fn read_sqlite(value: ValueRef<'_>) -> Result<Value, StoreError> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Int(value)),
        ValueRef::Text(value) => Ok(Value::Text(String::from_utf8_lossy(value).into_owned())),
        ValueRef::Blob(value) => Ok(Value::Bytes(value.to_vec())),
        ValueRef::Real(_) => Err(StoreError::Column("a number with a fraction")),
    }
}

fn read_postgres(row: &postgres::Row) -> Result<Row, StoreError> {
    let read = |(index, column): (usize, &postgres::Column)| match *column.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(index).map(Value::from),
        Type::INT4 => row.try_get::<_, Option<i32>>(index).map(|v| Value::from(v.map(i64::from))),
        Type::BYTEA => {
            row.try_get::<_, Option<Vec<u8>>>(index).map(|v| v.map_or(Value::Null, Value::Bytes))
        }
        _ => row.try_get::<_, Option<String>>(index).map(Value::from),
    };
    let values = row.columns().iter().enumerate().map(|pair| read(pair).map_err(postgres_error));
    Ok(Row(values.collect::<Result<_, _>>()?))
}

fn references(parameters: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    parameters.iter().map(|value| -> &(dyn ToSql + Sync) { value }).collect()
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
pub(crate) fn sqlite_error(error: rusqlite::Error) -> StoreError {
    StoreError::Sql(error.to_string())
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function for map_err")]
fn postgres_error(error: postgres::Error) -> StoreError {
    StoreError::Sql(describe(&error))
}

/// The driver hides the server's message in the source.
fn describe(error: &postgres::Error) -> String {
    let source = std::error::Error::source(error);
    source.map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
