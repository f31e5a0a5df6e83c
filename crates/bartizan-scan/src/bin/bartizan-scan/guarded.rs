//! A fault in this program, or in a library it reads with, must not let one hostile file end the scan.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use bartizan_scan::path;

/// What a report says of a file at which the scanner failed.
const FAULT: &str =
    "the scanner failed at it: look at it by other means, and report this to its makers";

/// What a panic says goes to the terminal without anything that could steer it; the default would show it as it is.
pub(crate) fn tame_panics() {
    std::panic::set_hook(Box::new(|panic| {
        eprintln!("fault: {}", path::shown(&panic.to_string()));
    }));
}

/// Does something; a panic in it becomes an error. What it worked on is not used again, or holds findings only, which may be
/// fewer for it: the report says where.
pub(crate) fn guard<T>(work: impl FnOnce() -> T) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| io::Error::other(FAULT))
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_fault_at_one_file_is_an_error_and_no_end() {
        assert_eq!(guard(|| 7).unwrap(), 7);
        let bytes: &[u8] = b"short";
        let error = guard(|| bytes.split_at(9).0.len()).unwrap_err();
        assert!(error.to_string().contains("the scanner failed"), "{error}");
    }
}
