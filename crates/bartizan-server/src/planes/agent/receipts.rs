//! Receipts: verified, stored durably, then acknowledged.

use anyhow::{Context as _, ensure};
use bartizan_proto::message::Message;
use bartizan_proto::operator::JobEvent;
use bartizan_store::{Answer, PolicyAnswer, ReceiptRecord};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::refusal::{Refusal, Retry};
use bartizan_trust::statement::{Decision, Receipt, SignatureRole};

use super::session::Session;
use crate::app::now;
use crate::convert::{decision_name, target_row};
use crate::metrics::count;

impl Session {
    // SPEC: agent-plane.md "Receipts"
    pub(super) async fn accept_receipt(&mut self, bytes: Vec<u8>) -> anyhow::Result<()> {
        if !self.admitted {
            // Say of a freeze from the local network. It keeps it, and says it again once it is admitted.
            tracing::debug!(endpoint.id = %self.id, "a receipt from quarantine waits there");
            return Ok(());
        }
        let envelope = Envelope::decode(&bytes).context("a receipt")?;
        let receipt: Receipt = envelope.statement().context("a receipt's payload")?;
        let (signatures, _) = envelope.verify_signatures();
        let signed =
            signatures.iter().any(|s| s.role == SignatureRole::Receipt && s.key == self.device);
        ensure!(
            signed && receipt.endpoint == self.id,
            "a receipt that this endpoint's key did not sign"
        );
        self.store_receipt(&envelope, bytes, &receipt).await?;
        self.send(&Message::ReceiptStored { seq: receipt.seq }).await?;
        if self.in_flight.as_ref().is_some_and(|in_flight| in_flight.known_as == receipt.job) {
            self.in_flight = None;
        }
        self.deliver_next().await
    }

    async fn store_receipt(
        &mut self,
        envelope: &Envelope,
        bytes: Vec<u8>,
        receipt: &Receipt,
    ) -> anyhow::Result<()> {
        let row = self.row_of(receipt.job).unwrap_or(receipt.job);
        let ran = receipt.decision != Decision::Refused;
        let output = if ran { self.outputs.remove(&row) } else { None };
        let record = ReceiptRecord {
            endpoint: self.id,
            id: envelope.id(),
            seq: receipt.seq,
            job: receipt.job,
            envelope: bytes,
            at: now().get(),
        };
        let answer = answer(row, receipt, output);
        let of_policy = PolicyAnswer {
            policy: receipt.job,
            endpoint: self.id,
            state: answer.state,
            code: answer.code.clone(),
            seq: receipt.seq,
        };
        let store = self.app.db.write(move |tx| {
            let target = tx.put_receipt(&record, &answer)?;
            tx.put_policy_answer(&of_policy)?;
            let finished = target.is_some() && tx.finish_job(row, is_final)?;
            Ok((target, finished))
        });
        let (target, finished) = store.await?;
        count(&self.app.metrics.receipts);
        if let Some(target) = target {
            self.app.events.push(row, JobEvent::Target(target_row(&target)));
        }
        if finished {
            self.app.events.poke(row);
        }
        Ok(())
    }
}

/// A receipt that was accepted before, when it was made, for the table it came from.
pub(crate) fn read(bytes: Vec<u8>) -> Option<(ReceiptRecord, Answer)> {
    let envelope = Envelope::decode(&bytes).ok()?;
    let receipt: Receipt = envelope.statement().ok()?;
    let (signatures, _) = envelope.verify_signatures();
    let own = signatures
        .iter()
        .any(|s| s.role == SignatureRole::Receipt && s.key.endpoint_id() == receipt.endpoint);
    own.then(|| {
        let at = receipt.t1.get();
        let id = envelope.id();
        let (endpoint, seq, job) = (receipt.endpoint, receipt.seq, receipt.job);
        let record = ReceiptRecord { endpoint, id, seq, job, envelope: bytes, at };
        (record, answer(job, &receipt, None))
    })
}

fn answer(job: StatementId, receipt: &Receipt, output: Option<Vec<u8>>) -> Answer {
    Answer {
        job,
        state: target_state(receipt),
        code: receipt.code.clone(),
        decision: decision_name(receipt.decision),
        exit: receipt.exit,
        output,
    }
}

/// A standing order stands, whatever becomes of one of its runs.
const fn target_state(receipt: &Receipt) -> &'static str {
    if receipt.occurrence.is_some() {
        return "running";
    }
    match receipt.decision {
        Decision::Refused => "refused",
        Decision::Standing => "running",
        Decision::Done | Decision::Ended => "done",
        Decision::Failed | Decision::TimedOut | Decision::Interrupted => "failed",
    }
}

/// Whether a refusal of this code stays.
pub(crate) fn is_final(code: &str) -> bool {
    Refusal::ALL.iter().any(|refusal| refusal.code() == code && refusal.retry() == Retry::Terminal)
}
