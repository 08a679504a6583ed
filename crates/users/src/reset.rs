//! Changing a password: with the old one, or with the token of a letter by who has lost it. Either ends the other logins.

use crate::{
    Accounts, Caller, Error,
    api_key::manage,
    lockout::{self, Attempt},
    logins, mailed,
    mailed::Purpose,
    mfa, session, totp,
    verification::prove,
};
use backends::db;
use entity::user;
use events::{By, Change};
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};

/// The hash of a new password, if it may be one.
async fn hashed(accounts: &Accounts, user: &user::Model, password: String) -> Result<String, Error> {
    let about = [user.email.clone(), user.display_name.clone()];
    match accounts.hasher().judge(password, about).await? {
        (password, None) => accounts.hasher().hash(password).await,
        (_, Some(problem)) => Err(Error::Invalid(vec![problem])),
    }
}

/// Sets a new password with the token of a letter, and ends every login of the account. The letter has proven the address.
///
/// # Errors
/// [`Error::InvalidToken`]; [`Error::Invalid`] when the password is too weak, and then the token still is good.
pub async fn reset(accounts: &Accounts, token: &str, password: String) -> Result<(), Error> {
    let token = mailed::find(accounts.db(), token, &[Purpose::ResetPassword]).await?;
    let user = crate::account::find(accounts.db(), token.user_id).await?;
    let user = user.filter(|user| user.email == token.email).ok_or(Error::InvalidToken)?;
    let hash = hashed(accounts, &user, password).await?;
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        mailed::claim(tx, &token).await?;
        // Neither its address nor its password was changed while this one was hashed.
        if !set(tx, &user, hash).await? {
            return Err(Error::InvalidToken);
        }
        if user.email_verified_at.is_none() {
            disown(tx, user.id).await?;
        }
        prove(tx, &user).await?;
        changed(tx, user.id, None).await
    })
    .await?;
    accounts.forget_standings();
    Ok(())
}

/// Until now anybody could have made this account with somebody else's address: what they left to come back by goes.
async fn disown(tx: &impl ConnectionTrait, user: UserId) -> Result<(), Error> {
    manage::revoke_all(tx, user).await?;
    totp::remove(tx, user).await?;
    Ok(())
}

/// Sets a new password with the old one, and ends the account's other logins.
///
/// # Errors
/// [`Error::WrongPassword`], [`Error::TooManyAttempts`], [`Error::NoPassword`]; [`Error::Invalid`] when the new one is too
/// weak.
pub async fn change(accounts: &Accounts, caller: &Caller, (old, new): (String, String), source: &str) -> Result<(), Error> {
    let user = crate::account::find(accounts.db(), caller.user)
        .await?
        .ok_or(Error::Unauthenticated)?;
    if user.password_hash.is_empty() {
        return Err(Error::NoPassword);
    }
    insist(accounts, &user, old, source).await?;
    let hash = hashed(accounts, &user, new).await?;
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        // Of two who change it at once, the second has not given the password as it is now.
        if !set(tx, &user, hash).await? {
            return Err(Error::WrongPassword);
        }
        changed(tx, user.id, caller.session()).await
    })
    .await?;
    accounts.forget_standings();
    Ok(())
}

/// Insists on an account's password. Wrong ones are counted as those of logins are.
pub(crate) async fn insist(accounts: &Accounts, user: &user::Model, password: String, source: &str) -> Result<(), Error> {
    let attempt = Attempt {
        what: "login",
        whose: &user.email,
        source,
        is_known: session::is_known(accounts.db(), &user.email, source).await?,
    };
    let begun = lockout::begin(accounts, attempt).await?;
    match is_right(accounts, user, password).await {
        Ok(true) => begun.succeeded().await,
        Ok(false) => {
            begun.failed();
            return Err(Error::WrongPassword);
        }
        Err(error) => {
            begun.did_not_count().await;
            return Err(error);
        }
    }
    Ok(())
}

/// Whether a password is an account's; one that is longer than any can be is not hashed.
async fn is_right(accounts: &Accounts, user: &user::Model, password: String) -> Result<bool, Error> {
    if password.len() > 1_024 {
        return Ok(false);
    }
    accounts.hasher().verify(password, Some(user.password_hash.clone())).await
}

/// Writes the hash, unless address or password are others by now.
async fn set(tx: &impl ConnectionTrait, user: &user::Model, hash: String) -> Result<bool, Error> {
    let set = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .col_expr(user::Column::UpdatedAt, Expr::value(clock::now()))
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::Email.eq(&user.email))
        .filter(user::Column::PasswordHash.eq(&user.password_hash))
        .filter(user::Column::DeletedAt.is_null())
        .exec(tx)
        .await?;
    Ok(set.rows_affected == 1)
}

/// What was begun with the old password ends: logins, logins that wait for a code, and letters.
async fn changed(tx: &impl ConnectionTrait, user: UserId, but: Option<SessionId>) -> Result<(), Error> {
    mailed::void(tx, user, &[Purpose::VerifyEmail, Purpose::ChangeEmail, Purpose::ResetPassword]).await?;
    mfa::forget(tx, user).await?;
    logins::end_all(tx, user, but).await?;
    let by = By {
        workspace: None,
        user: Some(user),
    };
    events::append(tx, by, Change::UserPasswordChanged { user }).await?;
    Ok(())
}
