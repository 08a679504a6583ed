//! Typed ids: a user's id cannot be passed where a document's is asked.
//!
//! Ids are UUIDv7, so that they sort by time of birth. A document's is UUIDv4, because automerge-repo before 2.4
//! refuses version 7 in its document urls.

use sea_orm::entity::prelude::DeriveValueType;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $make:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, DeriveValueType)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id.
            #[expect(clippy::disallowed_methods, reason = "this is where ids are made")]
            #[expect(clippy::new_without_default, reason = "two calls give two ids; a default would not")]
            pub fn new() -> Self {
                Self(Uuid::$make())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(s).map(Self)
            }
        }

        impl sea_orm::TryFromU64 for $name {
            fn try_from_u64(_: u64) -> Result<Self, sea_orm::DbErr> {
                Err(sea_orm::DbErr::ConvertFromU64(stringify!($name)))
            }
        }
    )*};
}

ids! {
    /// A person with an account.
    UserId = now_v7;
    /// A login on one device: the family of its refresh tokens.
    SessionId = now_v7;
    /// One refresh token.
    RefreshTokenId = now_v7;
    /// A key for programs.
    ApiKeyId = now_v7;
    /// A token that was mailed to somebody.
    UserTokenId = now_v7;
    /// A code for who has lost their second factor.
    RecoveryCodeId = now_v7;
    /// A login that waits for its second factor.
    MfaChallengeId = now_v7;
    /// A login with another provider.
    IdentityId = now_v7;
    /// A tenant.
    WorkspaceId = now_v7;
    /// An invitation by mail.
    InvitationId = now_v7;
    /// A link that lets people join.
    InviteLinkId = now_v7;
    /// A group of members.
    GroupId = now_v7;
    /// What somebody was granted.
    GrantId = now_v7;
    /// A link that opens a page.
    ShareLinkId = now_v7;
    /// Somebody's wish to be let at a page.
    AccessRequestId = now_v7;
    /// A version of a page.
    VersionId = now_v7;
    /// A page.
    DocumentId = new_v4;
    /// A lock on a page, and its fence: a later one is another.
    LockId = now_v7;
    /// A file of a page.
    AttachmentId = now_v7;
    /// The bytes of one, in the store of files.
    FileId = now_v7;
    /// A file, or several, that pages are to be made of.
    ImportId = now_v7;
    /// One incarnation of a page's op log.
    EpochId = new_v4;
    /// One fact in the event log.
    EventId = now_v7;
    /// One piece of background work.
    JobId = now_v7;
    /// One activity report.
    ReportId = now_v7;
    /// One connection to a live page, or one running node.
    ConnectionId = now_v7;
}
