//! Addresses: proven by letter, changed by letter, and the page that opens them.

use crate::support::{Letters, TestApp, User};
use entity::user_token;
use sea_orm::{EntityTrait, PaginatorTrait, sea_query::Expr};
use serde_json::{Value, json};
use std::process::Command;

const VERIFY: &str = "Is this your e-mail address?";
const CHANGE: &str = "Confirm your new e-mail address";
const NOTICE: &str = "Your account is to get another e-mail address";

async fn verify(app: &TestApp, token: &str) -> crate::support::http::Answer {
    User::nobody(app)
        .post("/api/v1/auth/email/verify/", &json!({ "token": token }))
        .await
}

/// Lets a minute pass since the last letters.
async fn a_minute_passes(app: &TestApp) {
    let then = kernel::clock::now() - std::time::Duration::from_secs(61);
    let older = user_token::Entity::update_many().col_expr(user_token::Column::CreatedAt, Expr::value(then));
    older.exec(&app.database().await).await.expect("updates");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_registers_proves_their_address_with_a_letter() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    let before = ada.get("/api/v1/users/me/").await.expect(200);
    assert_eq!(before.body["email_verified"], false);
    let token = letters.token(&ada.email, VERIFY, 1).await;
    let proven = verify(&app, &token).await.expect(200);
    assert_eq!(proven.body["email"], *ada.email);
    let after = ada.get("/api/v1/users/me/").await.expect(200);
    assert_eq!(after.body["email_verified"], true);
    assert_ne!(before.headers["etag"], after.headers["etag"]);
    let again = verify(&app, &token).await.problem(422, "invalid_token");
    assert_eq!(again.body["errors"][0]["pointer"], "/token");
    verify(&app, &"0".repeat(64)).await.problem(422, "invalid_token");
    verify(&app, "").await.problem(422, "invalid");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_letter_replaces_the_one_before_and_nobody_learns_who_gets_one() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    let first = letters.token(&ada.email, VERIFY, 1).await;
    let resend = async |email: &str| {
        let answer = User::nobody(&app)
            .post("/api/v1/auth/email/resend/", &json!({ "email": email }))
            .await
            .expect(202);
        (answer.status, answer.text)
    };
    let known = resend(&ada.email).await;
    assert_eq!(known, resend("nobody@example.com").await);
    assert_eq!(known, resend("no address").await);
    a_minute_passes(&app).await;
    assert_eq!(known, resend(&ada.email.to_uppercase()).await);
    let second = letters.token(&ada.email, VERIFY, 2).await;
    assert_ne!(first, second);
    verify(&app, &first).await.problem(422, "invalid_token");
    verify(&app, &second).await.expect(200);
    // There is nothing left to prove: the answer is the same, and no letter comes before the next one.
    a_minute_passes(&app).await;
    assert_eq!(known, resend(&ada.email).await);
    let ben = app.user("ben").await;
    letters.token(&ben.email, VERIFY, 1).await;
    assert_eq!(
        letters.all(&ada.email, VERIFY).await.len(),
        2,
        "one within a minute was not sent, nor one for nothing"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_confirmed_there_and_told_to_the_old_one() {
    let (app, letters) = Letters::app(&[]).await;
    let (ada, ben) = (app.user("ada").await, app.user("ben").await);
    let new = format!("new-{}", ada.email);
    let change = "/api/v1/auth/email/change/";
    User::nobody(&app)
        .post(change, &json!({ "email": new }))
        .await
        .problem(401, "unauthenticated");
    ada.post(change, &json!({ "email": "no address" })).await.problem(422, "invalid");
    ada.post(change, &json!({ "email": ada.email })).await.problem(422, "invalid");
    ada.post(change, &json!({ "email": ben.email })).await.expect(202);
    ada.post(change, &json!({ "email": new.to_uppercase() })).await.expect(202);
    let token = letters.token(&new, CHANGE, 1).await;
    let told = letters.wait(&ada.email, NOTICE, 2).await;
    assert!(told["text"].as_str().is_some_and(|text| text.contains(&new)), "{told}");
    assert_eq!(
        letters.all(&ben.email, CHANGE).await,
        Vec::<Value>::new(),
        "who has an account is not written to"
    );

    verify(&app, &token).await.expect(200);
    let me = ada.get("/api/v1/users/me/").await.expect(200).body;
    assert_eq!((&me["email"], &me["email_verified"]), (&json!(new), &json!(true)));
    let login = async |email: &str| {
        let body = json!({ "email": email, "password": "correct horse battery staple" });
        User::nobody(&app).post("/api/v1/auth/login/", &body).await
    };
    login(&new).await.expect(200);
    login(&ada.email).await.problem(401, "invalid_credentials");
    let old = letters.token(&ada.email, VERIFY, 1).await;
    verify(&app, &old).await.problem(422, "invalid_token");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_addresses_have_to_be_proven_a_login_waits_for_that() {
    let (app, letters) = Letters::app(&[("auth.require_verified_email", "true")]).await;
    let nobody = User::nobody(&app);
    let account = json!({ "email": "ada@example.com", "password": "correct horse battery staple", "display_name": "Ada" });
    let made = nobody.post("/api/v1/auth/register/", &account).await.expect(202);
    assert_eq!(made.body, json!({ "email_verified": false }));
    nobody.post("/api/v1/auth/login/", &account).await.problem(403, "email_unverified");
    let token = letters.token("ada@example.com", VERIFY, 1).await;
    verify(&app, &token).await.expect(200);
    let signed_in = nobody.post("/api/v1/auth/login/", &account).await.expect(200);
    assert_eq!(signed_in.body["user"]["email_verified"], true);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_job_and_no_row_holds_a_token() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    User::nobody(&app)
        .post("/api/v1/auth/password/forgot/", &json!({ "email": ada.email }))
        .await
        .expect(202);
    let tokens = [
        letters.token(&ada.email, VERIFY, 1).await,
        letters.token(&ada.email, "Set a new password", 1).await,
    ];
    let db = app.database().await;
    let jobs = entity::job::Entity::find().all(&db).await.expect("reads");
    let rows = user_token::Entity::find().all(&db).await.expect("reads");
    assert_eq!((rows.len(), jobs.iter().filter(|job| job.kind == "send_token").count()), (2, 2));
    for token in &tokens {
        assert!(!format!("{jobs:?}{rows:?}").contains(token.as_str()));
        assert!(rows.iter().any(|row| row.token_hash == kernel::secret::hash(token)));
    }
    assert!(
        jobs.iter()
            .filter(|job| job.kind == "send_token")
            .all(|job| !job.payload.contains('@')),
        "ids only"
    );
    assert_eq!(user_token::Entity::find().count(&db).await.expect("counts"), 2);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_behind_letters_loads_nothing_from_elsewhere_and_runs_nothing_inline() {
    let app = TestApp::new().await;
    let get = async |path: &str| app.http.get(app.url(path)).send().await.expect("an answer");
    for (path, media_type) in [
        ("/open/", "text/html; charset=utf-8"),
        ("/open", "text/html; charset=utf-8"),
        ("/open/open.js", "text/javascript; charset=utf-8"),
        ("/open/open.css", "text/css; charset=utf-8"),
    ] {
        let answer = get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.headers()["content-type"], media_type);
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
        let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        let text = answer.text().await.expect("a body");
        for bad in [
            "http:",
            "https:",
            "innerHTML",
            "<script>",
            "onclick",
            "style=",
            "localStorage",
            "eval(",
        ] {
            assert!(!text.contains(bad), "{bad} in {path}");
        }
    }
    app.stop().await;
}

/// What the page shows in the end to whoever opens a link, types and presses.
async fn opened(app: &TestApp, acts: &[&str]) -> Value {
    let mut command = Command::new(testing::node());
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/clients"));
    command.arg("open-page.mjs").arg(app.url("")).args(acts);
    let output = tokio::task::spawn_blocking(move || command.output().expect("Node runs"))
        .await
        .expect("ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_does_what_the_letters_promise() {
    let (app, letters) = Letters::app(&[]).await;
    let ada = app.user("ada").await;
    let token = letters.token(&ada.email, VERIFY, 1).await;
    let link = format!("verify={token}");
    let waiting = opened(&app, &[&link]).await;
    assert_eq!(
        (&waiting["calls"], &waiting["shown"]),
        (&json!([]), &json!("/open/")),
        "nothing happens by opening alone"
    );
    let proven = opened(&app, &[&link, "press=Confirm the address"]).await;
    assert!(proven["text"].as_str().is_some_and(|text| text.contains(&ada.email)), "{proven}");
    assert_eq!(ada.get("/api/v1/users/me/").await.expect(200).body["email_verified"], true);
    let again = opened(&app, &[&link, "press=Confirm the address"]).await;
    assert!(
        again["text"].as_str().is_some_and(|text| text.contains("not good any more")),
        "{again}"
    );

    let forgot = json!({ "email": ada.email });
    User::nobody(&app).post("/api/v1/auth/password/forgot/", &forgot).await.expect(202);
    let link = format!("reset={}", letters.token(&ada.email, "Set a new password", 1).await);
    let (weak, good) = ("New password=12345678", "New password=staple battery horse correct");
    let press = "press=Set the password";
    let set = opened(&app, &[&link, weak, press, good, press]).await;
    assert_eq!(set["title"], "Your password is set · Sheaf");
    assert_eq!(set["calls"].as_array().map(Vec::len), Some(2), "the weak one was refused: {set}");
    assert!(!set.to_string().contains(&link[6..]), "no call has the token in its path: {set}");
    let login = json!({ "email": ada.email, "password": "staple battery horse correct" });
    User::nobody(&app).post("/api/v1/auth/login/", &login).await.expect(200);
    for nonsense in ["", "else=1", "verify=", "constructor=1"] {
        let shown = opened(&app, &[nonsense]).await;
        assert_eq!(
            (&shown["title"], &shown["calls"]),
            (&json!("Nothing to open · Sheaf"), &json!([])),
            "{nonsense}"
        );
    }
    app.stop().await;
}
