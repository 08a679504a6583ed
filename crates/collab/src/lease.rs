//! A lease for a large operation of the product: while it is held, only edits that name it are written to the page. What
//! others do meanwhile is refused as `locked`, or kept by their Automerge replicas, which are asked for it when the lease is
//! over. It is renewed for as long as it is held, and ends within a minute when the node that holds it dies.

use crate::Rooms;
use documents::{
    error::Error,
    lock::{self, Holder, MAX_LEASE, NewLease},
};
use kernel::id::*;
use sea_orm::DatabaseTransaction;
use tokio::{sync::oneshot, task::JoinHandle};
use workspaces::access::{self, DocumentAccess, EditDocument};

/// A page that is held. Dropping it gives the page back, in a moment; [`Lease::release`] waits for that.
#[must_use = "the page is given back when this is dropped"]
pub struct Lease {
    token: LockId,
    held: oneshot::Sender<()>,
    keeper: JoinHandle<()>,
}

/// Takes a page for an operation that is done for whoever stands behind `access`. Put [`Lease::token`] into every
/// [`EditRequest`](crate::rooms::EditRequest) of the operation; one that comes after the lease was lost is refused.
///
/// # Errors
/// [`Error::Locked`] when somebody else holds the page; the door's when the right to edit is gone; the database's.
pub async fn hold(rooms: &Rooms, access: &DocumentAccess<EditDocument>, reason: &str) -> Result<Lease, Error> {
    let new = NewLease {
        token: None,
        holder: Holder::Server(access.user()),
        reason: Some(reason.to_owned()),
        ttl: MAX_LEASE,
    };
    let db = &rooms.shared.db;
    let taken = access::write(db, access, async |tx: &DatabaseTransaction| lock::lease(tx, access, new).await).await?;
    rooms.locks_changed(access.id()).await;
    let (held, over) = oneshot::channel();
    let keeper = rooms.shared.runtime.spawn(keep(rooms.clone(), (access.id(), taken.token), over));
    Ok(Lease {
        token: taken.token,
        held,
        keeper,
    })
}

impl Lease {
    /// What edits of the operation name.
    pub fn token(&self) -> LockId {
        self.token
    }

    /// Gives the page back and returns when that is done.
    pub async fn release(self) {
        drop(self.held);
        // It ends by itself; if it panicked, the lease runs out.
        drop(self.keeper.await);
    }
}

/// Renews a lease until whoever holds it is gone, and gives it back then.
async fn keep(rooms: Rooms, what: (DocumentId, LockId), mut over: oneshot::Receiver<()>) {
    let (document, token) = what;
    let db = rooms.shared.db.clone();
    // So that two renewals may fail.
    while tokio::time::timeout(MAX_LEASE / 4, &mut over).await.is_err() {
        match lock::renew(&db, document, token, MAX_LEASE).await {
            Ok(true) => rooms.locks_changed(document).await,
            Ok(false) => tracing::warn!(%document, "a lease was lost; what is written under it from now on is refused"),
            Err(error) => tracing::warn!(%document, %error, "a lease was not renewed; trying again"),
        }
    }
    if let Err(error) = lock::release(&db, document, token).await {
        tracing::warn!(%document, %error, "a lease was not given back; it ends by itself");
    }
    rooms.locks_changed(document).await;
}
