//! Roles in a workspace and levels on a page: the whole policy, as two ordered scales.

use sea_orm::entity::prelude::*;
use serde::{Deserialize, Serialize};

/// What somebody is in a workspace. Ordered: an owner is more than a guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees only what was granted.
    #[sea_orm(string_value = "guest")]
    Guest,
    /// Works on everything that is not restricted.
    #[sea_orm(string_value = "member")]
    Member,
    /// Manages members and every page.
    #[sea_orm(string_value = "admin")]
    Admin,
    /// May do everything, and hand the workspace on.
    #[sea_orm(string_value = "owner")]
    Owner,
}

impl Role {
    /// Whether this role may give, change or take `other`: owners any, admins those below their own.
    pub fn may_assign(self, other: Role) -> bool {
        match self {
            Role::Owner => true,
            Role::Admin => other < Role::Admin,
            Role::Member | Role::Guest => false,
        }
    }

    /// The name that stands in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Role::Guest => "guest",
            Role::Member => "member",
            Role::Admin => "admin",
            Role::Owner => "owner",
        }
    }
}

/// What somebody may do with a page. Ordered: who may edit may also view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumIter, DeriveActiveEnum, Serialize, Deserialize)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(16))")]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Not even see that it exists.
    #[sea_orm(string_value = "none")]
    None,
    /// Read.
    #[sea_orm(string_value = "view")]
    View,
    /// Read and comment.
    #[sea_orm(string_value = "comment")]
    Comment,
    /// Change its content.
    #[sea_orm(string_value = "edit")]
    Edit,
    /// Change who may do what.
    #[sea_orm(string_value = "manage")]
    Manage,
}

impl Level {
    /// The name that stands in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Level::None => "none",
            Level::View => "view",
            Level::Comment => "comment",
            Level::Edit => "edit",
            Level::Manage => "manage",
        }
    }
}
