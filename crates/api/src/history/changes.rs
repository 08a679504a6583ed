//! What happened to a page since the caller looked, and that they have looked.

use super::{
    moment,
    people::{People, Person},
};
use crate::{
    documents::{Standing, base_heads},
    extract::{CanDocument, Query},
    json::Json,
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, get, put, web, web::Data};
use documents::{
    heads,
    history::{
        changes::{Amount, Group},
        ledger,
    },
    log::Head,
    visit,
};
use kernel::clock::Time;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::ViewDocument;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(changes).service(see);
}

/// Since when.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Since {
    /// A state: heads, a number, a version's id or a time; or `last_seen`, which it is when left out. Who never looked is
    /// told everything.
    #[param(example = "last_seen")]
    since: Option<String>,
}

/// How much was changed.
#[derive(Serialize, ToSchema)]
struct Changed {
    /// Changes.
    changes: usize,
    /// UTF-16 units of text put in.
    insertions: usize,
    /// Characters of text taken out.
    deletions: usize,
    /// The blocks that were touched; `@title` for the title.
    block_ids: Vec<String>,
}

impl From<Amount> for Changed {
    fn from(amount: Amount) -> Self {
        Self {
            changes: amount.changes,
            insertions: amount.insertions,
            deletions: amount.deletions,
            block_ids: amount.blocks.into_iter().collect(),
        }
    }
}

/// What one person did in one go.
#[derive(Serialize, ToSchema)]
struct ChangeGroup {
    /// Who; null for the product itself.
    user: Option<Person>,
    /// When the first change was made.
    #[schema(value_type = String, format = DateTime)]
    from: Time,
    /// When the last one was made.
    #[schema(value_type = String, format = DateTime)]
    to: Time,
    /// How much.
    #[serde(flatten)]
    changed: Changed,
}

/// What happened to a page.
#[derive(Serialize, ToSchema)]
struct Changes {
    /// The state since which it is told: ask `diff/` with it to see what differs.
    since: Vec<String>,
    /// When you last looked; null when you never did.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Time>,
    /// Where the page stands now.
    #[serde(flatten)]
    standing: Standing,
    /// In groups, the newest first.
    groups: Vec<ChangeGroup>,
    /// All together.
    summary: Changed,
    /// Whether there was more than is told.
    truncated: bool,
}

fn time(ms: i64) -> Time {
    Time::from_timestamp_millis(ms).unwrap_or_default()
}

fn shown(people: &People, group: Group) -> ChangeGroup {
    ChangeGroup {
        user: group.user.map(|id| people.person(id)),
        from: time(group.from_ms),
        to: time(group.to_ms),
        changed: group.amount.into(),
    }
}

/// Tell what happened to a page since you last looked, or since a state.
#[utoipa::path(tag = "documents", operation_id = "documents.changes", params(("document_id" = uuid::Uuid, Path), Since), responses((status = 200, description = "Who changed how much, where and when", body = Changes)))]
#[get("/documents/{document_id}/changes/")]
async fn changes(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    query: Query<Since>,
) -> Result<web::Json<Changes>, ApiError> {
    let named = query.0.since.filter(|since| since != "last_seen");
    let named = named.map(|since| moment("/since", &since)).transpose()?;
    let visited = visit::last(&state.db, &access).await?;
    let (head, past) = state.rooms.past(&access).await?;
    let since = match (named, &visited) {
        (Some(named), _) => state.rooms.heads_at(&access, &past, &named).await?,
        (None, Some(visit)) if visit.epoch == head.epoch => heads::from_bytes(&visit.heads),
        (None, _) => Vec::new(),
    };
    let (ledger, told) = (ledger::read(&state.db, access.id()).await?, heads::to_strings(&since));
    let happened = state.rooms.look(&past, move |past| past.happened_since(&ledger, &since)).await?;
    let ids: Vec<_> = happened.groups.iter().filter_map(|group| group.user).collect();
    let people = People::of(&state, &access, ids).await?;
    Ok(web::Json(Changes {
        since: told,
        last_seen_at: visited.map(|visit| visit.seen_at),
        standing: (&head).into(),
        groups: happened.groups.into_iter().map(|group| shown(&people, group)).collect(),
        summary: happened.total.into(),
        truncated: happened.is_truncated,
    }))
}

/// What the caller has seen.
#[derive(Deserialize, ToSchema, Validate)]
struct Seen {
    /// The heads of what you show; the present ones when left out.
    heads: Option<Vec<String>>,
}

/// Say that you have seen a page, so that `changes/` begins there.
#[utoipa::path(tag = "documents", operation_id = "documents.mark_seen", params(("document_id" = uuid::Uuid, Path)), request_body = Seen, responses((status = 204, description = "Noted")))]
#[put("/documents/{document_id}/seen/")]
async fn see(state: Data<State>, CanDocument(access): CanDocument<ViewDocument>, body: Json<Seen>) -> Result<HttpResponse, ApiError> {
    let (mut head, past): (Head, _) = state.rooms.past(&access).await?;
    if let Some(seen) = base_heads(body.0.heads)? {
        past.require(&seen)?;
        head.heads = seen;
    }
    if visit::is_news(visit::last(&state.db, &access).await?.as_ref(), &head) {
        state
            .write(&access, async |tx: &DatabaseTransaction| visit::record(tx, &access, &head).await)
            .await?;
    }
    Ok(HttpResponse::NoContent().finish())
}
