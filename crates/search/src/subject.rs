//! What can be found: things of a few kinds, each on a page whose readers are the ones who may find it.

use kernel::{clock::Time, id::*};
use uuid::Uuid;

/// What something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A page.
    Document,
    /// A comment.
    Comment,
    /// A card of a board.
    Card,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Document, Self::Comment, Self::Card];

    /// The name that stands in the table and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Comment => "comment",
            Self::Card => "card",
        }
    }

    /// The kind of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Something that can be found.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What it is.
    pub kind: Kind,
    /// Which one.
    pub id: Uuid,
    /// The page whose readers may find it.
    pub document: DocumentId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// Who made it.
    pub author: Option<UserId>,
    /// When it was last changed.
    pub updated_at: Time,
}

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Its title; may be empty.
    pub title: String,
    /// Ids of blocks, in their order, each with what stands there.
    pub parts: Vec<(String, String)>,
}

/// Where the log stood that a text was read from: an older text never replaces a newer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// The incarnation of the log.
    pub epoch: EpochId,
    /// Its last number.
    pub seq: i64,
}
