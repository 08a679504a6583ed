//! Cutting old entries off, so that the log does not grow for ever. Never silently: a signed checkpoint stands where it
//! was cut, and the cut is an entry of its own.

use crate::{
    By, Change, append, chain,
    checkpoint::{self, Seals},
    partition, read, relay,
};
use entity::{
    event, event_chain,
    event_checkpoint::{self, Reason},
};
use kernel::{clock::Time, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, ExprTrait},
};

/// Entries of one chain that are cut off in one transaction where they are deleted one by one.
const AT_ONCE: i64 = 5_000;

/// What was done to one chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Where it now begins.
    pub floor_seq: i64,
    /// Whether there is more to cut.
    pub is_done: bool,
}

/// The instant before which entries go: on PostgreSQL the begin of its month, because months go as a whole.
pub fn boundary(backend: DbBackend, before: Time) -> Time {
    match backend {
        DbBackend::Postgres => partition::month_of(before).and_hms_opt(0, 0, 0).map_or(before, |at| at.and_utc()),
        _ => before,
    }
}

/// Cuts one tenant's chain off at the last entry before an instant; what is older still lies in its month on PostgreSQL
/// until [`drop_months`]. `None` when there is nothing to cut.
///
/// # Errors
/// Only the database's.
pub async fn cut(tx: &DatabaseTransaction, seals: &Seals, workspace: WorkspaceId, before: Time) -> Result<Option<Cut>, DbErr> {
    // The relay reads and writes the same row.
    relay::lock(tx).await?;
    let before = boundary(tx.get_database_backend(), before);
    let Some(chain) = read::chain(tx, workspace).await? else {
        return Ok(None);
    };
    let newest = read::of_chain(event::Entity::find(), workspace)
        .select_only()
        .column_as(event::Column::Seq.max(), "seq")
        .filter(event::Column::CreatedAt.lt(before))
        .into_tuple::<Option<i64>>()
        .one(tx)
        .await?
        .flatten()
        .filter(|seq| *seq > chain.floor_seq);
    let Some(newest) = newest else { return Ok(None) };
    let has_months = tx.get_database_backend() == DbBackend::Postgres;
    let floor = if has_months {
        newest
    } else {
        std::cmp::min(newest, chain.floor_seq + AT_ONCE)
    };
    let hash = checkpoint::hash_at(tx, workspace, floor)
        .await?
        .ok_or_else(|| DbErr::Custom(format!("entry {floor} of {workspace} is not there")))?;
    checkpoint::sign(tx, seals, (workspace, floor, hash), Reason::Cut).await?;
    forget(tx, workspace, floor, has_months.then_some(before)).await?;
    let by = By {
        workspace: Some(workspace).filter(|id| *id != chain::INSTANCE),
        user: None,
    };
    if floor == newest {
        append(tx, by, Change::AuditLogCut { workspace, seq: floor }).await?;
    }
    Ok(Some(Cut {
        floor_seq: floor,
        is_done: floor == newest,
    }))
}

/// Removes entries and older checkpoints up to a number. Where months are dropped as a whole, only the stragglers are
/// deleted that lie in a later one.
async fn forget(tx: &impl ConnectionTrait, workspace: WorkspaceId, floor: i64, lies_behind: Option<Time>) -> Result<(), DbErr> {
    let mut doomed = event::Entity::delete_many().filter(event::Column::Seq.lte(floor));
    doomed = match workspace {
        chain::INSTANCE => doomed.filter(event::Column::WorkspaceId.is_null()),
        workspace => doomed.filter(event::Column::WorkspaceId.eq(workspace)),
    };
    if let Some(from) = lies_behind {
        doomed = doomed.filter(event::Column::CreatedAt.gte(from));
    }
    doomed.exec(tx).await?;
    event_checkpoint::Entity::delete_many()
        .filter(event_checkpoint::Column::WorkspaceId.eq(workspace))
        .filter(event_checkpoint::Column::Seq.lt(floor))
        .exec(tx)
        .await?;
    event_chain::Entity::update_many()
        .col_expr(event_chain::Column::FloorSeq, Expr::value(floor))
        .filter(event_chain::Column::WorkspaceId.eq(workspace))
        .exec(tx)
        .await
        .map(drop)
}

/// Drops the months before an instant, once every chain is cut off behind them. Gives how many; on SQLite none.
///
/// # Errors
/// Only the database's.
pub async fn drop_months(tx: &DatabaseTransaction, before: Time) -> Result<usize, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(0);
    }
    relay::lock(tx).await?;
    let before = boundary(DbBackend::Postgres, before);
    let still_chained = event::Entity::find()
        .filter(event::Column::CreatedAt.lt(before))
        .filter(event::Column::Seq.is_null().or(Expr::cust(
            "seq > COALESCE((SELECT floor_seq FROM event_chains c WHERE c.workspace_id = \
                 COALESCE(events.workspace_id, '00000000-0000-0000-0000-000000000000')), 0)",
        )))
        .one(tx)
        .await?;
    if still_chained.is_some() {
        return Ok(0);
    }
    let limit = partition::month_of(before);
    let doomed: Vec<_> = partition::months(tx).await?.into_iter().filter(|month| *month < limit).collect();
    for month in &doomed {
        partition::remove(tx, *month).await?;
    }
    tx.execute_unprepared(&format!(
        "DELETE FROM events_rest WHERE created_at < '{}'",
        before.format("%Y-%m-%d %H:%M:%S+00")
    ))
    .await?;
    Ok(doomed.len())
}
