//! Roll-outs: how people move them on, and what the server shows of that.

use super::*;

impl Machine {
    /// Honest people: they promote when all of the stage before went well, and its soak is over.
    pub(super) fn promote(&mut self, number: usize) {
        let job = &self.jobs[number];
        let to = job.promotions.len() + 1;
        if to >= job.statement.stages.len() {
            return;
        }
        let before = World::sorted_ids(&job.intent.targets).unwrap()[to - 1];
        let went_well = (0..ENDPOINTS).any(|endpoint| {
            World::endpoint_id(endpoint).unwrap() == before
                && self.ran.contains(&(endpoint, job.whole.id()))
        });
        if !went_well || self.world.now < job.made_at.plus(job.statement.soak_s(to as u32)) {
            return;
        }
        let prev = job.promotions.last().map(Envelope::id);
        let promotion = self.world.promotion(job.whole.id(), to as u32, prev);
        let envelope = signed(&promotion, &[("carol", Promote)]).unwrap();
        self.log(envelope.encode());
        self.jobs[number].promotions.push(envelope);
    }

    pub(super) fn onwards(&mut self, at: Index) {
        let number = at.index(self.jobs.len());
        let ids = World::sorted_ids(&self.jobs[number].intent.targets).unwrap();
        for id in ids {
            let wanted = |number: &u32| World::endpoint_id(*number).unwrap() == id;
            let endpoint = (0..ENDPOINTS).find(wanted).unwrap();
            self.deliver(&Deliver {
                endpoint,
                job: at,
                shown: Shown::Whole,
                proof_of: None,
                under: Under::Witnessed,
                promoted: Promoted::Honestly,
                cosign: true,
                path_of: endpoint,
                stage: None,
                content: true,
                flip: None,
                clock_off: 0,
            });
            let soak_s = self.jobs[number].intent.staged.unwrap_or(0);
            self.world.now = self.world.now.plus(soak_s);
            self.promote(number);
        }
    }

    /// What the server shows as the promotions to the endpoint's stage.
    pub(super) fn promotions(&self, deliver: &Deliver) -> Vec<Envelope> {
        let job = deliver.job.get(&self.jobs);
        let ids = World::sorted_ids(&job.intent.targets).unwrap();
        let path_of = World::endpoint_id(deliver.path_of).unwrap();
        let tree = World::staged_tree(&job.intent.targets, &job.statement.stages).unwrap();
        let own = tree.place(&path_of).unwrap_or_default().stage;
        let stage = deliver.stage.unwrap_or(own) as usize;
        let mut honest: Vec<_> = job.promotions.iter().take(stage).cloned().collect();
        match deliver.promoted {
            Promoted::Honestly => {}
            Promoted::TooFew => {
                honest.pop();
            }
            Promoted::Reordered => honest.reverse(),
            Promoted::OfAnother(other) => {
                honest = other.get(&self.jobs).promotions.iter().take(stage).cloned().collect();
            }
            Promoted::ByAStranger | Promoted::Transplanted => {
                honest.truncate(stage.min(ids.len()));
                while honest.len() < stage {
                    let prev = honest.last().map(Envelope::id);
                    let to = honest.len() as u32 + 1;
                    let promotion = self.world.promotion(job.whole.id(), to, prev);
                    let mut envelope = signed(&promotion, &[("mallory", Promote)]).unwrap();
                    if matches!(deliver.promoted, Promoted::Transplanted) {
                        for blob in job.whole.signature_blobs() {
                            envelope.add_signature(&SshSig::decode(blob).unwrap()).unwrap();
                        }
                    }
                    honest.push(envelope);
                }
            }
        }
        honest
    }

    /// Their places under the chosen checkpoint.
    pub(super) fn logged(&self, promotions: &[Envelope], under: Under) -> Vec<LoggedStatement> {
        let size = match under {
            Under::Older(at) => at.get(&self.witnessed).0,
            Under::Alone => self.world.jobs.size(),
            Under::Witnessed | Under::Fork | Under::ForkWithTheirLines => {
                self.witnessed.last().unwrap().0
            }
        };
        let each = |promotion: &Envelope| {
            let envelope = promotion.encode();
            let index = self.places[&envelope].min(size - 1);
            LoggedStatement { path: self.world.jobs.path(index, size).unwrap(), envelope, index }
        };
        promotions.iter().map(each).collect()
    }
}
