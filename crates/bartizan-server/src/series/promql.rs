//! The part of PromQL that dashboards of machines need: selectors, functions over a range, aggregation, arithmetic. What is not
//! understood is refused by name, never answered otherwise. No IO: what was selected comes as values.

mod eval;

use std::collections::BTreeMap;
use std::sync::Arc;

use bartizan_proto::series::Stat;
use promql_parser::label::{MatchOp, Matcher};
use promql_parser::parser::{
    self, AggregateExpr, BinaryExpr, Call, Expr, LabelModifier, Offset, VectorMatchCardinality,
    VectorSelector, token,
};

pub(crate) use eval::{Value, Work};

/// Longest question.
const QUERY_BYTES_MAX: usize = 2048;
/// Selectors in one question: each is read from the database by itself.
const SELECTORS_MAX: usize = 8;
/// Brackets and operators in one question: a parser and whoever walks through its tree recurse over them.
const NESTING_MAX: usize = 64;
/// A sample counts as long as this: endpoints send theirs every five minutes.
pub(crate) const LOOKBACK_S: u64 = 600;
/// Longest range of a function, and longest offset.
const RANGE_S_MAX: u64 = 90 * 86_400;
/// The label that holds the metric.
pub(crate) const NAME: &str = "__name__";

/// Of a series. Shared, since each step of an answer names them again.
pub(crate) type Labels = Arc<BTreeMap<String, String>>;

/// A sample, or what stands for several.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    pub(crate) at: u64,
    pub(crate) value: f64,
    /// How long it counts.
    pub(crate) good_for_s: u64,
}

/// A series as it was selected.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selected {
    pub(crate) labels: Labels,
    /// In order of time.
    pub(crate) points: Vec<Point>,
}

/// What has to be read for a selector.
#[derive(Debug, Clone)]
pub(crate) struct Selection {
    pub(crate) matchers: Vec<Matcher>,
    /// How far before a point in time.
    pub(crate) back_s: u64,
    /// How far apart its points may be at most.
    pub(crate) fine_s: u64,
    /// What stands for those that were thinned out.
    pub(crate) stat: Stat,
}

/// A question that is understood.
#[derive(Debug)]
pub(crate) struct Question {
    root: Node,
    pub(crate) selections: Vec<Selection>,
}

#[derive(Debug)]
enum Node {
    Number(f64),
    Instant { index: usize, offset_s: u64 },
    Range { function: Function, index: usize, range_s: u64, offset_s: u64 },
    Aggregate { operation: Operation, grouping: Grouping, inner: Box<Node> },
    Math { operator: Operator, left: Box<Node>, right: Box<Node> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Rate,
    Increase,
    Avg,
    Min,
    Max,
    Sum,
    Count,
    Last,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Sum,
    Avg,
    Min,
    Max,
    Count,
    /// So many of the largest.
    Top(usize),
    /// So many of the smallest.
    Bottom(usize),
}

#[derive(Debug)]
enum Grouping {
    By(Vec<String>),
    Without(Vec<String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Sub,
    Mul,
    Div,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    Equal,
    NotEqual,
}

impl Question {
    /// One that asks only what there is.
    pub(crate) fn of_names(matchers: Vec<Matcher>) -> Self {
        let selection =
            Selection { matchers, back_s: LOOKBACK_S, fine_s: LOOKBACK_S, stat: Stat::Last };
        Self { root: Node::Instant { index: 0, offset_s: 0 }, selections: vec![selection] }
    }
}

/// Reads the matchers of a selector that stands alone, as `match[]` has it.
pub(crate) fn matchers(text: &str) -> Result<Vec<Matcher>, String> {
    let question = parse(text)?;
    match (question.root, question.selections.into_iter().next()) {
        (Node::Instant { offset_s: 0, .. }, Some(selection)) => Ok(selection.matchers),
        _ => Err("`match[]` must be a selector and nothing else".to_owned()),
    }
}

/// Reads a question, or says what of it is not understood.
pub(crate) fn parse(text: &str) -> Result<Question, String> {
    if text.len() > QUERY_BYTES_MAX {
        return Err(format!("the query is longer than {QUERY_BYTES_MAX} bytes"));
    }
    if nesting(text) > NESTING_MAX {
        return Err(format!("more than {NESTING_MAX} brackets and operators"));
    }
    let expr = parser::parse(text)?;
    let mut selections = Vec::new();
    let root = read(&expr, &mut selections)?;
    if selections.len() > SELECTORS_MAX {
        return Err(format!("more than {SELECTORS_MAX} selectors"));
    }
    Ok(Question { root, selections })
}

/// Brackets and operators outside of texts: no tree is deeper.
fn nesting(text: &str) -> usize {
    let mut quote = None;
    let mut escaped = false;
    let mut bare = String::with_capacity(text.len());
    for c in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some('"' | '\'') if c == '\\' => escaped = true,
            Some(mark) if mark == c => quote = None,
            Some(_) => {}
            None if "\"'`".contains(c) => quote = Some(c),
            None => bare.push(c),
        }
    }
    let words = bare.split(|c: char| !c.is_ascii_alphanumeric());
    let words = words.filter(|word| {
        ["and", "or", "unless", "atan2"].iter().any(|w| word.eq_ignore_ascii_case(w))
    });
    words.count() + bare.chars().filter(|c| "({[+-*/%^<>=!".contains(*c)).count()
}

fn read(expr: &Expr, selections: &mut Vec<Selection>) -> Result<Node, String> {
    match expr {
        Expr::NumberLiteral(number) => Ok(Node::Number(number.val)),
        Expr::Paren(paren) => read(&paren.expr, selections),
        Expr::Unary(unary) => Ok(Node::Math {
            operator: Operator::Mul,
            left: Box::new(Node::Number(-1.0)),
            right: Box::new(read(&unary.expr, selections)?),
        }),
        Expr::VectorSelector(selector) => {
            let (fine_s, stat) = (LOOKBACK_S, Stat::Last);
            let (index, offset_s) = select(selector, LOOKBACK_S, (fine_s, stat), selections)?;
            Ok(Node::Instant { index, offset_s })
        }
        Expr::Call(call) => read_call(call, selections),
        Expr::Aggregate(aggregate) => read_aggregate(aggregate, selections),
        Expr::Binary(binary) => read_math(binary, selections),
        Expr::MatrixSelector(_) => {
            Err("a range stands alone; use it in a function like rate(…[5m])".to_owned())
        }
        Expr::Subquery(_) => Err("subqueries are not supported".to_owned()),
        Expr::StringLiteral(_) => Err("texts are not supported".to_owned()),
        Expr::Extension(_) => Err("extensions are not supported".to_owned()),
    }
}

fn select(
    selector: &VectorSelector,
    range_s: u64,
    (fine_s, stat): (u64, Stat),
    selections: &mut Vec<Selection>,
) -> Result<(usize, u64), String> {
    if selector.at.is_some() {
        return Err("`@` is not supported".to_owned());
    }
    if !selector.matchers.or_matchers.is_empty() {
        return Err("`or` between matchers is not supported".to_owned());
    }
    let offset_s = match &selector.offset {
        None => 0,
        Some(Offset::Pos(offset)) => offset.as_secs(),
        Some(Offset::Neg(_)) => return Err("a negative offset is not supported".to_owned()),
    };
    if range_s > RANGE_S_MAX || offset_s > RANGE_S_MAX {
        return Err("a range or offset of more than 90 days".to_owned());
    }
    let mut matchers = selector.matchers.matchers.clone();
    if let Some(name) = &selector.name {
        matchers.push(Matcher::new(MatchOp::Equal, NAME, name));
    }
    selections.push(Selection { matchers, back_s: range_s + offset_s, fine_s, stat });
    Ok((selections.len() - 1, offset_s))
}

fn read_call(call: &Call, selections: &mut Vec<Selection>) -> Result<Node, String> {
    let (function, stat) = match call.func.name {
        "rate" => (Function::Rate, Stat::Last),
        "increase" => (Function::Increase, Stat::Last),
        "avg_over_time" => (Function::Avg, Stat::Mean),
        "min_over_time" => (Function::Min, Stat::Min),
        "max_over_time" => (Function::Max, Stat::Max),
        "sum_over_time" => (Function::Sum, Stat::Mean),
        "count_over_time" => (Function::Count, Stat::Last),
        "last_over_time" => (Function::Last, Stat::Last),
        other => return Err(format!("the function `{other}` is not supported")),
    };
    let Some(Expr::MatrixSelector(matrix)) = call.args.args.first().map(AsRef::as_ref) else {
        return Err(format!("`{}` needs a selector with a range", call.func.name));
    };
    let range_s = matrix.range.as_secs();
    if range_s == 0 || matrix.range.subsec_nanos() > 0 {
        return Err("a range is whole seconds".to_owned());
    }
    // A range needs some points to be of use; sums and counts need all.
    let all = matches!(function, Function::Sum | Function::Count);
    let fine_s = if all { 1 } else { (range_s / 4).max(1) };
    let (index, offset_s) = select(&matrix.vs, range_s, (fine_s, stat), selections)?;
    Ok(Node::Range { function, index, range_s, offset_s })
}

fn read_aggregate(
    aggregate: &AggregateExpr,
    selections: &mut Vec<Selection>,
) -> Result<Node, String> {
    let operation = match (aggregate.op.id(), aggregate.param.as_deref()) {
        (token::T_SUM, None) => Operation::Sum,
        (token::T_AVG, None) => Operation::Avg,
        (token::T_MIN, None) => Operation::Min,
        (token::T_MAX, None) => Operation::Max,
        (token::T_COUNT, None) => Operation::Count,
        (token::T_TOPK, Some(Expr::NumberLiteral(number))) => Operation::Top(whole(number.val)?),
        (token::T_BOTTOMK, Some(Expr::NumberLiteral(number))) => {
            Operation::Bottom(whole(number.val)?)
        }
        _ => return Err(format!("the aggregation `{}` is not supported so", aggregate.op)),
    };
    let grouping = match &aggregate.modifier {
        None => Grouping::By(Vec::new()),
        Some(LabelModifier::Include(labels)) => Grouping::By(labels.labels.clone()),
        Some(LabelModifier::Exclude(labels)) => Grouping::Without(labels.labels.clone()),
    };
    let inner = Box::new(read(&aggregate.expr, selections)?);
    Ok(Node::Aggregate { operation, grouping, inner })
}

/// How many `topk` and `bottomk` keep.
fn whole(number: f64) -> Result<usize, String> {
    format!("{number}").parse().map_err(|_| "`topk` and `bottomk` need a whole number".to_owned())
}

fn read_math(binary: &BinaryExpr, selections: &mut Vec<Selection>) -> Result<Node, String> {
    let operator = match binary.op.id() {
        token::T_ADD => Operator::Add,
        token::T_SUB => Operator::Sub,
        token::T_MUL => Operator::Mul,
        token::T_DIV => Operator::Div,
        token::T_GTR => Operator::Greater,
        token::T_LSS => Operator::Less,
        token::T_GTE => Operator::GreaterOrEqual,
        token::T_LTE => Operator::LessOrEqual,
        token::T_EQLC => Operator::Equal,
        token::T_NEQ => Operator::NotEqual,
        _ => return Err(format!("the operator `{}` is not supported", binary.op)),
    };
    if let Some(modifier) = &binary.modifier {
        let one = matches!(modifier.card, VectorMatchCardinality::OneToOne);
        if modifier.return_bool || modifier.matching.is_some() || !one {
            return Err("`bool`, `on`, `ignoring` and groups are not supported".to_owned());
        }
    }
    let left = Box::new(read(&binary.lhs, selections)?);
    let right = Box::new(read(&binary.rhs, selections)?);
    Ok(Node::Math { operator, left, right })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_not_supported_is_named() {
        for (query, word) in [
            ("histogram_quantile(0.9, m)", "histogram_quantile"),
            ("quantile(0.9, m)", "quantile"),
            ("topk(2.5, m)", "whole number"),
            ("topk(m, m)", ""),
            ("m[5m]", "range stands alone"),
            ("rate(m[5m:1m])", "needs a selector"),
            ("rate(m[500ms])", "whole seconds"),
            ("m @ 5", "`@`"),
            ("m > bool 5", "bool"),
            ("m / on (a) m", "`on`"),
            ("m / on (a) group_left m", "groups"),
            ("m and m", "`and`"),
            ("m ^ 2", "`^`"),
            ("m offset -5m", "negative"),
            ("rate(m[91d])", "90 days"),
            ("\"text\"", "texts"),
            ("m{", ""),
            ("", ""),
        ] {
            let said = parse(query).map(|_| ()).expect_err(query);
            assert!(said.contains(word), "{query}: {said}");
        }
    }

    #[test]
    fn a_question_has_bounds() {
        let nested = |many: usize| format!("{}m{}", "(".repeat(many), ")".repeat(many));
        assert!(parse(&nested(NESTING_MAX)).is_ok());
        assert!(parse(&nested(NESTING_MAX + 1)).unwrap_err().contains("brackets"));
        assert!(parse(&format!("{}1", "-".repeat(NESTING_MAX))).is_ok());
        assert!(parse(&format!("{}1", "-".repeat(NESTING_MAX + 1))).is_err());
        assert!(parse(&vec!["m"; NESTING_MAX + 2].join(" and ")).unwrap_err().contains("brackets"));
        // What stands in a text is none.
        let text = |c: &str| format!("m{{a=\"{}\\\"\"}}", c.repeat(NESTING_MAX + 1));
        assert!(parse(&text("(+")).is_ok());
        assert!(parse(&format!("m{}", " ".repeat(QUERY_BYTES_MAX - 1))).is_ok());
        assert!(parse(&format!("m{}", " ".repeat(QUERY_BYTES_MAX))).is_err());
        let selectors = |many: usize| vec!["m"; many].join(" + ");
        assert!(parse(&selectors(SELECTORS_MAX)).is_ok());
        assert!(parse(&selectors(SELECTORS_MAX + 1)).unwrap_err().contains("selectors"));
    }

    #[test]
    fn a_selector_alone_is_what_match_wants() {
        assert_eq!(matchers("m{a=~\"b.*\"}").unwrap().len(), 2);
        for other in ["sum(m)", "1", "m + 1", "m offset 5m", "rate(m[5m])"] {
            assert!(matchers(other).is_err(), "{other}");
        }
    }
}
