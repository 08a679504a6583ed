//! Configuration as the settings of the parts.

use crate::config::{Auth, Collab, Config, Quotas};
use jobs::Queue;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

/// Settings of logins.
pub fn users(auth: &Auth) -> users::Settings {
    users::Settings {
        issuer: auth.issuer.clone(),
        audience: auth.audience.clone(),
        access_ttl: Duration::from_secs(auth.access_ttl_secs),
        link_ttl: Duration::from_secs(60 * 60),
        refresh_ttl: Duration::from_secs(auth.refresh_ttl_days * DAY),
        session_ttl: Duration::from_secs(auth.session_ttl_days * DAY),
        fresh_for: Duration::from_secs(auth.fresh_secs),
        reuse_leeway: Duration::from_secs(auth.reuse_leeway_secs),
        hash_memory_kib: auth.hash_memory_kib,
        hash_iterations: auth.hash_iterations,
        hash_parallelism: auth.hash_parallelism,
        concurrent_hashes: auth.concurrent_hashes,
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
        public_url: public_url(config),
        ..jobs::Settings::default()
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
    }
}

/// Settings of the HTTP face.
pub fn api(config: &Config) -> api::Settings {
    api::Settings {
        body_bytes: config.server.body_bytes,
        auth_body_bytes: config.server.auth_body_bytes,
        quotas: quotas(&config.quotas),
    }
}
