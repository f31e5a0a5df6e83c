//! Ordinary Windows machines: nothing on them may become a finding, and nothing on them may change.

use bartizan_scan::model::{Area, Level, Verdict};
use bartizan_scan::self_test::{Written, event_log, hive};
use data_encoding::BASE64_MIME;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::tree::{Tree, ids, pe, snapshot};

/// Programs of Windows, under the names they were built with.
const SYSTEM: [(&str, &str); 26] = [
    ("certutil.exe", "CertUtil.exe"),
    ("cmd.exe", "Cmd.Exe"),
    ("rundll32.exe", "RUNDLL32.EXE"),
    ("regsvr32.exe", "REGSVR32.EXE"),
    ("mshta.exe", "MSHTA.EXE"),
    ("wscript.exe", "wscript.exe"),
    ("cscript.exe", "cscript.exe"),
    ("bitsadmin.exe", "bitsadmin.exe"),
    ("vssadmin.exe", "VSSADMIN.EXE"),
    ("wevtutil.exe", "wevtutil.exe"),
    ("bcdedit.exe", "bcdedit.exe"),
    ("wbem/wmic.exe", "wmic.exe"),
    ("WindowsPowerShell/v1.0/powershell.exe", "PowerShell.EXE"),
    ("svchost.exe", "svchost.exe"),
    ("services.exe", "services.exe"),
    ("lsass.exe", "lsass.exe"),
    ("notepad.exe", "NOTEPAD.EXE"),
    ("taskmgr.exe", "Taskmgr.exe"),
    ("sethc.exe", "sethc.exe"),
    ("utilman.exe", "utilman2.exe"),
    ("inetsrv/w3wp.exe", "w3wp.exe"),
    ("kernel32.dll", "kernel32"),
    ("ntdll.dll", "ntdll.dll"),
    ("crypt32.dll", "CRYPT32.DLL"),
    ("drivers/tcpip.sys", "tcpip.sys"),
    ("en-US/certutil.exe.mui", "CertUtil.exe.mui"),
];

/// Programs that people install, at their usual places.
const INSTALLED: [(&str, &str); 23] = [
    ("Program Files/7-Zip/7z.exe", "7z.exe"),
    ("Program Files/7-Zip/7zFM.exe", "7zFM.exe"),
    ("Program Files/Git/cmd/git.exe", "git.exe"),
    ("Program Files/Git/usr/bin/bash.exe", "bash.exe"),
    ("Program Files/PowerShell/7/pwsh.exe", "pwsh.dll"),
    ("Tools/Sysinternals/PsExec.exe", "psexec.c"),
    ("Program Files/PuTTY/plink.exe", "Plink"),
    ("Program Files/Google/Chrome/Application/chrome.exe", "chrome.exe"),
    ("Program Files/Mozilla Firefox/firefox.exe", "firefox.exe"),
    ("Program Files/Microsoft Office/root/Office16/WINWORD.EXE", "WinWord.exe"),
    ("Program Files/Microsoft SQL Server/MSSQL15/Binn/sqlservr.exe", "SQLSERVR.EXE"),
    ("Program Files/TeamViewer/TeamViewer_Service.exe", "TeamViewer_Service.exe"),
    ("Program Files/Windows Defender/MsMpEng.exe", "MsMpEng.exe"),
    ("Program Files/Windows Defender/MpSvc.dll", "mpsvc.dll"),
    ("ProgramData/Microsoft/Windows Defender/Platform/4.18.26010.5-0/MsMpEng.exe", "MsMpEng.exe"),
    ("ProgramData/Microsoft/Windows Defender/Platform/4.18.26010.5-0/MpSvc.dll", "mpsvc.dll"),
    ("Program Files (x86)/Microsoft/Edge/Application/msedge.exe", "msedge.exe"),
    ("Program Files (x86)/Common Files/Adobe/ARM/1.0/armsvc.exe", "armsvc.exe"),
    ("Program Files (x86)/Kaseya/Agent/unins000.exe", "unins000.exe"),
    ("Users/alice/AppData/Local/Programs/Microsoft VS Code/Code.exe", "electron.exe"),
    ("Users/alice/AppData/Local/slack/app-4.41/slack.exe", "slack.exe"),
    ("Users/bob/Downloads/npp.8.6.Installer.x64.exe", "npp.Installer.exe"),
    ("Users/bob/Downloads/VSCodeUserSetup-x64-1.99.exe", ""),
];

/// A program with a signature block behind its section, as vendors ship them.
fn signed(original_name: &str, overlay: &[u8]) -> Vec<u8> {
    let mut file = pe(original_name, overlay);
    let at = u32::try_from(file.len()).unwrap();
    let block = [&1200_u32.to_le_bytes()[..], &[0, 2, 2, 0], &[0x30; 1192]].concat();
    let directory = 88 + 112 + 4 * 8;
    file[directory..directory + 4].copy_from_slice(&at.to_le_bytes());
    file[directory + 4..directory + 8].copy_from_slice(&1200_u32.to_le_bytes());
    file.extend(block);
    file
}

/// Bytes as a compressed or encrypted file has them.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..length).map(|_| next()).collect()
}

fn certificate(seed: u64) -> String {
    let der = [&[0x30, 0x82, 0x03, 0x77, 0x30, 0x82][..], &noise(seed, 881)].concat();
    format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        BASE64_MIME.encode(&der).trim()
    )
}

fn machine() -> Tree {
    let tree = Tree::new();
    programs(&tree);
    registry(&tree);
    tasks_and_histories(&tree);
    web_server(&tree);
    event_logs(&tree);
    documents(&tree);
    tree
}

fn programs(tree: &Tree) {
    for (place, name) in SYSTEM {
        for folder in ["System32", "SysWOW64"] {
            tree.add(&format!("Windows/{folder}/{place}"), pe(name, b""));
        }
        let file = place.rsplit('/').next().unwrap();
        let store =
            format!("Windows/WinSxS/amd64_example_31bf3856ad364e35_10.0.20348.1_none_0a/{file}");
        tree.add(&store, pe(name, b""));
    }
    for (place, name) in INSTALLED {
        // What installers carry stands behind their end, packed.
        let behind = if place.contains("Downloads") { noise(7, 30_000) } else { Vec::new() };
        tree.add(place, signed(name, &behind));
    }
    let cab = [b"MSCF\0\0\0\0".as_slice(), &noise(8, 5000)].concat();
    tree.add("Windows/SoftwareDistribution/Download/4a/update.cab", cab)
        .add(
            "Windows/Installer/1a2b3c.msi",
            [&[0xd0, 0xcf, 0x11, 0xe0][..], &noise(9, 9000)].concat(),
        )
        .add("Windows/Fonts/arial.ttf", noise(10, 4000))
        .add("pagefile.sys", vec![0; 100_000]);
}

fn registry(tree: &Tree) {
    let run = [
        ("SecurityHealth", "%windir%\\system32\\SecurityHealthSystray.exe"),
        ("OneDrive", "\"C:\\Program Files\\Microsoft OneDrive\\OneDrive.exe\" /background"),
    ];
    let defender = [("DisableAntiSpyware", "0")];
    let exclusion = [("D:\\SQLData", "0"), ("C:\\Program Files\\Veeam", "0")];
    let policy = [("EnableLUA", "1")];
    let kaseya = [("AgentName", "host7"), ("ServerAddr", "vsa.example")];
    let software = hive(&[
        ("Microsoft\\Windows\\CurrentVersion\\Run", &run),
        ("Policies\\Microsoft\\Windows Defender", &defender),
        ("Microsoft\\Windows Defender\\Exclusions\\Paths", &exclusion),
        ("Microsoft\\Windows\\CurrentVersion\\Policies\\System", &policy),
        ("WOW6432Node\\Kaseya\\Agent\\ABC123", &kaseya),
    ]);
    let spooler = [("ImagePath", "%SystemRoot%\\System32\\spoolsv.exe")];
    let backup = [("ImagePath", "\"C:\\Program Files\\Veeam\\veeam.exe\" --service")];
    let digest = [("UseLogonCredential", "0")];
    let system = hive(&[
        ("ControlSet001\\Services\\Spooler", &spooler),
        ("ControlSet001\\Services\\Veeam", &backup),
        ("ControlSet001\\Control\\SecurityProviders\\WDigest", &digest),
    ]);
    let own = [(
        "Teams",
        "\"C:\\Users\\alice\\AppData\\Local\\Microsoft\\Teams\\Update.exe\" --processStart Teams.exe",
    )];
    let user = hive(&[("Software\\Microsoft\\Windows\\CurrentVersion\\Run", &own)]);
    tree.add("Windows/System32/config/SOFTWARE", software)
        .add("Windows/System32/config/SYSTEM", system)
        .add("Users/alice/NTUSER.DAT", user);
}

fn tasks_and_histories(tree: &Tree) {
    let task = |command: &str, arguments: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-16\"?>\r\n<Task version=\"1.4\" xmlns=\"http://schemas.microsoft.com/windows/2004/02/mit/task\">\
             <Actions><Exec><Command>{command}</Command><Arguments>{arguments}</Arguments></Exec></Actions></Task>"
        )
    };
    let wide = |text: String| -> Vec<u8> {
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    for (name, command, arguments) in [
        (
            "Microsoft/Windows/Defrag/ScheduledDefrag",
            "%windir%\\system32\\defrag.exe",
            "-c -h -k -g -$",
        ),
        (
            "Microsoft/Windows/UpdateOrchestrator/Reboot",
            "%systemroot%\\system32\\MusNotification.exe",
            "",
        ),
        (
            "GoogleUpdateTaskMachineCore",
            "C:\\Program Files (x86)\\Google\\Update\\GoogleUpdate.exe",
            "/c",
        ),
        (
            "Nightly backup",
            "powershell.exe",
            "-NoProfile -ExecutionPolicy Bypass -File C:\\Scripts\\backup.ps1",
        ),
        (
            "Rotate logs",
            "cmd.exe",
            "/c forfiles /p C:\\inetpub\\logs /s /m *.log /d -30 /c \"cmd /c del @path\"",
        ),
        ("Certificates", "certutil.exe", "-verifystore My"),
        (
            "Wait and check",
            "cmd.exe",
            "/c ping -n 30 127.0.0.1 &gt; nul &amp; C:\\Scripts\\check.cmd",
        ),
    ] {
        tree.add(&format!("Windows/System32/Tasks/{name}"), wide(task(command, arguments)));
    }
    let history = "Get-Service\nGet-MpPreference\nSet-MpPreference -DisableRealtimeMonitoring $false\nvssadmin list shadows\n\
        wevtutil qe System /c:10 /f:text\ncertutil -hashfile .\\setup.msi SHA256\ncertutil -encode agent.cer agent.crt\nbcdedit /enum\n\
        Invoke-WebRequest https://updates.example/agent.msi -OutFile agent.msi\nGet-WinEvent -LogName Security -MaxEvents 5\n\
        Start-Process notepad\nTest-NetConnection vsa.example -Port 443\nping -n 4 192.0.2.1\n";
    let place = "Users/alice/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt";
    tree.add(place, history)
        .add(
            "Users/alice/AppData/Roaming/Microsoft/Windows/Start Menu/Programs/Startup/desktop.ini",
            "[.ShellClassInfo]\r\n",
        )
        .add("Scripts/backup.ps1", "wbadmin start backup -backupTarget:E: -include:C: -quiet\n")
        .add(
            "Scripts/check.cmd",
            "@echo off\r\nsc query Spooler | find \"RUNNING\" || net start Spooler\r\n",
        );
    // Certificates of administrators, also by the name that the attack used.
    for (number, place) in
        ["Users/alice/agent.crt", "ProgramData/ssl/agent.crt", "kworking/ca.crt", "Scripts/web.pem"]
            .iter()
            .enumerate()
    {
        tree.add(place, certificate(u64::try_from(number).unwrap()));
    }
}

fn web_server(tree: &Tree) {
    tree.add("inetpub/wwwroot/web.config", "<?xml version=\"1.0\"?><configuration/>\n")
        .add(
            "inetpub/wwwroot/default.aspx",
            "<%@ Page Language=\"C#\" %><html><%= Request.QueryString[\"page\"] %></html>\n",
        )
        .add("inetpub/wwwroot/iisstart.htm", "<html><body>Welcome</body></html>\n")
        .add(
            "inetpub/wwwroot/logo.png",
            [b"\x89PNG\r\n\x1a\n".as_slice(), &noise(20, 3000)].concat(),
        )
        .add("inetpub/wwwroot/bin/Site.dll", pe("Site.dll", b""));
    let pages = [
        "/",
        "/default.aspx",
        "/logo.png",
        "/css/site.css",
        "/api/items",
        "/login",
        "/favicon.ico",
        "/robots.txt",
    ];
    let head = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status\r\n";
    for day in 1..=28_u32 {
        let mut log = head.to_owned();
        for minute in 0..180_u32 {
            let dice = day.wrapping_mul(7919).wrapping_add(minute.wrapping_mul(104_729));
            let page = pages[usize::try_from(dice % 8).unwrap()];
            let method = if page == "/login" { "POST" } else { "GET" };
            log.push_str(&format!(
                "2026-02-{day:02} {:02}:{:02}:{:02} 192.0.2.10 {method} {page} - 443 - 198.51.100.{} Mozilla/5.0+(Windows+NT+10.0) 200\r\n",
                minute / 8, (minute * 7) % 60, dice % 60, dice % 200
            ));
        }
        // The internet asks everybody's server for everything, in no order and without an answer.
        for path in ["/dl.asp", "/done.asp", "/userFilterTableRpt.asp", "/wp-login.php", "/.env"] {
            log.push_str(&format!("2026-02-{day:02} 23:50:00 192.0.2.10 GET {path} - 443 - 203.0.113.66 zgrab/0.x 404\r\n"));
        }
        tree.add(&format!("inetpub/logs/LogFiles/W3SVC1/u_ex2602{day:02}.log"), log);
    }
}

fn event_logs(tree: &Tree) {
    let started = |image, command| {
        [("NewProcessName", image), ("CommandLine", command), ("SubjectUserName", "alice")]
    };
    let processes = [
        started(
            "C:\\Windows\\System32\\svchost.exe",
            "C:\\Windows\\System32\\svchost.exe -k netsvcs",
        ),
        started("C:\\Windows\\System32\\certutil.exe", "certutil -hashfile setup.msi SHA256"),
        started("C:\\Windows\\System32\\vssadmin.exe", "vssadmin list shadows"),
        started("C:\\Windows\\System32\\wevtutil.exe", "wevtutil qe System /c:5"),
        started("C:\\Windows\\System32\\PING.EXE", "ping -n 4 127.0.0.1"),
        started("C:\\Windows\\System32\\bcdedit.exe", "bcdedit /enum all"),
    ];
    let mut events = Vec::new();
    for record in 1..=400_u64 {
        let logon = [("TargetUserName", "bob"), ("LogonType", "3"), ("IpAddress", "198.51.100.7")];
        events.push((
            record,
            record % 3 == 0,
            processes[usize::try_from(record % 6).unwrap()],
            logon,
        ));
    }
    let written = |(record, is_logon, process, logon): &'_ (u64, bool, _, _)| -> (u64, bool, [(&'static str, &'static str); 3]) {
        (*record, *is_logon, if *is_logon { *logon } else { *process })
    };
    let data: Vec<_> = events.iter().map(written).collect();
    let security: Vec<Written<'_>> = data
        .iter()
        .map(|(record, is_logon, data)| Written {
            record: *record,
            at: 1_772_000_000 + i64::try_from(*record).unwrap() * 60,
            channel: "Security",
            provider: "Microsoft-Windows-Security-Auditing",
            event: if *is_logon { 4624 } else { 4688 },
            data,
        })
        .collect();
    let service = [("ServiceName", "Veeam"), ("ImagePath", "C:\\Program Files\\Veeam\\veeam.exe")];
    let installed = Written {
        channel: "System",
        provider: "Service Control Manager",
        event: 7045,
        data: &service,
        ..security[0]
    };
    let text = [(
        "ScriptBlockText",
        "Get-ChildItem C:\\inetpub\\logs -Recurse | Measure-Object -Sum Length",
    )];
    let script = Written {
        channel: "Microsoft-Windows-PowerShell/Operational",
        provider: "Microsoft-Windows-PowerShell",
        event: 4104,
        data: &text,
        ..security[0]
    };
    let logs = "Windows/System32/winevt/Logs";
    tree.add(&format!("{logs}/Security.evtx"), event_log(&security))
        .add(&format!("{logs}/System.evtx"), event_log(&[installed]))
        .add(
            &format!("{logs}/Microsoft-Windows-PowerShell%4Operational.evtx"),
            event_log(&[script]),
        );
}

fn documents(tree: &Tree) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    std::io::Write::write_all(&mut packed, b"quarterly figures\n").unwrap();
    let office = [b"PK\x05\x06".as_slice(), &[0; 18]].concat();
    tree.add("Users/alice/Documents/report.docx", office)
        .add("Users/alice/Documents/figures.csv.gz", packed.finish().unwrap())
        .add("Users/alice/Documents/passwords.kdbx", noise(30, 4000))
        .add("Users/alice/Documents/project-readme.txt", "How to build this project\n")
        .add(
            "Users/alice/Pictures/holiday.jpg",
            [b"\xff\xd8\xff\xe0".as_slice(), &noise(31, 20_000)].concat(),
        )
        .add(
            "Users/alice/Documents/keys.asc",
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQINBF\n-----END PGP PUBLIC KEY BLOCK-----\n",
        );
    // Encrypted by people themselves, each under the ending of its tool.
    for number in 0..8_u64 {
        tree.add(&format!("Users/bob/Vault/letter{number}.docx.gpg"), noise(40 + number, 3000))
            .add(&format!("Backup/disk{number}.vhdx"), noise(50 + number, 6000))
            .add(
                &format!("Users/bob/Sync/photo{number}.jpg.cryptomator"),
                noise(60 + number, 3000),
            );
    }
}

#[test]
fn an_ordinary_windows_machine_has_no_finding_and_nothing_on_it_changes() {
    let tree = machine();
    let before = snapshot(tree.root());
    #[cfg(target_os = "linux")]
    let watch = watch::Watch::on(tree.root());
    let report = tree.scan(&[]);
    assert_eq!(ids(&report), Vec::<String>::new(), "{:#?}", report.findings);
    assert_eq!(report.verdict, Verdict::NoIndicators);
    // A management tool that is installed is told, and counts for nothing.
    let mut notes: Vec<_> =
        report.findings.iter().map(|f| (f.rule.level, f.rule.id.as_str())).collect();
    notes.sort_unstable();
    notes.dedup();
    assert_eq!(
        notes,
        [(Level::Note, "tool.teamviewer.installed"), (Level::Note, "tool.tunnels.installed")]
    );
    assert!(report.is_complete(), "{:#?}", report.coverage);
    // It was all looked at: a scanner that reads nothing finds nothing either.
    for (area, read) in [
        (Area::Registry, 3),
        (Area::ScheduledTasks, 7),
        (Area::EventLogs, 3),
        (Area::WebLogs, 28),
        (Area::Histories, 1),
    ] {
        assert_eq!(report.coverage.areas.get(&area).map(|area| area.read), Some(read), "{area:?}");
    }
    assert_eq!(snapshot(tree.root()), before);
    #[cfg(target_os = "linux")]
    {
        assert_eq!(watch.changes(), 0);
        tree.add("Users/alice/new.txt", "the watch works");
        assert!(watch.changes() > 0);
    }
}

/// The same machine, one step further: the test above can fail.
#[test]
fn one_bad_thing_on_an_ordinary_machine_is_the_only_finding() {
    let tree = machine();
    tree.add("Windows/Temp/c.exe", pe("CertUtil.exe", b""));
    assert_eq!(ids(&tree.scan(&[])), ["decode.renamed"]);
}

#[cfg(target_os = "linux")]
mod watch {
    //! The kernel's own word on whether anything below a folder was written, created, renamed or deleted.

    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

    pub(super) struct Watch(OwnedFd);

    impl Watch {
        pub(super) fn on(root: &Path) -> Self {
            let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
            let changes = WatchFlags::MODIFY
                | WatchFlags::ATTRIB
                | WatchFlags::CLOSE_WRITE
                | WatchFlags::CREATE
                | WatchFlags::DELETE
                | WatchFlags::MOVE
                | WatchFlags::MOVE_SELF
                | WatchFlags::DELETE_SELF;
            let mut pending = vec![root.to_owned()];
            while let Some(folder) = pending.pop() {
                inotify::add_watch(&watch, &folder, changes).unwrap();
                let entries = std::fs::read_dir(&folder).unwrap().map(Result::unwrap);
                pending
                    .extend(entries.filter(|e| e.file_type().unwrap().is_dir()).map(|e| e.path()));
            }
            Self(watch)
        }

        pub(super) fn changes(&self) -> usize {
            let mut buffer = [MaybeUninit::uninit(); 4096];
            let mut reader = inotify::Reader::new(&self.0, &mut buffer);
            let mut count = 0;
            while reader.next().is_ok() {
                count += 1;
            }
            count
        }
    }
}
