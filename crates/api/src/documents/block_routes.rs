//! Blocks: every write is one change through the page's room, and may name the heads its author saw.

use super::{
    batch_routes::edit_of,
    references::{self, References},
    shape::{Block, BlockInput, Mark, Standing, base_heads},
};
use crate::{
    extract::{At, BlockId, CanShared},
    json::Json,
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, delete, get, patch, post, web, web::Data};
use collab::rooms::EditRequest;
use documents::{
    op::{NewBlock, Op, Place, Pos},
    projection::Content,
    view,
};
use kernel::error::Field;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;
use validator::Validate;
use workspaces::access::{DocumentAccess, EditDocument, ViewDocument};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(super::block_types::types)
        .service(list)
        .service(insert)
        .service(super::batch_routes::batch)
        .service(read)
        .service(edit)
        .service(delete);
    config
        .service(children)
        .service(insert_child)
        .service(move_to)
        .service(split)
        .service(merge);
}

/// Where a block shall stand. Without `after` and `before`: behind its siblings.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub(super) struct PlaceInput {
    /// The block it hangs under; empty or left out for the top of the page.
    parent_id: Option<String>,
    /// The sibling it follows; empty for the first place.
    after: Option<String>,
    /// The sibling it precedes.
    before: Option<String>,
}

impl From<PlaceInput> for Place {
    fn from(input: PlaceInput) -> Self {
        Self {
            parent: input.parent_id,
            after: input.after,
            before: input.before,
            order: None,
        }
    }
}

/// What every write may say about itself.
#[derive(Clone, Default, Deserialize, ToSchema)]
pub(super) struct About {
    /// The heads you saw: the edit is applied there and merges with what came since.
    base_heads: Option<Vec<String>>,
    /// Makes it safe to send again: the same id is not applied twice.
    message_id: Option<String>,
}

/// A block to be made, and where.
#[derive(Deserialize, ToSchema, Validate)]
struct InsertBlock {
    #[serde(flatten)]
    block: BlockInput,
    #[serde(flatten)]
    place: PlaceInput,
    #[serde(flatten)]
    about: About,
}

/// Changes to a block. What is left out stays.
#[derive(Deserialize, ToSchema, Validate)]
struct EditBlock {
    /// Another type.
    #[serde(rename = "type")]
    #[schema(example = "quote")]
    kind: Option<String>,
    /// Another text; changed only where it differs, so that live typing is kept.
    #[schema(example = "Hello, world")]
    text: Option<String>,
    /// Other marks, instead of all there are.
    marks: Option<Vec<Mark>>,
    /// Values to set; null takes one away.
    props: Option<Map<String, Value>>,
    #[serde(flatten)]
    about: About,
}

/// Where a block shall go.
#[derive(Deserialize, ToSchema, Validate)]
struct MoveBlock {
    #[serde(flatten)]
    place: PlaceInput,
    #[serde(flatten)]
    about: About,
}

/// Where a block is cut.
#[derive(Deserialize, ToSchema, Validate)]
struct SplitBlock {
    /// UTF-16 units from the start of its text.
    #[schema(example = 5)]
    pos: usize,
    /// Your own id for the new block.
    new_id: Option<String>,
    #[serde(flatten)]
    about: About,
}

/// What a block is joined to.
#[derive(Deserialize, ToSchema, Validate)]
struct MergeBlock {
    /// The block that stays; the previous sibling when left out.
    into: Option<String>,
    #[serde(flatten)]
    about: About,
}

/// A page's blocks.
#[derive(Serialize, ToSchema)]
struct Blocks {
    /// Where the page stands.
    #[serde(flatten)]
    standing: Standing,
    /// The blocks as a tree.
    blocks: Vec<Block>,
    /// What they name and show of other places.
    references: References,
}

/// A block, and what it names and shows of other places.
#[derive(Serialize, ToSchema)]
struct BlockWithReferences {
    /// The block.
    #[serde(flatten)]
    block: Block,
    /// What it and what is under it names and shows.
    references: References,
}

/// What a write did.
#[derive(Serialize, ToSchema)]
pub(super) struct Written {
    /// Where the page stands with it.
    #[serde(flatten)]
    standing: Standing,
    /// The blocks that were made or named, as they stand now.
    blocks: Vec<Block>,
    /// Whether this message was applied before; then it was not applied again.
    duplicate: bool,
}

fn set(id: &str, key: impl Into<String>, value: Value) -> Op {
    Op::BlockSet {
        id: id.to_owned(),
        key: key.into(),
        value,
    }
}

pub(super) fn edits(
    id: &str,
    kind: Option<String>,
    text: Option<String>,
    marks: Option<Vec<Mark>>,
    props: Option<Map<String, Value>>,
) -> Vec<Op> {
    let mut ops = Vec::new();
    ops.extend(kind.map(|kind| set(id, "type", json!(kind))));
    ops.extend(text.map(|text| set(id, "text", json!(text))));
    ops.extend(marks.map(|marks| set(id, "marks", json!(marks.into_iter().map(view::Mark::from).collect::<Vec<_>>()))));
    ops.extend(
        props
            .into_iter()
            .flatten()
            .map(|(name, value)| set(id, format!("props.{name}"), value)),
    );
    ops
}

/// The id that a client gives its message, which may be left out.
///
/// # Errors
/// Names the field when it is empty or too long.
pub(super) fn message_id(id: Option<String>) -> Result<Option<String>, ApiError> {
    match id {
        Some(id) if !(1..=64).contains(&id.len()) => Err(ApiError::invalid(vec![Field::new(
            "/message_id",
            "invalid",
            "has 1 to 64 characters",
        )])),
        id => Ok(id),
    }
}

/// Does what one request about one block says.
async fn apply(
    state: &State,
    access: &DocumentAccess<EditDocument>,
    ops: Vec<Op>,
    about: About,
    wanted: Vec<String>,
) -> Result<Written, ApiError> {
    let inside = |pointer: &str| edit_of(pointer).map_or(pointer, |(_, inside)| inside).to_owned();
    write(state, access, ops, about, wanted)
        .await
        .map_err(|error| error.repointed(inside))
}

/// Hands edits to the page's room and waits until they are committed.
pub(super) async fn write(
    state: &State,
    access: &DocumentAccess<EditDocument>,
    ops: Vec<Op>,
    about: About,
    wanted: Vec<String>,
) -> Result<Written, ApiError> {
    if ops.is_empty() {
        return Err(ApiError::invalid(vec![Field::new("", "required", "there is nothing to change")]));
    }
    let request = EditRequest {
        ops,
        base_heads: base_heads(about.base_heads)?,
        message_id: message_id(about.message_id)?,
        wanted,
        lease: None,
    };
    let done = state.rooms.edit(access, request).await?;
    Ok(Written {
        standing: (&done.head).into(),
        blocks: done.blocks.into_iter().map(Block::from).collect(),
        duplicate: done.is_duplicate,
    })
}

/// Read a page's blocks as a tree.
#[utoipa::path(tag = "blocks", operation_id = "blocks.list", params(("document_id" = uuid::Uuid, Path)), responses((status = 200, description = "The blocks", body = Blocks)))]
#[get("/documents/{document_id}/blocks/")]
async fn list(state: Data<State>, CanShared(access): CanShared<ViewDocument>) -> Result<web::Json<Blocks>, ApiError> {
    let (head, content) = state.rooms.read(&access).await?;
    Ok(web::Json(Blocks {
        standing: (&head).into(),
        references: references::of(&state, &access, (&content, &content.blocks)).await?,
        blocks: content.blocks.into_iter().map(Block::from).collect(),
    }))
}

/// Make a block.
#[utoipa::path(tag = "blocks", operation_id = "blocks.insert", params(("document_id" = uuid::Uuid, Path)), request_body = InsertBlock, responses((status = 201, description = "Made", body = Written)))]
#[post("/documents/{document_id}/blocks/")]
async fn insert(state: Data<State>, CanShared(access): CanShared<EditDocument>, body: Json<InsertBlock>) -> Result<HttpResponse, ApiError> {
    let InsertBlock { block, place, about } = body.0;
    let ops = vec![Op::BlockInsert {
        block: NewBlock::from(block),
        place: place.into(),
    }];
    Ok(HttpResponse::Created().json(apply(&state, &access, ops, about, Vec::new()).await?))
}

/// A block, where its page stands, and what the page holds.
async fn find(state: &State, access: &DocumentAccess<ViewDocument>, id: &str) -> Result<(Standing, view::Block, Content), ApiError> {
    let (head, content) = state.rooms.read(access).await?;
    let found = view::walk(&content.blocks)
        .map(|(_, block)| block)
        .find(|block| block.id == id)
        .cloned();
    let block = found.ok_or_else(|| ApiError::from(documents::error::Error::BlockNotFound(id.to_owned())))?;
    Ok(((&head).into(), block, content))
}

/// Read a block with everything under it.
#[utoipa::path(tag = "blocks", operation_id = "blocks.read", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), responses((status = 200, description = "The block", body = BlockWithReferences)))]
#[get("/documents/{document_id}/blocks/{block_id}/")]
async fn read(
    state: Data<State>,
    CanShared(access): CanShared<ViewDocument>,
    At(block): At<BlockId>,
) -> Result<web::Json<BlockWithReferences>, ApiError> {
    let (_, block, content) = find(&state, &access, &block.0).await?;
    let references = references::of(&state, &access, (&content, std::slice::from_ref(&block))).await?;
    Ok(web::Json(BlockWithReferences {
        block: block.into(),
        references,
    }))
}

/// Change a block's type, text, marks or props.
#[utoipa::path(tag = "blocks", operation_id = "blocks.edit", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), request_body = EditBlock, responses((status = 200, description = "As it is now", body = Written)))]
#[patch("/documents/{document_id}/blocks/{block_id}/")]
async fn edit(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    At(block): At<BlockId>,
    body: Json<EditBlock>,
) -> Result<web::Json<Written>, ApiError> {
    let EditBlock {
        kind,
        text,
        marks,
        props,
        about,
    } = body.0;
    let ops = edits(&block.0, kind, text, marks, props);
    apply(&state, &access, ops, about, vec![block.0]).await.map(web::Json)
}

/// Delete a block with everything under it.
#[utoipa::path(tag = "blocks", operation_id = "blocks.delete", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), responses((status = 204, description = "Gone")))]
#[delete("/documents/{document_id}/blocks/{block_id}/")]
async fn delete(state: Data<State>, CanShared(access): CanShared<EditDocument>, At(block): At<BlockId>) -> Result<HttpResponse, ApiError> {
    apply(&state, &access, vec![Op::BlockDelete { id: block.0 }], About::default(), Vec::new()).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Read the blocks under a block.
#[utoipa::path(tag = "blocks", operation_id = "blocks.children", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), responses((status = 200, description = "Its children", body = Blocks)))]
#[get("/documents/{document_id}/blocks/{block_id}/children/")]
async fn children(
    state: Data<State>,
    CanShared(access): CanShared<ViewDocument>,
    At(block): At<BlockId>,
) -> Result<web::Json<Blocks>, ApiError> {
    let (standing, mut block, content) = find(&state, &access, &block.0).await?;
    let references = references::of(&state, &access, (&content, &block.children)).await?;
    let blocks = std::mem::take(&mut block.children).into_iter().map(Block::from).collect();
    Ok(web::Json(Blocks {
        standing,
        blocks,
        references,
    }))
}

/// Make a block under a block.
#[utoipa::path(tag = "blocks", operation_id = "blocks.insert_child", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), request_body = InsertBlock, responses((status = 201, description = "Made", body = Written)))]
#[post("/documents/{document_id}/blocks/{block_id}/children/")]
async fn insert_child(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    At(parent): At<BlockId>,
    body: Json<InsertBlock>,
) -> Result<HttpResponse, ApiError> {
    let InsertBlock { block, place, about } = body.0;
    let place = Place {
        parent: Some(parent.0),
        ..place.into()
    };
    let ops = vec![Op::BlockInsert {
        block: NewBlock::from(block),
        place,
    }];
    Ok(HttpResponse::Created().json(apply(&state, &access, ops, about, Vec::new()).await?))
}

/// Move a block with everything under it.
#[utoipa::path(tag = "blocks", operation_id = "blocks.move", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), request_body = MoveBlock, responses((status = 200, description = "There now", body = Written)))]
#[post("/documents/{document_id}/blocks/{block_id}/move/")]
async fn move_to(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    At(block): At<BlockId>,
    body: Json<MoveBlock>,
) -> Result<web::Json<Written>, ApiError> {
    let MoveBlock { place, about } = body.0;
    let ops = vec![Op::BlockMove {
        id: block.0.clone(),
        place: place.into(),
    }];
    apply(&state, &access, ops, about, vec![block.0]).await.map(web::Json)
}

/// Cut a block in two.
#[utoipa::path(tag = "blocks", operation_id = "blocks.split", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), request_body = SplitBlock, responses((status = 200, description = "Two now", body = Written)))]
#[post("/documents/{document_id}/blocks/{block_id}/split/")]
async fn split(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    At(block): At<BlockId>,
    body: Json<SplitBlock>,
) -> Result<web::Json<Written>, ApiError> {
    let SplitBlock { pos, new_id, about } = body.0;
    let ops = vec![Op::BlockSplit {
        id: block.0.clone(),
        pos: Pos::At(pos),
        new_id,
    }];
    apply(&state, &access, ops, about, vec![block.0]).await.map(web::Json)
}

/// Join a block to another.
#[utoipa::path(tag = "blocks", operation_id = "blocks.merge", params(("document_id" = uuid::Uuid, Path), ("block_id" = String, Path)), request_body = MergeBlock, responses((status = 200, description = "One now", body = Written)))]
#[post("/documents/{document_id}/blocks/{block_id}/merge/")]
async fn merge(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    At(block): At<BlockId>,
    body: Json<MergeBlock>,
) -> Result<web::Json<Written>, ApiError> {
    let MergeBlock { into, about } = body.0;
    let wanted = into.iter().cloned().collect();
    apply(&state, &access, vec![Op::BlockMerge { id: block.0, into }], about, wanted)
        .await
        .map(web::Json)
}
