//! Background work over REST: one's own jobs, and all of them for an administrator of the instance.

use super::reports::{over, report};
use crate::support::{TestApp, User};
use entity::job;
use kernel::id::UserId;
use queue::NewJob;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

const LAST_WEEK: (&str, &str) = ("2026-01-05T00:00:00Z", "2026-01-12T00:00:00Z");

/// Enqueues a job that cannot be done, because nobody can read what it is told. Gives its id.
pub(crate) async fn broken(db: &DatabaseConnection, who: &User) -> String {
    let new = NewJob {
        user: Some(UserId(who.id.parse().expect("an id"))),
        ..NewJob::new("reports", "make_report", 1, &json!({ "nonsense": true })).expect("JSON")
    };
    queue::add(db, new).await.expect("written").expect("it is the only one").to_string()
}

/// The ids of a list.
async fn ids(who: &User, path: &str) -> Vec<String> {
    let list = who.get(path).await.expect(200).body;
    let jobs = list["data"].as_array().expect("jobs").iter();
    jobs.map(|job| job["id"].as_str().expect("an id").to_owned()).collect()
}

/// An administrator of the instance.
async fn root(app: &TestApp, db: &DatabaseConnection) -> User {
    let root = app.user("root").await;
    assert!(users::account::set_admin(db, &root.email, true).await.expect("written"));
    root
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_asked_for_followed_and_read() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let (asked, job) = report(&owner, &workspace, LAST_WEEK.0, LAST_WEEK.1).await;
    assert_eq!(asked.headers["location"], format!("/api/v1/jobs/{}/", asked.id()));
    assert_eq!(
        (&asked.body["kind"], &asked.body["workspace_id"]),
        (&json!("make_report"), &json!(workspace))
    );
    assert_eq!(
        (&job["state"], &job["progress"], &job["attempts"]),
        (&json!("done"), &json!(100), &json!(1)),
        "{job}"
    );
    assert_eq!((&job["has_result"], &job["error"]), (&json!(true), &Value::Null));
    assert!(
        job["finished_at"].as_str() >= job["started_at"].as_str() && job["started_at"].is_string(),
        "{job}"
    );
    let result = owner.get(&format!("/api/v1/jobs/{}/result/", asked.id())).await.expect(200).body;
    assert_eq!(result["workspace_id"], workspace);
    assert_eq!(
        (&result["figures"]["events"], result["figures"]["per_day"].as_array().map(Vec::len)),
        (&json!(0), Some(7))
    );
    let reports = format!("/api/v1/workspaces/{workspace}/reports/");
    let list = owner.get(&reports).await.expect(200).body;
    let made = list["data"].as_array().expect("reports");
    assert_eq!((made.len(), &made[0]["figures"]), (1, &result["figures"]));
    let one = owner
        .get(&format!("{reports}{}/", made[0]["id"].as_str().expect("an id")))
        .await
        .expect(200)
        .body;
    assert_eq!(one, made[0]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_nobody_elses_business() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "owner").await;
    let (asked, _) = report(&owner, &workspace, LAST_WEEK.0, LAST_WEEK.1).await;
    let (theirs, _) = report(&admin, &workspace, LAST_WEEK.0, LAST_WEEK.1).await;
    let path = format!("/api/v1/jobs/{}/", asked.id());
    admin.get(&path).await.problem(404, "job_not_found");
    admin.get(&format!("{path}result/")).await.problem(404, "job_not_found");
    admin
        .post(&format!("{path}cancel/"), &json!({}))
        .await
        .problem(404, "job_not_found");
    assert_eq!(ids(&owner, "/api/v1/jobs/").await, [asked.id()]);
    assert_eq!(ids(&admin, "/api/v1/jobs/").await, [theirs.id()]);
    owner.post(&format!("{path}cancel/"), &json!({})).await.problem(409, "job_over");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_waits_is_cancelled_by_whoever_asked_for_it() {
    // Nobody works here, so it waits for as long as the test needs.
    let app = TestApp::with(&[("worker.enabled", "false")]).await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let period = json!({ "starts_at": LAST_WEEK.0, "ends_at": LAST_WEEK.1 });
    let mut asked = Vec::new();
    for _ in 0..3 {
        let job = owner
            .post(&format!("/api/v1/workspaces/{workspace}/reports/"), &period)
            .await
            .expect(202);
        assert_eq!((&job.body["state"], &job.body["attempts"]), (&json!("ready"), &json!(0)));
        asked.push(job.id());
    }
    let path = format!("/api/v1/jobs/{}/", asked[0]);
    owner.get(&format!("{path}result/")).await.problem(409, "job_has_no_result");
    let cancelled = owner.post(&format!("{path}cancel/"), &json!({})).await.expect(200).body;
    assert_eq!(cancelled["state"], "cancelled");
    owner.post(&format!("{path}cancel/"), &json!({})).await.problem(409, "job_over");
    asked.reverse();
    assert_eq!(ids(&owner, "/api/v1/jobs/").await, asked);
    let first = owner.get("/api/v1/jobs/?limit=2").await.expect(200).body;
    let cursor = first["next_cursor"].as_str().expect("more");
    assert_eq!(ids(&owner, &format!("/api/v1/jobs/?limit=2&cursor={cursor}")).await, asked[2..]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_jobs_are_for_administrators_of_the_instance() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let db = app.database().await;
    let root = root(&app, &db).await;
    let (asked, _) = report(&owner, &workspace, LAST_WEEK.0, LAST_WEEK.1).await;
    let path = format!("/api/v1/admin/jobs/{}/", asked.id());
    owner.get("/api/v1/admin/jobs/").await.problem(404, "not_found");
    owner.get(&path).await.problem(404, "not_found");
    for what in ["retry", "cancel"] {
        owner.post(&format!("{path}{what}/"), &json!({})).await.problem(404, "not_found");
    }
    let seen = root.get(&path).await.expect(200).body;
    assert_eq!(
        (&seen["user_id"], &seen["payload"]["workspace"]),
        (&json!(owner.id), &json!(workspace))
    );
    root.post(&format!("{path}retry/"), &json!({})).await.problem(409, "job_not_over");
    root.post(&format!("{path}cancel/"), &json!({})).await.problem(409, "job_over");
    let list = async |filter: &str| ids(&root, &format!("/api/v1/admin/jobs/?{filter}")).await;
    assert_eq!(list("kind=make_report").await, [asked.id()]);
    assert_eq!(list("state=done&queue=reports&kind=make_report").await, [asked.id()]);
    assert_eq!(list("state=cancelled").await, Vec::<String>::new());
    assert_eq!(list("queue=mail&kind=make_report").await, Vec::<String>::new());
    root.get("/api/v1/admin/jobs/?state=lost").await.problem(422, "invalid");
    // It is asked each time.
    assert!(users::account::set_admin(&db, &root.email, false).await.expect("written"));
    root.get("/api/v1/admin/jobs/").await.problem(404, "not_found");
    db.close().await.expect("closed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_job_is_seen_with_its_error_and_let_try_again() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let db = app.database().await;
    let root = root(&app, &db).await;
    let id = broken(&db, &owner).await;
    let (own, path) = (format!("/api/v1/jobs/{id}/"), format!("/api/v1/admin/jobs/{id}/"));
    let dead = over(&owner, &own).await;
    assert_eq!((&dead["state"], &dead["attempts"]), (&json!("dead"), &json!(1)), "{dead}");
    assert!(
        dead["error"].as_str().is_some_and(|error| error.contains("workspace")),
        "it says what is missing: {dead}"
    );
    assert_eq!(ids(&root, "/api/v1/admin/jobs/?state=dead").await, [id.as_str()]);
    // With what it needs to know, it can be done the next time.
    let mended = json!({ "workspace": workspace, "starts_at": LAST_WEEK.0, "ends_at": LAST_WEEK.1, "has_mail": false });
    let mend = async |payload: &Value| {
        let these = job::Entity::update_many().col_expr(job::Column::Payload, Expr::value(payload.to_string()));
        let id: uuid::Uuid = id.parse().expect("an id");
        let changed = these
            .filter(job::Column::Id.eq(kernel::id::JobId(id)))
            .exec(&db)
            .await
            .expect("written");
        assert_eq!(changed.rows_affected, 1);
    };
    let again = root.post(&format!("{path}retry/"), &json!({})).await.expect(200).body;
    assert_eq!((&again["state"], &again["finished_at"]), (&json!("ready"), &Value::Null), "{again}");
    let dead = over(&root, &path).await;
    assert_eq!((&dead["state"], &dead["attempts"]), (&json!("dead"), &json!(2)), "{dead}");
    mend(&mended).await;
    root.post(&format!("{path}retry/"), &json!({})).await.expect(200);
    let done = over(&root, &path).await;
    assert_eq!(
        (&done["state"], &done["attempts"], &done["has_result"]),
        (&json!("done"), &json!(3), &json!(true)),
        "{done}"
    );
    db.close().await.expect("closed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_make_reports_any_more_does_not_read_what_came_out_of_theirs() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "admin").await;
    let (asked, _) = report(&admin, &workspace, LAST_WEEK.0, LAST_WEEK.1).await;
    let result = format!("/api/v1/jobs/{}/result/", asked.id());
    admin.get(&result).await.expect(200);
    let member = format!("/api/v1/workspaces/{workspace}/members/{}/", admin.id);
    owner.patch(&member, &json!({ "role": "member" })).await.expect(200);
    admin.get(&result).await.problem(403, "forbidden");
    assert_eq!(ids(&admin, "/api/v1/jobs/").await, [asked.id()]);
    owner.delete(&member).await.expect(204);
    admin.get(&result).await.problem(404, "not_found");
    assert_eq!(ids(&admin, "/api/v1/jobs/").await, Vec::<String>::new());
    app.stop().await;
}
