//! Rights that are taken away while somebody writes: nothing of theirs is committed once the revocation was answered,
//! whatever node they write on, and whatever was on its way.

use crate::support::{Socket, TestApp, User};
use rand::RngExt;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use uuid::Uuid;

/// Revocations that are tried in one run; `SHEAF_TEST_RACES` asks for more.
const RACES: usize = 60;
/// A revocation arrives at every socket within this.
const SOON: Duration = Duration::from_secs(1);

/// Somebody who writes without a pause, whether they may or not.
#[derive(Default)]
pub struct Writer {
    /// Edits that were answered.
    pub answered: AtomicUsize,
    /// Edits that were committed.
    pub acked: AtomicUsize,
    pub is_over: AtomicBool,
}

impl Writer {
    fn count(&self, is_ack: bool) {
        self.acked.fetch_add(usize::from(is_ack), Ordering::SeqCst);
        self.answered.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until this many more of something were counted.
    pub async fn waits(&self, counter: &AtomicUsize, more: usize) {
        let (from, deadline) = (counter.load(Ordering::SeqCst), Instant::now() + Duration::from_secs(10));
        while counter.load(Ordering::SeqCst) < from + more {
            assert!(Instant::now() < deadline, "a writer got no answer");
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }

    pub async fn by_rest(self: Arc<Self>, user: User, document: String) {
        let path = format!("/api/v1/documents/{document}/blocks/");
        while !self.is_over.load(Ordering::SeqCst) {
            let answer = user.post(&path, &json!({ "type": "paragraph", "text": "x" })).await;
            assert!([201, 403, 423].contains(&answer.status), "{}", answer.text);
            self.count(answer.status == 201);
        }
    }

    pub async fn by_socket(self: Arc<Self>, mut socket: Socket, block: String) {
        let mut n = 0;
        while !self.is_over.load(Ordering::SeqCst) {
            n += 1;
            let id = format!("s{n}");
            socket
                .say(json!({ "type": "insert", "block": block, "pos": 0, "text": "y", "id": id }))
                .await;
            let answer = answer(&mut socket, &id).await;
            assert!(
                answer["type"] == "ack" || answer["code"] == "read_only" || answer["code"] == "locked",
                "{answer}"
            );
            self.count(answer["type"] == "ack");
            // Below the rate that one connection may have.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn answer(socket: &mut Socket, id: &str) -> Value {
    loop {
        let crate::support::socket::Heard::Json(message) = socket.hear().await else {
            panic!("the socket of somebody who may read stays open");
        };
        for item in super::items(&message) {
            if item["id"] == id && (item["type"] == "ack" || item["type"] == "error") {
                return item;
            }
        }
    }
}

/// How many changes of somebody the page's log holds.
pub async fn committed(db: &DatabaseConnection, document: &str, user: &str) -> i64 {
    let id = |text: &str| Uuid::parse_str(text).expect("an id");
    let sql = "SELECT COUNT(*) AS n FROM document_changes WHERE document_id = $1 AND user_id = $2";
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, [id(document).into(), id(user).into()]);
    let row = db.query_one_raw(statement).await.expect("reads").expect("a row");
    row.try_get("", "n").expect("a number")
}

pub fn races() -> usize {
    testing::env::var("SHEAF_TEST_RACES").map_or(RACES, |text| text.parse().expect("SHEAF_TEST_RACES is a number"))
}

/// One who writes by REST and by a socket on `node` is made a reader again and again by somebody on the first node.
async fn race(app: TestApp, node: usize) {
    let (owner, workspace, document, block) = app.page("Hello").await;
    let page = format!("/api/v1/documents/{document}/");
    owner.patch(&page, &json!({ "default_level": "view" })).await.expect(200);
    let friend = app.user("friend").await.at(&app.address(node));
    owner.adds(&friend, &workspace, "member").await;
    let grant = json!({ "user_id": friend.id, "level": "view" });
    let grant = owner.post(&format!("{page}grants/"), &grant).await.expect(201).id();
    let grant = format!("{page}grants/{grant}/");
    let (socket, _) = Socket::join(&app.address(node), &document, &friend.token).await;
    let (rest, live) = (Arc::new(Writer::default()), Arc::new(Writer::default()));
    let writing = [
        tokio::spawn(rest.clone().by_rest(friend.clone(), document.clone())),
        tokio::spawn(live.clone().by_socket(socket, block)),
    ];
    let db = app.database().await;
    for n in 0..races() {
        owner.patch(&grant, &json!({ "level": "edit" })).await.expect(200);
        // Now and then the socket hears of it too.
        let (one, other) = if n % 8 == 0 { (&live, &rest) } else { (&rest, &live) };
        one.waits(&one.acked, 1).await;
        let pause = rand::rng().random_range(0..3_000);
        tokio::time::sleep(Duration::from_micros(pause)).await;
        owner.patch(&grant, &json!({ "level": "view" })).await.expect(200);
        let then = committed(&db, &document, &friend.id).await;
        // What was on its way is answered, and so is what was sent afterwards.
        one.waits(&one.answered, 2).await;
        other.waits(&other.answered, 2).await;
        assert_eq!(
            committed(&db, &document, &friend.id).await,
            then,
            "something was committed after the revocation of race {n}"
        );
    }
    for writer in [&rest, &live] {
        writer.is_over.store(true, Ordering::SeqCst);
    }
    for task in writing {
        task.await.expect("the writer ended well");
    }
    let acked = rest.acked.load(Ordering::SeqCst) + live.acked.load(Ordering::SeqCst);
    assert!(
        acked >= races() && live.acked.load(Ordering::SeqCst) > 0,
        "they could write in between"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_committed_after_a_revocation() {
    race(TestApp::new().await, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_committed_after_a_revocation_on_another_node() {
    race(TestApp::cluster(2).await, 1).await;
}

/// What ends somebody's right to a page, as a call of the owner.
async fn ends_in_time(app: &TestApp, node: usize) {
    let (owner, workspace, document, _) = app.page("Hello").await;
    let page = format!("/api/v1/documents/{document}/");
    owner.patch(&page, &json!({ "default_level": "none" })).await.expect(200);
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "guest").await;
    let grants = format!("{page}grants/");
    let member = format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id);
    for way in ["the grant", "a smaller grant", "the membership"] {
        let wish = json!({ "user_id": friend.id, "level": "edit" });
        let grant = owner.post(&grants, &wish).await.expect(201).id();
        let (mut socket, _) = Socket::join(&app.address(node), &document, &friend.token).await;
        let began = Instant::now();
        match way {
            "the grant" => owner.delete(&format!("{grants}{grant}/")).await.expect(204),
            "a smaller grant" => {
                let patched = owner
                    .patch(&format!("{grants}{grant}/"), &json!({ "level": "view" }))
                    .await
                    .expect(200);
                assert_eq!(socket.until("permission").await["permission"], "read");
                owner.delete(&format!("{grants}{grant}/")).await.expect(204);
                patched
            }
            _ => owner.delete(&member).await.expect(204),
        };
        assert_eq!(socket.closed().await, 4403, "by {way}");
        assert!(began.elapsed() < SOON, "{way} took {:?}", began.elapsed());
        friend.at(&app.address(node)).get(&page).await.problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_closed_within_a_second_of_the_revocation() {
    let app = TestApp::new().await;
    ends_in_time(&app, 0).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_on_another_node_is_closed_within_a_second_of_the_revocation() {
    let app = TestApp::cluster(2).await;
    ends_in_time(&app, 1).await;
    app.stop().await;
}

/// What somebody came with ends: their login, or an API key. `4401` says that another would do.
async fn ends_with_what_they_came_with(app: &TestApp, node: usize) {
    let (owner, _, document, _) = app.page("Hello").await;
    let elsewhere = app.address(node);
    let login = json!({ "email": owner.email, "password": "correct horse battery staple" });
    let second = User::of(app, &User::nobody(app).post("/api/v1/auth/login/", &login).await.expect(200));
    let (mut socket, _) = Socket::join(&elsewhere, &document, &second.token).await;
    let began = Instant::now();
    owner.post("/api/v1/auth/sessions/revoke-others/", &json!({})).await.expect(200);
    assert_eq!(socket.closed().await, 4401, "the login");
    assert!(began.elapsed() < SOON, "the login took {:?}", began.elapsed());

    let key = json!({ "name": "Robot", "scopes": ["documents:*", "blocks:*"] });
    let key = owner.post("/api/v1/auth/api-keys/", &key).await.expect(201);
    let secret = key.body["secret"].as_str().expect("a key").to_owned();
    let (mut socket, _) = Socket::join(&elsewhere, &document, &secret).await;
    let began = Instant::now();
    owner.delete(&format!("/api/v1/auth/api-keys/{}/", key.id())).await.expect(204);
    assert_eq!(socket.closed().await, 4401, "the key");
    assert!(began.elapsed() < SOON, "the key took {:?}", began.elapsed());

    // A key that may only read does no more on a socket either, and one for something else nothing.
    for (scopes, expected) in [(json!(["documents:read", "blocks:read"]), Some("read")), (json!(["jobs:*"]), None)] {
        let key = json!({ "name": "Small", "scopes": scopes });
        let key = owner.post("/api/v1/auth/api-keys/", &key).await.expect(201);
        let mut socket = Socket::page(&elsewhere, &document, key.body["secret"].as_str().expect("a key")).await;
        socket.say(json!({ "type": "hello" })).await;
        match expected {
            Some(permission) => assert_eq!(socket.until("hello_ack").await["permission"], permission),
            None => assert_eq!(socket.closed().await, 4404),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_ends_with_the_login_or_key_it_was_opened_with() {
    let app = TestApp::new().await;
    ends_with_what_they_came_with(&app, 0).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_on_another_node_ends_with_the_login_or_key_it_was_opened_with() {
    let app = TestApp::cluster(2).await;
    ends_with_what_they_came_with(&app, 1).await;
    app.stop().await;
}
