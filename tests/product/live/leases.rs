//! Leases: a client has a page for itself for some seconds.

use super::{Scene, edit};
use crate::support::{Binary, Socket, TestApp, User};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use testing::{Form, TestDb};

/// Longer than a lease outlives its connection.
const BEYOND_THE_GRACE: Duration = Duration::from_secs(9);

async fn takes(socket: &mut Socket, ttl_ms: u64) -> Value {
    socket
        .say(json!({ "type": "lock", "scope": "document", "mode": "exclusive", "ttl_ms": ttl_ms, "id": "lock" }))
        .await;
    loop {
        match socket.hear().await {
            crate::support::socket::Heard::Json(answer) if answer["id"] == "lock" => return answer,
            crate::support::socket::Heard::Json(_) => {}
            end => panic!("waited for the lock, but heard {end:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_the_page_for_itself_until_it_gives_it_back() {
    let scene = Scene::new("Hello").await;
    let friend = scene.member("friend").await;
    let (mut ada, mut bob) = (scene.join(&scene.owner).await, scene.join(&friend).await);
    let taken = takes(&mut ada, 60_000).await;
    assert_eq!((&taken["type"], &taken["kind"]), (&json!("lock_state"), &json!("lease")), "{taken}");
    assert_eq!(bob.until("lock_state").await["owner_id"], scene.owner.id);
    let insert = |id: &str| json!({ "type": "insert", "block": scene.block, "pos": 0, "text": id, "id": id });
    let refused = edit(&mut bob, insert("bob")).await;
    assert_eq!((&refused["code"], &refused["owner_id"]), (&json!("locked"), &json!(scene.owner.id)));
    assert!(refused["retry_after_ms"].as_u64().is_some_and(|ms| ms <= 60_000), "{refused}");
    assert_eq!(takes(&mut bob, 60_000).await["code"], "locked");
    let path = format!("{}blocks/{}/", scene.page(), scene.block);
    let problem = friend.patch(&path, &json!({ "text": "x" })).await.problem(423, "locked");
    assert!(problem.headers.contains_key("retry-after"));
    assert_eq!(edit(&mut ada, insert("ada")).await["type"], "ack");
    let again = takes(&mut ada, 30_000).await;
    assert_eq!(again["lock"], taken["lock"], "asked again, it goes on");
    ada.say(json!({ "type": "unlock", "id": "end" })).await;
    bob.find("lock_state", |state| state["locked"] == false).await;
    assert_eq!(edit(&mut bob, insert("bob")).await["type"], "ack");
    assert_eq!(scene.texts().await, ["bobadaHello"]);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_locked_is_said() {
    let scene = Scene::new("Hello").await;
    let reader = scene.member("reader").await;
    scene
        .owner
        .patch(&scene.page(), &json!({ "default_level": "view" }))
        .await
        .expect(200);
    let (mut ada, mut bob) = (scene.join(&scene.owner).await, scene.join(&reader).await);
    for (wish, code) in [
        (
            json!({ "type": "lock", "id": "1", "scope": format!("block:{}", scene.block), "ttl_ms": 5_000 }),
            "unsupported",
        ),
        (
            json!({ "type": "lock", "id": "2", "scope": "document", "mode": "shared", "ttl_ms": 5_000 }),
            "unsupported",
        ),
        (
            json!({ "type": "lock", "id": "3", "scope": "document", "ttl_ms": 60_001 }),
            "invalid_op",
        ),
        (json!({ "type": "lock", "id": "4", "scope": "document" }), "invalid_op"),
        (json!({ "type": "unlock", "id": "5" }), "lock_lost"),
    ] {
        assert_eq!(edit(&mut ada, wish).await["code"], code);
    }
    assert_eq!(takes(&mut bob, 5_000).await["code"], "read_only");
    assert_eq!(
        scene.owner.get(&format!("{}lock/", scene.page())).await.expect(200).body["locked"],
        false
    );
    scene.app.stop().await;
}

/// On another node, one hears that a lease was taken, and that it ended because its client did not come back.
async fn ends_with_its_client(app: TestApp, node: usize) {
    let scene = Scene::of(app, "Hello").await;
    let friend = scene.member("friend").await;
    let mut bob = Socket::join(&scene.app.address(node), &scene.document, &friend.token).await.0;
    let mut ada = scene.hello(json!({ "client_id": "ada" })).await;
    ada.until("snapshot").await;
    takes(&mut ada, 60_000).await;
    bob.find("lock_state", |state| state["locked"] == true).await;
    ada.close().await;
    // It only lost the connection: within the grace it is back, and goes on.
    let mut ada = scene.hello(json!({ "client_id": "ada" })).await;
    ada.until("snapshot").await;
    assert!(bob.hear_within(BEYOND_THE_GRACE).await.is_none(), "nothing changed for others");
    ada.close().await;
    let gone = Instant::now();
    bob.find("lock_state", |state| state["locked"] == false).await;
    assert!(gone.elapsed() < BEYOND_THE_GRACE);
    let insert = json!({ "type": "insert", "block": scene.block, "pos": 0, "text": "<bob>", "id": "bob" });
    assert_eq!(edit(&mut bob, insert).await["type"], "ack");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_with_its_client() {
    ends_with_its_client(TestApp::new().await, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_ends_with_its_client_for_another_node() {
    ends_with_its_client(TestApp::cluster(2).await, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_9_of_the_node_that_holds_a_lease_ends_it_at_its_time() {
    let db = match Form::from_env() {
        Form::Embedded => None,
        Form::Full => Some(TestDb::of(Form::Full).await),
    };
    let settings: Vec<(&'static str, String)> = db
        .iter()
        .flat_map(|db| {
            let redis = crate::support::app::redis_url();
            [("SHEAF__DATABASE__URL", db.url().to_owned()), ("SHEAF__REDIS__URL", redis)]
        })
        .collect();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut server = Binary::start(&settings).await;
    let owner = User::newcomer(&server.address(), "owner").await;
    let workspace = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Engines" }))
        .await
        .expect(201)
        .id();
    let friend = User::newcomer(&server.address(), "friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let page = owner
        .document(&workspace, "Notes", json!([{ "type": "paragraph", "text": "Hello" }]))
        .await;
    let (document, block) = (
        page["id"].as_str().expect("an id"),
        page["blocks"][0]["id"].as_str().expect("an id"),
    );
    let (mut ada, _) = Socket::join(&server.address(), document, &owner.token).await;
    let taken = Instant::now();
    assert_eq!(takes(&mut ada, 6_000).await["locked"], true);
    server.kill9();
    server.restart().await;
    let friend = friend.at(&server.address());
    let path = format!("/api/v1/documents/{document}/blocks/{block}/");
    let mut refused = 0;
    loop {
        let answer = friend.patch(&path, &json!({ "text": "Free" })).await;
        if answer.status == 200 {
            break;
        }
        answer.problem(423, "locked");
        refused += 1;
        assert!(taken.elapsed() < Duration::from_secs(12), "it never ended");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        refused > 0 && taken.elapsed() >= Duration::from_millis(5_900),
        "it stood for its time"
    );
    assert_eq!(friend.texts(document).await, ["Free"]);
}
