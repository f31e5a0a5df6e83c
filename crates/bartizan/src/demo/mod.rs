//! `bartizan demo`: the product in two minutes, on real parts.
//!
//! A server, three endpoints and two operators on this machine; then an attacker who owns the server's
//! database. Every step is done with the commands a person would type, and fails the demo when it does
//! not do what it says.

mod attack;
pub(crate) mod stage;
pub(crate) mod story;

use anyhow::{Context, Result};

use stage::Stage;

/// What happens after the story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    /// Everything stays up until Ctrl-C.
    KeepRunning,
    /// Everything is ended.
    Stop,
}

/// Plays the story.
pub(crate) fn run(afterwards: Afterwards) -> Result<()> {
    let mut stage = Stage::new()?;
    println!(
        "Bartizan demo. Every process below is real; all of it lies in {}",
        stage.root().display()
    );
    println!("The agents run as this one user; as a service, agent and guard are two.\n");
    story::play(&mut stage).context("the demo did not do what it says")?;
    println!("\nA server that is owned completely could not run anything on any endpoint.");
    if afterwards == Afterwards::Stop {
        return Ok(());
    }
    print_how_to_go_on(&stage);
    wait_for_interrupt()?;
    println!("\nStopping everything. The files stay in {}", stage.root().display());
    Ok(())
}

fn print_how_to_go_on(stage: &Stage) {
    let tool = stage.binary("bartizan");
    println!("\nThe system keeps running until Ctrl-C. In another terminal:\n");
    for who in ["alice", "bob"] {
        let home = stage.path(who);
        println!(
            "  alias {who}='{} --home {} --key {}'",
            tool.display(),
            home.display(),
            home.join("id_ed25519").display()
        );
    }
    println!("  alice endpoints");
    println!(
        "  echo 'uname -a' > hello.sh && alice run --on all --class change --no-wait hello.sh"
    );
    println!("  bob pending; bob approve <id> --no-wait");
    println!(
        "  alice rollout <id> --auto      # one endpoint first, the others when it ended well"
    );
}

fn wait_for_interrupt() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("wait for Ctrl-C")?;
    runtime.block_on(tokio::signal::ctrl_c()).context("wait for Ctrl-C")
}
