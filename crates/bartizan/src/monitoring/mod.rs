//! Monitoring policies in files that people write.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_trust::json::Validate as _;
use bartizan_trust::limits::{PATTERN_COMPILED_BYTES_MAX, PATTERN_NEST_MAX};
use bartizan_trust::statement::{
    Check, Class, Display, MonitoringPolicy, PolicyPlace, Subject, V1,
};
use bartizan_trust::time::UnixSeconds;
use serde::Deserialize;
use toml::{Table, Value};

use crate::exit::{Code, fail};

/// What is useful everywhere, without any configuration.
pub(crate) const DEFAULTS: &str = include_str!("defaults.toml");
/// Largest file: what is signed of it has 32 KiB.
pub(crate) const FILE_BYTES_MAX: u64 = 256 * 1024;

/// A policy as it stands in a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyFile {
    name: String,
    title: String,
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    reason: String,
    #[serde(default = "yes")]
    inherit: bool,
    #[serde(default)]
    exclude: Vec<String>,
    #[serde(default)]
    check: Vec<Table>,
}

/// What a file does not say.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    pub(crate) org: bartizan_trust::id::OrgId,
    pub(crate) bundle_min: u64,
    pub(crate) nonce: String,
    pub(crate) place: PolicyPlace,
    pub(crate) version: u64,
    pub(crate) iat: UnixSeconds,
    pub(crate) until: UnixSeconds,
}

const fn yes() -> bool {
    true
}

/// Reads a file, or the defaults.
pub(crate) fn read(path: Option<&Path>) -> Result<PolicyFile> {
    let text = match path {
        Some(path) => {
            let about = fs::metadata(path).with_context(|| format!("read {}", path.display()))?;
            if about.len() > FILE_BYTES_MAX {
                let next = "make several policies of it, each with a name of its own";
                return Err(fail(Code::Usage, "the file is larger than 256 KiB", next));
            }
            fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?
        }
        None => DEFAULTS.to_owned(),
    };
    parse(&text)
}

/// Reads a source text.
pub(crate) fn parse(text: &str) -> Result<PolicyFile> {
    toml::from_str(text).map_err(|error| wrong(&error.to_string()))
}

fn wrong(problem: &str) -> anyhow::Error {
    fail(Code::Usage, problem.to_owned(), "see `docs/guide/monitoring.md`")
}

/// A policy as a source text that gives the same again: for a next version of it.
pub(crate) fn source(policy: &MonitoringPolicy) -> Result<String> {
    let mut table = Table::new();
    let mut put = |name: &str, value: Value| table.insert(name.to_owned(), value);
    let display = &policy.display;
    put("name", policy.name.clone().into());
    put("title", display.title.clone().into());
    for (name, text) in [("ticket", &display.ticket), ("reason", &display.reason)] {
        if !text.is_empty() {
            put(name, text.clone().into());
        }
    }
    if !policy.inherit {
        put("inherit", false.into());
    }
    if !policy.exclude.is_empty() {
        put("exclude", policy.exclude.clone().into());
    }
    let checks = policy.checks.iter().map(check_source).collect::<Result<Vec<Value>>>()?;
    put("check", checks.into());
    toml::to_string_pretty(&table).context("write the policy")
}

fn check_source(check: &Check) -> Result<Value> {
    let mut table = Table::new();
    table.insert("id".to_owned(), check.id.clone().into());
    if !check.title.is_empty() {
        table.insert("title".to_owned(), check.title.clone().into());
    }
    let every = i64::try_from(check.every_s).context("write the policy")?;
    let numbers = [
        ("every", every),
        ("fails", check.fails.into()),
        ("recovers", check.recovers.into()),
        ("flaps", check.flaps.into()),
    ];
    table.extend(numbers.map(|(name, number)| (name.to_owned(), number.into())));
    let subject = Value::try_from(&check.subject).context("write the policy")?;
    table.extend(subject.as_table().cloned().unwrap_or_default());
    Ok(Value::Table(table))
}

impl PolicyFile {
    /// Its name at its place.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The statement to sign.
    pub(crate) fn statement(self, given: Given) -> Result<MonitoringPolicy> {
        let mut checks = self.check.into_iter().map(check).collect::<Result<Vec<_>>>()?;
        checks.sort_by(|a, b| a.id.cmp(&b.id));
        let mut exclude = self.exclude;
        exclude.sort();
        let policy = MonitoringPolicy {
            v: V1,
            org: given.org,
            iat: given.iat,
            crit: Vec::new(),
            nonce: given.nonce,
            bundle_min: given.bundle_min,
            class: Class::Observe,
            place: given.place,
            name: self.name,
            version: given.version,
            until: given.until,
            inherit: self.inherit,
            exclude,
            checks,
            display: Display { title: self.title, ticket: self.ticket, reason: self.reason },
        };
        policy.validate().map_err(wrong)?;
        Ok(policy)
    }
}

/// A check: its own fields, and whatever is left is what it looks at.
fn check(mut table: Table) -> Result<Check> {
    let Some(Value::String(id)) = table.remove("id") else {
        return Err(wrong("a check without an id"));
    };
    let of = |problem: &str| wrong(&format!("check `{id}`: {problem}"));
    let title = match table.remove("title") {
        Some(Value::String(title)) => title,
        Some(_) => return Err(of("title is text")),
        None => String::new(),
    };
    let mut number = |name: &str, otherwise: u64| match table.remove(name) {
        Some(Value::Integer(number)) => u64::try_from(number).ok(),
        Some(_) => None,
        None => Some(otherwise),
    };
    let (every_s, fails) = (number("every", 60), number("fails", 2));
    let (recovers, flaps) = (number("recovers", 2), number("flaps", 6));
    let small = |number: Option<u64>| number.and_then(|number| u32::try_from(number).ok());
    let (Some(every_s), Some(fails), Some(recovers), Some(flaps)) =
        (every_s, small(fails), small(recovers), small(flaps))
    else {
        return Err(of("every, fails, recovers and flaps are whole numbers"));
    };
    let subject = subject(table).map_err(|problem| of(&problem))?;
    Ok(Check { id: id.clone(), title, every_s, fails, recovers, flaps, subject })
}

/// What may be left out in a file stands in the statement.
fn subject(mut table: Table) -> Result<Subject, String> {
    let kind = table.get("kind").and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut otherwise = |name: &str, value: Value| {
        table.entry(name).or_insert(value);
    };
    let severity = || Value::String("error".to_owned());
    match kind.as_str() {
        "disk" | "inodes" => otherwise("paths", Value::Array(Vec::new())),
        "service" | "file_exists" | "file_content" | "reboot_pending" => {
            otherwise("severity", severity());
        }
        "process" => {
            otherwise("severity", severity());
            otherwise("least", Value::Integer(1));
            otherwise("most", Value::Integer(i64::from(u32::MAX)));
        }
        "backup_age" => {
            otherwise("suffix", Value::String(String::new()));
            otherwise("size_min", Value::Integer(1));
        }
        "order" => {
            otherwise("ok", Value::Array(vec![Value::Integer(0)]));
            otherwise("warn", Value::Array(Vec::new()));
        }
        "tcp" => otherwise("severity", severity()),
        "http" => {
            otherwise("severity", severity());
            otherwise("method", Value::String("get".to_owned()));
            otherwise("status", Value::Array(vec![Value::Integer(200)]));
            otherwise("tls", Value::String("verify".to_owned()));
        }
        "dns" => {
            otherwise("severity", severity());
            otherwise("wanted", Value::Array(Vec::new()));
        }
        _ => {}
    }
    let mut subject: Subject = Value::Table(table)
        .try_into()
        .map_err(|error: toml::de::Error| error.message().to_owned())?;
    match &mut subject {
        Subject::Disk { paths, .. } | Subject::Inodes { paths, .. } => paths.sort(),
        Subject::Service { units, .. } => units.sort(),
        Subject::Order { ok, warn, .. } => {
            ok.sort_unstable();
            warn.sort_unstable();
        }
        Subject::Http { status, .. } => status.sort_unstable(),
        Subject::Dns { wanted, .. } => wanted.sort(),
        Subject::FileContent { pattern, .. } | Subject::Log { pattern, .. } => {
            check_pattern(pattern)?;
        }
        _ => {}
    }
    Ok(subject)
}

/// Endpoints read patterns with the same engine and the same limits.
fn check_pattern(pattern: &str) -> Result<(), String> {
    let mut builder = regex_lite::RegexBuilder::new(pattern);
    builder.size_limit(PATTERN_COMPILED_BYTES_MAX).nest_limit(PATTERN_NEST_MAX);
    builder.build().map(drop).map_err(|error| format!("pattern: {error}"))
}

#[cfg(test)]
mod tests {
    use bartizan_trust::id::{OrgId, Sha256};
    use bartizan_trust::statement::{
        HttpMethod, Levels, Severity, TlsTrust, decode_payload, encode_payload,
    };

    use super::*;

    fn given() -> Given {
        let iat = UnixSeconds::new(1_800_000_000);
        Given {
            org: OrgId::new(Sha256::of(b"org")),
            bundle_min: 1,
            nonce: "0".repeat(32),
            place: PolicyPlace::Org {},
            version: 1,
            iat,
            until: iat.plus(86_400),
        }
    }

    fn signed(text: &str) -> Result<MonitoringPolicy> {
        parse(text)?.statement(given())
    }

    #[test]
    fn the_defaults_are_a_policy() {
        let policy = read(None).unwrap().statement(given()).unwrap();
        assert_eq!(decode_payload::<MonitoringPolicy>(&encode_payload(&policy)).unwrap(), policy);
        let ids: Vec<_> = policy.checks.iter().map(|check| check.id.as_str()).collect();
        assert_eq!(ids, ["cpu", "disk", "inodes", "load", "memory", "reboot", "swap", "updates"]);
    }

    #[test]
    fn what_a_file_leaves_out_is_filled_in() {
        let head = "name = \"web\"\ntitle = \"t\"\n[[check]]\nid = \"x\"\n";
        let only = |text: &str| signed(&format!("{head}{text}")).unwrap().checks.remove(0);
        let disk = only("kind = \"disk\"\nbelow = { error = 5 }\n");
        assert_eq!((disk.every_s, disk.fails, disk.recovers, disk.flaps), (60, 2, 2, 6));
        let below = Levels { warn: None, error: Some(5) };
        assert_eq!(disk.subject, Subject::Disk { paths: vec![], below });
        let service = only("kind = \"service\"\nunits = [\"nginx\", \"cron\"]\nevery = 30\n");
        let units = vec!["cron".to_owned(), "nginx".to_owned()];
        assert_eq!(service.subject, Subject::Service { units, severity: Severity::Error });
        assert_eq!(service.every_s, 30);
        let web =
            only("kind = \"http\"\nurl = \"https://acme.example/\"\nexpires = { warn = 21 }\n");
        let expires = Some(Levels { warn: Some(21), error: None });
        assert_eq!(
            web.subject,
            Subject::Http {
                url: "https://acme.example/".to_owned(),
                method: HttpMethod::Get,
                status: vec![200],
                contains: None,
                above: None,
                expires,
                tls: TlsTrust::Verify,
                severity: Severity::Error,
            }
        );
        let dns = only(
            "kind = \"dns\"\nname = \"acme.example\"\nrecord = \"mx\"\nwanted = [\"b\", \"a\"]\n",
        );
        assert!(matches!(dns.subject, Subject::Dns { wanted, .. } if wanted == ["a", "b"]));
    }

    #[test]
    fn a_policy_as_a_source_text_gives_the_same_again() {
        let more = "exclude = [\"load\"]\ninherit = false\n";
        let checks = "[[check]]\nid = \"a\"\nkind = \"log\"\npath = \"/var/log/a\"\npattern = '\\[(error|crit)\\]'\nabove = { warn = 1 }\n[[check]]\nid = \"b\"\ntitle = \"B\"\nkind = \"process\"\nname = \"cron\"\nevery = 30\n";
        let own = format!("name = \"web\"\ntitle = \"t \\\" x\"\nreason = \"r\"\n{more}{checks}");
        for text in [DEFAULTS, &own] {
            let policy = signed(text).unwrap();
            assert_eq!(signed(&source(&policy).unwrap()).unwrap(), policy);
        }
    }

    #[test]
    fn what_is_wrong_is_said_before_anybody_signs() {
        let head = "name = \"web\"\ntitle = \"t\"\n[[check]]\nid = \"x\"\n";
        for (text, expected) in [
            ("kind = \"disk\"\n", "below"),
            ("kind = \"magic\"\n", "magic"),
            ("kind = \"disk\"\nbelow = { error = 5 }\nmore = 1\n", "more"),
            ("kind = \"disk\"\nbelow = { error = 5.5 }\n", "x"),
            ("kind = \"memory\"\nabove = { warn = 101 }\n", "check.above"),
            ("kind = \"log\"\npath = \"/l\"\npattern = \"(\"\nabove = { warn = 1 }\n", "pattern"),
            (
                "kind = \"log\"\npath = \"/l\"\npattern = \"(a{1000}){1000}\"\nabove = { warn = 1 }\n",
                "pattern",
            ),
            ("kind = \"memory\"\nabove = { warn = 1 }\nevery = -1\n", "whole numbers"),
            ("kind = \"memory\"\nabove = { warn = 1 }\nevery = 5\n", "every_s"),
            ("kind = \"tcp\"\nhost = \"acme.example\"\nport = 22\nevery = 10\n", "every_s"),
            ("kind = \"http\"\nurl = \"file:///etc/passwd\"\n", "check.url"),
            ("kind = \"http\"\nurl = \"http://169.254.169.254/\"\n", "check.url"),
        ] {
            let error = signed(&format!("{head}{text}")).unwrap_err();
            assert!(format!("{error:#}").contains(expected), "{text}: {error:#}");
        }
        assert!(signed("name = \"web\"\n").is_err());
    }
}
