//! Standing still: freezes from the server, from the control log, from mirrors and the local network, and from files on
//! this machine.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_os::files;
use bartizan_trust::control;
use bartizan_trust::id::StatementId;
use bartizan_trust::state::State;

use super::{Guard, facts};
use crate::receipts::{Account, Way};

/// A refused freeze is mentioned no more often than this.
const MENTION_EVERY: Duration = Duration::from_secs(10);

impl Guard {
    /// A freeze that came ahead of the control log, by whatever way.
    pub(super) fn take_freeze(&mut self, envelope: &[u8], way: Way) -> Result<()> {
        match control::freeze(&self.state, &facts(), envelope) {
            // The same one again, as mirrors and the local network bring it.
            Ok(state) if state == self.state => Ok(()),
            Ok(state) => self.stand_still(state, way),
            Err(refusal) => {
                // Anybody on the local network can send some: that must not fill the journal.
                let lately = self.freeze_refused.is_some_and(|at| at.elapsed() < MENTION_EVERY);
                if !lately {
                    self.freeze_refused = Some(Instant::now());
                    let way = way.name();
                    eprintln!("a freeze ({way}) was refused: {refusal}; {}", refusal.advice());
                }
                Ok(())
            }
        }
    }

    /// Freezes from a file. Whoever can write here is root on this machine; the signatures count all the same.
    pub(super) fn read_inbox(&mut self) -> Result<()> {
        let Ok(entries) = std::fs::read_dir(self.folder.inbox()) else { return Ok(()) };
        for path in entries.flatten().map(|entry| entry.path()) {
            // A file that is being written bears another ending.
            if path.extension().is_none_or(|ending| ending != "json") {
                continue;
            }
            match files::read_own(&path) {
                Ok(envelope) if self.state.trust.is_some() => {
                    self.take_freeze(&envelope, Way::File)?;
                }
                // Without a bundle nobody can be believed yet: it waits for one.
                Ok(_) => continue,
                Err(error) => eprintln!("{}: {error}", path.display()),
            }
            files::remove_durably(&path).context("empty the inbox")?;
        }
        Ok(())
    }

    /// Takes over a state, ends what its freezes cover, and says so for each freeze that is new here.
    pub(super) fn stand_still(&mut self, state: State, way: Way) -> Result<()> {
        let known: Vec<StatementId> = self.state.freezes.iter().map(|(id, _)| *id).collect();
        self.state = state;
        self.folder.store_state(&self.state)?;
        for (id, work) in &self.running {
            work.obey(&self.state, *id);
        }
        let floor = self.state.floor;
        let new: Vec<StatementId> = self
            .state
            .freezes
            .standing(floor)
            .map(|(id, _)| *id)
            .filter(|id| !known.contains(id))
            .collect();
        for id in new {
            eprintln!("frozen by {id} ({})", way.name());
            self.write_receipt(&Account::frozen(id, way))?;
        }
        Ok(())
    }
}
