//! Logins: begun, refreshed, ended (RFC 9700 §4.14: refresh tokens rotate, and reuse ends the family).

use crate::{
    Accounts, Error, SignedIn, account,
    token::{self, Grant},
};
use backends::db;
use entity::{refresh_token, session, user};
use events::{By, Change};
use kernel::{
    clock,
    id::*,
    secret::{self, hash},
};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QueryFilter,
    sea_query::Expr,
};
use std::time::Duration;

/// What a client says about itself.
#[derive(Clone, Debug, Default)]
pub struct Client {
    /// Its `User-Agent`.
    pub user_agent: String,
    /// The network it comes from.
    pub source: Option<String>,
}

/// Begins a login.
pub(crate) async fn start(tx: &impl ConnectionTrait, accounts: &Accounts, user: user::Model, client: &Client) -> Result<SignedIn, Error> {
    let (id, now) = (SessionId::new(), clock::now());
    let row = session::ActiveModel {
        id: Set(id),
        user_id: Set(user.id),
        user_agent: Set(client.user_agent.chars().filter(|c| !c.is_control()).take(256).collect()),
        created_at: Set(now),
        last_used_at: Set(now),
        expires_at: Set(now + accounts.settings().session_ttl),
        authenticated_at: Set(Some(now)),
        source: Set(client.source.clone()),
        revoked_at: Set(None),
    };
    session::Entity::insert(row).exec_without_returning(tx).await?;
    events::append(
        tx,
        By {
            workspace: None,
            user: Some(user.id),
        },
        Change::UserSignedIn { session: id },
    )
    .await?;
    issue(tx, accounts, user, id).await
}

/// A new pair of tokens for a login.
async fn issue(tx: &impl ConnectionTrait, accounts: &Accounts, user: user::Model, session: SessionId) -> Result<SignedIn, Error> {
    let (id, refresh_token, now) = (RefreshTokenId::new(), secret::token(), clock::now());
    let row = refresh_token::ActiveModel {
        id: Set(id),
        session_id: Set(session),
        token_hash: Set(hash(&refresh_token)),
        created_at: Set(now),
        expires_at: Set(now + accounts.settings().refresh_ttl),
        used_at: Set(None),
    };
    refresh_token::Entity::insert(row).exec_without_returning(tx).await?;
    let access_token = token::issue(
        accounts.ring(),
        accounts.settings(),
        Grant {
            user: user.id,
            session,
            with: id,
        },
    )?;
    Ok(SignedIn {
        user,
        access_token,
        refresh_token,
        expires_in: accounts.settings().access_ttl.as_secs(),
    })
}

/// What became of a refresh token that was turned in.
enum Turned {
    In(Box<SignedIn>),
    Reused,
}

/// Turns a refresh token in for the next pair.
///
/// # Errors
/// [`Error::InvalidRefreshToken`]; [`Error::RefreshTokenReused`] when it was spent longer ago than the leeway, which
/// ends the login for whoever holds its other tokens too.
pub async fn refresh(accounts: &Accounts, token: &str) -> Result<SignedIn, Error> {
    let token_hash = hash(token);
    let turned = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        turn_in(tx, accounts, &token_hash).await
    })
    .await?;
    match turned {
        Turned::In(signed_in) => Ok(*signed_in),
        Turned::Reused => {
            accounts.forget_standings();
            Err(Error::RefreshTokenReused)
        }
    }
}

async fn turn_in(tx: &DatabaseTransaction, accounts: &Accounts, token_hash: &str) -> Result<Turned, Error> {
    let now = clock::now();
    // One statement decides who is first, however many come at once.
    let first = refresh_token::Entity::update_many()
        .col_expr(refresh_token::Column::UsedAt, Expr::value(Some(now)))
        .filter(refresh_token::Column::TokenHash.eq(token_hash))
        .filter(refresh_token::Column::UsedAt.is_null())
        .exec(tx)
        .await?;
    let token = refresh_token::Entity::find()
        .filter(refresh_token::Column::TokenHash.eq(token_hash))
        .one(tx)
        .await?;
    let token = token.ok_or(Error::InvalidRefreshToken)?;
    let login = session::Entity::find_by_id(token.session_id)
        .one(tx)
        .await?
        .ok_or(Error::InvalidRefreshToken)?;
    if login.revoked_at.is_some() || login.expires_at <= now || token.expires_at <= now {
        return Err(Error::InvalidRefreshToken);
    }
    let spent_for = token.used_at.map(|at| (now - at).to_std().unwrap_or_default());
    // Within the leeway it is another tab of the same browser: it gets a pair of its own.
    if first.rows_affected == 0 && spent_for.is_some_and(|spent| spent >= accounts.settings().reuse_leeway) {
        // Of several that come at once, one ends it and says so.
        if end(tx, login.id).await? {
            let by = By {
                workspace: None,
                user: Some(login.user_id),
            };
            events::append(tx, by, Change::SessionRevokedOnReuse { session: login.id }).await?;
        }
        // Committed, so not an error of the transaction.
        return Ok(Turned::Reused);
    }
    // Asked again in the statement that writes: a logout may have come in between.
    let going_on = session::Entity::update_many()
        .col_expr(session::Column::LastUsedAt, Expr::value(now))
        .filter(session::Column::Id.eq(login.id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    if going_on.rows_affected == 0 {
        return Err(Error::InvalidRefreshToken);
    }
    let user = account::find(tx, login.user_id).await?.ok_or(Error::InvalidRefreshToken)?;
    issue(tx, accounts, user, login.id)
        .await
        .map(|signed_in| Turned::In(Box::new(signed_in)))
}

async fn end(tx: &impl ConnectionTrait, id: SessionId) -> Result<bool, DbErr> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(Some(clock::now())))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(ended.rows_affected > 0)
}

/// Ends the login a refresh token belongs to. A token that is unknown or of an ended login is no error: the caller is
/// where they want to be.
///
/// # Errors
/// Only the database's.
pub async fn logout(accounts: &Accounts, token: &str) -> Result<(), Error> {
    let token_hash = hash(token);
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let found = refresh_token::Entity::find()
            .filter(refresh_token::Column::TokenHash.eq(token_hash))
            .one(tx)
            .await?;
        let Some(token) = found else { return Ok(()) };
        if end(tx, token.session_id).await?
            && let Some(login) = session::Entity::find_by_id(token.session_id).one(tx).await?
        {
            let by = By {
                workspace: None,
                user: Some(login.user_id),
            };
            events::append(tx, by, Change::UserSignedOut { session: login.id }).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    accounts.forget_standings();
    Ok(())
}

/// Removes logins that ended or ran out more than a day ago, with their tokens. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(db: &DatabaseConnection) -> Result<u64, DbErr> {
    let yesterday = clock::now() - Duration::from_secs(24 * 60 * 60);
    let is_over = Condition::any()
        .add(session::Column::ExpiresAt.lt(yesterday))
        .add(session::Column::RevokedAt.lt(yesterday));
    db::write(db, async |tx: &DatabaseTransaction| {
        Ok(session::Entity::delete_many().filter(is_over).exec(tx).await?.rows_affected)
    })
    .await
}
