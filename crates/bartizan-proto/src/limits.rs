//! Limits of the conversations.

/// Largest frame body in bytes: an envelope, a proof and a target path with room.
pub const FRAME_BYTES_MAX: usize = 128 * 1024;
/// Largest piece of content or output in one frame.
pub const CHUNK_BYTES_MAX: usize = 32 * 1024;
/// Largest inventory document in bytes.
pub const INVENTORY_BYTES_MAX: usize = 64 * 1024;
/// Most server addresses in a set-up message.
pub const ADDRESSES_MAX: usize = 64;
/// What both sides of the agent plane must agree on in TLS (ALPN): the version of the framing.
pub const ALPN: &[u8] = b"bartizan/1";
/// Protocol version both sides send first.
pub const PROTOCOL_VERSION: u32 = 1;
