//! The hub's connections as links of the machine.

use std::collections::HashSet;

use bartizan_proto::alerts::{EndpointFacts, Machine};
use bartizan_store::{BriefRecord, StoreError};
use bartizan_trust::id::EndpointId;
use bartizan_trust::time::UnixSeconds;

use crate::app::{App, now};

/// When this server last looked, in the store: who was connected then and is not after a start, was lost meanwhile.
const LOOKED: &str = "alerts.looked";
/// When endpoints were last heard of is written every 30 seconds, of heartbeats that come every 30 by default.
const HEARD_S: u64 = 150;
/// Ticks between notes of when it looked.
const TICKS_PER_NOTE: u64 = 30;
/// Ticks between looks at who is connected and was not admitted: somebody may have let it in.
const TICKS_PER_STRANGERS: u64 = 10;
/// Endpoints read at once.
const PAGE: u64 = 1_000;

/// Who was connected at the last look.
pub(super) struct Links {
    connected: HashSet<EndpointId>,
    /// Connected, but in quarantine: their links are no alerts.
    strangers: HashSet<EndpointId>,
    ticks: u64,
}

impl Links {
    /// Tells the machine of every admitted endpoint.
    pub(super) async fn load(app: &App, machine: &mut Machine) -> Result<Self, StoreError> {
        let looked = app.db.read(|tx| tx.meta(LOOKED)).await?;
        let looked = looked.and_then(|text| text.parse::<u64>().ok());
        let mut last = None;
        loop {
            let page = app.db.read(move |tx| tx.admitted_after(last, PAGE)).await?;
            let Some(row) = page.last() else { break };
            last = Some(row.id);
            for row in page {
                let heard = row.last_seen.unwrap_or(0);
                let was_there =
                    looked.is_some_and(|looked| heard.saturating_add(HEARD_S) >= looked);
                let id = row.id;
                machine.set_endpoint(id, facts(row));
                if !was_there {
                    machine.set_away(id, UnixSeconds::new(heard));
                }
            }
        }
        Ok(Self { connected: HashSet::new(), strangers: HashSet::new(), ticks: 0 })
    }

    /// Tells the machine what has changed.
    pub(super) async fn look(
        &mut self,
        app: &App,
        machine: &mut Machine,
    ) -> Result<(), StoreError> {
        let connected = app.hub.connected();
        let lost: Vec<EndpointId> = self.connected.difference(&connected).copied().collect();
        let mut new: Vec<EndpointId> = connected.difference(&self.connected).copied().collect();
        self.strangers.retain(|id| connected.contains(id));
        if self.ticks.is_multiple_of(TICKS_PER_STRANGERS) {
            new.extend(self.strangers.drain());
        }
        for id in lost {
            machine.handle_link(id, false, now());
        }
        for ids in new.chunks(usize::try_from(PAGE).unwrap_or(usize::MAX)) {
            let wanted = ids.to_vec();
            let rows = app.db.read(move |tx| tx.fleet_rows(&wanted)).await?;
            for row in rows {
                let id = row.id;
                if row.admitted {
                    machine.set_endpoint(id, facts(row));
                    machine.handle_link(id, true, now());
                } else {
                    self.strangers.insert(id);
                }
            }
        }
        self.connected = connected;
        if self.ticks.is_multiple_of(TICKS_PER_NOTE) {
            let at = now().get().to_string();
            app.db.write(move |tx| tx.set_meta(LOOKED, &at)).await?;
        }
        self.ticks = self.ticks.wrapping_add(1);
        Ok(())
    }
}

fn facts(row: BriefRecord) -> EndpointFacts {
    EndpointFacts { tenant: row.tenant, site: row.site, hostname: row.hostname, os: row.os }
}
