//! The certificates of a file. Keys that stand beside them are passed over: nothing but certificates leaves this module.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::why;
use crate::limits::LOOK_CERTIFICATES_BYTES_MAX;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Each in base64, at most so many; the error says why there is none.
pub fn certificates(path: &Path, count_max: usize) -> Result<Vec<String>, String> {
    let bytes = read(path).map_err(|error| why(path, &error))?;
    if u64::try_from(bytes.len()).is_ok_and(|size| size > LOOK_CERTIFICATES_BYTES_MAX) {
        return Err("the file is larger than 64 KiB".to_owned());
    }
    let text = String::from_utf8_lossy(&bytes);
    let body = |piece: &str| piece.split_once(END).map(|(body, _)| joined(body));
    let found: Vec<String> = text.split(BEGIN).skip(1).filter_map(body).collect();
    if found.is_empty() {
        return Err("the file holds no certificate".to_owned());
    }
    if found.len() > count_max {
        return Err(format!("the file holds more than {count_max} certificates"));
    }
    Ok(found)
}

fn joined(body: &str) -> String {
    body.chars().filter(|c| !c.is_whitespace()).collect()
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // A pipe must not hold it up.
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "no file"));
    }
    let mut bytes = Vec::new();
    file.take(LOOK_CERTIFICATES_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_certificates_leave_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("all.pem");
        let of = |text: &str| {
            fs::write(&file, text).unwrap();
            certificates(&file, 2)
        };
        let one = |body: &str| format!("{BEGIN}\n{body}\n{END}\n");
        let key = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        let found = of(&format!("{}{key}{}", one("QUJD\nREVG"), one("R0hJ")));
        assert_eq!(found, Ok(vec!["QUJDREVG".to_owned(), "R0hJ".to_owned()]));
        assert!(of(&one("QQ==").repeat(3)).is_err_and(|why| why.contains("more than 2")));
        assert!(of(key).is_err_and(|why| why.contains("no certificate")));
        assert!(of(&format!("{BEGIN}\nQUJD")).is_err(), "without an end");
        let most = usize::try_from(LOOK_CERTIFICATES_BYTES_MAX).unwrap();
        let padded = format!("{}{}", one("QQ=="), " ".repeat(most));
        assert!(of(&padded[..most]).is_ok());
        assert!(of(&padded[..=most]).is_err_and(|why| why.contains("64 KiB")));
        assert!(certificates(folder.path(), 2).is_err(), "a folder");
        assert!(certificates(&folder.path().join("none"), 2).is_err());
    }

    #[test]
    fn a_pipe_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(certificates(&pipe, 1).is_err());
    }
}
