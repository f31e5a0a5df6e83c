//! Somebody at a console, who looks while endpoints report.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use bartizan_proto::operator::Summary;
use bartizan_testkit::load::figures::{median, round};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::operators::Operators;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(200);

/// How long a console waited for an answer.
#[derive(Debug, Serialize)]
pub(crate) struct Waited {
    questions: usize,
    ms_median: f64,
    ms_max: f64,
}

/// Asks for the summary again and again, until it is told to end.
pub(crate) struct Watcher {
    end: watch::Sender<bool>,
    task: JoinHandle<Result<Vec<f64>>>,
}

impl Watcher {
    pub(crate) fn begin(operators: Arc<Operators>) -> Self {
        let (end, mut ended) = watch::channel(false);
        let task = tokio::spawn(async move {
            let mut times = Vec::new();
            while !*ended.borrow_and_update() {
                let begin = Instant::now();
                // A server that is being killed does not answer; that is counted elsewhere.
                if operators.fetch::<Summary>("/v1/summary").await.is_ok() {
                    times.push(begin.elapsed().as_secs_f64() * 1000.0);
                }
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    _ = ended.changed() => {}
                }
            }
            Ok(times)
        });
        Self { end, task }
    }

    pub(crate) async fn end(self) -> Result<Waited> {
        self.end.send_replace(true);
        let times = self.task.await.context("watch")??;
        Ok(Waited {
            questions: times.len(),
            ms_median: round(median(&times)),
            ms_max: round(times.iter().copied().fold(0.0, f64::max)),
        })
    }
}
