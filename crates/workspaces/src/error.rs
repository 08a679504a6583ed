//! What can go wrong with workspaces and members.

use kernel::error::{Explain, Field, Kind};
use sea_orm::DbErr;

/// A failure of this crate's verbs.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such workspace or member.
    #[error("not found")]
    NotFound,
    /// No account has that address or id.
    #[error("there is no such user")]
    UserNotFound,
    /// They belong to the workspace already.
    #[error("this user is a member already")]
    AlreadyMember,
    /// The role is not the caller's to give or take.
    #[error("this role is not yours to give or take")]
    RoleTooHigh,
    /// A workspace keeps at least one owner.
    #[error("a workspace keeps at least one owner")]
    LastOwner,
    /// They were granted something here before; that can be changed.
    #[error("this was granted before; change that grant")]
    AlreadyGranted,
    /// The workspace's settings do not let pages be shared by link.
    #[error("this workspace does not let pages be shared by link")]
    SharingOff,
    /// They may do this already.
    #[error("you may do this already")]
    AlreadyAllowed,
    /// Somebody else decided before.
    #[error("this was decided already")]
    AlreadyDecided,
    /// Bad fields.
    #[error("the input is not valid")]
    Invalid(Vec<Field>),
    /// What the door says.
    #[error(transparent)]
    Access(#[from] crate::access::AccessError),
    /// The database's own.
    #[error(transparent)]
    Db(#[from] DbErr),
}

impl Explain for Error {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound | Self::UserNotFound => Kind::NotFound,
            Self::AlreadyMember | Self::LastOwner | Self::AlreadyGranted | Self::AlreadyAllowed | Self::AlreadyDecided => Kind::Conflict,
            Self::RoleTooHigh | Self::SharingOff => Kind::Forbidden,
            Self::Invalid(_) => Kind::Invalid,
            Self::Access(e) => e.kind(),
            Self::Db(e) => e.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::UserNotFound => "user_not_found",
            Self::AlreadyMember => "already_member",
            Self::RoleTooHigh => "role_too_high",
            Self::LastOwner => "last_owner",
            Self::AlreadyGranted => "already_granted",
            Self::SharingOff => "sharing_off",
            Self::AlreadyAllowed => "already_allowed",
            Self::AlreadyDecided => "already_decided",
            Self::Invalid(_) => "invalid",
            Self::Access(e) => e.code(),
            Self::Db(e) => e.code(),
        }
    }

    fn fields(&self) -> Vec<Field> {
        match self {
            Self::Invalid(fields) => fields.clone(),
            _ => Vec::new(),
        }
    }
}
