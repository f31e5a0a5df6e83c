//! A network that cuts connections in mid-frame, and says again what was said before.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};

use super::attempts::{Answer, approve, finished, marking, runs, start_server, still_works};
use super::others::THIRD;
use super::surroundings::{ENDPOINTS, agent_address};
use super::wire::{Answering, Cut, Direction, Wire};
use crate::demo::stage::{Stage, free_port};
use crate::demo::story::{connected, endpoint_id, submit};

/// What the network half of an endpoint says of a server with which no handshake succeeds.
const NO_HANDSHAKE: &str = "server.tls";
/// How long the server may take to end a connection that says nothing new.
const PATIENCE: Duration = Duration::from_mins(1);

const fn down(after: usize) -> Cut {
    Cut { direction: Direction::Down, after }
}

/// In the content of a job, in a handshake, twice in the content again, and in what the endpoint reports.
const CUTS: [Cut; 5] = [
    down(30_000),
    down(700),
    down(60_000),
    down(90_000),
    Cut { direction: Direction::Up, after: 20_000 },
];
/// Lines that make the script much longer than the cuts, and its output.
const PADDING: usize = 30_000;
const OUTPUT: &str = "head -c 65536 /dev/zero | tr '\\0' x\n";

pub(super) fn cut_and_replayed(stage: &mut Stage) -> Result<Answer> {
    let (wire, server) = tap(stage)?;
    all_back(stage)?;
    let mark = cut(stage, &wire)?;
    let kept = wire.longest().context("nothing was recorded")?;
    for bytes in [&kept.up, &kept.down] {
        ends(server, bytes)?;
    }
    let mut refusals = Vec::new();
    for answering in [Answering::Bytes(kept.down), Answering::Bytes(kept.up), Answering::Echo] {
        refusals = turned_away(stage, &wire, answering)?;
        wire.answer(Answering::Server);
        all_back(stage)?;
    }
    let executed = runs(&mark) > 1;
    still_works(stage, "cut-after")?;
    stage.kill("server")?;
    drop(wire);
    listen(stage, &agent_address(stage)?)?;
    start_server(stage)?;
    all_back(stage)?;
    Ok(Answer { refusals, executed })
}

/// The server listens elsewhere, and somebody else where the bundle says that it does.
fn tap(stage: &mut Stage) -> Result<(Wire, SocketAddr)> {
    let address = agent_address(stage)?;
    let elsewhere = format!("127.0.0.1:{}", free_port()?);
    stage.kill("server")?;
    listen(stage, &elsewhere)?;
    let server = elsewhere.parse().context("an address")?;
    let wire = Wire::tap(address.parse().context("the server's address")?, server)?;
    start_server(stage)?;
    Ok((wire, server))
}

/// Changes where the server listens for endpoints.
fn listen(stage: &Stage, address: &str) -> Result<()> {
    let path = stage.path("server").join("server.toml");
    let before = fs::read_to_string(&path).context("read the server's configuration")?;
    let line = |line: &str| {
        if line.starts_with("agent_listen") {
            format!("agent_listen = \"{address}\"\n")
        } else {
            format!("{line}\n")
        }
    };
    let after: String = before.lines().map(line).collect();
    fs::write(&path, after).context("change the server's configuration")
}

fn all_back(stage: &mut Stage) -> Result<()> {
    stage.wait_for("the endpoints to come back", |stage| {
        Ok((connected(stage)? == ENDPOINTS.len()).then_some(()))
    })
}

/// A job whose every message is cut somewhere; where it leaves its marks.
fn cut(stage: &mut Stage, wire: &Wire) -> Result<String> {
    let (script, mark) = marking(stage, "cut")?;
    let text = fs::read_to_string(&script).context("read the script")?;
    fs::write(&script, format!("{text}{OUTPUT}{}", "# padding\n".repeat(PADDING)))
        .context("make the script longer")?;
    let third = endpoint_id(stage, THIRD)?;
    let job = submit(stage, "alice", &["--on", &third, &script])?;
    wire.cut(&CUTS);
    approve(stage, &job)?;
    finished(stage, &job, 1)?;
    ensure!(wire.uncut() == 0, "{} connections were never cut", wire.uncut());
    ensure!(runs(&mark) > 0, "the job ended without having run");
    Ok(mark)
}

/// A connection that repeats another one is ended by the server.
fn ends(server: SocketAddr, bytes: &[u8]) -> Result<()> {
    let mut stream = TcpStream::connect(server).context("connect to the server")?;
    stream.set_read_timeout(Some(PATIENCE)).context("configure the connection")?;
    // It may end while this still speaks.
    let _ = stream.write_all(bytes);
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                bail!("the server goes on listening to what was recorded")
            }
            Err(_) => return Ok(()),
        }
    }
}

/// Waits until every endpoint has turned such a server away.
fn turned_away(
    stage: &mut Stage,
    wire: &Wire,
    answering: Answering,
) -> Result<Vec<(String, String)>> {
    let log = |stage: &Stage, name: &str| {
        fs::read_to_string(stage.path(&format!("{name}.log"))).unwrap_or_default()
    };
    let count = |text: &str| text.matches(NO_HANDSHAKE).count();
    let before = ENDPOINTS.map(|name| count(&log(stage, name)));
    wire.answer(answering);
    stage.wait_for("every endpoint to turn what was recorded away", |stage| {
        let mut refused = Vec::new();
        for (name, before) in ENDPOINTS.iter().zip(before) {
            if count(&log(stage, name)) > before {
                refused.push((endpoint_id(stage, name)?, NO_HANDSHAKE.to_owned()));
            }
        }
        Ok((refused.len() == ENDPOINTS.len()).then_some(refused))
    })
}
