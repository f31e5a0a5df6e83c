//! Going through both logs as if nobody had before: what stands in them, who signed it, and what does not fit.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use bartizan_trust::control::ControlView;
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::{Anchor, EndpointId, StatementId};
use bartizan_trust::merkle::{Frontier, leaf_hash};
use bartizan_trust::people;
use bartizan_trust::policy::LogTrust;
use bartizan_trust::refusal::Refusal;
use bartizan_trust::statement::{Bundle, Decision, Job, Receipt, StatementType};
use bartizan_trust::time::UnixSeconds;
use serde::Serialize;

use crate::mirror::{self, Mirror};
use crate::trust::genesis;
use crate::witness::{Log, WitnessState};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Weight {
    /// Worth knowing; happens to honest people.
    Note,
    /// Somebody must look into it.
    Problem,
}

/// Something an auditor would ask about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub(crate) weight: Weight,
    /// Stable.
    pub(crate) code: &'static str,
    /// Log and entry, or a statement, or an endpoint.
    pub(crate) place: String,
    pub(crate) text: String,
}

/// What was gone through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Report {
    pub(crate) control: usize,
    pub(crate) jobs: usize,
    pub(crate) receipts: usize,
    pub(crate) findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing needs looking into.
    pub(crate) fn is_clean(&self) -> bool {
        self.findings.iter().all(|finding| finding.weight == Weight::Note)
    }

    fn add(&mut self, weight: Weight, code: &'static str, place: &dyn ToString, text: String) {
        self.findings.push(Finding { weight, code, place: place.to_string(), text });
    }
}

/// Goes through a mirror, and compares it with what this console co-signed and with other mirrors.
pub(crate) fn audit(
    mirror: &Mirror,
    anchor: Anchor,
    memory: &WitnessState,
    others: &[Mirror],
    now: UnixSeconds,
) -> Result<Report> {
    let (receipts, bad) = mirror.receipts()?;
    let mut report = Report {
        control: mirror.control.entries.len(),
        jobs: mirror.jobs.entries.len(),
        receipts: receipts.len(),
        findings: Vec::new(),
    };
    for log in Log::ALL {
        for other in others {
            compare(mirror, other, log, &mut report);
        }
    }
    for name in bad {
        let text = "not a receipt that its endpoint signed".to_owned();
        report.add(Weight::Problem, "receipt.invalid", &name, text);
    }
    let bundles = control(mirror, anchor, now, &mut report)?;
    for log in Log::ALL {
        for origin in origins(&bundles, log) {
            compare_memory(mirror, log, &origin, memory, &mut report);
        }
    }
    let people = keys(&bundles);
    for log in Log::ALL {
        signatures(mirror, log, &people, &mut report);
    }
    let receipts: Vec<(StatementId, Receipt)> =
        receipts.into_iter().map(|(id, (receipt, _))| (id, receipt)).collect();
    jobs(mirror, &bundles, &receipts, now, &mut report)?;
    chains(&receipts, &mut report);
    Ok(report)
}

/// The names a log had: a bundle may have given it another key.
fn origins(bundles: &[Bundle], log: Log) -> BTreeSet<String> {
    let keys = bundles.iter().filter_map(|bundle| LogTrust::parse(&bundle.log).ok());
    keys.map(|keys| log.key(&keys).name().to_owned()).collect()
}

fn compare_memory(
    mirror: &Mirror,
    log: Log,
    origin: &str,
    memory: &WitnessState,
    report: &mut Report,
) {
    let whole = mirror.log(log);
    let Some(view) = memory.views.get(origin) else { return };
    let size = usize::try_from(view.size).unwrap_or(usize::MAX);
    if whole.entries.len() < size {
        let text = format!(
            "has {} entries, but this console co-signed {size}: {} are missing",
            whole.entries.len(),
            size - whole.entries.len()
        );
        return report.add(Weight::Problem, "log.shrunk", &origin, text);
    }
    let mut frontier = Frontier::default();
    for entry in whole.entries.iter().take(size) {
        frontier.push(leaf_hash(entry));
    }
    if frontier.root() != view.root {
        let text = format!("is not what this console co-signed at {size} entries");
        report.add(Weight::Problem, "log.forked", &origin, text);
    }
}

fn compare(mirror: &Mirror, other: &Mirror, log: Log, report: &mut Report) {
    let (ours, theirs) = (&mirror.log(log).entries, &other.log(log).entries);
    let same = ours.iter().zip(theirs).take_while(|(a, b)| a == b).count();
    if same < ours.len().min(theirs.len()) {
        let text = format!("{} has another entry here: a fork", other.dir.display());
        let place = format!("{} {same}", log.name());
        return report.add(Weight::Problem, "log.forked", &place, text);
    }
    if theirs.len() > ours.len() {
        let text = format!(
            "{} has {} entries, this one {}",
            other.dir.display(),
            theirs.len(),
            ours.len()
        );
        report.add(Weight::Problem, "log.shrunk", &log.name(), text);
    }
}

/// Replays the control log; every bundle that ever was in force or waited.
fn control(
    mirror: &Mirror,
    anchor: Anchor,
    now: UnixSeconds,
    report: &mut Report,
) -> Result<Vec<Bundle>> {
    let Some((first, rest)) = mirror.control.entries.split_first() else {
        return Ok(Vec::new());
    };
    let trust = genesis(first, anchor)?;
    let mut bundles = vec![trust.bundle.clone()];
    let mut view = ControlView::new(trust);
    for (index, entry) in (1_usize..).zip(rest) {
        match view.advise(anchor.org(), now, None, entry) {
            Ok(()) => bundles.extend(bundle(entry)),
            Err(refusal) => {
                // A veto that came late or a freeze too many is nobody's fault; a statement without its people is.
                let weight = if refusal.code().starts_with("sig.") || is_threshold(refusal) {
                    Weight::Problem
                } else {
                    Weight::Note
                };
                let text = format!("has no effect: {} ({})", refusal, refusal.code());
                let code = if weight == Weight::Problem {
                    "statement.too_few_signatures"
                } else {
                    "statement.no_effect"
                };
                report.add(weight, code, &format!("control {index}"), text);
            }
        }
    }
    Ok(bundles)
}

const fn is_threshold(refusal: Refusal) -> bool {
    matches!(refusal, Refusal::BundleThreshold | Refusal::ThawThreshold)
}

fn bundle(entry: &[u8]) -> Option<Bundle> {
    Envelope::decode(entry).ok()?.statement().ok()
}

/// Every key that any bundle names, whatever for.
fn keys(bundles: &[Bundle]) -> BTreeSet<String> {
    let operators = bundles.iter().flat_map(|bundle| &bundle.operators);
    let operators = operators.flat_map(|operator| &operator.keys);
    let customers = bundles.iter().flat_map(|bundle| &bundle.customers);
    let customers = customers.flat_map(|customer| &customer.keys);
    let recovery = bundles.iter().flat_map(|bundle| &bundle.recovery.keys).cloned();
    operators.chain(customers).map(|key| key.ssh.clone()).chain(recovery).collect()
}

fn signatures(mirror: &Mirror, log: Log, people: &BTreeSet<String>, report: &mut Report) {
    for (index, entry) in mirror.log(log).entries.iter().enumerate() {
        let place = format!("{} {index}", log.name());
        let Ok(envelope) = Envelope::decode(entry) else {
            report.add(Weight::Problem, "log.no_statement", &place, "is no statement".to_owned());
            continue;
        };
        let kind = envelope.kind();
        if !belongs(kind, log) {
            let text = format!("a {} has no place here", kind.map_or("?", StatementType::name));
            report.add(Weight::Problem, "log.wrong_kind", &place, text);
        }
        let (verified, ignored) = envelope.verify_signatures();
        for signature in ignored {
            let text = format!("signature {}: {}", signature.index, signature.reason);
            report.add(Weight::Problem, "signature.invalid", &place, text);
        }
        for signature in verified {
            if !people.contains(&signature.key.to_openssh()) {
                let text = format!(
                    "signed in the role {} by {}, whom no bundle names",
                    signature.role,
                    signature.key.fingerprint()
                );
                report.add(Weight::Problem, "signer.unknown", &place, text);
            }
        }
    }
}

const fn belongs(kind: Option<StatementType>, log: Log) -> bool {
    match kind {
        Some(
            StatementType::Bundle
            | StatementType::Freeze
            | StatementType::Thaw
            | StatementType::Veto
            | StatementType::Withdrawal,
        ) => matches!(log, Log::Control),
        Some(
            StatementType::Job
            | StatementType::Promotion
            | StatementType::Grant
            | StatementType::Policy,
        ) => matches!(log, Log::Jobs),
        Some(
            StatementType::Enrolment
            | StatementType::Login
            | StatementType::Descriptor
            | StatementType::Receipt
            | StatementType::Pack,
        )
        | None => false,
    }
}

/// Each job: were there enough people, and is there an answer from everywhere?
fn jobs(
    mirror: &Mirror,
    bundles: &[Bundle],
    receipts: &[(StatementId, Receipt)],
    now: UnixSeconds,
    report: &mut Report,
) -> Result<()> {
    let mut answers: BTreeMap<StatementId, Vec<&Receipt>> = BTreeMap::new();
    for (_, receipt) in receipts {
        answers.entry(receipt.job).or_default().push(receipt);
    }
    let logged = mirror::jobs(&mirror.jobs.entries);
    let known: BTreeSet<StatementId> = logged
        .iter()
        .map(|(id, _, _)| *id)
        .chain(mirror::freezes(&mirror.control.entries))
        .collect();
    for (id, job, envelope) in &logged {
        let answers = answers.get(id).map_or(&[][..], Vec::as_slice);
        let ran = answers.iter().any(|receipt| receipt.decision != Decision::Refused);
        if let Err(refusal) = stood_behind(bundles, job, envelope) {
            let (weight, code) = if ran {
                (Weight::Problem, "job.ran_unauthorised")
            } else {
                (Weight::Note, "statement.too_few_signatures")
            };
            report.add(weight, code, id, format!("{refusal} ({})", refusal.code()));
            continue;
        }
        let Some(work) = mirror::work(&mirror.dir, *id)?.filter(|work| mirror::fits(job, work))
        else {
            let text = "its script and targets are not here".to_owned();
            report.add(Weight::Note, "job.not_kept", id, text);
            continue;
        };
        let silent: Vec<EndpointId> = work
            .targets
            .into_iter()
            .filter(|endpoint| !answers.iter().any(|receipt| receipt.endpoint == *endpoint))
            .collect();
        if now >= job.window.exp && !silent.is_empty() {
            let names: Vec<String> = silent.iter().take(5).map(ToString::to_string).collect();
            let text = format!("{} endpoints never answered: {}", silent.len(), names.join(", "));
            report.add(Weight::Note, "receipt.missing", id, text);
        }
    }
    for (id, receipt) in receipts.iter().filter(|(_, receipt)| !known.contains(&receipt.job)) {
        let ran = receipt.decision != Decision::Refused;
        let weight = if ran { Weight::Problem } else { Weight::Note };
        let text = format!("{} answered {}, which stands in no log", receipt.endpoint, receipt.job);
        report.add(weight, "receipt.of_nothing", id, text);
    }
    Ok(())
}

/// By any bundle that the job may have been judged by.
fn stood_behind(bundles: &[Bundle], job: &Job, envelope: &Envelope) -> Result<(), Refusal> {
    let mut last = Refusal::BundleTooOld;
    for bundle in bundles.iter().filter(|bundle| bundle.version >= job.bundle_min) {
        match people::stand_behind(bundle, job, envelope) {
            Ok(()) => return Ok(()),
            Err(refusal) => last = refusal,
        }
    }
    Err(last)
}

/// Receipts of one endpoint count from 1, and each names the one before: whoever leaves one out is seen.
fn chains(receipts: &[(StatementId, Receipt)], report: &mut Report) {
    let known: BTreeSet<StatementId> = receipts.iter().map(|(id, _)| *id).collect();
    let mut missing: BTreeMap<EndpointId, Vec<u64>> = BTreeMap::new();
    for (_, receipt) in receipts {
        if receipt.prev.is_some_and(|prev| !known.contains(&prev)) {
            missing.entry(receipt.endpoint).or_default().push(receipt.seq - 1);
        }
    }
    for (endpoint, mut numbers) in missing {
        numbers.sort_unstable();
        let shown: Vec<String> = numbers.iter().take(20).map(ToString::to_string).collect();
        let text = format!("receipts are withheld or lost: {}", shown.join(", "));
        report.add(Weight::Problem, "receipt.gap", &endpoint, text);
    }
}
