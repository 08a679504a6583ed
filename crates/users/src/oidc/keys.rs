//! What a provider publishes of itself: its endpoints and its keys, asked for under bounds and remembered for a while.

use super::{Problem, Source, provider};
use futures::StreamExt;
use jsonwebtoken::jwk::Jwk;
use reqwest::{Client, RequestBuilder};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// The most bytes of an answer.
const MAX_BYTES: usize = 256 << 10;
/// The most keys that are looked at.
const MAX_KEYS: usize = 100;
/// How long what was learnt counts.
const TTL: Duration = Duration::from_secs(60 * 60);
/// How often a token with an unknown key makes us ask again: anybody can send one.
const MISSES: Duration = Duration::from_secs(10);

/// What a provider says about itself.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Metadata {
    issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    jwks_uri: String,
    pub userinfo_endpoint: Option<String>,
    pub token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub authorization_response_iss_parameter_supported: bool,
}

/// What was learnt of a provider.
pub(super) struct Learnt {
    pub metadata: Metadata,
    pub keys: Vec<Jwk>,
    at: Instant,
}

/// What is remembered of it.
#[derive(Default)]
pub(super) struct Known {
    learnt: Option<Arc<Learnt>>,
    missed_at: Option<Instant>,
}

/// Sends a request and reads its answer as JSON, if there is not too much of it. Gives whether it was a success, too.
pub(super) async fn ask<T: DeserializeOwned>(request: RequestBuilder) -> Result<(bool, T), Problem> {
    // An error of the client may have the address in it, which may have a code in it.
    let unreachable = |error: reqwest::Error| Problem::Unavailable(error.without_url().to_string());
    let answer = request.header("accept", "application/json").send().await.map_err(unreachable)?;
    let status = answer.status();
    if status.is_redirection() || status.is_server_error() {
        return Err(Problem::Unavailable(format!("it answers {status}")));
    }
    let (mut bytes, mut chunks) = (Vec::new(), answer.bytes_stream());
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(unreachable)?;
        if bytes.len() + chunk.len() > MAX_BYTES {
            return Err(Problem::Unavailable("it answers too much".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    let read = serde_json::from_slice(&bytes);
    let value = read.map_err(|_| Problem::Unavailable(format!("it answers {status} with no JSON that is understood")))?;
    Ok((status.is_success(), value))
}

async fn get<T: DeserializeOwned>(http: &Client, address: &str) -> Result<T, Problem> {
    match ask(http.get(address)).await? {
        (true, value) => Ok(value),
        (false, _) => Err(Problem::Unavailable("it does not describe itself".to_owned())),
    }
}

impl Metadata {
    async fn fetch(http: &Client, issuer: &str) -> Result<Self, Problem> {
        let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Self = get(http, &address).await?;
        if metadata.issuer != issuer {
            return Err(Problem::Unavailable("it says it is another issuer".to_owned()));
        }
        let endpoints = [&metadata.authorization_endpoint, &metadata.token_endpoint, &metadata.jwks_uri];
        let all_safe = endpoints
            .into_iter()
            .chain(&metadata.userinfo_endpoint)
            .all(|address| provider::is_safe(address));
        if all_safe {
            Ok(metadata)
        } else {
            Err(Problem::Unavailable("one of its addresses is not https://".to_owned()))
        }
    }

    async fn keys(&self, http: &Client) -> Result<Vec<Jwk>, Problem> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<serde_json::Value>,
        }
        let set: Set = get(http, &self.jwks_uri).await?;
        // A key of a kind that we do not know does not spoil the others.
        let keys = set.keys.into_iter().take(MAX_KEYS);
        Ok(keys.filter_map(|key| serde_json::from_value(key).ok()).collect())
    }
}

impl Source {
    /// What is known of the provider, asked for if need be. Of many that need it at once, one asks.
    pub(super) async fn known(&self, http: &Client) -> Result<Arc<Learnt>, Problem> {
        let mut known = self.known.lock().await;
        if let Some(learnt) = known.learnt.as_ref().filter(|learnt| learnt.at.elapsed() < TTL) {
            return Ok(learnt.clone());
        }
        let metadata = Metadata::fetch(http, &self.provider.issuer).await?;
        let keys = metadata.keys(http).await?;
        let at = Instant::now();
        let learnt = Arc::new(Learnt { metadata, keys, at });
        known.learnt = Some(learnt.clone());
        Ok(learnt)
    }

    /// Keys that are newer than these: a provider changes them when it likes.
    pub(super) async fn newer(&self, http: &Client, than: &Arc<Learnt>) -> Result<Arc<Learnt>, Problem> {
        let mut known = self.known.lock().await;
        if let Some(learnt) = known.learnt.as_ref().filter(|learnt| !Arc::ptr_eq(learnt, than)) {
            return Ok(learnt.clone());
        }
        if known.missed_at.is_some_and(|at| at.elapsed() < MISSES) {
            return Ok(than.clone());
        }
        known.missed_at = Some(Instant::now());
        let keys = than.metadata.keys(http).await?;
        let learnt = Arc::new(Learnt {
            metadata: than.metadata.clone(),
            keys,
            at: than.at,
        });
        known.learnt = Some(learnt.clone());
        Ok(learnt)
    }
}
