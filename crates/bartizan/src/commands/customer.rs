//! `customer …`: tenants with a say of their own.

use anyhow::Result;
use bartizan_trust::id::TenantId;
use bartizan_trust::statement::{Class, Customer, CustomerRule};
use clap::{Args, Subcommand};
use serde_json::json;

use super::keys::Card;
use super::{Context, File, change, countersign, options};
use crate::exit::{Code, fail};
use crate::terminal::{cell, table};

/// `bartizan customer …`
#[derive(Debug, Subcommand)]
pub(crate) enum CustomerCommand {
    /// List tenants that countersign
    List,
    /// From a class on, jobs for a tenant need a signature of the tenant's own person
    Set(Set),
    /// A tenant countersigns no longer
    Remove {
        /// Which
        #[arg(long, value_parser = options::slug::<TenantId>)]
        tenant: TenantId,
    },
    /// Write what a customer's person is to sign, who has no connection to the server
    Export {
        /// The job's id, or enough of its beginning
        job: String,
        /// Where to
        #[arg(long)]
        dir: File,
    },
    /// As the customer's person: read such a file, sign it, without any connection
    Approve {
        /// `request.json` of `customer export`
        file: File,
        /// Where the signature goes [default: beside it, ending in .sig]
        #[arg(long)]
        out: Option<File>,
    },
    /// Hand over the signature that came back
    Send {
        /// The job's id, or enough of its beginning
        job: String,
        /// The signature, by `customer approve` or by `ssh-keygen -Y sign`
        signature: File,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// Which tenant
    #[arg(long, value_parser = options::slug::<TenantId>)]
    tenant: TenantId,
    /// Cards of the tenant's people, as `bartizan card` printed them; one of them must sign
    #[arg(long = "card", num_args = 1.., required = true)]
    cards: Vec<File>,
    /// The eight words of each card, in the same order; asked for unless given
    #[arg(long = "words")]
    words: Vec<String>,
    /// Jobs of this class and stricter ones
    #[arg(long, default_value = "change", value_parser = class)]
    from_class: Class,
}

fn class(text: &str) -> Result<Class, String> {
    let found = Class::ALL.iter().copied().find(|class| class.name() == text);
    found.ok_or_else(|| "observe, routine, change or fleet".to_owned())
}

/// `bartizan customer …`
pub(crate) fn run(context: &Context, command: &CustomerCommand) -> Result<()> {
    match command {
        CustomerCommand::List => list(context),
        CustomerCommand::Set(customer) => set(context, customer),
        CustomerCommand::Remove { tenant } => remove(context, tenant),
        CustomerCommand::Export { job, dir } => countersign::export(context, job, dir),
        CustomerCommand::Approve { file, out } => {
            countersign::approve(context, file, out.as_deref())
        }
        CustomerCommand::Send { job, signature } => countersign::send(context, job, signature),
    }
}

fn list(context: &Context) -> Result<()> {
    let console = context.connect()?;
    let customers = &console.trust.bundle.customers;
    let row = |customer: &Customer| {
        let notes: Vec<String> = customer.keys.iter().map(|key| cell(&key.note)).collect();
        vec![
            customer.tenant.name().to_owned(),
            customer.rule.from_class.name().to_owned(),
            notes.join("; "),
        ]
    };
    let rows: Vec<_> = customers.iter().map(row).collect();
    let text = if rows.is_empty() {
        "no tenant countersigns".to_owned()
    } else {
        table(&["TENANT", "FROM CLASS", "KEYS"], &rows)
    };
    context.terminal.result(&json!({ "customers": customers }), &text)
}

fn set(context: &Context, set: &Set) -> Result<()> {
    let console = context.connect()?;
    let mut keys = Vec::new();
    for (number, path) in set.cards.iter().enumerate() {
        let words = set.words.get(number).map(String::as_str);
        let card = Card::compared(path, words)?;
        keys.extend(card.operator_keys(&card.name)?);
    }
    let rule = CustomerRule { from_class: set.from_class };
    let customer = Customer { tenant: set.tenant.clone(), keys, rule };
    change::propose(context, &console, |bundle| {
        bundle.customers.retain(|known| known.tenant != set.tenant);
        bundle.customers.push(customer.clone());
        bundle.customers.sort_by(|a, b| a.tenant.cmp(&b.tenant));
        Ok(())
    })
}

fn remove(context: &Context, tenant: &TenantId) -> Result<()> {
    let console = context.connect()?;
    change::propose(context, &console, |bundle| {
        let before = bundle.customers.len();
        bundle.customers.retain(|known| known.tenant != *tenant);
        if bundle.customers.len() == before {
            let problem = format!("tenant `{}` does not countersign", tenant.name());
            return Err(fail(Code::Error, problem, "see `bartizan customer list`"));
        }
        Ok(())
    })
}
