//! Who did what, when: both logs entry by entry, and the notes of this console.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::StatementId;
use bartizan_trust::statement::{
    Bundle, Freeze, FreezeScope, Job, MonitoringPolicy, PolicyPlace, Promotion, StatementType,
    Thaw, Veto, Withdrawal,
};
use bartizan_trust::time::UnixSeconds;

use super::fleet_file::time;
use super::logs::title;
use super::{bounded, own, signed_by, signed_in};
use crate::commands::Console;
use crate::console::csv;
use crate::console::desk::Desk;
use crate::console::shapes::{
    AuditExport, AuditForm, AuditPerson, AuditQuery, AuditRow, AuditWindow, Part, SignedBy,
    Verification,
};
use crate::exit::{Code, fail};
use crate::journal::{self, Did, Note};
use crate::mine;
use crate::witness::Log;

/// Rows of a file that are written at once.
const ROWS_AT_ONCE: usize = 500;
const KINDS: [&str; 9] =
    ["job", "promotion", "bundle", "freeze", "thaw", "veto", "withdrawal", "unknown", "local"];

/// A part of it.
pub(crate) fn list(desk: &Desk, console: &Console, query: &AuditQuery) -> Result<AuditWindow> {
    let (rows, entries) = everything(desk, console)?;
    let people: BTreeSet<AuditPerson> = rows
        .iter()
        .flat_map(|row| &row.who)
        .filter_map(|who| Some(AuditPerson { name: who.name.clone()?, id: who.operator.clone()? }))
        .collect();
    let tenants: BTreeSet<String> = rows.iter().filter_map(|row| row.tenant.clone()).collect();
    let found = fitting(rows, query)?;
    let total = u64::try_from(found.len()).unwrap_or(u64::MAX);
    Ok(AuditWindow {
        total,
        offset: query.offset,
        rows: Part { offset: query.offset, limit: query.limit }.of(found),
        people: people.into_iter().collect(),
        tenants: tenants.into_iter().collect(),
        entries,
    })
}

/// All of it as a file.
pub(crate) fn export(
    desk: &Desk,
    wanted: &AuditExport,
    each: &mut dyn FnMut(Vec<u8>) -> Result<()>,
) -> Result<()> {
    let console = desk.console()?;
    let (rows, _) = everything(desk, &console)?;
    let rows = fitting(rows, &wanted.query())?;
    match wanted.form {
        AuditForm::Csv => {
            each(csv::line(HEAD)?)?;
            for rows in rows.chunks(ROWS_AT_ONCE) {
                let mut piece = Vec::new();
                for row in rows {
                    piece.extend(csv::line(cells(row))?);
                }
                each(piece)?;
            }
        }
        AuditForm::Json => {
            each(b"[".to_vec())?;
            for (at, rows) in rows.chunks(ROWS_AT_ONCE).enumerate() {
                let text = serde_json::to_string(rows).context("write JSON")?;
                let inner = text.trim_start_matches('[').trim_end_matches(']');
                each(format!("{}{inner}", if at == 0 { "" } else { "," }).into_bytes())?;
            }
            each(b"]\n".to_vec())?;
        }
    }
    journal::note(&desk.context.home, Did::Exported, "the audit", None)
}

const HEAD: [&str; 12] = [
    "time", "exact", "who", "kind", "did", "title", "class", "tenant", "id", "log", "entry", "here",
];

fn cells(row: &AuditRow) -> [String; 12] {
    let who = row.who.iter().map(|one| {
        let name = one.name.as_deref().unwrap_or(&one.fingerprint);
        let doubt = if one.verification.verified { "" } else { " (does not count)" };
        format!("{name} as {}{doubt}", one.role)
    });
    let who = who.collect::<Vec<String>>();
    [
        time(row.at),
        if row.after { "after" } else { "at" }.to_owned(),
        who.join("; "),
        row.kind.clone(),
        row.did.clone(),
        row.title.clone(),
        row.class.clone().unwrap_or_default(),
        row.tenant.clone().unwrap_or_default(),
        row.id.clone().unwrap_or_default(),
        row.log.clone().unwrap_or_default(),
        row.index.map(|index| index.to_string()).unwrap_or_default(),
        if row.here { "yes" } else { "" }.to_owned(),
    ]
}

fn fitting(rows: Vec<AuditRow>, query: &AuditQuery) -> Result<Vec<AuditRow>> {
    let wanted = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let (person, kind, tenant) =
        (wanted(&query.person), wanted(&query.kind), wanted(&query.tenant));
    if kind.as_deref().is_some_and(|kind| !KINDS.contains(&kind)) {
        let next = format!("one of {}", KINDS.join(", "));
        return Err(fail(Code::Usage, "no such kind", next));
    }
    let by = |row: &AuditRow, person: &str| match person {
        "me" => row.here,
        id => row.who.iter().any(|who| who.operator.as_deref() == Some(id)),
    };
    let fits = |row: &AuditRow| {
        person.as_deref().is_none_or(|person| by(row, person))
            && kind.as_deref().is_none_or(|kind| row.kind == kind)
            && tenant.as_deref().is_none_or(|tenant| row.tenant.as_deref() == Some(tenant))
            && query.since.is_none_or(|since| row.at >= since)
            && query.until.is_none_or(|until| row.at < until)
    };
    Ok(rows.into_iter().filter(fits).collect())
}

/// Every row, newest first, and how many entries were gone through.
fn everything(desk: &Desk, console: &Console) -> Result<(Vec<AuditRow>, u64)> {
    let logged = desk.logs.audit(console)?;
    let entries = u64::try_from(logged.len()).unwrap_or(u64::MAX);
    let notes = journal::notes(&desk.context.home)?;
    let signed: BTreeMap<&str, UnixSeconds> = notes
        .iter()
        .filter(|note| note.did == Did::Signed)
        .filter_map(|note| Some((note.id.as_deref()?, note.at)))
        .collect();
    let remembered = mine::remembered(&desk.context.home)?;
    let me = own(desk, console)?.map(|me| me.id.to_string());
    let mut rows: Vec<AuditRow> = logged.as_ref().clone();
    for row in &mut rows {
        let mine = row.who.iter().any(|who| who.operator.is_some() && who.operator == me);
        let Some(id) = row.id.as_ref().filter(|_| mine) else { continue };
        row.here = remembered.contains(id);
        // This console knows when its own signature came.
        if let Some(at) = signed.get(id.as_str()).filter(|_| row.after) {
            row.at = row.at.max(at.get());
            row.after = false;
        }
    }
    let known: BTreeSet<&str> = logged.iter().filter_map(|row| row.id.as_deref()).collect();
    rows.extend(
        notes
            .iter()
            .filter(|note| is_only_here(note, &known))
            .map(|note| local(note, console, me.as_deref())),
    );
    // Of one moment the later entry stands first, too.
    rows.reverse();
    rows.sort_by_key(|row| core::cmp::Reverse(row.at));
    Ok((rows, entries))
}

/// What no log shows: an enrolment, say, or what nobody signed.
fn is_only_here(note: &Note, known: &BTreeSet<&str>) -> bool {
    note.id.as_deref().is_none_or(|id| !known.contains(id))
}

fn local(note: &Note, console: &Console, me: Option<&str>) -> AuditRow {
    let did = match note.did {
        Did::Signed => "signed",
        Did::Admitted => "let in",
        Did::Refreshed => "asked for the inventory",
        Did::Exported => "saved as a file",
        Did::Scripts => "changed the scripts",
    };
    let name =
        console.trust.bundle.operators.iter().find(|one| Some(one.id.to_string().as_str()) == me);
    let who = SignedBy {
        operator: me.map(str::to_owned),
        name: name.map(|one| one.name.clone()),
        role: "operator".to_owned(),
        fingerprint: String::new(),
        verification: Verification::bad("a note of this console, which proves nothing to others"),
    };
    AuditRow {
        at: note.at.get(),
        after: false,
        who: vec![who],
        kind: "local".to_owned(),
        did: did.to_owned(),
        title: bounded(&note.about),
        id: note.id.clone(),
        class: None,
        tenant: None,
        log: None,
        index: None,
        here: true,
    }
}

/// The rows of both logs, in the order of their entries.
pub(crate) fn of_logs(
    console: &Console,
    logs: &[(Log, Arc<crate::trust::WholeLog>)],
) -> Vec<AuditRow> {
    let mut rows = Vec::new();
    for (log, whole) in logs {
        let mut seen = Seen::default();
        for (index, entry) in (0..).zip(&whole.entries) {
            rows.push(seen.row(console, *log, index, entry));
        }
    }
    rows
}

/// What earlier entries of the same log have shown.
#[derive(Default)]
struct Seen {
    /// Signatures of each statement, as fingerprint and role.
    signatures: BTreeMap<StatementId, BTreeSet<(String, String)>>,
    /// Tenant and class of each job.
    jobs: BTreeMap<StatementId, (String, String)>,
    /// The latest date of any of them: whatever comes later in the log came after it.
    latest: u64,
}

impl Seen {
    fn row(&mut self, console: &Console, log: Log, index: u64, entry: &[u8]) -> AuditRow {
        let mut row = AuditRow {
            at: self.latest,
            after: true,
            who: Vec::new(),
            kind: "unknown".to_owned(),
            did: "?".to_owned(),
            title: "this entry is no statement".to_owned(),
            id: None,
            class: None,
            tenant: None,
            log: Some(log.name().to_owned()),
            index: Some(index),
            here: false,
        };
        let Ok(envelope) = Envelope::decode(entry) else { return row };
        let id = envelope.id();
        row.title = title(&envelope);
        let made = self.about(&envelope, &mut row);
        let known = self.signatures.entry(id).or_default();
        let first = known.is_empty();
        row.who = signed_then(console, &envelope);
        row.who.retain(|one| known.insert((one.fingerprint.clone(), one.role.clone())));
        if let Some(made) = made.filter(|_| first) {
            row.at = made.get();
            row.after = false;
        }
        self.latest = self.latest.max(row.at);
        did(envelope.kind(), first).clone_into(&mut row.did);
        envelope.kind().map_or("unknown", StatementType::name).clone_into(&mut row.kind);
        row.id = Some(id.to_string());
        row
    }

    /// When its author made it; what it is about goes into the row.
    fn about(&mut self, envelope: &Envelope, row: &mut AuditRow) -> Option<UnixSeconds> {
        match envelope.kind()? {
            StatementType::Job => {
                let job: Job = envelope.statement().ok()?;
                let about = (job.tenant.name().to_owned(), job.class.name().to_owned());
                row.tenant = Some(about.0.clone());
                row.class = Some(about.1.clone());
                row.title = bounded(&job.display.title);
                self.jobs.insert(envelope.id(), about);
                Some(job.iat)
            }
            StatementType::Promotion => {
                let promotion: Promotion = envelope.statement().ok()?;
                if let Some((tenant, class)) = self.jobs.get(&promotion.job) {
                    row.tenant = Some(tenant.clone());
                    row.class = Some(class.clone());
                }
                Some(promotion.iat)
            }
            StatementType::Freeze => {
                let freeze: Freeze = envelope.statement().ok()?;
                if let FreezeScope::Tenant(tenant) = &freeze.scope {
                    row.tenant = Some(tenant.name().to_owned());
                }
                Some(freeze.iat)
            }
            StatementType::Policy => {
                let policy: MonitoringPolicy = envelope.statement().ok()?;
                row.class = Some(policy.class.name().to_owned());
                row.tenant = match &policy.place {
                    PolicyPlace::Org {} => None,
                    PolicyPlace::Tenant { tenant }
                    | PolicyPlace::Site { tenant, .. }
                    | PolicyPlace::Endpoint { tenant, .. } => Some(tenant.name().to_owned()),
                };
                Some(policy.iat)
            }
            StatementType::Bundle => Some(envelope.statement::<Bundle>().ok()?.iat),
            StatementType::Thaw => Some(envelope.statement::<Thaw>().ok()?.iat),
            StatementType::Veto => Some(envelope.statement::<Veto>().ok()?.iat),
            StatementType::Withdrawal => Some(envelope.statement::<Withdrawal>().ok()?.iat),
            StatementType::Grant
            | StatementType::Enrolment
            | StatementType::Login
            | StatementType::Descriptor
            | StatementType::Receipt
            | StatementType::Pack => None,
        }
    }
}

/// Every signature of an entry; those of people who have left count as they did then.
fn signed_then(console: &Console, envelope: &Envelope) -> Vec<SignedBy> {
    let mut who = signed_by(console, envelope);
    for one in who.iter_mut().filter(|one| !one.verification.verified) {
        let counted = |bundle: &Bundle| {
            signed_in(bundle, &[], envelope).iter().any(|then| {
                then.verification.verified
                    && then.fingerprint == one.fingerprint
                    && then.role == one.role
            })
        };
        if console.former.iter().any(counted) {
            one.verification = Verification::good();
        }
    }
    who
}

/// What somebody does who signs such a statement, as its author or as the next.
const fn did(kind: Option<StatementType>, first: bool) -> &'static str {
    match (kind, first) {
        (Some(StatementType::Job), true) => "wrote a job",
        (Some(StatementType::Job), false) => "approved a job",
        (Some(StatementType::Promotion), _) => "promoted a stage",
        (Some(StatementType::Policy), true) => "wrote a policy",
        (Some(StatementType::Policy), false) => "approved a policy",
        (Some(StatementType::Bundle), _) => "changed the bundle",
        (Some(StatementType::Freeze), _) => "froze",
        (Some(StatementType::Thaw), _) => "thawed",
        (Some(StatementType::Veto), _) => "vetoed a bundle",
        (Some(StatementType::Withdrawal), _) => "took a job back",
        (
            Some(
                StatementType::Grant
                | StatementType::Enrolment
                | StatementType::Login
                | StatementType::Descriptor
                | StatementType::Receipt
                | StatementType::Pack,
            )
            | None,
            _,
        ) => "signed",
    }
}
