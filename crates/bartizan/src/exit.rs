//! Exit codes, and errors that say what to do next.

use core::fmt;

/// What a failed command tells the shell. Documented in `docs/guide/operator.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// Anything without a code of its own.
    Error,
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
            Self::Refused => 3,
            Self::Pending => 4,
            Self::Unreachable => 5,
        }
    }
}

/// An error that knows its exit code and its remedy.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Code,
    pub(crate) next: String,
    message: String,
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
    anyhow::Error::new(Failure { code, next: next.into(), message: message.into() })
}

/// A verification that failed.
pub(crate) fn refused(message: impl Into<String>, next: impl Into<String>) -> anyhow::Error {
    fail(Code::Refused, message, next)
}

/// Prints an error and its remedy; the code for the shell.
pub(crate) fn report(error: &anyhow::Error) -> u8 {
    let known = error.downcast_ref::<Failure>();
    eprintln!("error: {}", crate::terminal::plain_text(&format!("{error:#}")));
    let next = known.map_or("mend the cause named above and try again", |f| f.next.as_str());
    eprintln!("next: {}", crate::terminal::plain_text(next));
    known.map_or(Code::Error, |failure| failure.code).number()
}

/// `bartizan help exit-codes`.
pub(crate) const HELP: &str = "\
0  done
1  error
2  wrong arguments
3  refused by an endpoint or the server, or a verification failed
4  still waiting when the command ended
5  the server cannot be reached
";
