//! The logins of an account, as its owner sees and ends them.

use crate::{Accounts, Caller, Error};
use backends::db;
use entity::session;
use events::{By, Change};
use kernel::{clock, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};

/// Logins that are shown; nobody has more who does not want to.
const MOST: u64 = 500;

fn living(user: UserId) -> sea_orm::Select<session::Entity> {
    session::Entity::find()
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(clock::now()))
}

/// Somebody's logins that go on, the last used first.
///
/// # Errors
/// Only the database's.
pub async fn list(accounts: &Accounts, user: UserId) -> Result<Vec<session::Model>, DbErr> {
    // One that was not used for so long has no refresh token any more.
    let unused = clock::now() - accounts.settings().refresh_ttl;
    living(user)
        .filter(session::Column::LastUsedAt.gt(unused))
        .order_by_desc(session::Column::LastUsedAt)
        .order_by_desc(session::Column::Id)
        .limit(MOST)
        .all(accounts.db())
        .await
}

/// Ends one of somebody's logins; their sockets and streams end with it.
///
/// # Errors
/// [`Error::SessionNotFound`].
pub async fn revoke(accounts: &Accounts, user: UserId, id: SessionId) -> Result<(), Error> {
    db::write(accounts.db(), async |tx: &DatabaseTransaction| match end(tx, user, &[id]).await? {
        0 => Err(Error::SessionNotFound),
        _ => tell(tx, user, id).await.map_err(Error::from),
    })
    .await?;
    accounts.forget_standings();
    Ok(())
}

/// Ends all of somebody's logins but the one they come with. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn revoke_others(accounts: &Accounts, caller: &Caller) -> Result<u64, Error> {
    let ended = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let mut others: Vec<SessionId> = living(caller.user).all(tx).await?.into_iter().map(|login| login.id).collect();
        others.retain(|id| Some(*id) != caller.session());
        let ended = end(tx, caller.user, &others).await?;
        for id in others {
            tell(tx, caller.user, id).await?;
        }
        Ok::<_, Error>(ended)
    })
    .await?;
    accounts.forget_standings();
    Ok(ended)
}

async fn end(tx: &impl ConnectionTrait, user: UserId, ids: &[SessionId]) -> Result<u64, DbErr> {
    let ended = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(Some(clock::now())))
        .filter(session::Column::Id.is_in(ids.iter().copied()))
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(ended.rows_affected)
}

async fn tell(tx: &impl ConnectionTrait, user: UserId, session: SessionId) -> Result<(), DbErr> {
    let by = By {
        workspace: None,
        user: Some(user),
    };
    events::append(tx, by, Change::SessionRevoked { session }).await.map(drop)
}

/// Ends all logins of an account but one. Whoever calls this appends the fact that says why.
pub(crate) async fn end_all(tx: &impl ConnectionTrait, user: UserId, but: Option<SessionId>) -> Result<(), DbErr> {
    let mut all = session::Entity::update_many()
        .col_expr(session::Column::RevokedAt, Expr::value(Some(clock::now())))
        .filter(session::Column::UserId.eq(user))
        .filter(session::Column::RevokedAt.is_null());
    if let Some(but) = but {
        all = all.filter(session::Column::Id.ne(but));
    }
    all.exec(tx).await.map(drop)
}
