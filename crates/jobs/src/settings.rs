//! What background work needs from the rest of the product.

use crate::Queue;
use backends::{files::Files, mail::Mailer, signal::Signals};
use events::checkpoint::Seals;
use kernel::secret::Mint;
use sea_orm::DatabaseConnection;
use std::{sync::Arc, time::Duration};

/// How background work behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long a worker holds a job without a sign of life. What a killed worker held begins anew after this.
    pub lease: Duration,
    /// How often a worker looks by itself, when no signal wakes it.
    pub poll: Duration,
    /// Jobs of each queue that run at once in this process.
    pub concurrency: Vec<(Queue, usize)>,
    /// How long running jobs may go on after the word to stop.
    pub drain: Duration,
    /// How long one attempt may take at most.
    pub timeout: Duration,
    /// Rows of log behind the last snapshot from which a page is due for a new one.
    pub snapshot_rows: i64,
    /// How long entries of the event log are kept.
    pub events_kept: Duration,
    /// How long jobs that are over are kept; dead ones four times as long.
    pub jobs_kept: Duration,
    /// How long a deleted file of a page can be taken back.
    pub deleted_files_kept: Duration,
    /// How long pages stay in the trash.
    pub trash_kept: Duration,
    /// How much a workspace may have.
    pub quotas: workspaces::Quotas,
    /// How large a page may be.
    pub page_limits: documents::limits::Limits,
    /// What is folded away of a page's log.
    pub log_retention: documents::compaction::Retention,
    /// How much of a file of a page may come, and what a workspace may have.
    pub attachments: attachments::Limits,
    /// When a version of a page is made by itself.
    pub version_pace: documents::version::Pace,
    /// How long versions that nobody named are kept.
    pub version_retention: documents::version::Retention,
    /// Where people reach the product, for links in mails; without a slash at its end.
    pub public_url: String,
    /// How exports behave.
    pub exports: transfer::export::settings::Settings,
}

/// How many jobs of a queue run at once when nothing else is said.
const CONCURRENCY: [(Queue, usize); 6] = [
    (Queue::Mail, 4),
    (Queue::Reports, 1),
    (Queue::Documents, 2),
    (Queue::Search, 2),
    (Queue::Transfers, 2),
    (Queue::Upkeep, 1),
];

impl Default for Settings {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            concurrency: CONCURRENCY.to_vec(),
            drain: Duration::from_secs(20),
            timeout: Duration::from_secs(15 * 60),
            snapshot_rows: 500,
            events_kept: Duration::from_secs(400 * 24 * 60 * 60),
            jobs_kept: Duration::from_secs(7 * 24 * 60 * 60),
            deleted_files_kept: Duration::from_secs(7 * 24 * 60 * 60),
            trash_kept: Duration::from_secs(30 * 24 * 60 * 60),
            quotas: workspaces::Quotas::default(),
            page_limits: documents::limits::Limits::default(),
            log_retention: documents::compaction::Retention::default(),
            attachments: attachments::Limits::default(),
            version_pace: documents::version::Pace::default(),
            version_retention: documents::version::Retention::default(),
            public_url: "http://127.0.0.1:8000".to_owned(),
            exports: transfer::export::settings::Settings::default(),
        }
    }
}

impl Settings {
    /// How many jobs of a queue run at once in this process.
    pub fn concurrency_of(&self, queue: Queue) -> usize {
        let set = self.concurrency.iter().find(|(of, _)| *of == queue);
        set.map_or(1, |(_, count)| std::cmp::max(*count, 1))
    }
}

/// The parts that jobs work with; cheap to clone.
#[derive(Clone)]
pub struct Parts {
    /// The database.
    pub db: DatabaseConnection,
    /// Hints from and to the rest of the product.
    pub signals: Signals,
    /// Outgoing mail.
    pub mailer: Mailer,
    /// Where files are kept.
    pub files: Files,
    /// What signs checkpoints of the event log.
    pub seals: Seals,
    /// What derives the secrets in letters.
    pub mint: Mint,
    /// How background work behaves.
    pub settings: Arc<Settings>,
}

impl Parts {
    /// Files of pages, and how much of one may come.
    pub fn store(&self) -> attachments::Store {
        attachments::Store {
            db: self.db.clone(),
            files: self.files.clone(),
            limits: self.settings.attachments.clone(),
        }
    }
}
