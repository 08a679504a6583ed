//! What happened in a workspace: the activity feed, the audit log, the live stream, and what kinds of facts there are.

mod audit;
mod export;
mod stream;

use crate::{
    event::Event,
    extract::{Can, CanDocument, Known, Query},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, get, http::header, web::Data};
use events::{Audience, EventType};
use kernel::{clock::Time, id::*};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::{
    access::{ReadWorkspace, ViewDocument},
    activity::{self, Listed, Wanted},
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(types).service(list).service(of_document).service(stream::follow);
    audit::routes(config);
}

/// A kind of fact.
#[derive(Serialize, ToSchema)]
struct EventTypeShape {
    /// Its name.
    #[serde(rename = "type")]
    #[schema(example = "document.created")]
    name: &'static str,
    /// What it means.
    description: &'static str,
    /// Who learns of it: `account`, `admins`, `members`, `everyone`, `document` or `requester`.
    #[schema(example = "document")]
    audience: &'static str,
    /// The JSON Schema of its payload.
    #[schema(value_type = Object)]
    payload: Value,
}

impl From<EventType> for EventTypeShape {
    fn from(one: EventType) -> Self {
        let audience = match one.audience {
            Audience::Account => "account",
            Audience::Admins => "admins",
            Audience::Members => "members",
            Audience::Everyone => "everyone",
            Audience::Document => "document",
            Audience::Requester => "requester",
        };
        Self {
            name: one.name,
            description: one.description,
            audience,
            payload: one.payload,
        }
    }
}

/// Which facts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// Of this type (`document.created`), or of this resource (`document`).
    #[serde(rename = "type")]
    #[param(example = "document")]
    kind: Option<String>,
    /// Done by this person.
    #[param(value_type = Option<uuid::Uuid>)]
    user_id: Option<UserId>,
    /// About this thing.
    subject_id: Option<uuid::Uuid>,
    /// From this time on.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Time>,
    /// Before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Time>,
}

impl Filter {
    pub(crate) fn wanted(self, paging: Option<&Paging>) -> Result<Wanted, ApiError> {
        Ok(Wanted {
            kind: self.kind,
            user: self.user_id,
            subject: self.subject_id,
            from: self.from,
            to: self.to,
            before: paging.map(Paging::after).transpose()?.flatten(),
            limit: paging.map_or(Ok(200), Paging::limit)?,
        })
    }
}

pub(crate) fn listing(listed: Listed) -> Listing<Event> {
    Listing {
        data: listed.events.into_iter().map(Event::from).collect(),
        next_cursor: listed.next.and_then(|seq| cursor(&seq)),
    }
}

/// List the kinds of facts, with the schema of each payload.
#[utoipa::path(tag = "events", operation_id = "events.types", responses((status = 200, description = "Every kind there is; the same on the live stream, in the feed and in the audit log", body = inline(Listing<EventTypeShape>))))]
#[get("/event-types/")]
async fn types(Known(_caller): Known) -> HttpResponse {
    let data: Vec<EventTypeShape> = events::catalogue().into_iter().map(EventTypeShape::from).collect();
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, max-age=300"))
        .json(Listing { data, next_cursor: None })
}

/// Read what people did in a workspace, newest first, as far as you may see it.
#[utoipa::path(tag = "events", operation_id = "events.activity", params(("workspace_id" = uuid::Uuid, Path), Filter, Paging), responses((status = 200, description = "Newest first", body = inline(Listing<Event>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/activity/")]
async fn list(
    state: Data<State>,
    Can(access): Can<ReadWorkspace>,
    filter: Query<Filter>,
    paging: Query<Paging>,
) -> Result<Listing<Event>, ApiError> {
    let wanted = filter.0.wanted(Some(&paging.0))?;
    Ok(listing(activity::list(&state.db, &access, &wanted).await?))
}

/// Read what happened to a page, newest first.
#[utoipa::path(tag = "events", operation_id = "documents.activity", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Newest first", body = inline(Listing<Event>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/activity/")]
async fn of_document(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    paging: Query<Paging>,
) -> Result<Listing<Event>, ApiError> {
    let (limit, before) = (paging.0.limit()?, paging.0.after()?);
    Ok(listing(activity::of_document(&state.db, &access, before, limit).await?))
}
