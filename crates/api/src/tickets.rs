//! Tickets for sockets and streams, whose clients in browsers can send no headers: an url ends up in logs and histories, and
//! a token in it would be good for a while.

use crate::{extract::Known, json::Json, problem::ApiError, state::State};
use ::users::{Bearer, ticket};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, http::header, post, web::Data};
use kernel::{
    error::{Explain, Field, Kind},
    id::*,
};
use serde::{Deserialize, Serialize};
use std::rc::Rc;
use tokio::sync::OnceCell;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{self, ViewDocument};

/// The operation that takes a ticket in place of a token.
const STREAM: &str = "/api/v1/workspaces/{workspace_id}/events/";

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(create);
}

/// What a ticket is for.
#[derive(Deserialize, ToSchema, Validate)]
struct TicketFields {
    /// The only page whose socket it opens; sockets that name no page, and streams, take tickets without one.
    #[schema(value_type = Option<uuid::Uuid>)]
    document_id: Option<DocumentId>,
}

/// A ticket.
#[derive(Serialize, ToSchema)]
struct Ticket {
    /// For `?ticket=` of a socket or a live stream. Good once.
    #[schema(example = "5f0c…64 hexadecimal digits…a1")]
    ticket: String,
    /// Seconds until it runs out.
    #[schema(example = 30)]
    expires_in: u64,
}

async fn check_page(state: &State, user: UserId, document: DocumentId) -> Result<(), ApiError> {
    match access::open::<ViewDocument>(&state.db, user, document).await {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == Kind::NotFound => Err(ApiError::invalid(vec![Field::new(
            "/document_id",
            "unknown",
            "names no page that you may see",
        )])),
        Err(error) => Err(error.into()),
    }
}

/// Get a ticket that opens one socket or live stream.
///
/// For browsers, which can send no `Authorization` there: put it into the address as `?ticket=`. It is good once, within
/// half a minute, and only as long as your login goes on.
#[utoipa::path(tag = "auth", operation_id = "auth.ws_ticket", request_body = TicketFields, responses((status = 201, description = "Made", body = Ticket)))]
#[post("/auth/ws-ticket/")]
async fn create(state: Data<State>, Known(caller): Known, body: Json<TicketFields>) -> Result<HttpResponse, ApiError> {
    if let Some(document) = body.0.document_id {
        check_page(&state, caller.user, document).await?;
    }
    let ticket = ticket::issue(&state.accounts, &caller, body.0.document_id).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Ticket {
            ticket,
            expires_in: ticket::TTL.as_secs(),
        }))
}

/// The ticket in a query.
pub(crate) fn in_query(query: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "ticket").map(|(_, ticket)| ticket.into_owned())
}

type Turned = Rc<OnceCell<Result<Bearer, ApiError>>>;

/// Who stands behind the ticket of a request for a live stream. A ticket is good once, and a handler may have several
/// extractors that ask: it is turned in for all of them together.
pub(crate) async fn bearer_of(request: &HttpRequest, state: &State) -> Result<Bearer, ApiError> {
    let is_stream = request.match_pattern().is_some_and(|pattern| pattern == STREAM);
    let ticket = in_query(request.query_string()).filter(|_| is_stream);
    let ticket = ticket.ok_or_else(ApiError::unauthenticated)?;
    let known = request.extensions().get::<Turned>().cloned();
    let turned = known.unwrap_or_default();
    request.extensions_mut().insert(turned.clone());
    let turn_in = async || match ticket::redeem(&state.accounts, &ticket, None).await {
        Ok(caller) => Ok(Bearer::Person(caller)),
        Err(error) => Err(error.into()),
    };
    turned.get_or_init(turn_in).await.clone()
}
