//! Every route of the pages' API. The document is made from these functions and cannot name another route than there is.

mod alerts;
mod audit;
mod events;
mod fleet;
mod founding;
mod inventory;
mod jobs;
mod logs;
mod me;
mod passkeys;
mod policies;
mod saved;
mod scripts;
mod series;
mod sheets;
mod stop;
mod trust;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::{Router, middleware};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::desk::Desk;
use super::failure::Failure;
use super::limits::BODY_BYTES_MAX;
use super::{assets, wall};

/// All of the API is below this.
pub(super) const API: &str = "/api/";
/// The one route that needs no token, because it gives it.
pub(super) const SESSION: &str = "/api/v1/session";

/// What the document says besides its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bartizan console",
        description = "Between the console's pages and the operator's own process on the same computer. It is no public API: it follows the pages."
    ),
    components(schemas(super::shapes::News, super::shapes::FleetSort, super::shapes::EndpointState, super::shapes::AuditForm, super::shapes::SeriesStat, super::shapes::AlertState)),
    modifiers(&Bearer),
    security(("token" = []))
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        document.components.get_or_insert_default().add_security_scheme("token", scheme);
    }
}

/// What endpoints observe of themselves, and what somebody makes of it.
fn observed() -> OpenApiRouter<Arc<Desk>> {
    OpenApiRouter::new()
        .routes(routes!(inventory::sections))
        .routes(routes!(inventory::section))
        .routes(routes!(inventory::changes))
        .routes(routes!(inventory::find))
        .routes(routes!(series::show))
        .routes(routes!(alerts::list))
        .routes(routes!(alerts::rules))
        .routes(routes!(alerts::make_window))
        .routes(routes!(alerts::end_window))
        .routes(routes!(alerts::act))
        .routes(routes!(alerts::tell_me))
        .routes(routes!(alerts::show))
        .routes(routes!(policies::list))
        .routes(routes!(policies::verdict))
        .routes(routes!(policies::show))
        .routes(routes!(policies::checks))
        .routes(routes!(policies::sheet))
        .routes(routes!(policies::approval))
        .routes(routes!(policies::withdrawal))
}

fn api() -> OpenApiRouter<Arc<Desk>> {
    let routes = OpenApiRouter::new()
        .routes(routes!(me::open, me::close))
        .routes(routes!(me::me))
        .routes(routes!(me::overview))
        .routes(routes!(fleet::window))
        .routes(routes!(fleet::tree))
        .routes(routes!(fleet::export))
        .routes(routes!(saved::list, saved::keep))
        .routes(routes!(saved::forget))
        .routes(routes!(scripts::list, scripts::keep))
        .routes(routes!(scripts::forget))
        .routes(routes!(scripts::import))
        .routes(routes!(scripts::version))
        .routes(routes!(fleet::show))
        .routes(routes!(fleet::jobs))
        .routes(routes!(fleet::receipts))
        .routes(routes!(fleet::admit))
        .routes(routes!(fleet::refresh))
        .routes(routes!(jobs::list))
        .routes(routes!(jobs::show))
        .routes(routes!(jobs::targets))
        .routes(routes!(jobs::receipts))
        .routes(routes!(jobs::rollout))
        .routes(routes!(jobs::orders))
        .routes(routes!(jobs::plan))
        .routes(routes!(passkeys::list, passkeys::register))
        .routes(routes!(passkeys::options))
        .routes(routes!(founding::state))
        .routes(routes!(founding::card))
        .routes(routes!(founding::person))
        .routes(routes!(founding::draft))
        .routes(routes!(founding::check))
        .routes(routes!(founding::publish))
        .routes(routes!(founding::forget))
        .routes(routes!(founding::genesis))
        .routes(routes!(founding::countersign))
        .routes(routes!(founding::join))
        .routes(routes!(founding::add))
        .routes(routes!(founding::threshold))
        .routes(routes!(sheets::login))
        .routes(routes!(sheets::enrolment))
        .routes(routes!(sheets::preview))
        .routes(routes!(sheets::inbox))
        .routes(routes!(sheets::job))
        .routes(routes!(sheets::approval))
        .routes(routes!(sheets::promotion))
        .routes(routes!(sheets::freeze))
        .routes(routes!(sheets::thaw))
        .routes(routes!(sheets::veto))
        .routes(routes!(sheets::withdrawal))
        .routes(routes!(sheets::sign))
        .routes(routes!(stop::list))
        .routes(routes!(stop::show))
        .routes(routes!(trust::show))
        .routes(routes!(trust::history))
        .routes(routes!(logs::show))
        .routes(routes!(logs::entries))
        .routes(routes!(logs::entry))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(events::all))
        .routes(routes!(events::job))
        .merge(observed());
    OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", routes)
}

/// The whole console.
pub(super) fn router(desk: &Arc<Desk>) -> Router {
    let (api, _) = api().split_for_parts();
    api.route("/api/{*rest}", axum::routing::any(unknown))
        .fallback(assets::serve)
        .method_not_allowed_fallback(unknown)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(middleware::from_fn_with_state(Arc::clone(desk), wall::judge))
        .with_state(Arc::clone(desk))
}

async fn unknown() -> Failure {
    let next = "reload the page: it may be of another version";
    Failure::new(StatusCode::NOT_FOUND, "console.unknown_route", "there is no such route", next)
}

/// The document, as it is checked in.
pub(super) fn document() -> Result<String> {
    let (_, mut document) = api().split_for_parts();
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in
            [("get", &mut item.get), ("post", &mut item.post), ("delete", &mut item.delete)]
        {
            if let Some(operation) = operation {
                operation.operation_id = Some(operation_id(method, path));
            }
        }
    }
    document.to_pretty_json().context("write the document").map(|text| text + "\n")
}

/// Functions of different modules may bear one name; a method and a path are there once.
fn operation_id(method: &str, path: &str) -> String {
    let path = path.strip_prefix("/api/v1/").unwrap_or(path);
    let words = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    core::iter::once(method).chain(words).collect::<Vec<_>>().join("_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_that_is_checked_in_is_the_one_of_these_routes() {
        let kept = include_str!("../../../../../web/openapi.json");
        let next = "run `bartizan console --document > web/openapi.json`, and look at what it means for the pages";
        assert!(document().expect("document") == *kept, "{next}");
    }
}
