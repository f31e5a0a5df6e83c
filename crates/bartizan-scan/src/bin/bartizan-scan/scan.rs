//! A scan from its first line to its last.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail};
use bartizan_scan::evidence::Output;
use bartizan_scan::model::{Coverage, Ending, Finding, Level, Report, Verdict};
use bartizan_scan::report::{Form, render};
use bartizan_scan::rules::Rules;
use bartizan_scan::time::UnixSeconds;
use bartizan_scan::{builtin, self_test};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::ScanArguments;
use crate::pace::Pace;
use crate::packs::{self, Loaded};
use crate::resume::{self, State};
use crate::scope::{self, Scope};
use crate::walk::{self, Met, Plan};
use crate::{logs, output, processes, work};

/// How often the state is kept.
const STATE_EVERY: Duration = Duration::from_secs(10);

/// Scans and reports; the exit code is the verdict.
pub(crate) fn run(arguments: &ScanArguments) -> Result<u8> {
    let scope = scope::scope(arguments)?;
    let mut reports = Vec::new();
    for file in &arguments.reports {
        scope::check_outside(&scope, file)?;
        reports.push((file, output::form(file)?));
    }
    if let Some(file) = &arguments.resume {
        scope::check_outside(&scope, file)?;
    }
    let loaded = packs::load(&arguments.packs)?;
    let report = examine(arguments, &scope, loaded)?;
    for (file, form) in reports {
        output::save(&report, file, form)?;
    }
    print(arguments, &report)?;
    Ok(report.exit_code())
}

/// The scan itself, after the self-test, which it does not begin without.
pub(crate) fn examine(
    arguments: &ScanArguments,
    scope: &Scope,
    mut loaded: Loaded,
) -> Result<Report> {
    let triggers = self_test::run(&loaded.rules, &loaded.packs, &mut loaded.sigma);
    let missed: Vec<&str> = triggers.iter().filter(|t| !t.found).map(|t| t.name).collect();
    if !missed.is_empty() {
        bail!(
            "the self-test failed at {}: this scanner would miss things, so it does not begin; get the program again",
            missed.join(", ")
        );
    }
    let mut coverage = Coverage { packs: loaded.coverage.clone(), ..Coverage::default() };
    let count = u32::try_from(triggers.len()).unwrap_or(u32::MAX);
    coverage.self_test = (count, count);
    for problem in &loaded.problems {
        coverage.add_not_understood(format!("rules that are not in force: {problem}"));
    }
    let state = scan(arguments, scope, &mut loaded, coverage)?;
    Ok(finish(scope, state))
}

fn print(arguments: &ScanArguments, report: &Report) -> Result<()> {
    if arguments.packs.json {
        return output::print(&render(report, Form::Json));
    }
    let text = render(report, Form::Text);
    if arguments.quiet {
        return output::line(text.lines().last().unwrap_or_default());
    }
    output::print(&text)
}

fn scan(
    arguments: &ScanArguments,
    scope: &Scope,
    loaded: &mut Loaded,
    coverage: Coverage,
) -> Result<State> {
    let name = scan_name(scope, loaded);
    let earlier =
        arguments.resume.as_deref().map(|file| resume::load(file, &name)).transpose()?.flatten();
    let mut state = earlier.unwrap_or_else(|| State {
        scan: name,
        started: now(),
        coverage,
        ..State::default()
    });
    state.coverage.ending = Ending::Complete;
    let interrupted = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register_conditional_default(signal, Arc::clone(&interrupted))
            .and_then(|_| signal_hook::flag::register(signal, Arc::clone(&interrupted)))
            .context("watch for an interruption")?;
    }
    let pace =
        Pace::new(arguments.cpu_percent, arguments.io_mb_per_s, arguments.time_budget, interrupted);
    let plan = plan(arguments, scope, state.after.clone())?;
    walk_files(arguments, &plan, &loaded.rules, &pace, &mut state)?;
    let mut output = Output::default();
    if scope.live && !arguments.no_processes && pace.stopped().is_none() {
        processes::examine(&loaded.rules, &arguments.pids, &pace, &mut output);
    }
    if let Some(file) = &arguments.canaries {
        let root = scope.roots.first().filter(|_| !scope.live).map(std::path::PathBuf::as_path);
        crate::canaries::examine(file, root, &mut output)?;
    }
    let logs = std::mem::take(&mut state.logs);
    let engines = (&loaded.rules, &mut loaded.sigma);
    logs::examine(&loaded.packs, engines, &pace, logs, &mut output);
    state.batch.finish(&loaded.rules, &mut output);
    if arguments.logs.is_none() && pace.stopped().is_none() {
        state.presence.finish(&mut output);
    }
    take(arguments, &mut state, output);
    if let Some(ending) = pace.stopped() {
        state.coverage.ending = ending;
        if let Some(file) = &arguments.resume {
            eprintln!("interrupted: the same command goes on from {}", file.display());
        }
    } else if let Some(file) = &arguments.resume {
        resume::remove(file)?;
    }
    Ok(state)
}

fn scan_name(scope: &Scope, loaded: &Loaded) -> String {
    let packs: Vec<String> =
        loaded.coverage.iter().map(|pack| format!("{} {}", pack.name, pack.version)).collect();
    format!("{} with {}", scope.name, packs.join(", "))
}

fn plan(arguments: &ScanArguments, scope: &Scope, after: Option<String>) -> Result<Plan> {
    let mut excluded = globset::GlobSetBuilder::new();
    for pattern in &arguments.exclude {
        let pattern = pattern.to_lowercase().replace('\\', "/");
        let glob = globset::GlobBuilder::new(pattern.trim_start_matches('/'))
            .literal_separator(true)
            .build();
        excluded.add(glob.with_context(|| format!("--exclude {pattern}"))?);
    }
    let excluded = excluded.build().context("--exclude")?;
    Ok(Plan { roots: scope.roots.clone(), skipped: scope.skipped.clone(), excluded, after })
}

fn walk_files(
    arguments: &ScanArguments,
    plan: &Plan,
    rules: &Rules,
    pace: &Pace,
    state: &mut State,
) -> Result<()> {
    let bar = progress(arguments);
    let total = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let mut kept = Instant::now();
    let mut failure = None;
    std::thread::scope(|threads| {
        if !bar.is_hidden() {
            threads.spawn(|| count_ahead(plan, &over, &total));
        }
        work::run(plan, rules, pace, arguments.jobs, &mut |done| {
            bar.set_length(total.load(Ordering::Relaxed).max(bar.position()));
            bar.inc(done.bytes);
            take(arguments, state, done.output);
            state.logs.extend(done.log);
            if let Some(path) = done.path {
                state.presence.note(&bartizan_scan::path::normalise(&path));
                state.after = Some(path);
            }
            if let Some(file) =
                arguments.resume.as_deref().filter(|_| kept.elapsed() >= STATE_EVERY)
            {
                failure = failure.take().or(resume::save(state, file).err());
                kept = Instant::now();
            }
        });
        over.store(true, Ordering::Relaxed);
    });
    bar.finish_and_clear();
    if let Some(file) = arguments.resume.as_deref() {
        failure = failure.or(resume::save(state, file).err());
    }
    failure.map_or(Ok(()), Err)
}

/// Knows how much there is to read while it is being read, so that the bar can tell the time left.
fn count_ahead(plan: &Plan, over: &AtomicBool, total: &AtomicU64) {
    walk::walk(plan, &mut |met| {
        if let Met::File(found) = met {
            total.fetch_add(
                found.facts.len().min(bartizan_scan::limits::FILE_DIGEST_BYTES_MAX),
                Ordering::Relaxed,
            );
        }
        !over.load(Ordering::Relaxed)
    });
}

fn progress(arguments: &ScanArguments) -> ProgressBar {
    if arguments.quiet || arguments.packs.json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(
        "{bar:30} {bytes}/{total_bytes} {binary_bytes_per_sec} {eta} left",
    ) {
        bar.set_style(style);
    }
    bar
}

fn take(arguments: &ScanArguments, state: &mut State, output: Output) {
    state.coverage.merge(output.coverage);
    for trace in output.batch {
        state.batch.add(trace);
    }
    for finding in output.findings {
        // Text of the self-test on a disk is a copy of this program.
        if finding.pack != builtin::SELF_TEST {
            state.findings.add(expected(arguments, finding));
        }
    }
}

/// A tool that belongs here is still told, as a note.
fn expected(arguments: &ScanArguments, mut finding: Finding) -> Finding {
    let mut parts = finding.rule.id.split('.');
    if parts.next() == Some("tool")
        && let Some(tool) = parts.next()
        && arguments.expect_tools.iter().any(|expected| expected.eq_ignore_ascii_case(tool))
    {
        finding.rule.level = Level::Note;
        "nothing: it was said to belong here".clone_into(&mut finding.rule.advice);
    }
    finding
}

fn finish(scope: &Scope, state: State) -> Report {
    let (findings, findings_omitted) = state.findings.into_parts();
    Report {
        v: 1,
        tool: format!("bartizan-scan {}", env!("CARGO_PKG_VERSION")),
        scope: scope.name.clone(),
        started: state.started,
        ended: now(),
        verdict: Verdict::of(&findings),
        findings,
        findings_omitted,
        coverage: state.coverage,
        archive: None,
    }
}

fn now() -> UnixSeconds {
    crate::read::seconds(Ok(SystemTime::now())).unwrap_or_default()
}
