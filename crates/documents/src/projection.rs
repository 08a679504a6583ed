//! A page's content as JSON in its own table, so that a cold page is read without being loaded. True while its number
//! is the head's; anything else is ignored and written anew.

use crate::{error::Error, links, log::Head, mirror::Mirror, view::Block};
use entity::document_projection;
use kernel::id::*;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DbErr, EntityTrait, sea_query::OnConflict};
use serde::{Deserialize, Serialize};

/// A page's content at one point of its log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// The title.
    pub title: String,
    /// The live blocks as a tree.
    pub blocks: Vec<Block>,
}

impl From<&Mirror> for Content {
    fn from(mirror: &Mirror) -> Self {
        Self {
            title: mirror.title.clone(),
            blocks: mirror.tree(),
        }
    }
}

/// The stored content, when it is that of `head`.
///
/// # Errors
/// Only the database's.
pub async fn at(db: &impl ConnectionTrait, document: DocumentId, head: &Head) -> Result<Option<Content>, Error> {
    let row = document_projection::Entity::find_by_id(document).one(db).await?;
    let row = row.filter(|row| row.epoch == head.epoch && row.server_seq == head.seq);
    Ok(row.and_then(|row| serde_json::from_str(&row.view).ok()))
}

/// Keeps a page's content, and which pages it names.
///
/// # Errors
/// Only the database's.
pub async fn keep(tx: &impl ConnectionTrait, document: DocumentId, head: &Head, content: &Content) -> Result<(), DbErr> {
    let view = serde_json::to_string(content).map_err(|e| DbErr::Custom(e.to_string()))?;
    let row = document_projection::ActiveModel {
        document_id: Set(document),
        epoch: Set(head.epoch),
        server_seq: Set(head.seq),
        view: Set(view),
    };
    let replace = OnConflict::column(document_projection::Column::DocumentId)
        .update_columns([
            document_projection::Column::Epoch,
            document_projection::Column::ServerSeq,
            document_projection::Column::View,
        ])
        .to_owned();
    document_projection::Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(tx)
        .await?;
    links::record(tx, document, content).await
}
