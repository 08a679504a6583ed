//! What happens around every request.

use super::{Answer, ask, bare, get, post};
use actix_web::http::Method;
use actix_web::test::TestRequest;

const DRESS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
];

#[track_caller]
fn is_dressed(answer: &Answer) {
    for (name, value) in DRESS {
        assert_eq!(answer.header(name), value, "{name} of {}", answer.text);
    }
    assert!(!answer.header("x-request-id").is_empty(), "{}", answer.text);
}

#[actix_web::test]
async fn a_good_request_id_comes_back_and_a_bad_one_is_replaced() {
    let app = bare().await;
    for good in ["a", "trace-1_2.3", &"x".repeat(64)] {
        let answer = ask(&app, get("/health").insert_header(("x-request-id", good))).await;
        assert_eq!(answer.header("x-request-id"), good);
    }
    for bad in ["", "with space", "<script>", "tab\tid", &"x".repeat(65)] {
        let answer = ask(&app, get("/health").insert_header(("x-request-id", bad))).await;
        let id = answer.header("x-request-id");
        assert!(id != bad && uuid::Uuid::parse_str(id).is_ok(), "{bad:?} became {id:?}");
    }
}

#[actix_web::test]
async fn every_answer_wears_the_same_headers_however_it_came_about() {
    let app = bare().await;
    for path in ["/health", "/no/such/path", "/api/v1/users/me/", "/boom", "/fault", "/version"] {
        is_dressed(&ask(&app, get(path)).await);
    }
    is_dressed(&ask(&app, post("/api/v1/auth/login/", "{")).await);
    is_dressed(&ask(&app, post("/health", "")).await);
}

#[actix_web::test]
async fn what_is_one_callers_is_for_no_cache() {
    let app = bare().await;
    assert_eq!(ask(&app, get("/api/v1/users/me/")).await.header("cache-control"), "no-store");
    assert_eq!(ask(&app, get("/api/v1/openapi.json")).await.header("cache-control"), "no-cache");
}

#[actix_web::test]
async fn a_panic_costs_one_answer_and_tells_nothing() {
    let app = bare().await;
    let answer = ask(&app, get("/boom").insert_header(("x-request-id", "it-broke")))
        .await
        .problem(500, "internal");
    assert_eq!(answer.body["request_id"], "it-broke");
    assert!(!answer.text.contains("secret") && !answer.text.contains("panic"), "{}", answer.text);
    assert_eq!(ask(&app, get("/health")).await.status, 200);
}

#[actix_web::test]
async fn a_fault_inside_tells_nothing() {
    let answer = ask(&bare().await, get("/fault/")).await.problem(500, "internal");
    assert!(!answer.text.contains("secret"), "{}", answer.text);
}

#[actix_web::test]
async fn both_spellings_of_a_path_are_one_and_never_a_redirect() {
    let app = bare().await;
    let id = "0b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11";
    let block = format!("/api/v1/documents/{id}/blocks/a.dotted.id");
    for path in [
        "/api/v1/users/me",
        "/api/v1/workspaces",
        &format!("/api/v1/workspaces/{id}"),
        &block,
    ] {
        for path in [
            path.to_owned(),
            format!("{path}/"),
            format!("{path}?limit=5"),
            format!("{path}/?limit=5"),
        ] {
            ask(&app, get(&path)).await.problem(401, "unauthenticated");
        }
    }
    for path in ["/api/v1/auth/login", "/api/v1/auth/login/"] {
        ask(&app, post(path, "{}")).await.problem(422, "invalid");
    }
    for path in ["/health", "/health/", "/health/live", "/version", "/version/", "/docs", "/docs/"] {
        assert_eq!(ask(&app, get(path)).await.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn a_problem_names_the_path_as_it_was_asked_and_never_its_query() {
    let answer = ask(&bare().await, get("/api/v1/users/me?token=canary"))
        .await
        .problem(401, "unauthenticated");
    assert_eq!(answer.body["instance"], "/api/v1/users/me");
    assert!(!answer.text.contains("canary"), "{}", answer.text);
}

#[actix_web::test]
async fn head_answers_where_get_does() {
    let app = bare().await;
    for (path, status) in [
        ("/health", 200),
        ("/docs/", 200),
        ("/api/v1/openapi.json", 200),
        ("/api/v1/users/me", 401),
    ] {
        let head = TestRequest::default().method(Method::HEAD).uri(path);
        assert_eq!(ask(&app, head).await.status, status, "{path}");
    }
}
