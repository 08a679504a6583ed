//! The second step of a login: the gate that every way of signing in goes through, and the challenge that waits for a code.
//!
//! A challenge is good once, for five minutes and five codes. Codes of six digits can be guessed by who makes challenge after
//! challenge, so wrong ones are counted for the account too; then only recovery codes are taken, which cannot be guessed. So
//! whoever knows a password keeps its owner out of nothing.

use crate::{
    Accounts, Error, SignedIn, account,
    session::{self, Client},
    totp::{self, Checked},
};
use backends::db;
use entity::{mfa_challenge, user};
use kernel::{clock, id::*, secret};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter,
    sea_query::{Expr, ExprTrait},
};
use std::{fmt, time::Duration};

/// How long a challenge waits.
const TTL: Duration = Duration::from_secs(5 * 60);
/// Codes that one challenge takes.
const ATTEMPTS: i32 = 5;
/// Wrong codes of one account in [`WINDOW`].
const WRONG: i64 = 20;
/// See [`WRONG`]. Challenges are kept for as long.
const WINDOW: Duration = Duration::from_secs(60 * 60);

/// How far somebody got whose first proof was right.
#[derive(Debug)]
pub enum Entered {
    /// All the way.
    In(Box<SignedIn>),
    /// To the second factor.
    Challenge(Challenge),
}

/// A login that waits for a code.
pub struct Challenge {
    /// What the client brings with the code; shown this once.
    pub token: String,
    /// Seconds until it is over.
    pub expires_in: u64,
}

impl fmt::Debug for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}

/// Lets somebody in whose password, or login with another provider, was right: at once, or to their second factor.
///
/// # Errors
/// [`Error::EmailUnverified`] where the address has to be proven first.
pub async fn gate(tx: &impl ConnectionTrait, accounts: &Accounts, user: user::Model, client: &Client) -> Result<Entered, Error> {
    if accounts.settings().require_verified_email && user.email_verified_at.is_none() {
        return Err(Error::EmailUnverified);
    }
    if totp::is_on(tx, user.id).await? {
        let token = secret::token();
        put(tx, user.id, secret::hash(&token), 0).await?;
        return Ok(Entered::Challenge(Challenge {
            token,
            expires_in: TTL.as_secs(),
        }));
    }
    let signed_in = session::start(tx, accounts, user, client).await?;
    Ok(Entered::In(Box::new(signed_in)))
}

async fn put(tx: &impl ConnectionTrait, user: UserId, token_hash: String, attempts: i32) -> Result<(), DbErr> {
    let now = clock::now();
    let row = mfa_challenge::Model {
        id: MfaChallengeId::new(),
        token_hash,
        user_id: user,
        attempts,
        created_at: now,
        expires_at: now + TTL,
    };
    mfa_challenge::Entity::insert(row.into_active_model())
        .exec_without_returning(tx)
        .await
        .map(drop)
}

/// Counts a wrong code that belongs to no login.
pub(crate) async fn note_wrong(tx: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    // As a challenge that nobody has the token of.
    put(tx, user, secret::hash(&secret::token()), 1).await
}

/// Whether there were too many wrong codes of an account of late.
pub(crate) async fn is_exhausted(tx: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let recent = mfa_challenge::Entity::find()
        .filter(mfa_challenge::Column::UserId.eq(user))
        .filter(mfa_challenge::Column::Attempts.gt(0))
        .filter(mfa_challenge::Column::CreatedAt.gt(clock::now() - WINDOW))
        .all(tx)
        .await?;
    // The attempt that asks is counted already where it belongs to a login.
    Ok(recent.iter().map(|one| i64::from(one.attempts)).sum::<i64>() > WRONG)
}

/// What became of a code.
enum Tried {
    In(Box<SignedIn>),
    Refused(Checked),
}

/// Takes the code that a challenge waits for, of the second factor or a recovery code.
///
/// # Errors
/// [`Error::InvalidMfaToken`], [`Error::WrongCode`], [`Error::TooManyCodes`].
pub async fn verify(accounts: &Accounts, token: &str, code: &str, client: Client) -> Result<SignedIn, Error> {
    let token_hash = secret::hash(token);
    let tried = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        attempt(tx, accounts, (&token_hash, code), &client).await
    });
    match tried.await? {
        Tried::In(signed_in) => Ok(*signed_in),
        Tried::Refused(Checked::TooMany) => Err(Error::TooManyCodes),
        Tried::Refused(_) => Err(Error::WrongCode),
    }
}

async fn attempt(tx: &DatabaseTransaction, accounts: &Accounts, (token_hash, code): (&str, &str), client: &Client) -> Result<Tried, Error> {
    // Counted before the code is looked at, in one statement: of many at once none is left out.
    let counted = mfa_challenge::Entity::update_many()
        .col_expr(mfa_challenge::Column::Attempts, Expr::col(mfa_challenge::Column::Attempts).add(1))
        .filter(mfa_challenge::Column::TokenHash.eq(token_hash))
        .filter(mfa_challenge::Column::Attempts.lt(ATTEMPTS))
        .filter(mfa_challenge::Column::ExpiresAt.gt(clock::now()))
        .exec(tx)
        .await?;
    if counted.rows_affected == 0 {
        return Err(Error::InvalidMfaToken);
    }
    let challenge = mfa_challenge::Entity::find()
        .filter(mfa_challenge::Column::TokenHash.eq(token_hash))
        .one(tx)
        .await?
        .ok_or(Error::InvalidMfaToken)?;
    let user = account::find(tx, challenge.user_id).await?.ok_or(Error::InvalidMfaToken)?;
    match totp::check(tx, accounts, user.id, code).await? {
        Checked::Right => {}
        // Committed, so not an error of the transaction.
        refused => return Ok(Tried::Refused(refused)),
    }
    let used = mfa_challenge::Entity::delete_by_id(challenge.id).exec(tx).await?;
    if used.rows_affected == 0 {
        return Err(Error::InvalidMfaToken);
    }
    let signed_in = session::start(tx, accounts, user, client).await?;
    Ok(Tried::In(Box::new(signed_in)))
}

/// Ends every login of an account that waits for a code. What was counted stays counted.
pub(crate) async fn forget(tx: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    mfa_challenge::Entity::update_many()
        .col_expr(mfa_challenge::Column::ExpiresAt, Expr::value(clock::now()))
        .filter(mfa_challenge::Column::UserId.eq(user))
        .exec(tx)
        .await
        .map(drop)
}

/// Removes challenges that count for nothing any more. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(db: &DatabaseConnection) -> Result<u64, DbErr> {
    let over = clock::now() - WINDOW;
    db::write(db, async |tx: &DatabaseTransaction| {
        let gone = mfa_challenge::Entity::delete_many().filter(mfa_challenge::Column::CreatedAt.lt(over));
        Ok(gone.exec(tx).await?.rows_affected)
    })
    .await
}
