//! What kinds of blocks there are, for clients that draw and check them.

use crate::extract::Known;
use actix_web::{HttpResponse, get, http::header};
use documents::kinds::{Kind, MARKS, MarkKind, TYPES, TextRule};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// A type of block.
#[derive(Serialize, ToSchema)]
struct BlockType {
    /// Its name.
    #[serde(rename = "type")]
    #[schema(example = "heading")]
    name: &'static str,
    /// Its text: `rich` with marks, `plain` without, or `none`.
    #[schema(example = "rich")]
    text: &'static str,
    /// The type that its parent has to be, when only one makes sense.
    #[schema(example = "table")]
    parent: Option<&'static str>,
    /// The type that its children have to be, when only one makes sense.
    #[schema(example = "table_row")]
    holds: Option<&'static str>,
    /// The JSON Schema (2020-12) of its props. All props of a block take 32 KiB and nest 8 deep at most.
    #[schema(value_type = Object)]
    props: Value,
}

/// A format of text.
#[derive(Serialize, ToSchema)]
struct MarkType {
    /// Its name.
    #[schema(example = "bold")]
    name: &'static str,
    /// The JSON Schema (2020-12) of its value. `null` takes the format away.
    #[schema(value_type = Object)]
    value: Value,
}

/// The types of blocks and the formats of their text.
#[derive(Serialize, ToSchema)]
struct BlockTypes {
    /// Every type that the product knows. A block of another type is kept as it came, and so are props that its type does not
    /// have.
    data: Vec<BlockType>,
    /// Always null: there is one page.
    next_cursor: Option<String>,
    /// Every format that the product knows. Formats of your own have names that begin with `x_`.
    marks: Vec<MarkType>,
}

impl From<&Kind> for BlockType {
    fn from(kind: &Kind) -> Self {
        let text = match kind.text {
            TextRule::Rich => "rich",
            TextRule::Plain => "plain",
            TextRule::None => "none",
        };
        Self {
            name: kind.name,
            text,
            parent: kind.parent,
            holds: kind.holds,
            props: kind.schema(),
        }
    }
}

impl From<&MarkKind> for MarkType {
    fn from(mark: &MarkKind) -> Self {
        Self {
            name: mark.name,
            value: mark.value.schema(),
        }
    }
}

/// List the types of blocks, with the schema of the props of each.
#[utoipa::path(tag = "blocks", operation_id = "blocks.types", responses((status = 200, description = "Every type there is, and every format of text", body = BlockTypes)))]
#[get("/block-types/")]
pub(super) async fn types(Known(_caller): Known) -> HttpResponse {
    let types = BlockTypes {
        data: TYPES.iter().map(BlockType::from).collect(),
        next_cursor: None,
        marks: MARKS.iter().map(MarkType::from).collect(),
    };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "private, max-age=300"))
        .json(types)
}
