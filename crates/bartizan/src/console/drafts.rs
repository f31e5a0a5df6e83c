//! A first bundle while its founder prints the recovery sheets: composed, held here, not signed. The passphrases were in one
//! answer; what is kept of them is wiped as soon as the person has shown that they are written down.

use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::words::eight_words;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::limits::DRAFT_LIFE;
use crate::exit::{Code, coded, fail};
use crate::keys::secret::Secret;
use crate::recovery::sheet::Kind;

/// Words that are asked for to see that a passphrase was written down.
const ASKED: usize = 2;
const WORDS: usize = 8;

/// What was composed.
pub(super) struct Draft {
    envelope: Envelope,
    /// `host:port` of the operator plane.
    address: String,
    unchecked: Vec<Passphrase>,
    until: Instant,
}

/// A passphrase that is on no sheet.
pub(super) struct Passphrase {
    kind: Kind,
    phrase: Secret<String>,
    asked: [usize; ASKED],
}

impl Passphrase {
    /// Eight random words: 88 bits, and scrypt before each guess.
    pub(super) fn new(kind: Kind) -> Result<Self> {
        let mut bytes = [0; 32];
        let mut places = [0; ASKED];
        let random = SystemRandom::new();
        random.fill(&mut bytes).map_err(|_| anyhow!("no randomness"))?;
        random.fill(&mut places).map_err(|_| anyhow!("no randomness"))?;
        let phrase = Secret::new(eight_words(&Sha256::from_bytes(bytes)));
        // One of the first half, one of the second.
        let half = WORDS / ASKED;
        let asked = [usize::from(places[0]) % half, half + usize::from(places[1]) % half];
        Ok(Self { kind, phrase, asked })
    }

    pub(super) const fn phrase(&self) -> &Secret<String> {
        &self.phrase
    }

    /// Which words are asked for, counted from one.
    pub(super) fn asked(&self) -> Vec<u32> {
        self.asked.iter().filter_map(|at| u32::try_from(at + 1).ok()).collect()
    }

    fn has(&self, given: &[String]) -> bool {
        let words: Vec<&str> = self.phrase.expose().split(' ').collect();
        let wanted = self.asked.iter().map(|at| words.get(*at).copied());
        given.len() == ASKED
            && wanted
                .zip(given)
                .all(|(word, given)| word == Some(given.trim().to_lowercase().as_str()))
    }
}

impl Draft {
    pub(super) fn new(
        envelope: Envelope,
        address: String,
        unchecked: Vec<Passphrase>,
        now: Instant,
    ) -> Self {
        Self { envelope, address, unchecked, until: now + DRAFT_LIFE }
    }

    /// One passphrase less to wait for, if these are its words. Says which are left.
    pub(super) fn check(&mut self, kind: Kind, words: &[String]) -> Result<Vec<Kind>> {
        let at = self.unchecked.iter().position(|one| one.kind == kind);
        let at = at.context("this sheet was looked at already, or there is none")?;
        if !self.unchecked.get(at).is_some_and(|one| one.has(words)) {
            let next =
                "look at what you wrote down; where it is lost, begin again: that makes new keys";
            return Err(coded(
                Code::Error,
                "founding.other_words",
                "these are not the words of the passphrase",
                next,
            ));
        }
        self.unchecked.remove(at);
        Ok(self.unchecked.iter().map(|one| one.kind).collect())
    }

    /// The bundle to be signed and where it goes, once every passphrase is written down.
    pub(super) fn ready(&self) -> Result<(Envelope, String)> {
        if self.unchecked.is_empty() {
            return Ok((self.envelope.clone(), self.address.clone()));
        }
        let next = "type the words that are asked for first";
        Err(fail(Code::Error, "nobody has shown that the passphrases are written down", next))
    }
}

/// The draft, while it is young enough.
pub(super) fn current(slot: &mut Option<Draft>, now: Instant) -> Result<&mut Draft> {
    if slot.as_ref().is_some_and(|draft| now >= draft.until) {
        *slot = None;
    }
    slot.as_mut().ok_or_else(|| {
        let next = "compose it again; sheets that were printed for the earlier one open nothing";
        fail(Code::Error, "no first bundle is composed here, or it is too old", next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::freeze::freeze_of;
    use bartizan_trust::id::OrgId;
    use bartizan_trust::statement::FreezeScope;

    fn envelope() -> Envelope {
        let org = OrgId::new(Sha256::from_bytes([7; 32]));
        Envelope::new(&freeze_of(org, FreezeScope::Org, 1, ""))
    }

    fn words(one: &Passphrase) -> Vec<String> {
        let all: Vec<&str> = one.phrase().expose().split(' ').collect();
        one.asked()
            .iter()
            .map(|at| all[usize::try_from(*at).expect("place") - 1].to_owned())
            .collect()
    }

    #[test]
    fn nothing_is_signed_before_every_passphrase_is_written_down() {
        let now = Instant::now();
        let made =
            [Kind::Recovery, Kind::SpareWitness].map(|kind| Passphrase::new(kind).expect("random"));
        let [recovery, spare] = [words(&made[0]), words(&made[1])];
        assert_ne!(made[0].phrase().expose(), made[1].phrase().expose());
        let mut draft = Draft::new(envelope(), "s:1".to_owned(), made.into(), now);
        assert!(draft.ready().is_err());
        for wrong in [
            vec![],
            vec![recovery[0].clone()],
            spare.clone(),
            [recovery.clone(), spare.clone()].concat(),
        ] {
            assert!(draft.check(Kind::Recovery, &wrong).is_err(), "{wrong:?}");
        }
        let loud: Vec<String> =
            recovery.iter().map(|word| format!(" {} ", word.to_uppercase())).collect();
        assert_eq!(draft.check(Kind::Recovery, &loud).expect("words"), [Kind::SpareWitness]);
        assert!(draft.check(Kind::Recovery, &recovery).is_err(), "it was wiped");
        assert!(draft.ready().is_err());
        assert_eq!(draft.check(Kind::SpareWitness, &spare).expect("words"), []);
        assert!(draft.ready().is_ok());
    }

    #[test]
    fn a_draft_ends_by_itself() {
        let now = Instant::now();
        let second = std::time::Duration::from_secs(1);
        let mut slot = Some(Draft::new(envelope(), String::new(), Vec::new(), now));
        assert!(current(&mut slot, now + DRAFT_LIFE.saturating_sub(second)).is_ok());
        assert!(current(&mut slot, now + DRAFT_LIFE).is_err());
        assert!(slot.is_none(), "and its secrets with it");
    }
}
