//! The rule: from what somebody is, and what a page and those above it say, to what they may do. Nothing here asks a
//! database.

use kernel::{
    id::DocumentId,
    role::{Level, Role},
};

/// What somebody is in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Their role.
    pub role: Role,
    /// What members may do where no page says anything.
    pub default: Level,
    /// What they were granted on the whole workspace.
    pub granted: Level,
    /// Whether the workspace is archived: then it is read only.
    pub is_archived: bool,
}

/// What one page of a chain says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// The page.
    pub id: DocumentId,
    /// What members may do with it and what hangs under it; none asks above.
    pub default: Option<Level>,
    /// Whether nothing from above counts.
    pub is_restricted: bool,
    /// What the caller was granted on it.
    pub granted: Level,
}

/// What somebody may do with a page, whether or not its workspace is archived. `chain` is what the page and those above it
/// say, nearest first.
///
/// Owners and admins manage everything. Grants add up along the chain. Members have the default of the nearest page that
/// says one, too. Who manages a page manages what hangs under it, whatever that says: they could grant themselves as much.
/// A restricted page begins anew: from above come neither grants nor a default nor that.
pub fn level_of(standing: &Standing, chain: &[Said]) -> Level {
    if standing.role >= Role::Admin {
        return Level::Manage;
    }
    let (mut granted, mut default) = (standing.granted, standing.default);
    let mut level = with_default(standing.role, granted, default);
    let mut manages = false;
    for said in chain.iter().rev() {
        if said.is_restricted {
            (granted, default, manages) = (Level::None, Level::None, false);
        }
        granted = granted.max(said.granted);
        default = said.default.unwrap_or(default);
        level = with_default(standing.role, granted, default);
        manages |= level == Level::Manage;
    }
    if manages { Level::Manage } else { level }
}

fn with_default(role: Role, granted: Level, default: Level) -> Level {
    match role {
        Role::Guest => granted,
        _ => granted.max(default),
    }
}

/// What a share link of `level` on the page `target` opens: that page and what hangs under it, but nothing that is
/// restricted or that members in general may not see.
pub fn link_level_of(target: DocumentId, level: Level, chain: &[Said]) -> Level {
    for said in chain {
        if said.id == target {
            return level;
        }
        if said.is_restricted || said.default == Some(Level::None) {
            return Level::None;
        }
    }
    Level::None
}

/// What an archived workspace leaves of a level.
pub fn left_of(level: Level, is_archived: bool) -> Level {
    if is_archived { level.min(Level::View) } else { level }
}
