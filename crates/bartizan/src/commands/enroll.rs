//! `enroll`: one line that installs an endpoint.

use anyhow::{Context as _, Result};
use bartizan_proto::operator::Stored;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{SiteId, TenantId};
use bartizan_trust::statement::{Admit, Enrolment, SignatureRole, V1};
use clap::Args;
use data_encoding::BASE64URL_NOPAD;
use serde_json::json;

use super::{Console, Context, options};
use crate::api::session;
use crate::home::{nonce, now};
use crate::keys::Signer;
use crate::sign::render;

/// `bartizan enroll …`
#[derive(Debug, Args)]
pub(crate) struct EnrollOptions {
    /// Whose endpoints
    #[arg(long, value_parser = options::slug::<TenantId>)]
    tenant: TenantId,
    /// Where they stand
    #[arg(long, value_parser = options::slug::<SiteId>)]
    site: SiteId,
    /// How many
    #[arg(long, default_value_t = 10)]
    uses: u32,
    /// For how long
    #[arg(long, default_value = "7d", value_parser = options::seconds)]
    expires: u64,
    /// Hold each new endpoint until somebody admits it
    #[arg(long)]
    manual: bool,
    /// A label for new endpoints
    #[arg(long)]
    label: Vec<String>,
}

/// Who may come in, and until when.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    pub(crate) tenant: TenantId,
    pub(crate) site: SiteId,
    pub(crate) labels: Vec<String>,
    pub(crate) uses: u32,
    pub(crate) expires_s: u64,
    pub(crate) manual: bool,
}

pub(crate) fn run(context: &Context, options: &EnrollOptions) -> Result<()> {
    let console = context.connect()?;
    let wish = Wish {
        tenant: options.tenant.clone(),
        site: options.site.clone(),
        labels: options.label.clone(),
        uses: options.uses,
        expires_s: options.expires,
        manual: options.manual,
    };
    let mut envelope = Envelope::new(&enrolment(&console, wish)?);
    context.terminal.show(&render::statement(&envelope)?)?;
    context.terminal.confirm("Sign this enrolment?")?;
    Signer::open(&context.home, context.key.as_deref())?
        .sign(&mut envelope, SignatureRole::Enroll)?;
    let (stored, command) = hand_over(&console, &envelope)?;
    let shown =
        json!({ "enrolment": stored.id, "command": command, "words": render::words(&envelope) });
    context.terminal.result(
        &shown,
        &format!("Run on each new endpoint, as root:\n\n{command} && bartizan-guard run"),
    )
}

/// The enrolment of a wish.
pub(crate) fn enrolment(console: &Console, wish: Wish) -> Result<Enrolment> {
    let now = now();
    let mut labels = wish.labels;
    labels.sort();
    labels.dedup();
    Ok(Enrolment {
        v: V1,
        org: console.org.anchor.org(),
        iat: now,
        crit: Vec::new(),
        nonce: nonce()?,
        tenant: wish.tenant,
        site: wish.site,
        labels,
        max_uses: wish.uses,
        exp: now.plus(wish.expires_s),
        admit: if wish.manual { Admit::Manual } else { Admit::Auto },
    })
}

/// Hands a signed enrolment over; what to run on each new endpoint.
pub(crate) fn hand_over(console: &Console, envelope: &Envelope) -> Result<(Stored, String)> {
    let stored: Stored = console.api.send("/v1/enrolments", &session::body(envelope))?;
    let first = console.trust.bundle.servers.first();
    let address = first.and_then(|server| server.addresses.first());
    let address = address.context("the bundle names no server")?;
    let anchor = console.org.anchor;
    let text = BASE64URL_NOPAD.encode(&envelope.encode());
    let command =
        format!("bartizan-guard enroll --server {address} --anchor {anchor} --enrolment {text}");
    Ok((stored, command))
}
