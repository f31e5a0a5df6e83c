//! What people write down about endpoints: custom fields, tags, saved groups; and who wrote it. It decides nothing on endpoints.

use bartizan_trust::id::{EndpointId, SiteId, TenantId};

use crate::engine::{Row, Tx, Value};
use crate::error::StoreError;

/// A custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldRecord {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub kind: String,
    /// What can be chosen, one a line; empty unless it is a choice.
    pub choices: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub at: u64,
}

/// A value of a field at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueRecord {
    /// Which field.
    pub field: String,
    /// `tenant`, `site` or `endpoint`.
    pub scope: String,
    /// Which one.
    pub target: String,
    /// The value, in its one form.
    pub value: String,
    /// Who set it.
    pub by: String,
    /// When.
    pub at: u64,
}

/// A saved query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// Its name.
    pub name: String,
    /// What it asks.
    pub query: String,
    /// Who saved it.
    pub by: String,
    /// When.
    pub at: u64,
}

/// One change of a field, tag or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkRecord {
    /// When.
    pub at: u64,
    /// Which operator, by the session.
    pub by: String,
    /// `field`, `value`, `tag` or `group`.
    pub kind: String,
    /// Which one.
    pub name: String,
    /// Where.
    pub target: String,
    /// As it was.
    pub before: Option<String>,
    /// As it is.
    pub after: Option<String>,
}

/// An endpoint as the index knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Numbered {
    /// Its number.
    pub number: u64,
    /// Its id.
    pub id: EndpointId,
    /// As it calls itself.
    pub hostname: String,
    /// Whose.
    pub tenant: Option<TenantId>,
    /// Where.
    pub site: Option<SiteId>,
}

impl Tx<'_> {
    /// Every admitted endpoint that has a number in the index, by host name.
    pub fn numbered(&mut self) -> Result<Vec<Numbered>, StoreError> {
        let sql = "SELECT n.number, e.id, e.hostname, e.tenant, e.site FROM inventory_number n
            JOIN endpoint e ON e.id = n.endpoint WHERE e.standing = 'admitted'";
        let read = |row: &Row| {
            let id = row.text(1, "endpoint.id")?;
            Ok(Numbered {
                number: row.size(0, "inventory_number.number")?,
                id: id.parse().map_err(|_| StoreError::Column("endpoint.id"))?,
                hostname: row.text(2, "endpoint.hostname")?,
                tenant: row.opt_text(3, "endpoint.tenant")?.and_then(|text| text.parse().ok()),
                site: row.opt_text(4, "endpoint.site")?.and_then(|text| text.parse().ok()),
            })
        };
        let mut all: Vec<Numbered> =
            self.query(sql, &[])?.iter().map(read).collect::<Result<_, StoreError>>()?;
        // Engines order text each by their own rules.
        all.sort_by(|one, other| {
            one.hostname.cmp(&other.hostname).then(one.number.cmp(&other.number))
        });
        Ok(all)
    }

    /// Remembers who changed what.
    pub fn note_mark(&mut self, mark: &MarkRecord) -> Result<(), StoreError> {
        let next = self.query_one("SELECT COALESCE(MAX(id) + 1, 0) FROM mark_log", &[])?;
        let next = next.ok_or(StoreError::Column("id"))?.int(0, "mark_log.id")?;
        let sql = "INSERT INTO mark_log (id, at, operator, kind, name, target, old, new) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let parameters = [
            next.into(),
            mark.at.into(),
            mark.by.as_str().into(),
            mark.kind.as_str().into(),
            mark.name.as_str().into(),
            mark.target.as_str().into(),
            mark.before.as_deref().into(),
            mark.after.as_deref().into(),
        ];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// Who changed what, newest first.
    pub fn marks(&mut self, limit: u64) -> Result<Vec<MarkRecord>, StoreError> {
        let sql = "SELECT at, operator, kind, name, target, old, new FROM mark_log ORDER BY id DESC LIMIT $1";
        let read = |row: &Row| {
            Ok(MarkRecord {
                at: row.size(0, "mark_log.at")?,
                by: row.text(1, "mark_log.operator")?,
                kind: row.text(2, "mark_log.kind")?,
                name: row.text(3, "mark_log.name")?,
                target: row.text(4, "mark_log.target")?,
                before: row.opt_text(5, "mark_log.old")?,
                after: row.opt_text(6, "mark_log.new")?,
            })
        };
        self.query(sql, &[limit.into()])?.iter().map(read).collect()
    }

    /// Custom fields by name.
    pub fn fields(&mut self) -> Result<Vec<FieldRecord>, StoreError> {
        let sql = "SELECT name, kind, choices, operator, at FROM custom_field";
        let read = |row: &Row| {
            Ok(FieldRecord {
                name: row.text(0, "custom_field.name")?,
                kind: row.text(1, "custom_field.kind")?,
                choices: row.text(2, "custom_field.choices")?,
                by: row.text(3, "custom_field.operator")?,
                at: row.size(4, "custom_field.at")?,
            })
        };
        let mut all: Vec<FieldRecord> =
            self.query(sql, &[])?.iter().map(read).collect::<Result<_, StoreError>>()?;
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Makes a field.
    pub fn put_field(&mut self, field: &FieldRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO custom_field (name, kind, choices, operator, at) VALUES ($1, $2, $3, $4, $5)";
        let parameters = [
            field.name.as_str().into(),
            field.kind.as_str().into(),
            field.choices.as_str().into(),
            field.by.as_str().into(),
            field.at.into(),
        ];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// Removes a field and all its values; false when there is none.
    pub fn drop_field(&mut self, name: &str) -> Result<bool, StoreError> {
        self.execute("DELETE FROM custom_value WHERE field = $1", &[name.into()])?;
        Ok(self.execute("DELETE FROM custom_field WHERE name = $1", &[name.into()])? == 1)
    }

    /// Every value of a field, or of all.
    pub fn values(&mut self, field: Option<&str>) -> Result<Vec<ValueRecord>, StoreError> {
        let sql = "SELECT field, scope, target, value, operator, at FROM custom_value WHERE $1 = '' OR field = $1";
        let read = |row: &Row| {
            Ok(ValueRecord {
                field: row.text(0, "custom_value.field")?,
                scope: row.text(1, "custom_value.scope")?,
                target: row.text(2, "custom_value.target")?,
                value: row.text(3, "custom_value.value")?,
                by: row.text(4, "custom_value.operator")?,
                at: row.size(5, "custom_value.at")?,
            })
        };
        self.query(sql, &[field.unwrap_or_default().into()])?.iter().map(read).collect()
    }

    /// Sets a value, or removes it; what it was before.
    pub fn set_value(
        &mut self,
        record: &ValueRecord,
        keep: bool,
    ) -> Result<Option<String>, StoreError> {
        let place: [Value; 3] = [
            record.field.as_str().into(),
            record.scope.as_str().into(),
            record.target.as_str().into(),
        ];
        let sql = "SELECT value FROM custom_value WHERE field = $1 AND scope = $2 AND target = $3";
        let before = self
            .query_one(sql, &place)?
            .map(|row| row.text(0, "custom_value.value"))
            .transpose()?;
        self.execute(
            "DELETE FROM custom_value WHERE field = $1 AND scope = $2 AND target = $3",
            &place,
        )?;
        if keep {
            let sql = "INSERT INTO custom_value (field, scope, target, value, operator, at) VALUES ($1, $2, $3, $4, $5, $6)";
            let [field, scope, target] = place;
            let rest = [record.value.as_str().into(), record.by.as_str().into(), record.at.into()];
            let parameters: Vec<Value> = [field, scope, target].into_iter().chain(rest).collect();
            self.execute(sql, &parameters)?;
        }
        Ok(before)
    }

    /// Every tag and who bears it; of one endpoint, or of all.
    pub fn tags(
        &mut self,
        of: Option<EndpointId>,
    ) -> Result<Vec<(EndpointId, String)>, StoreError> {
        let id = of.map(|id| id.to_string()).unwrap_or_default();
        let sql = match of {
            Some(_) => "SELECT endpoint, tag FROM endpoint_tag WHERE endpoint = $1",
            None => "SELECT endpoint, tag FROM endpoint_tag WHERE $1 = ''",
        };
        let read = |row: &Row| {
            let id = row.text(0, "endpoint_tag.endpoint")?;
            let id = id.parse().map_err(|_| StoreError::Column("endpoint_tag.endpoint"))?;
            Ok((id, row.text(1, "endpoint_tag.tag")?))
        };
        let mut all: Vec<(EndpointId, String)> =
            self.query(sql, &[id.into()])?.iter().map(read).collect::<Result<_, StoreError>>()?;
        all.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| one.0.cmp(&other.0)));
        Ok(all)
    }

    /// Endpoints with a tag.
    pub fn tagged(&mut self, tag: &str) -> Result<Vec<EndpointId>, StoreError> {
        let rows = self.query("SELECT endpoint FROM endpoint_tag WHERE tag = $1", &[tag.into()])?;
        let read = |row: &Row| {
            row.text(0, "endpoint_tag.endpoint")?
                .parse()
                .map_err(|_| StoreError::Column("endpoint_tag.endpoint"))
        };
        rows.iter().map(read).collect()
    }

    /// Gives an endpoint a tag, or takes it; whether that changed anything.
    pub fn set_tag(
        &mut self,
        id: EndpointId,
        tag: &str,
        by: &str,
        at: Option<u64>,
    ) -> Result<bool, StoreError> {
        let of: [Value; 2] = [id.to_string().into(), tag.into()];
        let Some(at) = at else {
            return Ok(self
                .execute("DELETE FROM endpoint_tag WHERE endpoint = $1 AND tag = $2", &of)?
                == 1);
        };
        let [id, tag] = of;
        let sql = "INSERT INTO endpoint_tag (endpoint, tag, operator, at) VALUES ($1, $2, $3, $4) ON CONFLICT (endpoint, tag) DO NOTHING";
        Ok(self.execute(sql, &[id, tag, by.into(), at.into()])? == 1)
    }

    /// Saved groups by name.
    pub fn groups(&mut self) -> Result<Vec<GroupRecord>, StoreError> {
        let sql = "SELECT name, query, operator, at FROM saved_group";
        let read = |row: &Row| {
            Ok(GroupRecord {
                name: row.text(0, "saved_group.name")?,
                query: row.text(1, "saved_group.query")?,
                by: row.text(2, "saved_group.operator")?,
                at: row.size(3, "saved_group.at")?,
            })
        };
        let mut all: Vec<GroupRecord> =
            self.query(sql, &[])?.iter().map(read).collect::<Result<_, StoreError>>()?;
        all.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(all)
    }

    /// Saves a query under a name, in place of the one before.
    pub fn put_group(&mut self, group: &GroupRecord) -> Result<(), StoreError> {
        let sql = "INSERT INTO saved_group (name, query, operator, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (name) DO UPDATE SET query = excluded.query, operator = excluded.operator, at = excluded.at";
        let parameters = [
            group.name.as_str().into(),
            group.query.as_str().into(),
            group.by.as_str().into(),
            group.at.into(),
        ];
        self.execute(sql, &parameters).map(|_| ())
    }

    /// Removes a saved query; false when there is none.
    pub fn drop_group(&mut self, name: &str) -> Result<bool, StoreError> {
        Ok(self.execute("DELETE FROM saved_group WHERE name = $1", &[name.into()])? == 1)
    }
}
