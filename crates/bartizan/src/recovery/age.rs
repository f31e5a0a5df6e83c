//! Files that stock `age` reads: one secret under a passphrase, in ASCII armor. Format: age-encryption.org/v1 with a single
//! `scrypt` stanza and a payload of one chunk. Nothing else of age is written or read here; whoever prefers another
//! recipient takes the key out with `age -d`.

use anyhow::{Context, Result, anyhow, bail};
use data_encoding::{BASE64, BASE64_NOPAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::{hkdf, hmac};
use zeroize::Zeroize as _;

use crate::exit::{Code, fail};
use crate::keys::secret::Secret;

const VERSION: &str = "age-encryption.org/v1";
const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";
/// Work of scrypt as a power of two: what `age` itself takes, about a second.
const LOG_N: u8 = 18;
/// More would take minutes: `age` refuses it too.
const LOG_N_MAX: u8 = 22;
/// Longest secret: one chunk of the payload.
const CHUNK_BYTES_MAX: usize = 64 * 1024;
/// The nonce of the only and last chunk: counter 0, last flag 1.
const LAST_CHUNK: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const COLUMNS: usize = 64;

/// Encrypts under a passphrase.
pub(crate) fn encrypt(secret: &[u8], passphrase: &Secret<String>) -> Result<String> {
    if secret.len() > CHUNK_BYTES_MAX {
        bail!("a secret of more than 64 KiB");
    }
    let random = SystemRandom::new();
    let (mut file_key, mut salt, mut nonce) = ([0; 16], [0; 16], [0; 16]);
    for bytes in [&mut file_key, &mut salt, &mut nonce] {
        random.fill(bytes).map_err(|_| anyhow!("no randomness"))?;
    }
    let file_key = Secret::new(file_key);
    let wrapped =
        seal(&wrap_key(passphrase, &salt, LOG_N)?, [0; 12], file_key.expose().as_slice())?;
    let head = format!(
        "{VERSION}\n-> scrypt {} {LOG_N}\n{}\n---",
        BASE64_NOPAD.encode(&salt),
        BASE64_NOPAD.encode(&wrapped)
    );
    let mac = header_mac(file_key.expose(), &head)?;
    let mut file = format!("{head} {}\n", BASE64_NOPAD.encode(mac.as_ref())).into_bytes();
    file.extend_from_slice(&nonce);
    file.extend(seal(&payload_key(file_key.expose(), &nonce)?, LAST_CHUNK, secret)?);
    Ok(armor(&file))
}

/// Decrypts what [`encrypt`] or `age -p -a` made.
pub(crate) fn decrypt(text: &str, passphrase: &Secret<String>) -> Result<Secret<Vec<u8>>> {
    let file = dearmor(text).context("the file is not in age's ASCII armor, or is cut")?;
    let end = file.windows(4).position(|four| four == b"\n---").context("no age header")?;
    let head = str::from_utf8(file.get(..end + 4).unwrap_or_default()).context("no age header")?;
    let mut lines = head.lines();
    if lines.next() != Some(VERSION) {
        bail!("not a file of age version 1");
    }
    let (salt, log_n) = stanza(lines.next().unwrap_or_default()).ok_or_else(|| {
        let next = "decrypt it with `age -d` and give the key with --recovery-key";
        fail(Code::Error, "the file is not encrypted under a passphrase", next)
    })?;
    let body = BASE64_NOPAD.decode(lines.next().unwrap_or_default().as_bytes());
    let wrong = || {
        let next = "try again; if the sheet was typed by hand, compare it line by line";
        fail(Code::Error, "wrong passphrase, or the file is damaged", next)
    };
    let key =
        open(&wrap_key(passphrase, &salt, log_n)?, [0; 12], body.context("a damaged header")?);
    let mut bytes = key.ok_or_else(wrong)?;
    let file_key = Secret::new(<[u8; 16]>::try_from(bytes.as_slice()).context("a damaged header")?);
    bytes.zeroize();
    let rest = file.get(end + 4..).unwrap_or_default();
    let line = rest.iter().position(|byte| *byte == b'\n').context("a damaged header")?;
    let (mac, payload) = (rest.get(1..line).unwrap_or_default(), rest.get(line + 1..));
    let mac = BASE64_NOPAD.decode(mac).context("a damaged header")?;
    hmac::verify(&header_key(file_key.expose())?, head.as_bytes(), &mac).map_err(|_| wrong())?;
    let (nonce, sealed) = payload.and_then(|p| p.split_at_checked(16)).context("a cut file")?;
    let key = payload_key(file_key.expose(), nonce)?;
    open(&key, LAST_CHUNK, sealed.to_vec()).map(Secret::new).ok_or_else(wrong)
}

/// `-> scrypt SALT WORK`, the only stanza.
fn stanza(line: &str) -> Option<(Vec<u8>, u8)> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["->", "scrypt", salt, log_n] = words.as_slice() else { return None };
    let log_n: u8 = log_n.parse().ok().filter(|log_n| (1..=LOG_N_MAX).contains(log_n))?;
    let salt = BASE64_NOPAD.decode(salt.as_bytes()).ok().filter(|salt| salt.len() == 16)?;
    Some((salt, log_n))
}

fn wrap_key(passphrase: &Secret<String>, salt: &[u8], log_n: u8) -> Result<Secret<[u8; 32]>> {
    let salt = [b"age-encryption.org/v1/scrypt".as_slice(), salt].concat();
    let work = scrypt::Params::new(log_n, 8, 1, 32).map_err(|_| anyhow!("the work of scrypt"))?;
    let mut key = [0; 32];
    scrypt::scrypt(passphrase.expose().as_bytes(), &salt, &work, &mut key)
        .map_err(|_| anyhow!("scrypt"))?;
    Ok(Secret::new(key))
}

/// HKDF-SHA-256 to 32 bytes.
fn derive(file_key: &[u8; 16], salt: &[u8], info: &str) -> Result<Secret<[u8; 32]>> {
    let mut key = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(file_key);
    let info = [info.as_bytes()];
    let filled = extracted.expand(&info, hkdf::HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
    filled.map_err(|_| anyhow!("derive a key"))?;
    Ok(Secret::new(key))
}

fn header_key(file_key: &[u8; 16]) -> Result<hmac::Key> {
    Ok(hmac::Key::new(hmac::HMAC_SHA256, derive(file_key, b"", "header")?.expose()))
}

fn header_mac(file_key: &[u8; 16], head: &str) -> Result<hmac::Tag> {
    Ok(hmac::sign(&header_key(file_key)?, head.as_bytes()))
}

fn payload_key(file_key: &[u8; 16], nonce: &[u8]) -> Result<Secret<[u8; 32]>> {
    derive(file_key, nonce, "payload")
}

fn cipher(key: &Secret<[u8; 32]>) -> Option<LessSafeKey> {
    UnboundKey::new(&CHACHA20_POLY1305, key.expose()).ok().map(LessSafeKey::new)
}

/// Each key seals once: the nonce is what the format fixes.
fn seal(key: &Secret<[u8; 32]>, nonce: [u8; 12], plain: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = plain.to_vec();
    let key = cipher(key).context("a key of 32 bytes")?;
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes)
        .map_err(|_| anyhow!("encrypt"))?;
    Ok(bytes)
}

fn open(key: &Secret<[u8; 32]>, nonce: [u8; 12], mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let nonce = Nonce::assume_unique_for_key(nonce);
    let length = cipher(key)?.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?.len();
    sealed.truncate(length);
    Some(sealed)
}

fn armor(file: &[u8]) -> String {
    let mut text = format!("{BEGIN}\n");
    let encoded = BASE64.encode(file);
    let mut rest = encoded.as_str();
    while let Some((line, more)) = rest.split_at_checked(COLUMNS) {
        text += line;
        text.push('\n');
        rest = more;
    }
    if !rest.is_empty() {
        text += rest;
        text.push('\n');
    }
    text + END + "\n"
}

fn dearmor(text: &str) -> Option<Vec<u8>> {
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    let [BEGIN, inner @ .., END] = lines.as_slice() else { return None };
    BASE64.decode(inner.concat().as_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phrase(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn what_is_encrypted_is_found_again_and_by_nobody_else() {
        let armored = encrypt(b"a secret\n", &phrase("correct horse")).expect("encrypt");
        let again = decrypt(&armored, &phrase("correct horse")).expect("decrypt");
        assert_eq!(again.expose(), b"a secret\n");
        assert!(decrypt(&armored, &phrase("correct horse ")).is_err());
        assert!(armored.lines().all(|line| line.len() <= COLUMNS));
        // A changed header, a changed payload, a cut file.
        let file = dearmor(&armored).expect("armor");
        for at in [40, file.len() - 20] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(decrypt(&armor(&changed), &phrase("correct horse")).is_err(), "{at}");
        }
        assert!(decrypt(&armor(&file[..file.len() - 1]), &phrase("correct horse")).is_err());
        assert!(decrypt(&armored[..armored.len() / 2], &phrase("correct horse")).is_err());
    }

    #[test]
    fn work_that_would_take_minutes_is_refused() {
        for bad in
            ["-> scrypt AAAAAAAAAAAAAAAAAAAAAA 23", "-> scrypt AAAA 18", "-> X25519 AAAA", ""]
        {
            assert_eq!(stanza(bad), None, "{bad}");
        }
        assert!(stanza("-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18").is_some());
    }
}
