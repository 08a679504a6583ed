//! The audit log: complete, for admins alone, verifiable, and downloadable.

use super::events::{busy, entries, kinds};
use crate::support::{TestApp, User};
use entity::event;
use kernel::id::{EventId, UserId};
use sea_orm::{ActiveValue::Set, ColumnTrait, Condition, DatabaseConnection, EntityTrait, QueryFilter, sea_query::Expr};
use serde_json::{Value, json};

/// The path of a workspace's audit log.
fn log(workspace: &str) -> String {
    format!("/api/v1/workspaces/{workspace}/audit-log/")
}

/// Changes the payload of an entry as somebody with the database's password could. Gives what it was.
pub(crate) async fn tamper(db: &DatabaseConnection, workspace: &str, seq: i64, payload: &str) -> String {
    let workspace: uuid::Uuid = workspace.parse().expect("an id");
    let which = || {
        Condition::all()
            .add(event::Column::WorkspaceId.eq(kernel::id::WorkspaceId(workspace)))
            .add(event::Column::Seq.eq(seq))
    };
    let was = event::Entity::find()
        .filter(which())
        .one(db)
        .await
        .expect("readable")
        .expect("the entry")
        .payload;
    let changed = event::Entity::update_many()
        .col_expr(event::Column::Payload, Expr::value(payload))
        .filter(which())
        .exec(db)
        .await
        .expect("changed");
    assert_eq!(changed.rows_affected, 1);
    was
}

#[tokio::test(flavor = "multi_thread")]
async fn only_admins_read_it() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let path = log(&workspace);
    for (role, status) in [("guest", 403), ("member", 403), ("admin", 200), ("owner", 200)] {
        let person = app.user(role).await;
        owner.adds(&person, &workspace, role).await;
        for path in [path.clone(), format!("{path}verify/"), format!("{path}export/")] {
            assert_eq!(person.get(&path).await.status, status, "{path} as {role}");
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_in_it_also_that_a_member_signed_in() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let (friend, stranger) = (app.user("friend").await, app.user("stranger").await);
    owner.adds(&friend, &workspace, "member").await;
    for person in [&stranger, &friend] {
        let login = json!({ "email": person.email, "password": "correct horse battery staple" });
        User::nobody(&app).post("/api/v1/auth/login/", &login).await.expect(200);
    }
    let all = entries(&owner, &log(&workspace), 4).await;
    let expected = ["member.signed_in", "member.added", "document.created", "workspace.created"];
    assert_eq!(kinds(&all), expected);
    assert_eq!((&all[0]["user_id"], &all[0]["subject_id"]), (&json!(friend.id), &json!(friend.id)));
    let seqs: Vec<i64> = all.iter().filter_map(|entry| entry["seq"].as_i64()).collect();
    assert_eq!(seqs, [4, 3, 2, 1]);
    let filtered = entries(&owner, &format!("{}?type=member&user_id={}", log(&workspace), friend.id), 1).await;
    assert_eq!(filtered, all[..1]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_from_before_somebody_was_a_member_is_not_in_it() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let friend = app.user("friend").await;
    owner.adds(&friend, &workspace, "member").await;
    // The log may get to number a sign-in only after its person was added.
    let session = EventId::new().0;
    let late = event::ActiveModel {
        id: Set(EventId::new()),
        workspace_id: Set(None),
        user_id: Set(Some(UserId(friend.id.parse().expect("an id")))),
        kind: Set("user.signed_in".to_owned()),
        subject_id: Set(Some(session)),
        payload: Set("{}".to_owned()),
        created_at: Set(kernel::clock::now() - std::time::Duration::from_secs(3_600)),
        seq: Set(None),
        hash: Set(None),
    };
    let db = app.database().await;
    event::Entity::insert(late).exec_without_returning(&db).await.expect("written");
    db.close().await.expect("closed");
    let login = json!({ "email": friend.email, "password": "correct horse battery staple" });
    User::nobody(&app).post("/api/v1/auth/login/", &login).await.expect(200);
    let known = entries(&owner, &format!("{}?type=member.signed_in", log(&workspace)), 1).await;
    assert!(
        known.iter().all(|entry| entry["payload"]["session"] != session.to_string()),
        "{known:#?}"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_behind_the_products_back_is_found() {
    let app = TestApp::new().await;
    let (owner, workspace, page) = busy(&app).await;
    let verify = format!("{}verify/", log(&workspace));
    let good = owner.get(&verify).await.expect(200).body;
    assert_eq!((&good["is_intact"], &good["fault"]), (&json!(true), &Value::Null), "{good}");
    assert_eq!(good["entries"], good["seq"]);
    let db = app.database().await;
    let other = json!({ "document": owner.id }).to_string();
    let was = tamper(&db, &workspace, 2, &other).await;
    let bad = owner.get(&verify).await.expect(200).body;
    assert_eq!(bad["is_intact"], false);
    assert_eq!(bad["fault"], json!({ "seq": 2, "kind": "altered" }));
    assert_eq!(bad["seq"], 1);
    // Put back as it was, it is what was written.
    tamper(&db, &workspace, 2, &was).await;
    assert_eq!(was, json!({ "document": page }).to_string());
    assert_eq!(owner.get(&verify).await.expect(200).body["is_intact"], true);
    let removed = event::Entity::delete_many()
        .filter(event::Column::WorkspaceId.eq(kernel::id::WorkspaceId(workspace.parse().expect("an id"))))
        .filter(event::Column::Seq.eq(3))
        .exec(&db)
        .await
        .expect("removed");
    assert_eq!(removed.rows_affected, 1);
    let bad = owner.get(&verify).await.expect(200).body;
    assert_eq!(bad["fault"], json!({ "seq": 3, "kind": "missing" }));
    db.close().await.expect("closed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_has_every_entry_and_is_an_entry_itself() {
    let app = TestApp::new().await;
    let (owner, workspace, _) = busy(&app).await;
    let place = format!("/api/v1/workspaces/{workspace}/");
    // More than are read at once.
    for n in 0..600 {
        owner.patch(&place, &json!({ "name": format!("=name, \"{n}\"") })).await.expect(200);
    }
    let downloads = format!("{}?type=audit_log.exported", log(&workspace));
    let before = entries(&owner, &downloads, 1).await.len();
    let export = format!("{}export/", log(&workspace));
    let lines = owner.get(&export).await.expect(200);
    assert_eq!(lines.headers["content-type"], "application/x-ndjson");
    let disposition = lines.headers["content-disposition"].to_str().expect("text");
    assert!(
        disposition.starts_with("attachment; filename=\"audit-log-") && disposition.ends_with(".ndjson\""),
        "{disposition}"
    );
    let lines: Vec<Value> = lines.text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(lines.len() >= 600, "{}", lines.len());
    let seqs: Vec<i64> = lines.iter().filter_map(|line| line["seq"].as_i64()).collect();
    assert_eq!(seqs, (1..=lines.len() as i64).collect::<Vec<_>>());

    entries(&owner, &downloads, before + 1).await;
    let table = owner.get(&format!("{export}?format=csv")).await.expect(200);
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    let mut rows = csv::Reader::from_reader(table.text.as_bytes());
    let names = ["seq", "id", "created_at", "type", "user_id", "subject_id", "payload", "hash"];
    assert_eq!(rows.headers().expect("a head").iter().collect::<Vec<_>>(), names);
    let rows: Vec<csv::StringRecord> = rows.records().map(|row| row.expect("a row")).collect();
    assert!(rows.len() > lines.len(), "the first download is in the second: {}", rows.len());
    for (row, line) in rows.iter().zip(&lines) {
        let text = |name: &str| line[name].as_str().unwrap_or_default();
        assert_eq!(row[0], line["seq"].to_string());
        assert_eq!(
            [&row[1], &row[3], &row[4], &row[7]],
            [text("id"), text("type"), text("user_id"), text("hash")]
        );
        assert_eq!(serde_json::from_str::<Value>(&row[6]).expect("JSON"), line["payload"]);
    }
    let logged = entries(&owner, &downloads, before + 2).await;
    assert_eq!(logged.len(), before + 2);
    assert!(logged.iter().all(|entry| entry["user_id"] == owner.id));

    let some = owner.get(&format!("{export}?type=member.added")).await.expect(200);
    assert_eq!(some.text.lines().count(), 2);
    owner.get(&format!("{export}?format=xml")).await.problem(422, "invalid");
    app.stop().await;
}
