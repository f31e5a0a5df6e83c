//! A monitoring policy in words.

use bartizan_trust::statement::{
    Check, DnsRecord, HttpMethod, Levels, MonitoringPolicy, PolicyPlace, Severity, Subject,
    TlsTrust,
};

use super::render::{date, length};
use crate::terminal::cell;

/// Everything that is signed: where, until when, and every check.
pub(super) fn text(policy: &MonitoringPolicy) -> String {
    let mut text = format!(
        "POLICY  {} version {}: {}\nclass   {}\nwhere   {}\nuntil   {}\nwhat    MONITORING; it reads, and starts or changes nothing{}\n",
        cell(&policy.name),
        policy.version,
        cell(&policy.display.title),
        policy.class,
        place(&policy.place),
        date(policy.until),
        asks(policy),
    );
    if !policy.display.reason.is_empty() || !policy.display.ticket.is_empty() {
        let display = &policy.display;
        text += &format!("why     {} {}\n", cell(&display.ticket), cell(&display.reason));
    }
    if !policy.inherit {
        text += "ALONE   no policy of a wider place applies there any more\n";
    }
    for id in &policy.exclude {
        text += &format!("without {}\n", cell(id));
    }
    for check in &policy.checks {
        text += &format!("check   {}\n", line(check));
    }
    text
}

/// Whether something leaves the endpoints.
fn asks(policy: &MonitoringPolicy) -> String {
    let count = policy.checks.iter().filter(|check| check.subject.uses_network()).count();
    if count == 0 { String::new() } else { format!("; {count} checks ASK OVER THE NETWORK") }
}

/// Whose endpoints, in words.
pub(crate) fn place(place: &PolicyPlace) -> String {
    match place {
        PolicyPlace::Org {} => "every endpoint of the organisation".to_owned(),
        PolicyPlace::Tenant { tenant } => format!("tenant {}", tenant.name()),
        PolicyPlace::Site { tenant, site } => {
            format!("site {} of tenant {}", site.name(), tenant.name())
        }
        PolicyPlace::Endpoint { tenant, endpoint } => {
            format!("{endpoint} of tenant {}", tenant.name())
        }
    }
}

/// A check in one line.
pub(crate) fn line(check: &Check) -> String {
    let mut text = format!("{}: {}", cell(&check.id), subject(&check.subject));
    text += &format!("; every {}", length(check.every_s));
    if check.fails > 1 {
        text += &format!(", bad after {} looks", check.fails);
    }
    if check.recovers > 1 {
        text += &format!(", well after {}", check.recovers);
    }
    if check.flaps > 0 {
        text += &format!(", held after {} changes an hour", check.flaps);
    }
    text
}

fn subject(subject: &Subject) -> String {
    match subject {
        Subject::Cpu { above } => format!("processors busy {} %", levels("from", *above)),
        Subject::Memory { above } => format!("memory in use {} %", levels("from", *above)),
        Subject::Swap { above } => format!("swap in use {} %", levels("from", *above)),
        Subject::Load { above } => format!("load for each processor {} %", levels("from", *above)),
        Subject::Disk { paths, below } => {
            format!("room left {} % on {}", levels("at most", *below), disks(paths))
        }
        Subject::Inodes { paths, below } => {
            format!("inodes left {} % on {}", levels("at most", *below), disks(paths))
        }
        Subject::Service { units, severity } => {
            let units: Vec<String> = units.iter().map(|unit| cell(unit)).collect();
            format!("{} unless running: {}", how(*severity), units.join(", "))
        }
        Subject::Process { name, least, most, severity } => {
            format!("{} unless {least} to {most} processes {}", how(*severity), cell(name))
        }
        Subject::RebootPending { severity } => format!("{} while a restart waits", how(*severity)),
        Subject::UpdateAge { above } => {
            format!("days without a change of packages {}", levels("from", *above))
        }
        Subject::FileAge { path, above, absent } => {
            let age = levels("from", *above);
            format!("seconds since {} was written {age}{}", cell(path), missing(*absent))
        }
        Subject::FileSize { path, above, absent } => {
            format!("bytes of {} {}{}", cell(path), levels("from", *above), missing(*absent))
        }
        Subject::FileExists { path, wanted: true, severity } => {
            format!("{} unless {} is there", how(*severity), cell(path))
        }
        Subject::FileExists { path, wanted: false, severity } => {
            format!("{} if {} is there", how(*severity), cell(path))
        }
        Subject::FileContent { path, pattern, wanted, severity } => {
            let unless = if *wanted { "unless" } else { "if" };
            let how = how(*severity);
            format!("{how} {unless} a line of {} matches `{}`", cell(path), cell(pattern))
        }
        Subject::Log { path, pattern, above } => {
            let lines = levels("from", *above);
            format!("new lines of {} that match `{}` {lines}", cell(path), cell(pattern))
        }
        Subject::BackupAge { folder, suffix, size_min, above } => format!(
            "seconds since the newest file *{} of {size_min} bytes or more under {} was written {}",
            cell(suffix),
            cell(folder),
            levels("from", *above)
        ),
        Subject::Order { order, ok, warn } => {
            format!("exit status of the newest run of {order}: ok {ok:?}, warn {warn:?}")
        }
        Subject::CertificateFile { path, below } => {
            format!("days left of the certificates in {} {}", cell(path), levels("at most", *below))
        }
        Subject::Tcp { .. } | Subject::Http { .. } | Subject::Dns { .. } | Subject::Ping { .. } => {
            over_the_network(subject)
        }
    }
}

fn over_the_network(subject: &Subject) -> String {
    match subject {
        Subject::Tcp { host, port, banner, above, severity } => {
            let greeting = banner.as_ref().map(|text| format!(" and greets with `{}`", cell(text)));
            let greeting = greeting.unwrap_or_default();
            format!(
                "{} unless {} takes connections on port {port}{greeting}{}",
                how(*severity),
                cell(host),
                slow(*above)
            )
        }
        Subject::Http { .. } => web(subject),
        Subject::Dns { name, record, server, wanted, above, severity } => {
            let whom = server.as_ref().map_or_else(
                || "the endpoint's name servers".to_owned(),
                |server| format!("name server {}", cell(server)),
            );
            let what = if wanted.is_empty() {
                "any".to_owned()
            } else {
                wanted.iter().map(|text| format!("`{}`", cell(text))).collect::<Vec<_>>().join(", ")
            };
            format!(
                "{} unless {whom} has for {} of {} exactly {what}{}",
                how(*severity),
                records(*record),
                cell(name),
                slow(*above)
            )
        }
        Subject::Ping { host, loss, above } => {
            let loss = loss.map(|loss| format!(", per cent lost {}", levels("from", loss)));
            format!("echo requests to {}{}{}", cell(host), loss.unwrap_or_default(), slow(*above))
        }
        _ => subject.name().to_owned(),
    }
}

fn web(subject: &Subject) -> String {
    let Subject::Http { url, method, status, contains, above, expires, tls, severity } = subject
    else {
        return subject.name().to_owned();
    };
    let method = match method {
        HttpMethod::Get => "GET",
        HttpMethod::Head => "HEAD",
    };
    let status: Vec<String> = status.iter().map(u16::to_string).collect();
    let mut text = format!(
        "{} unless {method} {} answers with status {}",
        how(*severity),
        cell(url),
        status.join(", ")
    );
    if let Some(contains) = contains {
        text += &format!(" and contains `{}`", cell(contains));
    }
    text += &slow(*above);
    if let Some(expires) = expires {
        text += &format!(", days left of its certificate {}", levels("at most", *expires));
    }
    if *tls == TlsTrust::DangerUnverified {
        text += ", ITS CERTIFICATE IS NOT VERIFIED";
    }
    text
}

fn slow(above: Option<Levels>) -> String {
    above.map_or_else(String::new, |above| format!(", milliseconds {}", levels("from", above)))
}

const fn records(record: DnsRecord) -> &'static str {
    match record {
        DnsRecord::A => "A",
        DnsRecord::Aaaa => "AAAA",
        DnsRecord::Cname => "CNAME",
        DnsRecord::Mx => "MX",
        DnsRecord::Txt => "TXT",
    }
}

fn disks(paths: &[String]) -> String {
    if paths.is_empty() {
        return "every disk".to_owned();
    }
    paths.iter().map(|path| cell(path)).collect::<Vec<_>>().join(", ")
}

fn levels(from: &str, levels: Levels) -> String {
    let named =
        |name: &str, level: Option<u64>| level.map(|level| format!("{name} {from} {level}"));
    let both = [named("warn", levels.warn), named("error", levels.error)];
    both.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

const fn how(severity: Severity) -> &'static str {
    match severity {
        Severity::Warn => "warn",
        Severity::Error => "error",
    }
}

fn missing(absent: Option<Severity>) -> String {
    absent.map_or_else(String::new, |severity| format!(", {} when there is none", how(severity)))
}
