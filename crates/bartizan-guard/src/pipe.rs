//! The pipe to the network half: bounded both ways, and everything that comes out of it is hostile.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread;

use anyhow::{Context, Result};
use bartizan_os::account::{self, Account};
use bartizan_os::companion;
use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::Message;

use crate::guard::Event;

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
        generation: u64,
        events: SyncSender<Event>,
    ) -> Result<Self> {
        let account = agent_account();
        let mut child = companion::start(program, account.as_ref())
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

    /// Ends it.
    pub(crate) fn end(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says in one line whether the two halves are two users.
pub(crate) fn describe_separation() -> String {
    if !account::is_root() {
        return "guard and agent run as one user (not started as root)".to_owned();
    }
    match agent_account() {
        Some(account) => format!("the agent runs as `{}`, without privileges", account.name),
        None => format!(
            "guard and agent run as one user: the account `{AGENT_ACCOUNT}` is missing (useradd --system {AGENT_ACCOUNT})"
        ),
    }
}

fn agent_account() -> Option<Account> {
    if account::is_root() { account::by_name(AGENT_ACCOUNT) } else { None }
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
