//! Levels: the rule, and what pages inherit.

use super::Stage;
use crate::access::{
    self, DEFAULT,
    rule::{Said, Standing, level_of},
};
use kernel::{clock, id::*, role::*};
use sea_orm::ActiveValue::Set;

#[test]
fn the_nearest_page_that_says_something_counts() {
    let check = |role, chain: &[Option<Level>], expected| {
        let standing = Standing {
            role,
            default: DEFAULT,
            granted: Level::None,
            is_archived: false,
        };
        let said = |default: &Option<Level>| Said {
            id: DocumentId::new(),
            default: *default,
            is_restricted: false,
            granted: Level::None,
        };
        let said: Vec<Said> = chain.iter().map(said).collect();
        assert_eq!(level_of(&standing, &said), expected, "{role:?} {chain:?}");
    };
    check(Role::Member, &[], Level::Edit);
    check(Role::Member, &[None, None], Level::Edit);
    check(Role::Member, &[Some(Level::View)], Level::View);
    check(Role::Member, &[None, Some(Level::Comment), Some(Level::Edit)], Level::Comment);
    check(Role::Member, &[Some(Level::Manage), Some(Level::None)], Level::Manage);
    // Who manages the page above manages this one: they could grant themselves as much there.
    check(Role::Member, &[Some(Level::None), None, Some(Level::Manage)], Level::Manage);
    check(Role::Member, &[None, Some(Level::None), Some(Level::Edit)], Level::None);
    for role in [Role::Admin, Role::Owner] {
        check(role, &[Some(Level::None)], Level::Manage);
    }
    check(Role::Guest, &[Some(Level::Manage)], Level::None);
}

impl Stage {
    /// The level alone and the one in a list, which are the same.
    async fn level(&self, user: UserId, page: DocumentId) -> Option<Level> {
        let alone = access::level(self.db(), user, page)
            .await
            .expect("reads")
            .map(|(level, row)| (row.id, level));
        let listed = access::levels(self.db(), user, &[page]).await.expect("reads");
        assert_eq!(alone.into_iter().collect::<Vec<_>>(), listed.into_iter().collect::<Vec<_>>());
        alone.map(|(_, level)| level)
    }
}

#[tokio::test]
async fn a_page_inherits_from_the_pages_above() {
    let stage = Stage::new().await;
    let top = stage.page(None, Some(Level::View)).await;
    let middle = stage.page(Some(top), None).await;
    let low = stage.page(Some(middle), None).await;
    assert_eq!(stage.level(stage.member, low).await, Some(Level::View));

    stage.updates_page(middle, |row| row.default_level = Set(Some(Level::Manage))).await;
    assert_eq!(
        stage.level(stage.member, low).await,
        Some(Level::Manage),
        "the nearest counts, also when it is more"
    );
    stage.updates_page(middle, |row| row.default_level = Set(Some(Level::None))).await;
    assert_eq!(stage.level(stage.member, low).await, Some(Level::None));
    assert_eq!(stage.level(stage.member, top).await, Some(Level::View));
    for (user, expected) in [
        (stage.owner, Some(Level::Manage)),
        (stage.admin, Some(Level::Manage)),
        (stage.guest, Some(Level::None)),
        (stage.stranger, None),
    ] {
        assert_eq!(stage.level(user, low).await, expected);
    }

    stage.updates_page(middle, |row| row.default_level = Set(None)).await;
    stage.updates_page(top, |row| row.default_level = Set(None)).await;
    assert_eq!(
        stage.level(stage.member, low).await,
        Some(Level::Edit),
        "where nothing is said, members edit"
    );
}

#[tokio::test]
async fn a_deep_page_hears_the_top_and_a_circle_lets_nobody_in() {
    let stage = Stage::new().await;
    let top = stage.page(None, Some(Level::Comment)).await;
    let mut low = top;
    for _ in 0..100 {
        low = stage.page(Some(low), None).await;
    }
    assert_eq!(stage.level(stage.member, low).await, Some(Level::Comment));

    stage.updates_page(top, |row| row.default_level = Set(None)).await;
    assert_eq!(stage.level(stage.member, low).await, Some(Level::Edit));
    stage.updates_page(top, |row| row.parent_id = Set(Some(low))).await;
    assert_eq!(stage.level(stage.member, low).await, Some(Level::None));
    assert_eq!(
        stage.level(stage.owner, low).await,
        Some(Level::Manage),
        "who can mend it still comes in"
    );
}

#[tokio::test]
async fn many_pages_of_many_workspaces_at_once() {
    let mut stage = Stage::new().await;
    let top = stage.page(None, Some(Level::View)).await;
    let mut ids = vec![top];
    for _ in 0..600 {
        ids.push(stage.page(Some(top), None).await);
    }
    let trashed = stage.page(Some(top), None).await;
    stage.updates_page(trashed, |row| row.deleted_at = Set(Some(clock::now()))).await;
    stage.workspace = stage.makes("Other", stage.stranger).await.expect("makes").id;
    let foreign = stage.page(None, None).await;
    ids.extend([trashed, foreign, DocumentId::new(), top]);

    let levels = access::levels(stage.db(), stage.member, &ids).await.expect("reads");
    assert_eq!(levels.len(), 602, "neither the foreign page nor the one that is not there");
    assert!(!levels.contains_key(&foreign) && levels.values().all(|level| *level == Level::View));
    let levels = access::levels(stage.db(), stage.stranger, &ids).await.expect("reads");
    assert_eq!(levels.into_iter().collect::<Vec<_>>(), [(foreign, Level::Manage)]);
    assert!(access::levels(stage.db(), stage.owner, &[]).await.expect("reads").is_empty());
    assert_eq!(
        access::level(stage.db(), stage.member, trashed).await.expect("reads"),
        None,
        "a live page in the trash is over"
    );
}
