//! Requests that one client made in a certain order. One request alone proves little: scanners ask for everything.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};

use super::Request;
use crate::limits;
use crate::model::{Evidence, Finding, Rule};
use crate::pack::{Pack, RequestStep, SequenceRule};
use crate::time::UnixSeconds;

/// Sequence rules, and the requests that belong to one of their steps.
#[derive(Debug)]
pub struct Sequences {
    rules: Vec<Compiled>,
    hits: Vec<Hit>,
    /// Hits beyond [`limits::SEQUENCE_HITS_MAX`].
    omitted: u64,
}

#[derive(Debug)]
struct Compiled {
    pack: String,
    rule: Rule,
    steps: Vec<Step>,
    steps_min: usize,
    within_s: i64,
}

#[derive(Debug)]
struct Step {
    when: RequestStep,
    path: GlobMatcher,
}

/// A request that is a step of a rule.
#[derive(Debug)]
struct Hit {
    client: String,
    rule: usize,
    at: UnixSeconds,
    // Files are read one after another; within a second the order of the lines counts.
    order: usize,
    step: usize,
    place: String,
    excerpt: String,
}

impl Sequences {
    /// The sequence rules of these packs. Returns also the ids of rules that cannot be used.
    pub fn new<'p>(packs: impl IntoIterator<Item = &'p Pack>) -> (Self, Vec<String>) {
        let mut rules = Vec::new();
        let mut unusable = Vec::new();
        for pack in packs {
            for sequence in &pack.sequences {
                match compile(&pack.name, sequence) {
                    Some(compiled) => rules.push(compiled),
                    None => unusable.push(format!("{}/{}", pack.name, sequence.rule.id)),
                }
            }
        }
        (Self { rules, hits: Vec::new(), omitted: 0 }, unusable)
    }

    /// How many rules are in force.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Takes note of a request. `place` says where it is logged.
    pub fn handle(&mut self, request: &Request<'_>, place: impl Fn() -> String, line: &str) {
        let path = normal_path(&request.path);
        for (number, rule) in self.rules.iter().enumerate() {
            for (step, condition) in rule.steps.iter().enumerate() {
                if !condition.holds(request, &path) {
                    continue;
                }
                if self.hits.len() >= limits::SEQUENCE_HITS_MAX {
                    self.omitted += 1;
                    continue;
                }
                self.hits.push(Hit {
                    client: request.client.clone().into_owned(),
                    rule: number,
                    at: request.at,
                    order: self.hits.len(),
                    step,
                    place: place(),
                    excerpt: crate::model::cut(line, limits::SEQUENCE_EXCERPT_BYTES_MAX),
                });
            }
        }
    }

    /// Requests that were not taken note of since there were too many.
    pub const fn omitted(&self) -> u64 {
        self.omitted
    }

    /// What came of it: at most one finding for each client and rule.
    pub fn finish(mut self) -> Vec<Finding> {
        self.hits.sort_by_key(|hit| (hit.at, hit.order));
        let mut of_clients: BTreeMap<(usize, &str), Vec<&Hit>> = BTreeMap::new();
        for hit in &self.hits {
            of_clients.entry((hit.rule, &hit.client)).or_default().push(hit);
        }
        let mut findings = Vec::new();
        for ((rule, client), hits) in of_clients {
            let Some(rule) = self.rules.get(rule) else { continue };
            if let Some(chain) = longest_chain(rule, &hits) {
                findings.push(finding(rule, client, &chain));
            }
        }
        findings
    }
}

fn compile(pack: &str, sequence: &SequenceRule) -> Option<Compiled> {
    let steps_min = usize::try_from(sequence.steps_min).ok()?;
    if sequence.steps.len() > limits::SEQUENCE_STEPS_MAX
        || steps_min == 0
        || steps_min > sequence.steps.len()
    {
        return None;
    }
    let steps = sequence.steps.iter().map(compile_step).collect::<Option<Vec<_>>>()?;
    Some(Compiled {
        pack: pack.to_owned(),
        rule: sequence.rule.clone(),
        steps,
        steps_min,
        within_s: i64::try_from(sequence.within_s).ok()?,
    })
}

fn compile_step(step: &RequestStep) -> Option<Step> {
    let glob = GlobBuilder::new(&step.path.to_lowercase()).literal_separator(true).build().ok()?;
    Some(Step { when: step.clone(), path: glob.compile_matcher() })
}

impl Step {
    fn holds(&self, request: &Request<'_>, path: &str) -> bool {
        let contains = |text: &str, wanted: &Option<String>| {
            wanted
                .as_ref()
                .is_none_or(|wanted| text.to_lowercase().contains(&wanted.to_lowercase()))
        };
        self.when.method.as_ref().is_none_or(|m| request.method.eq_ignore_ascii_case(m))
            && (self.when.status.is_empty() || self.when.status.contains(&request.status))
            && self.path.is_match(path)
            && contains(&request.query, &self.when.query)
            && contains(&request.agent, &self.when.user_agent)
    }
}

/// A path as servers understand it: lower case, `/`, no doubled or encoded characters.
fn normal_path(path: &str) -> String {
    let decoded = if path.contains('%') { percent_decoded(path) } else { path.to_owned() };
    let mut normal = String::with_capacity(decoded.len());
    for character in decoded.chars().flat_map(char::to_lowercase) {
        let character = if character == '\\' { '/' } else { character };
        if !(character == '/' && normal.ends_with('/')) {
            normal.push(character);
        }
    }
    normal
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| data_encoding::HEXUPPER_PERMISSIVE.decode(digits).ok());
        if let Some([byte]) = code.as_deref() {
            bytes.push(*byte);
            rest = after.get(2..).unwrap_or_default();
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A chain of hits, one for each step it has.
#[derive(Debug, Clone)]
struct Chain<'h> {
    hits: Vec<&'h Hit>,
}

impl Chain<'_> {
    fn start(&self) -> UnixSeconds {
        self.hits.first().map_or(UnixSeconds(i64::MIN), |hit| hit.at)
    }
}

/// The longest chain of steps in order within the time of the rule; `None` when it is too short or lacks a needed step.
///
/// For each step and length only the chain that began last is kept: whatever a longer chain could still be built on an
/// earlier one can be built on it as well. A client cannot push a chain out of memory by asking more often.
fn longest_chain<'h>(rule: &Compiled, hits: &[&'h Hit]) -> Option<Chain<'h>> {
    let mut best: BTreeMap<(usize, usize), Chain<'h>> = BTreeMap::new();
    let mut longest: Option<Chain<'h>> = None;
    for hit in hits {
        let mut made = Vec::new();
        if !needed_between(rule, None, hit.step) {
            made.push(Chain { hits: vec![hit] });
        }
        for ((step, _), chain) in &best {
            let in_order = *step < hit.step && !needed_between(rule, Some(*step), hit.step);
            if in_order && hit.at.0.saturating_sub(chain.start().0) <= rule.within_s {
                let mut hits = chain.hits.clone();
                hits.push(hit);
                made.push(Chain { hits });
            }
        }
        for chain in made {
            let whole = chain.hits.len() >= rule.steps_min
                && !needed_between(rule, Some(hit.step), rule.steps.len());
            if whole && longest.as_ref().is_none_or(|l| l.hits.len() < chain.hits.len()) {
                longest = Some(chain.clone());
            }
            let known = best.get(&(hit.step, chain.hits.len()));
            if known.is_none_or(|known| known.start() < chain.start()) {
                best.insert((hit.step, chain.hits.len()), chain);
            }
        }
    }
    longest
}

/// Whether a step that must not be missing stands between two others.
fn needed_between(rule: &Compiled, after: Option<usize>, before: usize) -> bool {
    let first = after.map_or(0, |after| after + 1);
    rule.steps.iter().take(before).skip(first).any(|step| step.when.needed)
}

fn finding(rule: &Compiled, client: &str, chain: &Chain<'_>) -> Finding {
    let place = chain.hits.first().map_or("", |hit| hit.place.as_str());
    let lines: Vec<&str> = chain.hits.iter().map(|hit| hit.excerpt.as_str()).collect();
    let text = format!(
        "{} of {} steps by {client}: {}",
        chain.hits.len(),
        rule.steps.len(),
        lines.join(" … ")
    );
    let mut evidence = Evidence::at(place).with_excerpt(&text);
    evidence.happened = chain.hits.first().map(|hit| hit.at);
    Finding::new(&rule.pack, &rule.rule, evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Level};

    fn rule() -> SequenceRule {
        let step = |method: &str, path: &str, needed| RequestStep {
            method: Some(method.to_owned()),
            path: path.to_owned(),
            needed,
            ..RequestStep::default()
        };
        SequenceRule {
            rule: Rule {
                id: "abc".to_owned(),
                reason: "a, b, c".to_owned(),
                level: Level::Compromised,
                confidence: Confidence::High,
                stage: None,
                source: "test".to_owned(),
                advice: String::new(),
            },
            steps: vec![
                step("POST", "/a", false),
                step("GET", "/b", false),
                step("POST", "/c/*", true),
            ],
            steps_min: 2,
            within_s: 100,
        }
    }

    /// Requests as `time client method path`.
    fn found(requests: &[(i64, &str, &str, &str)]) -> Vec<String> {
        let pack = Pack { name: "p".to_owned(), sequences: vec![rule()], ..Pack::default() };
        let (mut sequences, unusable) = Sequences::new([&pack]);
        assert!(unusable.is_empty());
        for (at, client, method, path) in requests {
            let request = Request {
                at: UnixSeconds(*at),
                client: (*client).into(),
                method: (*method).into(),
                path: (*path).into(),
                query: "".into(),
                agent: "".into(),
                status: 200,
            };
            sequences.handle(&request, || "log:1".to_owned(), path);
        }
        sequences.finish().into_iter().map(|finding| finding.evidence.excerpt).collect()
    }

    #[test]
    fn steps_in_order_by_one_client_are_found() {
        let whole = [(0, "x", "POST", "/a"), (5, "x", "GET", "/b"), (9, "x", "POST", "/c/1")];
        assert_eq!(found(&whole), ["3 of 3 steps by x: /a … /b … /c/1"]);
        // Others in between, and the same ones again, change nothing.
        let mut noisy = whole.to_vec();
        noisy.extend([(1, "y", "GET", "/b"), (2, "x", "POST", "/a"), (3, "x", "GET", "/z")]);
        assert_eq!(found(&noisy), ["3 of 3 steps by x: /a … /b … /c/1"]);
        // Encoded, doubled, in other case: the server understands it, and so do we.
        let dressed = [(0, "x", "POST", "//%61"), (9, "x", "POST", "/C\\1")];
        assert_eq!(found(&dressed), [r"2 of 3 steps by x: //%61 … /C\1"]);
    }

    #[test]
    fn what_only_looks_alike_is_not_found() {
        for (why, requests) in [
            ("two clients", vec![(0, "x", "POST", "/a"), (9, "y", "POST", "/c/1")]),
            ("wrong order", vec![(0, "x", "POST", "/c/1"), (9, "x", "POST", "/a")]),
            ("the needed step is missing", vec![(0, "x", "POST", "/a"), (9, "x", "GET", "/b")]),
            ("too slow", vec![(0, "x", "POST", "/a"), (101, "x", "POST", "/c/1")]),
            ("another method", vec![(0, "x", "GET", "/a"), (9, "x", "HEAD", "/c/1")]),
            ("one step", vec![(0, "x", "POST", "/c/1")]),
        ] {
            assert_eq!(found(&requests), [""; 0], "{why}");
        }
    }

    #[test]
    fn an_early_start_does_not_hide_a_later_one() {
        let requests =
            [(0, "x", "POST", "/a"), (90, "x", "POST", "/a"), (150, "x", "POST", "/c/1")];
        assert_eq!(found(&requests).len(), 1);
    }

    #[test]
    fn files_may_be_read_in_any_order() {
        let requests = [(9, "x", "POST", "/c/1"), (5, "x", "GET", "/b"), (0, "x", "POST", "/a")];
        assert_eq!(found(&requests), ["3 of 3 steps by x: /a … /b … /c/1"]);
    }

    #[test]
    fn a_flood_is_counted_and_bounded() {
        let pack = Pack { name: "p".to_owned(), sequences: vec![rule()], ..Pack::default() };
        let (mut sequences, _) = Sequences::new([&pack]);
        let request = Request {
            at: UnixSeconds(0),
            client: "x".into(),
            method: "POST".into(),
            path: "/a".into(),
            query: "".into(),
            agent: "".into(),
            status: 200,
        };
        for _ in 0..=limits::SEQUENCE_HITS_MAX {
            sequences.handle(&request, String::new, "");
        }
        assert_eq!(sequences.omitted(), 1);
        assert!(sequences.finish().is_empty());
    }

    #[test]
    fn rules_that_cannot_be_used_are_named() {
        let mut bad = rule();
        bad.steps_min = 9;
        let pack = Pack { name: "p".to_owned(), sequences: vec![bad], ..Pack::default() };
        let (sequences, unusable) = Sequences::new([&pack]);
        assert!(sequences.is_empty());
        assert_eq!(unusable, ["p/abc"]);
    }
}
