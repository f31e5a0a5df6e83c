//! Questions in PromQL: answered as a real Prometheus answers them on the same samples, for whoever has a token, within bounds.

use std::process::Command;

use bartizan_proto::series::{NewReadToken, ReadTokenMade, ReadTokens, RevokeReadToken};
use bartizan_testkit::load::plane::Console;
use serde_json::{Value, json};

use crate::endpoints::{World, id};
use crate::prometheus::Prometheus;
use crate::remote_write::{configured, figures, say};
use crate::reports::{endpoint, line};
use crate::{now, wait_for};

/// Asks the operator plane as Grafana does: no client certificate, a token.
struct Grafana {
    address: String,
    authorization: String,
}

impl Grafana {
    async fn new(world: &World, name: &str, tenant: Option<&str>) -> Self {
        let tenant = tenant.map(|tenant| tenant.parse().expect("tenant"));
        let wish = NewReadToken { name: name.to_owned(), tenant, days: 30 };
        let made: ReadTokenMade =
            world.console.send("/v1/metrics/tokens", &wish).await.expect("token");
        let authorization = format!("authorization: Bearer {}", made.token);
        Self { address: world.program.operator.to_string(), authorization }
    }

    /// Status and answer.
    fn ask(&self, path: &str, query: &[(&str, &str)], more: &[&str]) -> (u16, Value) {
        let mut command = Command::new("curl");
        command.args(["--silent", "--insecure", "--write-out", "\n%{http_code}"]).args(more);
        command.args(["--header", &self.authorization]);
        for (key, value) in query {
            command.arg("--data-urlencode").arg(format!("{key}={value}"));
        }
        let out =
            command.arg(format!("https://{}{path}", self.address)).output().expect("run curl");
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').expect("a status");
        (status.parse().expect("status"), serde_json::from_str(body).unwrap_or_default())
    }

    #[track_caller]
    fn refused(&self, path: &str, query: &[(&str, &str)], status: u16, word: &str) {
        let (found, answer) = self.ask(path, query, &["--get"]);
        assert_eq!((found, &answer["status"]), (status, &json!("error")), "{query:?}: {answer}");
        assert!(answer["errorType"].is_string(), "{answer}");
        assert!(
            answer["error"].as_str().is_some_and(|text| text.contains(word)),
            "{query:?}: {answer}"
        );
    }
}

/// Series of an answer in an order, without what remote write adds; numbers as numbers.
fn plain(answer: &Value) -> Vec<(String, Vec<(f64, f64)>)> {
    assert_eq!(answer["status"], "success", "{answer}");
    let data = &answer["data"];
    let pair = |pair: &Value| {
        let value = pair[1].as_str().expect("a text").parse().expect("a number");
        (pair[0].as_f64().expect("a time"), value)
    };
    if data["resultType"] == "scalar" {
        return vec![(String::new(), vec![pair(&data["result"])])];
    }
    let one = |series: &Value| {
        let mut labels = series["metric"].clone();
        labels.as_object_mut().expect("labels").remove("source");
        let pairs = match series["values"].as_array() {
            Some(values) => values.iter().map(pair).collect(),
            None => vec![pair(&series["value"])],
        };
        (labels.to_string(), pairs)
    };
    let mut all: Vec<_> = data["result"].as_array().expect("a result").iter().map(one).collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn same(ours: &Value, theirs: &Value, query: &str) {
    let (ours, theirs) = (plain(ours), plain(theirs));
    let near = |a: &(f64, f64), b: &(f64, f64)| {
        let is_same = a.1.total_cmp(&b.1).is_eq() || a.1.is_nan() && b.1.is_nan();
        (a.0 - b.0).abs() < 1e-6 && (is_same || (a.1 - b.1).abs() <= 1e-9 * b.1.abs().max(1.0))
    };
    let is_same = ours.len() == theirs.len()
        && ours.iter().zip(&theirs).all(|(a, b)| {
            a.0 == b.0 && a.1.len() == b.1.len() && a.1.iter().zip(&b.1).all(|(a, b)| near(a, b))
        });
    assert!(is_same, "{query}:\nours   {ours:?}\ntheirs {theirs:?}");
    assert!(!theirs.is_empty() || query.contains("> 1e99"), "{query} says nothing");
}

const QUESTIONS: &[&str] = &[
    "1 + 2 * 3",
    "bartizan_load1",
    "{__name__=~\"bartizan_.*\"}",
    "bartizan_load1{tenant=\"acme\"}",
    "bartizan_network_receive_bytes_total{interface=~\"eth[0-9]\"}",
    "bartizan_load1 offset 5m",
    "rate(bartizan_network_receive_bytes_total[5m])",
    "rate(bartizan_network_receive_bytes_total{interface!~\"lo|veth.*\"}[15m])",
    "increase(bartizan_network_receive_bytes_total[12m])",
    "rate(bartizan_network_receive_bytes_total[7m] offset 3m)",
    "avg_over_time(bartizan_load1[10m])",
    "max_over_time(bartizan_load1[10m])",
    "min_over_time(bartizan_load1[10m])",
    "sum_over_time(bartizan_load1[10m])",
    "count_over_time(bartizan_load1[10m])",
    "last_over_time(bartizan_load1[10m])",
    "sum(bartizan_load1)",
    "avg by (tenant, site) (bartizan_load1)",
    "max without (endpoint, hostname) (bartizan_load1)",
    "count(bartizan_load1)",
    "min(bartizan_load1) by (tenant)",
    "topk(1, bartizan_load1)",
    "bottomk(1, bartizan_load1)",
    "sum by (endpoint) (rate(bartizan_network_receive_bytes_total[5m])) * 8 / 1000",
    "100 - bartizan_load1 * 2",
    "-bartizan_load1",
    "bartizan_load1 > 5",
    "5 < bartizan_load1",
    "bartizan_load1 >= 0 < 1e9",
    "bartizan_load1 > 1e99",
    "bartizan_load1 / bartizan_load1",
    "sum(bartizan_load1) / count(bartizan_load1)",
    "bartizan_load1 != 3",
    "0 / 0",
    "1 / 0",
];

#[test]
fn answers_are_those_of_a_real_prometheus() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let prometheus = Prometheus::start(dir.path());
        let world = World::new(dir.path()).await;
        let world = configured(world, dir.path(), &prometheus.section(dir.path())).await;
        let at = now().get() / 60 * 60 - 60;
        let mut seq = 0;
        for number in 0..2_u32 {
            let mut line = line(&endpoint(&world, number)).await;
            for (back, value) in [(900, 1.0), (600, 4.0), (300, 2.0), (0, 7.0)] {
                // One that falls: the counter of a machine that started again.
                seq += 1;
                say(&mut line, seq, at - back, value + f64::from(number)).await;
            }
        }
        let all = |prometheus: &Prometheus| {
            let waiting = figures(dir.path())["waiting_reports{destination=\"graphs\"}"];
            (waiting == 0 && !prometheus.matrix("bartizan_load1[1h]", at + 30).is_empty())
                .then_some(())
        };
        prometheus.until("all samples", all);
        let grafana = Grafana::new(&world, "grafana", None).await;
        // Beside the samples' own times: whether the ends of a range belong to it differs between versions of Prometheus.
        let (start, end) = ((at - 600 + 13).to_string(), (at + 13).to_string());
        for query in QUESTIONS {
            let asked = [("query", *query), ("time", end.as_str())];
            let (status, ours) = grafana.ask("/api/v1/query", &asked, &["--get"]);
            assert_eq!(status, 200, "{query}: {ours}");
            same(&ours, &prometheus.ask("/api/v1/query", &asked), query);
            let range = [("query", *query), ("start", &start), ("end", &end), ("step", "40")];
            // As a form in the body, which is Grafana's way.
            let (status, ours) = grafana.ask("/api/v1/query_range", &range, &[]);
            assert_eq!(status, 200, "{query}: {ours}");
            same(&ours, &prometheus.ask("/api/v1/query_range", &range), query);
        }
        let (start, end) = (start.as_str(), end.as_str());
        let selector = "bartizan_network_receive_bytes_total";
        for (path, query) in [
            ("/api/v1/label/tenant/values", vec![]),
            ("/api/v1/label/endpoint/values", vec![]),
            (
                "/api/v1/label/interface/values",
                vec![("match[]", selector), ("start", start), ("end", end)],
            ),
        ] {
            let ours = grafana.ask(path, &query, &["--get"]).1;
            assert_eq!(ours, prometheus.ask(path, &query), "{path}");
        }
        let query = [("match[]", selector), ("start", start), ("end", end)];
        let ours = grafana.ask("/api/v1/series", &query, &["--get"]).1;
        assert_eq!(ours["data"].as_array().map(Vec::len), Some(2), "{ours}");
        assert_eq!(ours["data"][0]["interface"], "eth0");
        let labels = grafana.ask("/api/v1/labels", &[], &["--get"]).1;
        assert!(
            labels["data"].as_array().is_some_and(|all| all.contains(&json!("mount"))),
            "{labels}"
        );
    });
}

#[test]
fn a_question_has_bounds_and_a_clear_no() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let grafana = Grafana::new(&world, "grafana", None).await;
        let refused = |query: &str, word: &str| {
            grafana.refused("/api/v1/query", &[("query", query)], 400, word);
        };
        refused("histogram_quantile(0.9, m)", "histogram_quantile");
        refused("{tenant=\"acme\"}", "must name a metric");
        refused("bartizan_load1[5m]", "range stands alone");
        refused("bartizan_load1{", "");
        refused(&format!("{}1", "-".repeat(65)), "brackets");
        refused(&"a".repeat(2049), "2048");
        grafana.refused("/api/v1/query", &[], 400, "`query` is missing");
        let range = |start: &str, end: &str, step: &str, word: &str| {
            let asked = [("query", "1"), ("start", start), ("end", end), ("step", step)];
            grafana.refused("/api/v1/query_range", &asked, 400, word);
        };
        range("10", "5", "1", "after");
        range("0", "5000", "1", "5000 steps");
        range("0", "100", "0", "step");
        range("0", "soon", "1", "soon");
        let fits = [("query", "1"), ("start", "1"), ("end", "5000"), ("step", "1")];
        assert_eq!(grafana.ask("/api/v1/query_range", &fits, &["--get"]).0, 200);
        grafana.refused("/api/v1/series", &[], 400, "match[]");
        grafana.refused("/api/v1/series", &[("match[]", "1")], 400, "selector");
        grafana.refused("/api/v1/label/mount/values", &[], 400, "mount");
    });
}

#[test]
fn a_token_reads_its_tenant_and_nothing_else_until_it_is_revoked() {
    let dir = tempfile::tempdir().expect("temp dir");
    wait_for(async {
        let world = World::new(dir.path()).await;
        let at = now().get();
        say(&mut line(&endpoint(&world, 0)).await, 1, at, 1.0).await;
        let acme = Grafana::new(&world, "acme", Some("tn_acme")).await;
        let other = Grafana::new(&world, "other", Some("tn_other")).await;
        let many = |grafana: &Grafana| {
            let answer = grafana.ask("/api/v1/query", &[("query", "bartizan_load1")], &["--get"]).1;
            let names = grafana.ask("/api/v1/label/endpoint/values", &[], &["--get"]).1;
            (answer["data"]["result"].as_array().map(Vec::len), names["data"].clone())
        };
        assert_eq!(many(&acme), (Some(1), json!([id(0).to_string()])));
        assert_eq!(many(&other), (Some(0), json!([])));
        // No other route knows it, and no route without it.
        for path in [
            "/v1/endpoints",
            "/v1/metrics/tokens",
            "/v1/jobs",
            &format!("/v1/endpoints/{}/series", id(0)),
        ] {
            assert_eq!(acme.ask(path, &[], &["--get"]).0, 401, "{path}");
        }
        let nobody =
            Grafana { address: acme.address.clone(), authorization: "x-nothing: 1".to_owned() };
        nobody.refused("/api/v1/query", &[("query", "1")], 401, "login.required");
        let guessed = Grafana {
            address: acme.address.clone(),
            authorization: "authorization: Bearer bzread_x".to_owned(),
        };
        guessed.refused("/api/v1/query", &[("query", "1")], 401, "token.unknown");

        let operator = check_list(&world.console).await;
        // The hash is kept, and never the token.
        let secret = acme.authorization.rsplit_once(' ').expect("a token").1.to_owned();
        for file in ["server.db", "server.db-wal"] {
            let bytes = std::fs::read(dir.path().join(file)).unwrap_or_default();
            assert!(
                !bytes.windows(secret.len()).any(|window| window == secret.as_bytes()),
                "{file}"
            );
        }
        let database = rusqlite::Connection::open(dir.path().join("server.db")).expect("open");
        database.busy_timeout(std::time::Duration::from_secs(10)).expect("timeout");
        let change = |sql: &str| assert_eq!(database.execute(sql, []).expect("change"), 1);
        let asked = [("query", "1")];
        change("UPDATE read_token SET exp = 1 WHERE name = 'other'");
        other.refused("/api/v1/query", &asked, 401, "token.unknown");
        let name = "acme".to_owned();
        change("UPDATE read_token SET operator = 'op_gone' WHERE name = 'acme'");
        acme.refused("/api/v1/query", &asked, 401, "token.unknown");
        change(&format!("UPDATE read_token SET operator = '{operator}' WHERE name = 'acme'"));
        assert_eq!(many(&acme).0, Some(1));
        let _: Value = world
            .console
            .send("/v1/metrics/tokens/revoke", &RevokeReadToken { name })
            .await
            .expect("revoke");
        acme.refused("/api/v1/query", &asked, 401, "token.unknown");
    });
}

/// What is listed and what is refused; returns who made them.
async fn check_list(console: &Console) -> String {
    let list: ReadTokens = console.fetch("/v1/metrics/tokens").await.expect("tokens");
    let names: Vec<&str> = list.tokens.iter().map(|token| token.name.as_str()).collect();
    assert_eq!(names, ["acme", "other"]);
    for (name, days, code) in [
        ("acme", 1, "token.exists"),
        ("a b", 1, "token.name"),
        ("", 1, "token.name"),
        ("x", 0, "token.days"),
        ("x", 731, "token.days"),
    ] {
        let wish = NewReadToken { name: name.to_owned(), tenant: None, days };
        let made: Result<ReadTokenMade, _> = console.send("/v1/metrics/tokens", &wish).await;
        let error = format!("{:#}", made.expect_err(name));
        assert!(error.contains(code), "{name}: {error}");
    }
    list.tokens[0].operator.to_string()
}
