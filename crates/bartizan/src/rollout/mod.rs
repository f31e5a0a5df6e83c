//! How a roll-out goes: counted from receipts that are verified here. What the server says of states is shown, and decides
//! nothing.

pub(crate) mod plan;
pub(crate) mod shown;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobDetail, JobState, ReceiptPage, TargetState};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, OperatorId, StatementId};
use bartizan_trust::refusal::Refusal;
use bartizan_trust::stages::{Promoted, Rollout, halts, receipts_root};
use bartizan_trust::statement::{Bundle, Decision, Evidence, Job, Receipt, SignatureRole, Stage};
use bartizan_trust::targets::{TargetTree, in_stages};
use bartizan_trust::time::UnixSeconds;
use data_encoding::BASE64;

use crate::api::Api;
use crate::commands::Console;
use crate::exit::refused;

/// What an endpoint itself said last, with its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing yet.
    Nothing,
    /// That it waits, and why.
    Waits(String),
    /// That it ended well.
    Ok,
    /// That it did not.
    Failed(String),
    /// A refusal that halts the roll-out.
    Refused(String),
}

/// One endpoint of a stage.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) endpoint: EndpointId,
    pub(crate) said: Said,
    /// By the server's word.
    pub(crate) state: TargetState,
    /// The receipt that counts, and when it ran by the endpoint's clock.
    receipt: Option<(StatementId, UnixSeconds)>,
}

/// One stage.
#[derive(Debug, Clone)]
pub(crate) struct StageView {
    pub(crate) stage: Stage,
    pub(crate) members: Vec<Member>,
}

/// The whole roll-out.
pub(crate) struct View {
    pub(crate) id: StatementId,
    pub(crate) job: Job,
    pub(crate) state: JobState,
    pub(crate) stages: Vec<StageView>,
    /// Those that endpoints accept, in order.
    pub(crate) promoted: Vec<Promoted>,
    /// One to the next stage that lacks signatures.
    pub(crate) draft: Option<(Envelope, Promoted)>,
}

/// What a promoter can do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Next {
    /// Every stage may begin.
    Nothing,
    /// Too few endpoints of the stage have ended well yet.
    TooEarly,
    /// The stage soaks for so many seconds more.
    Soaks(u64),
    /// Too many failed, also if all others end well.
    Failures,
    /// Endpoints refused.
    Refusals,
    /// The evidence suffices.
    Ready,
}

impl View {
    /// Asks the server, believes nothing of it that can be verified.
    pub(crate) fn fetch(console: &Console, id: StatementId) -> Result<Self> {
        let next = "do not promote; tell the other operators and look at `bartizan log verify`";
        let detail: JobDetail = console.api.fetch(&format!("/v1/jobs/{id}"))?;
        let bytes = BASE64.decode(detail.envelope.as_bytes()).context("read the job")?;
        let envelope = Envelope::decode(&bytes).context("read the job")?;
        let job: Job = envelope.statement().context("read the job")?;
        if envelope.id() != id || job.org != console.org.anchor.org() {
            return Err(refused("the server shows another job than the one asked for", next));
        }
        let endpoints: Vec<EndpointId> = detail.targets.iter().map(|row| row.endpoint).collect();
        let leaves = in_stages(&endpoints, &job.stages);
        if TargetTree::new(&leaves).map(|tree| tree.targets()) != Ok(job.targets) {
            let problem = "the server lists other endpoints than those the job names";
            return Err(refused(problem, next));
        }
        let mut members: BTreeMap<u32, Vec<Member>> = BTreeMap::new();
        let mut heard = receipts(console, id)?;
        for ((endpoint, stage), row) in leaves.into_iter().zip(&detail.targets) {
            let (said, receipt) = count(heard.remove(&endpoint).unwrap_or_default());
            let member = Member { endpoint, said, state: row.state, receipt };
            members.entry(stage).or_default().push(member);
        }
        let stages = job.stages.iter().cloned().zip(members.into_values());
        let stages = stages.map(|(stage, members)| StageView { stage, members }).collect();
        let (promoted, draft) = promotions(&console.trust.bundle, id, &job, &detail.promotions)?;
        Ok(Self { id, job, state: detail.row.state, stages, promoted, draft })
    }

    /// The stage that a promotion would let begin, and the one before it.
    pub(crate) fn next_stage(&self) -> Option<(u32, &StageView, &Stage)> {
        let at = self.promoted.len();
        let before = self.stages.get(at)?;
        let next = self.stages.get(at + 1)?;
        Some((u32::try_from(at + 1).ok()?, before, &next.stage))
    }

    /// Somebody else's promotion to the next stage, where it claims no more than was verified here: it wants more signatures.
    pub(crate) fn usable_draft(&self) -> Option<&(Envelope, Promoted)> {
        let (_, before, _) = self.next_stage()?;
        let own = before.evidence();
        self.draft.as_ref().filter(|(_, draft)| {
            let theirs = draft.promotion.evidence;
            theirs.ok <= own.ok && theirs.fail <= own.fail && theirs.refused <= own.refused
        })
    }

    /// Whether this operator has done what one person can do for the next stage.
    pub(crate) fn is_signed_by(&self, me: Option<&OperatorId>) -> bool {
        let draft = self.usable_draft();
        draft.zip(me).is_some_and(|((_, draft), me)| draft.promoters.contains(me))
    }

    /// Whether another stage may begin.
    pub(crate) fn next(&self, now: UnixSeconds) -> Next {
        let Some((_, before, stage)) = self.next_stage() else { return Next::Nothing };
        let evidence = before.evidence();
        let limit = u64::from(stage.failures_percent_max);
        let others = u64::from(evidence.refused);
        let may_run = u64::from(before.stage.count).saturating_sub(others);
        if u64::from(evidence.fail) * 100 > limit * may_run {
            return Next::Failures;
        }
        if evidence.refused > 0 {
            return Next::Refusals;
        }
        if !evidence.allows(stage) || evidence.ok + evidence.fail == 0 {
            return Next::TooEarly;
        }
        match self.soak_left(now) {
            0 => Next::Ready,
            left => Next::Soaks(left),
        }
    }

    /// A stage soaks from its first run. The endpoint's clock says when that was, but no earlier than its promotion.
    pub(crate) fn soak_left(&self, now: UnixSeconds) -> u64 {
        let Some((_, before, stage)) = self.next_stage() else { return 0 };
        let promoted = self.promoted.last().map_or(self.job.iat, |last| last.promotion.iat);
        let first = before.members.iter().filter_map(Member::ran_at).min();
        let since = first.map_or(now, |at| at.max(promoted).min(now));
        stage.soak_s.saturating_sub(now.since(since))
    }

    /// Whether nobody need wait for more of the stage: all have ended, or at least half have and none is at work.
    pub(crate) fn has_settled(&self) -> bool {
        let Some((_, before, _)) = self.next_stage() else { return true };
        let ended = before.members.iter().filter(|member| member.has_ended()).count();
        let at_work = before.members.iter().any(|member| {
            !member.has_ended()
                && matches!(member.state, TargetState::Running | TargetState::Delivered)
        });
        ended == before.members.len() || (2 * ended >= before.members.len() && !at_work)
    }
}

impl StageView {
    /// What a promotion to the stage after this one says.
    pub(crate) fn evidence(&self) -> Evidence {
        let count = |wanted: fn(&Said) -> bool| {
            let found = self.members.iter().filter(|member| wanted(&member.said)).count();
            u32::try_from(found).unwrap_or(u32::MAX)
        };
        let ended = self.members.iter().filter(|member| member.has_ended());
        let receipts: BTreeSet<StatementId> =
            ended.filter_map(|member| member.receipt.map(|(id, _)| id)).collect();
        Evidence {
            ok: count(|said| matches!(said, Said::Ok)),
            fail: count(|said| matches!(said, Said::Failed(_))),
            refused: count(|said| matches!(said, Said::Refused(_))),
            pending: count(|said| matches!(said, Said::Nothing | Said::Waits(_))),
            receipts_root: receipts_root(&receipts),
        }
    }
}

impl Member {
    /// Whether its receipt counts in evidence.
    pub(crate) const fn has_ended(&self) -> bool {
        matches!(self.said, Said::Ok | Said::Failed(_) | Said::Refused(_))
    }

    fn ran_at(&self) -> Option<UnixSeconds> {
        let ran = matches!(self.said, Said::Ok | Said::Failed(_));
        self.receipt.filter(|_| ran).map(|(_, at)| at)
    }
}

type Heard = Vec<(StatementId, Receipt)>;

/// The receipts of a job that the endpoints' own keys signed; the others count as not there.
fn receipts(console: &Console, id: StatementId) -> Result<BTreeMap<EndpointId, Heard>> {
    let mut heard: BTreeMap<EndpointId, Heard> = BTreeMap::new();
    for bytes in fetch_receipts(&console.api, id)? {
        let Ok(envelope) = Envelope::decode(&bytes) else { continue };
        let Ok(receipt) = envelope.statement::<Receipt>() else { continue };
        let (signatures, _) = envelope.verify_signatures();
        let own = signatures
            .iter()
            .any(|s| s.role == SignatureRole::Receipt && s.key.endpoint_id() == receipt.endpoint);
        if own && receipt.job == id && receipt.org == console.org.anchor.org() {
            heard.entry(receipt.endpoint).or_default().push((envelope.id(), receipt));
        }
    }
    Ok(heard)
}

/// Every receipt envelope the server has of a job.
pub(crate) fn fetch_receipts(api: &Api, id: StatementId) -> Result<Vec<Vec<u8>>> {
    receipts_where(api, id, "")
}

/// The newest of each endpoint; all of them from a server that does not know the difference.
pub(crate) fn fetch_newest_receipts(api: &Api, id: StatementId) -> Result<Vec<Vec<u8>>> {
    receipts_where(api, id, "&newest=true")
}

fn receipts_where(api: &Api, id: StatementId, which: &str) -> Result<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page: ReceiptPage =
            api.fetch(&format!("/v1/jobs/{id}/receipts?after={after}{which}"))?;
        for text in &page.receipts {
            all.push(BASE64.decode(text.as_bytes()).context("read a receipt")?);
        }
        match page.next {
            Some(next) if !page.receipts.is_empty() && next != after => after = next,
            _ => return Ok(all),
        }
    }
}

// SPEC: promotion.md "Evidence"
fn count(mut heard: Heard) -> (Said, Option<(StatementId, UnixSeconds)>) {
    heard.sort_by_key(|(_, receipt)| receipt.seq);
    let ran = |receipt: &Receipt| receipt.decision != Decision::Refused;
    // Of a standing order its newest run; before the first one, that it stands.
    let newest = heard.iter().rev().find(|(_, r)| r.occurrence.is_some() && ran(r));
    let run = newest.or_else(|| heard.iter().find(|(_, receipt)| ran(receipt)));
    let Some((id, receipt)) = run.or(heard.last()) else { return (Said::Nothing, None) };
    let code = receipt.code.clone();
    let said = match receipt.decision {
        Decision::Done | Decision::Standing => Said::Ok,
        Decision::Failed | Decision::TimedOut | Decision::Interrupted | Decision::Ended => {
            Said::Failed(code)
        }
        Decision::Refused if halts_here(&code) => Said::Refused(code),
        Decision::Refused => Said::Waits(code),
    };
    (said, Some((*id, receipt.t0)))
}

/// A code that this version does not know halts too.
fn halts_here(code: &str) -> bool {
    let known = Refusal::ALL.iter().copied().find(|refusal| refusal.code() == code);
    known.is_none_or(halts)
}

type Promotions = (Vec<Promoted>, Option<(Envelope, Promoted)>);

/// Those that count by the bundle in force, as endpoints judge them.
fn promotions(bundle: &Bundle, id: StatementId, job: &Job, texts: &[String]) -> Result<Promotions> {
    let rule = bundle.class_rule(job.class).context("the bundle does not have the job's class")?;
    let rollout = Rollout { bundle, rule, id, job };
    let mut promoted: Vec<Promoted> = Vec::new();
    for (to, text) in (1..).zip(texts) {
        let bytes = BASE64.decode(text.as_bytes()).context("read a promotion")?;
        let prev = promoted.last().map(|last| last.id);
        match rollout.read(&bytes, to, prev) {
            Ok(read) if read.enough && read.allowed => promoted.push(read),
            Ok(read) => {
                let envelope = Envelope::decode(&bytes).context("read a promotion")?;
                return Ok((promoted, Some((envelope, read))));
            }
            // It counts no longer, say because its promoter was removed: it has to be made again.
            Err(_) => break,
        }
    }
    Ok((promoted, None))
}

#[cfg(test)]
mod tests;
