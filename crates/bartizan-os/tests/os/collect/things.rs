//! Services, accounts, hardware, listeners, containers, certificates: each from its files.

use bartizan_os::inventory::{Fact, FoundCertificate, Reading, Root, ToldCertificate, collect};

use super::{Machine, by_dpkg, number, of, unknown};

#[test]
fn services_come_from_units_and_cgroups() {
    let unit = |text: &str| {
        format!(
            "[Unit]\nDescription=A {text}\n[Service]\nExecStart=-/usr/sbin/{text} --password=secret\n[Install]\nWantedBy=multi-user.target\n"
        )
    };
    let machine = Machine::new(&[
        ("/usr/lib/systemd/system/nginx.service", &unit("nginx")),
        ("/usr/lib/systemd/system/idle.service", &unit("idle")),
        (
            "/usr/lib/systemd/system/backup.service",
            "[Service]\nType=oneshot\nExecStart=/bin/backup\n",
        ),
        ("/usr/lib/systemd/system/vpn@.service", &unit("vpn")),
        ("/etc/systemd/system/nginx.service", &unit("own")),
        ("/sys/fs/cgroup/system.slice/nginx.service/cgroup.events", "populated 1\nfrozen 0\n"),
        ("/sys/fs/cgroup/system.slice/idle.service/cgroup.events", "populated 0\n"),
        ("/sys/fs/cgroup/system.slice/backup.service/cgroup.events", "populated 1\n"),
        (
            "/sys/fs/cgroup/system.slice/system-vpn.slice/vpn@hq.service/cgroup.events",
            "populated 1\n",
        ),
    ]);
    machine.link(
        "/etc/systemd/system/multi-user.target.wants/nginx.service",
        "/etc/systemd/system/nginx.service",
    );
    machine.link("/etc/systemd/system/old.service", "/dev/null");
    let all = machine.read();
    assert_eq!(of(&all, "services", "nginx", "state"), "running");
    assert_eq!(of(&all, "services", "nginx", "start"), "enabled");
    // The machine's own unit hides the package's, and arguments stay where they are.
    assert_eq!(of(&all, "services", "nginx", "program"), "/usr/sbin/own");
    assert_eq!(of(&all, "services", "idle", "state"), "stopped");
    assert_eq!(of(&all, "services", "idle", "start"), "disabled");
    assert_eq!(of(&all, "services", "vpn@hq", "state"), "running");
    assert_eq!(of(&all, "services", "old", "start"), "masked");
    assert!(!all["services"].items["backup"].0.contains_key("state"));
    assert!(!format!("{all:?}").contains("secret"));
    let machine = Machine::new(&[("/lib/systemd/system/a.service", &unit("a"))]);
    assert!(unknown(&machine.read())["services ?state"].contains("cgroups"));
}

#[test]
fn accounts_without_secrets() {
    let machine = Machine::new(&[
        (
            "/etc/passwd",
            "root:x:0:0:root:/root:/bin/bash\nalice:x:3:1000:Alice A,Room 1,,:/home/alice:/bin/zsh\nnobody:x:no:1:::\nshort\n",
        ),
        ("/etc/shadow", "root:!:19000::::::\nalice:$6$salt$verysecret:19000:0:99999:7:::\n"),
        ("/etc/group", "root:x:0:\nsudo:x:27:alice,bob\n"),
    ]);
    let mut lastlog = vec![0; 292 * 4];
    lastlog[292 * 3..292 * 3 + 4].copy_from_slice(&1_767_225_600_u32.to_ne_bytes());
    lastlog[292 * 3 + 36..292 * 3 + 45].copy_from_slice(b"192.0.2.7");
    machine.put("/var/log/lastlog", &lastlog);
    let all = machine.read();
    let users = &all["users"].items;
    assert_eq!(users.keys().collect::<Vec<_>>(), ["alice", "root"]);
    assert_eq!(of(&all, "users", "alice", "password"), "set");
    assert_eq!(of(&all, "users", "root", "password"), "locked");
    assert_eq!(number(&users["alice"], "last_login"), Some(1_767_225_600));
    assert_eq!(of(&all, "users", "alice", "last_login_from"), "192.0.2.7");
    assert_eq!(number(&users["root"], "last_login"), None);
    assert_eq!(of(&all, "groups", "sudo", "members"), "alice, bob");
    assert!(!format!("{all:?}").contains("verysecret"));
}

#[test]
fn hardware_disks_and_encryption() {
    let machine = Machine::new(&[
        ("/sys/class/dmi/id/sys_vendor", "Dell Inc.\n"),
        ("/sys/class/dmi/id/product_name", "PowerEdge R640\n"),
        ("/sys/class/dmi/id/product_serial", "ABC1234\n"),
        ("/sys/class/dmi/id/board_name", "To Be Filled By O.E.M.\n"),
        ("/sys/class/dmi/id/chassis_type", "23\n"),
        (
            "/proc/cpuinfo",
            "processor\t: 0\nmodel name\t: Xeon\n\nprocessor\t: 1\nmodel name\t: Xeon\n",
        ),
        ("/proc/meminfo", "MemTotal:       1024 kB\nSwapTotal:  0 kB\n"),
        ("/sys/block/sda/size", "2048\n"),
        ("/sys/block/sda/device/model", "SSD 870 EVO\n"),
        ("/sys/block/sda/queue/rotational", "0\n"),
        ("/sys/block/sr0/size", "0\n"),
        ("/sys/block/loop0/size", "8\n"),
        ("/sys/block/dm-0/size", "1024\n"),
        ("/sys/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n"),
        ("/sys/block/dm-0/dm/name", "root\n"),
        ("/sys/class/block/dm-0/dm/uuid", "CRYPT-LUKS2-0123-root\n"),
        (
            "/proc/self/mounts",
            "/dev/mapper/root / ext4 rw 0 0\n/dev/mapper/root /again ext4 rw 0 0\nnas:/vol /mnt/n\\040as nfs4 ro 0 0\nproc /proc proc rw 0 0\n",
        ),
    ]);
    let all = machine.read();
    assert_eq!(of(&all, "hardware", "model", "value"), "PowerEdge R640");
    assert_eq!(of(&all, "hardware", "serial", "value"), "ABC1234");
    assert_eq!(of(&all, "hardware", "chassis", "value"), "server");
    assert!(!all["hardware"].items.contains_key("board"));
    assert_eq!(number(&all["hardware"].items["cpu"], "count"), Some(2));
    assert_eq!(number(&all["hardware"].items["memory"], "total"), Some(1024 * 1024));
    assert_eq!(all["disks"].items.keys().collect::<Vec<_>>(), ["dm-0", "sda"]);
    assert_eq!(of(&all, "disks", "sda", "kind"), "solid state");
    assert_eq!(of(&all, "disks", "dm-0", "encryption"), "LUKS2");
    assert_eq!(all["security"].items["encryption"].0["root_encrypted"], Fact::Flag(true));
    assert_eq!(all["filesystems"].items.keys().collect::<Vec<_>>(), ["/", "/mnt/n as"]);
    assert!(of(&all, "filesystems", "/mnt/n as", "size_unknown").contains("another machine"));
}

#[test]
fn listeners_have_owners_and_clients_are_none() {
    let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    let line = |local: &str, state: &str, uid: u32, inode: u32| {
        format!(
            "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:5}        0 {inode} 1 0000 100 0 0 10 0\n"
        )
    };
    let tcp = head.to_owned()
        + &line("0100007F:0D3D", "0A", 33, 1001)
        + &line("0100007F:9999", "01", 0, 1002);
    let udp = head.to_owned()
        + &line("00000000:0035", "07", 0, 1003)
        + &line("00000000:EA60", "07", 0, 1004);
    let tcp6 = head.to_owned() + &line("00000000000000000000000000000000:0016", "0A", 0, 1005);
    let machine = Machine::new(&[
        ("/proc/net/tcp", &tcp),
        ("/proc/net/udp", &udp),
        ("/proc/net/tcp6", &tcp6),
        ("/proc/77/comm", "xrdp\n"),
        ("/etc/passwd", "www-data:x:33:33::/:/bin/false\n"),
    ]);
    machine.link("/proc/77/fd/3", "socket:[1001]");
    machine.link("/proc/77/fd/4", "pipe:[9]");
    let all = machine.read();
    let ports = &all["ports"].items;
    assert_eq!(
        ports.keys().collect::<Vec<_>>(),
        ["tcp 127.0.0.1:3389", "tcp [::]:22", "udp 0.0.0.0:53"]
    );
    assert_eq!(of(&all, "ports", "tcp 127.0.0.1:3389", "process"), "xrdp");
    assert_eq!(of(&all, "ports", "tcp 127.0.0.1:3389", "user"), "www-data");
    assert_eq!(number(&ports["tcp [::]:22"], "port"), Some(22));
}

#[test]
fn containers_of_each_runtime() {
    let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let docker = r#"{"Name":"/web","Created":"2026-01-02T03:04:05.678Z","State":{"Running":true},"Config":{"Image":"nginx:1.27","Env":["KEY=secret"]}}"#;
    let podman = format!(
        r#"[{{"id":"{id}","names":["db"],"created":"2026-01-01T00:00:00Z","metadata":"{{\"image-name\":\"postgres:17\"}}"}},{{"id":"../../etc"}}]"#
    );
    let machine = Machine::new(&[
        (&format!("/var/lib/docker/containers/{id}/config.v2.json"), docker),
        ("/var/lib/docker/containers/ffff00000000/config.v2.json", "{"),
        ("/var/lib/containers/storage/overlay-containers/containers.json", &podman),
        (&format!("/sys/fs/cgroup/machine.slice/libpod-{id}.scope/cgroup.events"), "populated 1\n"),
        ("/run/containerd/io.containerd.runtime.v2.task/k8s.io/abc/config.json", "{}"),
        ("/run/containerd/io.containerd.runtime.v2.task/moby/abc/config.json", "{}"),
    ]);
    let all = machine.read();
    assert_eq!(of(&all, "containers", "docker 0123456789ab", "image"), "nginx:1.27");
    assert_eq!(of(&all, "containers", "docker 0123456789ab", "state"), "running");
    assert_eq!(of(&all, "containers", "podman 0123456789ab", "image"), "postgres:17");
    assert_eq!(of(&all, "containers", "podman 0123456789ab", "state"), "running");
    assert_eq!(of(&all, "containers", "containerd k8s.io abc", "namespace"), "k8s.io");
    assert_eq!(all["containers"].items.len(), 4);
    assert!(unknown(&all)["containers ?docker ffff00000000"].contains("JSON"));
    assert!(!format!("{all:?}").contains("secret"));
}

#[test]
fn certificates_are_found_and_keys_left_alone() {
    let certificate = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nAAAA\nBBBB\n-----END CERTIFICATE-----\n";
    let machine = Machine::new(&[
        ("/etc/nginx/ssl/site.pem", certificate),
        ("/etc/nginx/nginx.conf", "ssl_certificate ssl/site.pem;"),
        ("/etc/letsencrypt/live/example/cert.pem", &certificate.replace("BBBB", "CCCC")),
        ("/etc/letsencrypt/live/example/fullchain.pem", certificate),
        ("/etc/ssl/certs/ca-certificates.crt", certificate),
    ]);
    let all = machine.read();
    let found = &all["certificates"].items;
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        ["/etc/letsencrypt/live/example/cert.pem", "/etc/nginx/ssl/site.pem", "?details"]
    );
    assert!(!format!("{all:?}").contains("c2VjcmV0"));
    let told = |found: &[FoundCertificate]| {
        assert_eq!(found[1].base64, "AAAABBBB");
        Ok(found
            .iter()
            .map(|one| {
                one.base64.ends_with("BBBB").then(|| ToldCertificate {
                    subject: "CN=site".to_owned(),
                    issuer: "CN=CA".to_owned(),
                    names: "site.example".to_owned(),
                    not_before: 1,
                    not_after: 2,
                })
            })
            .collect())
    };
    let reading = Reading { agent: "", jobs: "", compare: by_dpkg, certificates: &told };
    let mut found = None;
    collect(&Root::new(machine.0.path()), &reading, |section| {
        if section.name == "certificates" {
            found = Some(section);
        }
    });
    let found = found.unwrap().items;
    assert_eq!(found["/etc/nginx/ssl/site.pem"].as_text("subject"), Some("CN=site"));
    assert!(found["/etc/letsencrypt/live/example/cert.pem"].as_text("details_unknown").is_some());
}
