//! Statements that lack signatures, and whether this operator can give one.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bartizan_proto::operator::{JobPage, JobRow};
use bartizan_trust::envelope::Envelope;
use bartizan_trust::id::OperatorId;
use bartizan_trust::keys::PublicKey;
use bartizan_trust::people::lacks_customer;
use bartizan_trust::signers::operator_signatures;
use bartizan_trust::statement::{
    Bundle, Class, Freeze, Job, OperatorRole, SignatureRole, StatementType, Thaw, UserCheck,
};

use super::logs::title;
use super::{bounded, disabled, own, signed_by};
use crate::api::session;
use crate::commands::{Console, control};
use crate::console::desk::Desk;
use crate::console::limits::{JOBS_AT_ONCE, WAITING_MAX};
use crate::console::shapes::{Inbox, InboxItem, Verification};
use crate::console::waiting::WaitingJob;
use crate::home::now;
use crate::sign::render;

/// All that wait, however old: what the server still counts as pending, window after window.
pub(crate) fn inbox(desk: &Desk, console: &Console) -> Result<Inbox> {
    let (rows, left_off) = listed(|offset| {
        let path = format!("/v1/jobs?state=pending&offset={offset}&limit={JOBS_AT_ONCE}");
        console.api.fetch(&path)
    })?;
    desk.waiting.keep_only(&rows);
    let mut items = Vec::new();
    for row in &rows {
        items.push(job_item(desk, console, row)?);
    }
    for draft in control::drafts(console)? {
        items.push(draft_item(desk, console, &draft)?);
    }
    Ok(Inbox { items, left_off })
}

/// The rows of all windows, each job once, and how many were left. A job that is signed meanwhile moves the others up by a place: what
/// slips through between two windows is there with the next look.
fn listed(mut window: impl FnMut(usize) -> Result<JobPage>) -> Result<(Vec<JobRow>, u64)> {
    let (mut rows, mut seen) = (Vec::<JobRow>::new(), BTreeSet::new());
    let mut offset = 0;
    while offset < WAITING_MAX {
        let JobPage { jobs, total } = window(offset)?;
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let came = jobs.len();
        offset += came;
        rows.extend(jobs.into_iter().filter(|row| seen.insert(row.id)));
        if came == 0 || offset >= total {
            return Ok((rows, 0));
        }
        if offset >= WAITING_MAX {
            rows.truncate(WAITING_MAX);
            return Ok((rows, u64::try_from(total - offset).unwrap_or(u64::MAX)));
        }
    }
    Ok((rows, 0))
}

fn job_item(desk: &Desk, console: &Console, row: &JobRow) -> Result<InboxItem> {
    let mut item = InboxItem {
        id: row.id.to_string(),
        kind: StatementType::Job.name().to_owned(),
        title: bounded(&row.title),
        class: Some(row.class.name().to_owned()),
        tenant: None,
        endpoints: Some(row.targets),
        at: row.at.get(),
        until: None,
        signatures: Vec::new(),
        who_else: String::new(),
        verification: Verification::good(),
        disabled: None,
    };
    match desk.waiting.verified(console, row) {
        Ok(known) => {
            let WaitingJob { envelope, job, .. } = &*known;
            item.title.clone_from(&job.display.title);
            item.class = Some(job.class.name().to_owned());
            item.tenant = Some(job.tenant.name().to_owned());
            item.endpoints = Some(job.targets.count);
            item.at = job.iat.get();
            item.until = Some(job.window.exp.get());
            item.signatures = signed_by(console, envelope);
            item.who_else = render::who_else(&console.trust.bundle, job.class);
            item.disabled = approval_disabled(desk, console, envelope, job)?;
        }
        Err(error) => {
            item.verification = Verification::bad(format!("{error:#}"));
            item.disabled =
                Some("It does not verify: sign nothing, and tell the other operators.".to_owned());
        }
    }
    Ok(item)
}

/// Why this operator's signature as approver would count for nothing.
pub(super) fn approval_disabled(
    desk: &Desk,
    console: &Console,
    envelope: &Envelope,
    job: &Job,
) -> Result<Option<String>> {
    if now() >= job.window.exp {
        return Ok(Some("Its window is over: its author can sign it again.".to_owned()));
    }
    if let Some(reason) = disabled(desk, console, OperatorRole::Approve, Some(&job.tenant))? {
        return Ok(Some(reason));
    }
    if let Some(reason) = key_too_weak(desk, &console.trust.bundle, job.class)? {
        return Ok(Some(reason));
    }
    let Some(me) = own(desk, console)? else { return Ok(None) };
    if has_signed(console, envelope, SignatureRole::Author, &me.id) {
        return Ok(Some("You wrote it: somebody else must countersign.".to_owned()));
    }
    if has_signed(console, envelope, SignatureRole::Approve, &me.id) {
        let lacks = lacks_customer(&console.trust.bundle, job, envelope);
        let who = if lacks { "the customer's people" } else { "somebody else" };
        return Ok(Some(format!("You have signed it; it waits for {who}.")));
    }
    Ok(None)
}

/// Why signatures of this key do not count in a class.
pub(super) fn key_too_weak(desk: &Desk, bundle: &Bundle, class: Class) -> Result<Option<String>> {
    let demanded = bundle.class_rule(class).map_or(UserCheck::None, |rule| rule.user_check);
    if demanded == UserCheck::None {
        return Ok(None);
    }
    let ssh = session::own_key(&desk.context.home)?.unwrap_or_default();
    let hardware = PublicKey::parse_openssh(&ssh).is_ok_and(|key| key.key_type().is_hardware());
    Ok((!hardware).then(|| {
        format!("The class `{class}` demands a security key or passkey; yours is a software key.")
    }))
}

pub(super) fn has_signed(
    console: &Console,
    envelope: &Envelope,
    role: SignatureRole,
    who: &OperatorId,
) -> bool {
    let (signatures, _) = operator_signatures(&console.trust.bundle, envelope);
    signatures.iter().any(|one| one.role == role && one.operator.id == *who)
}

fn draft_item(desk: &Desk, console: &Console, envelope: &Envelope) -> Result<InboxItem> {
    let (at, until) = match envelope.kind() {
        Some(StatementType::Bundle) => {
            let bundle: Bundle = envelope.statement().context("read a bundle")?;
            (bundle.iat, None)
        }
        Some(StatementType::Freeze) => {
            let freeze: Freeze = envelope.statement().context("read a freeze")?;
            (freeze.iat, Some(freeze.exp.get()))
        }
        Some(StatementType::Thaw) => {
            let thaw: Thaw = envelope.statement().context("read a thaw")?;
            (thaw.iat, None)
        }
        _ => (now(), None),
    };
    let signed = !operator_signatures(&console.trust.bundle, envelope).0.is_empty();
    Ok(InboxItem {
        id: envelope.id().to_string(),
        kind: envelope.kind().map_or("unknown", StatementType::name).to_owned(),
        title: title(envelope),
        class: None,
        tenant: None,
        endpoints: None,
        at: at.get(),
        until,
        signatures: signed_by(console, envelope),
        who_else: "more operators".to_owned(),
        verification: if signed {
            Verification::good()
        } else {
            Verification::bad("no operator of the bundle in force has signed it")
        },
        disabled: draft_disabled(desk, console, envelope)?,
    })
}

/// Why this operator's signature under a draft would count for nothing.
pub(super) fn draft_disabled(
    desk: &Desk,
    console: &Console,
    envelope: &Envelope,
) -> Result<Option<String>> {
    let role = match control::role_of_draft(envelope) {
        Ok(role) => role,
        Err(error) => return Ok(Some(format!("{error}"))),
    };
    let held = if role == SignatureRole::Root { OperatorRole::Root } else { OperatorRole::Freeze };
    if let Some(reason) = disabled(desk, console, held, None)? {
        return Ok(Some(reason));
    }
    let Some(me) = own(desk, console)? else { return Ok(None) };
    let signed = has_signed(console, envelope, role, &me.id);
    Ok(signed.then(|| "You have signed it; it waits for somebody else.".to_owned()))
}

#[cfg(test)]
mod tests {
    use bartizan_proto::operator::JobState;
    use bartizan_trust::id::StatementId;
    use bartizan_trust::time::UnixSeconds;

    use super::*;

    fn row(number: usize) -> JobRow {
        let id = StatementId::new(bartizan_trust::id::Sha256::of(number.to_string().as_bytes()));
        JobRow {
            id,
            state: JobState::Pending,
            class: Class::Routine,
            title: number.to_string(),
            at: UnixSeconds::new(1),
            targets: 1,
            until: None,
            tenant: None,
            author: None,
            counts: Vec::new(),
            log_index: None,
        }
    }

    /// A server with so many jobs that wait, of which it gives at most so many at once.
    fn server(count: usize, at_once: usize) -> impl FnMut(usize) -> Result<JobPage> {
        move |offset| {
            let jobs = (offset..count.min(offset + at_once)).map(row).collect();
            Ok(JobPage { jobs, total: u64::try_from(count)? })
        }
    }

    #[test]
    fn every_job_that_waits_is_listed_up_to_the_limit() {
        let check = |count, at_once, expected| {
            let (rows, left) = listed(server(count, at_once)).expect("windows");
            assert_eq!((rows.len(), left), expected, "{count} by {at_once}");
        };
        check(0, 200, (0, 0));
        check(51, 200, (51, 0));
        check(500, 200, (500, 0));
        check(500, 7, (500, 0));
        check(WAITING_MAX, 200, (WAITING_MAX, 0));
        check(WAITING_MAX + 1, 200, (WAITING_MAX, 1));
    }

    #[test]
    fn a_server_that_repeats_or_withholds_ends_the_list() {
        let again = |_| Ok(JobPage { jobs: vec![row(1), row(2)], total: 1_000_000 });
        let (rows, left) = listed(again).expect("windows");
        assert_eq!((rows.len(), left), (2, 998_000));
        let nothing = |_| Ok(JobPage { jobs: Vec::new(), total: 1_000_000 });
        assert_eq!(listed(nothing).expect("a window").0.len(), 0);
    }
}
