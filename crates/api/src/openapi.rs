//! The OpenAPI document: collected from the routes themselves, so that it cannot forget one.

mod failures;
mod methods;

pub use methods::{methods_of, resource_of, resources};

use crate::problem::Problem;
use actix_web::{App, HttpResponse, http::header, web};
use serde_json::{Value, json};
use std::sync::OnceLock;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        PathItem, RefOr, Schema,
        path::Operation,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

/// Where the document is served.
pub const PATH: &str = "/api/v1/openapi.json";

/// Operations that need no token. This list may only shrink.
pub const PUBLIC: [&str; 18] = [
    "auth.register",
    "auth.login",
    "auth.refresh",
    "auth.logout",
    "share_links.look",
    "share_links.unlock",
    "auth.oidc_providers",
    "auth.oidc_start",
    "auth.oidc_callback",
    "auth.oidc_finish",
    "auth.verify_mfa",
    "auth.verify_email",
    "auth.resend_verification",
    "auth.forgot_password",
    "auth.reset_password",
    "invitations.preview",
    "invitations.accept",
    "invitations.decline",
];

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
        (name = "attachments", description = "Files of pages"),
        (name = "imports", description = "Files as pages"),
        (name = "access", description = "Who may do what: grants, share links, requests, and why somebody may"),
        (name = "events", description = "What happened: activity, audit log and live stream"),
        (name = "reports", description = "Activity reports and usage analytics"),
        (name = "exports", description = "Pages as files"),
        (name = "jobs", description = "Background work"),
        (name = "search", description = "Finding things by their words"),
        (name = "admin", description = "For administrators of the instance"),
        (name = "blocks", description = "The content of a page, block by block; merges with live typing")
    ),
    components(schemas(Problem, crate::event::Event, crate::documents::tree_routes::Branch)),
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

/// The event types: the payload of each, and their names where an event has one.
fn describe_events(api: &mut utoipa::openapi::OpenApi) {
    let Some(components) = api.components.as_mut() else { return };
    let types = ::events::catalogue();
    let payloads: serde_json::Map<String, Value> = types
        .iter()
        .map(|one| {
            let mut schema = one.payload.clone();
            schema["description"] = one.description.into();
            (one.name.to_owned(), schema)
        })
        .collect();
    let described = json!({ "type": "object", "description": "The payload of each type of event, by its name", "properties": payloads });
    if let Ok(schema) = serde_json::from_value::<RefOr<Schema>>(described) {
        components.schemas.insert("EventPayloads".to_owned(), schema);
    }
    let names: Vec<Value> = types.iter().map(|one| one.name.into()).collect();
    if let Some(RefOr::T(Schema::Object(event))) = components.schemas.get_mut("Event")
        && let Some(RefOr::T(Schema::Object(kind))) = event.properties.get_mut("type")
    {
        kind.enum_values = Some(names);
    }
}

/// Puts on every operation what all of them share: who may call it, and the problems it answers with.
fn complete(api: &mut utoipa::openapi::OpenApi) {
    for (path, item) in &mut api.paths.paths {
        for operation in operations_of(item) {
            let id = operation.operation_id.clone().unwrap_or_default();
            if !PUBLIC.contains(&id.as_str()) {
                operation.security = Some(vec![SecurityRequirement::new("bearer", Vec::<String>::new())]);
            }
            for failure in failures::of(&id, path, operation) {
                let (status, response) = failure.response(path);
                operation.responses.responses.entry(status).or_insert(RefOr::T(response));
            }
        }
    }
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
        .into_iter()
        .flatten()
}

/// The OpenAPI document of everything under `/api/v1`.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let scope = utoipa_actix_web::scope("/api/v1").configure(crate::operations);
    let (_, collected) = App::new().into_utoipa_app().service(scope).split_for_parts();
    let mut api = Base::openapi();
    api.merge(collected);
    complete(&mut api);
    describe_events(&mut api);
    api
}

fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| openapi().to_json().unwrap_or_default())
}

/// Mounts the operations and the document itself.
pub(crate) fn mount(config: &mut web::ServiceConfig) {
    config.route(PATH, web::get().to(serve));
    let mut collecting = utoipa_actix_web::service_config::ServiceConfig::new(config);
    collecting.service(utoipa_actix_web::scope("/api/v1").configure(crate::operations));
}

async fn serve() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .content_type("application/json")
        .body(text())
}

#[cfg(test)]
mod tests;
