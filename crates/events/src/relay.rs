//! The relay's work on the log: what was appended gets its number and its hash.
//!
//! One node at a time does it, whoever holds the lock of the transaction. A fact that commits late simply comes later:
//! numbers follow the order in which the relay sees the facts, so there is never a gap that somebody would wait for.

use crate::chain::{self, Hash};
use entity::{event, event_chain};
use kernel::id::*;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement, Value, sea_query::OnConflict,
};
use std::{collections::HashMap, fmt::Write};

/// The lock that only one stamper holds, until its transaction ends.
const LOCK: i64 = 7_463_322;

/// What a round came to.
#[derive(Debug)]
pub enum Round {
    /// Another node is at it.
    Busy,
    /// These were stamped, in the order of the log; none when there was nothing.
    Stamped(Vec<event::Model>),
}

/// Stamps up to `limit` facts that have no number yet.
///
/// # Errors
/// Only the database's.
pub async fn stamp(tx: &DatabaseTransaction, limit: u64) -> Result<Round, DbErr> {
    if !try_lock(tx).await? {
        return Ok(Round::Busy);
    }
    let mut events = event::Entity::find()
        .filter(event::Column::Seq.is_null())
        .order_by_asc(event::Column::Id)
        .limit(limit)
        .all(tx)
        .await?;
    if events.is_empty() {
        return Ok(Round::Stamped(events));
    }
    let mut heads = heads(tx, &events).await?;
    for event in &mut events {
        let head = heads.entry(chain::of(event)).or_insert((0, chain::START));
        let seq = head.0 + 1;
        *head = (seq, chain::hash(&head.1, seq, event));
        event.seq = Some(seq);
        event.hash = Some(head.1.to_vec());
    }
    for some in events.chunks(200) {
        write(tx, some).await?;
    }
    keep(tx, heads).await?;
    Ok(Round::Stamped(events))
}

/// SQLite's transactions are alone anyway.
async fn try_lock(tx: &DatabaseTransaction) -> Result<bool, DbErr> {
    if tx.get_database_backend() != DbBackend::Postgres {
        return Ok(true);
    }
    let sql = Statement::from_string(DbBackend::Postgres, format!("SELECT pg_try_advisory_xact_lock({LOCK}) AS got"));
    let row = tx.query_one_raw(sql).await?;
    row.map_or(Ok(false), |row| row.try_get("", "got"))
}

/// Waits until nobody stamps, and keeps it so until the transaction ends.
pub(crate) async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DbBackend::Postgres {
        tx.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({LOCK})")).await?;
    }
    Ok(())
}

/// Where the chains of these events stand.
async fn heads(tx: &impl ConnectionTrait, events: &[event::Model]) -> Result<HashMap<WorkspaceId, (i64, Hash)>, DbErr> {
    let mut chains: Vec<WorkspaceId> = events.iter().map(chain::of).collect();
    chains.sort_unstable();
    chains.dedup();
    let rows = event_chain::Entity::find()
        .filter(event_chain::Column::WorkspaceId.is_in(chains))
        .all(tx)
        .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.workspace_id, (row.seq, chain::from_bytes(&row.hash))))
        .collect())
}

/// Gives all of them their number and hash in one statement.
async fn write(tx: &impl ConnectionTrait, events: &[event::Model]) -> Result<(), DbErr> {
    let mut values: Vec<Value> = Vec::with_capacity(events.len() * 3 + 1);
    let mut places = String::new();
    for (i, event) in events.iter().enumerate() {
        let comma = if i == 0 { "" } else { ", " };
        let at = i * 3;
        write!(places, "{comma}(${}, ${}, ${})", at + 1, at + 2, at + 3).map_err(|e| DbErr::Custom(e.to_string()))?;
        values.extend([event.id.into(), event.seq.into(), event.hash.clone().into()]);
    }
    // Bounds the months that have to be looked into.
    let oldest = events.iter().map(|event| event.created_at).min();
    values.push(oldest.into());
    let sql = format!(
        "WITH stamped(id, seq, hash) AS (VALUES {places})
         UPDATE events SET seq = stamped.seq, hash = stamped.hash FROM stamped WHERE events.id = stamped.id AND events.created_at >= ${}",
        values.len()
    );
    let done = tx
        .execute_raw(Statement::from_sql_and_values(tx.get_database_backend(), sql, values))
        .await?;
    if done.rows_affected() == events.len() as u64 {
        Ok(())
    } else {
        Err(DbErr::Custom(format!(
            "{} of {} events were stamped",
            done.rows_affected(),
            events.len()
        )))
    }
}

async fn keep(tx: &impl ConnectionTrait, heads: HashMap<WorkspaceId, (i64, Hash)>) -> Result<(), DbErr> {
    let rows = heads.into_iter().map(|(workspace, (seq, hash))| event_chain::ActiveModel {
        workspace_id: Set(workspace),
        seq: Set(seq),
        hash: Set(hash.to_vec()),
        floor_seq: Set(0),
    });
    let move_on = OnConflict::column(event_chain::Column::WorkspaceId)
        .update_columns([event_chain::Column::Seq, event_chain::Column::Hash])
        .to_owned();
    for some in rows.collect::<Vec<_>>().chunks(200) {
        event_chain::Entity::insert_many(some.to_vec())
            .on_conflict(move_on.clone())
            .exec_without_returning(tx)
            .await?;
    }
    Ok(())
}
