//! `key` and `card`.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_trust::id::{OperatorId, Sha256};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::limits;
use bartizan_trust::note::VerifierKey;
use bartizan_trust::statement::{OperatorKey, is_plain_char};
use bartizan_trust::words::eight_words;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, File, options};
use crate::exit::{Code, fail, refused};
use crate::home::read_bounded;
use crate::keys::witness_key::WitnessKey;
use crate::keys::{Signer, agent, file, passkey};
use crate::terminal::{ask, cell, table};

/// `bartizan key …`
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Make a software key, for labs and automation; people use security keys
    New {
        /// Where to [default: id_ed25519 in the home]
        #[arg(long)]
        out: Option<File>,
        /// Store it unencrypted
        #[arg(long)]
        no_passphrase: bool,
    },
    /// List the keys in ssh-agent
    List,
}

/// `bartizan card …`
#[derive(Debug, Args)]
pub(crate) struct CardOptions {
    /// Your short name in the organisation
    #[arg(long, value_parser = options::slug::<OperatorId>)]
    pub(crate) id: OperatorId,
    /// Your name
    #[arg(long)]
    pub(crate) name: String,
}

/// An operator's public half, for whoever puts the organisation together.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Card {
    pub(crate) id: OperatorId,
    pub(crate) name: String,
    pub(crate) ssh: String,
    pub(crate) witness: String,
    /// Of a passkey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passkey: Option<PasskeyRules>,
    /// Another key of the same person, for the day on which this one is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) spare: Option<CardKey>,
}

/// A key of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CardKey {
    pub(crate) ssh: String,
    /// Of a passkey.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) passkey: Option<PasskeyRules>,
}

/// Where a passkey may be used, and whether it can be copied.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasskeyRules {
    pub(crate) origin: String,
    pub(crate) synced: bool,
}

/// A guardian's public half, as `witness key` prints it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WitnessCard {
    pub(crate) name: String,
    pub(crate) witness: String,
}

impl Card {
    /// The card of the one who runs this.
    pub(crate) fn own(context: &Context, id: &OperatorId, name: &str) -> Result<Self> {
        let signer = Signer::open(&context.home, context.key.as_deref())?;
        Self::new(context, id, name, signer.public().to_openssh(), None)
    }

    /// The card of a key of the one who runs this.
    pub(crate) fn new(
        context: &Context,
        id: &OperatorId,
        name: &str,
        ssh: String,
        passkey: Option<PasskeyRules>,
    ) -> Result<Self> {
        let witness: VerifierKey = WitnessKey::open(&context.home)?.vkey(id.name())?;
        Ok(Self {
            id: id.clone(),
            name: name.to_owned(),
            ssh,
            witness: witness.to_string(),
            passkey,
            spare: None,
        })
    }

    /// The keys as a bundle names them.
    pub(crate) fn operator_keys(&self, note: &str) -> Result<Vec<OperatorKey>> {
        let mut keys = vec![operator_key(&self.id, &self.ssh, self.passkey.as_ref(), note)?];
        if let Some(spare) = &self.spare {
            keys.push(operator_key(&self.id, &spare.ssh, spare.passkey.as_ref(), note)?);
        }
        Ok(keys)
    }

    /// Eight words of everything on it.
    pub(crate) fn words(&self) -> String {
        let mut parts = vec![self.id.name(), &self.name, &self.ssh, &self.witness];
        if let Some(rules) = &self.passkey {
            parts.extend(rules.words());
        }
        if let Some(spare) = &self.spare {
            parts.extend(["spare", &spare.ssh]);
            parts.extend(spare.passkey.iter().flat_map(PasskeyRules::words));
        }
        let text = parts.join("\n");
        eight_words(&Sha256::of_parts(&[b"bartizan card v1\n", text.as_bytes()]))
    }

    /// Reads another person's card and compares its words with those that the person says: a card travels by ways that
    /// others can write to. The words are not shown here, so that they must come from that person.
    pub(super) fn compared(path: &Path, given: Option<&str>) -> Result<Self> {
        let card: Self = serde_json::from_slice(&read_bounded(path)?)
            .with_context(|| format!("read the card {}", path.display()))?;
        check_name(&path.display().to_string(), &card.name)?;
        compare(path, &card.words(), &card.name, given)?;
        Ok(card)
    }

    /// The same for a card that a page was given.
    pub(crate) fn compared_text(text: &str, given: &str) -> Result<Self> {
        let card: Self = serde_json::from_str(text).map_err(|error| {
            let next = "choose the file that the person's console or `bartizan card` made";
            fail(Code::Usage, format!("this is no card: {error}"), next)
        })?;
        let whose = format!("of {}", card.id.name());
        check_name(&whose, &card.name)?;
        same(&whose, &card.words(), given)?;
        Ok(card)
    }
}

impl PasskeyRules {
    const fn words(&self) -> [&str; 2] {
        [self.origin.as_str(), if self.synced { "synced" } else { "kept" }]
    }
}

/// A key as a bundle names it. A passkey signs from its own origin only, and verifies its user each time.
fn operator_key(
    id: &OperatorId,
    ssh: &str,
    rules: Option<&PasskeyRules>,
    note: &str,
) -> Result<OperatorKey> {
    let public = PublicKey::parse_openssh(ssh).with_context(|| format!("the key of {id}"))?;
    let is_one = public.application() == passkey::RP_ID;
    let origin = rules.map(|rules| rules.origin.as_str());
    let local = origin.is_none_or(|origin| {
        let port = origin.strip_prefix("http://localhost:").unwrap_or_default();
        port.parse::<u16>().is_ok_and(|number| number.to_string() == port)
    });
    if is_one != origin.is_some() || !local {
        let problem =
            format!("the card of {id} names a passkey that is none, or no origin of this kind");
        return Err(refused(problem, "have it made again in the console of that person"));
    }
    Ok(OperatorKey {
        ssh: ssh.to_owned(),
        origins: origin.map(str::to_owned).into_iter().collect(),
        uv: rules.is_some(),
        backup_ok: rules.is_some_and(|rules| rules.synced),
        note: note.to_owned(),
    })
}

impl WitnessCard {
    /// The card of the guardian whose home this is.
    pub(super) fn own(context: &Context, name: &str) -> Result<Self> {
        let witness = WitnessKey::open(&context.home)?.vkey(name)?.to_string();
        Ok(Self { name: name.to_owned(), witness })
    }

    /// Eight words of everything on it. Never those of an operator's card.
    pub(super) fn words(&self) -> String {
        let text = [self.name.as_str(), &self.witness].join("\n");
        eight_words(&Sha256::of_parts(&[b"bartizan witness card v1\n", text.as_bytes()]))
    }

    /// Reads the card of a guardian, or of a person whose console is to be a witness, and compares its words.
    pub(super) fn compared(path: &Path, given: Option<&str>) -> Result<Self> {
        let bytes = read_bounded(path)?;
        if serde_json::from_slice::<Card>(&bytes).is_ok() {
            let card = Card::compared(path, given)?;
            return Ok(Self { name: card.id.name().to_owned(), witness: card.witness });
        }
        let card: Self = serde_json::from_slice(&bytes).with_context(|| {
            format!(
                "read the card {}; `bartizan card` and `bartizan witness key` print one",
                path.display()
            )
        })?;
        check_name(&path.display().to_string(), &card.name)?;
        compare(path, &card.words(), &card.name, given)?;
        Ok(card)
    }
}

/// Judges the name on a card; `card` says which.
pub(crate) fn check_name(card: &str, name: &str) -> Result<()> {
    let plain = name.chars().all(is_plain_char);
    if name.is_empty() || name.len() > limits::TEXT_BYTES_MAX || !plain {
        let problem = format!("the card {card} has an unfit name");
        return Err(refused(
            problem,
            "have it made again: `bartizan card`, `bartizan witness key`",
        ));
    }
    Ok(())
}

fn compare(path: &Path, words: &str, whose: &str, given: Option<&str>) -> Result<()> {
    let typed = match given {
        Some(words) => words.to_owned(),
        None => ask(
            &format!(
                "Ask {} (for a guardian: whoever set it up) for the eight words of the card, not by mail. Words: ",
                cell(whose)
            ),
            "--words",
        )?,
    };
    same(&path.display().to_string(), words, &typed)
}

fn same(card: &str, words: &str, typed: &str) -> Result<()> {
    let typed = typed.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    if typed == words {
        return Ok(());
    }
    Err(refused(
        format!("these are not the words of the card {card}"),
        "nothing was signed; if the person reads the words from their own screen, the card was changed on its way",
    ))
}

pub(crate) fn run(context: &Context, command: &KeyCommand) -> Result<()> {
    match command {
        KeyCommand::New { out, no_passphrase } => {
            let path = out.clone().unwrap_or_else(|| context.home.path("id_ed25519"));
            if path.exists() {
                return Err(fail(
                    Code::Error,
                    format!("{} exists", path.display()),
                    "choose another --out, or keep using it",
                ));
            }
            let public = file::create(&path, !no_passphrase)?;
            let shown = json!({ "path": path, "public": public.to_openssh(), "fingerprint": public.fingerprint() });
            let text = format!(
                "{}\n{}\nA software key: whoever copies this file is you. For people, use a security key:\n  ssh-keygen -t ed25519-sk -O verify-required",
                path.display(),
                public.fingerprint()
            );
            context.terminal.result(&shown, &text)
        }
        KeyCommand::List => {
            let keys = agent::identities().context("ask ssh-agent for keys")?;
            let rows: Vec<Vec<String>> = keys
                .iter()
                .map(|(key, note)| {
                    vec![key.fingerprint(), key.key_type().name().to_owned(), cell(note)]
                })
                .collect();
            let shown: Vec<_> = keys
                .iter()
                .map(|(key, note)| json!({ "fingerprint": key.fingerprint(), "public": key.to_openssh(), "comment": note }))
                .collect();
            context.terminal.result(
                &json!({ "keys": shown }),
                &table(&["FINGERPRINT", "TYPE", "COMMENT"], &rows),
            )
        }
    }
}

pub(crate) fn card(context: &Context, options: &CardOptions) -> Result<()> {
    let card = Card::own(context, &options.id, &options.name)?;
    eprintln!(
        "words   {}\nread them to whoever adds you, on the telephone or in person",
        card.words()
    );
    let shown = serde_json::to_value(&card).context("write the card")?;
    // A card is a file for another person: JSON in either case.
    context.terminal.result(&shown, &shown.to_string())
}
