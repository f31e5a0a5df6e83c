//! What the guard has `bartizan-probe` ask over the network, and what comes back: one JSON document each way.
//! Specification: `docs/spec/policy.md`, "Checks that use the network".
//!
//! The probe measures, the guard judges: levels and severities are not in a request. Both ends take the other for hostile.

use bartizan_trust::json::{self, Validate};
use bartizan_trust::limits as trust;
use bartizan_trust::statement::{
    DnsRecord, HttpMethod, TlsTrust, is_dns_name, is_host, is_plain_char, parse_name_server,
    parse_url,
};
use serde::{Deserialize, Serialize};

/// Largest request in bytes: the certificates of a file, in base64.
pub const REQUEST_BYTES_MAX: usize = 128 * 1024;
/// Largest answer in bytes: as many records as count, each as long as it may be, escaped.
pub const ANSWER_BYTES_MAX: usize = 32 * 1024;
/// Most certificates of one file.
pub const CERTIFICATES_MAX: usize = 16;
/// Longest certificate in base64.
pub const CERTIFICATE_BYTES_MAX: usize = 6 * 1024;
/// Most records of an answer; one more is as good as too many.
pub const RECORDS_MAX: usize = 32;
/// Echo requests of one look.
pub const PINGS: u32 = 4;

/// What to do, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// When do these end?
    Certificates {
        /// Each in base64.
        base64: Vec<String>,
    },
    /// Connect; wait for a greeting if one is named.
    Tcp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
        /// What must be in it.
        #[serde(skip_serializing_if = "Option::is_none")]
        banner: Option<String>,
    },
    /// Ask a web server.
    Http {
        /// `http:` or `https:`.
        url: String,
        /// How.
        method: HttpMethod,
        /// What must be in the body.
        #[serde(skip_serializing_if = "Option::is_none")]
        contains: Option<String>,
        /// Whether its certificate must be believed.
        tls: TlsTrust,
    },
    /// Ask a name server.
    Dns {
        /// The name.
        name: String,
        /// Which of its records.
        record: DnsRecord,
        /// Whom; left out: the system's.
        #[serde(skip_serializing_if = "Option::is_none")]
        server: Option<String>,
    },
    /// Send echo requests.
    Ping {
        /// A name or an address.
        host: String,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    /// To [`Request::Certificates`].
    Certificates {
        /// When the first of them ends, in unix seconds.
        ends: u64,
    },
    /// To [`Request::Tcp`].
    Connected {
        /// Milliseconds.
        ms: u64,
        /// Whether the greeting had it, if one was named.
        #[serde(skip_serializing_if = "Option::is_none")]
        matched: Option<bool>,
    },
    /// To [`Request::Http`].
    Responded {
        /// Milliseconds.
        ms: u64,
        /// The code.
        status: u16,
        /// Whether the body had it, if something was named.
        #[serde(skip_serializing_if = "Option::is_none")]
        matched: Option<bool>,
        /// When its certificate ends.
        #[serde(skip_serializing_if = "Option::is_none")]
        ends: Option<u64>,
    },
    /// To [`Request::Dns`].
    Resolved {
        /// Milliseconds.
        ms: u64,
        /// The records as text, sorted, each once.
        records: Vec<String>,
    },
    /// To [`Request::Ping`].
    Echoed {
        /// How many came back.
        received: u32,
        /// The middle of their times in milliseconds.
        #[serde(skip_serializing_if = "Option::is_none")]
        ms: Option<u64>,
    },
    /// The other side is not as it should be.
    Failed {
        /// In words.
        text: String,
        /// When its certificate ends or has ended, if it showed one.
        #[serde(skip_serializing_if = "Option::is_none")]
        ends: Option<u64>,
    },
    /// It could not be asked from here, and why.
    Unknown {
        /// In words.
        text: String,
    },
}

/// Why bytes are no request or no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ProbeError(&'static str);

impl Request {
    /// Reads one.
    pub fn decode(bytes: &[u8]) -> Result<Self, ProbeError> {
        decode(bytes, REQUEST_BYTES_MAX)
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }
}

impl Answer {
    /// Reads what came back to a request.
    pub fn decode(bytes: &[u8], request: &Request) -> Result<Self, ProbeError> {
        let answer: Self = decode(bytes, ANSWER_BYTES_MAX)?;
        if answer.answers(request) {
            return Ok(answer);
        }
        Err(ProbeError("an answer to something else"))
    }

    /// As bytes.
    pub fn encode(&self) -> Vec<u8> {
        json::encode(self)
    }

    /// Whether it says what was asked, no more and no less.
    fn answers(&self, request: &Request) -> bool {
        match (self, request) {
            (Self::Certificates { .. }, Request::Certificates { .. })
            | (Self::Resolved { .. }, Request::Dns { .. })
            | (Self::Echoed { .. }, Request::Ping { .. })
            | (Self::Unknown { .. }, _) => true,
            (Self::Connected { matched, .. }, Request::Tcp { banner, .. }) => {
                matched.is_some() == banner.is_some()
            }
            (Self::Responded { matched, .. }, Request::Http { contains, .. }) => {
                matched.is_some() == contains.is_some()
            }
            (Self::Failed { ends, .. }, _) => {
                ends.is_none() || matches!(request, Request::Http { .. })
            }
            _ => false,
        }
    }
}

fn decode<T>(bytes: &[u8], bytes_max: usize) -> Result<T, ProbeError>
where
    T: serde::de::DeserializeOwned + Serialize + Validate,
{
    if bytes.len() > bytes_max {
        return Err(ProbeError("longer than it may be"));
    }
    let value: T = serde_json::from_slice(bytes).map_err(|_| ProbeError("not of this form"))?;
    value.validate().map_err(ProbeError)?;
    if json::encode(&value) == bytes { Ok(value) } else { Err(ProbeError("written otherwise")) }
}

impl Validate for Request {
    fn validate(&self) -> Result<(), &'static str> {
        let text = |text: &Option<String>| {
            text.as_ref()
                .is_none_or(|text| !text.is_empty() && plain(text, trust::PATTERN_BYTES_MAX))
        };
        let fine = match self {
            Self::Certificates { base64 } => {
                let symbol = |b: u8| b.is_ascii_alphanumeric() || b"+/=".contains(&b);
                let one =
                    |text: &String| text.len() <= CERTIFICATE_BYTES_MAX && text.bytes().all(symbol);
                (1..=CERTIFICATES_MAX).contains(&base64.len()) && base64.iter().all(one)
            }
            Self::Tcp { host, port, banner } => is_host(host) && *port != 0 && text(banner),
            Self::Http { url, contains, .. } => parse_url(url).is_some() && text(contains),
            Self::Dns { name, server, .. } => {
                let server = server.as_deref();
                is_dns_name(name) && server.is_none_or(|text| parse_name_server(text).is_some())
            }
            Self::Ping { host } => is_host(host),
        };
        if fine { Ok(()) } else { Err("a request that no policy could make") }
    }
}

impl Validate for Answer {
    fn validate(&self) -> Result<(), &'static str> {
        let time = |ends: &Option<u64>| ends.is_none_or(|ends| ends <= trust::INTEGER_MAX);
        // A clock that jumps may measure more than the patience.
        let took = |ms: &u64| *ms <= trust::INTEGER_MAX;
        let fine = match self {
            Self::Certificates { ends } => time(&Some(*ends)),
            Self::Connected { ms, .. } => took(ms),
            Self::Responded { ms, status, ends, .. } => {
                took(ms) && (100..=999).contains(status) && time(ends)
            }
            Self::Resolved { ms, records } => {
                let one = |text: &String| plain(text, trust::TEXT_BYTES_MAX);
                took(ms)
                    && records.len() <= RECORDS_MAX
                    && records.iter().all(one)
                    && records.is_sorted_by(|a, b| a < b)
            }
            Self::Echoed { received, ms } => {
                *received <= PINGS
                    && (*received > 0) == ms.is_some()
                    && ms.as_ref().is_none_or(took)
            }
            Self::Failed { text, ends } => plain(text, trust::TEXT_BYTES_MAX) && time(ends),
            Self::Unknown { text } => plain(text, trust::TEXT_BYTES_MAX),
        };
        if fine { Ok(()) } else { Err("an answer beyond its limits") }
    }
}

fn plain(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && text.chars().all(is_plain_char)
}

#[cfg(test)]
mod tests;
