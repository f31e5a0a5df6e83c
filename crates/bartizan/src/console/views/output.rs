//! A job while it runs.

use std::sync::Arc;

use anyhow::Result;
use bartizan_proto::operator::{JobEvent, JobEvents, JobState};
use bartizan_trust::id::StatementId;
use data_encoding::BASE64;
use tokio::sync::mpsc::Sender;

use super::bounded;
use crate::commands::watch;
use crate::console::desk::Desk;
use crate::console::failure::problem;
use crate::console::shapes::News;

/// How long the server may hold a question for news; also how long it takes to notice that a page has left.
const WAIT_S: u64 = 5;

/// Passes on what happens, until the job has ended or the page has left.
pub(crate) fn follow(desk: &Arc<Desk>, id: StatementId, page: &Sender<News>) {
    if let Err(error) = pass_on(desk, id, page) {
        let problem = problem(&error);
        // Who has left needs no reason.
        let _ = page.blocking_send(News::Trouble {
            code: problem.code,
            text: problem.message,
            next: problem.next,
        });
    }
}

fn pass_on(desk: &Desk, id: StatementId, page: &Sender<News>) -> Result<()> {
    let mut after = 0;
    while !page.is_closed() {
        let console = desk.console()?;
        let found: JobEvents =
            console.api.fetch(&format!("/v1/jobs/{id}/events?after={after}&wait_s={WAIT_S}"))?;
        let quiet = found.events.is_empty();
        for event in found.events {
            if page.blocking_send(news(event)).is_err() {
                return Ok(());
            }
        }
        after = found.next;
        let ended =
            matches!(found.state, JobState::Finished | JobState::Expired | JobState::Cancelled);
        if ended && quiet {
            let state = watch::state_name(found.state).to_owned();
            let _ = page.blocking_send(News::Ended { state });
            return Ok(());
        }
    }
    Ok(())
}

fn news(event: JobEvent) -> News {
    match event {
        JobEvent::Target(row) => News::Target {
            endpoint: row.endpoint.to_string(),
            state: watch::target_name(row.state).to_owned(),
            code: row.code.as_deref().map(bounded),
            exit: row.exit,
        },
        JobEvent::Output { endpoint, stream, bytes } => {
            let bytes = BASE64.decode(bytes.as_bytes()).unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            News::Output { endpoint: endpoint.to_string(), stream, text }
        }
    }
}
