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
    /// The workspaces it is about, and where their counters stood when it was given.
    fn proven(&self) -> Vec<(WorkspaceId, i64)>;

    /// Asks again.
    ///
    /// # Errors
    /// As the door.
    fn again(&self, tx: &DatabaseTransaction) -> impl Future<Output = Result<(), AccessError>> + Send;
}

impl<P: Allows + Sync> Proof for Access<P> {
    fn proven(&self) -> Vec<(WorkspaceId, i64)> {
        vec![(self.workspace, self.version)]
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        if !who::still(tx, self.who).await? {
            return Err(AccessError::NotFound);
        }
        enter::<P>(tx, self.who, self.workspace).await.map(drop)
    }
}

impl<P: Grants + Sync> Proof for DocumentAccess<P> {
    fn proven(&self) -> Vec<(WorkspaceId, i64)> {
        vec![(self.document.workspace_id, self.version)]
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        let row = versioned(tx, self.document.id).await?.ok_or(AccessError::NotFound)?;
        if row.document.deleted_at.is_some() != self.document.deleted_at.is_some() {
            return Err(AccessError::NotFound);
        }
        let found = resolve(tx, self.who, &row.document).await?.ok_or(AccessError::NotFound)?;
        let level = if self.document.is_archived() { found.left } else { found.level };
        if !who::still(tx, self.who).await? {
            return Err(AccessError::NotFound);
        }
        if level >= P::LEVEL { Ok(()) } else { Err(found.refusal(P::LEVEL)) }
    }
}

/// Two proofs for one write, of one workspace or of two.
pub struct Both<'a, A, B>(pub &'a A, pub Option<&'a B>);

impl<A: Proof + Sync, B: Proof + Sync> Proof for Both<'_, A, B> {
    fn proven(&self) -> Vec<(WorkspaceId, i64)> {
        let mut all = self.0.proven();
        all.extend(self.1.iter().flat_map(|other| other.proven()));
        all
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
    let proven = proof.proven();
    let workspaces: Vec<WorkspaceId> = proven.iter().map(|(workspace, _)| *workspace).collect();
    let stand = hold(tx, &workspaces).await?;
    let stands =
        |(workspace, version): &(WorkspaceId, i64)| stand.get(workspace).copied().unwrap_or_default() == version + moved_here(*workspace);
    if proven.iter().all(stands) {
        return Ok(());
    }
    let own = workspaces.iter().any(|workspace| moved_here(*workspace) > 0);
    match proof.again(tx).await {
        // The work itself may be why the door is shut now.
        Err(AccessError::NotFound | AccessError::Forbidden | AccessError::Archived | AccessError::DocumentArchived) if own => {
            Err(AccessError::Changed)
        }
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
    // One that is in another workspace by now is asked about again, by the counter of that one.
    if row.document.deleted_at.is_some() || row.document.workspace_id != writers.workspace {
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
