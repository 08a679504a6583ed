//! Who may see what a page was, and what they are told of people.

use super::{Paper, heads};
use crate::support::{User, app::text_of};
use reqwest::Method;
use serde_json::{Value, json};

async fn link(paper: &Paper, level: &str) -> User {
    let made = paper
        .owner
        .post(&paper.at("share-links/"), &json!({ "level": level }))
        .await
        .expect(201);
    let unlock = format!("/api/v1/share-links/{}/unlock/", text_of(&made.body["token"]));
    let opened = User::nobody(&paper.app).post(&unlock, &json!({})).await.expect(200);
    let mut visitor = User::nobody(&paper.app);
    visitor.token = text_of(&opened.body["access_token"]);
    visitor
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_link_opens_the_page_as_it_is_alone() {
    let paper = Paper::new("secret plan").await;
    paper.says(&paper.owner, "public plan").await;
    for level in ["view", "edit"] {
        let visitor = link(&paper, level).await;
        visitor.get(&paper.at("")).await.expect(200);
        for past in ["?at=1", "markdown/?at=1"] {
            let refused = visitor.get(&paper.at(past)).await.problem(403, "forbidden");
            assert!(!refused.text.contains("secret"), "{}", refused.text);
        }
        for path in ["versions/", "diff/?from=1", "blame/", "changes/"] {
            visitor.get(&paper.at(path)).await.expect(401);
        }
    }
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_found_on_its_own_page_alone() {
    let paper = Paper::new("One").await;
    let version = text_of(&paper.names(&paper.owner, "First").await["id"]);
    let other = paper.owner.document(&paper.workspace, "Other", json!([])).await;
    let other = format!("/api/v1/documents/{}/", text_of(&other["id"]));
    for path in [
        format!("versions/{version}/"),
        format!("?at={version}"),
        format!("diff/?from={version}"),
    ] {
        paper.owner.get(&format!("{other}{path}")).await.problem(404, "version_not_found");
    }
    let restore = format!("{other}versions/{version}/restore/");
    paper.owner.post(&restore, &json!({})).await.problem(404, "version_not_found");
    let first = heads(&paper.owner.get(&paper.at("")).await.expect(200).body);
    paper
        .owner
        .get(&format!("{other}?at={first}"))
        .await
        .problem(404, "state_not_found");
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_read_history_and_do_not_write_it() {
    let paper = Paper::new("One").await;
    let version = text_of(&paper.names(&paper.owner, "First").await["id"]);
    let guest = paper.member("guest", "guest").await;
    let grant = json!({ "user_id": guest.id, "level": "view" });
    paper.owner.post(&paper.at("grants/"), &grant).await.expect(201);
    let listed = guest.get(&paper.at("versions/")).await.expect(200).body["data"][0].clone();
    assert_eq!(listed["abilities"], json!({ "edit": false, "delete": false, "restore": false }));
    assert_eq!(
        listed["created_by"],
        json!({ "id": paper.owner.id, "display_name": null, "kind": "person" }),
        "guests are told of nobody"
    );
    for path in ["?at=1", "diff/?from=1", "blame/", "changes/"] {
        guest.get(&paper.at(path)).await.expect(200);
    }
    let one = paper.at(&format!("versions/{version}/"));
    guest
        .post(&paper.at("versions/"), &json!({ "name": "Mine" }))
        .await
        .problem(403, "forbidden");
    guest.patch(&one, &json!({ "name": "Mine" })).await.problem(403, "forbidden");
    guest.delete(&one).await.problem(403, "forbidden");
    guest.post(&format!("{one}restore/"), &json!({})).await.problem(403, "forbidden");
    let stranger = paper.app.user("stranger").await;
    for (method, path) in [
        (Method::GET, "versions/"),
        (Method::GET, "?at=1"),
        (Method::GET, "blame/"),
        (Method::GET, "changes/"),
    ] {
        stranger.call(method, &paper.at(path), None).await.problem(404, "not_found");
    }
    paper.owner.patch(&paper.at(""), &json!({ "restricted": true })).await.expect(200);
    paper.owner.get(&paper.at("?at=1")).await.expect(200);
    let member = paper.member("member", "member").await;
    for path in ["versions/", "?at=1", "diff/?from=1", "blame/", "changes/"] {
        let refused: Value = member.get(&paper.at(path)).await.problem(404, "not_found").body;
        assert!(!refused.to_string().contains("First"));
    }
    paper.app.stop().await;
}
