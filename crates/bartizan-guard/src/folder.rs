//! The guard's folder: what survives a restart, a power cut and a damaged disk block.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bartizan_os::files;
use bartizan_trust::id::{Anchor, EndpointId, Sha256, StatementId};
use bartizan_trust::limits::CLOCK_SKEW_S;
use bartizan_trust::state::{Joined, State};
use bartizan_trust::time::UnixSeconds;
use serde::{Deserialize, Serialize};

use crate::latest::Latest;
use crate::trial::Trial;

/// What `enroll` writes once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enrolled {
    /// The only thing believed before the control log was replayed.
    pub(crate) anchor: Anchor,
    /// Where to reach the first server.
    pub(crate) server: String,
    /// The enrolment envelope, as text.
    pub(crate) enrolment: String,
    /// The descriptor envelope, as text.
    pub(crate) descriptor: String,
}

/// Paths inside the folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    root: PathBuf,
    latest: Latest,
}

/// A job that was started, written before it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Started {
    pub(crate) job: StatementId,
    pub(crate) t0: UnixSeconds,
    /// Of a standing order: when the run was due.
    #[serde(default)]
    pub(crate) occurrence: Option<UnixSeconds>,
}

impl Folder {
    pub(crate) fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), latest: Latest::default() }
    }

    /// The same with a note of the latest state.
    pub(crate) fn with_latest(self, latest: Latest) -> Self {
        Self { latest, ..self }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn device_key(&self) -> PathBuf {
        self.root.join("device.key")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.root.join("certificate.der")
    }

    pub(crate) fn enrolled(&self) -> PathBuf {
        self.root.join("enrolled.json")
    }

    pub(crate) fn outbox(&self) -> PathBuf {
        self.root.join("outbox")
    }

    /// Freezes that somebody on this machine has handed over.
    pub(crate) fn inbox(&self) -> PathBuf {
        self.root.join("inbox")
    }

    /// What scans found, until the server has it.
    pub(crate) fn results(&self) -> PathBuf {
        self.root.join("results")
    }

    /// What this endpoint observed, until the server has it.
    pub(crate) fn reports(&self) -> PathBuf {
        self.root.join("reports")
    }

    pub(crate) fn jobs(&self) -> PathBuf {
        self.root.join("jobs")
    }

    /// An update that arrives, and the lock of whoever watches one.
    pub(crate) fn update(&self) -> PathBuf {
        self.root.join("update")
    }

    /// What was verified of the vendor before.
    pub(crate) fn vendor(&self) -> PathBuf {
        self.root.join("vendor")
    }

    fn trial(&self) -> PathBuf {
        self.root.join("trial.json")
    }

    fn state_before(&self) -> PathBuf {
        self.root.join("state.before-update.json")
    }

    /// Standing orders: the envelope and the content of each.
    pub(crate) fn orders(&self) -> PathBuf {
        self.root.join("orders")
    }

    /// Monitoring policies: the envelope of each.
    pub(crate) fn policies(&self) -> PathBuf {
        self.root.join("policies")
    }

    /// What is remembered of checks.
    pub(crate) fn checks(&self) -> PathBuf {
        self.root.join("checks.json")
    }

    fn joined(&self) -> PathBuf {
        self.root.join("joined.json")
    }

    fn state(&self) -> PathBuf {
        self.root.join("state.json")
    }

    fn started(&self) -> PathBuf {
        self.root.join("started")
    }

    /// What `enroll` wrote.
    pub(crate) fn load_enrolled(&self) -> Result<Enrolled> {
        let path = self.enrolled();
        let bytes = files::read_own(&path).with_context(|| {
            format!("read {}; run `bartizan-guard enroll` first", path.display())
        })?;
        serde_json::from_slice(&bytes)
            .with_context(|| format!("{} is damaged; enrol this endpoint anew", path.display()))
    }

    /// Notes durably that this endpoint is a member; losing the state does not take that away. Written once.
    pub(crate) fn note_joined(&self, joined: &Joined) -> Result<()> {
        if self.load_joined() == Some(*joined) {
            return Ok(());
        }
        let bytes = serde_json::to_vec(joined).context("write the note")?;
        files::write_atomically(&self.joined(), &bytes).context("note that the enrolment is good")
    }

    /// That note. A damaged one counts as none: the enrolment is judged as on the first day.
    pub(crate) fn load_joined(&self) -> Option<Joined> {
        serde_json::from_slice(&files::read_own(&self.joined()).ok()?).ok()
    }

    /// Stores the state durably: a hash of the rest in the first line, then the state as JSON.
    pub(crate) fn store_state(&self, state: &State) -> Result<()> {
        let body = serde_json::to_vec(state).context("write the state")?;
        let hash = Sha256::of(&body).to_string();
        let text = [hash.as_bytes(), b"\n", &body].concat();
        if self.latest.is_noted() {
            let before = files::read_own(&self.state()).unwrap_or_default();
            self.latest.note(&[hash_line(&before), &hash])?;
        }
        files::write_atomically(&self.state(), &text)
            .with_context(|| format!("store {}; is the disk full?", self.state().display()))?;
        self.latest.note(&[&hash])
    }

    /// Reads the state. A damaged one is kept aside and reported; then the endpoint begins again from its anchor and
    /// refuses everything signed before now, since it no longer knows what it has run.
    pub(crate) fn load_state(
        &self,
        anchor: Anchor,
        endpoint: EndpointId,
        now: UnixSeconds,
    ) -> Result<State> {
        let path = self.state();
        let bytes = match files::read_own(&path) {
            Ok(bytes) => bytes,
            // A link or a folder in its place is set aside like any other damage.
            Err(_) if path.symlink_metadata().is_ok_and(|found| !found.is_file()) => Vec::new(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                eprintln!(
                    "{} is missing: beginning from the anchor, refusing jobs signed before now",
                    path.display()
                );
                return Ok(begin_again(anchor, endpoint, now));
            }
            Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
        };
        let hash = hash_line(&bytes);
        match parse_state(&bytes) {
            Ok(state)
                if state.org == anchor.org()
                    && state.endpoint == endpoint
                    && !self.latest.may_be(hash)? =>
            {
                let aside = self.keep_aside(&path)?;
                eprintln!(
                    "{} is not the state this machine stored last. Kept as {}. Beginning from the anchor, refusing jobs signed before now; sign waiting jobs again",
                    path.display(),
                    aside.display()
                );
                Ok(begin_again(anchor, endpoint, now))
            }
            Ok(state) if state.org == anchor.org() && state.endpoint == endpoint => Ok(state),
            Ok(_) => bail!("{} belongs to another endpoint; move it away by hand", path.display()),
            Err(StateProblem::Newer) => {
                bail!(
                    "{} was written by a newer version; install that version again",
                    path.display()
                )
            }
            Err(StateProblem::Damaged) => {
                let aside = self.keep_aside(&path)?;
                eprintln!(
                    "{} is damaged. Kept as {}. Beginning from the anchor, refusing jobs signed before now; sign waiting jobs again",
                    path.display(),
                    aside.display()
                );
                Ok(begin_again(anchor, endpoint, now))
            }
        }
    }

    /// Reads the state and moves nothing: for those who only look.
    pub(crate) fn look_at_state(&self) -> Result<State> {
        let path = self.state();
        let bytes = files::read_own(&path).with_context(|| format!("read {}", path.display()))?;
        parse_state(&bytes).ok().with_context(|| {
            format!(
                "{} is damaged or of a newer version; `bartizan-guard run` keeps a damaged one aside",
                path.display()
            )
        })
    }

    /// Moves everything that makes this machine an endpoint of its organisation into a folder of its own, and returns that.
    /// The enrolment goes first: whatever happens in between, nothing half is taken for an endpoint.
    pub(crate) fn set_aside(&self) -> Result<PathBuf> {
        let free = (1..1_000_u32)
            .map(|n| self.root.join(format!("former-{n}")))
            .find(|aside| aside.symlink_metadata().is_err());
        let aside = free.context("find a free name")?;
        files::create_private_folder(&aside)
            .with_context(|| format!("create {}", aside.display()))?;
        let parts = [self.enrolled(), self.device_key(), self.certificate(), self.state()];
        // An update under way belongs to the old organisation, too. What the vendor said belongs to nobody, and `update` holds
        // the lock of whoever watches.
        let others = [self.joined(), self.trial(), self.state_before(), self.checks()];
        let parts = parts.into_iter().chain(others).collect::<Vec<_>>();
        let folders = [
            self.outbox(),
            self.inbox(),
            self.started(),
            self.jobs(),
            self.results(),
            self.orders(),
            self.reports(),
            self.policies(),
        ];
        for from in parts.iter().chain(&folders) {
            let Some(name) = from.file_name() else { continue };
            match fs::rename(from, aside.join(name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("move {} aside", from.display()));
                }
                Ok(()) | Err(_) => {}
            }
        }
        Ok(aside)
    }

    fn keep_aside(&self, path: &Path) -> Result<PathBuf> {
        let free = (1..1_000_u32)
            .map(|n| self.root.join(format!("state.json.damaged-{n}")))
            .find(|aside| aside.symlink_metadata().is_err());
        let aside = free.context("find a free name")?;
        fs::rename(path, &aside).context("keep the damaged state aside")?;
        Ok(aside)
    }

    /// An update that is under way.
    pub(crate) fn load_trial(&self) -> Result<Option<Trial>> {
        let path = self.trial();
        match files::read_own(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).with_context(|| {
                format!(
                    "{} is damaged; remove it, the version that ran last goes on",
                    path.display()
                )
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("read {}", path.display())),
        }
    }

    /// Notes durably how far an update is.
    pub(crate) fn note_trial(&self, trial: &Trial) -> Result<()> {
        let bytes = serde_json::to_vec(trial).context("write the note")?;
        files::write_atomically(&self.trial(), &bytes).context("note an update")
    }

    /// The update is at its end.
    pub(crate) fn forget_trial(&self) -> Result<()> {
        files::remove_durably(&self.trial()).context("remove the note of an update")?;
        files::remove_durably(&self.state_before()).context("remove the copy of the state")
    }

    /// Keeps what this version can read, before another one writes.
    pub(crate) fn copy_state(&self) -> Result<()> {
        let bytes = files::read_own(&self.state()).context("read the state")?;
        files::write_atomically(&self.state_before(), &bytes).context("copy the state")
    }

    /// A newer version may have left a state this one cannot read. It ran no jobs, so the one before forgets none.
    pub(crate) fn restore_readable_state(&self) -> Result<()> {
        let read = |path: PathBuf| parse_state(&files::read_own(&path).ok()?).ok();
        if read(self.state()).is_some() {
            return Ok(());
        }
        // Stored as any state is, so that it counts as the latest.
        let Some(before) = read(self.state_before()) else { return Ok(()) };
        self.store_state(&before)
    }

    /// Notes durably that a job is about to start.
    pub(crate) fn note_started(&self, started: &Started) -> Result<()> {
        files::create_private_folder(&self.started())
            .context("create the folder of started jobs")?;
        let bytes = serde_json::to_vec(started).context("write the note")?;
        files::write_atomically(&self.started_path(started.job), &bytes)
            .context("note a started job")
    }

    /// The job has its receipt.
    pub(crate) fn forget_started(&self, job: StatementId) -> Result<()> {
        files::remove_durably(&self.started_path(job)).context("remove the note of a started job")
    }

    /// Jobs that had been started when the guard stopped.
    pub(crate) fn load_started(&self) -> Vec<Started> {
        let Ok(entries) = fs::read_dir(self.started()) else { return Vec::new() };
        entries.filter_map(|entry| load_note(&entry.ok()?.path())).collect()
    }

    fn started_path(&self, job: StatementId) -> PathBuf {
        self.started().join(format!("{job}.json"))
    }
}

fn load_note(path: &Path) -> Option<Started> {
    // One that was not finished before a power cut: its job had not begun.
    if path.extension().is_none_or(|extension| extension != "json") {
        return None;
    }
    let note = files::read_own(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    if note.is_none() {
        eprintln!(
            "{} is damaged and left where it is; the job it names gets no receipt, and does not run again",
            path.display()
        );
    }
    note
}

enum StateProblem {
    Damaged,
    Newer,
}

/// Read first, so that a newer file is not taken for a damaged one.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// The first line of a state file.
fn hash_line(bytes: &[u8]) -> &str {
    bytes.get(..64).and_then(|hash| str::from_utf8(hash).ok()).unwrap_or_default()
}

fn parse_state(bytes: &[u8]) -> Result<State, StateProblem> {
    let body = bytes
        .split_at_checked(64)
        .and_then(|(hash, rest)| {
            let body = rest.strip_prefix(b"\n")?;
            (Sha256::of(body).to_string().as_bytes() == hash).then_some(body)
        })
        .ok_or(StateProblem::Damaged)?;
    let format: Format = serde_json::from_slice(body).map_err(|_| StateProblem::Damaged)?;
    if format.format > 1 {
        return Err(StateProblem::Newer);
    }
    let state: State = serde_json::from_slice(body).map_err(|_| StateProblem::Damaged)?;
    if state.control.is_valid() { Ok(state) } else { Err(StateProblem::Damaged) }
}

/// Nothing that may have run before runs again, also if the clock of whoever signed it was ahead of this one.
fn begin_again(anchor: Anchor, endpoint: EndpointId, now: UnixSeconds) -> State {
    State { replay_floor: now.plus(CLOCK_SKEW_S + 1), ..State::new(anchor, endpoint) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bartizan_trust::id::OrgId;

    fn fresh() -> (tempfile::TempDir, Folder, Anchor, EndpointId) {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path());
        let anchor = Anchor::new(OrgId::new(Sha256::of(b"org")));
        (place, folder, anchor, EndpointId::new(Sha256::of(b"endpoint")))
    }

    const NOW: UnixSeconds = UnixSeconds::new(1_800_000_000);

    #[test]
    fn a_state_is_what_was_stored() {
        let (_place, folder, anchor, endpoint) = fresh();
        let state = State { receipt_seq: 7, ..State::new(anchor, endpoint) };
        folder.store_state(&state).unwrap();
        assert_eq!(folder.load_state(anchor, endpoint, NOW).unwrap(), state);
    }

    #[test]
    fn a_damaged_state_is_kept_aside_and_nothing_old_runs_again() {
        let (place, folder, anchor, endpoint) = fresh();
        folder.store_state(&State::new(anchor, endpoint)).unwrap();
        let path = place.path().join("state.json");
        let good = fs::read(&path).unwrap();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            fs::write(&path, &bad).unwrap();
            let state = folder.load_state(anchor, endpoint, NOW).unwrap();
            assert!(state.replay_floor > NOW, "byte {at}");
            assert!(!path.exists());
        }
        let kept = fs::read_dir(place.path()).unwrap().count();
        assert_eq!(kept, good.len(), "every damaged file is still there");
    }

    #[test]
    fn a_missing_state_refuses_what_was_signed_before() {
        let (_place, folder, anchor, endpoint) = fresh();
        let state = folder.load_state(anchor, endpoint, NOW).unwrap();
        assert_eq!(state.replay_floor, NOW.plus(CLOCK_SKEW_S + 1));
    }

    #[test]
    fn a_state_that_was_put_back_is_treated_as_lost() {
        let (place, folder, anchor, endpoint) = fresh();
        let folder = folder.with_latest(Latest::at(place.path().join("latest")));
        folder.store_state(&State::new(anchor, endpoint)).unwrap();
        let older = fs::read(place.path().join("state.json")).unwrap();
        let newer = State { receipt_seq: 1, ..State::new(anchor, endpoint) };
        folder.store_state(&newer).unwrap();
        assert_eq!(folder.load_state(anchor, endpoint, NOW).unwrap(), newer);
        fs::write(place.path().join("state.json"), &older).unwrap();
        let state = folder.load_state(anchor, endpoint, NOW).unwrap();
        assert_eq!(state.replay_floor, NOW.plus(CLOCK_SKEW_S + 1));
        // After a start of the machine there is no note, and nothing to compare with.
        fs::remove_file(place.path().join("latest")).unwrap();
        fs::write(place.path().join("state.json"), &older).unwrap();
        assert_eq!(
            folder.load_state(anchor, endpoint, NOW).unwrap().replay_floor,
            UnixSeconds::ZERO
        );
    }

    #[test]
    fn a_crash_between_note_and_state_is_no_attack() {
        let (place, folder, anchor, endpoint) = fresh();
        let latest = Latest::at(place.path().join("latest"));
        let folder = folder.with_latest(latest.clone());
        let state = State::new(anchor, endpoint);
        folder.store_state(&state).unwrap();
        let hash = fs::read_to_string(place.path().join("latest")).unwrap();
        latest.note(&[&hash, &"0".repeat(64)]).unwrap();
        assert_eq!(folder.load_state(anchor, endpoint, NOW).unwrap(), state);
    }

    #[test]
    fn a_newer_or_foreign_state_is_not_touched() {
        let (place, folder, anchor, endpoint) = fresh();
        folder.store_state(&State { format: 2, ..State::new(anchor, endpoint) }).unwrap();
        assert!(folder.load_state(anchor, endpoint, NOW).is_err());
        folder.store_state(&State::new(anchor, EndpointId::new(Sha256::of(b"other")))).unwrap();
        assert!(folder.load_state(anchor, endpoint, NOW).is_err());
        assert!(place.path().join("state.json").exists());
    }
}
