//! The content of a page as it stands in the log, and what it shows of other pages.

use super::error::Error;
use documents::{
    log,
    projection::{self, Content},
    snapshot,
    view::{self, Block},
};
use kernel::{error::Explain, error::Kind, id::*};
use sea_orm::ConnectionTrait;
use std::collections::HashMap;
use workspaces::access::{self, AccessError, ViewDocument};

/// The most other pages whose blocks are shown on one.
const MAX_SOURCES: usize = 20;

/// Reads the content of a page.
///
/// # Errors
/// When it does not load.
pub async fn read(db: &(impl ConnectionTrait + Send), id: DocumentId) -> Result<Content, documents::error::Error> {
    let head = log::head(db, id).await?;
    if let Some(content) = projection::at(db, id, &head).await? {
        return Ok(content);
    }
    let (page, _) = snapshot::load(db, id).await?;
    let read = tokio::task::spawn_blocking(move || Content::from(page.mirror())).await;
    read.map_err(|error| documents::error::Error::Broken(error.to_string()))
}

/// Reads a page with its history, as Automerge saves it: verified by loading what was saved.
///
/// # Errors
/// When it does not load.
pub async fn history(db: &(impl ConnectionTrait + Send), id: DocumentId) -> Result<Vec<u8>, documents::error::Error> {
    let (page, _) = snapshot::load(db, id).await?;
    let saved = tokio::task::spawn_blocking(move || page.save_verified()).await;
    saved.map_err(|error| documents::error::Error::Broken(error.to_string()))?
}

/// Puts into blocks that mirror others what those hold, as far as `user` may see it. What mirrors mirrors stays empty.
///
/// # Errors
/// The database's.
pub async fn fill(db: &(impl ConnectionTrait + Send), user: UserId, content: &mut Content) -> Result<(), Error> {
    let mut wanted: Vec<DocumentId> = view::walk(&content.blocks).filter_map(|(_, block)| source(block)?.0).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let has_own = view::walk(&content.blocks).any(|(_, block)| source(block).is_some_and(|(document, _)| document.is_none()));
    let mut sources: HashMap<Option<DocumentId>, Vec<Block>> = HashMap::new();
    if has_own {
        sources.insert(None, content.blocks.clone());
    }
    for id in wanted.into_iter().take(MAX_SOURCES) {
        if may_see(db, user, id).await?
            && let Ok(mut other) = read(db, id).await
        {
            sources.insert(Some(id), std::mem::take(&mut other.blocks));
        }
    }
    if !sources.is_empty() {
        fill_blocks(&mut content.blocks, &sources);
    }
    Ok(())
}

/// The page (none is the same one) and the block that a block mirrors.
fn source(block: &Block) -> Option<(Option<DocumentId>, &str)> {
    if block.kind != "synced_block" || !block.children.is_empty() {
        return None;
    }
    let id = block.props.get("source_block_id")?.as_str()?;
    let document = block.props.get("source_document_id").and_then(serde_json::Value::as_str);
    Some((document.and_then(|id| id.parse().ok()), id))
}

async fn may_see(db: &impl ConnectionTrait, user: UserId, id: DocumentId) -> Result<bool, AccessError> {
    match access::open::<ViewDocument>(db, user, id).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => Ok(false),
        Err(error) => Err(error),
    }
}

fn fill_blocks(blocks: &mut [Block], sources: &HashMap<Option<DocumentId>, Vec<Block>>) {
    for block in blocks {
        if let Some((document, id)) = source(block) {
            let found = sources
                .get(&document)
                .and_then(|blocks| view::walk(blocks).find(|(_, other)| other.id == id));
            block.children = match found {
                Some((_, other)) if other.kind == "synced_block" => other.children.clone(),
                Some((_, other)) => vec![other.clone()],
                None => Vec::new(),
            };
        } else {
            fill_blocks(&mut block.children, sources);
        }
    }
}
