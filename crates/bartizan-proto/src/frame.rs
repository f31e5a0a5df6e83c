//! Frames: a four-byte big-endian length, then that many bytes of one message.

use crate::limits::FRAME_BYTES_MAX;
use crate::message::{Message, MessageError};

/// Why a byte stream is not a sequence of frames.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A frame announces more than the limit; the stream cannot be followed any further.
    #[error("a frame of {0} bytes where at most {FRAME_BYTES_MAX} are allowed")]
    TooLarge(usize),
    /// A frame's body is not a message.
    #[error("a frame that is not a message")]
    Message(#[from] MessageError),
}

/// Cuts a byte stream into messages. Holds at most one frame.
#[derive(Debug, Default)]
pub struct FrameReader {
    buffer: Vec<u8>,
}

impl FrameReader {
    /// Starts at a frame boundary.
    pub const fn new() -> Self {
        Self { buffer: Vec::new() }
    }

    /// Adds bytes as they came from the stream.
    pub fn extend(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message; `None` when more bytes are needed. After an error the stream is lost.
    pub fn next_message(&mut self) -> Result<Option<Message>, FrameError> {
        let Some(header) = self.buffer.first_chunk::<4>() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(*header)).unwrap_or(usize::MAX);
        if length > FRAME_BYTES_MAX {
            return Err(FrameError::TooLarge(length));
        }
        let Some(body) = self.buffer.get(4..4 + length) else { return Ok(None) };
        let message = Message::decode(body);
        self.buffer.drain(..4 + length);
        if self.buffer.is_empty() && self.buffer.capacity() > 8 * 1024 {
            // An idle connection keeps no buffer.
            self.buffer = Vec::new();
        }
        Ok(Some(message?))
    }
}

/// Writes one message as a frame.
pub fn encode_frame(message: &Message) -> Vec<u8> {
    let body = message.encode();
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut out = Vec::with_capacity(body.len() + 4);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&body);
    out
}
