//! Whose each character of a page is.

use super::{
    people::{People, Person},
    state_of,
};
use crate::{
    extract::{CanDocument, Query},
    problem::ApiError,
    state::State,
};
use actix_web::{get, web, web::Data};
use documents::{
    heads,
    history::{
        blame::{BlockRuns, Of},
        ledger,
    },
};
use kernel::clock::Time;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use workspaces::access::ViewDocument;

pub(super) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(blame);
}

/// Which text of which state.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only this block; `@title` for the title.
    block: Option<String>,
    /// Which state: heads, a number, a version's id or a time; the present when left out.
    at: Option<String>,
}

/// Characters that one person put there, at about the same time.
#[derive(Serialize, ToSchema)]
struct BlameRun {
    /// UTF-16 units from the start of the text.
    start: usize,
    /// The first unit behind it.
    end: usize,
    /// Who; null for the product itself.
    user: Option<Person>,
    /// When the first of them was put there.
    #[schema(value_type = String, format = DateTime)]
    at: Time,
    /// The change that put it there; `?at=` shows the page with it.
    change: String,
}

/// Whose one text is.
#[derive(Serialize, ToSchema)]
struct BlockBlame {
    /// The block; `@title` for the title.
    block_id: String,
    /// All of its text, in order.
    runs: Vec<BlameRun>,
}

/// Whose a page is.
#[derive(Serialize, ToSchema)]
struct PageBlame {
    /// The state that was looked at.
    heads: Vec<String>,
    /// The title and the blocks that have text, in reading order.
    blocks: Vec<BlockBlame>,
    /// Whether there was more than is told; ask for single blocks then.
    truncated: bool,
}

fn shown(people: &People, block: BlockRuns) -> BlockBlame {
    let runs = block.runs.into_iter().map(|run| BlameRun {
        start: run.start,
        end: run.end,
        user: run.user.map(|id| people.person(id)),
        at: Time::from_timestamp_millis(run.at_ms).unwrap_or_default(),
        change: run.change.to_string(),
    });
    BlockBlame {
        block_id: block.block,
        runs: runs.collect(),
    }
}

/// Tell whose each character of a page is, and since when.
#[utoipa::path(tag = "documents", operation_id = "documents.blame", params(("document_id" = uuid::Uuid, Path), Which), responses((status = 200, description = "Runs of characters", body = PageBlame)))]
#[get("/documents/{document_id}/blame/")]
async fn blame(
    state: Data<State>,
    CanDocument(access): CanDocument<ViewDocument>,
    which: Query<Which>,
) -> Result<web::Json<PageBlame>, ApiError> {
    let (past, at) = state_of(&state, &access, ("/at", which.0.at.as_deref())).await?;
    let ledger = ledger::read(&state.db, access.id()).await?;
    let (of, told) = (which.0.block.map_or(Of::Page, Of::Block), heads::to_strings(&at));
    let blame = state.rooms.look(&past, move |past| past.blame(&ledger, &at, &of)).await?;
    let ids = blame.blocks.iter().flat_map(|block| block.runs.iter().filter_map(|run| run.user));
    let people = People::of(&state, &access, ids.collect::<Vec<_>>()).await?;
    Ok(web::Json(PageBlame {
        heads: told,
        blocks: blame.blocks.into_iter().map(|block| shown(&people, block)).collect(),
        truncated: blame.is_truncated,
    }))
}
