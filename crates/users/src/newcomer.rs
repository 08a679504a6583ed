//! Somebody who makes their account with a letter that was mailed to them: its token proves the address, so the account
//! begins with a proven one.

use crate::{
    Accounts, Error, NewUser, SignedIn, account,
    session::{self, Client},
};
use entity::user;
use events::{By, Change};
use kernel::{clock, id::UserId};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr};

/// An account that is checked and not made yet.
pub struct Newcomer {
    row: user::Model,
}

/// Checks an account and hashes its password, before the transaction that makes it.
///
/// # Errors
/// [`Error::Invalid`] with every bad field.
pub async fn prepare(accounts: &Accounts, new: NewUser) -> Result<Newcomer, Error> {
    let mut row = account::prepare(accounts, new).await?;
    row.email_verified_at = Some(row.created_at);
    Ok(Newcomer { row })
}

/// Makes the account, with a proven address.
///
/// # Errors
/// [`Error::EmailTaken`].
pub async fn admit(tx: &DatabaseTransaction, newcomer: Newcomer) -> Result<user::Model, Error> {
    let row = newcomer.row;
    account::insert(tx, &row).await?;
    proven(tx, row.id).await?;
    Ok(row)
}

/// Begins the newcomer's first login.
///
/// # Errors
/// Only the database's.
pub async fn sign_in(tx: &DatabaseTransaction, accounts: &Accounts, user: user::Model, client: &Client) -> Result<SignedIn, Error> {
    session::start(tx, accounts, user, client).await
}

async fn proven(tx: &DatabaseTransaction, user: UserId) -> Result<(), DbErr> {
    let by = By {
        workspace: None,
        user: Some(user),
    };
    events::append(tx, by, Change::UserEmailVerified { user }).await.map(drop)
}

/// Writes down that somebody has proven their address, if they had not.
///
/// # Errors
/// Only the database's.
pub async fn prove(tx: &DatabaseTransaction, user: UserId) -> Result<(), DbErr> {
    let now = clock::now();
    let changed = user::Entity::update_many()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(Some(now)))
        .col_expr(user::Column::UpdatedAt, Expr::value(now))
        .filter(user::Column::Id.eq(user))
        .filter(user::Column::EmailVerifiedAt.is_null())
        .exec(tx)
        .await?;
    if changed.rows_affected > 0 {
        proven(tx, user).await?;
    }
    Ok(())
}
