//! A real Prometheus, started by a test on a free port and ended with it.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Of the person below, by bcrypt.
const HASHED: &str = "$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2";
const PERSON: &str = "rmm:correct horse";

/// One with TLS and a password, that takes remote write.
pub(crate) struct Prometheus {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
}

impl Prometheus {
    pub(crate) fn start(dir: &Path) -> Self {
        let dir = dir.join("prometheus");
        std::fs::create_dir_all(&dir).expect("folder");
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("key");
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text).expect("write");
        write("cert.pem", &made.cert.pem());
        write("key.pem", &made.signing_key.serialize_pem());
        // What is measured in the past is taken too, as a receiver of endpoints that were away should be set.
        write("config.yml", "storage:\n  tsdb:\n    out_of_order_time_window: 30m\n");
        let web = format!(
            "tls_server_config:\n  cert_file: cert.pem\n  key_file: key.pem\nbasic_auth_users:\n  rmm: {HASHED}\n"
        );
        write("web.yml", &web);
        // Closed at once: Prometheus does not say which port it was given.
        let port =
            TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("port").port();
        let mut prometheus = Self { dir, port, child: None };
        prometheus.wake();
        prometheus
    }

    /// Starts it where it was, with what it had.
    pub(crate) fn wake(&mut self) {
        let file = |name: &str| self.dir.join(name);
        let child = Command::new("prometheus")
            .arg("--web.enable-remote-write-receiver")
            // As long as ours.
            .arg("--query.lookback-delta=10m")
            .arg(format!("--web.listen-address=127.0.0.1:{}", self.port))
            .arg(format!("--config.file={}", file("config.yml").display()))
            .arg(format!("--web.config.file={}", file("web.yml").display()))
            .arg(format!("--storage.tsdb.path={}", file("data").display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(file("log")).expect("log"))
            .spawn()
            .expect("start `prometheus`; run scripts/setup test");
        self.child = Some(child);
        self.until("a ready Prometheus", |own| own.fetch("/-/ready").map(drop));
    }

    /// Ends it without any warning.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// `[[remote_write]]` that reaches it.
    pub(crate) fn section(&self, server: &Path) -> String {
        std::fs::copy(self.dir.join("cert.pem"), server.join("metrics-ca.pem")).expect("copy");
        std::fs::write(server.join("graphs.password"), "correct horse\n").expect("write");
        format!(
            "[[remote_write]]\nname = \"graphs\"\nurl = \"https://localhost:{}/api/v1/write\"\nca_file = \"metrics-ca.pem\"\n\
             user = \"rmm\"\npassword_file = \"graphs.password\"\nlabels = {{ source = \"bartizan\" }}\n",
            self.port
        )
    }

    /// What it answers, when it does.
    fn fetch(&self, path: &str) -> Option<Vec<u8>> {
        let out = Command::new("curl")
            .args(["--silent", "--fail", "--globoff", "--user", PERSON, "--cacert"])
            .arg(self.dir.join("cert.pem"))
            .arg(format!("https://localhost:{}{path}", self.port))
            .output()
            .expect("run curl");
        out.status.success().then_some(out.stdout)
    }

    /// Its answer to a question of its API, with what is in the query encoded.
    pub(crate) fn ask(&self, path: &str, query: &[(&str, &str)]) -> Value {
        let mut command = Command::new("curl");
        command.args(["--silent", "--get", "--user", PERSON, "--cacert"]);
        command.arg(self.dir.join("cert.pem"));
        for (key, value) in query {
            command.arg("--data-urlencode").arg(format!("{key}={value}"));
        }
        let url = format!("https://localhost:{}{path}", self.port);
        let out = command.arg(url).output().expect("run curl");
        serde_json::from_slice(&out.stdout).unwrap_or_default()
    }

    /// Series that a selector with a range finds at a time, as it has them.
    pub(crate) fn matrix(&self, selector: &str, at: u64) -> Vec<Value> {
        let answer = self.ask("/api/v1/query", &[("query", selector), ("time", &at.to_string())]);
        answer["data"]["result"].as_array().cloned().unwrap_or_default()
    }

    /// Waits for a state of it.
    pub(crate) fn until<T>(&self, what: &str, look: impl Fn(&Self) -> Option<T>) -> T {
        let end = Instant::now() + Duration::from_mins(1);
        loop {
            if let Some(found) = look(self) {
                return found;
            }
            let log = || std::fs::read_to_string(self.dir.join("log")).unwrap_or_default();
            assert!(Instant::now() < end, "no {what} after 60 s: {}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Times and values of a series of a matrix.
pub(crate) fn points(series: &Value) -> Vec<(u64, f64)> {
    let point = |pair: &Value| {
        let at = pair[0].as_f64().expect("time");
        let text = pair[1].as_str().expect("value");
        (format!("{at}").parse().expect("whole seconds"), text.parse().expect("value"))
    };
    series["values"].as_array().expect("values").iter().map(point).collect()
}
