//! Has `bartizan-probe` ask one question: a process for each, which is ended when its time is over. What it says is hostile.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout};
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use bartizan_os::account::Account;
use bartizan_os::companion;
use bartizan_proto::probe::{ANSWER_BYTES_MAX, Answer, Request};
use bartizan_trust::limits::PROBE_MS_MAX;

use crate::launcher::LauncherHandle;

/// The probe gives up by itself before that; a start on a busy machine takes its time too.
const PATIENCE: Duration = Duration::from_millis(PROBE_MS_MAX + 5_000);

/// Asks through the companion.
#[derive(Debug, Clone)]
pub(crate) struct Prober {
    launcher: LauncherHandle,
    program: PathBuf,
    account: Option<Account>,
    patience: Duration,
}

impl Prober {
    /// One that starts this program as this account.
    pub(crate) const fn new(
        launcher: LauncherHandle,
        program: PathBuf,
        account: Option<Account>,
    ) -> Self {
        Self { launcher, program, account, patience: PATIENCE }
    }

    /// One that is less patient.
    #[cfg(test)]
    pub(super) fn hasty(self) -> Self {
        Self { patience: Duration::from_millis(300), ..self }
    }

    /// What comes back, in words where there is nothing to measure.
    pub(super) fn ask(&self, request: &Request) -> Answer {
        self.try_ask(request).unwrap_or_else(|error| Answer::Unknown { text: format!("{error:#}") })
    }

    fn try_ask(&self, request: &Request) -> Result<Answer> {
        let mut child = self.start()?;
        let pipes = (child.stdin.take(), child.stdout.take());
        let bytes = request.encode();
        let (give, said) = sync_channel(1);
        // A probe that neither reads nor writes holds up this thread only, and only until it is ended.
        thread::spawn(move || {
            let _ = give.send(exchange(pipes, &bytes));
        });
        let said = said.recv_timeout(self.patience);
        self.end(child)?;
        let said = said.context("bartizan-probe did not answer in time and was ended")?;
        let said = said.context("bartizan-probe broke off")?;
        Answer::decode(&said, request).context("bartizan-probe answered nonsense")
    }

    fn start(&self) -> Result<Child> {
        let (program, account) = (self.program.clone(), self.account.clone());
        let started = move || companion::start_for_one_question(&program, account.as_ref());
        let name = self.program.file_name().unwrap_or_default();
        self.launcher.call(started)?.with_context(|| {
            format!("start {}; is it installed beside bartizan-guard?", Path::new(name).display())
        })
    }

    /// It may be another user, to whom only the launcher can send signals.
    fn end(&self, mut child: Child) -> Result<()> {
        let mut child = self.launcher.call(move || {
            let _ = child.kill();
            child
        })?;
        child.wait().map(drop).context("wait for bartizan-probe")
    }
}

fn exchange(
    pipes: (Option<ChildStdin>, Option<ChildStdout>),
    request: &[u8],
) -> std::io::Result<Vec<u8>> {
    let (Some(mut input), Some(output)) = pipes else {
        return Err(std::io::Error::other("no pipes"));
    };
    input.write_all(request)?;
    drop(input);
    let most = u64::try_from(ANSWER_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut answer = Vec::new();
    output.take(most).read_to_end(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests;
