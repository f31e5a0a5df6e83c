//! How many processes there are, and which programs take the most.

use std::collections::{BTreeMap, HashMap};
use std::fs;

use super::{Reading, fact, float, hundredths, push};
use crate::limits::{METRIC_PROCESSES_MAX, METRIC_TOP};

/// What every process had used when it was last looked at.
#[derive(Debug, Default)]
pub(super) struct Processes {
    /// By id and start, since ids come again.
    ticks: HashMap<(u32, u64), u64>,
}

/// A line of `/proc/PID/stat`.
#[derive(Debug, PartialEq)]
struct Process {
    name: String,
    start: u64,
    ticks: u64,
    pages: u64,
}

impl Processes {
    /// `elapsed` is what one processor could have done since the last time, in ticks.
    pub(super) fn measure(&mut self, elapsed: Option<f64>, memory: f64, out: &mut Vec<Reading>) {
        let mut count = 0_u64;
        let mut now = HashMap::new();
        let mut cpu: BTreeMap<String, f64> = BTreeMap::new();
        let mut resident: BTreeMap<String, f64> = BTreeMap::new();
        for pid in ids() {
            count += 1;
            if now.len() >= METRIC_PROCESSES_MAX {
                continue;
            }
            // Gone meanwhile.
            let Some(process) = parse(&fact(&format!("/proc/{pid}/stat"))) else { continue };
            let before = self.ticks.get(&(pid, process.start)).copied();
            // One that began in between spent all of its time in between.
            let spent = process.ticks.saturating_sub(before.unwrap_or(0));
            now.insert((pid, process.start), process.ticks);
            *cpu.entry(process.name.clone()).or_default() += float(spent);
            *resident.entry(process.name).or_default() += float(process.pages);
        }
        let known = !self.ticks.is_empty();
        self.ticks = now;
        push(out, "bartizan_processes", "", float(count));
        if let Some(elapsed) = elapsed.filter(|_| known) {
            let percent = |ticks| 100.0 * ticks / elapsed.max(1.0);
            top("bartizan_process_cpu_percent", cpu, percent, out);
        }
        if memory > 0.0 {
            let percent = |pages| 100.0 * pages * page_bytes() / memory;
            top("bartizan_process_memory_percent", resident, percent, out);
        }
    }
}

fn ids() -> impl Iterator<Item = u32> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

fn top(
    metric: &'static str,
    used: BTreeMap<String, f64>,
    percent: impl Fn(f64) -> f64,
    out: &mut Vec<Reading>,
) {
    let percents = used.into_iter().map(|(name, used)| (hundredths(percent(used)), name));
    let mut busy: Vec<(f64, String)> = percents.filter(|(percent, _)| *percent > 0.0).collect();
    busy.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (percent, name) in busy.into_iter().take(METRIC_TOP) {
        push(out, metric, &name, percent);
    }
}

/// The name stands in brackets and may hold anything, brackets too.
fn parse(stat: &str) -> Option<Process> {
    let (rest, fields) = stat.rsplit_once(')')?;
    let (_, name) = rest.split_once('(')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let name = super::label(name);
    let name = if name.is_empty() { "?".to_owned() } else { name };
    Some(Process {
        name,
        ticks: number(11)?.saturating_add(number(12)?),
        start: number(19)?,
        pages: number(21)?,
    })
}

fn page_bytes() -> f64 {
    float(u64::try_from(rustix::param::page_size()).unwrap_or(4096))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_calls_itself() {
        let fields =
            "S 1 1 1 0 -1 4194304 1 2 3 4 70 30 5 6 20 0 1 0 12345 9999 250 18446744073709551615";
        for (name, shown) in
            [("bash", "bash"), ("a) S 1 (b", "a) S 1 (b"), ("", "?"), ("\u{1b}[1m", "[1m")]
        {
            let process = parse(&format!("42 ({name}) {fields}")).unwrap();
            assert_eq!((process.ticks, process.start, process.pages), (100, 12_345, 250));
            assert_eq!(process.name, shown);
        }
        for stat in ["", "42", "42 (a", "42 (a) S 1", "42 (a) x x x x x x x x x x x x x"] {
            assert_eq!(parse(stat), None);
        }
    }

    #[test]
    fn the_largest_come_first_and_there_are_few() {
        let used = (0..20_u32).map(|n| (format!("p{n}"), f64::from(n))).collect();
        let mut out = Vec::new();
        top("bartizan_process_cpu_percent", used, |value| value, &mut out);
        assert_eq!(out.len(), METRIC_TOP);
        assert_eq!((out[0].label.as_str(), out[0].value), ("p19", 19.0));
    }
}
