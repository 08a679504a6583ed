//! The HTTP and WebSocket face, and the OpenAPI document. Only here is actix known.
//!
//! A handler names who may in its extractor, parses once, calls one domain function, and answers. Request and response
//! shapes live next to their handlers; rows never leave.

pub mod access;
pub mod api_keys;
pub mod attachments;
pub mod auth;
mod bytes;
pub mod docs_page;
pub mod documents;
pub mod edge;
pub mod etag;
pub mod event;
pub mod events;
mod exports;
pub mod extract;
pub mod fresh;
pub mod groups;
pub mod history;
mod imports;
pub mod invitations;
pub mod invite_links;
pub mod jobs;
pub mod json;
pub mod members;
pub mod middleware;
pub mod oidc;
pub mod open_page;
pub mod openapi;
pub mod outside;
pub mod page;
pub mod problem;
pub mod reports;
pub mod revocation;
pub mod search;
pub mod state;
pub mod streams;
pub mod tenancy;
pub mod tickets;
pub mod users;
mod who;
pub mod workspaces;
pub mod ws;

pub use openapi::openapi;
pub use state::{Settings, State};
pub use streams::Streams;

use actix_web::web;
use utoipa_actix_web::service_config::ServiceConfig as ApiConfig;

/// The operations under `/api/v1`, as they stand in the OpenAPI document.
pub(crate) fn operations(config: &mut ApiConfig<'_>) {
    auth::routes(config);
    oidc::routes(config);
    api_keys::routes(config);
    tickets::routes(config);
    users::routes(config);
    workspaces::routes(config);
    members::routes(config);
    tenancy::routes(config);
    invitations::routes(config);
    invitations::answers(config);
    invite_links::routes(config);
    groups::routes(config);
    imports::routes(config);
    documents::routes(config);
    attachments::routes(config);
    history::routes(config);
    access::routes(config);
    events::routes(config);
    reports::routes(config);
    exports::routes(config);
    jobs::routes(config);
    search::routes(config);
}

/// Everything but the middleware: the routes of the product on an actix application.
pub fn configure(config: &mut web::ServiceConfig, state: State) {
    config.app_data(web::Data::new(state));
    openapi::mount(config);
    outside::routes(config);
    docs_page::routes(config);
    open_page::routes(config);
    ws::routes(config);
    config.default_service(web::to(problem::no_route));
}

#[cfg(test)]
mod tests;
