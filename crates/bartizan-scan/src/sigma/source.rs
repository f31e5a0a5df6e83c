//! Where an event comes from, in the words of Sigma, and its fields under the names that rules use.

use std::collections::HashMap;

use rsigma_parser::LogSource;
use serde_json::{Map, Value};

/// A log source of Sigma.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Source {
    /// `windows`, `linux`.
    pub product: Option<&'static str>,
    /// `security`, `system`, `sysmon`.
    pub service: Option<&'static str>,
    /// `process_creation`, `webserver`.
    pub category: Option<&'static str>,
}

impl Source {
    /// Requests of a web server.
    pub const WEB: Self = Self { product: None, service: None, category: Some("webserver") };

    /// The source of an event of a Windows channel.
    pub fn of_windows(channel: &str, event: u32) -> Self {
        let channel = channel.to_ascii_lowercase();
        let service = SERVICES
            .iter()
            .find(|(name, _)| channel == *name || channel.starts_with(&format!("{name}/")))
            .map(|(_, service)| *service);
        let category = match (service, event) {
            (Some("sysmon"), _) => sysmon_category(event),
            (Some("security"), 4688) => Some("process_creation"),
            (Some("security"), 4657) => Some("registry_set"),
            (Some("powershell"), 4103) => Some("ps_module"),
            (Some("powershell"), 4104) => Some("ps_script"),
            (Some("powershell-classic"), 400) => Some("ps_classic_start"),
            (Some("powershell-classic"), 800) => Some("ps_classic_provider_start"),
            _ => None,
        };
        Self { product: Some("windows"), service, category }
    }

    /// The wider category that rules may name instead: changes of the registry of any kind.
    pub(crate) fn wider(self) -> Option<Self> {
        let registry =
            matches!(self.category, Some("registry_add" | "registry_set" | "registry_rename"));
        registry.then_some(Self { category: Some("registry_event"), ..self })
    }

    pub(crate) fn to_sigma(self) -> LogSource {
        let own = |word: Option<&str>| word.map(str::to_owned);
        LogSource {
            category: own(self.category),
            product: own(self.product),
            service: own(self.service),
            definition: None,
            custom: HashMap::new(),
        }
    }
}

/// Channels and the services that rules call them.
const SERVICES: [(&str, &str); 22] = [
    ("security", "security"),
    ("system", "system"),
    ("application", "application"),
    ("microsoft-windows-sysmon", "sysmon"),
    ("microsoft-windows-powershell", "powershell"),
    ("powershellcore", "powershell"),
    ("windows powershell", "powershell-classic"),
    ("microsoft-windows-taskscheduler", "taskscheduler"),
    ("microsoft-windows-wmi-activity", "wmi"),
    ("microsoft-windows-windows defender", "windefend"),
    ("microsoft-windows-bits-client", "bits-client"),
    ("microsoft-windows-windows firewall with advanced security", "firewall-as"),
    (
        "microsoft-windows-terminalservices-localsessionmanager",
        "terminalservices-localsessionmanager",
    ),
    ("microsoft-windows-ntlm", "ntlm"),
    ("microsoft-windows-codeintegrity", "codeintegrity-operational"),
    ("microsoft-windows-applocker", "applocker"),
    ("microsoft-windows-dns-client", "dns-client"),
    ("dns server", "dns-server"),
    ("microsoft-windows-printservice", "printservice-operational"),
    ("microsoft-windows-smbclient", "smbclient-security"),
    ("microsoft-windows-driverframeworks-usermode", "driver-framework"),
    ("openssh", "openssh"),
];

const fn sysmon_category(event: u32) -> Option<&'static str> {
    Some(match event {
        1 => "process_creation",
        2 => "file_change",
        3 => "network_connection",
        5 => "process_termination",
        6 => "driver_load",
        7 => "image_load",
        8 => "create_remote_thread",
        9 => "raw_access_thread",
        10 => "process_access",
        11 => "file_event",
        12 => "registry_add",
        13 => "registry_set",
        14 => "registry_rename",
        15 => "create_stream_hash",
        17 | 18 => "pipe_created",
        19..=21 => "wmi_event",
        22 => "dns_query",
        23 | 26 => "file_delete",
        25 => "process_tampering",
        27 => "file_block_executable",
        29 => "file_executable_detected",
        _ => return None,
    })
}

/// The fields of an event as rules name them: data fields at the top, the event's own facts beside them. Process
/// creations of the security log get the names of Sysmon, which rules are written for.
pub fn fields_of(system: Map<String, Value>, data: Map<String, Value>, source: &Source) -> Value {
    const SYSMON_NAMES: [(&str, &str); 4] = [
        ("NewProcessName", "Image"),
        ("ParentProcessName", "ParentImage"),
        ("SubjectUserName", "User"),
        ("ProcessCommandLine", "CommandLine"),
    ];
    let mut fields = system;
    if source.service == Some("security") && source.category == Some("process_creation") {
        for (own, name) in SYSMON_NAMES {
            if let Some(value) = data.get(own) {
                fields.insert(name.to_owned(), value.clone());
            }
        }
    }
    for (name, value) in data {
        fields.entry(name).or_insert(value);
    }
    Value::Object(fields)
}
