//! Files of pages on a real database, in a directory.

mod along;

use crate::{
    Error, Limits, Store,
    attachment::{self as files, NewAttachment},
    content::{self, Which},
    copy, purge, upload,
};
use backends::{
    db::write,
    files::{Area, Files, FilesError, Key},
};
use bytes::Bytes;
use entity::{attachment, document, event, user};
use events::{By, Change};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use kernel::{clock, id::*};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, sea_query::Expr,
};
use std::time::Duration;
use tempfile::TempDir;
use testing::TestDb;
use workspaces::{
    Quotas,
    access::{self, DocumentAccess, EditDocument, Grants},
};

const HOUR: Duration = Duration::from_secs(3600);

/// A workspace with an owner and two pages, and a store.
struct Stage {
    db: TestDb,
    dir: TempDir,
    store: Store,
    owner: UserId,
    workspace: WorkspaceId,
    page: DocumentId,
    other: DocumentId,
}

impl Stage {
    async fn new() -> Self {
        Self::with(None).await
    }

    /// With so many bytes that the workspace may have.
    async fn with(storage_bytes: Option<u64>) -> Self {
        let (db, dir, owner) = (TestDb::new().await, TempDir::new().expect("a folder"), UserId::new());
        make_user(db.db(), owner).await;
        let made = write(db.db(), async |tx: &DatabaseTransaction| {
            workspaces::workspace::create(tx, owner, "Work").await
        });
        let workspace = made.await.expect("a workspace").id;
        let limits = Limits {
            file_bytes: 1000,
            idle: Duration::from_secs(5),
            quotas: Quotas {
                storage_bytes,
                ..Quotas::default()
            },
        };
        let store = Store {
            db: db.db().clone(),
            files: Files::directory(dir.path()).expect("a directory"),
            limits,
        };
        let (page, other) = (
            make_page(db.db(), workspace, owner).await,
            make_page(db.db(), workspace, owner).await,
        );
        Self {
            db,
            dir,
            store,
            owner,
            workspace,
            page,
            other,
        }
    }

    fn db(&self) -> &DatabaseConnection {
        self.db.db()
    }

    async fn opens<P: Grants>(&self, page: DocumentId) -> DocumentAccess<P> {
        access::open(self.db(), self.owner, page).await.expect("an owner may")
    }

    async fn edits(&self) -> DocumentAccess<EditDocument> {
        self.opens(self.page).await
    }

    async fn announces(&self, new: NewAttachment) -> Result<attachment::Model, Error> {
        let access = self.edits().await;
        write(self.db(), async |tx: &DatabaseTransaction| {
            files::create(tx, &access, new, &self.store.limits).await
        })
        .await
    }

    async fn adds(&self, name: &str, bytes: &[u8]) -> Result<attachment::Model, Error> {
        copy::store_bytes(&self.store, &self.edits().await, name, Bytes::copy_from_slice(bytes)).await
    }

    /// Of unknown size, in pieces.
    async fn streams(&self, pieces: impl Stream<Item = Result<Bytes, &'static str>>) -> Result<attachment::Model, Error> {
        copy::store_stream(&self.store, &self.edits().await, NewAttachment::default(), pieces).await
    }

    async fn reads(&self, row: &attachment::Model) -> Vec<u8> {
        let opened = content::open(&self.store.files, row, Which::Original, None).await.expect("there");
        opened.bytes.map_ok(|some| some.to_vec()).try_concat().await.expect("bytes")
    }

    async fn in_store(&self) -> usize {
        let listed = self.store.files.list(Area::Attachments);
        listed.try_collect::<Vec<_>>().await.expect("a list").len()
    }

    /// Files on the disk, whatever for.
    fn on_disk(&self) -> usize {
        let (mut found, mut waiting) = (0, vec![self.dir.path().to_owned()]);
        while let Some(folder) = waiting.pop() {
            for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
                match entry.path().is_dir() {
                    true => waiting.push(entry.path()),
                    false => found += 1,
                }
            }
        }
        found
    }

    async fn rows(&self) -> u64 {
        attachment::Entity::find().count(self.db()).await.expect("counted")
    }

    async fn happened(&self, kind: &str) -> u64 {
        let events = event::Entity::find().filter(event::Column::Kind.eq(kind));
        events.count(self.db()).await.expect("counted")
    }
}

async fn make_user(db: &DatabaseConnection, id: UserId) {
    let now = clock::now();
    let row = user::Model {
        id,
        email: format!("{id}@example.org"),
        display_name: "Owner".to_owned(),
        email_verified_at: None,
        time_zone: None,
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    user::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .expect("a user");
}

async fn make_page(db: &DatabaseConnection, workspace: WorkspaceId, owner: UserId) -> DocumentId {
    let (id, now) = (DocumentId::new(), clock::now());
    let row = document::Model {
        id,
        workspace_id: workspace,
        parent_id: None,
        rank: "a0".to_owned(),
        title: String::new(),
        icon: None,
        cover: None,
        default_level: None,
        restricted: false,
        created_by: owner,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_with: None,
        deleted_by: None,
        archived_at: None,
        archived_with: None,
        is_template: false,
    };
    document::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .expect("a page");
    id
}

fn pieces(count: usize, size: usize) -> impl Stream<Item = Result<Bytes, &'static str>> {
    stream::iter((0..count).map(move |_| Ok(Bytes::from(vec![b'x'; size]))))
}

#[tokio::test]
async fn a_file_is_what_its_bytes_say_and_belongs_to_its_page() {
    let stage = Stage::new().await;
    let row = stage
        .adds("../page.png", b"<!DOCTYPE html><script>alert(1)</script>")
        .await
        .expect("added");
    assert_eq!(
        (row.name.as_str(), row.media_type.as_str(), row.size),
        ("page.png", "text/html", Some(40))
    );
    assert_eq!(row.sha256.as_ref().map(String::len), Some(64));
    assert_eq!(stage.reads(&row).await, b"<!DOCTYPE html><script>alert(1)</script>");
    assert_eq!(stage.happened("attachment.created").await, 1);
    let other: DocumentAccess<EditDocument> = stage.opens(stage.other).await;
    assert!(matches!(files::find(stage.db(), &other, row.id).await, Err(Error::NotFound)));
    assert_eq!(files::list_of(stage.db(), &other.weaken()).await.expect("a list"), []);
    assert_eq!(
        files::list_of(stage.db(), &stage.edits().await.weaken()).await.expect("a list"),
        [row]
    );
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let stage = Stage::new().await;
    let promised = |size: Option<u64>, sha256: Option<&str>| NewAttachment {
        id: None,
        name: "x".to_owned(),
        size,
        sha256: sha256.map(str::to_owned),
    };
    let send = async |new| {
        copy::store_stream(&stage.store, &stage.edits().await, new, pieces(3, 100))
            .await
            .expect_err("refused")
    };
    assert!(matches!(
        send(promised(Some(299), None)).await,
        Error::SizeMismatch { promised: 299, came: 300 }
    ));
    assert!(matches!(
        send(promised(Some(301), None)).await,
        Error::SizeMismatch { promised: 301, came: 300 }
    ));
    assert!(matches!(
        send(promised(Some(1001), None)).await,
        Error::Files(FilesError::TooLarge(1000))
    ));
    assert!(matches!(
        send(promised(None, Some(&"0".repeat(64)))).await,
        Error::HashMismatch { .. }
    ));
    assert!(matches!(send(promised(None, Some("abc"))).await, Error::Invalid(_)));
    assert!(matches!(
        stage.streams(pieces(11, 91)).await,
        Err(Error::Files(FilesError::TooLarge(1000)))
    ));
    let broken = stream::iter([Ok(Bytes::from_static(b"half")), Err("gone")]);
    assert!(matches!(stage.streams(broken).await, Err(Error::Files(FilesError::Interrupted(_)))));
    assert_eq!(
        (stage.rows().await, stage.on_disk(), stage.happened("attachment.created").await),
        (0, 0, 0)
    );
    assert_eq!(stage.streams(pieces(10, 100)).await.expect("to the last byte").size, Some(1000));
    assert_eq!(stage.adds("empty", b"").await.expect("nothing is a file too").size, Some(0));
}

#[tokio::test]
async fn bytes_that_do_not_come_are_not_waited_for() {
    let mut stage = Stage::new().await;
    stage.store.limits.idle = Duration::from_millis(50);
    let silent = stream::iter([Ok(Bytes::from_static(b"half"))]).chain(stream::pending());
    assert!(matches!(stage.streams(silent).await, Err(Error::TooSlow)));
    assert_eq!((stage.rows().await, stage.on_disk()), (0, 0));
}

#[tokio::test]
async fn uploads_at_the_same_time_do_not_exceed_the_quota_together() {
    let stage = Stage::with(Some(1000)).await;
    let all = futures::future::join_all((0..6).map(|_| stage.streams(pieces(4, 100)))).await;
    let kept = all.iter().filter(|one| one.is_ok()).count();
    assert!((1..=2).contains(&kept), "{all:?}");
    for error in all.into_iter().filter_map(Result::err) {
        assert!(matches!(error, Error::Workspace(workspaces::Error::QuotaExceeded(_))), "{error:?}");
    }
    assert_eq!((stage.rows().await as usize, stage.on_disk()), (kept, kept));
}

#[tokio::test]
async fn a_quota_is_kept_to_the_last_byte() {
    let stage = Stage::with(Some(1000)).await;
    stage.adds("a", &[1; 600]).await.expect("added");
    assert!(matches!(
        stage.adds("b", &[1; 401]).await,
        Err(Error::Workspace(workspaces::Error::QuotaExceeded(_)))
    ));
    let promised = NewAttachment {
        size: Some(300),
        ..NewAttachment::default()
    };
    let waiting = stage.announces(promised).await.expect("announced");
    assert!(matches!(
        stage.streams(pieces(1, 101)).await,
        Err(Error::Workspace(workspaces::Error::QuotaExceeded(_)))
    ));
    stage.streams(pieces(10, 10)).await.expect("what is left");
    let access = stage.edits().await;
    let came = copy::store_announced(&stage.store, &access, &waiting, pieces(3, 100)).await;
    assert_eq!(came.expect("its bytes were put by").size, Some(300));
    assert!(stage.adds("one more", b"x").await.is_err());
}

#[tokio::test]
async fn bytes_come_once() {
    let stage = Stage::new().await;
    let (row, access) = (
        stage.announces(NewAttachment::default()).await.expect("announced"),
        stage.edits().await,
    );
    assert!(matches!(
        content::open(&stage.store.files, &row, Which::Original, None).await,
        Err(Error::NotReady)
    ));
    // Both are let in before either is done.
    let first = upload::receive(&stage.store, &access, &row, pieces(1, 1)).await.expect("received");
    let second = copy::store_announced(&stage.store, &access, &row, pieces(1, 2))
        .await
        .expect("the first to be done");
    let late = write(stage.db(), async |tx: &DatabaseTransaction| {
        upload::complete(tx, &access, row.id, &first, &Quotas::default()).await
    });
    assert!(matches!(late.await, Err(Error::AlreadyUploaded)));
    upload::discard(&stage.store, stage.workspace, &first).await;
    assert_eq!((stage.reads(&second).await.len(), stage.on_disk()), (2, 1));
    let again = copy::store_announced(&stage.store, &access, &second, pieces(1, 1)).await;
    assert!(matches!(again, Err(Error::AlreadyUploaded)));
}

#[tokio::test]
async fn a_deleted_file_can_be_taken_back_until_its_time_is_over() {
    let stage = Stage::new().await;
    let (row, access) = (stage.adds("a", b"abc").await.expect("added"), stage.edits().await);
    let delete = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            files::delete(tx, &access, row.id).await
        })
        .await
    };
    let restore = async || {
        write(stage.db(), async |tx: &DatabaseTransaction| {
            files::restore(tx, &access, row.id).await
        })
        .await
    };
    delete().await.expect("deleted");
    assert!(matches!(files::find(stage.db(), &access, row.id).await, Err(Error::NotFound)));
    assert!(matches!(delete().await, Err(Error::NotFound)));
    let back = restore().await.expect("taken back");
    assert_eq!(stage.reads(&back).await, b"abc");
    delete().await.expect("deleted again");
    let now = clock::now();
    assert_eq!(purge::rows(stage.db(), now, now - HOUR).await.expect("purged"), 0);
    assert_eq!(purge::rows(stage.db(), now, now + HOUR).await.expect("purged"), 1);
    assert!(matches!(restore().await, Err(Error::NotFound)));
    assert_eq!(
        purge::files(stage.db(), &stage.store.files, now).await.expect("purged"),
        0,
        "its bytes are young"
    );
    assert_eq!(
        purge::files(stage.db(), &stage.store.files, now + purge::GRACE + HOUR)
            .await
            .expect("purged"),
        1
    );
    assert_eq!(stage.on_disk(), 0);
    for (kind, times) in [("attachment.deleted", 2), ("attachment.restored", 1)] {
        assert_eq!(stage.happened(kind).await, times, "{kind}");
    }
}

#[tokio::test]
async fn only_what_nobody_can_come_by_is_removed() {
    let stage = Stage::new().await;
    let kept = stage.adds("kept", b"abc").await.expect("added");
    let small = Key::thumbnail(stage.workspace, kept.file_id.expect("a file"), 256);
    stage.store.files.put(&small, Bytes::from_static(b"small")).await.expect("kept");
    let other: DocumentAccess<EditDocument> = stage.opens(stage.other).await;
    let gone = copy::store_bytes(&stage.store, &other, "gone", Bytes::from_static(b"x"))
        .await
        .expect("added");
    document::Entity::delete_by_id(stage.other)
        .exec(stage.db())
        .await
        .expect("destroyed");
    stage
        .store
        .files
        .put(&Key::attachment(stage.workspace, FileId::new()), Bytes::from_static(b"cut off"))
        .await
        .expect("kept");
    let announced = stage.announces(NewAttachment::default()).await.expect("announced");
    let later = clock::now() + purge::GRACE + HOUR;

    assert_eq!(purge::files(stage.db(), &stage.store.files, clock::now()).await.expect("purged"), 0);
    assert_eq!(purge::files(stage.db(), &stage.store.files, later).await.expect("purged"), 2);
    assert!(content::open(&stage.store.files, &gone, Which::Original, None).await.is_err());
    assert_eq!(
        (stage.reads(&kept).await.as_slice(), stage.in_store().await),
        (b"abc".as_slice(), 2)
    );
    assert_eq!(purge::rows(stage.db(), clock::now(), clock::now()).await.expect("purged"), 0);
    assert_eq!(purge::rows(stage.db(), later, clock::now()).await.expect("purged"), 1);
    assert!(matches!(
        files::find(stage.db(), &stage.edits().await, announced.id).await,
        Err(Error::NotFound)
    ));
    assert!(files::find(stage.db(), &stage.edits().await, kept.id).await.is_ok());
}

#[tokio::test]
async fn a_right_that_is_taken_away_while_bytes_come_ends_the_upload() {
    let stage = Stage::new().await;
    let access = stage.edits().await;
    let by = By {
        workspace: Some(stage.workspace),
        user: Some(stage.owner),
    };
    let taken = async {
        let done = write(stage.db(), async |tx: &DatabaseTransaction| {
            let members = entity::member::Entity::update_many()
                .col_expr(entity::member::Column::Role, Expr::value("guest"))
                .filter(entity::member::Column::UserId.eq(stage.owner));
            members.exec(tx).await?;
            let (from, to) = (kernel::role::Role::Owner, kernel::role::Role::Guest);
            let change = Change::MemberRoleChanged {
                member: stage.owner,
                from,
                to,
            };
            events::append(tx, by, change).await
        });
        done.await.map(|_| Bytes::from_static(b"late")).map_err(|error| error.to_string())
    };
    let came = copy::store_stream(&stage.store, &access, NewAttachment::default(), stream::once(taken)).await;
    assert!(matches!(came, Err(Error::Workspace(workspaces::Error::Access(_)))), "{came:?}");
    assert_eq!((stage.rows().await, stage.on_disk()), (0, 0));
}
