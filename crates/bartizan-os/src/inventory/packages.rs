//! Installed packages, from the package managers' own files. No package manager is started.

use std::collections::BTreeMap;

use super::root::{Root, Unread, value_of};
use super::section::{Item, Section};

/// Largest list of installed packages: a desktop with everything has a tenth of it.
const STATUS_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Whatever package managers there are.
pub(super) fn packages(root: &Root) -> Section {
    let mut section = Section::new("packages");
    let mut any = dpkg(root, &mut section);
    any |= apk(root, &mut section);
    any |= pacman(root, &mut section);
    any |= rpm(root, &mut section);
    any |= snap(root, &mut section);
    any |= flatpak(root, &mut section);
    if !any {
        section.unknown("packages", "no list of dpkg, apk, pacman, rpm, snap or flatpak is there");
    }
    section.finish()
}

/// A list; of one that is there and cannot be read nothing, and the reason.
fn read(root: &Root, path: &str, what: &str, section: &mut Section) -> Option<String> {
    match root.large_text(path, STATUS_BYTES_MAX) {
        Ok(text) => Some(text),
        Err(Unread::Absent) => None,
        Err(Unread::Failed(why)) => {
            section.unknown(what, &why);
            Some(String::new())
        }
    }
}

/// What dpkg has installed: name, architecture, version, and whether it is held.
pub(super) struct Installed {
    pub(super) name: String,
    pub(super) arch: String,
    pub(super) version: String,
    pub(super) source: String,
    pub(super) held: bool,
}

/// The stanzas of dpkg's status file.
pub(super) fn installed(text: &str) -> Vec<Installed> {
    let mut all = Vec::new();
    for stanza in text.split("\n\n") {
        let field = |name| value_of(stanza, name, ':').unwrap_or_default();
        let status: Vec<&str> = field("Status").split(' ').collect();
        if status.get(2) != Some(&"installed") || field("Package").is_empty() {
            continue;
        }
        all.push(Installed {
            name: field("Package").to_owned(),
            arch: field("Architecture").to_owned(),
            version: field("Version").to_owned(),
            source: field("Source").split(' ').next().unwrap_or_default().to_owned(),
            held: status.first() == Some(&"hold"),
        });
    }
    all
}

fn dpkg(root: &Root, section: &mut Section) -> bool {
    let Some(text) = read(root, "/var/lib/dpkg/status", "dpkg", section) else { return false };
    for one in installed(&text) {
        let item = Item::default()
            .text("name", &one.name)
            .text("version", &one.version)
            .text("arch", &one.arch)
            .text("source", if one.source == one.name { "" } else { &one.source })
            .text("manager", "dpkg");
        section.add(
            &format!("{}:{}", one.name, one.arch),
            if one.held { item.flag("held", true) } else { item },
        );
    }
    true
}

fn apk(root: &Root, section: &mut Section) -> bool {
    let found = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"]
        .iter()
        .find_map(|path| read(root, path, "apk", section));
    let Some(text) = found else { return false };
    for stanza in text.split("\n\n") {
        let field =
            |name| stanza.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        add(section, field("P:"), field("V:"), field("A:"), "apk");
    }
    true
}

fn add(section: &mut Section, name: &str, version: &str, arch: &str, manager: &str) {
    if name.is_empty() {
        return;
    }
    let item = Item::default().text("name", name).text("version", version).text("arch", arch);
    section.add(&format!("{name}:{arch}"), item.text("manager", manager));
}

fn pacman(root: &Root, section: &mut Section) -> bool {
    let folder = "/var/lib/pacman/local";
    let names = match root.names(folder) {
        Ok(names) => names,
        Err(Unread::Absent) => return false,
        Err(Unread::Failed(why)) => {
            section.unknown("pacman", &why);
            return true;
        }
    };
    for name in names {
        match root.text(&format!("{folder}/{name}/desc")) {
            Ok(text) => {
                let fields = marked(&text);
                let field = |name: &str| fields.get(name).copied().unwrap_or_default();
                add(section, field("NAME"), field("VERSION"), field("ARCH"), "pacman");
            }
            // A file beside the folders: `ALPM_DB_VERSION`.
            Err(Unread::Absent) => {}
            Err(Unread::Failed(why)) => section.unknown(&format!("pacman {name}"), &why),
        }
    }
    true
}

/// `%NAME%`, and its first value on the line after it.
fn marked(text: &str) -> BTreeMap<&str, &str> {
    let mut fields = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix('%').and_then(|line| line.strip_suffix('%')) {
            fields.entry(name).or_insert_with(|| lines.next().unwrap_or_default());
        }
    }
    fields
}

fn rpm(root: &Root, section: &mut Section) -> bool {
    let places = ["/var/lib/rpm", "/usr/lib/sysimage/rpm"];
    let bases = ["rpmdb.sqlite", "Packages", "Packages.db"];
    let there =
        places.iter().any(|place| bases.iter().any(|base| root.exists(&format!("{place}/{base}"))));
    // Debian has the program and an empty folder.
    if there {
        section.unknown(
            "rpm",
            "its database is read by rpm only, and the guard starts no program for an inventory",
        );
    }
    there
}

fn snap(root: &Root, section: &mut Section) -> bool {
    let Ok(files) = root.names("/var/lib/snapd/snaps") else { return false };
    for file in files {
        let Some((name, revision)) =
            file.strip_suffix(".snap").and_then(|file| file.rsplit_once('_'))
        else {
            continue;
        };
        // Older revisions are kept for a way back; the link names the one in use.
        if root.link(&format!("/snap/{name}/current")).is_some_and(|current| current != revision) {
            continue;
        }
        let about =
            root.text(&format!("/snap/{name}/{revision}/meta/snap.yaml")).unwrap_or_default();
        let version = value_of(&about, "version", ':').unwrap_or_default();
        let item =
            Item::default().text("name", name).text("version", version).text("revision", revision);
        section.add(&format!("snap {name}"), item.text("manager", "snap"));
    }
    true
}

fn flatpak(root: &Root, section: &mut Section) -> bool {
    let base = "/var/lib/flatpak";
    let mut any = false;
    for kind in ["app", "runtime"] {
        let Ok(names) = root.names(&format!("{base}/{kind}")) else { continue };
        any = true;
        for name in names {
            for arch in root.names(&format!("{base}/{kind}/{name}")).unwrap_or_default() {
                if arch == "current" {
                    continue;
                }
                for branch in
                    root.names(&format!("{base}/{kind}/{name}/{arch}")).unwrap_or_default()
                {
                    let commit = root
                        .link(&format!("{base}/{kind}/{name}/{arch}/{branch}/active"))
                        .unwrap_or_default();
                    let item = Item::default()
                        .text("name", &name)
                        .text("version", &branch)
                        .text("arch", &arch)
                        .text("commit", commit.get(..12).unwrap_or(&commit));
                    section.add(
                        &format!("flatpak {name}/{arch}/{branch}"),
                        item.text("manager", "flatpak"),
                    );
                }
            }
        }
    }
    any
}
