//! The server: relays, stores, shows. It signs checkpoints of its two logs and its TLS handshakes, and
//! nothing that an endpoint would act on.

mod alerts;
mod allow;
mod allowance;
mod app;
mod channels;
mod checks;
mod cli;
mod config;
mod convert;
mod db;
mod dispatch;
mod dossiers;
mod events;
mod fields;
mod firewall;
mod hub;
mod inventory;
mod keys;
mod lineage;
mod logs;
mod metrics;
mod planes;
mod published;
mod quarantine;
mod remote_write;
mod rescue;
mod run;
mod series;
mod tls;
mod witnesses;
mod zones;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
