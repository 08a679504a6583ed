//! The content of a page as it stands in the log, and what it shows of other pages.

use super::{error::Error, order::Order};
use documents::{
    log,
    projection::{self, Content},
    shown::{self, Reader, Stored},
    snapshot,
};
use kernel::id::*;
use sea_orm::ConnectionTrait;

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

/// Puts into a page what it shows of others of its workspace, as far as who asked for the export may see it: titles, and
/// the blocks of synced blocks. Gives the pages whose blocks those are.
///
/// # Errors
/// The database's.
pub async fn fill(
    db: &(impl ConnectionTrait + Send),
    order: &Order,
    page: DocumentId,
    content: &mut Content,
) -> Result<Vec<DocumentId>, Error> {
    let reader = Reader {
        who: order.user.into(),
        page,
        only: Some(order.workspace),
    };
    let shown = shown::gather(db, reader, (content, &content.blocks), &Stored(db)).await?;
    shown.fill(page, &mut content.blocks);
    Ok(shown.sources.iter().map(|source| source.document).collect())
}
