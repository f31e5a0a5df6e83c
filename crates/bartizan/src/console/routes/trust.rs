//! Who may do what.

use std::sync::Arc;

use axum::extract::State;

use crate::console::desk::{Answer, Desk};
use crate::console::shapes::{BundleHistory, Problem, Trust};
use crate::console::views::trust as view;

/// The bundle in force, and those that wait.
#[utoipa::path(get, path = "/trust", tag = "trust", responses((status = 200, body = Trust), (status = "default", body = Problem)))]
pub(crate) async fn show(State(desk): State<Arc<Desk>>) -> Answer<Trust> {
    desk.work(view::show).await
}

/// Every bundle there ever was, and what each changed.
#[utoipa::path(get, path = "/trust/history", tag = "trust", responses((status = 200, body = BundleHistory), (status = "default", body = Problem)))]
pub(crate) async fn history(State(desk): State<Arc<Desk>>) -> Answer<BundleHistory> {
    desk.work(|_, console| view::history(console)).await
}
