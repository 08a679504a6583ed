//! The OpenAPI document: collected from the routes themselves, so that it cannot forget one.

use crate::problem::Problem;
use actix_web::{
    App, HttpResponse,
    http::{Method, header},
    web,
};
use std::sync::OnceLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, HttpMethod, Ref, RefOr, ResponseBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

/// Operations that need no token. This list may only shrink.
pub const PUBLIC: [&str; 4] = ["auth.register", "auth.login", "auth.refresh", "auth.logout"];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sheaf",
        description = "Workspaces, pages as trees of blocks that many people edit at once, over REST and live sockets.\n\n\
            Sign in with `POST /api/v1/auth/register/` or `login/` and send the access token as `Authorization: Bearer …`. \
            Every path is served with and without the slash at its end. Errors are RFC 9457 problems with a stable `code`.\n\n\
            Live pages: open a WebSocket at `/ws/documents/{document_id}?token={access_token}` with a stock automerge-repo \
            client, or with nothing but JSON: `{\"type\":\"insert\",\"pos\":0,\"text\":\"Hello\"}`."
    ),
    tags(
        (name = "auth", description = "Accounts and logins"),
        (name = "users", description = "People"),
        (name = "workspaces", description = "Tenants and their members"),
        (name = "documents", description = "Pages"),
        (name = "blocks", description = "The content of a page, block by block; merges with live typing")
    ),
    components(schemas(Problem)),
    modifiers(&Common)
)]
struct Base;

/// What all operations have in common: the token, and errors as problems.
struct Common;

impl Modify for Common {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        if let Some(components) = api.components.as_mut() {
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        }
    }
}

/// The answers that an operation gives when it does not do what it was asked.
fn errors_of(id: &str, has_body: bool, has_path: bool) -> Vec<(&'static str, &'static str)> {
    let mut errors = Vec::new();
    if !PUBLIC.contains(&id) || id != "auth.logout" {
        errors.push(("401", "No valid access token, or wrong credentials"));
    }
    if !PUBLIC.contains(&id) && has_path {
        errors.push(("403", "The caller sees this but may not do that"));
        errors.push(("404", "There is no such thing for this caller"));
    }
    if has_body {
        errors.push(("400", "The body is not JSON"));
        errors.push(("409", "The state of things does not allow it"));
        errors.push(("413", "The body, or what it makes, is too large"));
        errors.push(("415", "The body is not declared as JSON"));
    }
    errors.push(("422", "Something in the request is not valid; every bad field is named"));
    errors.push(("503", "Temporarily unavailable; try again after `Retry-After` seconds"));
    errors
}

fn complete(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let id = operation.operation_id.clone().unwrap_or_default();
            if !PUBLIC.contains(&id.as_str()) {
                operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
            }
            for (status, description) in errors_of(&id, operation.request_body.is_some(), path.contains('{')) {
                let content = ContentBuilder::new().schema(Some(RefOr::Ref(Ref::from_schema_name("Problem")))).build();
                let response = ResponseBuilder::new().description(description).content(crate::problem::MEDIA_TYPE, content).build();
                operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
            }
        }
    }
}

/// The OpenAPI document of everything under `/api/v1`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let scope = utoipa_actix_web::scope("/api/v1").configure(crate::operations);
    let (_, collected) = App::new().into_utoipa_app().service(scope).split_for_parts();
    let mut api = Base::openapi();
    api.merge(collected);
    complete(&mut api);
    api
}

fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| openapi().to_json().unwrap_or_default())
}

/// The methods that a path of ours knows; none for a path that is none of ours.
pub fn methods_of(path: &str) -> Vec<Method> {
    static ROUTES: OnceLock<Vec<(String, Vec<Method>)>> = OnceLock::new();
    let routes = ROUTES.get_or_init(|| openapi().paths.paths.iter().map(|(path, item)| (path.clone(), methods(item))).collect());
    let fits = |pattern: &str| {
        let (a, b): (Vec<&str>, Vec<&str>) = (pattern.split('/').collect(), path.split('/').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || a.starts_with('{') && !b.is_empty())
    };
    let outside = ["/health/", "/health/live/", "/health/ready/", "/version/", "/api/v1/openapi.json", "/docs/"];
    if outside.contains(&path) {
        return vec![Method::GET, Method::HEAD];
    }
    routes.iter().filter(|(pattern, _)| fits(pattern)).flat_map(|(_, methods)| methods.clone()).collect()
}

fn methods(item: &utoipa::openapi::PathItem) -> Vec<Method> {
    let known = [
        (HttpMethod::Get, &item.get, Method::GET),
        (HttpMethod::Post, &item.post, Method::POST),
        (HttpMethod::Put, &item.put, Method::PUT),
        (HttpMethod::Patch, &item.patch, Method::PATCH),
        (HttpMethod::Delete, &item.delete, Method::DELETE),
    ];
    known.into_iter().filter(|(_, operation, _)| operation.is_some()).map(|(_, _, method)| method).collect()
}

/// Mounts the operations and the document itself.
pub(crate) fn mount(config: &mut web::ServiceConfig) {
    config.route("/api/v1/openapi.json", web::get().to(serve));
    let mut collecting = utoipa_actix_web::service_config::ServiceConfig::new(config);
    collecting.service(utoipa_actix_web::scope("/api/v1").configure(crate::operations));
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-cache")).content_type("application/json").body(text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_is_described() {
        let api = openapi();
        let mut ids = BTreeSet::new();
        for (path, item) in &api.paths.paths {
            for operation in [&item.get, &item.post, &item.put, &item.patch, &item.delete].into_iter().flatten() {
                let id = operation.operation_id.clone().unwrap_or_default();
                assert!(id.contains('.'), "{path}: the id {id:?} names no resource and verb");
                assert!(ids.insert(id.clone()), "{id} stands twice");
                assert!(operation.summary.as_ref().is_some_and(|s| !s.is_empty()), "{id} has no summary");
                assert!(operation.tags.as_ref().is_some_and(|t| !t.is_empty()), "{id} has no tag");
                assert!(path.ends_with('/'), "{path} is not in the promised spelling");
            }
        }
        assert!(PUBLIC.iter().all(|id| ids.contains(*id)), "a public operation is gone: take it off the list");
        assert!(ids.len() > 30, "{}", ids.len());
    }
}
