//! Sigma rules over events. Parsing, matching and correlation are `rsigma`'s; which rules an event is asked about, under which
//! field names, and what becomes of a match is decided here.

mod channels;
mod source;

pub use source::{Source, fields_of};

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use rsigma_eval::event::JsonEvent;
use rsigma_eval::{CorrelationConfig, CorrelationEngine, EvaluationResult, TimestampFallback};
use rsigma_parser::{CorrelationRule, Level as SigmaLevel, SigmaCollection, parse_sigma_yaml};
use serde_json::Value;

use crate::limits;
use crate::model::{Confidence, Evidence, Finding, Level, Rule};
use crate::pack::Pack;
use crate::time::UnixSeconds;

/// Sigma rules in force.
pub struct Sigma {
    // Correlations see the matches of all sources.
    engine: CorrelationEngine,
    heads: HashMap<String, Head>,
    categories: BTreeSet<(Option<String>, Option<String>, Option<String>)>,
    counts: BTreeMap<String, u64>,
    findings: Vec<Finding>,
    /// What was loaded, for each pack.
    pub loads: Vec<SigmaLoad>,
}

/// What became of the rules of a pack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SigmaLoad {
    /// Sources in the packs.
    pub expected: u64,
    /// Sources all of whose documents are in force.
    pub loaded: u64,
    /// The others: which, and why.
    pub not_understood: Vec<(String, String)>,
}

/// What a finding says about its rule.
#[derive(Debug, Clone)]
struct Head {
    pack: String,
    rule: Rule,
}

/// A correlation with the number of its pack and where it comes from.
type Waiting = ((usize, String), CorrelationRule);

impl core::fmt::Debug for Sigma {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sigma").field("loads", &self.loads).finish_non_exhaustive()
    }
}

impl Sigma {
    /// The Sigma rules of these packs.
    pub fn new<'p>(packs: impl IntoIterator<Item = &'p Pack>) -> Self {
        let config = CorrelationConfig {
            // Evidence has its own times; a clock is nowhere here.
            timestamp_fallback: TimestampFallback::Skip,
            max_state_entries: limits::SIGMA_STATES_MAX,
            max_group_entries: Some(limits::SIGMA_GROUP_ENTRIES_MAX),
            ..CorrelationConfig::default()
        };
        let mut sigma = Self {
            engine: CorrelationEngine::new(config),
            heads: HashMap::new(),
            categories: BTreeSet::new(),
            counts: BTreeMap::new(),
            findings: Vec::new(),
            loads: Vec::new(),
        };
        let mut whole = SigmaCollection::new();
        let mut correlations = Vec::new();
        for (number, pack) in packs.into_iter().enumerate() {
            let mut load = SigmaLoad::default();
            for rule in &pack.sigma {
                load.expected += 1;
                match sigma.take(&pack.name, &rule.source, &rule.origin) {
                    Ok(collection) => {
                        load.loaded += 1;
                        whole.rules.extend(collection.rules);
                        whole.filters.extend(collection.filters);
                        let of_source = collection.correlations.into_iter();
                        let source = (number, rule.origin.clone());
                        correlations.extend(of_source.map(|rule| (source.clone(), rule)));
                    }
                    Err(why) => load.not_understood.push((rule.origin.clone(), why)),
                }
            }
            sigma.loads.push(load);
        }
        sigma.engine.set_bloom_prefilter(true);
        // Each source was compiled by itself before.
        if let Err(error) = sigma.engine.add_collection(&whole) {
            for load in &mut sigma.loads {
                load.loaded = 0;
                load.not_understood.push(("all rules together".to_owned(), error.to_string()));
            }
        }
        sigma.add_correlations(&whole, correlations);
        sigma
    }

    /// Correlations may refer to rules of other sources, and to each other but not in a circle: one that refers to something
    /// that is not there, or not yet, waits for the next round.
    fn add_correlations(&mut self, rules: &SigmaCollection, mut waiting: Vec<Waiting>) {
        let names = rules.rules.iter().flat_map(|rule| [&rule.id, &rule.name]);
        let mut known: HashSet<String> = names.flatten().cloned().collect();
        let mut refused = BTreeMap::new();
        loop {
            let before = waiting.len();
            waiting.retain(|(source, rule)| {
                if !rule.rules.iter().all(|name| known.contains(name)) {
                    return true;
                }
                match self.engine.add_correlation(rule) {
                    Ok(()) => known.extend([&rule.id, &rule.name].into_iter().flatten().cloned()),
                    Err(error) => drop(refused.insert(source.clone(), error.to_string())),
                }
                false
            });
            if waiting.len() == before {
                break;
            }
        }
        let why = "refers to rules that are not there, or in a circle";
        refused.extend(waiting.into_iter().map(|(source, _)| (source, why.to_owned())));
        for ((pack, origin), why) in refused {
            if let Some(load) = self.loads.get_mut(pack) {
                load.loaded = load.loaded.saturating_sub(1);
                load.not_understood.push((origin, why));
            }
        }
    }

    fn take(&mut self, pack: &str, source: &str, origin: &str) -> Result<SigmaCollection, String> {
        if source.len() > limits::RULE_SOURCE_BYTES_MAX {
            return Err("longer than a rule may be".to_owned());
        }
        let collection = parse_sigma_yaml(source).map_err(|error| error.to_string())?;
        if let Some(error) = collection.errors.first() {
            return Err(error.clone());
        }
        if collection.is_empty() {
            return Err("no rule in it".to_owned());
        }
        let mut trial = rsigma_eval::Engine::new();
        trial.add_collection(&collection).map_err(|error| error.to_string())?;
        for rule in &collection.rules {
            let source = &rule.logsource;
            self.categories.insert((
                source.product.clone(),
                source.service.clone(),
                source.category.clone(),
            ));
            let id = rule.id.clone().unwrap_or_else(|| rule.title.clone());
            let level = rule.level;
            self.add_head(pack, id, &rule.title, level, (origin, rule.references.first()));
        }
        for rule in &collection.correlations {
            self.add_correlation(pack, rule, origin);
        }
        Ok(collection)
    }

    fn add_correlation(&mut self, pack: &str, rule: &CorrelationRule, origin: &str) {
        let id = rule.id.clone().unwrap_or_else(|| rule.title.clone());
        self.add_head(pack, id, &rule.title, rule.level, (origin, rule.references.first()));
    }

    fn add_head(
        &mut self,
        pack: &str,
        id: String,
        title: &str,
        level: Option<SigmaLevel>,
        (origin, reference): (&str, Option<&String>),
    ) {
        let (level, confidence) = weight(level);
        let source = reference.map_or_else(|| origin.to_owned(), |r| format!("{origin}; {r}"));
        let rule = Rule {
            id: format!("sigma.{id}"),
            reason: title.to_owned(),
            level,
            confidence,
            stage: None,
            source,
            advice: "read the event in its context: who, from where, what came before and after"
                .to_owned(),
        };
        self.heads.insert(id, Head { pack: pack.to_owned(), rule });
    }

    /// Whether any rule is about events of this source.
    pub fn asks(&self, source: &Source) -> bool {
        self.categories.iter().any(|(product, service, category)| {
            let fits = |wanted: &Option<String>, has: Option<&str>| {
                wanted.as_deref().is_none_or(|wanted| has == Some(wanted))
            };
            fits(product, source.product)
                && fits(service, source.service)
                && fits(category, source.category)
        })
    }

    /// Asks the rules about one event. `evidence` says where it stands.
    pub fn handle(
        &mut self,
        event: &Value,
        source: &Source,
        at: UnixSeconds,
        evidence: impl Fn() -> Evidence,
    ) {
        let event = JsonEvent::borrow(event);
        let ask = |source: Source| {
            self.engine.engine().evaluate_with_logsource(&event, &source.to_sigma())
        };
        let mut matches = ask(*source);
        if let Some(wider) = source.wider() {
            // Rules that name no category were asked already.
            let is_new = |found: &EvaluationResult| {
                let named =
                    |m: &EvaluationResult| (m.header.rule_id.clone(), m.header.rule_title.clone());
                !matches.iter().any(|known| named(known) == named(found))
            };
            let more: Vec<_> = ask(wider).into_iter().filter(is_new).collect();
            matches.extend(more);
        }
        if matches.is_empty() {
            return;
        }
        for result in self.engine.process_with_detections(&event, matches, at.0) {
            self.add_match(&result, at, &evidence);
        }
    }

    fn add_match(
        &mut self,
        result: &EvaluationResult,
        at: UnixSeconds,
        evidence: impl Fn() -> Evidence,
    ) {
        let header = &result.header;
        let id = header.rule_id.as_ref().unwrap_or(&header.rule_title);
        let Some(head) = self.heads.get(id) else { return };
        let count = self.counts.entry(id.clone()).or_default();
        *count += 1;
        if *count > limits::SIGMA_FINDINGS_PER_RULE_MAX {
            return;
        }
        let mut evidence = evidence();
        evidence.happened = Some(at);
        self.findings.push(Finding::new(&head.pack, &head.rule, evidence));
    }

    /// What was found, and how many matches beyond the limit of each rule are not told.
    pub fn finish(&mut self) -> (Vec<Finding>, u64) {
        let beyond = |count: &u64| count.saturating_sub(limits::SIGMA_FINDINGS_PER_RULE_MAX);
        let omitted = self.counts.values().map(beyond).sum();
        (std::mem::take(&mut self.findings), omitted)
    }
}

/// What the level of a Sigma rule means for a verdict. No single event of a generic rule proves a compromise.
const fn weight(level: Option<SigmaLevel>) -> (Level, Confidence) {
    match level {
        Some(SigmaLevel::Critical) => (Level::Suspicious, Confidence::High),
        Some(SigmaLevel::High) => (Level::Suspicious, Confidence::Medium),
        Some(SigmaLevel::Medium) => (Level::Note, Confidence::Medium),
        Some(SigmaLevel::Low | SigmaLevel::Informational) | None => (Level::Note, Confidence::Low),
    }
}

#[cfg(test)]
mod tests;
