//! Keys for programs, as hashes.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One row of `api_keys`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    /// The key's id.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: ApiKeyId,
    /// Whose it is; it may do no more than they.
    pub user_id: UserId,
    /// The only workspace it opens; all of theirs when none.
    pub workspace_id: Option<WorkspaceId>,
    /// What it is for.
    pub name: String,
    /// Its first characters, to recognise it by.
    pub prefix: String,
    /// Its last four.
    pub last_four: String,
    /// SHA-256 of the key, in hexadecimal; unique.
    pub key_hash: String,
    /// What it may do: a JSON list of `resource:verb`.
    pub scopes: String,
    /// When it was made.
    pub created_at: Time,
    /// After this it is refused.
    pub expires_at: Option<Time>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// What the key may do and until when, in a number: another one when that was changed. Good within one process.
    pub fn stamp(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.scopes, self.expires_at, self.workspace_id).hash(&mut hasher);
        hasher.finish()
    }
}
