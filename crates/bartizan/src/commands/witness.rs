//! `witness`: this console, or a box of its own, vouches that the logs only grow.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_trust::id::Anchor;
use bartizan_trust::note::VerifierKey;
use clap::{Args, Subcommand};
use serde_json::json;

use super::keys::WitnessCard;
use super::{Context, File, options};
use crate::alarm::Alarms;
use crate::api::session;
use crate::exit::{Code, Failure};
use crate::guardian::{self, Guardian};
use crate::mine;
use crate::{mirror, withhold, witness};

/// `bartizan witness …`
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct WitnessOptions {
    #[command(subcommand)]
    command: Option<WitnessCommand>,
    /// Look once and end
    #[arg(long)]
    once: bool,
    /// Run this when something was signed with your key elsewhere, or the control log changes; the text is in
    /// BARTIZAN_ALARM
    #[arg(long, value_name = "COMMAND")]
    alarm: Option<String>,
    /// Keep a mirror here, so that what is co-signed can be rescued
    #[arg(long, value_name = "DIR")]
    mirror: Option<File>,
    /// How often
    #[arg(long, default_value = "30s", value_parser = options::seconds)]
    interval: u64,
    /// Stop co-signing from now on, for this reason: work stops once the control view is too old for its class
    #[arg(long, value_name = "REASON", conflicts_with_all = ["once", "resume"])]
    withhold: Option<String>,
    /// Co-sign again, also while a freeze is missing from the control log
    #[arg(long)]
    resume: bool,
}

/// Keeps still from now on, or speaks again. Also acts on a witness that runs.
fn set(context: &Context, words: Option<&str>) -> Result<()> {
    let before = withhold::load(&context.home)?.reason();
    if words.is_none() {
        let asked = before.as_deref().unwrap_or("nothing is withheld");
        context.terminal.show(asked)?;
        context.terminal.confirm("Co-sign again?")?;
    }
    let reason = withhold::by_hand(&context.home, words)?.reason();
    let text = if words.is_some() {
        "this console co-signs nothing until `bartizan witness --resume`; tell the other operators"
    } else {
        "this console co-signs again"
    };
    context.terminal.result(&json!({ "withheld": reason, "before": before }), text)
}

/// `bartizan witness …`, on a box without an operator
#[derive(Debug, Subcommand)]
pub(crate) enum WitnessCommand {
    /// Answer logs that ask for a co-signature (C2SP tlog-witness): a guardian box, without any login
    Serve(ServeOptions),
    /// Print this home's witness card, for `bartizan init --witness` and `bartizan operator witness add`
    Key {
        /// What the guardian is called
        #[arg(long, default_value = "guardian", value_parser = short_name)]
        name: String,
    },
}

/// `bartizan witness serve …`
#[derive(Debug, Args)]
pub(crate) struct ServeOptions {
    /// Where. Plain HTTP: what passes is signed; a proxy may add TLS
    #[arg(long, default_value = "127.0.0.1:8445")]
    listen: SocketAddr,
    /// What the guardian is called, as in `witness key`
    #[arg(long, default_value = "guardian", value_parser = short_name)]
    name: String,
    /// The genesis bundle of the organisation whose logs to witness
    #[arg(long, requires = "anchor", required_unless_present = "log_keys")]
    genesis: Option<File>,
    /// The anchor that the genesis bundle must have, from an operator
    #[arg(long, requires = "genesis")]
    anchor: Option<Anchor>,
    /// A log to witness, by its verifier key; may be given more than once
    #[arg(long = "log-key", value_name = "VKEY", value_parser = vkey)]
    log_keys: Vec<VerifierKey>,
    /// Run this when a log signs two histories; the text is in BARTIZAN_ALARM
    #[arg(long, value_name = "COMMAND")]
    alarm: Option<String>,
}

/// A name that can stand in a log policy.
fn short_name(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !text.is_empty() && text.len() <= 32 && text.chars().all(fits) {
        return Ok(text.to_owned());
    }
    Err("1 to 32 lower-case letters, digits and `-`".to_owned())
}

fn vkey(text: &str) -> Result<VerifierKey, String> {
    VerifierKey::parse(text).map_err(|error| error.to_string())
}

pub(crate) fn run(context: &Context, options: &WitnessOptions) -> Result<()> {
    match &options.command {
        None if options.resume || options.withhold.is_some() => {
            set(context, options.withhold.as_deref())
        }
        None => rounds(context, options),
        Some(WitnessCommand::Serve(options)) => serve(context, options),
        Some(WitnessCommand::Key { name }) => {
            let card = WitnessCard::own(context, name)?;
            eprintln!(
                "words   {}\nread them to whoever adds this guardian, on the telephone or in person",
                card.words()
            );
            let shown = serde_json::to_value(&card).context("write the card")?;
            // A card is a file for another person: JSON in either case.
            context.terminal.result(&shown, &shown.to_string())
        }
    }
}

fn serve(context: &Context, options: &ServeOptions) -> Result<()> {
    let mut logs = options.log_keys.clone();
    if let (Some(genesis), Some(anchor)) = (&options.genesis, options.anchor) {
        logs.extend(guardian::logs_of(genesis, anchor)?);
    }
    let guardian = Guardian::new(&context.home, &options.name, logs, options.alarm.as_deref())?;
    guardian::serve(guardian, options.listen, context.terminal)
}

fn rounds(context: &Context, options: &WitnessOptions) -> Result<()> {
    let alarms = Alarms::open(&context.home, options.alarm.as_deref())?;
    loop {
        match round(context, &alarms, options.mirror.as_deref()) {
            Ok(()) if options.once => return alarms.deliver(),
            Ok(()) => {}
            Err(error) => {
                // A log that shrank or forked ends the witness for good; a server that is away does not.
                let fatal = error
                    .downcast_ref::<Failure>()
                    .is_none_or(|failure| failure.code == Code::Refused);
                if fatal {
                    alarms.raise(&format!("{error:#}"), &json!({ "fatal": true }))?;
                }
                if options.once {
                    alarms.deliver()?;
                    return Err(error);
                }
                crate::exit::report(&error, context.terminal);
                if fatal {
                    alarms.finish()?;
                    return Err(error);
                }
            }
        }
        alarms.tend(Duration::from_secs(options.interval))?;
    }
}

fn round(context: &Context, alarms: &Alarms, mirror: Option<&Path>) -> Result<()> {
    let console = context.connect()?;
    // Before and after: what this console vouches for must not be lost with the server.
    if let Some(dir) = mirror {
        mirror::update(&console, dir)?;
    }
    let views = witness::cosign_both(&context.home, &console.api, &console.trust.bundle)?;
    if let Some(dir) = mirror {
        mirror::update(&console, dir)?;
    }
    let shown: Vec<_> =
        views.iter().map(|(log, view)| json!({ "log": log.name(), "size": view.size })).collect();
    let key = session::own_key(&context.home)?;
    let me = key.as_deref().and_then(|key| mine::operator(&console.view, key));
    let told = match me {
        Some(me) => mine::look(&context.home, &console.api, &console.view, me, &views, alarms)?,
        None => Vec::new(),
    };
    for text in &told {
        context.terminal.show(&format!("ALARM {text}"))?;
    }
    let withheld = withhold::load(&context.home)?.reason();
    let text = if let Some(reason) = &withheld {
        format!("NOT CO-SIGNED: {reason}")
    } else if views.is_empty() {
        "the bundle does not list this console as a witness; your co-signature counts for nothing"
            .to_owned()
    } else {
        views
            .iter()
            .map(|(log, view)| format!("{}: {} entries", log.name(), view.size))
            .collect::<Vec<_>>()
            .join(", ")
    };
    context
        .terminal
        .result(&json!({ "cosigned": shown, "alarms": told, "withheld": withheld }), &text)
}
