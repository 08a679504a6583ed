//! To another workspace: what was granted on the pages, and links that opened them, stay behind and are void. What is in the
//! trash stays there.

use super::fresh;
use crate::{
    error::Error,
    lineage::{self, AT_ONCE},
    lock, place,
    siblings::{self, Place, Row},
};
use entity::{attachment, document};
use events::Change;
use kernel::{clock, id::*};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr,
};
use std::collections::HashSet;
use workspaces::{
    Quotas,
    access::{self, Access, AccessError, CreateDocuments, DocumentAccess, EditDocument, ManageDocument},
    hold, quota,
    uprooted::{self, Dropped},
};

/// Pages that are moved to another workspace at once.
const MOST: usize = 2_000;

/// Where in another workspace.
#[derive(Clone, Copy, Debug)]
pub struct Across<'a> {
    /// The workspace.
    pub home: &'a Access<CreateDocuments>,
    /// What it hangs under there; none for the top.
    pub under: Option<&'a DocumentAccess<EditDocument>>,
    /// Where among its siblings.
    pub place: Place,
}

/// A page that is in another workspace now.
#[derive(Debug)]
pub struct Moved {
    /// Its row.
    pub row: document::Model,
    /// It and those under it.
    pub pages: Vec<DocumentId>,
    /// What did not come along.
    pub dropped: Dropped,
}

/// Moves a page and what hangs under it to another workspace. Whoever does it manages all of it, before and after.
///
/// # Errors
/// [`AccessError::Forbidden`] when something under it is not theirs to manage, [`Error::TooLarge`], [`Error::Locked`],
/// [`Error::HasFiles`], the
/// quota's, invalid fields.
pub async fn move_across(
    tx: &DatabaseTransaction,
    access: &DocumentAccess<ManageDocument>,
    to: Across<'_>,
    quotas: &Quotas,
) -> Result<Moved, Error> {
    let home = to.home.workspace();
    hold::trees(tx, &[access.workspace(), home]).await?;
    let row = fresh(tx, access.document()).await?;
    lock::check(tx, access).await?;
    let pages: Vec<DocumentId> = lineage::living_subtree(tx, row.id).await?.iter().map(|row| row.id).collect();
    if pages.len() > MOST {
        return Err(Error::TooLarge(format!("at most {MOST} pages are moved at once")));
    }
    if !access::manages_all(tx, access.who(), &pages).await? {
        return Err(AccessError::Forbidden.into());
    }
    check_files(tx, &pages).await?;
    if let Some(parent) = to.under {
        lineage::check_parent(tx, home, parent, lineage::height(tx, row.id).await?).await?;
    }
    quota::check_documents(tx, to.home, pages.len() as u64, quotas).await?;
    leave_trash(tx, &pages).await?;
    let dropped = uprooted::strip(tx, access, &pages).await?;
    let row = rehome(tx, row, &pages, to).await?;
    for page in &pages {
        let out = Change::DocumentMovedOut {
            document: *page,
            workspace: home,
        };
        events::append(tx, access.by(), out).await?;
        events::append(tx, to.home.by(), Change::DocumentMovedIn { document: *page }).await?;
    }
    uprooted::settle(tx, to.home, &pages).await?;
    Ok(Moved { row, pages, dropped })
}

/// Insists that these pages have no files, not even deleted ones that can be taken back.
async fn check_files(tx: &DatabaseTransaction, pages: &[DocumentId]) -> Result<(), Error> {
    for some in pages.chunks(AT_ONCE) {
        let files = attachment::Entity::find().filter(attachment::Column::DocumentId.is_in(some.iter().copied()));
        if files.one(tx).await?.is_some() {
            return Err(Error::HasFiles);
        }
    }
    Ok(())
}

/// What is in the trash under these pages comes back, if ever, to the nearest page above that stays.
async fn leave_trash(tx: &DatabaseTransaction, pages: &[DocumentId]) -> Result<(), Error> {
    let leaving: HashSet<DocumentId> = pages.iter().copied().collect();
    for some in pages.chunks(AT_ONCE) {
        let trashed = document::Entity::find()
            .filter(document::Column::ParentId.is_in(some.iter().copied()))
            .filter(document::Column::DeletedAt.is_not_null());
        for page in trashed.all(tx).await? {
            let above = place::above(tx, page.parent_id, |page| !leaving.contains(&page.id)).await?;
            let mut row = page.clone().into_active_model();
            above.take(&mut row, &page);
            row.update(tx).await?;
        }
    }
    Ok(())
}

async fn rehome(tx: &DatabaseTransaction, row: document::Model, pages: &[DocumentId], to: Across<'_>) -> Result<document::Model, Error> {
    let among = Row {
        workspace: to.home.workspace(),
        parent: to.under.map(DocumentAccess::id),
        moving: Some(row.id),
    };
    let rank = siblings::rank(tx, to.home.who(), among, to.place).await?;
    for some in pages.chunks(AT_ONCE) {
        document::Entity::update_many()
            .col_expr(document::Column::WorkspaceId, Expr::value(among.workspace.0))
            .filter(document::Column::Id.is_in(some.iter().copied()))
            .exec(tx)
            .await?;
    }
    let mut row = row.into_active_model();
    row.workspace_id = Set(among.workspace);
    row.parent_id = Set(among.parent);
    row.rank = Set(rank);
    row.updated_at = Set(clock::now());
    Ok(row.update(tx).await?)
}
