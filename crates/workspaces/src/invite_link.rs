//! Links that let people join: with a role up to member, until a time, for so many, or for one domain's addresses only.

use crate::{
    Error,
    access::{self, Access, ManageMembers},
    hold,
    invitation::{self, Joined},
    member,
    quota::Quotas,
};
use entity::{invite_link, user, workspace};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    email,
    error::Field,
    id::*,
    role::Role,
    secret::{self, Mint},
};
use sea_orm::{
    ActiveModelTrait,
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder,
    Select,
    sea_query::{Expr, ExprTrait},
};

/// What tokens are derived for.
const PURPOSE: &str = "invite_link";
/// Links of a workspace that are switched on.
const MAX_LINKS: u64 = 100;
/// The most that may be let in by one link.
const MAX_USES: i32 = 100_000;

/// A link to be made.
#[derive(Clone, Debug)]
pub struct NewLink {
    /// As what; guest or member.
    pub role: Role,
    /// Only for verified addresses of this domain.
    pub email_domain: Option<String>,
    /// How many may join.
    pub max_uses: Option<i32>,
    /// Until when.
    pub expires_at: Option<Time>,
}

impl NewLink {
    fn parse(self) -> Result<Self, Error> {
        let mut bad = Vec::new();
        if self.role > Role::Member {
            bad.push(Field::new("/role", "too_high", "is guest or member; invite others by mail"));
        }
        let email_domain = self.email_domain.as_deref().map(email::parse_domain);
        if email_domain == Some(None) {
            bad.push(Field::new("/email_domain", "invalid", "is no domain, such as example.com"));
        }
        if self.max_uses.is_some_and(|uses| !(1..=MAX_USES).contains(&uses)) {
            let detail = format!("is a number from 1 to {MAX_USES}");
            bad.push(Field::new("/max_uses", "out_of_range", detail));
        }
        if self.expires_at.is_some_and(|at| at <= clock::now()) {
            bad.push(Field::new("/expires_at", "out_of_range", "lies in the past"));
        }
        if bad.is_empty() {
            let email_domain = email_domain.flatten();
            Ok(Self { email_domain, ..self })
        } else {
            Err(Error::Invalid(bad))
        }
    }
}

/// The token of a link, which those who made it may see again.
pub fn token(mint: &Mint, row: &invite_link::Model) -> Option<String> {
    mint.again(PURPOSE, row.id.0, 0, &row.token_hash)
}

fn alive(workspace: WorkspaceId) -> Select<invite_link::Entity> {
    invite_link::Entity::find()
        .filter(invite_link::Column::WorkspaceId.eq(workspace))
        .filter(invite_link::Column::RevokedAt.is_null())
}

/// The links of a workspace that are switched on, newest first; some may have run out or be used up.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, access: &Access<ManageMembers>) -> Result<Vec<invite_link::Model>, DbErr> {
    alive(access.workspace()).order_by_desc(invite_link::Column::Id).all(db).await
}

/// Makes a link.
///
/// # Errors
/// [`Error::Invalid`] with every bad field, [`Error::RoleTooHigh`], [`Error::TooMany`], [`Error::Archived`].
pub async fn create(
    tx: &DatabaseTransaction,
    access: &Access<ManageMembers>,
    mint: &Mint,
    new: NewLink,
) -> Result<invite_link::Model, Error> {
    hold::open(tx, access.workspace()).await?;
    let own = access::role_in(tx, access.user(), access.workspace()).await?;
    let new = new.parse()?;
    if !own.is_some_and(|own| own.may_assign(new.role)) {
        return Err(Error::RoleTooHigh);
    }
    if alive(access.workspace()).count(tx).await? >= MAX_LINKS {
        return Err(Error::TooMany("invite links"));
    }
    let id = InviteLinkId::new();
    let row = invite_link::Model {
        id,
        workspace_id: access.workspace(),
        role: new.role,
        token_hash: mint.issue(PURPOSE, id.0, 0).1,
        email_domain: new.email_domain,
        max_uses: new.max_uses,
        uses: 0,
        created_by: access.user(),
        created_at: clock::now(),
        expires_at: new.expires_at,
        revoked_at: None,
    };
    invite_link::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let change = Change::InviteLinkCreated {
        invite_link: id,
        role: row.role,
    };
    events::append(tx, access.by(), change).await?;
    Ok(row)
}

/// Switches a link off. Those who joined with it stay.
///
/// # Errors
/// [`Error::NotFound`] for one that is off or of another workspace.
pub async fn revoke(tx: &DatabaseTransaction, access: &Access<ManageMembers>, id: InviteLinkId) -> Result<(), Error> {
    hold::living(tx, access.workspace()).await?;
    let row = alive(access.workspace())
        .filter(invite_link::Column::Id.eq(id))
        .one(tx)
        .await?
        .ok_or(Error::NotFound)?;
    let mut row = row.into_active_model();
    row.revoked_at = Set(Some(clock::now()));
    row.update(tx).await?;
    events::append(tx, access.by(), Change::InviteLinkRevoked { invite_link: id }).await?;
    Ok(())
}

/// Insists that a link still lets somebody in.
pub(crate) fn check_open(row: &invite_link::Model) -> Result<(), Error> {
    let over = |code| Err(Error::InvitationOver(code));
    if row.revoked_at.is_some() {
        over("invitation_revoked")
    } else if row.expires_at.is_some_and(|at| at <= clock::now()) {
        over("invitation_expired")
    } else if row.max_uses.is_some_and(|most| row.uses >= most) {
        over("invitation_used")
    } else {
        Ok(())
    }
}

pub(crate) async fn by_token(db: &impl ConnectionTrait, token: &str) -> Result<Option<invite_link::Model>, DbErr> {
    invite_link::Entity::find()
        .filter(invite_link::Column::TokenHash.eq(secret::hash(token)))
        .one(db)
        .await
}

/// Joins with a link's token.
pub(crate) async fn join(tx: &DatabaseTransaction, user: &user::Model, token: &str, quotas: &Quotas) -> Result<Joined, Error> {
    let row = by_token(tx, token).await?.ok_or(Error::NotFound)?;
    let workspace = hold::open(tx, row.workspace_id).await?;
    let row = invite_link::Entity::find_by_id(row.id).one(tx).await?.ok_or(Error::NotFound)?;
    check_open(&row)?;
    if access::role_in(tx, user.id, workspace.id).await?.is_some() {
        return Err(Error::AlreadyMember);
    }
    if let Some(domain) = &row.email_domain
        && (user.email_verified_at.is_none() || email::domain_of(&user.email) != domain)
    {
        return Err(Error::AddressNotVerified);
    }
    invitation::still_may(tx, workspace.id, row.created_by, row.role).await?;
    count(tx, &row).await?;
    let by = By {
        workspace: Some(workspace.id),
        user: Some(user.id),
    };
    events::append(tx, by, Change::InviteLinkUsed { invite_link: row.id }).await?;
    member::join(tx, by, user.id, row.role, quotas).await?;
    Ok(joined(workspace, row.role))
}

fn joined(workspace: workspace::Model, role: Role) -> Joined {
    Joined {
        workspace,
        role,
        proves_address: false,
    }
}

/// Counts one more use, in one statement that decides whether there is one left.
async fn count(tx: &DatabaseTransaction, row: &invite_link::Model) -> Result<(), Error> {
    let uses = || Expr::col((invite_link::Entity, invite_link::Column::Uses));
    let is_left = Expr::col((invite_link::Entity, invite_link::Column::MaxUses))
        .is_null()
        .or(uses().lt(Expr::col((invite_link::Entity, invite_link::Column::MaxUses))));
    let counted = invite_link::Entity::update_many()
        .col_expr(invite_link::Column::Uses, Expr::col(invite_link::Column::Uses).add(1))
        .filter(invite_link::Column::Id.eq(row.id))
        .filter(invite_link::Column::RevokedAt.is_null())
        .filter(is_left)
        .exec(tx)
        .await?;
    if counted.rows_affected == 1 {
        Ok(())
    } else {
        Err(Error::InvitationOver("invitation_used"))
    }
}
