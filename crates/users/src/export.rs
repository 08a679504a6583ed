//! Exports of accounts: one file a person, kept for some days, for nobody but them.

use crate::profile;
use entity::{account_export, api_key, identity, session, user};
use events::Change;
use kernel::{clock, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, sea_query::OnConflict,
};
use serde_json::{Value, json};
use std::time::Duration;

/// How long an export can be fetched.
pub const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// What is known about an export, without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// When it was made.
    pub created_at: clock::Time,
    /// After this it is gone.
    pub expires_at: clock::Time,
    /// How many bytes it has.
    pub size: i64,
}

/// Everything that the account itself holds, as files of JSON: no hash, no secret.
///
/// # Errors
/// Only the database's.
pub async fn of_account(db: &impl ConnectionTrait, user: &user::Model) -> Result<Vec<(&'static str, Value)>, DbErr> {
    let sessions = session::Entity::find()
        .filter(session::Column::UserId.eq(user.id))
        .order_by_asc(session::Column::CreatedAt)
        .all(db)
        .await?;
    let keys = api_key::Entity::find()
        .filter(api_key::Column::UserId.eq(user.id))
        .order_by_asc(api_key::Column::CreatedAt)
        .all(db)
        .await?;
    let identities = identity::Entity::find()
        .filter(identity::Column::UserId.eq(user.id))
        .all(db)
        .await?;
    Ok(vec![
        ("profile.json", profile_of(user)),
        ("sessions.json", sessions.iter().map(session_of).collect()),
        ("api_keys.json", keys.iter().map(key_of).collect()),
        ("identities.json", identities.iter().map(identity_of).collect()),
    ])
}

fn profile_of(user: &user::Model) -> Value {
    json!({
        "id": user.id, "email": user.email, "email_verified_at": user.email_verified_at, "display_name": user.display_name,
        "time_zone": user.time_zone, "created_at": user.created_at, "updated_at": user.updated_at,
    })
}

fn session_of(row: &session::Model) -> Value {
    json!({
        "id": row.id, "user_agent": row.user_agent, "created_at": row.created_at, "last_used_at": row.last_used_at,
        "expires_at": row.expires_at, "revoked_at": row.revoked_at, "source": row.source,
    })
}

fn key_of(row: &api_key::Model) -> Value {
    json!({
        "id": row.id, "name": row.name, "prefix": row.prefix, "last_four": row.last_four, "scopes": crate::api_key::manage::scopes_of(row),
        "workspace_id": row.workspace_id, "created_at": row.created_at, "expires_at": row.expires_at, "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
    })
}

fn identity_of(row: &identity::Model) -> Value {
    json!({
        "provider": row.provider, "subject": row.subject, "email": row.email, "created_at": row.created_at,
        "last_used_at": row.last_used_at,
    })
}

/// Keeps an export, in place of the one before it.
///
/// # Errors
/// Only the database's.
pub async fn store(tx: &impl ConnectionTrait, user: UserId, bytes: Vec<u8>) -> Result<account_export::Model, DbErr> {
    let now = clock::now();
    let row = account_export::Model {
        user_id: user,
        size: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        bytes,
        created_at: now,
        expires_at: now + KEPT,
    };
    use account_export::Column;
    let again = OnConflict::column(Column::UserId)
        .update_columns([Column::Size, Column::Bytes, Column::CreatedAt, Column::ExpiresAt])
        .to_owned();
    account_export::Entity::insert(row.clone().into_active_model())
        .on_conflict(again)
        .exec_without_returning(tx)
        .await?;
    events::append(tx, profile::of(user), Change::UserExported { user }).await?;
    Ok(row)
}

/// What is known about somebody's export, while it can be fetched.
///
/// # Errors
/// Only the database's.
pub async fn describe(db: &impl ConnectionTrait, user: UserId) -> Result<Option<Described>, DbErr> {
    use account_export::Column;
    let found: Option<(clock::Time, clock::Time, i64)> = account_export::Entity::find_by_id(user)
        .filter(Column::ExpiresAt.gt(clock::now()))
        .select_only()
        .columns([Column::CreatedAt, Column::ExpiresAt, Column::Size])
        .into_tuple()
        .one(db)
        .await?;
    Ok(found.map(|(created_at, expires_at, size)| Described {
        created_at,
        expires_at,
        size,
    }))
}

/// Somebody's export, while it can be fetched.
///
/// # Errors
/// Only the database's.
pub async fn find(db: &impl ConnectionTrait, user: UserId) -> Result<Option<account_export::Model>, DbErr> {
    account_export::Entity::find_by_id(user)
        .filter(account_export::Column::ExpiresAt.gt(clock::now()))
        .one(db)
        .await
}

/// Removes exports whose time is over. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(tx: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let late = account_export::Entity::delete_many().filter(account_export::Column::ExpiresAt.lt(clock::now()));
    Ok(late.exec(tx).await?.rows_affected)
}
