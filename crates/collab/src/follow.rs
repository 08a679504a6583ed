//! What follows when a page has come to rest. Rooms do not know what that is; whoever starts them does.

use futures::future::BoxFuture;
use kernel::id::*;
use sea_orm::{DatabaseTransaction, DbErr};

/// Is told of pages that have come to rest.
pub trait Follow: Send + Sync {
    /// Writes what follows, in the transaction that keeps what the page says by now.
    fn settled<'t>(&'t self, tx: &'t DatabaseTransaction, workspace: WorkspaceId, document: DocumentId)
    -> BoxFuture<'t, Result<(), DbErr>>;

    /// That transaction is committed.
    fn committed(&self);
}

/// Nothing follows.
impl Follow for () {
    fn settled<'t>(&'t self, _: &'t DatabaseTransaction, _: WorkspaceId, _: DocumentId) -> BoxFuture<'t, Result<(), DbErr>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn committed(&self) {}
}
