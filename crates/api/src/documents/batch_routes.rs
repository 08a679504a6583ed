//! Several edits of blocks as one change.

use super::{
    block_routes::{About, PlaceInput, Written, edits, write},
    shape::{BlockInput, Mark},
};
use crate::{extract::CanShared, json::Json, problem::ApiError, state::State};
use actix_web::{post, web, web::Data};
use documents::op::{Op, Pos};
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;
use workspaces::access::EditDocument;

/// One step of a batch.
#[derive(Deserialize, ToSchema)]
#[serde(tag = "op", rename_all = "snake_case")]
enum Step {
    /// Make a block.
    Insert {
        #[serde(flatten)]
        block: BlockInput,
        #[serde(flatten)]
        place: PlaceInput,
    },
    /// Change a block.
    Update {
        /// The block.
        id: String,
        #[serde(rename = "type")]
        kind: Option<String>,
        text: Option<String>,
        marks: Option<Vec<Mark>>,
        props: Option<Map<String, Value>>,
    },
    /// Move a block with everything under it.
    Move {
        /// The block.
        id: String,
        #[serde(flatten)]
        place: PlaceInput,
    },
    /// Delete a block with everything under it.
    Delete {
        /// The block.
        id: String,
    },
    /// Cut a block in two.
    Split {
        /// The block.
        id: String,
        /// UTF-16 units from the start of its text.
        pos: usize,
        /// Your own id for the new block.
        new_id: Option<String>,
    },
    /// Join a block to another.
    Merge {
        /// The block that goes.
        id: String,
        /// The block that stays; the previous sibling when left out.
        into: Option<String>,
    },
}

/// Several edits as one change: all of them, or none.
#[derive(Deserialize, ToSchema, Validate)]
struct Batch {
    /// In their order.
    #[schema(example = json!([{"op": "insert", "type": "paragraph", "text": "One"}, {"op": "insert", "type": "paragraph", "text": "Two"}]))]
    ops: Vec<Step>,
    #[serde(flatten)]
    about: About,
}

impl Step {
    fn into_ops(self) -> Vec<Op> {
        match self {
            Self::Insert { block, place } => vec![Op::BlockInsert {
                block: block.into(),
                place: place.into(),
            }],
            Self::Update {
                id,
                kind,
                text,
                marks,
                props,
            } => edits(&id, kind, text, marks, props),
            Self::Move { id, place } => vec![Op::BlockMove { id, place: place.into() }],
            Self::Delete { id } => vec![Op::BlockDelete { id }],
            Self::Split { id, pos, new_id } => vec![Op::BlockSplit {
                id,
                pos: Pos::At(pos),
                new_id,
            }],
            Self::Merge { id, into } => vec![Op::BlockMerge { id, into }],
        }
    }
}

/// Which of the edits that a request comes to is wrong, and where in it.
pub(super) fn edit_of(pointer: &str) -> Option<(usize, &str)> {
    let rest = pointer.strip_prefix("/ops/")?;
    let (index, inside) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    Some((index.parse().ok()?, inside))
}

/// Make several edits as one change.
///
/// When one cannot be made none is, and `errors` points to it: `/ops/3`.
#[utoipa::path(tag = "blocks", operation_id = "blocks.batch", params(("document_id" = uuid::Uuid, Path)), request_body = Batch, responses((status = 200, description = "All of them stand", body = Written)))]
#[post("/documents/{document_id}/blocks/batch/")]
pub(super) async fn batch(
    state: Data<State>,
    CanShared(access): CanShared<EditDocument>,
    body: Json<Batch>,
) -> Result<web::Json<Written>, ApiError> {
    let Batch { ops, about } = body.0;
    let most = state.rooms.settings().limits.batch;
    if ops.len() > most {
        return Err(documents::error::Error::TooLarge(format!("a batch holds at most {most} edits")).into());
    }
    let (mut edits, mut steps) = (Vec::new(), Vec::new());
    for (step, op) in ops.into_iter().enumerate() {
        edits.extend(op.into_ops());
        steps.resize(edits.len(), step);
    }
    let in_step = |pointer: &str| match edit_of(pointer) {
        Some((edit, inside)) => format!("/ops/{}{inside}", steps.get(edit).copied().unwrap_or(edit)),
        None => pointer.to_owned(),
    };
    let done = write(&state, &access, edits, about, Vec::new()).await;
    Ok(web::Json(done.map_err(|error| error.repointed(in_step))?))
}
