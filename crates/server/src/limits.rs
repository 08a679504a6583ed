//! Configuration as the settings of the parts.

use crate::config::{Collab, Config, Quotas};
use api::edge::{self, Edge, Rates};
use jobs::Queue;
use secrecy::ExposeSecret;
use std::time::Duration;
use transfer::export::settings::{Fonts, Typesetter};
use url::Url;
use users::lockout::Patience;

const DAY: u64 = 24 * 60 * 60;

/// Settings of logins.
pub fn users(config: &Config) -> users::Settings {
    let (auth, limits) = (&config.auth, &config.limits);
    users::Settings {
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        access_ttl: Duration::from_secs(auth.access_ttl_secs),
        link_ttl: Duration::from_secs(60 * 60),
        refresh_ttl: Duration::from_secs(auth.refresh_ttl_days * DAY),
        session_ttl: Duration::from_secs(auth.session_ttl_days * DAY),
        fresh_for: Duration::from_secs(auth.fresh_secs),
        oidc: users::oidc::Settings::default(),
        deletion_grace: Duration::from_secs(auth.deletion_grace_days * DAY),
        require_verified_email: auth.require_verified_email,
        reuse_leeway: Duration::from_secs(auth.reuse_leeway_secs),
        hash_memory_kib: auth.hash_memory_kib,
        hash_iterations: auth.hash_iterations,
        hash_parallelism: auth.hash_parallelism,
        concurrent_hashes: auth.concurrent_hashes,
        patience: Patience {
            free: limits.login_failures,
            free_anywhere: limits.login_failures_anywhere,
            wait: Duration::from_secs(limits.login_wait_secs),
        },
    }
}

/// Settings of logins with other providers.
pub fn oidc(config: &Config) -> users::oidc::Settings {
    users::oidc::Settings {
        // Was read before, when the configuration was.
        providers: users::oidc::Provider::list(config.oidc.providers.expose_secret()).unwrap_or_default(),
        public_url: public_url(config),
    }
}

/// Settings of live pages.
pub fn collab(config: &Collab) -> collab::Settings {
    let mut settings = collab::Settings {
        first_frame_bytes: config.first_frame_bytes,
        json_frame_bytes: config.json_frame_bytes,
        binary_frame_bytes: config.binary_frame_bytes,
        unacked: config.unacked,
        ops_per_sec: config.ops_per_sec,
        ops_burst: config.ops_burst,
        presence_hz: config.presence_hz,
        outbox_soft: config.outbox_soft_bytes,
        outbox_hard: config.outbox_hard_bytes,
        commit_window: Duration::from_millis(config.commit_window_ms),
        handshake: Duration::from_secs(config.handshake_secs),
        listen_after: Duration::from_secs(config.listen_secs),
        idle: Duration::from_secs(config.idle_secs),
        snapshot_rows: config.snapshot_rows,
        ..collab::Settings::default()
    };
    settings.limits.batch = config.ops_per_batch;
    settings.limits.block_text_bytes = config.block_text_bytes;
    settings.limits.blocks = config.blocks;
    settings.limits.document_bytes = config.document_bytes;
    settings
}

/// Settings of background work.
pub fn jobs(config: &Config) -> jobs::Settings {
    let (worker, days) = (&config.worker, |days: u64| Duration::from_secs(days * DAY));
    jobs::Settings {
        lease: Duration::from_secs(worker.lease_secs),
        poll: Duration::from_millis(worker.poll_ms),
        concurrency: vec![
            (Queue::Mail, worker.mail_jobs),
            (Queue::Reports, worker.reports_jobs),
            (Queue::Documents, worker.documents_jobs),
            (Queue::Search, worker.search_jobs),
            (Queue::Transfers, worker.transfers_jobs),
            (Queue::Upkeep, worker.upkeep_jobs),
        ],
        drain: Duration::from_secs(worker.drain_secs),
        snapshot_rows: config.collab.snapshot_rows,
        events_kept: days(config.events.kept_days),
        jobs_kept: days(worker.kept_days),
        log_retention: documents::compaction::Retention {
            age: days(config.collab.log_days),
            rows: config.collab.log_rows,
        },
        deleted_files_kept: days(config.files.deleted_days),
        trash_kept: days(config.documents.trash_days),
        quotas: quotas(&config.quotas),
        page_limits: collab(&config.collab).limits,
        attachments: attachments(config),
        version_pace: documents::version::Pace {
            quiet: Duration::from_secs(config.history.quiet_secs),
            long: Duration::from_secs(config.history.long_secs),
        },
        version_retention: documents::version::Retention {
            all: days(config.history.all_days),
            daily: days(config.history.daily_days),
            weekly: days(config.history.weekly_days),
        },
        public_url: public_url(config),
        exports: exports(config),
        ..jobs::Settings::default()
    }
}

/// Settings of exports. What typesets is this very program, unless another one is named.
pub fn exports(config: &Config) -> transfer::export::settings::Settings {
    let export = &config.export;
    let dir = Some(export.fonts_dir.clone()).filter(|dir| !dir.as_os_str().is_empty());
    transfer::export::settings::Settings {
        kept: Duration::from_secs(export.kept_hours * 60 * 60),
        most_running: export.running,
        most_kept: export.kept,
        pages: export.pages,
        bytes: export.bytes,
        public_url: public_url(config),
        typesetter: Typesetter {
            program: match &export.typesetter {
                own if own.as_os_str().is_empty() => std::env::current_exe().unwrap_or_else(|_| "sheaf".into()),
                other => other.clone(),
            },
            time: Duration::from_secs(export.typeset_secs),
            memory_mib: export.typeset_mib,
            fonts: Fonts::new(dir, export.system_fonts),
        },
    }
}

/// Where people reach the product, without a slash at its end.
pub fn public_url(config: &Config) -> String {
    match config.server.public_url.trim_end_matches('/') {
        "" => format!("http://{}", config.server.listen),
        url => url.to_owned(),
    }
}

/// How much a workspace may have; 0 is as much as it likes.
fn quotas(quotas: &Quotas) -> workspaces::Quotas {
    let limit = |most: u64| (most > 0).then_some(most);
    workspaces::Quotas {
        members: limit(quotas.members),
        documents: limit(quotas.documents),
        bytes: limit(quotas.bytes),
        storage_bytes: limit(quotas.storage_bytes),
    }
}

/// Settings of the HTTP face.
pub fn api(config: &Config) -> api::Settings {
    api::Settings {
        body_bytes: config.server.body_bytes,
        auth_body_bytes: config.server.auth_body_bytes,
        edge: edge(config),
        quotas: quotas(&config.quotas),
        trash_kept: Duration::from_secs(config.documents.trash_days * DAY),
        attachments: attachments(config),
        exports: exports(config),
        import_bytes: config.imports.bytes,
    }
}

/// How much of a file may come, and how fast it has to.
fn attachments(config: &Config) -> attachments::Limits {
    attachments::Limits {
        file_bytes: config.files.max_bytes,
        idle: Duration::from_secs(config.files.idle_secs),
        quotas: quotas(&config.quotas),
    }
}

fn edge(config: &Config) -> Edge {
    let (server, limits) = (&config.server, &config.limits);
    let public = Url::parse(&server.public_url).ok();
    Edge {
        rates: Rates {
            is_on: limits.enabled,
            auth: limits.auth_per_minute,
            reads: limits.reads_per_minute,
            writes: limits.writes_per_minute,
            address: limits.address_per_minute,
        },
        // The rules of the configuration have read it already.
        trusted_proxies: edge::networks(&server.trusted_proxies).unwrap_or_default(),
        allowed_hosts: words(&server.allowed_hosts),
        cors_origins: words(&server.cors_origins)
            .iter()
            .map(|origin| origin.trim_end_matches('/').to_owned())
            .collect(),
        own_origin: public.as_ref().map(|url| url.origin().ascii_serialization()),
        is_https: public.is_some_and(|url| url.scheme() == "https"),
    }
}

/// The parts of a list with commas between them.
fn words(list: &str) -> Vec<String> {
    list.split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
