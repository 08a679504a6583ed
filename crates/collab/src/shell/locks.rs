//! Locks on the page: read when they may have changed, and taken and given back for the people here.

use super::Shell;
use crate::{
    news::Told,
    room::{Ask, GiveLease, TakeLease},
};
use documents::{
    error::Error,
    lock::{self, Held, Holder, NewLease},
};
use sea_orm::DatabaseTransaction;
use workspaces::access::{self, EditDocument};

impl Shell {
    /// Reads the page's locks. Where that fails nothing changes here; the journal sees them all the same.
    pub(super) async fn look_at_locks(&mut self) {
        match lock::held(&self.shared.db, self.document).await {
            Ok(held) => self.room.set_locks(held),
            Err(error) => tracing::warn!(document = %self.document, %error, "the page's locks cannot be read"),
        }
    }

    /// A lock kept something of the batch out, and nothing was written: that is refused, the rest tried again.
    pub(super) async fn sort_out_the_locked(&mut self) {
        let pending = self.room.take_pending();
        if self.reload().await
            && let Some(pending) = pending
        {
            self.room.requeue(pending);
            self.look_at_locks().await;
            self.room.refuse_the_locked_out();
        }
    }

    /// Takes leases and gives them back, as people here have asked.
    pub(super) async fn answer_asks(&mut self) {
        for ask in self.room.asks() {
            match ask {
                Ask::Take(take) => self.take_lease(take).await,
                Ask::Give(give) => self.give_lease(give).await,
            }
        }
    }

    async fn take_lease(&mut self, take: TakeLease) {
        let taken = self.lease_for(&take).await;
        if taken.is_ok() {
            self.locks_changed().await;
        }
        self.room.lease_taken(&take, taken);
    }

    async fn lease_for(&self, take: &TakeLease) -> Result<Held, Error> {
        let access = self.shared.keeper.open::<EditDocument>(take.who, self.document).await?;
        let new = NewLease {
            token: None,
            holder: Holder::Person(access.user()),
            reason: take.reason.clone(),
            ttl: take.ttl,
        };
        access::write(&self.shared.db, &access, async |tx: &DatabaseTransaction| {
            lock::lease(tx, &access, new).await
        })
        .await
    }

    async fn give_lease(&mut self, give: GiveLease) {
        if let Err(error) = lock::release(&self.shared.db, self.document, give.token).await {
            tracing::warn!(document = %self.document, %error, "a lease was not given back; it ends by itself");
        }
        self.locks_changed().await;
        self.room.lease_given(&give);
    }

    async fn locks_changed(&mut self) {
        self.look_at_locks().await;
        self.send(Told::Locks { document: self.document }).await;
    }
}
