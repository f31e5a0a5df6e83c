//! Sigma rules over a stream of events made up here.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bartizan_scan::events::EventLogs;
use bartizan_scan::model::Coverage;
use bartizan_scan::pack::Pack;
use bartizan_scan::sigma::Sigma;
use bartizan_scan::{import, path};
use serde_json::json;

use super::{cpu_time, median, stream, to_f64};
use crate::output;

/// Events of one log.
const LOG_EVENTS: u64 = 20_000;

/// What one round took and found.
struct Round {
    logs: Duration,
    rules: Duration,
    events: u64,
    matches: usize,
}

/// `bench events`
pub(super) fn run(folders: &[PathBuf], events: u64, rounds: u8, as_json: bool) -> Result<u8> {
    let texts = sources(folders)?;
    if texts.is_empty() {
        bail!("no .yml files below the folders: give those of the rules, as sigma/rules");
    }
    let count = texts.len();
    let imported = import::sigma(texts.iter().map(|(name, text)| (name.as_str(), text.as_str())));
    drop(texts);
    let pack = Pack { name: "bench".to_owned(), ..imported.pack };
    let begun = cpu_time()?;
    let mut sigma = Sigma::new([&pack]);
    let compile = cpu_time()?.saturating_sub(begun);
    let loaded: u64 = sigma.loads.iter().map(|load| load.loaded).sum();
    let refused = u64::try_from(count)?.saturating_sub(loaded);
    let mut done = Vec::new();
    for _ in 0..rounds {
        done.push(round(&mut sigma, events)?);
    }
    let read = done.first().map_or(0, |round| round.events);
    let matches = done.first().map_or(0, |round| round.matches);
    let logs = median(done.iter().map(|round| round.logs).collect());
    let rules = median(done.iter().map(|round| round.rules).collect());
    let rate = |time: Duration| to_f64(read) / time.as_secs_f64().max(1e-6);
    if as_json {
        let shown = json!({
            "sources": count, "loaded": loaded, "not_understood": refused,
            "compile_cpu_ms": compile.as_millis(), "events": read, "matches": matches, "rounds": rounds,
            "events_per_cpu_s": rate(logs + rules), "events_per_cpu_s_rules_alone": rate(rules),
        });
        output::line(&shown.to_string())?;
        return Ok(0);
    }
    output::line(&format!("{count} sources: {loaded} loaded, {refused} not understood"))?;
    for rejected in imported.rejected.iter().take(20) {
        output::line(&path::shown(&format!("  {}: {}", rejected.place, rejected.why)))?;
    }
    output::line(&format!("made ready in {} ms of CPU", compile.as_millis()))?;
    output::line(&format!("{read} events, {matches} matches; medians of {rounds} rounds"))?;
    output::line(&format!(
        "per CPU second: {:.0} events read from their logs, {:.0} asked about, {:.0} both",
        rate(logs),
        rate(rules),
        rate(logs + rules)
    ))?;
    Ok(0)
}

/// The same logs once without rules and once with them.
fn round(sigma: &mut Sigma, events: u64) -> Result<Round> {
    let mut sum = Round { logs: Duration::ZERO, rules: Duration::ZERO, events: 0, matches: 0 };
    let mut without = Sigma::new([]);
    let mut first = 1;
    while first <= events {
        let wanted = LOG_EVENTS.min(events - first + 1);
        let log = stream::log(first, wanted);
        first += wanted;
        let begun = cpu_time()?;
        let (read, _) = read_log(&log, &mut without)?;
        let alone = cpu_time()?.saturating_sub(begun);
        let begun = cpu_time()?;
        let (_, matches) = read_log(&log, sigma)?;
        let both = cpu_time()?.saturating_sub(begun);
        sum.logs += alone;
        sum.rules += both.saturating_sub(alone);
        sum.events += read;
        sum.matches += matches;
    }
    Ok(sum)
}

/// How many events stand in a log, and how many matches were told.
fn read_log(log: &[u8], sigma: &mut Sigma) -> Result<(u64, usize)> {
    let mut logs = EventLogs::default();
    let mut events = 0;
    logs.read("bench", Cursor::new(log), sigma, |_| events += 1)
        .context("read the log that was made up")?;
    let mut coverage = Coverage::default();
    logs.finish(&mut coverage);
    if !coverage.not_understood.is_empty() {
        bail!("the log that was made up is not understood: {:?}", coverage.not_understood);
    }
    Ok((events, sigma.finish().0.len()))
}

fn sources(folders: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for folder in folders {
        crate::import::collect(folder, &mut files)?;
    }
    files.retain(|file| has_ending(file, &["yml", "yaml"]));
    let texts = files.into_iter().map(|file| {
        let text =
            std::fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        Ok((file.display().to_string(), text))
    });
    texts.collect()
}

fn has_ending(file: &Path, endings: &[&str]) -> bool {
    file.extension().and_then(|ending| ending.to_str()).is_some_and(|e| endings.contains(&e))
}
