//! The net under permission: every operation of the generated OpenAPI document is called as nobody, as a stranger from
//! another tenant, as a guest without and with a grant, as each other role, with an API key of too small a scope, and with
//! the token of a share link. A new operation is in it from its first day.

mod place;

use crate::support::TestApp;
use place::{CALLERS, Place};
use reqwest::Method;
use serde_json::Value;
use std::fmt::Write;

/// The answers as they were reviewed.
const TABLE: &str = include_str!("permission.txt");

pub struct Operation {
    id: String,
    method: Method,
    path: String,
    has_body: bool,
}

fn operations() -> Vec<Operation> {
    let api: Value = serde_json::from_str(&api::openapi().to_json().expect("JSON")).expect("JSON");
    let mut all = Vec::new();
    for (path, item) in api["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            let Ok(method) = Method::from_bytes(method.to_uppercase().as_bytes()) else {
                continue;
            };
            let Some(id) = operation["operationId"].as_str() else { continue };
            all.push(Operation {
                id: id.to_owned(),
                method,
                path: path.clone(),
                has_body: operation["requestBody"].is_object(),
            });
        }
    }
    assert!(all.len() > 80);
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

fn is_public(operation: &Operation) -> bool {
    api::openapi::PUBLIC.contains(&operation.id.as_str())
}

/// What whoever holds a share link may ask for.
fn is_shared(operation: &Operation) -> bool {
    let id = operation.id.as_str();
    let files = ["attachments.list", "attachments.read", "attachments.content", "attachments.url"];
    id.starts_with("blocks.")
        || files.contains(&id)
        || [
            "documents.read",
            "documents.markdown",
            "documents.references",
            "documents.save_markdown",
            "documents.edit",
            "documents.presence",
            "documents.listen",
            "documents.say",
        ]
        .contains(&id)
}

/// An answer as it stands in the table.
fn cell(operation: &Operation, caller: &str, (status, text): (u16, &str)) -> String {
    let told = || format!("{} as {caller}: {status} {text}", operation.id);
    match status {
        // Through the door: what is wrong with the empty body comes after.
        200..=399 | 409 | 410 | 415 | 422 | 429 => return "yes".to_owned(),
        401 | 403 | 404 => {}
        _ => panic!("{}", told()),
    }
    let leaks = text.contains("secret") || text.contains("Walked");
    assert!(!leaks, "it tells too much: {}", told());
    status.to_string()
}

/// What no review can make right.
fn fault(operation: &Operation, caller: &str, cell: &str) -> Option<String> {
    // Asking for access is answered alike whatever is there.
    let is_others = ["{workspace_id}", "{document_id}"].iter().any(|id| operation.path.contains(id));
    let expected = match caller {
        // Whoever brings a token that is none for this is told so.
        "link" if is_public(operation) => return None,
        _ if is_public(operation) => return (cell == "401").then(|| format!("{} as {caller}: {cell}", operation.id)),
        "nobody" => "401",
        "link" if !is_shared(operation) => "401",
        "key" => "403",
        "stranger" if is_others && operation.id != "access_requests.create" => "404",
        _ => return None,
    };
    (cell != expected).then(|| format!("{} as {caller}: {cell}, not {expected}", operation.id))
}

/// A place for the next call. One where something may have been changed is not used again.
struct Places<'a> {
    app: &'a TestApp,
    place: Place,
}

impl Places<'_> {
    async fn row(&mut self, operation: &Operation, faults: &mut Vec<String>) -> String {
        let mut row = format!("{:<32}", operation.id);
        for caller in CALLERS {
            let path = self.place.path(operation).await;
            let person = self.place.caller(self.app, caller, operation).await;
            let (status, text) = self.place.call(&person, operation, &path).await;
            let cell = cell(operation, caller, (status, &text));
            faults.extend(fault(operation, caller, &cell));
            write!(row, "{cell:<10}").expect("written");
            let is_as_it_was = operation.method == Method::GET || is_public(operation) || cell != "yes";
            if !is_as_it_was || place::is_prepared(operation) {
                self.place = Place::new(self.app).await;
            }
        }
        row.trim_end().to_owned() + "\n"
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_caller_may_do_is_the_committed_table() {
    let app = TestApp::new().await;
    let mut places = Places {
        app: &app,
        place: Place::new(&app).await,
    };
    let heads: String = CALLERS.iter().map(|caller| format!("{caller:<10}")).collect();
    let mut faults = Vec::new();
    let mut table = format!("{:<32}{}\n", "operation", heads.trim_end());
    for operation in operations() {
        table += &places.row(&operation, &mut faults).await;
    }
    assert_eq!(faults, Vec::<String>::new(), "in:\n{table}");
    assert_eq!(table, TABLE, "the table of permissions has changed; review it:\n{table}");
    app.stop().await;
}
