//! What all pages of this process share: the connection, the verified view, the key, the sheets.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use anyhow::{Context as _, Result};
use axum::Json;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use bartizan_trust::checkpoint;
use bartizan_trust::policy::LogTrust;
use futures_util::{StreamExt as _, stream};
use tokio::sync::{Semaphore, mpsc};

use super::drafts::Draft;
use super::failure::Failure;
use super::limits::{PIECES_MAX, VIEW_FRESH, VIEW_OLD, WORK_MAX};
use super::logs::KnownLogs;
use super::news::Newsroom;
use super::sessions::Sessions;
use super::sheets::Sheets;
use super::waiting::WaitingJobs;
use crate::commands::{Console, Context};
use crate::exit;
use crate::home::now;
use crate::keys::Signer;
use crate::terminal::Terminal;

/// Sends the browser to a link.
pub(super) const LINK_FILE: &str = "console-link.html";

/// Shared by all requests.
pub(super) struct Desk {
    /// The fixed port.
    pub(super) port: u16,
    /// As the command line has it; asks nothing and prints nothing, because the page does.
    pub(super) context: Context,
    /// Sheets that are shown.
    pub(super) sheets: Mutex<Sheets>,
    /// The challenge of a passkey that is being registered, and until when.
    pub(super) registration: Mutex<Option<(String, Instant)>>,
    /// A first bundle that is composed and not signed.
    pub(super) draft: Mutex<Option<Draft>>,
    /// What changed, for event streams.
    pub(super) newsroom: Newsroom,
    /// Both logs, verified.
    pub(super) logs: KnownLogs,
    /// Jobs that wait for signatures, verified.
    pub(super) waiting: WaitingJobs,
    sessions: Mutex<Sessions>,
    view: Mutex<Option<View>>,
    signer: Mutex<Option<Arc<Signer>>>,
    places: Arc<Semaphore>,
}

/// A verified view and its age.
struct View {
    console: Arc<Console>,
    made: Instant,
    checked: Instant,
    state: ViewState,
}

/// How old what is shown is.
#[derive(Debug, Clone, Copy)]
pub(super) struct ViewState {
    pub(super) checked_at: u64,
    pub(super) control_size: u64,
}

/// An answer to a page.
pub(super) type Answer<T> = Result<Json<T>, Failure>;

impl Desk {
    pub(super) fn new(context: &Context, port: u16) -> Arc<Self> {
        let context = Context { terminal: Terminal { json: true, yes: true }, ..context.clone() };
        Arc::new(Self {
            port,
            context,
            sheets: Mutex::default(),
            registration: Mutex::default(),
            draft: Mutex::default(),
            newsroom: Newsroom::default(),
            logs: KnownLogs::default(),
            waiting: WaitingJobs::default(),
            sessions: Mutex::default(),
            view: Mutex::default(),
            signer: Mutex::default(),
            places: Arc::new(Semaphore::new(WORK_MAX)),
        })
    }

    /// The one origin of the pages.
    pub(super) fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// A link that opens one page.
    pub(super) fn link(&self) -> Result<String> {
        let token = locked(&self.sessions).launch(Instant::now())?;
        Ok(format!("{}/#launch={token}", self.origin()))
    }

    /// Exchanges a link's token for that of a page. A link that was used leaves no file behind.
    pub(super) fn open(&self, launch: &str) -> Result<Option<String>> {
        let opened = locked(&self.sessions).open(launch, Instant::now())?;
        if opened.is_some() {
            // Where no browser was opened there is none.
            let _ = std::fs::remove_file(self.context.home.path(LINK_FILE));
        }
        Ok(opened)
    }

    pub(super) fn knows(&self, token: &str, now: Instant) -> bool {
        locked(&self.sessions).knows(token, now)
    }

    pub(super) fn close(&self, token: &str) {
        locked(&self.sessions).close(token);
    }

    pub(super) fn pages(&self) -> usize {
        locked(&self.sessions).count(Instant::now())
    }

    /// Work with a verified connection, on a thread that may wait.
    pub(super) async fn work<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self, &Console) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        self.alone(move |desk| {
            let console = desk.console()?;
            work(desk, &console).inspect_err(|error| desk.doubt(error))
        })
        .await
    }

    /// Work that may wait.
    pub(super) async fn alone<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T> + Send + 'static,
    ) -> Answer<T> {
        let place = Arc::clone(&self.places).acquire_owned().await.context("the console ends")?;
        let desk = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || {
            let result = work(&desk);
            drop(place);
            result
        });
        Ok(Json(done.await.context("the work was cut off")??))
    }

    /// Work whose answer comes in pieces. What fails before the first piece is a refusal; what fails later breaks the answer off, so
    /// that half a file never looks like a whole one.
    pub(super) async fn pieces(
        self: &Arc<Self>,
        kind: &'static str,
        work: impl FnOnce(&Self, &mut dyn FnMut(Vec<u8>) -> Result<()>) -> Result<()> + Send + 'static,
    ) -> Result<Response, Failure> {
        let place = Arc::clone(&self.places).acquire_owned().await.context("the console ends")?;
        let desk = Arc::clone(self);
        let (sender, mut pieces) = mpsc::channel::<Result<Vec<u8>>>(PIECES_MAX);
        tokio::task::spawn_blocking(move || {
            let each = &mut |piece| sender.blocking_send(Ok(piece)).context("the page has left");
            if let Err(error) = work(&desk, each) {
                desk.doubt(&error);
                // A page that has left hears nothing.
                let _ = sender.blocking_send(Err(error));
            }
            drop(place);
        });
        let first = pieces.recv().await.transpose()?;
        let rest = stream::unfold(pieces, |mut pieces| async move {
            let piece = pieces.recv().await?;
            Some((piece.map_err(std::io::Error::other), pieces))
        });
        let body = Body::from_stream(stream::iter(first.map(Ok)).chain(rest));
        Ok(([(header::CONTENT_TYPE, kind)], body).into_response())
    }

    /// The verified view: as it is while it is fresh, else by a look at the control log, else made anew.
    pub(super) fn console(&self) -> Result<Arc<Console>> {
        let mut slot = locked(&self.view);
        if let Some(view) = slot.as_mut() {
            let now = Instant::now();
            if now.duration_since(view.checked) < VIEW_FRESH {
                return Ok(Arc::clone(&view.console));
            }
            if now.duration_since(view.made) < VIEW_OLD
                && control_size(&view.console).is_ok_and(|size| size == view.state.control_size)
            {
                view.checked = now;
                view.state.checked_at = crate::home::now().get();
                return Ok(Arc::clone(&view.console));
            }
        }
        *slot = None;
        let console = Arc::new(self.context.connect()?);
        let state = ViewState { checked_at: now().get(), control_size: control_size(&console)? };
        let made = Instant::now();
        *slot = Some(View { console: Arc::clone(&console), made, checked: made, state });
        Ok(console)
    }

    /// How old the view is, if there is one.
    pub(super) fn view_state(&self) -> Option<ViewState> {
        locked(&self.view).as_ref().map(|view| view.state)
    }

    /// The next request looks at everything anew.
    pub(super) fn forget_view(&self) {
        *locked(&self.view) = None;
    }

    /// A login that the server forgot is made again with the next request.
    fn doubt(&self, error: &anyhow::Error) {
        if exit::reason(error).as_deref() == Some("login.required") {
            self.forget_view();
        }
    }

    /// The key. A passphrase is asked for once, on the terminal.
    pub(super) fn signer(&self) -> Result<Arc<Signer>> {
        let mut slot = locked(&self.signer);
        if let Some(signer) = slot.as_ref() {
            return Ok(Arc::clone(signer));
        }
        let signer = Arc::new(Signer::open(&self.context.home, self.context.key.as_deref())?);
        *slot = Some(Arc::clone(&signer));
        Ok(signer)
    }
}

/// Entries of the control log, by a checkpoint that its key signed.
fn control_size(console: &Console) -> Result<u64> {
    let trust = LogTrust::parse(&console.trust.bundle.log).context("read the log policy")?;
    let note = console.api.fetch_bytes("/v1/log/control/checkpoint")?;
    let opened = checkpoint::open(&note, &trust.control);
    Ok(opened.context("read the checkpoint of the control log")?.checkpoint.size)
}

/// A lock that outlives a panic of its holder.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::home::Home;

    #[tokio::test]
    async fn an_answer_that_fails_halfway_breaks_off() {
        let folder = tempfile::tempdir().expect("folder");
        let home = Home::open(Some(folder.path().to_owned())).expect("home");
        let terminal = Terminal { json: true, yes: true };
        let desk = Desk::new(&Context { home, terminal, key: None }, 8740);
        let whole = desk.pieces("text/csv", |_, each| {
            each(b"a\r\n".to_vec())?;
            each(b"b\r\n".to_vec())
        });
        let whole = whole.await.expect("an answer").into_body();
        let whole = axum::body::to_bytes(whole, 100).await.expect("all of it");
        assert_eq!(whole.as_ref(), b"a\r\nb\r\n");
        let half = desk.pieces("text/csv", |_, each| {
            each(b"a\r\n".to_vec())?;
            anyhow::bail!("the server is away")
        });
        let half = half.await.expect("it had begun").into_body();
        axum::body::to_bytes(half, 100).await.expect_err("half of it");
        let none = desk.pieces("text/csv", |_, _| anyhow::bail!("no such column"));
        none.await.expect_err("it had not begun");
    }
}
