//! How much a page takes in the tables.

use entity::{document_archive, document_change, document_snapshot};
use kernel::id::DocumentId;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, Select,
    sea_query::{Expr, SimpleExpr},
};

/// How many rows a page has, and what they hold in bytes; without what the database adds to each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Rows of the log.
    pub rows: i64,
    /// What they hold.
    pub row_bytes: i64,
    /// Snapshots.
    pub snapshots: i64,
    /// What they hold.
    pub snapshot_bytes: i64,
    /// Archives of folded rows.
    pub archives: i64,
    /// What they hold.
    pub archive_bytes: i64,
}

/// What a row of the log holds, as [`measure`] counts it.
pub(super) fn size_of(row: &document_change::Model) -> u64 {
    let message_id = row.message_id.as_ref().map_or(0, String::len);
    (row.bytes.len() + row.heads_after.len() + row.change_hash.len() + row.actor.len() + message_id) as u64
}

/// How much a page takes in the tables.
///
/// # Errors
/// Only the database's.
pub async fn measure(db: &impl ConnectionTrait, document: DocumentId) -> Result<Sizes, DbErr> {
    let rows = document_change::Entity::find().filter(document_change::Column::DocumentId.eq(document));
    let snapshots = document_snapshot::Entity::find().filter(document_snapshot::Column::DocumentId.eq(document));
    let archives = document_archive::Entity::find().filter(document_archive::Column::DocumentId.eq(document));
    let of_row = "LENGTH(bytes) + LENGTH(heads_after) + LENGTH(change_hash) + LENGTH(actor) + COALESCE(OCTET_LENGTH(message_id), 0)";
    let (rows, row_bytes) = sum(db, rows, of_row).await?;
    let (snapshots, snapshot_bytes) = sum(db, snapshots, "LENGTH(bytes)").await?;
    let (archives, archive_bytes) = sum(db, archives, "LENGTH(bytes)").await?;
    Ok(Sizes {
        rows,
        row_bytes,
        snapshots,
        snapshot_bytes,
        archives,
        archive_bytes,
    })
}

/// How many rows, and the sum of their sizes.
async fn sum<E: EntityTrait>(db: &impl ConnectionTrait, rows: Select<E>, size: &str) -> Result<(i64, i64), DbErr> {
    let count: SimpleExpr = Expr::cust("COUNT(*)");
    let bytes: SimpleExpr = Expr::cust(format!("CAST(COALESCE(SUM({size}), 0) AS bigint)"));
    let row = rows
        .select_only()
        .expr_as(count, "rows")
        .expr_as(bytes, "bytes")
        .into_tuple()
        .one(db)
        .await?;
    Ok(row.unwrap_or_default())
}
