//! The sections of an inventory: of machines made of files, of hostile ones, and of this machine.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use bartizan_os::inventory::{
    Fact, FoundCertificate, Item, Reading, Root, Section, ToldCertificate, collect,
};

mod hostile;
mod things;

type Sections = BTreeMap<&'static str, Section>;

/// A machine made of files.
struct Machine(tempfile::TempDir);

impl Machine {
    fn new(files: &[(&str, &str)]) -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        for (path, text) in files {
            machine.put(path, text.as_bytes());
        }
        machine
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        let path = self.0.path().join(path.trim_start_matches('/'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        fs::write(self.path(path), bytes).unwrap();
    }

    fn link(&self, path: &str, to: &str) {
        symlink(to, self.path(path)).unwrap();
    }

    fn read(&self) -> Sections {
        sections(&Root::new(self.0.path()))
    }
}

/// What dpkg itself says of two versions.
fn by_dpkg(left: &str, right: &str) -> Ordering {
    let says = |operator: &str| {
        let dpkg =
            Command::new("dpkg").args(["--compare-versions", left, operator, right]).status();
        dpkg.expect("install `dpkg`").success()
    };
    if says("lt") {
        Ordering::Less
    } else if says("gt") {
        Ordering::Greater
    } else {
        Ordering::Equal
    }
}

fn reads_none(_: &[FoundCertificate]) -> Result<Vec<Option<ToldCertificate>>, String> {
    Err("nobody reads certificates in this test".to_owned())
}

fn sections(root: &Root) -> Sections {
    let reading =
        Reading { agent: "9.8.7", jobs: "no cgroup", compare: by_dpkg, certificates: &reads_none };
    let mut all = Sections::new();
    collect(root, &reading, |section| {
        assert!(all.insert(section.name, section).is_none());
    });
    all
}

/// A field as text.
fn of<'s>(sections: &'s Sections, section: &str, key: &str, field: &str) -> &'s str {
    let items = &sections[section].items;
    let item = items.get(key).unwrap_or_else(|| panic!("no `{key}` in {:?}", items.keys()));
    item.as_text(field).unwrap_or_default()
}

fn number(item: &Item, field: &str) -> Option<i64> {
    match item.0.get(field) {
        Some(Fact::Number(number)) => Some(*number),
        _ => None,
    }
}

/// What is unknown, and why.
fn unknown(sections: &Sections) -> BTreeMap<String, String> {
    let of = |(name, section): (&&str, &Section)| {
        let name = (*name).to_owned();
        section
            .items
            .iter()
            .filter(|(key, _)| key.starts_with('?'))
            .map(|(key, item)| {
                (format!("{name} {key}"), item.as_text("unknown").unwrap().to_owned())
            })
            .collect::<Vec<_>>()
    };
    sections.iter().flat_map(of).collect()
}

const DPKG: &str = "Package: openssl
Status: install ok installed
Architecture: amd64
Source: openssl (3.0.11)
Version: 3.0.11-1~deb12u2
Description: a toolkit
 of several lines

Package: gone
Status: deinstall ok config-files
Architecture: all
Version: 1

Package: libssl3
Status: hold ok installed
Architecture: amd64
Source: openssl
Version: 3.0.11-1~deb12u2

Package: tool
Status: install ok installed
Architecture: all
Version: 2:1.0-1
";

#[test]
fn a_machine_of_the_debian_family() {
    let machine = Machine::new(&[
        (
            "/etc/os-release",
            "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n",
        ),
        ("/var/lib/dpkg/status", DPKG),
        ("/proc/sys/kernel/hostname", "web-1\n"),
        ("/proc/stat", "cpu 1 2 3\nbtime 1767225661\n"),
        ("/etc/timezone", "Europe/Berlin\n"),
        ("/run/reboot-required", "*** System restart required ***\n"),
        ("/run/reboot-required.pkgs", "linux-image\nlibc6\nlibc6\n"),
    ]);
    let all = machine.read();
    assert_eq!(of(&all, "os", "id", "value"), "debian");
    assert_eq!(of(&all, "os", "hostname", "value"), "web-1");
    assert_eq!(of(&all, "os", "time_zone", "value"), "Europe/Berlin");
    assert_eq!(number(&all["os"].items["boot"], "at"), Some(1_767_225_660));
    let packages = &all["packages"].items;
    assert_eq!(packages.keys().collect::<Vec<_>>(), ["libssl3:amd64", "openssl:amd64", "tool:all"]);
    assert_eq!(of(&all, "packages", "libssl3:amd64", "version"), "3.0.11-1~deb12u2");
    assert_eq!(of(&all, "packages", "libssl3:amd64", "source"), "openssl");
    assert_eq!(packages["libssl3:amd64"].0["held"], Fact::Flag(true));
    assert_eq!(of(&all, "updates", "reboot", "for"), "libc6, linux-image");
    assert_eq!(all["updates"].items["reboot"].0["pending"], Fact::Flag(true));
    assert_eq!(of(&all, "agent", "version", "value"), "9.8.7");
}

#[test]
fn updates_are_what_the_lists_of_apt_offer() {
    let stanza = |name: &str, version: &str, more: &str| {
        format!("Package: {name}\nArchitecture: amd64\nVersion: {version}\n{more}\n")
    };
    let lists = "/var/lib/apt/lists/deb.example_dists";
    let machine = Machine::new(&[
        ("/var/lib/dpkg/status", DPKG),
        (
            &format!("{lists}_bookworm_main_binary-amd64_Packages"),
            &(stanza("openssl", "3.0.11-1~deb12u2", "")
                + &stanza("libssl3", "3.0.14-1", "")
                + &stanza("elsewhere", "9", "")),
        ),
        (&format!("{lists}_bookworm_InRelease"), "Label: Debian\nSuite: stable\n"),
        (
            &format!("{lists}_bookworm-security_main_binary-amd64_Packages"),
            &stanza("openssl", "3.0.14-1~deb12u1", ""),
        ),
        (
            &format!("{lists}_bookworm-security_InRelease"),
            "Label: Debian-Security\nSuite: stable-security\n",
        ),
        // On demand only, however new.
        (
            &format!("{lists}_experimental_main_binary-amd64_Packages"),
            &stanza("openssl", "9.9", ""),
        ),
        (&format!("{lists}_experimental_InRelease"), "NotAutomatic: yes\n"),
        (&format!("{lists}_backports_main_binary-amd64_Packages"), &stanza("openssl", "3.5", "")),
        (&format!("{lists}_backports_InRelease"), "NotAutomatic: yes\nButAutomaticUpgrades: yes\n"),
    ]);
    let all = machine.read();
    assert_eq!(of(&all, "updates", "openssl:amd64", "version"), "3.0.14-1~deb12u1");
    assert_eq!(all["updates"].items["openssl:amd64"].0["security"], Fact::Flag(true));
    assert_eq!(of(&all, "updates", "libssl3:amd64", "waits"), "held");
    let pending = &all["updates"].items["pending"];
    assert_eq!((number(pending, "count"), number(pending, "security")), (Some(1), Some(1)));
    assert_eq!(number(pending, "held"), Some(1));

    let phased = stanza("openssl", "3.1-1", "Phased-Update-Percentage: 20\n");
    machine
        .put(&format!("{lists}_bookworm-security_main_binary-amd64_Packages"), phased.as_bytes());
    let all = machine.read();
    assert_eq!(of(&all, "updates", "openssl:amd64", "waits"), "phased");
    assert_eq!(number(&all["updates"].items["pending"], "count"), Some(0));

    // Where only apt can tell, nobody guesses.
    machine.put("/etc/apt/preferences.d/mine", b"Package: *\nPin: release a=experimental\n");
    let why = &unknown(&machine.read())["updates ?pending"];
    assert!(why.contains("preferences"), "{why}");
    fs::remove_file(machine.path("/etc/apt/preferences.d/mine")).unwrap();
    machine.put(&format!("{lists}_x_main_binary-amd64_Packages.lz4"), b"packed");
    assert!(unknown(&machine.read())["updates ?pending"].contains("compressed"));
}

#[test]
fn a_machine_of_alpine() {
    let machine = Machine::new(&[
        (
            "/etc/os-release",
            "NAME=\"Alpine Linux\"\nID=alpine\nPRETTY_NAME=\"Alpine Linux v3.20\"\n",
        ),
        (
            "/lib/apk/db/installed",
            "C:Q1x=\nP:musl\nV:1.2.5-r0\nA:x86_64\nF:lib\nR:libc.so\n\nP:busybox\nV:1.36.1-r29\nA:x86_64\n\n",
        ),
        ("/etc/init.d/sshd", "#!/sbin/openrc-run\n"),
        ("/etc/init.d/crond", "#!/sbin/openrc-run\n"),
        ("/etc/runlevels/default/sshd", ""),
        ("/run/openrc/started/sshd", ""),
    ]);
    let all = machine.read();
    assert_eq!(of(&all, "packages", "musl:x86_64", "version"), "1.2.5-r0");
    assert_eq!(of(&all, "packages", "busybox:x86_64", "manager"), "apk");
    assert_eq!(of(&all, "services", "sshd", "start"), "enabled");
    assert_eq!(of(&all, "services", "sshd", "state"), "running");
    assert_eq!(of(&all, "services", "crond", "state"), "stopped");
    let unknown = unknown(&all);
    assert!(unknown["updates ?reboot"].contains("Debian"), "{unknown:?}");
    assert!(unknown["updates ?pending"].contains("dpkg"), "{unknown:?}");
}

#[test]
fn machines_of_arch_and_fedora() {
    let machine = Machine::new(&[
        ("/var/lib/pacman/local/ALPM_DB_VERSION", "9\n"),
        (
            "/var/lib/pacman/local/pacman-6.1.0-3/desc",
            "%NAME%\npacman\n\n%VERSION%\n6.1.0-3\n\n%ARCH%\nx86_64\n\n%DEPENDS%\nbash\n",
        ),
        ("/usr/lib/sysimage/rpm/rpmdb.sqlite", "SQLite format 3"),
    ]);
    let all = machine.read();
    assert_eq!(of(&all, "packages", "pacman:x86_64", "version"), "6.1.0-3");
    assert!(unknown(&all)["packages ?rpm"].contains("rpm"));
    assert!(!unknown(&all).contains_key("packages ?packages"));
    // Debian has rpm's program and an empty folder for it.
    let machine = Machine::new(&[("/var/lib/rpm/.keep", ""), ("/var/lib/dpkg/status", DPKG)]);
    assert!(!unknown(&machine.read()).contains_key("packages ?rpm"));
}

#[test]
fn snaps_and_flatpaks() {
    let machine = Machine::new(&[
        ("/var/lib/snapd/snaps/core22_1380.snap", "squashfs"),
        ("/var/lib/snapd/snaps/core22_1400.snap", "squashfs"),
        ("/snap/core22/1400/meta/snap.yaml", "name: core22\nversion: '20240419'\n"),
        ("/var/lib/flatpak/app/org.gimp.GIMP/x86_64/stable/0123/metadata", ""),
    ]);
    machine.link("/snap/core22/current", "1400");
    machine.link("/var/lib/flatpak/app/org.gimp.GIMP/current", "x86_64/stable");
    machine.link("/var/lib/flatpak/app/org.gimp.GIMP/x86_64/stable/active", "0123456789abcdef");
    let all = machine.read();
    assert_eq!(of(&all, "packages", "snap core22", "version"), "20240419");
    assert_eq!(of(&all, "packages", "snap core22", "revision"), "1400");
    assert_eq!(
        of(&all, "packages", "flatpak org.gimp.GIMP/x86_64/stable", "commit"),
        "0123456789ab"
    );
}
