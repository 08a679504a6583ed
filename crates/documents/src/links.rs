//! Which page names which, as rows: derived from content, so that a page can tell what leads to it.

use crate::{error::Error, projection::Content, references};
use entity::{document, document_link};
use kernel::{id::*, role::Level};
use sea_orm::{ActiveValue::Set, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use std::collections::HashMap;
use workspaces::access::{self, DocumentAccess, ViewDocument};

/// Pages that one page is said to name.
const MOST: usize = 5_000;
/// Rows written by one statement.
const AT_ONCE: usize = 200;

/// Notes what a page names, instead of what it named before. It may be done again and again.
///
/// # Errors
/// Only the database's.
pub async fn record(tx: &impl ConnectionTrait, document: DocumentId, content: &Content) -> Result<(), DbErr> {
    document_link::Entity::delete_many()
        .filter(document_link::Column::DocumentId.eq(document))
        .exec(tx)
        .await?;
    let named = references::of(content).into_iter().filter(|one| one.target != document);
    let rows: Vec<document_link::ActiveModel> = named
        .take(MOST)
        .map(|one| document_link::ActiveModel {
            document_id: Set(document),
            block_id: Set(one.block),
            kind: Set(one.kind.to_owned()),
            target_document_id: Set(one.target),
        })
        .collect();
    for some in rows.chunks(AT_ONCE) {
        document_link::Entity::insert_many(some.to_vec()).exec_without_returning(tx).await?;
    }
    Ok(())
}

/// A page that leads to another one, and where in it.
#[derive(Clone, Debug)]
pub struct Backlink {
    /// The page that does.
    pub row: document::Model,
    /// What the caller may do with it.
    pub level: Level,
    /// The blocks, and how each names the other page.
    pub blocks: Vec<(String, String)>,
}

/// Rounds in search of rows that the caller may see.
const ROUNDS: usize = 20;

/// The living pages that name a page and that the caller may see, and where the next page of results begins.
///
/// # Errors
/// Only the database's.
pub async fn backlinks(
    db: &impl ConnectionTrait,
    access: &DocumentAccess<ViewDocument>,
    after: Option<DocumentId>,
    limit: u64,
) -> Result<(Vec<Backlink>, Option<DocumentId>), Error> {
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut rows, mut next) = (Vec::new(), after);
    for _ in 0..ROUNDS {
        let found = naming(access.id(), next).limit(limit).all(db).await?;
        next = found.last().filter(|_| found.len() == most).map(|row| row.id);
        let ids: Vec<DocumentId> = found.iter().map(|row| row.id).collect();
        let levels = access::levels(db, access.who(), &ids).await?;
        for row in found {
            let level = levels.get(&row.id).copied().unwrap_or(Level::None);
            if level < Level::View {
                continue;
            }
            if rows.len() == most {
                next = rows.last().map(|(row, _): &(document::Model, Level)| row.id);
                break;
            }
            rows.push((row, level));
        }
        if next.is_none() || rows.len() == most {
            break;
        }
    }
    Ok((described(db, access.id(), rows).await?, next))
}

/// The living pages that name a page, in the order of their ids.
fn naming(target: DocumentId, after: Option<DocumentId>) -> sea_orm::Select<document::Entity> {
    let named = document_link::Entity::find()
        .select_only()
        .column(document_link::Column::DocumentId)
        .filter(document_link::Column::TargetDocumentId.eq(target))
        .into_query();
    let rows = document::Entity::find()
        .filter(document::Column::Id.in_subquery(named))
        .filter(document::Column::DeletedAt.is_null())
        .order_by_asc(document::Column::Id);
    match after {
        Some(after) => rows.filter(document::Column::Id.gt(after)),
        None => rows,
    }
}

async fn described(db: &impl ConnectionTrait, target: DocumentId, rows: Vec<(document::Model, Level)>) -> Result<Vec<Backlink>, DbErr> {
    let links = document_link::Entity::find()
        .filter(document_link::Column::TargetDocumentId.eq(target))
        .filter(document_link::Column::DocumentId.is_in(rows.iter().map(|(row, _)| row.id)))
        .order_by_asc(document_link::Column::BlockId)
        .order_by_asc(document_link::Column::Kind);
    let mut blocks: HashMap<DocumentId, Vec<(String, String)>> = HashMap::new();
    for link in links.all(db).await? {
        blocks.entry(link.document_id).or_default().push((link.block_id, link.kind));
    }
    let whole = |(row, level): (document::Model, Level)| Backlink {
        blocks: blocks.remove(&row.id).unwrap_or_default(),
        row,
        level,
    };
    Ok(rows.into_iter().map(whole).collect())
}
