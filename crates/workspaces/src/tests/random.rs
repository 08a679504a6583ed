//! Random trees of pages with random rules, grants and groups: what the door finds out, in whatever way it is asked, is
//! what a slow and obvious reference finds.

use super::Stage;
use crate::{
    access::{self, Door, Sight, Who},
    explain,
};
use entity::{document, grant, group, group_member, share_link, workspace, workspace_settings};
use kernel::{clock, id::*, role::*};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, EntityTrait, IntoActiveModel, Statement};
use std::collections::{BTreeSet, HashMap};

const SEEDS: u64 = 25;
const PAGES: usize = 16;
const LEVELS: [Level; 5] = [Level::None, Level::View, Level::Comment, Level::Edit, Level::Manage];

/// Everything that is said and granted, as plain rows.
struct World {
    stage: Stage,
    pages: Vec<document::Model>,
    grants: Vec<grant::Model>,
    groups: HashMap<GroupId, Vec<UserId>>,
    settings: workspace_settings::Model,
    archived: bool,
}

fn any<T: Copy>(rng: &mut StdRng, of: &[T]) -> T {
    of[rng.random_range(0..of.len())]
}

impl World {
    async fn new(seed: u64) -> Self {
        let (stage, mut rng) = (Stage::new().await, StdRng::seed_from_u64(seed));
        let settings = workspace_settings::Model {
            workspace_id: stage.workspace,
            default_level: any(&mut rng, &LEVELS),
            share_links: true,
            member_invites: false,
            archive_after_days: None,
            updated_at: clock::now(),
        };
        workspace_settings::Entity::insert(settings.clone().into_active_model())
            .exec_without_returning(stage.db())
            .await
            .expect("settings");
        let archived = rng.random_bool(0.1);
        let mut world = Self {
            stage,
            pages: Vec::new(),
            grants: Vec::new(),
            groups: HashMap::new(),
            settings,
            archived,
        };
        world.plants(&mut rng).await;
        world.gathers(&mut rng).await;
        world.gives(&mut rng).await;
        if archived {
            let row = workspace::ActiveModel {
                id: Set(world.stage.workspace),
                archived_at: Set(Some(clock::now())),
                ..Default::default()
            };
            row.update(world.stage.db()).await.expect("archives");
        }
        world
    }

    async fn plants(&mut self, rng: &mut StdRng) {
        for n in 0..PAGES {
            let parent = (n > 0 && rng.random_bool(0.85)).then(|| self.pages[rng.random_range(0..n)].id);
            let default = rng.random_bool(0.35).then(|| any(rng, &LEVELS));
            let id = self.stage.page(parent, default).await;
            let restricted = rng.random_bool(0.2);
            self.stage.updates_page(id, |row| row.restricted = Set(restricted)).await;
            let row = document::Entity::find_by_id(id).one(self.stage.db()).await;
            self.pages.push(row.expect("reads").expect("is there"));
        }
    }

    async fn gathers(&mut self, rng: &mut StdRng) {
        for name in ["one", "two"] {
            let now = clock::now();
            let row = group::Model {
                id: GroupId::new(),
                workspace_id: self.stage.workspace,
                name: name.to_owned(),
                created_by: self.stage.owner,
                created_at: now,
                updated_at: now,
            };
            let id = row.id;
            group::Entity::insert(row.into_active_model())
                .exec_without_returning(self.stage.db())
                .await
                .expect("a group");
            for user in [self.stage.guest, self.stage.member, self.stage.admin] {
                if rng.random_bool(0.5) {
                    continue;
                }
                let row = group_member::Model {
                    group_id: id,
                    user_id: user,
                    workspace_id: self.stage.workspace,
                    created_at: now,
                };
                group_member::Entity::insert(row.into_active_model())
                    .exec_without_returning(self.stage.db())
                    .await
                    .expect("a member of a group");
                self.groups.entry(id).or_default().push(user);
            }
            self.groups.entry(id).or_default();
        }
    }

    async fn gives(&mut self, rng: &mut StdRng) {
        let groups: Vec<GroupId> = self.groups.keys().copied().collect();
        for _ in 0..12 {
            let on = (!rng.random_bool(0.15)).then(|| self.pages[rng.random_range(0..PAGES)].id);
            let to_group = rng.random_bool(0.4);
            let now = clock::now();
            let row = grant::Model {
                id: GrantId::new(),
                workspace_id: self.stage.workspace,
                document_id: on,
                user_id: (!to_group).then(|| any(rng, &[self.stage.guest, self.stage.member])),
                group_id: to_group.then(|| any(rng, &groups)),
                level: any(rng, &LEVELS[1..]),
                created_by: self.stage.owner,
                created_at: now,
                updated_at: now,
            };
            let insert = grant::Entity::insert(row.clone().into_active_model());
            // The same pair twice is refused, as it shall be.
            if insert.exec_without_returning(self.stage.db()).await.is_ok() {
                self.grants.push(row);
            }
        }
    }

    fn page(&self, id: DocumentId) -> &document::Model {
        self.pages.iter().find(|page| page.id == id).expect("a page")
    }

    fn granted(&self, user: UserId, on: Option<DocumentId>) -> Level {
        let mut best = Level::None;
        for row in self.grants.iter().filter(|row| row.document_id == on) {
            let is_theirs = row.user_id == Some(user) || row.group_id.is_some_and(|id| self.groups[&id].contains(&user));
            if is_theirs && row.level > best {
                best = row.level;
            }
        }
        best
    }

    /// The nearest default, and none where a restricted page is between.
    fn default(&self, id: DocumentId) -> Level {
        let page = self.page(id);
        match (page.default_level, page.restricted, page.parent_id) {
            (Some(level), _, _) => level,
            (None, true, _) => Level::None,
            (None, false, Some(parent)) => self.default(parent),
            (None, false, None) => self.settings.default_level,
        }
    }

    /// All grants from here up, as far as nothing is restricted.
    fn grants(&self, user: UserId, id: DocumentId) -> Level {
        let page = self.page(id);
        let here = self.granted(user, Some(id));
        match (page.restricted, page.parent_id) {
            (true, _) => here,
            (false, Some(parent)) => here.max(self.grants(user, parent)),
            (false, None) => here.max(self.granted(user, None)),
        }
    }

    fn held(&self, (user, role): (UserId, Role), id: DocumentId) -> Level {
        let page = self.page(id);
        if role == Role::Admin || role == Role::Owner {
            return Level::Manage;
        }
        if let (false, Some(parent)) = (page.restricted, page.parent_id)
            && self.held((user, role), parent) == Level::Manage
        {
            return Level::Manage;
        }
        let granted = self.grants(user, id);
        if role == Role::Guest {
            granted
        } else {
            granted.max(self.default(id))
        }
    }

    fn reference(&self, who: (UserId, Role), id: DocumentId) -> Level {
        let held = self.held(who, id);
        if self.archived { held.min(Level::View) } else { held }
    }

    /// What a link on `target` opens of a page.
    fn linked(&self, target: DocumentId, level: Level, id: DocumentId) -> Level {
        let page = self.page(id);
        if id == target {
            return if self.archived { level.min(Level::View) } else { level };
        }
        match page.parent_id {
            Some(parent) if !page.restricted && page.default_level != Some(Level::None) => self.linked(target, level, parent),
            _ => Level::None,
        }
    }
}

#[tokio::test]
async fn levels_on_random_trees_are_those_of_the_reference() {
    for seed in 0..SEEDS {
        let world = World::new(seed).await;
        let (stage, db) = (&world.stage, world.stage.db());
        let ids: Vec<DocumentId> = world.pages.iter().map(|page| page.id).collect();
        let door = Door::new(db.clone());
        let people = [
            (stage.owner, Role::Owner),
            (stage.admin, Role::Admin),
            (stage.member, Role::Member),
            (stage.guest, Role::Guest),
        ];
        let all: Vec<Who> = people.iter().map(|(user, _)| Who::from(*user)).collect();
        for id in &ids {
            let at_once = access::rights(db, *id, &all).await.expect("reads");
            for who in people {
                let expected = world.reference(who, *id);
                let context = || format!("seed {seed}, {who:?} on {id:?}");
                let (alone, _) = access::level(db, who.0, *id).await.expect("reads").expect("a member");
                assert_eq!(alone, expected, "alone: {}", context());
                assert_eq!(at_once[&Who::from(who.0)], Some(expected), "in a room: {}", context());
                let explained = access::open(db, stage.owner, *id).await.expect("the owner manages");
                let explained: access::DocumentAccess<access::ViewDocument> = explained;
                let explained = explain::on_document(db, &explained, who.0).await.expect("explains");
                assert_eq!(explained.level, expected, "explained: {}", context());
                let best = explained.reasons.iter().map(|reason| reason.level).max().unwrap_or(Level::None);
                assert_eq!(
                    if world.archived { best.min(Level::View) } else { best },
                    expected,
                    "reasons: {}",
                    context()
                );
                // Asked twice: found out, and remembered.
                for _ in 0..2 {
                    let kept = door.level(who.0.into(), *id).await.expect("reads").map(|(level, ..)| level);
                    assert_eq!(
                        kept,
                        Some(expected).filter(|level| *level > Level::None),
                        "by the door: {}",
                        context()
                    );
                }
            }
            assert_eq!(access::level(db, stage.stranger, *id).await.expect("reads"), None);
        }
        for who in people {
            let listed = access::levels(db, who.0, &ids).await.expect("reads");
            for id in &ids {
                assert_eq!(listed[id], world.reference(who, *id), "in a list: seed {seed}, {who:?} on {id:?}");
            }
        }
    }
}

/// The pages that a query finds when it asks for those that somebody sees.
async fn sighted(world: &World, user: UserId) -> BTreeSet<DocumentId> {
    let (stage, db) = (&world.stage, world.stage.db());
    let sight = Sight::of(db, &stage.enters(user).await).await.expect("reads");
    let mut values = Vec::new();
    let tables = sight.tables(db.get_database_backend(), &mut values);
    values.push(sight.workspace().into());
    let sql = format!(
        "WITH RECURSIVE {tables} one(n) AS (SELECT 1) SELECT d.* FROM documents d, one WHERE d.workspace_id = ${} AND {}",
        values.len(),
        sight.sees("d")
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let rows = document::Entity::find().from_raw_sql(statement).all(db).await.expect("reads");
    assert!(!sight.is_blind() || rows.is_empty());
    rows.into_iter().map(|row| row.id).collect()
}

#[tokio::test]
async fn a_query_sees_what_the_reference_lets_see() {
    for seed in 0..SEEDS {
        let world = World::new(seed).await;
        let stage = &world.stage;
        for who in [
            (stage.owner, Role::Owner),
            (stage.admin, Role::Admin),
            (stage.member, Role::Member),
            (stage.guest, Role::Guest),
        ] {
            let ids = world.pages.iter().map(|page| page.id);
            let expected: BTreeSet<DocumentId> = ids.filter(|id| world.reference(who, *id) >= Level::View).collect();
            assert_eq!(sighted(&world, who.0).await, expected, "seed {seed}, {who:?}");
        }
    }
}

#[tokio::test]
async fn a_share_link_opens_its_page_and_what_hangs_openly_under_it() {
    for seed in 0..SEEDS {
        let world = World::new(seed).await;
        let mut rng = StdRng::seed_from_u64(seed);
        let (db, target) = (
            world.stage.db(),
            any(&mut rng, &world.pages.iter().map(|page| page.id).collect::<Vec<_>>()),
        );
        let now = clock::now();
        let link = share_link::Model {
            id: ShareLinkId::new(),
            workspace_id: world.stage.workspace,
            document_id: target,
            level: any(&mut rng, &[Level::View, Level::Comment, Level::Edit]),
            token_hash: kernel::secret::token(),
            password_hash: None,
            generation: 0,
            is_enabled: true,
            expires_at: None,
            created_by: world.stage.owner,
            created_at: now,
            updated_at: now,
        };
        share_link::Entity::insert(link.clone().into_active_model())
            .exec_without_returning(db)
            .await
            .expect("a link");
        let who = Who::with_link(link.id, 0, UserId::new());
        let ids: Vec<DocumentId> = world.pages.iter().map(|page| page.id).collect();
        let listed = access::levels(db, who, &ids).await.expect("reads");
        let past = access::levels(db, Who::with_link(link.id, 1, UserId::new()), &ids)
            .await
            .expect("reads");
        assert!(past.is_empty(), "seed {seed}, another password was given");
        for page in &world.pages {
            assert_eq!(
                listed[&page.id],
                world.linked(target, link.level, page.id),
                "seed {seed}, in a list"
            );
            let expected = world.linked(target, link.level, page.id);
            let found = access::level(db, who, page.id).await.expect("reads").map(|(level, _)| level);
            assert_eq!(found, Some(expected), "seed {seed}");
            let at_once = access::rights(db, page.id, &[who]).await.expect("reads");
            assert_eq!(at_once[&who], Some(expected), "seed {seed}, in a room");
            let other = Who::with_link(link.id, 1, UserId::new());
            assert_eq!(
                access::level(db, other, page.id).await.expect("reads"),
                None,
                "another password was given"
            );
        }
        assert!(
            access::enter::<access::ReadWorkspace>(db, who, world.stage.workspace)
                .await
                .is_err()
        );
    }
}
