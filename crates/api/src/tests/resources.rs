//! Workspaces and members over REST, as far as the HTTP face decides: who hears what, versions, and lists.

use super::{Answer, app, ask, get, post, state};
use actix_http::Request;
use actix_web::{
    Error,
    body::BoxBody,
    dev::{Service, ServiceResponse},
    test::TestRequest,
};
use serde_json::{Value, json};
use testing::TestDb;

const WORKSPACES: &str = "/api/v1/workspaces/";

trait Product: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error> {}
impl<S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>> Product for S {}

/// Registers somebody; their id and access token.
async fn person(app: &impl Product, name: &str) -> (String, String) {
    let body = json!({"email": format!("{name}@example.com"), "password": "correct horse battery staple", "display_name": name});
    let answer = ask(app, post("/api/v1/auth/register/", body.to_string())).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let text = |pointer: &str| answer.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    (text("/user/id"), text("/access_token"))
}

fn by(token: &str, request: TestRequest) -> TestRequest {
    request.insert_header(("authorization", format!("Bearer {token}")))
}

fn patch(path: &str, body: Value) -> TestRequest {
    TestRequest::patch().uri(path).set_json(body)
}

async fn workspace(app: &impl Product, token: &str, name: &str) -> Answer {
    let made = ask(app, by(token, post(WORKSPACES, json!({ "name": name }).to_string()))).await;
    assert_eq!(made.status, 201, "{}", made.text);
    made
}

#[actix_web::test]
async fn whoever_may_not_is_told_that_before_anything_about_the_body() {
    let db = TestDb::new().await;
    let app = app(state(db.db().clone())).await;
    let (_, ada) = person(&app, "ada").await;
    let (_, eve) = person(&app, "eve").await;
    let (_, guest) = person(&app, "guest").await;
    let made = workspace(&app, &ada, "Engines").await;
    let place = made.header("location").to_owned();
    let add = json!({"email": "guest@example.com", "role": "guest"});
    assert_eq!(
        ask(&app, by(&ada, post(&format!("{place}members/"), add.to_string()))).await.status,
        201
    );
    for body in ["", "nonsense", "{}", "{\"name\": 5}"] {
        let edit = |token| by(token, post(&place, body.to_owned()).method(actix_web::http::Method::PATCH));
        ask(&app, edit(&eve)).await.problem(404, "not_found");
        ask(&app, edit(&guest)).await.problem(403, "forbidden");
        assert!(matches!(ask(&app, edit(&ada)).await.status, 400 | 422), "{body:?}");
    }
    ask(&app, by(&eve, get("/api/v1/workspaces/no-id/")))
        .await
        .problem(404, "not_found");
}

#[actix_web::test]
async fn a_version_that_is_known_is_not_sent_again_and_one_that_is_stale_not_overwritten() {
    let db = TestDb::new().await;
    let app = app(state(db.db().clone())).await;
    let (_, ada) = person(&app, "ada").await;
    let made = workspace(&app, &ada, "Engines").await;
    let (place, first) = (made.header("location").to_owned(), made.header("etag").to_owned());
    let read = ask(&app, by(&ada, get(&place))).await;
    assert_eq!((read.status, read.header("etag")), (200, first.as_str()));
    let known = ask(&app, by(&ada, get(&place).insert_header(("if-none-match", first.clone())))).await;
    assert_eq!((known.status, known.text.as_str(), known.header("etag")), (304, "", first.as_str()));

    let renamed = |name: &str, seen: &str| {
        by(
            &ada,
            patch(&place, json!({ "name": name })).insert_header(("if-match", seen.to_owned())),
        )
    };
    let second = ask(&app, renamed("Analytical Engines", &first)).await;
    assert_eq!((second.status, second.body["name"].as_str()), (200, Some("Analytical Engines")));
    assert_ne!(second.header("etag"), first);
    for stale in [first.as_str(), "\"none-of-ours\"", "nonsense", ""] {
        ask(&app, renamed("Lost", stale)).await.problem(412, "stale");
    }
    ask(&app, by(&ada, TestRequest::delete().uri(&place).insert_header(("if-match", first))))
        .await
        .problem(412, "stale");
    assert_eq!(ask(&app, renamed("Whatever it was", "*")).await.status, 200);
    assert_eq!(
        ask(&app, by(&ada, patch(&place, json!({"name": "Unconditionally"})))).await.status,
        200
    );
}

#[actix_web::test]
async fn a_member_that_changed_is_not_changed_by_who_has_not_seen_it() {
    let db = TestDb::new().await;
    let app = app(state(db.db().clone())).await;
    let (_, ada) = person(&app, "ada").await;
    let (bob_id, _) = person(&app, "bob").await;
    let place = workspace(&app, &ada, "Engines").await.header("location").to_owned();
    let add = json!({"email": "bob@example.com", "role": "guest"});
    let added = ask(&app, by(&ada, post(&format!("{place}members/"), add.to_string()))).await;
    assert_eq!(added.header("location"), format!("{place}members/{bob_id}/"));
    let bob = added.header("location").to_owned();
    let first = ask(&app, by(&ada, get(&bob))).await.header("etag").to_owned();
    let becomes = |role: &str, seen: &str| {
        by(
            &ada,
            patch(&bob, json!({ "role": role })).insert_header(("if-match", seen.to_owned())),
        )
    };
    assert_eq!(ask(&app, becomes("member", &first)).await.status, 200);
    ask(&app, becomes("admin", &first)).await.problem(412, "stale");
    assert_eq!(ask(&app, by(&ada, get(&bob))).await.body["role"], "member");
}

#[actix_web::test]
async fn a_list_is_read_to_its_end_by_its_links() {
    let db = TestDb::new().await;
    let app = app(state(db.db().clone())).await;
    let (_, ada) = person(&app, "ada").await;
    for name in ["One", "Two", "Three", "Four", "Five"] {
        workspace(&app, &ada, name).await;
    }
    let (mut next, mut names) = (format!("{WORKSPACES}?limit=2"), Vec::new());
    while !next.is_empty() {
        let page = ask(&app, by(&ada, get(&next))).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let data = page.body["data"].as_array().expect("data").clone();
        names.extend(data.iter().map(|one| one["name"].as_str().unwrap_or_default().to_owned()));
        let link = page
            .header("link")
            .strip_suffix(">; rel=\"next\"")
            .and_then(|link| link.strip_prefix('<'));
        assert_eq!(link.is_some(), page.body["next_cursor"].is_string());
        next = link.unwrap_or_default().to_owned();
    }
    assert_eq!(names, ["One", "Two", "Three", "Four", "Five"]);
}

#[actix_web::test]
async fn a_bad_parameter_is_named() {
    let db = TestDb::new().await;
    let app = app(state(db.db().clone())).await;
    let (_, ada) = person(&app, "ada").await;
    let cases = [
        ("/api/v1/workspaces/?limit=many", "/limit", "invalid"),
        ("/api/v1/workspaces/?limit=", "/limit", "invalid"),
        ("/api/v1/workspaces/?limit=-1", "/limit", "invalid"),
        ("/api/v1/workspaces/?limit=0", "/limit", "out_of_range"),
        ("/api/v1/workspaces/?limit=201", "/limit", "out_of_range"),
        ("/api/v1/workspaces/?cursor=nonsense", "/cursor", "invalid"),
        ("/api/v1/documents/", "/workspace_id", "required"),
        ("/api/v1/documents/?workspace_id=nonsense", "/workspace_id", "invalid"),
    ];
    for (path, pointer, code) in cases {
        let answer = ask(&app, by(&ada, get(path))).await.problem(422, "invalid");
        assert_eq!(answer.bad_fields(), [(pointer, code)], "{path}");
    }
}

#[actix_web::test]
async fn fields_of_others_are_ignored() {
    let db = TestDb::new().await;
    let app = app(state(db.db().clone())).await;
    let (id, ada) = person(&app, "ada").await;
    let sneaky =
        json!({"name": "Engines", "role": "guest", "created_at": "1999-01-01T00:00:00Z", "created_by": id, "abilities": {"delete": false}});
    let made = ask(&app, by(&ada, post(WORKSPACES, sneaky.to_string()))).await;
    assert_eq!((made.status, made.body["role"].as_str()), (201, Some("owner")));
    assert!(!made.text.contains("1999"), "{}", made.text);
    assert_eq!(made.body["abilities"]["delete"], true);
    let me = ask(&app, by(&ada, get("/api/v1/users/me"))).await;
    assert!(
        me.status == 200 && !me.header("etag").is_empty() && !me.text.contains("password"),
        "{}",
        me.text
    );
}
