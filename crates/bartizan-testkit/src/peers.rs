//! Servers of the system's packages for tests of checks: each in a folder of its own, ended by its handle.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server; dropping it ends it.
#[derive(Debug)]
pub struct Peer {
    folder: tempfile::TempDir,
    child: Option<Child>,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Peer {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir().context("make a folder")?;
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).context("find a port")?;
        Ok(Self { folder, child: None, port: port.port() })
    }

    /// A file of its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn begin(&mut self, command: &mut Command) -> Result<()> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn();
        self.child = Some(child.with_context(|| format!("start {name}; see scripts/setup"))?);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            ensure!(begun.elapsed() < PATIENCE, "{name} does not listen");
            std::thread::yield_now();
        }
        Ok(())
    }
}

/// A certificate for 127.0.0.1 that ends in so many days, and its key, by openssl.
pub fn certificate(folder: &Path, days: u32) -> Result<()> {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
        ])
        .args(["-subj", "/CN=web", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-days", &days.to_string()])
        .arg("-keyout")
        .arg(folder.join("key.pem"))
        .arg("-out")
        .arg(folder.join("certificate.pem"))
        .stderr(Stdio::null())
        .status()
        .context("start openssl; see scripts/setup")?;
    ensure!(made.success(), "openssl made no certificate");
    Ok(())
}

/// nginx with these locations, with TLS if the certificate shall end in some days.
pub fn nginx(days: Option<u32>, locations: &str) -> Result<Peer> {
    let mut peer = Peer::new()?;
    let folder = peer.folder.path().display().to_string();
    let tls = match days {
        Some(days) => {
            certificate(peer.folder.path(), days)?;
            format!(
                "ssl_certificate {folder}/certificate.pem; ssl_certificate_key {folder}/key.pem;"
            )
        }
        None => String::new(),
    };
    let ssl = if days.is_some() { " ssl" } else { "" };
    let port = peer.port;
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {folder}/{kind};"))
        .join(" ");
    let text = format!(
        "daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;\n\
         events {{}}\nhttp {{ access_log {folder}/access.log; {temporary}\n\
         server {{ listen 127.0.0.1:{port}{ssl}; {tls} {locations} }} }}\n"
    );
    let file = peer.path("nginx.conf");
    fs::write(&file, text).context("write nginx.conf")?;
    // Debian keeps it where only root's search path leads.
    let program = if Path::new("/usr/sbin/nginx").exists() { "/usr/sbin/nginx" } else { "nginx" };
    peer.begin(Command::new(program).arg("-c").arg(&file).args(["-p", &folder, "-e", "stderr"]))?;
    Ok(peer)
}

/// dnsmasq that answers for `acme.example` and asks nobody.
pub fn dnsmasq() -> Result<Peer> {
    let mut peer = Peer::new()?;
    let port = format!("--port={}", peer.port);
    let program =
        if Path::new("/usr/sbin/dnsmasq").exists() { "/usr/sbin/dnsmasq" } else { "dnsmasq" };
    let mut command = Command::new(program);
    command.args([
        "--keep-in-foreground",
        "--no-resolv",
        "--no-hosts",
        "--conf-file=/dev/null",
        "--pid-file=",
    ]);
    command.args([
        "--user=",
        "--group=",
        "--listen-address=127.0.0.1",
        "--bind-interfaces",
        "--local=/acme.example/",
    ]);
    command.args([
        "--host-record=acme.example,192.0.2.1,2001:db8::1",
        "--cname=www.acme.example,acme.example",
    ]);
    command.args([
        "--mx-host=acme.example,mail.acme.example,10",
        "--mx-host=acme.example,backup.acme.example,20",
    ]);
    command.args(["--txt-record=acme.example,v=spf1 -all", &port]);
    for number in 0..24 {
        command.arg(format!("--txt-record=long.acme.example,{number:02} {}", "x".repeat(180)));
    }
    for number in 0..40 {
        command.arg(format!("--txt-record=many.acme.example,{number:02}"));
    }
    peer.begin(&mut command)?;
    Ok(peer)
}
