//! Share links, and the door for whoever holds one.

use super::of_document::CanOf;
use crate::{
    edge,
    extract::{Can, CanDocument, Query},
    json::{Json, maybe},
    page::{Listing, Paging},
    problem::ApiError,
    state::State,
    workspaces::LevelName,
};
use actix_web::{
    HttpRequest, HttpResponse, delete, get,
    http::{StatusCode, header},
    patch, post,
    web::Data,
};
use entity::share_link;
use kernel::{clock::Time, id::*, role::Level};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use users::lockout::{self, Attempt};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::{
    access::{ManageDocument, ManageMembers},
    share_link::{self as links, LinkEdit, NewLink},
};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(list).service(create).service(list_all).service(edit).service(delete);
    config.service(look).service(unlock);
}

/// A link that opens a page to whoever holds it.
#[derive(Serialize, ToSchema)]
struct ShareLink {
    /// The link's id.
    #[schema(value_type = uuid::Uuid)]
    id: ShareLinkId,
    /// The page it opens, with what hangs under it.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// View, comment or edit.
    #[schema(value_type = LevelName, inline, example = "view")]
    level: Level,
    /// What stands in the link: whoever knows it is let in. Null when the key it was made with is gone; make another link.
    token: Option<String>,
    /// Whether it takes a password too.
    has_password: bool,
    /// Whether it is switched on.
    is_enabled: bool,
    /// After this it opens nothing; never when null.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
    /// Who made it.
    #[schema(value_type = uuid::Uuid)]
    created_by: UserId,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
}

impl ShareLink {
    fn new(state: &State, row: share_link::Model) -> Self {
        Self {
            token: links::token(&state.mint, &row),
            id: row.id,
            document_id: row.document_id,
            level: row.level,
            has_password: row.password_hash.is_some(),
            is_enabled: row.is_enabled,
            expires_at: row.expires_at,
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// A link to be made.
#[derive(Deserialize, ToSchema, Validate)]
struct CreateShareLink {
    /// View, comment or edit; view when left out.
    #[serde(default = "view")]
    #[schema(value_type = LevelName, inline, example = "view")]
    level: Level,
    /// What whoever opens it has to know besides.
    #[validate(length(min = 1, max = 200, message = "takes 1 to 200 characters"))]
    #[schema(example = "swordfish")]
    password: Option<String>,
    /// After this it opens nothing.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Time>,
}

fn view() -> Level {
    Level::View
}

/// Changes to a link. What is left out stays; null clears.
#[derive(Deserialize, ToSchema, Validate)]
struct EditShareLink {
    /// View, comment or edit.
    #[schema(value_type = Option<LevelName>, example = "edit")]
    level: Option<Level>,
    /// Another password, or none: who came in by the old one is out.
    #[serde(default, deserialize_with = "maybe")]
    #[validate(length(min = 1, max = 200, message = "takes 1 to 200 characters"))]
    #[schema(value_type = Option<String>)]
    password: Option<Option<String>>,
    /// Another end.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<Time>>,
    /// Switches it on or off.
    is_enabled: Option<bool>,
}

/// What a link opens, to somebody who came by it.
#[derive(Serialize, ToSchema)]
struct Shared {
    /// Whether a password has to be given first; nothing else is told until then.
    needs_password: bool,
    /// The page.
    page: Option<SharedPage>,
}

/// The page that a link opens.
#[derive(Serialize, ToSchema)]
struct SharedPage {
    /// The page's id.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// Its title.
    title: String,
    /// Emoji or url.
    icon: Option<String>,
    /// View, comment or edit.
    #[schema(value_type = LevelName, inline, example = "view")]
    level: Level,
}

/// The password, when the link takes one.
#[derive(Deserialize, ToSchema, Validate)]
struct Unlock {
    /// The link's password.
    #[validate(length(max = 200, message = "takes at most 200 characters"))]
    password: Option<String>,
}

/// What lets whoever holds a link in.
#[derive(Serialize, ToSchema)]
struct Unlocked {
    /// Send it as `Authorization: Bearer …`. It is nobody's login: it opens the page, and what hangs under it, and no more.
    access_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds that it is good for; then the link is opened again.
    #[schema(example = 3600)]
    expires_in: u64,
    /// The page.
    #[serde(flatten)]
    page: SharedPage,
}

/// List the share links of a page.
#[utoipa::path(tag = "access", operation_id = "share_links.list", params(("document_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Oldest first", body = inline(Listing<ShareLink>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/share-links/")]
async fn list(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    paging: Query<Paging>,
) -> Result<Listing<ShareLink>, ApiError> {
    let all = links::list(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(|row| ShareLink::new(&state, row)).collect(), &paging.0)
}

/// List all share links of a workspace.
#[utoipa::path(tag = "access", operation_id = "workspace_share_links.list", params(("workspace_id" = uuid::Uuid, Path), Paging), responses((status = 200, description = "Oldest first", body = inline(Listing<ShareLink>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/workspaces/{workspace_id}/share-links/")]
async fn list_all(state: Data<State>, Can(access): Can<ManageMembers>, paging: Query<Paging>) -> Result<Listing<ShareLink>, ApiError> {
    let all = links::list_all(&state.db, &access).await?;
    Listing::cut(all.into_iter().map(|row| ShareLink::new(&state, row)).collect(), &paging.0)
}

/// Share a page, and what hangs under it, by link.
///
/// Pages under it that are restricted, or that members in general may not see, stay closed.
#[utoipa::path(tag = "access", operation_id = "share_links.create", params(("document_id" = uuid::Uuid, Path)), request_body = CreateShareLink, responses((status = 201, description = "Made", body = ShareLink, headers(("Location" = String, description = "Where it is")))))]
#[post("/documents/{document_id}/share-links/")]
async fn create(
    state: Data<State>,
    CanDocument(access): CanDocument<ManageDocument>,
    body: Json<CreateShareLink>,
) -> Result<HttpResponse, ApiError> {
    let CreateShareLink {
        level,
        password,
        expires_at,
    } = body.0;
    let new = NewLink {
        level,
        password_hash: hashed(&state, password).await?,
        expires_at,
    };
    let made = state.write(&access, async |tx: &DatabaseTransaction| {
        links::create(tx, &access, new, &state.mint).await
    });
    let row = made.await?;
    let place = (header::LOCATION, format!("/api/v1/share-links/{}/", row.id));
    Ok(HttpResponse::Created().insert_header(place).json(ShareLink::new(&state, row)))
}

async fn hashed(state: &State, password: Option<String>) -> Result<Option<String>, ApiError> {
    match password {
        Some(password) => Ok(Some(state.accounts.hash_password(password).await?)),
        None => Ok(None),
    }
}

/// Change a share link.
#[utoipa::path(tag = "access", operation_id = "share_links.edit", params(("share_link_id" = uuid::Uuid, Path)), request_body = EditShareLink, responses((status = 200, description = "As it is now", body = ShareLink)))]
#[patch("/share-links/{share_link_id}/")]
async fn edit(
    state: Data<State>,
    CanOf(access, id): CanOf<ShareLinkId, ManageDocument>,
    body: Json<EditShareLink>,
) -> Result<HttpResponse, ApiError> {
    let edit = LinkEdit {
        level: body.0.level,
        password_hash: match body.0.password {
            Some(password) => Some(hashed(&state, password).await?),
            None => None,
        },
        expires_at: body.0.expires_at,
        is_enabled: body.0.is_enabled,
    };
    let changed = state.write(&access, async |tx: &DatabaseTransaction| links::edit(tx, &access, id, edit).await);
    Ok(HttpResponse::Ok().json(ShareLink::new(&state, changed.await?)))
}

/// Remove a share link.
#[utoipa::path(tag = "access", operation_id = "share_links.delete", params(("share_link_id" = uuid::Uuid, Path)), responses((status = 204, description = "It opens nothing any more")))]
#[delete("/share-links/{share_link_id}/")]
async fn delete(state: Data<State>, CanOf(access, id): CanOf<ShareLinkId, ManageDocument>) -> Result<HttpResponse, ApiError> {
    let removed = state.write(&access, async |tx: &DatabaseTransaction| links::delete(tx, &access, id).await);
    removed.await?;
    Ok(HttpResponse::NoContent().finish())
}

/// See what a share link opens.
#[utoipa::path(tag = "access", operation_id = "share_links.look", params(("token" = String, Path)), responses((status = 200, description = "What it opens", body = Shared)))]
#[get("/public/{token}/")]
async fn look(state: Data<State>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (link, page) = links::of_token(&state.db, token(&request)).await?;
    let needs_password = link.password_hash.is_some();
    let page = (!needs_password).then(|| SharedPage::new(&link, page));
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Shared { needs_password, page }))
}

impl SharedPage {
    fn new(link: &share_link::Model, page: entity::document::Model) -> Self {
        Self {
            document_id: page.id,
            title: page.title,
            icon: page.icon,
            level: link.level,
        }
    }
}

fn token(request: &HttpRequest) -> &str {
    request.match_info().get("token").unwrap_or_default()
}

/// Open a share link: gives a token for its page.
#[utoipa::path(tag = "access", operation_id = "share_links.unlock", params(("token" = String, Path)), request_body = Unlock, responses((status = 200, description = "Come in", body = Unlocked), (status = 403, description = "`password_required` or `wrong_password`", body = crate::problem::Problem)))]
#[post("/share-links/{token}/unlock/")]
async fn unlock(state: Data<State>, request: HttpRequest, body: Json<Unlock>) -> Result<HttpResponse, ApiError> {
    let (link, page) = links::of_token(&state.db, token(&request)).await?;
    if let Some(hash) = &link.password_hash {
        let refused = |code, why: &str| ApiError::new(StatusCode::FORBIDDEN, code, why);
        let Some(password) = body.0.password else {
            return Err(refused("password_required", "this link takes a password"));
        };
        let (whose, source) = (link.id.to_string(), edge::source(&request));
        let attempt = Attempt {
            what: "share_link",
            whose: &whose,
            source: &source,
            // Only holders of the link get here; none of them shall be able to lock out the others.
            is_known: true,
        };
        let begun = lockout::begin(&state.accounts, attempt).await?;
        if !state.accounts.is_password(password, hash.clone()).await? {
            return Err(refused("wrong_password", "this is not the link's password"));
        }
        begun.succeeded().await;
    }
    let (access_token, expires_in) = state.accounts.link_token(link.id, link.generation, link.expires_at)?;
    let kept = backends::db::write(&state.db, async |tx: &DatabaseTransaction| links::opened(tx, &link).await);
    kept.await?;
    let page = SharedPage::new(&link, page);
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .json(Unlocked {
            access_token,
            token_type: "Bearer",
            expires_in,
            page,
        }))
}
