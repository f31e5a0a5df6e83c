//! Sheets that are shown and not signed yet. A token signs exactly what was shown, in exactly that role, once.

use std::collections::VecDeque;
use std::time::Instant;

use anyhow::Result;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, Sha256, StatementId};
use bartizan_trust::statement::SignatureRole;

use super::limits::{SHEET_LIFE, SHEETS_BYTES_MAX, SHEETS_MAX};
use super::sessions::{mark, token};
use crate::exit::{Code, fail};
use crate::home::OrgFile;
use crate::sign::render;

/// What happens to a statement once it is signed.
#[derive(Debug)]
pub(super) enum Then {
    /// A new job goes to the server with its script and endpoints.
    Submit { content: Vec<u8>, targets: Vec<EndpointId> },
    /// A job gets one more signature.
    Countersign,
    /// A policy goes to the server, with one signature or one more.
    Policy,
    /// It goes to the control log.
    Control,
    /// It lets a stage begin.
    Promote { job: StatementId },
    /// It lets new endpoints in.
    Enrol,
    /// It lets a new console key speak for the operator.
    Login { console: Box<rcgen::KeyPair> },
    /// A first bundle: it goes to the server at `host:port` once enough people have signed it.
    Found { address: String },
    /// It lets a new console key speak for the operator, and makes this console part of the organisation.
    Join { org: OrgFile, console: Box<rcgen::KeyPair> },
}

/// A statement that is shown.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) envelope: Envelope,
    pub(super) role: SignatureRole,
    pub(super) then: Then,
}

impl Held {
    fn size(&self) -> usize {
        let content = match &self.then {
            Then::Submit { content, targets } => {
                content.len() + targets.len() * size_of::<EndpointId>()
            }
            Then::Countersign
            | Then::Policy
            | Then::Control
            | Then::Promote { .. }
            | Then::Enrol
            | Then::Login { .. }
            | Then::Found { .. }
            | Then::Join { .. } => 0,
        };
        self.envelope.payload().len() + content
    }
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Sheets(VecDeque<(Sha256, Instant, Held)>);

impl Sheets {
    /// Keeps a statement until it is signed, too old, or crowded out; the token signs it.
    pub(super) fn put(&mut self, held: Held, now: Instant) -> Result<String> {
        let token = token()?;
        self.0.retain(|(_, until, _)| now < *until);
        self.0.push_back((mark(&token), now + SHEET_LIFE, held));
        while self.0.len() > 1 && (self.0.len() > SHEETS_MAX || self.size() > SHEETS_BYTES_MAX) {
            self.0.pop_front();
        }
        Ok(token)
    }

    fn size(&self) -> usize {
        self.0.iter().map(|(_, _, held)| held.size()).sum()
    }

    /// Gives the statement out, once, for who names the digest and the words that were shown.
    pub(super) fn take(
        &mut self,
        token: &str,
        id: &str,
        words: &str,
        now: Instant,
    ) -> Result<Held> {
        let again = "nothing was signed; look at the statement again and sign the new sheet";
        let wanted = mark(token);
        let at = self.0.iter().position(|(known, until, _)| *known == wanted && now < *until);
        let Some((_, _, held)) = at.and_then(|at| self.0.remove(at)) else {
            return Err(fail(Code::Error, "this sheet was signed before, or is too old", again));
        };
        let shown = held.envelope.id().to_string() == id && render::words(&held.envelope) == words;
        if !shown {
            return Err(fail(
                Code::Error,
                "the digest or the words are not those of the sheet",
                again,
            ));
        }
        Ok(held)
    }
}
