//! What a page names and shows of others, beside its blocks: told anew with each reading, never written into the page.

use super::shape::{Block, Document};
use crate::{extract::CanShared, problem::ApiError, state::State};
use actix_web::{get, http::header, web::Data};
use documents::{
    projection::Content,
    shown::{self, Reader, Shown},
    view,
};
use kernel::id::*;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::{
    access::{DocumentAccess, ViewDocument},
    people,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(read);
}

/// Somebody who is mentioned.
#[derive(Serialize, ToSchema)]
struct ReferredUser {
    /// Their id.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// What they call themselves now.
    #[schema(example = "Ada Lovelace")]
    display_name: String,
}

/// What synced blocks of one source show.
#[derive(Serialize, ToSchema)]
struct Source {
    /// The page where it is: `source_document_id` of the synced block, or its own page when it names none.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// The block: `source_block_id` of the synced block.
    #[schema(example = "7d9f0f0a-9f1c-4a53-9d55-0c8f3c1f3a11")]
    block_id: String,
    /// What it shows. Synced blocks among these have sources of their own here, and may lead in a circle.
    blocks: Vec<Block>,
}

/// What blocks name and show of other places, as you may see it now. What is not here does not exist for you.
#[derive(Serialize, ToSchema)]
pub struct References {
    /// Pages that stand in blocks (child_page, link_to_page, synced_block), mentions and links, in the order of their ids.
    /// Those in the trash are here for who may edit them.
    documents: Vec<Document>,
    /// Members who are mentioned, in the order of their ids. Guests and visitors are told of nobody else.
    users: Vec<ReferredUser>,
    /// What synced blocks show, each source once.
    sources: Vec<Source>,
    /// Whether there is more than is told: 1000 pages, 1000 people, 100 sources on 20 other pages, 2000 blocks and 2 MiB in
    /// them, and synced blocks in what synced blocks show four deep.
    truncated: bool,
}

/// What a part of a page names and shows; `content` is the whole page.
///
/// # Errors
/// Only the database's.
pub async fn of(
    state: &State,
    access: &DocumentAccess<ViewDocument>,
    (content, part): (&Content, &[view::Block]),
) -> Result<References, ApiError> {
    let reader = Reader {
        who: access.who(),
        page: access.id(),
        only: None,
    };
    let Shown {
        pages,
        sources,
        people,
        is_cut,
    } = shown::gather(&state.db, reader, (content, part), &state.rooms).await?;
    let named = people::members_named(&state.db, access, people)
        .await
        .map_err(documents::error::Error::from)?;
    Ok(References {
        documents: pages.into_values().map(Document::from).collect(),
        users: named
            .into_iter()
            .map(|(id, display_name)| ReferredUser { id, display_name })
            .collect(),
        sources: sources.into_iter().map(Source::from).collect(),
        truncated: is_cut,
    })
}

impl From<shown::Source> for Source {
    fn from(source: shown::Source) -> Self {
        Self {
            document_id: source.document,
            block_id: source.block,
            blocks: source.blocks.into_iter().map(Block::from).collect(),
        }
    }
}

/// Read what a page names and shows of others: titles of pages as they are now, names, and what its synced blocks stand for.
/// For who has the blocks already, as live clients do; readings of blocks have the same under `references`.
#[utoipa::path(tag = "blocks", operation_id = "documents.references", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "As you may see it now", body = References)))]
#[get("/documents/{document_id}/references/")]
async fn read(state: Data<State>, CanShared(access): CanShared<ViewDocument>) -> Result<actix_web::HttpResponse, ApiError> {
    let (_, content) = state.rooms.read(&access).await?;
    let references = of(&state, &access, (&content, &content.blocks)).await?;
    Ok(actix_web::HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, no-cache"))
        .json(references))
}
