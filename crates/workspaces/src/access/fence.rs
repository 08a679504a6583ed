//! The fence: what somebody was let in for is committed only while they still may. Whoever takes a right away moves the
//! workspace's counter of changes of access on, in the same transaction; whoever writes compares it, holding it, as the last
//! thing before the commit. So of a revocation and a write one is first, and a write that comes second is not there.

use super::{Access, AccessError, Allows, DocumentAccess, Grants, enter, level::resolve, level::versioned, who};
use backends::db;
use events::access::{counting, hold, moved_here};
use kernel::{id::*, role::Level};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use std::collections::HashMap;

/// A proof that can be asked for again.
pub trait Proof {
    /// The workspace, and where its counter stood when the proof was given.
    fn proven(&self) -> (WorkspaceId, i64);

    /// Asks again.
    ///
    /// # Errors
    /// As the door.
    fn again(&self, tx: &DatabaseTransaction) -> impl Future<Output = Result<(), AccessError>> + Send;
}

impl<P: Allows + Sync> Proof for Access<P> {
    fn proven(&self) -> (WorkspaceId, i64) {
        (self.workspace, self.version)
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        if !who::still(tx, self.who).await? {
            return Err(AccessError::NotFound);
        }
        enter::<P>(tx, self.who, self.workspace).await.map(drop)
    }
}

impl<P: Grants + Sync> Proof for DocumentAccess<P> {
    fn proven(&self) -> (WorkspaceId, i64) {
        (self.document.workspace_id, self.version)
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        let row = versioned(tx, self.document.id).await?.ok_or(AccessError::NotFound)?;
        if row.document.deleted_at.is_some() != self.document.deleted_at.is_some() {
            return Err(AccessError::NotFound);
        }
        let found = resolve(tx, self.who, &row.document).await?;
        match found {
            Some(found) if found.level >= P::LEVEL && who::still(tx, self.who).await? => Ok(()),
            Some(found) if found.level >= Level::View => Err(AccessError::Forbidden),
            _ => Err(AccessError::NotFound),
        }
    }
}

/// Two proofs for one write, of one workspace.
pub struct Both<'a, A, B>(pub &'a A, pub Option<&'a B>);

impl<A: Proof + Sync, B: Proof + Sync> Proof for Both<'_, A, B> {
    fn proven(&self) -> (WorkspaceId, i64) {
        let (workspace, version) = self.0.proven();
        let other = self.1.map_or(version, |other| other.proven().1);
        (workspace, version.min(other))
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        self.0.again(tx).await?;
        match self.1 {
            Some(other) => other.again(tx).await,
            None => Ok(()),
        }
    }
}

/// Runs `work` in a transaction that is committed only if the proof still stands at its end. The way to write on behalf of
/// somebody.
///
/// # Errors
/// The work's own; what the door says when the right is gone; [`AccessError::Changed`] when others changed access at the
/// same time as the work did, and it has to be tried again.
pub async fn write<T, E: From<DbErr> + From<AccessError>>(
    db: &DatabaseConnection,
    proof: &impl Proof,
    work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, E>,
) -> Result<T, E> {
    counting(db::write(db, async |tx: &DatabaseTransaction| {
        let done = work(tx).await?;
        check(tx, proof).await?;
        Ok(done)
    }))
    .await
}

async fn check(tx: &DatabaseTransaction, proof: &impl Proof) -> Result<(), AccessError> {
    let (workspace, version) = proof.proven();
    let own = moved_here(workspace);
    let stands = hold(tx, &[workspace]).await?.get(&workspace).copied().unwrap_or_default();
    if stands == version + own {
        return Ok(());
    }
    match proof.again(tx).await {
        // The work itself may be why the door is shut now.
        Err(AccessError::NotFound | AccessError::Forbidden | AccessError::Archived) if own > 0 => Err(AccessError::Changed),
        answer => answer,
    }
}

/// Those who changed a page, and when their right to was proven.
#[derive(Clone, Debug)]
pub struct Writers {
    /// The page.
    pub document: DocumentId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Where the tenant's counter stood at the oldest proof.
    pub version: i64,
    /// Each of them once.
    pub who: Vec<who::Who>,
}

/// Of each of these, in their order, whether all writers still may. To be asked when everything else is written; what
/// was answered stands until the transaction ends.
///
/// # Errors
/// Only the database's.
pub async fn may_still_write(tx: &DatabaseTransaction, all: &[&Writers]) -> Result<Vec<bool>, DbErr> {
    let mut workspaces: Vec<WorkspaceId> = all.iter().map(|writers| writers.workspace).collect();
    workspaces.sort_unstable();
    workspaces.dedup();
    let stand: HashMap<WorkspaceId, i64> = hold(tx, &workspaces).await?;
    let mut answers = Vec::with_capacity(all.len());
    for writers in all {
        let same = stand.get(&writers.workspace).copied().unwrap_or_default() == writers.version;
        answers.push(same || all_may(tx, writers).await?);
    }
    Ok(answers)
}

async fn all_may(tx: &DatabaseTransaction, writers: &Writers) -> Result<bool, DbErr> {
    let Some(row) = versioned(tx, writers.document).await? else {
        return Ok(false);
    };
    if row.document.deleted_at.is_some() {
        return Ok(false);
    }
    for who in &writers.who {
        let found = resolve(tx, *who, &row.document).await?;
        if found.is_none_or(|found| found.level < Level::Edit) || !who::still(tx, *who).await? {
            return Ok(false);
        }
    }
    Ok(true)
}
