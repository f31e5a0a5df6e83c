//! What this endpoint observed, until the server has it: a bounded spool that survives a kill and forgets the oldest samples
//! first. Nothing here stops the guard: what cannot be kept is counted, and the next report says how much that was.

mod segment;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_os::files;
use bartizan_proto::limits::REPORT_BYTES_MAX;
use bartizan_proto::message::{Message, Report, ReportKind};
use ring::rand::{SecureRandom, SystemRandom};

use self::segment::{Appender, Place, Record};

/// Room on the disk: weeks of default metrics, and little beside everything else on a machine.
const SPOOL_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Reports kept: bounds the memory for knowing where each is.
const REPORTS_MAX: usize = 16_384;
/// A file is closed at this size; files are what is thrown away as a whole.
const SEGMENT_BYTES_MAX: u64 = 256 * 1024;
/// Reports on their way at once: the pipe to the agent keeps room for receipts.
const IN_FLIGHT_MAX: usize = 8;
/// Telemetry that a power cut may cost.
const SYNC_INTERVAL: Duration = Duration::from_secs(5);
/// Numbers that are set aside at once, so that none is used twice whatever is lost: one write for that many reports.
const NUMBERS_AT_ONCE: u64 = 65_536;

/// Something observed, not in the spool yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observation {
    pub(crate) kind: ReportKind,
    /// This machine's time, in seconds.
    pub(crate) at: u64,
    /// How many samples, results or events it holds.
    pub(crate) items: u64,
    /// At most [`REPORT_BYTES_MAX`].
    pub(crate) bytes: Vec<u8>,
}

/// Samples go before anything else goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lane {
    Samples,
    Others,
}

#[derive(Debug)]
struct Segment {
    lane: Lane,
    bytes: u64,
    /// Reports in it that are not confirmed.
    live: usize,
}

#[derive(Debug)]
struct Entry {
    /// Named by the first report in it.
    segment: u64,
    place: Place,
    kind: u8,
    /// Items that would be lost with it: its own, and those it accounts for.
    lost: u64,
}

/// The spool.
pub(crate) struct Reports {
    folder: PathBuf,
    epoch: u64,
    /// The next report's number.
    next: u64,
    /// Numbers below it are set aside.
    reserved: u64,
    entries: BTreeMap<u64, Entry>,
    segments: BTreeMap<u64, Segment>,
    open: BTreeMap<Lane, (u64, Appender)>,
    /// Thrown away since the last report.
    dropped: u64,
    /// The last one that went out over this link.
    sent: u64,
    synced: Instant,
    /// Said once that it cannot be written.
    faulty: bool,
    room: u64,
}

impl Reports {
    /// Reads what an earlier run left.
    pub(crate) fn open(folder: PathBuf) -> Self {
        Self::with_room(folder, SPOOL_BYTES_MAX)
    }

    fn with_room(folder: PathBuf, room: u64) -> Self {
        let known = files::read_own(&folder.join("spool")).ok().and_then(|b| parse_spool(&b));
        let (epoch, reserved) = known.unwrap_or_else(|| (random(), 1));
        let mut reports = Self {
            folder,
            epoch,
            next: reserved,
            reserved,
            entries: BTreeMap::new(),
            segments: BTreeMap::new(),
            open: BTreeMap::new(),
            dropped: 0,
            sent: 0,
            synced: Instant::now(),
            faulty: false,
            room,
        };
        if let Err(error) = files::create_private_folder(&reports.folder) {
            reports.complain(&error);
        }
        reports.load();
        reports
    }

    /// Keeps an observation, or counts what is in it as lost.
    pub(crate) fn add(&mut self, observation: Observation) {
        let Observation { kind, at, items, bytes } = observation;
        if bytes.len() > REPORT_BYTES_MAX {
            self.dropped += items;
            return;
        }
        let (victims, lost) = self.victims(bytes.len());
        let dropped = self.dropped + lost;
        let record = Record { seq: self.next, at, dropped, kind: kind.code(), items, bytes };
        match self.write(&record) {
            Ok(()) => {
                self.dropped = 0;
                // Only now: who is killed in between counts something as lost that is still there, never the other way round.
                for segment in victims {
                    self.remove_segment(segment);
                }
            }
            Err(error) => {
                self.dropped += items;
                self.open.remove(&lane(record.kind));
                self.complain(&error);
            }
        }
    }

    /// A new link: everything that is not confirmed goes out again.
    pub(crate) const fn begin_link(&mut self) {
        self.sent = 0;
    }

    /// Hands over what may go out now, in order. Nobody takes anything but inventory from an endpoint in quarantine.
    pub(crate) fn send(&mut self, admitted: bool, mut offer: impl FnMut(Message) -> bool) {
        let mut in_flight = self.entries.range(..=self.sent).count();
        while in_flight < IN_FLIGHT_MAX {
            let Some((&seq, entry)) = self.entries.range(self.sent.saturating_add(1)..).next()
            else {
                return;
            };
            if !admitted && entry.kind != ReportKind::Inventory.code() {
                return;
            }
            let Some(record) = segment::read(&self.path(entry.segment), entry.place) else {
                self.forget_unreadable(seq);
                continue;
            };
            let Record { seq, at, dropped, kind, bytes, .. } = record;
            let epoch = self.epoch;
            if !offer(Message::Report(Report { epoch, seq, at, dropped, kind, bytes })) {
                return;
            }
            self.sent = seq;
            in_flight += 1;
        }
    }

    /// The server has stored everything up to `seq`.
    pub(crate) fn confirm(&mut self, epoch: u64, seq: u64) {
        if epoch != self.epoch {
            return;
        }
        if seq >= self.next {
            // This folder is an older copy of itself: the server knows numbers that are yet to be given here.
            self.begin_anew();
            return;
        }
        let later = self.entries.split_off(&seq.saturating_add(1));
        for entry in std::mem::replace(&mut self.entries, later).into_values() {
            self.release(entry.segment);
        }
    }

    fn load(&mut self) {
        let Ok(all) = fs::read_dir(&self.folder) else { return };
        for found in all.flatten() {
            let name = found.file_name();
            let Some(first) = name.to_str().and_then(parse_name) else { continue };
            let records = segment::load(&found.path(), self.epoch);
            let Some((record, _)) = records.first() else {
                let _ = fs::remove_file(found.path());
                continue;
            };
            let bytes = found.metadata().map_or(0, |metadata| metadata.len());
            let lane = lane(record.kind);
            self.segments.insert(first, Segment { lane, bytes, live: records.len() });
            for (record, place) in records {
                self.next = self.next.max(record.seq.saturating_add(1));
                self.enter(first, &record, place);
            }
        }
    }

    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.set_numbers_aside()?;
        let lane = lane(record.kind);
        if self.open.get(&lane).is_some_and(|(_, open)| open.size() >= SEGMENT_BYTES_MAX) {
            self.close(lane);
        }
        let (first, appender) = match self.open.entry(lane) {
            std::collections::btree_map::Entry::Occupied(open) => open.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                let path = self.folder.join(name(record.seq));
                let appender = Appender::create(&path, self.epoch)?;
                self.segments.insert(record.seq, Segment { lane, bytes: 0, live: 0 });
                place.insert((record.seq, appender))
            }
        };
        let (first, place) = (*first, appender.append(record)?);
        if self.synced.elapsed() >= SYNC_INTERVAL {
            appender.sync()?;
            self.synced = Instant::now();
        }
        let size = appender.size();
        if let Some(segment) = self.segments.get_mut(&first) {
            (segment.bytes, segment.live) = (size, segment.live + 1);
        }
        self.enter(first, record, place);
        self.next = record.seq.saturating_add(1);
        self.faulty = false;
        Ok(())
    }

    fn enter(&mut self, segment: u64, record: &Record, place: Place) {
        let lost = record.items.saturating_add(record.dropped);
        self.entries.insert(record.seq, Entry { segment, place, kind: record.kind, lost });
    }

    /// Durable before the first of them is used.
    fn set_numbers_aside(&mut self) -> io::Result<()> {
        if self.next < self.reserved {
            return Ok(());
        }
        let reserved = self.next.saturating_add(NUMBERS_AT_ONCE);
        let text = format!("{:016x} {reserved}\n", self.epoch);
        files::write_atomically(&self.folder.join("spool"), text.as_bytes())?;
        self.reserved = reserved;
        Ok(())
    }

    /// The files that have to go before so many bytes more are in, and what is lost with them.
    fn victims(&self, more: usize) -> (Vec<u64>, u64) {
        let more = u64::try_from(more).unwrap_or(u64::MAX);
        let mut bytes = self.segments.values().map(|segment| segment.bytes).sum::<u64>() + more;
        let mut count = self.entries.len();
        let mut order: Vec<_> = self.segments.iter().map(|(first, s)| (s.lane, *first)).collect();
        order.sort_unstable();
        let mut victims = Vec::new();
        for (_, first) in order {
            let Some(segment) = self.segments.get(&first) else { continue };
            if bytes <= self.room && count < REPORTS_MAX {
                break;
            }
            bytes = bytes.saturating_sub(segment.bytes);
            count = count.saturating_sub(segment.live);
            victims.push(first);
        }
        if victims.is_empty() {
            return (victims, 0);
        }
        let in_victim = |entry: &&Entry| victims.contains(&entry.segment);
        let lost = self.entries.values().filter(in_victim).map(|entry| entry.lost).sum();
        (victims, lost)
    }

    fn remove_segment(&mut self, first: u64) {
        self.entries.retain(|_, entry| entry.segment != first);
        self.open.retain(|_, (open, _)| *open != first);
        self.segments.remove(&first);
        let _ = fs::remove_file(self.path(first));
    }

    /// One report of a file is confirmed or unreadable.
    fn release(&mut self, first: u64) {
        let Some(segment) = self.segments.get_mut(&first) else { return };
        segment.live = segment.live.saturating_sub(1);
        if segment.live == 0 {
            self.remove_segment(first);
        }
    }

    fn forget_unreadable(&mut self, seq: u64) {
        let Some(entry) = self.entries.remove(&seq) else { return };
        self.dropped += entry.lost;
        self.release(entry.segment);
    }

    fn close(&mut self, lane: Lane) {
        if let Some((_, appender)) = self.open.remove(&lane) {
            let _ = appender.sync();
        }
    }

    fn begin_anew(&mut self) {
        eprintln!("the server knows later reports than this folder: beginning a new spool");
        self.dropped += self.entries.values().map(|entry| entry.lost).sum::<u64>();
        let all: Vec<u64> = self.segments.keys().copied().collect();
        for segment in all {
            self.remove_segment(segment);
        }
        (self.epoch, self.next, self.reserved, self.sent) = (random(), 1, 1, 0);
    }

    fn path(&self, first: u64) -> PathBuf {
        Path::new(&self.folder).join(name(first))
    }

    fn complain(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.faulty, true) {
            eprintln!(
                "reports cannot be kept in {}: {error}; is the disk full?",
                self.folder.display()
            );
        }
    }
}

/// Of a report's kind on the wire.
fn lane(kind: u8) -> Lane {
    if kind == ReportKind::Samples.code() { Lane::Samples } else { Lane::Others }
}

fn name(first: u64) -> String {
    format!("{first:016x}.reports")
}

fn parse_name(name: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_suffix(".reports").filter(|digits| digits.len() == 16)?, 16).ok()
}

fn parse_spool(bytes: &[u8]) -> Option<(u64, u64)> {
    let (epoch, reserved) = str::from_utf8(bytes).ok()?.trim_end().split_once(' ')?;
    Some((u64::from_str_radix(epoch, 16).ok()?, reserved.parse().ok()?))
}

/// Tells spools apart; nobody has to be unable to guess it.
fn random() -> u64 {
    let mut bytes = [0; 8];
    let _ = SystemRandom::new().fill(&mut bytes);
    u64::from_be_bytes(bytes)
}
