//! Proving again who one is, within a login: dangerous acts ask for it ([`crate::fresh`]).

use crate::{
    Accounts, Caller, Error, account, mfa, reset,
    totp::{self, Checked},
};
use backends::db;
use entity::session;
use kernel::{
    clock::{self, Time},
    error::Field,
};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, EntityTrait, QueryFilter, sea_query::Expr};

/// What somebody proves it with.
pub struct Proof {
    /// The password, of who has one.
    pub password: Option<String>,
    /// A code, of who has a second factor.
    pub code: Option<String>,
}

/// Makes the caller's login fresh again: whoever has a password gives it, and whoever has a second factor a code of it too.
/// Gives until when it is fresh.
///
/// # Errors
/// [`Error::Invalid`] with what is missing, [`Error::WrongPassword`], [`Error::TooManyAttempts`], [`Error::WrongCode`],
/// [`Error::TooManyCodes`];
/// [`Error::NoPassword`] for who has neither and signs in with a provider again.
pub async fn reauthenticate(accounts: &Accounts, caller: &Caller, proof: Proof, source: &str) -> Result<Time, Error> {
    let user = account::find(accounts.db(), caller.user).await?.ok_or(Error::Unauthenticated)?;
    let has_password = !user.password_hash.is_empty();
    let has_factor = totp::is_on(accounts.db(), user.id).await?;
    if !has_password && !has_factor {
        return Err(Error::NoPassword);
    }
    let password = proof.password.filter(|_| has_password);
    let code = proof.code.filter(|_| has_factor);
    let missing = [
        (has_password && password.is_none(), "/password"),
        (has_factor && code.is_none(), "/code"),
    ];
    let missing = missing.into_iter().filter(|(is_missing, _)| *is_missing);
    let missing: Vec<Field> = missing.map(|(_, at)| Field::new(at, "required", "is required")).collect();
    if !missing.is_empty() {
        return Err(Error::Invalid(missing));
    }
    if let Some(password) = password {
        reset::insist(accounts, &user, password, source).await?;
    }
    let checked = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let checked = match &code {
            Some(code) => totp::check(tx, accounts, user.id, code).await?,
            None => Checked::Right,
        };
        match checked {
            Checked::Right => freshen(tx, caller).await?,
            // Committed, so not an error of the transaction.
            Checked::Wrong => mfa::note_wrong(tx, user.id).await?,
            Checked::TooMany => {}
        }
        Ok::<_, Error>(checked)
    });
    checked.await?.into_result()?;
    Ok(clock::now() + accounts.settings().fresh_for)
}

async fn freshen(tx: &impl ConnectionTrait, caller: &Caller) -> Result<(), Error> {
    let id = caller.session().ok_or(Error::FreshLoginRequired)?;
    let fresh = session::Entity::update_many()
        .col_expr(session::Column::AuthenticatedAt, Expr::value(Some(clock::now())))
        .filter(session::Column::Id.eq(id))
        .filter(session::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    if fresh.rows_affected == 1 {
        Ok(())
    } else {
        Err(Error::Unauthenticated)
    }
}
