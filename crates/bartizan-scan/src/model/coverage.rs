//! Coverage: what there was to see and what was seen. A verdict without it is worth nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::limits;
use crate::time::UnixSeconds;

/// What one scan covered.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Coverage {
    /// Files, by what became of them.
    pub files: FileCounts,
    /// Bytes read.
    pub bytes: u64,
    /// Kinds of evidence: what existed and what was understood.
    pub areas: BTreeMap<Area, AreaCoverage>,
    /// Periods logs speak about.
    pub periods: Vec<Period>,
    /// Rule packs.
    pub packs: Vec<PackCoverage>,
    /// What could not be read and why, up to [`limits::UNREADABLE_NAMED_MAX`] by name.
    pub unreadable: Vec<Unreadable>,
    /// All of them, also those not named.
    pub unreadable_count: u64,
    /// What was read but not understood, by reason.
    pub not_understood: BTreeMap<String, u64>,
    /// Triggers of the self-test that were recognised, and how many there are.
    pub self_test: (u32, u32),
    /// How the scan ended.
    pub ending: Ending,
}

/// Files by what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileCounts {
    /// Names that were met.
    pub found: u64,
    /// Read whole.
    pub read: u64,
    /// Of large ones: beginning, end and perhaps the digest.
    pub partly: u64,
    /// Could not be read.
    pub unreadable: u64,
    /// Links, devices, sockets, pipes: never opened.
    pub special: u64,
    /// Left out because somebody said so.
    pub excluded: u64,
    /// Changed while they were read.
    pub changed: u64,
    /// Members of archives.
    pub members: u64,
}

/// Kinds of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Archives.
    Archives,
    /// Registry hives.
    Registry,
    /// Windows scheduled tasks.
    ScheduledTasks,
    /// Windows event logs.
    EventLogs,
    /// Web and application logs.
    WebLogs,
    /// cron.
    Cron,
    /// systemd units.
    Units,
    /// Keys that may log in.
    AuthorizedKeys,
    /// Shell start-up files.
    ShellStartup,
    /// Shell and PowerShell histories.
    Histories,
    /// Folders a web server serves.
    WebRoots,
    /// Memory of processes.
    Processes,
    /// Canary files.
    Canaries,
}

/// One kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AreaCoverage {
    /// Sources that existed.
    pub existed: u64,
    /// Read and understood.
    pub read: u64,
    /// Entries in them: lines, keys, events, members.
    pub entries: u64,
}

/// A period a log speaks about, and the days it is silent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// Which log.
    pub log: String,
    /// First entry.
    pub from: UnixSeconds,
    /// Last entry.
    pub until: UnixSeconds,
    /// Gaps that its own rhythm does not explain, as days or ranges.
    pub missing: Vec<String>,
}

/// A rule pack as it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackCoverage {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// When it was made.
    pub made: UnixSeconds,
    /// `built in`, the key that signed it, or `unsigned`.
    pub trust: String,
    /// Rules and digests it says it has.
    pub expected: u64,
    /// Rules and digests that are in force.
    pub loaded: u64,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unreadable {
    /// What.
    pub place: String,
    /// Why.
    pub why: String,
}

/// How a scan ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// At its end.
    #[default]
    Complete,
    /// Somebody interrupted it.
    Interrupted,
    /// Its time was up.
    OutOfTime,
}

impl Coverage {
    /// Notes something that could not be read.
    pub fn add_unreadable(&mut self, place: impl Into<String>, why: impl Into<String>) {
        self.unreadable_count += 1;
        if self.unreadable.len() < limits::UNREADABLE_NAMED_MAX {
            self.unreadable.push(Unreadable { place: place.into(), why: why.into() });
        }
    }

    /// Notes something that was read but not understood.
    pub fn add_not_understood(&mut self, why: impl Into<String>) {
        *self.not_understood.entry(why.into()).or_default() += 1;
    }

    /// Notes a source of evidence that was read and understood.
    pub fn add_read(&mut self, area: Area, entries: u64) {
        let counts = self.areas.entry(area).or_default();
        counts.existed += 1;
        counts.read += 1;
        counts.entries += entries;
    }

    /// Notes a source of evidence that exists but could not be used.
    pub fn add_existing(&mut self, area: Area) {
        self.areas.entry(area).or_default().existed += 1;
    }

    /// Adds what another part of the same scan covered.
    pub fn merge(&mut self, other: Self) {
        self.files.merge(other.files);
        self.bytes += other.bytes;
        for (area, counts) in other.areas {
            let sum = self.areas.entry(area).or_default();
            sum.existed += counts.existed;
            sum.read += counts.read;
            sum.entries += counts.entries;
        }
        self.periods.extend(other.periods);
        self.packs.extend(other.packs);
        let room = limits::UNREADABLE_NAMED_MAX.saturating_sub(self.unreadable.len());
        self.unreadable.extend(other.unreadable.into_iter().take(room));
        self.unreadable_count += other.unreadable_count;
        for (why, count) in other.not_understood {
            *self.not_understood.entry(why).or_default() += count;
        }
    }

    /// Gives up half of its longest list of names; what was counted stays counted. Returns whether there was anything to give up.
    pub fn shorten(&mut self) -> bool {
        let lengths =
            [self.unreadable.len(), self.periods.len(), self.not_understood.len()].into_iter();
        let Some((longest, length)) = lengths.enumerate().max_by_key(|(_, length)| *length) else {
            return false;
        };
        if length < 3 {
            return false;
        }
        match longest {
            0 => self.unreadable.truncate(length / 2),
            1 => self.periods.truncate(length / 2),
            _ => {
                let rest = self.not_understood.keys().nth(length / 2).cloned();
                let rest = rest.map(|from| self.not_understood.split_off(&from));
                let counted: u64 = rest.iter().flat_map(BTreeMap::values).sum();
                *self.not_understood.entry("and more".to_owned()).or_default() += counted;
            }
        }
        true
    }

    /// Everything that existed was read, every rule was in force, and nothing ended early.
    pub fn is_complete(&self) -> bool {
        self.ending == Ending::Complete
            && self.unreadable_count == 0
            && self.self_test.0 == self.self_test.1
            && self.packs.iter().all(|pack| pack.loaded == pack.expected)
            && self.areas.values().all(|area| area.read == area.existed)
    }
}

impl FileCounts {
    fn merge(&mut self, other: Self) {
        self.found += other.found;
        self.read += other.read;
        self.partly += other.partly;
        self.unreadable += other.unreadable;
        self.special += other.special;
        self.excluded += other.excluded;
        self.changed += other.changed;
        self.members += other.members;
    }
}

impl Area {
    /// For people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Archives => "archives",
            Self::Registry => "registry hives",
            Self::ScheduledTasks => "scheduled tasks",
            Self::EventLogs => "event logs",
            Self::WebLogs => "web logs",
            Self::Cron => "cron tables",
            Self::Units => "systemd units",
            Self::AuthorizedKeys => "authorized keys",
            Self::ShellStartup => "shell start-up files",
            Self::Histories => "command histories",
            Self::WebRoots => "web roots",
            Self::Processes => "processes",
            Self::Canaries => "canaries",
        }
    }
}
