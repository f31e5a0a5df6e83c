use bartizan_trust::id::{EndpointId, OrgId, Sha256};
use bartizan_trust::statement::{Output, StateSummary, V1};

use super::*;

const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);

fn receipt(seq: u64, decision: Decision, code: &str) -> (StatementId, Receipt) {
    let receipt = Receipt {
        v: V1,
        org: OrgId::new(Sha256::of(b"org")),
        iat: NOW,
        crit: Vec::new(),
        endpoint: EndpointId::new(Sha256::of(b"endpoint")),
        seq,
        prev: None,
        job: StatementId::new(Sha256::of(b"job")),
        occurrence: None,
        decision,
        code: code.to_owned(),
        t0: NOW,
        t1: NOW,
        exit: None,
        output: Output { sha256: Sha256::of(b""), size: 0 },
        program: None,
        state: StateSummary { bundle: 1, clog: 1, jlog: 1, floor: NOW },
    };
    (StatementId::new(Sha256::of(&seq.to_be_bytes())), receipt)
}

#[test]
fn a_run_counts_and_else_the_newest_word() {
    let waits = receipt(1, Decision::Refused, "stage.not_promoted");
    let ran = receipt(2, Decision::Done, "ok");
    let again = receipt(3, Decision::Refused, "replay.seen");
    let failed = receipt(2, Decision::TimedOut, "exec.timeout");
    let lied_to = receipt(2, Decision::Refused, "log.fork");
    let unknown = receipt(2, Decision::Refused, "moon.phase");
    for (heard, expected) in [
        (vec![], Said::Nothing),
        (vec![waits.clone()], Said::Waits("stage.not_promoted".to_owned())),
        (vec![again.clone(), ran, waits.clone()], Said::Ok),
        (vec![waits.clone(), failed], Said::Failed("exec.timeout".to_owned())),
        (vec![lied_to, waits.clone()], Said::Refused("log.fork".to_owned())),
        (vec![waits, unknown], Said::Refused("moon.phase".to_owned())),
    ] {
        assert_eq!(count(heard).0, expected);
    }
}

fn member(number: u8, said: Said, at: u64) -> Member {
    let id = Sha256::of(&[number]);
    let receipt = Some((StatementId::new(id), UnixSeconds::new(at)));
    Member { endpoint: EndpointId::new(id), said, state: TargetState::Queued, receipt }
}

/// A first stage of these, a second that wants half an hour and at most half of them failed.
fn view(said: &[Said]) -> View {
    let members = (0..).zip(said).map(|(n, said)| member(n, said.clone(), NOW.get())).collect();
    let count = u32::try_from(said.len()).expect("a small stage");
    let next = Stage { soak_s: 1800, promote_min: 1, failures_percent_max: 50, ..Stage::only(1) };
    let text = format!(
        r#"{{"v":1,"org":"{}","iat":{},"crit":[],"nonce":"","bundle_min":1,"tenant":"tn_acme","class":"change","action":{{"kind":"script","interpreter":"sh",
        "content":{{"sha256":"{}","size":0}},"args":[],"env":[],"timeout_s":1,"output_max":1,"destructive":false}},"targets":{{"count":2,"root":"{}"}},
        "window":{{"nbf":0,"exp":1}},"after":[],"stages":[],"display":{{"title":"t","ticket":"","reason":""}}}}"#,
        OrgId::new(Sha256::of(b"org")),
        NOW.get(),
        Sha256::of(b""),
        Sha256::of(b"")
    );
    View {
        id: StatementId::new(Sha256::of(b"job")),
        job: serde_json::from_str(&text).expect("a job"),
        state: JobState::Active,
        stages: vec![
            StageView { stage: Stage::only(count), members },
            StageView { stage: next, members: Vec::new() },
        ],
        promoted: Vec::new(),
        draft: None,
    }
}

#[test]
fn a_stage_is_ready_when_enough_ended_well_and_it_has_soaked() {
    let failed = || Said::Failed("exec.exit_status".to_owned());
    let refused = || Said::Refused("class.too_weak".to_owned());
    let later = NOW.plus(1800);
    for (said, at, expected) in [
        (vec![Said::Nothing], later, Next::TooEarly),
        (vec![Said::Ok], NOW, Next::Soaks(1800)),
        (vec![Said::Ok], NOW.plus(1799), Next::Soaks(1)),
        (vec![Said::Ok], later, Next::Ready),
        (vec![Said::Ok, Said::Nothing], later, Next::Ready),
        (vec![Said::Ok, failed()], later, Next::Ready),
        // More may end well yet, or no longer.
        (vec![failed(), Said::Nothing], later, Next::TooEarly),
        (vec![failed(), failed(), Said::Nothing], later, Next::Failures),
        (vec![failed(), failed(), refused(), Said::Ok], later, Next::Failures),
        (vec![Said::Ok, refused()], later, Next::Refusals),
    ] {
        assert_eq!(view(&said).next(at), expected, "{said:?}");
    }
}

#[test]
fn an_endpoint_that_claims_to_have_run_long_ago_shortens_no_soak() {
    let mut view = view(&[Said::Ok]);
    view.stages[0].members = vec![member(0, Said::Ok, 5)];
    assert_eq!(view.soak_left(NOW), 1800);
}

#[test]
fn by_itself_nothing_goes_on_while_half_of_a_stage_is_silent_or_one_is_at_work() {
    assert!(view(&[Said::Ok]).has_settled());
    assert!(!view(&[Said::Ok, Said::Nothing, Said::Nothing]).has_settled());
    let mut half = view(&[Said::Ok, Said::Nothing]);
    assert!(half.has_settled());
    half.stages[0].members[1].state = TargetState::Running;
    assert!(!half.has_settled());
}

#[test]
fn evidence_is_what_the_receipts_say() {
    let all = view(&[
        Said::Ok,
        Said::Failed(String::new()),
        Said::Refused(String::new()),
        Said::Waits(String::new()),
        Said::Nothing,
    ]);
    let evidence = all.stages[0].evidence();
    assert_eq!((evidence.ok, evidence.fail, evidence.refused, evidence.pending), (1, 1, 1, 2));
    let counted = (0..3).map(|n| StatementId::new(Sha256::of(&[n]))).collect();
    assert_eq!(evidence.receipts_root, receipts_root(&counted));
}

#[test]
fn of_a_standing_order_the_newest_run_counts() {
    let run = |seq, decision| {
        let (id, receipt) = receipt(seq, decision, "exec.exit_status");
        (id, Receipt { occurrence: Some(NOW.plus(seq)), ..receipt })
    };
    let stands = || receipt(1, Decision::Standing, "order.standing");
    assert!(matches!(count(vec![stands()]).0, Said::Ok));
    let (well, badly) = (|seq| run(seq, Decision::Done), |seq| run(seq, Decision::Failed));
    assert!(matches!(count(vec![stands(), well(2), badly(3)]).0, Said::Failed(_)));
    assert!(matches!(count(vec![badly(2), stands(), well(3)]).0, Said::Ok));
    // A run that did not start says nothing about the order.
    assert!(matches!(count(vec![stands(), well(2), run(3, Decision::Refused)]).0, Said::Ok));
}
