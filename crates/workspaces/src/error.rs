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
    /// Only admins invite here.
    #[error("you may see this, but not do that")]
    Forbidden,
    /// The invitation is for somebody with another address.
    #[error("this invitation is for another e-mail address; sign in with the account it was sent to")]
    WrongAddress,
    /// The address has to be proven first.
    #[error("this invitation is for verified addresses of one domain, and yours is none")]
    AddressNotVerified,
    /// The invitation was good once: with the code that says what became of it.
    #[error("this invitation is not good any more")]
    InvitationOver(&'static str),
    /// The letter was sent a moment ago.
    #[error("this invitation was mailed a moment ago; wait a minute")]
    TooSoon,
    /// There are enough of these.
    #[error("there are too many {0} in this workspace")]
    TooMany(&'static str),
    /// The instance sets a limit to what a workspace has.
    #[error("this workspace has as many {0} as it may have")]
    QuotaExceeded(&'static str),
    /// Another one has that name.
    #[error("there is one with this name already")]
    NameTaken,
    /// The workspace is read only.
    #[error("this workspace is archived: it can only be read")]
    Archived,
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
            Self::AlreadyMember
            | Self::LastOwner
            | Self::AlreadyGranted
            | Self::AlreadyAllowed
            | Self::AlreadyDecided
            | Self::NameTaken
            | Self::Archived
            | Self::TooMany(_)
            | Self::QuotaExceeded(_) => Kind::Conflict,
            Self::RoleTooHigh | Self::SharingOff | Self::Forbidden | Self::WrongAddress | Self::AddressNotVerified => Kind::Forbidden,
            Self::InvitationOver(_) => Kind::Gone,
            Self::TooSoon => Kind::Limited,
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
            Self::Forbidden => "forbidden",
            Self::WrongAddress => "wrong_address",
            Self::AddressNotVerified => "email_not_verified",
            Self::InvitationOver(code) => code,
            Self::TooSoon => "too_soon",
            Self::TooMany(_) => "too_many",
            Self::QuotaExceeded(_) => "quota_exceeded",
            Self::NameTaken => "name_taken",
            Self::Archived => "workspace_archived",
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
