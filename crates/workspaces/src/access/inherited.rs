//! What comes to a page from those above it, for everybody. Where it is the same in two places, a page may be moved from one
//! to the other without anybody gaining or losing a right.

use super::chain::chains;
use entity::{grant, share_link};
use kernel::{id::*, role::Level};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::{BTreeMap, BTreeSet};

/// What hangs under a page gets from it and from those above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inherited {
    /// The nearest default for members; none for the workspace's.
    default: Option<Level>,
    /// Whether members manage a page above, and so everything under it.
    members_manage: bool,
    /// Whether what is granted on the whole workspace does not come through.
    is_cut: bool,
    /// The highest grant of each person and group.
    grants: BTreeMap<(Option<UserId>, Option<GroupId>), Level>,
    /// Links that open what hangs here.
    links: BTreeSet<ShareLinkId>,
}

/// What a page that hangs under `parent` gets from above; nothing at the top.
///
/// # Errors
/// Only the database's.
pub async fn inherited(db: &impl ConnectionTrait, parent: Option<DocumentId>) -> Result<Inherited, DbErr> {
    let Some(parent) = parent else { return Ok(Inherited::default()) };
    let nobody = UserId(uuid::Uuid::nil());
    let chain = chains(db, nobody, &[parent]).await?.remove(&parent).unwrap_or_default();
    let is_cut = chain.iter().any(|said| said.is_restricted);
    let mut inherited = Inherited {
        default: chain.iter().find_map(|said| said.default).or(is_cut.then_some(Level::None)),
        members_manage: chain.iter().any(|said| said.default == Some(Level::Manage)),
        is_cut,
        ..Inherited::default()
    };
    let grants = grant::Entity::find().filter(grant::Column::DocumentId.is_in(chain.iter().map(|said| said.id)));
    for row in grants.all(db).await? {
        let best = inherited.grants.entry((row.user_id, row.group_id)).or_insert(Level::None);
        *best = (*best).max(row.level);
    }
    let shut = chain
        .iter()
        .position(|said| said.is_restricted || said.default == Some(Level::None));
    let opened = chain.iter().take(shut.map_or(chain.len(), |at| at + 1));
    let links = share_link::Entity::find()
        .select_only()
        .column(share_link::Column::Id)
        .filter(share_link::Column::DocumentId.is_in(opened.map(|said| said.id)));
    inherited.links = links.into_tuple::<ShareLinkId>().all(db).await?.into_iter().collect();
    Ok(inherited)
}
