//! Pages that go to another workspace. What was said in the old one about who may do what with them stays behind: it names
//! people and groups who are nobody in the new one.

use crate::access::{self, Access, CreateDocuments, DocumentAccess, ManageDocument};
use entity::{access_request, grant, invitation, share_link};
use events::Change;
use kernel::{clock, id::*, role::Level};
use sea_orm::{ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, sea_query::Expr};

/// Pages looked at in one statement.
const AT_ONCE: usize = 500;

/// What did not come along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// What people and groups were granted on the pages.
    pub grants: u64,
    /// Links that opened them.
    pub share_links: u64,
    /// Requests to be let at them.
    pub access_requests: u64,
}

/// Takes away what was said about pages that leave their workspace, which hang under the page that `access` is for.
///
/// # Errors
/// Only the database's.
pub async fn strip(tx: &DatabaseTransaction, access: &DocumentAccess<ManageDocument>, pages: &[DocumentId]) -> Result<Dropped, DbErr> {
    let mut dropped = Dropped::default();
    for some in pages.chunks(AT_ONCE) {
        let some = || some.iter().copied();
        let grants = grant::Entity::find()
            .filter(grant::Column::DocumentId.is_in(some()))
            .all(tx)
            .await?;
        let links = share_link::Entity::find()
            .filter(share_link::Column::DocumentId.is_in(some()))
            .all(tx)
            .await?;
        let requests = access_request::Entity::delete_many().filter(access_request::Column::DocumentId.is_in(some()));
        dropped.access_requests += requests.exec(tx).await?.rows_affected;
        dropped.grants += grants.len() as u64;
        dropped.share_links += links.len() as u64;
        for row in grants {
            grant::Entity::delete_by_id(row.id).exec(tx).await?;
            events::append(tx, access.by(), Change::GrantDeleted { grant: row.id }).await?;
        }
        for row in links {
            share_link::Entity::delete_by_id(row.id).exec(tx).await?;
            events::append(tx, access.by(), Change::ShareLinkDeleted { share_link: row.id }).await?;
        }
        // Whoever was invited to one of them is invited to the workspace still.
        invitation::Entity::update_many()
            .col_expr(invitation::Column::DocumentId, Expr::value(Option::<uuid::Uuid>::None))
            .col_expr(invitation::Column::Level, Expr::value(Option::<String>::None))
            .filter(invitation::Column::DocumentId.is_in(some()))
            .exec(tx)
            .await?;
    }
    Ok(dropped)
}

/// Sees to it that somebody manages pages that they have just made or brought here: on those where they would not, they are
/// granted it.
///
/// # Errors
/// Only the database's.
pub async fn settle(tx: &DatabaseTransaction, access: &Access<CreateDocuments>, pages: &[DocumentId]) -> Result<(), DbErr> {
    let levels = access::levels(tx, access.user(), pages).await?;
    for page in pages.iter().filter(|id| levels.get(id).is_none_or(|level| *level < Level::Manage)) {
        let now = clock::now();
        let row = grant::Model {
            id: GrantId::new(),
            workspace_id: access.workspace(),
            document_id: Some(*page),
            user_id: Some(access.user()),
            group_id: None,
            level: Level::Manage,
            created_by: access.user(),
            created_at: now,
            updated_at: now,
        };
        let granted = Change::GrantCreated {
            grant: row.id,
            document: row.document_id,
            user: row.user_id,
            group: None,
            level: row.level,
        };
        grant::Entity::insert(row.into_active_model()).exec_without_returning(tx).await?;
        events::append(tx, access.by(), granted).await?;
    }
    Ok(())
}
