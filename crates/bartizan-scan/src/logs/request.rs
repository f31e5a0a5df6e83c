//! Requests, in the forms that web servers log them.

use std::borrow::Cow;

use serde::Deserialize;

use crate::file::kind;
use crate::time::UnixSeconds;

/// One logged request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<'a> {
    /// When, in UTC.
    pub at: UnixSeconds,
    /// The address it came from, as the server saw it; headers that name another one are not believed.
    pub client: Cow<'a, str>,
    /// The method.
    pub method: Cow<'a, str>,
    /// The path without its query, as logged.
    pub path: Cow<'a, str>,
    /// The query without `?`.
    pub query: Cow<'a, str>,
    /// The user agent.
    pub agent: Cow<'a, str>,
    /// The status of the answer; 0 where none was logged.
    pub status: u16,
}

/// A form of log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// W3C extended log file format, as IIS writes it; times are UTC.
    W3c,
    /// The common and combined formats of Apache and nginx, with or without the host in front.
    Combined,
    /// JSON lines of Caddy.
    Caddy,
}

impl Dialect {
    /// The form of a log, by its first lines. `None`: not a log of requests.
    pub fn of(head: &[u8]) -> Option<Self> {
        let text = kind::lossy(head);
        let lines = text.lines().filter(|line| !line.trim().is_empty()).take(20);
        for line in lines {
            if line.starts_with("#Software: ") || line.starts_with("#Fields: ") {
                return Some(Self::W3c);
            }
            if parse_combined(line).is_some() {
                return Some(Self::Combined);
            }
            if parse_caddy(line).is_some() {
                return Some(Self::Caddy);
            }
        }
        // Without its head, an IIS log still begins with a date.
        text.lines().next().filter(|line| is_w3c_entry(line)).map(|_| Self::W3c)
    }
}

/// What a line of a log is.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// A request.
    Request(Request<'a>),
    /// Blank, or about the log itself.
    Other,
    /// An entry before the log said what its columns are.
    Headless,
    /// Neither.
    NotUnderstood,
}

/// Reads the lines of one log.
#[derive(Debug)]
pub struct LineReader {
    dialect: Dialect,
    columns: Option<Columns>,
    date: Option<String>,
}

impl LineReader {
    /// A reader at the beginning of a log.
    pub const fn new(dialect: Dialect) -> Self {
        Self { dialect, columns: None, date: None }
    }

    /// Reads one line, without its end.
    pub fn read<'a>(&mut self, line: &'a str) -> Line<'a> {
        let request = match self.dialect {
            Dialect::W3c => return self.read_w3c(line),
            Dialect::Combined => parse_combined(line),
            Dialect::Caddy => parse_caddy(line),
        };
        match request {
            Some(request) => Line::Request(request),
            None if line.trim().is_empty() => Line::Other,
            None => Line::NotUnderstood,
        }
    }

    fn read_w3c<'a>(&mut self, line: &'a str) -> Line<'a> {
        if let Some(fields) = line.strip_prefix("#Fields:") {
            self.columns = Some(Columns::parse(fields));
            return Line::Other;
        }
        if let Some(date) = line.strip_prefix("#Date:") {
            self.date = date.split_whitespace().next().map(str::to_owned);
            return Line::Other;
        }
        if line.starts_with('#') || line.trim().is_empty() {
            return Line::Other;
        }
        let Some(columns) = &self.columns else {
            return if is_w3c_entry(line) { Line::Headless } else { Line::NotUnderstood };
        };
        match columns.request(line, self.date.as_deref()) {
            Some(request) => Line::Request(request),
            None => Line::NotUnderstood,
        }
    }
}

fn is_w3c_entry(line: &str) -> bool {
    let mut words = line.split(' ');
    let date = words.next().unwrap_or_default();
    let time = words.next().unwrap_or_default();
    date.len() == 10 && time.len() == 8 && UnixSeconds::parse(&format!("{date}T{time}")).is_some()
}

/// Where the columns of a W3C log stand.
#[derive(Debug, Default)]
struct Columns {
    date: Option<usize>,
    time: Option<usize>,
    client: Option<usize>,
    method: Option<usize>,
    path: Option<usize>,
    query: Option<usize>,
    agent: Option<usize>,
    status: Option<usize>,
}

impl Columns {
    fn parse(fields: &str) -> Self {
        let mut columns = Self::default();
        for (place, name) in fields.split_whitespace().enumerate() {
            let column = match name.to_ascii_lowercase().as_str() {
                "date" => &mut columns.date,
                "time" => &mut columns.time,
                "c-ip" => &mut columns.client,
                "cs-method" => &mut columns.method,
                "cs-uri-stem" => &mut columns.path,
                "cs-uri-query" => &mut columns.query,
                "cs(user-agent)" => &mut columns.agent,
                "sc-status" => &mut columns.status,
                _ => continue,
            };
            *column = Some(place);
        }
        columns
    }

    fn request<'a>(&self, line: &'a str, date: Option<&str>) -> Option<Request<'a>> {
        let words: Vec<&str> = line.split(' ').collect();
        let word = |place: Option<usize>| -> &'a str {
            place.and_then(|place| words.get(place).copied()).filter(|w| *w != "-").unwrap_or("")
        };
        let day = match self.date {
            Some(_) => word(self.date),
            None => date?,
        };
        let at = UnixSeconds::parse(&format!("{day}T{}", word(self.time)))?;
        let (client, path) = (word(self.client), word(self.path));
        if client.is_empty() || path.is_empty() {
            return None;
        }
        Some(Request {
            at,
            client: client.into(),
            method: word(self.method).into(),
            path: path.into(),
            query: word(self.query).into(),
            // IIS writes spaces of header fields as `+`.
            agent: word(self.agent).replace('+', " ").into(),
            status: word(self.status).parse().unwrap_or(0),
        })
    }
}

/// `[host] client identity user [time] "request" status size "referer" "agent"`
fn parse_combined(line: &str) -> Option<Request<'_>> {
    let (before, rest) = line.split_once(" [")?;
    let (time, rest) = rest.split_once("] ")?;
    let words: Vec<&str> = before.split(' ').collect();
    let client = match words.as_slice() {
        [client, _, ..] if !is_host_and_port(client) => *client,
        [_, client, _, _, ..] => *client,
        _ => return None,
    };
    let (request, rest) = quoted(rest)?;
    let mut numbers = rest.trim_start().split(' ');
    let status = numbers.next()?.parse().ok()?;
    let _size = numbers.next();
    let rest = rest.trim_start().splitn(3, ' ').nth(2).unwrap_or_default();
    let agent = quoted(rest).and_then(|(_, rest)| quoted(rest)).map_or("", |(agent, _)| agent);
    let mut parts = request.split(' ');
    let (method, target) = (parts.next()?, parts.next().unwrap_or_default());
    let (path, query) = split_target(target);
    Some(Request {
        at: common_time(time)?,
        client: client.into(),
        method: method.into(),
        path: path.into(),
        query: query.into(),
        agent: if agent == "-" { "".into() } else { agent.into() },
        status,
    })
}

/// `example.org:443`, which some servers put in front of the client; an IPv6 address has more colons.
fn is_host_and_port(word: &str) -> bool {
    word.split_once(':')
        .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A text in quotes at the beginning, with what follows. A backslash keeps the quote after it from ending the text.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let inner = text.trim_start().strip_prefix('"')?;
    let mut escaped = false;
    for (place, byte) in inner.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return Some((inner.get(..place)?, inner.get(place + 1..)?)),
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    None
}

/// The path and the query of a request target, which may be a whole address.
fn split_target(target: &str) -> (&str, &str) {
    let local = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"),
        None => target,
    };
    local.split_once('?').unwrap_or((local, ""))
}

/// `02/Jul/2021:16:30:00 +0200`
fn common_time(text: &str) -> Option<UnixSeconds> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (moment, zone) = text.split_once(' ')?;
    let (date, time) = moment.split_once(':')?;
    let mut parts = date.split('/');
    let (day, month, year) = (parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    let local = UnixSeconds::parse(&format!("{year}-{month:02}-{day}T{time}"))?;
    let (sign, digits) = match (zone.strip_prefix('+'), zone.strip_prefix('-')) {
        (Some(digits), _) => (1, digits),
        (_, Some(digits)) => (-1, digits),
        _ => return None,
    };
    if digits.len() != 4 {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = digits.get(2..)?.parse().ok()?;
    Some(UnixSeconds(local.0 - sign * (hours * 3600 + minutes * 60)))
}

#[derive(Deserialize)]
struct CaddyLine<'a> {
    ts: f64,
    #[serde(borrow)]
    request: CaddyRequest<'a>,
    #[serde(default)]
    status: u16,
}

#[derive(Deserialize)]
struct CaddyRequest<'a> {
    #[serde(borrow)]
    remote_ip: Option<Cow<'a, str>>,
    #[serde(borrow)]
    remote_addr: Option<Cow<'a, str>>,
    #[serde(borrow)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    uri: Cow<'a, str>,
    #[serde(default)]
    headers: CaddyHeaders,
}

#[derive(Deserialize, Default)]
struct CaddyHeaders {
    #[serde(rename = "User-Agent", default)]
    agent: Vec<String>,
}

fn parse_caddy(line: &str) -> Option<Request<'_>> {
    if !line.starts_with('{') {
        return None;
    }
    let line: CaddyLine<'_> = serde_json::from_str(line).ok()?;
    let CaddyRequest { remote_ip, remote_addr, method, uri, headers } = line.request;
    let client = match (remote_ip, remote_addr) {
        (Some(address), _) => address,
        // Older versions log the port, too.
        (None, Some(address)) => match address.rsplit_once(':') {
            Some((host, _)) => Cow::Owned(host.trim_matches(['[', ']']).to_owned()),
            None => address,
        },
        (None, None) => return None,
    };
    let (path, query) = split_target(&uri);
    Some(Request {
        at: seconds(line.ts)?,
        client,
        method,
        path: Cow::Owned(path.to_owned()),
        query: Cow::Owned(query.to_owned()),
        agent: headers.agent.into_iter().next().unwrap_or_default().into(),
        status: line.status,
    })
}

/// Whole seconds of a floating number of seconds, where they are a date.
fn seconds(value: f64) -> Option<UnixSeconds> {
    let whole = format!("{:.0}", value.floor());
    whole.parse().ok().map(UnixSeconds).filter(|at| (0..=253_402_300_799).contains(&at.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(dialect: Dialect, lines: &[&str]) -> Vec<String> {
        let mut reader = LineReader::new(dialect);
        lines
            .iter()
            .map(|line| match reader.read(line) {
                Line::Request(r) => format!(
                    "{} {} {} {}?{} {} {}",
                    r.at, r.client, r.method, r.path, r.query, r.status, r.agent
                ),
                other => format!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn iis_logs_are_read_by_their_own_columns() {
        let lines = [
            "#Software: Microsoft Internet Information Services 10.0",
            "#Date: 2021-07-02 14:00:00",
            "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status",
            "2021-07-02 14:48:44 10.0.0.4 POST /dl.asp - 443 - 192.0.2.7 curl/7.69.1 302",
            "#Fields: time c-ip cs-uri-stem",
            "14:49:00 192.0.2.8 /x",
            "too short",
        ];
        assert_eq!(
            shown(Dialect::W3c, &lines)[3..],
            [
                "2021-07-02T14:48:44Z 192.0.2.7 POST /dl.asp? 302 curl/7.69.1",
                "Other",
                "2021-07-02T14:49:00Z 192.0.2.8  /x? 0 ",
                "NotUnderstood",
            ]
        );
        assert_eq!(shown(Dialect::W3c, &lines[3..4]), ["Headless"]);
    }

    #[test]
    fn combined_logs_are_read_with_their_offset_and_escapes() {
        let lines = [
            r#"192.0.2.7 - - [02/Jul/2021:16:30:00 +0200] "POST /a?b=\"c HTTP/1.1" 200 12 "-" "cu\"rl""#,
            r#"shop.example:443 2001:db8::7 - eve [02/Jul/2021:16:30:00 -0030] "GET http://shop.example/x HTTP/1.1" 404 -"#,
            r#"192.0.2.7 - - [02/Xyz/2021:16:30:00 +0200] "GET / HTTP/1.1" 200 1"#,
            r#"192.0.2.7 - - [02/Jul/2021:16:30:00 +0200] "\x16\x03\x01" 400 0 "-" "-""#,
        ];
        assert_eq!(
            shown(Dialect::Combined, &lines),
            [
                r#"2021-07-02T14:30:00Z 192.0.2.7 POST /a?b=\"c 200 cu\"rl"#,
                "2021-07-02T17:00:00Z 2001:db8::7 GET /x? 404 ",
                "NotUnderstood",
                r"2021-07-02T14:30:00Z 192.0.2.7 \x16\x03\x01 ? 400 ",
            ]
        );
    }

    #[test]
    fn caddy_lines_are_read() {
        let lines = [
            r#"{"level":"info","ts":1625236200.75,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/a?b","headers":{"User-Agent":["x"]}},"status":200}"#,
            r#"{"ts":1625236200,"request":{"remote_addr":"[2001:db8::7]:4711","method":"GET","uri":"/"}}"#,
            r#"{"ts":1e300,"request":{"remote_ip":"192.0.2.7","method":"GET","uri":"/"}}"#,
            r#"{"msg":"started"}"#,
        ];
        assert_eq!(
            shown(Dialect::Caddy, &lines),
            [
                "2021-07-02T14:30:00Z 192.0.2.7 GET /a?b 200 x",
                "2021-07-02T14:30:00Z 2001:db8::7 GET /? 0 ",
                "NotUnderstood",
                "NotUnderstood",
            ]
        );
    }

    #[test]
    fn the_form_of_a_log_is_known_by_its_first_lines() {
        for (head, dialect) in [
            ("#Software: Microsoft Internet Information Services 10.0\n", Some(Dialect::W3c)),
            ("2021-07-02 14:48:44 10.0.0.4 GET /\n", Some(Dialect::W3c)),
            (
                "192.0.2.7 - - [02/Jul/2021:16:30:00 +0200] \"GET / HTTP/1.1\" 200 1\n",
                Some(Dialect::Combined),
            ),
            (
                "{\"ts\":1,\"request\":{\"remote_ip\":\"192.0.2.7\",\"method\":\"GET\",\"uri\":\"/\"}}\n",
                Some(Dialect::Caddy),
            ),
            ("Jul  2 16:30:00 host sshd[1]: Accepted\n", None),
            ("", None),
        ] {
            assert_eq!(Dialect::of(head.as_bytes()), dialect, "{head}");
        }
    }
}
