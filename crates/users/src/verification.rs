//! Proving that an address is somebody's, and giving an account another one: with the token of a letter.

use crate::{
    Accounts, Error, account,
    mailed::{self, Purpose},
};
use backends::db;
use entity::{user, user_token};
use events::{By, Change};
use kernel::{clock, error::Field, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

/// Takes the token of a letter, and gives the address that is proven by it. The account has it from now on, if it is a new
/// one.
///
/// # Errors
/// [`Error::InvalidToken`], also when the account has got another address meanwhile; [`Error::EmailTaken`] when somebody else
/// has got the new one.
pub async fn verify(accounts: &Accounts, token: &str) -> Result<String, Error> {
    let token = mailed::find(accounts.db(), token, &[Purpose::VerifyEmail, Purpose::ChangeEmail]).await?;
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        mailed::claim(tx, &token).await?;
        let user = account::find(tx, token.user_id).await?.ok_or(Error::InvalidToken)?;
        if token.purpose == Purpose::ChangeEmail.name() {
            change(tx, &user, &token).await
        } else if user.email == token.email {
            prove(tx, &user).await.map_err(Error::from)
        } else {
            Err(Error::InvalidToken)
        }
    })
    .await?;
    Ok(token.email)
}

fn by(user: &user::Model) -> By {
    By {
        workspace: None,
        user: Some(user.id),
    }
}

/// Writes down that the account's address is its owner's: they have brought something that was mailed to it.
///
/// # Errors
/// Only the database's.
pub async fn prove(tx: &impl ConnectionTrait, user: &user::Model) -> Result<(), DbErr> {
    let now = clock::now();
    let proven = user::Entity::update_many()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(Some(now)))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::Email.eq(&user.email))
        .filter(user::Column::EmailVerifiedAt.is_null())
        .exec(tx)
        .await?;
    if proven.rows_affected > 0 {
        events::append(tx, by(user), Change::UserEmailVerified { user: user.id }).await?;
    }
    Ok(())
}

/// Gives the account its new address. Letters to the old one open nothing any more.
async fn change(tx: &impl ConnectionTrait, user: &user::Model, token: &user_token::Model) -> Result<(), Error> {
    let now = clock::now();
    user::Entity::update_many()
        .col_expr(user::Column::Email, Expr::value(&token.email))
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(Some(now)))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user.id))
        .exec(tx)
        .await
        .map_err(account::taken)?;
    mailed::void(tx, user.id, &[Purpose::VerifyEmail, Purpose::ChangeEmail, Purpose::ResetPassword]).await?;
    events::append(tx, by(user), Change::UserEmailChanged { user: user.id }).await?;
    events::append(tx, by(user), Change::UserEmailVerified { user: user.id }).await?;
    Ok(())
}

/// What follows from the wish for another address.
pub struct Asked {
    /// The account as it is.
    pub user: user::Model,
    /// What the letter to the new address is made from; none when that has an account, whose owner is not written to.
    pub token: Option<UserTokenId>,
}

/// Writes down that somebody wants another address. It is theirs once the token is brought that is mailed there; nobody is
/// told whether it has an account already.
///
/// # Errors
/// [`Error::Invalid`] when it is no address, or is the account's already.
pub async fn ask_change(tx: &DatabaseTransaction, accounts: &Accounts, user: UserId, email: &str) -> Result<Asked, Error> {
    let email = account::parse_email(email).map_err(|field| Error::Invalid(vec![field]))?;
    let user = account::find(tx, user).await?.ok_or(Error::Unauthenticated)?;
    if user.email == email {
        let same = Field::new("/email", "unchanged", "is the address of the account already");
        return Err(Error::Invalid(vec![same]));
    }
    let is_taken = user::Entity::find().filter(user::Column::Email.eq(&email)).one(tx).await?.is_some();
    // Nobody is mailed again and again by somebody else's wish.
    if is_taken || mailed::are_too_many(tx, Purpose::ChangeEmail, user.id).await? {
        return Ok(Asked { user, token: None });
    }
    let id = UserTokenId::new();
    mailed::put(tx, &accounts.mint(), Purpose::ChangeEmail, (user.id, id, &email)).await?;
    Ok(Asked { user, token: Some(id) })
}
