//! Bodies of more than one level.

use super::*;
use serde::Deserialize;

#[derive(Debug, Deserialize, Validate)]
struct Page {
    #[validate(length(max = 5, message = "takes at most 5 characters"))]
    title: String,
    #[serde(default)]
    #[validate(nested)]
    blocks: Vec<Block>,
}

#[derive(Debug, Deserialize, Validate)]
struct Block {
    #[serde(rename = "a/b~c")]
    #[validate(range(max = 3))]
    level: u8,
}

#[track_caller]
fn check(body: &str, expected: &[(&str, &str, &str)]) {
    let error = parse::<Page>(body.as_bytes()).expect_err(body);
    let problem = error.problem(&crate::problem::Asked::default());
    let found: Vec<_> = problem
        .errors
        .iter()
        .map(|f| (f.pointer.as_str(), f.code.as_str(), f.detail.as_str()))
        .collect();
    assert_eq!((problem.status, found.as_slice()), (422, expected), "{body}");
}

#[test]
fn a_pointer_goes_down_into_lists() {
    check(
        r#"{"title": "a", "blocks": [{"a/b~c": 1}, {"a/b~c": "x"}]}"#,
        &[("/blocks/1/a~1b~0c", "invalid", "invalid type: string \"x\", expected u8")],
    );
    check(
        r#"{"title": "a", "blocks": [{}]}"#,
        &[("/blocks/0/a~1b~0c", "required", "is required")],
    );
    check(
        r#"{"title": "a at line 7", "blocks": 5}"#,
        &[("/blocks", "invalid", "invalid type: integer `5`, expected a sequence")],
    );
}

#[test]
fn validation_names_everything_at_once() {
    check(
        r#"{"title": "longer", "blocks": [{"a/b~c": 1}, {"a/b~c": 9}]}"#,
        &[
            ("/blocks/1/level", "range", "does not satisfy range"),
            ("/title", "length", "takes at most 5 characters"),
        ],
    );
}

#[test]
fn what_is_unknown_is_ignored() {
    assert_eq!(
        parse::<Page>(br#"{"title": "a", "id": 5, "role": "owner"}"#)
            .map(|page| page.title)
            .ok()
            .as_deref(),
        Some("a")
    );
}
