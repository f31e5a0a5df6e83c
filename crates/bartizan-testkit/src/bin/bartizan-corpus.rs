//! Writes the seeds of the fuzz corpora: `cargo run -p bartizan-testkit --bin bartizan-corpus`.
//!
//! Seeds are valid inputs, always the same. Files that are there already stay as they are: an old
//! sample is a test that old bytes still read.

use std::path::PathBuf;

use anyhow::{Context, Result};
use bartizan_testkit::fuzz;
use clap::Parser;

/// Writes the seeds of the fuzz corpora.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder with a folder for each target.
    #[arg(long, default_value = "fuzz/corpus")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let mut written = 0_u32;
    for seed in fuzz::seeds()? {
        let folder = arguments.out.join(seed.target);
        std::fs::create_dir_all(&folder)
            .with_context(|| format!("create `{}`", folder.display()))?;
        let path = folder.join(&seed.name);
        if !path.exists() {
            std::fs::write(&path, &seed.bytes)
                .with_context(|| format!("write `{}`", path.display()))?;
            written += 1;
        }
    }
    println!("{written} new seeds in `{}`", arguments.out.display());
    Ok(())
}
