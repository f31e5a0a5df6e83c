//! What the server hears: receipts, and before the receipt of a scan what it found.

use bartizan_proto::message::Message;
use bartizan_trust::id::{StatementId, TenantId};
use bartizan_trust::people;

use super::Guard;
use crate::outbox;

/// Receipts on their way to the server at once.
const RECEIPTS_IN_FLIGHT_MAX: usize = 16;

impl Guard {
    /// Sends receipts in order, a few at a time: the server confirms them as it stores them. Before the receipt of a scan goes
    /// what it found.
    pub(super) fn send_receipts(&mut self) {
        if !self.linked {
            return;
        }
        for (seq, envelope) in self.outbox.after(self.receipts_sent, RECEIPTS_IN_FLIGHT_MAX) {
            let job = outbox::parse(&envelope).map(|(_, receipt)| receipt.job);
            let agent = self.agent.as_ref();
            let offer = |message| agent.is_none_or(|agent| agent.offer(message));
            if job.is_some_and(|job| !self.results.send(job, offer)) {
                return;
            }
            self.receipts_sent = seq;
            self.send(Message::Receipt { envelope });
        }
    }

    /// Sends what was observed, behind the receipts and as far as there is room.
    pub(super) fn send_reports(&mut self) {
        let Some(agent) = self.agent.as_ref().filter(|_| self.linked) else { return };
        self.reports.send(self.admitted, |message| agent.offer(message));
    }

    /// What the server has, with its receipt.
    pub(super) fn forget_results(&self) {
        let waiting: Vec<StatementId> = self
            .outbox
            .waiting()
            .filter_map(|bytes| outbox::parse(bytes))
            .map(|(_, receipt)| receipt.job)
            .collect();
        self.results.keep_only(|job| waiting.contains(&job) || self.running.contains_key(&job));
    }

    /// Whose rule packs the scanner believes, by the bundle in force.
    pub(super) fn pack_keys(&self, tenant: &TenantId) -> Vec<String> {
        let trust = self.state.trust.as_ref();
        let keys = trust.map_or_else(Vec::new, |trust| people::pack_keys(&trust.bundle, tenant));
        keys.into_iter().map(str::to_owned).collect()
    }
}
