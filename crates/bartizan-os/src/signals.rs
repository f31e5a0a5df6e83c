//! The request to stop, as a flag.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

static STOP: AtomicBool = AtomicBool::new(false);

/// Lets SIGTERM and SIGINT set the flag instead of ending the process.
#[expect(
    unsafe_code,
    clippy::as_conversions,
    reason = "signal handlers have no safe interface in std"
)]
pub fn catch_stop_requests() -> io::Result<()> {
    let handler: extern "C" fn(libc::c_int) = note_stop;
    for signal in [libc::SIGTERM, libc::SIGINT] {
        // SAFETY: the handler only stores to an atomic, which is async-signal-safe.
        let previous = unsafe { libc::signal(signal, handler as *const () as libc::sighandler_t) };
        if previous == libc::SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// Whether somebody asked this process to stop.
pub fn stop_requested() -> bool {
    STOP.load(Ordering::SeqCst)
}

extern "C" fn note_stop(_signal: libc::c_int) {
    STOP.store(true, Ordering::SeqCst);
}
