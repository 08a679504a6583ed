//! Tickets: what opens one socket or stream within half a minute, so that no token has to stand in an url, which ends up in
//! logs and histories.

use crate::{Accounts, Caller, Error, Through};
use backends::db;
use entity::{session, socket_ticket};
use kernel::{clock, id::*, secret};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use std::time::Duration;

/// How long a ticket waits for its use.
pub const TTL: Duration = Duration::from_secs(30);

/// Makes a ticket for whoever calls with a login; with a document, it opens that page's socket and nothing else.
///
/// # Errors
/// [`Error::Unauthenticated`] for who comes with a key.
pub async fn issue(accounts: &Accounts, caller: &Caller, document: Option<DocumentId>) -> Result<String, Error> {
    let session_id = caller.session().ok_or(Error::Unauthenticated)?;
    let (ticket, now) = (secret::token(), clock::now());
    let row = socket_ticket::Model {
        ticket_hash: secret::hash(&ticket),
        user_id: caller.user,
        session_id,
        document_id: document,
        created_at: now,
        expires_at: now + TTL,
    };
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        socket_ticket::Entity::insert(row.into_active_model())
            .exec_without_returning(tx)
            .await?;
        Ok::<_, Error>(())
    })
    .await?;
    Ok(ticket)
}

/// Turns a ticket in for the one it was made for, whose login has to go on. Good once: of several that come at the same time
/// one deletes the row. A ticket for a page is used up, too, when it comes to another place.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn redeem(accounts: &Accounts, ticket: &str, document: Option<DocumentId>) -> Result<Caller, Error> {
    let (hash, now) = (secret::hash(ticket), clock::now());
    let row = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let row = socket_ticket::Entity::find_by_id(hash.clone()).one(tx).await?;
        let deleted = socket_ticket::Entity::delete_by_id(hash).exec(tx).await?;
        Ok::<_, DbErr>(row.filter(|_| deleted.rows_affected == 1))
    })
    .await?;
    let row = row.filter(|row| row.expires_at > now && row.document_id.is_none_or(|page| document == Some(page)));
    let row = row.ok_or(Error::Unauthenticated)?;
    accounts.goes_on(row.user_id, row.session_id).await?;
    let login = session::Entity::find_by_id(row.session_id).one(accounts.db()).await?;
    let ends = login.ok_or(Error::Unauthenticated)?.expires_at;
    Ok(Caller {
        user: row.user_id,
        through: Through::Session(row.session_id),
        expires_at: ends.min(now + accounts.settings().access_ttl),
    })
}

/// Removes tickets that nobody came with. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(tx: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let late = socket_ticket::Entity::delete_many().filter(socket_ticket::Column::ExpiresAt.lt(clock::now()));
    Ok(late.exec(tx).await?.rows_affected)
}
