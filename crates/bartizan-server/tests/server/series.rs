//! Samples from endpoints that the test speaks for, asked back over the operator plane.

use bartizan_proto::message::{Message, Report};
use bartizan_proto::samples::{Metric, Samples, Series};
use bartizan_proto::series::SeriesAnswer;
use bartizan_testkit::load::plane::Console;

use crate::endpoints::{Line, World, id};
use crate::program::log_in;
use crate::reports::{endpoint, line, stored};
use crate::{now, wait_for};

fn batch(times: &[u64], name: &str, label: &str, value: f64) -> Vec<u8> {
    let values = times.iter().map(|_| Some(value)).collect();
    let metric = Metric::named(name).expect("metric");
    let series = vec![Series { metric, label: label.to_owned(), values }];
    Samples { times: times.to_vec(), series, unknown: 0 }.encode()
}

/// Five minutes of load, the last sample at a time.
fn load(at: u64, value: f64) -> Vec<u8> {
    let times: Vec<u64> = (0..5).rev().map(|n| at - 60 * n).collect();
    batch(&times, "bartizan_load1", "", value)
}

async fn say(line: &mut Line, seq: u64, at: u64, bytes: Vec<u8>) {
    let report = Report { epoch: 9, seq, at, dropped: 0, kind: 2, bytes };
    line.say(&Message::Report(report)).await;
    assert_eq!(stored(line).await, (9, seq));
}

async fn ask(console: &Console, number: u32, query: &str) -> SeriesAnswer {
    console.fetch(&format!("/v1/endpoints/{}/series?{query}", id(number))).await.expect("series")
}

fn points(answer: &SeriesAnswer) -> Vec<(u64, f64)> {
    answer.series.first().map_or_else(Vec::new, |row| row.points.clone())
}

#[test]
fn samples_come_back_with_their_own_times_once_also_after_a_kill() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let endpoint = endpoint(&world, 0);
        let mut line = line(&endpoint).await;
        let at = now().get();
        // A day without a server: what was measured then comes now.
        let yesterday = at - 86_400;
        say(&mut line, 1, at, load(yesterday, 1.0)).await;
        say(&mut line, 2, at, load(at, 2.0)).await;
        let query = format!("from={}&to={at}&step_s=60&name=bartizan_load1", at - 600);
        let expected = points(&ask(&world.console, 0, &query).await);
        assert_eq!(expected.len(), 5);
        assert!(expected.iter().all(|(_, value)| (value - 2.0).abs() < 1e-9));

        let program = world.program.crash_and_restart();
        let console = Console::new(program.operator, world.fleet.pin).expect("console");
        log_in(&console, &world.organisation).await;
        let mut line = crate::reports::line(&endpoint).await;
        // Sent again because nobody knows whether it was stored; with another content, to see which one counts.
        let again = Report { epoch: 9, seq: 2, at, dropped: 0, kind: 2, bytes: load(at, 7.0) };
        line.say(&Message::Report(again)).await;
        assert_eq!(stored(&mut line).await, (9, 2));
        assert_eq!(points(&ask(&console, 0, &query).await), expected);
        let query = format!("from={}&to={}&step_s=60", yesterday - 600, yesterday + 600);
        let old = points(&ask(&console, 0, &query).await);
        assert_eq!((old.len(), old.last().map(|(_, value)| *value)), (5, Some(1.0)));
        drop(program);
    });
}

#[test]
fn a_hostile_endpoint_is_refused_by_name_and_another_is_not_affected() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let (bad, good) = (endpoint(&world, 0), endpoint(&world, 1));
        let (mut bad, mut good) = (line(&bad).await, line(&good).await);
        let at = now().get();
        let mut nan = load(at, 0.1 + 0.2);
        let bits = nan.len() - 8;
        nan[bits..].copy_from_slice(&f64::NAN.to_bits().to_le_bytes());
        let long = batch(&[at], "bartizan_filesystem_free_bytes", &"x".repeat(65), 1.0);
        let many: Vec<u64> = (0..65).map(|n| at - n).rev().collect();
        let hostile = [
            (nan, "samples.value"),
            (long, "samples.label"),
            (batch(&many, "bartizan_load1", "", 1.0), "samples.too_many"),
            (load(at + 3600, 1.0), "samples.times"),
            (load(at - 61 * 86_400, 1.0), "samples.old"),
            (b"{\"not\":\"samples\"}".to_vec(), "samples.malformed"),
        ];
        for (seq, (bytes, code)) in (1..).zip(hostile) {
            say(&mut bad, seq, at, bytes).await;
            let reports = ask(&world.console, 0, "").await.reports.expect("reports");
            assert_eq!((reports.refused, reports.refusal.as_deref()), (seq, Some(code)));
        }
        say(&mut good, 1, at, load(at, 3.0)).await;
        let answer = ask(&world.console, 1, "").await;
        assert_eq!(points(&answer).len(), 5);
        assert_eq!(answer.reports.map(|reports| reports.refused), Some(0));
        assert!(points(&ask(&world.console, 0, "").await).is_empty());
    });
}

#[test]
fn a_clock_that_is_a_day_ahead_does_not_put_samples_into_the_future() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let endpoint = endpoint(&world, 0);
        let mut line = line(&endpoint).await;
        let tomorrow = now().get() + 86_400;
        say(&mut line, 1, tomorrow, load(tomorrow, 4.0)).await;
        let until = now().get() + 700;
        let query = format!("from={}&to={until}&step_s=1", until - 1500);
        let near = points(&ask(&world.console, 0, &query).await);
        assert_eq!(near.len(), 5, "at most ten minutes ahead");
        let query = format!("from={}&to={}&step_s=60", tomorrow - 600, tomorrow + 600);
        assert!(points(&ask(&world.console, 0, &query).await).is_empty());
    });
}

#[test]
fn questions_without_an_answer_say_what_to_do() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let mut world = World::new(dir.path()).await;
        world.connect(0).await;
        let path = |query: &str| format!("/v1/endpoints/{}/series?{query}", id(0));
        for (query, code) in [
            ("name=up", "series.name"),
            ("from=0&to=90000&step_s=1", "series.too_many"),
            ("from=5&to=1", "series.range"),
        ] {
            let said = world.console.fetch_bytes(&path(query)).await.expect_err(query).to_string();
            assert!(said.contains(code), "{said}");
        }
        let nobody = format!("/v1/endpoints/{}/series", id(99));
        let said = world.console.fetch_bytes(&nobody).await.expect_err("nobody").to_string();
        assert!(said.contains("not_found") || said.contains("no such"), "{said}");
        assert!(ask(&world.console, 0, "").await.series.is_empty());
    });
}
