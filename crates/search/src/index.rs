//! The index: what a thing says is put in, and goes with its page. Jobs keep it; nobody waits for it who writes.

use crate::{
    engine::{self, Words},
    subject::{Kind, Subject, Text, Version},
};
use entity::{search_entry, search_lead};
use kernel::{clock::Time, id::*};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QuerySelect, Statement, sea_query::Expr,
};
use uuid::Uuid;

/// How words are cut now. Another way of cutting is another number: then everything is put in anew.
pub const FORMAT: i32 = 2;
/// Bits of an entry's id that tell apart what was changed in the same millisecond.
const SALT_BITS: u32 = 20;

/// The first id of a millisecond.
pub(crate) fn first_of(ms: i64) -> i64 {
    ms.clamp(0, i64::MAX >> SALT_BITS) << SALT_BITS
}

/// The millisecond of an id.
pub(crate) fn ms_of(id: i64) -> i64 {
    id >> SALT_BITS
}

fn id_of(subject: &Subject) -> i64 {
    let salt = subject.id.as_u128() % (1 << SALT_BITS);
    first_of(subject.updated_at.timestamp_millis()) | i64::try_from(salt).unwrap_or_default()
}

/// Puts in what a thing says, in place of what was there. `false` when what is there is newer; then nothing was changed.
///
/// # Errors
/// The database's; when the page is not there any more, or somebody else puts the same thing in at this moment, that of a
/// constraint.
pub async fn put(tx: &DatabaseTransaction, subject: &Subject, text: &Text, version: Version) -> Result<bool, DbErr> {
    let known = search_entry::Entity::find()
        .filter(search_entry::Column::Kind.eq(subject.kind.name()))
        .filter(search_entry::Column::SubjectId.eq(subject.id))
        .lock_exclusive()
        .one(tx)
        .await?;
    if let Some(known) = &known {
        if known.epoch == version.epoch && known.server_seq > version.seq && known.format == FORMAT {
            return Ok(false);
        }
        take_out(tx, subject.kind, subject.id).await?;
    }
    let (words, looked_at) = Words::of(text);
    let parts: Vec<&(String, String)> = text.parts.iter().take(looked_at).filter(|(_, text)| !text.is_empty()).collect();
    let id = free_id(tx, id_of(subject)).await?;
    let row = search_entry::ActiveModel {
        id: Set(id),
        kind: Set(subject.kind.name().to_owned()),
        subject_id: Set(subject.id),
        document_id: Set(subject.document),
        workspace_id: Set(subject.workspace),
        author_id: Set(subject.author),
        title: Set(text.title.clone()),
        parts: Set(serde_json::to_string(&parts).map_err(|error| DbErr::Custom(error.to_string()))?),
        epoch: Set(version.epoch),
        server_seq: Set(version.seq),
        format: Set(FORMAT),
        updated_at: Set(subject.updated_at),
    };
    search_entry::Entity::insert(row).exec_without_returning(tx).await?;
    put_words(tx, id, subject.workspace, &words).await?;
    let lead = search_lead::ActiveModel {
        id: Set(id),
        words: Set(words.lead()),
    };
    search_lead::Entity::insert(lead).exec_without_returning(tx).await?;
    Ok(true)
}

/// An id that no entry has: two things may have been changed in the same millisecond and end alike.
async fn free_id(tx: &impl ConnectionTrait, wanted: i64) -> Result<i64, DbErr> {
    let mut id = wanted;
    while search_entry::Entity::find_by_id(id).count(tx).await? > 0 {
        id += 1;
    }
    Ok(id)
}

async fn put_words(tx: &impl ConnectionTrait, id: i64, workspace: WorkspaceId, words: &Words) -> Result<(), DbErr> {
    let backend = tx.get_database_backend();
    let statement = match backend {
        DbBackend::Sqlite => {
            let (title, body) = words.fts5();
            let sql = "INSERT INTO search_words (rowid, title, body, place) VALUES ($1, $2, $3, $4)";
            let values = [id.into(), title.into(), body.into(), engine::place(workspace).into()];
            Statement::from_sql_and_values(backend, sql, values)
        }
        _ => {
            let sql = "INSERT INTO search_words (id, workspace_id, words) VALUES ($1, $2, $3::text::tsvector)";
            Statement::from_sql_and_values(backend, sql, [id.into(), workspace.into(), words.tsvector(workspace).into()])
        }
    };
    tx.execute_raw(statement).await.map(drop)
}

/// Takes a thing out.
///
/// # Errors
/// Only the database's.
pub async fn take_out(tx: &impl ConnectionTrait, kind: Kind, subject: Uuid) -> Result<(), DbErr> {
    // Its words go with it: by a trigger on SQLite, by a foreign key on PostgreSQL.
    search_entry::Entity::delete_many()
        .filter(search_entry::Column::Kind.eq(kind.name()))
        .filter(search_entry::Column::SubjectId.eq(subject))
        .exec(tx)
        .await
        .map(drop)
}

/// Which pages are looked at, when those are looked for whose words are not what the log says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Among {
    /// Only those of this tenant.
    pub workspace: Option<WorkspaceId>,
    /// Behind this page, from the round before.
    pub after: Option<DocumentId>,
    /// Only those whose log has not grown since.
    pub quiet_since: Option<Time>,
}

/// Pages whose words are not there, are of an older format, or of an earlier state of the log, in the order of their ids.
///
/// # Errors
/// Only the database's.
pub async fn behind(db: &impl ConnectionTrait, among: &Among, limit: u64) -> Result<Vec<DocumentId>, DbErr> {
    let (condition, values) = lagging(among);
    let sql = format!("SELECT h.document_id {condition} ORDER BY h.document_id LIMIT {limit}");
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = db.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get("", "document_id")).collect()
}

/// How many pages that are.
///
/// # Errors
/// Only the database's.
pub async fn count_behind(db: &impl ConnectionTrait, among: &Among) -> Result<u64, DbErr> {
    let (condition, values) = lagging(among);
    let statement = Statement::from_sql_and_values(db.get_database_backend(), format!("SELECT count(*) AS count {condition}"), values);
    let row = db.query_one_raw(statement).await?;
    let count: i64 = row.map_or(Ok(0), |row| row.try_get("", "count"))?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn lagging(among: &Among) -> (String, Vec<sea_orm::Value>) {
    let mut values: Vec<sea_orm::Value> = vec![Kind::Document.name().into(), FORMAT.into()];
    let mut condition = "FROM document_heads h LEFT JOIN search_entries e ON e.kind = $1 AND e.subject_id = h.document_id
        WHERE (e.id IS NULL OR e.format < $2 OR e.server_seq < h.server_seq OR e.epoch <> h.epoch)"
        .to_owned();
    if let Some(workspace) = among.workspace {
        values.push(workspace.into());
        condition += &format!(
            " AND h.document_id IN (SELECT d.id FROM documents d WHERE d.workspace_id = ${})",
            values.len()
        );
    }
    if let Some(after) = among.after {
        values.push(after.into());
        condition += &format!(" AND h.document_id > ${}", values.len());
    }
    if let Some(since) = among.quiet_since {
        values.push(since.into());
        condition += &format!(" AND h.updated_at < ${}", values.len());
    }
    (condition, values)
}

/// Says of all pages, or those of a tenant, that they have to be put in anew. They are found as they are until then.
///
/// # Errors
/// Only the database's.
pub async fn spoil(tx: &impl ConnectionTrait, workspace: Option<WorkspaceId>) -> Result<u64, DbErr> {
    let mut all = search_entry::Entity::update_many()
        .col_expr(search_entry::Column::Format, Expr::value(0))
        .filter(search_entry::Column::Kind.eq(Kind::Document.name()));
    if let Some(workspace) = workspace {
        all = all.filter(search_entry::Column::WorkspaceId.eq(workspace));
    }
    Ok(all.exec(tx).await?.rows_affected)
}
