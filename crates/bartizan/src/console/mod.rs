//! The console: the operator's own process serves its pages to the operator's own browser, and nobody else.
//!
//! The pages hold no keys and decide nothing. What they show as verified was verified here, by the code the command line uses; the
//! text of a signing sheet is rendered here, from the bytes that are then signed here.

mod advice;
mod assets;
mod csv;
mod desk;
mod drafts;
mod failure;
mod limits;
mod logs;
mod news;
mod routes;
mod server;
mod sessions;
mod shapes;
mod sheets;
mod views;
mod waiting;
mod wall;

use anyhow::Result;
use clap::Args;

use crate::commands::Context;
use crate::terminal::line;

/// `bartizan console`
#[derive(Debug, Args)]
pub(crate) struct ConsoleOptions {
    /// The port; passkeys are bound to it, so keep it the same
    #[arg(long, default_value_t = 8740, value_parser = clap::value_parser!(u16).range(1024..))]
    port: u16,
    /// Print the link instead of opening a browser
    #[arg(long)]
    no_open: bool,
    /// Print the document of the pages' API and stop
    #[arg(long, hide = true)]
    document: bool,
}

/// Serves until it is stopped.
pub(crate) fn run(context: &Context, options: &ConsoleOptions) -> Result<()> {
    if options.document {
        return line(routes::document()?.trim_end());
    }
    server::run(context, options.port, options.no_open)
}
