//! Configuration in layers: the documented defaults, a file, the environment, flags. An unknown key or a bad value in any
//! of them stops the start with its name and its layer. Secrets are never written out: `Debug` and `Serialize` mask them.

mod layers;
mod rules;

use crate::show;
pub use layers::{DEFAULTS, Overrides, defaults, environment, load};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

/// The whole configuration.
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    /// How much somebody may send.
    pub limits: Limits,
    /// Logins with other providers.
    pub oidc: Oidc,
    /// Live pages.
    pub collab: Collab,
    /// Versions of pages.
    pub history: History,
    /// Background work.
    pub worker: Worker,
    /// Outgoing mail.
    pub mail: Mail,
    /// Where files are kept.
    pub files: Files,
    /// What is imported.
    pub imports: Imports,
    /// How much a workspace may have.
    pub quotas: Quotas,
    /// Pages.
    pub documents: Documents,
    /// Exports of pages.
    pub export: Export,
    /// The event log.
    pub events: Events,
    /// Logs.
    pub log: Log,
}

/// `[server]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub public_url: String,
    pub workers: usize,
    pub drain_secs: u64,
    pub body_bytes: usize,
    pub auth_body_bytes: usize,
    pub trusted_proxies: String,
    pub allowed_hosts: String,
    pub cors_origins: String,
}

/// `[database]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Database {
    #[serde(serialize_with = "show::url")]
    pub url: SecretString,
    pub max_connections: u32,
    pub synchronous: Synchronous,
}

/// How an SQLite commit reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// Survives a power cut.
    Full,
    /// May lose the last moments at one.
    Normal,
}

/// `[redis]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    #[serde(serialize_with = "show::url")]
    pub url: SecretString,
}

/// `[auth]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    #[serde(serialize_with = "show::secret")]
    pub signing_keys: SecretString,
    pub issuer: String,
    pub audience: String,
    pub access_ttl_secs: u64,
    pub refresh_ttl_days: u64,
    pub session_ttl_days: u64,
    pub reuse_leeway_secs: u64,
    /// How long a login counts as fresh for dangerous acts.
    pub fresh_secs: u64,
    /// How long a closed account can be kept, before it is erased.
    pub deletion_grace_days: u64,
    /// Whether only accounts whose address was proven may sign in.
    pub require_verified_email: bool,
    pub hash_memory_kib: u32,
    pub hash_iterations: u32,
    pub hash_parallelism: u32,
    pub concurrent_hashes: usize,
}

/// `[limits]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    pub enabled: bool,
    pub auth_per_minute: u32,
    pub reads_per_minute: u32,
    pub writes_per_minute: u32,
    pub address_per_minute: u32,
    pub login_failures: u64,
    pub login_failures_anywhere: u64,
    pub login_wait_secs: u64,
}

/// `[oidc]`, or `[[oidc]]` once for each provider.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Oidc {
    #[serde(serialize_with = "show::secret")]
    pub providers: SecretString,
}

/// `[collab]`
#[derive(Clone, Debug, Deserialize, Serialize)]
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
    pub log_days: u64,
    pub log_rows: i64,
}

/// `[history]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    pub quiet_secs: u64,
    pub long_secs: u64,
    pub all_days: u64,
    pub daily_days: u64,
    pub weekly_days: u64,
}

/// `[worker]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    pub enabled: bool,
    pub queues: String,
    pub lease_secs: u64,
    pub poll_ms: u64,
    pub drain_secs: u64,
    pub mail_jobs: usize,
    pub reports_jobs: usize,
    pub documents_jobs: usize,
    pub search_jobs: usize,
    pub transfers_jobs: usize,
    pub upkeep_jobs: usize,
    pub kept_days: u64,
}

/// `[mail]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    #[serde(serialize_with = "show::url")]
    pub url: SecretString,
    pub from: String,
}

/// `[files]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Files {
    pub kind: FilesKind,
    pub directory: PathBuf,
    pub bucket: String,
    pub endpoint: String,
    pub region: String,
    #[serde(serialize_with = "show::secret")]
    pub access_key: SecretString,
    #[serde(serialize_with = "show::secret")]
    pub secret_key: SecretString,
    pub path_style: bool,
    pub allow_http: bool,
    pub max_bytes: u64,
    pub idle_secs: u64,
    pub deleted_days: u64,
}

/// What files are kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FilesKind {
    /// A directory.
    Directory,
    /// A bucket of a store that speaks S3.
    S3,
}

/// `[imports]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Imports {
    pub bytes: u64,
}

/// `[quotas]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quotas {
    pub members: u64,
    pub documents: u64,
    pub bytes: u64,
    pub storage_bytes: u64,
}

/// `[documents]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Documents {
    pub trash_days: u64,
}

/// `[export]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    pub kept_hours: u64,
    pub running: u64,
    pub kept: u64,
    pub pages: u64,
    pub bytes: u64,
    pub typesetter: PathBuf,
    pub typeset_secs: u64,
    pub typeset_mib: u64,
    pub fonts_dir: PathBuf,
    pub system_fonts: bool,
}

/// `[events]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    pub kept_days: u64,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

#[cfg(test)]
mod tests;
