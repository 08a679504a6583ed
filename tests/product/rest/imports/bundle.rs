//! A page with what hangs under it, out of one workspace as a bundle and into another.

use super::{import, send};
use crate::{
    rest::{
        attachments::{adds, content, fetches, png},
        exports::{exports, fetch},
        tree::{moves, page},
    },
    support::{TestApp, User},
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A page as it is compared.
#[derive(Debug, PartialEq)]
struct Seen {
    depth: usize,
    title: Value,
    icon: Value,
    is_template: Value,
    blocks: Value,
    files: Vec<(String, Vec<u8>)>,
}

/// The pages of a workspace in the order of its tree. What names them or their files names their places instead.
async fn pages(app: &TestApp, who: &User, workspace: &str) -> Vec<Seen> {
    let tree = who
        .get(&format!("/api/v1/workspaces/{workspace}/tree/?depth=5"))
        .await
        .expect(200)
        .body;
    let (mut open, mut found) = (vec![(0, tree["data"].clone())], Vec::new());
    while let Some((depth, branches)) = open.pop() {
        let Some((first, rest)) = branches.as_array().and_then(|branches| branches.split_first()) else {
            continue;
        };
        found.push((depth, first.clone()));
        open.push((depth, json!(rest)));
        open.push((depth + 1, first["children"].clone()));
    }
    let (mut places, mut files) = (BTreeMap::new(), Vec::new());
    for (number, (_, branch)) in found.iter().enumerate() {
        let id = branch["id"].as_str().expect("an id");
        places.insert(id.to_owned(), format!("page {number}"));
        let listed = who.get(&format!("/api/v1/documents/{id}/attachments/")).await.expect(200).body;
        let mut own = Vec::new();
        for file in listed["data"].as_array().expect("files") {
            let (id, name) = (file["id"].as_str().expect("an id"), file["name"].as_str().expect("a name"));
            places.insert(id.to_owned(), format!("file {name} of page {number}"));
            own.push((name.to_owned(), fetches(app, who, &content(id), &[]).await.bytes));
        }
        own.sort();
        files.push(own);
    }
    let mut seen = Vec::new();
    for ((depth, branch), files) in found.into_iter().zip(files) {
        let id = branch["id"].as_str().expect("an id");
        let text = who.get(&format!("/api/v1/documents/{id}/")).await.expect(200).body["blocks"].to_string();
        let text = places.iter().fold(text, |text, (id, place)| text.replace(id, place));
        seen.push(Seen {
            depth,
            title: branch["title"].clone(),
            icon: branch["icon"].clone(),
            is_template: branch["is_template"].clone(),
            blocks: serde_json::from_str(&text).expect("JSON"),
            files,
        });
    }
    seen
}

/// A page with two under it, one of them with another; with marks, links, files, an icon and a template.
async fn book(app: &TestApp, who: &User, workspace: &str, top: &str) {
    let first = page(who, workspace, "first", Some(top)).await;
    let second = page(who, workspace, "second", Some(top)).await;
    page(who, workspace, "deep", Some(&first)).await;
    moves(who, &second, json!({ "before": first })).await.expect(200);
    let change = json!({ "icon": "🚂", "is_template": true });
    who.patch(&format!("/api/v1/documents/{first}/"), &change).await.expect(200);
    let picture = adds(app, who, top, "Grüße.png", png(30, 20)).await.expect(201).id();
    adds(app, who, &second, "unused.bin", vec![7; 100_000]).await.expect(201);
    let link = format!("/documents/{second}/");
    for block in [
        json!({ "type": "image", "props": { "attachment_id": picture, "caption": "Two" } }),
        json!({ "type": "link_to_page", "props": { "document_id": first } }),
        json!({ "type": "table", "children": [{ "type": "table_row", "props": { "cells": ["a", "b"] } }] }),
        json!({ "type": "paragraph", "text": "see the second", "marks": [
            { "name": "bold", "value": true, "start": 0, "end": 3 }, { "name": "link", "value": link, "start": 4, "end": 14 },
        ] }),
    ] {
        who.post(&format!("/api/v1/documents/{top}/blocks/"), &block).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_the_same_pages_again_in_another_workspace() {
    let app = TestApp::new().await;
    let (owner, home, top, _) = app.page("the book").await;
    book(&app, &owner, &home, &top).await;
    let order = json!({ "format": "markdown", "subtree": true });
    let exported = exports(&owner, &format!("/api/v1/documents/{top}/"), order).await;
    let zip = fetch(&app, &owner, &exported).await.bytes().await.expect("bytes").to_vec();

    let other = owner
        .post("/api/v1/workspaces/", &json!({ "name": "Other" }))
        .await
        .expect(201)
        .id();
    let report = import(&app, &owner, (&other, "file_name=book.zip"), zip.clone()).await;
    assert_eq!(
        (&report["format"], &report["counts"]["imported"]),
        (&json!("bundle"), &json!(4)),
        "{report:#}"
    );
    let (before, after) = (pages(&app, &owner, &home).await, pages(&app, &owner, &other).await);
    assert_eq!(before, after);
    let titles: Vec<_> = before
        .iter()
        .map(|page| (page.depth, page.title.as_str().expect("a title")))
        .collect();
    assert_eq!(titles, [(0, "Notes"), (1, "second"), (1, "first"), (2, "deep")]);
    assert_eq!((before[0].files.len(), before[1].files.len()), (1, 1));
    assert!(
        before[0].blocks.to_string().contains("file Grüße.png of page 0"),
        "{}",
        before[0].blocks
    );

    // Somebody who is no member of the other workspace brings nothing there.
    let bob = app.user("bob").await;
    send(&app, &bob, (&other, "file_name=book.zip"), zip)
        .await
        .problem(404, "not_found");
    app.stop().await;
}
