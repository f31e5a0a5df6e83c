//! Text that decodes to a program: how a payload passes for a certificate.

use super::kind::{is_wide, kind_of, to_text};
use crate::limits;
use crate::pack::FileKind;

/// Decodes a base64 text, with or without the frame of a certificate, if what stands in it is a program.
pub(super) fn decode_program(bytes: &[u8]) -> Option<Vec<u8>> {
    if !begins_as_program(bytes) {
        return None;
    }
    let bytes = bytes.get(..limits::BASE64_BYTES_MAX).unwrap_or(bytes);
    let text = to_text(bytes);
    let program = decode(body(&text));
    matches!(kind_of(&program), FileKind::Pe | FileKind::Elf).then_some(program)
}

/// The cheap question first: base64 of a program begins with one of few letters.
fn begins_as_program(bytes: &[u8]) -> bool {
    let head = bytes.get(..512).unwrap_or(bytes);
    if !is_wide(head) {
        let text = head.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(head).trim_ascii_start();
        // Other white space before it is looked at below.
        if !matches!(
            text,
            [b'T', b'V', ..] | [b'f', b'0', ..] | [b'-', b'-', ..] | [11 | 128.., ..]
        ) {
            return false;
        }
    }
    let text = to_text(head);
    let start = body(&text).trim_start();
    let mz = matches!(start.as_bytes(), [b'T', b'V', b'o' | b'p' | b'q' | b'r', ..]);
    mz || start.starts_with("f0VMR")
}

/// Without the line that begins a certificate.
fn body(text: &str) -> &str {
    let text = text.trim_start();
    if !text.starts_with("-----BEGIN") {
        return text;
    }
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

/// Decodes as `certutil` does: white space is skipped, anything else ends it.
fn decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            b' ' | b'\t' | b'\r' | b'\n' => continue,
            _ => break,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            let [.., low] = (bits >> count).to_be_bytes();
            bytes.push(low);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::BASE64;

    #[test]
    fn a_program_in_base64_is_seen_with_and_without_a_frame() {
        let program = [b"MZ\x90\0".as_slice(), &[7; 5000]].concat();
        let text = BASE64.encode(&program);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
        let framed = format!(
            "-----BEGIN CERTIFICATE-----\r\n{}\r\n-----END CERTIFICATE-----\r\n",
            lines.join("\r\n")
        );
        assert_eq!(decode_program(text.as_bytes()).unwrap(), program);
        assert_eq!(decode_program(framed.as_bytes()).unwrap(), program);
    }

    #[test]
    fn a_certificate_and_a_sentence_are_not() {
        for text in [
            "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBg==\n",
            "TVs are sold here",
            "TV",
            "",
        ] {
            assert_eq!(decode_program(text.as_bytes()), None, "{text}");
        }
    }
}
