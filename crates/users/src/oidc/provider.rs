//! Providers as the configuration names them.

use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

/// What logins with other providers need to know.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The providers.
    pub providers: Vec<Provider>,
    /// Where people reach the product: providers send browsers back there.
    pub public_url: String,
}

/// A provider.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// What it is called in addresses and tables.
    pub id: String,
    /// What people know it by.
    pub name: String,
    /// Who signs its tokens; its description stands under this address.
    pub issuer: String,
    /// Who we are there.
    pub client_id: String,
    /// What proves it; a public client has none.
    #[serde(default)]
    pub client_secret: Option<SecretString>,
    /// What we ask for.
    #[serde(default = "usual")]
    pub scopes: Vec<String>,
}

fn usual() -> Vec<String> {
    ["openid", "email", "profile"].map(str::to_owned).to_vec()
}

/// Whether an address may be asked: over TLS, or on this very machine.
pub(super) fn is_safe(address: &str) -> bool {
    let Ok(url) = Url::parse(address) else { return false };
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let has_no_login = url.username().is_empty() && url.password().is_none();
    has_no_login && (url.scheme() == "https" && url.has_host() || url.scheme() == "http" && is_here)
}

impl Provider {
    /// Reads a list of providers, as JSON.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow a name and tell no secret.
    pub fn list(text: &str) -> Result<Vec<Self>, String> {
        if text.trim().is_empty() {
            return Ok(Vec::new());
        }
        // What serde says could repeat a value; the place alone is enough.
        let unread = |why: serde_json::Error| {
            let words = ["missing field", "unknown field", "duplicate field"];
            let what = words.into_iter().find(|words| why.to_string().starts_with(words));
            format!(
                "is no list of providers: {} at column {}",
                what.unwrap_or("wrong type"),
                why.column()
            )
        };
        let all: Vec<Self> = serde_json::from_str(text).map_err(unread)?;
        for (at, provider) in all.iter().enumerate() {
            provider.check()?;
            if all[..at].iter().any(|other| other.id == provider.id) {
                return Err(format!("has two providers with the id {}", provider.id));
            }
        }
        Ok(all)
    }

    fn check(&self) -> Result<(), String> {
        let is_name =
            (1..=32).contains(&self.id.len()) && self.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !is_name {
            return Err("has a provider whose id is not 1 to 32 small letters, digits and -".to_owned());
        }
        if !is_safe(&self.issuer) {
            return Err(format!("has an issuer for {} that is no https:// address", self.id));
        }
        if self.client_id.is_empty() {
            return Err(format!("has no client_id for {}", self.id));
        }
        if !self.scopes.iter().any(|scope| scope == "openid") {
            return Err(format!("has scopes for {} without openid", self.id));
        }
        Ok(())
    }
}
