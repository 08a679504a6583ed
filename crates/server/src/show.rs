//! The configuration in force, for people to look at: every key, in the form of a configuration file, without its secrets.

use crate::config::Config;
use anyhow::Context;
use secrecy::{ExposeSecret, SecretString};
use serde::Serializer;
use url::Url;

const NOT_SET: &str = "(not set)";
const SET: &str = "(set)";

/// A url without what may be a password in it. Where an `@` stands behind the host, a password with unescaped characters
/// was taken apart at the wrong place: then nothing is shown.
fn masked(text: &str) -> String {
    if text.is_empty() {
        return NOT_SET.to_owned();
    }
    let Ok(mut url) = Url::parse(text) else {
        return SET.to_owned();
    };
    if url.cannot_be_a_base() {
        return SET.to_owned();
    }
    let behind_host = [Some(url.path()), url.query(), url.fragment()];
    if behind_host.into_iter().flatten().any(|part| part.contains('@')) {
        return SET.to_owned();
    }
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return SET.to_owned();
    }
    // Passwords may stand in the query too.
    if url.query().is_some() {
        url.set_query(Some("***"));
    }
    url.set_fragment(None);
    url.to_string()
}

/// Writes a url with its password masked.
pub(crate) fn url<S: Serializer>(url: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&masked(url.expose_secret()))
}

/// Writes whether a secret is set.
pub(crate) fn secret<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(if secret.expose_secret().is_empty() { NOT_SET } else { SET })
}

/// What is in force.
///
/// # Errors
/// Never for a configuration that was loaded: all its values came from TOML or would fit into it.
pub fn text(config: &Config) -> anyhow::Result<String> {
    toml::to_string(config).context("the configuration cannot be written down")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, shown: &str) {
        assert_eq!(masked(url), shown);
    }

    #[test]
    fn passwords_in_urls_are_masked() {
        check("", "(not set)");
        check("postgres://host/db", "postgres://host/db");
        check("postgres://user:canary@host/db", "postgres://user:***@host/db");
        check("postgres://user:can%23ary@host:5432/db", "postgres://user:***@host:5432/db");
        check("postgres://host/db?user=u&password=canary", "postgres://host/db?***");
        check("redis://:canary@host:6379", "redis://:***@host:6379");
        check("sqlite:///var/lib/sheaf.db", "sqlite:///var/lib/sheaf.db");
    }

    #[test]
    fn passwords_that_were_not_escaped_are_not_shown_either() {
        check("postgres://user:can#ary@host/db", "(set)");
        check("postgres://user:12#canary@host/db", "(set)");
        check("postgres://user:12/canary@host/db", "(set)");
        check("postgres://user:12?canary@host/db", "(set)");
        check("canary", "(set)");
        check("canary:canary", "(set)");
    }
}
