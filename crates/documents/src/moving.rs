//! Moving pages: among their siblings, under another page, or to another workspace. Always with what hangs under them.
//!
//! The workspace's row is held meanwhile, so that of two moves one is first, and no two of them close a circle.

mod across;

pub use across::{Across, Moved, move_across};

use crate::{
    error::Error,
    lineage, lock,
    siblings::{self, Place, Row},
};
use entity::document;
use events::Change;
use kernel::{clock, id::*};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, DatabaseTransaction, EntityTrait, IntoActiveModel};
use workspaces::{
    access::{self, Access, AccessError, CreateDocuments, DocumentAccess, EditDocument, ManageDocument, fence::Proof},
    grant, hold,
};

/// What a page is put under: whoever does it may put pages there.
#[derive(Clone, Copy, Debug)]
pub enum Under<'a> {
    /// A page.
    Page(&'a DocumentAccess<EditDocument>),
    /// Nothing: the top of the tree.
    Top(&'a Access<CreateDocuments>),
}

impl Under<'_> {
    fn parent(self) -> Option<DocumentId> {
        match self {
            Self::Page(access) => Some(access.id()),
            Self::Top(_) => None,
        }
    }

    fn workspace(self) -> WorkspaceId {
        match self {
            Self::Page(access) => access.workspace(),
            Self::Top(access) => access.workspace(),
        }
    }
}

impl Proof for Under<'_> {
    fn proven(&self) -> Vec<(WorkspaceId, i64)> {
        match self {
            Self::Page(access) => access.proven(),
            Self::Top(access) => access.proven(),
        }
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        match self {
            Self::Page(access) => access.again(tx).await,
            Self::Top(access) => access.again(tx).await,
        }
    }
}

/// Whoever moves a page. Who edits it may put it where nobody's rights to it become others; the rest takes to manage it.
#[derive(Debug)]
pub enum Mover {
    /// They edit it.
    Edits(DocumentAccess<EditDocument>),
    /// They manage it.
    Manages(DocumentAccess<ManageDocument>),
}

impl Mover {
    fn document(&self) -> &document::Model {
        match self {
            Self::Edits(access) => access.document(),
            Self::Manages(access) => access.document(),
        }
    }

    fn who(&self) -> access::Who {
        match self {
            Self::Edits(access) => access.who(),
            Self::Manages(access) => access.who(),
        }
    }

    async fn check_lock(&self, tx: &DatabaseTransaction) -> Result<(), Error> {
        match self {
            Self::Edits(access) => lock::check(tx, access).await,
            Self::Manages(access) => lock::check(tx, access).await,
        }
    }

    fn by(&self) -> events::By {
        match self {
            Self::Edits(access) => access.by(),
            Self::Manages(access) => access.by(),
        }
    }
}

impl Proof for Mover {
    fn proven(&self) -> Vec<(WorkspaceId, i64)> {
        match self {
            Self::Edits(access) => access.proven(),
            Self::Manages(access) => access.proven(),
        }
    }

    async fn again(&self, tx: &DatabaseTransaction) -> Result<(), AccessError> {
        match self {
            Self::Edits(access) => access.again(tx).await,
            Self::Manages(access) => access.again(tx).await,
        }
    }
}

/// The page as it is now that the tree is held.
async fn fresh(tx: &DatabaseTransaction, was: &document::Model) -> Result<document::Model, Error> {
    let row = document::Entity::find_by_id(was.id).one(tx).await?;
    row.filter(|row| row.workspace_id == was.workspace_id && row.deleted_at.is_none())
        .ok_or(Error::NotFound)
}

/// Moves a page within its workspace.
///
/// # Errors
/// [`Error::Cycle`] for a page that would hang under itself, [`AccessError::Forbidden`] for whoever only edits it when others'
/// rights would change, [`Error::Locked`], invalid fields.
pub async fn move_to(tx: &DatabaseTransaction, mover: &Mover, under: Under<'_>, place: Place) -> Result<document::Model, Error> {
    let home = mover.document().workspace_id;
    hold::trees(tx, &[home]).await?;
    let row = fresh(tx, mover.document()).await?;
    mover.check_lock(tx).await?;
    let (id, parent) = (row.id, under.parent());
    let is_elsewhere = parent != row.parent_id;
    if under.workspace() != home {
        return Err(Error::invalid(
            "/parent_id",
            "not_found",
            "is no page of this workspace that you may edit",
        ));
    }
    if is_elsewhere {
        check(tx, mover, &row, under).await?;
    }
    let among = Row {
        workspace: home,
        parent,
        moving: Some(id),
    };
    let rank = siblings::rank(tx, mover.who(), among, place).await?;
    let mut row = row.into_active_model();
    row.parent_id = Set(parent);
    row.rank = Set(rank);
    row.updated_at = Set(clock::now());
    let row = row.update(tx).await?;
    let change = if is_elsewhere {
        Change::DocumentMoved { document: id }
    } else {
        Change::DocumentReordered { document: id }
    };
    events::append(tx, mover.by(), change).await?;
    if let (Mover::Manages(access), true) = (mover, is_elsewhere) {
        grant::keep_managing(tx, access).await?;
    }
    Ok(row)
}

/// Whether a page may hang under another one than before.
async fn check(tx: &DatabaseTransaction, mover: &Mover, row: &document::Model, under: Under<'_>) -> Result<(), Error> {
    if let Under::Page(parent) = under {
        let height = lineage::height(tx, row.id).await?;
        let chain = lineage::check_parent(tx, row.workspace_id, parent, height).await;
        // That it would hang under itself is the better reason.
        if parent.id() == row.id || lineage::above(tx, parent.id()).await?.iter().any(|page| page.id == row.id) {
            return Err(Error::Cycle);
        }
        chain?;
    }
    let needs_manage = !row.restricted && access::inherited(tx, row.parent_id).await? != access::inherited(tx, under.parent()).await?;
    match mover {
        Mover::Edits(_) if needs_manage => Err(AccessError::Forbidden.into()),
        Mover::Edits(_) | Mover::Manages(_) => Ok(()),
    }
}
