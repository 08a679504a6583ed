//! The configuration in force, for people to look at: without its secrets.

use crate::config::Config;
use secrecy::{ExposeSecret, SecretString};

/// A url with its password masked; "(not set)" for an empty one.
fn masked(url: &SecretString) -> String {
    let text = url.expose_secret();
    if text.is_empty() {
        return "(not set)".to_owned();
    }
    match url::Url::parse(text) {
        Ok(mut url) => {
            if url.password().is_some() && url.set_password(Some("***")).is_err() {
                return "(set)".to_owned();
            }
            // Passwords may stand in the query too.
            url.set_query(None);
            url.to_string()
        }
        Err(_) => "(set)".to_owned(),
    }
}

fn is_set(secret: &SecretString) -> &'static str {
    if secret.expose_secret().is_empty() { "(not set)" } else { "(set)" }
}

/// What is in force, a line each.
pub fn text(config: &Config) -> String {
    let rows = [
        ("server.listen", config.server.listen.to_string()),
        ("server.data_dir", config.server.data_dir.display().to_string()),
        ("server.workers", config.server.workers.to_string()),
        ("database.url", masked(&config.database.url)),
        ("database.max_connections", config.database.max_connections.to_string()),
        ("database.synchronous", format!("{:?}", config.database.synchronous).to_lowercase()),
        ("redis.url", masked(&config.redis.url)),
        ("auth.signing_keys", is_set(&config.auth.signing_keys).to_owned()),
        ("auth.issuer", config.auth.issuer.clone()),
        ("auth.audience", config.auth.audience.clone()),
        ("auth.access_ttl_secs", config.auth.access_ttl_secs.to_string()),
        ("worker.enabled", config.worker.enabled.to_string()),
        ("log.level", config.log.level.clone()),
        ("log.format", format!("{:?}", config.log.format).to_lowercase()),
    ];
    rows.map(|(key, value)| format!("{key} = {value}")).join("\n")
}
