//! What is asked for: which pages, and as what.

use kernel::id::*;
use serde::{Deserialize, Serialize};

/// What a page becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Typeset on paper.
    Pdf,
    /// One file that browsers show.
    Html,
    /// Text with marks, as GitHub has them.
    Markdown,
    /// The content in the shape of the API.
    Json,
    /// The content with its whole history, as Automerge saves it.
    Automerge,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [Self::Pdf, Self::Html, Self::Markdown, Self::Json, Self::Automerge];

    /// The name that clients use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Json => "json",
            Self::Automerge => "automerge",
        }
    }

    /// The format of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// The end of its files' names.
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Pdf => ".pdf",
            Self::Html => ".html",
            Self::Markdown => ".md",
            Self::Json => ".json",
            Self::Automerge => ".automerge",
        }
    }

    /// The media type of its files.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Html => "text/html; charset=utf-8",
            Self::Markdown => "text/markdown; charset=utf-8",
            Self::Json => "application/json",
            Self::Automerge => "application/octet-stream",
        }
    }
}

/// Which pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// One, as one file.
    Page(DocumentId),
    /// One and what hangs under it, as a bundle.
    Subtree(DocumentId),
    /// All of the workspace, as a bundle.
    Workspace,
}

impl Scope {
    /// The page that it is about, if it is about one.
    pub fn document(self) -> Option<DocumentId> {
        match self {
            Self::Page(id) | Self::Subtree(id) => Some(id),
            Self::Workspace => None,
        }
    }
}

/// An export that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who: only what they may see is exported.
    pub user: UserId,
    /// Where.
    pub workspace: WorkspaceId,
    /// Which pages.
    pub scope: Scope,
    /// As what: in a bundle, what the pages are for people.
    pub format: Format,
}
