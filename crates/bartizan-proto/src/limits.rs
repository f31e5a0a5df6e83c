//! Limits of the conversations.

/// Largest frame body in bytes: an envelope, a proof, a target path, and the promotions to the last stage a job can have.
pub const FRAME_BYTES_MAX: usize = 192 * 1024;
/// Largest piece of content or output in one frame.
pub const CHUNK_BYTES_MAX: usize = 32 * 1024;
/// Largest inventory document in bytes.
pub const INVENTORY_BYTES_MAX: usize = 64 * 1024;
/// Largest report: one fits a frame many times over, so that it never holds up a receipt for long.
pub const REPORT_BYTES_MAX: usize = 32 * 1024;
/// Longest result of a check in bytes, as a line.
pub const CHECK_RESULT_BYTES_MAX: usize = 2 * 1024;
/// Longest text or instance of a result in bytes.
pub const CHECK_TEXT_BYTES_MAX: usize = 256;
/// Results in one report: what a few hundred checks say at once goes in pieces.
pub const CHECK_RESULTS_MAX: usize = 64;
/// Most server addresses in a set-up message.
pub const ADDRESSES_MAX: usize = 64;
/// What both sides of the agent plane must agree on in TLS (ALPN): the version of the framing.
pub const ALPN: &[u8] = b"bartizan/1";
/// Protocol version both sides send first.
pub const PROTOCOL_VERSION: u32 = 1;
/// UDP port on which endpoints listen for freezes on their local network.
pub const LAN_PORT: u16 = 8446;
/// Largest freeze that goes over the local network: sixteen datagrams. One signature takes one or two.
pub const LAN_ENVELOPE_BYTES_MAX: usize = 16 * 1024;
/// Bytes of an envelope in one datagram: with its head it fits everywhere without being cut.
pub const LAN_PIECE_BYTES_MAX: usize = 1024;
/// Freezes whose datagrams are being collected at once; the oldest makes room.
pub const LAN_PARTIAL_MAX: usize = 8;
/// Whole freezes remembered, so that a repeated one is not handed on again and again.
pub const LAN_KNOWN_MAX: usize = 64;
/// Datagrams looked at within a second; more are dropped unread.
pub const LAN_DATAGRAMS_PER_S: u32 = 256;
/// Whole freezes handed on within a second: each costs a few signatures to judge.
pub const LAN_FREEZES_PER_S: u32 = 16;
