//! What goes wrong with a request, and what its sender is told.

use super::{app, ask, bare, get, post, state};
use actix_web::{http::Method, test::TestRequest};
use serde_json::json;
use testing::{Form, TestDb};

const LOGIN: &str = "/api/v1/auth/login/";

#[actix_web::test]
async fn a_path_of_nothing_is_not_found() {
    let app = bare().await;
    for path in [
        "/nothing",
        "/api/v1/nothing/",
        "/api/v2/users/me/",
        "/docs/nothing.js",
        "/api/v1",
        "/%ff/%00",
    ] {
        let answer = ask(&app, get(path)).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (404, "application/problem+json"),
            "{path}: {}",
            answer.text
        );
    }
}

#[actix_web::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let app = bare().await;
    let id = "0b9c6f0e-6f0e-4b7e-8a51-1f7a3f6f2f11";
    let cases = [
        (Method::GET, LOGIN.to_owned(), "POST"),
        (Method::PUT, "/api/v1/users/me".to_owned(), "GET, HEAD, PATCH, DELETE"),
        (Method::PUT, format!("/api/v1/workspaces/{id}/"), "GET, HEAD, PATCH, DELETE"),
        (Method::POST, "/health".to_owned(), "GET, HEAD"),
        (Method::POST, format!("/ws/documents/{id}"), "GET, HEAD"),
        (Method::TRACE, "/docs/".to_owned(), "GET, HEAD"),
        (Method::POST, "/api/v1/openapi.json".to_owned(), "GET, HEAD"),
    ];
    for (method, path, allow) in cases {
        let request = TestRequest::default().method(method.clone()).uri(&path);
        let answer = ask(&app, request).await.problem(405, "method_not_allowed");
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
    }
}

#[actix_web::test]
async fn a_body_that_is_no_json_is_told_where_it_stops_being_it() {
    let app = bare().await;
    let deep = format!("{{\"unknown\": {}", "[".repeat(10_000));
    let twice = "{\"email\": \"a\", \"password\": \"b\"} {}";
    for body in ["", "{", "nonsense", "{\"email\": \"a\",}", twice, "\u{feff}{}", &deep] {
        let answer = ask(&app, post(LOGIN, body.to_owned())).await.problem(400, "bad_json");
        assert!(
            answer.body["detail"]
                .as_str()
                .is_some_and(|detail| detail.contains("line 1 column")),
            "{}",
            answer.text
        );
    }
    let not_utf8: &'static [u8] = b"{\"email\": \"\xff\xfe\", \"password\": \"x\"}";
    ask(&app, post(LOGIN, not_utf8)).await.problem(400, "bad_json");
}

#[actix_web::test]
async fn a_body_of_another_type_is_refused() {
    let app = bare().await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"] {
        let request = post(LOGIN, "{}").insert_header(("content-type", kind));
        ask(&app, request).await.problem(415, "unsupported_media_type");
    }
    ask(&app, TestRequest::post().uri(LOGIN).set_payload("{}"))
        .await
        .problem(415, "unsupported_media_type");
    ask(&app, post(LOGIN, "{}").insert_header(("content-encoding", "gzip")))
        .await
        .problem(415, "unsupported_media_type");
    for kind in ["application/json; charset=utf-8", "application/merge-patch+json"] {
        ask(&app, post(LOGIN, "{}").insert_header(("content-type", kind)))
            .await
            .problem(422, "invalid");
    }
}

#[actix_web::test]
async fn a_bad_field_is_named() {
    let app = bare().await;
    let login = |body: serde_json::Value| post(LOGIN, body.to_string());
    let cases = [
        (json!({}), "/email", "required"),
        (json!({"email": "ada@example.com"}), "/password", "required"),
        (json!({"email": 5, "password": "x"}), "/email", "invalid"),
        (json!({"email": null, "password": "x"}), "/email", "invalid"),
        // Not even when the fields are there, in a row.
        (json!([1, 2]), "", "invalid"),
        (json!(["ada@example.com", "correct horse"]), "", "invalid"),
        (json!("text"), "", "invalid"),
    ];
    for (body, pointer, code) in cases {
        let answer = ask(&app, login(body.clone())).await.problem(422, "invalid");
        assert_eq!(answer.bad_fields(), [(pointer, code)], "{body}");
    }
    let empty = ask(&app, post("/api/v1/auth/token/refresh/", json!({"refresh_token": ""}).to_string())).await;
    assert_eq!(empty.problem(422, "invalid").bad_fields(), [("/refresh_token", "length")]);
}

#[actix_web::test]
async fn all_bad_fields_are_named_at_once() {
    let body = json!({"email": "nonsense", "password": "x", "display_name": ""});
    let answer = ask(&bare().await, post("/api/v1/auth/register/", body.to_string()))
        .await
        .problem(422, "invalid");
    let pointers: Vec<&str> = answer.bad_fields().iter().map(|(pointer, _)| *pointer).collect();
    assert_eq!(pointers, ["/email", "/password", "/display_name"]);
}

#[actix_web::test]
async fn what_was_sent_comes_back_only_in_part() {
    let body = json!({"email": {}, "password": "x"})
        .to_string()
        .replace("{}", &format!("[\"{}\"]", "x".repeat(10_000)));
    let answer = ask(&bare().await, post(LOGIN, body)).await.problem(422, "invalid");
    assert!(answer.text.len() < 2_000, "{} bytes", answer.text.len());
}

#[actix_web::test]
async fn a_large_body_is_refused_on_auth_routes_sooner_than_elsewhere() {
    let app = bare().await;
    let of = |bytes: usize| format!("{{\"email\": \"{}\"}}", "x".repeat(bytes));
    ask(&app, post(LOGIN, of(15 << 10))).await.problem(422, "invalid");
    ask(&app, post(LOGIN, of(16 << 10))).await.problem(413, "too_large");
    // Announced as larger than it may be: refused before it is read.
    let announced = post(LOGIN, "{}").insert_header(("content-length", "99999999"));
    ask(&app, announced).await.problem(413, "too_large");
}

#[actix_web::test]
async fn nobody_known_is_told_so_before_anything_else() {
    let app = bare().await;
    let me = "/api/v1/users/me/";
    for token in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer nonsense",
        "Basic YTpi",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
    ] {
        let answer = ask(&app, get(me).insert_header(("authorization", token)))
            .await
            .problem(401, "unauthenticated");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
    for path in ["/api/v1/workspaces/", "/api/v1/workspaces/no-id/members/", "/api/v1/documents/"] {
        ask(&app, post(path, "nonsense")).await.problem(401, "unauthenticated");
    }
    ask(&app, get("/api/v1/workspaces/?limit=many"))
        .await
        .problem(401, "unauthenticated");
}

#[actix_web::test]
async fn without_its_database_the_product_asks_to_come_again() {
    let body = json!({"email": "ada@example.com", "password": "correct horse battery staple"});
    let db = TestDb::of(Form::Embedded).await;
    let app = app(state(db.db().clone())).await;
    db.db().clone().close().await.expect("it closes");
    let answer = ask(&app, post(LOGIN, body.to_string())).await.problem(503, "database_unavailable");
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(answer.body["detail"], "temporarily unavailable; try again");
}
