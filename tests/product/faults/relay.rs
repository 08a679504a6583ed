//! The relay killed with its node: no fact is lost, none comes out of order, and none twice on a stream that comes back.

use super::scene;
use crate::support::{
    Binary, Sse, User,
    sse::{From, ask},
};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::Method;
use serde_json::json;
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use testing::{Form, TestDb};

/// Makes pages at a node until told to stop, whether it answers or not. Gives those that it was told were made.
async fn write(owner: User, workspace: String, stop: Arc<AtomicBool>) -> Vec<String> {
    let mut made = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let body = json!({ "workspace_id": workspace, "title": "Page" });
        match owner.try_call(Method::POST, "/api/v1/documents/", Some(&body)).await {
            Some((201, page)) => made.push(page["id"].as_str().expect("an id").to_owned()),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    made
}

/// What a stream has brought so far: numbers and the pages that were made.
#[derive(Default)]
struct Read {
    seqs: Vec<i64>,
    made: Vec<String>,
}

/// Follows the stream over every break until it has seen all of these. Panics when that takes too long.
async fn follow(owner: &User, addresses: &[String], workspace: &str, read: &mut Read, until: impl Fn(&Read) -> bool, within: Duration) {
    let started = Instant::now();
    for turn in 0.. {
        if until(read) {
            return;
        }
        assert!(started.elapsed() < within, "only {} facts came", read.seqs.len());
        let address = &addresses[turn % addresses.len()];
        let last = read.seqs.last().copied().unwrap_or(0);
        if reqwest::get(format!("http://{address}/health/")).await.is_err() {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        }
        let opened = tokio::spawn(begin(address.clone(), owner.token.clone(), workspace.to_owned(), last)).await;
        // The node may have been killed in between.
        let Ok(Some(mut stream)) = opened else { continue };
        while !until(read) {
            let Ok(Some(message)) = tokio::time::timeout(Duration::from_secs(1), stream.next(within)).await else {
                break;
            };
            if message.kind.starts_with("stream.") || message.kind == "job.progressed" {
                continue;
            }
            read.seqs.push(message.seq());
            if message.kind == "document.created" {
                read.made.push(message.data["subject_id"].as_str().expect("a page").to_owned());
            }
        }
    }
}

async fn begin(address: String, token: String, workspace: String, last: i64) -> Option<Sse> {
    let answer = ask(&address, &token, &workspace, From::Header(last)).await;
    (answer.status() == 200).then_some(())?;
    drop(answer);
    Some(Sse::open(&address, &token, &workspace, From::Header(last)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_relay_loses_no_fact_and_repeats_none() {
    let (rounds, seed, started) = (scene::rounds(), scene::seed(), Instant::now());
    let mut random = StdRng::seed_from_u64(seed);
    let (_db, mut nodes) = nodes().await;
    let addresses: Vec<String> = nodes.iter().map(Binary::address).collect();
    let owner = User::newcomer(&addresses[0], "owner").await;
    let workspace = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Relay" }))
        .await
        .expect(201)
        .id();
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|i| tokio::spawn(write(owner.at(&addresses[i % addresses.len()]), workspace.clone(), stop.clone())))
        .collect();
    let reader = {
        let (owner, addresses, workspace, stop) = (owner.clone(), addresses.clone(), workspace.clone(), stop.clone());
        tokio::spawn(async move {
            let mut read = Read::default();
            let is_over = |_: &Read| stop.load(Ordering::Relaxed);
            follow(&owner, &addresses, &workspace, &mut read, is_over, Duration::from_secs(300)).await;
            read
        })
    };
    for round in 0..rounds {
        tokio::time::sleep(Duration::from_millis(random.random_range(60..350))).await;
        let node = round % nodes.len();
        nodes[node].restart().await;
        // It says that it listens before its threads have made their routes, and a kill before that shows nothing.
        let back = owner.at(&addresses[node]);
        while back.try_call(Method::GET, "/api/v1/event-types/", None).await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut acknowledged = BTreeSet::new();
    for writer in writers {
        acknowledged.extend(writer.await.expect("a writer ends"));
    }
    let mut read = reader.await.expect("the reader ends");
    let all_came = |read: &Read| acknowledged.iter().all(|id| read.made.contains(id));
    follow(&owner, &addresses, &workspace, &mut read, all_came, Duration::from_secs(60)).await;
    let wanted: Vec<i64> = (1..=read.seqs.len() as i64).collect();
    assert_eq!(read.seqs, wanted, "seed {seed}: every number once and in order");
    let unique: BTreeSet<&String> = read.made.iter().collect();
    assert_eq!(unique.len(), read.made.len(), "seed {seed}: no page was made twice");
    let path = format!("/api/v1/workspaces/{workspace}/audit-log/verify/");
    let verified = owner.at(&addresses[0]).get(&path).await.expect(200).body;
    assert_eq!(verified["is_intact"], true, "{verified}");
    assert!(acknowledged.len() > rounds, "{} pages", acknowledged.len());
    scene::say(&format!(
        "{rounds} kills, {} facts, {} acknowledged, seed {seed}, {:?}",
        read.seqs.len(),
        acknowledged.len(),
        started.elapsed()
    ));
}

/// One node on its file, or two on PostgreSQL and Redis.
async fn nodes() -> (Option<TestDb>, Vec<Binary>) {
    let off = ("SHEAF__WORKER__ENABLED", "false");
    if Form::from_env() == Form::Embedded {
        return (None, vec![Binary::start(&[off]).await]);
    }
    let (db, redis) = (TestDb::of(Form::Full).await, crate::support::app::redis_url());
    let settings = [off, ("SHEAF__DATABASE__URL", db.url()), ("SHEAF__REDIS__URL", redis.as_str())];
    let nodes = vec![Binary::start(&settings).await, Binary::start(&settings).await];
    (Some(db), nodes)
}
