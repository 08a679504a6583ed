//! Keys for programs: what a request with one may do is what its owner may, as far as the key's scopes go.

pub mod manage;

use crate::{
    Accounts, Caller, Error, Through,
    scope::{Scope, Verb},
};
use entity::{account_deletion, api_key, user};
use kernel::{clock, id::*, secret};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect, QueryTrait, sea_query::Expr};
use std::{sync::Arc, time::Duration};

/// How every key begins, so that it is told from a token, and found by those who look for leaked ones.
pub const PREFIX: &str = "sheaf_";
/// How long a key's token counts as good for sockets and streams before it is looked at again.
const LEASE: Duration = Duration::from_secs(15 * 60);
/// A use is written down this often at most.
const USES: Duration = Duration::from_secs(60);

/// A key that somebody came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The key.
    pub id: ApiKeyId,
    /// The only workspace it opens; all of its owner's when none.
    pub workspace: Option<WorkspaceId>,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// Tells what it may do from what it could before it was changed.
    pub stamp: u64,
}

impl Key {
    /// Whether it may do this.
    pub fn may(&self, resource: &str, verb: Verb) -> bool {
        self.scopes.iter().any(|scope| scope.covers(resource, verb))
    }
}

/// Reads the scopes of a row.
pub(crate) fn scopes(row: &api_key::Model) -> Vec<Scope> {
    let names: Vec<String> = serde_json::from_str(&row.scopes).unwrap_or_default();
    names.iter().filter_map(|name| name.parse().ok()).collect()
}

/// Who a key belongs to, and what it may do.
pub(crate) async fn authenticate(accounts: &Accounts, key: &str) -> Result<Caller, Error> {
    let now = clock::now();
    let open = user::Entity::find()
        .select_only()
        .column(user::Column::Id)
        .filter(user::Column::DeletedAt.is_null())
        .into_query();
    let closing = account_deletion::Entity::find()
        .select_only()
        .column(account_deletion::Column::UserId)
        .into_query();
    let row = api_key::Entity::find()
        .filter(api_key::Column::KeyHash.eq(secret::hash(key)))
        .filter(api_key::Column::RevokedAt.is_null())
        .filter(
            Condition::any()
                .add(api_key::Column::ExpiresAt.is_null())
                .add(api_key::Column::ExpiresAt.gt(now)),
        )
        .filter(api_key::Column::UserId.in_subquery(open))
        .filter(api_key::Column::UserId.not_in_subquery(closing))
        .one(accounts.db())
        .await?
        .ok_or(Error::Unauthenticated)?;
    if row.last_used_at.is_none_or(|at| at + USES < now) {
        api_key::Entity::update_many()
            .col_expr(api_key::Column::LastUsedAt, Expr::value(Some(now)))
            .filter(api_key::Column::Id.eq(row.id))
            .exec(accounts.db())
            .await?;
    }
    let lease = now + LEASE;
    let key = Key {
        id: row.id,
        workspace: row.workspace_id,
        scopes: scopes(&row),
        stamp: row.stamp(),
    };
    Ok(Caller {
        user: row.user_id,
        through: Through::Key(Arc::new(key)),
        expires_at: row.expires_at.map_or(lease, |at| at.min(lease)),
    })
}
