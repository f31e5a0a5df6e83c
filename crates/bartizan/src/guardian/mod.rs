//! A guardian: a witness that logs ask, on a box of its own. It holds a witness key, what it has co-signed, and the keys of
//! the logs it knows; no login, no operator's key.

mod http;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use bartizan_trust::id::Sha256;
use bartizan_trust::note::{NoteKeyType, VerifierKey, cosignature_message};
use bartizan_trust::witness::{AddCheckpoint, View, WitnessRefusal};
use serde_json::json;

use crate::alarm::Alarms;
use crate::home::{Home, now, write_private};
use crate::keys::witness_key::WitnessKey;
use crate::terminal::Terminal;
use crate::{withhold, witness};

/// Where proof of forks is kept.
const EVIDENCE: &str = "evidence";
/// A channel's file that is wrong is told of this often.
const TEND_FOR: Duration = Duration::from_mins(1);
/// Forks kept: more of the same log prove nothing more.
const EVIDENCE_MAX: usize = 64;

/// Everything one request needs.
pub(crate) struct Guardian {
    home: Home,
    key: WitnessKey,
    vkey: VerifierKey,
    // INVARIANT: no two have one name.
    logs: Vec<VerifierKey>,
    alarms: Alarms,
}

/// What a request gets instead of a co-signature.
#[derive(Debug)]
pub(crate) enum Failure {
    /// By the protocol.
    Refused(WitnessRefusal),
    /// Whoever keeps this guardian told it to keep still.
    Withheld,
    /// Disk or key.
    Broken(anyhow::Error),
}

impl From<WitnessRefusal> for Failure {
    fn from(refusal: WitnessRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Broken(error)
    }
}

impl Guardian {
    /// With the witness key and the state of this home.
    pub(crate) fn new(
        home: &Home,
        name: &str,
        logs: Vec<VerifierKey>,
        alarm: Option<&str>,
    ) -> Result<Self> {
        for (at, log) in logs.iter().enumerate() {
            anyhow::ensure!(
                log.key_type() == NoteKeyType::Ed25519,
                "`{log}` is not the key of a log but of a witness; name log keys"
            );
            let twice = logs.iter().skip(at + 1).any(|other| other.name() == log.name());
            anyhow::ensure!(!twice, "the log `{}` is named twice; name each once", log.name());
        }
        anyhow::ensure!(!logs.is_empty(), "no log is named; give --genesis or --log-key");
        let key = WitnessKey::open(home)?;
        let vkey = key.vkey(name)?;
        // A damaged memory is told now, not at the first request.
        witness::load(home)?;
        let alarms = Alarms::open(home, alarm)?;
        Ok(Self { home: home.clone(), key, vkey, logs, alarms })
    }

    /// Judges one `add-checkpoint`; the co-signature's line.
    // SPEC: logs.md "Witnesses"
    pub(crate) fn answer(&self, body: &[u8]) -> Result<String, Failure> {
        let request = AddCheckpoint::decode(body)?;
        let origin = request.origin()?;
        let log = self.logs.iter().find(|log| log.name() == origin);
        let log = log.ok_or(WitnessRefusal::UnknownLog)?;
        if withhold::load(&self.home)?.reason().is_some() {
            return Err(Failure::Withheld);
        }
        // Also against a console that works with the same home.
        let _lock = self.home.lock("witness-state.lock")?;
        let mut state = witness::load(&self.home)?;
        let known = state.views.get(log.name()).copied();
        let (view, opened) = request.judge(known, log).inspect_err(|refusal| {
            if let (WitnessRefusal::Forked(_), Some(known)) = (refusal, known) {
                self.keep_evidence(log, known, &request.note);
            }
        })?;
        if known != Some(view) {
            state.views.insert(log.name().to_owned(), view);
            // On disk before the co-signature leaves: a crash must not let us vouch for two histories.
            self.home.save(witness::FILE, &state)?;
        }
        let at = now();
        let signature = self.key.sign(&cosignature_message(at, &opened.note.text))?;
        Ok(self.vkey.cosignature_line(at, &signature))
    }

    /// The log signed two histories. That is kept and told; the request is refused in any case.
    fn keep_evidence(&self, log: &VerifierKey, known: View, note: &[u8]) {
        let folder = self.home.path(EVIDENCE);
        let name = format!("{}.note", Sha256::of(note));
        let count = std::fs::read_dir(&folder).map_or(0, Iterator::count);
        if count >= EVIDENCE_MAX || folder.join(&name).exists() {
            return;
        }
        let text = format!(
            "LOG FORKED: `{}` signed another root than the one co-signed here at {} entries",
            log.name(),
            known.size
        );
        eprintln!("{text}");
        let facts = json!({ "log": log.name(), "size": known.size, "root": known.root, "fatal": true, "evidence": name });
        let kept = write_private(&folder.join(&name), note)
            .and_then(|()| self.alarms.raise(&text, &facts));
        if let Err(error) = kept {
            eprintln!("error: {error:#}");
        }
    }
}

/// The logs of the organisation that `anchor` names, by its genesis bundle in a file.
pub(crate) fn logs_of(
    genesis: &Path,
    anchor: bartizan_trust::id::Anchor,
) -> Result<Vec<VerifierKey>> {
    let bytes = crate::home::read_bounded(genesis)?;
    let trust = crate::trust::genesis(&bytes, anchor)?;
    let logs = bartizan_trust::policy::LogTrust::parse(&trust.bundle.log)
        .context("read the log keys of the bundle")?;
    Ok(vec![logs.control, logs.jobs])
}

/// Serves until it is ended. It may be ended at any moment.
pub(crate) fn serve(guardian: Guardian, listen: SocketAddr, terminal: Terminal) -> Result<()> {
    let alarms = guardian.alarms.clone();
    // Beside the requests, so that a channel that hangs delays no co-signature.
    std::thread::spawn(move || {
        loop {
            if let Err(error) = alarms.tend(TEND_FOR) {
                eprintln!("error: alarms: {error:#}");
                std::thread::sleep(TEND_FOR);
            }
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("start the network")?.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen);
        let listener = listener.await.with_context(|| format!("listen on {listen}"))?;
        let address = listener.local_addr().context("ask for our own address")?;
        let logs: Vec<&str> = guardian.logs.iter().map(VerifierKey::name).collect();
        let shown = json!({ "ready": true, "listen": address, "witness": guardian.vkey.to_string(), "logs": logs });
        let text = format!("witness {}\nlistens on {address}, knows {}", guardian.vkey, logs.join(", "));
        terminal.result(&shown, &text)?;
        http::accept(Arc::new(guardian), listener).await
    })
}
