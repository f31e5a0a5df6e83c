//! `witness`: this console vouches that the logs only grow.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Context, options};
use crate::exit::{Code, Failure};
use crate::witness;

/// `bartizan witness …`
#[derive(Debug, Args)]
pub(crate) struct WitnessOptions {
    /// Look once and end
    #[arg(long)]
    once: bool,
    /// How often
    #[arg(long, default_value = "30s", value_parser = options::seconds)]
    interval: u64,
}

pub(crate) fn run(context: &Context, options: &WitnessOptions) -> Result<()> {
    loop {
        match round(context) {
            Ok(()) if options.once => return Ok(()),
            Ok(()) => {}
            Err(error) => {
                // A log that shrank or forked ends the witness for good; a server that is away does not.
                let fatal = error
                    .downcast_ref::<Failure>()
                    .is_none_or(|failure| failure.code == Code::Refused);
                if options.once || fatal {
                    return Err(error);
                }
                crate::exit::report(&error, context.terminal);
            }
        }
        std::thread::sleep(Duration::from_secs(options.interval));
    }
}

fn round(context: &Context) -> Result<()> {
    let console = context.connect()?;
    let views = witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    let shown: Vec<_> =
        views.iter().map(|(log, view)| json!({ "log": log.name(), "size": view.size })).collect();
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
    context.terminal.result(&json!({ "cosigned": shown }), &text)
}
