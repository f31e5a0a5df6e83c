//! Somebody on the wire between endpoints and server. TLS stays closed to him: he passes bytes on, keeps them, cuts, and says
//! again what he kept.

use std::io::{self, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use anyhow::{Context as _, Result};

/// What is kept of one direction of a connection; a job of the drill is far smaller.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Connections that are kept.
const KEPT_MAX: usize = 256;

/// Which way bytes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// To the server.
    Up,
    /// To the endpoint.
    Down,
}

/// A connection ends after so many bytes in one direction, counted from its beginning, or from when the cut was ordered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut {
    pub(super) direction: Direction,
    pub(super) after: usize,
}

/// How an endpoint that connects is answered.
#[derive(Debug, Clone)]
pub(super) enum Answering {
    /// The server answers.
    Server,
    /// With these bytes.
    Bytes(Vec<u8>),
    /// With what it said itself.
    Echo,
}

/// Both directions of a connection.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    pub(super) up: Vec<u8>,
    pub(super) down: Vec<u8>,
    /// How much of each had passed when cuts were ordered.
    before: (usize, usize),
}

/// The place on the wire. Dropping it ends every connection.
pub(super) struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    server: SocketAddr,
    state: Mutex<State>,
}

struct State {
    over: bool,
    answering: Answering,
    /// The next one last.
    cuts: Vec<Cut>,
    open: Vec<TcpStream>,
    kept: Vec<Kept>,
}

impl Wire {
    /// Listens where endpoints look for the server.
    pub(super) fn tap(address: SocketAddr, server: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).context("listen in the server's place")?;
        let state = State {
            over: false,
            answering: Answering::Server,
            cuts: Vec::new(),
            open: Vec::new(),
            kept: Vec::new(),
        };
        let shared = Arc::new(Shared { server, state: Mutex::new(state) });
        let own = Arc::clone(&shared);
        let accepting = thread::spawn(move || accept(&listener, &own));
        Ok(Self { address, shared, accepting: Some(accepting) })
    }

    /// From now on; connections that stand are ended.
    pub(super) fn answer(&self, answering: Answering) {
        let mut state = self.shared.lock();
        state.answering = answering;
        state.end_all();
    }

    /// To be made one after the other, each on the first connection that reaches it.
    pub(super) fn cut(&self, cuts: &[Cut]) {
        let mut state = self.shared.lock();
        state.cuts = cuts.iter().rev().copied().collect();
        for kept in &mut state.kept {
            kept.before = (kept.up.len(), kept.down.len());
        }
    }

    /// How many of them are still to be made.
    pub(super) fn uncut(&self) -> usize {
        self.shared.lock().cuts.len()
    }

    /// The connection over which most came down.
    pub(super) fn longest(&self) -> Option<Kept> {
        self.shared.lock().kept.iter().max_by_key(|kept| kept.down.len()).cloned()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.over = true;
        state.end_all();
        drop(state);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end_all(&mut self) {
        for stream in self.open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Keeps what passes, and says how much of it is passed on before the connection is cut.
    fn pass(&mut self, number: usize, direction: Direction, bytes: &[u8]) -> Option<usize> {
        let kept = self.kept.get_mut(number)?;
        let (side, earlier) = match direction {
            Direction::Up => (&mut kept.up, kept.before.0),
            Direction::Down => (&mut kept.down, kept.before.1),
        };
        let before = side.len() - earlier;
        if side.len() + bytes.len() <= KEPT_BYTES_MAX {
            side.extend_from_slice(bytes);
        }
        let next = self.cuts.last().filter(|cut| cut.direction == direction)?;
        let reached = (before..before + bytes.len()).contains(&next.after);
        let length = reached.then(|| next.after - before);
        if reached {
            self.cuts.pop();
        }
        length
    }
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        if shared.lock().over {
            break;
        }
        let Ok(stream) = stream else { continue };
        let own = Arc::clone(shared);
        threads.push(thread::spawn(move || {
            // The endpoint comes again, whatever went wrong.
            let _ = meet(&own, stream);
        }));
    }
    for one in threads {
        let _ = one.join();
    }
}

fn meet(shared: &Shared, mut endpoint: TcpStream) -> io::Result<()> {
    let answering = {
        let mut state = shared.lock();
        state.open.push(endpoint.try_clone()?);
        if state.over {
            state.end_all();
        }
        state.answering.clone()
    };
    match answering {
        Answering::Server => relay(shared, &endpoint),
        Answering::Bytes(bytes) => {
            endpoint.write_all(&bytes)?;
            io::copy(&mut endpoint, &mut io::sink()).map(drop)
        }
        Answering::Echo => {
            let mut reader = endpoint.try_clone()?;
            io::copy(&mut reader, &mut endpoint).map(drop)
        }
    }
}

fn relay(shared: &Shared, endpoint: &TcpStream) -> io::Result<()> {
    let server = TcpStream::connect(shared.server)?;
    let number = {
        let mut state = shared.lock();
        state.open.push(server.try_clone()?);
        if state.over || state.kept.len() >= KEPT_MAX {
            state.end_all();
        }
        state.kept.push(Kept::default());
        state.kept.len() - 1
    };
    let server = &server;
    thread::scope(|scope| {
        scope.spawn(move || pump(shared, number, Direction::Up, endpoint, server));
        pump(shared, number, Direction::Down, server, endpoint);
    });
    Ok(())
}

/// Until one side ends or the connection is cut; then it is over in both directions.
fn pump(shared: &Shared, number: usize, direction: Direction, from: &TcpStream, to: &TcpStream) {
    let mut buffer = [0; 4096];
    let (mut reader, mut writer) = (from, to);
    while let Ok(count @ 1..) = reader.read(&mut buffer) {
        let bytes = buffer.get(..count).unwrap_or_default();
        let cut = shared.lock().pass(number, direction, bytes);
        let passed = bytes.get(..cut.unwrap_or(count)).unwrap_or_default();
        if writer.write_all(passed).is_err() || cut.is_some() {
            break;
        }
    }
    for stream in [from, to] {
        let _ = stream.shutdown(Shutdown::Both);
    }
}
