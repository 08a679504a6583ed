//! Two nodes on one PostgreSQL and Redis: a stream does not care on which of them something happens.

use super::{rename, seqs};
use crate::support::{Sse, TestApp, sse::From};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_on_one_node_arrives_on_the_other() {
    let app = TestApp::cluster(2).await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let mut stream = Sse::open(&app.address(1), &owner.token, &workspace, From::Query(0)).await;
    let mut seen = stream.facts(2).await;
    for n in 0..20 {
        rename(&owner.at(&app.address(n % 2)), &workspace, &format!("{n}")).await;
    }
    seen.extend(stream.facts(20).await);
    // And a client that goes to another node goes on where it was.
    let last = stream.close();
    rename(&owner, &workspace, "end").await;
    let mut stream = Sse::open(&app.address(0), &owner.token, &workspace, From::Header(last)).await;
    seen.extend(stream.facts(1).await);
    assert_eq!(seqs(&seen), (1..=23).collect::<Vec<i64>>());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_removed_on_one_node_hears_nothing_more_on_the_other_within_a_second() {
    let app = TestApp::cluster(2).await;
    let (owner, workspace, ..) = app.page("Hello").await;
    for n in 0..5 {
        let friend = app.user(&format!("friend{n}")).await;
        owner.adds(&friend, &workspace, "member").await;
        let mut stream = Sse::open(&app.address(1), &friend.token, &workspace, From::Now).await;
        let member = format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id);
        owner.delete(&member).await.expect(204);
        assert_eq!(stream.closed(Instant::now() + Duration::from_secs(1)).await, "access_lost");
    }
    app.stop().await;
}
