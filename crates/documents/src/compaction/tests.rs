//! Folding on a real database: nothing is lost, whoever works on the page at the same time.

use super::*;
use crate::{
    limits::Limits,
    log::{Batch, Entry, Head, Source},
    op::{NewBlock, Op},
    page::Page,
};
use backends::db::write;
use entity::{document, user, workspace};
use sea_orm::{DatabaseConnection, DbBackend, IntoActiveModel};
use serde_json::json;
use testing::TestDb;

mod faults;
mod together;

/// Everything that is old enough for the snapshots may go.
pub(crate) const NONE_KEPT: Retention = Retention {
    age: Duration::ZERO,
    rows: 0,
};

/// One page that somebody types on, an hour ago.
pub(crate) struct Typing {
    db: TestDb,
    pub(crate) document: DocumentId,
    pub(crate) user: UserId,
    pub(crate) page: Page,
    pub(crate) head: Head,
}

async fn insert<M>(db: &DatabaseConnection, row: M)
where
    M: sea_orm::ActiveModelTrait,
{
    M::Entity::insert(row).exec_without_returning(db).await.unwrap();
}

/// A person, and a tenant of theirs.
async fn stage(db: &DatabaseConnection) -> (UserId, WorkspaceId) {
    let (user, workspace, now) = (UserId::new(), WorkspaceId::new(), clock::now());
    let row = user::Model {
        id: user,
        email: "ada@example.org".to_owned(),
        display_name: "Ada".to_owned(),
        email_verified_at: None,
        time_zone: None,
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    insert(db, row.into_active_model()).await;
    let row = workspace::Model {
        id: workspace,
        name: "Work".to_owned(),
        created_by: user,
        created_at: now,
        updated_at: now,
        archived_at: None,
        deleted_at: None,
    };
    insert(db, row.into_active_model()).await;
    (user, workspace)
}

fn document_row(id: DocumentId, owner: (UserId, WorkspaceId)) -> document::ActiveModel {
    let now = clock::now();
    let row = document::Model {
        id,
        workspace_id: owner.1,
        parent_id: None,
        rank: "a".to_owned(),
        title: String::new(),
        icon: None,
        cover: None,
        default_level: None,
        restricted: false,
        created_by: owner.0,
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_with: None,
        deleted_by: None,
        archived_at: None,
        archived_with: None,
        is_template: false,
    };
    row.into_active_model()
}

impl Typing {
    /// A page with its first change.
    pub(crate) async fn new() -> Self {
        let db = TestDb::new().await;
        let owner = stage(db.db()).await;
        let document = DocumentId::new();
        insert(db.db(), document_row(document, owner)).await;
        let block: NewBlock = serde_json::from_value(json!({ "id": "b", "text": "" })).unwrap();
        let (page, change) = Page::create("Title", &[block], &Limits::default(), 0).unwrap();
        let entry = entry(change, owner.0, "first");
        let head = write(db.db(), async |tx: &DatabaseTransaction| log::start(tx, document, entry).await)
            .await
            .unwrap();
        let user = owner.0;
        Self {
            db,
            document,
            user,
            page,
            head,
        }
    }

    /// A page with so many rows, saved at these numbers.
    pub(crate) async fn saved_at(rows: i64, saves: &[i64]) -> Self {
        let mut typing = Self::new().await;
        for save in saves {
            typing.types_up_to(*save).await;
            typing.save().await;
        }
        typing.types_up_to(rows).await;
        typing.was_long_ago(i64::MAX).await;
        typing
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        self.db.db()
    }

    /// Types letters until the log stands there.
    pub(crate) async fn types_up_to(&mut self, seq: i64) {
        while self.head.seq < seq {
            let count = (seq - self.head.seq).min(100);
            assert!(self.types(count).await);
        }
    }

    /// Types so many letters, as one batch. `false` when the log stands elsewhere.
    pub(crate) async fn types(&mut self, count: i64) -> bool {
        let batch = self.batch(count);
        let is_in = write(self.db(), async |tx: &DatabaseTransaction| log::append(tx, &batch).await);
        let is_in = is_in.await.unwrap();
        self.head = batch.head_after();
        is_in
    }

    fn batch(&mut self, count: i64) -> Batch {
        let entries = (1..=count).map(|i| {
            let seq = self.head.seq + i;
            let op: Op = serde_json::from_value(json!({ "op": "insert", "block": "b", "pos": 0, "text": "x" })).unwrap();
            let edited = self.page.edit(&[op], None, &Limits::default(), seq * 1000).unwrap();
            entry(edited.change.unwrap(), self.user, &format!("m{seq}"))
        });
        Batch {
            document: self.document,
            head: self.head.clone(),
            entries: entries.collect(),
        }
    }

    /// Keeps a save of the page as it is.
    pub(crate) async fn save(&self) {
        let bytes = self.page.save_verified().unwrap();
        write(self.db(), async |tx: &DatabaseTransaction| {
            snapshot::keep(tx, self.document, &self.head, bytes).await
        })
        .await
        .unwrap();
    }

    /// Puts the rows up to a number an hour into the past.
    pub(crate) async fn was_long_ago(&self, up_to: i64) {
        document_change::Entity::update_many()
            .col_expr(
                document_change::Column::CreatedAt,
                Expr::value(clock::now() - Duration::from_secs(3600)),
            )
            .filter(document_change::Column::DocumentId.eq(self.document))
            .filter(document_change::Column::ServerSeq.lte(up_to))
            .exec(self.db())
            .await
            .unwrap();
    }

    pub(crate) async fn fold(&self, retention: &Retention) -> Result<Folded, Error> {
        fold_once(self.db(), self.document, retention).await
    }

    async fn floor(&self) -> i64 {
        let head = document_head::Entity::find_by_id(self.document).one(self.db()).await.unwrap();
        head.unwrap().floor_seq
    }

    async fn sizes(&self) -> Sizes {
        measure(self.db(), self.document).await.unwrap()
    }

    async fn authors(&self) -> Vec<Authored> {
        authors(self.db(), self.document).await.unwrap()
    }

    /// The page loads and is the one that was typed.
    async fn loads(&self) {
        let (page, stored) = snapshot::load(self.db(), self.document).await.unwrap();
        assert_eq!((page.heads(), stored.head.seq), (self.page.heads(), self.head.seq));
        assert_eq!(page.mirror().blocks["b"].text, "x".repeat(self.head.seq as usize - 1));
    }
}

fn entry(change: automerge::Change, user: UserId, message_id: &str) -> Entry {
    Entry {
        change,
        user: Some(user),
        message_id: Some(message_id.to_owned()),
        source: Source::Json,
        binds_actor: true,
    }
}

async fn fold_once(db: &DatabaseConnection, document: DocumentId, retention: &Retention) -> Result<Folded, Error> {
    write(db, async |tx: &DatabaseTransaction| fold(tx, document, retention).await).await
}

#[tokio::test]
async fn folding_keeps_the_page_and_who_wrote_it() {
    let typing = Typing::saved_at(900, &[700, 850]).await;
    let (authors, before) = (typing.authors().await, typing.sizes().await);
    assert_eq!((authors.len(), before.rows, before.archives), (900, 900, 0));
    let folded = typing.fold(&NONE_KEPT).await.unwrap();
    let after = typing.sizes().await;
    assert_eq!((folded.rows, folded.is_done), (700, true));
    assert_eq!((after.rows, after.archives, after.snapshots), (200, 1, 2), "{after:?}");
    assert_eq!((before.row_bytes - after.row_bytes).cast_unsigned(), folded.bytes_before);
    assert_eq!(after.archive_bytes.cast_unsigned(), folded.bytes_after);
    assert!(folded.bytes_after * 4 < folded.bytes_before, "{folded:?}");
    assert_eq!(typing.authors().await, authors);
    typing.loads().await;
    let again = typing.fold(&NONE_KEPT).await.unwrap();
    assert_eq!((again.rows, again.is_done), (0, true));
}

#[tokio::test]
async fn a_page_is_typed_on_saved_and_folded_again_and_again() {
    let mut typing = Typing::saved_at(20, &[10, 20]).await;
    for round in 1..=3 {
        assert_eq!(typing.fold(&NONE_KEPT).await.unwrap().rows, 10);
        typing.types_up_to(20 + round * 10).await;
        typing.save().await;
        typing.was_long_ago(i64::MAX).await;
        typing.loads().await;
    }
    let authors = typing.authors().await;
    assert!(authors.iter().map(|author| author.seq).eq(1..=50));
    assert!(
        authors
            .iter()
            .skip(1)
            .all(|author| author.message_id == Some(format!("m{}", author.seq)))
    );
    assert_eq!(typing.sizes().await.archives, 3);
}

#[tokio::test]
async fn with_a_single_snapshot_nothing_is_folded() {
    let typing = Typing::saved_at(50, &[40]).await;
    assert_eq!(
        typing.fold(&NONE_KEPT).await.unwrap(),
        Folded {
            is_done: true,
            ..Folded::default()
        }
    );
    assert_eq!((typing.floor().await, typing.sizes().await.rows), (0, 50));
}

#[tokio::test]
async fn what_is_young_or_among_the_newest_stays() {
    let typing = Typing::saved_at(100, &[80, 90]).await;
    let newest = Retention { rows: 60, ..NONE_KEPT };
    assert_eq!(typing.fold(&newest).await.unwrap().rows, 40, "the newest sixty stay, however old");
    document_change::Entity::update_many()
        .col_expr(document_change::Column::CreatedAt, Expr::value(clock::now()))
        .filter(document_change::Column::ServerSeq.gt(55))
        .exec(typing.db())
        .await
        .unwrap();
    let young = Retention {
        age: Duration::from_secs(60),
        rows: 0,
    };
    assert_eq!(typing.fold(&young).await.unwrap().rows, 15, "the young ones stay, however many");
    assert_eq!(typing.fold(&Retention::default()).await.unwrap().rows, 0);
    assert_eq!((typing.floor().await, typing.sizes().await.rows), (55, 45));
    typing.loads().await;
}

#[tokio::test]
async fn more_than_an_archive_holds_is_folded_in_several_calls() {
    let most = archive::MAX_CHANGES as i64;
    let typing = Typing::saved_at(most + 30, &[most + 10, most + 20]).await;
    let first = typing.fold(&NONE_KEPT).await.unwrap();
    assert_eq!((first.rows as i64, first.is_done), (most, false));
    let second = typing.fold(&NONE_KEPT).await.unwrap();
    assert_eq!((second.rows, second.is_done), (10, true));
    assert!(typing.authors().await.iter().map(|author| author.seq).eq(1..=most + 30));
    typing.loads().await;
}

#[tokio::test]
async fn folded_numbers_are_not_known_any_more_and_the_others_are() {
    let typing = Typing::saved_at(30, &[10, 20]).await;
    typing.fold(&NONE_KEPT).await.unwrap();
    for (seq, is_known) in [(1, false), (10, false), (11, true), (30, true)] {
        let heads = log::heads_at(typing.db(), typing.document, typing.head.epoch, seq).await.unwrap();
        assert_eq!(heads.is_some(), is_known, "row {seq}");
        let id = log::seq_of_message(typing.db(), typing.document, &format!("m{seq}")).await.unwrap();
        assert_eq!(id.is_some(), is_known, "the message of row {seq}");
    }
}

#[tokio::test]
async fn a_page_is_due_when_enough_of_it_can_be_folded() {
    let typing = Typing::saved_at(600, &[550, 600]).await;
    let due_with = async |retention: &Retention| due(typing.db(), retention, 10).await.unwrap();
    assert_eq!(due_with(&NONE_KEPT).await, [typing.document]);
    let hour = Duration::from_secs(3601);
    assert!(
        due_with(&Retention { rows: 101, ..NONE_KEPT }).await.is_empty(),
        "too few are old by count"
    );
    assert!(due_with(&Retention { age: hour, rows: 0 }).await.is_empty(), "they are young");
    typing.fold(&NONE_KEPT).await.unwrap();
    assert!(due_with(&NONE_KEPT).await.is_empty(), "it was folded");
    let single = Typing::saved_at(600, &[600]).await;
    assert!(
        due(single.db(), &NONE_KEPT, 10).await.unwrap().is_empty(),
        "there is one snapshot alone"
    );
}

#[tokio::test]
async fn due_pages_are_found_by_an_index() {
    let db = TestDb::new().await;
    let mut statement = due_statement(db.db(), &Retention::default(), 10);
    let is_sqlite = db.db().get_database_backend() == DbBackend::Sqlite;
    let explain = if is_sqlite { "EXPLAIN QUERY PLAN" } else { "EXPLAIN" };
    statement.sql = format!("{explain} {}", statement.sql);
    if !is_sqlite {
        // A table without rows is cheapest read whole.
        write(db.db(), async |tx: &DatabaseTransaction| {
            tx.execute_unprepared("SET LOCAL enable_seqscan = off").await?;
            assert_plan(&tx.query_all_raw(statement).await?, "QUERY PLAN");
            Ok::<_, DbErr>(())
        })
        .await
        .unwrap();
    } else {
        assert_plan(&db.db().query_all_raw(statement).await.unwrap(), "detail");
    }
}

fn assert_plan(rows: &[sea_orm::QueryResult], column: &str) {
    let plan: Vec<String> = rows.iter().map(|row| row.try_get("", column).unwrap()).collect();
    assert!(plan.join("\n").contains("document_heads_foldable"), "{plan:#?}");
}

#[tokio::test]
async fn archives_go_with_their_page() {
    let typing = Typing::saved_at(30, &[10, 20]).await;
    typing.fold(&NONE_KEPT).await.unwrap();
    assert_eq!(typing.sizes().await.archives, 1);
    document::Entity::delete_by_id(typing.document).exec(typing.db()).await.unwrap();
    assert_eq!(typing.sizes().await, Sizes::default());
}
