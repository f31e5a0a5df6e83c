//! The scanner's program: reads disks, prints what the engine says, and writes nothing where it looks.

mod age;
mod arguments;
mod bench;
mod canaries;
mod collect;
mod guarded;
mod import;
mod logs;
mod order;
mod output;
mod pace;
mod packs;
mod processes;
mod read;
mod resume;
mod rollup;
mod scan;
mod scope;
mod signature;
mod walk;
mod work;

use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use arguments::{Arguments, Command, PackCommand};

/// Incomplete, or an error.
const FAILED: u8 = 3;
/// An error where 3 means no indicators, but not everything seen: the guard tells the two apart.
const ORDER_FAILED: u8 = 4;

fn main() -> ExitCode {
    guarded::tame_panics();
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { FAILED } else { 0 });
        }
    };
    let failed = match &arguments.command {
        Some(Command::Order { .. } | Command::Check { .. } | Command::Rollup { .. }) => {
            ORDER_FAILED
        }
        _ => FAILED,
    };
    match run(arguments) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(failed)
        }
    }
}

fn run(arguments: Arguments) -> Result<u8> {
    match arguments.command {
        None => scan::run(&arguments.scan),
        Some(Command::Bench(command)) => bench::run(&command),
        Some(Command::Pack(PackCommand::Build { source, output, org })) => {
            packs::build(&source, &output, org.as_deref())
        }
        Some(Command::Pack(PackCommand::Import(arguments))) => import::import(&arguments),
        Some(Command::Pack(PackCommand::Lint { pack, json })) => import::lint(&pack, json),
        Some(Command::Pack(PackCommand::Test { pack, goodware, json })) => {
            import::test(&pack, &goodware, json)
        }
        Some(Command::Pack(PackCommand::Show(which))) => packs::show(&which),
        Some(Command::Order { folder }) => order::run(&folder),
        Some(Command::Check { packs, recipients }) => order::check(&packs, &recipients),
        Some(Command::Rollup { index, reports, json }) => rollup::run(&index, &reports, json),
        Some(Command::SelfTest(which)) => packs::self_test(&which),
    }
}
