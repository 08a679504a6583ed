//! What a share link opens at this moment.

use super::{chain::chains, level::Found, rule::link_level_of, standing::is_archived};
use entity::{document, share_link, workspace_settings};
use kernel::{clock, id::*, role::Role};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

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

/// What whoever holds a link may do with a page; none when it opens nothing there.
pub(super) async fn resolve(
    db: &impl ConnectionTrait,
    (id, generation): (ShareLinkId, i32),
    document: &document::Model,
) -> Result<Option<Found>, DbErr> {
    let which = Condition::all()
        .add(share_link::Column::Id.eq(id))
        .add(share_link::Column::Generation.eq(generation))
        .add(share_link::Column::WorkspaceId.eq(document.workspace_id));
    let Some((link, archived)) = open(db, which).await? else {
        return Ok(None);
    };
    let nobody = UserId(uuid::Uuid::nil());
    let chain = chains(db, nobody, &[document.id]).await?.remove(&document.id).unwrap_or_default();
    let held = link_level_of(link.document_id, link.level, &chain);
    Ok(Some(Found::new(Role::Guest, held, (archived, document))))
}
