//! `GET /api/v1/openapi.json`: the routes of the API, as their handlers say of themselves.

use std::sync::LazyLock;

use axum::Json;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi, ToSchema};

use super::{dump, dumps, export, follow, sessions, stats};
use crate::access;

/// A body of bytes, as the document tells it.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub(crate) struct Binary(#[expect(dead_code, reason = "only described")] String);

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "rtctrace",
        description = "Recordings of WebRTC sessions: lists, features, stats, dumps. Errors are problem documents (RFC 9457).",
    ),
    paths(
        sessions::list,
        sessions::remove_of_user,
        sessions::watch,
        sessions::one,
        sessions::remove,
        stats::stats,
        dump::dump,
        follow::follow,
        dumps::upload,
        export::features,
        export::findings,
        access::login,
        access::logout,
        openapi,
    ),
    security(("token" = []), ("cookie" = [])),
    modifiers(&Tokens),
)]
struct Document;

/// How requests are authorized.
struct Tokens;

impl Modify for Tokens {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A token of `rtctrace token api`, where the collector has any: `read` for GET, `upload` for POST, `delete` for DELETE."));
        components.add_security_scheme("token", SecurityScheme::Http(bearer.build()));
        let cookie = ApiKey::Cookie(ApiKeyValue::new(access::COOKIE));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

static DOCUMENT: LazyLock<utoipa::openapi::OpenApi> = LazyLock::new(Document::openapi);

/// This document
#[utoipa::path(
    get,
    path = "/api/v1/openapi.json",
    tag = "api",
    responses((status = 200, description = "The document.", body = Object), crate::problem::Refused)
)]
pub(crate) async fn openapi() -> Json<&'static utoipa::openapi::OpenApi> {
    Json(&DOCUMENT)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use axum::body::Body;
    use axum::http::{Request, header};
    use serde_json::Value;
    use tower::Service as _;

    use super::*;
    use crate::access::Access;
    use crate::app::{self, App};
    use crate::config::Config;

    /// The methods that each route takes, as the router itself says.
    async fn routed() -> BTreeMap<String, BTreeSet<String>> {
        let dir = tempfile::tempdir().unwrap();
        let config = Arc::new(Config { data_dir: dir.path().to_owned(), ..Config::default() });
        std::fs::create_dir_all(config.spool_dir()).unwrap();
        let stores = app::open(&config).await.unwrap();
        let access = Arc::new(Access::open(&config).unwrap());
        let (app, _stop) = App::unheard(config, stores, access).unwrap();
        let mut router = crate::router::router(app);
        let mut found = BTreeMap::new();
        for (path, _) in crate::api::routes() {
            let concrete = path.replace(['{', '}'], "");
            let request = Request::builder().method("PATCH").uri(&concrete).body(Body::empty()).unwrap();
            let response = router.call(request).await.unwrap();
            assert_eq!(response.status(), 405, "{path}");
            let allowed = response.headers()[header::ALLOW].to_str().unwrap().to_ascii_lowercase();
            let methods = allowed.split(',').filter(|method| *method != "head").map(str::to_owned).collect();
            found.insert(path.to_owned(), methods);
        }
        found
    }

    #[tokio::test]
    async fn every_route_of_the_api_is_in_the_document() {
        let document = serde_json::to_value(&*DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let documented = paths.iter().map(|(path, methods)| {
            (path.clone(), methods.as_object().unwrap().keys().cloned().collect::<BTreeSet<String>>())
        });
        assert_eq!(documented.collect::<BTreeMap<_, _>>(), routed().await);
    }

    #[test]
    fn every_operation_says_what_it_takes_and_how_it_fails() {
        let document = serde_json::to_value(&*DOCUMENT).unwrap();
        for (path, operations) in document["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let what = format!("{method} {path}");
                assert!(operation["summary"].is_string(), "{what}");
                let parameters: Vec<Value> = operation["parameters"].as_array().cloned().unwrap_or_default();
                for parameter in &parameters {
                    assert!(
                        parameter["description"].as_str().is_some_and(|text| text.len() > 3),
                        "{what}: {parameter}"
                    );
                }
                let of_path: BTreeSet<&str> = path.split('/').filter_map(|part| part.strip_prefix('{')).collect();
                let named: BTreeSet<String> = parameters
                    .iter()
                    .filter(|parameter| parameter["in"] == "path")
                    .map(|parameter| format!("{}}}", parameter["name"].as_str().unwrap()))
                    .collect();
                assert_eq!(of_path, named.iter().map(String::as_str).collect(), "{what}");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    if status.starts_with(['4', '5']) {
                        let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
                        assert_eq!(problem, "#/components/schemas/Problem", "{what} {status}");
                    }
                }
            }
        }
        // What is referred to is there.
        let text = document.to_string();
        for reference in text.split("\"$ref\":\"").skip(1) {
            let name = reference.split('"').next().unwrap().rsplit('/').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }

    /// Every filter is documented, and none that there is not.
    #[test]
    fn the_parameters_of_lists_and_stats_are_those_that_are_read() {
        use utoipa::IntoParams as _;
        let names = |parameters: Vec<utoipa::openapi::path::Parameter>| {
            parameters.into_iter().map(|parameter| parameter.name).collect::<Vec<_>>()
        };
        let query = || utoipa::openapi::path::ParameterIn::Query;
        assert_eq!(names(sessions::FilterParameters::into_params(|| Some(query()))), sessions::FILTERS);
        assert_eq!(names(stats::StatsParameters::into_params(|| Some(query()))), stats::NAMES);
    }
}
