//! What a monitoring policy has endpoints look at, and from when on that is bad. Specification: `docs/spec/policy.md`.

use serde::{Deserialize, Serialize};

use super::is_plain_text;
use super::network::{DnsRecord, HttpMethod, TlsTrust, check_network};
use super::trigger::{is_path, is_unit_name};
use crate::id::StatementId;
use crate::limits;

/// One thing to look at again and again. Nothing in it starts a program, writes a file or sends more than a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Its name: the same name in a nearer policy takes its place.
    pub id: String,
    /// For people; may be empty.
    pub title: String,
    /// Seconds between two looks.
    pub every_s: u64,
    /// So many looks in a row must be bad before its state is.
    pub fails: u32,
    /// So many looks in a row must be better before its state is.
    pub recovers: u32,
    /// After so many changes within an hour its state gets no better until there were fewer; 0: never held.
    pub flaps: u32,
    /// What is looked at.
    pub subject: Subject,
}

/// What is looked at: one variant per kind, each with exactly its own fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// Time of all processors that was used since the look before, in per cent.
    Cpu {
        /// Bad from here on.
        above: Levels,
    },
    /// Memory that programs cannot have any more, in per cent.
    Memory {
        /// Bad from here on.
        above: Levels,
    },
    /// Swap space in use, in per cent.
    Swap {
        /// Bad from here on.
        above: Levels,
    },
    /// Load of five minutes for each processor, in per cent.
    Load {
        /// Bad from here on.
        above: Levels,
    },
    /// Room left on file systems, in per cent, as `df` shows it.
    Disk {
        /// Any path on each; empty: every file system on a device of this machine.
        paths: Vec<String>,
        /// Bad from here down.
        below: Levels,
    },
    /// Inodes left on file systems, in per cent.
    Inodes {
        /// As of `disk`.
        paths: Vec<String>,
        /// Bad from here down.
        below: Levels,
    },
    /// Whether services have processes.
    Service {
        /// Their names.
        units: Vec<String>,
        /// How bad it is when one has none.
        severity: Severity,
    },
    /// How many processes of a name there are.
    Process {
        /// Its name as the kernel has it: at most 15 bytes.
        name: String,
        /// At least so many.
        least: u32,
        /// At most so many.
        most: u32,
        /// How bad it is otherwise.
        severity: Severity,
    },
    /// Whether the machine says that it wants to be started anew.
    RebootPending {
        /// How bad that is.
        severity: Severity,
    },
    /// Days since packages were last changed.
    UpdateAge {
        /// Bad from here on.
        above: Levels,
    },
    /// Seconds since a file was last written.
    FileAge {
        /// Its path.
        path: String,
        /// Bad from here on.
        above: Levels,
        /// How bad it is when there is none; left out: not at all.
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<Severity>,
    },
    /// Bytes of a file.
    FileSize {
        /// Its path.
        path: String,
        /// Bad from here on.
        above: Levels,
        /// As of `file_age`.
        #[serde(skip_serializing_if = "Option::is_none")]
        absent: Option<Severity>,
    },
    /// Whether there is a file.
    FileExists {
        /// Its path.
        path: String,
        /// Whether there should be one.
        wanted: bool,
        /// How bad it is otherwise.
        severity: Severity,
    },
    /// Whether a file has a line that a pattern matches.
    FileContent {
        /// Its path.
        path: String,
        /// A regular expression.
        pattern: String,
        /// Whether there should be such a line.
        wanted: bool,
        /// How bad it is otherwise, and when there is no such file.
        severity: Severity,
    },
    /// How many lines that a pattern matches a log has got since the look before.
    Log {
        /// Its path.
        path: String,
        /// A regular expression.
        pattern: String,
        /// Bad from here on.
        above: Levels,
    },
    /// Seconds since the newest file under a folder was written.
    BackupAge {
        /// The folder.
        folder: String,
        /// Only files whose names end so; may be empty.
        suffix: String,
        /// Only files of at least so many bytes.
        size_min: u64,
        /// Bad from here on; no such file is as bad as it gets.
        above: Levels,
    },
    /// How the newest run of a standing order ended, by its exit status. Nothing runs because of this.
    Order {
        /// The order.
        order: StatementId,
        /// Good.
        ok: Vec<i32>,
        /// Not so good; any other is an error.
        warn: Vec<i32>,
    },
    /// Days until the first certificates of a file end.
    CertificateFile {
        /// Its path.
        path: String,
        /// Bad from here down.
        below: Levels,
    },
    /// Whether somebody listens on a port, and what they say first.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
        /// What must be in the first kibibyte that comes unasked.
        #[serde(skip_serializing_if = "Option::is_none")]
        banner: Option<String>,
        /// Milliseconds until it was there that are bad.
        #[serde(skip_serializing_if = "Option::is_none")]
        above: Option<Levels>,
        /// How bad it is when it is not.
        severity: Severity,
    },
    /// What a web server answers. Redirections are not followed.
    Http {
        /// `http:` or `https:`.
        url: String,
        /// What is asked.
        method: HttpMethod,
        /// Good codes.
        status: Vec<u16>,
        /// What must be in the first 64 KiB of the body.
        #[serde(skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
        /// Milliseconds until the whole answer that are bad.
        #[serde(skip_serializing_if = "Option::is_none")]
        above: Option<Levels>,
        /// Days until its certificate ends: bad from here down.
        #[serde(skip_serializing_if = "Option::is_none")]
        expires: Option<Levels>,
        /// Whether the certificate must be believed.
        tls: TlsTrust,
        /// How bad another answer is, or none.
        severity: Severity,
    },
    /// What a name server answers.
    Dns {
        /// The name.
        name: String,
        /// Which of its records.
        record: DnsRecord,
        /// Whom to ask; left out: the endpoint's own name servers.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// Exactly these; empty: any.
        wanted: Vec<String>,
        /// Milliseconds until the answer that are bad.
        #[serde(skip_serializing_if = "Option::is_none")]
        above: Option<Levels>,
        /// How bad another answer is, or none.
        severity: Severity,
    },
    /// Whether a machine answers echo requests (ICMP).
    Ping {
        /// A name or an address.
        host: String,
        /// Per cent without an answer that are bad.
        #[serde(skip_serializing_if = "Option::is_none")]
        loss: Option<Levels>,
        /// Milliseconds there and back that are bad.
        #[serde(skip_serializing_if = "Option::is_none")]
        above: Option<Levels>,
    },
}

/// From where on a value is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    /// Not so good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warn: Option<u64>,
    /// Bad.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<u64>,
}

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Not so good.
    Warn,
    /// Bad.
    Error,
}

impl Levels {
    /// How bad a value is where more is worse.
    pub fn above(self, value: u64) -> Option<Severity> {
        self.judge(|level| value >= level)
    }

    /// How bad a value is where less is worse.
    pub fn below(self, value: u64) -> Option<Severity> {
        self.judge(|level| value <= level)
    }

    fn judge(self, reached: impl Fn(u64) -> bool) -> Option<Severity> {
        let error = self.error.is_some_and(&reached).then_some(Severity::Error);
        error.or_else(|| self.warn.is_some_and(&reached).then_some(Severity::Warn))
    }

    /// The worst that is possible.
    pub fn worst(self) -> Severity {
        if self.error.is_some() { Severity::Error } else { Severity::Warn }
    }

    fn rise(self, most: u64) -> bool {
        let fine = |level: Option<u64>| level.is_none_or(|level| level <= most);
        let ordered = self.warn.is_none_or(|warn| self.error.is_none_or(|error| warn <= error));
        (self.warn.is_some() || self.error.is_some())
            && fine(self.warn)
            && fine(self.error)
            && ordered
    }

    fn fall(self, most: u64) -> bool {
        Self { warn: self.error, error: self.warn }.rise(most)
    }
}

impl Subject {
    /// Its kind in one word.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Cpu { .. } => "cpu",
            Self::Memory { .. } => "memory",
            Self::Swap { .. } => "swap",
            Self::Load { .. } => "load",
            Self::Disk { .. } => "disk",
            Self::Inodes { .. } => "inodes",
            Self::Service { .. } => "service",
            Self::Process { .. } => "process",
            Self::RebootPending { .. } => "reboot_pending",
            Self::UpdateAge { .. } => "update_age",
            Self::FileAge { .. } => "file_age",
            Self::FileSize { .. } => "file_size",
            Self::FileExists { .. } => "file_exists",
            Self::FileContent { .. } => "file_content",
            Self::Log { .. } => "log",
            Self::BackupAge { .. } => "backup_age",
            Self::Order { .. } => "order",
            Self::CertificateFile { .. } => "certificate_file",
            Self::Tcp { .. } => "tcp",
            Self::Http { .. } => "http",
            Self::Dns { .. } => "dns",
            Self::Ping { .. } => "ping",
        }
    }
}

impl Check {
    /// Which limit it breaks.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        // What a server says itself of an endpoint must not look like something the endpoint says.
        if !is_check_name(&self.id) || self.id == "link" {
            return Err("check.id: a short lower-case name, and not `link`");
        }
        if !is_plain_text(&self.title, limits::TEXT_BYTES_MAX) {
            return Err("check.title: one line of plain text");
        }
        if !(limits::CHECK_EVERY_S_MIN..=limits::CHECK_EVERY_S_MAX).contains(&self.every_s) {
            return Err("check.every_s: 10 seconds to 7 days");
        }
        if self.subject.uses_network() && self.every_s < limits::NETWORK_EVERY_S_MIN {
            return Err("check.every_s: at least 30 seconds where the network is used");
        }
        let looks = 1..=limits::CHECK_LOOKS_MAX;
        if !looks.contains(&self.fails) || !looks.contains(&self.recovers) {
            return Err("check.fails, recovers: 1 to 60");
        }
        if self.flaps > limits::CHECK_LOOKS_MAX {
            return Err("check.flaps: at most 60");
        }
        check_subject(&self.subject)
    }
}

/// A name of a check or a policy: `[a-z0-9][a-z0-9-]{0,31}`, as of tenants.
pub(super) fn is_check_name(name: &str) -> bool {
    crate::id::SiteId::from_name(name).is_ok()
}

fn check_subject(subject: &Subject) -> Result<(), &'static str> {
    match subject {
        Subject::Cpu { above } | Subject::Memory { above } | Subject::Swap { above } => {
            rising(*above, 100)
        }
        Subject::Load { above } => rising(*above, 100_000),
        Subject::Disk { paths, below } | Subject::Inodes { paths, below } => {
            let few = paths.len() <= limits::CHECK_NAMES_MAX;
            if !few || !paths.iter().all(|path| is_path(path)) || !each_once(paths) {
                return Err("check.paths: at most 16 absolute paths, sorted, each once");
            }
            if below.fall(100) { Ok(()) } else { Err("check.below: warn, error, or both") }
        }
        Subject::Service { units, .. } => {
            let some = (1..=limits::CHECK_NAMES_MAX).contains(&units.len());
            if some && units.iter().all(|unit| is_unit_name(unit)) && each_once(units) {
                Ok(())
            } else {
                Err("check.units: 1 to 16 names of services, sorted, each once")
            }
        }
        Subject::Process { name, least, most, .. } => {
            if name.is_empty() || !is_plain_text(name, limits::PROCESS_NAME_BYTES_MAX) {
                return Err("check.name: 1 to 15 bytes of plain text");
            }
            if least <= most { Ok(()) } else { Err("check.least: not above most") }
        }
        Subject::RebootPending { .. } => Ok(()),
        Subject::UpdateAge { above } => rising(*above, 36_500),
        Subject::FileAge { path, above, .. } => path_and(path, rising(*above, limits::INTEGER_MAX)),
        Subject::FileSize { path, above, .. } => {
            path_and(path, rising(*above, limits::INTEGER_MAX))
        }
        Subject::FileExists { path, .. } => path_and(path, Ok(())),
        Subject::FileContent { path, pattern, .. } => path_and(path, check_pattern(pattern)),
        Subject::Log { path, pattern, above } => {
            path_and(path, check_pattern(pattern).and_then(|()| rising(*above, 1_000_000)))
        }
        Subject::BackupAge { folder, suffix, size_min, above } => {
            if !is_plain_text(suffix, 64) || suffix.contains('/') {
                return Err("check.suffix: the end of a file's name");
            }
            if *size_min > limits::INTEGER_MAX {
                return Err("check.size_min: out of range");
            }
            path_and(folder, rising(*above, limits::INTEGER_MAX))
        }
        Subject::Order { ok, warn, .. } => {
            let sorted = |codes: &[i32]| codes.is_sorted_by(|a, b| a < b);
            let few = ok.len().saturating_add(warn.len()) <= limits::CHECK_NAMES_MAX;
            if few && sorted(ok) && sorted(warn) && !ok.iter().any(|code| warn.contains(code)) {
                Ok(())
            } else {
                Err("check.ok, warn: at most 16 exit statuses, sorted, each once")
            }
        }
        Subject::CertificateFile { path, below } => path_and(path, falling_days(*below)),
        Subject::Tcp { .. } | Subject::Http { .. } | Subject::Dns { .. } | Subject::Ping { .. } => {
            check_network(subject)
        }
    }
}

/// A century is more than certificates have.
pub(super) fn falling_days(levels: Levels) -> Result<(), &'static str> {
    if levels.fall(36_500) {
        Ok(())
    } else {
        Err("check.below, expires: warn, error, or both; error not before warn")
    }
}

pub(super) fn rising(levels: Levels, most: u64) -> Result<(), &'static str> {
    if levels.rise(most) {
        Ok(())
    } else {
        Err("check.above: warn, error, or both; error not before warn")
    }
}

fn path_and(path: &str, rest: Result<(), &'static str>) -> Result<(), &'static str> {
    if is_path(path) { rest } else { Err("check.path: an absolute path") }
}

fn check_pattern(pattern: &str) -> Result<(), &'static str> {
    if pattern.is_empty() || !is_plain_text(pattern, limits::PATTERN_BYTES_MAX) {
        return Err("check.pattern: 1 to 256 bytes of plain text");
    }
    Ok(())
}

pub(super) fn each_once(names: &[String]) -> bool {
    names.is_sorted_by(|a, b| a < b)
}
