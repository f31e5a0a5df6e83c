//! The network half of the endpoint service: TLS, reconnecting, heartbeats, bytes in both directions.
//!
//! It holds no key and decides nothing, and shuts itself in before it reads a byte. Started by `bartizan-guard`, with the pipe on standard input and output.

mod backoff;
mod dial;
mod direction;
mod lan;
mod link;
mod mirror;
mod pipe;
mod sandbox;
mod tls;

use std::process::ExitCode;

fn main() -> ExitCode {
    if std::env::args().nth(1).is_some_and(|argument| argument == "--version") {
        println!("bartizan-agent {}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let runtime =
        match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                eprintln!("bartizan-agent: cannot start: {error}");
                return ExitCode::FAILURE;
            }
        };
    let local = lan::open();
    // No thread has been started, and no byte of anybody has been read.
    sandbox::enter();
    runtime.block_on(link::run(local));
    // The guard closed the pipe. A thread that waits for it must not keep this process.
    std::process::exit(0)
}
