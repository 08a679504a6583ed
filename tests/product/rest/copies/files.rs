//! Files of pages that are copied: a copy has files of its own, in its own workspace, for whoever may see it.

use crate::{
    rest::{
        attachments::{adds, content, fetches, png},
        exports::over,
        tree::{joined, page},
    },
    support::{TestApp, User},
};
use serde_json::{Value, json};

/// A page that shows a picture of its own and has another file, and one under it that shows the same picture.
struct Shown {
    top: String,
    child: String,
    picture: String,
    bytes: Vec<u8>,
}

async fn shown(app: &TestApp, owner: &User, workspace: &str, top: &str) -> Shown {
    let (child, bytes) = (page(owner, workspace, "child", Some(top)).await, png(40, 20));
    let picture = adds(app, owner, top, "picture.png", bytes.clone()).await.expect(201).id();
    adds(app, owner, top, "notes.txt", "some notes").await.expect(201);
    for page in [top, &child] {
        let block = json!({ "type": "image", "props": { "attachment_id": picture } });
        owner.post(&format!("/api/v1/documents/{page}/blocks/"), &block).await.expect(201);
    }
    let icon = json!({ "icon": content(&picture) });
    owner.patch(&format!("/api/v1/documents/{top}/"), &icon).await.expect(200);
    Shown {
        top: top.to_owned(),
        child,
        picture,
        bytes,
    }
}

/// The file that a page's picture shows.
async fn picture_of(who: &User, page: &str) -> String {
    let read = who.get(&format!("/api/v1/documents/{page}/")).await.expect(200).body;
    let blocks = read["blocks"].as_array().expect("blocks");
    let image = blocks.iter().find(|block| block["type"] == "image").expect("a picture");
    image["props"]["attachment_id"].as_str().expect("an id").to_owned()
}

/// Files of the store that are no small pictures of others.
fn originals(app: &TestApp) -> usize {
    let homes = std::fs::read_dir(app.data_dir().join("files/attachments")).expect("a folder");
    let files = homes.flat_map(|home| std::fs::read_dir(home.expect("a folder").path()).expect("files"));
    files
        .filter(|file| !file.as_ref().expect("a file").file_name().to_string_lossy().contains('.'))
        .count()
}

async fn names(who: &User, page: &str) -> Vec<String> {
    let listed = who
        .get(&format!("/api/v1/documents/{page}/attachments/?limit=200"))
        .await
        .expect(200)
        .body;
    let mut names: Vec<String> = listed["data"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| file["name"].as_str().expect("a name").to_owned())
        .collect();
    names.sort();
    names
}

async fn below(who: &User, page: &str) -> String {
    let children = who.get(&format!("/api/v1/documents/{page}/children/")).await.expect(200).body;
    children["data"][0]["id"].as_str().expect("an id").to_owned()
}

async fn copies(who: &User, page: &str, to: Value) -> String {
    who.post(&format!("/api/v1/documents/{page}/copy/"), &to).await.expect(201).id()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_has_files_of_its_own_and_names_them() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("with files").await;
    let shown = shown(&app, &owner, &workspace, &top).await;
    let copy = copies(&owner, &shown.top, json!({ "title": "Copied" })).await;
    let child = below(&owner, &copy).await;
    assert_eq!(names(&owner, &copy).await, ["notes.txt", "picture.png"]);
    assert_eq!(names(&owner, &child).await, Vec::<String>::new());
    let picture = picture_of(&owner, &copy).await;
    assert_ne!(picture, shown.picture);
    assert_eq!(
        picture_of(&owner, &child).await,
        picture,
        "what names a file of a page that is copied along"
    );
    let row = owner.get(&format!("/api/v1/documents/{copy}/")).await.expect(200).body;
    assert_eq!(row["icon"], content(&picture));
    assert_eq!(picture_of(&owner, &shown.child).await, shown.picture, "the original is as it was");

    // Without the child it still shows what it shows.
    let alone = copies(&owner, &shown.child, json!({ "include_subtree": false })).await;
    assert_eq!(
        (picture_of(&owner, &alone).await, names(&owner, &alone).await.len()),
        (shown.picture.clone(), 0)
    );
    owner.delete(&format!("/api/v1/attachments/{}/", shown.picture)).await.expect(204);
    owner.delete(&format!("/api/v1/documents/{top}/")).await.expect(204);
    assert_eq!(fetches(&app, &owner, &content(&picture), &[]).await.bytes, shown.bytes);
    assert_eq!(fetches(&app, &owner, &content(&shown.picture), &[]).await.status, 404);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_in_another_workspace_is_seen_there_and_counts_there() {
    let app = TestApp::with(&[("quotas.storage_bytes", "20000")]).await;
    let (owner, workspace, top, _) = app.page("with files").await;
    let shown = shown(&app, &owner, &workspace, &top).await;
    adds(&app, &owner, &shown.child, "large.bin", vec![7; 12_000]).await.expect(201);
    let other = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Other" }))
        .await
        .expect(201)
        .id();
    let reader = joined(&app, &owner, &other, "member").await;
    let copy = copies(&owner, &shown.top, json!({ "workspace_id": other })).await;
    let picture = picture_of(&reader, &copy).await;
    let fetched = fetches(&app, &reader, &content(&picture), &[]).await;
    assert_eq!((fetched.status, fetched.bytes), (200, shown.bytes));
    assert_eq!(fetches(&app, &reader, &content(&shown.picture), &[]).await.status, 404);
    // A second one is too much, and leaves nothing.
    let before = originals(&app);
    let again = owner
        .post(&format!("/api/v1/documents/{}/copy/", shown.top), &json!({ "workspace_id": other }))
        .await;
    again.problem(409, "quota_exceeded");
    assert_eq!(originals(&app), before);
    let tree = owner.get(&format!("/api/v1/workspaces/{other}/tree/")).await.expect(200).body;
    assert_eq!(tree["data"].as_array().map(Vec::len), Some(1));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_copies_files_too_and_so_does_a_template() {
    let app = TestApp::new().await;
    let (owner, workspace, top, _) = app.page("with files").await;
    let shown = shown(&app, &owner, &workspace, &top).await;
    let template = json!({ "is_template": true });
    owner.patch(&format!("/api/v1/documents/{top}/"), &template).await.expect(200);
    let new = json!({ "workspace_id": workspace, "template_id": top, "title": "Made" });
    let made = owner.post("/api/v1/documents/", &new).await.expect(201).id();
    let picture = picture_of(&owner, &made).await;
    assert_ne!(picture, shown.picture);
    assert_eq!(names(&owner, &made).await, ["notes.txt", "picture.png"]);
    assert_eq!(fetches(&app, &owner, &content(&picture), &[]).await.bytes, shown.bytes);

    for number in 0..99 {
        adds(&app, &owner, &shown.child, &format!("{number:02}.txt"), "x").await.expect(201);
    }
    let asked = owner
        .post(&format!("/api/v1/documents/{top}/copy/"), &json!({}))
        .await
        .expect(202)
        .id();
    let job = over(&owner, &format!("/api/v1/jobs/{asked}/")).await;
    assert_eq!(job["state"], "done", "{job}");
    let result = owner.get(&format!("/api/v1/jobs/{asked}/result/")).await.expect(200).body;
    let copy = result["document_id"].as_str().expect("a page");
    let child = below(&owner, copy).await;
    assert_eq!((names(&owner, copy).await.len(), names(&owner, &child).await.len()), (2, 99));
    let picture = picture_of(&owner, &child).await;
    assert_eq!(picture, picture_of(&owner, copy).await);
    assert_eq!(fetches(&app, &owner, &content(&picture), &[]).await.bytes, shown.bytes);
    app.stop().await;
}
