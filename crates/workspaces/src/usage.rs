//! How much a workspace has.

use crate::access::{Access, EditWorkspace};
use kernel::id::WorkspaceId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement};

/// What a workspace has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, FromQueryResult)]
pub struct Usage {
    /// Members who are no guests.
    pub members: i64,
    /// Guests.
    pub guests: i64,
    /// Pages that are not in the trash.
    pub documents: i64,
    /// Pages in the trash.
    pub trashed: i64,
    /// Blocks of all pages, as of their last quiet moment.
    pub blocks: i64,
    /// Bytes of all pages, with what is kept of their past.
    pub bytes: i64,
    /// Bytes of files, those that are still coming and those that were deleted lately too.
    pub storage_bytes: i64,
}

/// Every block is written with its children, so that key stands in a page's content once for each. In a text its quotes
/// are escaped.
const BLOCKS: &str = "SELECT CAST(COALESCE(SUM((LENGTH(p.view) - LENGTH(REPLACE(p.view, '\"children\":', ''))) / 11), 0) AS BIGINT)
    FROM document_projections p JOIN documents d ON d.id = p.document_id WHERE d.workspace_id = $1";

const STORAGE: &str = "(SELECT CAST(COALESCE(SUM(reserved), 0) AS BIGINT) FROM attachments WHERE workspace_id = $1)";

fn bytes_of(table: &str) -> String {
    format!(
        "(SELECT CAST(COALESCE(SUM(LENGTH(t.bytes)), 0) AS BIGINT) FROM {table} t
            JOIN documents d ON d.id = t.document_id WHERE d.workspace_id = $1)"
    )
}

fn all_bytes() -> String {
    ["document_changes", "document_snapshots", "document_archives"]
        .map(bytes_of)
        .join(" + ")
}

/// What a workspace has, counted now.
///
/// # Errors
/// Only the database's.
pub async fn of(db: &impl ConnectionTrait, access: &Access<EditWorkspace>) -> Result<Usage, DbErr> {
    let sql = format!(
        "SELECT
            (SELECT COUNT(*) FROM members WHERE workspace_id = $1 AND role <> 'guest') AS members,
            (SELECT COUNT(*) FROM members WHERE workspace_id = $1 AND role = 'guest') AS guests,
            (SELECT COUNT(*) FROM documents WHERE workspace_id = $1 AND deleted_at IS NULL) AS documents,
            (SELECT COUNT(*) FROM documents WHERE workspace_id = $1 AND deleted_at IS NOT NULL) AS trashed,
            ({BLOCKS}) AS blocks,
            {} AS bytes,
            {STORAGE} AS storage_bytes",
        all_bytes()
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [access.workspace().into()]);
    Ok(Usage::find_by_statement(statement).one(db).await?.unwrap_or_default())
}

#[derive(FromQueryResult)]
struct Bytes {
    bytes: i64,
}

/// The bytes of pages alone.
pub(crate) async fn bytes(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<u64, DbErr> {
    sum(db, &all_bytes(), workspace).await
}

/// The bytes of files alone.
pub(crate) async fn storage_bytes(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<u64, DbErr> {
    sum(db, STORAGE, workspace).await
}

async fn sum(db: &impl ConnectionTrait, what: &str, workspace: WorkspaceId) -> Result<u64, DbErr> {
    let sql = format!("SELECT {what} AS bytes");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [workspace.into()]);
    let found = Bytes::find_by_statement(statement).one(db).await?;
    Ok(found.map_or(0, |found| u64::try_from(found.bytes).unwrap_or(0)))
}
