//! Files that survive a power cut and do not follow anybody's links.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use bartizan_os::files::{
    create_private_folder, lock_folder, read_own, remove_durably, write_atomically,
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_and_folders_are_their_owners_only() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("a/b");
    create_private_folder(&folder).unwrap();
    assert_eq!((mode(&folder), mode(&place.path().join("a"))), (0o700, 0o700));
    let file = folder.join("state");
    write_atomically(&file, b"one").unwrap();
    assert_eq!((mode(&file), read_own(&file).unwrap()), (0o600, b"one".to_vec()));
    // Also where somebody had opened the old one.
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    write_atomically(&file, b"two").unwrap();
    assert_eq!((mode(&file), read_own(&file).unwrap()), (0o600, b"two".to_vec()));
}

#[test]
fn a_reader_sees_the_old_bytes_or_the_new_ones() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state");
    let versions = [vec![b'a'; 100_000], vec![b'b'; 50_000]];
    write_atomically(&path, &versions[0]).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut reads = 0;
            while !done.load(Ordering::SeqCst) || reads == 0 {
                let found = read_own(&path).unwrap();
                assert!(versions.contains(&found), "{} bytes", found.len());
                reads += 1;
            }
        });
        for round in 0..50 {
            write_atomically(&path, &versions[round % 2]).unwrap();
        }
        done.store(true, Ordering::SeqCst);
        reader.join().unwrap();
    });
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing half-written stays");
}

#[test]
fn a_link_in_the_place_of_a_file_is_replaced_and_not_followed() {
    let place = tempfile::tempdir().unwrap();
    let (path, victim) = (place.path().join("state"), place.path().join("victim"));
    fs::write(&victim, "untouched").unwrap();
    for link in ["state", "state.new"] {
        symlink(&victim, place.path().join(link)).unwrap();
        write_atomically(&path, b"ours").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched", "{link}");
        assert!(path.symlink_metadata().unwrap().is_file(), "{link}");
        assert_eq!(read_own(&path).unwrap(), b"ours");
    }
}

#[test]
fn only_a_file_in_its_very_place_is_read() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    fs::write(at("file"), "x").unwrap();
    symlink(at("file"), at("link")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(at("pipe")).status();
    assert!(made.expect("mkfifo is missing").success());
    assert_eq!(read_own(&at("file")).unwrap(), b"x");
    for other in ["link", "pipe", ".", "missing"] {
        assert!(read_own(&at(other)).is_err(), "{other}");
    }
}

#[test]
fn a_leftover_of_a_power_cut_does_not_stop_the_next_write() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state");
    fs::write(place.path().join("state.new"), vec![0; 1000]).unwrap();
    write_atomically(&path, b"whole").unwrap();
    assert_eq!(read_own(&path).unwrap(), b"whole");
}

#[test]
fn a_failed_write_leaves_the_old_file() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("state");
    write_atomically(&path, b"old").unwrap();
    // A folder in the way of the new file.
    fs::create_dir(place.path().join("state.new")).unwrap();
    assert!(write_atomically(&path, b"new").is_err());
    assert_eq!(read_own(&path).unwrap(), b"old");
}

#[test]
fn a_folder_has_one_holder_at_a_time() {
    let place = tempfile::tempdir().unwrap();
    let held = lock_folder(place.path()).unwrap();
    assert!(held.is_some() && lock_folder(place.path()).unwrap().is_none());
    drop(held);
    assert!(lock_folder(place.path()).unwrap().is_some());
}

#[test]
fn removing_twice_is_no_error() {
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("note");
    write_atomically(&path, b"x").unwrap();
    remove_durably(&path).unwrap();
    remove_durably(&path).unwrap();
    assert!(!path.exists());
}
