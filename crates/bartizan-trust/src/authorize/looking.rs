//! Step 19 of a scan: its rules are here, and they are the signed ones.

use super::{Authorized, JobDelivery, Judged, Verdict};
use crate::id::{Sha256, StatementId};
use crate::refusal::Refusal;
use crate::state::State;
use crate::statement::{Content, Job, Scan};
use crate::time::UnixSeconds;

pub(super) fn check_content(content: &[u8], signed: &Content) -> Result<(), Refusal> {
    let same_size = u32::try_from(content.len()).is_ok_and(|size| size == signed.size);
    if same_size && Sha256::of(content) == signed.sha256 {
        Ok(())
    } else {
        Err(Refusal::ContentMismatch)
    }
}

// SPEC: verification.md step 19, scan
pub(super) fn look(
    judged: Judged<'_>,
    id: StatementId,
    (job, scan): (Job, Scan),
    now: UnixSeconds,
    delivery: &JobDelivery<'_>,
    state: &mut State,
) -> Result<Verdict, Refusal> {
    let Some(content) = delivery.content else { return Ok(Verdict::NeedContent(scan.content)) };
    check_content(content, &scan.content)?;
    // Not remembered as reviewed: who reviewed rules has not reviewed where and for whom they look.
    state.record_start(id, &job, &judged.signers, None, now);
    Ok(Verdict::Scan(Box::new(Authorized {
        job: id,
        statement: job,
        action: scan,
        content: content.to_vec(),
        signers: judged.signers,
        promoters: judged.promoters,
    })))
}
