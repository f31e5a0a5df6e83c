//! The pipe to the guard: two threads, since standard input and output cannot be awaited.

use std::io::{Read, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use bartizan_proto::frame::{FrameReader, encode_frame};
use bartizan_proto::message::Message;
use tokio::sync::mpsc;

/// Messages on their way in either direction.
const QUEUE: usize = 32;
/// How long a handshake waits for the guard's signature.
const SIGNATURE_PATIENCE: Duration = Duration::from_secs(5);

/// Both directions of the pipe.
#[derive(Debug)]
pub(crate) struct Pipe {
    to_guard: SyncSender<Message>,
    signatures: Mutex<Receiver<Vec<u8>>>,
}

impl Pipe {
    /// Starts the threads; messages for this process and the server come out of the receiver, which closes when the
    /// guard does.
    pub(crate) fn open() -> (Self, mpsc::Receiver<Message>) {
        let (to_guard, queue) = sync_channel(QUEUE);
        let (from_guard, messages) = mpsc::channel(QUEUE);
        let (signed, signatures) = sync_channel(1);
        thread::spawn(move || write_all(&queue));
        thread::spawn(move || read_all(&from_guard, &signed));
        (Self { to_guard, signatures: Mutex::new(signatures) }, messages)
    }

    /// Hands a message to the guard. Waits while the guard is busy, and with it the server: that is the backpressure.
    pub(crate) fn send(&self, message: Message) {
        // When the guard is gone the receiver closes too, and the process ends there.
        let _ = self.to_guard.send(message);
    }

    /// Asks the guard to sign a handshake. Blocks: rustls has no other way, and it happens once a connection.
    pub(crate) fn sign(&self, content: &[u8]) -> Option<Vec<u8>> {
        let signatures = self.signatures.lock().ok()?;
        // An answer that came too late for an earlier handshake.
        while signatures.try_recv().is_ok() {}
        self.send(Message::TlsSign { content: content.to_vec() });
        match signatures.recv_timeout(SIGNATURE_PATIENCE) {
            Ok(signature) if signature.len() == 64 => Some(signature),
            Ok(_) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }
}

fn write_all(queue: &Receiver<Message>) {
    let mut pipe = std::io::stdout().lock();
    while let Ok(message) = queue.recv() {
        if pipe.write_all(&encode_frame(&message)).and_then(|()| pipe.flush()).is_err() {
            return;
        }
    }
}

fn read_all(messages: &mpsc::Sender<Message>, signed: &SyncSender<Vec<u8>>) {
    let mut pipe = std::io::stdin().lock();
    let mut reader = FrameReader::new();
    let mut buffer = vec![0; 4096];
    loop {
        match reader.next_message() {
            Ok(Some(Message::TlsSigned { signature })) => drop(signed.try_send(signature)),
            Ok(Some(message)) => {
                if messages.blocking_send(message).is_err() {
                    return;
                }
            }
            Ok(None) => match pipe.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(count) => reader.extend(buffer.get(..count).unwrap_or_default()),
            },
            // Nothing after it can be read either; the guard starts another process, which begins at a frame.
            Err(error) => return eprintln!("agent: the guard sent no frame: {error}"),
        }
    }
}
