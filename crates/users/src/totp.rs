//! The second factor: codes that an authenticator app makes from a shared secret and the time (RFC 6238), and recovery codes
//! for who has lost it.

pub mod codes;
mod seal;

use crate::{Accounts, Error, account, mfa};
use backends::db;
use entity::{totp_factor, user};
use events::{By, Change};
use kernel::{clock, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, SqlErr,
    sea_query::Expr,
};
use std::fmt;
use totp_rs::{Builder, Secret, Totp};

/// What authenticator apps call the product.
const ISSUER: &str = "Sheaf";

/// A secret that is to be put into an authenticator app; shown this once.
pub struct Started {
    /// In base 32, to be typed.
    pub secret: String,
    /// As a QR code shows it.
    pub url: String,
}

impl fmt::Debug for Started {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Started").finish_non_exhaustive()
    }
}

/// Whether a code was right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    Right,
    Wrong,
    TooMany,
}

impl Checked {
    pub fn into_result(self) -> Result<(), Error> {
        match self {
            Self::Right => Ok(()),
            Self::Wrong => Err(Error::WrongCode),
            Self::TooMany => Err(Error::TooManyCodes),
        }
    }
}

/// Six digits, thirty seconds, one step before or after (RFC 6238, section 5.2), SHA-1: what every app knows.
fn codes_of(secret: Vec<u8>) -> Result<Totp, Error> {
    let codes = Builder::new().with_secret(Secret::from(secret)).build();
    codes.map_err(|error| Error::Internal(error.to_string()))
}

/// The step of a code that is right now.
fn step_of(secret: Vec<u8>, code: &str) -> Result<Option<i64>, Error> {
    let now = u64::try_from(clock::now().timestamp()).unwrap_or_default();
    let step = codes_of(secret)?.check(code, now);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

fn by(user: UserId) -> By {
    By {
        workspace: None,
        user: Some(user),
    }
}

fn confirmed(user: UserId) -> sea_orm::Select<totp_factor::Entity> {
    totp_factor::Entity::find_by_id(user).filter(totp_factor::Column::ConfirmedAt.is_not_null())
}

/// Whether an account has a second factor.
///
/// # Errors
/// Only the database's.
pub async fn is_on(db: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    Ok(confirmed(user).count(db).await? > 0)
}

/// Makes a secret. It guards nothing until a code of it is given ([`confirm`]); another call makes another one.
///
/// # Errors
/// [`Error::TotpEnabled`].
pub async fn start(accounts: &Accounts, user: UserId) -> Result<Started, Error> {
    let secret = Secret::generate();
    let sealed = seal::seal(accounts.ring(), user, secret.as_ref())?;
    let owner = db::write(accounts.db(), async |tx: &DatabaseTransaction| put(tx, user, sealed).await).await?;
    // A colon would end the issuer in the label.
    let codes = Builder::new()
        .with_secret(secret.clone())
        .with_account_name(owner.email.replace(':', "_"))
        .with_issuer(Some(ISSUER));
    let url = codes.build().and_then(|codes| codes.to_url());
    Ok(Started {
        secret: secret.to_base32(),
        url: url.map_err(|error| Error::Internal(error.to_string()))?,
    })
}

async fn put(tx: &impl ConnectionTrait, user: UserId, sealed: Vec<u8>) -> Result<user::Model, Error> {
    let owner = account::find(tx, user).await?.ok_or(Error::Unauthenticated)?;
    totp_factor::Entity::delete_by_id(user)
        .filter(totp_factor::Column::ConfirmedAt.is_null())
        .exec(tx)
        .await?;
    let row = totp_factor::Model {
        user_id: user,
        secret: sealed,
        created_at: clock::now(),
        confirmed_at: None,
        last_step: 0,
    };
    let made = totp_factor::Entity::insert(row.into_active_model())
        .exec_without_returning(tx)
        .await;
    made.map_err(|error| match error.sql_err() {
        // Confirmed, so it was not deleted.
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::TotpEnabled,
        _ => Error::Db(error),
    })?;
    Ok(owner)
}

/// Switches the second factor on with a first code, and gives its recovery codes, shown this once.
///
/// # Errors
/// [`Error::TotpMissing`] when none was started, [`Error::TotpEnabled`], [`Error::WrongCode`].
pub async fn confirm(accounts: &Accounts, user: UserId, code: &str) -> Result<Vec<String>, Error> {
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let factor = totp_factor::Entity::find_by_id(user).one(tx).await?.ok_or(Error::TotpMissing)?;
        if factor.confirmed_at.is_some() {
            return Err(Error::TotpEnabled);
        }
        let secret = seal::open(accounts.ring(), user, &factor.secret)?;
        let step = step_of(secret, &plain(code))?.ok_or(Error::WrongCode)?;
        let on = totp_factor::Entity::update_many()
            .col_expr(totp_factor::Column::ConfirmedAt, Expr::value(Some(clock::now())))
            .col_expr(totp_factor::Column::LastStep, Expr::value(step))
            .filter(totp_factor::Column::UserId.eq(user))
            .filter(totp_factor::Column::Secret.eq(factor.secret))
            .filter(totp_factor::Column::ConfirmedAt.is_null())
            .exec(tx)
            .await?;
        if on.rows_affected == 0 {
            return Err(Error::TotpEnabled);
        }
        events::append(tx, by(user), Change::TotpEnabled { user }).await?;
        codes::make(tx, user).await.map_err(Error::from)
    })
    .await
}

/// Makes new recovery codes in place of the old ones.
///
/// # Errors
/// [`Error::TotpMissing`].
pub async fn renew_codes(accounts: &Accounts, user: UserId) -> Result<Vec<String>, Error> {
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        if !is_on(tx, user).await? {
            return Err(Error::TotpMissing);
        }
        events::append(tx, by(user), Change::RecoveryCodesCreated { user }).await?;
        codes::make(tx, user).await.map_err(Error::from)
    })
    .await
}

/// Takes away whatever second factor there is, on or begun.
pub(crate) async fn remove(tx: &impl ConnectionTrait, user: UserId) -> Result<(), Error> {
    let gone = totp_factor::Entity::delete_by_id(user).exec(tx).await?;
    if gone.rows_affected > 0 {
        codes::remove(tx, user).await?;
        events::append(tx, by(user), Change::TotpDisabled { user }).await?;
    }
    Ok(())
}

/// Switches the second factor off.
///
/// # Errors
/// [`Error::TotpMissing`].
pub async fn disable(accounts: &Accounts, user: UserId) -> Result<(), Error> {
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let gone = totp_factor::Entity::delete_by_id(user)
            .filter(totp_factor::Column::ConfirmedAt.is_not_null())
            .exec(tx)
            .await?;
        if gone.rows_affected == 0 {
            return Err(Error::TotpMissing);
        }
        codes::remove(tx, user).await?;
        mfa::forget(tx, user).await?;
        events::append(tx, by(user), Change::TotpDisabled { user }).await?;
        Ok(())
    })
    .await
}

/// A code without what people put between its characters.
fn plain(code: &str) -> String {
    let kept = code.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.flat_map(char::to_lowercase).take(64).collect()
}

/// Checks a code of somebody's second factor, or a recovery code, and uses it up.
pub(crate) async fn check(tx: &impl ConnectionTrait, accounts: &Accounts, user: UserId, code: &str) -> Result<Checked, Error> {
    let code = plain(code);
    let is_right = if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        if mfa::is_exhausted(tx, user).await? {
            return Ok(Checked::TooMany);
        }
        take_step(tx, accounts, user, &code).await?
    } else {
        codes::take(tx, user, &code).await?
    };
    Ok(if is_right { Checked::Right } else { Checked::Wrong })
}

async fn take_step(tx: &impl ConnectionTrait, accounts: &Accounts, user: UserId, code: &str) -> Result<bool, Error> {
    let Some(factor) = confirmed(user).one(tx).await? else {
        return Ok(false);
    };
    let secret = seal::open(accounts.ring(), user, &factor.secret)?;
    if seal::is_outdated(accounts.ring(), &factor.secret) {
        let sealed = seal::seal(accounts.ring(), user, &secret)?;
        renew(tx, &factor, sealed).await?;
    }
    let Some(step) = step_of(secret, code)? else { return Ok(false) };
    // The statement decides: a code that somebody looked at over a shoulder, or two at once, come too late.
    let taken = totp_factor::Entity::update_many()
        .col_expr(totp_factor::Column::LastStep, Expr::value(step))
        .filter(totp_factor::Column::UserId.eq(user))
        .filter(totp_factor::Column::LastStep.lt(step))
        .exec(tx)
        .await?;
    Ok(taken.rows_affected == 1)
}

/// Keeps a secret under the ring's newest key, so that an older one can go.
async fn renew(tx: &impl ConnectionTrait, factor: &totp_factor::Model, sealed: Vec<u8>) -> Result<(), DbErr> {
    totp_factor::Entity::update_many()
        .col_expr(totp_factor::Column::Secret, Expr::value(sealed))
        .filter(totp_factor::Column::UserId.eq(factor.user_id))
        .filter(totp_factor::Column::Secret.eq(factor.secret.clone()))
        .exec(tx)
        .await
        .map(drop)
}

/// Removes secrets that were never confirmed, after a day. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(db: &sea_orm::DatabaseConnection) -> Result<u64, DbErr> {
    let over = clock::now() - std::time::Duration::from_secs(24 * 60 * 60);
    db::write(db, async |tx: &DatabaseTransaction| {
        let gone = totp_factor::Entity::delete_many()
            .filter(totp_factor::Column::ConfirmedAt.is_null())
            .filter(totp_factor::Column::CreatedAt.lt(over));
        Ok(gone.exec(tx).await?.rows_affected)
    })
    .await
}
