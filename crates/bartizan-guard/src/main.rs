//! The privileged half of the endpoint service: verifies, decides, runs, writes receipts. It has no network.

mod arguments;
mod certificate;
mod checks;
mod collector;
mod device;
mod folder;
mod guard;
mod install;
mod jobs;
mod latest;
mod launcher;
mod metrics;
mod outbox;
mod pipe;
mod reanchor;
mod receipts;
mod reports;
mod results;
mod trial;

use std::process::ExitCode;

use arguments::{Command, USAGE};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match Command::parse(&arguments) {
        Ok(Command::Enroll(enroll)) => install::enroll(&enroll),
        Ok(Command::Run(run)) => guard::run(&run),
        Ok(Command::Status { folder }) => install::print_status(&folder),
        Ok(Command::Freeze { folder, file }) => install::hand_freeze(&folder, &file),
        Ok(Command::Reanchor(enroll)) => reanchor::reanchor(&enroll),
        Ok(Command::Version) => {
            println!("bartizan-guard {}", env!("CARGO_PKG_VERSION"));
            Ok(())
        }
        Ok(Command::Help) => {
            println!("{USAGE}");
            Ok(())
        }
        Err(problem) => {
            eprintln!("bartizan-guard: {problem}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bartizan-guard: {error:#}");
            ExitCode::FAILURE
        }
    }
}
