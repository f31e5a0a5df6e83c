//! Logs, after the walk: entries of one client may stand in several of them.

use std::io::{self, BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use bartizan_scan::command;
use bartizan_scan::events::EventLogs;
use bartizan_scan::evidence::Output;
use bartizan_scan::file;
use bartizan_scan::limits;
use bartizan_scan::logs::{Dialect, WebLogs};
use bartizan_scan::model::{Area, Evidence};
use bartizan_scan::pack::{FileKind, Pack};
use bartizan_scan::path;
use bartizan_scan::rules::Rules;
use bartizan_scan::sigma::Sigma;
use bartizan_scan::time::UnixSeconds;
use flate2::read::MultiGzDecoder;
use serde::{Deserialize, Serialize};

use crate::guarded;
use crate::pace::{Pace, Paced};
use crate::read;

/// Bytes of a log that tell its form.
const HEAD_BYTES: usize = 4096;

/// A log that the walk met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogFile {
    modified: Option<UnixSeconds>,
    path: String,
    place: PathBuf,
    kind: LogKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum LogKind {
    Events,
    Web,
    PackedWeb,
}

/// Whether a file is a log, by what stands in it.
pub(crate) fn classify(
    place: &Path,
    path: &str,
    head: &[u8],
    modified: Option<UnixSeconds>,
) -> Option<LogFile> {
    let head = head.get(..HEAD_BYTES).unwrap_or(head);
    let kind = match file::kind::kind_of(head) {
        FileKind::EventLog => LogKind::Events,
        FileKind::Text if Dialect::of(head).is_some() => LogKind::Web,
        FileKind::Archive
            if head.starts_with(&[0x1f, 0x8b])
                && Dialect::of(&file::gzip_head(head, HEAD_BYTES)).is_some() =>
        {
            LogKind::PackedWeb
        }
        _ => return None,
    };
    Some(LogFile { modified, path: path.to_owned(), place: place.to_owned(), kind })
}

/// Reads all logs, the older first.
pub(crate) fn examine(
    packs: &[Pack],
    (rules, sigma): (&Rules, &mut Sigma),
    pace: &Pace,
    mut logs: Vec<LogFile>,
    output: &mut Output,
) {
    if logs.is_empty() {
        return;
    }
    logs.sort_by(|a, b| {
        (path::folder(&a.path), a.modified, &a.path).cmp(&(
            path::folder(&b.path),
            b.modified,
            &b.path,
        ))
    });
    let borrowed: Vec<&Pack> = packs.iter().collect();
    // What cannot be used was said when the packs were loaded.
    let (mut web, _) = WebLogs::new(&borrowed, Some(sigma));
    for log in logs.iter().filter(|log| log.kind != LogKind::Events) {
        if pace.stopped().is_none() {
            read_web(&mut web, pace, log, output);
        }
    }
    output.findings.extend(web.finish(&mut output.coverage));
    let mut events = EventLogs::default();
    for log in logs.iter().filter(|log| log.kind == LogKind::Events) {
        if pace.stopped().is_none() {
            read_events(&mut events, (rules, sigma), pace, log, output);
        }
    }
    output.findings.extend(events.finish(&mut output.coverage));
    let (findings, _) = sigma.finish();
    output.findings.extend(findings);
}

fn read_web(web: &mut WebLogs<'_>, pace: &Pace, log: &LogFile, output: &mut Output) {
    let place = crate::walk::shown(&log.place);
    let rotated = is_rotated(&log.path);
    let result = read::open(&log.place).and_then(|file| {
        let size = file.metadata()?.len();
        let packed = BufReader::new(Paced::new(file, pace));
        guarded::guard(|| {
            if log.kind != LogKind::PackedWeb {
                return read_dialect(web, &place, rotated, packed);
            }
            let max = size.saturating_mul(limits::PACKED_LOG_RATIO_MAX);
            let max = max.saturating_add(limits::PACKED_LOG_BYTES_MIN);
            let mut unpacked = MultiGzDecoder::new(packed).take(max);
            read_dialect(web, &place, rotated, BufReader::new(&mut unpacked))?;
            if unpacked.limit() == 0 {
                return Err(io::Error::other("unpacks to more than a log does: the rest was left"));
            }
            Ok(())
        })?
    });
    if let Err(error) = result {
        output.coverage.add_existing(Area::WebLogs);
        output.coverage.add_unreadable(place, error.to_string());
    }
}

fn read_dialect(
    web: &mut WebLogs<'_>,
    place: &str,
    rotated: bool,
    mut reader: impl BufRead,
) -> io::Result<()> {
    let dialect = Dialect::of(reader.fill_buf()?);
    match dialect {
        Some(dialect) => web.read(place, dialect, rotated, reader),
        None => Err(io::Error::other("no longer a log in a known form")),
    }
}

/// `access.log.1`, `access.log-20210702`, `error.log.2.gz`: a newer one follows.
fn is_rotated(path: &str) -> bool {
    let name = path::file_name(path).trim_end_matches(".gz");
    let digits = name.len() - name.trim_end_matches(|char: char| char.is_ascii_digit()).len();
    digits > 0 && path::extension(name) != Some("log")
}

fn read_events(
    events: &mut EventLogs,
    (rules, sigma): (&Rules, &mut Sigma),
    pace: &Pace,
    log: &LogFile,
    output: &mut Output,
) {
    let place = crate::walk::shown(&log.place);
    let mut lines = Output::default();
    let result = read::open(&log.place).and_then(|file| {
        let reader = BufReader::new(Paced::new(file, pace));
        guarded::guard(|| {
            events.read(&place, reader, sigma, |event| {
                for text in event.commands() {
                    let place = format!("{place}#{}", event.record);
                    let evidence = Evidence { happened: Some(event.at), ..Evidence::at(place) };
                    command::examine(rules, text, &evidence, &mut lines);
                }
            })
        })?
        .map_err(io::Error::other)
    });
    output.findings.append(&mut lines.findings);
    if let Err(error) = result {
        output.coverage.add_existing(Area::EventLogs);
        output.coverage.add_unreadable(place, error.to_string());
    }
}
