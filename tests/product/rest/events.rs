//! The activity feed, and what is published about events.

use crate::support::{TestApp, User};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// Entries of a list once there are so many: the log numbers a change a moment after it was made.
pub(super) async fn entries(who: &User, path: &str, count: usize) -> Vec<Value> {
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let read = who.get(path).await.expect(200).body["data"].as_array().expect("entries").clone();
        if read.len() >= count {
            return read;
        }
        assert!(Instant::now() < until, "waited for {count} entries of {path}: {read:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The types of entries.
pub(super) fn kinds(entries: &[Value]) -> Vec<&str> {
    entries.iter().map(|entry| entry["type"].as_str().expect("a type")).collect()
}

/// A workspace in which nearly everything has happened that can happen: its owner, its id and a page.
pub(super) async fn busy(app: &TestApp) -> (User, String, String) {
    let (owner, workspace, page, _) = app.page("Hello").await;
    let (admin, friend) = (app.user("admin").await, app.user("friend").await);
    owner.adds(&admin, &workspace, "admin").await;
    owner.adds(&friend, &workspace, "member").await;
    let member = format!("/api/v1/workspaces/{workspace}/members/{}/", friend.id);
    owner.patch(&member, &json!({ "role": "guest" })).await.expect(200);
    owner.delete(&member).await.expect(204);
    let place = format!("/api/v1/workspaces/{workspace}/");
    owner.patch(&place, &json!({ "name": "Machines" })).await.expect(200);
    let second = owner.document(&workspace, "Second", json!([])).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let second = format!("/api/v1/documents/{second}/");
    owner
        .patch(&second, &json!({ "default_level": "none", "icon": "🍌" }))
        .await
        .expect(200);
    admin.get(&second).await.expect(200);
    owner
        .post(&format!("{second}blocks/"), &json!({ "type": "paragraph", "text": "More" }))
        .await
        .expect(201);
    owner.delete(&second).await.expect(204);
    owner.post(&format!("{second}restore/"), &json!({})).await.expect(200);
    owner.delete(&second).await.expect(204);
    owner.delete(&format!("{second}?permanent=true")).await.expect(204);
    let login = json!({ "email": admin.email, "password": "correct horse battery staple" });
    User::nobody(app).post("/api/v1/auth/login/", &login).await.expect(200);
    let period = json!({ "starts_at": "2026-01-05T00:00:00Z", "ends_at": "2026-01-12T00:00:00Z" });
    owner.post(&format!("{place}reports/"), &period).await.expect(202);
    owner.get(&format!("{place}audit-log/export/")).await.expect(200);
    for kind in [
        "job.succeeded",
        "report.created",
        "audit_log.exported",
        "member.signed_in",
        "document.viewed",
    ] {
        entries(&owner, &format!("{place}audit-log/?type={kind}"), 1).await;
    }
    (owner, workspace, page)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_is_read_page_by_page_without_a_loss() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let place = format!("/api/v1/workspaces/{workspace}/");
    for n in 0..21 {
        owner.patch(&place, &json!({ "name": format!("{n}") })).await.expect(200);
    }
    let path = format!("{place}activity/");
    let whole = entries(&owner, &format!("{path}?limit=200"), 23).await;
    let seqs: Vec<i64> = whole.iter().filter_map(|entry| entry["seq"].as_i64()).collect();
    assert_eq!(seqs, (1..=23).rev().collect::<Vec<i64>>());
    let (mut read, mut next) = (Vec::new(), format!("{path}?limit=5"));
    loop {
        let page = owner.get(&next).await.expect(200);
        read.extend(page.body["data"].as_array().expect("entries").clone());
        // Something that happens meanwhile moves no page of results.
        owner.patch(&place, &json!({ "name": "meanwhile" })).await.expect(200);
        let Some(cursor) = page.body["next_cursor"].as_str() else { break };
        next = format!("{path}?limit=5&cursor={cursor}");
        assert_eq!(page.headers["link"], format!("<{next}>; rel=\"next\""));
    }
    let newest = read.iter().position(|entry| entry["seq"] == 23).expect("what there was");
    assert_eq!(read[newest..], whole);
    owner.get(&format!("{path}?cursor=nonsense")).await.problem(422, "invalid");
    owner.get(&format!("{path}?limit=0")).await.problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_is_filtered() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    let document = format!("/api/v1/documents/{page}/");
    owner.patch(&document, &json!({ "icon": "🍎" })).await.expect(200);
    let place = format!("/api/v1/workspaces/{workspace}/");
    let before = entries(&owner, &format!("{place}activity/"), 4).await;
    let theirs = friend.document(&workspace, "Theirs", json!([])).await["id"].clone();
    entries(&owner, &format!("{place}activity/"), 5).await;
    let ask = async |filter: String| {
        let found = entries(&owner, &format!("{place}activity/?{filter}"), 0).await;
        kinds(&found).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(ask("type=member.added".to_owned()).await, ["member.added"]);
    let documents = ["document.created", "document.updated", "document.created"];
    assert_eq!(ask("type=document".to_owned()).await, documents);
    assert_eq!(ask("type=doc".to_owned()).await, Vec::<String>::new());
    assert_eq!(ask(format!("user_id={}", friend.id)).await, ["document.created"]);
    assert_eq!(ask(format!("subject_id={page}")).await, ["document.updated", "document.created"]);
    assert_eq!(
        ask(format!("subject_id={}&user_id={}", theirs.as_str().expect("an id"), owner.id)).await,
        Vec::<String>::new()
    );
    let at = before[1]["created_at"].as_str().expect("a time").replace('+', "%2B");
    assert_eq!(ask(format!("to={at}")).await, ["document.created", "workspace.created"]);
    assert_eq!(
        ask(format!("from={at}")).await,
        ["document.created", "document.updated", "member.added"]
    );
    for bad in ["user_id=me", "subject_id=1", "from=yesterday", "to=1"] {
        owner.get(&format!("{place}activity/?{bad}")).await.problem(422, "invalid");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_of_one_workspace_or_of_one_page() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("Hello").await;
    let other = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Other" }))
        .await
        .expect(201)
        .id();
    let elsewhere = owner.document(&other, "Elsewhere", json!([])).await["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    owner.document(&workspace, "Beside", json!([])).await;
    let document = format!("/api/v1/documents/{page}/");
    owner.patch(&document, &json!({ "icon": "🍌" })).await.expect(200);
    let here = entries(&owner, &format!("/api/v1/workspaces/{workspace}/activity/"), 4).await;
    assert!(here.iter().all(|entry| entry["workspace_id"] == workspace), "{here:#?}");
    let there = entries(&owner, &format!("/api/v1/workspaces/{other}/activity/"), 2).await;
    assert_eq!(kinds(&there), ["document.created", "workspace.created"]);
    let foreign = format!("/api/v1/workspaces/{workspace}/activity/?subject_id={elsewhere}");
    assert_eq!(entries(&owner, &foreign, 0).await, Vec::<Value>::new());
    let of_page = entries(&owner, &format!("{document}activity/"), 2).await;
    assert_eq!(kinds(&of_page), ["document.updated", "document.created"]);
    assert!(of_page.iter().all(|entry| entry["subject_id"] == page), "{of_page:#?}");
    let first = owner.get(&format!("{document}activity/?limit=1")).await.expect(200);
    let cursor = first.body["next_cursor"].as_str().expect("more");
    let second = owner.get(&format!("{document}activity/?limit=1&cursor={cursor}")).await.expect(200);
    assert_eq!((&second.body["data"][0], &second.body["next_cursor"]), (&of_page[1], &Value::Null));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_has_what_people_do_and_not_what_is_for_the_audit_log() {
    let app = TestApp::new().await;
    let (owner, workspace, _) = busy(&app).await;
    let feed = entries(&owner, &format!("/api/v1/workspaces/{workspace}/activity/?limit=200"), 10).await;
    let seen: BTreeSet<&str> = kinds(&feed).into_iter().collect();
    for kind in [
        "member.signed_in",
        "document.viewed",
        "report.created",
        "audit_log.exported",
        "job.succeeded",
    ] {
        assert!(!seen.contains(kind), "{kind} is no activity");
    }
    app.stop().await;
}

/// Whether a value is one that a property's schema describes.
fn is(schema: &Value, value: &Value) -> bool {
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("string"), Some("uuid")) => value.as_str().is_some_and(|text| uuid::Uuid::parse_str(text).is_ok()),
        (Some("string"), None) => value.is_string() && schema["enum"].as_array().is_none_or(|names| names.contains(value)),
        (Some("integer"), _) => value.is_i64(),
        other => panic!("a schema that this test does not know: {other:?}"),
    }
}

/// The types of what is in the log of a workspace; each entry has the properties that its type is published with.
async fn described_kinds(owner: &User, workspace: &str, types: &BTreeMap<&str, &Value>) -> BTreeSet<String> {
    let happened = entries(owner, &format!("/api/v1/workspaces/{workspace}/audit-log/?limit=200"), 18).await;
    let mut seen = BTreeSet::new();
    for entry in &happened {
        let kind = entry["type"].as_str().expect("a type");
        let schema = &types.get(kind).unwrap_or_else(|| panic!("{kind} is not published"))["payload"];
        let payload = entry["payload"].as_object().expect("a payload");
        let described = schema["properties"].as_object().expect("properties");
        let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(names(payload), names(described), "{kind}");
        for (name, value) in payload {
            assert!(is(&described[name], value), "{kind}: {name} is {value}");
        }
        seen.insert(kind.to_owned());
    }
    seen
}

/// The types that `busy` has to have made happen.
fn expected_kinds(types: &BTreeMap<&str, &Value>, seen: &BTreeSet<String>) -> BTreeSet<String> {
    // What a person can make happen within a workspace; the rest belongs to accounts, failures or the retention.
    let beyond = ["job.failed", "job.cancelled", "audit_log.cut", "workspace.deleted"];
    // Told by operations with tests of their own.
    let apart = [
        "grant.",
        "group.",
        "invitation.",
        "invite_link.",
        "share_link.",
        "access_request.",
        "attachment.",
        "workspace.",
        "document.access_",
        "document.moved",
        "document.reordered",
        "document.copied",
        "document.archived",
        "document.unarchived",
        "document.locked",
        "document.unlocked",
        "document.exported",
        "document.subtree_exported",
        "document.version_",
        "pages.imported",
    ];
    let is_apart = |name: &str| apart.iter().any(|start| name.starts_with(start)) && !seen.contains(name);
    types
        .iter()
        .filter(|(name, one)| one["audience"] != "account" && !beyond.contains(name) && !is_apart(name))
        .map(|(name, _)| (*name).to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_of_a_published_type_and_has_its_properties() {
    let app = TestApp::new().await;
    let (owner, workspace, _) = busy(&app).await;
    let published = owner.get("/api/v1/event-types/").await.expect(200).body;
    let types: BTreeMap<&str, &Value> = published["data"]
        .as_array()
        .expect("types")
        .iter()
        .map(|one| (one["type"].as_str().expect("a name"), one))
        .collect();
    // The log numbers what happened a moment later.
    let until = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = described_kinds(&owner, &workspace, &types).await;
        let expected = expected_kinds(&types, &seen);
        if seen == expected {
            break;
        }
        assert!(Instant::now() < until, "{seen:?} are there, not {expected:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        types
            .values()
            .all(|one| one["description"].as_str().is_some_and(|text| text.ends_with('.')))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_openapi_document_describes_an_event() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let api = User::nobody(&app).get("/api/v1/openapi.json").await.expect(200).body;
    let described = api["components"]["schemas"]["Event"]["properties"]
        .as_object()
        .expect("the schema Event")
        .clone();
    let event = entries(&owner, &format!("/api/v1/workspaces/{workspace}/activity/"), 2)
        .await
        .remove(0);
    let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(names(&described), names(event.as_object().expect("an object")));
    let stream = &api["paths"]["/api/v1/workspaces/{workspace_id}/events/"]["get"];
    assert!(stream["responses"]["200"]["content"]["text/event-stream"].is_object(), "{stream}");
    app.stop().await;
}
