//! A roll-out as people and programs see it.

use std::collections::BTreeSet;

use bartizan_proto::operator::{JobState, TargetState};
use bartizan_trust::id::OperatorId;
use serde_json::{Value, json};

use super::{Member, Next, Said, View};
use crate::home::now;
use crate::terminal::{cell, table};

/// Refusing endpoints that are named.
const NAMED_MAX: usize = 20;

/// Where an endpoint stands, in a word and a code. The server's word counts only for what no receipt says.
pub(crate) fn said(member: &Member) -> (&'static str, String) {
    match (&member.said, member.state) {
        (Said::Ok, _) => ("done", String::new()),
        (Said::Failed(code), _) => ("failed", cell(code)),
        (Said::Refused(code), _) => ("refused", cell(code)),
        (_, TargetState::Running) => ("running", String::new()),
        (Said::Waits(code), _) => ("waits", cell(code)),
        (Said::Nothing, TargetState::Delivered) => ("delivered", String::new()),
        (Said::Nothing, _) => ("queued", String::new()),
    }
}

const WORDS: [&str; 7] = ["queued", "delivered", "waits", "running", "done", "failed", "refused"];

pub(crate) fn as_text(view: &View) -> String {
    let mut rows = Vec::new();
    let mut reasons = String::new();
    for (number, stage) in view.stages.iter().enumerate() {
        let mut row = vec![
            format!("{number} {}", cell(&stage.stage.name)),
            if number <= view.promoted.len() { "may run" } else { "waits" }.to_owned(),
        ];
        row.extend(WORDS.iter().map(|word| {
            stage.members.iter().filter(|member| said(member).0 == *word).count().to_string()
        }));
        rows.push(row);
        let refusing = stage.members.iter().filter(|m| matches!(m.said, Said::Refused(_)));
        for member in refusing.take(NAMED_MAX) {
            reasons += &format!("{} refused: {}\n", member.endpoint, said(member).1);
        }
    }
    for promoted in &view.promoted {
        if let Some(reason) = &promoted.promotion.despite_refusals {
            let (to, who) = (promoted.promotion.to, cell(&names(&promoted.promoters)));
            reasons +=
                &format!("stage {to} begins although endpoints refused, {who}: {}\n", cell(reason));
        }
    }
    let head = [["STAGE", "MAY"].as_slice(), &WORDS.map(|_| "")].concat();
    let heads: Vec<String> = WORDS.iter().map(|word| word.to_uppercase()).collect();
    let head: Vec<&str> =
        head.iter().take(2).copied().chain(heads.iter().map(String::as_str)).collect();
    format!("{}{reasons}{}", table(&head, &rows), next_text(view))
}

pub(crate) fn next_text(view: &View) -> String {
    let id = view.id;
    match (view.state, view.next(now())) {
        (JobState::Pending, _) => format!("it lacks signatures: bartizan approve {id}"),
        (JobState::Finished, _) => "ended".to_owned(),
        (JobState::Expired, _) => "its window is over".to_owned(),
        (JobState::Cancelled, _) => "cancelled: it has to be signed again".to_owned(),
        (JobState::Active, Next::Nothing) => "every stage may run".to_owned(),
        (JobState::Active, Next::TooEarly) => "the stage is at work".to_owned(),
        (JobState::Active, Next::Soaks(left)) => format!("soaks for {left} s more"),
        (JobState::Active, Next::Failures) => format!(
            "HALTED: more failed than the job allows; stop the rest: bartizan freeze job:{id}"
        ),
        (JobState::Active, Next::Refusals) => format!(
            "HALTED: endpoints refused; stop it: bartizan freeze job:{id}; or: bartizan promote {id} --despite-refusals REASON"
        ),
        (JobState::Active, Next::Ready) => match view.usable_draft() {
            Some((_, draft)) => {
                let wanted = view.next_stage().map_or(0, |(_, _, stage)| stage.promote_min);
                format!(
                    "{} of {wanted} people let the next stage begin, so far {}: bartizan promote {id}",
                    draft.promoters.len(),
                    cell(&names(&draft.promoters))
                )
            }
            None => format!("the next stage can begin: bartizan promote {id}"),
        },
    }
}

fn names(operators: &BTreeSet<OperatorId>) -> String {
    operators.iter().map(OperatorId::name).collect::<Vec<_>>().join(", ")
}

pub(crate) fn as_json(view: &View) -> Value {
    let next = match view.next(now()) {
        Next::Nothing => "nothing",
        Next::TooEarly => "too_early",
        Next::Soaks(_) => "soaks",
        Next::Failures => "halted_failures",
        Next::Refusals => "halted_refusals",
        Next::Ready => "ready",
    };
    let stages: Vec<Value> = view
        .stages
        .iter()
        .enumerate()
        .map(|(number, stage)| {
            let count = |word: &str| stage.members.iter().filter(|m| said(m).0 == word).count();
            let refusals: Vec<Value> = stage
                .members
                .iter()
                .filter(|member| matches!(member.said, Said::Refused(_) | Said::Waits(_)))
                .map(|member| json!({ "endpoint": member.endpoint, "code": said(member).1 }))
                .collect();
            json!({
                "stage": number, "name": stage.stage.name, "count": stage.stage.count, "soak_s": stage.stage.soak_s,
                "may_run": number <= view.promoted.len(), "queued": count("queued"), "delivered": count("delivered"),
                "waits": count("waits"), "running": count("running"), "done": count("done"), "failed": count("failed"),
                "refused": count("refused"), "codes": refusals, "evidence": stage.evidence(),
            })
        })
        .collect();
    let promotions: Vec<Value> = view
        .promoted
        .iter()
        .map(|promoted| {
            json!({
                "to": promoted.promotion.to, "promoters": promoted.promoters,
                "despite_refusals": promoted.promotion.despite_refusals,
            })
        })
        .collect();
    let signed = view.usable_draft().map(|(_, draft)| &draft.promoters);
    json!({
        "job": view.id, "state": view.state, "next": next, "soak_left_s": view.soak_left(now()), "stages": stages,
        "promotions": promotions, "promoters": signed, "promoters_wanted": view.next_stage().map(|(_, _, stage)| stage.promote_min),
    })
}
