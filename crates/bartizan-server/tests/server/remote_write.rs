//! Remote write of the whole program: into a real Prometheus, and into a receiver that says no in every way.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use bartizan_proto::message::{Message, Report};
use bartizan_proto::preflight::{Outcome, ServerPreflight};
use bartizan_proto::samples::{Metric, Samples, Series};
use bartizan_proto::series::SeriesAnswer;
use bartizan_testkit::load::plane::Console;
use prost::Message as _;

use crate::endpoints::{Line, World, id};
use crate::program::log_in;
use crate::prometheus::{Prometheus, points};
use crate::reports::{endpoint, line, stored};
use crate::{now, wait_for};

/// Five minutes of two metrics, the last sample at a time.
fn samples(at: u64, value: f64) -> Vec<u8> {
    let times: Vec<u64> = (0..5).rev().map(|n| at - 60 * n).collect();
    let of = |name: &str, label: &str, factor: f64| Series {
        metric: Metric::named(name).expect("metric"),
        label: label.to_owned(),
        values: (1_u8..=5).map(|n| Some(value + factor * f64::from(n))).collect(),
    };
    let series = vec![
        of("bartizan_load1", "", 0.25),
        of("bartizan_network_receive_bytes_total", "eth0", 1e9),
    ];
    Samples { times, series, unknown: 0 }.encode()
}

pub(crate) async fn say(line: &mut Line, seq: u64, at: u64, value: f64) {
    let bytes = samples(at, value);
    line.say(&Message::Report(Report { epoch: 9, seq, at, dropped: 0, kind: 2, bytes })).await;
    assert_eq!(stored(line).await, (9, seq));
}

/// Adds to a server's configuration, kills it and starts it again.
pub(crate) async fn configured(mut world: World, dir: &Path, section: &str) -> World {
    let path = dir.join("server.toml");
    let mut text = std::fs::read_to_string(&path).expect("server.toml");
    if !text.contains("metrics_listen = \"127.0.0.1:0\"") {
        text = format!("metrics_listen = \"127.0.0.1:0\"\n{text}");
    }
    // Where the endpoints know it.
    text = text.replace(
        "agent_listen = \"127.0.0.1:0\"",
        &format!("agent_listen = \"{}\"", world.program.agent),
    );
    std::fs::write(&path, text + section).expect("write");
    world.program = world.program.crash_and_restart();
    world.console = Console::new(world.program.operator, world.fleet.pin).expect("console");
    log_in(&world.console, &world.organisation).await;
    world
}

pub(crate) fn figures(dir: &Path) -> BTreeMap<String, u64> {
    let ready = std::fs::read(dir.join("ready.json")).expect("ready.json");
    let ready: serde_json::Value = serde_json::from_slice(&ready).expect("JSON");
    let mut stream =
        TcpStream::connect(ready["metrics"].as_str().expect("metrics")).expect("connect");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        .expect("ask");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("read");
    let line = |line: &str| {
        let (name, value) = line.rsplit_once(' ')?;
        Some((name.strip_prefix("bartizan_remote_write_")?.to_owned(), value.trim().parse().ok()?))
    };
    text.lines().filter_map(line).collect()
}

/// What our own API says of a metric of an endpoint.
async fn own(console: &Console, number: u32, metric: &str, until: u64) -> Vec<(u64, f64)> {
    let query = format!("from={}&to={until}&step_s=1&name={metric}", until - 1800);
    let path = format!("/v1/endpoints/{}/series?{query}", id(number));
    let answer: SeriesAnswer = console.fetch(&path).await.expect("series");
    answer.series.first().map_or_else(Vec::new, |row| row.points.clone())
}

/// Until a figure of the server is so; reading it is what the test waits by.
fn until_figure(dir: &Path, name: &str, is_so: impl Fn(u64) -> bool) {
    let end = Instant::now() + Duration::from_mins(1);
    loop {
        let found = figures(dir);
        if found.get(name).is_some_and(|value| is_so(*value)) {
            return;
        }
        assert!(Instant::now() < end, "{name} in {found:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_real_prometheus_has_what_we_have_also_after_both_were_killed() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut prometheus = Prometheus::start(dir.path());
        let world = World::new(dir.path()).await;
        let world = configured(world, dir.path(), &prometheus.section(dir.path())).await;
        let (first, second) = (endpoint(&world, 0), endpoint(&world, 1));
        let mut lines = [line(&first).await, line(&second).await];
        let at = now().get() / 60 * 60;
        for (number, line) in (0_u8..).zip(&mut lines) {
            say(line, 1, at - 900, 10.0 * f64::from(number)).await;
        }
        let selector = "{__name__=~\"bartizan_.+\",source=\"bartizan\"}[30m]";
        let whole = |prometheus: &Prometheus, each: usize| {
            let all = prometheus.matrix(selector, at + 60);
            let is_whole = all.len() == 4 && all.iter().all(|series| points(series).len() == each);
            is_whole.then_some(all)
        };
        let all = prometheus.until("the first samples", |own| whole(own, 5));
        let labels = &all
            .iter()
            .find(|series| series["metric"]["interface"] == "eth0")
            .expect("eth0")["metric"];
        assert_eq!(labels["tenant"], "acme", "{labels}");
        assert!(labels["site"].is_string() && labels["hostname"].is_string(), "{labels}");
        until_figure(dir.path(), "samples_total{destination=\"graphs\",fate=\"sent\"}", |sent| {
            sent == 20
        });

        // The receiver is away, and our own server is killed meanwhile.
        prometheus.kill();
        for line in &mut lines {
            say(line, 2, at - 300, 3.0).await;
        }
        until_figure(dir.path(), "failures_total{destination=\"graphs\"}", |failures| failures > 0);
        let world = configured(world, dir.path(), "").await;
        until_figure(dir.path(), "failures_total{destination=\"graphs\"}", |failures| failures > 0);
        assert_eq!(figures(dir.path())["waiting_reports{destination=\"graphs\"}"], 2);
        let preflight: ServerPreflight =
            world.console.fetch("/v1/preflight").await.expect("preflight");
        let check = preflight
            .checks
            .iter()
            .find(|check| check.name == "remote_write.graphs")
            .expect("check");
        assert!(
            check.outcome == Outcome::Warn && check.found.contains("2 reports wait"),
            "{check:?}"
        );
        let mut last = line(&endpoint(&world, 0)).await;
        say(&mut last, 3, at, 7.0).await;

        prometheus.wake();
        until_figure(dir.path(), "waiting_reports{destination=\"graphs\"}", |waiting| waiting == 0);
        for number in 0..2 {
            for metric in ["bartizan_load1", "bartizan_network_receive_bytes_total"] {
                let mine = own(&world.console, number, metric, at + 60).await;
                assert_eq!(mine.len(), if number == 0 { 15 } else { 10 });
                let selector = format!("{metric}{{endpoint=\"{}\"}}[30m]", id(number));
                let theirs = prometheus.matrix(&selector, at + 60);
                assert_eq!(points(&theirs[0]), mine, "{selector}");
            }
        }
        // Nothing that it had was sent again.
        assert_eq!(figures(dir.path())["samples_total{destination=\"graphs\",fate=\"sent\"}"], 30);
        drop(world);
    });
}

/// The messages of the protocol, written again from its text.
#[derive(Clone, PartialEq, prost::Message)]
struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct TimeSeries {
    #[prost(message, repeated, tag = "1")]
    labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Label {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Sample {
    #[prost(double, tag = "1")]
    value: f64,
    #[prost(int64, tag = "2")]
    timestamp: i64,
}

/// What a receiver was sent: lines of the head in lower case, and the endpoints whose samples are in it.
#[derive(Debug)]
struct Asked {
    head: Vec<String>,
    endpoints: Vec<String>,
}

fn read_request(stream: &mut TcpStream) -> Asked {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).expect("read") > 0, "the request ended in its head");
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let length = head
        .iter()
        .find_map(|line| line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let mut body = vec![0; length.expect("a length").parse().expect("number")];
    reader.read_exact(&mut body).expect("body");
    let plain = snap::raw::Decoder::new().decompress_vec(&body).expect("snappy");
    let request = WriteRequest::decode(plain.as_slice()).expect("protobuf");
    let of = |series: &TimeSeries| {
        assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "{series:?}");
        assert!(series.samples.is_sorted_by(|a, b| a.timestamp < b.timestamp), "{series:?}");
        series.labels.iter().find(|label| label.name == "endpoint").expect("endpoint").value.clone()
    };
    let mut endpoints: Vec<String> = request.timeseries.iter().map(of).collect();
    endpoints.dedup();
    Asked { head, endpoints }
}

/// Answers each request with what is next in the list, then with 204, and passes on what it was sent.
fn receiver(answers: Vec<String>, refused: String) -> (u16, mpsc::Receiver<(Asked, u16)>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = listener.local_addr().expect("port").port();
    let (tell, asked) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answers = answers.into_iter();
        for stream in listener.incoming() {
            let mut stream = stream.expect("accept");
            let asked = read_request(&mut stream);
            let usual = if asked.endpoints.contains(&refused) {
                "400 Bad Request\r\ncontent-length: 12\r\n\r\nout of order".to_owned()
            } else {
                "204 No Content\r\n\r\n".to_owned()
            };
            let answer = answers.next().unwrap_or(usual);
            let status = answer[..3].parse().expect("status");
            let _ = stream.write_all(format!("HTTP/1.1 {answer}").as_bytes());
            if tell.send((asked, status)).is_err() {
                return;
            }
        }
    });
    (port, asked)
}

fn next(asked: &mpsc::Receiver<(Asked, u16)>) -> (Asked, u16) {
    asked.recv_timeout(Duration::from_mins(1)).expect("a request within a minute")
}

#[test]
fn every_no_of_a_receiver_is_waited_out_and_nobody_suffers_for_another() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let empty = "\r\ncontent-length: 0\r\n\r\n";
        let answers = ["503 Later", "429 Slower\r\nretry-after: 1", "401 Who"]
            .map(|head| format!("{head}{empty}"));
        let (port, asked) = receiver(answers.to_vec(), id(1).to_string());
        let world = World::new(dir.path()).await;
        std::fs::write(dir.path().join("token"), "s3cret\n").expect("write");
        let section = format!(
            "[[remote_write]]\nname = \"near\"\nurl = \"http://127.0.0.1:{port}/write\"\nbearer_file = \"token\"\n"
        );
        let world = configured(world, dir.path(), &section).await;
        let at = now().get() / 60 * 60;
        let (good, bad) = (endpoint(&world, 0), endpoint(&world, 1));
        let (mut good, mut bad) = (line(&good).await, line(&bad).await);
        say(&mut good, 1, at - 600, 1.0).await;
        // Meanwhile, while the receiver says no, another two come.
        for status in [503, 429] {
            let (sent, answered) = next(&asked);
            assert_eq!(answered, status);
            let says = |line: &str| sent.head.iter().any(|known| known.eq_ignore_ascii_case(line));
            assert!(sent.head[0].starts_with("POST /write HTTP/1.1"), "{sent:?}");
            for line in [
                "authorization: Bearer s3cret",
                "content-encoding: snappy",
                "content-type: application/x-protobuf",
                "x-prometheus-remote-write-version: 0.1.0",
            ] {
                assert!(says(line), "{line} in {sent:?}");
            }
        }
        say(&mut bad, 1, at, 2.0).await;
        say(&mut good, 2, at, 3.0).await;
        // A token that is not believed is no reason to lose anything.
        assert_eq!(next(&asked).1, 401);
        // All of them together are refused; so each is sent alone, and one is given up.
        let (good, bad) = (id(0).to_string(), id(1).to_string());
        let expected = [
            (vec![good.clone(), bad.clone(), good.clone()], 400),
            (vec![good.clone()], 204),
            (vec![bad], 400),
            (vec![good], 204),
        ];
        for (endpoints, status) in expected {
            let (sent, answered) = next(&asked);
            assert_eq!((sent.endpoints, answered), (endpoints, status));
        }
        until_figure(dir.path(), "waiting_reports{destination=\"near\"}", |waiting| waiting == 0);
        let found = figures(dir.path());
        assert_eq!(found["samples_total{destination=\"near\",fate=\"sent\"}"], 20);
        assert_eq!(found["samples_total{destination=\"near\",fate=\"refused\"}"], 10);
        assert_eq!(found["failures_total{destination=\"near\"}"], 3);
        assert!(asked.try_recv().is_err(), "nothing is sent twice");
        drop(world);
    });
}

#[test]
fn a_wrong_section_is_told_before_the_server_starts() {
    let dir = tempfile::tempdir().expect("temp dir");
    crate::program::init(dir.path());
    let path = dir.path().join("server.toml");
    let text = std::fs::read_to_string(&path).expect("server.toml");
    let section = "[[remote_write]]\nname = \"x\"\nurl = \"http://metrics.example/\"\n";
    std::fs::write(&path, format!("{text}{section}")).expect("write");
    let out = crate::program::server(&["check"], dir.path());
    assert!(!out.status.success());
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains("remote_write") && said.contains("use https://"), "{said}");
}
