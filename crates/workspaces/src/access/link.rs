//! What a share link opens at this moment.

use super::{
    chain::chains,
    level::Found,
    rule::{left_of, link_level_of},
    standing::is_archived,
};
use entity::{document, share_link, workspace_settings};
use kernel::{
    clock,
    id::*,
    role::{Level, Role},
};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::collections::HashMap;

/// A link that is switched on and not past its time, of a workspace that lives and lets pages be shared.
///
/// # Errors
/// Only the database's.
pub async fn open(db: &impl ConnectionTrait, which: Condition) -> Result<Option<(share_link::Model, bool)>, DbErr> {
    let lasts = Condition::any()
        .add(share_link::Column::ExpiresAt.is_null())
        .add(share_link::Column::ExpiresAt.gt(clock::now()));
    let found = share_link::Entity::find()
        .filter(which)
        .filter(share_link::Column::IsEnabled.eq(true))
        .filter(lasts)
        .one(db)
        .await?;
    let Some(link) = found else { return Ok(None) };
    let Some(archived) = is_archived(db, link.workspace_id).await? else {
        return Ok(None);
    };
    let settings = workspace_settings::Entity::find_by_id(link.workspace_id).one(db).await?;
    let is_allowed = settings.is_none_or(|settings| settings.share_links);
    Ok(is_allowed.then_some((link, archived)))
}

/// A link at one generation of its password, and whether its workspace is archived.
async fn open_one(db: &impl ConnectionTrait, (id, generation): (ShareLinkId, i32)) -> Result<Option<(share_link::Model, bool)>, DbErr> {
    let which = Condition::all()
        .add(share_link::Column::Id.eq(id))
        .add(share_link::Column::Generation.eq(generation));
    open(db, which).await
}

/// What a link alone lets do with pages.
async fn levels_of(db: &impl ConnectionTrait, link: &share_link::Model, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Level>, DbErr> {
    let nobody = UserId(uuid::Uuid::nil());
    let chains = chains(db, nobody, ids).await?;
    let level = |id: &DocumentId| link_level_of(link.document_id, link.level, chains.get(id).map_or(&[], Vec::as_slice));
    Ok(ids.iter().map(|id| (*id, level(id))).collect())
}

/// What whoever holds a link may do with a page; none when it opens nothing there.
pub(super) async fn resolve(
    db: &impl ConnectionTrait,
    which: (ShareLinkId, i32),
    document: &document::Model,
) -> Result<Option<Found>, DbErr> {
    let opened = open_one(db, which).await?;
    let Some((link, archived)) = opened.filter(|(link, _)| link.workspace_id == document.workspace_id) else {
        return Ok(None);
    };
    let held = levels_of(db, &link, &[document.id])
        .await?
        .remove(&document.id)
        .unwrap_or(Level::None);
    Ok(Some(Found::new(Role::Guest, held, (archived, document))))
}

/// The same for many pages with their workspaces, as the workspace leaves it.
pub(super) async fn held(
    db: &impl ConnectionTrait,
    which: (ShareLinkId, i32),
    pages: &[(DocumentId, WorkspaceId)],
) -> Result<HashMap<DocumentId, Level>, DbErr> {
    let Some((link, archived)) = open_one(db, which).await? else {
        return Ok(HashMap::new());
    };
    let ours: Vec<DocumentId> = pages
        .iter()
        .filter_map(|(id, home)| (*home == link.workspace_id).then_some(*id))
        .collect();
    let held = levels_of(db, &link, &ours).await?;
    Ok(held.into_iter().map(|(id, level)| (id, left_of(level, archived))).collect())
}
