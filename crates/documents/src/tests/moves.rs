//! Moves: order, circles, depth, rights, and to another workspace.

use super::*;
use crate::{lineage, moving::Across};
use entity::{access_request, share_link};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::ActiveValue::Set;
use std::collections::BTreeSet;
use workspaces::{Quotas, access::CreateDocuments, uprooted::Dropped};

async fn order(stage: &Stage, parent: DocumentId) -> Vec<DocumentId> {
    let mut rows = rows::Entity::find()
        .filter(rows::Column::ParentId.eq(parent))
        .all(stage.db())
        .await
        .expect("reads");
    rows.sort_by(|a, b| (&a.rank, a.id).cmp(&(&b.rank, b.id)));
    rows.into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_page_goes_to_every_place_of_a_row() {
    let stage = Stage::new().await;
    let top = stage.page(None).await;
    let (a, b, c) = (
        stage.page(Some(top)).await,
        stage.page(Some(top)).await,
        stage.page(Some(top)).await,
    );
    assert_eq!(order(&stage, top).await, [a, b, c]);
    for (page, place, expected) in [
        (c, Place::First, [c, a, b]),
        (c, Place::After(a), [a, c, b]),
        (b, Place::Before(c), [a, b, c]),
        (a, Place::Last, [b, c, a]),
        (a, Place::Before(b), [a, b, c]),
    ] {
        stage.moves(stage.member, page, Some(top), place).await.expect("moves");
        assert_eq!(order(&stage, top).await, expected, "{place:?}");
    }
    assert_eq!(
        (stage.happened("document.reordered").await, stage.happened("document.moved").await),
        (5, 0)
    );
    let elsewhere = stage.page(None).await;
    let refused = stage.moves(stage.owner, a, Some(top), Place::After(elsewhere)).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
}

#[tokio::test]
async fn no_page_hangs_under_itself_or_too_deep() {
    let stage = Stage::new().await;
    let mut chain = vec![stage.page(None).await];
    for _ in 1..60 {
        chain.push(stage.page(chain.last().copied()).await);
    }
    for under in [chain[0], chain[1], chain[59]] {
        let moved = stage.moves(stage.owner, chain[0], Some(under), Place::Last).await;
        assert!(matches!(moved, Err(Error::Cycle)), "{moved:?}");
    }
    let mut other = vec![stage.page(None).await];
    for _ in 1..41 {
        other.push(stage.page(other.last().copied()).await);
    }
    // 60 and 41 levels are one too many.
    let refused = stage.moves(stage.owner, other[0], Some(chain[59]), Place::Last).await;
    assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    stage
        .moves(stage.owner, other[1], Some(chain[59]), Place::Last)
        .await
        .expect("40 fit");
    assert_eq!(lineage::height(stage.db(), chain[0]).await.expect("measures"), 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn moves_at_the_same_moment_never_close_a_circle() {
    for seed in 0..6 {
        let stage = Stage::new().await;
        let mut pages = Vec::new();
        for _ in 0..6 {
            pages.push(stage.page(None).await);
        }
        let mut rng = StdRng::seed_from_u64(seed);
        for round in 0..8 {
            let mut pick = || pages[rng.random_range(0..pages.len())];
            let moves: Vec<(DocumentId, DocumentId)> = (0..4).map(|_| (pick(), pick())).collect();
            let all = moves
                .iter()
                .map(|(page, under)| stage.moves(stage.owner, *page, Some(*under), Place::Last));
            for (one, moved) in moves.iter().zip(futures::future::join_all(all).await) {
                let is_expected = matches!(&moved, Ok(_) | Err(Error::Cycle));
                assert!(is_expected, "seed {seed} round {round} {one:?}: {moved:?}");
            }
            for page in &pages {
                let above = lineage::above(stage.db(), *page).await.expect("reads");
                assert!(above.len() < pages.len(), "seed {seed} round {round}: a circle");
            }
        }
    }
}

#[tokio::test]
async fn who_only_edits_a_page_moves_it_where_nobodys_rights_become_others() {
    let stage = Stage::new().await;
    let (page, plain, shared) = (stage.page(None).await, stage.page(None).await, stage.page(None).await);
    stage.grants(shared, Level::Manage).await;
    stage
        .moves(stage.member, page, Some(plain), Place::Last)
        .await
        .expect("nothing changes");
    // Under what they manage they would manage it too.
    let refused = stage.moves(stage.member, page, Some(shared), Place::Last).await;
    assert!(matches!(refused, Err(Error::Access(AccessError::Forbidden))), "{refused:?}");
    stage.changes(plain, |row| row.default_level = Set(Some(Level::Comment))).await;
    stage.grants(page, Level::Edit).await;
    let refused = stage.moves(stage.member, page, None, Place::Last).await;
    assert!(matches!(refused, Err(Error::Access(AccessError::Forbidden))), "{refused:?}");
    // A restricted page gets nothing from above, wherever it hangs.
    stage.changes(page, |row| row.restricted = Set(true)).await;
    stage.moves(stage.member, page, None, Place::Last).await.expect("nothing changes");
    assert_eq!(stage.row(page).await.parent_id, None);
}

#[tokio::test]
async fn who_manages_a_page_goes_on_managing_it_where_it_is_then() {
    let stage = Stage::new().await;
    let (home, other) = (stage.page(None).await, stage.page(None).await);
    let page = stage.page(Some(home)).await;
    stage.grants(home, Level::Manage).await;
    stage.moves(stage.member, page, Some(other), Place::Last).await.expect("moves");
    let level = access::level(stage.db(), stage.member, page)
        .await
        .expect("reads")
        .map(|(level, _)| level);
    assert_eq!(level, Some(Level::Manage));
}

struct Elsewhere {
    stage: Stage,
    home: WorkspaceId,
    page: DocumentId,
    child: DocumentId,
}

impl Elsewhere {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let page = stage.page(None).await;
        let child = stage.page(Some(page)).await;
        let home = stage.another("Elsewhere").await;
        Self { stage, home, page, child }
    }

    async fn goes(&self, who: UserId) -> Result<moving::Moved, Error> {
        self.goes_within(who, &Quotas::default()).await
    }

    async fn goes_within(&self, who: UserId, quotas: &Quotas) -> Result<moving::Moved, Error> {
        let db = self.stage.db();
        let manages = access::open::<ManageDocument>(db, who, self.page).await?;
        let home: access::Access<CreateDocuments> = access::enter(db, who, self.home).await?;
        let to = Across {
            home: &home,
            under: None,
            place: Place::Last,
        };
        write(db, async |tx: &DatabaseTransaction| {
            moving::move_across(tx, &manages, to, quotas).await
        })
        .await
    }
}

#[tokio::test]
async fn what_was_granted_does_not_come_along_to_another_workspace() {
    let there = Elsewhere::new().await;
    let (stage, now) = (&there.stage, clock::now());
    stage.grants(there.page, Level::Manage).await;
    stage.grants(there.child, Level::View).await;
    let link = share_link::Model {
        id: ShareLinkId::new(),
        workspace_id: stage.workspace,
        document_id: there.child,
        level: Level::View,
        token_hash: "hash".to_owned(),
        password_hash: None,
        generation: 0,
        is_enabled: true,
        expires_at: None,
        created_by: stage.owner,
        created_at: now,
        updated_at: now,
    };
    insert(stage.db(), link.into_active_model()).await;
    let gone = stage.page(Some(there.child)).await;
    let access = stage.edits(stage.owner, gone).await;
    write(stage.db(), async |tx: &DatabaseTransaction| crate::trash::put(tx, &access).await)
        .await
        .expect("goes to the trash");
    let moved = there.goes(stage.owner).await.expect("moves");
    assert_eq!(moved.pages, [there.page, there.child]);
    let dropped = Dropped {
        grants: 2,
        share_links: 1,
        access_requests: 0,
    };
    assert_eq!(moved.dropped, dropped);
    for page in [there.page, there.child] {
        assert_eq!(stage.row(page).await.workspace_id, there.home);
    }
    // What is in the trash comes back, if ever, to where the page was.
    let left = stage.row(gone).await;
    assert_eq!((left.workspace_id, left.parent_id), (stage.workspace, None));
    let rights = grant::Entity::find().filter(grant::Column::WorkspaceId.eq(stage.workspace));
    assert_eq!(rights.count(stage.db()).await.expect("counts"), 0);
    assert_eq!(share_link::Entity::find().count(stage.db()).await.expect("counts"), 0);
    assert_eq!(
        (
            stage.happened("document.moved_out").await,
            stage.happened("document.moved_in").await
        ),
        (2, 2)
    );
}

#[tokio::test]
async fn to_another_workspace_takes_to_manage_everything_and_room_there() {
    let there = Elsewhere::new().await;
    let stage = &there.stage;
    assert!(there.goes(stage.member).await.is_err(), "they only edit it");
    stage.grants(there.page, Level::Manage).await;
    stage.changes(there.child, |row| row.restricted = Set(true)).await;
    let refused = there.goes(stage.member).await;
    assert!(matches!(refused, Err(Error::Access(AccessError::Forbidden))), "{refused:?}");
    stage.changes(there.child, |row| row.restricted = Set(false)).await;
    let few = Quotas {
        documents: Some(1),
        ..Quotas::default()
    };
    let refused = there.goes_within(stage.member, &few).await;
    assert!(
        matches!(refused, Err(Error::Grant(workspaces::Error::QuotaExceeded(_)))),
        "{refused:?}"
    );
    there.goes(stage.member).await.expect("moves");
    for page in [there.page, there.child] {
        let level = access::level(stage.db(), stage.member, page)
            .await
            .expect("reads")
            .map(|(level, _)| level);
        assert_eq!(level, Some(Level::Manage), "who brought it manages it");
    }
}

/// Tables with a page and a tenant: what becomes of their rows when the page goes to another tenant has been decided.
const DECIDED: [&str; 7] = [
    "access_requests",
    "attachments",
    "exports",
    "grants",
    "invitations",
    "search_entries",
    "share_links",
];

#[tokio::test]
async fn every_table_with_pages_and_tenants_is_known_to_moves() {
    use sea_orm::{ConnectionTrait, DbBackend, Statement};
    let stage = Stage::new().await;
    let backend = stage.db().get_database_backend();
    let sql = match backend {
        DbBackend::Postgres => {
            "SELECT table_name AS name FROM information_schema.columns WHERE table_schema = current_schema()
             AND column_name IN ('document_id', 'workspace_id') GROUP BY table_name HAVING COUNT(*) = 2"
        }
        _ => {
            "SELECT m.name AS name FROM sqlite_master m JOIN pragma_table_info(m.name) c
             WHERE m.type = 'table' AND c.name IN ('document_id', 'workspace_id') GROUP BY m.name HAVING COUNT(*) = 2"
        }
    };
    let found = stage.db().query_all_raw(Statement::from_string(backend, sql)).await.expect("reads");
    let found: BTreeSet<String> = found.iter().map(|row| row.try_get("", "name").expect("a name")).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), DECIDED);
    assert_eq!(access_request::Entity::find().count(stage.db()).await.expect("counts"), 0);
}
