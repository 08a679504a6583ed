//! Tickets that open one socket or stream each, so that no token stands in an url. As hashes.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `socket_tickets`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "socket_tickets")]
pub struct Model {
    /// SHA-256 of the ticket, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub ticket_hash: String,
    /// Who asked for it.
    pub user_id: UserId,
    /// The login it was asked with.
    pub session_id: SessionId,
    /// The only page it opens; any when none.
    pub document_id: Option<DocumentId>,
    /// When it was made.
    pub created_at: Time,
    /// After this it is refused.
    pub expires_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
