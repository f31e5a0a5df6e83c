//! Windows event logs. Reading them is the crate `evtx`'s; here events become what rules ask about, and the state of a log says
//! what was done to it.

use std::io::{Read, Seek, SeekFrom};

use evtx::{EvtxParser, ParserSettings};
use serde_json::{Map, Value};

use crate::integrity;
use crate::limits;
use crate::model::{Area, Coverage, Evidence, Finding, Period};
use crate::sigma::{Sigma, Source, fields_of};
use crate::time::UnixSeconds;

/// The log cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum EventLogError {
    /// Another kind of file, or one that cannot be read.
    #[error("not a Windows event log")]
    NotAnEventLog(#[source] Box<evtx::err::EvtxError>),
    /// Only its head is left.
    #[error("a Windows event log whose contents are overwritten")]
    Overwritten,
}

/// Where the first chunk of a log stands, and how it begins; an empty log has one, too.
const FIRST_CHUNK: (u64, &[u8; 8]) = (4096, b"ElfChnk\0");

/// One event.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its number in the log.
    pub record: u64,
    /// When it was written.
    pub at: UnixSeconds,
    /// What kind.
    pub event: u32,
    /// Where it belongs, as `Security`.
    pub channel: String,
    /// Where it comes from, in the words of Sigma.
    pub source: Source,
    /// Its fields, under the names of Sigma.
    pub fields: Value,
}

/// Everything that is learnt from event logs.
#[derive(Debug, Default)]
pub struct EventLogs {
    findings: Vec<Finding>,
    coverage: Coverage,
}

/// What the numbers of a log say.
#[derive(Debug, Default)]
struct LogFacts {
    entries: u64,
    broken: u64,
    recovered: u64,
    last_record: Option<u64>,
    holes: Vec<(u64, u64)>,
    first: Option<UnixSeconds>,
    last: Option<UnixSeconds>,
}

impl EventLogs {
    /// Reads one log to its end, and asks the rules about each event.
    pub fn read(
        &mut self,
        place: &str,
        mut log: impl Read + Seek,
        sigma: &mut Sigma,
        mut each: impl FnMut(&Event),
    ) -> Result<(), EventLogError> {
        let has_first_chunk = has_first_chunk(&mut log);
        let parser = EvtxParser::from_read_seek(log)
            .map_err(|error| EventLogError::NotAnEventLog(Box::new(error)))?;
        // Records that were deleted but not yet overwritten are evidence, too.
        let settings = ParserSettings::new().num_threads(1).recover_records(true);
        let mut parser = parser.with_configuration(settings);
        let mut facts = LogFacts::default();
        for record in parser.records_json_value() {
            let Ok(record) = record else {
                facts.broken += 1;
                continue;
            };
            let at = UnixSeconds(record.timestamp.as_second());
            facts.note(record.event_record_id, at, record.recovered);
            let Some(event) = Event::parse(record.event_record_id, at, record.data) else {
                facts.broken += 1;
                continue;
            };
            let here =
                || Evidence::at(format!("{place}#{}", event.record)).with_excerpt(&shown(&event));
            if let Some(finding) = cleared(&event, here) {
                self.findings.push(finding);
            }
            sigma.handle(&event.fields, &event.source, event.at, here);
            each(&event);
        }
        // The reader passes over chunks that are none: a log of which only the head is left looks like an empty one.
        if facts.entries == 0 && !has_first_chunk {
            return Err(EventLogError::Overwritten);
        }
        self.close(place, &facts);
        Ok(())
    }

    fn close(&mut self, place: &str, facts: &LogFacts) {
        if !facts.holes.is_empty() {
            let ranges: Vec<String> =
                facts.holes.iter().map(|(from, to)| format!("{from} to {to}")).collect();
            let evidence = Evidence::at(place).with_excerpt(&ranges.join(", "));
            self.findings.push(integrity::finding(&integrity::RECORDS_MISSING, evidence));
        }
        self.coverage.add_read(Area::EventLogs, facts.entries);
        if facts.broken > 0 {
            let broken = "event records that could not be read".to_owned();
            *self.coverage.not_understood.entry(broken).or_default() += facts.broken;
        }
        if let (Some(from), Some(until)) = (facts.first, facts.last) {
            let missing = facts.holes.iter().map(|(a, b)| format!("records {a} to {b}")).collect();
            self.coverage.periods.push(Period { log: place.to_owned(), from, until, missing });
        }
    }

    /// Ends the reading.
    pub fn finish(self, coverage: &mut Coverage) -> Vec<Finding> {
        coverage.merge(self.coverage);
        self.findings
    }
}

/// Looks, and goes back to the beginning. What cannot be read here the reader says.
fn has_first_chunk(log: &mut (impl Read + Seek)) -> bool {
    let (place, expected) = FIRST_CHUNK;
    let mut bytes = [0; 8];
    let read = log.seek(SeekFrom::Start(place)).and_then(|_| log.read_exact(&mut bytes));
    let back = log.seek(SeekFrom::Start(0));
    read.is_ok() && back.is_ok() && bytes == *expected
}

impl LogFacts {
    fn note(&mut self, record: u64, at: UnixSeconds, recovered: bool) {
        self.entries += 1;
        self.recovered += u64::from(recovered);
        // A record that was dug out of free space stands in no row, and its time may be overwritten.
        if recovered {
            return;
        }
        self.first = Some(self.first.map_or(at, |first| first.min(at)));
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        if let Some(last) = self.last_record
            && record > last.saturating_add(1)
            && self.holes.len() < limits::EVENT_HOLES_MAX
        {
            self.holes.push((last + 1, record - 1));
        }
        self.last_record = Some(self.last_record.map_or(record, |last| last.max(record)));
    }
}

impl Event {
    /// Command lines and scripts in it.
    pub fn commands(&self) -> impl Iterator<Item = &str> {
        let fields = ["CommandLine", "ScriptBlockText", "ImagePath", "ServiceFileName"];
        fields.into_iter().filter_map(|name| self.fields.get(name)?.as_str())
    }

    fn parse(record: u64, at: UnixSeconds, mut json: Value) -> Option<Self> {
        let event = json.get_mut("Event")?.as_object_mut()?;
        let system = event.remove("System")?;
        let channel = text(system.get("Channel")?)?;
        let number = u32::try_from(text(system.get("EventID")?)?.parse::<u64>().ok()?).ok()?;
        let data = match event.remove("EventData") {
            Some(Value::Object(data)) => flat(data),
            _ => event.remove("UserData").map(user_data).unwrap_or_default(),
        };
        let source = Source::of_windows(&channel, number).with_fields(&data);
        let fields = fields_of(system_fields(&system, &channel, number), data, &source);
        Some(Self { record, at, event: number, channel, source, fields })
    }
}

/// A value with or without attributes: `4688`, `{"#attributes": …, "#text": 4688}`.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(object) => object.get("#text").and_then(text),
        _ => None,
    }
}

fn system_fields(system: &Value, channel: &str, number: u32) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("EventID".to_owned(), number.into());
    fields.insert("Channel".to_owned(), channel.into());
    let provider = system.pointer("/Provider/#attributes/Name").and_then(Value::as_str);
    fields.insert("Provider_Name".to_owned(), provider.unwrap_or_default().into());
    for name in ["Computer", "Level", "Keywords", "Task", "Opcode"] {
        if let Some(value) = system.get(name).and_then(text) {
            fields.insert(name.to_owned(), value.into());
        }
    }
    fields
}

/// Data fields; what has no name of its own becomes `Data`.
fn flat(data: Map<String, Value>) -> Map<String, Value> {
    data.into_iter()
        .filter(|(name, _)| name != "#attributes")
        .map(|(name, value)| match value {
            Value::Object(mut object) => (name, object.remove("#text").unwrap_or(Value::Null)),
            other => (name, other),
        })
        .collect()
}

/// `UserData` holds one element with the fields in it.
fn user_data(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { return Map::new() };
    object
        .into_iter()
        .filter(|(name, _)| name != "#attributes")
        .find_map(|(_, inner)| match inner {
            Value::Object(fields) => Some(flat(fields)),
            _ => None,
        })
        .unwrap_or_default()
}

/// The log, or another one, was emptied: `Security` says 1102, `System` 104 for all others.
fn cleared(event: &Event, evidence: impl Fn() -> Evidence) -> Option<Finding> {
    let provider = event.fields.get("Provider_Name").and_then(Value::as_str)?;
    let says = provider == "Microsoft-Windows-Eventlog" && matches!(event.event, 104 | 1102);
    says.then(|| {
        let evidence = Evidence { happened: Some(event.at), ..evidence() };
        integrity::finding(&integrity::EVENTS_CLEARED, evidence)
    })
}

/// An event in one line.
fn shown(event: &Event) -> String {
    let fields = event.fields.as_object().into_iter().flatten();
    let words: Vec<String> = fields
        .filter(|(name, _)| {
            !matches!(name.as_str(), "Channel" | "EventID" | "Keywords" | "Opcode" | "Task")
        })
        .map(|(name, value)| format!("{name}={}", text(value).unwrap_or_else(|| value.to_string())))
        .collect();
    format!("{} {}: {}", event.channel, event.event, words.join(" "))
}

#[cfg(test)]
mod tests;
