//! Freezes in datagrams on the local network. Specification: `docs/spec/freeze.md`, "Local network".
//!
//! Nothing in a datagram is believed: pieces are put together within limits, and whatever they make is judged as any
//! other freeze by whoever gets it.

use std::collections::VecDeque;
use std::time::Duration;

use bartizan_trust::id::Sha256;

use crate::limits;

const MAGIC: &[u8; 8] = b"bzfreez1";
const HEAD_BYTES: usize = MAGIC.len() + 32 + 2;
/// A freeze that was handed on is not handed on again within this time.
const KNOWN_FOR: Duration = Duration::from_secs(10);

/// The largest datagram.
pub const DATAGRAM_BYTES_MAX: usize = HEAD_BYTES + limits::LAN_PIECE_BYTES_MAX;

/// The datagrams of an envelope; none when it is empty or too large for this way.
pub fn datagrams(envelope: &[u8]) -> Vec<Vec<u8>> {
    if envelope.len() > limits::LAN_ENVELOPE_BYTES_MAX {
        return Vec::new();
    }
    let hash = Sha256::of(envelope);
    let pieces = envelope.chunks(limits::LAN_PIECE_BYTES_MAX);
    let count = u8::try_from(pieces.len()).unwrap_or(u8::MAX);
    let datagram = |(index, piece): (u8, &[u8])| {
        [MAGIC.as_slice(), hash.as_bytes(), &[index, count], piece].concat()
    };
    (0..count).zip(pieces).map(datagram).collect()
}

/// Puts datagrams together.
#[derive(Debug)]
pub struct Collector {
    partial: VecDeque<Partial>,
    known: VecDeque<(Sha256, Duration)>,
    datagrams: Allowance,
    freezes: Allowance,
}

#[derive(Debug)]
struct Partial {
    hash: Sha256,
    pieces: Vec<Option<Vec<u8>>>,
}

impl Default for Collector {
    fn default() -> Self {
        Self {
            partial: VecDeque::new(),
            known: VecDeque::new(),
            datagrams: Allowance::new(limits::LAN_DATAGRAMS_PER_S),
            freezes: Allowance::new(limits::LAN_FREEZES_PER_S),
        }
    }
}

impl Collector {
    /// Takes a datagram; an envelope when it completes one. `now` counts from any fixed moment.
    pub fn take(&mut self, datagram: &[u8], now: Duration) -> Option<Vec<u8>> {
        if !self.datagrams.take(now) {
            return None;
        }
        let (hash, index, count, piece) = parse(datagram)?;
        self.known.retain(|(_, at)| now.saturating_sub(*at) < KNOWN_FOR);
        if self.known.iter().any(|(known, _)| *known == hash) {
            return None;
        }
        let partial = self.partial_of(hash, count)?;
        *partial.pieces.get_mut(index)? = Some(piece.to_vec());
        if partial.pieces.iter().any(Option::is_none) {
            return None;
        }
        let envelope: Vec<u8> = partial.pieces.iter().flatten().flatten().copied().collect();
        self.partial.retain(|partial| partial.hash != hash);
        if Sha256::of(&envelope) != hash || !self.freezes.take(now) {
            return None;
        }
        self.known.push_back((hash, now));
        if self.known.len() > limits::LAN_KNOWN_MAX {
            self.known.pop_front();
        }
        Some(envelope)
    }

    /// The one that is being collected, or a new one; nothing when the counts differ.
    fn partial_of(&mut self, hash: Sha256, count: usize) -> Option<&mut Partial> {
        if !self.partial.iter().any(|partial| partial.hash == hash) {
            if self.partial.len() >= limits::LAN_PARTIAL_MAX {
                self.partial.pop_front();
            }
            self.partial.push_back(Partial { hash, pieces: vec![None; count] });
        }
        self.partial
            .iter_mut()
            .find(|partial| partial.hash == hash && partial.pieces.len() == count)
    }
}

type Piece<'a> = (Sha256, usize, usize, &'a [u8]);

fn parse(datagram: &[u8]) -> Option<Piece<'_>> {
    if datagram.len() > DATAGRAM_BYTES_MAX {
        return None;
    }
    let (hash, rest) = datagram.strip_prefix(MAGIC)?.split_first_chunk::<32>()?;
    let (&[index, count], piece) = rest.split_first_chunk::<2>()?;
    let (index, count) = (usize::from(index), usize::from(count));
    let count_max = limits::LAN_ENVELOPE_BYTES_MAX.div_ceil(limits::LAN_PIECE_BYTES_MAX);
    if index >= count || count > count_max || piece.is_empty() {
        return None;
    }
    // Only the last piece may be shorter, so that nobody can make many small ones of a freeze.
    if index + 1 < count && piece.len() != limits::LAN_PIECE_BYTES_MAX {
        return None;
    }
    Some((Sha256::from_bytes(*hash), index, count, piece))
}

/// So many within a second.
#[derive(Debug)]
struct Allowance {
    per_s: u32,
    left: u32,
    since: Duration,
}

impl Allowance {
    const fn new(per_s: u32) -> Self {
        Self { per_s, left: per_s, since: Duration::ZERO }
    }

    fn take(&mut self, now: Duration) -> bool {
        if now.saturating_sub(self.since) >= Duration::from_secs(1) {
            (self.since, self.left) = (now, self.per_s);
        }
        let allowed = self.left > 0;
        self.left = self.left.saturating_sub(1);
        allowed
    }
}
