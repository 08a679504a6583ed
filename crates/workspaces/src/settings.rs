//! What a workspace decides for all of its pages and members.

use crate::{
    Error,
    access::{Access, EditWorkspace, ReadWorkspace},
    hold,
};
use entity::workspace_settings;
use events::Change;
use kernel::{
    clock::{self, Time},
    error::Field,
    id::WorkspaceId,
    role::Level,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, sea_query::OnConflict};

/// What of it is to be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What members may do with pages that say nothing.
    pub default_level: Option<Level>,
    /// Whether pages may be shared by link.
    pub share_links: Option<bool>,
    /// Whether members may invite.
    pub member_invites: Option<bool>,
    /// After how many days without a change pages are archived; `Some(None)` for never.
    pub archive_after_days: Option<Option<u16>>,
}

/// The fewest days after which pages are archived by themselves, and the most.
pub const ARCHIVE_AFTER_DAYS: std::ops::RangeInclusive<u16> = 1..=3_650;

/// A workspace's settings; the usual ones where nobody has changed any. No proof is asked for: what decides asks this.
pub(crate) async fn of(db: &impl ConnectionTrait, workspace: WorkspaceId) -> Result<workspace_settings::Model, DbErr> {
    let row = workspace_settings::Entity::find_by_id(workspace).one(db).await?;
    Ok(row.unwrap_or(workspace_settings::Model {
        workspace_id: workspace,
        default_level: Level::Edit,
        share_links: true,
        member_invites: false,
        archive_after_days: None,
        updated_at: Time::default(),
    }))
}

/// A workspace's settings, for whoever belongs to it.
///
/// # Errors
/// Only the database's.
pub async fn read(db: &impl ConnectionTrait, access: &Access<ReadWorkspace>) -> Result<workspace_settings::Model, DbErr> {
    of(db, access.workspace()).await
}

/// Changes settings, and gives them as they are now.
///
/// # Errors
/// [`Error::NotFound`] when the workspace went away since the door was passed, [`Error::Invalid`].
pub async fn change(
    tx: &DatabaseTransaction,
    access: &Access<EditWorkspace>,
    changes: Changes,
) -> Result<workspace_settings::Model, Error> {
    if let Some(Some(days)) = changes.archive_after_days
        && !ARCHIVE_AFTER_DAYS.contains(&days)
    {
        let why = format!(
            "is from {} to {} days, or null",
            ARCHIVE_AFTER_DAYS.start(),
            ARCHIVE_AFTER_DAYS.end()
        );
        return Err(Error::Invalid(vec![Field::new("/archive_after_days", "out_of_range", why)]));
    }
    hold::living(tx, access.workspace()).await?;
    let old = of(tx, access.workspace()).await?;
    let mut new = workspace_settings::Model {
        default_level: changes.default_level.unwrap_or(old.default_level),
        share_links: changes.share_links.unwrap_or(old.share_links),
        member_invites: changes.member_invites.unwrap_or(old.member_invites),
        archive_after_days: changes
            .archive_after_days
            .map_or(old.archive_after_days, |days| days.map(i32::from)),
        ..old.clone()
    };
    if new == old {
        return Ok(old);
    }
    new.updated_at = clock::now();
    let replace = OnConflict::column(workspace_settings::Column::WorkspaceId)
        .update_columns([
            workspace_settings::Column::DefaultLevel,
            workspace_settings::Column::ShareLinks,
            workspace_settings::Column::MemberInvites,
            workspace_settings::Column::ArchiveAfterDays,
            workspace_settings::Column::UpdatedAt,
        ])
        .to_owned();
    workspace_settings::Entity::insert(new.clone().into_active_model())
        .on_conflict(replace)
        .exec_without_returning(tx)
        .await?;
    let changed = Change::WorkspaceUpdated {
        workspace: access.workspace(),
    };
    events::append(tx, access.by(), changed).await?;
    Ok(new)
}
