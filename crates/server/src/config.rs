//! Configuration in layers: the documented defaults, a file, the environment, flags. An unknown key or a bad value in any
//! of them stops the start with its name.

use anyhow::{Context, bail};
use config::{Config as Layers, File, FileFormat, Value, ValueKind};
use secrecy::SecretString;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Every key, its default and a sentence about it.
pub const DEFAULTS: &str = include_str!("../../../config/default.toml");
/// Read from the working directory when no file is named.
const FILE: &str = "sheaf.toml";
const PREFIX: &str = "SHEAF__";

/// The whole configuration.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// How the product is reached.
    pub server: Server,
    /// Where rows are kept.
    pub database: Database,
    /// How nodes hear of each other.
    pub redis: Redis,
    /// Logins.
    pub auth: Auth,
    /// Live pages.
    pub collab: Collab,
    /// Background work.
    pub worker: Worker,
    /// Logs.
    pub log: Log,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub workers: usize,
    pub drain_secs: u64,
    pub body_bytes: usize,
    pub auth_body_bytes: usize,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    pub url: SecretString,
    pub max_connections: u32,
    pub synchronous: Synchronous,
}

/// How an SQLite commit reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// Survives a power cut.
    Full,
    /// May lose the last moments at one.
    Normal,
}

/// `[redis]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    pub url: SecretString,
}

/// `[auth]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    pub signing_keys: SecretString,
    pub issuer: String,
    pub audience: String,
    pub access_ttl_secs: u64,
    pub refresh_ttl_days: u64,
    pub session_ttl_days: u64,
    pub reuse_leeway_secs: u64,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
    pub hash_parallelism: u32,
    pub concurrent_hashes: usize,
}

/// `[collab]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collab {
    pub first_frame_bytes: usize,
    pub json_frame_bytes: usize,
    pub binary_frame_bytes: usize,
    pub ops_per_batch: usize,
    pub block_text_bytes: usize,
    pub blocks: usize,
    pub document_bytes: usize,
    pub unacked: usize,
    pub ops_per_sec: u32,
    pub ops_burst: u32,
    pub presence_hz: u32,
    pub outbox_soft_bytes: usize,
    pub outbox_hard_bytes: usize,
    pub commit_window_ms: u64,
    pub handshake_secs: u64,
    pub listen_secs: u64,
    pub idle_secs: u64,
    pub snapshot_rows: i64,
}

/// `[worker]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub enabled: bool,
    pub interval_secs: u64,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// What flags say; they beat everything else.
#[derive(Clone, Debug, Default)]
pub struct Overrides(pub Vec<(&'static str, String)>);

/// The variables of the environment that are meant for us.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars().filter(|(name, _)| name.starts_with(PREFIX)).collect()
}

/// Reads all layers.
///
/// # Errors
/// Names the key and the layer that is wrong.
pub fn load(file: Option<&Path>, environment: &[(String, String)], flags: &Overrides) -> anyhow::Result<Config> {
    let mut layers = Layers::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
    let file = match file {
        Some(file) => Some(file.to_owned()),
        None => Some(PathBuf::from(FILE)).filter(|file| file.exists()),
    };
    if let Some(file) = &file {
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read the configuration file {}", file.display()))?;
        check(&text, &file.display().to_string())?;
        layers = layers.add_source(File::from_str(&text, FileFormat::Toml));
    }
    for (name, value) in environment {
        let key = key_of(name)?;
        layers = layers
            .set_override(&key, typed(value))
            .with_context(|| format!("the environment variable {name} is not usable"))?;
    }
    for (key, value) in &flags.0 {
        layers = layers
            .set_override(*key, typed(value))
            .with_context(|| format!("the flag for {key} is not usable"))?;
    }
    let built = layers.build().context("the configuration does not make sense")?;
    built
        .try_deserialize()
        .map_err(|error| anyhow::anyhow!("the configuration does not make sense: {error}{}", origin(environment)))
}

/// Helps to find which layer a bad value stands in.
fn origin(environment: &[(String, String)]) -> String {
    let names: Vec<&str> = environment.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!(" (set in the environment: {})", names.join(", "))
    }
}

/// `SHEAF__SERVER__LISTEN` is `server.listen`; a name that is no key is refused, it is a typing error.
fn key_of(name: &str) -> anyhow::Result<String> {
    let key = name.trim_start_matches(PREFIX).to_lowercase().replace("__", ".");
    if known_keys()?.contains(&key) {
        Ok(key)
    } else {
        bail!("the environment variable {name} is no configuration key")
    }
}

/// Every key that the defaults have.
fn known_keys() -> anyhow::Result<Vec<String>> {
    let defaults: toml::Table = toml::from_str(DEFAULTS).context("the built-in defaults do not parse")?;
    let sections = defaults
        .iter()
        .filter_map(|(section, keys)| keys.as_table().map(|keys| (section, keys)));
    Ok(sections
        .flat_map(|(section, keys)| keys.keys().map(move |key| format!("{section}.{key}")))
        .collect())
}

/// Refuses keys that the defaults do not have, by name and file.
fn check(text: &str, file: &str) -> anyhow::Result<()> {
    let table: toml::Table = toml::from_str(text).with_context(|| format!("{file} is no TOML"))?;
    let known = known_keys()?;
    for (section, keys) in &table {
        let keys = keys.as_table().with_context(|| format!("{file}: {section} is no section"))?;
        for key in keys.keys().map(|key| format!("{section}.{key}")) {
            if !known.contains(&key) {
                bail!("{file}: {key} is no configuration key");
            }
        }
    }
    Ok(())
}

/// A text as the number or boolean it looks like; everything else stays text.
fn typed(text: &str) -> Value {
    let kind = match text {
        "true" => ValueKind::Boolean(true),
        "false" => ValueKind::Boolean(false),
        _ => text
            .parse::<i64>()
            .map_or_else(|_| ValueKind::String(text.to_owned()), ValueKind::I64),
    };
    Value::new(None, kind)
}

/// The defaults alone, for tests.
///
/// # Errors
/// Never, as long as the defaults are right.
pub fn defaults() -> anyhow::Result<Config> {
    load(Some(Path::new("/dev/null")), &[], &Overrides::default())
}

#[cfg(test)]
mod tests;
