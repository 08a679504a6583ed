//! Versions of pages: points of their history that somebody named, or that were kept when an editing session ended. No
//! content: the history has it.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_versions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_versions")]
pub struct Model {
    /// The version's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: VersionId,
    /// The page.
    pub document_id: DocumentId,
    /// The incarnation of the log.
    pub epoch: EpochId,
    /// The last change that it contains.
    pub server_seq: i64,
    /// The change hashes that nothing follows in it, 32 bytes each, sorted.
    pub heads: Vec<u8>,
    /// Why it was made: auto, named, restore.
    pub kind: String,
    /// What somebody called it; what has a name is never thinned out.
    pub name: Option<String>,
    /// What somebody wrote about it.
    pub note: Option<String>,
    /// A JSON list of the ids of who edited since the version before it.
    pub authors: String,
    /// Who made it; none for the product itself.
    pub created_by: Option<UserId>,
    /// When its last change was made.
    pub edited_at: Time,
    /// When it was made.
    pub created_at: Time,
    /// When its name or note was last changed.
    pub updated_at: Time,
    /// How often thinning has spared it: kept of its day, of its week, of its month.
    pub thinned: i16,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
