//! Exit codes, and errors that say what to do next.

use core::fmt;

use bartizan_proto::operator::ApiError;
use serde_json::json;

use crate::terminal::{Terminal, json_text, plain_text};

/// What a failed command tells the shell. Documented in `docs/guide/operator.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Anything without a code of its own.
    Error,
    /// Arguments that do not go together.
    Usage,
    /// Refused by an endpoint or the server, or a verification failed.
    Refused,
    /// Still waiting when the watch ended.
    Pending,
    /// The server does not answer.
    Unreachable,
}

impl Code {
    /// The number.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Error => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Pending => 4,
            Self::Unreachable => 5,
        }
    }

    /// What `--json` says where no endpoint and no server gave a code of its own.
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Pending => "pending",
            Self::Unreachable => "unreachable",
        }
    }
}

/// An error that knows its exit code and its remedy.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) next: String,
    message: String,
    /// The server's own code, like `sig.approvals_missing`.
    reason: Option<String>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// An error with its remedy.
pub(crate) fn fail(
    code: Code,
    message: impl Into<String>,
    next: impl Into<String>,
) -> anyhow::Error {
    anyhow::Error::new(Failure { code, next: next.into(), message: message.into(), reason: None })
}

/// An error for which the server gave a code.
pub(crate) fn answered(code: Code, error: ApiError) -> anyhow::Error {
    let message = format!("the server says: {} [{}]", error.message, error.code);
    anyhow::Error::new(Failure { code, next: error.next, message, reason: Some(error.code) })
}

/// An error with a code of its own, which pages and programs know.
pub(crate) fn coded(
    code: Code,
    reason: &str,
    message: impl Into<String>,
    next: impl Into<String>,
) -> anyhow::Error {
    let reason = Some(reason.to_owned());
    anyhow::Error::new(Failure { code, next: next.into(), message: message.into(), reason })
}

/// What was asked for is on the screen, and this is what it came to: the exit codes of the scanner.
#[derive(Debug)]
pub(crate) struct Verdict(pub(crate) u8);

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the verdict {}", self.0)
    }
}

impl std::error::Error for Verdict {}

/// The code the server gave, if it gave one.
pub(crate) fn reason(error: &anyhow::Error) -> Option<String> {
    error.downcast_ref::<Failure>()?.reason.clone()
}

/// A verification that failed.
pub(crate) fn refused(message: impl Into<String>, next: impl Into<String>) -> anyhow::Error {
    fail(Code::Refused, message, next)
}

/// An error as others are told of it.
pub(crate) struct Told {
    pub(crate) exit: Code,
    /// The code of the server, or the name of the exit code.
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) next: String,
}

/// What to tell of an error.
pub(crate) fn told(error: &anyhow::Error) -> Told {
    let known = error.downcast_ref::<Failure>();
    let exit = known.map_or(Code::Error, |failure| failure.code);
    let reason = known.and_then(|failure| failure.reason.clone());
    let next = known.map_or("mend the cause named above and try again", |f| f.next.as_str());
    Told {
        exit,
        code: reason.unwrap_or_else(|| exit.name().to_owned()),
        message: chain(error),
        next: next.to_owned(),
    }
}

/// Prints an error and its remedy on standard error, as JSON if asked for; the code for the shell.
pub(crate) fn report(error: &anyhow::Error, terminal: Terminal) -> u8 {
    if let Some(Verdict(code)) = error.downcast_ref::<Verdict>() {
        return *code;
    }
    let Told { exit, code, message, next } = told(error);
    if terminal.json {
        let shown = json!({ "error": { "code": code, "exit": exit.number(), "message": message, "next": next } });
        eprintln!("{}", json_text(&shown));
    } else {
        eprintln!("error: {}\nnext: {}", plain_text(&message), plain_text(&next));
    }
    exit.number()
}

/// An error and its causes. Some libraries repeat the cause in their own text; it is said once.
fn chain(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.is_empty() && text.ends_with(&cause) {
            continue;
        }
        if !text.is_empty() {
            text += ": ";
        }
        text += &cause;
    }
    text
}

/// `bartizan help exit-codes`.
pub(crate) const HELP: &str = "\
0  done
1  error, or a script did not succeed on an endpoint
2  wrong arguments
3  refused by an endpoint or the server, or a verification failed
4  still waiting when the command ended
5  the server cannot be reached

`scan report` ends as the scanner does: 0 no indicators found, 1 suspicious, 2 compromised, 3 incomplete
";
