//! The endpoints' side: connects them all and collects what they tell.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bartizan_testkit::load::endpoint::{Endpoint, Event, Fleet, device_key};
use bartizan_testkit::load::server::Server;
use bartizan_trust::id::EndpointId;
use tokio::sync::{Semaphore, mpsc};

use crate::operators::Operators;
use crate::{Arguments, Verify};

/// Handshakes under way at once.
const CONNECTING_MAX: usize = 64;
const PATIENCE: Duration = Duration::from_mins(2);

/// Every endpoint, connected.
pub(crate) struct Connected {
    /// Their ids, sorted.
    pub(crate) targets: Vec<EndpointId>,
    events: mpsc::Receiver<Event>,
}

/// How a job was answered.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) first_ms: f64,
    pub(crate) last_ms: f64,
    pub(crate) refused: u64,
}

/// What all endpoints have in common.
pub(crate) fn shared(server: &Server, operators: &Operators, arguments: &Arguments) -> Arc<Fleet> {
    Arc::new(Fleet {
        address: server.agent_plane,
        pin: server.identity.spki,
        org: operators.organisation.id(),
        enrolment: operators.enrolment.encode(),
        enrolment_id: operators.enrolment.id(),
        verify: arguments.verify == Verify::Full,
    })
}

/// Connects the whole fleet; returns when every endpoint has replayed the control log.
pub(crate) async fn connect(
    server: &Server,
    operators: &Operators,
    arguments: &Arguments,
) -> Result<Connected> {
    let fleet = shared(server, operators, arguments);
    let permits = Arc::new(Semaphore::new(CONNECTING_MAX));
    let (tell, events) = mpsc::channel(1024);
    let mut targets = Vec::new();
    for number in 0..arguments.agents {
        targets.push(device_key(number)?.public.endpoint_id());
        let endpoint = Endpoint::new(Arc::clone(&fleet), number, tell.clone())?;
        let (permits, tell) = (Arc::clone(&permits), tell.clone());
        tokio::spawn(async move {
            let opened = async {
                let _permit = permits.acquire_owned().await?;
                endpoint.connect().await
            };
            match opened.await {
                Ok(stream) => endpoint.serve(stream).await,
                // Nobody listens any more when the test is over.
                Err(error) => drop(tell.send(Event::Broken(format!("{error:#}"))).await),
            }
        });
    }
    targets.sort_by_cached_key(EndpointId::to_string);
    let mut connected = Connected { targets, events };
    for _ in 0..arguments.agents {
        match connected.event().await? {
            Event::Ready => {}
            other => bail!("while connecting: {other:?}"),
        }
    }
    Ok(connected)
}

impl Connected {
    /// Waits until every endpoint's receipt is stored.
    pub(crate) async fn answers(&mut self, begin: Instant) -> Result<Answers> {
        let mut answers = Answers::default();
        let mut stored = 0;
        while stored < self.targets.len() {
            match self.event().await? {
                Event::Stored => {
                    stored += 1;
                    answers.last_ms = begin.elapsed().as_secs_f64() * 1000.0;
                    if stored == 1 {
                        answers.first_ms = answers.last_ms;
                    }
                }
                Event::Refused(refusal) => {
                    if answers.refused == 0 {
                        eprintln!("refused: {} ({refusal:?})", refusal.code());
                    }
                    answers.refused += 1;
                }
                Event::Ready => bail!("an endpoint connected a second time"),
                Event::Broken(why) => bail!("an endpoint gave up: {why}"),
            }
        }
        Ok(answers)
    }

    async fn event(&mut self) -> Result<Event> {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event
            .context("the endpoints have been silent for two minutes")?
            .context("no endpoint is left")
    }
}
