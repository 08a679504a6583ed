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

/// `"public.name" Variant for Audience { subject: Type, more: Type }`: the first field is the thing it happened to. A fact
/// that changes who may do what says `, access` behind its audience.
macro_rules! facts {
    ($(#[doc = $doc:literal] $kind:literal $name:ident for $audience:ident $(, $effect:ident)? { $subject:ident: $subject_type:ty $(, $field:ident: $type:ty)* })*) => {
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

            /// Whether somebody may do less or more from now on.
            pub fn changes_access(&self) -> bool {
                match self {
                    $(Self::$name { .. } => changes!($($effect)?),)*
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

macro_rules! changes {
    () => {
        false
    };
    (access) => {
        true
    };
}

facts! {
    /// An account was made.
    "user.registered" UserRegistered for Account { user: UserId }
    /// Somebody signed in.
    "user.signed_in" UserSignedIn for Account { session: SessionId }
    /// A login was ended by its owner.
    "user.signed_out" UserSignedOut for Account, access { session: SessionId }
    /// An account's profile was changed.
    "user.updated" UserUpdated for Account { user: UserId }
    /// An account's address was proven.
    "user.email_verified" UserEmailVerified for Account { user: UserId }
    /// An account's address was changed.
    "user.email_changed" UserEmailChanged for Account { user: UserId }
    /// An account's password was changed, or set anew with a mailed token; its other logins were ended.
    "user.password_changed" UserPasswordChanged for Account, access { user: UserId }
    /// An account's data were exported.
    "user.exported" UserExported for Account { user: UserId }
    /// An account was closed; it is erased when its grace has passed.
    "user.closed" UserClosed for Account, access { user: UserId }
    /// A closed account was opened again by signing in.
    "user.reopened" UserReopened for Account, access { user: UserId }
    /// An account was erased.
    "user.erased" UserErased for Account, access { user: UserId }
    /// A spent refresh token came back, so its login was ended.
    "session.revoked_on_reuse" SessionRevokedOnReuse for Account, access { session: SessionId }
    /// A login was ended from another one.
    "session.revoked" SessionRevoked for Account, access { session: SessionId }
    /// A key for programs was made.
    "api_key.created" ApiKeyCreated for Account { api_key: ApiKeyId }
    /// A key's name or scopes were changed.
    "api_key.updated" ApiKeyUpdated for Account, access { api_key: ApiKeyId }
    /// A key was revoked.
    "api_key.revoked" ApiKeyRevoked for Account, access { api_key: ApiKeyId }
    /// A second factor was switched on.
    "totp.enabled" TotpEnabled for Account { user: UserId }
    /// A second factor was switched off.
    "totp.disabled" TotpDisabled for Account { user: UserId }
    /// A code for who has lost their second factor was used.
    "recovery_code.used" RecoveryCodeUsed for Account { user: UserId }
    /// New codes for who has lost their second factor were made; the old ones are void.
    "recovery_codes.created" RecoveryCodesCreated for Account { user: UserId }
    /// A login with another provider was linked to the account.
    "identity.linked" IdentityLinked for Account { identity: IdentityId, provider: String }
    /// A login with another provider was unlinked.
    "identity.unlinked" IdentityUnlinked for Account { identity: IdentityId, provider: String }
    /// A tenant was made.
    "workspace.created" WorkspaceCreated for Everyone, access { workspace: WorkspaceId }
    /// A tenant's own fields or settings were changed.
    "workspace.updated" WorkspaceUpdated for Everyone, access { workspace: WorkspaceId }
    /// A tenant was archived: it is read only from then on.
    "workspace.archived" WorkspaceArchived for Everyone, access { workspace: WorkspaceId }
    /// A tenant was taken out of the archive.
    "workspace.unarchived" WorkspaceUnarchived for Everyone, access { workspace: WorkspaceId }
    /// A tenant was put in the trash.
    "workspace.deleted" WorkspaceDeleted for Everyone, access { workspace: WorkspaceId }
    /// A tenant came back from the trash.
    "workspace.restored" WorkspaceRestored for Everyone, access { workspace: WorkspaceId }
    /// A tenant was handed on: this member owns it now.
    "workspace.ownership_transferred" OwnershipTransferred for Members, access { member: UserId, from: UserId }
    /// Somebody became a member.
    "member.added" MemberAdded for Members, access { member: UserId, role: Role }
    /// A member's role was changed.
    "member.role_changed" MemberRoleChanged for Members, access { member: UserId, from: Role, to: Role }
    /// A member was removed, or left.
    "member.removed" MemberRemoved for Members, access { member: UserId }
    /// A member signed in.
    "member.signed_in" MemberSignedIn for Admins { member: UserId, session: SessionId }
    /// Somebody was invited by mail.
    "invitation.created" InvitationCreated for Admins { invitation: InvitationId, role: Role }
    /// An invitation was mailed again, with a new token.
    "invitation.resent" InvitationResent for Admins { invitation: InvitationId }
    /// An invitation was taken back.
    "invitation.revoked" InvitationRevoked for Admins { invitation: InvitationId }
    /// An invitation was accepted.
    "invitation.accepted" InvitationAccepted for Admins { invitation: InvitationId }
    /// An invitation was declined.
    "invitation.declined" InvitationDeclined for Admins { invitation: InvitationId }
    /// A link that lets people join was made.
    "invite_link.created" InviteLinkCreated for Admins { invite_link: InviteLinkId, role: Role }
    /// A link that lets people join was used.
    "invite_link.used" InviteLinkUsed for Admins { invite_link: InviteLinkId }
    /// A link that lets people join was switched off.
    "invite_link.revoked" InviteLinkRevoked for Admins { invite_link: InviteLinkId }
    /// A group was made.
    "group.created" GroupCreated for Members { group: GroupId }
    /// A group was renamed.
    "group.updated" GroupUpdated for Members { group: GroupId }
    /// A group was removed, with what it was granted.
    "group.deleted" GroupDeleted for Members, access { group: GroupId }
    /// A member came into a group.
    "group.member_added" GroupMemberAdded for Members, access { group: GroupId, member: UserId }
    /// A member left a group, or was taken out of it.
    "group.member_removed" GroupMemberRemoved for Members, access { group: GroupId, member: UserId }
    /// Somebody was granted a level on a page, or on the whole workspace.
    "grant.created" GrantCreated for Admins, access { grant: GrantId, document: Option<DocumentId>, user: Option<UserId>, group: Option<GroupId>, level: Level }
    /// A grant's level was changed.
    "grant.updated" GrantUpdated for Admins, access { grant: GrantId, from: Level, to: Level }
    /// A grant was taken back.
    "grant.deleted" GrantDeleted for Admins, access { grant: GrantId }
    /// A link that opens a page was made.
    "share_link.created" ShareLinkCreated for Admins, access { share_link: ShareLinkId, document: DocumentId, level: Level }
    /// A link that opens a page was changed.
    "share_link.updated" ShareLinkUpdated for Admins, access { share_link: ShareLinkId }
    /// A link that opens a page was removed.
    "share_link.deleted" ShareLinkDeleted for Admins, access { share_link: ShareLinkId }
    /// A page was opened by a link; told once in a while.
    "share_link.opened" ShareLinkOpened for Admins { share_link: ShareLinkId, document: DocumentId }
    /// Somebody asks to be let at a page.
    "access_request.created" AccessRequestCreated for Admins { access_request: AccessRequestId, document: DocumentId, level: Level }
    /// A request was approved.
    "access_request.approved" AccessRequestApproved for Admins { access_request: AccessRequestId }
    /// A request was denied.
    "access_request.denied" AccessRequestDenied for Admins { access_request: AccessRequestId }
    /// A page was made.
    "document.created" DocumentCreated for Document { document: DocumentId }
    /// A page's fields were changed.
    "document.updated" DocumentUpdated for Document { document: DocumentId }
    /// Who may see or change a page was changed: its default level, or whether it is restricted.
    "document.access_changed" DocumentAccessChanged for Document, access { document: DocumentId }
    /// A page's content was changed; told once in a while, not for every edit.
    "document.edited" DocumentEdited for Document { document: DocumentId }
    /// A page was locked against the edits of others, for good or until a time.
    "document.locked" DocumentLocked for Document { document: DocumentId, lock: LockId }
    /// A page's lock was taken away, or its time was over.
    "document.unlocked" DocumentUnlocked for Document { document: DocumentId, lock: LockId }
    /// A page that not every member may see was read; told once in a while for each reader.
    "document.viewed" DocumentViewed for Admins { document: DocumentId }
    /// A page was moved under another one, or to the top.
    "document.moved" DocumentMoved for Document, access { document: DocumentId }
    /// A page was put elsewhere among its siblings.
    "document.reordered" DocumentReordered for Document { document: DocumentId }
    /// A page was moved to another workspace. What was granted on it stayed behind and is void.
    "document.moved_out" DocumentMovedOut for Admins, access { document: DocumentId, workspace: WorkspaceId }
    /// A page came from another workspace.
    "document.moved_in" DocumentMovedIn for Document, access { document: DocumentId }
    /// A page was copied; told where the original is.
    "document.copied" DocumentCopied for Admins { document: DocumentId, copy: DocumentId }
    /// A page was archived, by somebody or because nobody had changed it for long.
    "document.archived" DocumentArchived for Document, access { document: DocumentId }
    /// A page was taken out of the archive.
    "document.unarchived" DocumentUnarchived for Document, access { document: DocumentId }
    /// A page was put in the trash.
    "document.trashed" DocumentTrashed for Document, access { document: DocumentId }
    /// A page came back from the trash.
    "document.restored" DocumentRestored for Document, access { document: DocumentId }
    /// A page was destroyed.
    "document.deleted" DocumentDeleted for Document, access { document: DocumentId }
    /// A file was uploaded to a page.
    "attachment.created" AttachmentCreated for Document { document: DocumentId, attachment: AttachmentId, media_type: String }
    /// A file of a page was deleted.
    "attachment.deleted" AttachmentDeleted for Document { document: DocumentId, attachment: AttachmentId }
    /// A deleted file of a page came back.
    "attachment.restored" AttachmentRestored for Document { document: DocumentId, attachment: AttachmentId }
    /// A page was exported.
    "document.exported" DocumentExported for Admins { document: DocumentId, format: String }
    /// A page was exported with what hangs under it.
    "document.subtree_exported" SubtreeExported for Admins { document: DocumentId, format: String }
    /// A workspace was exported, as far as who did it may see it.
    "workspace.exported" WorkspaceExported for Admins { workspace: WorkspaceId, format: String }
    /// Pages were made of files that somebody sent.
    "pages.imported" PagesImported for Requester { job: JobId, pages: i64 }
    /// A state of a page was named.
    "document.version_created" DocumentVersionCreated for Document { document: DocumentId, version: VersionId }
    /// A version's name or note was changed.
    "document.version_renamed" DocumentVersionRenamed for Document { document: DocumentId, version: VersionId }
    /// A version was removed; the page's history keeps what was in it.
    "document.version_deleted" DocumentVersionDeleted for Document { document: DocumentId, version: VersionId }
    /// A page was brought back to how it was at a version, by a new change.
    "document.version_restored" DocumentVersionRestored for Document { document: DocumentId, version: VersionId }
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
