//! Locks whose time is over.

use super::{Kind, take::named};
use entity::{document, document_lock};
use events::{By, Change};
use kernel::clock;
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// Removes locks whose time is over, a person's with a fact. Nothing waits for it: they count for nothing already. Gives
/// how many there were.
///
/// # Errors
/// Only the database's.
pub async fn expire(db: &DatabaseConnection) -> Result<usize, DbErr> {
    let over = document_lock::Entity::find()
        .filter(document_lock::Column::ExpiresAt.lte(clock::now()))
        .limit(1_000)
        .all(db)
        .await?;
    let mut gone = 0;
    for row in over {
        gone += usize::from(backends::db::write(db, async |tx: &DatabaseTransaction| end(tx, &row).await).await?);
    }
    Ok(gone)
}

/// Ends a lock that is over, unless it was renewed meanwhile.
async fn end(tx: &DatabaseTransaction, row: &document_lock::Model) -> Result<bool, DbErr> {
    let gone = document_lock::Entity::delete_many()
        .filter(named(row.document_id, row.token))
        .filter(document_lock::Column::ExpiresAt.lte(clock::now()))
        .exec(tx)
        .await?;
    let page = document::Entity::find_by_id(row.document_id).one(tx).await?;
    if let (1.., true, Some(page)) = (gone.rows_affected, row.kind == Kind::Lock.name(), page) {
        let by = By {
            workspace: Some(page.workspace_id),
            user: None,
        };
        let fact = Change::DocumentUnlocked {
            document: row.document_id,
            lock: row.token,
        };
        events::append(tx, by, fact).await?;
    }
    Ok(gone.rows_affected > 0)
}
