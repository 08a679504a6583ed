//! Who may do what: grants, share links, requests, and why somebody may.

mod explain;
mod grants;
mod of_document;
mod requests;
mod share_links;

use kernel::id::*;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::extract::Named;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    grants::routes(config);
    share_links::routes(config);
    requests::routes(config);
    explain::routes(config);
}

/// A level on a page, as it stands in JSON.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "it only describes kernel's own enum to the OpenAPI document")]
enum LevelName {
    /// Not even see that it exists.
    None,
    /// Read.
    View,
    /// Read and comment.
    Comment,
    /// Change its content.
    Edit,
    /// Change who may do what.
    Manage,
}

impl Named for GrantId {
    const NAME: &'static str = "grant_id";
}

impl Named for ShareLinkId {
    const NAME: &'static str = "share_link_id";
}

impl Named for AccessRequestId {
    const NAME: &'static str = "access_request_id";
}
