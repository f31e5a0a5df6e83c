//! Processors, memory, load, services, processes, pending restarts and updates.

use std::ops::RangeInclusive;
use std::path::Path;

use bartizan_trust::statement::{Levels, Severity};
use bartizan_trust::time::UnixSeconds;

use super::{Left, Seen, fact};
use crate::limits::LOOK_PROCESSES_MAX;
use crate::sense;

pub(super) fn cpu(above: Levels, left: &mut Left) -> Vec<Seen> {
    let Some((used, all)) = fact("/proc/stat").ok().as_deref().and_then(times) else {
        return vec![Seen::unknown("/proc/stat could not be read")];
    };
    let before = core::mem::replace(left, Left::Cpu { used, all });
    let Left::Cpu { used: used_before, all: all_before } = before else { return Vec::new() };
    // After a start of the machine the times begin anew.
    let (Some(used), Some(all)) = (used.checked_sub(used_before), all.checked_sub(all_before))
    else {
        return Vec::new();
    };
    let Some(percent) = used.saturating_mul(100).checked_div(all) else { return Vec::new() };
    let percent = percent.min(100);
    vec![Seen::above(above, percent, &format!("processors {percent} % busy"))]
}

/// Time that was used, and all of it, in ticks.
fn times(stat: &str) -> Option<(u64, u64)> {
    let line = stat.lines().next()?.strip_prefix("cpu ")?;
    // User, nice, system, idle, waiting for disks, interrupts, soft interrupts, stolen. Guests are within user.
    let ticks: Vec<u64> =
        line.split_whitespace().take(8).filter_map(|word| word.parse().ok()).collect();
    let idle = ticks.get(3)?.checked_add(*ticks.get(4)?)?;
    let all = ticks.iter().try_fold(0_u64, |sum, ticks| sum.checked_add(*ticks))?;
    Some((all.checked_sub(idle)?, all))
}

pub(super) fn memory(above: Levels) -> Seen {
    used(above, "memory", "MemTotal", "MemAvailable")
}

pub(super) fn swap(above: Levels) -> Seen {
    used(above, "swap", "SwapTotal", "SwapFree")
}

fn used(above: Levels, what: &str, all: &str, free: &str) -> Seen {
    let Ok(text) = fact("/proc/meminfo") else {
        return Seen::unknown("/proc/meminfo could not be read");
    };
    match (kibibytes(&text, all), kibibytes(&text, free)) {
        (Some(0), _) => Seen::new(None, 0, &format!("no {what}")),
        (Some(all), Some(free)) => {
            let used = all.saturating_sub(free);
            let percent = used.saturating_mul(100).checked_div(all).unwrap_or(0);
            let (used, all) = (used / 1024, all / 1024);
            Seen::above(above, percent, &format!("{what} {percent} % in use, {used} of {all} MiB"))
        }
        _ => Seen::unknown("/proc/meminfo does not say"),
    }
}

fn kibibytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

pub(super) fn load(above: Levels) -> Seen {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let processors = u64::try_from(processors).unwrap_or(1);
    let hundredths = fact("/proc/loadavg").ok().as_deref().and_then(load_of_five_minutes);
    let Some(percent) = hundredths.and_then(|load| load.checked_div(processors)) else {
        return Seen::unknown("/proc/loadavg could not be read");
    };
    Seen::above(above, percent, &format!("load {percent} % for each of {processors} processors"))
}

/// In hundredths: the kernel writes two decimals.
fn load_of_five_minutes(text: &str) -> Option<u64> {
    let (whole, hundredths) = text.split_whitespace().nth(1)?.split_once('.')?;
    let hundredths = hundredths.get(..2)?.parse::<u64>().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(hundredths)
}

pub(super) fn services(units: &[String], severity: Severity) -> Vec<Seen> {
    let services = Path::new("/sys/fs/cgroup/system.slice");
    let one = |unit: &String| {
        let seen = match sense::is_service_down(services, unit) {
            Some(false) => Seen::new(None, 0, "it has processes"),
            Some(true) => Seen::new(Some(severity), 1, "it has no processes"),
            None => Seen::unknown("this machine keeps no cgroups of services"),
        };
        seen.of(unit)
    };
    units.iter().map(one).collect()
}

pub(super) fn processes(name: &str, wanted: RangeInclusive<u32>, severity: Severity) -> Seen {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Seen::unknown("/proc could not be read");
    };
    let is_one = |path: &Path| {
        let number = path.file_name().and_then(|name| name.to_str());
        number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
            && fact(&path.join("comm").to_string_lossy()).is_ok_and(|comm| comm.trim_end() == name)
    };
    let paths = entries.flatten().take(LOOK_PROCESSES_MAX).map(|entry| entry.path());
    let count = u32::try_from(paths.filter(|path| is_one(path)).count()).unwrap_or(u32::MAX);
    let bad = (!wanted.contains(&count)).then_some(severity);
    Seen::new(bad, u64::from(count), &format!("{count} processes named {name}"))
}

pub(super) fn reboot_pending(severity: Severity) -> Seen {
    if sense::is_reboot_pending() {
        Seen::new(Some(severity), 1, "the machine wants to be started anew")
    } else {
        Seen::new(None, 0, "no restart waits")
    }
}

/// What changes whenever a package does, of every packager we know.
const PACKAGE_DATABASES: [&str; 6] = [
    "/var/lib/dpkg/status",
    "/var/lib/rpm/rpmdb.sqlite",
    "/usr/lib/sysimage/rpm/rpmdb.sqlite",
    "/var/lib/rpm/Packages",
    "/lib/apk/db/installed",
    "/var/lib/pacman/local",
];

pub(super) fn update_age(above: Levels, now: UnixSeconds) -> Seen {
    let written = |path: &&str| super::files::written(Path::new(path)).ok();
    let Some(newest) = PACKAGE_DATABASES.iter().filter_map(written).max() else {
        return Seen::unknown("no database of packages was found");
    };
    let days = now.since(newest) / 86_400;
    Seen::above(above, days, &format!("packages last changed {days} days ago"))
}

#[cfg(test)]
mod tests {
    use bartizan_trust::statement::Subject;

    use super::super::{Judged, look};
    use super::*;

    const NOW: UnixSeconds = UnixSeconds::new(4_000_000_000);

    fn from(warn: u64) -> Levels {
        Levels { warn: Some(warn), error: None }
    }

    #[test]
    fn times_of_the_processors_are_used_and_idle() {
        let stat = "cpu  100 10 40 800 50 0 0 0 0 0\ncpu0 1 2 3 4\n";
        assert_eq!(times(stat), Some((150, 1000)));
        assert_eq!(times("cpu  1 2"), None);
        assert_eq!(times(""), None);
    }

    #[test]
    fn a_first_look_at_the_processors_has_nothing_to_compare_with() {
        let (mut left, subject) = (Left::Nothing, Subject::Cpu { above: from(0) });
        assert_eq!(look(&subject, &mut left, NOW), []);
        // What a machine that was started anew left behind is no difference.
        left = Left::Cpu { used: u64::MAX, all: u64::MAX };
        assert_eq!(look(&subject, &mut left, NOW), []);
        let Left::Cpu { used, all } = left else { panic!("{left:?}") };
        left = Left::Cpu { used: used.saturating_sub(50), all: all.saturating_sub(100) };
        let seen = look(&subject, &mut left, NOW);
        assert!(seen[0].value.is_some_and(|value| value <= 100), "{seen:?}");
        assert_eq!(seen[0].judged, Judged::Bad(Severity::Warn));
    }

    #[test]
    fn loads_are_hundredths() {
        assert_eq!(load_of_five_minutes("0.52 1.07 0.59 1/467 12"), Some(107));
        assert_eq!(load_of_five_minutes("nan nan nan"), None);
        assert_eq!(load_of_five_minutes(""), None);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        for subject in [
            Subject::Memory { above: from(0) },
            Subject::Swap { above: from(100) },
            Subject::Load { above: from(0) },
        ] {
            let seen = look(&subject, &mut Left::Nothing, NOW);
            assert!(seen.len() == 1 && seen[0].judged != Judged::Unknown, "{seen:?}");
        }
        assert_eq!(kibibytes("MemTotal:  2048 kB\nMemFree: 1 kB\n", "MemFree"), Some(1));
        assert_eq!(kibibytes("MemTotal:  lots\n", "MemTotal"), None);
    }

    #[test]
    fn processes_are_counted_by_name() {
        let own = fact("/proc/self/comm").unwrap();
        let own = own.trim_end();
        assert_eq!(processes(own, 1..=u32::MAX, Severity::Error).judged, Judged::Fine);
        let absent = processes("no such thing", 1..=9, Severity::Error);
        assert_eq!((absent.judged, absent.value), (Judged::Bad(Severity::Error), Some(0)));
        assert_eq!(processes("no such thing", 0..=0, Severity::Error).judged, Judged::Fine);
    }
}
