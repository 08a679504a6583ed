//! Finding things by their words, in all workspaces of the caller or in one.

use crate::{
    extract::{Known, Query},
    page::{Listing, Paging, cursor},
    problem::ApiError,
    state::State,
    who,
};
use actix_web::{get, web::Data};
use kernel::{clock::Time, error::Field, id::*};
use search::{
    ask::Ask,
    find::{self, Hit, Wanted},
    marked::Marked,
    subject::Kind,
};
use serde::{Deserialize, Serialize};
use users::Caller;
use utoipa::{IntoParams, ToSchema};
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;
use workspaces::{
    access::{Access, AccessError, ReadWorkspace},
    workspace,
};

pub(crate) fn routes(config: &mut ServiceConfig<'_>) {
    config.service(search_pages);
}

/// What is looked for, and where.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Words that all have to be there, whatever their case and accents; `"in a row"` as a phrase, `begin*` for words that
    /// begin so, `-without` for what must not be there. The last word counts as begun until something stands behind it.
    /// At most 500 characters and 32 words.
    #[param(example = "meeting \"next steps\" -draft")]
    q: String,
    /// Only in this workspace; in all of yours when left out.
    #[param(value_type = Option<uuid::Uuid>)]
    workspace: Option<WorkspaceId>,
    /// Only of this type: document, comment or card.
    #[serde(rename = "type")]
    #[param(example = "document")]
    kind: Option<String>,
    /// Only what this person made.
    #[param(value_type = Option<uuid::Uuid>)]
    author: Option<UserId>,
    /// Only what was changed after this time.
    #[param(value_type = Option<String>, format = DateTime)]
    updated_after: Option<Time>,
    /// Those in the archive instead.
    #[serde(default)]
    archived: bool,
    /// Only this page and what hangs under it.
    #[serde(rename = "in")]
    #[param(value_type = Option<uuid::Uuid>)]
    inside: Option<DocumentId>,
    /// How many at most; 50 when left out, 200 at most.
    #[param(minimum = 1, maximum = 200, example = 20)]
    limit: Option<u64>,
    /// `next_cursor` of the answer before.
    cursor: Option<String>,
}

/// A text with the places of what was looked for.
#[derive(Serialize, ToSchema)]
struct MarkedText {
    /// The text as it was written, or a piece of it between ellipses. It is plain text, never markup.
    #[schema(example = "…in a nutshell: next steps are…")]
    text: String,
    /// Ranges of what was found: the first UTF-16 unit and the one behind the last; in order, apart from each other.
    #[schema(example = json!([[16, 26]]))]
    highlights: Vec<[usize; 2]>,
}

impl From<Marked> for MarkedText {
    fn from(marked: Marked) -> Self {
        Self {
            text: marked.text,
            highlights: marked.places.into_iter().map(|(start, end)| [start, end]).collect(),
        }
    }
}

/// A block that says what was looked for.
#[derive(Serialize, ToSchema)]
struct FoundBlock {
    /// Its id in the page.
    #[schema(example = "b1")]
    id: String,
    /// What stands there.
    snippet: MarkedText,
}

/// Something that was found.
#[derive(Serialize, ToSchema)]
struct SearchResult {
    /// What it is: document, comment or card.
    #[serde(rename = "type")]
    #[schema(example = "document")]
    kind: &'static str,
    /// Its id.
    id: Uuid,
    /// The page it is on; of a page, the page itself.
    #[schema(value_type = uuid::Uuid)]
    document_id: DocumentId,
    /// Its tenant.
    #[schema(value_type = uuid::Uuid)]
    workspace_id: WorkspaceId,
    /// Its title.
    title: MarkedText,
    /// The page's emoji or url.
    #[schema(example = "📝")]
    icon: Option<String>,
    /// The blocks that say most of it, best first, three at most; none when it is the title alone.
    blocks: Vec<FoundBlock>,
    /// Who made it.
    #[schema(value_type = Option<uuid::Uuid>)]
    author_id: Option<UserId>,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    updated_at: Time,
}

impl From<Hit> for SearchResult {
    fn from(hit: Hit) -> Self {
        let block = |(id, snippet): (String, Marked)| FoundBlock {
            id,
            snippet: snippet.into(),
        };
        Self {
            kind: hit.kind.name(),
            id: hit.id,
            document_id: hit.document,
            workspace_id: hit.workspace,
            title: hit.title.into(),
            icon: hit.icon,
            blocks: hit.blocks.into_iter().map(block).collect(),
            author_id: hit.author,
            updated_at: hit.updated_at,
        }
    }
}

/// Proofs for the workspaces that are searched.
async fn homes(state: &State, caller: &Caller, only: Option<WorkspaceId>) -> Result<Vec<Access<ReadWorkspace>>, ApiError> {
    let who = who::of_caller(caller);
    let ids = match only {
        Some(id) => vec![id],
        None => workspace::list(&state.db, who).await?.into_iter().map(|(row, _)| row.id).collect(),
    };
    let mut homes = Vec::with_capacity(ids.len());
    for id in ids {
        match state.door().enter(who, id).await {
            // Left, or gone, since the list was read.
            Err(AccessError::NotFound) if only.is_none() => {}
            entered => homes.push(entered?),
        }
    }
    Ok(homes)
}

impl Asked {
    fn wanted(&self) -> Result<(Ask, Wanted), ApiError> {
        let paging = Paging {
            limit: self.limit,
            cursor: self.cursor.clone(),
        };
        let kind = self.kind.as_deref().map(|name| {
            let unknown = || ApiError::invalid(vec![Field::new("/type", "unknown_type", "is document, comment or card")]);
            Kind::of(name).ok_or_else(unknown)
        });
        let wanted = Wanted {
            kind: kind.transpose()?,
            author: self.author,
            updated_after: self.updated_after,
            archived: self.archived,
            inside: self.inside,
            after: paging.after()?,
            limit: paging.limit()?,
        };
        Ok((Ask::read(&self.q)?, wanted))
    }
}

/// Search the titles and the text of what you may see. Best first; what is new counts more.
#[utoipa::path(tag = "search", operation_id = "search.find", params(Asked), responses((status = 200, description = "Best first. The 500 newest that match in a workspace are ranked, and the 100 newest that match in their titles", body = inline(Listing<SearchResult>), headers(("Link" = String, description = "`rel=\"next\"`, when there is more")))))]
#[get("/search/")]
async fn search_pages(state: Data<State>, Known(caller): Known, asked: Query<Asked>) -> Result<Listing<SearchResult>, ApiError> {
    let homes = homes(&state, &caller, asked.0.workspace).await?;
    let (ask, wanted) = asked.0.wanted()?;
    let found = find::find(&state.db, &homes, &ask, &wanted).await?;
    Ok(Listing {
        data: found.hits.into_iter().map(SearchResult::from).collect(),
        next_cursor: found.next.and_then(|place| cursor(&place)),
    })
}
