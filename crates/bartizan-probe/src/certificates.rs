//! When certificates end.

use bartizan_proto::probe::Answer;
use data_encoding::BASE64;

use crate::{Trouble, here};

/// Of several, the first end.
pub(crate) fn first_end(base64: &[String]) -> Result<Answer, Trouble> {
    let mut first: Option<u64> = None;
    for text in base64 {
        let der = BASE64.decode(text.as_bytes()).ok();
        let Some(ends) = der.and_then(|der| end(&der)) else {
            return Err(here("a certificate in it cannot be read"));
        };
        first = Some(first.map_or(ends, |known| known.min(ends)));
    }
    first.map(|ends| Answer::Certificates { ends }).ok_or_else(|| here("it holds no certificate"))
}

/// In unix seconds; 0 for what ended before there were any.
pub(crate) fn end(der: &[u8]) -> Option<u64> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    Some(u64::try_from(certificate.validity().not_after.timestamp()).unwrap_or(0))
}
