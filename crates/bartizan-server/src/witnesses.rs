//! Asking guardians for co-signatures: C2SP tlog-witness, from the side of the log.
//!
//! What comes back is judged like a console's co-signature: by the keys in the bundle. So it does not matter who answers.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode};
use bartizan_store::LogName;
use bartizan_trust::checkpoint::Checkpoint;
use bartizan_trust::limits;
use bartizan_trust::note::Note;
use bartizan_trust::policy::Policy;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use crate::app::App;
use crate::config::WitnessAddress;
use crate::logs::Log;

/// A log that does not grow is shown again after this long: the time of a co-signature is how endpoints know that a view is fresh.
const REFRESH: Duration = Duration::from_mins(1);
/// One exchange.
const PATIENCE: Duration = Duration::from_secs(10);
/// After a failure; doubled up to [`REFRESH`].
const RETRY_FIRST: Duration = Duration::from_secs(1);
/// A stale size is mended by one more question.
const QUESTIONS_MAX: usize = 2;

/// How far a guardian has one log, as far as we know.
#[derive(Debug, Default)]
struct Cursor {
    size: u64,
    asked: Option<Instant>,
}

/// Asks one guardian again and again until the server stops.
pub(crate) async fn ask(app: Arc<App>, witness: WitnessAddress, mut stop: watch::Receiver<bool>) {
    let mut cursors = [(LogName::Control, Cursor::default()), (LogName::Jobs, Cursor::default())];
    let mut control = app.logs.control.subscribe();
    let mut jobs = app.logs.jobs.subscribe();
    let mut failed: Option<Duration> = None;
    loop {
        let mut outcome = Ok(());
        for (name, cursor) in &mut cursors {
            outcome = outcome.and(ask_if_due(&app, &witness, app.logs.log(*name), cursor).await);
        }
        let wait = match outcome {
            Ok(()) => {
                if failed.take().is_some() {
                    tracing::info!(witness = %witness.authority, "the guardian co-signs again");
                }
                REFRESH
            }
            Err(error) => {
                if failed.is_none() {
                    tracing::warn!(witness = %witness.authority, error = %format!("{error:#}"), "no co-signature from the guardian");
                }
                *failed.insert(failed.map_or(RETRY_FIRST, |wait| (wait * 2).min(REFRESH)))
            }
        };
        let next = Instant::now() + wait;
        tokio::select! {
            _ = stop.changed() => return,
            // A guardian that is away is not asked more often because the log grows.
            _ = control.changed(), if failed.is_none() => {}
            _ = jobs.changed(), if failed.is_none() => {}
            () = sleep_until(next) => {}
        }
    }
}

/// Shows it what is new, or old enough; only logs of an organisation have witnesses.
async fn ask_if_due(
    app: &App,
    witness: &WitnessAddress,
    log: &Log,
    cursor: &mut Cursor,
) -> anyhow::Result<()> {
    let Some(organisation) = app.organisation() else { return Ok(()) };
    let fresh = cursor.asked.is_some_and(|at| at.elapsed() < REFRESH);
    if fresh && cursor.size == log.size() {
        return Ok(());
    }
    for _ in 0..QUESTIONS_MAX {
        // A guardian that has seen more than this log has will say so; asked from 0 it says where it stands.
        let request = log.add_checkpoint(cursor.size).or_else(|| log.add_checkpoint(0));
        let request = request.context("a log knows its own proofs")?;
        let note = Note::decode(&request.note)?;
        let checkpoint = Checkpoint::parse(&note.text)?;
        let (status, body) = timeout(PATIENCE, exchange(witness, request.encode()))
            .await
            .context("no answer within ten seconds")??;
        let text = core::str::from_utf8(&body).context("the answer is not text")?;
        match status {
            StatusCode::OK => {
                accept(app, log, &organisation.log.policy, &checkpoint, text).await?;
                *cursor = Cursor { size: checkpoint.size, asked: Some(Instant::now()) };
                return Ok(());
            }
            StatusCode::CONFLICT => {
                let size: u64 = text.trim_end().parse().context("the guardian's size")?;
                if size == cursor.size || size > log.size() {
                    bail!(
                        "the guardian has co-signed another history of `{}` with {size} entries; find out whether this server was restored from a backup or somebody forked the log",
                        checkpoint.origin
                    );
                }
                cursor.size = size;
            }
            other => bail!("the guardian answers {other}: {}", text.trim_end().escape_debug()),
        }
    }
    bail!("the guardian moves on faster than it is asked")
}

/// Takes in the lines that count.
async fn accept(
    app: &App,
    log: &Log,
    policy: &Policy,
    checkpoint: &Checkpoint,
    lines: &str,
) -> anyhow::Result<()> {
    let mut taken = 0_usize;
    for line in lines.lines().take(limits::NOTE_SIGNATURES_MAX) {
        if let Ok(record) = log.judge(policy, checkpoint.size, &checkpoint.root, line) {
            log.take(&app.db, record).await?;
            taken += 1;
        }
    }
    if taken == 0 {
        bail!(
            "the guardian's key is not in the bundle's log policy; propose a bundle that names it"
        );
    }
    Ok(())
}

async fn exchange(witness: &WitnessAddress, body: Vec<u8>) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = TcpStream::connect(&witness.authority).await.context("connect")?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.context("speak HTTP")?;
    let carrying = tokio::spawn(connection);
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("{}/add-checkpoint", witness.prefix))
        .header("host", &witness.authority)
        .body(Full::new(Bytes::from(body)))
        .context("make the request")?;
    let answer = sender.send_request(request).await.context("ask");
    let read = async {
        let answer = answer?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), limits::NOTE_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{error}")).context("read the answer")?;
        anyhow::Ok((status, body.to_bytes()))
    };
    let result = read.await;
    carrying.abort();
    result
}
