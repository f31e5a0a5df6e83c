//! Events as a busy Windows machine writes them: ordinary programs, log-ons, connections, scripts, registry values. The same
//! numbers make the same events.

use bartizan_scan::self_test::{Written, event_log};

/// 1 March 2026.
const BEGIN: i64 = 1_772_323_200;

const PROGRAMS: [(&str, &str); 12] = [
    ("C:\\Windows\\System32\\svchost.exe", "-k netsvcs -p -s Schedule"),
    ("C:\\Windows\\System32\\conhost.exe", "0xffffffff -ForceV1"),
    ("C:\\Windows\\System32\\cmd.exe", "/c \"C:\\ProgramData\\Backup\\nightly.cmd\" --full"),
    (
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe",
        "-NoProfile -File C:\\Scripts\\inventory.ps1",
    ),
    ("C:\\Windows\\System32\\taskhostw.exe", "KEYROAMING"),
    (
        "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
        "--type=renderer --lang=en-GB --enable-features=X",
    ),
    ("C:\\Program Files\\Microsoft Office\\root\\Office16\\OUTLOOK.EXE", "/recycle"),
    ("C:\\Windows\\System32\\wbem\\WmiPrvSE.exe", "-secured -Embedding"),
    (
        "C:\\Windows\\System32\\rundll32.exe",
        "C:\\Windows\\System32\\shell32.dll,Control_RunDLL desk.cpl",
    ),
    ("C:\\Program Files\\Git\\cmd\\git.exe", "fetch --prune origin"),
    ("C:\\Windows\\System32\\net.exe", "use Z: \\\\files.example\\share /persistent:yes"),
    (
        "C:\\Windows\\System32\\certutil.exe",
        "-hashfile C:\\Users\\alice\\Downloads\\setup.msi SHA256",
    ),
];

const SYSMON: (&str, &str) = ("Microsoft-Windows-Sysmon/Operational", "Microsoft-Windows-Sysmon");
const SECURITY: (&str, &str) = ("Security", "Microsoft-Windows-Security-Auditing");
const POWERSHELL: (&str, &str) =
    ("Microsoft-Windows-PowerShell/Operational", "Microsoft-Windows-PowerShell");

/// A log of `count` events, the first of them number `first`.
pub(super) fn log(first: u64, count: u64) -> Vec<u8> {
    let facts: Vec<Facts> = (first..first + count).map(Facts::of).collect();
    let data: Vec<Vec<(&str, &str)>> = facts.iter().map(Facts::data).collect();
    let events = facts.iter().zip(&data).map(|(facts, data)| {
        let (channel, provider, event) = facts.kind;
        let at = BEGIN.saturating_add_unsigned(facts.record / 50);
        Written { record: facts.record, at, channel, provider, event, data }
    });
    event_log(&events.collect::<Vec<_>>())
}

/// What one event says.
struct Facts {
    record: u64,
    kind: (&'static str, &'static str, u32),
    program: &'static str,
    parent: &'static str,
    command: String,
    user: String,
    address: String,
    number: String,
    target: String,
}

impl Facts {
    fn of(record: u64) -> Self {
        let mut dice = record.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6261_7274_697a_616e;
        let mut roll = |sides: u64| {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            dice % sides
        };
        let kind = match roll(100) {
            0..=24 => (SYSMON, 1),
            25..=39 => (SECURITY, 4688),
            40..=54 => (SECURITY, 4624),
            55..=66 => (SYSMON, 3),
            67..=76 => (SYSMON, 13),
            77..=84 => (SYSMON, 11),
            85..=92 => (SYSMON, 7),
            93..=96 => (POWERSHELL, 4104),
            _ => (SYSMON, 22),
        };
        let ((channel, provider), event) = kind;
        let (program, arguments) = pick(roll(12));
        let (parent, _) = pick(roll(12));
        Self {
            record,
            kind: (channel, provider, event),
            program,
            parent,
            command: format!("\"{program}\" {arguments} --id {:x}", roll(1 << 24)),
            user: format!("EXAMPLE\\user{}", roll(400)),
            address: format!("10.{}.{}.{}", roll(8), roll(256), roll(256)),
            number: roll(60_000).to_string(),
            target: format!(
                "C:\\Users\\user{}\\AppData\\Local\\Temp\\{:08x}.tmp",
                roll(400),
                roll(1 << 32)
            ),
        }
    }

    fn data(&self) -> Vec<(&str, &str)> {
        let own = [("User", self.user.as_str()), ("ProcessId", &self.number)];
        let of_kind: &[(&str, &str)] = match self.kind.2 {
            1 => &[
                ("Image", self.program),
                ("CommandLine", &self.command),
                ("ParentImage", self.parent),
                ("ParentCommandLine", self.parent),
                ("CurrentDirectory", "C:\\Windows\\system32\\"),
                ("IntegrityLevel", "Medium"),
                ("Company", "Microsoft Corporation"),
            ],
            4688 => &[
                ("NewProcessName", self.program),
                ("CommandLine", &self.command),
                ("ParentProcessName", self.parent),
                ("SubjectUserName", &self.user),
                ("TokenElevationType", "%%1936"),
            ],
            4624 => &[
                ("TargetUserName", &self.user),
                ("LogonType", "3"),
                ("IpAddress", &self.address),
                ("AuthenticationPackageName", "Kerberos"),
                ("WorkstationName", "-"),
            ],
            3 => &[
                ("Image", self.program),
                ("DestinationIp", &self.address),
                ("DestinationPort", "443"),
                ("Initiated", "true"),
                ("Protocol", "tcp"),
            ],
            13 => &[
                ("Image", self.program),
                ("EventType", "SetValue"),
                ("TargetObject", "HKLM\\SOFTWARE\\Example\\Inventory\\LastRun"),
                ("Details", &self.number),
            ],
            11 => &[("Image", self.program), ("TargetFilename", &self.target)],
            7 => &[
                ("Image", self.program),
                ("ImageLoaded", "C:\\Windows\\System32\\kernel32.dll"),
                ("Signed", "true"),
                ("Signature", "Microsoft Windows"),
            ],
            4104 => &[
                (
                    "ScriptBlockText",
                    "Get-Service | Where-Object Status -eq 'Running' | Export-Csv C:\\Scripts\\services.csv",
                ),
                ("Path", "C:\\Scripts\\inventory.ps1"),
            ],
            _ => &[("Image", self.program), ("QueryName", "updates.example"), ("QueryStatus", "0")],
        };
        own.iter().chain(of_kind).copied().collect()
    }
}

fn pick(number: u64) -> (&'static str, &'static str) {
    let index = usize::try_from(number).unwrap_or_default();
    PROGRAMS.get(index).copied().unwrap_or(("C:\\Windows\\explorer.exe", ""))
}
