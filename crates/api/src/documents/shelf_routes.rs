//! What a person has at hand: favourites, what they read last, and what leads to a page.

use super::{
    move_routes::{End, place},
    shape::Document,
};
use crate::{
    extract::{CanDocument, Known, Query},
    json::OrNothing,
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{HttpResponse, delete, get, put, web::Data};
use documents::{
    favorite,
    links::{self, Backlink},
    recent,
};
use kernel::id::*;
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::ViewDocument;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(favorites)
        .service(recents)
        .service(add_favorite)
        .service(remove_favorite)
        .service(backlinks);
}

/// List your favourites in the order you gave them. Pages that you may not see any more are not among them.
#[utoipa::path(tag = "documents", operation_id = "documents.favorites", params(Paging), responses((status = 200, description = "In your order", body = inline(Listing<Document>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/users/me/favorites/")]
async fn favorites(state: Data<State>, Known(caller): Known, paging: Query<Paging>) -> Result<Listing<Document>, ApiError> {
    let rows = favorite::list(&state.db, who::of_caller(&caller)).await?;
    Listing::cut(rows.into_iter().map(Document::from).collect(), &paging.0)
}

/// List the pages you read last, the latest first: 100 at most. They are noted a moment after you read them, and once in five
/// minutes.
#[utoipa::path(tag = "documents", operation_id = "documents.recents", params(Paging), responses((status = 200, description = "The latest first", body = inline(Listing<Document>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/users/me/recents/")]
async fn recents(state: Data<State>, Known(caller): Known, paging: Query<Paging>) -> Result<Listing<Document>, ApiError> {
    let rows = recent::list(&state.db, who::of_caller(&caller)).await?;
    Listing::cut(rows.into_iter().map(Document::from).collect(), &paging.0)
}

/// Where among your favourites. Of `after`, `before` and `position` one at most.
#[derive(Default, Deserialize, ToSchema, Validate)]
struct PlaceFavorite {
    /// The favourite it follows.
    #[schema(value_type = Option<uuid::Uuid>)]
    after: Option<DocumentId>,
    /// The favourite it precedes.
    #[schema(value_type = Option<uuid::Uuid>)]
    before: Option<DocumentId>,
    /// The first or the last.
    #[schema(inline)]
    position: Option<End>,
}

/// Make a page one of your favourites, or put it elsewhere among them.
///
/// Without a place a new one goes behind all others, and one that is there stays where it is. There are 500 at most.
#[utoipa::path(tag = "documents", operation_id = "documents.add_favorite", params(("document_id" = uuid::Uuid, Path)), request_body(content = Option<PlaceFavorite>), responses((status = 204, description = "It is one")))]
#[put("/documents/{document_id}/favorite/")]
async fn add_favorite(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    body: OrNothing<PlaceFavorite>,
) -> Result<HttpResponse, ApiError> {
    let named = (body.0.after, body.0.before, body.0.position);
    let is_named = named.0.is_some() || named.1.is_some() || named.2.is_some();
    let place = place(named)?;
    state
        .write(&access, async |tx: &DatabaseTransaction| {
            favorite::put(tx, &access, is_named.then_some(place)).await
        })
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Take a page off your favourites.
#[utoipa::path(tag = "documents", operation_id = "documents.remove_favorite", params(("document_id" = uuid::Uuid, Path)), responses((status = 204, description = "It is none, or never was")))]
#[delete("/documents/{document_id}/favorite/")]
async fn remove_favorite(state: Data<State>, CanDocument(access): CanDocument<ViewDocument>) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| favorite::remove(tx, &access).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Where in a page another one is named.
#[derive(Serialize, ToSchema)]
struct Naming {
    /// The block.
    block_id: String,
    /// How: link_to_page, child_page, synced_block, mention or link.
    #[schema(example = "mention")]
    kind: String,
}

/// A page that leads to another one.
#[derive(Serialize, ToSchema)]
struct LeadingDocument {
    /// The page.
    #[serde(flatten)]
    document: Document,
    /// Where in it.
    blocks: Vec<Naming>,
}

impl From<Backlink> for LeadingDocument {
    fn from(link: Backlink) -> Self {
        let naming = |(block_id, kind)| Naming { block_id, kind };
        Self {
            blocks: link.blocks.into_iter().map(naming).collect(),
            document: Document::from((link.row, link.level)),
        }
    }
}

/// List the pages that lead to a page: by blocks that stand for it, mentions, and links. They are known a moment after they
/// were edited. Pages that you may not see are left out.
#[utoipa::path(tag = "documents", operation_id = "documents.backlinks", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "In no order that means something", body = inline(Listing<LeadingDocument>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/backlinks/")]
async fn backlinks(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    paging: Query<Paging>,
) -> Result<Listing<LeadingDocument>, ApiError> {
    let (rows, next) = links::backlinks(&state.db, &access, paging.0.after()?, paging.0.limit()?).await?;
    Ok(Listing {
        data: rows.into_iter().map(LeadingDocument::from).collect(),
        next_cursor: next.as_ref().and_then(cursor),
    })
}
