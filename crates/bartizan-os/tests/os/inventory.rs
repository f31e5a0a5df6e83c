//! Every fact of the inventory against another source of it.

use std::collections::BTreeSet;
use std::process::Command;

use bartizan_os::inventory::read;

/// What a shell says.
fn shell(text: &str) -> String {
    let output = Command::new("/bin/sh").args(["-c", text]).output().expect("sh is missing");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "`{text}` failed; is the tool missing? {stderr}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn number(text: &str) -> u64 {
    shell(text).parse().unwrap()
}

#[test]
fn name_system_and_kernel_are_what_other_tools_say() {
    let inventory = read("9.8.7", "no cgroup");
    assert_eq!(inventory.hostname, shell("uname -n"));
    assert_eq!(inventory.kernel, shell("uname -r"));
    assert_eq!(inventory.os, shell(". /etc/os-release; echo \"$PRETTY_NAME\""));
    assert_eq!(inventory.agent, "9.8.7");
    assert_eq!(inventory.jobs, "no cgroup");
}

#[test]
fn processor_and_memory_are_what_other_tools_say() {
    let inventory = read("0.1.0", "no cgroup");
    assert_eq!(u64::try_from(inventory.cpu.count).unwrap(), number("nproc"));
    let physical = number("echo $(($(getconf _PHYS_PAGES) * $(getconf PAGE_SIZE)))");
    assert_eq!(inventory.memory.total, physical);
    let swap = number("awk 'NR > 1 { sum += $3 } END { printf \"%d\", sum }' /proc/swaps");
    assert_eq!(inventory.memory.swap, swap * 1024);
}

#[test]
fn uptime_is_rounded_down_to_five_minutes() {
    let before = number("cut -d. -f1 /proc/uptime");
    let uptime = read("0.1.0", "no cgroup").uptime_s;
    assert!(uptime.is_multiple_of(300) && uptime <= before + 1 && before < uptime + 300 + 1);
}

#[test]
fn disks_are_those_of_df() {
    for disk in read("0.1.0", "no cgroup").disks {
        let df = shell(&format!("df -B1 --output=size,fstype,avail '{}' | tail -n 1", disk.mount));
        let words: Vec<&str> = df.split_whitespace().collect();
        assert_eq!(words[0], disk.total.to_string(), "{disk:?}");
        assert_eq!(words[1], disk.kind, "{disk:?}");
        let free: u64 = words[2].parse().unwrap();
        // Others write to the disk meanwhile.
        assert!(disk.free.abs_diff(free) < 1024 * 1024 * 1024, "{disk:?} {free}");
    }
    let devices = shell("df --output=source | grep -c '^/dev/' || true").parse::<usize>().unwrap();
    assert!(devices == 0 || !read("0.1.0", "no cgroup").disks.is_empty());
}

#[test]
fn addresses_are_those_of_the_kernel() {
    // Addresses that exist within one link only are left out by this tool.
    let other: BTreeSet<String> =
        shell("hostname -I").split_whitespace().map(str::to_owned).collect();
    let ours: BTreeSet<String> = read("0.1.0", "no cgroup").addresses.into_iter().collect();
    let global: BTreeSet<String> =
        ours.iter().filter(|address| !address.starts_with("fe80:")).cloned().collect();
    assert_eq!(global, other);
    assert!(!ours.iter().any(|address| address.starts_with("127.") || address == "::1"));
}
