//! What scans found, on its way to the server: kept until the receipt that has its hash is confirmed. Live output may lose some
//! of it on the way; a scan of hours must not.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bartizan_os::exec::{Chunk, Stream as OsStream};
use bartizan_os::files;
use bartizan_proto::limits::CHUNK_BYTES_MAX;
use bartizan_proto::message::{Message, Stream};
use bartizan_trust::id::StatementId;

/// Most results that wait for a server that is away: no job is begun while there are as many.
pub(crate) const RESULTS_MAX: usize = 16;

/// The results that are not confirmed.
pub(crate) struct Results {
    folder: PathBuf,
    /// Which one is going out over this link, and how much of it has.
    sending: Option<(StatementId, u64)>,
}

/// Where a scan writes.
pub(crate) struct Keeping(Option<File>);

impl Results {
    pub(crate) fn open(folder: PathBuf) -> Result<Self> {
        files::create_private_folder(&folder).context("create the folder for results")?;
        Ok(Self { folder, sending: None })
    }

    /// A new file for the result of a job.
    pub(crate) fn begin(&self, job: StatementId) -> Result<Keeping> {
        let path = self.path(job);
        files::remove_durably(&path).context("remove an old result")?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        Ok(Keeping(Some(file.context("create a result; is the disk full?")?)))
    }

    pub(crate) fn are_full(&self) -> bool {
        fs::read_dir(&self.folder).is_ok_and(|all| all.count() >= RESULTS_MAX)
    }

    /// A new link: everything goes out from its beginning.
    pub(crate) const fn begin_link(&mut self) {
        self.sending = None;
    }

    /// Hands over what there is of a job's result; false when the rest has to wait because nobody takes more now.
    pub(crate) fn send(
        &mut self,
        job: StatementId,
        mut offer: impl FnMut(Message) -> bool,
    ) -> bool {
        let Ok(mut file) = File::open(self.path(job)) else { return true };
        let mut offset =
            self.sending.filter(|(sending, _)| *sending == job).map_or(0, |(_, offset)| offset);
        loop {
            let piece = read_piece(&mut file, offset);
            let length = u64::try_from(piece.len()).unwrap_or_default();
            if length == 0 {
                self.sending = None;
                return true;
            }
            let stream = Stream::Stdout;
            if !offer(Message::Output { job, offset, stream, bytes: piece }) {
                self.sending = Some((job, offset));
                return false;
            }
            offset += length;
        }
    }

    /// Removes what nobody waits for any more.
    pub(crate) fn keep_only(&self, is_wanted: impl Fn(StatementId) -> bool) {
        let Ok(all) = fs::read_dir(&self.folder) else { return };
        for entry in all.flatten() {
            let job = entry.file_name().to_str().and_then(|name| name.parse().ok());
            if !job.is_some_and(&is_wanted) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    fn path(&self, job: StatementId) -> PathBuf {
        Path::new(&self.folder).join(job.to_string())
    }
}

impl Keeping {
    /// Takes a piece. What cannot be written is missing at the end, and the receipt's hash says so.
    pub(crate) fn take(&mut self, chunk: &Chunk<'_>) {
        match (chunk.stream, &mut self.0) {
            (OsStream::Stdout | OsStream::Stderr, Some(file)) => {
                if file.write_all(chunk.bytes).is_err() {
                    self.0 = None;
                }
            }
            (_, None) => {}
        }
    }

    /// Durable before the receipt is.
    pub(crate) fn finish(self) {
        if let Some(file) = self.0 {
            let _ = file.sync_all();
        }
    }
}

fn read_piece(file: &mut File, offset: u64) -> Vec<u8> {
    let mut piece = Vec::new();
    let limit = u64::try_from(CHUNK_BYTES_MAX).unwrap_or_default();
    // What cannot be read ends it here; whoever compares it with the receipt notices.
    if file.seek(SeekFrom::Start(offset)).is_ok() {
        let _ = file.take(limit).read_to_end(&mut piece);
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::id::Sha256;

    #[test]
    fn a_result_goes_out_whole_however_often_nobody_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let mut results = Results::open(folder.path().join("results")).unwrap();
        let job = StatementId::new(Sha256::of(b"job"));
        let bytes: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let mut keeping = results.begin(job).unwrap();
        let mut offset = 0;
        for bytes in bytes.chunks(10_000) {
            keeping.take(&Chunk { offset, stream: OsStream::Stdout, bytes });
            offset += 10_000;
        }
        keeping.finish();
        let mut arrived = Vec::new();
        let mut room = 0;
        loop {
            room = (room + 7) % 11;
            let mut left = room;
            let done = results.send(job, |message| {
                let Message::Output { offset, bytes, .. } = message else { panic!("output") };
                if left == 0 {
                    return false;
                }
                left -= 1;
                assert_eq!(offset, u64::try_from(arrived.len()).unwrap());
                arrived.extend(bytes);
                true
            });
            if done {
                break;
            }
        }
        assert_eq!(arrived, bytes);
        // Over another link, from its beginning.
        results.begin_link();
        let mut first = None;
        assert!(!results.send(job, |message| {
            let Message::Output { offset, .. } = message else { panic!("output") };
            first.replace(offset).is_none()
        }));
        assert_eq!(first, Some(32 * 1024));
        results.keep_only(|_| false);
        assert!(results.send(job, |_| panic!("it is gone")));
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let results = Results::open(folder.path().join("results")).unwrap();
        for number in 0..u8::try_from(RESULTS_MAX).unwrap() {
            assert!(!results.are_full());
            results.begin(StatementId::new(Sha256::of(&[number]))).unwrap().finish();
        }
        assert!(results.are_full());
    }
}
