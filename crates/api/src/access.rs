//! Who may do what: grants, share links, requests, and why somebody may.

mod explain;
mod grants;
mod of_document;
mod requests;
mod share_links;

use kernel::id::*;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::extract::Named;

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    grants::routes(config);
    share_links::routes(config);
    requests::routes(config);
    explain::routes(config);
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
