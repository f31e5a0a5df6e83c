//! A query against the index. Every condition has three answers: yes, no, and not known.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_proto::inventory::{Comparison, Matcher, Query, QueryError, Scheme, Term, compare};
use bartizan_store::{ItemFilter, Members, Numbered, StoreError, Tx};
use bartizan_trust::id::EndpointId;

use super::{PRESENT, UNKNOWN};
use crate::fields::{Field, Kind, effective};

/// Items shown of one endpoint for one condition.
const HITS_EACH: usize = 2;

/// What a query found.
#[derive(Debug)]
pub(crate) struct Found {
    /// How many endpoints.
    pub(crate) total: u64,
    /// How many might belong to them, were more known of them.
    pub(crate) not_judged: u64,
    /// A part of them, by host name, each with what fits.
    pub(crate) rows: Vec<(Numbered, Vec<(String, String)>)>,
}

/// Why a query cannot be answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    Query(QueryError),
    NoField(String),
    NoGroup(String),
    GroupInGroup(String),
    FieldValue { field: String, kind: Kind, value: String },
}

/// One condition, answered.
struct Answer {
    yes: Members,
    /// Neither yes nor no.
    open: Members,
    /// Items to show.
    items: Vec<i64>,
}

/// Asks for a part of the endpoints that fit.
pub(crate) fn search(
    tx: &mut Tx<'_>,
    query: &Query,
    offset: usize,
    limit: usize,
) -> Result<Result<Found, Problem>, StoreError> {
    let endpoints = tx.numbered()?;
    let mut everybody = Members::default();
    for endpoint in &endpoints {
        everybody.insert(endpoint.number);
    }
    let mut search = Search { tx, endpoints: &endpoints, everybody: &everybody };
    let (mut certain, mut possible, mut items) = (everybody.clone(), everybody.clone(), Vec::new());
    for term in &query.terms {
        let mut answer = match search.term(term, true)? {
            Ok(answer) => answer,
            Err(problem) => return Ok(Err(problem)),
        };
        certain.keep(&answer.yes);
        answer.open.add(&answer.yes);
        possible.keep(&answer.open);
        items.push(answer.items);
    }
    possible.take(&certain);
    let all = endpoints.iter().filter(|endpoint| certain.contains(endpoint.number));
    let rows: Vec<Numbered> = all.skip(offset).take(limit).cloned().collect();
    let numbers: Vec<u64> = rows.iter().map(|row| row.number).collect();
    let mut hits: BTreeMap<u64, Vec<(String, String)>> = BTreeMap::new();
    for ids in items.iter().filter(|ids| !ids.is_empty()) {
        for (number, mut found) in tx.hits(&numbers, ids, HITS_EACH)? {
            hits.entry(number).or_default().append(&mut found);
        }
    }
    let rows = rows.into_iter().map(|row| {
        let hits = hits.remove(&row.number).unwrap_or_default();
        (row, hits)
    });
    Ok(Ok(Found { total: certain.count(), not_judged: possible.count(), rows: rows.collect() }))
}

struct Search<'s, 'e, 'd> {
    tx: &'s mut Tx<'d>,
    endpoints: &'e [Numbered],
    everybody: &'e Members,
}

type Judged = Result<Result<Answer, Problem>, StoreError>;

impl Search<'_, '_, '_> {
    fn term(&mut self, term: &Term, groups: bool) -> Judged {
        let mut answer = match self.matcher(&term.matcher, groups)? {
            Ok(answer) => answer,
            Err(problem) => return Ok(Err(problem)),
        };
        answer.yes.keep(self.everybody);
        answer.open.keep(self.everybody);
        answer.open.take(&answer.yes);
        if term.negated {
            let mut no = self.everybody.clone();
            no.take(&answer.yes);
            no.take(&answer.open);
            answer = Answer { yes: no, open: answer.open, items: Vec::new() };
        }
        Ok(Ok(answer))
    }

    fn matcher(&mut self, matcher: &Matcher, groups: bool) -> Judged {
        match matcher {
            Matcher::Anywhere(text) => self.text("os", &ItemFilter::Text(text.clone())).map(Ok),
            Matcher::Within { section, text } => {
                self.text(section, &ItemFilter::TextIn(section.clone(), text.clone())).map(Ok)
            }
            Matcher::Named { section, name, prefix, version } => {
                let (section, name) = (section.clone(), name.clone());
                let of = section.clone();
                let filter = if *prefix {
                    ItemFilter::NamePrefix(section, name)
                } else {
                    ItemFilter::Name(section, name)
                };
                self.named(&of, &filter, version.as_ref()).map(Ok)
            }
            Matcher::Tag(tag) => {
                let tagged: BTreeSet<EndpointId> =
                    self.tx.tagged(&tag.to_lowercase())?.into_iter().collect();
                Ok(Ok(self.by(|endpoint| tagged.contains(&endpoint.id))))
            }
            Matcher::Tenant(name) => {
                Ok(Ok(self
                    .by(|endpoint| endpoint.tenant.as_ref().is_some_and(|of| of.name() == name))))
            }
            Matcher::Site(name) => Ok(Ok(
                self.by(|endpoint| endpoint.site.as_ref().is_some_and(|of| of.name() == name))
            )),
            Matcher::Field { name, comparison, value } => self.field(name, *comparison, value),
            Matcher::Group(name) if groups => self.group(name),
            Matcher::Group(name) => Ok(Err(Problem::GroupInGroup(name.clone()))),
        }
    }

    /// Endpoints of which the server itself knows.
    fn by(&self, fits: impl Fn(&Numbered) -> bool) -> Answer {
        let mut yes = Members::default();
        self.endpoints
            .iter()
            .filter(|endpoint| fits(endpoint))
            .for_each(|endpoint| yes.insert(endpoint.number));
        Answer { yes, open: Members::default(), items: Vec::new() }
    }

    fn holders(&mut self, filter: &ItemFilter) -> Result<(Members, Vec<i64>), StoreError> {
        let items: Vec<i64> = self.tx.find_items(filter)?.iter().map(|item| item.id).collect();
        Ok((self.tx.holders(&items, self.everybody)?, items))
    }

    /// Endpoints without a section: nothing in it is known.
    fn without(&mut self, section: &str) -> Result<Members, StoreError> {
        let (present, _) =
            self.holders(&ItemFilter::Name(section.to_owned(), PRESENT.to_owned()))?;
        let mut without = self.everybody.clone();
        without.take(&present);
        Ok(without)
    }

    fn text(&mut self, section: &str, filter: &ItemFilter) -> Result<Answer, StoreError> {
        let (yes, items) = self.holders(filter)?;
        Ok(Answer { yes, open: self.without(section)?, items })
    }

    fn named(
        &mut self,
        section: &str,
        filter: &ItemFilter,
        version: Option<&(Comparison, String)>,
    ) -> Result<Answer, StoreError> {
        let (mut fits, mut cannot_tell) = (Vec::new(), Vec::new());
        for item in self.tx.find_items(filter)? {
            let Some((comparison, wanted)) = version else {
                fits.push(item.id);
                continue;
            };
            let scheme = item.manager.as_deref().and_then(Scheme::of);
            match (scheme, &item.version) {
                (Some(scheme), Some(has)) if comparison.holds(compare(scheme, has, wanted)) => {
                    fits.push(item.id);
                }
                (Some(_), Some(_)) => {}
                _ => cannot_tell.push(item.id),
            }
        }
        let yes = self.tx.holders(&fits, self.everybody)?;
        let mut open = self.without(section)?;
        open.add(&self.holders(&ItemFilter::Name(section.to_owned(), UNKNOWN.to_owned()))?.0);
        open.add(&self.tx.holders(&cannot_tell, self.everybody)?);
        Ok(Answer { yes, open, items: fits })
    }

    fn field(&mut self, name: &str, comparison: Comparison, value: &str) -> Judged {
        let known = self.tx.fields()?.into_iter().find(|field| field.name == name);
        let Some(field) = known.as_ref().and_then(Field::of) else {
            return Ok(Err(Problem::NoField(name.to_owned())));
        };
        let Some(wanted) = field.wanted(comparison, value) else {
            let problem = Problem::FieldValue {
                field: name.to_owned(),
                kind: field.kind,
                value: value.to_owned(),
            };
            return Ok(Err(problem));
        };
        let values = self.tx.values(Some(name))?;
        let places: BTreeMap<(&str, &str), &str> = values
            .iter()
            .map(|one| ((one.scope.as_str(), one.target.as_str()), one.value.as_str()))
            .collect();
        Ok(Ok(self.by(|endpoint| {
            effective(&places, endpoint)
                .is_some_and(|(_, has)| comparison.holds(field.order(has, &wanted)))
        })))
    }

    fn group(&mut self, name: &str) -> Judged {
        let Some(group) = self.tx.groups()?.into_iter().find(|group| group.name == name) else {
            return Ok(Err(Problem::NoGroup(name.to_owned())));
        };
        let query = match Query::parse(&group.query) {
            Ok(query) => query,
            Err(error) => return Ok(Err(Problem::Query(error))),
        };
        let (mut yes, mut maybe) = (self.everybody.clone(), self.everybody.clone());
        for term in &query.terms {
            let mut answer = match self.term(term, false)? {
                Ok(answer) => answer,
                Err(problem) => return Ok(Err(problem)),
            };
            yes.keep(&answer.yes);
            answer.open.add(&answer.yes);
            maybe.keep(&answer.open);
        }
        Ok(Ok(Answer { yes, open: maybe, items: Vec::new() }))
    }
}
