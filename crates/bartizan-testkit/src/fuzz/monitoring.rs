//! Seeds of what monitoring says: policies, questions of the guard, answers of the probe, results of checks.

use anyhow::{Context, Result};
use bartizan_proto::checks::{CheckResult, CheckState, encode_results};
use bartizan_proto::probe::{Answer, Request};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Sha256, StatementId};
use bartizan_trust::statement::{DnsRecord, HttpMethod, TlsTrust};
use data_encoding::BASE64;
use serde_json::Value;

use super::Seed;
use super::seeds::seed;
use crate::load::scene::NOW;

/// Vectors that have every kind of check between them.
const POLICIES: [(&str, &str); 2] = [
    ("policy", include_str!("../../../../vectors/policy/accept/every_kind.json")),
    ("policy-network", include_str!("../../../../vectors/policy/accept/network_kinds.json")),
];

/// Signed policies.
pub(super) fn policies() -> Result<Vec<(&'static str, Envelope)>> {
    let read = |(name, vector): (&'static str, &str)| {
        let vector: Value = serde_json::from_str(vector)?;
        let text = vector.get("envelope").and_then(Value::as_str).context("no envelope")?;
        Ok((name, Envelope::decode(&BASE64.decode(text.as_bytes())?)?))
    };
    POLICIES.into_iter().map(read).collect()
}

/// One request of every kind, those with an optional part twice.
pub(super) fn requests() -> Vec<(&'static str, Request)> {
    let text = ToOwned::to_owned;
    let tcp = |banner| Request::Tcp { host: text("mail.example"), port: 25, banner };
    let http = |contains| Request::Http {
        url: text("https://www.example/health"),
        method: HttpMethod::Get,
        contains,
        tls: TlsTrust::Verify,
    };
    let (name, record, server) = (text("example"), DnsRecord::Mx, Some(text("192.0.2.53")));
    vec![
        ("certificates", Request::Certificates { base64: vec![text("MIIB")] }),
        ("tcp", tcp(None)),
        ("tcp-banner", tcp(Some(text("220 ")))),
        ("http", http(None)),
        ("http-contains", http(Some(text("well")))),
        ("dns", Request::Dns { name, record, server }),
        ("ping", Request::Ping { host: text("2001:db8::1") }),
    ]
}

fn answers() -> Vec<(&'static str, Answer)> {
    let text = ToOwned::to_owned;
    vec![
        ("certificates", Answer::Certificates { ends: 1_900_000_000 }),
        ("connected", Answer::Connected { ms: 3, matched: Some(true) }),
        (
            "responded",
            Answer::Responded { ms: 12, status: 200, matched: None, ends: Some(1_900_000_000) },
        ),
        ("resolved", Answer::Resolved { ms: 5, records: vec![text("10 mail.example")] }),
        ("echoed", Answer::Echoed { received: 4, ms: Some(1) }),
        ("failed", Answer::Failed { text: text("connection refused"), ends: None }),
        ("unknown", Answer::Unknown { text: text("no name server") }),
    ]
}

fn results() -> Vec<u8> {
    let result = CheckResult {
        policy: StatementId::new(Sha256::of(b"policy")),
        check: "disk".to_owned(),
        instance: "/var".to_owned(),
        state: CheckState::Warn,
        since: NOW,
        at: NOW,
        value: Some(12),
        text: "12 % of room left".to_owned(),
    };
    encode_results(&[
        result.clone(),
        CheckResult { value: None, state: CheckState::Gone, ..result },
    ])
}

pub(super) fn seeds() -> Vec<Seed> {
    let requests = requests().into_iter();
    let requests = requests.map(|(name, it)| seed("probe", &format!("ask-{name}"), it.encode()));
    let answers = answers().into_iter();
    let answers = answers.map(|(name, it)| seed("probe", &format!("answer-{name}"), it.encode()));
    let results = [seed("checks", "two", results())];
    requests.chain(answers).chain(results).collect()
}
