//! `preflight`: is this server what we think it is, before work goes on? What the server says of itself is shown as that;
//! logs, keys and jobs are checked here, against what this console and others have witnessed.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::ServerIdentity;
use bartizan_proto::preflight::{Alarm, Check, Outcome, Quarantine, ServerPreflight};
use bartizan_trust::checkpoint;
use bartizan_trust::id::Sha256;
use bartizan_trust::merkle::{Frontier, leaf_hash};
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::FreezeScope;
use clap::Args;
use serde_json::json;

use super::{Console, Context, File, resign};
use crate::exit::{Code, fail, refused};
use crate::home::{now, read_bounded};
use crate::sign::render;
use crate::terminal::cell;
use crate::trust::{WholeLog, whole_log};
use crate::witness::{self, Log};

/// Clocks that differ by more are worth a look; by as much as endpoints allow, they are wrong.
const CLOCK_WARN_S: u64 = 30;
const CLOCK_FAIL_S: u64 = 120;

/// `bartizan preflight`
#[derive(Debug, Args)]
pub(crate) struct PreflightOptions {
    /// When nothing failed, end the quarantine
    #[arg(long)]
    lift: bool,
    /// Sign jobs again that the quarantine ended, one after the other
    #[arg(long)]
    resign: bool,
    /// A checkpoint of another operator or witness that the logs must contain; may be given more than once
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<File>,
    /// Raise the alarm: put the server in quarantine, for this reason
    #[arg(long, value_name = "REASON", conflicts_with_all = ["lift", "resign"])]
    quarantine: Option<String>,
}

pub(crate) fn run(context: &Context, options: &PreflightOptions) -> Result<()> {
    let console = context.connect()?;
    if let Some(reason) = &options.quarantine {
        return alarm(context, &console, reason);
    }
    let server: ServerPreflight = console.api.fetch("/v1/preflight")?;
    let checks = checks(context, &console, &server, &options.checkpoint)?;
    let worst = checks.iter().map(|check| check.outcome).max().unwrap_or(Outcome::Ok);
    let failed = checks.iter().filter(|check| check.outcome == Outcome::Fail).count();
    let mut lifted = false;
    if options.lift && worst < Outcome::Fail && server.quarantine.is_some() {
        context.terminal.show(&text(&server, &checks))?;
        context.terminal.confirm("End the quarantine?")?;
        console.api.send::<()>("/v1/quarantine/lift", &json!({}))?;
        lifted = true;
    }
    let quarantined = server.quarantine.is_some() && !lifted;
    let mut again = Vec::new();
    if options.resign && !quarantined && worst < Outcome::Fail {
        again = resign::all(context, &console, &server.cancelled)?;
    }
    let waiting = resign::waiting(context, &server.cancelled)?;
    let shown = json!({
        "ok": worst < Outcome::Fail, "checks": checks, "server_version": server.version,
        "quarantine": server.quarantine, "lifted": lifted, "earlier": server.lifted,
        "to_sign_again": waiting, "signed_again": again,
    });
    let mut said = text(&server, &checks);
    if lifted {
        said += "\nthe quarantine is over\n";
    } else if quarantined {
        said += "\nthe server stays in quarantine; when nothing fails: bartizan preflight --lift\n";
    }
    if !waiting.is_empty() {
        let ids: Vec<String> = waiting.iter().map(|id| format!("  {id}\n")).collect();
        said += &format!(
            "\n{} jobs were ended by a quarantine and need signing again: bartizan preflight --resign\n{}",
            waiting.len(),
            ids.concat()
        );
    }
    context.terminal.result(&shown, &said)?;
    if failed > 0 {
        return Err(refused(format!("{failed} checks failed"), "mend what they name, first"));
    }
    if quarantined && (options.lift || options.resign) {
        return Err(fail(Code::Error, "the server is still in quarantine", "give --lift as well"));
    }
    Ok(())
}

fn alarm(context: &Context, console: &Console, reason: &str) -> Result<()> {
    context.terminal.confirm("Put the server in quarantine? Jobs that wait need signing again.")?;
    console.api.send::<()>("/v1/quarantine", &Alarm { reason: reason.to_owned() })?;
    let text = "the server takes and delivers no jobs until `bartizan preflight --lift`\n\
                it only asks the server: to stop endpoints, run `bartizan freeze org`";
    context.terminal.result(&json!({ "quarantine": true }), text)
}

/// The server's own checks, then ours.
fn checks(
    context: &Context,
    console: &Console,
    server: &ServerPreflight,
    others: &[File],
) -> Result<Vec<Check>> {
    let mut checks = server.checks.clone();
    checks.push(version(server));
    checks.push(clock(server));
    checks.push(keys(console)?);
    checks.push(frozen(console, server.quarantine.as_ref()));
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let mut jobs = Vec::new();
    for log in Log::ALL {
        let key = log.key(&trust);
        let name = format!("logs.{}", log.name());
        match whole_log(&console.api, log, key) {
            Ok(whole) => {
                checks.push(witnessed(context, &name, key.name(), &whole)?);
                for file in others {
                    checks.extend(contains(&name, file, key, &whole)?);
                }
                if log == Log::Jobs {
                    jobs = whole.entries;
                }
            }
            Err(error) => {
                let next = "restore the newer database, or rebuild the logs from a mirror";
                checks.push(Check::fail(&name, format!("{error:#}"), next));
            }
        }
    }
    checks.push(resign::signed(console, &jobs)?);
    Ok(checks)
}

fn version(server: &ServerPreflight) -> Check {
    const OWN: &str = env!("CARGO_PKG_VERSION");
    let found = format!("server {}, this tool {OWN}", cell(&server.version));
    if server.version == OWN {
        return Check::ok("versions", found);
    }
    Check::warn("versions", found, "bring server and tools to the same version")
}

fn clock(server: &ServerPreflight) -> Check {
    let apart = server.now.since(now()).max(now().since(server.now));
    let found = format!("server and this computer are {apart} s apart");
    let next = "set both clocks (NTP)";
    if apart <= CLOCK_WARN_S {
        Check::ok("clock", found)
    } else if apart <= CLOCK_FAIL_S {
        Check::warn("clock", found, next)
    } else {
        Check::fail("clock", found, next)
    }
}

/// The connection has proven the key that `join` noted; the bundle must name it, and the logs' keys.
fn keys(console: &Console) -> Result<Check> {
    const NAME: &str = "keys";
    let identity: ServerIdentity = console.api.fetch("/v1/server")?;
    let bundle = &console.trust.bundle;
    let named = bundle.servers.iter().any(|server| server.spki == console.org.spki);
    let next = "restore the server's keys, or sign a bundle that names the new ones";
    Ok(if !named {
        Check::fail(NAME, "the bundle does not name the key of this server", next)
    } else if identity.control_vkey != bundle.log.control || identity.jobs_vkey != bundle.log.jobs {
        Check::fail(NAME, "the server signs its logs with other keys than the bundle names", next)
    } else {
        Check::ok(NAME, "TLS and log keys are those of the bundle")
    })
}

/// After an alarm or a restore, endpoints stand still until people have looked.
fn frozen(console: &Console, quarantine: Option<&Quarantine>) -> Check {
    const NAME: &str = "frozen";
    let mut standing = console.view.freezes.standing(now());
    if standing.any(|(_, freeze)| freeze.scope == FreezeScope::Org) {
        return Check::ok(NAME, "the whole organisation is frozen");
    }
    let Some(quarantine) = quarantine else { return Check::ok(NAME, "no quarantine, no freeze") };
    let found = "the server is in quarantine and the organisation is not frozen";
    let next = "run `bartizan freeze org`; thaw when you have looked";
    if quarantine.reasons.iter().all(|reason| reason.code == "update") {
        return Check::warn(NAME, found, next);
    }
    Check::fail(NAME, found, next)
}

/// The log still contains what this console has vouched for.
fn witnessed(context: &Context, name: &str, origin: &str, whole: &WholeLog) -> Result<Check> {
    let size = whole.opened.checkpoint.size;
    let Some(view) = witness::load(&context.home)?.views.get(origin).copied() else {
        let next = "run `bartizan preflight` on the computer of an operator who is a witness too";
        return Ok(Check::warn(name, "this console has never co-signed it", next));
    };
    if holds(whole, view.size, &view.root) {
        let found = format!("{size} entries, and all {} that this console co-signed", view.size);
        return Ok(Check::ok(name, found));
    }
    let found = format!("not what this console co-signed at {} entries (now {size})", view.size);
    let next = "do not go on: restore the newer database, or rebuild the logs from a mirror";
    Ok(Check::fail(name, found, next))
}

/// The same for a checkpoint that somebody else keeps; nothing when it is of another log.
fn contains(
    name: &str,
    file: &File,
    key: &bartizan_trust::note::VerifierKey,
    whole: &WholeLog,
) -> Result<Option<Check>> {
    let Ok(opened) = checkpoint::open(&read_bounded(file)?, key) else { return Ok(None) };
    let (theirs, shown) = (&opened.checkpoint, file.display());
    Ok(Some(if holds(whole, theirs.size, &theirs.root) {
        Check::ok(name, format!("contains the {} entries of {shown}", theirs.size))
    } else {
        let found = format!("does not contain the {} entries of {shown}", theirs.size);
        Check::fail(name, found, "do not go on: somebody has seen another history")
    }))
}

fn holds(whole: &WholeLog, size: u64, root: &Sha256) -> bool {
    let mut frontier = Frontier::default();
    for entry in whole.entries.iter().take(usize::try_from(size).unwrap_or(usize::MAX)) {
        frontier.push(leaf_hash(entry));
    }
    frontier.size() == size && frontier.root() == *root
}

fn text(server: &ServerPreflight, checks: &[Check]) -> String {
    let mut text = String::new();
    if let Some(quarantine) = &server.quarantine {
        text += &format!("IN QUARANTINE since {}\n", render::date(quarantine.since));
        for reason in &quarantine.reasons {
            text += &format!("  {}: {}\n", cell(&reason.code), cell(&reason.text));
        }
        text += "\n";
    }
    for check in checks {
        let outcome = match check.outcome {
            Outcome::Ok => "ok  ",
            Outcome::Warn => "warn",
            Outcome::Fail => "FAIL",
        };
        text += &format!("{outcome}  {:15} {}\n", cell(&check.name), cell(&check.found));
        if !check.next.is_empty() {
            text += &format!("      {:15} → {}\n", "", cell(&check.next));
        }
    }
    text
}
