//! `witness`: this console vouches that the logs only grow.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Context, options};
use crate::api::session;
use crate::exit::{Code, Failure};
use crate::mine;
use crate::witness;

/// `bartizan witness …`
#[derive(Debug, Args)]
pub(crate) struct WitnessOptions {
    /// Look once and end
    #[arg(long)]
    once: bool,
    /// Run this when something was signed with your key elsewhere, or the control log changes; the text is in
    /// BARTIZAN_ALARM
    #[arg(long, value_name = "COMMAND")]
    alarm: Option<String>,
    /// How often
    #[arg(long, default_value = "30s", value_parser = options::seconds)]
    interval: u64,
}

pub(crate) fn run(context: &Context, options: &WitnessOptions) -> Result<()> {
    loop {
        match round(context, options.alarm.as_deref()) {
            Ok(()) if options.once => return Ok(()),
            Ok(()) => {}
            Err(error) => {
                // A log that shrank or forked ends the witness for good; a server that is away does not.
                let fatal = error
                    .downcast_ref::<Failure>()
                    .is_none_or(|failure| failure.code == Code::Refused);
                if fatal {
                    let facts = json!({ "fatal": true });
                    mine::raise(options.alarm.as_deref(), &format!("{error:#}"), &facts)?;
                }
                if options.once || fatal {
                    return Err(error);
                }
                crate::exit::report(&error, context.terminal);
            }
        }
        std::thread::sleep(Duration::from_secs(options.interval));
    }
}

fn round(context: &Context, alarm: Option<&str>) -> Result<()> {
    let console = context.connect()?;
    let views = witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    let shown: Vec<_> =
        views.iter().map(|(log, view)| json!({ "log": log.name(), "size": view.size })).collect();
    let key = session::own_key(&context.home)?;
    let me = key.as_deref().and_then(|key| mine::operator(&console.view, key));
    let alarms = match me {
        Some(me) => mine::look(&context.home, &console.api, me, &views, alarm)?,
        None => Vec::new(),
    };
    for text in &alarms {
        context.terminal.show(&format!("ALARM {text}"))?;
    }
    let text = if views.is_empty() {
        "the bundle does not list this console as a witness; your co-signature counts for nothing"
            .to_owned()
    } else {
        views
            .iter()
            .map(|(log, view)| format!("{}: {} entries", log.name(), view.size))
            .collect::<Vec<_>>()
            .join(", ")
    };
    context.terminal.result(&json!({ "cosigned": shown, "alarms": alarms }), &text)
}
