//! When this console's witness keeps still: by hand, or while a freeze that this console knows is missing from the control
//! log. Endpoints then see the control view grow old, and start nothing once it is older than a class allows.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::statement::{Bundle, Freeze};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::api::Api;
use crate::exit::refused;
use crate::home::{Home, now};
use crate::trust::whole_log;
use crate::witness::Log;

const FILE: &str = "withheld.json";
const LOCK: &str = "withheld.lock";

/// Why this witness keeps still, and how far the control log must reach before it speaks again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Withheld {
    /// The operator's own words.
    #[serde(default)]
    by_hand: Option<String>,
    /// Freezes that are known here and not in the control log, and their ends.
    #[serde(default)]
    missing: BTreeMap<StatementId, UnixSeconds>,
    /// The control log held those freezes at this size: no smaller one is co-signed, so that the log cannot be shown
    /// with them to the one who looks and without them to the one who signs.
    #[serde(default)]
    control_min: u64,
}

impl Withheld {
    /// In one line, while there is a reason.
    pub(crate) fn reason(&self) -> Option<String> {
        if let Some(words) = &self.by_hand {
            return Some(format!("withheld by hand: {words}"));
        }
        let first = self.missing.keys().next()?;
        Some(format!("{first} is not in the control log ({} such freezes)", self.missing.len()))
    }

    fn forget_what_is_over(&mut self, now: UnixSeconds) {
        self.missing.retain(|_, exp| now < *exp);
    }

    fn find(&mut self, entries: &[Vec<u8>]) {
        for (size, entry) in (1..).zip(entries) {
            let id = Envelope::decode(entry).ok().map(|envelope| envelope.id());
            if id.is_some_and(|id| self.missing.remove(&id).is_some()) {
                self.control_min = self.control_min.max(size);
            }
        }
    }
}

/// As it stands on disk.
pub(crate) fn load(home: &Home) -> Result<Withheld> {
    Ok(home.load(FILE)?.unwrap_or_default())
}

fn change(home: &Home, change: impl FnOnce(&mut Withheld)) -> Result<Withheld> {
    let _lock = home.lock(LOCK)?;
    let mut withheld = load(home)?;
    let before = withheld.clone();
    change(&mut withheld);
    if withheld != before {
        home.save(FILE, &withheld)?;
    }
    Ok(withheld)
}

/// A freeze that endpoints would act on is on its way: from now on it must be in the control log.
pub(crate) fn expect(home: &Home, envelope: &Envelope) -> Result<()> {
    let freeze: Freeze = envelope.statement().context("read the freeze")?;
    change(home, |withheld| {
        withheld.missing.insert(envelope.id(), freeze.exp);
    })
    .map(drop)
}

/// The operator tells the witness to keep still, or to speak again in spite of what is missing.
pub(crate) fn by_hand(home: &Home, words: Option<&str>) -> Result<Withheld> {
    change(home, |withheld| {
        withheld.by_hand = words.map(str::to_owned);
        if words.is_none() {
            withheld.missing.clear();
        }
    })
}

/// Looks for what is missing, if anything is.
pub(crate) fn look(home: &Home, api: &Api, bundle: &Bundle) -> Result<Withheld> {
    let known = change(home, |withheld| withheld.forget_what_is_over(now()))?;
    if known.missing.is_empty() {
        return Ok(known);
    }
    let trust = LogTrust::parse(&bundle.log).context("read the log policy")?;
    let whole = whole_log(api, Log::Control, &trust.control)?;
    change(home, |withheld| withheld.find(&whole.entries))
}

/// Whether a checkpoint may be co-signed: not one from before a freeze that was in the log already.
pub(crate) fn check(withheld: &Withheld, log: Log, size: u64) -> Result<()> {
    if log == Log::Control && size < withheld.control_min {
        let problem = format!(
            "LOG WITHOUT A FREEZE: the control log had {} entries, and is offered for co-signing with {size}",
            withheld.control_min
        );
        let next =
            "keep this output, tell the other operators, and do not sign anything on this server";
        return Err(refused(problem, next));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use bartizan_trust::id::{OrgId, Sha256};
    use bartizan_trust::statement::{FreezeScope, V1};

    use super::*;

    const IAT: UnixSeconds = UnixSeconds::new(1_800_000_000);

    fn freeze(exp: UnixSeconds) -> Envelope {
        Envelope::new(&Freeze {
            v: V1,
            org: OrgId::new(Sha256::of(b"org")),
            iat: IAT,
            crit: Vec::new(),
            scope: FreezeScope::Org,
            exp,
            reason: String::new(),
        })
    }

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().expect("folder");
        let home = Home::open(Some(folder.path().to_owned())).expect("home");
        (folder, home)
    }

    #[test]
    fn a_freeze_that_is_missing_keeps_the_witness_still_until_it_is_found() {
        let (_folder, home) = home();
        let (one, two) = (freeze(IAT.plus(60)), freeze(IAT.plus(61)));
        expect(&home, &one).expect("note");
        expect(&home, &two).expect("note");
        assert!(load(&home).expect("load").reason().is_some_and(|text| text.contains("(2 such")));
        let find = |entries: &[Vec<u8>]| change(&home, |w| w.find(entries)).expect("find");
        assert!(find(&[b"other".to_vec(), one.encode()]).reason().is_some(), "one of two");
        let whole = [b"other".to_vec(), one.encode(), two.encode()];
        let found = find(&whole);
        assert_eq!(found.reason(), None);
        // The log as it was before them is not co-signed any more.
        assert!(check(&found, Log::Control, 2).is_err());
        assert!(check(&found, Log::Control, 3).is_ok());
        assert!(check(&found, Log::Jobs, 0).is_ok());
    }

    #[test]
    fn what_is_over_keeps_nobody_still_and_a_hand_does() {
        let (_folder, home) = home();
        let over = IAT.plus(60);
        expect(&home, &freeze(over)).expect("note");
        let known = change(&home, |w| w.forget_what_is_over(over)).expect("forget");
        assert_eq!(known.reason(), None);
        assert!(by_hand(&home, Some("odd")).expect("still").reason().is_some());
        assert_eq!(by_hand(&home, None).expect("again").reason(), None);
    }
}
