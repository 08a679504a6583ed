//! Health, version and the docs page.

use super::{app, ask, bare, get, state};
use sea_orm::DatabaseConnection;
use std::sync::atomic::Ordering;
use testing::{Form, TestDb};

#[actix_web::test]
async fn a_process_that_answers_is_alive_without_its_database() {
    let app = bare().await;
    for path in ["/health", "/health/live"] {
        let answer = ask(&app, get(path)).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &"ok".into()), "{path}");
    }
}

#[actix_web::test]
async fn a_node_without_its_database_is_not_ready_and_says_which_part_is_missing() {
    let answer = ask(&bare().await, get("/health/ready")).await.problem(503, "not_ready");
    assert_eq!((&answer.body["database"], &answer.body["bus"]), (&"down".into(), &"ok".into()));
    assert_eq!(answer.header("retry-after"), "1");
}

#[actix_web::test]
async fn a_node_is_ready_until_it_goes_away() {
    let db = TestDb::of(Form::Embedded).await;
    let state = state(db.db().clone());
    let draining = state.draining.clone();
    let app = app(state).await;
    let ready = ask(&app, get("/health/ready")).await;
    assert_eq!(
        (ready.status, &ready.body["database"], &ready.body["draining"]),
        (200, &"ok".into(), &false.into())
    );
    draining.store(true, Ordering::Relaxed);
    let going = ask(&app, get("/health/ready")).await.problem(503, "not_ready");
    assert_eq!((&going.body["database"], &going.body["draining"]), (&"ok".into(), &true.into()));
}

#[actix_web::test]
async fn version_says_what_runs() {
    let answer = ask(&app(state(DatabaseConnection::default())).await, get("/version")).await;
    assert_eq!(
        (answer.body["name"].as_str(), answer.body["version"].as_str()),
        (Some("sheaf"), Some(env!("CARGO_PKG_VERSION")))
    );
}

/// The addresses in the page's `src` and `href`.
fn assets(html: &str) -> Vec<String> {
    let after = |mark: &str| {
        html.split(mark)
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .collect::<Vec<_>>()
    };
    [after("src=\""), after("href=\"")].concat()
}

#[actix_web::test]
async fn the_docs_page_has_all_its_assets_inside() {
    let app = bare().await;
    let page = ask(&app, get("/docs/")).await;
    assert_eq!((page.status, page.header("content-type")), (200, "text/html"));
    let found = assets(&page.text);
    assert!(found.len() >= 4, "{found:?}");
    for asset in found {
        let name = asset.strip_prefix("./").unwrap_or(&asset);
        assert!(!name.contains("//"), "{asset} is elsewhere");
        let answer = ask(&app, get(&format!("/docs/{name}"))).await;
        assert!(answer.status == 200 && !answer.text.is_empty(), "{asset}: {}", answer.status);
    }
    let start = ask(&app, get("/docs/swagger-initializer.js")).await;
    assert!(start.text.contains("/api/v1/openapi.json"), "{}", start.text);
    assert!(start.text.contains("\"validatorUrl\": \"none\""), "{}", start.text);
}

#[actix_web::test]
async fn the_docs_page_may_run_its_own_files_and_nothing_else() {
    let app = bare().await;
    for path in ["/docs", "/docs/"] {
        let page = ask(&app, get(path)).await;
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'self';") && !policy.contains("http"),
            "{path}: {policy}"
        );
        let inline = page
            .text
            .split("<script")
            .skip(1)
            .filter(|script| !script.split('>').next().unwrap_or("").contains("src="));
        assert_eq!(inline.count(), 0, "{path} has a script in place, which the policy forbids");
    }
    let bare_spelling = ask(&app, get("/docs")).await;
    assert!(bare_spelling.text.contains("<base href=\"/docs/\">"), "{}", bare_spelling.text);
}

#[actix_web::test]
async fn a_newcomer_lands_on_the_docs_page() {
    let answer = ask(&bare().await, get("/")).await;
    assert_eq!((answer.status, answer.header("location")), (307, "/docs/"));
}

#[actix_web::test]
async fn the_openapi_document_is_served_as_it_is_generated() {
    let answer = ask(&bare().await, get("/api/v1/openapi.json")).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
    assert_eq!(
        answer.body,
        serde_json::to_value(crate::openapi()).expect("the document serialises")
    );
}
