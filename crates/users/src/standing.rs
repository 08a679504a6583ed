//! Whether a login or a key still is good, remembered for a moment: access tokens outlive a logout by themselves.

use crate::Error;
use entity::{session, user};
use kernel::{clock, id::*};
use moka::sync::Cache;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait};
use std::time::Duration;

/// How long it is remembered. Changes are heard of at once; this bounds what a lost hint costs.
const TTL: Duration = Duration::from_millis(750);
/// Logins that are remembered.
const MOST: u64 = 100_000;

/// What was found to be good.
pub(crate) struct Standings {
    sessions: Cache<(UserId, SessionId), ()>,
}

impl Default for Standings {
    fn default() -> Self {
        Self {
            sessions: Cache::builder().max_capacity(MOST).time_to_live(TTL).build(),
        }
    }
}

impl Standings {
    /// Insists that a login goes on and that its account is open.
    pub async fn check(&self, db: &impl ConnectionTrait, user: UserId, session: SessionId) -> Result<(), Error> {
        if self.sessions.contains_key(&(user, session)) {
            return Ok(());
        }
        if !goes_on(db, user, session).await? {
            return Err(Error::Unauthenticated);
        }
        self.sessions.insert((user, session), ());
        Ok(())
    }

    /// Forgets everything.
    pub fn forget(&self) {
        self.sessions.invalidate_all();
    }
}

async fn goes_on(db: &impl ConnectionTrait, user: UserId, id: SessionId) -> Result<bool, DbErr> {
    let open = user::Entity::find_by_id(user)
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.is_null())
        .into_query();
    let found = session::Entity::find_by_id(id)
        .filter(session::Column::UserId.in_subquery(open))
        .filter(session::Column::RevokedAt.is_null())
        .filter(session::Column::ExpiresAt.gt(clock::now()))
        .count(db)
        .await?;
    Ok(found > 0)
}
