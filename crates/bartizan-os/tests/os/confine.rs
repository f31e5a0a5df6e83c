//! What a confined thread cannot do any more, and that the others still can.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;

use bartizan_os::confine;

fn confined<T: Send + 'static>(deed: impl FnOnce() -> T + Send + 'static) -> T {
    thread::spawn(move || {
        let held = confine::this_thread().unwrap();
        assert!(held.describe().contains("no sockets"), "{}", held.describe());
        deed()
    })
    .join()
    .unwrap()
}

#[track_caller]
fn refused<T>(attempt: &io::Result<T>) {
    let kind = attempt.as_ref().err().map(io::Error::kind);
    assert_eq!(kind, Some(ErrorKind::PermissionDenied));
}

#[test]
fn a_confined_thread_opens_no_socket() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    confined(move || {
        refused(&TcpStream::connect(address));
        refused(&TcpListener::bind("127.0.0.1:0"));
        refused(&UdpSocket::bind("127.0.0.1:0"));
        refused(&UnixStream::pair());
        // One that somebody else opened takes no connection either.
        refused(&listener.accept());
    });
}

#[test]
fn a_confined_thread_starts_no_program() {
    confined(|| refused(&Command::new("/bin/true").spawn()));
}

#[test]
fn what_a_confined_thread_starts_is_confined_too() {
    confined(|| thread::spawn(|| refused(&UnixStream::pair())).join().unwrap());
}

#[test]
fn a_confined_thread_holds_no_capability_and_gains_none() {
    let status = confined(|| std::fs::read_to_string("/proc/thread-self/status").unwrap());
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().to_owned()
    };
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(value(set), "0000000000000000", "{set}");
    }
    // Without root there is nothing to drop from the bounding set, and nothing that could fill the others from it.
    if bartizan_os::account::is_root() {
        assert_eq!(value("CapBnd"), "0000000000000000");
    }
    assert_eq!(value("NoNewPrivs"), "1");
    assert_eq!(value("Seccomp"), "2");
}

#[test]
fn a_confined_thread_goes_on_with_files_and_threads_and_the_others_with_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    confined({
        let file = file.clone();
        move || {
            bartizan_os::files::write_atomically(&file, b"kept").unwrap();
            thread::spawn(|| {}).join().unwrap();
        }
    });
    assert_eq!(std::fs::read(file).unwrap(), b"kept");
    UnixStream::pair().unwrap();
    assert!(Command::new("/bin/true").status().unwrap().success());
}

#[test]
fn a_reading_thread_sees_open_files_and_does_nothing_else() {
    let (status, refused_all) = thread::spawn(|| {
        confine::reading_thread().unwrap();
        let tried = [
            UnixStream::pair().map(drop),
            Command::new("/bin/true").spawn().map(drop),
            TcpListener::bind("127.0.0.1:0").map(drop),
        ];
        let refused = tried.iter().all(|tried| {
            tried.as_ref().is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
        });
        (std::fs::read_to_string("/proc/thread-self/status").unwrap(), refused)
    })
    .join()
    .unwrap();
    assert!(refused_all);
    let value = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim_start_matches(':').trim(), 16).unwrap()
    };
    // 2: reading past permissions; 19: seeing what others have open. Nothing else, and nothing for others.
    assert_eq!(value("CapEff") & !((1 << 2) | (1 << 19)), 0);
    assert_eq!((value("CapInh"), value("CapAmb")), (0, 0));
}
