//! The last resort: this machine's administrator gives it to another organisation, because its own is lost.
//!
//! On the machine and by hand only. No message of the network half, no statement and no job leads here; whoever can run
//! this command as root owns the machine anyway.

use anyhow::{Context, Result, bail};

use crate::arguments::Enroll;
use crate::folder::Folder;
use crate::install::{install, invitation, lock};

/// Puts everything of the old organisation aside and enrols anew, with a device key of its own: nobody who has a copy of
/// the old one can pose as the new endpoint, and the new organisation's ledger begins with itself.
pub(crate) fn reanchor(options: &Enroll) -> Result<()> {
    // Everything that can be wrong with the options is found out before anything moves.
    let (anchor, enrolment) = invitation(options)?;
    let folder = Folder::new(&options.folder);
    if !folder.root().exists() {
        bail!("{} does not exist; use `bartizan-guard enroll`", folder.root().display());
    }
    let _lock = lock(&folder)?;
    if folder.enrolled().exists() {
        let old = folder.load_enrolled().context("read the old enrolment")?;
        if old.anchor == anchor {
            bail!(
                "this machine belongs to that organisation already; its bundles reach it by the control log"
            );
        }
    }
    let aside = folder.set_aside()?;
    eprintln!(
        "what belonged to the old organisation is kept in {}; to undo this, stop the guard and move it back",
        aside.display()
    );
    install(&folder, options, anchor, &enrolment)
}
