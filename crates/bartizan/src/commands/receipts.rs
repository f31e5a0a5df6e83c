//! `receipts`: what endpoints say they did, verified against their own keys.

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{Receipt, SignatureRole};
use serde_json::{Value, json};

use super::{Context, watch};
use crate::exit::refused;
use crate::rollout::fetch_receipts;
use crate::sign::render;
use crate::terminal::{cell, table};

pub(crate) fn run(context: &Context, id: &str) -> Result<()> {
    let console = context.connect()?;
    let id = watch::find(&console, id)?;
    let mut shown = Vec::new();
    let mut rows = Vec::new();
    let mut bad = 0;
    for bytes in fetch_receipts(&console.api, id)? {
        let (receipt, verified) = verify(&bytes)?;
        let fits = verified && receipt.job == id;
        bad += usize::from(!fits);
        rows.push(line(&receipt, fits));
        shown.push(as_json(&receipt, fits));
    }
    let text = if rows.is_empty() {
        "no receipts yet".to_owned()
    } else {
        table(
            &["ENDPOINT", "SEQ", "DUE", "DECISION", "CODE", "EXIT", "BYTES", "VERIFIED", "NEXT"],
            &rows,
        )
    };
    context.terminal.result(&json!({ "job": id, "receipts": shown }), &text)?;
    if bad > 0 {
        return Err(refused(
            format!("{bad} receipts do not verify"),
            "somebody changed them on the way; trust the others only",
        ));
    }
    Ok(())
}

/// A receipt verifies when the key that signed it is the one its endpoint is named after.
pub(crate) fn verify(bytes: &[u8]) -> Result<(Receipt, bool)> {
    let envelope = Envelope::decode(bytes).context("read a receipt")?;
    let receipt: Receipt = envelope.statement().context("read a receipt")?;
    let (signatures, _) = envelope.verify_signatures();
    let own = signatures
        .iter()
        .any(|s| s.role == SignatureRole::Receipt && s.key.endpoint_id() == receipt.endpoint);
    Ok((receipt, own))
}

pub(crate) fn advice(code: &str) -> &'static str {
    Refusal::ALL
        .iter()
        .find(|refusal| refusal.code() == code)
        .map_or("", |refusal| refusal.advice())
}

fn line(receipt: &Receipt, verified: bool) -> Vec<String> {
    vec![
        receipt.endpoint.to_string().chars().take(15).collect(),
        receipt.seq.to_string(),
        receipt.occurrence.map_or_else(String::new, render::date),
        format!("{:?}", receipt.decision).to_lowercase(),
        cell(&receipt.code),
        receipt.exit.map_or_else(String::new, |exit| exit.to_string()),
        receipt.output.size.to_string(),
        if verified { "yes" } else { "NO" }.to_owned(),
        advice(&receipt.code).to_owned(),
    ]
}

fn as_json(receipt: &Receipt, verified: bool) -> Value {
    json!({
        "endpoint": receipt.endpoint, "seq": receipt.seq, "occurrence": receipt.occurrence, "decision": receipt.decision, "code": receipt.code,
        "exit": receipt.exit, "output": receipt.output, "program": receipt.program, "t0": receipt.t0, "t1": receipt.t1, "verified": verified,
        "next": advice(&receipt.code),
    })
}
