//! What apt would install, from its own lists: the rules of `apt_preferences(5)` for a machine without preferences of its own.
//! With any, nobody but apt can tell, and the section says so.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};

use super::packages::{Installed, installed};
use super::root::{Root, Unread, value_of};
use super::section::{Item, Section};

/// Largest list that is read: Debian's main has half of it.
const LIST_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// Longest line of a list that is kept; what is longer is no name and no version.
const LINE_BYTES_MAX: usize = 16 * 1024;
/// Most lists: a machine with fifty sources has three hundred files.
const LISTS_MAX: usize = 512;

/// How a list counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// Priority 500.
    Normal,
    /// Priority 100: only for what came from there.
    Held,
}

/// The newest offer for a package.
#[derive(Debug, Default, Clone)]
struct Offers {
    normal: Option<Offer>,
    held: Option<Offer>,
    /// The installed version is in a list of priority 500.
    backed: bool,
}

#[derive(Debug, Clone)]
struct Offer {
    version: String,
    security: bool,
    phased: bool,
}

/// One that compares versions as dpkg does.
pub type CompareVersions = fn(&str, &str) -> Ordering;

/// Adds what is to be installed, or why that is not known.
pub(super) fn pending(root: &Root, compare: CompareVersions, section: &mut Section) {
    match offers(root, compare) {
        Ok((packages, offers, at)) => {
            let (mut count, mut security, mut held, mut phased) = (0_u64, 0_u64, 0_u64, 0_u64);
            for one in packages {
                let Some(offer) = offers
                    .get(&(one.name.clone(), one.arch.clone()))
                    .and_then(|all| candidate(all, &one, compare))
                else {
                    continue;
                };
                let item = Item::default()
                    .text("name", &one.name)
                    .text("installed", &one.version)
                    .text("version", &offer.version)
                    .flag("security", offer.security);
                section.add(
                    &format!("{}:{}", one.name, one.arch),
                    item.maybe("waits", waits(&one, &offer)),
                );
                held += u64::from(one.held);
                phased += u64::from(offer.phased && !one.held);
                let due = !one.held && !offer.phased;
                count += u64::from(due);
                security += u64::from(due && offer.security);
            }
            let item = Item::default()
                .number("count", count)
                .number("security", security)
                .number("held", held);
            section.add(
                "pending",
                item.number("phased", phased)
                    .text("by", "apt lists")
                    .number("at", at / 3600 * 3600),
            );
        }
        Err(why) => section.unknown("pending", &why),
    }
}

const fn waits(one: &Installed, offer: &Offer) -> Option<&'static str> {
    if one.held {
        return Some("held");
    }
    if offer.phased { Some("phased") } else { None }
}

fn candidate(all: &Offers, one: &Installed, compare: CompareVersions) -> Option<Offer> {
    let newer = |offer: &&Offer| compare(&offer.version, &one.version).is_gt();
    all.normal
        .as_ref()
        .filter(newer)
        .or_else(|| all.held.as_ref().filter(newer).filter(|_| !all.backed))
        .cloned()
}

type Found = (Vec<Installed>, BTreeMap<(String, String), Offers>, u64);

fn offers(root: &Root, compare: CompareVersions) -> Result<Found, String> {
    let text = match root.large_text("/var/lib/dpkg/status", 64 * 1024 * 1024) {
        Ok(text) => text,
        Err(Unread::Absent) => {
            return Err(
                "only dpkg's updates can be told from files; others need their own program"
                    .to_owned(),
            );
        }
        Err(Unread::Failed(why)) => return Err(why),
    };
    if has_preferences(root) {
        return Err(
            "this machine has preferences in /etc/apt/preferences.d, which only apt itself weighs"
                .to_owned(),
        );
    }
    let folder = "/var/lib/apt/lists";
    let names = root
        .names(folder)
        .map_err(|error| error.failure().unwrap_or("apt has no lists").to_owned())?;
    if let Some(packed) = names.iter().find(|name| name.contains("_Packages.")) {
        return Err(format!("{folder}/{packed} is compressed; only apt reads it"));
    }
    let lists: Vec<&String> =
        names.iter().filter(|name| name.ends_with("_Packages")).take(LISTS_MAX).collect();
    if lists.is_empty() {
        return Err("apt has no lists; `apt update` fetches them".to_owned());
    }
    let packages = installed(&text);
    let mut offers: BTreeMap<(String, String), Offers> = packages
        .iter()
        .map(|one| ((one.name.clone(), one.arch.clone()), Offers::default()))
        .collect();
    let versions: BTreeMap<(&str, &str), &str> = packages
        .iter()
        .map(|one| ((one.name.as_str(), one.arch.as_str()), one.version.as_str()))
        .collect();
    let mut at = 0;
    for list in lists {
        let Some((rank, security)) = release(root, folder, list)? else { continue };
        at = at.max(root.written(&format!("{folder}/{list}")).unwrap_or(0));
        let file = root
            .open(&format!("{folder}/{list}"))
            .map_err(|error| error.failure().unwrap_or("a list went away").to_owned())?;
        read(file, |stanza| {
            let arch = stanza.arch.as_str();
            let Some(known) = offers.get_mut(&(stanza.name.clone(), arch.to_owned())) else {
                return;
            };
            let has = versions.get(&(stanza.name.as_str(), arch)) == Some(&stanza.version.as_str());
            known.backed |= has && rank == Rank::Normal;
            let place = if rank == Rank::Normal { &mut known.normal } else { &mut known.held };
            if place.as_ref().is_none_or(|offer| compare(&stanza.version, &offer.version).is_gt()) {
                *place = Some(Offer {
                    version: stanza.version.clone(),
                    security,
                    phased: stanza.phased,
                });
            }
        })
        .map_err(|why| format!("{folder}/{list}: {why}"))?;
    }
    Ok((packages, offers, at))
}

fn has_preferences(root: &Root) -> bool {
    let written = |path: &str| {
        root.text(path)
            .is_ok_and(|text| text.lines().any(|line| line.trim_start().starts_with("Pin")))
    };
    let parts = root.names("/etc/apt/preferences.d").unwrap_or_default();
    written("/etc/apt/preferences")
        || parts.iter().any(|name| written(&format!("/etc/apt/preferences.d/{name}")))
}

/// What the release of a list says of it; nothing where it is offered only on demand.
fn release(root: &Root, folder: &str, list: &str) -> Result<Option<(Rank, bool)>, String> {
    // `host_dists_suite_component_binary-arch_Packages`
    let stem = list.rsplitn(4, '_').nth(3).unwrap_or(list);
    for end in ["InRelease", "Release"] {
        match root.large_text(&format!("{folder}/{stem}_{end}"), 16 * 1024 * 1024) {
            Ok(text) => {
                let yes = |name| value_of(&text, name, ':') == Some("yes");
                let word = |name| value_of(&text, name, ':').unwrap_or_default().to_lowercase();
                let security =
                    word("Label").contains("security") || word("Suite").ends_with("-security");
                let rank = if yes("NotAutomatic") { Rank::Held } else { Rank::Normal };
                let wanted = rank == Rank::Normal || yes("ButAutomaticUpgrades");
                return Ok(wanted.then_some((rank, security)));
            }
            Err(Unread::Absent) => {}
            Err(Unread::Failed(why)) => return Err(why),
        }
    }
    // A flat repository, or one without a release file: as good as any other.
    Ok(Some((Rank::Normal, false)))
}

#[derive(Debug, Default)]
struct Stanza {
    name: String,
    arch: String,
    version: String,
    phased: bool,
}

/// Goes through a list without holding it.
fn read(file: std::fs::File, mut found: impl FnMut(&Stanza)) -> Result<(), String> {
    let mut reader = BufReader::new(file.take(LIST_BYTES_MAX));
    let (mut stanza, mut line, mut bytes) = (Stanza::default(), Vec::new(), 0_u64);
    loop {
        line.clear();
        let read = read_line(&mut reader, &mut line).map_err(|error| error.to_string())?;
        bytes += read;
        if bytes >= LIST_BYTES_MAX {
            return Err("larger than 256 MiB".to_owned());
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() {
            if !stanza.name.is_empty() {
                found(&stanza);
            }
            stanza = Stanza::default();
        } else if let Some((name, value)) = text.split_once(": ") {
            match name {
                "Package" => value.clone_into(&mut stanza.name),
                "Architecture" => value.clone_into(&mut stanza.arch),
                "Version" => value.clone_into(&mut stanza.version),
                "Phased-Update-Percentage" => stanza.phased = value != "100",
                _ => {}
            }
        }
        if read == 0 {
            return Ok(());
        }
    }
}

/// One line; of a very long one its beginning.
fn read_line(reader: &mut impl BufRead, line: &mut Vec<u8>) -> std::io::Result<u64> {
    let mut all = 0;
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Ok(all);
        }
        let end = buffer.iter().position(|byte| *byte == b'\n').map(|at| at + 1);
        let piece = buffer.get(..end.unwrap_or(buffer.len())).unwrap_or_default();
        let room = LINE_BYTES_MAX.saturating_sub(line.len()).min(piece.len());
        line.extend_from_slice(piece.get(..room).unwrap_or_default());
        let used = piece.len();
        all += u64::try_from(used).unwrap_or(0);
        reader.consume(used);
        if end.is_some() {
            return Ok(all);
        }
    }
}
