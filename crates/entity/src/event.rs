//! What happened: one row for every change of anything but keystrokes, written with the change itself.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `events`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "events")]
pub struct Model {
    /// The event's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: EventId,
    /// The tenant; none for what belongs to no tenant, such as sign-ins.
    pub workspace_id: Option<WorkspaceId>,
    /// Who did it; none for the product itself.
    pub user_id: Option<UserId>,
    /// What, in the past tense: `document.created`.
    pub kind: String,
    /// The thing it happened to.
    pub subject_id: Option<Uuid>,
    /// Ids and small values, as JSON.
    pub payload: String,
    /// When.
    pub created_at: Time,
    /// Its number in its tenant's log, without gaps from 1; none until the relay has stamped it.
    pub seq: Option<i64>,
    /// SHA-256 over the hash of the entry before and everything in this one; none until then.
    pub hash: Option<Vec<u8>>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
