//! Dangerous acts ask for a login whose password (or other proof) was given a short while ago: a token that leaked opens
//! pages, but not the account itself.

use crate::{Accounts, Caller, Error};
use entity::session;
use kernel::clock;
use sea_orm::EntityTrait;

/// Insists that whoever calls has proven who they are within the last [`crate::Settings::fresh_for`]. A key never has.
///
/// # Errors
/// [`Error::FreshLoginRequired`], [`Error::Unauthenticated`] when the login has ended.
pub async fn check(accounts: &Accounts, caller: &Caller) -> Result<(), Error> {
    let id = caller.session().ok_or(Error::FreshLoginRequired)?;
    let login = session::Entity::find_by_id(id)
        .one(accounts.db())
        .await?
        .ok_or(Error::Unauthenticated)?;
    let is_fresh = login
        .authenticated_at
        .is_some_and(|at| at + accounts.settings().fresh_for > clock::now());
    if is_fresh { Ok(()) } else { Err(Error::FreshLoginRequired) }
}
