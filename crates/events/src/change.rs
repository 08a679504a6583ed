//! The closed list of facts, named in the past tense as clients see them: `document.created`. One list for the log, the
//! live stream and what is published about them.

use crate::describe::{Describe, object};
use kernel::{id::*, role::*};
use serde::Serialize;
use serde_json::Value;

/// Who a fact is for, besides whoever made it so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The person whose account it is. Such facts belong to no tenant.
    Account,
    /// Admins and owners: it stands in the audit log alone.
    Admins,
    /// Members who may see each other, and the member it is about.
    Members,
    /// Everybody in the workspace, guests too.
    Everyone,
    /// Whoever may see the page it is about.
    Document,
    /// Whoever asked for the job it is about, and admins.
    Requester,
}

/// What is published about a kind of fact.
#[derive(Clone, Debug)]
pub struct EventType {
    /// Its name: `document.created`.
    pub name: &'static str,
    /// One sentence.
    pub description: &'static str,
    /// Who it is for.
    pub audience: Audience,
    /// The JSON Schema of its payload.
    pub payload: Value,
}

/// `"public.name" Variant for Audience { subject: Type, more: Type }`: the first field is the thing it happened to.
macro_rules! facts {
    ($(#[doc = $doc:literal] $kind:literal $name:ident for $audience:ident { $subject:ident: $subject_type:ty $(, $field:ident: $type:ty)* })*) => {
        /// Something that happened: ids and small values only.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(untagged)]
        pub enum Change {
            $(#[doc = $doc] $name { $subject: $subject_type $(, $field: $type)* },)*
        }

        impl Change {
            /// The fact's public name.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $kind,)*
                }
            }

            /// The thing it happened to.
            pub fn subject(&self) -> uuid::Uuid {
                match self {
                    $(Self::$name { $subject, .. } => $subject.0,)*
                }
            }
        }

        /// Every kind of fact there is, in the order of the code.
        pub fn catalogue() -> Vec<EventType> {
            vec![$(EventType {
                name: $kind,
                description: $doc.trim_ascii(),
                audience: Audience::$audience,
                payload: object(vec![
                    (stringify!($subject), <$subject_type as Describe>::schema())
                    $(, (stringify!($field), <$type as Describe>::schema()))*
                ]),
            },)*]
        }

        /// Who a fact of this name is for; admins alone, when another version of the product wrote it.
        pub fn audience(kind: &str) -> Audience {
            match kind {
                $($kind => Audience::$audience,)*
                _ => Audience::Admins,
            }
        }
    };
}

facts! {
    /// An account was made.
    "user.registered" UserRegistered for Account { user: UserId }
    /// Somebody signed in.
    "user.signed_in" UserSignedIn for Account { session: SessionId }
    /// A login was ended by its owner.
    "user.signed_out" UserSignedOut for Account { session: SessionId }
    /// A spent refresh token came back, so its login was ended.
    "session.revoked_on_reuse" SessionRevokedOnReuse for Account { session: SessionId }
    /// A tenant was made.
    "workspace.created" WorkspaceCreated for Everyone { workspace: WorkspaceId }
    /// A tenant's own fields were changed.
    "workspace.updated" WorkspaceUpdated for Everyone { workspace: WorkspaceId }
    /// A tenant was put in the trash.
    "workspace.deleted" WorkspaceDeleted for Everyone { workspace: WorkspaceId }
    /// Somebody became a member.
    "member.added" MemberAdded for Members { member: UserId, role: Role }
    /// A member's role was changed.
    "member.role_changed" MemberRoleChanged for Members { member: UserId, from: Role, to: Role }
    /// A member was removed, or left.
    "member.removed" MemberRemoved for Members { member: UserId }
    /// A member signed in.
    "member.signed_in" MemberSignedIn for Admins { member: UserId, session: SessionId }
    /// A page was made.
    "document.created" DocumentCreated for Document { document: DocumentId }
    /// A page's fields were changed.
    "document.updated" DocumentUpdated for Document { document: DocumentId }
    /// A page's content was changed; told once in a while, not for every edit.
    "document.edited" DocumentEdited for Document { document: DocumentId }
    /// A page that not every member may see was read; told once in a while for each reader.
    "document.viewed" DocumentViewed for Admins { document: DocumentId }
    /// A page was put in the trash.
    "document.trashed" DocumentTrashed for Document { document: DocumentId }
    /// A page came back from the trash.
    "document.restored" DocumentRestored for Document { document: DocumentId }
    /// A page was destroyed.
    "document.deleted" DocumentDeleted for Document { document: DocumentId }
    /// Background work that somebody asked for was done.
    "job.succeeded" JobSucceeded for Requester { job: JobId, kind: String }
    /// Background work that somebody asked for was given up.
    "job.failed" JobFailed for Requester { job: JobId, kind: String }
    /// Background work that somebody asked for was stopped.
    "job.cancelled" JobCancelled for Requester { job: JobId, kind: String }
    /// An activity report was made.
    "report.created" ReportCreated for Admins { report: ReportId }
    /// The audit log was exported.
    "audit_log.exported" AuditLogExported for Admins { workspace: WorkspaceId }
    /// Old entries of the log were removed, up to this number; a signed checkpoint stands there.
    "audit_log.cut" AuditLogCut for Admins { workspace: WorkspaceId, seq: i64 }
}

impl Change {
    /// The fact's values as a JSON object.
    pub fn payload(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "{}".to_owned())
    }
}
