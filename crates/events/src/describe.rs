//! The JSON Schema (2020-12) of the values that stand in payloads.

use kernel::{id::*, role::*};
use serde_json::{Value, json};

/// A type whose JSON form can be described.
pub trait Describe {
    /// Its JSON Schema.
    fn schema() -> Value;
}

macro_rules! ids {
    ($($name:ty),*) => {$(
        impl Describe for $name {
            fn schema() -> Value {
                json!({ "type": "string", "format": "uuid" })
            }
        }
    )*};
}

ids!(
    UserId,
    SessionId,
    ApiKeyId,
    IdentityId,
    WorkspaceId,
    InvitationId,
    InviteLinkId,
    GroupId,
    GrantId,
    ShareLinkId,
    AccessRequestId,
    DocumentId,
    VersionId,
    JobId,
    LockId,
    ReportId,
    AttachmentId
);

impl<T: Describe> Describe for Option<T> {
    fn schema() -> Value {
        json!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
}

impl Describe for Level {
    fn schema() -> Value {
        json!({ "type": "string", "enum": ["none", "view", "comment", "edit", "manage"] })
    }
}

impl Describe for Role {
    fn schema() -> Value {
        json!({ "type": "string", "enum": ["guest", "member", "admin", "owner"] })
    }
}

impl Describe for String {
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

impl Describe for i64 {
    fn schema() -> Value {
        json!({ "type": "integer", "format": "int64" })
    }
}

/// An object with these properties, all of them there.
pub(crate) fn object(properties: Vec<(&'static str, Value)>) -> Value {
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    let properties: serde_json::Map<String, Value> = properties.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    json!({ "type": "object", "properties": properties, "required": required })
}
