//! What a letter of an invitation says.

use super::{PURPOSE, generation, unanswered};
use crate::people;
use entity::{invitation, workspace};
use kernel::{clock, id::*, role::Role, secret::Mint};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::fmt;

/// A letter to somebody who was invited. It holds the token, so it is made when it is sent and kept nowhere.
pub struct Letter {
    /// The address.
    pub email: String,
    /// Where to.
    pub workspace: String,
    /// Who invites.
    pub inviter: String,
    /// As what.
    pub role: Role,
    /// What the inviter says.
    pub message: Option<String>,
    /// The token.
    pub token: String,
}

impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Letter").finish_non_exhaustive()
    }
}

/// The letter of an invitation, for as long as it waits for an answer; none for one that cannot be accepted any more. No
/// proof is asked for: the worker calls it.
///
/// # Errors
/// Only the database's.
pub async fn letter(db: &impl ConnectionTrait, mint: &Mint, id: InvitationId) -> Result<Option<Letter>, DbErr> {
    let row = unanswered()
        .filter(invitation::Column::Id.eq(id))
        .filter(invitation::Column::ExpiresAt.gt(clock::now()))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let home = workspace::Entity::find_by_id(row.workspace_id)
        .filter(workspace::Column::DeletedAt.is_null())
        .one(db)
        .await?;
    let token = mint.again(PURPOSE, row.id.0, generation(row.sent_at), &row.token_hash);
    let (Some(home), Some(token)) = (home, token) else {
        return Ok(None);
    };
    let mut names = people::names(db, [row.invited_by]).await?;
    Ok(Some(Letter {
        email: row.email,
        workspace: home.name,
        inviter: names.remove(&row.invited_by).unwrap_or_else(|| "Somebody".to_owned()),
        role: row.role,
        message: row.message,
        token,
    }))
}
