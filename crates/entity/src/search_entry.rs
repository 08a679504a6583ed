//! What can be found, one row a thing: what it says, and what results show of it. Its words stand beside it in
//! `search_words`, a table that is another on each database and has no rows of ours.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `search_entries`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "search_entries")]
pub struct Model {
    /// Its place in time, so that the newest are read first: the milliseconds of `updated_at`, then what tells it from others.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// What it is: `document`.
    pub kind: String,
    /// Which one.
    pub subject_id: Uuid,
    /// The page whose readers may find it.
    pub document_id: DocumentId,
    /// Its tenant.
    pub workspace_id: WorkspaceId,
    /// Who made it.
    pub author_id: Option<UserId>,
    /// Its title.
    pub title: String,
    /// Its text as JSON: ids of blocks, each with what stands there.
    pub parts: String,
    /// The incarnation of the log it was read from.
    pub epoch: EpochId,
    /// Where that log stood.
    pub server_seq: i64,
    /// How its words were cut; an entry of an older format is made anew.
    pub format: i32,
    /// When the thing was last changed.
    pub updated_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
