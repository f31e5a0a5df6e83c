//! Standard base64 with one text for the same bytes.

use data_encoding::BASE64;

/// Decodes; refuses every text but the one that encoding gives.
///
/// The decoder alone is not enough: it also takes padded pieces one after the other (`QQ==Qg==`), and
/// then two texts would mean the same key, note or envelope.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    (BASE64.encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_text_that_encoding_gives_decodes() {
        assert_eq!(decode("QUI=").as_deref(), Some(b"AB".as_slice()));
        assert_eq!(decode("").as_deref(), Some(b"".as_slice()));
        for text in ["QQ==Qg==", "QUI", "QUJ=", "QUI=\n", "QU I=", "====", "QUI=="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }
}
