//! What a page names and shows of others: as it is now, for who may see it, and never written into the page.

use crate::support::{Socket, TestApp, User};
use serde_json::{Value, json};

fn path(page: &str) -> String {
    format!("/api/v1/documents/{page}/")
}

async fn page(owner: &User, workspace: &str, title: &str, blocks: Value) -> String {
    let made = owner.document(workspace, title, blocks).await;
    made["id"].as_str().expect("an id").to_owned()
}

async fn references(reader: &User, page: &str) -> Value {
    reader.get(&format!("{}references/", path(page))).await.expect(200).body
}

fn mirror(page: &str, block: &str) -> Value {
    json!({ "type": "synced_block", "props": { "source_document_id": page, "source_block_id": block } })
}

/// The titles of what is named, in their order.
fn titles(references: &Value) -> Vec<&str> {
    let mut titles: Vec<&str> = references["documents"]
        .as_array()
        .expect("pages")
        .iter()
        .filter_map(|page| page["title"].as_str())
        .collect();
    titles.sort_unstable();
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn titles_names_and_sources_are_those_of_now() {
    let app = TestApp::new().await;
    let (owner, workspace, source, block) = app.page("the plan").await;
    let ada = app.user("Ada").await;
    owner.adds(&ada, &workspace, "member").await;
    let stranger = app.user("Stranger").await;
    let child = page(&owner, &workspace, "Child", json!([])).await;
    let mention = |kind: &str, id: &str, start: usize| json!({ "name": "mention", "value": json!({ "kind": kind, "id": id }).to_string(), "start": start, "end": start + 1 });
    let marks = json!([
        mention("user", &ada.id, 0),
        mention("user", &stranger.id, 1),
        mention("page", &source, 2)
    ]);
    let blocks = json!([
        { "id": "c", "type": "child_page", "props": { "document_id": child, "title": "Old" } },
        { "id": "p", "type": "paragraph", "text": "@@@", "marks": marks },
        { "type": "toggle", "id": "t", "children": [mirror(&source, &block)] },
    ]);
    let made = owner.document(&workspace, "Start", blocks).await;
    let start = made["id"].as_str().expect("an id").to_owned();
    assert!(made.get("references").is_none(), "who may write may not read by that");
    assert_eq!(titles(&references(&owner, &start).await), ["Child", "Notes"]);

    let before = owner.get(&path(&start)).await.expect(200).body;
    // Renamed, typed into by a live client, given another name: nobody touched the page that shows it all.
    owner
        .patch(&path(&child), &json!({ "title": "Grown up", "icon": "🌱" }))
        .await
        .expect(200);
    ada.patch("/api/v1/users/me/", &json!({ "display_name": "Ada L." }))
        .await
        .expect(200);
    let (mut live, _) = Socket::join(&app.address(0), &source, &ada.token).await;
    live.say(json!({ "type": "insert", "id": "1", "block": block, "pos": 8, "text": ", better" }))
        .await;
    live.until("ack").await;
    let now = owner.get(&path(&start)).await.expect(200).body;
    assert_eq!((&now["heads"], &now["blocks"]), (&before["heads"], &before["blocks"]));
    let told = &now["references"];
    assert_eq!(titles(told), ["Grown up", "Notes"]);
    let grown = told["documents"]
        .as_array()
        .expect("pages")
        .iter()
        .find(|page| page["id"] == json!(child))
        .expect("is told");
    assert_eq!((&grown["icon"], &grown["level"]), (&json!("🌱"), &json!("manage")));
    assert_eq!(told["users"], json!([{ "id": ada.id, "display_name": "Ada L." }]), "members alone");
    let sources = told["sources"].as_array().expect("sources");
    assert_eq!(
        (
            sources.len(),
            &sources[0]["document_id"],
            &sources[0]["block_id"],
            &sources[0]["blocks"][0]["text"]
        ),
        (1, &json!(source), &json!(block), &json!("the plan, better"))
    );
    assert_eq!(told["truncated"], json!(false));
    // The same wherever blocks are read, of what is read there.
    assert_eq!(&references(&owner, &start).await, told);
    let list = owner.get(&format!("{}blocks/", path(&start))).await.expect(200).body;
    assert_eq!(&list["references"], told);
    let one = owner.get(&format!("{}blocks/c/", path(&start))).await.expect(200).body;
    assert_eq!(
        (titles(&one["references"]), &one["references"]["sources"]),
        (vec!["Grown up"], &json!([]))
    );
    let under = owner.get(&format!("{}blocks/t/children/", path(&start))).await.expect(200).body;
    assert_eq!(
        (titles(&under["references"]), &under["references"]["sources"]),
        (vec!["Notes"], &told["sources"])
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_there_for_somebody_is_not_told_of() {
    let app = TestApp::new().await;
    let (owner, workspace, open, block) = app.page("for all").await;
    let (ada, elsewhere) = (app.user("Ada").await, app.user("elsewhere").await);
    owner.adds(&ada, &workspace, "member").await;
    let secret = page(
        &owner,
        &workspace,
        "Salaries",
        json!([{ "id": "s", "type": "paragraph", "text": "a million" }]),
    )
    .await;
    owner.patch(&path(&secret), &json!({ "default_level": "none" })).await.expect(200);
    let theirs = elsewhere
        .post("/api/v1/workspaces/", &json!({ "name": "Theirs" }))
        .await
        .expect(201)
        .id();
    let theirs = page(
        &elsewhere,
        &theirs,
        "Away",
        json!([{ "id": "s", "type": "paragraph", "text": "not yours" }]),
    )
    .await;
    let nowhere = "0b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11";
    let named = json!([
        mirror(&open, &block),
        mirror(&secret, "s"),
        mirror(&theirs, "s"),
        mirror(nowhere, "s")
    ]);
    let start = page(&owner, &workspace, "Start", named).await;
    let told = references(&owner, &start).await;
    assert_eq!(
        (titles(&told), told["sources"].as_array().map(Vec::len)),
        (vec!["Notes", "Salaries"], Some(2))
    );
    let told = references(&ada, &start).await;
    assert_eq!((titles(&told), told["sources"].as_array().map(Vec::len)), (vec!["Notes"], Some(1)));
    let read = ada.get(&path(&start)).await.expect(200);
    assert!(
        !read.text.contains("million") && !read.text.contains("Salaries") && !read.text.contains("not yours"),
        "{}",
        read.text
    );

    // Whoever holds a link sees what the link opens.
    let under = json!({ "workspace_id": workspace, "title": "Below", "parent_id": start });
    let below = owner.post("/api/v1/documents/", &under).await.expect(201).id();
    let link = json!({ "type": "link_to_page", "props": { "document_id": below } });
    owner.post(&format!("{}blocks/", path(&start)), &link).await.expect(201);
    let shared = owner.post(&format!("{}share-links/", path(&start)), &json!({})).await.expect(201);
    let unlock = format!("/api/v1/share-links/{}/unlock/", shared.body["token"].as_str().expect("a token"));
    let mut visitor = User::nobody(&app);
    let opened = visitor.post(&unlock, &json!({})).await.expect(200).body;
    visitor.token = opened["access_token"].as_str().expect("a token").to_owned();
    let told = references(&visitor, &start).await;
    assert_eq!(
        (titles(&told), &told["sources"], &told["users"]),
        (vec!["Below"], &json!([]), &json!([]))
    );

    // In the trash it is there for who may edit it; gone, for nobody.
    owner.delete(&path(&open)).await.expect(204);
    let told = references(&owner, &start).await;
    assert_eq!(titles(&told), ["Below", "Notes", "Salaries"]);
    assert_eq!(told["sources"].as_array().map(Vec::len), Some(1), "and shows nothing any more");
    owner.delete(&format!("{}?permanent=true", path(&open))).await.expect(204);
    assert_eq!(titles(&references(&owner, &start).await), ["Below", "Salaries"]);
    User::nobody(&app)
        .get(&format!("{}references/", path(&start)))
        .await
        .problem(401, "unauthenticated");
    elsewhere
        .get(&format!("{}references/", path(&start)))
        .await
        .problem(404, "not_found");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn markdown_has_the_titles_of_now_and_saving_it_changes_nothing() {
    let app = TestApp::new().await;
    let (owner, workspace, target, _) = app.page("x").await;
    let blocks = json!([
        { "id": "l", "type": "link_to_page", "props": { "document_id": target, "title": "Old" } },
        mirror(&target, "b"),
    ]);
    let start = page(&owner, &workspace, "Start", blocks).await;
    owner.patch(&path(&target), &json!({ "title": "New [title]" })).await.expect(200);
    let markdown = format!("{}markdown/", path(&start));
    let read = owner.get(&markdown).await.expect(200);
    assert!(
        read.text
            .contains(&format!("[New \\[title\\]](/documents/{target} \"link_to_page\")")),
        "{}",
        read.text
    );
    let saved = owner.put_markdown(&markdown, &read.text, None).await.expect(200).body;
    assert_eq!((&saved["edits"], &saved["notes"]), (&json!(0), &json!([])));
    let more = format!("{}\nmore\n", read.text);
    owner.put_markdown(&markdown, &more, None).await.expect(200);
    let now = owner.get(&path(&start)).await.expect(200).body;
    assert_eq!(
        (&now["blocks"][0]["id"], &now["blocks"][0]["props"]["title"]),
        (&json!("l"), &json!("Old"))
    );
    assert_eq!(now["blocks"].as_array().map(Vec::len), Some(3));
    app.stop().await;
}
