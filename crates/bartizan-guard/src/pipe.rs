//! The pipe to the network half: bounded both ways, and everything that comes out of it is hostile.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use anyhow::{Context, Result, bail};
use bartizan_os::account::{self, Account};
use bartizan_os::companion;
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::Message;

use crate::guard::Event;
use crate::launcher::Launcher;

/// The account the network half runs as, where the machine has it.
const AGENT_ACCOUNT: &str = "bartizan-agent";
/// Messages on their way to the agent; more than the server ever has to wait for.
const QUEUE: usize = 64;

/// A running network half.
pub(crate) struct Agent {
    child: Child,
    outbound: SyncSender<Message>,
}

impl Agent {
    /// Starts it; its messages arrive as events that carry `generation`.
    pub(crate) fn start(
        program: &Path,
        separation: &Separation,
        generation: u64,
        events: SyncSender<Event>,
        launcher: &Launcher,
    ) -> Result<Self> {
        let (wanted, account) = (program.to_owned(), separation.account().cloned());
        let mut child = launcher
            .call(move || companion::start(&wanted, account.as_ref()))?
            .with_context(|| format!("start {}", program.display()))?;
        let stdin = child.stdin.take().context("take the agent's standard input")?;
        let stdout = child.stdout.take().context("take the agent's standard output")?;
        let (outbound, queue) = sync_channel(QUEUE);
        thread::spawn(move || write_all(stdin, &queue));
        thread::spawn(move || read_all(stdout, generation, &events));
        Ok(Self { child, outbound })
    }

    /// Hands over a message; false when the agent does not take any, and must be replaced.
    pub(crate) fn send(&self, message: Message) -> bool {
        match self.outbound.try_send(message) {
            // Live output is a courtesy: the receipt has its hash, so some of it may be lost.
            Ok(()) | Err(TrySendError::Full(Message::Output { .. })) => true,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => false,
        }
    }

    /// Hands over a message if there is room for it now.
    pub(crate) fn offer(&self, message: Message) -> bool {
        self.outbound.try_send(message).is_ok()
    }

    /// Ends it. It may be another user, to whom the deciding thread cannot send signals.
    pub(crate) fn end(mut self, launcher: &Launcher) -> Result<()> {
        launcher.call(move || {
            let _ = self.child.kill();
            let _ = self.child.wait();
        })
    }
}

/// Whether the two halves are two users.
pub(crate) enum Separation {
    /// The network half has an account of its own.
    TwoUsers(Account),
    /// This process is not root and cannot become anybody else.
    NotRoot,
    /// The account is missing.
    NoAccount,
}

impl Separation {
    /// Looks the account up. One that somebody named must exist and have no privileges; without the usual one both
    /// halves run as one user.
    pub(crate) fn choose(named: Option<&str>) -> Result<Self> {
        if !account::is_root() {
            return match named {
                Some(name) => {
                    bail!("--agent-user {name} needs root; leave it out to run as one user")
                }
                None => Ok(Self::NotRoot),
            };
        }
        match (account::by_name(named.unwrap_or(AGENT_ACCOUNT)), named) {
            (Some(account), _) if account.uid == 0 || account.gid == 0 => bail!(
                "the account `{}` has root's privileges; give the agent another",
                account.name
            ),
            (Some(account), _) => Ok(Self::TwoUsers(account)),
            (None, Some(name)) => {
                bail!("no local account `{name}`; create it: useradd --system {name}")
            }
            (None, None) => Ok(Self::NoAccount),
        }
    }

    /// In one line.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::TwoUsers(account) => {
                format!("the agent runs as `{}`, without privileges", account.name)
            }
            Self::NotRoot => "guard and agent run as one user (not started as root)".to_owned(),
            Self::NoAccount => format!(
                "guard and agent run as one user: the account `{AGENT_ACCOUNT}` is missing (useradd --system {AGENT_ACCOUNT})"
            ),
        }
    }

    /// Whom programs that speak over the network run as.
    pub(crate) const fn account(&self) -> Option<&Account> {
        match self {
            Self::TwoUsers(account) => Some(account),
            Self::NotRoot | Self::NoAccount => None,
        }
    }
}

fn write_all(mut pipe: impl Write, queue: &Receiver<Message>) {
    while let Ok(message) = queue.recv() {
        if pipe.write_all(&encode_frame(&message)).and_then(|()| pipe.flush()).is_err() {
            return;
        }
    }
}

fn read_all(mut pipe: impl Read, generation: u64, events: &SyncSender<Event>) {
    let mut reader = FrameReader::new();
    let mut buffer = vec![0; 4096];
    let reason = loop {
        match reader.next_message() {
            Ok(Some(message)) => {
                if events.send(Event::FromAgent(generation, message)).is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            // After a malformed frame nobody knows where the next one begins.
            Err(error) => break error.to_string(),
        }
        match pipe.read(&mut buffer) {
            Ok(0) | Err(_) => break "it ended".to_owned(),
            Ok(count) => reader.extend(buffer.get(..count).unwrap_or_default()),
        }
    };
    let _ = events.send(Event::AgentGone(generation, reason));
}
