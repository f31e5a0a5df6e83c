//! `recovery …`: making the recovery key, its sheet of paper, and putting it into the bundle.

use std::path::Path;

use anyhow::{Context as _, Result};
use bartizan_trust::id::{Anchor, Sha256};
use bartizan_trust::keys::PublicKey;
use bartizan_trust::note::{NoteKeyType, VerifierKey};
use bartizan_trust::statement::Bundle;
use bartizan_trust::words::eight_words;
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, File, change, options, policy};
use crate::exit::{Code, fail};
use crate::home::{OrgFile, read_bounded, write_private};
use crate::keys::file;
use crate::keys::secret::Secret;
use crate::recovery::age;
use crate::recovery::sheet::{Kind, Sheet};

/// `bartizan recovery …`
#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Make a recovery key and a spare witness key, each encrypted under a passphrase, and their sheets
    New(New),
    /// Write the sheets again, with the organisation's anchor once it is founded
    Sheet {
        /// The folder that `recovery new` made
        #[arg(long)]
        dir: File,
    },
    /// Sign a bundle that names this recovery key and spare witness in the place of the present ones
    Replace {
        /// The public half: recovery.json of `recovery new`
        public: File,
        /// How long a recovery waits, so that it can be vetoed
        #[arg(long, value_parser = options::seconds)]
        delay: Option<u64>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct New {
    /// Where to; must not exist
    #[arg(long)]
    dir: File,
    /// No spare witness: a guardian or another organisation watches
    #[arg(long)]
    no_witness: bool,
}

/// What the bundle needs to know. Not secret.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublicHalves {
    pub(crate) recovery: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) spare_witness: Option<String>,
}

impl PublicHalves {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let read = serde_json::from_slice(&read_bounded(path)?);
        read.with_context(|| format!("read {}; `bartizan recovery new` made it", path.display()))
    }

    /// Names these in a bundle in the place of earlier ones.
    pub(crate) fn put_into(&self, bundle: &mut Bundle) -> Result<()> {
        bundle.recovery.keys = vec![self.recovery.clone()];
        if let Some(vkey) = &self.spare_witness {
            bundle.log.policy = policy::rewrite(&bundle.log.policy, |_, spare| {
                *spare = Some(vkey.clone());
            })?;
        }
        Ok(())
    }
}

/// `bartizan recovery …`
pub(crate) fn run(context: &Context, command: &RecoveryCommand) -> Result<()> {
    match command {
        RecoveryCommand::New(new) => make(context, new),
        RecoveryCommand::Sheet { dir } => {
            let public = PublicHalves::read(&dir.join("recovery.json"))?;
            let written = sheets(context, dir, &public)?;
            context.terminal.result(&json!({ "sheets": written }), &print_them(&written))
        }
        RecoveryCommand::Replace { public, delay } => {
            let public = PublicHalves::read(public)?;
            let console = context.connect()?;
            change::propose(context, &console, |bundle| {
                if let Some(delay) = delay {
                    bundle.recovery.delay_s = *delay;
                }
                public.put_into(bundle)
            })
        }
    }
}

fn make(context: &Context, new: &New) -> Result<()> {
    if new.dir.exists() {
        let problem = format!("{} exists", new.dir.display());
        return Err(fail(
            Code::Error,
            problem,
            "choose another --dir; a recovery key is made once",
        ));
    }
    let recovery = seal(&new.dir, Kind::Recovery)?;
    let spare_witness = if new.no_witness {
        None
    } else {
        let public = seal(&new.dir, Kind::SpareWitness)?;
        Some(witness_vkey(&public)?.to_string())
    };
    let public = PublicHalves { recovery: recovery.to_openssh(), spare_witness };
    let text = serde_json::to_vec_pretty(&public).context("write JSON")?;
    write_private(&new.dir.join("recovery.json"), &text)?;
    let written = sheets(context, &new.dir, &public)?;
    let next = if context.home.load::<OrgFile>("org.json")?.is_some() {
        format!(
            "then name it in the bundle: bartizan recovery replace {}",
            at(new, "recovery.json")
        )
    } else {
        format!(
            "then found the organisation with: bartizan init … --recovery {}\nand write the sheets again with its anchor: bartizan recovery sheet --dir {}",
            at(new, "recovery.json"),
            new.dir.display()
        )
    };
    let words = key_words(recovery.blob());
    let shown =
        json!({ "dir": new.dir, "public": public.recovery, "words": words, "sheets": written });
    let last = "Then delete the folder but recovery.json.";
    context.terminal.result(&shown, &format!("{}\n{next}\n{last}", print_them(&written)))
}

fn at(new: &New, name: &str) -> String {
    new.dir.join(name).display().to_string()
}

fn print_them(written: &[String]) -> String {
    format!(
        "print these, try the passphrase once, and keep them in different places:\n  {}",
        written.join("\n  ")
    )
}

/// Makes a key, stores it encrypted only, and returns its public half.
fn seal(dir: &Path, kind: Kind) -> Result<PublicKey> {
    eprintln!(
        "A passphrase for the {} key. Five random words are good; it is not on the sheet.",
        kind.name()
    );
    let passphrase = file::new_passphrase(Path::new(kind.name()), "choose another")?;
    let (public, armor) = new_key(&passphrase)?;
    write_private(&dir.join(format!("{}.age", kind.name())), armor.as_bytes())?;
    Ok(public)
}

/// A new key: its public half, and the key itself under a passphrase.
pub(crate) fn new_key(passphrase: &Secret<String>) -> Result<(PublicKey, String)> {
    let (secret, public) = file::generate()?;
    let armor = age::encrypt(secret.expose().as_bytes(), passphrase)?;
    Ok((public, armor))
}

/// Decrypts a sheet's file.
pub(super) fn unseal(path: &Path) -> Result<file::FileKey> {
    let text = Secret::new(read_bounded(path)?);
    let text = str::from_utf8(text.expose()).context("the file is not text")?;
    let passphrase = file::passphrase(path)?;
    match file::decode(&age::decrypt(text, &passphrase)?, path)? {
        file::Loaded::Software(key) => Ok(key),
        file::Loaded::SecurityKey(_) => {
            let next = "give the file that `bartizan recovery new` made";
            Err(fail(Code::Error, "this is the handle of a security key", next))
        }
    }
}

/// The verifier key of a spare witness.
pub(crate) fn witness_vkey(public: &PublicKey) -> Result<VerifierKey> {
    let bytes = public.ed25519_bytes().context("a witness key is Ed25519")?;
    let mark: String = Sha256::of(&bytes).to_string().chars().take(8).collect();
    let name = format!("bartizan-witness/{}-{mark}", policy::SPARE);
    VerifierKey::new(&name, NoteKeyType::CosignatureV1, bytes).context("name the spare witness")
}

pub(crate) fn key_words(blob: &[u8]) -> String {
    eight_words(&Sha256::of(blob))
}

fn sheets(context: &Context, dir: &Path, public: &PublicHalves) -> Result<Vec<String>> {
    let anchor = context.home.load::<OrgFile>("org.json")?.map(|org| org.anchor);
    let recovery = PublicKey::parse_openssh(&public.recovery).context("read recovery.json")?;
    let words = key_words(recovery.blob());
    let mut written = sheet(dir, Kind::Recovery, anchor, &recovery.fingerprint(), &words)?;
    if let Some(vkey) = &public.spare_witness {
        let key = VerifierKey::parse(vkey).context("read recovery.json")?;
        let words = key_words(key.key_bytes());
        written.extend(sheet(dir, Kind::SpareWitness, anchor, vkey, &words)?);
    }
    Ok(written)
}

fn sheet(
    dir: &Path,
    kind: Kind,
    anchor: Option<Anchor>,
    public: &str,
    words: &str,
) -> Result<Vec<String>> {
    let armor = read_bounded(&dir.join(format!("{}.age", kind.name())))?;
    let armor = str::from_utf8(&armor).context("the encrypted key is not text")?.trim_end();
    let sheet = Sheet { kind, anchor, public, words, armor };
    let mut written = Vec::new();
    for (ending, text) in [("html", sheet.html()?), ("txt", sheet.text())] {
        let path = dir.join(format!("{}-sheet.{ending}", kind.name()));
        write_private(&path, text.as_bytes())?;
        written.push(path.display().to_string());
    }
    Ok(written)
}
