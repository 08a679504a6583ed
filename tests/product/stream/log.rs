//! What arrives: every change, in the order of the log, once; also after a break.

use super::{activity, follow, kinds, rename, seqs};
use crate::support::{
    TestApp,
    sse::{self, From},
};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn every_change_arrives_as_the_feed_has_it() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let friend = app.user("friend").await;
    let mut stream = follow(&app, &owner, &workspace, From::Query(0)).await;
    assert_eq!(kinds(&stream.facts(2).await), ["workspace.created", "document.created"]);
    rename(&owner, &workspace, "Machines").await;
    owner.adds(&friend, &workspace, "member").await;
    let member = format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id);
    owner.patch(&member, &json!({ "role": "guest" })).await.expect(200);
    owner.delete(&member).await.expect(204);
    let document = format!("/api/v1/documents/{page}/");
    owner.patch(&document, &json!({ "icon": "🍎" })).await.expect(200);
    let insert = json!({ "type": "paragraph", "text": "More" });
    owner.post(&format!("{document}blocks/"), &insert).await.expect(201);
    owner.delete(&document).await.expect(204);
    owner.post(&format!("{document}restore/"), &json!({})).await.expect(200);
    owner.delete(&document).await.expect(204);
    owner.delete(&format!("{document}?permanent=true")).await.expect(204);
    let seen = stream.until("document.deleted").await;
    let expected = [
        "workspace.updated",
        "member.added",
        "member.role_changed",
        "member.removed",
        "document.updated",
        "document.edited",
        "document.trashed",
        "document.restored",
        "document.trashed",
        "document.deleted",
    ];
    assert_eq!(kinds(&seen), expected);
    assert_eq!(seqs(&seen), (3..13).collect::<Vec<i64>>());
    let feed = activity(&owner, &workspace).await;
    assert_eq!(seen.iter().map(|message| message.data.clone()).collect::<Vec<_>>(), feed[2..]);
    for message in &seen {
        assert_eq!(
            (&message.data["seq"], &message.data["type"]),
            (&json!(message.seq()), &json!(message.kind))
        );
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_number_it_begins_now() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    // The log has stamped everything when somebody has read it.
    follow(&app, &owner, &workspace, From::Query(0)).await.facts(2).await;
    let mut stream = follow(&app, &owner, &workspace, From::Now).await;
    rename(&owner, &workspace, "Machines").await;
    let first = stream.event().await;
    assert_eq!((first.kind.as_str(), first.seq()), ("workspace.updated", 3));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_break_loses_nothing_and_repeats_nothing() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut seen = Vec::new();
    let (mut last, mut made) = (0, 2);
    for round in 0..6 {
        let from = if round % 2 == 0 { From::Header(last) } else { From::Query(last) };
        let mut stream = follow(&app, &owner, &workspace, from).await;
        for n in 0..5 {
            rename(&owner, &workspace, &format!("{round}.{n}")).await;
        }
        made += 5;
        // Broken off in the middle of what has been made.
        seen.extend(stream.facts(3).await);
        last = stream.close();
    }
    let mut stream = follow(&app, &owner, &workspace, From::Header(last)).await;
    seen.extend(stream.facts(made - seen.len()).await);
    assert_eq!(seqs(&seen), (1..=32).collect::<Vec<i64>>());
    let feed = activity(&owner, &workspace).await;
    assert_eq!(seen.into_iter().map(|message| message.data).collect::<Vec<_>>(), feed);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_the_product_loses_nothing_and_repeats_nothing() {
    let mut app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut stream = follow(&app, &owner, &workspace, From::Header(0)).await;
    let mut seen = stream.facts(2).await;
    let last = stream.close();
    for n in 0..20 {
        rename(&owner, &workspace, &format!("before {n}")).await;
    }
    // At once, so that the log may not have numbered all of them yet.
    app.halt().await;
    app.resume().await;
    let owner = owner.at(&app.address(0));
    let mut stream = follow(&app, &owner, &workspace, From::Header(last)).await;
    for n in 0..5 {
        rename(&owner, &workspace, &format!("after {n}")).await;
    }
    seen.extend(stream.facts(25).await);
    assert_eq!(seqs(&seen), (1..=27).collect::<Vec<i64>>());
    let feed = activity(&owner, &workspace).await;
    assert_eq!(seen.into_iter().map(|message| message.data).collect::<Vec<_>>(), feed);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_log_does_not_have_begins_anew() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    follow(&app, &owner, &workspace, From::Query(0)).await.facts(2).await;
    for from in [From::Header(3), From::Query(1_000_000), From::Header(-1)] {
        let mut stream = follow(&app, &owner, &workspace, from).await;
        let reset = stream.event().await;
        assert_eq!((reset.kind.as_str(), reset.seq()), ("stream.reset", 2), "{from:?}");
        assert_eq!(reset.data["seq"], 2);
    }
    let mut stream = follow(&app, &owner, &workspace, From::Header(99)).await;
    stream.event().await;
    rename(&owner, &workspace, "Machines").await;
    assert_eq!(stream.event().await.seq(), 3);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_number_is_refused() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let path = format!("/api/v1/workspaces/{workspace}/events/");
    for bad in ["abc", "1.5", "99999999999999999999", "1 2"] {
        let request = app.http.get(app.url(&path)).bearer_auth(&owner.token).header("last-event-id", bad);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), 422, "{bad}");
        let problem: serde_json::Value = answer.json().await.expect("a problem");
        assert_eq!(problem["errors"][0]["pointer"], "/last_event_id", "{problem}");
    }
    owner.get(&format!("{path}?last_event_id=abc")).await.problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_never_compressed_and_never_kept() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    // Every stream of these tests asks for gzip and brotli.
    let mut stream = follow(&app, &owner, &workspace, From::Query(0)).await;
    let headers = stream.headers().clone();
    assert_eq!(headers["content-type"], "text/event-stream");
    assert_eq!(headers["cache-control"], "no-store");
    let encoding = headers
        .get("content-encoding")
        .map_or("identity", |value| value.to_str().expect("text"));
    assert_eq!(encoding, "identity");
    assert_eq!(stream.facts(2).await.len(), 2);
    let answer = sse::ask(&app.address(0), "", &workspace, From::Now).await;
    assert_eq!(answer.status(), 401);
    app.stop().await;
}
