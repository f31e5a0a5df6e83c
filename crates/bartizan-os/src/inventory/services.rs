//! Services, from unit files and cgroups; nothing is asked of the service manager.

use std::collections::{BTreeMap, BTreeSet};

use super::root::{Root, Unread, value_of};
use super::section::{Item, Section};

/// Where units are, the first place before the next.
const PLACES: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];
/// Where systemd keeps the cgroups of services.
const SLICE: &str = "/sys/fs/cgroup/system.slice";

/// Services of systemd or OpenRC.
pub(super) fn services(root: &Root) -> Section {
    let mut section = Section::new("services");
    let has_units =
        PLACES.iter().any(|place| root.names(place).is_ok_and(|names| !names.is_empty()));
    if root.exists("/etc/runlevels") && !root.exists("/run/systemd/system") {
        openrc(root, &mut section);
    } else if has_units {
        systemd(root, &mut section);
    } else {
        section
            .unknown("services", "neither unit files of systemd nor runlevels of OpenRC are there");
    }
    section.finish()
}

fn systemd(root: &Root, section: &mut Section) {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for place in PLACES {
        match root.names(place) {
            Ok(names) => {
                for name in names.into_iter().filter(|name| name.ends_with(".service")) {
                    let path = format!("{place}/{name}");
                    files.entry(name).or_insert(path);
                }
            }
            Err(Unread::Absent) => {}
            Err(Unread::Failed(why)) => section.unknown("units", &why),
        }
    }
    let enabled = enabled(root);
    let running = running(root);
    if running.is_none() {
        section.unknown("state", "systemd's cgroups are not there, so what runs is not known");
    }
    for (name, path) in &files {
        let instances = instances(name, running.as_ref(), &enabled);
        for instance in instances {
            let item = unit(root, path, &instance, &enabled, running.as_ref());
            section.add(instance.trim_end_matches(".service"), item);
        }
    }
}

/// A template is not a service; what was made of it is.
fn instances(
    name: &str,
    running: Option<&BTreeSet<String>>,
    enabled: &BTreeSet<String>,
) -> Vec<String> {
    let Some((template, _)) = name.split_once("@.") else { return vec![name.to_owned()] };
    let of =
        |other: &&String| other.starts_with(&format!("{template}@")) && other.ends_with(".service");
    let all: BTreeSet<&String> =
        running.into_iter().flatten().filter(of).chain(enabled.iter().filter(of)).collect();
    all.into_iter().filter(|other| *other != name).take(64).cloned().collect()
}

fn unit(
    root: &Root,
    path: &str,
    name: &str,
    enabled: &BTreeSet<String>,
    running: Option<&BTreeSet<String>>,
) -> Item {
    let item = Item::default().text("name", name.trim_end_matches(".service"));
    if root.link(path).as_deref() == Some("/dev/null") {
        return item.text("start", "masked");
    }
    let text = root.text(path).unwrap_or_default();
    let start = if enabled.contains(name) {
        "enabled"
    } else if text.lines().any(|line| line.trim() == "[Install]") {
        "disabled"
    } else {
        "on demand"
    };
    let item = item
        .text("start", start)
        .text("description", value_of(&text, "Description", '=').unwrap_or_default())
        .text("program", program(&text));
    // What runs for a moment would be a change every time it is looked at.
    let lasting = value_of(&text, "Type", '=') != Some("oneshot");
    match running.filter(|_| lasting) {
        Some(running) => {
            item.text("state", if running.contains(name) { "running" } else { "stopped" })
        }
        None => item,
    }
}

/// The program of a unit without its arguments: those may hold secrets.
fn program(text: &str) -> &str {
    let line = value_of(text, "ExecStart", '=').unwrap_or_default();
    line.trim_start_matches(['-', '@', ':', '+', '!']).split_whitespace().next().unwrap_or_default()
}

fn enabled(root: &Root) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for place in PLACES {
        for folder in root.names(place).unwrap_or_default() {
            if has_end(&folder, &["wants", "requires"]) {
                all.extend(root.names(&format!("{place}/{folder}")).unwrap_or_default());
            }
        }
    }
    all
}

/// Every service with processes, as far as systemd nests them.
fn running(root: &Root) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::new();
    for name in root.names(SLICE).ok()? {
        if has_end(&name, &["slice"]) {
            for inner in root.names(&format!("{SLICE}/{name}")).unwrap_or_default() {
                if is_populated(root, &format!("{SLICE}/{name}/{inner}")) {
                    all.insert(inner);
                }
            }
        } else if is_populated(root, &format!("{SLICE}/{name}")) {
            all.insert(name);
        }
    }
    Some(all)
}

pub(super) fn is_populated(root: &Root, folder: &str) -> bool {
    folder.ends_with(".service") && populated(root, folder)
}

/// Whether a cgroup has processes.
pub(super) fn populated(root: &Root, folder: &str) -> bool {
    root.text(&format!("{folder}/cgroup.events"))
        .is_ok_and(|text| text.lines().any(|line| line == "populated 1"))
}

/// Whether a name has one of these words behind its last dot.
fn has_end(name: &str, ends: &[&str]) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| ends.contains(&end))
}

fn openrc(root: &Root, section: &mut Section) {
    let names = match root.names("/etc/init.d") {
        Ok(names) => names,
        Err(error) => {
            return section
                .unknown("services", error.failure().unwrap_or("/etc/init.d is not there"));
        }
    };
    let mut enabled: BTreeMap<String, String> = BTreeMap::new();
    for level in root.names("/etc/runlevels").unwrap_or_default() {
        for name in root.names(&format!("/etc/runlevels/{level}")).unwrap_or_default() {
            enabled.entry(name).or_insert_with(|| level.clone());
        }
    }
    let started = root.names("/run/openrc/started");
    if started.is_err() {
        section.unknown("state", "/run/openrc/started is not there, so what runs is not known");
    }
    for name in names.iter().filter(|name| !has_end(name, &["sh"]) && *name != "README") {
        let mut item = Item::default().text("name", name);
        item = item.text("start", if enabled.contains_key(name) { "enabled" } else { "disabled" });
        item = item.maybe("runlevel", enabled.get(name).map(String::as_str));
        if let Ok(started) = &started {
            item = item.text("state", if started.contains(name) { "running" } else { "stopped" });
        }
        section.add(name, item);
    }
}
