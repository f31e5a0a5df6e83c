//! Operates: the operator's tool. Everything a person signs is signed here, on the person's own computer, after it was shown
//! from the exact bytes.

mod alarm;
mod api;
mod audit;
mod commands;
mod compose;
mod console;
mod demo;
mod drill;
mod exit;
mod expiry;
mod founding;
mod graph;
mod guardian;
mod home;
mod journal;
mod keys;
mod lan;
mod library;
mod mine;
mod mirror;
mod monitoring;
mod recovery;
mod reviews;
mod rollout;
mod schedule;
mod sign;
mod terminal;
mod tiles;
mod trust;
mod vendor;
mod withhold;
mod witness;
mod zone;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{CommandFactory, Parser};

use commands::{Command, Context};
use exit::Code;
use home::Home;
use terminal::Terminal;

/// The operator's tool of Bartizan.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Where keys and the organisation are kept [default: ~/.config/bartizan].
    #[arg(long, global = true, env = "BARTIZAN_HOME")]
    home: Option<PathBuf>,
    /// The key to sign with: an OpenSSH private key file, or agent:SHA256:…
    #[arg(long, global = true)]
    key: Option<String>,
    /// JSON on standard output.
    #[arg(long, global = true)]
    json: bool,
    /// Do not ask for confirmation.
    #[arg(long, short = 'y', global = true)]
    yes: bool,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return wrong_arguments(&error),
    };
    let terminal = Terminal { json: arguments.json, yes: arguments.yes };
    match run(arguments, terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(exit::report(&error, terminal)),
    }
}

/// Also `--help` and `--version`, which are no errors.
fn wrong_arguments(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let message = error.render().to_string();
        let message = message.trim_start_matches("error: ").lines().next().unwrap_or_default();
        let failure = exit::fail(Code::Usage, message, "see `bartizan help`");
        return ExitCode::from(exit::report(&failure, Terminal { json: true, yes: false }));
    }
    // Where standard error is closed there is nobody to tell.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(Code::Usage.number()))
}

fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    match arguments.command {
        Command::Demo { once } => {
            demo::run(if once { demo::Afterwards::Stop } else { demo::Afterwards::KeepRunning })
        }
        Command::Drill { html, fleet: false, .. } => drill::run(terminal, html.as_deref()),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut Arguments::command(),
                "bartizan",
                &mut std::io::stdout(),
            );
            Ok(())
        }
        Command::Help { topic } => commands::help(topic.as_deref(), &mut Arguments::command()),
        command => {
            let context =
                Context { home: Home::open(arguments.home)?, terminal, key: arguments.key };
            commands::run(command, &context)
        }
    }
}
