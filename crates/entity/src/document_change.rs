//! The op log: every change of every page, never rewritten.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_changes`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_changes")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// The incarnation of the log.
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: EpochId,
    /// Dense from 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub server_seq: i64,
    /// SHA-256 of the change; unique within the page.
    pub change_hash: Vec<u8>,
    /// The Automerge actor that made it.
    pub actor: Vec<u8>,
    /// The user who answers for it; none for the product itself.
    pub user_id: Option<UserId>,
    /// The client's id of the message it came in; unique within the page.
    pub message_id: Option<String>,
    /// Which door it came through: rest, json, automerge, server.
    pub source: String,
    /// The page's heads with this row applied.
    pub heads_after: Vec<u8>,
    /// The uncompressed change chunk.
    pub bytes: Vec<u8>,
    /// When it was appended.
    pub created_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
