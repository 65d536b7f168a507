//! The files inside the binary: viewer at `/`, demo page at `/demo`, the client's package at `/demo/rtctrace/`.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use bytes::Bytes;
use rust_embed::{EmbeddedFile, RustEmbed};

use super::shorten;
use crate::problem::{Problem, Reason};

#[derive(RustEmbed)]
#[folder = "../dump-viewer/dist"]
#[allow_missing = true]
struct Viewer;

#[derive(RustEmbed)]
#[folder = "../demo"]
#[allow_missing = true]
struct Demo;

#[derive(RustEmbed)]
#[folder = "../npm/dist"]
#[allow_missing = true]
struct Client;

/// What names under it carry a digest of their content, so that a browser need never ask again (the viewer's bundler).
const DIGESTED: &str = "assets/";

/// Content types by extension; anything else is bytes.
const TYPES: [(&str, &str); 12] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("css", "text/css; charset=utf-8"),
    ("wasm", "application/wasm"),
    ("json", "application/json"),
    ("map", "application/json"),
    ("svg", "image/svg+xml"),
    ("png", "image/png"),
    ("ico", "image/x-icon"),
    ("woff2", "font/woff2"),
    ("txt", "text/plain; charset=utf-8"),
];

/// Answers every path that no route has: a file, or a problem that says what is missing.
pub(crate) async fn asset(request: Request) -> Response<Body> {
    let path = request.uri().path();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let Some(found) = find(path).filter(|_| !path.starts_with("/api/")) else {
        return Problem::new(Reason::UnknownPath, format!("Nothing is at {}.", shorten(path))).into_response();
    };
    if !is_read {
        let problem = Problem::new(Reason::MethodNotAllowed, format!("{} can only be read.", shorten(path)));
        return problem.with_header(header::ALLOW, HeaderValue::from_static("GET, HEAD")).into_response();
    }
    match found {
        Found::File(name, file) => serve(&name, file, request.headers()),
        Found::Missing(what) => {
            let detail = format!("This binary was built without {what}. `make build` builds all of it.");
            Problem::new(Reason::NotBuiltIn, detail).into_response()
        }
    }
}

/// Whether a file is at a path, or would be in a whole build.
pub(crate) fn exists(path: &str) -> bool {
    find(path).is_some()
}

enum Found {
    File(String, EmbeddedFile),
    Missing(&'static str),
}

fn find(path: &str) -> Option<Found> {
    // Debug builds read from the disk: only plain names may come near it.
    if path.split('/').any(|part| part == "..") || path.contains(['\\', '%', '\0']) {
        return None;
    }
    let path = path.trim_start_matches('/');
    let in_folder = |name: &str, get: fn(&str) -> Option<EmbeddedFile>, what| {
        let name = if name.is_empty() { "index.html" } else { name };
        match get(name) {
            Some(file) => Some(Found::File(name.to_owned(), file)),
            None => matches!(name, "index.html" | "index.js").then_some(Found::Missing(what)),
        }
    };
    match path.strip_prefix("demo").filter(|rest| rest.is_empty() || rest.starts_with('/')) {
        None => in_folder(path, Viewer::get, "the viewer"),
        Some(rest) => match rest.strip_prefix("/rtctrace/") {
            Some(name) => in_folder(name, Client::get, "the client's package"),
            None => in_folder(rest.trim_start_matches('/'), Demo::get, "the demo page"),
        },
    }
}

fn serve(name: &str, file: EmbeddedFile, request: &HeaderMap) -> Response<Body> {
    let digest = file.metadata.sha256_hash();
    let tag = digest.iter().take(16).fold(String::from("\""), |tag, byte| tag + &format!("{byte:02x}")) + "\"";
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let is_known = known.flat_map(|value| value.split(',')).any(|known| known.trim().trim_start_matches("W/") == tag);

    let mut response = if is_known {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        Response::new(Body::from(match file.data {
            std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
            std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
        }))
    };
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let kind = TYPES.iter().find(|(known, _)| *known == extension).map_or("application/octet-stream", |(_, kind)| kind);
    let caching = if name.starts_with(DIGESTED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_reach_a_folder() {
        for path in ["/../Cargo.toml", "/demo/../secret", "/%2e%2e/Cargo.toml", "/demo/rtctrace/../../x", "/a\\b"] {
            assert!(find(path).is_none(), "{path}");
        }
        assert!(find("/nothing-here").is_none());
        assert!(find("/demonstration").is_none());
    }

    #[test]
    fn a_file_that_the_client_has_is_not_sent_again() {
        let file = || EmbeddedFile {
            data: b"hello".as_slice().into(),
            metadata: rust_embed::Metadata::__rust_embed_new([7; 32], None, None),
        };
        let first = serve("assets/x.wasm", file(), &HeaderMap::new());
        assert_eq!(first.headers()[header::CONTENT_TYPE], "application/wasm");
        assert!(first.headers()[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
        let mut headers = HeaderMap::new();
        headers.insert(header::IF_NONE_MATCH, first.headers()[header::ETAG].clone());
        assert_eq!(serve("assets/x.wasm", file(), &headers).status(), StatusCode::NOT_MODIFIED);
    }
}
