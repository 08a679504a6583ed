//! The closed list of facts, named in the past tense as clients see them: `document.created`.

use kernel::{id::*, role::*};
use serde::Serialize;

/// Something that happened: ids and small values only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Change {
    /// An account was made.
    UserRegistered { user: UserId },
    /// Somebody signed in.
    UserSignedIn { session: SessionId },
    /// A login was ended by its owner.
    UserSignedOut { session: SessionId },
    /// A spent refresh token came back, so its login was ended.
    SessionRevokedOnReuse { session: SessionId },
    /// A tenant was made.
    WorkspaceCreated { workspace: WorkspaceId },
    /// A tenant's own fields were changed.
    WorkspaceUpdated { workspace: WorkspaceId },
    /// A tenant was put in the trash.
    WorkspaceDeleted { workspace: WorkspaceId },
    /// Somebody became a member.
    MemberAdded { member: UserId, role: Role },
    /// A member's role was changed.
    MemberRoleChanged { member: UserId, from: Role, to: Role },
    /// A member was removed, or left.
    MemberRemoved { member: UserId },
    /// A page was made.
    DocumentCreated { document: DocumentId },
    /// A page's fields were changed.
    DocumentUpdated { document: DocumentId },
    /// A page's content was changed (debounced).
    DocumentEdited { document: DocumentId },
    /// A page was put in the trash.
    DocumentTrashed { document: DocumentId },
    /// A page came back from the trash.
    DocumentRestored { document: DocumentId },
    /// A page was destroyed.
    DocumentDeleted { document: DocumentId },
}

impl Change {
    /// The fact's public name.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::UserRegistered { .. } => "user.registered",
            Self::UserSignedIn { .. } => "user.signed_in",
            Self::UserSignedOut { .. } => "user.signed_out",
            Self::SessionRevokedOnReuse { .. } => "session.revoked_on_reuse",
            Self::WorkspaceCreated { .. } => "workspace.created",
            Self::WorkspaceUpdated { .. } => "workspace.updated",
            Self::WorkspaceDeleted { .. } => "workspace.deleted",
            Self::MemberAdded { .. } => "member.added",
            Self::MemberRoleChanged { .. } => "member.role_changed",
            Self::MemberRemoved { .. } => "member.removed",
            Self::DocumentCreated { .. } => "document.created",
            Self::DocumentUpdated { .. } => "document.updated",
            Self::DocumentEdited { .. } => "document.edited",
            Self::DocumentTrashed { .. } => "document.trashed",
            Self::DocumentRestored { .. } => "document.restored",
            Self::DocumentDeleted { .. } => "document.deleted",
        }
    }

    /// The thing it happened to.
    pub fn subject(&self) -> Option<uuid::Uuid> {
        Some(match self {
            Self::UserRegistered { user } => user.0,
            Self::UserSignedIn { session } | Self::UserSignedOut { session } | Self::SessionRevokedOnReuse { session } => session.0,
            Self::WorkspaceCreated { workspace } | Self::WorkspaceUpdated { workspace } | Self::WorkspaceDeleted { workspace } => {
                workspace.0
            }
            Self::MemberAdded { member, .. } | Self::MemberRoleChanged { member, .. } | Self::MemberRemoved { member } => member.0,
            Self::DocumentCreated { document }
            | Self::DocumentUpdated { document }
            | Self::DocumentEdited { document }
            | Self::DocumentTrashed { document }
            | Self::DocumentRestored { document }
            | Self::DocumentDeleted { document } => document.0,
        })
    }

    /// The fact's values as a JSON object.
    pub fn payload(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}
