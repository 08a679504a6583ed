//! Logins with another provider that have begun and not ended.

use kernel::{clock::Time, id::*};
use sea_orm::entity::prelude::*;

/// One row of `oidc_flows`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "oidc_flows")]
pub struct Model {
    /// SHA-256 of `state`, in hexadecimal.
    #[sea_orm(primary_key, auto_increment = false)]
    pub state_hash: String,
    /// The provider's name in the configuration.
    pub provider: String,
    /// What the provider's token has to repeat.
    pub nonce: String,
    /// The PKCE code verifier (RFC 7636).
    pub verifier: String,
    /// SHA-256 of what only the client that began holds, in hexadecimal.
    pub binding_hash: String,
    /// Where the browser goes in the end; none answers with the tokens.
    pub return_to: Option<String>,
    /// Who wants to link the provider to their account; none signs in.
    pub user_id: Option<UserId>,
    /// When it began.
    pub created_at: Time,
    /// After this it has to begin again.
    pub expires_at: Time,
}

/// Joins are written where they are used.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
