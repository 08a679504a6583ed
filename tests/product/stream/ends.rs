//! How a stream ends: with a reason, and at once.

use super::{follow, rename};
use crate::support::{
    Sse, TestApp,
    sse::{self, From},
};
use std::time::{Duration, Instant};

/// Streams that one person may have open on one node.
const PER_USER: usize = 32;

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_member_hears_nothing_more_within_a_second() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    for n in 0..5 {
        let friend = app.user(&format!("friend{n}")).await;
        owner.adds(&friend, &workspace, "member").await;
        let mut stream = follow(&app, &friend, &workspace, From::Now).await;
        let member = format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id);
        owner.delete(&member).await.expect(204);
        assert_eq!(stream.closed(Instant::now() + Duration::from_secs(1)).await, "access_lost");
        let path = format!("/api/v1/workspaces/{workspace}/events/");
        friend.get(&path).await.problem(404, "not_found");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_hears_nothing_more() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let mut stream = follow(&app, &friend, &workspace, From::Now).await;
    friend
        .post(&format!("/api/v1/workspaces/{workspace}/leave/"), &serde_json::json!({}))
        .await
        .expect(204);
    assert_eq!(stream.closed(Instant::now() + Duration::from_secs(1)).await, "access_lost");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_in_the_trash_is_heard_of_no_more() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut stream = follow(&app, &owner, &workspace, From::Now).await;
    owner.delete(&format!("/api/v1/workspaces/{workspace}/")).await.expect(204);
    assert_eq!(stream.closed(Instant::now() + Duration::from_secs(1)).await, "access_lost");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_lasts_as_long_as_its_token() {
    let app = TestApp::with(&[("auth.access_ttl_secs", "3")]).await;
    let began = Instant::now();
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut stream = follow(&app, &owner, &workspace, From::Now).await;
    rename(&owner, &workspace, "still good").await;
    assert_eq!(
        stream.until("workspace.updated").await.last().map(|last| last.kind.as_str()),
        Some("workspace.updated")
    );
    assert_eq!(stream.closed(began + Duration::from_secs(6)).await, "token_expired");
    assert!(began.elapsed() > Duration::from_millis(1_900), "too early: {:?}", began.elapsed());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_streams_of_one_person_are_refused() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let mut streams = Vec::new();
    for _ in 0..PER_USER {
        streams.push(follow(&app, &owner, &workspace, From::Now).await);
    }
    let address = app.address(0);
    let path = format!("/api/v1/workspaces/{workspace}/events/");
    owner.get(&path).await.problem(429, "too_many_streams");
    // They are counted for each person, and one that was closed makes room.
    follow(&app, &friend, &workspace, From::Now).await;
    drop(streams.pop());
    let until = Instant::now() + Duration::from_secs(30);
    while sse::ask(&address, &owner.token, &workspace, From::Now).await.status() != 200 {
        assert!(Instant::now() < until, "a closed stream still counts");
        // A node notices a closed connection when it writes to it.
        rename(&owner, &workspace, "news").await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_ends_its_streams_and_does_not_wait_for_them() {
    let app = TestApp::with(&[("server.drain_secs", "20")]).await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut streams = Vec::new();
    for _ in 0..10 {
        streams.push(follow(&app, &owner, &workspace, From::Now).await);
    }
    let began = Instant::now();
    let reading = streams
        .into_iter()
        .map(|mut stream: Sse| tokio::spawn(async move { stream.closed(began + Duration::from_secs(5)).await }));
    let reading: Vec<_> = reading.collect();
    app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(5), "it took {:?}", began.elapsed());
    for reader in reading {
        assert_eq!(reader.await.expect("it was read"), "node_going_away");
    }
}
