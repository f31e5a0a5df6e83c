//! Machines that say nothing, machines that say too much, and this one.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use bartizan_os::inventory::{Fact, Root};
use bartizan_os::limits::{SECTION_ITEMS_MAX, SECTION_TEXT_BYTES_MAX};

use super::{Machine, Sections, of, sections, unknown};

#[test]
fn an_empty_machine_knows_nothing_and_says_so_everywhere() {
    let all = Machine::new(&[]).read();
    let unknown = unknown(&all);
    for what in [
        "hardware ?vendor",
        "hardware ?cpu",
        "hardware ?memory",
        "disks ?disks",
        "os ?name",
        "os ?kernel",
        "os ?boot",
        "os ?time_zone",
        "filesystems ?filesystems",
        "network ?interfaces",
        "network ?routes",
        "network ?dns",
        "users ?users",
        "groups ?groups",
        "services ?services",
        "packages ?packages",
        "updates ?reboot",
        "updates ?pending",
        "ports ?tcp",
        "ports ?udp",
        "security ?encryption",
    ] {
        assert!(unknown.get(what).is_some_and(|why| !why.is_empty()), "{what}: {unknown:?}");
    }
}

/// What a section must be whatever the machine's files say.
fn check_limits(all: &Sections) {
    for section in all.values() {
        assert!(section.items.len() <= SECTION_ITEMS_MAX + 64, "{}", section.name);
        for (key, item) in &section.items {
            let texts = item.0.values().filter_map(|fact| match fact {
                Fact::Text(text) => Some(text.as_str()),
                Fact::Flag(_) | Fact::Number(_) => None,
            });
            for text in texts.chain([key.as_str()]) {
                assert!(text.len() <= SECTION_TEXT_BYTES_MAX, "{} {key}", section.name);
                assert!(!text.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
            }
        }
    }
}

#[test]
fn hostile_files_are_bounded_and_plain() {
    let giant = "x".repeat(300 * 1024);
    let many = (0..20_000).fold(String::new(), |mut text, number| {
        text.push_str(&format!("u{number}:x:{number}:1::/:/bin/sh\n"));
        text
    });
    let machine = Machine::new(&[
        ("/etc/os-release", &format!("PRETTY_NAME=\"\u{1b}[31m\u{202e}evil\"\nID={giant}\n")),
        ("/proc/sys/kernel/hostname", &format!("{giant}\n")),
        ("/etc/passwd", &many),
        ("/etc/group", &format!("g:x:1:{}\n", "member,".repeat(50_000))),
        (
            "/var/lib/dpkg/status",
            &format!(
                "Package: a\nStatus: install ok installed\nVersion: {giant}\nArchitecture: \u{7}all\n"
            ),
        ),
        (
            "/proc/net/tcp",
            "head\n\n \n0: zz zz 0A\n0: FFFFFFFF:FFFFF 00000000:0000 0A\n0: 0100007F:0016\n",
        ),
        ("/proc/net/fib_trie", "     |-- 999.1.2.3\n        /32 host LOCAL\n"),
        ("/proc/net/route", "Iface\neth0 zz zz\neth0\n"),
        ("/sys/class/net/eth0\u{202e}/address", "de:ad\n"),
        ("/var/lib/docker/containers/x/config.v2.json", &"[".repeat(200_000)),
        ("/var/lib/containers/storage/overlay-containers/containers.json", "{}"),
    ]);
    machine.put("/etc/resolv.conf", b"nameserver \xff\xfe\n");
    machine.put("/var/log/lastlog", b"short");
    machine.link("/usr/lib/systemd/system/loop.service", "loop.service");
    machine.link("/etc/letsencrypt/live/circle", "/etc/letsencrypt/live");
    machine.link("/sys/class/block/dm-0/slaves/dm-0", "../../dm-0");
    machine.link("/etc/nginx/again", ".");
    rustix::fs::mkfifoat(rustix::fs::CWD, machine.path("/etc/shadow"), 0o600.into()).unwrap();
    machine.put("/proc/self/mounts", b"/dev/dm-0 / ext4 rw 0 0\nbroken\n/dev/x\n");
    let all = machine.read();
    check_limits(&all);
    assert!(unknown(&all)["os ?name"].contains("larger"), "{:?}", unknown(&all));
    assert!(unknown(&all)["users ?more"].contains("left out"));
    assert!(unknown(&all)["users ?password"].contains("no file"));
    assert!(all["ports"].items.keys().all(|key| key.starts_with('?')), "{:?}", all["ports"]);
    assert!(of(&all, "groups", "g", "members").ends_with('…'));
}

#[test]
fn this_machine_is_what_its_own_tools_say() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let begun = Instant::now();
    let all = sections(&Root::machine());
    let took = begun.elapsed();
    check_limits(&all);
    // Not a measurement: something that waits for ever would show here.
    assert!(took < Duration::from_mins(5), "{took:?}");
    let shell = |text: &str| {
        let output = Command::new("/bin/sh").args(["-c", text]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let key = format!("tcp 127.0.0.1:{port}");
    let own = fs::read_to_string("/proc/self/comm").unwrap();
    assert_eq!(of(&all, "ports", &key, "process"), own.trim());
    assert_eq!(of(&all, "os", "kernel", "value"), shell("uname -r"));
    assert_eq!(of(&all, "os", "architecture", "value"), shell("uname -m"));
    assert_eq!(of(&all, "users", "root", "home"), "/root");
    if Path::new("/var/lib/dpkg/status").exists() {
        let theirs = shell(
            "dpkg-query -W -f '${db:Status-Abbrev}|${Package}:${Architecture}|${Version}\n' | grep '^.i'",
        );
        let theirs: BTreeMap<&str, &str> =
            theirs.lines().filter_map(|line| line.split_once('|')?.1.split_once('|')).collect();
        let ours: BTreeMap<&str, &str> = all["packages"]
            .items
            .iter()
            .filter(|(_, item)| item.as_text("manager") == Some("dpkg"))
            .map(|(key, item)| (key.as_str(), item.as_text("version").unwrap()))
            .collect();
        assert!(theirs.len() > 50 && ours == theirs, "{} and {}", ours.len(), theirs.len());
    }
}
