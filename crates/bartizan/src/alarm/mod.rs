//! Alarms: by the operator's or the guardian's own computer, never through the server. They wait on the disk until every channel
//! has them.

mod config;
mod desktop;
mod outbox;

pub(crate) use config::Channels;
use outbox::Alarm;
pub(crate) use outbox::{Waiting, waiting};

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::home::{Home, now};

/// How often the outbox is looked into: another process may raise an alarm.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a witness that ends because of what it saw goes on trying to tell.
const LAST_WORDS: Duration = Duration::from_hours(24);

/// Where alarms go: the channels of the home, and a command, if one is given.
#[derive(Debug, Clone)]
pub(crate) struct Alarms {
    home: Home,
    command: Option<String>,
}

impl Alarms {
    /// A wrong `alarms.toml` is told now, not when it is needed.
    pub(crate) fn open(home: &Home, command: Option<&str>) -> Result<Self> {
        Channels::load(home)?;
        Ok(Self { home: home.clone(), command: command.map(str::to_owned) })
    }

    /// Raises an alarm: it is durable when this returns. The command has run; the channels are tried by [`Alarms::tend`].
    pub(crate) fn raise(&self, text: &str, facts: &Value) -> Result<()> {
        let channels = Channels::load(&self.home)?;
        if !channels.names().is_empty() {
            outbox::put(&self.home, &channels, &Alarm::new(text, facts, now()))?;
        }
        match &self.command {
            Some(command) => run_command(command, text, facts),
            None => Ok(()),
        }
    }

    /// Sends what is due; what went wrong is told on standard error, and tried again later.
    pub(crate) fn deliver(&self) -> Result<()> {
        let channels = Channels::load(&self.home)?;
        for failure in outbox::deliver(&self.home, &channels, now())? {
            eprintln!("alarm not delivered: {failure}");
        }
        Ok(())
    }

    /// Sends for as long as this, and sleeps in between.
    pub(crate) fn tend(&self, time: Duration) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.deliver()?;
            let left = time.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(LOOK_EVERY));
        }
    }

    /// Sends until nothing waits, for a witness that is about to end.
    pub(crate) fn finish(&self) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.deliver()?;
            if waiting(&self.home)?.is_empty() || begun.elapsed() > LAST_WORDS {
                return Ok(());
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// Runs the operator's command with the text in `BARTIZAN_ALARM` and JSON on its standard input.
fn run_command(command: &str, text: &str, facts: &Value) -> Result<()> {
    let mut child = Command::new("sh")
        .args(["-c", command])
        .env("BARTIZAN_ALARM", text)
        .stdin(Stdio::piped())
        .spawn()
        .context("run the alarm command")?;
    if let Some(mut input) = child.stdin.take() {
        // A command that does not read its input is fine.
        let _ = writeln!(input, "{}", json!({ "alarm": text, "facts": facts }));
    }
    let status = child.wait().context("wait for the alarm command")?;
    if status.success() {
        return Ok(());
    }
    bail!("the alarm command ended with {status}; it is run again in the next round: {text}")
}
