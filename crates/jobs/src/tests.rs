//! Background work on a real database.

mod end;
mod faults;
mod follow;
mod index;
mod kinds;
mod pages;
mod tokens;
mod worker;

use crate::{
    Job, Parts, Queue, Settings, attempt,
    kinds::trial::{Control, Trial, What},
    run,
};
use backends::{bus::Bus, db, files::Files, mail::Mailer, signal::Signal, signal::Signals};
use entity::{
    event,
    job::{self, State},
    member, user, workspace,
};
use events::{By, Change, checkpoint::Seals};
use kernel::secret::Mint;
use kernel::{clock, id::*, role::Role};
use queue::{Claim, NewJob};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use testing::TestDb;
use tokio::{task::JoinHandle, time::Instant};
use tokio_util::sync::CancellationToken;

/// A lease that a busy machine can keep, and a test can outlive.
const LEASE: Duration = Duration::from_millis(900);
/// Within this everything happens that happens at all.
const SOON: Duration = Duration::from_secs(30);

/// A database with what background work needs around it.
pub(crate) struct Stage {
    keep: TestDb,
    pub(crate) parts: Parts,
    mails: TempDir,
    _files: TempDir,
    test: ConnectionId,
    control: Arc<Control>,
}

/// Workers in a task. Dropped, they are killed.
struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    /// Ends as a process does that goes away in order.
    async fn stop(mut self) {
        self.stop.cancel();
        tokio::time::timeout(SOON, &mut self.task)
            .await
            .expect("it ends")
            .expect("in order");
    }

    /// Ends as a process does that is killed.
    async fn kill(mut self) {
        self.task.abort();
        assert!((&mut self.task).await.is_err_and(|error| error.is_cancelled()));
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut Settings)) -> Self {
        let (keep, mails, test) = (TestDb::new().await, TempDir::new().expect("a folder"), ConnectionId::new());
        let files = TempDir::new().expect("a folder");
        let mut settings = Settings {
            lease: LEASE,
            poll: Duration::from_millis(50),
            ..Settings::default()
        };
        set(&mut settings);
        let parts = Parts {
            db: keep.db().clone(),
            signals: Signals::new(Bus::memory()).0,
            mailer: Mailer::directory(mails.path().to_owned(), "sheaf@example.com").expect("an outbox"),
            files: Files::directory(files.path()).expect("a directory"),
            seals: Seals::new(vec![("a".to_owned(), [7; 32])]),
            mint: Mint::new([[8; 32]]),
            settings: Arc::new(settings),
        };
        Self {
            keep,
            parts,
            mails,
            _files: files,
            test,
            control: Control::of(test),
        }
    }

    pub(crate) fn db(&self) -> &DatabaseConnection {
        self.keep.db()
    }

    /// Begins to work. Every worker has its own signals, as another process would.
    fn start(&self) -> Running {
        self.start_with(Signals::new(Bus::memory()).0)
    }

    /// Begins to work and hears the signals of the stage.
    fn start_hearing(&self) -> Running {
        self.start_with(self.parts.signals.clone())
    }

    fn start_with(&self, signals: Signals) -> Running {
        let (parts, stop) = (
            Parts {
                signals,
                ..self.parts.clone()
            },
            CancellationToken::new(),
        );
        let task = tokio::spawn(run(parts, Queue::ALL.to_vec(), stop.clone()));
        Running { stop, task }
    }

    fn trial(&self, what: What) -> NewJob {
        Trial { test: self.test, what }.job().expect("it serialises")
    }

    pub(crate) async fn put(&self, job: NewJob) -> JobId {
        db::write(self.db(), async |tx: &DatabaseTransaction| queue::add(tx, job).await)
            .await
            .expect("added")
            .expect("it is the only one")
    }

    async fn put_trial(&self, what: What) -> JobId {
        self.put(self.trial(what)).await
    }

    async fn put_many(&self, jobs: Vec<NewJob>) {
        db::write(self.db(), async |tx: &DatabaseTransaction| {
            for job in jobs {
                queue::add(tx, job).await?;
            }
            Ok::<_, queue::Error>(())
        })
        .await
        .expect("added");
    }

    /// Takes the next trial without a worker.
    async fn take(&self, queue: Queue, lease: Duration) -> Claim {
        let claim = queue::claim(self.db(), queue.name(), "the test", lease).await.expect("claimed");
        claim.expect("a job is due")
    }

    async fn row(&self, id: JobId) -> job::Model {
        queue::list::find(self.db(), id).await.expect("it is there")
    }

    /// Waits until a job is as wanted.
    async fn until(&self, id: JobId, wanted: impl Fn(&job::Model) -> bool) -> job::Model {
        let from = Instant::now();
        loop {
            let row = self.row(id).await;
            if wanted(&row) {
                return row;
            }
            assert!(from.elapsed() < SOON, "it stays like this: {row:#?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn until_state(&self, id: JobId, state: State) -> job::Model {
        self.until(id, |row| row.state == state).await
    }

    /// Waits until that many attempts have begun.
    async fn until_begun(&self, count: usize) {
        until(async || self.control.seen().begun.len() >= count).await;
    }

    pub(crate) async fn jobs(&self, kind: &str) -> Vec<job::Model> {
        let jobs = job::Entity::find().filter(job::Column::Kind.eq(kind));
        jobs.all(self.db()).await.expect("read")
    }

    async fn count(&self, state: State) -> u64 {
        let jobs = job::Entity::find().filter(job::Column::Kind.eq(Trial::KIND));
        jobs.filter(job::Column::State.eq(state)).count(self.db()).await.expect("counted")
    }

    async fn facts(&self, kind: &str) -> Vec<event::Model> {
        let facts = event::Entity::find().filter(event::Column::Kind.eq(kind));
        facts.all(self.db()).await.expect("read")
    }

    async fn append(&self, by: By, change: Change) -> EventId {
        events::append(self.db(), by, change).await.expect("appended")
    }

    async fn makes_user(&self, name: &str) -> UserId {
        let (id, now) = (UserId::new(), clock::now());
        let row = user::ActiveModel {
            id: Set(id),
            email: Set(format!("{name}@example.com")),
            display_name: Set(name.to_owned()),
            password_hash: Set(String::new()),
            created_at: Set(now),
            updated_at: Set(now),
            ..Default::default()
        };
        let made = user::Entity::insert(row).exec_without_returning(self.db()).await;
        made.expect("a user can be put in");
        id
    }

    /// A workspace whose owner is its first member.
    async fn makes_workspace(&self, members: &[UserId]) -> WorkspaceId {
        let (id, now) = (WorkspaceId::new(), clock::now());
        let row = workspace::Model {
            id,
            name: "Work".to_owned(),
            created_by: members[0],
            created_at: now,
            updated_at: now,
            archived_at: None,
            deleted_at: None,
        };
        let made = workspace::Entity::insert(row.into_active_model())
            .exec_without_returning(self.db())
            .await;
        made.expect("a workspace can be put in");
        for user in members {
            let row = member::Model {
                workspace_id: id,
                user_id: *user,
                role: if *user == members[0] { Role::Owner } else { Role::Member },
                created_at: now,
            };
            let made = member::Entity::insert(row.into_active_model())
                .exec_without_returning(self.db())
                .await;
            made.expect("a member can be put in");
        }
        id
    }

    fn letters(&self) -> usize {
        let files = std::fs::read_dir(self.mails.path()).expect("the outbox can be read");
        files
            .filter(|file| {
                file.as_ref()
                    .is_ok_and(|file| file.path().extension().is_some_and(|end| end == "eml"))
            })
            .count()
    }
}

/// Waits until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    let from = Instant::now();
    while !is_so().await {
        assert!(from.elapsed() < SOON * 3, "it does not come true");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
