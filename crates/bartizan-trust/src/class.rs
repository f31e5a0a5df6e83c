//! Deriving the class of a job: by the endpoint itself, from the action and the count.

use crate::statement::{Action, Bundle, Class, Job};

/// Whether the content ran here before with a countersignature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// Never seen countersigned on this endpoint.
    New,
    /// Countersigned and run here before.
    Reviewed,
}

/// Whether a job may claim its class: the derived one or a stricter one. `update` is for updates alone: it demands other people
/// than `fleet`, and neither its stages nor its delay.
// SPEC: verification.md step 7
pub fn may_claim(bundle: &Bundle, job: &Job, content: Content) -> bool {
    let derived = derive_class(bundle, job, content);
    job.class == derived || (job.class > derived && job.class != Class::Update)
}

/// The mildest class this job may have. A job may claim a stricter one.
// SPEC: verification.md step 7
pub fn derive_class(bundle: &Bundle, job: &Job, content: Content) -> Class {
    match &job.action {
        Action::Update(_) => return Class::Update,
        Action::Script(script) if script.destructive => return Class::Fleet,
        // It reads, and what comes back names places: what people wrote decides only what is told of.
        Action::Scan(scan)
            if scan.evidence.is_none()
                && fits(bundle, Class::Observe, job.targets.count, content) =>
        {
            return Class::Observe;
        }
        // With evidence the contents of files leave the endpoint: as much as any script could do.
        Action::Scan(_) | Action::Script(_) => {}
    }
    // `observe` runs nothing that an operator wrote, so a script begins at `routine`.
    [Class::Routine, Class::Change]
        .into_iter()
        .find(|class| {
            fits(bundle, *class, job.targets.count, content)
                && (*class == Class::Routine || !is_beyond_a_tenth(bundle, job))
        })
        .unwrap_or(Class::Fleet)
}

fn fits(bundle: &Bundle, class: Class, count: u32, content: Content) -> bool {
    bundle.class_rule(class).is_some_and(|rule| {
        count
            <= match content {
                Content::New => rule.endpoints_new_max,
                Content::Reviewed => rule.endpoints_max,
            }
    })
}

/// Whether a job touches more than a tenth of its tenant, where the bundle says how large that is.
fn is_beyond_a_tenth(bundle: &Bundle, job: &Job) -> bool {
    let size = bundle.tenants.iter().find(|size| size.tenant == job.tenant);
    size.is_some_and(|size| u64::from(job.targets.count) * 10 > u64::from(size.endpoints))
}
