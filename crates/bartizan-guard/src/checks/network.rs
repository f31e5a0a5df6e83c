//! What a check asks over the network, and what an answer means: the probe measures, this judges.

use std::path::Path;

use bartizan_os::looks::{self, Seen};
use bartizan_proto::probe::{Answer, CERTIFICATES_MAX, PINGS, Request};
use bartizan_trust::statement::{Levels, Severity, Subject};
use bartizan_trust::time::UnixSeconds;

use super::prober::Prober;

const DAY_S: u64 = 24 * 3600;
/// Instances of `http` and `ping`, beside the one without a name.
const CERTIFICATE: &str = "certificate";
const LOSS: &str = "loss";
const TIME: &str = "time";

/// Whether the companion has to be asked.
pub(super) const fn is_asked(subject: &Subject) -> bool {
    subject.uses_network() || matches!(subject, Subject::CertificateFile { .. })
}

/// Looks once.
pub(super) fn look(prober: &Prober, subject: &Subject, now: UnixSeconds) -> Vec<Seen> {
    match request(subject) {
        Ok(Some(request)) => judge(subject, &prober.ask(&request), now),
        Ok(None) => Vec::new(),
        Err(why) => vec![Seen::unknown(&why)],
    }
}

fn request(subject: &Subject) -> Result<Option<Request>, String> {
    Ok(Some(match subject {
        Subject::CertificateFile { path, .. } => Request::Certificates {
            base64: looks::certificates(Path::new(path), CERTIFICATES_MAX)?,
        },
        Subject::Tcp { host, port, banner, .. } => {
            Request::Tcp { host: host.clone(), port: *port, banner: banner.clone() }
        }
        Subject::Http { url, method, contains, tls, .. } => Request::Http {
            url: url.clone(),
            method: *method,
            contains: contains.clone(),
            tls: *tls,
        },
        Subject::Dns { name, record, server, .. } => {
            Request::Dns { name: name.clone(), record: *record, server: server.clone() }
        }
        Subject::Ping { host, .. } => Request::Ping { host: host.clone() },
        _ => return Ok(None),
    }))
}

/// What an answer means for a check. An answer of another kind was refused before.
fn judge(subject: &Subject, answer: &Answer, now: UnixSeconds) -> Vec<Seen> {
    match (subject, answer) {
        (Subject::CertificateFile { below, .. }, Answer::Certificates { ends }) => {
            vec![certificate(*below, *ends, now)]
        }
        (Subject::Tcp { banner, above, severity, .. }, Answer::Connected { ms, matched }) => {
            let text = format!("connected in {ms} ms");
            vec![
                found(*matched, banner.as_deref(), *severity)
                    .unwrap_or_else(|| timed(*above, *ms, &text)),
            ]
        }
        (Subject::Http { expires, .. }, Answer::Responded { ends, .. }) => {
            let shown = expires.map(|below| shown(below, *ends, now));
            [Some(responded(subject, answer)), shown].into_iter().flatten().collect()
        }
        (Subject::Dns { wanted, above, severity, .. }, Answer::Resolved { ms, records }) => {
            vec![resolved(wanted, records, *severity).unwrap_or_else(|| {
                timed(*above, *ms, &format!("answered in {ms} ms: {}", records.join(", ")))
            })]
        }
        (Subject::Ping { loss, above, .. }, Answer::Echoed { received, ms }) => {
            echoed(*loss, *above, *received, *ms)
        }
        (_, Answer::Failed { text, ends }) => failed(subject, text, *ends, now),
        (_, Answer::Unknown { text }) => unknown(subject, text),
        _ => unknown(subject, "an answer to something else"),
    }
}

fn responded(subject: &Subject, answer: &Answer) -> Seen {
    let (
        Subject::Http { status: good, contains, above, severity, .. },
        Answer::Responded { ms, status, matched, .. },
    ) = (subject, answer)
    else {
        return Seen::unknown("an answer to something else");
    };
    let text = format!("status {status} in {ms} ms");
    if !good.contains(status) {
        return Seen::new(Some(*severity), *ms, &text);
    }
    let lacking = found(*matched, contains.as_deref(), *severity);
    lacking.unwrap_or_else(|| timed(*above, *ms, &text))
}

/// What was to be found and was not.
fn found(matched: Option<bool>, wanted: Option<&str>, severity: Severity) -> Option<Seen> {
    let wanted = wanted.filter(|_| matched == Some(false))?;
    Some(Seen::new(Some(severity), None, &format!("it answers, without `{wanted}`")))
}

fn timed(above: Option<Levels>, ms: u64, text: &str) -> Seen {
    Seen::new(above.and_then(|above| above.above(ms)), ms, text)
}

fn resolved(wanted: &[String], records: &[String], severity: Severity) -> Option<Seen> {
    if records.is_empty() {
        return Some(Seen::new(Some(severity), None, "no such record"));
    }
    let other = !wanted.is_empty() && wanted != records;
    other
        .then(|| Seen::new(Some(severity), None, &format!("other records: {}", records.join(", "))))
}

fn echoed(
    loss: Option<Levels>,
    above: Option<Levels>,
    received: u32,
    ms: Option<u64>,
) -> Vec<Seen> {
    let lost = PINGS.saturating_sub(received);
    let percent = u64::from(lost * 100 / PINGS);
    let lost = loss.map(|loss| {
        let text = format!("{lost} of {PINGS} echo requests without an answer");
        Seen::new(loss.above(percent), percent, &text).of(LOSS)
    });
    let time = above.map(|above| {
        let none = || Seen::unknown("no echo request was answered");
        ms.map_or_else(none, |ms| timed(Some(above), ms, &format!("there and back in {ms} ms")))
            .of(TIME)
    });
    [lost, time].into_iter().flatten().collect()
}

fn certificate(below: Levels, ends: u64, now: UnixSeconds) -> Seen {
    let left = ends.saturating_sub(now.get());
    let days = left / DAY_S;
    let text = if left == 0 {
        "the certificate has ended".to_owned()
    } else {
        format!("the certificate ends in {days} days")
    };
    // What has ended is as bad as it gets, also where only a warning is named.
    let judged = if left == 0 { Some(below.worst()) } else { below.below(days) };
    Seen::new(judged, days, &text)
}

fn shown(below: Levels, ends: Option<u64>, now: UnixSeconds) -> Seen {
    let none = || Seen::unknown("no certificate was shown that can be read");
    ends.map_or_else(none, |ends| certificate(below, ends, now)).of(CERTIFICATE)
}

/// The other side is not as it should be.
fn failed(subject: &Subject, text: &str, ends: Option<u64>, now: UnixSeconds) -> Vec<Seen> {
    match subject {
        Subject::Tcp { severity, .. } | Subject::Dns { severity, .. } => {
            vec![Seen::new(Some(*severity), None, text)]
        }
        Subject::Http { severity, expires, .. } => {
            let shown = expires.map(|below| shown(below, ends, now));
            let failed = Seen::new(Some(*severity), None, text);
            [Some(failed), shown].into_iter().flatten().collect()
        }
        // A name that leads nowhere loses every request.
        Subject::Ping { loss, above, .. } => {
            let lost = loss.map(|loss| Seen::new(loss.above(100), 100, text).of(LOSS));
            let time = above.map(|_| Seen::unknown(text).of(TIME));
            [lost, time].into_iter().flatten().collect()
        }
        _ => unknown(subject, text),
    }
}

/// It could not be asked: of everything that it would tell nothing is known.
fn unknown(subject: &Subject, why: &str) -> Vec<Seen> {
    let names = match subject {
        Subject::Http { expires, .. } => [Some(""), expires.map(|_| CERTIFICATE)],
        Subject::Ping { loss, above, .. } => [loss.map(|_| LOSS), above.map(|_| TIME)],
        _ => [Some(""), None],
    };
    names.into_iter().flatten().map(|name| Seen::unknown(why).of(name)).collect()
}

#[cfg(test)]
mod tests;
