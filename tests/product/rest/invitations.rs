//! Invitations by mail: the letter, and everybody who may or may not do something with its token.

use crate::support::{TestApp, User};
use entity::{invitation, job, user};
use kernel::{clock, id::*};
use reqwest::Method;
use sea_orm::{ColumnTrait, DatabaseConnection, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};
use std::time::Duration;
use testing::MailCatcher;

const PATIENCE: Duration = Duration::from_secs(20);
const ACCEPT: &str = "/api/v1/invitations/accept/";
const PASSWORD: &str = "correct horse battery staple";

/// A product whose mail is caught, with an owner and a workspace.
pub(super) struct Scene {
    catcher: MailCatcher,
    pub(super) app: TestApp,
    pub(super) owner: User,
    pub(super) workspace: String,
    pub(super) db: DatabaseConnection,
}

impl Scene {
    pub(super) async fn new() -> Self {
        let catcher = MailCatcher::start(&[]).await;
        let app = TestApp::with(&[
            ("mail.url", &catcher.url()),
            ("mail.from", "Sheaf <sheaf@example.com>"),
            ("server.public_url", "https://sheaf.example"),
        ])
        .await;
        let (owner, workspace, ..) = app.page("secret").await;
        let db = app.database().await;
        Self {
            catcher,
            app,
            owner,
            workspace,
            db,
        }
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/workspaces/{}/{rest}", self.workspace)
    }

    async fn invites(&self, email: &str, role: &str) -> String {
        let body = json!({ "emails": [email], "role": role, "message": "Come & see" });
        let answer = self.owner.post(&self.path("invite/"), &body).await.expect(200).body;
        assert_eq!(answer["results"][0]["status"], "invited", "{answer}");
        answer["results"][0]["invitation_id"].as_str().expect("an id").to_owned()
    }

    /// The invitation of this number, among whatever other letters there are.
    async fn invitation(&self, count: usize) -> Value {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let mut mails = self.catcher.mails().await;
            mails.retain(|mail| mail["text"].as_str().is_some_and(|text| text.contains("/open/#invitation=")));
            if mails.len() >= count {
                return mails.swap_remove(count - 1);
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{} invitations came, not {count}",
                mails.len()
            );
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// The invitation of this number, and the token in it.
    async fn letter(&self, count: usize) -> (Value, String) {
        let mail = self.invitation(count).await;
        let text = mail["text"].as_str().expect("a text");
        let token = text.split("https://sheaf.example/open/#invitation=").nth(1).expect("a link");
        let token: String = token.chars().take_while(char::is_ascii_hexdigit).collect();
        assert_eq!(token.len(), 64, "{text}");
        (mail, token)
    }

    async fn changes(&self, id: &str, column: invitation::Column, at: clock::Time) {
        let changed = invitation::Entity::update_many()
            .col_expr(column, Expr::value(at))
            .filter(invitation::Column::Id.eq(InvitationId(id.parse().expect("an id"))))
            .exec(&self.db)
            .await
            .expect("written");
        assert_eq!(changed.rows_affected, 1);
    }

    async fn account(&self, email: &str) -> Option<user::Model> {
        let found = user::Entity::find().filter(user::Column::Email.eq(email)).one(&self.db);
        found.await.expect("reads")
    }

    async fn end(self) {
        self.db.close().await.expect("it closes");
        self.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_new_comes_in_with_a_letter_and_nothing_else() {
    let scene = Scene::new().await;
    scene.invites("Grace@Example.com", "member").await;
    let (mail, token) = scene.letter(1).await;
    assert_eq!(
        (&mail["to"], &mail["subject"]),
        (&json!(["grace@example.com"]), &json!("owner invites you to Engines"))
    );
    assert!(mail["html"].as_str().is_some_and(|html| html.contains("Come &amp; see")), "{mail}");

    let nobody = User::nobody(&scene.app);
    let seen = nobody.get(&format!("/api/v1/invitations/{token}/")).await.expect(200);
    assert_eq!(
        (
            &seen.body["workspace"],
            &seen.body["inviter"],
            &seen.body["role"],
            &seen.body["email"]
        ),
        (&json!("Engines"), &json!("owner"), &json!("member"), &json!("grace@example.com"))
    );
    assert_eq!(seen.headers["cache-control"], "no-store");

    nobody
        .post(ACCEPT, &json!({ "token": token }))
        .await
        .problem(401, "unauthenticated");
    let weak = json!({ "token": token, "display_name": "", "password": "password" });
    let bad = nobody.post(ACCEPT, &weak).await.problem(422, "invalid").body;
    assert_eq!(bad["errors"].as_array().map(Vec::len), Some(2), "{bad}");
    assert!(scene.account("grace@example.com").await.is_none());

    let new = json!({ "token": token, "display_name": "Grace", "password": PASSWORD });
    let accepted = nobody.post(ACCEPT, &new).await.expect(200).body;
    assert_eq!(
        (&accepted["workspace_id"], &accepted["role"]),
        (&json!(scene.workspace), &json!("member"))
    );
    let grace = scene.account("grace@example.com").await.expect("made");
    assert!(grace.email_verified_at.is_some());
    let mut grace = nobody.clone();
    grace.token = accepted["login"]["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(grace.get(&scene.path("")).await.expect(200).body["role"], "member");
    let login = json!({ "email": "grace@example.com", "password": PASSWORD });
    nobody.post("/api/v1/auth/login/", &login).await.expect(200);
    nobody.post(ACCEPT, &new).await.problem(410, "invitation_used");
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_stands_in_the_letter_and_nowhere_in_the_database() {
    let scene = Scene::new().await;
    scene.invites("grace@example.com", "guest").await;
    let (_, token) = scene.letter(1).await;
    let rows = invitation::Entity::find().all(&scene.db).await.expect("reads");
    assert_eq!(rows[0].token_hash, kernel::secret::hash(&token));
    let jobs = job::Entity::find().all(&scene.db).await.expect("reads");
    let told = jobs.iter().find(|job| job.kind == "send_invitation").expect("the job");
    assert!(told.payload.contains(&rows[0].id.to_string()));
    for text in jobs.iter().map(|job| format!("{job:?}")).chain([format!("{rows:?}")]) {
        assert!(!text.contains(&token) && !text.contains(&token[..16]), "{text}");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_accepts_what_is_for_its_address_once() {
    let scene = Scene::new().await;
    let (friend, other) = (scene.app.user("friend").await, scene.app.user("other").await);
    scene.invites(&friend.email, "guest").await;
    let (_, token) = scene.letter(1).await;
    let body = json!({ "token": token });
    other.post(ACCEPT, &body).await.problem(403, "wrong_address");
    let mut bad = friend.clone();
    bad.token = "nonsense".to_owned();
    bad.post(ACCEPT, &body).await.problem(401, "unauthenticated");
    let new = json!({ "token": token, "display_name": "Thief", "password": PASSWORD });
    User::nobody(&scene.app).post(ACCEPT, &new).await.problem(409, "email_taken");
    assert!(scene.account(&friend.email).await.expect("theirs").email_verified_at.is_none());

    let answers = tokio::join!(
        friend.post(ACCEPT, &body),
        friend.post(ACCEPT, &body),
        friend.post(ACCEPT, &body),
        friend.post(ACCEPT, &body)
    );
    let mut statuses = <[_; 4]>::from(answers).map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409, 409, 409]);
    friend.post(ACCEPT, &body).await.problem(409, "already_member");
    assert!(
        scene.account(&friend.email).await.expect("theirs").email_verified_at.is_some(),
        "the letter proved it"
    );
    assert_eq!(friend.get(&scene.path("")).await.expect(200).body["role"], "guest");
    for nothing in [json!({}), json!({ "token": token, "invitation_id": scene.workspace })] {
        friend.post(ACCEPT, &nothing).await.problem(422, "invalid");
    }
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_back_sent_again_declined_or_has_run_out_opens_nothing() {
    let scene = Scene::new().await;
    let friend = scene.app.user("friend").await;
    let look = async |token: &str| User::nobody(&scene.app).get_owned(format!("/api/v1/invitations/{token}/")).await;

    let id = scene.invites(&friend.email, "member").await;
    let (_, first) = scene.letter(1).await;
    let one = scene.path(&format!("invitations/{id}/"));
    let resend = format!("{one}resend/");
    scene.owner.call(Method::POST, &resend, None).await.problem(429, "too_soon");
    scene
        .changes(&id, invitation::Column::SentAt, clock::now() - Duration::from_secs(61))
        .await;
    scene.owner.call(Method::POST, &resend, None).await.expect(200);
    let (_, second) = scene.letter(2).await;
    assert_ne!(first, second);
    friend.post(ACCEPT, &json!({ "token": first })).await.problem(404, "not_found");
    look(&first).await.problem(404, "not_found");
    look(&second).await.expect(200);

    let listed = scene.owner.get(&scene.path("invitations/")).await.expect(200);
    assert_eq!(
        (&listed.body["data"][0]["id"], &listed.body["data"][0]["email"]),
        (&json!(id), &json!(friend.email))
    );
    assert!(!listed.text.contains(&second) && !listed.text.contains("token"), "{}", listed.text);
    scene.owner.delete(&one).await.expect(204);
    scene.owner.delete(&one).await.problem(404, "not_found");
    friend
        .post(ACCEPT, &json!({ "token": second }))
        .await
        .problem(410, "invitation_revoked");
    look(&second).await.problem(410, "invitation_revoked");

    let id = scene.invites(&friend.email, "member").await;
    let (_, token) = scene.letter(3).await;
    scene.changes(&id, invitation::Column::ExpiresAt, clock::now()).await;
    friend
        .post(ACCEPT, &json!({ "token": token }))
        .await
        .problem(410, "invitation_expired");
    look(&token).await.problem(410, "invitation_expired");

    scene.invites(&friend.email, "member").await;
    let (_, token) = scene.letter(4).await;
    let decline = async || {
        let nobody = User::nobody(&scene.app);
        nobody.post("/api/v1/invitations/decline/", &json!({ "token": token })).await
    };
    decline().await.expect(204);
    decline().await.problem(410, "invitation_used");
    friend
        .post(ACCEPT, &json!({ "token": token }))
        .await
        .problem(410, "invitation_used");
    assert_eq!(friend.get(&scene.path("")).await.status, 404);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_proved_their_address_finds_their_invitations() {
    let scene = Scene::new().await;
    let friend = scene.app.user("friend").await;
    let id = scene.invites(&friend.email, "member").await;
    let own = async || friend.get("/api/v1/users/me/invitations/").await.expect(200).body["data"].clone();
    assert_eq!(own().await, json!([]), "the address may be somebody else's");
    friend.post(ACCEPT, &json!({ "invitation_id": id })).await.problem(404, "not_found");
    user::Entity::update_many()
        .col_expr(user::Column::EmailVerifiedAt, Expr::value(Some(clock::now())))
        .filter(user::Column::Email.eq(&friend.email))
        .exec(&scene.db)
        .await
        .expect("written");
    let mine = own().await;
    assert_eq!(
        (&mine[0]["id"], &mine[0]["workspace"], &mine[0]["invited_by"]["display_name"]),
        (&json!(id), &json!("Engines"), &json!("owner"))
    );
    scene
        .owner
        .post(ACCEPT, &json!({ "invitation_id": id }))
        .await
        .problem(404, "not_found");
    friend.post(ACCEPT, &json!({ "invitation_id": id })).await.expect(200);
    assert_eq!(own().await, json!([]));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_of_another_workspace_name_nothing() {
    let scene = Scene::new().await;
    let (stranger, theirs, page, _) = scene.app.page("theirs").await;
    let id = scene.invites("grace@example.com", "member").await;
    let foreign = format!("/api/v1/workspaces/{theirs}/invitations/{id}/");
    stranger.delete(&foreign).await.problem(404, "not_found");
    stranger
        .call(Method::POST, &format!("{foreign}resend/"), None)
        .await
        .problem(404, "not_found");
    let with_page = json!({ "emails": ["ada@example.com"], "role": "guest", "document_id": page });
    scene.owner.post(&scene.path("invite/"), &with_page).await.problem(404, "not_found");
    let too_high = json!({ "emails": ["ada@example.com"], "role": "owner" });
    let admin = scene.app.user("admin").await;
    scene.owner.adds(&admin, &scene.workspace, "admin").await;
    admin.post(&scene.path("invite/"), &too_high).await.problem(403, "role_too_high");
    let both = scene.owner.get(&scene.path("invitations/")).await.expect(200).body;
    assert_eq!(both["data"].as_array().map(Vec::len), Some(1));
    scene.end().await;
}
