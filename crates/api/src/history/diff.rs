//! What differs between two states of a page.

use super::state_of;
use crate::{
    extract::{CanDocument, Query},
    problem::ApiError,
    state::State,
};
use actix_web::{HttpResponse, get, web::Data};
use documents::{
    heads,
    history::difference::{self, BlockDifference, Changed, Difference, Spot, What},
    markdown,
    view::Block as Viewed,
    wording::{self, Fate, Piece},
};
use kernel::error::Field;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::ViewDocument;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(diff);
}

/// In which form a difference is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// Block by block, as JSON.
    #[default]
    Blocks,
    /// A unified diff of title and blocks, a line each.
    Text,
    /// A unified diff of the page as Markdown.
    Markdown,
}

/// Which states.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The earlier state: heads, a number, a version's id or a time.
    from: String,
    /// The later state; the present when left out.
    to: Option<String>,
    /// `blocks` (when left out), `text` or `markdown`.
    #[serde(default)]
    #[param(inline)]
    format: Form,
}

/// A piece of text and what became of it.
#[derive(Serialize, ToSchema)]
struct TextPiece {
    /// `kept`, `inserted` or `deleted`.
    #[schema(value_type = String, example = "inserted")]
    what: Fate,
    /// What it says.
    text: String,
}

/// Where a block stands.
#[derive(Serialize, ToSchema)]
struct BlockSpot {
    /// The block it hangs under; null at the top of the page.
    parent_id: Option<String>,
    /// How many siblings stand before it.
    index: usize,
}

/// A value before and after.
#[derive(Serialize, ToSchema)]
struct Turn<T> {
    /// Before.
    from: T,
    /// After.
    to: T,
}

/// A prop that differs; null where it is not there.
#[derive(Serialize, ToSchema)]
struct PropTurn {
    /// Its name.
    name: String,
    /// Before.
    from: Value,
    /// After.
    to: Value,
}

/// A block that is new or gone, without what hangs under it.
#[derive(Serialize, ToSchema)]
struct WholeBlock {
    /// Where it stands, or stood.
    #[serde(flatten)]
    spot: BlockSpot,
    /// Its type.
    #[serde(rename = "type")]
    kind: String,
    /// Its text.
    text: String,
    /// Values by type.
    props: Map<String, Value>,
}

/// A block that differs.
#[derive(Serialize, ToSchema)]
struct BlockDiff {
    /// The block.
    id: String,
    /// `inserted`, `deleted` or `changed`.
    #[schema(example = "changed")]
    what: &'static str,
    /// The block itself, when it is new or gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    block: Option<WholeBlock>,
    /// Where it stood and stands, when it was moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved: Option<Turn<BlockSpot>>,
    /// Its type before and after, when that changed.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<Turn<String>>,
    /// What became of its text, when that changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Vec<TextPiece>>,
    /// Its marks before and after, when they changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    marks: Option<Turn<Value>>,
    /// The props that differ.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    props: Vec<PropTurn>,
}

/// What differs between two states.
#[derive(Serialize, ToSchema)]
struct PageDiff {
    /// The earlier state.
    from: Vec<String>,
    /// The later one.
    to: Vec<String>,
    /// What became of the title; null when it is the same.
    title: Option<Vec<TextPiece>>,
    /// The blocks that differ, in the order of the later state; those that are gone stand where they were.
    blocks: Vec<BlockDiff>,
    /// Whether there is more than is told.
    truncated: bool,
}

fn pieces(pieces: Vec<Piece>) -> Vec<TextPiece> {
    let piece = |piece: Piece| TextPiece {
        what: piece.fate,
        text: piece.text,
    };
    pieces.into_iter().map(piece).collect()
}

impl From<Spot> for BlockSpot {
    fn from(spot: Spot) -> Self {
        Self {
            parent_id: spot.parent,
            index: spot.index,
        }
    }
}

fn whole(spot: Spot, mut block: Viewed) -> WholeBlock {
    WholeBlock {
        spot: spot.into(),
        kind: std::mem::take(&mut block.kind),
        text: std::mem::take(&mut block.text),
        props: std::mem::take(&mut block.props),
    }
}

impl From<BlockDifference> for BlockDiff {
    fn from(one: BlockDifference) -> Self {
        let (what, block, changed) = match one.what {
            What::Inserted(spot, block) => ("inserted", Some(whole(spot, block)), Changed::default()),
            What::Deleted(spot, block) => ("deleted", Some(whole(spot, block)), Changed::default()),
            What::Changed(changed) => ("changed", None, changed),
        };
        let json = |marks: Vec<documents::view::Mark>| serde_json::to_value(marks).unwrap_or_default();
        Self {
            id: one.id,
            what,
            block,
            moved: changed.moved.map(|(from, to)| Turn {
                from: from.into(),
                to: to.into(),
            }),
            kind: changed.kind.map(|(from, to)| Turn { from, to }),
            text: changed.text.map(pieces),
            marks: changed.marks.map(|(from, to)| Turn {
                from: json(from),
                to: json(to),
            }),
            props: changed
                .props
                .into_iter()
                .map(|prop| PropTurn {
                    name: prop.name,
                    from: prop.from,
                    to: prop.to,
                })
                .collect(),
        }
    }
}

/// What was worked out, in the form that was asked for.
enum Told {
    Blocks(Difference),
    Text(String),
}

/// Tell what differs between two states of a page.
#[utoipa::path(tag = "documents", operation_id = "documents.diff", params(("document_id" = uuid::Uuid, Path), Which), responses((status = 200, description = "What differs; as a unified diff (`text/x-diff`) for `text` and `markdown`", body = PageDiff)))]
#[get("/documents/{document_id}/diff/")]
async fn diff(state: Data<State>, CanDocument(access): CanDocument<ViewDocument>, which: Query<Which>) -> Result<HttpResponse, ApiError> {
    let Which { from, to, format } = which.0;
    if from.is_empty() {
        return Err(ApiError::invalid(vec![Field::new(
            "/from",
            "required",
            "names a state of the page",
        )]));
    }
    let (past, older) = state_of(&state, &access, ("/from", Some(&from))).await?;
    let newer = match &to {
        Some(to) => state.rooms.heads_at(&access, &past, &super::moment("/to", to)?).await?,
        None => past.heads().to_vec(),
    };
    let names = (heads::to_strings(&older), heads::to_strings(&newer));
    let labels = (names.0.join(","), names.1.join(","));
    let told = state.rooms.look(&past, move |past| {
        let (before, after) = (past.content_at(&older)?, past.content_at(&newer)?);
        let unified = |before: String, after: String| wording::unified((&labels.0, &before), (&labels.1, &after), difference::deadline());
        Ok(match format {
            Form::Blocks => Told::Blocks(difference::between(&before, &after)),
            Form::Text => Told::Text(unified(difference::plain_text(&before), difference::plain_text(&after))),
            Form::Markdown => Told::Text(unified(
                markdown::to_markdown(&before.title, &before.blocks),
                markdown::to_markdown(&after.title, &after.blocks),
            )),
        })
    });
    Ok(match told.await? {
        Told::Text(text) => HttpResponse::Ok().content_type("text/x-diff; charset=utf-8").body(text),
        Told::Blocks(difference) => HttpResponse::Ok().json(PageDiff {
            from: names.0,
            to: names.1,
            title: difference.title.map(pieces),
            blocks: difference.blocks.into_iter().map(BlockDiff::from).collect(),
            truncated: difference.is_truncated,
        }),
    })
}
