//! `log export` and `statement export`: what stock `ssh-keygen` needs to verify every signature by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::sshsig::SshSig;
use bartizan_trust::statement::{Bundle, SignatureRole};
use data_encoding::BASE64;
use serde_json::json;

use super::endpoints::fetch_all;
use super::{Context, Filter};
use crate::api::Api;
use crate::exit::refused;
use crate::home::write_private;
use crate::keys::security_key::armour;
use crate::rollout::fetch_receipts;
use crate::trust::whole_log;
use crate::witness::Log;

/// What stock tools need to verify one statement.
pub(crate) struct Parts {
    /// Names and bytes.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Lines of `allowed_signers`.
    pub(crate) allowed: BTreeSet<String>,
    /// One for each signature of somebody known.
    pub(crate) commands: Vec<String>,
    /// Signatures of nobody known.
    pub(crate) strangers: usize,
}

/// Takes a statement apart; the names of its files begin with `place`.
pub(crate) fn parts(
    envelope: &Envelope,
    place: &str,
    signer: impl Fn(usize, &SshSig) -> Option<String>,
) -> Result<Parts> {
    let file =
        |name: &str| if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") };
    let mut found = Parts {
        files: vec![(file("envelope.json"), envelope.encode()), (file("pae"), envelope.pae())],
        allowed: BTreeSet::new(),
        commands: Vec::new(),
        strangers: 0,
    };
    for (number, blob) in envelope.signature_blobs().enumerate() {
        let Ok(signature) = SshSig::decode(blob) else { bail!("signature {number} is damaged") };
        let sig = file(&format!("sig.{number}"));
        found.files.push((sig.clone(), armour(blob).into_bytes()));
        let Some(who) = signer(number, &signature) else {
            found.strangers += 1;
            continue;
        };
        found.allowed.insert(format!("{who} {}\n", signature.public_key().to_openssh()));
        found.commands.push(format!(
            "ssh-keygen -Y verify -f allowed_signers -I {who} -n {} -s {sig} < {}",
            signature.role().namespace(),
            file("pae")
        ));
    }
    Ok(found)
}

/// A folder of signed bytes, armoured signatures, and the keys that may sign.
pub(super) struct Folder {
    root: PathBuf,
    allowed: BTreeSet<String>,
    commands: Vec<String>,
}

impl Folder {
    /// Nothing is written yet.
    pub(super) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), allowed: BTreeSet::new(), commands: Vec::new() }
    }

    /// Writes one statement below `place`. A signature that `signer` does not know is written too, but no key for
    /// it: how many there were is returned.
    pub(super) fn add(
        &mut self,
        place: &str,
        envelope: &Envelope,
        signer: impl Fn(usize, &SshSig) -> Option<String>,
    ) -> Result<usize> {
        let parts = parts(envelope, place, signer)?;
        for (name, bytes) in &parts.files {
            write_private(&self.root.join(name), bytes)?;
        }
        self.allowed.extend(parts.allowed);
        self.commands.extend(parts.commands);
        Ok(parts.strangers)
    }

    /// Writes the keys and `verify.sh`, and returns the commands in it.
    pub(super) fn finish(self) -> Result<Vec<String>> {
        let keys: String = self.allowed.into_iter().collect();
        write_private(&self.root.join("allowed_signers"), keys.as_bytes())?;
        let script = format!(
            "#!/bin/sh\n# Every signature of this folder, by stock ssh-keygen.\nset -eu\ncd \"$(dirname \"$0\")\"\n{}\n",
            self.commands.join("\n")
        );
        write_private(&self.root.join("verify.sh"), script.as_bytes())?;
        Ok(self.commands)
    }
}

/// Both logs, the receipts of every job in them, and what endpoints were let in by.
pub(super) fn logs(context: &Context, root: &Path) -> Result<()> {
    let console = context.connect()?;
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let control = whole_log(&console.api, Log::Control, &trust.control)?.entries;
    let jobs = whole_log(&console.api, Log::Jobs, &trust.jobs)?.entries;
    let mut export = Export {
        api: &console.api,
        people: operators(&control),
        folder: Folder::new(root),
        statements: 0,
        problems: Vec::new(),
    };
    export.entries(Log::Control, &control)?;
    export.entries(Log::Jobs, &jobs)?;
    export.receipts(&jobs)?;
    export.endpoints()?;
    export.finish(context, root)
}

/// Whose key is whose, by every bundle there ever was: also removed people signed once.
pub(crate) fn operators(control: &[Vec<u8>]) -> BTreeMap<String, String> {
    let bundles =
        control.iter().filter_map(|entry| Envelope::decode(entry).ok()?.statement::<Bundle>().ok());
    bundles
        .flat_map(|bundle| bundle.operators)
        .flat_map(|operator| {
            let id = operator.id.to_string();
            operator.keys.into_iter().map(move |key| (key.ssh, id.clone()))
        })
        .collect()
}

struct Export<'a> {
    api: &'a Api,
    people: BTreeMap<String, String>,
    folder: Folder,
    statements: usize,
    problems: Vec<String>,
}

impl Export<'_> {
    fn entries(&mut self, log: Log, entries: &[Vec<u8>]) -> Result<()> {
        for (index, entry) in entries.iter().enumerate() {
            self.by_operators(&format!("{}/{index:06}", log.name()), entry)?;
        }
        Ok(())
    }

    /// A statement of people, whose keys the bundles name.
    fn by_operators(&mut self, place: &str, bytes: &[u8]) -> Result<()> {
        let people = &self.people;
        let who = |_: usize, signature: &SshSig| {
            people.get(&signature.public_key().to_openssh()).cloned()
        };
        let Ok(envelope) = Envelope::decode(bytes) else {
            self.problems.push(format!("{place} is no statement"));
            return Ok(());
        };
        let strangers = self.folder.add(place, &envelope, who)?;
        self.count(place, strangers);
        Ok(())
    }

    /// A statement of an endpoint, which is named after its key.
    fn by_endpoint(&mut self, place: &str, bytes: &[u8], role: SignatureRole) -> Result<()> {
        let Ok(envelope) = Envelope::decode(bytes) else {
            self.problems.push(format!("{place} is no statement"));
            return Ok(());
        };
        let strangers = self.folder.add(place, &envelope, |_, signature| {
            (signature.role() == role).then(|| signature.public_key().endpoint_id().to_string())
        })?;
        self.count(place, strangers);
        Ok(())
    }

    fn count(&mut self, place: &str, strangers: usize) {
        self.statements += 1;
        if strangers > 0 {
            self.problems.push(format!("{place}: {strangers} signatures of nobody we know"));
        }
    }

    /// A job stands in its log once with each number of signatures, its receipts are asked for once.
    fn receipts(&mut self, jobs: &[Vec<u8>]) -> Result<()> {
        let ids: BTreeSet<StatementId> =
            jobs.iter().filter_map(|entry| Some(Envelope::decode(entry).ok()?.id())).collect();
        for id in ids {
            for (number, bytes) in fetch_receipts(self.api, id)?.into_iter().enumerate() {
                let place = format!("receipts/{id}/{number:06}");
                self.by_endpoint(&place, &bytes, SignatureRole::Receipt)?;
            }
        }
        Ok(())
    }

    /// What an endpoint says of itself, and what let it in.
    fn endpoints(&mut self) -> Result<()> {
        for row in fetch_all(self.api, &Filter::default())? {
            let place = format!("endpoints/{}", row.id);
            let bytes = BASE64.decode(row.descriptor.as_bytes()).context("read a descriptor")?;
            self.by_endpoint(&format!("{place}/descriptor"), &bytes, SignatureRole::Descriptor)?;
            let bytes = BASE64.decode(row.enrolment.as_bytes()).context("read an enrolment")?;
            self.by_operators(&format!("{place}/enrolment"), &bytes)?;
        }
        Ok(())
    }

    fn finish(self, context: &Context, root: &Path) -> Result<()> {
        let commands = self.folder.finish()?;
        let mut text = format!(
            "{} statements with {} signatures written to {}.\nOperators' keys are those of the bundles in control/; an endpoint is named after the hash of its key.\nVerify all of them: sh {}\n",
            self.statements,
            commands.len(),
            root.display(),
            root.join("verify.sh").display()
        );
        for problem in &self.problems {
            text += &format!("PROBLEM {problem}\n");
        }
        let shown = json!({
            "dir": root, "statements": self.statements, "signatures": commands.len(),
            "problems": self.problems,
        });
        context.terminal.result(&shown, &text)?;
        if self.problems.is_empty() {
            return Ok(());
        }
        Err(refused(
            format!("{} problems", self.problems.len()),
            "keep this folder and tell the other operators",
        ))
    }
}
