//! The commands of the binary, on the data of a product that runs.

use crate::{
    rest::{audit::tamper, jobs::broken},
    support::{Binary, User, app::redis_url},
};
use sea_orm::{Database, DatabaseConnection, EntityTrait};
use serde_json::json;
use std::{
    process::Output,
    time::{Duration, Instant},
};
use testing::{Form, TestDb};

/// A product of the real binary in the form of this run, with what it runs on.
struct Place {
    binary: Binary,
    owner: User,
    db: DatabaseConnection,
    _server: Option<TestDb>,
}

impl Place {
    async fn new(settings: &[(&str, &str)]) -> Self {
        let server = match Form::from_env() {
            Form::Embedded => None,
            Form::Full => Some(TestDb::of(Form::Full).await),
        };
        let redis = server.as_ref().map(|_| redis_url());
        let mut all = settings.to_vec();
        if let (Some(server), Some(redis)) = (&server, &redis) {
            all.push(("SHEAF__DATABASE__URL", server.url()));
            all.push(("SHEAF__REDIS__URL", redis));
        }
        let binary = Binary::start(&all).await;
        let file = || format!("sqlite://{}", binary.data_dir().join("sheaf.db").display());
        let url = server.as_ref().map_or_else(file, |server| server.url().to_owned());
        let db = Database::connect(url).await.expect("the database opens");
        let owner = User::newcomer(&binary.address(), "owner").await;
        Self {
            binary,
            owner,
            db,
            _server: server,
        }
    }

    /// What a command says, when it succeeds.
    #[track_caller]
    fn says(&self, args: &[&str]) -> String {
        let output = self.binary.run(args);
        assert_eq!(output.status.code(), Some(0), "{args:?}: {output:?}");
        text(&output.stdout)
    }

    /// What a command complains about, when it fails.
    #[track_caller]
    fn fails(&self, args: &[&str]) -> (String, String) {
        let Output { status, stdout, stderr } = self.binary.run(args);
        assert_eq!(status.code(), Some(1), "{args:?}: {}", text(&stderr));
        (text(&stdout), text(&stderr))
    }

    /// Polls a command until it says something.
    async fn until(&self, args: &[&str], wanted: &str) -> String {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let said = self.says(args);
            if said.contains(wanted) {
                return said;
            }
            assert!(Instant::now() < until, "{args:?} never said {wanted:?}:\n{said}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_shown_and_let_try_again() {
    let place = Place::new(&[]).await;
    let id = broken(&place.db, &place.owner).await;
    let shown = place.until(&["jobs", "show", &id], "state          dead").await;
    assert!(shown.contains(&place.owner.id) && shown.contains("attempts       1 of"), "{shown}");
    assert!(shown.contains("error") && shown.contains("{\"nonsense\":true}"), "{shown}");
    let list = place.says(&["jobs", "list", "--state", "dead"]);
    assert!(
        list.contains(&id) && list.contains("make_report") && list.contains("dead       1"),
        "{list}"
    );
    let others = place.says(&["jobs", "list", "--state", "dead", "--queue", "mail"]);
    assert!(!others.contains(&id), "{others}");
    assert!(place.says(&["jobs", "retry", &id]).contains("tried again"));
    // It was tried, and is as dead as before.
    place.until(&["jobs", "show", &id], "attempts       2 of").await;
    place.until(&["jobs", "show", &id], "state          dead").await;
    let (_, why) = place.fails(&["jobs", "cancel", &id]);
    assert!(why.contains("over"), "{why}");
    let (_, why) = place.fails(&["jobs", "show", "01900000-0000-7000-8000-000000000000"]);
    assert!(why.contains("not found"), "{why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_is_cancelled() {
    let place = Place::new(&[("SHEAF__WORKER__ENABLED", "false")]).await;
    let id = broken(&place.db, &place.owner).await;
    assert_eq!(place.says(&["jobs", "cancel", &id]), "cancelled\n");
    place.fails(&["jobs", "cancel", &id]);
    let job = place.owner.get(&format!("/api/v1/jobs/{id}/")).await.expect(200).body;
    assert_eq!(job["state"], "cancelled");
    assert!(place.says(&["jobs", "retry", &id]).contains("tried again"));
    assert!(place.says(&["jobs", "list", "--state", "ready"]).contains(&id));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_verified_from_the_command_line() {
    let place = Place::new(&[]).await;
    let new = place
        .owner
        .post("/api/v1/workspaces/", &json!({ "name": "Engines" }))
        .await
        .expect(201);
    let workspace = new.id();
    place.owner.document(&workspace, "Notes", json!([])).await;
    let intact = place.until(&["audit", "verify"], &format!("{workspace}: intact, 2 entries")).await;
    assert!(
        intact.contains("instance: intact") && intact.contains("are what was written"),
        "{intact}"
    );
    tamper(&place.db, &workspace, 1, "{}").await;
    let (said, why) = place.fails(&["audit", "verify"]);
    assert!(said.contains(&format!("{workspace}: NOT INTACT at entry 1: altered")), "{said}");
    assert!(said.contains("instance: intact"), "{said}");
    assert!(why.contains("1 of 2 logs are not what was written"), "{why}");
    place.fails(&["audit", "verify", "--workspace", &workspace]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_is_made_with_a_password_that_is_printed_once() {
    let place = Place::new(&[]).await;
    let said = place.says(&["user", "create", "--email", "root@example.com", "--admin"]);
    let password = said.lines().find_map(|line| line.strip_prefix("password: ")).expect("a password");
    let login = async |password: &str| {
        let body = json!({ "email": "root@example.com", "password": password });
        place.owner.post("/api/v1/auth/login/", &body).await
    };
    let signed_in = login(password).await.expect(200);
    let mut root = place.owner.clone();
    signed_in.body["access_token"]
        .as_str()
        .expect("a token")
        .clone_into(&mut root.token);
    root.get("/api/v1/admin/jobs/").await.expect(200);
    login("another").await.problem(401, "invalid_credentials");
    let (_, why) = place.fails(&["user", "create", "--email", "root@example.com"]);
    assert!(!why.is_empty());
    place.owner.get("/api/v1/admin/jobs/").await.problem(404, "not_found");
    place.says(&["user", "grant-admin", &place.owner.email]);
    place.owner.get("/api/v1/admin/jobs/").await.expect(200);
    place.says(&["user", "revoke-admin", "root@example.com"]);
    root.get("/api/v1/admin/jobs/").await.problem(404, "not_found");
    place.fails(&["user", "grant-admin", "nobody@example.com"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_search_index_is_made_anew_from_the_command_line() {
    let place = Place::new(&[]).await;
    let new = json!({ "name": "Engines" });
    let workspace = place.owner.post("/api/v1/workspaces/", &new).await.expect(201).id();
    for title in ["Plum jam", "Plum tart"] {
        place.owner.document(&workspace, title, json!([])).await;
    }
    let found = async || {
        let found = place.owner.get("/api/v1/search/?q=plum").await.expect(200);
        found.body["data"].as_array().expect("results").len()
    };
    let until = Instant::now() + Duration::from_secs(30);
    while found().await < 2 {
        assert!(Instant::now() < until, "they are never found");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    entity::search_entry::Entity::delete_many()
        .exec(&place.db)
        .await
        .expect("somebody spoils it");
    assert_eq!(found().await, 0);
    let said = place.says(&["reindex", "--workspace", &workspace]);
    assert!(said.contains("2 pages were put in"), "{said}");
    assert_eq!(found().await, 2);
    assert!(place.says(&["reindex"]).contains("2 pages were put in"));
    assert!(place.says(&["reindex", "--resume"]).contains("0 pages were put in"));
    let (_, complaint) = place.fails(&["reindex", "--workspace", "01a1fb6f-f73d-7592-ae7e-dabc119c7557"]);
    assert!(complaint.contains("there is no workspace"), "{complaint}");
}
