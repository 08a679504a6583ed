//! The document is complete: nothing of it is left to its reader's guess.

use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// Every operation, with its path and method.
fn all(api: &Value) -> Vec<(String, String, Value)> {
    let paths = api["paths"].as_object().expect("paths");
    let operations = |(path, item): (&String, &Value)| {
        let item = item.as_object().expect("an item").clone();
        item.into_iter()
            .map(|(method, operation)| (path.clone(), method, operation))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(operations).collect()
}

fn document() -> Value {
    serde_json::to_value(openapi()).expect("the document serialises")
}

fn text<'a>(operation: &'a Value, key: &str) -> &'a str {
    operation[key].as_str().unwrap_or_default()
}

#[test]
fn every_operation_is_described() {
    let api = document();
    assert!(text(&api, "openapi").starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, _, operation) in all(&api) {
        let id = text(&operation, "operationId");
        assert!(
            id.split_once('.').is_some_and(|(a, b)| !a.is_empty() && !b.is_empty()),
            "{path}: {id:?} names no resource and verb"
        );
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
        assert!(!text(&operation, "summary").is_empty(), "{id} has no summary");
        assert!(operation["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{id} has no tag");
        assert!(path.ends_with('/'), "{path} is not in the promised spelling");
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |name: &str| parameters.iter().any(|p| p["name"] == name && p["in"] == "path");
        let in_path = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        in_path.for_each(|name| assert!(named(name), "{id} does not describe {name}"));
    }
    assert!(ids.len() > 30, "{}", ids.len());
}

#[test]
fn only_the_public_operations_need_no_token() {
    let api = document();
    let mut open = BTreeSet::new();
    for (_, _, operation) in all(&api) {
        let id = text(&operation, "operationId").to_owned();
        if operation["security"].is_null() {
            open.insert(id);
        } else {
            assert_eq!(operation["security"], serde_json::json!([{"bearer": []}]), "{id}");
            assert!(operation["responses"]["401"].is_object(), "{id} does not say that it takes a token");
        }
    }
    assert_eq!(
        open,
        PUBLIC.map(str::to_owned).into(),
        "the list of public operations may only shrink"
    );
    assert_eq!(api["components"]["securitySchemes"]["bearer"]["scheme"], "bearer");
}

#[test]
fn every_failure_is_a_problem_with_an_example() {
    for (path, method, operation) in all(&document()) {
        let responses = operation["responses"].as_object().expect("responses");
        assert!(
            responses.keys().any(|status| status.starts_with('2')),
            "{method} {path} never succeeds"
        );
        assert!(
            ["429", "500", "503"].iter().all(|status| responses.contains_key(*status)),
            "{method} {path}"
        );
        let has_body = operation["requestBody"].is_object();
        for status in ["400", "413", "415", "422"].iter().filter(|_| has_body) {
            assert!(responses.contains_key(*status), "{method} {path} has a body and no {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| !status.starts_with('2')) {
            let described = ["application/problem+json", "application/json"]
                .iter()
                .any(|kind| response["content"][kind]["schema"].is_object());
            assert!(described, "{method} {path}: {status} has no schema");
        }
        assert_eq!(responses["503"]["content"]["application/problem+json"]["example"]["status"], 503);
    }
}

/// Every name that a `$ref` uses, and every schema there is.
#[test]
fn every_schema_that_is_named_is_there() {
    let api = document();
    let text = api.to_string();
    let named = text
        .split("\"#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    for name in named.collect::<BTreeSet<_>>() {
        assert!(api["components"]["schemas"][name].is_object(), "{name} is not described");
    }
}

/// What a client sends can be tried from the docs page without thinking up values.
#[test]
fn every_text_of_a_body_has_an_example() {
    let api = document();
    for (path, method, operation) in all(&api) {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) else {
            continue;
        };
        let properties = api["components"]["schemas"][name]["properties"].as_object();
        for (property, schema) in properties.into_iter().flatten() {
            let is_plain_text = schema["type"] == "string" && schema["format"].is_null() && schema["enum"].is_null();
            assert!(
                !is_plain_text || !schema["example"].is_null(),
                "{method} {path}: {property} has no example"
            );
        }
    }
}

#[test]
fn methods_of_a_path_are_what_the_router_takes() {
    let of = |path: &str| methods_of(path).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    assert_eq!(of("/api/v1/auth/login/"), "POST");
    assert_eq!(of("/api/v1/workspaces/"), "GET HEAD POST");
    assert_eq!(of("/api/v1/documents/x/blocks/batch/"), "POST GET HEAD PATCH DELETE");
    assert_eq!(of("/health/"), "GET HEAD");
    assert_eq!(of("/api/v1/workspaces//"), "");
    assert_eq!(of("/nothing/"), "");
}

/// The list that the log is written from is the list that is published.
#[test]
fn every_type_of_event_is_described() {
    let api = document();
    let schemas = &api["components"]["schemas"];
    let names: Vec<Value> = ::events::catalogue().iter().map(|one| one.name.into()).collect();
    assert_eq!(schemas["Event"]["properties"]["type"]["enum"], Value::from(names.clone()));
    for one in ::events::catalogue() {
        let payload = &schemas["EventPayloads"]["properties"][one.name];
        assert_eq!(payload["required"], one.payload["required"], "{}", one.name);
        assert_eq!(payload["description"], one.description);
    }
}
