//! Errors as pages get them: a stable code, what is wrong, what to do.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::advice::advice;
use super::shapes::Problem;
use crate::exit::{self, Code};

/// A refused request.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    problem: Problem,
}

impl Failure {
    pub(super) fn new(status: StatusCode, code: &str, message: &str, next: &str) -> Self {
        let problem =
            Problem { code: code.to_owned(), message: message.to_owned(), next: next.to_owned() };
        Self { status, problem }
    }

    /// The token is missing, wrong or over.
    pub(super) fn no_session() -> Self {
        let next = "open the console anew: press Enter where `bartizan console` runs, and use the link it prints";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "console.no_session",
            "this page is not logged in",
            next,
        )
    }
}

/// An error of the tool, as a page gets it.
pub(super) fn problem(error: &anyhow::Error) -> Problem {
    let told = exit::told(error);
    let next = advice(&told.code, &told.next);
    Problem { code: told.code, message: told.message, next }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let told = exit::told(&error);
        let status = match (told.exit, told.code.as_str()) {
            (_, "request.not_found") => StatusCode::NOT_FOUND,
            (Code::Unreachable, _) => StatusCode::BAD_GATEWAY,
            (Code::Refused, _) => StatusCode::UNPROCESSABLE_ENTITY,
            (Code::Pending, _) => StatusCode::CONFLICT,
            (Code::Usage | Code::Error, _) => StatusCode::BAD_REQUEST,
        };
        Self { status, problem: problem(&error) }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.status, Json(self.problem)).into_response()
    }
}
