//! How hard the machine is worked, and when to stop.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use bartizan_scan::model::Ending;

/// Limits on the work, shared by all workers.
#[derive(Debug)]
pub(crate) struct Pace {
    started: Instant,
    deadline: Option<Instant>,
    cpu_percent: u32,
    bytes_per_s: Option<u64>,
    bytes: AtomicU64,
    interrupted: Arc<AtomicBool>,
}

impl Pace {
    pub(crate) fn new(
        cpu_percent: u8,
        io_mb_per_s: Option<u32>,
        budget: Option<Duration>,
        interrupted: Arc<AtomicBool>,
    ) -> Self {
        let started = Instant::now();
        Self {
            started,
            deadline: budget.and_then(|budget| started.checked_add(budget)),
            cpu_percent: u32::from(cpu_percent),
            bytes_per_s: io_mb_per_s.map(|mb| u64::from(mb.max(1)) * 1_000_000),
            bytes: AtomicU64::new(0),
            interrupted,
        }
    }

    /// How the scan ends if it ends now.
    pub(crate) fn stopped(&self) -> Option<Ending> {
        if self.interrupted.load(Ordering::Relaxed) {
            return Some(Ending::Interrupted);
        }
        let over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        over.then_some(Ending::OutOfTime)
    }

    /// Waits until so many more bytes may be read.
    pub(crate) fn read(&self, bytes: usize) {
        let Some(rate) = self.bytes_per_s else { return };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let total = self.bytes.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let due = Duration::from_millis(total.saturating_mul(1000) / rate);
        self.wait(due.saturating_sub(self.started.elapsed()));
    }

    /// Rests after work, so that the share of the time worked stays below the limit.
    pub(crate) fn rest(&self, worked: Duration) {
        if self.cpu_percent < 100 {
            self.wait(worked * (100 - self.cpu_percent) / self.cpu_percent);
        }
    }

    /// Sleeps in pieces, so that an interruption is noticed.
    fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        while self.stopped().is_none() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            sleep(left.min(Duration::from_millis(100)));
        }
    }
}

/// A source that is read as slowly as was asked for, and no further once the scan is to end.
pub(crate) struct Paced<'p, R> {
    source: R,
    pace: &'p Pace,
    worked_since: Instant,
}

impl<'p, R> Paced<'p, R> {
    pub(crate) fn new(source: R, pace: &'p Pace) -> Self {
        Self { source, pace, worked_since: Instant::now() }
    }
}

impl<R: Read> Read for Paced<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.pace.rest(self.worked_since.elapsed());
        if self.pace.stopped().is_some() {
            return Err(io::Error::other("the scan ended before all of it was read"));
        }
        let read = self.source.read(buffer)?;
        self.pace.read(read);
        self.worked_since = Instant::now();
        Ok(read)
    }
}

impl<R: Seek> Seek for Paced<'_, R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.source.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{Pace, Paced};

    #[test]
    fn a_long_log_is_left_in_its_middle_when_the_scan_is_to_end() {
        let interrupted = Arc::new(AtomicBool::new(false));
        let pace = Pace::new(100, None, None, Arc::clone(&interrupted));
        let mut log = Paced::new(Cursor::new([b'x'; 8]), &pace);
        let mut piece = [0; 4];
        assert_eq!(log.read(&mut piece).unwrap(), 4);
        interrupted.store(true, Ordering::Relaxed);
        let error = log.read(&mut piece).unwrap_err();
        assert!(error.to_string().contains("the scan ended"), "{error}");
    }
}
