//! The attack of 2021 on synthetic systems: whole, in stages, after its traces were wiped, and what only looks like it.

use std::fmt::Write as _;

use bartizan_scan::model::Verdict;
use bartizan_scan::self_test::hive;
use data_encoding::BASE64_MIME;

use crate::tree::{Tree, ids, pe};

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n-----END CERTIFICATE-----\n";
const LOGS: &str = "inetpub/logs/LogFiles/W3SVC1";
const TICKETS: &str = "Kaseya/WebPages/ManagedFiles/VSATicketFiles";
const HEAD: &str = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) sc-status\n";
const STEPS: [(&str, &str); 6] = [
    ("POST", "/dl.asp"),
    ("GET", "/done.asp"),
    ("POST", "/cgi-bin/KUpload.dll"),
    ("GET", "/done.asp"),
    ("POST", "/cgi-bin/KUpload.dll"),
    ("POST", "/userFilterTableRpt.asp"),
];

fn entry(text: &mut String, day: u32, minute: usize, method: &str, path: &str, client: &str) {
    let _ = writeln!(
        text,
        "2021-07-{day:02} 16:{minute:02}:00 192.0.2.1 {method} {path} - 443 {client} Mozilla/5.0 200"
    );
}

/// Requests on the day of the attack, from one client.
fn attack_day(requests: &[(&str, &str)]) -> String {
    let mut text = HEAD.to_owned();
    for (minute, (method, path)) in requests.iter().enumerate() {
        entry(&mut text, 2, minute, "GET", "/vsapres/web20/core/login.aspx", "198.51.100.7");
        entry(&mut text, 2, minute, method, path, "203.0.113.9");
    }
    text
}

fn server() -> Tree {
    let tree = Tree::new();
    tree.add("inetpub/wwwroot/iisstart.htm", "<html></html>")
        .add("Kaseya/WebPages/dl.asp", "<% ' the vendor's own page %>")
        .add("Kaseya/WebPages/userFilterTableRpt.asp", "<% ' the vendor's own page %>")
        .add("Kaseya/WebPages/Errors/webErrorLog.txt", "no errors\n")
        .add(&format!("{TICKETS}/photo.jpg"), b"\xff\xd8\xff\xe0\0\x10JFIF\0 a picture");
    for day in 1..=5 {
        let mut text = HEAD.to_owned();
        entry(&mut text, day, 1, "GET", "/vsapres/web20/core/login.aspx", "198.51.100.7");
        tree.add(&format!("{LOGS}/u_ex2107{day:02}.log"), text);
    }
    tree
}

fn endpoint() -> Tree {
    let tree = Tree::new();
    let run: [(&str, &str); 1] =
        [("SecurityHealth", "%windir%\\system32\\SecurityHealthSystray.exe")];
    let software = hive(&[("Microsoft\\Windows\\CurrentVersion\\Run", &run)]);
    tree.add("Windows/System32/config/SOFTWARE", software)
        .add("Windows/System32/winevt/Logs/readme.txt", "kept elsewhere\n")
        .add("Windows/System32/certutil.exe", pe("CertUtil.exe", b""))
        .add(
            "ProgramData/Microsoft/Windows Defender/Platform/4.18/MsMpEng.exe",
            pe("MsMpEng.exe", b""),
        )
        .add("ProgramData/Microsoft/Windows Defender/Platform/4.18/mpsvc.dll", pe("mpsvc.dll", b""))
        .add("kworking/readme.txt", "working folder of the agent\n");
    tree
}

fn payload() -> String {
    BASE64_MIME.encode(&[pe("agent.exe", b"").as_slice(), &[0x90; 3000]].concat())
}

fn encrypted(tree: &Tree) {
    let noise = |seed: u32| -> Vec<u8> {
        (0..8192_u32)
            .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(seed) >> 11).to_le_bytes()[0])
            .collect()
    };
    for file in 0..8 {
        tree.add(&format!("Users/bob/Documents/book{file}.xlsx.csruj7"), noise(file));
    }
    let note: Vec<u8> = "---=== Welcome. Again. ===---\r\n\r\n[+] Whats HapPen? [+]\r\nBy the way, all files on your system has extension csruj7.\r\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    tree.add("Users/bob/Documents/csruj7-readme.txt", note);
}

struct Case {
    name: &'static str,
    tree: Tree,
    verdict: Verdict,
    because: &'static [&'static str],
}

fn case(
    name: &'static str,
    tree: Tree,
    verdict: Verdict,
    because: &'static [&'static str],
) -> Case {
    Case { name, tree, verdict, because }
}

fn with(tree: Tree, change: impl Fn(&Tree)) -> Tree {
    change(&tree);
    tree
}

fn server_cases() -> Vec<Case> {
    use Verdict::{Compromised, NoIndicators, Suspicious};
    let log = format!("{LOGS}/u_ex210702.log");
    let requests = |list: &[(&'static str, &'static str)]| {
        let text = attack_day(list);
        with(server(), |tree| {
            tree.add(&log, &text);
        })
    };
    let heads: Vec<(&str, &str)> = STEPS.iter().map(|(_, path)| ("HEAD", *path)).collect();
    let gets: Vec<(&str, &str)> = STEPS.iter().map(|(_, path)| ("GET", *path)).collect();
    let mut backwards = STEPS;
    backwards.reverse();
    vec![
        case("server, untouched", server(), NoIndicators, &[]),
        case("server, scanned by GET", requests(&gets), NoIndicators, &[]),
        case("server, scanned by HEAD", requests(&heads), NoIndicators, &[]),
        case("server, log-on and upload", requests(&STEPS[..3]), Suspicious, &["server.upload"]),
        case("server, the whole sequence", requests(&STEPS), Compromised, &["server.sequence"]),
        case(
            "server, the sequence backwards",
            requests(&backwards),
            Suspicious,
            &["server.execute"],
        ),
        case(
            "server, uploaded payload",
            with(server(), |t| {
                t.add(&format!("{TICKETS}/agent.crt"), payload());
            }),
            Compromised,
            &["upload.agent-crt"],
        ),
        case(
            "server, code in a picture",
            with(server(), |t| {
                t.add(&format!("{TICKETS}/Screenshot.jpg"), "<% Dim x: x = 1 %>");
            }),
            Compromised,
            &["injection.picture"],
        ),
        case(
            "server, logs wiped",
            with(server(), |t| {
                t.remove("inetpub/logs").remove("Kaseya/WebPages/Errors/webErrorLog.txt");
            }),
            Suspicious,
            &["absence.iis-logs", "absence.vsa-error-log"],
        ),
        case(
            "server, the day's log removed",
            with(server(), |t| {
                for day in 6..=30 {
                    let mut text = HEAD.to_owned();
                    entry(&mut text, day, 1, "GET", "/", "198.51.100.7");
                    t.add(&format!("{LOGS}/u_ex2107{day:02}.log"), text);
                }
                t.remove(&format!("{LOGS}/u_ex210716.log"));
            }),
            Suspicious,
            &["log.days-missing"],
        ),
    ]
}

fn changed(path: &'static str, bytes: Vec<u8>) -> Tree {
    let tree = endpoint();
    tree.add(path, bytes);
    tree
}

fn history(line: &str) -> Tree {
    changed(
        "Users/bob/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt",
        line.into(),
    )
}

fn endpoint_files() -> Vec<Case> {
    use Verdict::{Compromised, NoIndicators, Suspicious};
    vec![
        case("endpoint, untouched", endpoint(), NoIndicators, &[]),
        case(
            "endpoint, an administrator's agent.crt",
            changed("kworking/agent.crt", CERTIFICATE.into()),
            NoIndicators,
            &[],
        ),
        case("endpoint, a short ping", history("ping 127.0.0.1 -n 5\n"), NoIndicators, &[]),
        case(
            "endpoint, a read-me of a project",
            changed("src/tools-readme.txt", b"How to build the extension\n".to_vec()),
            NoIndicators,
            &[],
        ),
        case(
            "endpoint, payload delivered",
            changed("kworking/agent.crt", payload().into()),
            Compromised,
            &["staging.agent-crt"],
        ),
        case(
            "endpoint, payload in a frame",
            changed(
                "kworking1/agent.crt",
                format!(
                    "-----BEGIN CERTIFICATE-----\r\n{}-----END CERTIFICATE-----\r\n",
                    payload()
                )
                .into(),
            ),
            Compromised,
            &["staging.agent-crt"],
        ),
        case(
            "endpoint, decoded",
            changed("kworking/agent.exe", pe("agent.exe", b"")),
            Compromised,
            &["execution.agent-exe"],
        ),
        case(
            "endpoint, certutil copied and changed",
            changed("Windows/cert.exe", pe("CertUtil.exe", b"23171\r\n")),
            Compromised,
            &["decode.cert-exe", "decode.certutil-changed"],
        ),
        case(
            "endpoint, certutil renamed elsewhere",
            changed("Users/Public/x.exe", pe("CertUtil.exe", b"")),
            Suspicious,
            &["decode.renamed"],
        ),
        case(
            "endpoint, side-loading pair",
            changed("Windows/mpsvc.dll", pe("mpsvc.dll", b"")),
            Compromised,
            &["sideload.windows-folder"],
        ),
    ]
}

fn endpoint_traces() -> Vec<Case> {
    use Verdict::{Compromised, Suspicious};
    let key: [(&str, &str); 1] = [("wJWsTYE", ".csruj7")];
    let software = hive(&[("WOW6432Node\\BlackLivesMatter", &key)]);
    vec![
        case(
            "endpoint, long wait",
            history("ping 127.0.0.1 -n 5693 > nul & echo x\n"),
            Suspicious,
            &["execution.delay"],
        ),
        case(
            "endpoint, Defender off",
            history(
                "Set-MpPreference -DisableRealtimeMonitoring $true -SubmitSamplesConsent NeverSend\n",
            ),
            Suspicious,
            &["defence.defender"],
        ),
        case(
            "endpoint, three steps in a history",
            history(
                "copy /Y C:\\Windows\\System32\\certutil.exe C:\\Windows\\cert.exe\nping 127.0.0.1 -n 5693\nSet-MpPreference -DisableRealtimeMonitoring $true -SubmitSamplesConsent NeverSend\n",
            ),
            Compromised,
            &["decode.copy-certutil"],
        ),
        case(
            "endpoint, registry key",
            changed("Windows/System32/config/SOFTWARE", software),
            Compromised,
            &["impact.registry"],
        ),
        case(
            "endpoint, encrypted",
            with(endpoint(), encrypted),
            Compromised,
            &["impact.batch", "impact.note"],
        ),
        case(
            "endpoint, after the cleanup",
            with(endpoint(), |tree| {
                tree.add("Windows/MsMpEng.exe", pe("MsMpEng.exe", b""))
                    .add("Windows/mpsvc.dll", pe("mpsvc.dll", b""));
            }),
            Compromised,
            &["sideload.windows-folder"],
        ),
    ]
}

#[test]
fn every_stage_on_a_server_and_every_near_miss_has_its_verdict() {
    judge(server_cases());
}

#[test]
fn every_file_of_the_attack_on_an_endpoint_and_every_near_miss_has_its_verdict() {
    judge(endpoint_files());
}

#[test]
fn every_trace_of_the_attack_on_an_endpoint_has_its_verdict() {
    judge(endpoint_traces());
}

/// Prints the table.
fn judge(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for case in cases {
        let report = case.tree.scan(&[]);
        let found = ids(&report);
        println!("{:<42} {:<20} {}", case.name, report.verdict.name(), found.join(" "));
        let explained = case.because.iter().all(|id| found.iter().any(|found| found == id));
        if report.verdict != case.verdict || !explained {
            wrong.push(format!("{}: {:?} {found:?}", case.name, report.verdict));
        }
        assert_eq!(report.coverage.self_test.0, report.coverage.self_test.1);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
