//! Copies: what they hold, where they stand, and that the same work done again makes no second one.

use super::*;
use crate::{
    copying::{self, Extent, Filling, Plan, Target},
    links, log,
    projection::Content,
    snapshot,
    view::Block,
};
use serde_json::json;
use std::collections::HashMap;
use workspaces::{
    Quotas,
    access::{DocumentAccess, ViewDocument},
};

fn filling(content: Content) -> Filling<'static> {
    Filling {
        content,
        title: None,
        files: HashMap::new(),
    }
}

async fn makes(stage: &Stage, plan: &Plan, to: Target<'_>) -> Result<Vec<rows::Model>, Error> {
    let mut ready = Vec::new();
    for page in &plan.pages {
        let content = copying::content_of(stage.db(), page.id).await?;
        ready.push(plan.make(page, filling(content), &Limits::default())?);
    }
    write(stage.db(), async |tx: &DatabaseTransaction| {
        copying::write(tx, plan, ready, to, &Quotas::default()).await
    })
    .await
}

#[tokio::test]
async fn the_same_copy_made_again_is_the_same_pages() {
    let stage = Stage::new().await;
    let top = stage.page(None).await;
    let child = stage.page(Some(top)).await;
    stage.page(Some(child)).await;
    let source: DocumentAccess<ViewDocument> = access::open(stage.db(), stage.member, top).await.expect("may");
    let home = access::enter(stage.db(), stage.member, stage.workspace).await.expect("comes in");
    let (seed, to) = (
        uuid::Uuid::from_u128(7),
        Target {
            home: &home,
            under: None,
            place: Place::After(top),
        },
    );
    let plan = copying::plan(stage.db(), &source, Extent::Subtree, |id| copying::lasting_id(seed, id));
    let plan = plan.await.expect("plans");
    assert_eq!(plan.pages.len(), 3);
    assert_eq!(makes(&stage, &plan, to).await.expect("copies").len(), 3);
    assert_eq!(makes(&stage, &plan, to).await.expect("copies").len(), 0);
    assert_eq!(rows::Entity::find().count(stage.db()).await.expect("counts"), 6);
    let copy = stage.row(copying::lasting_id(seed, child)).await;
    assert_eq!(copy.parent_id, Some(copying::lasting_id(seed, top)));
    assert_eq!((copy.created_by, copy.id.0.get_version_num()), (stage.member, 4));
    // Into itself it goes too: what is copied is what was there.
    let under = access::open(stage.db(), stage.member, child).await.expect("may");
    let plan = copying::plan(stage.db(), &source, Extent::Subtree, |_| DocumentId::new())
        .await
        .expect("plans");
    let into = Target {
        under: Some(&under),
        place: Place::Last,
        ..to
    };
    assert_eq!(makes(&stage, &plan, into).await.expect("copies").len(), 3);
}

#[tokio::test]
async fn content_that_this_version_would_refuse_is_copied_as_it_is() {
    let stage = Stage::new().await;
    let top = stage.page(None).await;
    let strange = json!([
        { "id": "h", "type": "heading", "text": "no level", "props": { "of": { "deep": [1, "two", null] } } },
        { "id": "t", "type": "table", "text": "a text", "marks": [{ "name": "unknown", "value": 7, "start": 0, "end": 1 }],
          "children": [{ "id": "p", "type": "paragraph", "text": "🙂 in it" }] },
    ]);
    let content = Content {
        title: "Strange".to_owned(),
        blocks: serde_json::from_value::<Vec<Block>>(strange).expect("blocks"),
    };
    let plan = Plan {
        pages: vec![stage.row(top).await],
        ids: [(top, DocumentId::new())].into(),
    };
    let ready = plan
        .make(&plan.pages[0], filling(content.clone()), &Limits::default())
        .expect("copies");
    let home = access::enter(stage.db(), stage.member, stage.workspace).await.expect("comes in");
    let to = Target {
        home: &home,
        under: None,
        place: Place::Last,
    };
    let made = write(stage.db(), async |tx: &DatabaseTransaction| {
        copying::write(tx, &plan, vec![ready], to, &Quotas::default()).await
    });
    let id = made.await.expect("copies")[0].id;
    let (page, stored) = snapshot::load(stage.db(), id).await.expect("loads");
    assert_eq!((Content::from(page.mirror()), stored.head.seq), (content.clone(), 1));
    assert_eq!(log::head(stage.db(), id).await.expect("reads").heads, page.heads());
    assert_eq!(copying::content_of(stage.db(), id).await.expect("reads"), content);
}

#[tokio::test]
async fn what_leads_to_a_page_is_found_among_what_the_reader_sees() {
    let stage = Stage::new().await;
    let target = stage.page(None).await;
    let mut naming = Vec::new();
    for _ in 0..5 {
        naming.push(stage.page(None).await);
    }
    naming.sort_unstable();
    let text = json!([{ "id": "b", "type": "link_to_page", "props": { "document_id": target } }]);
    let content = Content {
        title: String::new(),
        blocks: serde_json::from_value(text).expect("blocks"),
    };
    for page in naming.iter().chain([&target]) {
        links::record(stage.db(), *page, &content).await.expect("records");
        links::record(stage.db(), *page, &content).await.expect("records again");
    }
    stage
        .changes(naming[1], |row| row.restricted = sea_orm::ActiveValue::Set(true))
        .await;
    let access = access::open(stage.db(), stage.member, target).await.expect("may");
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let (rows, next) = links::backlinks(stage.db(), &access, after, 2).await.expect("lists");
        assert!(rows.len() <= 2);
        seen.extend(rows.iter().map(|link| link.row.id));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [naming[0], naming[2], naming[3], naming[4]]);
}
