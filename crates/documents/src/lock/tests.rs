//! Locks on a real database: whose edits pass, who takes a page over, and what ends.

use super::*;
use crate::{document::NewDocument, error::Error, limits::Limits};
use entity::{event, member, user, workspace};
use kernel::{clock, role::Role};
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, sea_query::Expr,
};
use testing::TestDb;
use workspaces::access::{self, CreateDocuments, DocumentAccess, EditDocument};

/// A page of Ada's, and Bob, who may edit it.
struct Stage {
    db: TestDb,
    page: DocumentId,
    ada: UserId,
    bob: UserId,
}

async fn insert<M: sea_orm::ActiveModelTrait>(db: &DatabaseConnection, row: M) {
    M::Entity::insert(row).exec_without_returning(db).await.unwrap();
}

async fn person(db: &DatabaseConnection, name: &str) -> UserId {
    let (id, now) = (UserId::new(), clock::now());
    let row = user::Model {
        id,
        email: format!("{name}@example.org"),
        display_name: name.to_owned(),
        email_verified_at: None,
        time_zone: None,
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    insert(db, row.into_active_model()).await;
    id
}

async fn write<T>(db: &DatabaseConnection, work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, Error>) -> Result<T, Error> {
    backends::db::write(db, work).await
}

impl Stage {
    async fn new() -> Self {
        let db = TestDb::new().await;
        let (ada, bob) = (person(db.db(), "ada").await, person(db.db(), "bob").await);
        let (id, now) = (WorkspaceId::new(), clock::now());
        let row = workspace::Model {
            id,
            name: "Work".to_owned(),
            created_by: ada,
            created_at: now,
            updated_at: now,
            archived_at: None,
            deleted_at: None,
        };
        insert(db.db(), row.into_active_model()).await;
        for (user_id, role) in [(ada, Role::Owner), (bob, Role::Member)] {
            let row = member::Model {
                workspace_id: id,
                user_id,
                role,
                created_at: now,
            };
            insert(db.db(), row.into_active_model()).await;
        }
        let may = access::enter::<CreateDocuments>(db.db(), ada, id).await.unwrap();
        let made = write(db.db(), async |tx| {
            crate::document::create(tx, &may, None, NewDocument::default(), &Limits::default()).await
        });
        let page = made.await.unwrap().row.id;
        Self { db, page, ada, bob }
    }

    async fn opens(&self, user: UserId) -> DocumentAccess<EditDocument> {
        access::open(self.db.db(), user, self.page).await.unwrap()
    }

    async fn locks(&self, user: UserId, new: NewLock) -> Result<Held, Error> {
        let access = self.opens(user).await;
        write(self.db.db(), async |tx| lock(tx, &access, new).await).await
    }

    async fn unlocks(&self, user: UserId) -> Result<(), Error> {
        let access = self.opens(user).await;
        write(self.db.db(), async |tx| unlock(tx, &access).await).await
    }

    async fn leases(&self, user: UserId, holder: Holder, token: Option<LockId>) -> Result<Held, Error> {
        let access = self.opens(user).await;
        let new = NewLease {
            token,
            holder,
            reason: None,
            ttl: MAX_LEASE,
        };
        write(self.db.db(), async |tx| lease(tx, &access, new).await).await
    }

    async fn held(&self) -> Vec<Held> {
        held(self.db.db(), self.page).await.unwrap()
    }

    async fn stops(&self, user: UserId, lease: Option<LockId>) -> Option<Stop> {
        stop(&self.held().await, Pass { user, lease })
    }

    /// As if the time of every lock were over.
    async fn time_passes(&self) {
        document_lock::Entity::update_many()
            .col_expr(document_lock::Column::ExpiresAt, Expr::value(Some(clock::now())))
            .exec(self.db.db())
            .await
            .unwrap();
    }

    async fn facts(&self) -> Vec<String> {
        let rows = event::Entity::find()
            .filter(event::Column::Kind.starts_with("document."))
            .order_by_asc(event::Column::Id)
            .all(self.db.db());
        rows.await.unwrap().into_iter().map(|row| row.kind).collect()
    }
}

fn is_locked<T>(answer: Result<T, Error>) -> bool {
    matches!(answer, Err(Error::Locked(_)))
}

#[tokio::test]
async fn a_lock_keeps_others_out_until_its_owner_takes_it_off() {
    let stage = Stage::new().await;
    let reason = Some("final".to_owned());
    let taken = stage.locks(stage.bob, NewLock { reason, expires_at: None }).await.unwrap();
    assert_eq!(stage.stops(stage.bob, None).await, None);
    assert_eq!(stage.stops(stage.ada, None).await, Some(Stop::Held(taken.clone())));
    let again = stage.locks(stage.bob, NewLock::default()).await.unwrap();
    assert_eq!((again.token, again.reason), (taken.token, None), "said anew, it is the same lock");
    stage.unlocks(stage.bob).await.unwrap();
    assert_eq!(stage.held().await, []);
    let told = ["document.created", "document.locked", "document.locked", "document.unlocked"];
    assert_eq!(stage.facts().await, told);
}

#[tokio::test]
async fn only_who_manages_the_page_takes_over_or_takes_off() {
    let stage = Stage::new().await;
    stage.locks(stage.ada, NewLock::default()).await.unwrap();
    assert!(is_locked(stage.locks(stage.bob, NewLock::default()).await));
    assert!(matches!(
        stage.unlocks(stage.bob).await,
        Err(Error::Access(access::AccessError::Forbidden))
    ));
    stage.unlocks(stage.ada).await.unwrap();
    let bobs = stage.locks(stage.bob, NewLock::default()).await.unwrap();
    let adas = stage.locks(stage.ada, NewLock::default()).await.unwrap();
    assert_ne!(bobs.token, adas.token);
    assert_eq!(stage.held().await, [adas]);
}

#[tokio::test]
async fn an_operation_of_the_product_keeps_even_its_person_out() {
    let stage = Stage::new().await;
    let held = stage.leases(stage.bob, Holder::Server(stage.bob), None).await.unwrap();
    assert!(stage.stops(stage.bob, None).await.is_some());
    assert_eq!(stage.stops(stage.bob, Some(held.token)).await, None);
    assert!(is_locked(stage.leases(stage.bob, Holder::Server(stage.bob), None).await));
    assert!(is_locked(stage.locks(stage.ada, NewLock::default()).await));
    assert!(renew(stage.db.db(), stage.page, held.token, MAX_LEASE).await.unwrap());
    stage.time_passes().await;
    assert_eq!(stage.held().await, []);
    assert_eq!(
        stage.stops(stage.bob, Some(held.token)).await,
        Some(Stop::Lost),
        "its fence is down"
    );
    assert!(!renew(stage.db.db(), stage.page, held.token, MAX_LEASE).await.unwrap());
    assert!(matches!(
        stage.leases(stage.bob, Holder::Server(stage.bob), Some(held.token)).await,
        Err(Error::LockLost)
    ));
    let next = stage.leases(stage.ada, Holder::Server(stage.ada), None).await.unwrap();
    assert!(next.token > held.token);
    assert!(
        !release(stage.db.db(), stage.page, held.token).await.unwrap(),
        "the old one's end is not the new one's"
    );
    assert!(release(stage.db.db(), stage.page, next.token).await.unwrap());
}

#[tokio::test]
async fn an_operation_passes_the_lock_of_its_person_and_no_other() {
    let stage = Stage::new().await;
    stage.locks(stage.bob, NewLock::default()).await.unwrap();
    assert!(is_locked(stage.leases(stage.ada, Holder::Server(stage.ada), None).await));
    let held = stage.leases(stage.bob, Holder::Server(stage.bob), None).await.unwrap();
    assert_eq!(stage.stops(stage.bob, Some(held.token)).await, None);
}

#[tokio::test]
async fn a_persons_lease_goes_on_when_they_ask_again() {
    let stage = Stage::new().await;
    let first = stage.leases(stage.bob, Holder::Person(stage.bob), None).await.unwrap();
    let again = stage.leases(stage.bob, Holder::Person(stage.bob), None).await.unwrap();
    assert_eq!(first.token, again.token);
    assert!(is_locked(stage.leases(stage.ada, Holder::Person(stage.ada), None).await));
    assert_eq!(stage.stops(stage.bob, None).await, None);
}

#[tokio::test]
async fn what_is_over_counts_for_nothing_and_is_cleared_away_with_a_fact() {
    let stage = Stage::new().await;
    let expires_at = Some(clock::now() + std::time::Duration::from_secs(60));
    stage.locks(stage.bob, NewLock { reason: None, expires_at }).await.unwrap();
    stage.leases(stage.bob, Holder::Person(stage.bob), None).await.unwrap();
    assert_eq!(expire(stage.db.db()).await.unwrap(), 0);
    stage.time_passes().await;
    assert_eq!(stage.held().await, []);
    assert_eq!(expire(stage.db.db()).await.unwrap(), 2);
    let left: Result<Vec<_>, DbErr> = document_lock::Entity::find().all(stage.db.db()).await;
    assert_eq!(left.unwrap(), []);
    assert_eq!(stage.facts().await, ["document.created", "document.locked", "document.unlocked"]);
    let past = NewLock {
        reason: None,
        expires_at: Some(clock::now()),
    };
    assert!(matches!(stage.locks(stage.bob, past).await, Err(Error::Invalid(_))));
}
