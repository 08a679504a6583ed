//! The published types of blocks.

use crate::support::TestApp;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn every_type_is_published_with_the_schema_of_its_props() {
    let app = TestApp::new().await;
    let (owner, _, document, _) = app.page("Hello").await;
    let answer = owner.get("/api/v1/block-types/").await.expect(200);
    let types = answer.body["data"].as_array().expect("types");
    assert_eq!(types.len(), 28);
    let find = |name: &str| types.iter().find(|one| one["type"] == name).expect("a type");
    assert_eq!(find("heading")["props"]["properties"]["level"]["anyOf"][0]["maximum"], 4);
    assert_eq!(find("code")["text"], "plain");
    assert_eq!(
        (&find("table_row")["parent"], &find("table")["holds"]),
        (&json!("table"), &json!("table_row"))
    );
    let marks: Vec<&Value> = answer.body["marks"]
        .as_array()
        .expect("marks")
        .iter()
        .map(|mark| &mark["name"])
        .collect();
    assert!(marks.contains(&&json!("bold")) && marks.contains(&&json!("mention")), "{marks:?}");
    // What is published is what is checked.
    let blocks = format!("/api/v1/documents/{document}/blocks/");
    for (level, status) in [(4, 201), (5, 422)] {
        let heading = json!({ "type": "heading", "text": "x", "props": { "level": level } });
        assert_eq!(owner.post(&blocks, &heading).await.status, status, "level {level}");
    }
    app.stop().await;
}
