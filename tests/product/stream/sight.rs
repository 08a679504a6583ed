//! Who gets what: a stream never shows more than the activity feed would.

use super::{follow, kinds, rename};
use crate::support::{TestApp, sse::From};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_hears_of_the_workspace_and_of_themselves() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("secret").await;
    let (guest, friend) = (app.user("guest").await, app.user("friend").await);
    owner.adds(&guest, &workspace, "guest").await;
    let mut stream = follow(&app, &guest, &workspace, From::Query(0)).await;
    owner.adds(&friend, &workspace, "member").await;
    let document = format!("/api/v1/documents/{page}/");
    owner.patch(&document, &json!({ "icon": "🍎" })).await.expect(200);
    owner.delete(&document).await.expect(204);
    let member = format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id);
    owner.delete(&member).await.expect(204);
    rename(&owner, &workspace, "Machines").await;
    let seen = stream.until("workspace.updated").await;
    assert_eq!(kinds(&seen), ["workspace.created", "member.added", "workspace.updated"]);
    assert_eq!(seen[1].data["subject_id"], guest.id);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_in_the_stream_from_the_moment_that_it_may_be_seen() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let document = format!("/api/v1/documents/{page}/");
    owner.patch(&document, &json!({ "default_level": "none" })).await.expect(200);
    let below = json!({ "workspace_id": workspace, "title": "Below", "parent_id": page });
    // The stream begins behind all that.
    let mut stream = follow(&app, &friend, &workspace, From::Now).await;
    rename(&owner, &workspace, "begin").await;
    stream.until("workspace.updated").await;
    let below = owner.post("/api/v1/documents/", &below).await.expect(201).id();
    let child = format!("/api/v1/documents/{below}/");
    owner.patch(&child, &json!({ "icon": "🍌" })).await.expect(200);
    owner.patch(&document, &json!({ "icon": "🥥" })).await.expect(200);
    rename(&owner, &workspace, "fence").await;
    assert_eq!(kinds(&stream.until("workspace.updated").await), ["workspace.updated"]);

    owner.patch(&document, &json!({ "default_level": "view" })).await.expect(200);
    let raised = stream.event().await;
    assert_eq!(
        (raised.kind.as_str(), &raised.data["subject_id"]),
        ("document.access_changed", &json!(page))
    );
    owner.patch(&child, &json!({ "icon": "🍩" })).await.expect(200);
    let seen = stream.event().await;
    assert_eq!((seen.kind.as_str(), &seen.data["subject_id"]), ("document.updated", &json!(below)));

    owner.patch(&document, &json!({ "default_level": "none" })).await.expect(200);
    owner.patch(&child, &json!({ "icon": "🥚" })).await.expect(200);
    rename(&owner, &workspace, "end").await;
    assert_eq!(kinds(&stream.until("workspace.updated").await), ["workspace.updated"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_for_admins_are_for_admins() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let (admin, friend) = (app.user("admin").await, app.user("friend").await);
    owner.adds(&admin, &workspace, "admin").await;
    owner.adds(&friend, &workspace, "member").await;
    let document = format!("/api/v1/documents/{page}/");
    owner.patch(&document, &json!({ "default_level": "none" })).await.expect(200);
    let mut admins = follow(&app, &admin, &workspace, From::Now).await;
    let mut members = follow(&app, &friend, &workspace, From::Now).await;
    rename(&owner, &workspace, "begin").await;
    admins.until("workspace.updated").await;
    members.until("workspace.updated").await;
    admin.get(&document).await.expect(200);
    let viewed = admins.event().await;
    assert_eq!(
        (viewed.kind.as_str(), &viewed.data["user_id"]),
        ("document.viewed", &json!(admin.id))
    );
    rename(&owner, &workspace, "end").await;
    assert_eq!(kinds(&members.until("workspace.updated").await), ["workspace.updated"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_for_a_job_sees_how_far_it_is_and_that_it_is_done() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let mut stream = follow(&app, &owner, &workspace, From::Now).await;
    let mut members = follow(&app, &friend, &workspace, From::Now).await;
    let period = json!({ "starts_at": "2026-01-05T00:00:00Z", "ends_at": "2026-01-12T00:00:00Z" });
    let job = owner
        .post(&format!("/api/v1/workspaces/{workspace}/reports/"), &period)
        .await
        .expect(202)
        .id();
    let (mut progress, mut is_done, started) = (Vec::new(), false, Instant::now());
    while !is_done || progress.last() != Some(&100) {
        let left = Duration::from_secs(20).saturating_sub(started.elapsed());
        let message = stream.next(left).await.expect("the stream goes on");
        match message.kind.as_str() {
            "job.progressed" => {
                assert_eq!(
                    (&message.data["job_id"], &message.data["kind"]),
                    (&json!(job), &json!("make_report"))
                );
                progress.push(message.data["progress"].as_i64().expect("a number"));
            }
            "job.succeeded" => {
                assert_eq!(message.data["payload"], json!({ "job": job, "kind": "make_report" }));
                is_done = true;
            }
            _ => {}
        }
    }
    assert!(progress.is_sorted(), "{progress:?}");
    rename(&owner, &workspace, "end").await;
    let seen = members.until("workspace.updated").await;
    assert!(
        kinds(&seen)
            .iter()
            .all(|kind| !kind.starts_with("job.") && !kind.starts_with("report.")),
        "{:?}",
        kinds(&seen)
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_workspace_is_in_it() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let other = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Other" }))
        .await
        .expect(201)
        .id();
    let mut stream = follow(&app, &owner, &workspace, From::Query(0)).await;
    for n in 0..5 {
        rename(&owner, &other, &format!("other {n}")).await;
    }
    rename(&owner, &workspace, "end").await;
    for message in stream.until("workspace.updated").await {
        assert_eq!(message.data["workspace_id"], workspace);
    }
    app.stop().await;
}
