//! What a refused request gets: an outside message; the inside one goes to the log.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bartizan_proto::operator::ApiError;
use bartizan_store::StoreError;
use bartizan_trust::refusal::Refusal;

/// A refused or failed request.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    error: ApiError,
}

impl Failure {
    pub(super) fn new(
        status: StatusCode,
        code: &str,
        message: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            status,
            error: ApiError { code: code.to_owned(), message: message.into(), next: next.into() },
        }
    }

    /// What it says outside, for answers of another form.
    pub(super) fn told(self) -> (StatusCode, String) {
        (
            self.status,
            format!("{} [{}]; next: {}", self.error.message, self.error.code, self.error.next),
        )
    }

    /// The request itself is wrong.
    pub(super) fn bad(code: &str, message: impl Into<String>, next: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message, next)
    }

    /// What an endpoint would refuse is refused early, with the endpoint's code.
    pub(super) fn refused(refusal: Refusal, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, refusal.code(), message, refusal.advice())
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "request.not_found",
            format!("there is no such {what}"),
            "check the id",
        )
    }

    pub(super) fn no_organisation() -> Self {
        Self::new(
            StatusCode::CONFLICT,
            "server.no_organisation",
            "this server has no organisation yet",
            "run `bartizan init` against it",
        )
    }

    /// Something broke inside; the log says what.
    pub(super) fn internal(error: &anyhow::Error) -> Self {
        tracing::error!("operator request failed: {error:#}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "server.internal",
            "the server failed",
            "look into the server's log",
        )
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "operator request failed");
        let status = match error {
            StoreError::Busy => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, error.code(), "the server could not use its database", error.advice())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.error)).into_response()
    }
}
