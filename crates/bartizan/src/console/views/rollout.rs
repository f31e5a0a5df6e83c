//! Roll-outs, counted from receipts that are verified here.

use anyhow::Result;
use bartizan_trust::id::EndpointId;
use bartizan_trust::statement::OperatorRole;

use super::{disabled, id, names, next, own};
use crate::commands::{Console, rollout, watch};
use crate::console::desk::Desk;
use crate::console::shapes::{NextStep, Reason, RolloutView, StageRow};
use crate::home::now;
use crate::rollout::{Next, Said, StageView, View};
use crate::terminal::cell;

/// Endpoints that are named with their reasons, in each stage.
const REASONS_MAX: usize = 50;

/// One roll-out.
pub(crate) fn show(desk: &Desk, console: &Console, text: &str) -> Result<RolloutView> {
    let view = View::fetch(console, id(text)?)?;
    let step = view.next(now());
    let mut stages: Vec<StageRow> = (0..)
        .zip(&view.stages)
        .map(|(number, stage)| stage_row(number, stage, view.promoted.len()))
        .collect();
    let ids: Vec<EndpointId> = stages
        .iter()
        .flat_map(|stage| &stage.reasons)
        .filter_map(|reason| reason.endpoint.parse().ok())
        .collect();
    let names = names(console, &ids)?;
    for reason in stages.iter_mut().flat_map(|stage| &mut stage.reasons) {
        let id = reason.endpoint.parse::<EndpointId>().ok();
        reason.hostname = id.and_then(|id| names.get(&id).cloned());
    }
    let lacks = disabled(desk, console, OperatorRole::Promote, Some(&view.job.tenant))?;
    let me = own(desk, console)?.map(|me| &me.id);
    let early = rollout::check(&view, None, me).err().map(|error| error.to_string());
    Ok(RolloutView {
        job: view.id.to_string(),
        title: view.job.display.title.clone(),
        class: view.job.class.name().to_owned(),
        state: watch::state_name(view.state).to_owned(),
        next: match step {
            Next::Nothing => NextStep::Nothing,
            Next::TooEarly => NextStep::TooEarly,
            Next::Soaks(_) => NextStep::Soaks,
            Next::Failures => NextStep::HaltedFailures,
            Next::Refusals => NextStep::HaltedRefusals,
            Next::Ready => NextStep::Ready,
        },
        next_text: rollout::next_text(&view),
        soak_left_s: view.soak_left(now()),
        stages,
        promote_disabled: lacks.or(early),
    })
}

fn stage_row(number: usize, stage: &StageView, promoted: usize) -> StageRow {
    let count = |word: &str| {
        let found = stage.members.iter().filter(|member| rollout::said(member).0 == word).count();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    let told = stage.members.iter().filter_map(|member| {
        let (state, code) = match &member.said {
            Said::Failed(code) => ("failed", code),
            Said::Refused(code) => ("refused", code),
            Said::Waits(code) => ("waits", code),
            Said::Ok | Said::Nothing => return None,
        };
        Some(Reason {
            endpoint: member.endpoint.to_string(),
            hostname: None,
            state: state.to_owned(),
            code: cell(code),
            next: next(code),
        })
    });
    StageRow {
        stage: u32::try_from(number).unwrap_or(u32::MAX),
        name: stage.stage.name.clone(),
        count: stage.stage.count,
        soak_s: stage.stage.soak_s,
        promoters: stage.stage.promote_min,
        failures_percent_max: stage.stage.failures_percent_max,
        may_run: number <= promoted,
        queued: count("queued"),
        delivered: count("delivered"),
        waits: count("waits"),
        running: count("running"),
        done: count("done"),
        failed: count("failed"),
        refused: count("refused"),
        reasons: told.take(REASONS_MAX).collect(),
    }
}
