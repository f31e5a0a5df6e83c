//! `[[remote_write]]` of `server.toml`: who else gets what endpoints measure. Secrets stay in files of their own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bartizan_notify::webhook::Target;
use bartizan_proto::samples::Metric;
use bartizan_trust::statement::is_plain_char;
use serde::Deserialize;

use crate::channels::is_near;

/// Destinations of one server: each costs reading everything once more.
const DESTINATIONS_MAX: usize = 8;
/// Longest name of a destination: it stands in `/metrics`.
const NAME_BYTES_MAX: usize = 32;
/// Labels that are added to every series: each is sent with each.
const LABELS_MAX: usize = 16;
/// Longest value of a label that is added.
const LABEL_BYTES_MAX: usize = 128;
/// Labels that say whose samples these are.
pub(crate) const OWN_LABELS: [&str; 5] = ["__name__", "endpoint", "hostname", "site", "tenant"];

/// One `[[remote_write]]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDestination {
    name: String,
    url: String,
    bearer_file: Option<PathBuf>,
    user: Option<String>,
    password_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    danger_plain: bool,
}

/// A receiver of remote write.
#[derive(Debug, Clone)]
pub(crate) struct Destination {
    pub(crate) name: String,
    pub(crate) url: String,
    pub(crate) credential: Credential,
    pub(crate) ca_file: Option<PathBuf>,
    /// In order of name.
    pub(crate) labels: Vec<(String, String)>,
}

/// How the server says who it is.
#[derive(Debug, Clone)]
pub(crate) enum Credential {
    None,
    Bearer { file: PathBuf },
    Basic { user: String, file: PathBuf },
}

/// Checks all; every problem is added.
pub(crate) fn parse(
    dir: &Path,
    raw: Vec<RawDestination>,
    problems: &mut Vec<String>,
) -> Vec<Destination> {
    if raw.len() > DESTINATIONS_MAX {
        problems.push(format!("- `remote_write`: name at most {DESTINATIONS_MAX}"));
    }
    let mut names: Vec<String> = Vec::new();
    let mut destinations = Vec::new();
    for one in raw {
        let mut own = check(&one);
        if names.contains(&one.name) {
            own.push("is there twice; give one another name".to_owned());
        }
        names.push(one.name.clone());
        problems.extend(own.iter().map(|text| format!("- `remote_write`: `{}`: {text}", one.name)));
        if own.is_empty() {
            destinations.push(destination(dir, one));
        }
    }
    destinations
}

fn destination(dir: &Path, raw: RawDestination) -> Destination {
    let credential = match (raw.bearer_file, raw.user, raw.password_file) {
        (Some(file), ..) => Credential::Bearer { file: dir.join(file) },
        (None, Some(user), Some(file)) => Credential::Basic { user, file: dir.join(file) },
        (None, ..) => Credential::None,
    };
    Destination {
        name: raw.name,
        url: raw.url,
        credential,
        ca_file: raw.ca_file.map(|file| dir.join(file)),
        labels: raw.labels.into_iter().collect(),
    }
}

fn check(raw: &RawDestination) -> Vec<String> {
    let mut problems = Vec::new();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if raw.name.is_empty() || raw.name.len() > NAME_BYTES_MAX || !raw.name.chars().all(plain) {
        problems.push(format!("is no name; use 1 to {NAME_BYTES_MAX} letters, digits and - _ ."));
    }
    match Target::parse(&raw.url) {
        None => problems
            .push("url: write for example \"https://metrics.example.org/api/v1/write\"".to_owned()),
        Some(target) if !target.is_private && !raw.danger_plain && !is_near(target.host) => problems
            .push("url: http:// is for this machine and private addresses; use https://, or set danger_plain = true".to_owned()),
        Some(_) => {}
    }
    if raw.user.is_some() != raw.password_file.is_some() {
        problems.push("user and password_file go together".to_owned());
    }
    if raw.user.is_some() && raw.bearer_file.is_some() {
        problems.push("bearer_file or user and password_file, not both".to_owned());
    }
    if raw.user.as_ref().is_some_and(|user| user.contains(':') || !user.chars().all(is_plain_char))
    {
        problems.push("user: cannot hold a `:` or what does not show as itself".to_owned());
    }
    if raw.labels.len() > LABELS_MAX {
        problems.push(format!("labels: at most {LABELS_MAX}"));
    }
    problems.extend(raw.labels.iter().filter_map(|(name, value)| label_problem(name, value)));
    problems
}

fn label_problem(name: &str, value: &str) -> Option<String> {
    let taken =
        OWN_LABELS.contains(&name) || Metric::all().any(|metric| metric.label_key() == name);
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if taken || name.starts_with("__") {
        return Some(format!("labels: `{name}` is used by samples themselves; take another name"));
    }
    if !first || !rest || name.len() > LABEL_BYTES_MAX {
        return Some(format!("labels: `{name}` is no name; use letters, digits and _"));
    }
    let fits =
        !value.is_empty() && value.len() <= LABEL_BYTES_MAX && value.chars().all(is_plain_char);
    (!fits).then(|| format!("labels: `{name}`: 1 to {LABEL_BYTES_MAX} bytes of plain text"))
}

/// What `init` writes.
pub(crate) const TEMPLATE: &str = r#"
# Who else gets what endpoints measure, by Prometheus remote write: Prometheus, VictoriaMetrics, Mimir, one section each.
#[[remote_write]]
#name = "graphs"
#url = "https://metrics.example.org/api/v1/write"
#bearer_file = "graphs.token"     # or: user = "rmm" and password_file = "graphs.password"
#ca_file = "metrics-ca.pem"       # certificates to believe instead of the system's
#labels = { source = "bartizan" } # added to every series
"#;

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        #[derive(Deserialize)]
        struct File {
            remote_write: Vec<RawDestination>,
        }
        let file: File = toml::from_str(text).expect("TOML");
        let mut problems = Vec::new();
        parse(Path::new("/srv"), file.remote_write, &mut problems);
        problems
    }

    fn one(rest: &str) -> Vec<String> {
        problems(&format!("[[remote_write]]\nname = \"a\"\n{rest}\n"))
    }

    #[test]
    fn the_template_is_good_when_its_comment_signs_are_gone() {
        let lines =
            TEMPLATE.lines().filter_map(|line| Some(format!("{}\n", line.strip_prefix('#')?)));
        let text: String = lines.filter(|line| !line.starts_with(' ')).collect();
        assert_eq!(problems(&text), Vec::<String>::new());
    }

    #[test]
    fn every_problem_is_told() {
        for (text, expected) in [
            ("url = \"ftp://x\"", "url: write"),
            ("url = \"http://metrics.example/\"", "use https://"),
            ("url = \"https://x/\"\nuser = \"u\"", "go together"),
            (
                "url = \"https://x/\"\nuser = \"u\"\npassword_file = \"p\"\nbearer_file = \"b\"",
                "not both",
            ),
            ("url = \"https://x/\"\nuser = \"u:v\"\npassword_file = \"p\"", "cannot hold"),
            ("url = \"https://x/\"\nlabels = { tenant = \"x\" }", "used by samples"),
            ("url = \"https://x/\"\nlabels = { mount = \"x\" }", "used by samples"),
            ("url = \"https://x/\"\nlabels = { __x = \"x\" }", "used by samples"),
            ("url = \"https://x/\"\nlabels = { \"a-b\" = \"x\" }", "is no name"),
            ("url = \"https://x/\"\nlabels = { a = \"\" }", "plain text"),
        ] {
            let found = one(text);
            assert!(found.len() == 1 && found.concat().contains(expected), "{text}: {found:?}");
        }
        assert_eq!(one("url = \"http://127.0.0.1:1/\""), Vec::<String>::new());
        assert_eq!(one("url = \"http://m.example/\"\ndanger_plain = true"), Vec::<String>::new());
        let section = "[[remote_write]]\nname = \"a\"\nurl = \"https://x/\"\n";
        assert!(problems(&section.repeat(2)).concat().contains("twice"));
        let many = |count: usize| {
            let all = (0..count).map(|n| section.replace("\"a\"", &format!("\"a{n}\"")));
            problems(&all.collect::<String>()).len()
        };
        assert_eq!((many(DESTINATIONS_MAX), many(DESTINATIONS_MAX + 1)), (0, 1));
        let labels = |count: usize| {
            let all: Vec<String> = (0..count).map(|n| format!("l{n} = \"x\"")).collect();
            one(&format!("url = \"https://x/\"\nlabels = {{ {} }}", all.join(", "))).len()
        };
        assert_eq!((labels(LABELS_MAX), labels(LABELS_MAX + 1)), (0, 1));
    }
}
