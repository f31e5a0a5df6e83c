//! Several mirrors become one: the longest logs, everything else of all. Two that contradict each other stop it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use data_encoding::BASE64;

use super::folder::{self, EndpointFile, Mirror, names};
use super::keep::Kept;
use crate::exit::refused;
use crate::home::{read_bounded, write_private};
use crate::trust::WholeLog;
use crate::witness::Log;

/// Writes what the mirrors hold together to `out`, verified.
pub(crate) fn merge(mirrors: &[Mirror], out: &Path) -> Result<Kept> {
    let mut kept = Kept::default();
    let control = longest(mirrors, Log::Control)?;
    let jobs = longest(mirrors, Log::Jobs)?;
    folder::write_log(out, Log::Control, control, 0)?;
    folder::write_log(out, Log::Jobs, jobs, 0)?;
    (kept.control, kept.jobs) = (control.entries.len(), jobs.entries.len());
    for (id, job, _) in super::jobs(&jobs.entries) {
        for mirror in mirrors {
            let Some(work) = folder::work(&mirror.dir, id)? else { continue };
            if super::fits(&job, &work) {
                folder::put_work(out, id, &work)?;
                break;
            }
            kept.refused
                .push(format!("{}: not the script or targets of {id}", mirror.dir.display()));
        }
        if folder::work(out, id)?.is_none() {
            kept.refused.push(format!("{id}: no mirror has its script and targets"));
        }
    }
    for mirror in mirrors {
        let (receipts, bad) = mirror.receipts()?;
        kept.refused.extend(bad.iter().map(|name| format!("{}: {name}", mirror.dir.display())));
        for (id, (_, bytes)) in receipts {
            write_private(&out.join("receipts").join(format!("{id}.json")), &bytes)?;
        }
    }
    kept.receipts = names(&out.join("receipts"))?.len();
    kept.endpoints = merge_endpoints(mirrors, out, &mut kept.refused)?;
    Ok(kept)
}

/// The longest log; every other one is the beginning of it.
fn longest(mirrors: &[Mirror], log: Log) -> Result<&WholeLog> {
    let longest = mirrors.iter().max_by_key(|mirror| mirror.log(log).entries.len());
    let longest = longest.context("no mirror is given")?;
    for mirror in mirrors {
        if !longest.log(log).entries.starts_with(&mirror.log(log).entries) {
            let problem = format!(
                "LOG FORKED: {} and {} hold two histories of the {} log",
                longest.dir.display(),
                mirror.dir.display(),
                log.name()
            );
            let next = "keep both; find out with the other operators which one endpoints and witnesses have seen";
            return Err(refused(problem, next));
        }
    }
    Ok(longest.log(log))
}

fn merge_endpoints(mirrors: &[Mirror], out: &Path, bad: &mut Vec<String>) -> Result<usize> {
    // Of one endpoint the descriptor that it made last.
    let mut newest = BTreeMap::new();
    for mirror in mirrors {
        let place = mirror.dir.join("endpoints");
        for name in names(&place)? {
            let read = || -> Option<_> {
                let id = name.strip_suffix(".json")?.parse().ok()?;
                let file: EndpointFile =
                    serde_json::from_slice(&fs::read(place.join(&name)).ok()?).ok()?;
                let bytes = BASE64.decode(file.descriptor.as_bytes()).ok()?;
                Some((id, super::descriptor(id, &bytes)?.iat))
            };
            let Some((id, iat)) = read() else {
                bad.push(format!("{}: {name} is not what an endpoint signed", place.display()));
                continue;
            };
            let known: Option<&(_, _)> = newest.get(&id);
            if known.is_none_or(|(known, _)| *known < iat) {
                newest.insert(id, (iat, place.join(&name)));
            }
        }
    }
    for (id, (_, path)) in &newest {
        write_private(&out.join("endpoints").join(format!("{id}.json")), &read_bounded(path)?)?;
    }
    Ok(newest.len())
}
