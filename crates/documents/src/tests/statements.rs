//! How many statements lists take: as many for a large tree as for a small one, whatever else is in the installation.

use super::*;
use crate::listing::{self, Wanted, outline};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, Statement};
use std::sync::atomic::{AtomicUsize, Ordering};
use workspaces::access::ViewDocument;

/// A connection that counts.
struct Counting<'a> {
    db: &'a DatabaseConnection,
    count: AtomicUsize,
}

impl Counting<'_> {
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

fn size(nodes: &[outline::Node]) -> usize {
    nodes
        .iter()
        .map(|node| 1 + size(node.children.as_deref().unwrap_or_default()))
        .sum()
}

#[tokio::test]
async fn the_tree_and_a_row_of_children_take_as_many_statements_however_large_they_are() {
    let stage = Stage::new().await;
    let db = Counting {
        db: stage.db(),
        count: AtomicUsize::new(0),
    };
    let home = access::enter(stage.db(), stage.member, stage.workspace).await.expect("comes in");
    let top = stage.page(None).await;
    let first = stage.page(Some(top)).await;
    stage.page(Some(first)).await;
    let page = access::open::<ViewDocument>(stage.db(), stage.member, top).await.expect("may");
    let mut taken = Vec::new();
    for pages in [3, 123] {
        let wanted = outline::Wanted {
            levels: 4,
            after: None,
            limit: 100,
        };
        let (nodes, next) = outline::read(&db, &home, &wanted).await.expect("reads");
        assert_eq!((size(&nodes), next), (pages, None));
        let tree = db.taken();
        let wanted = Wanted {
            limit: 100,
            ..Wanted::default()
        };
        let children = listing::children(&db, &page, &wanted).await.expect("reads");
        let ids: Vec<DocumentId> = children.rows.iter().map(|(row, _)| row.id).collect();
        listing::parents_of_any(&db, home.who(), &ids).await.expect("reads");
        taken.push((tree, db.taken()));
        for _ in 0..40 {
            let child = stage.page(Some(top)).await;
            stage.page(Some(child)).await;
            stage.page(None).await;
        }
    }
    assert_eq!(taken[0], taken[1]);
    assert!(taken[0].0 <= 20 && taken[0].1 <= 5, "{taken:?}");
}

#[tokio::test]
async fn a_guest_sees_what_they_were_granted_at_the_top_of_their_tree() {
    let stage = Stage::new().await;
    let top = stage.page(None).await;
    let middle = stage.page(Some(top)).await;
    let page = stage.page(Some(middle)).await;
    let child = stage.page(Some(page)).await;
    stage.changes(top, |row| row.restricted = sea_orm::ActiveValue::Set(true)).await;
    stage.grants(page, Level::View).await;
    stage.grants(child, Level::Edit).await;
    let home = access::enter(stage.db(), stage.member, stage.workspace).await.expect("comes in");
    let wanted = outline::Wanted {
        levels: 5,
        after: None,
        limit: 10,
    };
    let (nodes, next) = outline::read(stage.db(), &home, &wanted).await.expect("reads");
    let shown: Vec<_> = nodes.iter().map(|node| (node.row.id, node.level)).collect();
    assert_eq!((shown, next), (vec![(page, Level::View)], None));
    let below: Vec<_> = nodes[0].children.iter().flatten().map(|node| (node.row.id, node.level)).collect();
    assert_eq!(below, [(child, Level::Edit)]);
    let access = access::open(stage.db(), stage.member, child).await.expect("may");
    let above: Vec<_> = crate::lineage::ancestors(stage.db(), &access).await.expect("reads");
    assert_eq!(above.iter().map(|(row, _)| row.id).collect::<Vec<_>>(), [page]);
}
