//! Standing orders that somebody writes: when they would run, in words.

use anyhow::Result;
use bartizan_trust::statement::{On, RunRate, Trigger};

use super::id;
use crate::commands::trigger::Bounds;
use crate::console::shapes::{OrderPlan, OrderRun, OrderStart, OrderTrigger};
use crate::home::now;
use crate::schedule::{self, PassedOver};
use crate::sign::render::{length, what_starts};
use crate::zone;

/// Times that are shown.
const RUNS: usize = 10;

/// The trigger of an order that is signed now.
pub(super) fn trigger(wanted: OrderTrigger) -> Result<Trigger> {
    let on = match wanted.on {
        OrderStart::Interval { every_s } => On::Interval { every_s },
        OrderStart::Calendar { cron, zone } => {
            On::Calendar { cron: cron.trim().to_owned(), zone: zone.trim().to_owned() }
        }
        OrderStart::Start => On::Start {},
        OrderStart::DiskBelow { path, percent } => On::DiskBelow { path, percent },
        OrderStart::ServiceDown { unit } => On::ServiceDown { unit },
        OrderStart::RebootPending => On::RebootPending {},
        OrderStart::FileChanged { path } => On::FileChanged { path },
        OrderStart::Ended { order, well } => On::Ended { order: id(&order)?, well },
    };
    let bounds = Bounds {
        until_s: wanted.until_s,
        alone_s: wanted.alone_s,
        rate: wanted.rate.map(|rate| RunRate { runs: rate.runs, per_s: rate.per_s }),
        distance_s: wanted.distance_s,
        jitter_s: wanted.jitter_s,
        late_s: wanted.late_s,
    };
    bounds.around(on, now())
}

/// What an order would do.
pub(crate) fn plan(wanted: OrderTrigger) -> Result<OrderPlan> {
    let trigger = trigger(wanted)?;
    let zone = match &trigger.on {
        On::Calendar { zone, .. } => zone.clone(),
        _ => "UTC".to_owned(),
    };
    let now = now();
    let times = schedule::times(&trigger, now, now, RUNS)?;
    let runs = times.into_iter().map(|time| OrderRun {
        at: time.at.get(),
        wall: zone::on_the_wall(time.at, &zone),
        passed_over: time.passed_over.map(|why| why_not(why, &trigger)),
    });
    Ok(OrderPlan {
        starts: what_starts(&trigger.on),
        schedule: trigger.on.is_schedule(),
        until: trigger.until.get(),
        bounds: bounds(&trigger),
        runs: runs.collect(),
        zone,
    })
}

fn why_not(why: PassedOver, trigger: &Trigger) -> String {
    match why {
        PassedOver::Distance => {
            format!("less than {} after the run before", length(trigger.distance_s))
        }
        PassedOver::Rate => {
            format!(
                "{} runs in {} were there already",
                trigger.rate.runs,
                length(trigger.rate.per_s)
            )
        }
    }
}

fn bounds(trigger: &Trigger) -> Vec<String> {
    let mut found = vec![
        format!(
            "At most {} runs in {}, and at least {} between two.",
            trigger.rate.runs,
            length(trigger.rate.per_s),
            length(trigger.distance_s)
        ),
        format!(
            "It stands still after {} without news from the server; for so long a withheld freeze can go unseen.",
            length(trigger.freshness_s)
        ),
    ];
    if trigger.on.is_schedule() {
        found.push(if trigger.late_s == 0 {
            "A run that was missed is passed over after a minute.".to_owned()
        } else {
            format!("A run that was missed may start up to {} late.", length(trigger.late_s))
        });
        if trigger.jitter_s > 0 {
            found.push(format!("Endpoints are spread over {}.", length(trigger.jitter_s)));
        }
    }
    found
}
