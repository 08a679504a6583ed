//! What values may be, beyond their types. A message names what is wanted, and never the value of a secret.

use super::{Config, FilesKind};
use secrecy::ExposeSecret;
use tracing_subscriber::EnvFilter;
use url::Url;

/// The largest size that a limit in bytes may have.
const GIB: i64 = 1 << 30;
/// Times in seconds go up to a day, longer ones are typing errors.
const DAY: i64 = 24 * 60 * 60;
/// The largest count.
const MANY: i64 = 1_000_000_000;

/// The whole numbers and what they lie between. What is not listed may be anything from 0 that its type can hold.
const RANGES: &[(&str, i64, i64)] = &[
    ("server.workers", 0, 1024),
    ("server.drain_secs", 0, DAY),
    ("server.body_bytes", 1, GIB),
    ("server.auth_body_bytes", 1, GIB),
    // On PostgreSQL, one holds the lock on the schema while another migrates.
    ("database.max_connections", 2, 10_000),
    ("auth.access_ttl_secs", 1, 365 * DAY),
    ("auth.refresh_ttl_days", 1, 3650),
    ("auth.session_ttl_days", 1, 3650),
    ("auth.fresh_secs", 1, DAY),
    ("auth.deletion_grace_days", 0, 3650),
    ("auth.reuse_leeway_secs", 0, DAY),
    ("auth.hash_memory_kib", 8, 4 << 20),
    ("auth.hash_iterations", 1, 1000),
    ("auth.hash_parallelism", 1, 255),
    ("auth.concurrent_hashes", 1, 1024),
    ("limits.auth_per_minute", 1, MANY),
    ("limits.reads_per_minute", 1, MANY),
    ("limits.writes_per_minute", 1, MANY),
    ("limits.address_per_minute", 1, MANY),
    ("limits.login_failures", 1, MANY),
    ("limits.login_failures_anywhere", 1, MANY),
    ("limits.login_wait_secs", 1, 15 * 60),
    ("collab.first_frame_bytes", 1, GIB),
    ("collab.json_frame_bytes", 1, GIB),
    ("collab.binary_frame_bytes", 1, GIB),
    ("collab.ops_per_batch", 1, MANY),
    ("collab.block_text_bytes", 1, GIB),
    ("collab.blocks", 1, MANY),
    ("collab.document_bytes", 1, GIB),
    ("collab.unacked", 1, MANY),
    ("collab.ops_per_sec", 1, MANY),
    ("collab.ops_burst", 1, MANY),
    ("collab.presence_hz", 1, 1000),
    ("collab.outbox_soft_bytes", 1, GIB),
    ("collab.outbox_hard_bytes", 1, GIB),
    ("collab.commit_window_ms", 0, 10_000),
    ("collab.handshake_secs", 1, DAY),
    ("collab.listen_secs", 0, DAY),
    ("collab.idle_secs", 0, DAY),
    ("collab.snapshot_rows", 1, MANY),
    ("collab.log_days", 0, 36_500),
    ("collab.log_rows", 0, MANY),
    ("files.max_bytes", 1, 64 * GIB),
    ("files.idle_secs", 1, DAY),
    ("files.deleted_days", 0, 3650),
    ("imports.bytes", 1, 64 * GIB),
    ("history.quiet_secs", 0, DAY),
    ("history.long_secs", 1, 7 * DAY),
    ("history.all_days", 0, 36_500),
    ("history.daily_days", 0, 36_500),
    ("history.weekly_days", 0, 36_500),
    ("worker.lease_secs", 1, DAY),
    ("worker.poll_ms", 10, 60_000),
    ("worker.drain_secs", 0, DAY),
    ("worker.mail_jobs", 1, 1024),
    ("worker.reports_jobs", 1, 1024),
    ("worker.documents_jobs", 1, 1024),
    ("worker.search_jobs", 1, 1024),
    ("worker.transfers_jobs", 1, 1024),
    ("worker.upkeep_jobs", 1, 1024),
    ("worker.kept_days", 1, 3650),
    ("documents.trash_days", 1, 3_650),
    ("events.kept_days", 1, 36_500),
    ("export.kept_hours", 1, 24 * 365),
    ("export.running", 1, 1024),
    ("export.kept", 1, MANY),
    ("export.pages", 1, 1_000_000),
    ("export.bytes", 1 << 20, 1 << 40),
    ("export.typeset_secs", 1, 600),
    ("export.typeset_mib", 64, 64 << 10),
];

/// What is wrong with a whole number, if anything.
pub(super) fn number(key: &str, value: i64) -> Option<String> {
    let (least, most) = RANGES
        .iter()
        .find(|(name, ..)| *name == key)
        .map_or((0, i64::MAX), |(_, least, most)| (*least, *most));
    (value < least || value > most).then(|| format!("has to lie between {least} and {most}"))
}

/// What is wrong with a text, if anything.
pub(super) fn text(key: &str, value: &str) -> Option<String> {
    match key {
        "server.public_url" if !value.is_empty() => public_url(value),
        "server.trusted_proxies" => api::edge::networks(value)
            .err()
            .map(|what| format!("lists networks such as 10.0.0.0/8; {what} is none")),
        "server.allowed_hosts" => list(value)
            .find(|host| !is_host(host))
            .map(|what| format!("lists names without scheme, port and path; {what} is none")),
        "server.cors_origins" => origins(value),
        "database.url" if !value.is_empty() => database_url(value),
        "worker.queues" => jobs::Queue::list(value).err(),
        "oidc.providers" => users::oidc::Provider::list(value).err(),
        "files.endpoint" if !value.is_empty() => endpoint(value),
        "mail.url" if !value.is_empty() => mail_url(value),
        "log.level" => EnvFilter::try_new(value)
            .err()
            .map(|why| format!("is no level and no filter: {why}")),
        _ => None,
    }
}

/// The scheme alone; the rest is read when mail is set up, because only the mail library knows what it takes.
fn mail_url(value: &str) -> Option<String> {
    match Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "smtp" | "smtps") && url.has_host() => None,
        _ => Some("has to begin with smtp:// or smtps:// and a host".to_owned()),
    }
}

fn public_url(value: &str) -> Option<String> {
    let is_good = Url::parse(value).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    (!is_good).then(|| "has to begin with http:// or https:// and a host".to_owned())
}

fn endpoint(value: &str) -> Option<String> {
    let is_good = Url::parse(value).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && url.username().is_empty() && url.password().is_none()
    });
    (!is_good).then(|| "has to begin with http:// or https:// and a host, without a name and password".to_owned())
}

fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|one| !one.is_empty())
}

fn is_host(name: &str) -> bool {
    Url::parse(&format!("http://{name}/"))
        .is_ok_and(|url| url.port().is_none() && url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(name)))
}

fn origins(value: &str) -> Option<String> {
    let is_origin = |one: &str| {
        let one = one.trim_end_matches('/');
        Url::parse(one).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.origin().ascii_serialization() == one)
    };
    if list(value).any(|one| one == "*") && list(value).count() > 1 {
        return Some("is either * alone or a list of origins".to_owned());
    }
    list(value)
        .find(|one| *one != "*" && !is_origin(one))
        .map(|what| format!("lists origins such as https://app.example.com; {what} is none"))
}

/// Looked at here because the driver puts the whole url, with its password, into its own messages.
fn database_url(value: &str) -> Option<String> {
    match Url::parse(value) {
        Ok(url) if matches!(url.scheme(), "postgres" | "postgresql" | "sqlite") => None,
        Ok(_) => Some("has to begin with postgres:// or sqlite://".to_owned()),
        Err(why) => Some(format!(
            "is no url ({why}); in a password, write special characters in percent form, such as %23 for #"
        )),
    }
}

/// What is wrong with values that have to fit each other, if anything.
pub(super) fn together(config: &Config) -> Option<String> {
    if config.collab.outbox_soft_bytes > config.collab.outbox_hard_bytes {
        return Some("collab.outbox_soft_bytes is larger than collab.outbox_hard_bytes".to_owned());
    }
    let files = &config.files;
    if files.kind == FilesKind::S3 && files.bucket.is_empty() {
        return Some("files.kind is s3, and files.bucket is empty".to_owned());
    }
    if files.access_key.expose_secret().is_empty() != files.secret_key.expose_secret().is_empty() {
        return Some("files.access_key and files.secret_key belong together: set both, or none".to_owned());
    }
    if files.endpoint.starts_with("http://") && !files.allow_http {
        return Some("files.endpoint begins with http://, which files.allow_http does not allow".to_owned());
    }
    let history = &config.history;
    if history.all_days > history.daily_days || history.daily_days > history.weekly_days {
        return Some("history.all_days, daily_days and weekly_days have to be in this order".to_owned());
    }
    // RFC 9106, section 3.1.
    if config.auth.hash_memory_kib < 8 * config.auth.hash_parallelism {
        return Some("auth.hash_memory_kib has to be at least eight times auth.hash_parallelism".to_owned());
    }
    None
}
