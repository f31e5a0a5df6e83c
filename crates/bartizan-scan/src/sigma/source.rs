//! Where an event comes from, in the words of Sigma, and its fields under the names that rules use.

use std::collections::HashMap;

use rsigma_parser::LogSource;
use serde_json::{Map, Value};

use super::channels;

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
        let service = channels::service_of(channel);
        let category = match (service, event) {
            (Some("sysmon"), _) => sysmon_category(event),
            (Some("security"), 4688) => Some("process_creation"),
            (Some("security"), 4657) => Some("registry_set"),
            (Some("powershell"), 4103) => Some("ps_module"),
            (Some("powershell"), 4104) => Some("ps_script"),
            (Some("powershell-classic"), 400) => Some("ps_classic_start"),
            (Some("powershell-classic"), 600) => Some("ps_classic_provider_start"),
            (Some("powershell-classic"), 800) => Some("ps_classic_script"),
            _ => None,
        };
        Self { product: Some("windows"), service, category }
    }

    /// What only the fields of an event tell: Sysmon writes keys that are made and keys and values that are deleted under one number.
    pub(crate) fn with_fields(self, data: &Map<String, Value>) -> Self {
        if self.category != Some("registry_event") {
            return self;
        }
        let category = match data.get("EventType").and_then(Value::as_str) {
            Some("CreateKey") => "registry_add",
            Some("DeleteKey" | "DeleteValue") => "registry_delete",
            _ => return self,
        };
        Self { category: Some(category), ..self }
    }

    /// The wider category that rules may name instead: changes of the registry of any kind.
    pub(crate) fn wider(self) -> Option<Self> {
        let registry = matches!(
            self.category,
            Some("registry_add" | "registry_delete" | "registry_set" | "registry_rename")
        );
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

const fn sysmon_category(event: u32) -> Option<&'static str> {
    Some(match event {
        1 => "process_creation",
        2 => "file_change",
        3 => "network_connection",
        4 | 16 => "sysmon_status",
        5 => "process_termination",
        6 => "driver_load",
        7 => "image_load",
        8 => "create_remote_thread",
        9 => "raw_access_thread",
        10 => "process_access",
        11 => "file_event",
        // Which change it is, its fields say.
        12 => "registry_event",
        13 => "registry_set",
        14 => "registry_rename",
        15 => "create_stream_hash",
        17 | 18 => "pipe_created",
        19..=21 => "wmi_event",
        22 => "dns_query",
        23 | 26 => "file_delete",
        24 => "clipboard_change",
        25 => "process_tampering",
        27 => "file_block_executable",
        28 => "file_block_shredding",
        29 => "file_executable_detected",
        255 => "sysmon_error",
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
        // Defender writes `Threat Name`, and rules say `ThreatName`.
        let name = if name.contains(' ') { name.replace(' ', "") } else { name };
        fields.entry(name).or_insert(value);
    }
    Value::Object(fields)
}
