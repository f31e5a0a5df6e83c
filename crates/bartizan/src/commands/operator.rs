//! `operator …`: who may do what, person by person, key by key. Each command makes one bundle.

use anyhow::{Context as _, Result};
use bartizan_trust::id::{OperatorId, TenantId};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::note::{NoteKeyType, VerifierKey};
use bartizan_trust::policy::Policy;
use bartizan_trust::statement::{Bundle, Operator, OperatorKey, OperatorRole, TenantScope};
use clap::{Args, Subcommand};
use serde_json::json;

use super::keys::{Card, WitnessCard};
use super::{Context, File, change, options, policy};
use crate::exit::{Code, fail, refused};
use crate::sign::render::role_name;
use crate::terminal::{cell, table};

/// `bartizan operator …`
#[derive(Debug, Subcommand)]
pub(crate) enum OperatorCommand {
    /// List the operators and their keys
    List,
    /// Add a person, after comparing eight words with them
    Add(Add),
    /// Remove a person: at once, and whatever they signed before counts no longer
    Remove {
        /// Who
        #[arg(value_parser = options::slug::<OperatorId>)]
        id: OperatorId,
    },
    /// Add or remove one key of a person
    #[command(subcommand)]
    Key(KeyChange),
    /// Change what a person may sign, and for whom
    Role(Role),
    /// Which guardians, and whose consoles, watch the logs
    #[command(subcommand)]
    Witness(WitnessChange),
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// Their card, as `bartizan card` printed it
    card: File,
    /// The eight words they read to you; asked for unless given
    #[arg(long)]
    words: Option<String>,
    /// What they may sign [default: all roles]
    #[arg(long, value_delimiter = ',', value_parser = role)]
    roles: Vec<OperatorRole>,
    /// For these tenants only
    #[arg(long, value_delimiter = ',', value_parser = options::slug::<TenantId>)]
    tenants: Vec<TenantId>,
    /// Leave the log policy alone: their console will not watch
    #[arg(long)]
    no_witness: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyChange {
    /// Add another key of a person, from a card made with it
    Add {
        /// The card
        card: File,
        /// The eight words they read to you; asked for unless given
        #[arg(long)]
        words: Option<String>,
        /// Which device, where it is kept
        #[arg(long, default_value = "from the operator's card")]
        note: String,
    },
    /// Remove a key: at once, and whatever it signed before counts no longer
    Remove {
        /// Whose
        #[arg(value_parser = options::slug::<OperatorId>)]
        id: OperatorId,
        /// SHA256:…, from `bartizan operator list`
        fingerprint: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Role {
    /// Whose
    #[arg(value_parser = options::slug::<OperatorId>)]
    id: OperatorId,
    /// May also sign as
    #[arg(long, value_delimiter = ',', value_parser = role)]
    add: Vec<OperatorRole>,
    /// May no longer sign as
    #[arg(long, value_delimiter = ',', value_parser = role)]
    remove: Vec<OperatorRole>,
    /// Only for these tenants; `all` for every tenant
    #[arg(long, value_delimiter = ',')]
    tenants: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum WitnessChange {
    /// Let a guardian or a person's console co-sign the logs, after comparing eight words
    Add {
        /// The guardian's card, as `bartizan witness key` printed it, or a person's
        card: File,
        /// The eight words they read to you; asked for unless given
        #[arg(long)]
        words: Option<String>,
    },
    /// A guardian or console co-signs no longer
    Remove {
        /// Its name in the policy
        name: String,
    },
}

fn role(text: &str) -> Result<OperatorRole, String> {
    ALL_ROLES
        .into_iter()
        .find(|role| role_name(*role) == text)
        .ok_or_else(|| "one of author, approve, root, enroll, freeze, promote".to_owned())
}

const ALL_ROLES: [OperatorRole; 6] = [
    OperatorRole::Author,
    OperatorRole::Approve,
    OperatorRole::Root,
    OperatorRole::Enroll,
    OperatorRole::Freeze,
    OperatorRole::Promote,
];

/// `bartizan operator …`
pub(crate) fn run(context: &Context, command: &OperatorCommand) -> Result<()> {
    let console = context.connect()?;
    match command {
        OperatorCommand::List => list(context, &console.trust.bundle),
        OperatorCommand::Add(add) => {
            let card = Card::compared(&add.card, add.words.as_deref())?;
            change::propose(context, &console, |bundle| add_person(bundle, &card, add))
        }
        OperatorCommand::Remove { id } => {
            change::propose(context, &console, |bundle| {
                find(bundle, id)?;
                bundle.operators.retain(|operator| operator.id != *id);
                Ok(())
            })?;
            if console.trust.bundle.log.policy.contains(&format!("witness {} ", id.name())) {
                eprintln!(
                    "their console still counts as a witness; when this acts: bartizan operator witness remove {}",
                    id.name()
                );
            }
            Ok(())
        }
        OperatorCommand::Key(KeyChange::Add { card, words, note }) => {
            let card = Card::compared(card, words.as_deref())?;
            let keys = card.operator_keys(note)?;
            change::propose(context, &console, |bundle| {
                find(bundle, &card.id)?.keys.extend(keys.clone());
                Ok(())
            })
        }
        OperatorCommand::Key(KeyChange::Remove { id, fingerprint }) => {
            change::propose(context, &console, |bundle| remove_key(bundle, id, fingerprint))
        }
        OperatorCommand::Role(role) => {
            let scope = scope(&role.tenants)?;
            change::propose(context, &console, |bundle| change_role(bundle, role, scope.as_ref()))
        }
        OperatorCommand::Witness(WitnessChange::Add { card, words }) => {
            let card = WitnessCard::compared(card, words.as_deref())?;
            change::propose(context, &console, |bundle| add_witness(bundle, &card))
        }
        OperatorCommand::Witness(WitnessChange::Remove { name }) => {
            change::propose(context, &console, |bundle| remove_witness(bundle, name))
        }
    }
}

fn list(context: &Context, bundle: &Bundle) -> Result<()> {
    let mut rows = Vec::new();
    let mut shown = Vec::new();
    for operator in &bundle.operators {
        let roles: Vec<&str> = operator.roles.iter().map(|role| role_name(*role)).collect();
        let mut keys = Vec::new();
        for key in &operator.keys {
            let public = PublicKey::parse_openssh(&key.ssh).context("read a key of the bundle")?;
            rows.push(vec![
                operator.id.name().to_owned(),
                cell(&operator.name),
                roles.join(","),
                public.fingerprint(),
                cell(&key.note),
            ]);
            keys.push(
                json!({ "fingerprint": public.fingerprint(), "ssh": key.ssh, "note": key.note }),
            );
        }
        shown.push(json!({
            "id": operator.id, "name": operator.name, "roles": roles, "tenants": operator.tenants, "keys": keys,
        }));
    }
    let text = table(&["OPERATOR", "NAME", "ROLES", "KEY", "NOTE"], &rows);
    let root = bundle.root.threshold;
    let policy = Policy::parse(&bundle.log.policy).context("read the log policy")?;
    let witnesses: Vec<_> = policy
        .witnesses()
        .map(|(name, key)| json!({ "name": name, "witness": key.to_string() }))
        .collect();
    let names: Vec<String> = policy.witnesses().map(|(name, _)| cell(name)).collect();
    context.terminal.result(
        &json!({ "operators": shown, "root_threshold": root, "witnesses": witnesses }),
        &format!(
            "{text}{root} of the root operators change the bundle\nwitnesses: {}\n",
            names.join(", ")
        ),
    )
}

/// The person, or an error that names those who are there.
fn find<'b>(bundle: &'b mut Bundle, id: &OperatorId) -> Result<&'b mut Operator> {
    bundle.operators.iter_mut().find(|operator| operator.id == *id).ok_or_else(|| {
        let problem = format!("the bundle has no operator `{}`", id.name());
        fail(Code::Error, problem, "see `bartizan operator list`")
    })
}

/// An operator as a card describes one, with every role.
pub(crate) fn person(card: &Card) -> Result<Operator> {
    Ok(Operator {
        id: card.id.clone(),
        name: card.name.clone(),
        roles: ALL_ROLES.to_vec(),
        tenants: TenantScope::All,
        keys: card.operator_keys("from the operator's card")?,
    })
}

fn add_person(bundle: &mut Bundle, card: &Card, add: &Add) -> Result<()> {
    let mut operator = person(card)?;
    if !add.roles.is_empty() {
        operator.roles.retain(|role| add.roles.contains(role));
    }
    if !add.tenants.is_empty() {
        operator.tenants = only(add.tenants.clone());
    }
    insert(bundle, operator, (!add.no_witness).then_some(card))
}

/// Adds a person, and the console of their card as a witness.
pub(crate) fn insert(
    bundle: &mut Bundle,
    operator: Operator,
    watches: Option<&Card>,
) -> Result<()> {
    bundle.operators.push(operator);
    bundle.operators.sort_by(|a, b| a.id.cmp(&b.id));
    let Some(card) = watches else { return Ok(()) };
    let (name, witness) = (card.id.name().to_owned(), card.witness.clone());
    add_witness(bundle, &WitnessCard { name, witness })
}

fn only(mut tenants: Vec<TenantId>) -> TenantScope {
    tenants.sort();
    tenants.dedup();
    TenantScope::Only(tenants)
}

fn scope(texts: &[String]) -> Result<Option<TenantScope>> {
    match texts {
        [] => Ok(None),
        [all] if all == "all" => Ok(Some(TenantScope::All)),
        some => {
            let read = |text: &String| options::slug::<TenantId>(text);
            let tenants = some.iter().map(read).collect::<Result<Vec<_>, _>>();
            let wrong = |problem| {
                fail(Code::Usage, format!("--tenants: {problem}"), "name tenants, or `all`")
            };
            Ok(Some(only(tenants.map_err(wrong)?)))
        }
    }
}

/// A witness replaces nobody: one name, one key. Whoever has a new key is removed first, for everybody to see.
fn add_witness(bundle: &mut Bundle, card: &WitnessCard) -> Result<()> {
    let (name, witness) = (&card.name, &card.witness);
    let key = VerifierKey::parse(witness).ok();
    let Some(key) = key.filter(|key| key.key_type() == NoteKeyType::CosignatureV1) else {
        let next = "have the card made again: `bartizan card`, `bartizan witness key`";
        return Err(refused("the card has no witness key", next));
    };
    let known = Policy::parse(&bundle.log.policy).context("read the log policy")?;
    let taken = known.witnesses().find(|(known, other)| {
        known == name || other.key_bytes() == key.key_bytes() || name == policy::SPARE
    });
    if let Some((other, same)) = taken {
        if other == name && same.key_bytes() == key.key_bytes() {
            return Ok(());
        }
        let problem = format!("a witness `{}` with this name or key is there already", cell(other));
        let next = format!(
            "remove it first, `bartizan operator witness remove {}`, or make the card with another --name",
            cell(other)
        );
        return Err(fail(Code::Error, problem, next));
    }
    bundle.log.policy = policy::rewrite(&bundle.log.policy, |people, _| {
        people.push((name.clone(), witness.clone()));
    })?;
    Ok(())
}

fn remove_witness(bundle: &mut Bundle, name: &str) -> Result<()> {
    let known = Policy::parse(&bundle.log.policy).context("read the log policy")?;
    if !known.witnesses().any(|(known, _)| known == name) {
        let problem = format!("the bundle has no witness `{}`", cell(name));
        return Err(fail(Code::Error, problem, "see `bartizan operator list`"));
    }
    bundle.log.policy = policy::rewrite(&bundle.log.policy, |people, spare| {
        people.retain(|(known, _)| known != name);
        if name == policy::SPARE {
            *spare = None;
        }
    })?;
    // With one console left there are no two.
    if !bundle.log.policy.contains("\ngroup any-two ") {
        for rule in bundle.classes.iter_mut().filter(|rule| rule.witnesses == "any-two") {
            "any-one".clone_into(&mut rule.witnesses);
        }
    }
    Ok(())
}

fn remove_key(bundle: &mut Bundle, id: &OperatorId, fingerprint: &str) -> Result<()> {
    let operator = find(bundle, id)?;
    let is_it = |key: &OperatorKey| {
        PublicKey::parse_openssh(&key.ssh).is_ok_and(|key| key.fingerprint() == fingerprint)
    };
    if !operator.keys.iter().any(is_it) {
        let problem = format!("`{}` has no key {}", id.name(), cell(fingerprint));
        return Err(fail(Code::Error, problem, "see `bartizan operator list`"));
    }
    if operator.keys.len() == 1 {
        let problem = format!("it is the only key of `{}`", id.name());
        let next = "add another first (`bartizan operator key add`), or remove the person";
        return Err(fail(Code::Error, problem, next));
    }
    operator.keys.retain(|key| !is_it(key));
    Ok(())
}

fn change_role(bundle: &mut Bundle, role: &Role, scope: Option<&TenantScope>) -> Result<()> {
    let operator = find(bundle, &role.id)?;
    operator.roles.extend(&role.add);
    operator.roles.retain(|held| !role.remove.contains(held));
    operator.roles.sort_unstable();
    operator.roles.dedup();
    if let Some(scope) = scope {
        operator.tenants = scope.clone();
    }
    Ok(())
}
