//! Channels of Windows, and the services that Sigma rules call them.

/// The service of a channel, whatever the case of its name.
pub(super) fn service_of(channel: &str) -> Option<&'static str> {
    let channel = channel.to_ascii_lowercase();
    let (provider, _) = channel.split_once('/').unwrap_or((&channel, ""));
    let find = |wanted: &str| SERVICES.iter().find(|(name, _)| wanted == *name);
    find(&channel).or_else(|| find(provider)).map(|(_, service)| *service)
}

/// A name with a `/` is one channel; one without is all channels of that provider.
const SERVICES: [(&str, &str); 51] = [
    ("application", "application"),
    ("dns server", "dns-server"),
    ("microsoft-iis-configuration", "iis-configuration"),
    ("microsoft-servicebus-client", "microsoft-servicebus-client"),
    ("microsoft-windows-application-experience", "application-experience"),
    ("microsoft-windows-applocker", "applocker"),
    ("microsoft-windows-appmodel-runtime", "appmodel-runtime"),
    ("microsoft-windows-appxdeploymentserver", "appxdeployment-server"),
    ("microsoft-windows-appxpackaging", "appxpackaging-om"),
    ("microsoft-windows-bitlocker", "bitlocker"),
    ("microsoft-windows-bits-client", "bits-client"),
    ("microsoft-windows-capi2", "capi2"),
    (
        "microsoft-windows-certificateservicesclient-lifecycle-system",
        "certificateservicesclient-lifecycle-system",
    ),
    ("microsoft-windows-codeintegrity", "codeintegrity-operational"),
    ("microsoft-windows-dhcp-server", "dhcp"),
    ("microsoft-windows-diagnosis-scripted", "diagnosis-scripted"),
    ("microsoft-windows-dns client events", "dns-client"),
    ("microsoft-windows-dns-client", "dns-client"),
    ("microsoft-windows-dns-server/analytical", "dns-server-analytic"),
    ("microsoft-windows-dnsserver/analytical", "dns-server-analytic"),
    ("microsoft-windows-dnsserver/audit", "dns-server-audit"),
    ("microsoft-windows-driverframeworks-usermode", "driver-framework"),
    ("microsoft-windows-hyper-v-worker", "hyper-v-worker"),
    ("microsoft-windows-kernel-eventtracing", "kernel-event-tracing"),
    ("microsoft-windows-kernel-shimengine", "kernel-shimengine"),
    ("microsoft-windows-ldap-client", "ldap"),
    ("microsoft-windows-lsa", "lsa-server"),
    ("microsoft-windows-ntfs", "ntfs"),
    ("microsoft-windows-ntlm", "ntlm"),
    ("microsoft-windows-powershell", "powershell"),
    ("microsoft-windows-printservice/admin", "printservice-admin"),
    ("microsoft-windows-printservice/operational", "printservice-operational"),
    ("microsoft-windows-security-mitigations", "security-mitigations"),
    ("microsoft-windows-sense", "sense"),
    ("microsoft-windows-shell-core", "shell-core"),
    ("microsoft-windows-smbclient/connectivity", "smbclient-connectivity"),
    ("microsoft-windows-smbclient/security", "smbclient-security"),
    ("microsoft-windows-smbserver/connectivity", "smbserver-connectivity"),
    ("microsoft-windows-sysmon", "sysmon"),
    ("microsoft-windows-taskscheduler", "taskscheduler"),
    (
        "microsoft-windows-terminalservices-localsessionmanager",
        "terminalservices-localsessionmanager",
    ),
    ("microsoft-windows-vhdmp", "vhdmp"),
    ("microsoft-windows-windows defender", "windefend"),
    ("microsoft-windows-windows firewall with advanced security", "firewall-as"),
    ("microsoft-windows-wmi-activity", "wmi"),
    ("msexchange management", "msexchange-management"),
    ("openssh", "openssh"),
    ("powershellcore", "powershell"),
    ("security", "security"),
    ("system", "system"),
    ("windows powershell", "powershell-classic"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_told_by_its_own_name_before_that_of_its_provider() {
        for (channel, service) in [
            ("Security", Some("security")),
            ("Microsoft-Windows-DNS Client Events/Operational", Some("dns-client")),
            ("Microsoft-Windows-PrintService/Admin", Some("printservice-admin")),
            ("Microsoft-Windows-PrintService/Operational", Some("printservice-operational")),
            ("Microsoft-Windows-PrintService/Debug", None),
            ("Microsoft-Windows-AppLocker/EXE and DLL", Some("applocker")),
            ("MSExchange Management", Some("msexchange-management")),
            ("Microsoft-Windows-Security-Mitigations/KernelMode", Some("security-mitigations")),
            ("Microsoft-Windows-Sysmon-Other/Operational", None),
            ("", None),
        ] {
            assert_eq!(service_of(channel), service, "{channel}");
        }
    }
}
