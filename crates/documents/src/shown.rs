//! What a page shows of other pages: their titles as they are now, and the blocks that its synced blocks stand for. All of it
//! as far as one reader may see: what they may not see is not here, no more than what does not exist.
//!
//! What is found is a table, not a tree: every source is there once, however many blocks stand for it and whether or not they
//! stand in each other, so that a circle of synced blocks ends by itself.

mod filling;

use crate::{
    copying::content_of,
    error::Error,
    projection::Content,
    references,
    view::{self, Block},
};
use entity::document;
use kernel::{id::*, role::Level};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    slice,
};
use workspaces::access::{self, AccessError, DocumentAccess, EditDocument, Grants, ViewDocument, Who};

/// Pages that are told of.
pub const MAX_PAGES: usize = 1_000;
/// People that are told of.
pub const MAX_PEOPLE: usize = 1_000;
/// Sources that are shown.
pub const MAX_SOURCES: usize = 100;
/// Other pages that sources are read from.
pub const MAX_SOURCE_PAGES: usize = 20;
/// Blocks of all sources together.
pub const MAX_BLOCKS: usize = 2_000;
/// Bytes of what stands in them.
pub const MAX_BYTES: usize = 2 << 20;
/// How often synced blocks are followed into what other synced blocks show.
pub const MAX_ROUNDS: usize = 4;
/// Rows that are asked for by one statement.
const AT_ONCE: usize = 500;

/// A block that others stand for: where it is, and its id there.
type Key = (DocumentId, String);

/// What synced blocks of one source show.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// The page where it is. A synced block among its blocks that names no page means this one.
    pub document: DocumentId,
    /// The block.
    pub block: String,
    /// What it shows: the block, or what is in it, when it is a synced block itself.
    pub blocks: Vec<Block>,
}

/// How much some blocks are.
#[derive(Clone, Copy, Debug, Default)]
struct Size {
    blocks: usize,
    bytes: usize,
}

impl Size {
    /// All that may be shown.
    const MOST: Self = Self {
        blocks: MAX_BLOCKS,
        bytes: MAX_BYTES,
    };

    /// That of these and what is under them, counted no further than what is left.
    fn of(blocks: &[Block], left: Self) -> Option<Self> {
        let mut size = Self::default();
        for (_, block) in view::walk(blocks) {
            let marks: usize = block
                .marks
                .iter()
                .map(|mark| mark.name.len() + mark.value.as_str().map_or(0, str::len))
                .sum();
            let props = serde_json::to_string(&block.props).map_or(0, |props| props.len());
            size.blocks += 1;
            size.bytes += block.id.len() + block.text.len() + marks + props;
            if size.blocks > left.blocks || size.bytes > left.bytes {
                return None;
            }
        }
        Some(size)
    }

    fn less(self, other: Self) -> Self {
        Self {
            blocks: self.blocks - other.blocks,
            bytes: self.bytes - other.bytes,
        }
    }
}

/// What somebody may see of what a page names.
#[derive(Debug, Default)]
pub struct Shown {
    /// Pages, each with what the reader may do with it. A page in the trash is among them for those who may edit it.
    pub pages: BTreeMap<DocumentId, (document::Model, Level)>,
    /// What synced blocks show.
    pub sources: Vec<Source>,
    /// People that are mentioned, whether or not the reader may know of them.
    pub people: BTreeSet<UserId>,
    /// Whether there is more than the limits let be told.
    pub is_cut: bool,
}

/// Where the content of other pages is read.
pub trait Pages {
    /// The content of a page as it is committed.
    ///
    /// # Errors
    /// When it does not load, or the database's.
    fn content(&self, access: &DocumentAccess<ViewDocument>) -> impl Future<Output = Result<Content, Error>> + Send;

    /// Takes note that something of a page is shown.
    ///
    /// # Errors
    /// The database's; then it is not shown.
    fn shows(&self, access: &DocumentAccess<ViewDocument>) -> impl Future<Output = Result<(), Error>> + Send;
}

/// Pages as the database has them.
pub struct Stored<'d, C>(pub &'d C);

impl<C: ConnectionTrait + Send> Pages for Stored<'_, C> {
    async fn content(&self, access: &DocumentAccess<ViewDocument>) -> Result<Content, Error> {
        content_of(self.0, access.id()).await
    }

    async fn shows(&self, _: &DocumentAccess<ViewDocument>) -> Result<(), Error> {
        Ok(())
    }
}

/// Who reads, and on which page.
#[derive(Clone, Copy, Debug)]
pub struct Reader {
    /// The reader, who was let in there.
    pub who: Who,
    /// The page.
    pub page: DocumentId,
    /// The only workspace whose pages are told of; all that the reader is in when none.
    pub only: Option<WorkspaceId>,
}

/// Finds what a part of a page names and shows. `content` is the whole page, where sources of its own are looked up.
///
/// # Errors
/// Only the database's: a page that does not load is not shown.
pub async fn gather(
    db: &impl ConnectionTrait,
    reader: Reader,
    (content, part): (&Content, &[Block]),
    pages: &impl Pages,
) -> Result<Shown, Error> {
    let mut gathering = Gathering {
        db,
        reader,
        own: content,
        pages,
        others: HashMap::new(),
        asked: BTreeSet::new(),
        taken: HashSet::new(),
        left: Size::MOST,
        shown: Shown::default(),
    };
    gathering.follow(part).await?;
    Ok(gathering.shown)
}

/// The block that a synced block on `page` stands for. One that has children is a source itself.
fn source_of(block: &Block, page: DocumentId) -> Option<Key> {
    if block.kind != "synced_block" || !block.children.is_empty() {
        return None;
    }
    let id = block.props.get("source_block_id")?.as_str()?;
    let document = match block.props.get("source_document_id").filter(|id| !id.is_null()) {
        Some(named) => named.as_str()?.parse().ok()?,
        None => page,
    };
    Some((document, id.to_owned()))
}

fn sources_in(blocks: &[Block], page: DocumentId) -> impl Iterator<Item = Key> {
    view::walk(blocks).filter_map(move |(_, block)| source_of(block, page))
}

/// Looks up the pages that blocks name, but for those that were asked for before.
async fn name(
    db: &impl ConnectionTrait,
    (who, only): (Who, Option<WorkspaceId>),
    blocks: &[Block],
    (asked, shown): (&mut BTreeSet<DocumentId>, &mut Shown),
) -> Result<(), DbErr> {
    let targets: BTreeSet<DocumentId> = references::of_blocks(blocks).into_iter().map(|one| one.target).collect();
    let new: Vec<DocumentId> = targets.difference(asked).copied().collect();
    let left = MAX_PAGES - asked.len();
    shown.is_cut |= new.len() > left;
    for some in new[..left.min(new.len())].chunks(AT_ONCE) {
        asked.extend(some);
        let levels = access::levels(db, who, some).await?;
        let rows = document::Entity::find().filter(document::Column::Id.is_in(some.iter().copied()));
        for row in rows.all(db).await? {
            let level = levels.get(&row.id).copied().unwrap_or(Level::None);
            let is_told = match row.deleted_at {
                Some(_) => level >= EditDocument::LEVEL && who.is_person(),
                None => level >= Level::View,
            };
            if is_told && only.is_none_or(|only| only == row.workspace_id) {
                shown.pages.insert(row.id, (row, level));
            }
        }
    }
    Ok(())
}

/// Gives blocks that stand for a page its title as it is now, where the reader may see it. For what nobody saves as it is.
///
/// # Errors
/// Only the database's.
pub async fn entitle(db: &impl ConnectionTrait, who: Who, blocks: &mut [Block]) -> Result<(), DbErr> {
    let mut shown = Shown::default();
    name(db, (who, None), blocks, (&mut BTreeSet::new(), &mut shown)).await?;
    shown.entitle(blocks);
    Ok(())
}

struct Gathering<'g, C, P> {
    db: &'g C,
    reader: Reader,
    own: &'g Content,
    pages: &'g P,
    /// Other pages that were read; none where there was nothing to read.
    others: HashMap<DocumentId, Option<(DocumentAccess<ViewDocument>, Content)>>,
    asked: BTreeSet<DocumentId>,
    taken: HashSet<Key>,
    /// How much may still be shown.
    left: Size,
    shown: Shown,
}

impl<C: ConnectionTrait, P: Pages> Gathering<'_, C, P> {
    async fn name(&mut self, blocks: &[Block]) -> Result<(), DbErr> {
        self.shown.people.extend(references::people_of(blocks));
        while self.shown.people.len() > MAX_PEOPLE {
            self.shown.people.pop_last();
            self.shown.is_cut = true;
        }
        let reader = (self.reader.who, self.reader.only);
        name(self.db, reader, blocks, (&mut self.asked, &mut self.shown)).await
    }

    async fn follow(&mut self, part: &[Block]) -> Result<(), Error> {
        self.name(part).await?;
        let mut wanted: Vec<Key> = sources_in(part, self.reader.page).collect();
        for _ in 0..MAX_ROUNDS {
            let mut new = Vec::new();
            for key in wanted.drain(..) {
                new.extend(self.take(key).await?);
            }
            for source in &new {
                self.name(&source.blocks).await?;
                wanted.extend(sources_in(&source.blocks, source.document));
            }
            self.shown.sources.append(&mut new);
        }
        self.shown.is_cut |= wanted.iter().any(|key| !self.taken.contains(key));
        Ok(())
    }

    /// What a source shows, if it was not taken before and there is room for it.
    async fn take(&mut self, key: Key) -> Result<Option<Source>, Error> {
        if self.taken.contains(&key) {
            return Ok(None);
        }
        if self.taken.len() == MAX_SOURCES {
            self.shown.is_cut = true;
            return Ok(None);
        }
        self.taken.insert(key.clone());
        let (document, id) = key;
        let (access, content) = if document == self.reader.page {
            (None, self.own)
        } else {
            self.other(document).await?;
            match self.others.get(&document) {
                Some(Some((access, content))) => (Some(access), content),
                _ => return Ok(None),
            }
        };
        let Some((_, block)) = view::walk(&content.blocks).find(|(_, block)| block.id == id) else {
            return Ok(None);
        };
        let is_source = block.kind == "synced_block" && source_of(block, document).is_none();
        let blocks = if is_source { &block.children[..] } else { slice::from_ref(block) };
        let Some(size) = Size::of(blocks, self.left) else {
            self.shown.is_cut = true;
            return Ok(None);
        };
        if let Some(access) = access {
            self.pages.shows(access).await?;
        }
        self.left = self.left.less(size);
        Ok(Some(Source {
            document,
            block: id,
            blocks: blocks.to_vec(),
        }))
    }

    /// Reads another page, if the reader may.
    async fn other(&mut self, id: DocumentId) -> Result<(), Error> {
        let is_living = |(row, _): &(document::Model, Level)| row.deleted_at.is_none();
        if self.others.contains_key(&id) || !self.shown.pages.get(&id).is_some_and(is_living) {
            return Ok(());
        }
        if self.others.len() == MAX_SOURCE_PAGES {
            self.shown.is_cut = true;
            return Ok(());
        }
        let content = match access::open::<ViewDocument>(self.db, self.reader.who, id).await {
            Ok(access) => match self.pages.content(&access).await {
                Ok(content) => Some((access, content)),
                Err(Error::Db(error)) => return Err(error.into()),
                Err(_) => None,
            },
            Err(AccessError::Db(error)) => return Err(error.into()),
            Err(_) => None,
        };
        self.others.insert(id, content);
        Ok(())
    }
}
