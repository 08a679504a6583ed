//! What pages and blocks look like to clients.

use super::references::{self, References};
use crate::{problem::ApiError, state::State};
use documents::{heads, log::Head, op::NewBlock, projection::Content, url, view};
use kernel::{clock::Time, error::Field, id::*, role::Level};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use workspaces::access::{CommentDocument, DocumentAccess, EditDocument, Grants, ManageDocument, ViewDocument};

/// What the caller may do with a page.
#[derive(Serialize, ToSchema)]
pub struct DocumentAbilities {
    /// Comment on it.
    comment: bool,
    /// Change its content and fields, and put it in the trash.
    edit: bool,
    /// Change who may do what, and destroy it.
    manage: bool,
}

impl From<Level> for DocumentAbilities {
    fn from(level: Level) -> Self {
        Self {
            comment: level >= CommentDocument::LEVEL,
            edit: level >= EditDocument::LEVEL,
            manage: level >= ManageDocument::LEVEL,
        }
    }
}

/// A page, without its content.
#[derive(Serialize, ToSchema)]
pub struct Document {
    /// The page's id.
    #[schema(value_type = uuid::Uuid)]
    pub id: DocumentId,
    /// Its tenant.
    #[schema(value_type = uuid::Uuid)]
    pub workspace_id: WorkspaceId,
    /// The page it hangs under; null at the top.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub parent_id: Option<DocumentId>,
    /// Its title.
    #[schema(example = "Meeting notes")]
    pub title: String,
    /// Emoji or url.
    #[schema(example = "📝")]
    pub icon: Option<String>,
    /// Url of a picture.
    pub cover: Option<String>,
    /// What members may do (none, view, comment, edit, manage); null asks the parent, and at the top the workspace's
    /// settings.
    #[schema(value_type = Option<String>)]
    pub default_level: Option<Level>,
    /// Whether nothing that is said or granted above counts for it and what hangs under it.
    pub restricted: bool,
    /// What a stock automerge-repo client finds it by.
    #[schema(example = "automerge:2GnJ4N2LnJgR2ZZUBGzy6d26Rg2")]
    pub automerge_url: String,
    /// Who made it.
    #[schema(value_type = uuid::Uuid)]
    pub created_by: UserId,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    pub created_at: Time,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T19:22:00Z")]
    pub updated_at: Time,
    /// When it was put in the trash.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Time>,
    /// When it was archived: since then it can only be read.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub archived_at: Option<Time>,
    /// Whether pages are made from it.
    pub is_template: bool,
    /// The caller's level: view, comment, edit or manage.
    #[schema(value_type = String, example = "edit")]
    pub level: Level,
    /// What the caller may do.
    pub abilities: DocumentAbilities,
}

impl From<(entity::document::Model, Level)> for Document {
    fn from((row, level): (entity::document::Model, Level)) -> Self {
        Self {
            id: row.id,
            workspace_id: row.workspace_id,
            parent_id: row.parent_id,
            title: row.title,
            icon: row.icon,
            cover: row.cover,
            default_level: row.default_level,
            restricted: row.restricted,
            automerge_url: url::automerge_url(row.id),
            created_by: row.created_by,
            created_at: row.created_at,
            updated_at: row.updated_at,
            deleted_at: row.deleted_at,
            archived_at: row.archived_at,
            is_template: row.is_template,
            level,
            abilities: level.into(),
        }
    }
}

/// Where a page's content stands.
#[derive(Serialize, ToSchema)]
pub struct Standing {
    /// The number of its last change; grows by one with each.
    #[schema(example = 42)]
    pub version: i64,
    /// The Automerge heads; send them back as `base_heads` to edit what you saw.
    #[schema(example = json!(["d1ff3c0e0c7c2a3e5f9b7a6d8c4e2f10d1ff3c0e0c7c2a3e5f9b7a6d8c4e2f10"]))]
    pub heads: Vec<String>,
    /// The incarnation of its history.
    #[schema(value_type = uuid::Uuid)]
    pub epoch: EpochId,
}

impl From<&Head> for Standing {
    fn from(head: &Head) -> Self {
        Self {
            version: head.seq,
            heads: heads::to_strings(&head.heads),
            epoch: head.epoch,
        }
    }
}

/// A range of a block's text.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Mark {
    /// bold, italic, underline, strike, code, highlight, color, link, mention.
    #[schema(example = "bold")]
    pub name: String,
    /// `true`, or what the mark needs.
    #[schema(example = true)]
    pub value: Value,
    /// UTF-16 units from the start of the text.
    #[schema(example = 0)]
    pub start: usize,
    /// The first unit behind it.
    #[schema(example = 5)]
    pub end: usize,
}

/// A block with everything under it.
#[derive(Serialize, ToSchema)]
#[schema(no_recursion)]
pub struct Block {
    /// Its id, unique in the page.
    #[schema(example = "7d9f0f0a-9f1c-4a53-9d55-0c8f3c1f3a11")]
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    #[schema(example = "paragraph")]
    pub kind: String,
    /// Its text.
    #[schema(example = "Hello")]
    pub text: String,
    /// Ranges of its text.
    pub marks: Vec<Mark>,
    /// Values by type.
    pub props: Map<String, Value>,
    /// Blocks under it, in order.
    pub children: Vec<Block>,
}

impl From<view::Block> for Block {
    fn from(mut block: view::Block) -> Self {
        let marks = std::mem::take(&mut block.marks);
        Self {
            id: std::mem::take(&mut block.id),
            kind: std::mem::take(&mut block.kind),
            text: std::mem::take(&mut block.text),
            marks: marks
                .into_iter()
                .map(|m| Mark {
                    name: m.name,
                    value: m.value,
                    start: m.start,
                    end: m.end,
                })
                .collect(),
            props: std::mem::take(&mut block.props),
            children: std::mem::take(&mut block.children).into_iter().map(Block::from).collect(),
        }
    }
}

/// A page with its content.
#[derive(Serialize, ToSchema)]
pub struct DocumentWithBlocks {
    /// The page.
    #[serde(flatten)]
    pub document: Document,
    /// Where its content stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// Its blocks as a tree.
    pub blocks: Vec<Block>,
    /// What they name and show of other places. Told when a page is read, not in answers to changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub references: Option<References>,
}

/// Puts a page together from its row and its content.
pub fn whole(row: entity::document::Model, level: Level, (head, content): (&Head, Content)) -> DocumentWithBlocks {
    let mut document = Document::from((row, level));
    document.title = content.title;
    DocumentWithBlocks {
        document,
        standing: head.into(),
        blocks: content.blocks.into_iter().map(Block::from).collect(),
        references: None,
    }
}

/// The same for somebody who reads it.
///
/// # Errors
/// Only the database's.
pub async fn read(
    state: &State,
    access: &DocumentAccess<ViewDocument>,
    (head, content): (&Head, Content),
) -> Result<DocumentWithBlocks, ApiError> {
    let references = references::of(state, access, (&content, &content.blocks)).await?;
    Ok(DocumentWithBlocks {
        references: Some(references),
        ..whole(access.document().clone(), access.level(), (head, content))
    })
}

/// A block to be made, with everything under it.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[schema(no_recursion)]
pub struct BlockInput {
    /// Your own id (1 to 64 letters, digits, `-`, `_`); made here when left out.
    pub id: Option<String>,
    /// Its type; paragraph when left out.
    #[serde(rename = "type", default = "paragraph")]
    #[schema(example = "paragraph", default = "paragraph")]
    pub kind: String,
    /// Its text.
    #[serde(default)]
    #[schema(example = "Hello")]
    pub text: String,
    /// Ranges of its text.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Values by type.
    #[serde(default)]
    pub props: Map<String, Value>,
    /// Blocks under it.
    #[serde(default)]
    pub children: Vec<BlockInput>,
}

fn paragraph() -> String {
    "paragraph".to_owned()
}

impl From<Mark> for view::Mark {
    fn from(mark: Mark) -> Self {
        Self {
            name: mark.name,
            value: mark.value,
            start: mark.start,
            end: mark.end,
        }
    }
}

impl From<BlockInput> for NewBlock {
    fn from(input: BlockInput) -> Self {
        Self {
            id: input.id,
            kind: input.kind,
            text: input.text,
            marks: input.marks.into_iter().map(view::Mark::from).collect(),
            props: input.props,
            children: input.children.into_iter().map(NewBlock::from).collect(),
        }
    }
}

/// The heads that a write refers to.
///
/// # Errors
/// Names the field when one is no hash.
pub fn base_heads(heads: Option<Vec<String>>) -> Result<Option<Vec<heads::Hash>>, ApiError> {
    let refused = || {
        ApiError::invalid(vec![Field::new(
            "/base_heads",
            "invalid",
            "is a list of heads as a page shows them",
        )])
    };
    // A page has a head from its beginning: none would be before that.
    let read = |heads: Vec<String>| heads::from_strings(&heads).filter(|heads| !heads.is_empty()).ok_or_else(refused);
    heads.map(read).transpose()
}
