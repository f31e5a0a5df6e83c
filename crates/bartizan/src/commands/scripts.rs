//! `scripts`: the operator's library, and a folder of files that can live in git.

use anyhow::Result;
use clap::Subcommand;
use serde_json::{Value, json};

use super::{Context, File};
use crate::exit::{Code, fail};
use crate::home::now;
use crate::library::{Library, folder};
use crate::terminal::{cell, table};

/// `bartizan scripts …`
#[derive(Debug, Subcommand)]
pub(crate) enum ScriptsCommand {
    /// Take scripts in from a folder: NAME.sh, .bash or .py, and NAME.json that says what it is
    Import {
        /// The folder
        folder: File,
    },
    /// Write the newest version of every script into a folder
    Export {
        /// The folder
        folder: File,
    },
}

pub(crate) fn run(context: &Context, command: Option<&ScriptsCommand>) -> Result<()> {
    let library = Library::new(&context.home);
    match command {
        None => list(context, &library),
        Some(ScriptsCommand::Import { folder }) => import(context, &library, folder),
        Some(ScriptsCommand::Export { folder }) => {
            let count = folder::write(&library, folder)?;
            let shown = json!({ "folder": folder, "scripts": count });
            context.terminal.result(&shown, &format!("{count} scripts in {}", folder.display()))
        }
    }
}

fn list(context: &Context, library: &Library<'_>) -> Result<()> {
    let (mut rows, mut shown) = (Vec::new(), Vec::new());
    for kept in library.list()? {
        let newest = kept.versions.first().map(|version| version.sha256.to_string());
        let newest = newest.unwrap_or_default();
        rows.push(vec![
            kept.name.clone(),
            cell(&kept.about.title),
            kept.versions.len().to_string(),
            newest.chars().take(12).collect(),
        ]);
        shown.push(json!({
            "name": kept.name, "about": kept.about, "versions": kept.versions,
        }));
    }
    let text = if rows.is_empty() {
        "no scripts yet; see `bartizan scripts import`, or the page `Scripts` of the console"
            .to_owned()
    } else {
        table(&["NAME", "TITLE", "VERSIONS", "NEWEST"], &rows)
    };
    context.terminal.result(&json!({ "scripts": shown }), &text)
}

fn import(context: &Context, library: &Library<'_>, folder: &File) -> Result<()> {
    let files = folder::read(folder)?;
    let done = folder::import(library, &files, now());
    let mut text = format!(
        "{} new, {} changed, {} as they were; nothing was signed",
        done.new.len(),
        done.changed.len(),
        done.same
    );
    for (name, reason) in &done.refused {
        text += &format!("\n{}: {}", cell(name), cell(reason));
    }
    let shown: Value = serde_json::to_value(&done)?;
    context.terminal.result(&shown, &text)?;
    if done.refused.is_empty() {
        return Ok(());
    }
    let problem = format!("{} files were not taken in", done.refused.len());
    Err(fail(Code::Error, problem, "mend them and import the folder again"))
}
