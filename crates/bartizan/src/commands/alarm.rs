//! `alarm`: try the channels, and see what could not be delivered.

use anyhow::Result;
use clap::Subcommand;
use serde_json::json;

use super::Context;
use crate::alarm::{Alarms, Channels, Waiting, waiting};
use crate::exit::{Code, fail};
use crate::home::nonce;
use crate::terminal::{cell, table};

/// `bartizan alarm …`
#[derive(Debug, Subcommand)]
pub(crate) enum AlarmCommand {
    /// Send a test alarm by every channel of alarms.toml
    Test,
    /// List alarms that some channel has not taken yet
    List,
}

pub(crate) fn run(context: &Context, command: &AlarmCommand) -> Result<()> {
    match command {
        AlarmCommand::Test => test(context),
        AlarmCommand::List => list(context),
    }
}

fn test(context: &Context) -> Result<()> {
    let channels = Channels::load(&context.home)?.names();
    if channels.is_empty() {
        let problem = format!("{} names no channel", context.home.path("alarms.toml").display());
        return Err(fail(Code::Error, problem, "docs/guide/witnesses.md shows a whole one"));
    }
    let alarms = Alarms::open(&context.home, None)?;
    // An alarm of its own each time, which no earlier one that still waits stands in for.
    let facts = json!({ "test": nonce()? });
    alarms.raise("this is a test", &facts)?;
    alarms.deliver()?;
    if waiting(&context.home)?.iter().any(|one| one.alarm.facts == facts) {
        let problem = "the test alarm could not be delivered by every channel";
        let next = "mend what is named above, then: bartizan alarm list; a running witness tries again by itself";
        return Err(fail(Code::Error, problem, next));
    }
    let text = format!("delivered by {}", channels.join(", "));
    context.terminal.result(&json!({ "delivered": channels }), &text)
}

fn list(context: &Context) -> Result<()> {
    let waiting = waiting(&context.home)?;
    let row = |one: &Waiting| {
        let tried = one.channels.iter().map(|(name, attempts)| {
            let problem = attempts.problem.as_deref().unwrap_or("not tried yet");
            format!("{name} ({} tries): {problem}", attempts.tries)
        });
        vec![cell(&one.alarm.text), cell(&tried.collect::<Vec<_>>().join("; "))]
    };
    let rows: Vec<Vec<String>> = waiting.iter().map(row).collect();
    let text = if rows.is_empty() {
        "nothing waits".to_owned()
    } else {
        table(&["ALARM", "WAITS FOR"], &rows)
    };
    context.terminal.result(&json!({ "waiting": waiting }), &text)
}
