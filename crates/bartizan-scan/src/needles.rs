//! What bytes must have for any YARA rule to be about them. Most rules need a text that nearly no file has; looking for these few
//! texts takes a fraction of the time that asking the rules does.

use std::collections::HashMap;

use aho_corasick::Span;
use aho_corasick::packed::{Config, MatchKind, Searcher};
use boreal_parser::expression::{
    Expression, ExpressionKind, ForSelection, ReadIntegerType, VariableSet,
};
use boreal_parser::file::YaraFileComponent;
use boreal_parser::hex_string::Token;
use boreal_parser::regex::{Node, RepetitionKind, RepetitionRange};
use boreal_parser::rule::{Rule, VariableDeclaration, VariableDeclarationValue};

/// Patterns that are searched at once; above that the search is no longer quicker than the rules.
const PATTERNS_MAX: usize = 64;
/// Bytes of a text that are searched for; the rest is compared where they stand.
const WINDOW_BYTES: usize = 4;
/// Shorter texts stand in most files.
const TEXT_BYTES_MIN: usize = 2;

/// What one of must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Need {
    /// Beginnings.
    starts: Vec<Vec<u8>>,
    /// Texts, anywhere.
    texts: Vec<Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    bytes: Vec<u8>,
    any_case: bool,
}

/// Beginnings and texts, one of which everything has that a rule is about.
pub(crate) struct Needles {
    starts: Vec<Vec<u8>>,
    /// Each with the place of its window in it.
    texts: Vec<(Text, usize)>,
    searcher: Option<Searcher>,
}

impl Needles {
    /// Of sources that compile. `None` if some rule needs none of them, or if there are too many.
    pub(crate) fn new(sources: &[&str]) -> Option<Self> {
        let mut whole = Need::default();
        for source in sources {
            whole.join(of_source(source)?);
        }
        let texts: Vec<(Text, usize)> = whole
            .texts
            .into_iter()
            .map(|text| {
                let (at, _) = text.window();
                (text, at)
            })
            .collect();
        let patterns: Vec<Vec<u8>> =
            texts.iter().flat_map(|(text, at)| text.patterns(*at)).collect();
        if patterns.len() > PATTERNS_MAX {
            return None;
        }
        let searcher = if patterns.is_empty() {
            None
        } else {
            let mut config = Config::new();
            Some(config.match_kind(MatchKind::LeftmostFirst).builder().extend(patterns).build()?)
        };
        Some(Self { starts: whole.starts, texts, searcher })
    }

    /// Whether a rule may be about these bytes.
    pub(crate) fn may_match(&self, bytes: &[u8]) -> bool {
        if self.starts.iter().any(|start| bytes.starts_with(start)) {
            return true;
        }
        let Some(searcher) = &self.searcher else { return false };
        let mut span = Span::from(0..bytes.len());
        // Several windows may begin at one place, and one within another: each place is asked about every text.
        while let Some(found) = searcher.find_in(bytes, span) {
            if self.texts.iter().any(|(text, at)| text.stands_at(bytes, found.start(), *at)) {
                return true;
            }
            span.start = found.start() + 1;
        }
        false
    }
}

fn of_source(source: &str) -> Option<Need> {
    let mut known: HashMap<String, Option<Need>> = HashMap::new();
    let mut whole = Need::default();
    for component in boreal_parser::parse(source).ok()?.components {
        let YaraFileComponent::Rule(rule) = component else { continue };
        let need = of_expression(&rule.condition, &rule, &known);
        // A private rule is told only through others.
        if !rule.is_private {
            whole.join(need.clone()?);
        }
        known.insert(rule.name, need);
    }
    Some(whole)
}

/// What must be there for a condition to hold. As deep as the compiler lets conditions be.
fn of_expression(
    expression: &Expression,
    rule: &Rule,
    known: &HashMap<String, Option<Need>>,
) -> Option<Need> {
    use ExpressionKind as Kind;
    let of = |part: &Expression| of_expression(part, rule, known);
    match &expression.expr {
        // One of them is enough: the one that the fewest files have.
        Kind::And(parts) => parts.iter().filter_map(of).max_by_key(Need::rarity),
        Kind::Or(parts) => Need::all(parts.iter().map(of)),
        Kind::Variable(name)
        | Kind::VariableAt { variable_name: name, .. }
        | Kind::VariableIn { variable_name: name, .. } => {
            of_variable(rule.variables.iter().find(|variable| variable.name == *name)?)
        }
        Kind::For { selection, set, body: None }
        | Kind::ForIn { selection, set, .. }
        | Kind::ForAt { selection, set, .. } => of_set(selection, set, rule),
        Kind::Eq(left, right) => of_start(left, right).or_else(|| of_start(right, left)),
        Kind::Identifier(name) if name.operations.is_empty() => known.get(&name.name)?.clone(),
        _ => None,
    }
}

fn of_set(selection: &ForSelection, set: &VariableSet, rule: &Rule) -> Option<Need> {
    let is_in = |variable: &&VariableDeclaration| {
        set.elements.is_empty()
            || set.elements.iter().any(|element| {
                variable.name == element.name
                    || (element.is_wildcard && variable.name.starts_with(&element.name))
            })
    };
    let mut needs = rule.variables.iter().filter(is_in).map(of_variable).peekable();
    needs.peek()?;
    match selection {
        ForSelection::All => needs.flatten().max_by_key(Need::rarity),
        ForSelection::Any => Need::all(needs),
        ForSelection::None => None,
        ForSelection::Expr { expr, .. } => match expr.expr {
            ExpressionKind::Integer(1..) => Need::all(needs),
            _ => None,
        },
    }
}

/// `uint16(0) == 0x5a4d`
fn of_start(read: &Expression, value: &Expression) -> Option<Need> {
    use ReadIntegerType as Type;
    let ExpressionKind::ReadInteger { ty, addr } = &read.expr else { return None };
    let (ExpressionKind::Integer(0), ExpressionKind::Integer(value)) = (&addr.expr, &value.expr)
    else {
        return None;
    };
    let start = match ty {
        Type::Uint8 => u8::try_from(*value).ok()?.to_le_bytes().to_vec(),
        Type::Uint16 => u16::try_from(*value).ok()?.to_le_bytes().to_vec(),
        Type::Uint16BE => u16::try_from(*value).ok()?.to_be_bytes().to_vec(),
        Type::Uint32 => u32::try_from(*value).ok()?.to_le_bytes().to_vec(),
        Type::Uint32BE => u32::try_from(*value).ok()?.to_be_bytes().to_vec(),
        _ => return None,
    };
    Some(Need { starts: vec![start], texts: Vec::new() })
}

fn of_variable(variable: &VariableDeclaration) -> Option<Need> {
    let modifiers = &variable.modifiers;
    if modifiers.xor.is_some() || modifiers.base64.is_some() {
        return None;
    }
    let (pieces, any_case) = match &variable.value {
        VariableDeclarationValue::Bytes(bytes) => (vec![bytes.clone()], modifiers.nocase),
        VariableDeclarationValue::HexString(tokens) => (vec![longest_run(tokens)], false),
        VariableDeclarationValue::Regex(regex) => {
            (of_regex(&regex.ast)?, modifiers.nocase || regex.case_insensitive)
        }
    };
    let mut texts = Vec::new();
    for bytes in pieces {
        if bytes.len() < TEXT_BYTES_MIN {
            return None;
        }
        if modifiers.wide {
            let bytes = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
            texts.push(Text { bytes, any_case });
        }
        if modifiers.ascii || !modifiers.wide {
            texts.push(Text { bytes, any_case });
        }
    }
    Some(Need { starts: Vec::new(), texts })
}

/// Texts of which whatever a regular expression is about has one. As deep as the parser lets expressions be.
fn of_regex(node: &Node) -> Option<Vec<Vec<u8>>> {
    match node {
        Node::Literal(literal) => Some(vec![vec![literal.byte]]),
        Node::Group(inner) => of_regex(inner),
        Node::Repetition { node, kind, .. } => match kind {
            RepetitionKind::OneOrMore
            | RepetitionKind::Range(
                RepetitionRange::Exactly(1..)
                | RepetitionRange::AtLeast(1..)
                | RepetitionRange::Bounded(1.., _),
            ) => of_regex(node),
            RepetitionKind::ZeroOrOne | RepetitionKind::ZeroOrMore | RepetitionKind::Range(_) => {
                None
            }
        },
        Node::Alternation(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(of_regex).collect();
            parts.map(|parts| parts.concat())
        }
        Node::Concat(parts) => of_sequence(parts),
        Node::Assertion(_) | Node::Class(_) | Node::Dot | Node::Empty | Node::Char(_) => None,
    }
}

/// Letters that stand beside each other are one text; the part of which the shortest text is longest is the one to look for.
fn of_sequence(parts: &[Node]) -> Option<Vec<Vec<u8>>> {
    let mut runs = vec![Vec::new()];
    let mut others = Vec::new();
    for part in parts {
        if let (Node::Literal(literal), Some(run)) = (part, runs.last_mut()) {
            run.push(literal.byte);
            continue;
        }
        runs.push(Vec::new());
        others.extend(of_regex(part));
    }
    let all = runs.into_iter().map(|run| vec![run]).chain(others);
    all.max_by_key(|texts| texts.iter().map(Vec::len).min())
}

/// The longest piece of a pattern in which every byte is told.
fn longest_run(tokens: &[Token]) -> Vec<u8> {
    let mut runs = vec![Vec::new()];
    for token in tokens {
        match (token, runs.last_mut()) {
            (Token::Byte(byte), Some(run)) => run.push(*byte),
            _ => runs.push(Vec::new()),
        }
    }
    runs.into_iter().max_by_key(Vec::len).unwrap_or_default()
}

impl Need {
    /// What is needed if one of several must hold.
    fn all(needs: impl Iterator<Item = Option<Self>>) -> Option<Self> {
        let mut whole = Self::default();
        for need in needs {
            whole.join(need?);
        }
        Some(whole)
    }

    fn join(&mut self, other: Self) {
        for start in other.starts {
            if !self.starts.contains(&start) {
                self.starts.push(start);
            }
        }
        for text in other.texts {
            if !self.texts.contains(&text) {
                self.texts.push(text);
            }
        }
    }

    /// How few files have it: as few as have the most common of its texts. Beginnings cost no search at all.
    fn rarity(&self) -> u32 {
        self.texts.iter().map(|text| text.window().1).min().unwrap_or(u32::MAX)
    }
}

impl Text {
    /// Where the bytes begin that are searched for, and how rare they are.
    fn window(&self) -> (usize, u32) {
        let length = self.bytes.len().min(WINDOW_BYTES);
        let windows = self.bytes.windows(length).map(|window| self.rarity(window));
        // Of equals the first.
        windows.enumerate().rev().max_by_key(|(_, rarity)| *rarity).unwrap_or_default()
    }

    /// The search looks at the first two bytes first.
    fn rarity(&self, window: &[u8]) -> u32 {
        let weigh = |byte: &u8| match byte {
            0 | b' ' | b'a'..=b'z' => 1,
            b'A'..=b'Z' if self.any_case => 1,
            b'A'..=b'Z' | b'0'..=b'9' => 3,
            _ => 6,
        };
        let weights = window.iter().map(weigh);
        weights.clone().sum::<u32>() + weights.take(2).sum::<u32>()
    }

    /// The window in every case it may have.
    fn patterns(&self, at: usize) -> Vec<Vec<u8>> {
        let mut patterns = vec![Vec::new()];
        for byte in self.bytes.iter().skip(at).take(WINDOW_BYTES) {
            let other = if byte.is_ascii_lowercase() {
                byte.to_ascii_uppercase()
            } else {
                byte.to_ascii_lowercase()
            };
            let forms =
                if self.any_case && other != *byte { vec![*byte, other] } else { vec![*byte] };
            patterns = patterns
                .iter()
                .flat_map(|start| {
                    forms.iter().map(move |form| [start.as_slice(), &[*form]].concat())
                })
                .collect();
        }
        patterns
    }

    /// Whether it stands where its window was found.
    fn stands_at(&self, bytes: &[u8], window: usize, at: usize) -> bool {
        let place =
            window.checked_sub(at).and_then(|start| bytes.get(start..)?.get(..self.bytes.len()));
        place.is_some_and(|place| {
            if self.any_case {
                place.eq_ignore_ascii_case(&self.bytes)
            } else {
                place == self.bytes
            }
        })
    }
}

#[cfg(test)]
mod tests;
