//! Pages that were read become pages: each with its files in one transaction, on behalf of whoever imports, as long as
//! they may.

use super::{
    finish::{self, without_files},
    fit,
    parts::{self, Measure},
    reader::{Reader, Ready},
    report::{Notes, Reason},
    tree::id_of,
};
use attachments::{
    Store,
    attachment::{self, NewAttachment},
    kind,
    upload::{self, Received},
};
use backends::files::Key;
use documents::{
    beginning::Beginning,
    document::{self, NewDocument},
    error::Error as PageError,
    limits::Limits as PageLimits,
    op::NewBlock,
};
use entity::document as row;
use kernel::{
    error::{Explain, Kind},
    id::*,
};
use sea_orm::{DatabaseTransaction, DbErr, EntityTrait};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read,
};
use tokio::task::spawn_blocking;
use workspaces::{
    access::{self, AccessError, CreateDocuments, DocumentAccess, EditDocument, fence::Both},
    quota,
};

/// How often a page is tried again when rights change while it is written.
const TRIES: usize = 3;
/// Bytes of a file that are read at once.
const CHUNK: usize = 256 << 10;
/// How often a page that turned out too large is parted into smaller ones.
const SMALLER: usize = 4;

/// What pages are made with.
#[derive(Clone)]
pub struct Maker {
    /// Where pages, and their files, are kept.
    pub store: Store,
    /// How large a page may be.
    pub limits: PageLimits,
    /// Who imports.
    pub user: UserId,
    /// Where.
    pub workspace: WorkspaceId,
    /// The page that everything hangs under.
    pub under: Option<DocumentId>,
}

/// What became of a page.
#[derive(Debug)]
pub struct Made {
    /// How many pages it is; a long one is several.
    pub pages: u64,
    /// How many files it has.
    pub files: u64,
    /// What was lost.
    pub notes: Notes,
}

/// Why no page was made.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It will not be made, whatever is tried.
    #[error("{1}")]
    Refused(Reason, String),
    /// It may go better later.
    #[error("{0}")]
    Later(String),
}

impl From<DbErr> for Trouble {
    fn from(error: DbErr) -> Self {
        Self::Later(error.to_string())
    }
}

impl From<AccessError> for Trouble {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::NotFound | AccessError::Forbidden | AccessError::Archived | AccessError::DocumentArchived => {
                Self::Refused(Reason::Forbidden, error.to_string())
            }
            AccessError::Changed | AccessError::Db(_) => Self::Later(error.to_string()),
        }
    }
}

impl From<workspaces::Error> for Trouble {
    fn from(error: workspaces::Error) -> Self {
        match error {
            workspaces::Error::QuotaExceeded(_) => Self::Refused(Reason::QuotaExceeded, error.to_string()),
            _ => of(&error),
        }
    }
}

impl From<PageError> for Trouble {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Access(error) => error.into(),
            PageError::TooLarge(_) => Self::Refused(Reason::TooLarge, error.to_string()),
            _ => of(&error),
        }
    }
}

impl From<attachments::Error> for Trouble {
    fn from(error: attachments::Error) -> Self {
        match error {
            attachments::Error::Workspace(error) => error.into(),
            attachments::Error::Db(error) => error.into(),
            _ => of(&error),
        }
    }
}

fn of(error: &(impl Explain + std::fmt::Display)) -> Trouble {
    match error.kind() {
        Kind::Unavailable | Kind::Internal => Trouble::Later(error.to_string()),
        _ => Trouble::Refused(Reason::Refused, error.to_string()),
    }
}

/// A page of those that one file becomes.
struct Part {
    id: DocumentId,
    title: String,
    files: BTreeSet<AttachmentId>,
    beginning: Beginning,
}

/// Files of a page whose bytes are kept, and which no row knows yet.
type Kept = BTreeMap<AttachmentId, (String, Received)>;

impl Maker {
    /// Makes a page of what was read, `parent` above it. Done twice, it makes one.
    ///
    /// # Errors
    /// [`Trouble`].
    pub async fn make(&self, reader: Reader, ready: Ready, parent: Option<DocumentId>) -> (Reader, Result<Made, Trouble>) {
        match self.is_made(&ready).await {
            Ok(false) => {}
            Ok(true) => {
                let made = Made {
                    pages: 1,
                    files: ready.files.len() as u64,
                    notes: ready.notes,
                };
                return (reader, Ok(made));
            }
            Err(error) => return (reader, Err(error.into())),
        }
        let mut ready = ready;
        let (reader, kept) = self.keep_files(reader, &mut ready).await;
        let kept = match kept {
            Ok(kept) => kept,
            Err(trouble) => return (reader, Err(trouble)),
        };
        let made = self.make_parts(ready, parent, &kept).await;
        if made.is_err() {
            self.discard(kept).await;
        }
        (reader, made)
    }

    /// Whether an attempt before this one came so far.
    async fn is_made(&self, ready: &Ready) -> Result<bool, DbErr> {
        let row = row::Entity::find_by_id(ready.id).one(&self.store.db).await?;
        Ok(row.is_some_and(|row| row.workspace_id == self.workspace))
    }

    /// Keeps the bytes of the files that a page shows. What cannot be kept is taken out of it.
    async fn keep_files(&self, mut reader: Reader, ready: &mut Ready) -> (Reader, Result<Kept, Trouble>) {
        let (mut kept, mut lost) = (Kept::new(), BTreeSet::new());
        for (number, id) in std::mem::take(&mut ready.files) {
            let path = reader.path_of(number).to_owned();
            let opened = spawn_blocking(move || {
                let opened = reader.file(number);
                (reader, opened)
            });
            let opened = match opened.await {
                Ok((back, opened)) => {
                    reader = back;
                    opened
                }
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            };
            let stored = match opened {
                Ok((name, file)) => self.keep(file).await.map(|received| (name, received)),
                Err(refusal) => Err(Trouble::Refused(refusal.reason, refusal.detail)),
            };
            match stored {
                Ok(file) => drop(kept.insert(id, file)),
                Err(Trouble::Refused(reason, detail)) => {
                    let reason = if reason == Reason::FileMissing {
                        reason
                    } else {
                        Reason::FileRefused
                    };
                    ready.notes.add(reason, format!("{path}: {detail}"));
                    lost.insert(id);
                }
                Err(later) => {
                    self.discard(kept).await;
                    return (reader, Err(later));
                }
            }
        }
        if !lost.is_empty() {
            without_files(&mut ready.blocks, &lost);
        }
        (reader, Ok(kept))
    }

    /// Keeps the bytes of one file.
    async fn keep(&self, mut file: File) -> Result<Received, Trouble> {
        let id = FileId::new();
        let mut writing = self
            .store
            .files
            .begin(Key::attachment(self.workspace, id), self.store.limits.file_bytes);
        let mut head = Vec::new();
        loop {
            let read = spawn_blocking(move || {
                let mut bytes = vec![0; CHUNK];
                let read = file.read(&mut bytes);
                read.map(|count| {
                    bytes.truncate(count);
                    (file, bytes)
                })
            });
            let read = read.await.map_err(|error| Trouble::Later(error.to_string()))?;
            let bytes = match read {
                Ok((back, bytes)) => {
                    file = back;
                    bytes
                }
                Err(error) => {
                    writing.abort().await;
                    return Err(Trouble::Later(error.to_string()));
                }
            };
            if bytes.is_empty() {
                break;
            }
            let looked_at = kind::HEAD_BYTES.saturating_sub(head.len()).min(bytes.len());
            head.extend_from_slice(&bytes[..looked_at]);
            if let Err(error) = writing.write(&bytes).await {
                writing.abort().await;
                return Err(of(&error));
            }
        }
        Ok(Received {
            file: id,
            media_type: kind::of(&head).to_owned(),
            stored: writing.finish().await.map_err(|error| of(&error))?,
        })
    }

    async fn discard(&self, kept: Kept) {
        for (_, received) in kept.into_values() {
            upload::discard(&self.store, self.workspace, &received).await;
        }
    }

    /// Makes a page, or several where one would be too large.
    async fn make_parts(&self, ready: Ready, parent: Option<DocumentId>, kept: &Kept) -> Result<Made, Trouble> {
        let limits = self.limits.clone();
        let files: BTreeSet<AttachmentId> = kept.keys().copied().collect();
        let begun = spawn_blocking(move || begin(ready, files, &limits)).await;
        let (ready, parts) = begun.map_err(|error| Trouble::Later(error.to_string()))??;
        let mut tried = 1;
        while let Err(trouble) = self.write(&ready, &parts, (parent, kept)).await {
            match trouble {
                Trouble::Later(_) if tried < TRIES => tried += 1,
                trouble => return Err(trouble),
            }
        }
        Ok(Made {
            pages: parts.len() as u64,
            files: kept.len() as u64,
            notes: ready.notes,
        })
    }

    /// Writes the page, those that continue it, and their files.
    async fn write(&self, ready: &Ready, parts: &[Part], (parent, kept): (Option<DocumentId>, &Kept)) -> Result<(), Trouble> {
        let db = &self.store.db;
        let entered = access::enter::<CreateDocuments>(db, self.user, self.workspace).await?;
        let under = match parent {
            Some(parent) => Some(access::open::<EditDocument>(db, self.user, parent).await?),
            None => None,
        };
        access::write(
            db,
            &Both(&entered, under.as_ref()),
            async |tx: &DatabaseTransaction| -> Result<(), Trouble> {
                let mut first: Option<DocumentAccess<EditDocument>> = None;
                for part in parts {
                    quota::check_document(tx, &entered, &self.store.limits.quotas).await?;
                    let new = ready.as_document(part, first.as_ref().map_or(parent, |first| Some(first.id())));
                    document::create_with(tx, &entered, first.as_ref().or(under.as_ref()), new, part.beginning.clone()).await?;
                    let page = access::open::<EditDocument>(tx, self.user, part.id).await?;
                    for id in &part.files {
                        self.attach(tx, &page, (*id, &kept[id])).await?;
                    }
                    first.get_or_insert(page);
                }
                Ok(())
            },
        )
        .await
    }

    async fn attach(
        &self,
        tx: &DatabaseTransaction,
        page: &DocumentAccess<EditDocument>,
        (id, (name, received)): (AttachmentId, &(String, Received)),
    ) -> Result<(), Trouble> {
        let new = NewAttachment {
            id: Some(id),
            name: name.clone(),
            size: Some(received.stored.size),
            sha256: None,
        };
        attachment::create(tx, page, new, &self.store.limits).await?;
        upload::complete(tx, page, id, received, &self.store.limits.quotas).await?;
        Ok(())
    }
}

impl Ready {
    fn as_document(&self, part: &Part, parent: Option<DocumentId>) -> NewDocument {
        let is_first = part.id == self.id;
        NewDocument {
            id: Some(part.id),
            parent,
            title: part.title.clone(),
            icon: self.icon.clone(),
            cover: self.cover.clone().filter(|_| is_first),
            is_template: self.is_template && is_first,
            ..NewDocument::default()
        }
    }
}

/// Makes the beginnings of a page: one, or as many as it needs.
fn begin(mut ready: Ready, files: BTreeSet<AttachmentId>, limits: &PageLimits) -> Result<(Ready, Vec<Part>), Trouble> {
    let mut most = Measure::default();
    let blocks = std::mem::take(&mut ready.blocks);
    let mut begun = begin_with(&ready, parts::split(blocks.clone(), most), (&files, limits));
    for _ in 0..SMALLER {
        if !matches!(begun, Err(Trouble::Refused(Reason::TooLarge, _))) {
            break;
        }
        most = most.half();
        begun = begin_with(&ready, parts::split(blocks.clone(), most), (&files, limits));
    }
    let parts = begun?;
    if parts.len() > 1 {
        ready.notes.add(Reason::PageSplit, format!("it is {} pages", parts.len()));
    }
    Ok((ready, parts))
}

fn begin_with(
    ready: &Ready,
    mut contents: Vec<Vec<NewBlock>>,
    (files, limits): (&BTreeSet<AttachmentId>, &PageLimits),
) -> Result<Vec<Part>, Trouble> {
    let id_of_part = |number: usize| match number {
        0 => ready.id,
        number => id_of(JobId(ready.id.0), "part", number),
    };
    let title_of = |number: usize| match number {
        0 => ready.title.clone(),
        number => {
            let room: String = ready.title.chars().take(document::MAX_TITLE - 10).collect();
            format!("{room} ({})", number + 1)
        }
    };
    let continued = (1..contents.len()).map(|number| fit::continued(id_of_part(number), &title_of(number)));
    let continued: Vec<NewBlock> = continued.collect();
    if let Some(first) = contents.first_mut() {
        first.extend(continued);
    }
    let mut left = files.clone();
    let mut parts = Vec::with_capacity(contents.len());
    for (number, blocks) in contents.into_iter().enumerate() {
        let shown = finish::attachments(&blocks);
        let own: BTreeSet<AttachmentId> = left.intersection(&shown).copied().collect();
        left.retain(|id| !own.contains(id));
        parts.push(Part {
            id: id_of_part(number),
            title: title_of(number),
            files: own,
            beginning: Beginning::new(&title_of(number), &blocks, limits)?,
        });
    }
    if let Some(first) = parts.first_mut() {
        first.files.extend(left);
    }
    Ok(parts)
}
