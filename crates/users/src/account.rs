//! Accounts: made, signed in to, found.

use crate::{
    Accounts, Error,
    lockout::{self, Attempt},
    mfa::{self, Entered},
    session::{self, Client},
};
use backends::db;
use entity::{administrator, user};
use events::{By, Change};
use kernel::{clock, error::Field, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect, SqlErr,
    sea_query::{Expr, LockType, OnConflict},
};
use std::fmt;

/// An account to be made.
pub struct NewUser {
    /// The address.
    pub email: String,
    /// The password, as typed.
    pub password: String,
    /// What others see.
    pub display_name: String,
}

/// What somebody signs in with.
pub struct Credentials {
    /// The address.
    pub email: String,
    /// The password, as typed.
    pub password: String,
}

/// A login that just began, or went on. The tokens are shown this once.
pub struct SignedIn {
    /// Who.
    pub user: user::Model,
    /// The JWT for requests.
    pub access_token: String,
    /// What the next pair is got with, once.
    pub refresh_token: String,
    /// Seconds until the access token runs out.
    pub expires_in: u64,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedIn").field("user", &self.user.id).finish_non_exhaustive()
    }
}

/// An address in the form it is kept in, or what is wrong with it.
pub(crate) fn parse_email(email: &str) -> Result<String, Field> {
    kernel::email::parse(email).map_err(|detail| Field::new("/email", "invalid", detail))
}

pub(crate) fn parse_name(name: &str) -> Result<String, Field> {
    let name = name.trim();
    if !(1..=100).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Field::new(
            "/display_name",
            "invalid",
            "takes 1 to 100 characters, without line breaks",
        ));
    }
    Ok(name.to_owned())
}

/// Whether somebody administers the whole instance.
///
/// # Errors
/// Only the database's.
pub async fn is_admin(db: &impl ConnectionTrait, user: UserId) -> Result<bool, DbErr> {
    let living = user::Entity::find_by_id(user).filter(user::Column::DeletedAt.is_null());
    let administers = administrator::Entity::find_by_id(user).one(db).await?.is_some();
    Ok(administers && living.one(db).await?.is_some())
}

/// The row of an account that is to be made: everything in it is checked, its password is hashed.
pub(crate) async fn prepare(accounts: &Accounts, new: NewUser) -> Result<user::Model, Error> {
    let (email, name) = (parse_email(&new.email), parse_name(&new.display_name));
    let (password, problem) = accounts.hasher().judge(new.password, [new.email, new.display_name]).await?;
    let (email, display_name) = match (email, name, problem) {
        (Ok(email), Ok(name), None) => (email, name),
        (email, name, problem) => {
            return Err(Error::Invalid([email.err(), problem, name.err()].into_iter().flatten().collect()));
        }
    };
    let password_hash = accounts.hasher().hash(password).await?;
    let now = clock::now();
    Ok(user::Model {
        id: UserId::new(),
        email,
        display_name,
        email_verified_at: None,
        time_zone: None,
        password_hash,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

pub(crate) async fn insert(tx: &impl ConnectionTrait, row: &user::Model) -> Result<(), Error> {
    user::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await
        .map_err(taken)?;
    let by = By {
        workspace: None,
        user: Some(row.id),
    };
    events::append(tx, by, Change::UserRegistered { user: row.id }).await?;
    Ok(())
}

/// Makes an account and signs it in. A taken address is told: until addresses are verified by mail, there is no other
/// way for its owner to learn that they have an account.
///
/// # Errors
/// [`Error::Invalid`] with every bad field, [`Error::EmailTaken`]; [`Error::EmailUnverified`] when the account was made, but
/// nobody may sign in to it before its address is proven.
pub async fn register(accounts: &Accounts, new: NewUser, client: Client) -> Result<SignedIn, Error> {
    let row = prepare(accounts, new).await?;
    let signed_in = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        insert(tx, &row).await?;
        if accounts.settings().require_verified_email {
            return Ok(None);
        }
        session::start(tx, accounts, row.clone(), &client).await.map(Some)
    });
    signed_in.await?.ok_or(Error::EmailUnverified)
}

/// Makes an account without signing it in, for whoever runs the instance.
///
/// # Errors
/// As [`register`].
pub async fn create(accounts: &Accounts, new: NewUser, is_admin: bool) -> Result<user::Model, Error> {
    let row = prepare(accounts, new).await?;
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        insert(tx, &row).await?;
        if is_admin {
            appoint(tx, row.id).await?;
        }
        Ok::<_, Error>(())
    })
    .await?;
    Ok(row)
}

/// Says whether somebody administers the whole instance. `false` when there is no such account.
///
/// # Errors
/// Only the database's.
pub async fn set_admin(db: &impl ConnectionTrait, email: &str, is_admin: bool) -> Result<bool, DbErr> {
    let Some(user) = find_by_email(db, email).await? else {
        return Ok(false);
    };
    if is_admin {
        appoint(db, user.id).await?;
    } else {
        administrator::Entity::delete_by_id(user.id).exec(db).await?;
    }
    Ok(true)
}

async fn appoint(db: &impl ConnectionTrait, user: UserId) -> Result<(), DbErr> {
    let row = administrator::Model {
        user_id: user,
        created_at: clock::now(),
    };
    let already = OnConflict::column(administrator::Column::UserId).do_nothing().to_owned();
    administrator::Entity::insert(row.into_active_model())
        .on_conflict(already)
        .exec_without_returning(db)
        .await
        .map(drop)
}

pub(crate) fn taken(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => Error::EmailTaken,
        _ => Error::Db(error),
    }
}

/// Signs somebody in, or asks for their second factor.
///
/// # Errors
/// [`Error::InvalidCredentials`], the same and after the same time for an unknown address and a wrong password;
/// [`Error::EmailUnverified`] where the address has to be proven first.
/// [`Error::TooManyAttempts`], the same for both too.
pub async fn login(accounts: &Accounts, credentials: Credentials, client: Client) -> Result<Entered, Error> {
    let Some(source) = client.source.clone() else {
        return check_and_start(accounts, credentials, client).await;
    };
    let email = credentials.email.clone();
    let attempt = Attempt {
        what: "login",
        whose: &email,
        source: &source,
        is_known: session::is_known(accounts.db(), &email, &source).await?,
    };
    let begun = lockout::begin(accounts, attempt).await?;
    let done = check_and_start(accounts, credentials, client).await;
    match &done {
        Ok(_) => begun.succeeded().await,
        Err(Error::InvalidCredentials) => begun.failed(),
        Err(_) => begun.did_not_count().await,
    }
    done
}

async fn check_and_start(accounts: &Accounts, credentials: Credentials, client: Client) -> Result<Entered, Error> {
    let Credentials { email, password } = credentials;
    let user = match parse_email(&email) {
        Ok(email) => find_by_email(accounts.db(), &email).await?,
        Err(_) => None,
    };
    // Longer than any password can be: not hashed, whoever it is for.
    if password.len() > 1_024 {
        return Err(Error::InvalidCredentials);
    }
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    if !accounts.hasher().verify(password.clone(), hash).await? {
        return Err(Error::InvalidCredentials);
    }
    let user = user.ok_or(Error::InvalidCredentials)?;
    let renewed = if accounts.hasher().is_outdated(&user.password_hash) {
        Some(accounts.hasher().hash(password).await?)
    } else {
        None
    };
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let user = hold(tx, &user).await?.ok_or(Error::InvalidCredentials)?;
        if let Some(renewed) = renewed {
            renew(tx, &user, renewed).await?;
        }
        mfa::gate(tx, accounts, user, &client).await
    })
    .await
}

/// The account again, if its password still is the one that was looked at, and so that nobody changes it before this
/// transaction ends: a login with an old password is not to begin behind the change that ended all others.
async fn hold(tx: &DatabaseTransaction, user: &user::Model) -> Result<Option<user::Model>, DbErr> {
    let row = user::Entity::find_by_id(user.id)
        .filter(user::Column::Email.eq(&user.email))
        .filter(user::Column::PasswordHash.eq(&user.password_hash))
        .filter(user::Column::DeletedAt.is_null());
    let row = match tx.get_database_backend() {
        DbBackend::Postgres => row.lock(LockType::NoKeyUpdate),
        _ => row,
    };
    row.one(tx).await
}

/// Keeps a password's hash of the configured cost, unless the password was changed meanwhile.
async fn renew(tx: &impl ConnectionTrait, user: &user::Model, hash: String) -> Result<(), DbErr> {
    user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash))
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::PasswordHash.eq(&user.password_hash))
        .exec(tx)
        .await?;
    Ok(())
}

/// A living account by its id.
///
/// # Errors
/// Only the database's.
pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<user::Model>, DbErr> {
    user::Entity::find_by_id(id).filter(user::Column::DeletedAt.is_null()).one(db).await
}

/// A living account by its address.
///
/// # Errors
/// Only the database's.
pub async fn find_by_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<user::Model>, DbErr> {
    let email = email.trim().to_lowercase();
    user::Entity::find()
        .filter(user::Column::Email.eq(email))
        .filter(user::Column::DeletedAt.is_null())
        .one(db)
        .await
}
