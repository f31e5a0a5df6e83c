//! Results of checks: what an endpoint says becomes an alert, and no more than that.

use std::time::{Duration, Instant};

use bartizan_proto::alerts::{AlertPage, Phase};
use bartizan_proto::checks::{CheckResult, CheckState, encode_results};
use bartizan_proto::message::{Message, Report, ReportKind};
use bartizan_trust::id::{Sha256, StatementId};

use crate::endpoints::World;
use crate::reports::{endpoint, line, stored};
use crate::{now, wait_for};

fn results(seq: u64, check: &str, state: CheckState) -> Message {
    let result = CheckResult {
        policy: StatementId::new(Sha256::of(b"policy")),
        check: check.to_owned(),
        instance: "/var".to_owned(),
        state,
        since: now(),
        at: now(),
        value: Some(3),
        text: "3 % of room left".to_owned(),
    };
    let bytes = encode_results(&[result]);
    let kind = ReportKind::Checks.code();
    Message::Report(Report { epoch: 1, seq, at: now().get(), dropped: 0, kind, bytes })
}

async fn alerts(world: &World, check: &str) -> AlertPage {
    world.console.fetch(&format!("/v1/alerts?check={check}")).await.expect("alerts")
}

async fn until(world: &World, check: &str, phase: Phase) -> AlertPage {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let page = alerts(world, check).await;
        if page.alerts.iter().any(|row| row.phase == phase) {
            return page;
        }
        assert!(Instant::now() < end, "no {phase:?} alert of {check}: {page:?}");
    }
}

#[test]
fn a_bad_result_opens_one_alert_and_a_good_one_ends_it() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let endpoint = endpoint(&world, 0);
        let mut line = line(&endpoint).await;
        line.say(&results(1, "disk", CheckState::Ok)).await;
        line.say(&results(2, "disk", CheckState::Error)).await;
        while stored(&mut line).await.1 < 2 {}
        until(&world, "disk", Phase::Open).await;
        // Still so, an hour later; and once more what is known already.
        line.say(&results(3, "disk", CheckState::Error)).await;
        line.say(&results(3, "disk", CheckState::Error)).await;
        while stored(&mut line).await.1 < 3 {}
        line.say(&results(4, "disk", CheckState::Ok)).await;
        while stored(&mut line).await.1 < 4 {}
        let page = until(&world, "disk", Phase::Resolved).await;
        assert_eq!(page.alerts.len(), 1, "{page:?}");
    });
}

#[test]
fn no_endpoint_speaks_for_its_own_link() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let endpoint = endpoint(&world, 0);
        let mut line = line(&endpoint).await;
        line.say(&results(1, "link", CheckState::Error)).await;
        line.say(&results(2, "disk", CheckState::Error)).await;
        while stored(&mut line).await.1 < 2 {}
        until(&world, "disk", Phase::Open).await;
        let page = alerts(&world, "link").await;
        assert!(page.alerts.is_empty(), "{page:?}");
    });
}
