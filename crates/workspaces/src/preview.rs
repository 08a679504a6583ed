//! What an invitation says to whoever holds its token, with an account or without.

use crate::{
    Error,
    invitation::{by_token, check_open},
    invite_link, people,
};
use entity::workspace;
use kernel::{clock::Time, id::*, role::Role};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

/// An invitation that can be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The workspace's name.
    pub workspace: String,
    /// Who invites.
    pub inviter: Option<String>,
    /// As what.
    pub role: Role,
    /// The address it was mailed to; none for a link.
    pub email: Option<String>,
    /// The domain whose addresses a link is for.
    pub email_domain: Option<String>,
    /// What the inviter says.
    pub message: Option<String>,
    /// After this it is refused.
    pub expires_at: Option<Time>,
}

/// What the token of a letter or of a link invites to. Whether the address has an account is not told.
///
/// # Errors
/// [`Error::NotFound`] for a token that is none, or whose workspace is gone; [`Error::InvitationOver`].
pub async fn preview(db: &impl ConnectionTrait, token: &str) -> Result<Preview, Error> {
    if let Some(row) = by_token(db, token).await? {
        check_open(&row)?;
        let (workspace, inviter) = about(db, row.workspace_id, row.invited_by).await?;
        return Ok(Preview {
            workspace,
            inviter,
            role: row.role,
            email: Some(row.email),
            email_domain: None,
            message: row.message,
            expires_at: Some(row.expires_at),
        });
    }
    let row = invite_link::by_token(db, token).await?.ok_or(Error::NotFound)?;
    invite_link::check_open(&row)?;
    let (workspace, inviter) = about(db, row.workspace_id, row.created_by).await?;
    Ok(Preview {
        workspace,
        inviter,
        role: row.role,
        email: None,
        email_domain: row.email_domain,
        message: None,
        expires_at: row.expires_at,
    })
}

/// The names of a living workspace and of who invites.
async fn about(db: &impl ConnectionTrait, workspace: WorkspaceId, inviter: UserId) -> Result<(String, Option<String>), Error> {
    let home = workspace::Entity::find_by_id(workspace)
        .filter(workspace::Column::DeletedAt.is_null())
        .one(db)
        .await?
        .ok_or(Error::NotFound)?;
    let mut names = people::names(db, [inviter]).await?;
    Ok((home.name, names.remove(&inviter)))
}
