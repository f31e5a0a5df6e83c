//! What should be there and is not: whoever wipes traces leaves holes.

use serde::{Deserialize, Serialize};

use crate::evidence::Output;
use crate::model::{Confidence, Evidence, Level, Rule};

/// What a whole system was seen to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Presence {
    iis: bool,
    iis_log: bool,
    vsa: bool,
    vsa_error_log: bool,
    windows: bool,
    security_log: bool,
}

impl Presence {
    /// Notes a path in its normalised form.
    pub fn note(&mut self, path: &str) {
        self.iis |=
            path.ends_with("system32/inetsrv/w3wp.exe") || path.starts_with("inetpub/wwwroot/");
        self.iis_log |= path.contains("inetpub/logs/logfiles/");
        self.vsa |= path.ends_with("/webpages/dl.asp")
            || path.ends_with("/webpages/userfiltertablerpt.asp");
        self.vsa_error_log |= path.ends_with("/webpages/errors/weberrorlog.txt");
        self.windows |= path.ends_with("windows/system32/config/system");
        self.security_log |= path.ends_with("winevt/logs/security.evtx");
    }

    /// Says what is missing. Only for a whole system: a collected folder holds what somebody chose.
    pub fn finish(&self, output: &mut Output) {
        if self.iis && !self.iis_log {
            let place = "inetpub/logs/LogFiles";
            add(
                "absence.iis-logs",
                "a web server without any of its logs",
                place,
                "log wiping",
                output,
            );
        }
        if self.vsa && !self.vsa_error_log {
            let place = "WebPages/Errors/webErrorLog.txt";
            add(
                "absence.vsa-error-log",
                "a VSA server without its error log",
                place,
                "error log wiping",
                output,
            );
        }
        if self.windows && !self.security_log {
            let place = "Windows/System32/winevt/Logs/Security.evtx";
            add(
                "absence.security-log",
                "a Windows system without its security log",
                place,
                "event log wiping",
                output,
            );
        }
    }
}

fn add(id: &str, reason: &str, place: &str, stage: &str, output: &mut Output) {
    let rule = Rule {
        id: id.to_owned(),
        reason: reason.to_owned(),
        level: Level::Suspicious,
        confidence: Confidence::Medium,
        stage: Some(stage.to_owned()),
        source: "Bartizan".to_owned(),
        advice:
            "find out who deleted it and when; look for copies in backups and central log stores"
                .to_owned(),
    };
    output.add(crate::integrity::PACK, &rule, Evidence::at(place));
}
