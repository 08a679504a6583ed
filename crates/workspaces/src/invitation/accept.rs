//! Answering an invitation. Whoever has the token of a letter reads the mail of its address; an invitation is for that
//! address alone.

use super::still_may;
use crate::{Error, access, hold, invite_link, member, quota::Quotas};
use entity::{grant, invitation, user, workspace};
use events::{By, Change};
use kernel::{clock, id::*, role::*, secret};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
};
use std::fmt;

/// How somebody names an invitation.
#[derive(Clone)]
pub enum Ticket {
    /// By the token of a letter or of a link.
    Token(String),
    /// By its id: for whoever has proven its address.
    Id(InvitationId),
}

impl fmt::Debug for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}

/// Where somebody belongs now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The workspace.
    pub workspace: workspace::Model,
    /// As what.
    pub role: Role,
    /// Whether the token of a letter came with it, which shows that they read the mail of the invitation's address.
    pub proves_address: bool,
}

/// An invitation by its token.
pub(crate) async fn by_token(db: &impl ConnectionTrait, token: &str) -> Result<Option<invitation::Model>, DbErr> {
    invitation::Entity::find()
        .filter(invitation::Column::TokenHash.eq(secret::hash(token)))
        .one(db)
        .await
}

/// An invitation as somebody may name it. By its id it is there for nobody but whoever has proven its address.
async fn find(db: &impl ConnectionTrait, ticket: &Ticket, user: Option<&user::Model>) -> Result<Option<invitation::Model>, DbErr> {
    match ticket {
        Ticket::Token(token) => by_token(db, token).await,
        Ticket::Id(id) => {
            let row = invitation::Entity::find_by_id(*id).one(db).await?;
            let is_theirs = |row: &invitation::Model| user.is_some_and(|user| user.email_verified_at.is_some() && user.email == row.email);
            Ok(row.filter(is_theirs))
        }
    }
}

/// Insists that an invitation still waits for an answer.
pub(crate) fn check_open(row: &invitation::Model) -> Result<(), Error> {
    let over = |code| Err(Error::InvitationOver(code));
    if row.accepted_at.is_some() || row.declined_at.is_some() {
        over("invitation_used")
    } else if row.revoked_at.is_some() {
        over("invitation_revoked")
    } else if row.expires_at <= clock::now() {
        over("invitation_expired")
    } else {
        Ok(())
    }
}

/// Joins a workspace with an invitation by mail or by link. However often it comes and whoever comes at once, one gets in
/// with a letter, and as many as a link says with a link.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvitationOver`], [`Error::AlreadyMember`], [`Error::WrongAddress`],
/// [`Error::AddressNotVerified`], [`Error::Archived`], [`Error::QuotaExceeded`].
pub async fn accept(tx: &DatabaseTransaction, user: &user::Model, ticket: &Ticket, quotas: &Quotas) -> Result<Joined, Error> {
    let Some(seen) = find(tx, ticket, Some(user)).await? else {
        return match ticket {
            Ticket::Token(token) => invite_link::join(tx, user, token, quotas).await,
            Ticket::Id(_) => Err(Error::NotFound),
        };
    };
    let workspace = hold::open(tx, seen.workspace_id).await?;
    // Read again: it may have been answered while the lock was waited for.
    let row = find(tx, ticket, Some(user)).await?.ok_or(Error::NotFound)?;
    if access::role_in(tx, user.id, workspace.id).await?.is_some() && (row.accepted_by == Some(user.id) || check_open(&row).is_ok()) {
        return Err(Error::AlreadyMember);
    }
    check_open(&row)?;
    if row.email != user.email {
        return Err(Error::WrongAddress);
    }
    still_may(tx, workspace.id, row.invited_by, row.role).await?;
    let by = By {
        workspace: Some(workspace.id),
        user: Some(user.id),
    };
    let mut answered = row.clone().into_active_model();
    answered.accepted_at = Set(Some(clock::now()));
    answered.accepted_by = Set(Some(user.id));
    answered.update(tx).await?;
    events::append(tx, by, Change::InvitationAccepted { invitation: row.id }).await?;
    member::join(tx, by, user.id, row.role, quotas).await?;
    give(tx, by, &row, user.id).await?;
    Ok(Joined {
        workspace,
        role: row.role,
        proves_address: matches!(ticket, Ticket::Token(_)),
    })
}

/// Grants the page that was promised, if the inviter could still grant it.
async fn give(tx: &DatabaseTransaction, by: By, row: &invitation::Model, user: UserId) -> Result<(), Error> {
    let (Some(document), Some(level)) = (row.document_id, row.level) else {
        return Ok(());
    };
    let inviters = access::level(tx, row.invited_by, document).await?;
    let is_theirs = inviters.is_some_and(|(level, page)| level >= Level::Manage && page.workspace_id == row.workspace_id);
    if !is_theirs {
        return Ok(());
    }
    let now = clock::now();
    let granted = grant::Model {
        id: GrantId::new(),
        workspace_id: row.workspace_id,
        document_id: Some(document),
        user_id: Some(user),
        group_id: None,
        level,
        created_by: row.invited_by,
        created_at: now,
        updated_at: now,
    };
    let change = Change::GrantCreated {
        grant: granted.id,
        document: Some(document),
        user: Some(user),
        group: None,
        level,
    };
    grant::Entity::insert(granted.into_active_model())
        .exec_without_returning(tx)
        .await?;
    events::append(tx, by, change).await?;
    Ok(())
}

/// Says no to an invitation by mail.
///
/// # Errors
/// [`Error::NotFound`], [`Error::InvitationOver`].
pub async fn decline(tx: &DatabaseTransaction, user: Option<&user::Model>, ticket: &Ticket) -> Result<(), Error> {
    let seen = find(tx, ticket, user).await?.ok_or(Error::NotFound)?;
    hold::living(tx, seen.workspace_id).await?;
    let row = find(tx, ticket, user).await?.ok_or(Error::NotFound)?;
    check_open(&row)?;
    let by = By {
        workspace: Some(row.workspace_id),
        user: user.filter(|user| user.email == row.email).map(|user| user.id),
    };
    let id = row.id;
    let mut answered = row.into_active_model();
    answered.declined_at = Set(Some(clock::now()));
    answered.update(tx).await?;
    events::append(tx, by, Change::InvitationDeclined { invitation: id }).await?;
    Ok(())
}
