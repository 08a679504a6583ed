//! Files that go along when a page is copied, perhaps to another workspace: their bytes are copied by the store before the
//! transaction that makes the copy, and the rows are written in it.

use crate::{Error, Store, attachment::signed, content, content::Which, upload, upload::Received};
use backends::files::{Key, Stored};
use entity::{
    attachment::{self, State},
    document,
};
use events::Change;
use kernel::{clock, id::*};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, QueryOrder, Select,
};
use std::collections::BTreeSet;
use workspaces::{
    Quotas,
    access::{Access, CreateDocuments, DocumentAccess, ViewDocument},
    quota,
};

/// Ids in one question, and rows in one insertion.
const AT_ONCE: usize = 500;

/// A file whose bytes were copied for a page that is still to be made.
#[derive(Clone, Debug)]
pub struct Brought {
    id: AttachmentId,
    source: attachment::Model,
    received: Received,
}

fn living(from: &DocumentAccess<ViewDocument>) -> Select<attachment::Entity> {
    attachment::Entity::find()
        .filter(attachment::Column::WorkspaceId.eq(from.workspace()))
        .filter(attachment::Column::State.eq(State::Ready))
        .filter(attachment::Column::DeletedAt.is_null())
}

/// How many files these pages have. They are the one that is copied and such under it as its copier may see.
///
/// # Errors
/// Only the database's.
pub async fn count(db: &impl ConnectionTrait, from: &DocumentAccess<ViewDocument>, pages: &[DocumentId]) -> Result<u64, DbErr> {
    let mut count = 0;
    for some in pages.chunks(AT_ONCE) {
        let of_some = attachment::Column::DocumentId.is_in(some.iter().copied());
        count += living(from).filter(of_some).count(db).await?;
    }
    Ok(count)
}

/// The files of a page that is copied along, and those that it names of other pages of its workspace.
///
/// # Errors
/// Only the database's.
pub async fn needed(
    db: &impl ConnectionTrait,
    from: &DocumentAccess<ViewDocument>,
    page: DocumentId,
    named: &BTreeSet<AttachmentId>,
) -> Result<Vec<attachment::Model>, DbErr> {
    let own = living(from).filter(attachment::Column::DocumentId.eq(page));
    let mut all = own.order_by_asc(attachment::Column::Id).all(db).await?;
    let known: BTreeSet<AttachmentId> = all.iter().map(|row| row.id).collect();
    let others: Vec<AttachmentId> = named.difference(&known).copied().collect();
    for some in others.chunks(AT_ONCE) {
        let named = attachment::Column::Id.is_in(some.iter().copied());
        all.extend(living(from).filter(named).all(db).await?);
    }
    Ok(all)
}

/// Has the store copy the bytes of a file, for a page of a workspace that is still to be made; `id` is the copy's.
///
/// # Errors
/// [`Error::NotReady`], and the store's.
pub async fn bring(store: &Store, source: attachment::Model, id: AttachmentId, to: WorkspaceId) -> Result<Brought, Error> {
    let size = content::size(&store.files, &source, Which::Original).await?;
    let (Some(from), Some(sha256)) = (source.file_id, source.sha256.clone()) else {
        return Err(Error::NotReady);
    };
    let received = Received {
        file: FileId::new(),
        stored: Stored { size, sha256 },
        media_type: source.media_type.clone(),
    };
    let copy = Key::attachment(to, received.file);
    store.files.copy(&Key::attachment(source.workspace_id, from), &copy).await?;
    Ok(Brought { id, source, received })
}

/// Gives a page that this transaction has made its files.
///
/// # Errors
/// [`workspaces::Error::QuotaExceeded`], and [`Error::NotFound`] for a page of another workspace.
pub async fn settle(
    tx: &DatabaseTransaction,
    home: &Access<CreateDocuments>,
    page: &document::Model,
    brought: &[Brought],
    quotas: &Quotas,
) -> Result<(), Error> {
    if page.workspace_id != home.workspace() {
        return Err(Error::NotFound);
    }
    let bytes = brought.iter().map(|one| one.received.stored.size).sum();
    quota::check_storage_of_new(tx, home, bytes, quotas).await?;
    for some in brought.chunks(AT_ONCE) {
        let rows = some.iter().map(|one| one.row(home, page.id).into_active_model());
        attachment::Entity::insert_many(rows).exec_without_returning(tx).await?;
    }
    for one in brought {
        let change = Change::AttachmentCreated {
            document: page.id,
            attachment: one.id,
            media_type: one.received.media_type.clone(),
        };
        events::append(tx, home.by(), change).await?;
    }
    Ok(())
}

/// Removes the bytes of a file that no page has got.
pub async fn discard(store: &Store, to: WorkspaceId, brought: &Brought) {
    upload::discard(store, to, &brought.received).await;
}

impl Brought {
    fn row(&self, home: &Access<CreateDocuments>, page: DocumentId) -> attachment::Model {
        let (now, size) = (clock::now(), signed(self.received.stored.size));
        attachment::Model {
            id: self.id,
            workspace_id: home.workspace(),
            document_id: page,
            file_id: Some(self.received.file),
            size: Some(size),
            reserved: size,
            // Small pictures are made anew.
            thumbnail: None,
            created_by: home.user(),
            created_at: now,
            uploaded_at: Some(now),
            ..self.source.clone()
        }
    }
}
