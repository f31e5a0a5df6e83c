//! Promotions, from what is meant to what arrives.

use super::build::{Stage, signature};
use super::generate::{PromotionOddity, PromotionStep, Step};
use super::model::{Promoted, Signed, Went, Wish};
use super::*;

/// Ids of promotions begin here.
const PROMOTIONS: u64 = 2_000_000;

impl Stage {
    /// The promotions to a stage, with their ids; logged unless they are odd. The job is logged before them.
    pub(super) fn promotions(
        &mut self,
        step: &Step,
        wish: &Wish,
        stage: u32,
    ) -> Vec<(u64, Promoted)> {
        if stage == 0 || Envelope::decode(&self.entries[&wish.id]).is_err() {
            return Vec::new();
        }
        let forked = step.oddities.iter().any(|o| matches!(o, generate::Oddity::Fork(..)));
        if !forked && !self.main.contains(&wish.id) {
            self.main.push(wish.id);
        }
        let mut all = Vec::new();
        let mut before: Option<u64> = None;
        for (to, meant) in (1..=stage).zip(&step.promotions) {
            self.promoted += 1;
            let id = PROMOTIONS + self.promoted;
            let (promoted, bytes) = self.promote(wish, meant, to, before);
            self.entries.insert(id, bytes);
            if meant.odd != Some(PromotionOddity::NotLogged) {
                self.main.push(id);
            }
            if promoted.understood {
                before = Some(id);
            }
            if meant.odd != Some(PromotionOddity::Missing) {
                all.push((id, promoted));
            }
        }
        all
    }

    fn promote(
        &self,
        wish: &Wish,
        meant: &PromotionStep,
        to: u32,
        before: Option<u64>,
    ) -> (Promoted, Vec<u8>) {
        let is = |odd| meant.odd == Some(odd);
        let everybody = wish.stages[to as usize - 1].count;
        let well = Went { ok: everybody, fail: 0, refused: 0, pending: 0 };
        let went = meant.went.unwrap_or(well);
        let (said, prev) = match to {
            1 if is(PromotionOddity::OtherStage) => (2, Some(StatementId::new(Sha256::of(b"x")))),
            2 if is(PromotionOddity::OtherStage) => (1, None),
            1 => (1, None),
            _ if is(PromotionOddity::OtherPrev) => (to, Some(StatementId::new(Sha256::of(b"x")))),
            _ => (to, Some(before.map_or(StatementId::new(Sha256::of(b"x")), |id| self.id_of(id)))),
        };
        let promotion = Promotion {
            crit: if is(PromotionOddity::Crit) { vec!["tomorrow".to_owned()] } else { Vec::new() },
            org: if is(PromotionOddity::OtherOrg) {
                OrgId::new(Sha256::of(b"other"))
            } else {
                self.world.org
            },
            evidence: Evidence {
                ok: went.ok,
                fail: went.fail,
                refused: went.refused,
                pending: went.pending,
                receipts_root: Sha256::of(&self.promoted.to_be_bytes()),
            },
            despite_refusals: (went.refused > 0).then(|| "they are being replaced".to_owned()),
            ..self.world.promotion(
                if is(PromotionOddity::OtherJob) {
                    StatementId::new(Sha256::of(b"another job"))
                } else {
                    self.id_of(wish.id)
                },
                said,
                prev,
            )
        };
        let signatures = signatures(meant);
        let mut envelope = Envelope::new(&promotion);
        for signed in &signatures {
            let _ = envelope.add_signature(&signature(signed, &envelope.pae()));
        }
        let mut text = String::from_utf8(envelope.encode()).unwrap();
        if is(PromotionOddity::OtherStatement) {
            text = text.replace("bartizan.promotion.v1", "bartizan.thaw.v1");
        }
        let mut bytes = text.into_bytes();
        if is(PromotionOddity::TooLarge) {
            bytes = vec![b' '; limits::PROMOTION_BYTES_MAX + 1];
        }
        let not_understood = [
            PromotionOddity::OtherStatement,
            PromotionOddity::TooLarge,
            PromotionOddity::Crit,
            PromotionOddity::OtherOrg,
        ];
        let promoted = Promoted {
            understood: !not_understood.into_iter().any(is),
            of_this_job: !is(PromotionOddity::OtherJob),
            to: said,
            follows_the_one_before: to == 1
                || (before.is_some() && !is(PromotionOddity::OtherPrev)),
            went,
            signatures,
            logged: true,
        };
        (promoted, bytes)
    }

    /// Their places under the log shown, as well as there are any.
    pub(super) fn logged(
        &self,
        made: Vec<(u64, Promoted)>,
        shown: &[u64],
        log: &world::Log,
    ) -> (Vec<Promoted>, Vec<LoggedStatement>) {
        let size = shown.len() as u64;
        let each = |(id, promoted): (u64, Promoted)| {
            let place = shown.iter().position(|known| *known == id);
            let index = place.unwrap_or(0) as u64;
            let logged = LoggedStatement {
                envelope: self.entries[&id].clone(),
                index,
                path: log.path(index, size).unwrap(),
            };
            (Promoted { logged: place.is_some(), ..promoted }, logged)
        };
        made.into_iter().map(each).unzip()
    }
}

fn signatures(meant: &PromotionStep) -> Vec<Signed> {
    let role = if meant.odd == Some(PromotionOddity::SignedAsApprover) {
        SignatureRole::Approve
    } else {
        SignatureRole::Promote
    };
    let mut all: Vec<_> = meant
        .promoters
        .iter()
        .map(|(who, device)| Signed { who, role, device: *device, true_signature: true })
        .collect();
    if let Some(last) = all.last_mut() {
        last.true_signature = meant.odd != Some(PromotionOddity::BrokenSignature);
    }
    all
}
