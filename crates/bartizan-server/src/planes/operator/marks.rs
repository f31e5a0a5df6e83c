//! Custom fields, tags and saved groups. None of it is signed and none of it reaches an endpoint; who set what is kept.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use bartizan_proto::inventory;
use bartizan_proto::management::{
    FieldDefinition, FieldKind, FieldList, FieldScope, FieldValue, GroupList, Mark, MarkList,
    Named, SavedGroup, TagList, Tagged,
};
use bartizan_store::{FieldRecord, GroupRecord, MarkRecord, StoreError, Tx, ValueRecord};
use bartizan_trust::id::{EndpointId, SiteId, TenantId};
use bartizan_trust::statement::is_plain_char;
use bartizan_trust::time::UnixSeconds;

use super::failure::Failure;
use super::inventory::{explain, unreadable};
use super::login::{Session, read_json};
use crate::app::{App, now};
use crate::fields::{Field, Kind};
use crate::inventory::search;

/// Most custom fields: a form with more is not filled in.
const FIELDS_MAX: usize = 128;
/// Most choices of a field.
const CHOICES_MAX: usize = 64;
/// Most saved groups.
const GROUPS_MAX: usize = 512;
/// Most tags of one endpoint.
const TAGS_MAX: usize = 64;
/// Longest name of a field, tag, group or choice, in bytes.
const NAME_BYTES_MAX: usize = 64;
/// Changes of marks in one answer.
const MARKS_AT_ONCE: u64 = 500;

type Outcome<T> = Result<Result<T, Failure>, StoreError>;

fn mark(session: &Session, kind: &str, name: &str, target: &str) -> MarkRecord {
    MarkRecord {
        at: now().get(),
        by: session.operator.to_string(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        target: target.to_owned(),
        before: None,
        after: None,
    }
}

/// `GET /v1/fields`
pub(super) async fn fields(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<FieldList>, Failure> {
    let (fields, values) = app.db.read(|tx| Ok((tx.fields()?, tx.values(None)?))).await?;
    let definition = |record: &FieldRecord| {
        let field = Field::of(record)?;
        Some(FieldDefinition {
            name: record.name.clone(),
            kind: field.kind,
            choices: field.choices,
        })
    };
    let value = |record: ValueRecord| {
        let scope = FieldScope::parse(&record.scope)?;
        Some(FieldValue {
            field: record.field,
            scope,
            target: record.target,
            value: Some(record.value),
        })
    };
    Ok(Json(FieldList {
        fields: fields.iter().filter_map(definition).collect(),
        values: values.into_iter().filter_map(value).collect(),
    }))
}

/// `POST /v1/fields`
pub(super) async fn define(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let field: FieldDefinition = read_json(&body)?;
    check_name("field", &field.name)?;
    let bad_choice = |choice: &String| choice.trim() != choice || !is_word(choice);
    let fits = match field.kind {
        FieldKind::Choice => {
            (1..=CHOICES_MAX).contains(&field.choices.len())
                && !field.choices.iter().any(bad_choice)
        }
        FieldKind::Text | FieldKind::Number | FieldKind::Date | FieldKind::YesNo => {
            field.choices.is_empty()
        }
    };
    if !fits {
        let message = format!(
            "a choice has 1 to {CHOICES_MAX} plain words of at most {NAME_BYTES_MAX} bytes; other kinds have none"
        );
        return Err(Failure::bad("field.choices", message, "name them with `--choice`"));
    }
    let mut mark = mark(&session, "field", &field.name, "");
    mark.after = Some(field.kind.name().to_owned());
    let record = FieldRecord {
        name: field.name,
        kind: field.kind.name().to_owned(),
        choices: field.choices.join("\n"),
        by: mark.by.clone(),
        at: mark.at,
    };
    let write = app.db.write(move |tx| -> Outcome<()> {
        let known = tx.fields()?;
        if known.iter().any(|field| field.name == record.name) {
            let next = "remove it first; that removes its values too";
            return Ok(Err(Failure::new(
                StatusCode::CONFLICT,
                "field.exists",
                "there is such a field already",
                next,
            )));
        }
        if known.len() >= FIELDS_MAX {
            return Ok(Err(Failure::bad(
                "field.full",
                format!("there are {FIELDS_MAX} fields already"),
                "remove one",
            )));
        }
        tx.put_field(&record)?;
        tx.note_mark(&mark)?;
        Ok(Ok(()))
    });
    write.await??;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/fields/drop`: the field and all its values.
pub(super) async fn undefine(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let Named { name } = read_json(&body)?;
    let mark = mark(&session, "field", &name, "");
    let write = app.db.write(move |tx| {
        let dropped = tx.drop_field(&name)?;
        if dropped {
            tx.note_mark(&mark)?;
        }
        Ok(dropped)
    });
    if write.await? { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::not_found("field")) }
}

/// `POST /v1/fields/value`
pub(super) async fn set_value(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let value: FieldValue = read_json(&body)?;
    check_target(value.scope, &value.target)?;
    let target = format!("{} {}", value.scope.name(), value.target);
    let mark = mark(&session, "value", &value.field, &target);
    let write = app.db.write(move |tx| put_value(tx, &value, mark));
    write.await??;
    Ok(StatusCode::NO_CONTENT)
}

fn put_value(tx: &mut Tx<'_>, value: &FieldValue, mut mark: MarkRecord) -> Outcome<()> {
    let fields = tx.fields()?;
    let Some(field) = fields.iter().find(|field| field.name == value.field).and_then(Field::of)
    else {
        return Ok(Err(Failure::not_found("field")));
    };
    let parsed = match &value.value {
        None => None,
        Some(text) => match field.parse(text) {
            Some(parsed) => Some(parsed),
            None => return Ok(Err(no_value(&field))),
        },
    };
    let endpoint = if value.scope == FieldScope::Endpoint {
        value.target.parse::<EndpointId>().ok()
    } else {
        None
    };
    if let Some(id) = endpoint
        && tx.endpoint(id)?.is_none()
    {
        return Ok(Err(Failure::not_found("endpoint")));
    }
    let record = ValueRecord {
        field: value.field.clone(),
        scope: value.scope.name().to_owned(),
        target: value.target.clone(),
        value: parsed.clone().unwrap_or_default(),
        by: mark.by.clone(),
        at: mark.at,
    };
    mark.before = tx.set_value(&record, parsed.is_some())?;
    mark.after = parsed;
    if mark.before != mark.after {
        tx.note_mark(&mark)?;
    }
    Ok(Ok(()))
}

fn no_value(field: &Field) -> Failure {
    let next = match field.kind {
        Kind::Text => "give plain text of at most 256 characters".to_owned(),
        Kind::Number => "give a whole number".to_owned(),
        Kind::Date => "give a day such as 2027-01-31".to_owned(),
        Kind::Choice => format!("give one of: {}", field.choices.join(", ")),
        Kind::YesNo => "give `yes` or `no`".to_owned(),
    };
    Failure::bad(
        "field.value",
        format!("this is no value of the kind `{}`", field.kind.name()),
        next,
    )
}

fn check_target(scope: FieldScope, target: &str) -> Result<(), Failure> {
    let good = match scope {
        FieldScope::Tenant => target.parse::<TenantId>().is_ok(),
        FieldScope::Site => target.split_once('/').is_some_and(|(tenant, site)| {
            tenant.parse::<TenantId>().is_ok() && site.parse::<SiteId>().is_ok()
        }),
        FieldScope::Endpoint => target.parse::<EndpointId>().is_ok(),
    };
    if good {
        return Ok(());
    }
    let message = format!("`{}` is no {}", target.escape_default(), scope.name());
    Err(Failure::bad("field.target", message, "give `tn_…`, `tn_…/si_…` or `ep_…`"))
}

/// `GET /v1/tags`
pub(super) async fn tags(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<TagList>, Failure> {
    let tags = app.db.read(|tx| tx.tags(None)).await?;
    let tagged = |(endpoint, tag)| Tagged { endpoint, tag, present: true };
    Ok(Json(TagList { tags: tags.into_iter().map(tagged).collect() }))
}

/// `POST /v1/tags`
pub(super) async fn tag(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let Tagged { endpoint, tag, present } = read_json(&body)?;
    check_name("tag", &tag)?;
    let mut mark = mark(&session, "tag", &tag, &endpoint.to_string());
    *(if present { &mut mark.after } else { &mut mark.before }) = Some(tag.clone());
    let write = app.db.write(move |tx| -> Outcome<()> {
        if tx.endpoint(endpoint)?.is_none() {
            return Ok(Err(Failure::not_found("endpoint")));
        }
        if present && tx.tags(Some(endpoint))?.len() >= TAGS_MAX {
            return Ok(Err(Failure::bad(
                "tag.full",
                format!("the endpoint has {TAGS_MAX} tags already"),
                "remove one",
            )));
        }
        if tx.set_tag(endpoint, &tag, &mark.by, present.then_some(mark.at))? {
            tx.note_mark(&mark)?;
        }
        Ok(Ok(()))
    });
    write.await??;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/groups`
pub(super) async fn groups(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<GroupList>, Failure> {
    let saved = |group: GroupRecord| SavedGroup { name: group.name, query: group.query };
    let groups = app.db.read(move |tx| Ok(tx.groups()?.into_iter().map(saved).collect())).await?;
    Ok(Json(GroupList { groups }))
}

/// `POST /v1/groups`: a query that finds nothing now is a group; one that cannot be asked is none.
pub(super) async fn save_group(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let SavedGroup { name, query } = read_json(&body)?;
    check_name("group", &name)?;
    let parsed = inventory::Query::parse(&query).map_err(|error| unreadable(&error))?;
    if let Some(inner) = parsed.terms.iter().find_map(|term| match &term.matcher {
        inventory::Matcher::Group(inner) => Some(inner.clone()),
        _ => None,
    }) {
        return Err(explain(crate::inventory::Problem::GroupInGroup(inner)));
    }
    let mut mark = mark(&session, "group", &name, "");
    mark.after = Some(query.clone());
    let record = GroupRecord { name, query, by: mark.by.clone(), at: mark.at };
    let write = app.db.write(move |tx| -> Outcome<()> {
        if let Err(problem) = search(tx, &parsed, 0, 0)? {
            return Ok(Err(explain(problem)));
        }
        let known = tx.groups()?;
        mark.before =
            known.iter().find(|group| group.name == record.name).map(|group| group.query.clone());
        if mark.before.is_none() && known.len() >= GROUPS_MAX {
            return Ok(Err(Failure::bad(
                "group.full",
                format!("there are {GROUPS_MAX} groups already"),
                "remove one",
            )));
        }
        tx.put_group(&record)?;
        tx.note_mark(&mark)?;
        Ok(Ok(()))
    });
    write.await??;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/groups/drop`
pub(super) async fn drop_group(
    State(app): State<Arc<App>>,
    session: Session,
    body: Bytes,
) -> Result<StatusCode, Failure> {
    let Named { name } = read_json(&body)?;
    let mut mark = mark(&session, "group", &name, "");
    let write = app.db.write(move |tx| {
        let known = tx.groups()?.into_iter().find(|group| group.name == name);
        mark.before = known.map(|group| group.query);
        let dropped = tx.drop_group(&name)?;
        if dropped {
            tx.note_mark(&mark)?;
        }
        Ok(dropped)
    });
    if write.await? { Ok(StatusCode::NO_CONTENT) } else { Err(Failure::not_found("saved group")) }
}

/// `GET /v1/marks`: who set what, newest first.
pub(super) async fn marks(
    State(app): State<Arc<App>>,
    _session: Session,
) -> Result<Json<MarkList>, Failure> {
    let marks = app.db.read(|tx| tx.marks(MARKS_AT_ONCE)).await?;
    let shown = |mark: MarkRecord| Mark {
        at: UnixSeconds::new(mark.at),
        by: mark.by,
        kind: mark.kind,
        name: mark.name,
        target: mark.target,
        before: mark.before,
        after: mark.after,
    };
    Ok(Json(MarkList { marks: marks.into_iter().map(shown).collect() }))
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= NAME_BYTES_MAX && text.chars().all(is_plain_char)
}

/// Names stand in queries, so they have no blanks and no signs.
fn check_name(what: &str, name: &str) -> Result<(), Failure> {
    let good = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && name.len() <= NAME_BYTES_MAX
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    if good {
        return Ok(());
    }
    let next =
        format!("use at most {NAME_BYTES_MAX} of a-z, 0-9, - and _, a letter or digit first");
    Err(Failure::bad(&format!("{what}.name"), format!("this is no name of a {what}"), next))
}
