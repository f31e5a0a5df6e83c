//! Compares candidates for the agent transport over real mutual TLS 1.3 (RFD 0002): server memory
//! per idle connection, server CPU per message and per connection, and whether it passes a proxy.
//!
//! `cargo run --release -p bartizan-testkit --features transports --bin bartizan-transport-bench`

mod client;
mod measure;
mod server;

use anyhow::Result;
use clap::{Parser, ValueEnum};

/// A candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Transport {
    /// Four bytes of length, then the message.
    Frames,
    /// WebSocket, its read buffer cut down to 4 KiB.
    Websocket,
    /// WebSocket with the library's defaults.
    WebsocketDefaults,
    /// One long HTTP/2 request and response.
    Http2,
}

impl Transport {
    const ALL: [Self; 4] = [Self::Frames, Self::Websocket, Self::WebsocketDefaults, Self::Http2];

    const fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::Websocket => "websocket",
            Self::WebsocketDefaults => "websocket-defaults",
            Self::Http2 => "http2",
        }
    }

    const fn alpn(self) -> &'static str {
        match self {
            Self::Frames => "bartizan/1",
            Self::Websocket | Self::WebsocketDefaults => "http/1.1",
            Self::Http2 => "h2",
        }
    }
}

/// Compares agent transports.
#[derive(Debug, Parser)]
struct Arguments {
    /// Connections held at once.
    #[arg(long, default_value_t = 1000)]
    connections: u64,
    /// Messages echoed in all.
    #[arg(long, default_value_t = 20_000)]
    messages: u64,
    /// Runs of each candidate; medians are shown.
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Only this candidate.
    #[arg(long)]
    only: Option<Transport>,
    /// JSON instead of a table.
    #[arg(long)]
    json: bool,
    /// Internal: be the server of this candidate.
    #[arg(long, hide = true)]
    serve: Option<Transport>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    bartizan_testkit::load::proc::raise_open_files();
    match arguments.serve {
        Some(transport) => server::serve(transport),
        None => measure::compare(&arguments),
    }
}
