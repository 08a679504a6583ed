//! Activity reports, who gets them, and the mail that the product writes.

use super::events::entries;
use crate::support::{TestApp, User};
use kernel::clock;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testing::MailCatcher;

/// How long a test waits for a job.
const PATIENCE: Duration = Duration::from_secs(20);

/// Asks for a report and waits for it. Gives the answer and the job when it is done.
pub(super) async fn report(who: &User, workspace: &str, starts_at: &str, ends_at: &str) -> (crate::support::http::Answer, Value) {
    let period = json!({ "starts_at": starts_at, "ends_at": ends_at });
    let asked = who
        .post(&format!("/api/v1/workspaces/{workspace}/reports/"), &period)
        .await
        .expect(202);
    let job = over(who, &format!("/api/v1/jobs/{}/", asked.id())).await;
    (asked, job)
}

/// A job when it is over.
pub(super) async fn over(who: &User, path: &str) -> Value {
    let until = Instant::now() + PATIENCE;
    loop {
        let job = who.get(path).await.expect(200).body;
        if ["done", "dead", "cancelled"].contains(&job["state"].as_str().expect("a state")) {
            return job;
        }
        assert!(Instant::now() < until, "not over: {job}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_is_taken_and_given_back() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let admin = app.user("admin").await;
    owner.adds(&admin, &workspace, "admin").await;
    let path = format!("/api/v1/workspaces/{workspace}/reports/subscription/");
    let is_subscribed = async |who: &User| who.get(&path).await.expect(200).body["is_subscribed"].clone();
    assert_eq!(is_subscribed(&owner).await, false);
    let put = async || owner.call(reqwest::Method::PUT, &path, None).await.expect(204);
    put().await;
    put().await;
    assert_eq!(is_subscribed(&owner).await, true);
    assert_eq!(is_subscribed(&admin).await, false);
    owner.delete(&path).await.expect(204);
    owner.delete(&path).await.expect(204);
    assert_eq!(is_subscribed(&owner).await, false);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_makes_no_sense_is_refused() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let path = format!("/api/v1/workspaces/{workspace}/reports/");
    let tomorrow = (clock::now() + Duration::from_secs(86_400)).to_rfc3339();
    let bad = [
        ("2026-01-12T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("2026-01-05T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("2024-01-05T00:00:00Z", "2026-01-05T00:00:00Z"),
        ("2026-11-01T00:00:00Z", tomorrow.as_str()),
    ];
    for (starts_at, ends_at) in bad {
        let period = json!({ "starts_at": starts_at, "ends_at": ends_at });
        let problem = owner.post(&path, &period).await.problem(422, "invalid").body;
        assert_eq!(problem["errors"][0]["pointer"], "/ends_at", "{starts_at} to {ends_at}: {problem}");
    }
    for body in [json!({}), json!({ "starts_at": "yesterday", "ends_at": "today" })] {
        assert_eq!(owner.post(&path, &body).await.status, 422, "{body}");
    }
    assert_eq!(owner.get("/api/v1/jobs/").await.expect(200).body["data"], json!([]));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_are_what_was_done() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let (friend, other) = (app.user("friend").await, app.user("other").await);
    owner.adds(&friend, &workspace, "member").await;
    owner.adds(&other, &workspace, "member").await;
    owner
        .delete(&format!("/api/v1/workspaces/{workspace}/members/{}/", other.id))
        .await
        .expect(204);
    let theirs = friend.document(&workspace, "Theirs", json!([])).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    friend
        .patch(&format!("/api/v1/documents/{theirs}/"), &json!({ "icon": "🍎" }))
        .await
        .expect(200);
    owner.delete(&format!("/api/v1/documents/{page}/")).await.expect(204);
    let done = entries(&owner, &format!("/api/v1/workspaces/{workspace}/activity/"), 8).await;
    assert_eq!(done.len(), 8, "{done:#?}");
    let now = clock::now();
    let starts_at = (now - Duration::from_secs(2 * 86_400)).to_rfc3339();
    let (_, job) = report(&owner, &workspace, &starts_at, &now.to_rfc3339()).await;
    assert_eq!(job["state"], "done", "{job}");
    let result = owner
        .get(&format!("/api/v1/jobs/{}/result/", job["id"].as_str().expect("an id")))
        .await
        .expect(200)
        .body;
    let figures = &result["figures"];
    let numbers = [
        ("events", 8),
        ("active_people", 2),
        ("documents_created", 2),
        ("documents_edited", 0),
        ("documents_trashed", 1),
        ("members_added", 2),
        ("members_removed", 1),
    ];
    for (name, number) in numbers {
        assert_eq!(figures[name], number, "{name} in {figures}");
    }
    assert_eq!(figures["totals"], json!({ "members": 2, "documents": 1 }));
    let people = json!([
        { "user_id": owner.id, "display_name": "owner", "events": 6 },
        { "user_id": friend.id, "display_name": "friend", "events": 2 },
    ]);
    assert_eq!(figures["people"], people);
    // The one in the trash has a name still.
    let mut pages = [(&page, "Notes"), (&theirs, "Theirs")];
    pages.sort_unstable();
    let pages = pages.map(|(id, title)| json!({ "document_id": id, "title": title, "events": 2 }));
    assert_eq!(figures["documents"], json!(pages));
    let days: i64 = figures["per_day"]
        .as_array()
        .expect("days")
        .iter()
        .filter_map(|day| day["events"].as_i64())
        .sum();
    assert_eq!(days, 8, "{figures}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_added_gets_a_mail_in_the_outbox() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let outbox = app.data_dir().join("outbox");
    let mails = || {
        let files = std::fs::read_dir(&outbox).into_iter().flatten().filter_map(Result::ok);
        files
            .map(|file| file.path())
            .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
            // Everybody has got another one, when they registered.
            .filter(|path| std::fs::read_to_string(path).is_ok_and(|text| !text.contains("#verify")))
            .collect::<Vec<_>>()
    };
    let until = Instant::now() + PATIENCE;
    while mails().is_empty() {
        assert!(Instant::now() < until, "no mail in {}", outbox.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // A second one shows that no other was on its way.
    let second = app.user("second").await;
    owner.adds(&second, &workspace, "guest").await;
    while mails().len() < 2 {
        assert!(Instant::now() < until, "no second mail in {}", outbox.display());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let texts: Vec<String> = mails()
        .iter()
        .map(|path| std::fs::read_to_string(path).expect("readable"))
        .collect();
    for (person, other) in [(&friend, &second), (&second, &friend)] {
        let theirs: Vec<&String> = texts.iter().filter(|text| text.contains(&person.email)).collect();
        assert_eq!(theirs.len(), 1, "{texts:#?}");
        assert!(theirs[0].contains("Subject: owner added you to Engines"), "{}", theirs[0]);
        assert!(!theirs[0].contains(&other.email));
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_added_gets_one_mail_from_the_mail_server() {
    let catcher = MailCatcher::start(&[]).await;
    let app = TestApp::with(&[("mail.url", &catcher.url()), ("mail.from", "Sheaf <sheaf@example.com>")]).await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let (first, second) = (app.user("first").await, app.user("second").await);
    owner.adds(&first, &workspace, "member").await;
    // Each of the three has got one when they registered.
    catcher.wait_for(3 + 1, PATIENCE).await;
    owner.adds(&second, &workspace, "admin").await;
    let mut mails = catcher.wait_for(3 + 2, PATIENCE).await;
    mails.retain(|mail| mail["subject"] != "Is this your e-mail address?");
    let envelopes: Vec<(&Value, Value)> = mails.iter().map(|mail| (&mail["from"], mail["to"].clone())).collect();
    let from = json!("sheaf@example.com");
    assert_eq!(envelopes, [(&from, json!([first.email])), (&from, json!([second.email]))]);
    for mail in &mails {
        assert_eq!(mail["subject"], "owner added you to Engines");
        assert!(mail["text"].as_str().is_some_and(|text| text.contains("Engines")), "{mail}");
        assert!(mail["html"].as_str().is_some_and(|text| text.contains("Engines")), "{mail}");
    }
    assert!(mails[1]["text"].as_str().is_some_and(|text| text.contains("admin")), "{}", mails[1]);
    app.stop().await;
    assert_eq!(catcher.mails().await.len(), 3 + 2);
}
