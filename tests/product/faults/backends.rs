//! Redis and PostgreSQL killed under load, with one node and with two.

use super::{
    control::{Control, Stands},
    probe::{Probe, until_acknowledged},
    scene::{self, Crowd, Scene},
};
use crate::support::{Binary, Socket, socket::Heard};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use std::time::{Duration, Instant};
use testing::{Postgres, Redis};

/// How long news between nodes may take while the bus is gone: the heartbeat, and what else this machine does.
const SLOWLY: Duration = Duration::from_secs(8);
/// How soon the product has to work again when its database does.
const RECOVERED: Duration = Duration::from_secs(10);

async fn node(postgres: &Postgres, redis: Option<&Redis>) -> Binary {
    let (database, bus) = (postgres.url(), redis.map(Redis::url).unwrap_or_default());
    Binary::start(&[("SHEAF__DATABASE__URL", &database), ("SHEAF__REDIS__URL", &bus)]).await
}

fn with_address(node: Binary) -> (Binary, String) {
    let address = node.address();
    (node, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_go_on_while_redis_is_killed_and_restarted() {
    let (postgres, mut redis, started) = (Postgres::start().await, Redis::start().await, Instant::now());
    let (a, b) = (node(&postgres, Some(&redis)).await, node(&postgres, Some(&redis)).await);
    let (a, b) = (with_address(a), with_address(b));
    let scene = Scene::set(&a.1).await;
    let (control, mut probes) = (Control::new(), Vec::new());
    let crowd = Crowd::start(
        scene.writers("w", 4),
        vec![scene.rest("r"), scene.rest("s")],
        &[&a.1, &b.1],
        &control,
    );
    let mut slowest = Duration::ZERO;
    for round in 0..scene::rounds().min(3) {
        for (phase, is_up) in [("up", true), ("down", false)] {
            if is_up {
                redis.restart().await;
            } else {
                redis.kill9();
            }
            for (way, (from, to)) in [(&a.1, &b.1), (&b.1, &a.1)].into_iter().enumerate() {
                let marker = format!("<probe.{phase}.{round}.{way}>");
                slowest = slowest.max(Probe::new(&scene, from, to).send(&marker, SLOWLY).await);
                probes.push(marker);
            }
        }
    }
    redis.restart().await;
    control.stop();
    let (writers, rest) = crowd.done().await;
    for address in [&a.1, &b.1] {
        let stands = Stands::read(&scene.owner, address, &scene.document).await;
        stands.check(&probes);
        stands.check_done(&writers, &rest, probes.len());
        scene::say(&format!(
            "{} edits at {address}, slowest news {slowest:?}, {:?}",
            stands.len(),
            started.elapsed()
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_under_one_node_loses_nothing() {
    postgres_killed(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_killed_under_two_nodes_loses_nothing() {
    postgres_killed(2).await;
}

async fn postgres_killed(count: usize) {
    let (mut postgres, started) = (Postgres::start().await, Instant::now());
    let redis = if count > 1 { Some(Redis::start().await) } else { None };
    let mut random = StdRng::seed_from_u64(scene::seed());
    let mut nodes = Vec::new();
    for _ in 0..count {
        nodes.push(with_address(node(&postgres, redis.as_ref()).await));
    }
    let addresses: Vec<String> = nodes.iter().map(|(_, address)| address.clone()).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let scene = Scene::set(addresses[0]).await;
    let (control, mut probes, mut slowest) = (Control::new(), Vec::new(), Duration::ZERO);
    let crowd = Crowd::start(scene.writers("w", 4), vec![scene.rest("r")], &addresses, &control);
    for round in 0..scene::rounds().min(4) {
        tokio::time::sleep(Duration::from_millis(random.random_range(200..800))).await;
        postgres.kill9();
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1500))).await;
        postgres.restart().await;
        for address in &addresses {
            let marker = format!("<probe.{round}.{address}>");
            slowest = slowest.max(until_acknowledged(&scene, address, &marker, RECOVERED).await);
            probes.push(marker);
        }
    }
    control.stop();
    let (writers, rest) = crowd.done().await;
    assert!(nodes.iter_mut().all(|(node, _)| node.runs()), "no node had to be started again");
    let errors: usize = writers.iter().map(|writer| writer.errors.len()).sum();
    for address in &addresses {
        let stands = Stands::read(&scene.owner, address, &scene.document).await;
        stands.check(&probes);
        stands.check_done(&writers, &rest, probes.len());
        scene::say(&format!(
            "{} edits, {errors} told to try again, slowest recovery {slowest:?}, {:?}",
            stands.len(),
            started.elapsed()
        ));
    }
}

/// The first join of a page while the database is away: refused or late, and the page is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_database_is_away_when_it_opens_is_not_written() {
    let mut postgres = Postgres::start().await;
    let mut server = node(&postgres, None).await;
    let scene = Scene::set(&server.address()).await;
    let path = format!("/api/v1/documents/{}/", scene.document);
    let before = scene.owner.get(&path).await.expect(200).body;
    server.restart().await;
    postgres.kill9();
    let mut socket = Socket::page(&server.address(), &scene.document, &scene.owner.token).await;
    socket
        .say(json!({ "type": "insert", "id": "first", "block": scene.block(0), "pos": 0, "text": "<first>" }))
        .await;
    let answer = loop {
        match socket.hear_within(Duration::from_secs(9)).await {
            // Nothing can be known yet, so nothing may be said but that it does not work.
            Some(Heard::Json(message)) => assert_eq!(message["type"], "error", "{message}"),
            answer => break answer,
        }
    };
    assert!(matches!(answer, None | Some(Heard::Closed(4500..=4599, _))), "{answer:?}");
    socket.close().await;
    postgres.restart().await;
    let marker = "<second>";
    until_acknowledged(&scene, &server.address(), marker, RECOVERED).await;
    let texts = scene.owner.texts(&scene.document).await;
    assert_eq!(
        texts.len(),
        before["blocks"].as_array().expect("blocks").len(),
        "no block came or went"
    );
    assert!(
        texts[0].ends_with("Block 0") && texts[0].matches(marker).count() == 1 && texts[0].matches("<first>").count() <= 1,
        "{texts:?}"
    );
    assert_eq!(texts[1..], (1..6).map(|i| format!("Block {i}")).collect::<Vec<_>>());
}
