//! Collecting what a script writes: both streams as they come, hashed and counted whole, handed on up to a cap.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use ring::digest;

use bartizan_trust::id::Sha256;
use bartizan_trust::statement::Output;

use crate::exec::Chunk;
use crate::limits::OUTPUT_CHUNK_BYTES;

/// What reader threads say.
pub(crate) enum Read1 {
    Bytes(Stream, Vec<u8>),
    End,
}

/// Which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Reads both streams on threads of their own; the channel is small, so a script that writes faster than it
/// is read waits.
pub(crate) fn read_both(
    stdout: Option<impl Read + Send + 'static>,
    stderr: Option<impl Read + Send + 'static>,
) -> Receiver<Read1> {
    let (sender, receiver) = sync_channel(4);
    read_one(stdout, Stream::Stdout, sender.clone());
    read_one(stderr, Stream::Stderr, sender);
    receiver
}

fn read_one(source: Option<impl Read + Send + 'static>, stream: Stream, sender: SyncSender<Read1>) {
    thread::spawn(move || {
        let Some(mut source) = source else { return };
        let mut buffer = vec![0; OUTPUT_CHUNK_BYTES];
        // An interrupted or broken pipe ends the stream; the exit status tells the rest.
        while let Ok(count @ 1..) = source.read(&mut buffer) {
            let bytes = buffer.get(..count).unwrap_or_default().to_vec();
            if sender.send(Read1::Bytes(stream, bytes)).is_err() {
                return;
            }
        }
        let _ = sender.send(Read1::End);
    });
}

/// Hashes and counts everything, hands on the first `cap` bytes.
pub(crate) struct Collector<F> {
    hash: digest::Context,
    size: u64,
    cap: u64,
    sink: F,
}

impl<F: FnMut(Chunk<'_>)> Collector<F> {
    pub(crate) fn new(cap: u32, sink: F) -> Self {
        Self { hash: digest::Context::new(&digest::SHA256), size: 0, cap: u64::from(cap), sink }
    }

    pub(crate) fn take(&mut self, stream: Stream, bytes: &[u8]) {
        self.hash.update(bytes);
        let room = usize::try_from(self.cap.saturating_sub(self.size)).unwrap_or(usize::MAX);
        let shown = bytes.get(..room.min(bytes.len())).unwrap_or_default();
        if !shown.is_empty() {
            (self.sink)(Chunk { offset: self.size, stream, bytes: shown });
        }
        self.size += u64::try_from(bytes.len()).unwrap_or(0);
    }

    pub(crate) fn finish(self) -> Output {
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.finish().as_ref());
        Output { sha256: Sha256::from_bytes(sha256), size: self.size }
    }
}
