//! A small client of the ssh-agent protocol (draft-miller-ssh-agent): list keys, sign.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bartizan_trust::keys::PublicKey;

use crate::exit::{Code, fail};

const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;
/// OpenSSH's own limit of an agent message.
const MESSAGE_BYTES_MAX: usize = 256 * 1024;
const IDENTITIES_MAX: usize = 256;
/// A person may have to find the key first.
const PATIENCE: Duration = Duration::from_secs(90);

/// Keys of a supported kind, with their comments (foreign text).
pub(crate) fn identities() -> Result<Vec<(PublicKey, String)>> {
    let answer = ask(&[REQUEST_IDENTITIES], IDENTITIES_ANSWER)?;
    let (count, mut rest) = take_u32(&answer)?;
    if count > IDENTITIES_MAX {
        bail!("ssh-agent lists more than {IDENTITIES_MAX} keys");
    }
    let mut keys = Vec::new();
    for _ in 0..count {
        let (blob, more) = take_bytes(rest)?;
        let (comment, more) = take_bytes(more)?;
        rest = more;
        // Keys of other kinds are none of our business.
        if let Ok(key) = PublicKey::decode(blob) {
            keys.push((key, String::from_utf8_lossy(comment).into_owned()));
        }
    }
    Ok(keys)
}

/// The SSH signature blob over `message`.
pub(crate) fn sign(key: &PublicKey, message: &[u8]) -> Result<Vec<u8>> {
    let mut request = vec![SIGN_REQUEST];
    for field in [key.blob(), message] {
        request.extend(u32::try_from(field.len()).context("too long")?.to_be_bytes());
        request.extend(field);
    }
    request.extend(0_u32.to_be_bytes());
    let answer = ask(&request, SIGN_RESPONSE)?;
    let (signature, rest) = take_bytes(&answer)?;
    if !rest.is_empty() {
        bail!("ssh-agent's answer has trailing bytes");
    }
    Ok(signature.to_vec())
}

fn ask(request: &[u8], expected: u8) -> Result<Vec<u8>> {
    let path =
        std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty()).ok_or_else(|| {
            fail(
                Code::Error,
                "no ssh-agent (SSH_AUTH_SOCK is not set)",
                "start one, or give --key FILE",
            )
        })?;
    let mut stream = UnixStream::connect(&path).map_err(|error| {
        let problem = format!("no ssh-agent at {}: {error}", Path::new(&path).display());
        fail(Code::Error, problem, "start one and set SSH_AUTH_SOCK, or give --key FILE")
    })?;
    stream.set_read_timeout(Some(PATIENCE)).context("set a time limit")?;
    let length = u32::try_from(request.len()).context("too long")?.to_be_bytes();
    stream.write_all(&[&length, request].concat()).context("write to ssh-agent")?;
    let mut head = [0; 4];
    stream.read_exact(&mut head).context("read from ssh-agent")?;
    let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
    if length == 0 || length > MESSAGE_BYTES_MAX {
        bail!("ssh-agent's answer has a length of {length} bytes");
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).context("read from ssh-agent")?;
    if answer.first() != Some(&expected) {
        let next = "is the key there and confirmed? `ssh-add -l` lists them";
        return Err(fail(Code::Error, "ssh-agent said no", next));
    }
    answer.remove(0);
    Ok(answer)
}

fn take_u32(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<4>().context("ssh-agent's answer is cut")?;
    Ok((usize::try_from(u32::from_be_bytes(*head)).unwrap_or(usize::MAX), rest))
}

fn take_bytes(bytes: &[u8]) -> Result<(&[u8], &[u8])> {
    let (length, rest) = take_u32(bytes)?;
    rest.split_at_checked(length).context("ssh-agent's answer is cut")
}
