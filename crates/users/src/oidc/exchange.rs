//! Turning a code in for tokens, and asking who somebody is where the token does not say.

use super::{
    Problem, Provider,
    id_token::Claims,
    keys::{Learnt, Metadata, ask},
};
use reqwest::Client;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::sync::Arc;
use url::form_urlencoded::byte_serialize;

/// What is turned in.
pub(super) struct Proof<'a> {
    pub code: &'a str,
    /// Of PKCE.
    pub verifier: &'a str,
    pub callback: &'a str,
}

/// What a provider gives for a code.
pub(super) struct Tokens {
    pub id_token: String,
    access_token: Option<String>,
}

/// Who somebody is at a provider.
pub(super) struct Who {
    pub subject: String,
    /// What the provider says of them.
    claims: Map<String, Value>,
    of: Arc<Learnt>,
}

impl Who {
    pub(super) fn new(claims: Claims, of: Arc<Learnt>) -> Self {
        Self {
            subject: claims.subject,
            claims: claims.all,
            of,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Their address, if the provider vouches for it.
    pub(super) fn verified_email(&self) -> Option<&str> {
        // Some providers write the word.
        let is_true = |value: &Value| value.as_bool() == Some(true) || value.as_str() == Some("true");
        self.text("email")
            .filter(|_| self.claims.get("email_verified").is_some_and(is_true))
    }

    /// What they are called there.
    pub(super) fn name(&self) -> Option<&str> {
        self.text("name")
    }
}

/// A part of a basic login, as RFC 6749, section 2.3.1, wants it.
fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

/// Whether the secret goes into the body: where the provider takes it there alone.
fn is_posted(metadata: &Metadata) -> bool {
    let methods = metadata.token_endpoint_auth_methods_supported.as_deref().unwrap_or_default();
    let takes = |method: &str| methods.iter().any(|one| one == method);
    !takes("client_secret_basic") && takes("client_secret_post")
}

/// Turns a code in.
pub(super) async fn redeem(http: &Client, provider: &Provider, metadata: &Metadata, proof: Proof<'_>) -> Result<Tokens, Problem> {
    #[derive(Deserialize)]
    struct Answer {
        id_token: Option<String>,
        access_token: Option<String>,
    }
    let mut form = vec![
        ("grant_type", "authorization_code"),
        ("code", proof.code),
        ("redirect_uri", proof.callback),
        ("code_verifier", proof.verifier),
    ];
    let secret = provider.client_secret.as_ref().map(SecretString::expose_secret);
    let mut request = http.post(&metadata.token_endpoint);
    match secret {
        Some(secret) if !is_posted(metadata) => request = request.basic_auth(encoded(&provider.client_id), Some(encoded(secret))),
        Some(secret) => form.extend([("client_id", provider.client_id.as_str()), ("client_secret", secret)]),
        None => form.push(("client_id", &provider.client_id)),
    }
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
    match ask::<Answer>(request).await? {
        (
            true,
            Answer {
                id_token: Some(id_token),
                access_token,
            },
        ) => Ok(Tokens { id_token, access_token }),
        (true, _) => Err(Problem::Refused("there is no id_token in it".to_owned())),
        (false, _) => Err(Problem::Refused("it does not take its code back".to_owned())),
    }
}

/// Asks for the address where the token does not tell it (OpenID Connect Core 1.0, section 5.3).
pub(super) async fn complete(http: &Client, provider: &Provider, mut who: Who, tokens: Tokens) -> Result<Who, Problem> {
    let endpoint = who.of.metadata.userinfo_endpoint.clone();
    let (Some(endpoint), Some(token), None) = (endpoint, tokens.access_token, who.text("email")) else {
        return Ok(who);
    };
    let (is_success, more) = ask::<Map<String, Value>>(http.get(endpoint).bearer_auth(token)).await?;
    if !is_success {
        tracing::warn!(provider = provider.id, "a provider does not say who somebody is");
        return Ok(who);
    }
    if more.get("sub").and_then(Value::as_str) != Some(&who.subject) {
        return Err(Problem::Refused("it speaks of somebody else".to_owned()));
    }
    for name in ["email", "email_verified", "name"] {
        if let Some(value) = more.get(name) {
            who.claims.insert(name.to_owned(), value.clone());
        }
    }
    Ok(who)
}
