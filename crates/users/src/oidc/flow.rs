//! Logins that have begun: one row each, good once, for ten minutes, for the client that began it.

use super::{Problem, Provider, keys::Metadata};
use crate::{Accounts, Error};
use backends::db;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use entity::oidc_flow;
use kernel::{clock, secret};
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

/// How long somebody may take at the provider.
pub const TTL: Duration = Duration::from_secs(10 * 60);

/// A login that has begun.
pub struct Begun {
    /// Where the browser goes.
    pub url: String,
    /// What the client that began has to come back with, beside what the provider gives it.
    pub binding: String,
}

/// What a provider sends the browser back with.
#[derive(Clone, Debug, Default)]
pub struct Returned {
    /// Which login.
    pub state: String,
    /// What is turned in for tokens.
    pub code: Option<String>,
    /// Who says so (RFC 9207).
    pub issuer: Option<String>,
    /// Why there is no code.
    pub error: Option<String>,
}

impl Returned {
    /// The code, when this is the provider that was asked and it did not say no.
    pub(super) fn code(&self, provider: &Provider, metadata: &Metadata) -> Result<&str, Problem> {
        let refused = |why: &str| Problem::Refused(why.to_owned());
        match &self.issuer {
            Some(issuer) if *issuer != provider.issuer => return Err(refused("it comes from another issuer")),
            None if metadata.authorization_response_iss_parameter_supported => return Err(refused("it does not say who it is from")),
            _ => {}
        }
        if let Some(error) = &self.error {
            let is_word = error.len() <= 64 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            return Err(refused(if is_word { error } else { "it says no" }));
        }
        let code = self.code.as_deref().filter(|code| (1..=4096).contains(&code.len()));
        code.ok_or_else(|| refused("there is no code in it"))
    }
}

/// Begins a login.
pub(super) async fn begin(accounts: &Accounts, provider: &Provider, metadata: &Metadata, callback: &str) -> Result<Begun, Error> {
    let (state, binding, now) = (secret::token(), secret::token(), clock::now());
    let row = oidc_flow::Model {
        state_hash: secret::hash(&state),
        provider: provider.id.clone(),
        nonce: secret::token(),
        verifier: secret::token(),
        binding_hash: secret::hash(&binding),
        return_to: None,
        user_id: None,
        created_at: now,
        expires_at: now + TTL,
    };
    let unreadable = |_| Problem::Unavailable("its address is none".to_owned());
    let mut url = Url::parse(&metadata.authorization_endpoint).map_err(unreadable)?;
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(row.verifier.as_bytes()));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &provider.client_id)
        .append_pair("redirect_uri", callback)
        .append_pair("scope", &provider.scopes.join(" "))
        .append_pair("state", &state)
        .append_pair("nonce", &row.nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        oidc_flow::Entity::insert(row.into_active_model())
            .exec_without_returning(tx)
            .await?;
        Ok::<_, Error>(())
    })
    .await?;
    Ok(Begun { url: url.into(), binding })
}

/// Takes a login that has begun; whoever comes second, or as another client, gets nothing and ends it.
pub(super) async fn take(accounts: &Accounts, provider: &str, state: &str, binding: &str) -> Result<oidc_flow::Model, Error> {
    let (id, now) = (secret::hash(state), clock::now());
    let row = db::write(accounts.db(), async |tx: &DatabaseTransaction| {
        let row = oidc_flow::Entity::find_by_id(id.clone()).one(tx).await?;
        let taken = oidc_flow::Entity::delete_by_id(id).exec(tx).await?;
        Ok::<_, DbErr>(row.filter(|_| taken.rows_affected == 1))
    })
    .await?;
    let binding = secret::hash(binding);
    let row = row.filter(|row| row.expires_at > now && row.provider == provider && row.binding_hash == binding);
    Ok(row.ok_or(Problem::NotBegunHere)?)
}

/// Removes logins that nobody ended. Gives how many.
///
/// # Errors
/// Only the database's.
pub async fn purge(tx: &impl ConnectionTrait) -> Result<u64, DbErr> {
    let late = oidc_flow::Entity::delete_many().filter(oidc_flow::Column::ExpiresAt.lt(clock::now()));
    Ok(late.exec(tx).await?.rows_affected)
}
