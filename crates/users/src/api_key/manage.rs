//! Keys for programs: made, listed, changed, revoked. The key itself is shown once, when it is made.

use super::PREFIX;
use crate::{Accounts, Caller, Error, scope::Scope};
use backends::db;
use entity::{api_key, user};
use events::{By, Change};
use kernel::{
    clock::{self, Time},
    error::Field,
    id::*,
    secret,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::LockType,
};

/// Keys that one person has at most, those that ran out included.
const MOST: u64 = 100;
/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// Scopes of one key at most.
const MAX_SCOPES: usize = 100;
/// Characters of a key that are kept to recognise it by.
const SHOWN: usize = 12;

/// What somebody says about a key of theirs.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// What it is for.
    pub name: Option<String>,
    /// What it may do: `documents:read`.
    pub scopes: Option<Vec<String>>,
    /// After this it is refused; `Some(None)` for never.
    pub expires_at: Option<Option<Time>>,
}

/// A wish that makes sense.
struct Checked {
    name: Option<String>,
    /// As it stands in the table.
    scopes: Option<String>,
    expires_at: Option<Option<Time>>,
}

fn check_name(name: &str) -> Result<String, Field> {
    let name = name.trim();
    if !(1..=MAX_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        let detail = format!("takes 1 to {MAX_NAME} characters, without line breaks");
        return Err(Field::new("/name", "invalid", detail));
    }
    Ok(name.to_owned())
}

/// Reads scopes; `resources` are the names that a scope may have before its colon.
fn check_scopes(scopes: &[String], resources: &[&str]) -> Result<String, Vec<Field>> {
    if scopes.is_empty() || scopes.len() > MAX_SCOPES {
        let detail = format!("takes 1 to {MAX_SCOPES} scopes");
        return Err(vec![Field::new("/scopes", "invalid", detail)]);
    }
    let mut bad = Vec::new();
    let mut good: Vec<String> = Vec::new();
    for (at, text) in scopes.iter().enumerate() {
        match text.parse::<Scope>() {
            Err(()) => bad.push(Field::new(format!("/scopes/{at}"), "invalid", "is not of the form resource:verb")),
            Ok(scope) if scope.resource().is_some_and(|name| !resources.contains(&name)) => {
                let detail = format!("names no resource that keys open; there are {}", resources.join(", "));
                bad.push(Field::new(format!("/scopes/{at}"), "unknown_resource", detail));
            }
            Ok(scope) if good.contains(&scope.to_string()) => {}
            Ok(scope) => good.push(scope.to_string()),
        }
    }
    if bad.is_empty() {
        Ok(serde_json::to_string(&good).unwrap_or_else(|_| "[]".to_owned()))
    } else {
        Err(bad)
    }
}

fn check_expiry(at: Time) -> Result<Time, Field> {
    if at > clock::now() {
        Ok(at)
    } else {
        Err(Field::new("/expires_at", "invalid", "lies in the past"))
    }
}

impl Wish {
    fn check(&self, resources: &[&str]) -> Result<Checked, Error> {
        let mut bad = Vec::new();
        let name = self.name.as_deref().map(check_name).transpose();
        let scopes = self.scopes.as_deref().map(|scopes| check_scopes(scopes, resources)).transpose();
        let expires_at = self.expires_at.map(|at| at.map(check_expiry).transpose()).transpose();
        match (name, scopes, expires_at) {
            (Ok(name), Ok(scopes), Ok(expires_at)) => Ok(Checked { name, scopes, expires_at }),
            (name, scopes, expires_at) => {
                bad.extend(name.err());
                bad.extend(scopes.err().into_iter().flatten());
                bad.extend(expires_at.err());
                Err(Error::Invalid(bad))
            }
        }
    }
}

/// What a key may do, as it is said.
pub fn scopes_of(row: &api_key::Model) -> Vec<String> {
    super::scopes(row).iter().map(ToString::to_string).collect()
}

/// Makes a key. Gives its row, and the key, which nobody can read again. Whether the caller belongs to the workspace is
/// the door's to say, before.
///
/// # Errors
/// [`Error::Invalid`] with every bad field, [`Error::TooManyKeys`].
pub async fn create(
    accounts: &Accounts,
    caller: &Caller,
    wish: &Wish,
    workspace: Option<WorkspaceId>,
    resources: &[&str],
) -> Result<(api_key::Model, String), Error> {
    let Checked { name, scopes, expires_at } = wish.check(resources)?;
    let key = format!("{PREFIX}{}", secret::token());
    let row = api_key::Model {
        id: ApiKeyId::new(),
        user_id: caller.user,
        workspace_id: workspace,
        name: name.unwrap_or_default(),
        prefix: key[..SHOWN].to_owned(),
        last_four: key[key.len() - 4..].to_owned(),
        key_hash: secret::hash(&key),
        scopes: scopes.unwrap_or_else(|| "[]".to_owned()),
        created_at: clock::now(),
        expires_at: expires_at.flatten(),
        last_used_at: None,
        revoked_at: None,
    };
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        keep_few(tx, caller.user).await?;
        api_key::Entity::insert(row.clone().into_active_model())
            .exec_without_returning(tx)
            .await?;
        events::append(tx, by(caller.user), Change::ApiKeyCreated { api_key: row.id }).await?;
        Ok::<_, Error>(())
    })
    .await?;
    Ok((row, key))
}

/// Counts under a lock, so that requests that come together do not all find room for one more.
async fn keep_few(tx: &DatabaseTransaction, user: UserId) -> Result<(), Error> {
    if tx.get_database_backend() == DbBackend::Postgres {
        user::Entity::find_by_id(user).lock(LockType::NoKeyUpdate).one(tx).await?;
    }
    if living(user).count(tx).await? < MOST {
        Ok(())
    } else {
        Err(Error::TooManyKeys)
    }
}

fn living(user: UserId) -> sea_orm::Select<api_key::Entity> {
    api_key::Entity::find()
        .filter(api_key::Column::UserId.eq(user))
        .filter(api_key::Column::RevokedAt.is_null())
}

fn by(user: UserId) -> By {
    By {
        workspace: None,
        user: Some(user),
    }
}

/// Somebody's keys, oldest first; those that were revoked are gone.
///
/// # Errors
/// Only the database's.
pub async fn list(db: &impl ConnectionTrait, user: UserId) -> Result<Vec<api_key::Model>, DbErr> {
    living(user).order_by_asc(api_key::Column::Id).all(db).await
}

/// One of somebody's keys.
///
/// # Errors
/// [`Error::KeyNotFound`], also for somebody else's.
pub async fn find(db: &impl ConnectionTrait, user: UserId, id: ApiKeyId) -> Result<api_key::Model, Error> {
    let row = living(user).filter(api_key::Column::Id.eq(id)).one(db).await?;
    row.ok_or(Error::KeyNotFound)
}

/// Changes what is said of a key; the key itself stays.
///
/// # Errors
/// [`Error::Invalid`] with every bad field, [`Error::KeyNotFound`].
pub async fn change(accounts: &Accounts, user: UserId, id: ApiKeyId, wish: &Wish, resources: &[&str]) -> Result<api_key::Model, Error> {
    let wished = wish.check(resources)?;
    let row = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let row = find(tx, user, id).await?;
        let mut next = row.clone();
        next.name = wished.name.unwrap_or(next.name);
        next.scopes = wished.scopes.unwrap_or(next.scopes);
        next.expires_at = wished.expires_at.unwrap_or(next.expires_at);
        if next == row {
            return Ok(row);
        }
        api_key::ActiveModel {
            id: Set(id),
            name: Set(next.name.clone()),
            scopes: Set(next.scopes.clone()),
            expires_at: Set(next.expires_at),
            ..Default::default()
        }
        .update(tx)
        .await?;
        events::append(tx, by(user), Change::ApiKeyUpdated { api_key: id }).await?;
        Ok::<_, Error>(next)
    })
    .await?;
    accounts.forget_standings();
    Ok(row)
}

/// Revokes all keys of somebody.
pub(crate) async fn revoke_all(tx: &impl ConnectionTrait, user: UserId) -> Result<(), Error> {
    let keys = api_key::Entity::find()
        .filter(api_key::Column::UserId.eq(user))
        .filter(api_key::Column::RevokedAt.is_null());
    for row in keys.all(tx).await? {
        let id = row.id;
        let mut row = row.into_active_model();
        row.revoked_at = Set(Some(clock::now()));
        row.update(tx).await?;
        events::append(tx, by(user), Change::ApiKeyRevoked { api_key: id }).await?;
    }
    Ok(())
}

/// Revokes a key: it is refused from now on.
///
/// # Errors
/// [`Error::KeyNotFound`].
pub async fn revoke(accounts: &Accounts, user: UserId, id: ApiKeyId) -> Result<(), Error> {
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let revoked = api_key::Entity::update_many()
            .col_expr(api_key::Column::RevokedAt, sea_orm::sea_query::Expr::value(Some(clock::now())))
            .filter(api_key::Column::Id.eq(id))
            .filter(api_key::Column::UserId.eq(user))
            .filter(api_key::Column::RevokedAt.is_null())
            .exec(tx)
            .await?;
        if revoked.rows_affected == 0 {
            return Err(Error::KeyNotFound);
        }
        events::append(tx, by(user), Change::ApiKeyRevoked { api_key: id }).await?;
        Ok::<_, Error>(())
    })
    .await?;
    accounts.forget_standings();
    Ok(())
}
