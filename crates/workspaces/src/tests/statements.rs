//! How many statements the door takes: as many for a deep page as for one at the top, for many as for one.

use super::Stage;
use crate::access::{self, ReadWorkspace, ViewDocument, Who};
use kernel::{id::*, role::Level};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use std::sync::atomic::{AtomicUsize, Ordering};

/// A connection that counts.
struct Counting<'a> {
    db: &'a DatabaseConnection,
    count: AtomicUsize,
}

impl<'a> Counting<'a> {
    fn new(db: &'a DatabaseConnection) -> Self {
        Self {
            db,
            count: AtomicUsize::new(0),
        }
    }

    /// The statements since it was asked last.
    fn taken(&self) -> usize {
        self.count.swap(0, Ordering::Relaxed)
    }

    fn counted(&self) -> &DatabaseConnection {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.db
    }
}

#[async_trait::async_trait]
impl ConnectionTrait for Counting<'_> {
    fn get_database_backend(&self) -> DbBackend {
        self.db.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.counted().execute_raw(statement).await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.counted().execute_unprepared(sql).await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.counted().query_one_raw(statement).await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.counted().query_all_raw(statement).await
    }
}

#[tokio::test]
async fn a_page_takes_three_statements_however_deep_it_is() {
    let stage = Stage::new().await;
    let db = Counting::new(stage.db());
    let mut page = stage.page(None, Some(Level::View)).await;
    for depth in 1..=100 {
        if [1, 2, 50, 100].contains(&depth) {
            access::open::<ViewDocument>(&db, stage.member, page).await.expect("comes in");
            assert_eq!(db.taken(), 3, "{depth} deep");
        }
        page = stage.page(Some(page), None).await;
    }
    access::enter::<ReadWorkspace>(&db, stage.member, stage.workspace)
        .await
        .expect("comes in");
    assert_eq!(db.taken(), 1);
}

#[tokio::test]
async fn a_list_takes_three_statements_however_long_it_is() {
    let stage = Stage::new().await;
    let (db, top) = (Counting::new(stage.db()), stage.page(None, None).await);
    let mut pages = vec![top];
    for _ in 0..400 {
        pages.push(stage.page(Some(top), None).await);
    }
    for some in [&pages[..1], &pages[..]] {
        let levels = access::levels(&db, stage.member, some).await.expect("reads");
        assert_eq!((levels.len(), db.taken()), (some.len(), 3));
    }
}

#[tokio::test]
async fn a_room_asks_for_everybody_with_as_many_statements_as_for_two() {
    let stage = Stage::new().await;
    let (db, page) = (Counting::new(stage.db()), stage.page(None, None).await);
    let mut people: Vec<Who> = [stage.member, stage.guest].map(Who::from).to_vec();
    access::rights(&db, page, &people).await.expect("reads");
    let for_two = db.taken();
    people.extend((0..400).map(|_| Who::from(UserId::new())));
    let rights = access::rights(&db, page, &people).await.expect("reads");
    assert_eq!((rights.len(), db.taken()), (402, for_two));
    assert!(for_two <= 6, "{for_two} statements");
}
