//! The listener: loopback only, one fixed port, everything bounded.

use std::io::{BufRead as _, IsTerminal as _};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::desk::{Desk, LINK_FILE};
use super::limits::{CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADER_TIMEOUT};
use super::routes;
use crate::commands::Context;
use crate::exit::{Code, fail};
use crate::home::write_private;
use crate::terminal::line;

/// Serves until the process is stopped.
pub(super) fn run(context: &Context, port: u16, no_open: bool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("start the network")?;
    runtime.block_on(async {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|error| {
            let problem = format!("port {port} of this computer cannot be used: {error}");
            fail(Code::Error, problem, "end the other program, or the console that runs already; passkeys know this port, so keep it")
        })?;
        let desk = Desk::new(context, port);
        invite(&desk, context, no_open)?;
        wait_for_enter(Arc::clone(&desk), context, no_open);
        let router = routes::router(&desk);
        accept(listener, router).await
    })
}

/// Prints a link that opens one page, and opens it.
fn invite(desk: &Desk, context: &Context, no_open: bool) -> Result<()> {
    let link = desk.link()?;
    if context.terminal.json {
        line(
            &serde_json::json!({ "kind": "console", "link": link, "port": desk.port }).to_string(),
        )?;
    } else {
        line(&format!(
            "{link}\nThe link opens one page, once. Press Enter for another; Ctrl-C ends the console."
        ))?;
    }
    if no_open {
        return Ok(());
    }
    // In a file of mode 0600: what stands on a command line every user of this computer can read.
    let file = context.home.path(LINK_FILE);
    let page = format!(
        "<!doctype html><meta charset=\"utf-8\"><title>Bartizan</title><meta http-equiv=\"refresh\" content=\"0;url={link}\">\n"
    );
    write_private(&file, page.as_bytes())?;
    // Where there is no browser to open, the link has been printed.
    let opened = Command::new("xdg-open")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Ok(mut child) = opened {
        std::thread::spawn(move || child.wait());
    }
    Ok(())
}

/// A page that was reloaded has lost its token: Enter makes a new link.
fn wait_for_enter(desk: Arc<Desk>, context: &Context, no_open: bool) {
    if !std::io::stdin().is_terminal() {
        return;
    }
    let context = context.clone();
    std::thread::spawn(move || {
        for _ in std::io::stdin().lock().lines().map_while(std::io::Result::ok) {
            if let Err(error) = invite(&desk, &context, no_open) {
                eprintln!("{error:#}");
            }
        }
    });
}

async fn accept(listener: TcpListener, router: Router) -> Result<()> {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                eprintln!("accept a connection: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
        let router = router.clone();
        tokio::spawn(async move {
            connection(stream, router).await;
            drop(place);
        });
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let _ = stream.set_nodelay(true);
    // What a browser does wrong is its own affair.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
}
