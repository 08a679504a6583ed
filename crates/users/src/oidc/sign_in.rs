//! From somebody a provider vouches for to an account of ours.

use super::{Problem, exchange::Who};
use crate::{
    Accounts, Client, Error, account,
    mfa::{self, Entered},
    profile,
};
use backends::db;
use entity::{identity, user};
use events::Change;
use kernel::{clock, id::*};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter};

/// Signs in whom a provider vouches for: the account their identity there is linked to; else the one with their address,
/// when both sides have verified it; else a new one.
pub(super) async fn sign_in(accounts: &Accounts, provider: &str, who: Who, client: &Client) -> Result<Entered, Error> {
    let signed_in = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let user = match linked(tx, provider, &who).await? {
            Some(user) => user,
            None => link(tx, provider, &who).await?,
        };
        mfa::gate(tx, accounts, user, client).await
    });
    signed_in.await
}

/// The account an identity is linked to.
async fn linked(tx: &DatabaseTransaction, provider: &str, who: &Who) -> Result<Option<user::Model>, Error> {
    let found = identity::Entity::find()
        .filter(identity::Column::Provider.eq(provider))
        .filter(identity::Column::Subject.eq(&who.subject))
        .one(tx)
        .await?;
    let Some(row) = found else { return Ok(None) };
    let user = account::find(tx, row.user_id).await?.ok_or(Error::Unauthenticated)?;
    let mut used = row.into_active_model();
    used.last_used_at = Set(clock::now());
    if let Some(email) = who.verified_email() {
        used.email = Set(email.to_lowercase());
    }
    used.update(tx).await?;
    Ok(Some(user))
}

/// Links an identity to the account with its address, or to a new one. An address that either side has not verified links
/// nothing: whoever wrote it down first would get the other's account.
async fn link(tx: &DatabaseTransaction, provider: &str, who: &Who) -> Result<user::Model, Error> {
    let email = who.verified_email().ok_or(Problem::AddressUnverifiedThere)?;
    let email = account::parse_email(email).map_err(|_| Problem::AddressUnverifiedThere)?;
    let user = match account::find_by_email(tx, &email).await? {
        Some(user) if user.email_verified_at.is_none() => return Err(Problem::AddressUnverifiedHere.into()),
        Some(user) => user,
        None => register(tx, &email, who).await?,
    };
    let now = clock::now();
    let row = identity::Model {
        id: IdentityId::new(),
        user_id: user.id,
        provider: provider.to_owned(),
        subject: who.subject.clone(),
        email,
        created_at: now,
        last_used_at: now,
    };
    identity::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(tx)
        .await?;
    let change = Change::IdentityLinked {
        identity: row.id,
        provider: row.provider,
    };
    events::append(tx, profile::of(user.id), change).await?;
    Ok(user)
}

/// Makes an account that has no password.
async fn register(tx: &DatabaseTransaction, email: &str, who: &Who) -> Result<user::Model, Error> {
    let local = email.split('@').next().unwrap_or(email);
    let name = who.name().and_then(|name| account::parse_name(name).ok());
    let now = clock::now();
    let row = user::Model {
        id: UserId::new(),
        email: email.to_owned(),
        display_name: name.unwrap_or_else(|| local.chars().take(100).collect()),
        email_verified_at: Some(now),
        time_zone: None,
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    account::insert(tx, &row).await?;
    Ok(row)
}
