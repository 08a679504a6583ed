//! Who keeps a page from being edited by others, and how long. At most one long lock and one short lease a page.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `document_locks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "document_locks")]
pub struct Model {
    /// The page.
    #[sea_orm(primary_key, auto_increment = false)]
    pub document_id: DocumentId,
    /// `lock` or `lease`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub kind: String,
    /// Names this lock alone: whoever writes under a lock names it.
    pub token: LockId,
    /// Who took it, or for whom the product did.
    pub owner_id: UserId,
    /// `person`: the owner's edits pass. `server`: only edits that name the token do.
    pub holder: String,
    /// What it is for, in the owner's words.
    pub reason: Option<String>,
    /// When it was taken.
    pub created_at: Time,
    /// When it ends by itself; never, when there is none.
    pub expires_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
