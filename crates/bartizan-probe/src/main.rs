//! `bartizan-probe`: reads one request on standard input, asks, writes one answer on standard output, and ends. Started by
//! `bartizan-guard`, as an account without privileges, for each look of a check that uses the network.

mod sandbox;

use std::io::{self, Read as _, Write as _};
use std::process::ExitCode;

use bartizan_probe::{System, answer};
use bartizan_proto::probe::{Answer, REQUEST_BYTES_MAX, Request};

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == "--version") {
        println!("bartizan-probe {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bartizan-probe: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> io::Result<()> {
    let most = u64::try_from(REQUEST_BYTES_MAX).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    io::stdin().take(most).read_to_end(&mut bytes)?;
    let request = Request::decode(&bytes).map_err(io::Error::other)?;
    // No thread has been started, and no byte of anybody but the guard has been read.
    let answer = match sandbox::enter(&request) {
        Ok(()) => {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            runtime.enable_io().enable_time().build()?.block_on(answer(&request, &System::here()))
        }
        Err(problem) => Answer::Unknown { text: format!("bartizan-probe could not {problem}") },
    };
    let mut output = io::stdout();
    output.write_all(&answer.encode())?;
    output.flush()?;
    // A thread that still looks a name up must not keep this process.
    std::process::exit(0)
}
