//! Versions: listed, named, renamed, removed, and pages brought back to them.

use super::{
    moment,
    people::{People, Person},
};
use crate::{
    documents::{Standing, base_heads},
    extract::{At, CanDocument, Named, Query},
    json::{Json, maybe},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, delete, get, http::header, patch, post, web, web::Data};
use collab::history::RestoreRequest;
use documents::{
    heads,
    history::moment,
    log::Head,
    version::{self, Label, Relabel, Wanted},
};
use entity::document_version;
use kernel::{clock::Time, id::*, role::Level};
use sea_orm::DatabaseTransaction;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{DocumentAccess, EditDocument, ViewDocument};

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(list)
        .service(create)
        .service(read)
        .service(edit)
        .service(delete)
        .service(restore);
}

impl Named for VersionId {
    const NAME: &'static str = "version_id";
}

/// What the caller may do with a version.
#[derive(Serialize, ToSchema)]
struct VersionAbilities {
    /// Change its name and note.
    edit: bool,
    /// Remove it.
    delete: bool,
    /// Bring the page back to it.
    restore: bool,
}

/// A state of a page that was kept or named.
#[derive(Serialize, ToSchema)]
struct Version {
    /// The version's id.
    #[schema(value_type = uuid::Uuid)]
    id: VersionId,
    /// The page.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// Why it was made: `auto` for an editing session, `named` by hand, `restore` for what came of a restore.
    #[schema(example = "auto")]
    kind: String,
    /// What somebody called it. What has a name is kept for ever.
    #[schema(example = "Sent to the printer")]
    name: Option<String>,
    /// What somebody wrote about it.
    note: Option<String>,
    /// Where the page stood: number, heads and epoch.
    #[serde(flatten)]
    standing: Standing,
    /// Who edited since the version before it.
    authors: Vec<Person>,
    /// Who named it, or brought the page back; null when it was made by itself.
    created_by: Option<Person>,
    /// When its last change was made.
    #[schema(value_type = String, format = DateTime)]
    edited_at: Time,
    /// When the version was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: Time,
    /// When its name or note was last changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: Time,
    /// What the caller may do with it.
    abilities: VersionAbilities,
}

fn authors(row: &document_version::Model) -> Vec<UserId> {
    serde_json::from_str(&row.authors).unwrap_or_default()
}

async fn shown<P>(state: &State, access: &DocumentAccess<P>, rows: Vec<document_version::Model>) -> Result<Vec<Version>, ApiError> {
    let ids = rows.iter().flat_map(|row| authors(row).into_iter().chain(row.created_by));
    let people = People::of(state, access, ids.collect::<Vec<_>>()).await?;
    let edits = access.level() >= Level::Edit;
    let manages = access.level() >= Level::Manage;
    let version = |row: document_version::Model| {
        let is_own = row.name.is_none() || row.created_by.is_none_or(|by| by == access.user());
        let head = Head {
            epoch: row.epoch,
            seq: row.server_seq,
            heads: heads::from_bytes(&row.heads),
        };
        Version {
            id: row.id,
            document_id: row.document_id,
            authors: authors(&row).into_iter().map(|id| people.person(id)).collect(),
            created_by: row.created_by.map(|id| people.person(id)),
            kind: row.kind,
            name: row.name,
            note: row.note,
            standing: (&head).into(),
            edited_at: row.edited_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
            abilities: VersionAbilities {
                edit: edits,
                delete: manages || edits && is_own,
                restore: edits,
            },
        }
    };
    Ok(rows.into_iter().map(version).collect())
}

async fn shown_one<P>(state: &State, access: &DocumentAccess<P>, row: document_version::Model) -> Result<Version, ApiError> {
    let mut all = shown(state, access, vec![row]).await?;
    all.pop().ok_or_else(ApiError::not_found)
}

/// Which versions.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those with a name.
    #[serde(default)]
    named: bool,
    /// How many at most; 50 when left out, 200 at most.
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// List the versions of a page.
///
/// To read the page as it was, ask for it with `?at=` and a version's id.
#[utoipa::path(tag = "documents", operation_id = "versions.list", params(("document_id" = uuid::Uuid, Path), Which), responses((status = 200, description = "The latest states first", body = inline(Listing<Version>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/documents/{document_id}/versions/")]
async fn list(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    which: Query<Which>,
) -> Result<Listing<Version>, ApiError> {
    let paging = Paging {
        limit: which.0.limit,
        cursor: which.0.cursor,
    };
    let wanted = Wanted {
        named: which.0.named,
        after: paging.after()?,
        limit: paging.limit()?,
    };
    let mut rows = version::list(&state.db, &access, &wanted).await?;
    let has_more = rows.len() as u64 > wanted.limit;
    rows.truncate(wanted.limit as usize);
    let last = rows.last().filter(|_| has_more).map(|row| (row.edited_at, row.id));
    Ok(Listing {
        data: shown(&state, &access, rows).await?,
        next_cursor: last.as_ref().and_then(cursor),
    })
}

/// A name for a state of a page.
#[derive(Deserialize, ToSchema, Validate)]
struct NameVersion {
    /// What it is called: 1 to 200 characters.
    #[schema(example = "Sent to the printer")]
    name: String,
    /// More about it: 2000 characters at most.
    note: Option<String>,
    /// Which state: heads, a number, a version's id or a time; the present when left out.
    at: Option<String>,
}

/// Name a state of a page.
///
/// A version that was made of it by itself gets the name.
#[utoipa::path(tag = "documents", operation_id = "versions.create", params(("document_id" = uuid::Uuid, Path)), request_body = NameVersion, responses((status = 201, description = "Named", body = Version, headers(("Location" = String, description = "Where it is"))), (status = 409, description = "The state has a name already", body = crate::problem::Problem)))]
#[post("/documents/{document_id}/versions/")]
async fn create(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    body: Json<NameVersion>,
) -> Result<HttpResponse, ApiError> {
    let body = body.0;
    let at = body.at.as_deref().map(|at| moment("/at", at)).transpose()?;
    let reads = state.door().open::<ViewDocument>(access.who(), access.id()).await?;
    let (_, past) = state.rooms.past(&reads).await?;
    let heads = match at {
        Some(at) => state.rooms.heads_at(&reads, &past, &at).await?,
        None => past.heads().to_vec(),
    };
    let standing = moment::standing(&state.db, access.id(), &heads).await?;
    let label = Label {
        name: body.name,
        note: body.note,
    };
    let named = state
        .write(&access, async |tx: &DatabaseTransaction| {
            version::name(tx, &access, &standing, &label).await
        })
        .await?;
    let place = format!("/api/v1/documents/{}/versions/{}/", access.id(), named.id);
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, place))
        .json(shown_one(&state, &access, named).await?))
}

/// Read what is known of a version.
#[utoipa::path(tag = "documents", operation_id = "versions.read", params(("document_id" = uuid::Uuid, Path), ("version_id" = uuid::Uuid, Path)), responses((status = 200, description = "The version", body = Version)))]
#[get("/documents/{document_id}/versions/{version_id}/")]
async fn read(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    At(id): At<VersionId>,
) -> Result<web::Json<Version>, ApiError> {
    let row = version::find(&state.db, access.id(), id).await?;
    shown_one(&state, &access, row).await.map(web::Json)
}

/// Another name or note. What is left out stays; null takes it away.
#[derive(Deserialize, ToSchema, Validate)]
struct EditVersion {
    /// What it is called. A version that exists because somebody named it keeps a name.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>, example = "Sent to the printer")]
    name: Option<Option<String>>,
    /// More about it.
    #[serde(default, deserialize_with = "maybe")]
    #[schema(value_type = Option<String>)]
    note: Option<Option<String>>,
}

/// Change a version's name or note.
#[utoipa::path(tag = "documents", operation_id = "versions.edit", params(("document_id" = uuid::Uuid, Path), ("version_id" = uuid::Uuid, Path)), request_body = EditVersion, responses((status = 200, description = "As it is now", body = Version)))]
#[patch("/documents/{document_id}/versions/{version_id}/")]
async fn edit(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    At(id): At<VersionId>,
    body: Json<EditVersion>,
) -> Result<web::Json<Version>, ApiError> {
    let to = Relabel {
        name: body.0.name,
        note: body.0.note,
    };
    let changed = state
        .write(&access, async |tx: &DatabaseTransaction| {
            version::relabel(tx, &access, id, to).await
        })
        .await?;
    shown_one(&state, &access, changed).await.map(web::Json)
}

/// Remove a version.
///
/// The page's history keeps what was in it. What somebody else named is removed by who manages the page.
#[utoipa::path(tag = "documents", operation_id = "versions.delete", params(("document_id" = uuid::Uuid, Path), ("version_id" = uuid::Uuid, Path)), responses((status = 204, description = "Gone")))]
#[delete("/documents/{document_id}/versions/{version_id}/")]
async fn delete(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    At(id): At<VersionId>,
) -> Result<HttpResponse, ApiError> {
    state
        .write(&access, async |tx: &DatabaseTransaction| version::delete(tx, &access, id).await)
        .await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How a page is brought back.
#[derive(Deserialize, ToSchema, Validate)]
struct RestoreVersion {
    /// The heads you saw; what others did since is kept. The present ones when left out.
    base_heads: Option<Vec<String>>,
    /// Your own id of this request, so that it is safe to send it again.
    #[validate(length(min = 1, max = 128, message = "takes 1 to 128 characters"))]
    message_id: Option<String>,
}

/// What bringing a page back came to.
#[derive(Serialize, ToSchema)]
struct RestoredVersion {
    /// Where the page stands now.
    #[serde(flatten)]
    standing: Standing,
    /// The version that was made of it; null when the page said all that already.
    restored: Option<Version>,
}

/// Bring a page back to a version.
///
/// By one new change that does the least that makes the page say what it said: nothing is rewound, blocks come back under
/// their ids, live clients see an edit, and what others do meanwhile merges.
#[utoipa::path(tag = "documents", operation_id = "versions.restore", params(("document_id" = uuid::Uuid, Path), ("version_id" = uuid::Uuid, Path)), request_body = RestoreVersion, responses((status = 200, description = "Brought back", body = RestoredVersion)))]
#[post("/documents/{document_id}/versions/{version_id}/restore/")]
async fn restore(
    state: Data<State>,
    CanDocument(access): CanDocument<EditDocument>,
    At(id): At<VersionId>,
    body: Json<RestoreVersion>,
) -> Result<web::Json<RestoredVersion>, ApiError> {
    let request = RestoreRequest {
        base_heads: base_heads(body.0.base_heads)?,
        message_id: body.0.message_id,
    };
    let done = state.rooms.restore(&access, id, request).await?;
    let restored = match done.version {
        Some(row) => Some(shown_one(&state, &access, row).await?),
        None => None,
    };
    Ok(web::Json(RestoredVersion {
        standing: (&done.head).into(),
        restored,
    }))
}
