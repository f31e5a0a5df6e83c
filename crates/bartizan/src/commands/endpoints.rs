//! `endpoints` and `endpoint …`; and choosing the endpoints of a job.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use bartizan_proto::operator::{EndpointDetail, EndpointPage, EndpointRow, Standing};
use bartizan_trust::control::judge_enrolment;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{EndpointId, TenantId};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::statement::{Bundle, Descriptor, Enrolment, Receipt, SignatureRole};
use clap::{Args, Subcommand};
use data_encoding::BASE64;
use serde_json::{Value, json};

use super::{Console, Context, Filter, endpoint_path, receipts};
use crate::api::Api;
use crate::exit::{Code, fail, refused};
use crate::sign::render::date;
use crate::terminal::{cell, plain_text, table};

/// `bartizan endpoints …`
#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    #[command(flatten)]
    filter: Filter,
}

/// `bartizan endpoint …`
#[derive(Debug, Subcommand)]
pub(crate) enum EndpointCommand {
    /// Everything known about one
    Show {
        /// Its id
        id: EndpointId,
    },
    /// Let it in
    Admit {
        /// Its id
        id: EndpointId,
    },
    /// Ask it for its inventory now
    Refresh {
        /// Its id
        id: EndpointId,
    },
}

pub(crate) fn list(context: &Context, options: &ListOptions) -> Result<()> {
    let console = context.connect()?;
    let rows = fetch_all(&console.api, &options.filter)?;
    let last: Vec<Option<Receipt>> = rows.iter().map(last_word).collect();
    let lines: Vec<Vec<String>> =
        rows.iter().zip(&last).map(|(row, last)| line(row, last.as_ref())).collect();
    let text = if lines.is_empty() {
        "No endpoints yet. `bartizan enroll` prints the command that installs one.".to_owned()
    } else {
        table(
            &["ENDPOINT", "NAME", "TENANT", "SITE", "SYSTEM", "LINK", "LAST SEEN", "LAST JOB"],
            &lines,
        )
    };
    let shown = rows.iter().zip(&last).map(|(row, last)| as_json(row, last.as_ref()));
    let shown = shown.collect::<Result<Vec<Value>>>()?;
    context.terminal.result(&json!({ "endpoints": shown }), &text)
}

/// What an endpoint said last of a job, if its own key has signed it. What anybody else says of it is left out.
fn last_word(row: &EndpointRow) -> Option<Receipt> {
    let bytes = BASE64.decode(row.receipt.as_ref()?.as_bytes()).ok()?;
    let (receipt, verified) = receipts::verify(&bytes).ok()?;
    (verified && receipt.endpoint == row.id).then_some(receipt)
}

fn as_json(row: &EndpointRow, last: Option<&Receipt>) -> Result<Value> {
    let mut shown = serde_json::to_value(row).context("write the answer")?;
    if let Some(object) = shown.as_object_mut() {
        object.remove("receipt");
        let last = last.map(|receipt| {
            json!({ "job": receipt.job, "decision": receipt.decision, "code": receipt.code, "exit": receipt.exit, "at": receipt.t1 })
        });
        object.insert("last".to_owned(), json!(last));
    }
    Ok(shown)
}

fn last_text(receipt: &Receipt) -> String {
    let decision = format!("{:?}", receipt.decision).to_lowercase();
    let code =
        if receipt.code == "ok" { String::new() } else { format!(" {}", cell(&receipt.code)) };
    format!("{decision}{code}, {}", date(receipt.t1))
}

fn line(row: &EndpointRow, last: Option<&Receipt>) -> Vec<String> {
    let link = match (row.standing, row.connected) {
        (Standing::Quarantined, _) => "quarantined",
        (Standing::Admitted, true) => "connected",
        (Standing::Admitted, false) => "away",
    };
    vec![
        // In full: other commands take nothing less, because beginnings of ids can be ground out.
        row.id.to_string(),
        cell(&row.hostname),
        row.tenant.as_ref().map_or_else(String::new, |tenant| tenant.name().to_owned()),
        row.site.as_ref().map_or_else(String::new, |site| site.name().to_owned()),
        cell(&row.os),
        link.to_owned(),
        row.last_seen.map_or_else(|| "never".to_owned(), date),
        last.map_or_else(String::new, last_text),
    ]
}

pub(crate) fn run(context: &Context, command: &EndpointCommand) -> Result<()> {
    let console = context.connect()?;
    match command {
        EndpointCommand::Show { id } => {
            let detail: EndpointDetail = console.api.fetch(&endpoint_path(id))?;
            let inventory = detail.inventory.as_ref().map_or_else(
                || "no inventory yet".to_owned(),
                |inventory| serde_json::to_string_pretty(inventory).unwrap_or_default(),
            );
            let text = format!(
                "{}\n{}",
                line(&detail.row, last_word(&detail.row).as_ref()).join("  "),
                plain_text(&inventory)
            );
            let shown = serde_json::to_value(&detail).context("write the answer")?;
            context.terminal.result(&shown, &text)
        }
        EndpointCommand::Admit { id } => {
            console.api.send::<()>(&format!("{}/admit", endpoint_path(id)), &json!({}))?;
            context.terminal.result(
                &json!({ "endpoint": id, "standing": "admitted" }),
                &format!("{id} is admitted"),
            )
        }
        EndpointCommand::Refresh { id } => {
            console.api.send::<()>(&format!("{}/refresh", endpoint_path(id)), &json!({}))?;
            context
                .terminal
                .result(&json!({ "endpoint": id }), &format!("{id} was asked for its inventory"))
        }
    }
}

/// Every endpoint that fits, page by page.
pub(crate) fn fetch_all(api: &Api, filter: &Filter) -> Result<Vec<EndpointRow>> {
    let mut rows = Vec::new();
    let mut after: Option<EndpointId> = None;
    loop {
        let mut path = "/v1/endpoints?limit=200".to_owned();
        for (name, value) in [
            ("search", filter.search.as_deref().map(url_encoded)),
            ("tenant", filter.tenant.as_ref().map(ToString::to_string)),
            ("site", filter.site.as_ref().map(ToString::to_string)),
            ("after", after.as_ref().map(ToString::to_string)),
        ] {
            if let Some(value) = value {
                path += &format!("&{name}={value}");
            }
        }
        let page: EndpointPage = api.fetch(&path)?;
        rows.extend(page.endpoints);
        match page.next {
            Some(next) if Some(next) != after => after = Some(next),
            _ => return Ok(rows),
        }
    }
}

/// Text as a value of a query.
pub(crate) fn url_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    text.bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

/// The endpoints of a job.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) tenant: TenantId,
    /// Sorted, each once.
    pub(crate) endpoints: Vec<EndpointId>,
    /// Those that the server says are there. It decides who goes first, and nothing else.
    pub(crate) present: BTreeSet<EndpointId>,
}

/// Endpoints of a job, each proven to be who it says and to belong to the tenant.
pub(crate) fn choose(console: &Console, on: &[String]) -> Result<Chosen> {
    let everything = Filter { search: None, tenant: None, site: None };
    let rows = fetch_all(&console.api, &everything)?;
    let mut chosen: Vec<&EndpointRow> = Vec::new();
    for wish in on.iter().flat_map(|text| text.split(',')) {
        let found: Vec<&EndpointRow> = rows.iter().filter(|row| fits(row, wish)).collect();
        if found.is_empty() {
            let next = "use `all`, `tenant:NAME`, `site:NAME`, an id or a host name; see `bartizan endpoints`";
            return Err(fail(
                Code::Error,
                format!("no admitted endpoint fits `{}`", cell(wish)),
                next,
            ));
        }
        chosen.extend(found);
    }
    let mut tenant = None;
    let mut ids = Vec::new();
    let mut present = BTreeSet::new();
    for row in chosen {
        let belongs = verify_row(console, row)?;
        if tenant.get_or_insert_with(|| belongs.clone()) != &belongs {
            let next = "sign one job per tenant: --on tenant:NAME";
            return Err(fail(Code::Error, "these endpoints belong to different tenants", next));
        }
        ids.push(row.id);
        if row.connected {
            present.insert(row.id);
        }
    }
    bartizan_trust::targets::sort_endpoints(&mut ids);
    ids.dedup();
    let tenant = tenant.context("no endpoints were chosen")?;
    Ok(Chosen { tenant, endpoints: ids, present })
}

fn fits(row: &EndpointRow, wish: &str) -> bool {
    if row.standing != Standing::Admitted {
        return false;
    }
    match wish.split_once(':') {
        Some(("tenant", name)) => row.tenant.as_ref().is_some_and(|tenant| tenant.name() == name),
        Some(("site", name)) => row.site.as_ref().is_some_and(|site| site.name() == name),
        _ => wish == "all" || row.id.to_string() == wish || row.hostname == wish,
    }
}

/// The server says who an endpoint is; its descriptor and enrolment prove it.
pub(crate) fn verify_row(console: &Console, row: &EndpointRow) -> Result<TenantId> {
    let wrong = |what: &str| {
        refused(
            format!("{}: {what}", row.id),
            "the server shows an endpoint that nobody enrolled; tell the other operators",
        )
    };
    let descriptor = decode(&row.descriptor)?;
    let described: Descriptor =
        descriptor.statement().map_err(|_| wrong("its descriptor is damaged"))?;
    let key =
        PublicKey::parse_openssh(&described.device_key).map_err(|_| wrong("its key is damaged"))?;
    let (signatures, _) = descriptor.verify_signatures();
    let signed = signatures.iter().any(|s| s.key == key && s.role == SignatureRole::Descriptor);
    if !signed || key.endpoint_id() != row.id {
        return Err(wrong("its descriptor is by another key"));
    }
    let enrolment = decode(&row.enrolment)?;
    let statement: Enrolment =
        enrolment.statement().map_err(|_| wrong("its enrolment is damaged"))?;
    // An enrolment that is over by now was not when the endpoint used it, and one of somebody who has left since was
    // good then. Endpoints judge theirs by the bundle in force when they come, and only once.
    let judge = |bundle: &Bundle| {
        let org = console.org.anchor.org();
        judge_enrolment(bundle, org, statement.iat, &enrolment.encode()).ok()
    };
    let membership = judge(&console.trust.bundle)
        .or_else(|| console.former.iter().find_map(judge))
        .ok_or_else(|| wrong("its enrolment is signed by nobody who has been an operator"))?;
    if described.enrolment != membership.enrolment {
        return Err(wrong("its descriptor names another enrolment"));
    }
    Ok(membership.tenant)
}

fn decode(text: &str) -> Result<Envelope> {
    let bytes = BASE64.decode(text.as_bytes()).context("read an envelope")?;
    match Envelope::decode(&bytes) {
        Ok(envelope) => Ok(envelope),
        Err(error) => bail!("read an envelope: {error}"),
    }
}
