//! A server whose background work is done by others, the queue behind it, and what comes out.

use crate::support::{Binary, User};
use backends::db;
use entity::job::{self, State};
use jobs::{
    Job,
    kinds::{
        CompactPage, CompactPages, ForgetJobs, KeepEvents, MakeReports, PurgeSessions, PurgeWorkspaces, SealEvents, SendInvitation,
        SendMail, SendToken, SnapshotPage, SnapshotPages,
    },
    letter::Mail,
};
use kernel::{clock, id::*};
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use testing::{Form, TestDb};

/// The place where jobs come from and where their effects show.
pub struct Lines {
    pub server: Binary,
    pub owner: User,
    pub workspace: String,
    pub document: String,
    pub db: DatabaseConnection,
    /// Reports that were asked for, by the job's id.
    pub reports: Vec<String>,
    _database: Option<TestDb>,
}

impl Lines {
    /// A server without workers, with short leases, and these settings.
    pub async fn set(more: &[(&str, &str)]) -> Self {
        Self::of(Form::from_env(), more).await
    }

    /// The same in this form.
    pub async fn of(form: Form, more: &[(&str, &str)]) -> Self {
        let mut settings = vec![
            ("SHEAF__WORKER__ENABLED", "false".to_owned()),
            ("SHEAF__WORKER__LEASE_SECS", "1".to_owned()),
            ("SHEAF__WORKER__POLL_MS", "50".to_owned()),
        ];
        settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let database = match form {
            Form::Embedded => None,
            Form::Full => {
                let database = TestDb::of(Form::Full).await;
                settings.push(("SHEAF__DATABASE__URL", database.url().to_owned()));
                if !more.iter().any(|(name, _)| *name == "SHEAF__REDIS__URL") {
                    settings.push(("SHEAF__REDIS__URL", crate::support::app::redis_url()));
                }
                Some(database)
            }
        };
        let borrowed: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let server = Binary::start(&borrowed).await;
        let url = match &database {
            Some(database) => database.url().to_owned(),
            None => format!("sqlite://{}", server.data_dir().join("sheaf.db").display()),
        };
        let db = db::connect(&db::Options::new(url)).await.expect("the server's database");
        let owner = User::newcomer(&server.address(), "owner").await;
        let workspace = owner
            .post("/api/v1/workspaces/", &json!({ "name": "Lines" }))
            .await
            .expect(201)
            .id();
        let page = owner
            .document(&workspace, "Notes", json!([{ "type": "paragraph", "text": "stays" }]))
            .await;
        let document = page["id"].as_str().expect("an id").to_owned();
        Self {
            server,
            owner,
            workspace,
            document,
            db,
            reports: Vec::new(),
            _database: database,
        }
    }

    /// Somebody new becomes a member, which is worth a letter.
    pub async fn member(&self) {
        let somebody = User::newcomer(&self.server.address(), "member").await;
        self.owner.adds(&somebody, &self.workspace, "member").await;
    }

    /// A report of a period that nobody asked for before.
    pub async fn report(&mut self) {
        let day = clock::now() - chrono_days(2 + self.reports.len() as u64);
        let period = json!({ "starts_at": day, "ends_at": day + Duration::from_secs(86_400) });
        let path = format!("/api/v1/workspaces/{}/reports/", self.workspace);
        self.reports.push(self.owner.post(&path, &period).await.expect(202).id());
    }

    /// One job of every kind, and letters besides.
    pub async fn every_kind(&self, letters: usize) {
        let document: DocumentId = self.document.parse().expect("an id");
        let mut jobs = vec![
            SnapshotPages {}.job(),
            SnapshotPage { document }.job(),
            CompactPages {}.job(),
            CompactPage { document }.job(),
            PurgeSessions {}.job(),
            PurgeWorkspaces {}.job(),
            SendInvitation {
                invitation: InvitationId::new(),
            }
            .job(),
            SealEvents {}.job(),
            KeepEvents {}.job(),
            ForgetJobs {}.job(),
            MakeReports { tick: clock::now() }.job(),
        ];
        jobs.extend((0..letters).map(|i| letter(i).job()));
        db::write(&self.db, async |tx: &DatabaseTransaction| {
            for job in jobs {
                queue::add(tx, job?).await?;
            }
            Ok::<_, queue::Error>(())
        })
        .await
        .expect("enqueued");
    }

    /// Waits until nothing waits and nothing runs.
    pub async fn done(&self, within: Duration) {
        let started = Instant::now();
        // What the relay has not seen yet has no job yet.
        while self.unstamped().await > 0 || queue::list::open(&self.db).await.expect("asked") > 0 {
            let counts = queue::list::counts(&self.db).await;
            assert!(started.elapsed() < within, "not done: {counts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn unstamped(&self) -> usize {
        let unstamped = entity::event::Entity::find().filter(entity::event::Column::Seq.is_null());
        unstamped.all(&self.db).await.expect("read").len()
    }

    pub async fn jobs(&self) -> Vec<job::Model> {
        job::Entity::find().all(&self.db).await.expect("read")
    }

    /// The letters in the outbox, by the ids of their jobs. Half-written ones have another ending.
    pub fn outbox(&self) -> BTreeSet<String> {
        let files = std::fs::read_dir(self.server.data_dir().join("outbox")).expect("an outbox");
        let names = files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned());
        names.filter_map(|name| name.strip_suffix(".eml").map(str::to_owned)).collect()
    }

    /// How many letters there are; none before the first worker has made the outbox.
    pub fn sent(&self) -> usize {
        if self.server.data_dir().join("outbox").is_dir() {
            self.outbox().len()
        } else {
            0
        }
    }

    /// The jobs of which the audit log says that they were done: all, a moment after they were, because facts are given their
    /// numbers by a relay.
    async fn told(&self) -> Vec<String> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let told = self.get("audit-log/?type=job.succeeded&limit=200").await;
            let told: Vec<String> = told["data"]
                .as_array()
                .expect("entries")
                .iter()
                .filter_map(|one| one["subject_id"].as_str().map(str::to_owned))
                .collect();
            if told.len() >= self.reports.len() || Instant::now() > until {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Every effect exactly once, whatever was killed. Gives how many jobs were begun more than once.
    pub async fn check(&self) -> usize {
        let jobs = self.jobs().await;
        let not_done: Vec<&job::Model> = jobs.iter().filter(|job| job.state != State::Done).collect();
        assert!(not_done.is_empty(), "{not_done:#?}");
        let rows = self.get("reports/?limit=200").await["data"].as_array().expect("reports").len();
        let told = self.told().await;
        let unique: BTreeSet<&String> = told.iter().collect();
        assert_eq!(
            (rows, told.len(), unique.len()),
            (self.reports.len(), self.reports.len(), self.reports.len())
        );
        assert!(self.reports.iter().all(|id| unique.contains(id)));
        let verified = self.get("audit-log/verify/").await;
        assert_eq!(verified["is_intact"], true, "{verified}");
        assert_eq!(self.owner.texts(&self.document).await, ["stays"]);
        jobs.iter().filter(|job| job.attempts > 1).count()
    }

    /// The ids of the letters that were to be sent.
    pub async fn letters(&self) -> BTreeSet<String> {
        let jobs = self.jobs().await;
        let letters = jobs
            .iter()
            .filter(|job| [SendMail::KIND, SendToken::KIND].contains(&job.kind.as_str()));
        letters.map(|job| job.id.to_string()).collect()
    }

    async fn get(&self, path: &str) -> Value {
        let path = format!("/api/v1/workspaces/{}/{path}", self.workspace);
        self.owner.get(&path).await.expect(200).body
    }
}

fn letter(number: usize) -> SendMail {
    SendMail {
        to: format!("reader-{number}@example.com"),
        to_name: "Reader".to_owned(),
        mail: Mail::SessionRevoked {
            at: "today".to_owned(),
            user_agent: format!("browser {number}"),
        },
    }
}

fn chrono_days(days: u64) -> Duration {
    Duration::from_secs(days * 86_400)
}
