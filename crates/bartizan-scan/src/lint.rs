//! What is wrong with a pack before it scans anything: indicators that are truncated, that match everywhere, or that
//! spoke of another year.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobBuilder;

use crate::import::check_digest;
use crate::model::Level;
use crate::network::Named;
use crate::pack::{NetworkRule, Pack};

/// Domains in one pack above which a list is more likely decoys than servers of an attacker.
const DOMAINS_WITHOUT_DATES_MAX: usize = 200;

/// Paths that every machine has; a rule by path alone that names one of them fires everywhere.
const ORDINARY_PATHS: [&str; 12] = [
    "windows/system32/svchost.exe",
    "windows/system32/cmd.exe",
    "windows/system32/certutil.exe",
    "windows/system32/sfc.dll",
    "windows/explorer.exe",
    "program files/windows defender/msmpeng.exe",
    "users/alice/documents/report.docx",
    "users/alice/documents/readme.txt",
    "usr/bin/bash",
    "usr/bin/curl",
    "etc/passwd",
    "var/log/syslog",
];

/// Domains that everybody talks to.
const ORDINARY_DOMAINS: [&str; 12] = [
    "microsoft.com",
    "windowsupdate.com",
    "google.com",
    "gstatic.com",
    "github.com",
    "githubusercontent.com",
    "cloudflare.com",
    "amazonaws.com",
    "akamai.net",
    "apple.com",
    "debian.org",
    "digicert.com",
];

/// Something to correct.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Stable name of the problem.
    pub code: &'static str,
    /// Which rule, or indicator.
    pub rule: String,
    /// What is wrong and what to do.
    pub why: String,
}

/// Looks at everything in a pack.
pub fn lint(pack: &Pack) -> Vec<Problem> {
    let mut problems = Vec::new();
    digests(pack, &mut problems);
    paths(pack, &mut problems);
    network(pack, &mut problems);
    ids(pack, &mut problems);
    problems.sort();
    problems.dedup();
    problems
}

fn add(problems: &mut Vec<Problem>, code: &'static str, rule: &str, why: impl Into<String>) {
    problems.push(Problem { code, rule: rule.to_owned(), why: why.into() });
}

fn digests(pack: &Pack, problems: &mut Vec<Problem>) {
    let mut known = BTreeSet::new();
    let of_lists = pack
        .digests
        .iter()
        .flat_map(|list| list.entries.iter().map(|entry| (&list.rule.id, &entry.digest)));
    let of_rules = pack
        .files
        .iter()
        .flat_map(|file| file.when.digest.iter().map(|digest| (&file.rule.id, digest)));
    for (rule, digest) in of_lists.chain(of_rules) {
        if let Err(why) = check_digest(digest) {
            add(problems, "digest.broken", rule, format!("`{digest}`: {why}"));
        } else if !known.insert((rule, digest.to_ascii_lowercase())) {
            add(problems, "digest.twice", rule, format!("`{digest}` stands twice: remove one"));
        }
    }
}

fn paths(pack: &Pack, problems: &mut Vec<Problem>) {
    for file in &pack.files {
        let by_path_alone = crate::pack::FileCondition {
            path: file.when.path.clone(),
            not_path: file.when.not_path.clone(),
            ..Default::default()
        } == file.when;
        for glob in file.when.path.iter().chain(&file.when.not_path) {
            if glob.chars().any(char::is_uppercase) || glob.contains('\\') {
                let why =
                    format!("`{glob}`: paths are compared in lower case and with `/`; write it so");
                add(problems, "path.case", &file.rule.id, why);
            }
        }
        if by_path_alone && file.rule.level > Level::Note {
            for ordinary in ordinary_matches(file) {
                let why = format!(
                    "matches the ordinary path `{ordinary}`: add a condition on the content, or make it a note"
                );
                add(problems, "path.ordinary", &file.rule.id, why);
            }
        }
    }
}

fn ordinary_matches(file: &crate::pack::FileRule) -> impl Iterator<Item = &'static str> {
    let compiled = |globs: &[String]| -> Vec<globset::GlobMatcher> {
        let glob =
            |glob: &String| GlobBuilder::new(&glob.to_lowercase()).literal_separator(true).build();
        globs.iter().filter_map(|g| glob(g).ok()).map(|g| g.compile_matcher()).collect()
    };
    let (paths, not) = (compiled(&file.when.path), compiled(&file.when.not_path));
    ORDINARY_PATHS.into_iter().filter(move |path| {
        paths.iter().any(|glob| glob.is_match(path)) && !not.iter().any(|glob| glob.is_match(path))
    })
}

fn network(pack: &Pack, problems: &mut Vec<Problem>) {
    let mut undated_domains = 0;
    for rule in &pack.network {
        match Named::parse(&rule.indicator) {
            None => add(
                problems,
                "network.broken",
                &rule.rule.id,
                format!("`{}` is neither an address, a network nor a domain", rule.indicator),
            ),
            Some(Named::Domain(domain)) => {
                undated_domains += usize::from(rule.until.is_none());
                ordinary_domain(&domain, rule, problems);
            }
            Some(Named::Address(_) | Named::Network(..)) if rule.until.is_none() => add(
                problems,
                "network.undated",
                &rule.rule.id,
                format!(
                    "`{}`: addresses change hands; say `until` when it was bad, or it will accuse the next owner",
                    rule.indicator
                ),
            ),
            Some(Named::Network(_, length)) if length < 16 => add(
                problems,
                "network.wide",
                &rule.rule.id,
                format!("`{}` holds a part of the whole internet", rule.indicator),
            ),
            Some(_) => {}
        }
        if matches!((rule.from, rule.until), (Some(from), Some(until)) if until <= from) {
            add(
                problems,
                "network.dates",
                &rule.rule.id,
                "`until` is not after `from`: it never matches",
            );
        }
    }
    if undated_domains > DOMAINS_WITHOUT_DATES_MAX {
        let why = format!(
            "{undated_domains} domains without dates: a list this long is usually decoys from a configuration; \
             keep those that a report names, with dates"
        );
        add(problems, "network.decoys", &pack.name, why);
    }
}

fn ordinary_domain(domain: &str, rule: &NetworkRule, problems: &mut Vec<Problem>) {
    let ordinary = |known: &&str| domain == *known || known.ends_with(&format!(".{domain}"));
    if ORDINARY_DOMAINS.iter().any(ordinary) || !domain.contains('.') {
        add(
            problems,
            "network.ordinary",
            &rule.rule.id,
            format!("`{domain}` is a domain that every machine talks to"),
        );
    }
}

fn ids(pack: &Pack, problems: &mut Vec<Problem>) {
    let ids = pack
        .files
        .iter()
        .map(|r| &r.rule.id)
        .chain(pack.registry.iter().map(|r| &r.rule.id))
        .chain(pack.commands.iter().map(|r| &r.rule.id))
        .chain(pack.sequences.iter().map(|r| &r.rule.id));
    let mut counts: BTreeMap<&String, u32> = BTreeMap::new();
    for id in ids {
        *counts.entry(id).or_default() += 1;
    }
    for (id, _) in counts.into_iter().filter(|(_, count)| *count > 1) {
        add(problems, "rule.twice", id, "two rules have this id: give each its own");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Rule};
    use crate::pack::{DigestEntry, DigestList, FileCondition, FileRule};
    use crate::time::UnixSeconds;

    fn rule(id: &str) -> Rule {
        Rule {
            id: id.to_owned(),
            reason: String::new(),
            level: Level::Suspicious,
            confidence: Confidence::Low,
            stage: None,
            source: String::new(),
            advice: String::new(),
        }
    }

    fn codes(pack: &Pack) -> Vec<&'static str> {
        lint(pack).into_iter().map(|problem| problem.code).collect()
    }

    fn by_path(path: &str) -> Pack {
        let when = FileCondition { path: vec![path.to_owned()], ..FileCondition::default() };
        Pack { files: vec![FileRule { rule: rule("f"), when }], ..Pack::default() }
    }

    fn by_indicator(indicator: &str, until: Option<i64>) -> Pack {
        let network = NetworkRule {
            rule: rule("n"),
            indicator: indicator.to_owned(),
            from: Some(UnixSeconds(10)),
            until: until.map(UnixSeconds),
        };
        Pack { network: vec![network], ..Pack::default() }
    }

    #[test]
    fn truncated_doubled_and_empty_digests_are_found() {
        let list = |digests: &[&str]| Pack {
            digests: vec![DigestList {
                rule: rule("d"),
                path: Vec::new(),
                entries: digests
                    .iter()
                    .map(|digest| DigestEntry {
                        digest: (*digest).to_owned(),
                        also: Vec::new(),
                        what: String::new(),
                    })
                    .collect(),
            }],
            ..Pack::default()
        };
        let whole = "0123456789abcdef0123456789abcdef";
        assert_eq!(codes(&list(&[whole])), [""; 0]);
        assert_eq!(codes(&list(&[&whole[1..]])), ["digest.broken"]);
        assert_eq!(codes(&list(&["d41d8cd98f00b204e9800998ecf8427e"])), ["digest.broken"]);
        assert_eq!(codes(&list(&[whole, &whole.to_uppercase()])), ["digest.twice"]);
    }

    #[test]
    fn paths_that_match_nothing_or_everything_are_found() {
        assert_eq!(codes(&by_path("**/kworking/agent.crt")), [""; 0]);
        assert_eq!(codes(&by_path("**/Kworking/agent.crt")), ["path.case"]);
        assert_eq!(codes(&by_path("**/windows/system32/sfc.dll")), ["path.ordinary"]);
        let mut with_content = by_path("**/windows/system32/sfc.dll");
        with_content.files[0].when.renamed = true;
        assert_eq!(codes(&with_content), [""; 0]);
    }

    #[test]
    fn indicators_that_accuse_the_wrong_ones_are_found() {
        assert_eq!(codes(&by_indicator("192.0.2.7", Some(20))), [""; 0]);
        assert_eq!(codes(&by_indicator("192.0.2.7", None)), ["network.undated"]);
        assert_eq!(codes(&by_indicator("192.0.2.7", Some(5))), ["network.dates"]);
        assert_eq!(codes(&by_indicator("10.0.0.0/8", Some(20))), ["network.wide"]);
        assert_eq!(codes(&by_indicator("microsoft.com", None)), ["network.ordinary"]);
        assert_eq!(codes(&by_indicator("not one", None)), ["network.broken"]);
    }

    #[test]
    fn a_list_of_decoys_is_found() {
        let mut pack = by_indicator("bad.example", None);
        let one = pack.network[0].clone();
        for number in 0..DOMAINS_WITHOUT_DATES_MAX {
            let indicator = format!("shop{number}.example");
            pack.network.push(NetworkRule { indicator, ..one.clone() });
        }
        assert_eq!(codes(&pack), ["network.decoys"]);
        assert!(!codes(&by_indicator("bad.example", None)).contains(&"network.decoys"));
    }
}
