//! Logins with other providers, by OpenID Connect: the code flow with PKCE, `state` and `nonce`, bound to the client that
//! began it. What a provider says is believed only as far as its signed token does.

mod exchange;
mod flow;
mod id_token;
mod keys;
mod problem;
mod provider;
mod sign_in;

pub use flow::{Begun, Returned, purge};
pub use problem::Problem;
pub use provider::{Provider, Settings};

use crate::{Accounts, Client, Entered, Error};
use keys::Known;
use std::{sync::Arc, time::Duration};

/// How long a provider may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// A provider with what was learnt of it.
pub(crate) struct Source {
    pub(crate) provider: Provider,
    known: tokio::sync::Mutex<Known>,
}

/// The configured providers and the client that asks them.
pub(crate) struct Sources {
    all: Vec<Source>,
    public_url: String,
    http: Option<reqwest::Client>,
}

impl Sources {
    pub(crate) fn new(settings: &Settings) -> Self {
        let source = |provider: &Provider| Source {
            provider: provider.clone(),
            known: tokio::sync::Mutex::default(),
        };
        // No redirects: an endpoint that sends us elsewhere could send us inside.
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE)
            .connect_timeout(PATIENCE / 2)
            .user_agent("sheaf");
        Self {
            all: settings.providers.iter().map(source).collect(),
            public_url: settings.public_url.trim_end_matches('/').to_owned(),
            // Building one needs the system's root certificates; without providers none is needed.
            http: if settings.providers.is_empty() { None } else { http.build().ok() },
        }
    }

    fn find(&self, id: &str) -> Result<&Source, Problem> {
        self.all
            .iter()
            .find(|source| source.provider.id == id)
            .ok_or(Problem::NoSuchProvider)
    }

    fn http(&self) -> Result<&reqwest::Client, Problem> {
        self.http.as_ref().ok_or_else(|| Problem::Unavailable("no HTTP client".to_owned()))
    }

    /// Where a provider sends the browser back to; registered there.
    fn callback(&self, provider: &Provider) -> String {
        format!("{}/api/v1/auth/oidc/{}/callback/", self.public_url, provider.id)
    }
}

/// The providers one can sign in with: id and name.
pub fn providers(accounts: &Accounts) -> Vec<(&str, &str)> {
    let all = accounts.sources().all.iter();
    all.map(|source| (source.provider.id.as_str(), source.provider.name.as_str()))
        .collect()
}

/// Whether browsers reach the product over TLS, so that a cookie may insist on it.
pub fn is_secure(accounts: &Accounts) -> bool {
    accounts.sources().public_url.starts_with("https://")
}

/// Begins a login with a provider.
///
/// # Errors
/// [`Problem::NoSuchProvider`], [`Problem::Unavailable`].
pub async fn start(accounts: &Accounts, provider: &str) -> Result<Begun, Error> {
    let sources = accounts.sources();
    let source = sources.find(provider)?;
    let known = source.known(sources.http()?).await?;
    flow::begin(accounts, &source.provider, &known.metadata, &sources.callback(&source.provider)).await
}

/// Ends a login with a provider: turns what it sent the browser back with into a login of ours. `binding` is what only the
/// client that began it has.
///
/// # Errors
/// A [`Problem`].
pub async fn finish(accounts: &Accounts, provider: &str, returned: Returned, binding: &str, client: Client) -> Result<Entered, Error> {
    let sources = accounts.sources();
    let source = sources.find(provider)?;
    let flow = flow::take(accounts, provider, &returned.state, binding).await?;
    let http = sources.http()?;
    let known = source.known(http).await?;
    let code = returned.code(&source.provider, &known.metadata)?;
    let proof = exchange::Proof {
        code,
        verifier: &flow.verifier,
        callback: &sources.callback(&source.provider),
    };
    let tokens = exchange::redeem(http, &source.provider, &known.metadata, proof).await?;
    let who = source.verify(http, known, &tokens.id_token, &flow.nonce).await?;
    let who = exchange::complete(http, &source.provider, who, tokens).await?;
    sign_in::sign_in(accounts, provider, who, &client).await
}

impl Source {
    /// Checks a token with the keys that are known, and once more with the provider's newest when its key is not among them.
    async fn verify(&self, http: &reqwest::Client, known: Arc<keys::Learnt>, token: &str, nonce: &str) -> Result<exchange::Who, Problem> {
        let first = id_token::verify(token, &known.keys, &self.provider, nonce);
        let claims = match first {
            Err(id_token::Refused::UnknownKey) => {
                let newer = self.newer(http, &known).await?;
                id_token::verify(token, &newer.keys, &self.provider, nonce)
            }
            other => other,
        };
        let claims = claims.map_err(|refused| Problem::Refused(refused.to_string()))?;
        Ok(exchange::Who::new(claims, known))
    }
}
