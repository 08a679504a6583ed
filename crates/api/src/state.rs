//! What every handler can reach.

use crate::{edge::Edge, problem::ApiError, streams::Streams};
use backends::{files::Files, limits::Limits, signal::Signals};
use collab::Rooms;
use events::checkpoint::Seals;
use kernel::secret::Mint;
use sea_orm::{DatabaseConnection, DatabaseTransaction};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};
use std::time::Duration;
use users::Accounts;
use workspaces::access::{self, fence::Proof};

/// How the HTTP face behaves.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Bytes of a JSON body.
    pub body_bytes: usize,
    /// Bytes of a JSON body on the auth routes, which strangers may call.
    pub auth_body_bytes: usize,
    /// What is let in.
    pub edge: Edge,
    /// How much a workspace may have.
    pub quotas: workspaces::Quotas,
    /// Bytes of one file that is imported.
    pub import_bytes: u64,
    /// How much of a file may come, and how fast it has to.
    pub attachments: attachments::Limits,
    /// How long pages stay in the trash.
    pub trash_kept: Duration,
    /// How exports behave.
    pub exports: transfer::export::settings::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            auth_body_bytes: 16 << 10,
            edge: Edge::default(),
            quotas: workspaces::Quotas::default(),
            import_bytes: 200 << 20,
            attachments: attachments::Limits::default(),
            trash_kept: Duration::from_secs(30 * 24 * 60 * 60),
            exports: transfer::export::settings::Settings::default(),
        }
    }
}

/// The parts a handler works with; cheap to clone.
#[derive(Clone)]
pub struct State {
    /// The database.
    pub db: DatabaseConnection,
    /// The bus between nodes, for readiness.
    pub bus: backends::bus::Bus,
    /// What counts requests.
    pub limits: Limits,
    /// Accounts and tokens.
    pub accounts: Accounts,
    /// Live pages.
    pub rooms: Rooms,
    /// Hints to the relay and the workers.
    pub signals: Signals,
    /// What verifies checkpoints of the event log.
    pub seals: Seals,
    /// What derives the secrets in letters and links.
    pub mint: Mint,
    /// Where files are kept.
    pub files: Files,
    /// Live streams of events.
    pub streams: Streams,
    /// How the HTTP face behaves.
    pub settings: Arc<Settings>,
    /// Set when this node is going away: readiness says so, so that balancers send nobody any more.
    pub draining: Arc<AtomicBool>,
}

impl State {
    /// The door: what decides who may do what.
    pub fn door(&self) -> &access::Door {
        self.rooms.keeper()
    }

    /// Where files of pages and their rows are.
    pub fn store(&self) -> attachments::Store {
        attachments::Store {
            db: self.db.clone(),
            files: self.files.clone(),
            limits: self.settings.attachments.clone(),
        }
    }

    /// Writes on behalf of somebody who was let in: committed only while they still may.
    ///
    /// # Errors
    /// The work's own, and the door's when the right is gone.
    pub async fn write<T, E>(&self, proof: &impl Proof, work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>) -> Result<T, ApiError>
    where
        ApiError: From<E>,
    {
        access::write(&self.db, proof, async |tx: &DatabaseTransaction| {
            work(tx).await.map_err(ApiError::from)
        })
        .await
    }

    /// Whether this node is going away.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}
