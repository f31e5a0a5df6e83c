//! Updates: a package that arrives, the vendor's word about it, and a new version that checks in.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use bartizan_os::{archive, files, versions};
use bartizan_proto::message::{JobMessage, JobPhase, Message};
use bartizan_trust::authorize::{Authorized, Outcome, Verdict, authorize};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Sha256;
use bartizan_trust::state::State;
use bartizan_trust::statement::{Action, Content, Decision, Job, Update};
use bartizan_trust::time::UnixSeconds;
use bartizan_trust::update::{Package, VendorTarget};
use serde::Deserialize;

use super::{Ending, Guard, VERSION, facts};
use crate::arguments::Updates;
use crate::folder::Folder;
use crate::install::now;
use crate::jobs::{self, Awaited};
use crate::outbox;
use crate::receipts::Account;
use crate::trial::{Phase, Trial};

/// In the archive that is delivered: the vendor's target.
const PROGRAM: &str = "program";
/// And the metadata of its repository, in a folder.
const METADATA: &str = "metadata/";
/// The vendor's verifier, beside this program.
const VERIFIER: &str = "bartizan-tuf";

/// What the guard knows of updates.
pub(super) struct Updating {
    options: Updates,
    verifier: PathBuf,
    /// The whole package is here; it is judged when no job runs.
    pub(super) arrived: Option<Awaited>,
    /// This version has to check in.
    trial: Option<Trial>,
    welcomed: bool,
    /// The receipt the server has to confirm.
    receipt: Option<u64>,
    pub(super) ending: Option<Ending>,
}

/// What shows that a version works: the server answered, and its control log verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    Welcome,
    Control,
}

/// What the verifier prints.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    name: String,
    version: String,
    sha256: Sha256,
    size: u32,
}

impl Updating {
    pub(super) fn begin(folder: &Folder, options: &Updates) -> Result<Self> {
        let trial = if options.on_trial { folder.load_trial()? } else { None };
        if options.on_trial && trial.as_ref().is_none_or(|trial| trial.version != VERSION) {
            bail!("this is version {VERSION}, which nobody tries");
        }
        let own = std::env::current_exe().context("find this program")?;
        Ok(Self {
            options: options.clone(),
            verifier: own.with_file_name(VERIFIER),
            arrived: None,
            trial,
            welcomed: false,
            receipt: None,
            ending: None,
        })
    }

    /// A version that has to check in takes no jobs: if it goes, nothing of them is lost. A package that waits for the last
    /// job to end lets no other begin.
    pub(super) const fn holds_jobs(&self) -> bool {
        self.trial.is_some() || self.arrived.is_some() || self.ending.is_some()
    }

    pub(super) const fn begin_link(&mut self) {
        self.welcomed = false;
    }
}

/// Whether a job is an update. What cannot be read is none; `authorize` says why.
pub(super) fn is_update(message: &JobMessage) -> bool {
    update_of(message).is_some()
}

fn update_of(message: &JobMessage) -> Option<Update> {
    let job: Job = Envelope::decode(&message.envelope).ok()?.statement().ok()?;
    match job.action {
        Action::Update(update) => Some(update),
        Action::Script(_) | Action::Scan(_) => None,
    }
}

impl Guard {
    /// Makes room for a package and asks for it.
    pub(super) fn await_package(&mut self, message: JobMessage, content: Content) -> Result<()> {
        let path = self.folder.update().join("package");
        files::remove_durably(&path).context("remove an old package")?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            .context("create the package; is the disk full?")?;
        self.awaited = Some(Awaited::on_disk(message, content, file));
        self.send(Message::ContentRequest { sha256: content.sha256, offset: 0 });
        Ok(())
    }

    /// Judges a package that is here, once no job runs.
    pub(super) fn update_when_idle(&mut self) -> Result<()> {
        if !self.running.is_empty() {
            return Ok(());
        }
        let Some((message, file, measured)) =
            self.updating.arrived.take().and_then(Awaited::into_file)
        else {
            return Ok(());
        };
        let Some(update) = update_of(&message) else { return Ok(()) };
        let content = measured.finish().context("measure the package")?;
        self.judge_package(&message, file, &update, content)
    }

    fn judge_package(
        &mut self,
        message: &JobMessage,
        mut file: fs::File,
        update: &Update,
        content: Content,
    ) -> Result<()> {
        let package = self.examine(&mut file, update, content);
        let mut delivery = jobs::delivery(message, None);
        delivery.package = Some(&package);
        let Outcome { verdict, job, state, ignored, .. } =
            authorize(&self.state, &facts(), &delivery);
        for signature in ignored {
            eprintln!("signature {} does not count: {}", signature.index, signature.reason);
        }
        match verdict {
            Verdict::Update(proof) => self.install(proof, file, state),
            Verdict::Refused(refusal) => {
                files::remove_durably(&self.folder.update().join("package"))
                    .context("remove the package")?;
                self.refuse(refusal, job, state)
            }
            Verdict::NeedContent(_) | Verdict::Run(_) | Verdict::Scan(_) | Verdict::Stand(_) => {
                Ok(())
            }
        }
    }

    /// What arrived, and what the vendor says of it. What cannot be read counts for nothing.
    fn examine(&self, file: &mut fs::File, update: &Update, content: Content) -> Package {
        let nothing = Content { sha256: Sha256::of(b""), size: 0 };
        let mut package = Package { content, program: nothing, vendor: None };
        if content != update.content {
            return package;
        }
        let program = versions::find(file, PROGRAM)
            .and_then(|entry| versions::measure(&mut archive::open(file, &entry)?));
        match program {
            Ok(program) => package.program = program,
            Err(error) => eprintln!("the package cannot be read: {error}"),
        }
        match self.ask_vendor(file, &update.target) {
            Ok(said) => package.vendor = Some(said),
            Err(error) => eprintln!("the vendor's repository is not believed: {error:#}"),
        }
        package
    }

    fn ask_vendor(&self, file: &mut fs::File, target: &str) -> Result<VendorTarget> {
        let metadata = self.folder.update().join("metadata");
        let _ = fs::remove_dir_all(&metadata);
        files::create_private_folder(&metadata).context("create a folder for the metadata")?;
        unpack(file, &metadata).context("unpack the metadata")?;
        let arguments: Vec<OsString> = vec![
            "verify".into(),
            self.updating.options.vendor_root.clone().into(),
            metadata.into(),
            self.folder.vendor().into(),
            target.into(),
        ];
        let verifier = self.updating.verifier.clone();
        let answer = self.launcher.call(move || versions::ask(&verifier, &arguments))??;
        let said: Said = serde_json::from_slice(&answer).context("read what the verifier says")?;
        let program = Content { sha256: said.sha256, size: said.size };
        Ok(VendorTarget { name: said.name, version: said.version, program })
    }

    /// Note, then seen-set, both durable before anything is written; then the new version, and then it is tried.
    fn install(
        &mut self,
        proof: Box<Authorized<Update>>,
        mut file: fs::File,
        state: State,
    ) -> Result<()> {
        let trial = Trial {
            job: proof.job(),
            version: proof.action().version.clone(),
            t0: now(),
            phase: Phase::Installing,
            deadline: UnixSeconds::ZERO,
        };
        self.folder.note_trial(&trial)?;
        self.folder.store_state(&state)?;
        self.state = state;
        self.send(self.taken(trial.job, JobPhase::Running));
        let installed = versions::find(&mut file, PROGRAM).and_then(|entry| {
            versions::install(proof, &mut file, &entry, &self.updating.options.versions)
        });
        files::remove_durably(&self.folder.update().join("package"))
            .context("remove the package")?;
        if let Err(error) = installed {
            eprintln!("version {} cannot be installed: {error}", trial.version);
            self.write_receipt(&Account::update(&trial, Decision::Failed, "update.not_installed"))?;
            return self.folder.forget_trial();
        }
        self.folder.copy_state()?;
        eprintln!("version {} is installed and has to check in", trial.version);
        let deadline = now().plus(self.updating.options.trial_s);
        self.folder.note_trial(&Trial { phase: Phase::OnTrial, deadline, ..trial })?;
        self.updating.ending = Some(Ending::TryNew);
        Ok(())
    }

    /// An update that came to its end before this version began.
    pub(super) fn finish_update(&mut self) -> Result<()> {
        if self.updating.trial.is_some() {
            return Ok(());
        }
        let Some(trial) = self.folder.load_trial()? else { return Ok(()) };
        let code = match trial.phase {
            Phase::Installing => "update.interrupted",
            Phase::Over => "update.rolled_back",
            Phase::OnTrial | Phase::Confirmed => return Ok(()),
        };
        // Without the job in the seen-set nothing began: it may come again.
        let began = self.state.seen.contains_key(&trial.job);
        let told = self.told_of(&trial, Decision::Failed).is_some();
        if began && !told {
            self.write_receipt(&Account::update(&trial, Decision::Failed, code))?;
        }
        self.folder.forget_trial()
    }

    /// Both signs were seen over this link: the version works, as far as it can know by itself. Its receipt says so.
    pub(super) fn check_in(&mut self, sign: Sign) -> Result<()> {
        let Some(trial) = self.updating.trial.clone() else { return Ok(()) };
        match sign {
            Sign::Welcome => self.updating.welcomed = true,
            Sign::Control if self.updating.welcomed && self.updating.receipt.is_none() => {
                if let Some(seq) = self.told_of(&trial, Decision::Done) {
                    self.updating.receipt = Some(seq);
                } else {
                    // Known before it is sent: the answer may come at once.
                    self.updating.receipt = Some(self.state.receipt_seq + 1);
                    self.write_receipt(&Account::update(&trial, Decision::Done, "ok"))?;
                }
            }
            Sign::Control => {}
        }
        Ok(())
    }

    /// The server has confirmed the receipt: from here on there is no way back.
    pub(super) fn confirm_version(&mut self, seq: u64) -> Result<()> {
        if self.updating.receipt.is_none_or(|receipt| seq < receipt) {
            return Ok(());
        }
        let Some(trial) = self.updating.trial.clone() else { return Ok(()) };
        self.state.version_floor = Some(VERSION.to_owned());
        self.folder.store_state(&self.state)?;
        self.folder.note_trial(&Trial { phase: Phase::Confirmed, ..trial })?;
        eprintln!("version {VERSION} has checked in");
        self.updating.ending = Some(Ending::Confirmed);
        Ok(())
    }

    /// The number of an unconfirmed receipt that says this of an update.
    fn told_of(&self, trial: &Trial, decision: Decision) -> Option<u64> {
        self.outbox
            .waiting()
            .filter_map(|bytes| outbox::parse(bytes))
            .find(|(_, receipt)| receipt.job == trial.job && receipt.decision == decision)
            .map(|(_, receipt)| receipt.seq)
    }
}

/// Writes the files below `metadata/` into a folder.
fn unpack(package: &mut fs::File, folder: &std::path::Path) -> io::Result<()> {
    package.rewind()?;
    for entry in archive::entries(package)? {
        let Some(name) = entry.name.strip_prefix(METADATA).filter(|name| !name.contains('/'))
        else {
            continue;
        };
        let mut file =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(name))?;
        io::copy(&mut archive::open(package, &entry)?, &mut file)?;
        file.flush()?;
    }
    Ok(())
}
