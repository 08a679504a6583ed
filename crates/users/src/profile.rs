//! Profiles: what people say about themselves.

use crate::{Accounts, Error, account};
use backends::db;
use chrono_tz::Tz;
use entity::user;
use events::{By, Change};
use kernel::{clock, error::Field, id::*};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, IntoActiveModel};

/// Changes to a profile. What is left out stays.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// What others see.
    pub display_name: Option<String>,
    /// An IANA time zone; `Some(None)` for none, which means UTC.
    pub time_zone: Option<Option<String>>,
}

/// The name of a time zone as the table of time zones spells it.
fn parse_zone(name: &str) -> Result<String, Field> {
    let zone: Result<Tz, _> = name.trim().parse();
    zone.map(|zone| zone.name().to_owned())
        .map_err(|_| Field::new("/time_zone", "unknown", "names no time zone; one is Europe/Berlin"))
}

impl Changes {
    fn check(self) -> Result<Self, Error> {
        let name = self.display_name.map(|name| account::parse_name(&name)).transpose();
        let zone = self
            .time_zone
            .map(|zone| zone.map(|zone| parse_zone(&zone)).transpose())
            .transpose();
        match (name, zone) {
            (Ok(display_name), Ok(time_zone)) => Ok(Self { display_name, time_zone }),
            (name, zone) => Err(Error::Invalid([name.err(), zone.err()].into_iter().flatten().collect())),
        }
    }
}

/// Changes somebody's profile. Gives it as it is now.
///
/// # Errors
/// [`Error::Invalid`] with every bad field, [`Error::Unauthenticated`] when the account is gone.
pub async fn change(accounts: &Accounts, user: UserId, changes: Changes) -> Result<user::Model, Error> {
    let changes = changes.check()?;
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let row = account::find(tx, user).await?.ok_or(Error::Unauthenticated)?;
        let mut next = row.clone();
        next.display_name = changes.display_name.unwrap_or(next.display_name);
        next.time_zone = changes.time_zone.unwrap_or(next.time_zone);
        if next == row {
            return Ok(row);
        }
        let mut changed = row.into_active_model();
        changed.display_name = Set(next.display_name);
        changed.time_zone = Set(next.time_zone);
        changed.updated_at = Set(clock::now());
        let row = changed.update(tx).await?;
        events::append(tx, of(user), Change::UserUpdated { user }).await?;
        Ok(row)
    })
    .await
}

/// A fact of somebody's account, made so by themselves.
pub(crate) fn of(user: UserId) -> By {
    By {
        workspace: None,
        user: Some(user),
    }
}
