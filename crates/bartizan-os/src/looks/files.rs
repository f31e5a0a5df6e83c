//! Age, size and presence of files, and of the newest one under a folder.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bartizan_trust::statement::{Levels, Severity};
use bartizan_trust::time::UnixSeconds;

use super::{Seen, why};
use crate::limits::{LOOK_DEPTH_MAX, LOOK_FILES_MAX};

/// When a file was last written.
pub(super) fn written(path: &Path) -> io::Result<UnixSeconds> {
    fs::metadata(path).and_then(|about| written_at(&about))
}

fn written_at(about: &Metadata) -> io::Result<UnixSeconds> {
    let since = about.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(UnixSeconds::new(since.as_secs()))
}

pub(super) fn age(path: &Path, above: Levels, absent: Option<Severity>, now: UnixSeconds) -> Seen {
    match written(path) {
        Ok(written) => {
            let seconds = now.since(written);
            Seen::above(above, seconds, &format!("written {seconds} seconds ago"))
        }
        Err(error) => missing(path, &error, absent),
    }
}

pub(super) fn size(path: &Path, above: Levels, absent: Option<Severity>) -> Seen {
    match fs::metadata(path) {
        Ok(about) => Seen::above(above, about.len(), &format!("{} bytes", about.len())),
        Err(error) => missing(path, &error, absent),
    }
}

fn missing(path: &Path, error: &io::Error, absent: Option<Severity>) -> Seen {
    if error.kind() == io::ErrorKind::NotFound {
        return Seen::new(absent, None, "there is no such file");
    }
    Seen::unknown(&why(path, error))
}

pub(super) fn exists(path: &Path, wanted: bool, severity: Severity) -> Seen {
    let there = match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) if error.kind() == io::ErrorKind::NotFound => false,
        Err(error) => return Seen::unknown(&why(path, &error)),
    };
    let text = if there { "it is there" } else { "there is no such file" };
    Seen::new((there != wanted).then_some(severity), u64::from(there), text)
}

pub(super) fn backup(
    folder: &Path,
    suffix: &str,
    size_min: u64,
    above: Levels,
    now: UnixSeconds,
) -> Seen {
    let newest = match newest(folder, suffix, size_min) {
        Ok(newest) => newest,
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Seen::unknown(&why(folder, &error)),
    };
    let Some((written, size)) = newest else {
        return Seen::new(Some(above.worst()), None, "there is no such file");
    };
    let seconds = now.since(written);
    Seen::above(above, seconds, &format!("newest file {seconds} seconds old, {size} bytes"))
}

/// When the newest file was written, and its size. Links are not followed; so many files are looked at and no more.
fn newest(folder: &Path, suffix: &str, size_min: u64) -> io::Result<Option<(UnixSeconds, u64)>> {
    let mut folders: Vec<(PathBuf, usize)> = vec![(folder.to_owned(), 0)];
    let (mut found, mut looked) = (None, 0_usize);
    while let Some((folder, depth)) = folders.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
        };
        for entry in entries {
            looked += 1;
            if looked > LOOK_FILES_MAX {
                return Err(io::Error::from(io::ErrorKind::QuotaExceeded));
            }
            let entry = entry?;
            let Ok(about) = entry.metadata() else { continue };
            if about.is_dir() && depth < LOOK_DEPTH_MAX {
                folders.push((entry.path(), depth + 1));
            }
            let named = entry.file_name().to_string_lossy().ends_with(suffix);
            if about.is_file() && named && about.len() >= size_min {
                found = found.max(Some((written_at(&about)?, about.len())));
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::time::{Duration, SystemTime};

    use super::super::Judged;
    use super::*;

    const NOW: u64 = 1_800_000_000;
    const HOUR: Levels = Levels { warn: None, error: Some(3600) };

    fn now() -> UnixSeconds {
        UnixSeconds::new(NOW)
    }

    fn file(path: &Path, bytes: usize, seconds_ago: u64) {
        fs::write(path, vec![b'x'; bytes]).unwrap();
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW - seconds_ago);
        File::options().write(true).open(path).unwrap().set_modified(at).unwrap();
    }

    #[test]
    fn files_are_old_large_there_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let bad = Judged::Bad(Severity::Error);
        assert_eq!(age(&path, HOUR, None, now()).judged, Judged::Fine);
        assert_eq!(age(&path, HOUR, Some(Severity::Error), now()).judged, bad);
        assert_eq!(exists(&path, true, Severity::Error).judged, bad);
        assert_eq!(exists(&path, false, Severity::Error).judged, Judged::Fine);
        file(&path, 3600, 3599);
        assert_eq!(age(&path, HOUR, None, now()).judged, Judged::Fine);
        assert_eq!(size(&path, HOUR, None).judged, bad);
        file(&path, 3599, 3600);
        assert_eq!(age(&path, HOUR, None, now()).judged, bad);
        assert_eq!(size(&path, HOUR, None).judged, Judged::Fine);
        assert_eq!(exists(&path, true, Severity::Error).judged, Judged::Fine);
        // Written in the future, as a clock that was set back has it.
        assert_eq!(age(&path, HOUR, None, UnixSeconds::new(7)).value, Some(0));
        assert_eq!(size(&path.join("below"), HOUR, None).judged, Judged::Unknown);
    }

    #[test]
    fn the_newest_backup_counts_if_it_is_large_enough() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let judged = |suffix: &str, size_min| backup(root, suffix, size_min, HOUR, now());
        assert_eq!(judged(".gz", 0).judged, Judged::Bad(Severity::Error));
        assert_eq!(judged(".gz", 0).value, None);
        file(&root.join("old.gz"), 100, 7200);
        fs::create_dir(root.join("today")).unwrap();
        file(&root.join("today/new.gz"), 10, 60);
        file(&root.join("today/new.txt"), 1000, 30);
        assert_eq!(judged(".gz", 0).value, Some(60));
        assert_eq!(judged(".gz", 11).value, Some(7200));
        assert_eq!(judged("", 0).value, Some(30));
        // A link to something new is no backup.
        std::os::unix::fs::symlink("/proc/self/stat", root.join("link.gz")).unwrap();
        assert_eq!(judged(".gz", 0).value, Some(60));
        assert_eq!(backup(&root.join("none"), "", 0, HOUR, now()).value, None);
    }

    #[test]
    fn a_folder_with_too_many_files_is_unknown_and_not_endless() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..=LOOK_FILES_MAX {
            File::create(folder.path().join(number.to_string())).unwrap();
        }
        assert_eq!(backup(folder.path(), "", 0, HOUR, now()).judged, Judged::Unknown);
        fs::remove_file(folder.path().join("0")).unwrap();
        assert_ne!(backup(folder.path(), "", 0, HOUR, now()).judged, Judged::Unknown);
    }
}
