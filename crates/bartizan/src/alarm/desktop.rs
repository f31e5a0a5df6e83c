//! A notification on the operator's own screen.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use super::Alarm;

/// By `notify-send`, which every Linux desktop has.
pub(super) fn send(alarm: &Alarm) -> Result<()> {
    let status = Command::new("notify-send")
        .args(["--urgency=critical", "--app-name=Bartizan", "--", "Bartizan", &alarm.text])
        .stdin(Stdio::null())
        .status()
        .context("run `notify-send` (package libnotify-bin)")?;
    ensure!(status.success(), "`notify-send` ended with {status}");
    Ok(())
}
