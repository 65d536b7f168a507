//! The door of the API: which token a request needs, where it carries it, and how a browser gets to carry one. The rule is
//! about paths and methods, so that a route that is added later is behind it, too.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::Next;
use axum::response::IntoResponse;
use serde_json::Value;
use utoipa::ToSchema;

use super::api_tokens::{Scope, Verdict};
use crate::api::body;
use crate::app::App;
use crate::config::{Secret, Size};
use crate::problem::{Problem, Reason, Refused};

/// The cookie of a browser that logged in.
pub(crate) const COOKIE: &str = "rtctrace_token";
/// Longer texts are no token.
pub(super) const LONGEST_TOKEN: usize = 256;
/// The longest body of a login: anybody may send one.
const LONGEST_LOGIN: Size = Size(1024);
/// The path that gives a browser its cookie, and takes it back.
pub(crate) const LOGIN: &str = "/api/v1/login";

/// Lets a request through, or says which token it needs.
pub(crate) async fn guard(State(app): State<App>, request: Request, next: Next) -> Response<Body> {
    if let Some(scope) = needed(request.method(), request.uri().path())
        && let Err(problem) = authorize(&app, request.method(), request.headers(), scope)
    {
        return problem.into_response();
    }
    next.run(request).await
}

/// The scope that a request needs, if it needs one.
fn needed(method: &Method, path: &str) -> Option<Scope> {
    let is_api = path == "/api" || path.starts_with("/api/");
    if path == LOGIN || !(is_api || path == "/metrics") {
        return None;
    }
    Some(match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Scope::Read,
        Method::DELETE => Scope::Delete,
        Method::POST => Scope::Upload,
        _ => Scope::Admin,
    })
}

/// Whether a request carries a token with that scope, in `Authorization: Bearer` or in the cookie.
fn authorize(app: &App, method: &Method, headers: &HeaderMap, scope: Scope) -> Result<(), Problem> {
    if !app.access.api.required() {
        return Ok(());
    }
    let Some(token) = bearer(headers).or_else(|| cookie(method, headers)) else {
        let detail = "This needs a token: `Authorization: Bearer <token>`. `rtctrace token api` makes one.";
        return Err(challenge(Problem::new(Reason::Unauthorized, detail)));
    };
    match app.access.api.check(&token, Some(scope)) {
        Verdict::Allowed => Ok(()),
        Verdict::WrongScope => {
            let detail = format!("The token lacks the scope `{}`.", scope.name());
            Err(Problem::new(Reason::Forbidden, detail))
        }
        Verdict::Unknown => Err(unknown()),
    }
}

/// Whether who was let in to read may still do so: a token may be withdrawn while an answer goes on.
pub(crate) fn may_still_read(app: &App, headers: &HeaderMap) -> bool {
    authorize(app, &Method::GET, headers, Scope::Read).is_ok()
}

fn unknown() -> Problem {
    challenge(Problem::new(Reason::Unauthorized, "This token is not known here."))
}

/// With the header that a 401 has (RFC 9110, section 15.5.2).
pub(super) fn challenge(problem: Problem) -> Problem {
    problem.with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"rtctrace\""))
}

fn bearer(headers: &HeaderMap) -> Option<Secret> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && token.len() <= LONGEST_TOKEN).then(|| Secret::new(token))
}

fn cookie(method: &Method, headers: &HeaderMap) -> Option<Secret> {
    // `SameSite` lets other origins of the same site through, and what changes something needs more than that.
    let is_ours = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    if !matches!(*method, Method::GET | Method::HEAD) && !is_ours {
        return None;
    }
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, value)| *name == COOKIE && value.len() <= LONGEST_TOKEN).map(|(_, value)| Secret::new(value))
}

/// What a login sends.
#[derive(ToSchema)]
#[allow(dead_code)] // It is read by name.
pub(crate) struct Login {
    /// A token of the API.
    token: String,
}

/// A browser gets its token back as a cookie that no script can read
#[utoipa::path(
    post,
    path = "/api/v1/login",
    tag = "api",
    request_body = Login,
    security(()),
    responses((status = 204, description = "The answer sets the cookie."), Refused)
)]
pub(crate) async fn login(State(app): State<App>, request: Request) -> Result<Response<Body>, Problem> {
    let is_secure = app.config.is_encrypted()
        || request.headers().get(header::ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https:"));
    let body = body::collect(request.into_body(), LONGEST_LOGIN).await?;
    let token =
        serde_json::from_slice::<Value>(&body).ok().and_then(|value| Some(value.get("token")?.as_str()?.to_owned()));
    let Some(token) = token.map(|token| Secret::new(token.trim())) else {
        return Err(Problem::new(Reason::BadParameter, "The body is JSON with a member `token`."));
    };
    // Any scope: what it allows is asked when something is done with it.
    if app.access.api.check(&token, None) != Verdict::Allowed {
        return Err(unknown());
    }
    Ok(with_cookie(token.expose(), if is_secure { "; Secure" } else { "" }))
}

/// The browser forgets its token
#[utoipa::path(
    delete,
    path = "/api/v1/login",
    tag = "api",
    security(()),
    responses((status = 204, description = "The answer takes the cookie back."))
)]
pub(crate) async fn logout() -> Response<Body> {
    with_cookie("", "; Max-Age=0")
}

/// Without `Path`: it is then the path of the API, as the browser sees it behind whatever prefix.
fn with_cookie(value: &str, attributes: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let cookie = format!("{COOKIE}={value}; HttpOnly; SameSite=Strict{attributes}");
    if let Ok(mut cookie) = HeaderValue::from_str(&cookie) {
        cookie.set_sensitive(true);
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_of_the_api_needs_a_scope_but_the_login() {
        let scope = |method: &str, path| needed(&method.parse().unwrap(), path).map(Scope::name);
        assert_eq!(scope("GET", "/api/v1/sessions"), Some("read"));
        assert_eq!(scope("HEAD", "/api/v1/anything"), Some("read"));
        assert_eq!(scope("POST", "/api/v1/dumps"), Some("upload"));
        assert_eq!(scope("DELETE", "/api/v1/sessions/x"), Some("delete"));
        assert_eq!(scope("PUT", "/api/v1/x"), Some("admin"));
        assert_eq!(scope("GET", "/metrics"), Some("read"));
        for open in ["/", "/demo", "/healthz", "/v1/beacon", "/apis", LOGIN] {
            assert_eq!(scope("POST", open), None, "{open}");
        }
    }

    #[test]
    fn a_cookie_changes_nothing_unless_our_own_page_asks() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=b; rtctrace_token=rtct_1"));
        assert!(cookie(&Method::GET, &headers).is_some());
        assert!(cookie(&Method::DELETE, &headers).is_none());
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-site"));
        assert!(cookie(&Method::POST, &headers).is_none());
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        assert_eq!(cookie(&Method::POST, &headers).unwrap().expose(), "rtct_1");
    }
}
