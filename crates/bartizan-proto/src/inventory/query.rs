//! What people look for: words anywhere, and fields with a colon. Every term must hold.

use core::cmp::Ordering;

use thiserror::Error;

/// Longest query in characters.
pub const QUERY_CHARS_MAX: usize = 512;
/// Most terms of a query: each is a look into the index.
pub const TERMS_MAX: usize = 16;

/// A parsed query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// All of them must hold.
    pub terms: Vec<Term>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// Endpoints of which it does not hold are wanted.
    pub negated: bool,
    /// What is asked.
    pub matcher: Matcher,
}

/// What a term asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// This text in any field of any item, whatever its case.
    Anywhere(String),
    /// This text in an item of one section: `os:debian`.
    Within {
        /// The section.
        section: String,
        /// Lower-case text.
        text: String,
    },
    /// An item of this name, perhaps of certain versions: `package:openssl<3.0.14`.
    Named {
        /// The section.
        section: String,
        /// Lower-case name; with `prefix` its beginning.
        name: String,
        /// `nginx*`.
        prefix: bool,
        /// The version, if it matters.
        version: Option<(Comparison, String)>,
    },
    /// `tag:vip`.
    Tag(String),
    /// `tenant:acme`.
    Tenant(String),
    /// `site:hq`.
    Site(String),
    /// `field.owner:alice`, `field.warranty<2027-01-01`.
    Field {
        /// Name of the custom field.
        name: String,
        /// How its value compares.
        comparison: Comparison,
        /// With what.
        value: String,
    },
    /// `group:web`: a saved query.
    Group(String),
}

/// How values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `=`
    Equal,
    /// `!=`
    Other,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
}

impl Comparison {
    /// Whether it holds of something that compares so.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Equal => order.is_eq(),
            Self::Other => order.is_ne(),
            Self::AtLeast => order.is_ge(),
            Self::Above => order.is_gt(),
        }
    }
}

/// Why a text is no query.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QueryError {
    /// Nothing is asked.
    #[error("the query is empty")]
    Empty,
    /// Too long.
    #[error("the query has more than {QUERY_CHARS_MAX} characters or {TERMS_MAX} terms")]
    Large,
    /// A quotation mark without its other.
    #[error("a quotation mark is not closed")]
    Quote,
    /// Nothing stands after a colon or comparison.
    #[error("nothing follows `{0}`")]
    Value(String),
    /// A comparison where none is possible.
    #[error("`{0}` cannot be compared; only versions of packages and values of fields can")]
    Compare(String),
    /// An unknown field.
    #[error("there is no field `{0}`")]
    Field(String),
}

/// Fields that name one thing, and the section it is in.
const NAMED: &[(&str, &str)] = &[
    ("package", "packages"),
    ("port", "ports"),
    ("user", "users"),
    ("usergroup", "groups"),
    ("service", "services"),
    ("container", "containers"),
    ("disk", "disks"),
    ("interface", "network"),
    ("update", "updates"),
];
/// Sections that can be looked through by their own name.
const SECTIONS: &[&str] = &[
    "agent",
    "certificates",
    "containers",
    "disks",
    "filesystems",
    "groups",
    "hardware",
    "network",
    "os",
    "packages",
    "ports",
    "security",
    "services",
    "updates",
    "users",
];
/// Other words for sections.
const ALIASES: &[(&str, &str)] =
    &[("cert", "certificates"), ("ip", "network"), ("mac", "network"), ("cpu", "hardware")];

impl Query {
    /// Reads what somebody typed.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        if text.chars().count() > QUERY_CHARS_MAX {
            return Err(QueryError::Large);
        }
        let terms = words(text)?.iter().map(term).collect::<Result<Vec<_>, _>>()?;
        match terms.len() {
            0 => Err(QueryError::Empty),
            count if count > TERMS_MAX => Err(QueryError::Large),
            _ => Ok(Self { terms }),
        }
    }
}

/// A word, and up to where it stood outside quotation marks: only there are colons and signs meant.
struct Word {
    text: String,
    open: usize,
}

fn words(text: &str) -> Result<Vec<Word>, QueryError> {
    let (mut all, mut word, mut quoted): (Vec<Word>, Option<Word>, bool) =
        (Vec::new(), None, false);
    for c in text.chars() {
        if c == '"' {
            quoted = !quoted;
            let word = word.get_or_insert(Word { text: String::new(), open: usize::MAX });
            word.open = word.open.min(word.text.len());
        } else if c.is_whitespace() && !quoted {
            all.extend(word.take());
        } else {
            word.get_or_insert(Word { text: String::new(), open: usize::MAX }).text.push(c);
        }
    }
    if quoted {
        return Err(QueryError::Quote);
    }
    all.extend(word);
    all.retain(|word| !word.text.is_empty());
    Ok(all)
}

fn term(word: &Word) -> Result<Term, QueryError> {
    let open = word.text.get(..word.open.min(word.text.len())).unwrap_or_default();
    let negated = open.starts_with('-') && word.text.len() > 1;
    let skip = usize::from(negated);
    let (open, text) =
        (open.get(skip..).unwrap_or_default(), word.text.get(skip..).unwrap_or_default());
    let anywhere = || Matcher::Anywhere(text.to_lowercase());
    let Some(at) = open.find([':', '<', '>', '=', '!']) else {
        return Ok(Term { negated, matcher: anywhere() });
    };
    let (field, rest) = text.split_at(at);
    let is_field = field.starts_with(|c: char| c.is_ascii_lowercase())
        && field.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    // Addresses and clock times have colons too.
    let is_address = open.bytes().all(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.');
    if is_address || !is_field || (!open.contains(':') && !field.starts_with("field.")) {
        return Ok(Term { negated, matcher: anywhere() });
    }
    Ok(Term { negated, matcher: matcher(field, rest)? })
}

fn matcher(field: &str, rest: &str) -> Result<Matcher, QueryError> {
    let (operator, value) = comparison(rest.strip_prefix(':').unwrap_or(rest));
    let missing = || QueryError::Value(format!("{field}:"));
    if let Some(name) = field.strip_prefix("field.") {
        return match value {
            "" => Err(missing()),
            value => Ok(Matcher::Field {
                name: name.to_owned(),
                comparison: operator.unwrap_or(Comparison::Equal),
                value: value.to_owned(),
            }),
        };
    }
    let Some(rest) = rest.strip_prefix(':').filter(|rest| !rest.is_empty()) else {
        return Err(missing());
    };
    let plain = || match rest.find(['<', '>', '=', '!']) {
        Some(_) => Err(QueryError::Compare(field.to_owned())),
        None => Ok(rest.to_owned()),
    };
    match field {
        "tag" => return plain().map(Matcher::Tag),
        "tenant" => return plain().map(Matcher::Tenant),
        "site" => return plain().map(Matcher::Site),
        "group" => return plain().map(Matcher::Group),
        _ => {}
    }
    if let Some((_, section)) = NAMED.iter().find(|(name, _)| *name == field) {
        return named(field, section, rest);
    }
    let alias =
        ALIASES.iter().find(|(name, _)| *name == field).map_or(field, |(_, section)| section);
    if SECTIONS.contains(&alias) {
        return Ok(Matcher::Within { section: alias.to_owned(), text: rest.to_lowercase() });
    }
    Err(QueryError::Field(field.to_owned()))
}

fn named(field: &str, section: &str, rest: &str) -> Result<Matcher, QueryError> {
    let at = rest.find(['<', '>', '=', '!']).unwrap_or(rest.len());
    let (name, tail) = rest.split_at(at);
    let version = match comparison(tail) {
        (None, _) => None,
        (Some(_), _) if section != "packages" => return Err(QueryError::Compare(field.to_owned())),
        (Some(_), "") => return Err(QueryError::Value(rest.to_owned())),
        (Some(operator), version) => Some((operator, version.to_owned())),
    };
    let (name, prefix) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
    if name.is_empty() {
        return Err(QueryError::Value(format!("{field}:")));
    }
    Ok(Matcher::Named { section: section.to_owned(), name: name.to_lowercase(), prefix, version })
}

fn comparison(text: &str) -> (Option<Comparison>, &str) {
    for (sign, operator) in [
        ("<=", Comparison::AtMost),
        (">=", Comparison::AtLeast),
        ("!=", Comparison::Other),
        ("<", Comparison::Below),
        (">", Comparison::Above),
        ("=", Comparison::Equal),
    ] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (Some(operator), rest);
        }
    }
    (None, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Term {
        let mut query = Query::parse(text).unwrap();
        assert_eq!(query.terms.len(), 1, "{text}");
        query.terms.pop().unwrap()
    }

    fn named(section: &str, name: &str) -> Matcher {
        Matcher::Named {
            section: section.to_owned(),
            name: name.to_owned(),
            prefix: false,
            version: None,
        }
    }

    #[test]
    fn words_stand_for_themselves() {
        assert_eq!(one("OpenSSL").matcher, Matcher::Anywhere("openssl".to_owned()));
        assert_eq!(
            one("\"two words: here\"").matcher,
            Matcher::Anywhere("two words: here".to_owned())
        );
        assert_eq!(one("fe80::1").matcher, Matcher::Anywhere("fe80::1".to_owned()));
        assert_eq!(one("10:30").matcher, Matcher::Anywhere("10:30".to_owned()));
        assert_eq!(one("a=b").matcher, Matcher::Anywhere("a=b".to_owned()));
        assert!(one("-nginx").negated);
        assert_eq!(
            one("\"-nginx\""),
            Term { negated: false, matcher: Matcher::Anywhere("-nginx".to_owned()) }
        );
        assert_eq!(Query::parse("a  b\tc").unwrap().terms.len(), 3);
    }

    #[test]
    fn fields_name_things() {
        assert_eq!(one("port:3389").matcher, named("ports", "3389"));
        assert_eq!(one("user:Alice").matcher, named("users", "alice"));
        assert_eq!(
            one("-service:nginx"),
            Term { negated: true, matcher: named("services", "nginx") }
        );
        let version = Some((Comparison::Below, "3.0.14".to_owned()));
        let openssl = |prefix| Matcher::Named {
            section: "packages".to_owned(),
            name: "openssl".to_owned(),
            prefix,
            version: version.clone(),
        };
        assert_eq!(one("package:openssl<3.0.14").matcher, openssl(false));
        assert_eq!(one("package:openssl*<3.0.14").matcher, openssl(true));
        let os = Matcher::Within { section: "os".to_owned(), text: "debian gnu".to_owned() };
        assert_eq!(one("os:\"Debian GNU\"").matcher, os);
        assert_eq!(one("tag:vip").matcher, Matcher::Tag("vip".to_owned()));
        let field = |comparison, value: &str| Matcher::Field {
            name: "warranty".to_owned(),
            comparison,
            value: value.to_owned(),
        };
        assert_eq!(
            one("field.warranty<2027-01-01").matcher,
            field(Comparison::Below, "2027-01-01")
        );
        assert_eq!(
            one("field.warranty:>=2027-01-01").matcher,
            field(Comparison::AtLeast, "2027-01-01")
        );
        assert_eq!(one("field.warranty:yes").matcher, field(Comparison::Equal, "yes"));
    }

    #[test]
    fn what_makes_no_sense_is_said_exactly() {
        for (text, error) in [
            ("  ", QueryError::Empty),
            ("\"\"", QueryError::Empty),
            ("\"open", QueryError::Quote),
            ("package:", QueryError::Value("package:".to_owned())),
            ("package:openssl<", QueryError::Value("openssl<".to_owned())),
            ("package:*", QueryError::Value("package:".to_owned())),
            ("field.owner:", QueryError::Value("field.owner:".to_owned())),
            ("port:3389<5", QueryError::Compare("port".to_owned())),
            ("tag:a=b", QueryError::Compare("tag".to_owned())),
            ("colour:red", QueryError::Field("colour".to_owned())),
        ] {
            assert_eq!(Query::parse(text), Err(error), "{text}");
        }
        assert!(Query::parse(&"a ".repeat(TERMS_MAX)).is_ok());
        assert_eq!(Query::parse(&"a ".repeat(TERMS_MAX + 1)), Err(QueryError::Large));
        assert!(Query::parse(&"a".repeat(QUERY_CHARS_MAX)).is_ok());
        assert_eq!(Query::parse(&"a".repeat(QUERY_CHARS_MAX + 1)), Err(QueryError::Large));
    }
}
