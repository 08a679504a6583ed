//! The people in a history, as far as a reader may know of them.

use crate::{problem::ApiError, state::State};
use kernel::id::*;
use serde::Serialize;
use std::collections::HashMap;
use utoipa::ToSchema;
use workspaces::{
    access::DocumentAccess,
    people::{self, Author, AuthorKind},
};

/// What is known of somebody who wrote on a page.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PersonKind {
    /// Somebody with an account.
    Person,
    /// Somebody whose account was closed.
    Deleted,
    /// Somebody who came by a share link; nobody knows who.
    Visitor,
}

/// Somebody who wrote on a page.
#[derive(Clone, Serialize, ToSchema)]
pub(super) struct Person {
    /// Their id.
    #[schema(value_type = uuid::Uuid)]
    id: UserId,
    /// Their name; null where you may not know it.
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// What is known of them: `person`, `deleted` or `visitor`.
    kind: PersonKind,
}

/// Everybody that an answer tells of.
pub(super) struct People(HashMap<UserId, Author>);

impl People {
    pub(super) async fn of<P>(state: &State, access: &DocumentAccess<P>, ids: impl IntoIterator<Item = UserId>) -> Result<Self, ApiError> {
        Ok(Self(people::authors(&state.db, access, ids).await?))
    }

    pub(super) fn person(&self, id: UserId) -> Person {
        let known = self.0.get(&id);
        let kind = match known.map(|author| author.kind) {
            Some(AuthorKind::Person) => PersonKind::Person,
            Some(AuthorKind::Deleted) => PersonKind::Deleted,
            Some(AuthorKind::Visitor) | None => PersonKind::Visitor,
        };
        Person {
            id,
            display_name: known.and_then(|author| author.display_name.clone()),
            kind,
        }
    }
}
