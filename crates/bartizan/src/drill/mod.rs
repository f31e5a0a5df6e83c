//! `bartizan drill`: plays attackers who own the server against a real, temporary fleet, and reports what came of it.
//!
//! Every attempt is made with what that attacker has: the server's database and processes, or one person's key. Whether
//! something ran is not read from the server but from marks that the scripts would leave on this machine.

mod attempts;
mod cuts;
mod others;
mod report;
mod repository;
mod supply;
mod surroundings;
mod wire;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::demo::stage::Stage;
use crate::demo::story;
use crate::exit::refused;
use crate::home::now;
use crate::terminal::Terminal;

use attempts::Attempt;
use others::Falsified;
use report::Report;

/// Plays everything. `html` names a file for the page.
pub(crate) fn run(terminal: Terminal, html: Option<&Path>) -> Result<()> {
    let begun = Instant::now();
    let mut stage = Stage::new()?;
    terminal.show("setting up a server, two operators and three endpoints …")?;
    story::found(&mut stage).context("set up the fleet")?;
    let mut attempts = Vec::new();
    for play in attempts::ALL {
        let attempt = play.run(&mut stage)?;
        terminal.show(&line(&attempt))?;
        attempts.push(attempt);
    }
    let freeze = attempts::withheld_freeze(&mut stage).context("a freeze the server withholds")?;
    terminal.show(&line(&freeze.attempt))?;
    let freeze_ms = freeze.milliseconds;
    attempts.push(freeze.attempt);
    attempts::honest_work_goes_on(&mut stage).context("honest work after the attacks")?;
    let snapshot = attempts::SNAPSHOT.run(&mut stage)?;
    terminal.show(&line(&snapshot))?;
    attempts.push(snapshot);
    for how in [Falsified::Forked, Falsified::RolledBack] {
        let falsified = others::falsified_log(&mut stage, how).context("a falsified log")?;
        terminal.show(&line(&falsified))?;
        attempts.push(falsified);
    }

    let report = Report { made_at: now(), attempts, freeze_ms, seconds: begun.elapsed().as_secs() };
    if let Some(path) = html {
        std::fs::write(path, report.html()).with_context(|| format!("write {}", path.display()))?;
    }
    terminal.result(&report.json()?, &report.text())?;
    let executed = report.executed();
    let folder = stage.root().to_owned();
    // Ends every process of the fleet.
    drop(stage);
    if executed == 0 {
        return std::fs::remove_dir_all(&folder)
            .with_context(|| format!("remove {}", folder.display()));
    }
    Err(refused(
        format!("{executed} attempts ran something on an endpoint"),
        format!("the promise is broken; the logs are in {}", folder.display()),
    ))
}

fn line(attempt: &Attempt) -> String {
    let what = if attempt.executed { "EXECUTED" } else { "refused" };
    format!("{what:8}  {}: {} ({})", attempt.attacker, attempt.name, attempt.codes())
}
