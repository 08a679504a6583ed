//! Attacks by what a change or a sync message says.

use super::{Scene, bytes};
use crate::support::{Socket, socket::Heard};
use automerge::{ActorId, ChangeHash};
use serde_json::json;
use std::num::NonZeroU64;

/// The page's saved bytes, as a raw client gets them.
async fn saved(scene: &Scene) -> Vec<u8> {
    let mut socket = scene.attack(Some("collab.automerge.v1")).await;
    loop {
        match socket.hear().await {
            Heard::Binary(bytes) => return bytes,
            Heard::Json(_) => {}
            end => panic!("no page came: {end:?}"),
        }
    }
}

/// Sends bytes as sync message, raw chunk and hexadecimal update; each time the answer is an error or a close.
async fn refused_everywhere(scene: &Scene, change: &[u8]) {
    let mut raw = scene.attack(None).await;
    raw.binary(change.to_vec()).await;
    assert!((4400..4500).contains(&raw.closed().await));
    let mut sync = scene.attack(None).await;
    sync.binary(bytes::message(&[])).await;
    sync.binary(bytes::message(&[change.to_vec()])).await;
    assert!((4400..4500).contains(&sync.closed().await));
    let (mut json, _) = Socket::join(&scene.app.address(0), &scene.document, &scene.attacker.token).await;
    let payload = hex::encode(change);
    json.say(json!({ "type": "operation", "id": "evil", "data": { "operation": { "type": "update", "payload": payload }, "version": 1 } }))
        .await;
    let error = json.until("error").await;
    assert!(error.to_string().contains("evil"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn bloom_filters_that_panic_or_eat_memory_are_refused() {
    let scene = Scene::new().await;
    for (entries, bits, probes) in [
        (1, 0, 7),
        (1, 10, 200_000_000),
        (1, 10, u64::from(u32::MAX)),
        (u64::from(u32::MAX), 4_000_000_000, 7),
        (0, 0, 0),
    ] {
        let mut socket = scene.attack(None).await;
        socket.binary(bytes::bloom(entries, bits, probes)).await;
        assert_eq!(socket.closed().await, 4400);
        let mut repo = scene.attack(None).await;
        repo.binary(bytes::cbor(&[("type", "join"), ("senderId", "evil")], None)).await;
        let url = documents::url::encode(scene.document.parse().expect("an id"));
        let fields = [
            ("type", "sync"),
            ("senderId", "evil"),
            ("targetId", "x"),
            ("documentId", url.as_str()),
        ];
        repo.binary(bytes::cbor(&fields, Some(&bytes::bloom(entries, bits, probes)))).await;
        assert_eq!(repo.closed().await, 4400);
    }
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_poison_a_page_are_refused() {
    let scene = Scene::new().await;
    let page = saved(&scene).await;
    let fresh = || bytes::copy(&page, ActorId::random());
    let evil: Vec<Vec<u8>> = vec![
        bytes::bent(&mut fresh(), |change| change.operations.clear()),
        bytes::bent(&mut fresh(), |change| {
            change.start_op = NonZeroU64::new(u64::from(u32::MAX)).expect("a counter")
        }),
        bytes::bent(&mut fresh(), |change| change.time = i64::MIN),
        bytes::bent(&mut fresh(), |change| change.seq = 9),
        bytes::bent(&mut fresh(), |change| change.message = Some("m".repeat(100_000))),
        page.clone(),
        vec![0x85, 0x6f, 0x4a, 0x83, 0, 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f],
    ];
    for change in evil {
        refused_everywhere(&scene, &change).await;
    }
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_users_actor_cannot_be_used() {
    let scene = Scene::new().await;
    let page = saved(&scene).await;
    let mut victim = bytes::copy(&page, ActorId::random());
    let path = format!("/ws/documents/{}?token={}", scene.document, scene.owner.token);
    let mut honest = Socket::open(&scene.app.address(0), &path, Some("collab.automerge.v1")).await;
    honest.binary(bytes::edit(&mut victim).raw_bytes().to_vec()).await;
    honest.find("ack", |ack| ack["server_seq"] == 2).await;
    let forged = bytes::edit(&mut victim.clone());
    refused_everywhere(&scene, forged.raw_bytes()).await;
    // The victim goes on.
    honest.binary(bytes::edit(&mut victim).raw_bytes().to_vec()).await;
    honest.find("ack", |ack| ack["server_seq"] == 3).await;
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_without_their_ground_are_not_kept() {
    let scene = Scene::new().await;
    let page = saved(&scene).await;
    let mut socket = scene.attack(None).await;
    for _ in 0..200 {
        let orphan = bytes::bent(&mut bytes::copy(&page, ActorId::random()), |change| {
            change.deps = vec![ChangeHash([7; 32])]
        });
        socket.binary(orphan).await;
    }
    let error = socket.find("error", |error| error["code"] == "missing_dependencies").await;
    assert!(error["message"].is_string());
    socket.close().await;
    scene.stands().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hundreds_of_actors_on_one_key_cost_only_themselves() {
    let scene = Scene::new().await;
    let page = saved(&scene).await;
    let mut socket = scene.attack(None).await;
    let mut all = Vec::new();
    for _ in 0..300 {
        all.extend(bytes::edit(&mut bytes::copy(&page, ActorId::random())).raw_bytes());
    }
    socket.binary(all).await;
    socket.find("ack", |ack| ack["server_seq"] == 301).await;
    socket.close().await;
    scene.stands().await;
}
