//! Tokens that are mailed to somebody: each proves that whoever brings it reads the mail of an address, once and for a while.
//! Rows hold hashes; the letter's job derives the token from its row when it is sent.

use crate::{Error, account};
use backends::db;
use entity::{user, user_token};
use kernel::{
    clock,
    id::*,
    secret::{self, Mint},
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait,
    QueryFilter, sea_query::Expr,
};
use std::{fmt, time::Duration};

const HOUR: u64 = 60 * 60;
/// Between two letters for the same purpose: whoever knows an address cannot fill its inbox.
const PAUSE: Duration = Duration::from_secs(60);
/// Letters to addresses of somebody's choice within an hour.
const AN_HOUR: u64 = 5;
/// How long rows are kept after their end.
const KEPT: Duration = Duration::from_secs(24 * HOUR);

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To prove the address of the account.
    VerifyEmail,
    /// To give the account another address.
    ChangeEmail,
    /// To set a new password.
    ResetPassword,
}

impl Purpose {
    /// The word that stands in the table.
    pub const fn name(self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::ResetPassword => "reset_password",
        }
    }

    /// How long a token is good.
    pub const fn ttl(self) -> Duration {
        Duration::from_secs(match self {
            Self::VerifyEmail => 72 * HOUR,
            Self::ChangeEmail => 24 * HOUR,
            Self::ResetPassword => HOUR,
        })
    }
}

/// A token that is to be mailed.
pub struct Issued {
    /// Whose account it is about.
    pub user: user::Model,
    /// The address it goes to.
    pub to: String,
    /// The token itself.
    pub secret: String,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// Makes a token for somebody's own address, under an id that its letter's job has: the second attempt of a job finds the
/// token of the first. None when there is nothing to mail: the account is gone, its address proven already, the token used,
/// or the last letter was sent a moment ago.
///
/// # Errors
/// Only the database's.
pub async fn issue(db: &DatabaseConnection, mint: &Mint, purpose: Purpose, user: UserId, id: UserTokenId) -> Result<Option<Issued>, DbErr> {
    db::write(db, async |tx: &DatabaseTransaction| {
        if user_token::Entity::find_by_id(id).one(tx).await?.is_some() {
            return again(tx, mint, purpose, id).await;
        }
        let Some(user) = account::find(tx, user).await? else {
            return Ok(None);
        };
        let is_needless = purpose == Purpose::VerifyEmail && user.email_verified_at.is_some();
        if is_needless || is_too_soon(tx, purpose, user.id).await? {
            return Ok(None);
        }
        let email = user.email.clone();
        put(tx, mint, purpose, (user.id, id, &email)).await?;
        again(tx, mint, purpose, id).await
    })
    .await
}

/// A token that was made before, as long as it is good.
///
/// # Errors
/// Only the database's.
pub async fn again(db: &impl ConnectionTrait, mint: &Mint, purpose: Purpose, id: UserTokenId) -> Result<Option<Issued>, DbErr> {
    let row = user_token::Entity::find_by_id(id)
        .filter(user_token::Column::Purpose.eq(purpose.name()))
        .filter(user_token::Column::UsedAt.is_null())
        .filter(user_token::Column::ExpiresAt.gt(clock::now()))
        .one(db)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let user = account::find(db, row.user_id).await?;
    let secret = mint.again(purpose.name(), row.id.0, 0, &row.token_hash);
    Ok(user.zip(secret).map(|(user, secret)| Issued {
        user,
        to: row.email,
        secret,
    }))
}

async fn is_too_soon(tx: &impl ConnectionTrait, purpose: Purpose, user: UserId) -> Result<bool, DbErr> {
    let recent = living(purpose, user).filter(user_token::Column::CreatedAt.gt(clock::now() - PAUSE));
    Ok(recent.count(tx).await? > 0)
}

/// Whether somebody has had as many of these as an hour has room for.
pub(crate) async fn are_too_many(tx: &impl ConnectionTrait, purpose: Purpose, user: UserId) -> Result<bool, DbErr> {
    let recent = user_token::Entity::find()
        .filter(user_token::Column::UserId.eq(user))
        .filter(user_token::Column::Purpose.eq(purpose.name()))
        .filter(user_token::Column::CreatedAt.gt(clock::now() - Duration::from_secs(HOUR)));
    Ok(recent.count(tx).await? >= AN_HOUR)
}

fn living(purpose: Purpose, user: UserId) -> sea_orm::Select<user_token::Entity> {
    user_token::Entity::find()
        .filter(user_token::Column::UserId.eq(user))
        .filter(user_token::Column::Purpose.eq(purpose.name()))
        .filter(user_token::Column::UsedAt.is_null())
}

/// Writes a token down, in place of all older ones for the same purpose.
pub(crate) async fn put(
    tx: &impl ConnectionTrait,
    mint: &Mint,
    purpose: Purpose,
    (user, id, email): (UserId, UserTokenId, &str),
) -> Result<(), DbErr> {
    void(tx, user, &[purpose]).await?;
    let now = clock::now();
    let (_, token_hash) = mint.issue(purpose.name(), id.0, 0);
    let row = user_token::Model {
        id,
        user_id: user,
        purpose: purpose.name().to_owned(),
        email: email.to_owned(),
        token_hash,
        created_at: now,
        expires_at: now + purpose.ttl(),
        used_at: None,
    };
    user_token::Entity::insert(row.into_active_model())
        .exec_without_returning(tx)
        .await
        .map(drop)
}

/// Makes somebody's unused tokens for these purposes good for nothing.
pub(crate) async fn void(tx: &impl ConnectionTrait, user: UserId, purposes: &[Purpose]) -> Result<(), DbErr> {
    user_token::Entity::update_many()
        .col_expr(user_token::Column::UsedAt, Expr::value(Some(clock::now())))
        .filter(user_token::Column::UserId.eq(user))
        .filter(user_token::Column::Purpose.is_in(purposes.iter().map(|purpose| purpose.name())))
        .filter(user_token::Column::UsedAt.is_null())
        .exec(tx)
        .await
        .map(drop)
}

/// The row of a token that still is good for one of these purposes.
pub(crate) async fn find(db: &impl ConnectionTrait, token: &str, purposes: &[Purpose]) -> Result<user_token::Model, Error> {
    user_token::Entity::find()
        .filter(user_token::Column::TokenHash.eq(secret::hash(token)))
        .filter(user_token::Column::Purpose.is_in(purposes.iter().map(|purpose| purpose.name())))
        .filter(user_token::Column::UsedAt.is_null())
        .filter(user_token::Column::ExpiresAt.gt(clock::now()))
        .one(db)
        .await?
        .ok_or(Error::InvalidToken)
}

/// Uses a token up. Of several who bring it at once, one does.
pub(crate) async fn claim(tx: &impl ConnectionTrait, token: &user_token::Model) -> Result<(), Error> {
    let now = clock::now();
    let claimed = user_token::Entity::update_many()
        .col_expr(user_token::Column::UsedAt, Expr::value(Some(now)))
        .filter(user_token::Column::Id.eq(token.id))
        .filter(user_token::Column::UsedAt.is_null())
        .filter(user_token::Column::ExpiresAt.gt(now))
        .exec(tx)
        .await?;
    if claimed.rows_affected == 1 {
        Ok(())
    } else {
        Err(Error::InvalidToken)
    }
}

/// Removes tokens whose time ended more than a day ago. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(db: &DatabaseConnection) -> Result<u64, DbErr> {
    let over = clock::now() - KEPT;
    db::write(db, async |tx: &DatabaseTransaction| {
        let gone = user_token::Entity::delete_many().filter(user_token::Column::ExpiresAt.lt(over));
        Ok(gone.exec(tx).await?.rows_affected)
    })
    .await
}
