//! `enroll`, `status` and `freeze`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use bartizan_os::{files, inventory};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::Anchor;
use bartizan_trust::state::State;
use bartizan_trust::statement::{Descriptor, Enrolment, Freeze, SignatureRole, V1};
use bartizan_trust::time::UnixSeconds;

use crate::arguments::Enroll;
use crate::certificate;
use crate::device::DeviceKey;
use crate::folder::{Enrolled, Folder};

/// The local clock.
pub(crate) fn now() -> UnixSeconds {
    UnixSeconds::new(
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    )
}

/// Makes this machine an endpoint: device key, certificate, descriptor, empty state.
pub(crate) fn enroll(options: &Enroll) -> Result<()> {
    let (anchor, enrolment) = invitation(options)?;
    let folder = Folder::new(&options.folder);
    let _lock = lock(&folder)?;
    if folder.enrolled().exists() {
        bail!(
            "this machine is enrolled already; if its organisation is lost, `bartizan-guard reanchor` takes the same options"
        );
    }
    install(&folder, options, anchor, &enrolment)
}

/// What `bartizan enroll` of an organisation has printed.
pub(crate) fn invitation(options: &Enroll) -> Result<(Anchor, Envelope)> {
    let anchor: Anchor =
        options.anchor.parse().context("read --anchor; copy the whole command again")?;
    Ok((anchor, read_enrolment(&options.enrolment, anchor)?))
}

/// Nobody else works in the folder, least of all a running guard.
pub(crate) fn lock(folder: &Folder) -> Result<files::FolderLock> {
    files::create_private_folder(folder.root())
        .with_context(|| format!("create {}; are you root?", folder.root().display()))?;
    files::lock_folder(folder.root())
        .context("lock the folder")?
        .context("another bartizan-guard uses this folder; stop it first")
}

/// The caller holds the lock, and nothing of an endpoint is there.
pub(crate) fn install(
    folder: &Folder,
    options: &Enroll,
    anchor: Anchor,
    enrolment: &Envelope,
) -> Result<()> {
    let device = DeviceKey::create(&folder.device_key())?;
    files::write_atomically(&folder.certificate(), &certificate::self_signed(&device))
        .context("store the certificate")?;
    folder.store_state(&State::new(anchor, device.endpoint()))?;
    let descriptor = describe(&device, anchor, enrolment)?;
    let enrolled = Enrolled {
        anchor,
        server: options.server.clone(),
        enrolment: String::from_utf8(enrolment.encode()).context("an envelope is text")?,
        descriptor: String::from_utf8(descriptor.encode()).context("an envelope is text")?,
    };
    // Last, since its presence says that the rest is complete.
    let bytes = serde_json::to_vec(&enrolled).context("write the enrolment")?;
    files::write_atomically(&folder.enrolled(), &bytes).context("store the enrolment")?;
    println!("{}", serde_json::json!({ "endpoint": device.endpoint(), "dir": folder.root() }));
    Ok(())
}

fn read_enrolment(text: &str, anchor: Anchor) -> Result<Envelope> {
    let bytes = data_encoding::BASE64URL_NOPAD
        .decode(text.as_bytes())
        .ok()
        .context("--enrolment is damaged; copy the whole command again")?;
    let envelope = Envelope::decode(&bytes).context("read --enrolment")?;
    let enrolment: Enrolment = envelope.statement().context("read --enrolment")?;
    if enrolment.org != anchor.org() {
        bail!("--enrolment and --anchor belong to different organisations");
    }
    Ok(envelope)
}

fn describe(device: &DeviceKey, anchor: Anchor, enrolment: &Envelope) -> Result<Envelope> {
    let descriptor = Descriptor {
        v: V1,
        org: anchor.org(),
        iat: now(),
        crit: Vec::new(),
        device_key: device.public().to_openssh(),
        enrolment: enrolment.id(),
        hostname: inventory::hostname(),
        os: inventory::operating_system(),
    };
    let mut envelope = Envelope::new(&descriptor);
    device.sign(&mut envelope, SignatureRole::Descriptor)?;
    Ok(envelope)
}

/// Prints what this endpoint believes, as JSON.
pub(crate) fn print_status(path: &Path) -> Result<()> {
    let folder = Folder::new(path);
    let enrolled = folder.load_enrolled()?;
    let device = DeviceKey::load(&folder.device_key())?;
    let state = folder.look_at_state()?;
    let summary = state.summary();
    let status = serde_json::json!({
        "endpoint": device.endpoint(),
        "anchor": enrolled.anchor,
        "tenant": state.membership.as_ref().map(|m| m.tenant.to_string()),
        "site": state.membership.as_ref().map(|m| m.site.to_string()),
        "bundle": summary.bundle,
        "control_log": summary.clog,
        "jobs_log": summary.jlog,
        "floor": summary.floor,
        "receipts": state.receipt_seq,
        "frozen_by": state.freezes.standing(state.floor).map(|(id, _)| id).collect::<Vec<_>>(),
    });
    println!("{status}");
    Ok(())
}

/// Puts a freeze where the guard of this folder looks: for an endpoint whose server withholds it. The guard judges
/// it; what is no freeze at all is said here.
pub(crate) fn hand_freeze(path: &Path, file: &Path) -> Result<()> {
    let folder = Folder::new(path);
    let enrolled = folder.load_enrolled()?;
    let bytes = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
    let envelope = Envelope::decode(&bytes)
        .with_context(|| format!("{} is no signed statement", file.display()))?;
    let freeze: Freeze =
        envelope.statement().with_context(|| format!("{} is no freeze", file.display()))?;
    if freeze.org != enrolled.anchor.org() {
        bail!("the freeze is for another organisation");
    }
    files::create_private_folder(&folder.inbox())
        .with_context(|| format!("create {}; are you root?", folder.inbox().display()))?;
    files::write_atomically(&folder.inbox().join(format!("{}.json", envelope.id())), &bytes)
        .context("hand over the freeze")?;
    println!("{}", serde_json::json!({ "freeze": envelope.id(), "handed_over": true }));
    Ok(())
}
