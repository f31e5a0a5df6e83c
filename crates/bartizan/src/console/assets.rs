//! The pages themselves, as they were built into this program.

use axum::http::header::{self, HeaderValue};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

use super::failure::Failure;
use super::sessions::token;

mod pages {
    include!(concat!(env!("OUT_DIR"), "/pages.rs"));
}

/// Stands in the built page wherever the nonce of the answer belongs.
const NONCE: &str = "__CSP_NONCE__";
/// Where nobody has built the pages.
const MISSING: &str = include_str!("missing.html");

/// A file of the pages; any other path is one of the application's own, and gets the application.
pub(super) async fn serve(uri: Uri) -> Response {
    let path = uri.path();
    if let Some((_, bytes)) =
        pages::FILES.iter().find(|(name, _)| *name == path && *name != "/index.html")
    {
        return file(path, bytes);
    }
    let last = path.rsplit('/').next().unwrap_or_default();
    if last.contains('.') && last != "index.html" {
        let next = "open the link that `bartizan console` prints";
        return Failure::new(
            StatusCode::NOT_FOUND,
            "console.no_such_file",
            "there is no such file",
            next,
        )
        .into_response();
    }
    let index = pages::FILES.iter().find(|(name, _)| *name == "/index.html");
    let page = index.and_then(|(_, bytes)| str::from_utf8(bytes).ok()).unwrap_or(MISSING);
    match token() {
        Ok(nonce) => document(page, &nonce),
        Err(error) => Failure::from(error).into_response(),
    }
}

/// What the pages may do: their own files, and styles that carry the nonce of this answer.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' blob: data:; font-src 'self'; \
         connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn document(page: &str, nonce: &str) -> Response {
    let mut response = page.replace(NONCE, nonce).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(nonce)) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn file(path: &str, bytes: &'static [u8]) -> Response {
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    // Names in this folder carry a hash of what they hold.
    if path.starts_with("/assets/") {
        let for_ever = HeaderValue::from_static("private, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, for_ever);
    }
    response
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nonce_of_an_answer_stands_in_its_policy_and_nowhere_twice() {
        let page = format!("<style nonce=\"{NONCE}\"></style>");
        let (one, two) = (document(&page, "n1"), document(&page, "n2"));
        let policy = |response: &Response| {
            response.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned()
        };
        assert!(policy(&one).contains("'nonce-n1'") && policy(&two).contains("'nonce-n2'"));
        for forbidden in ["unsafe-inline", "unsafe-eval", "http:", "https:", "*"] {
            assert!(!policy(&one).contains(forbidden), "{forbidden}");
        }
    }

    #[test]
    fn files_have_the_kind_browsers_demand() {
        for (path, expected) in [
            ("/assets/a-1.js", "text/javascript; charset=utf-8"),
            ("/assets/a.css", "text/css; charset=utf-8"),
            ("/odd", "application/octet-stream"),
        ] {
            assert_eq!(kind(path), expected);
        }
    }
}
