//! The history of pages over REST: versions, what differs, whose what is, what is new.

mod after;
mod rights;

use crate::support::{TestApp, User, app::text_of};
use serde_json::{Value, json};

/// A page that its owner and a friend write on.
pub(crate) struct Paper {
    pub app: TestApp,
    pub owner: User,
    pub workspace: String,
    pub document: String,
    pub block: String,
}

impl Paper {
    pub async fn new(text: &str) -> Self {
        Self::of(TestApp::new().await, text).await
    }

    pub async fn of(app: TestApp, text: &str) -> Self {
        let (owner, workspace, document, block) = app.page(text).await;
        Self {
            app,
            owner,
            workspace,
            document,
            block,
        }
    }

    pub async fn member(&self, name: &str, role: &str) -> User {
        let user = self.app.user(name).await;
        self.owner.adds(&user, &self.workspace, role).await;
        user
    }

    pub fn at(&self, path: &str) -> String {
        format!("/api/v1/documents/{}/{path}", self.document)
    }

    /// Somebody changes the first block; gives the heads.
    pub async fn says(&self, who: &User, text: &str) -> String {
        let block = self.at(&format!("blocks/{}/", self.block));
        let done = who.patch(&block, &json!({ "text": text })).await.expect(200);
        heads(&done.body)
    }

    pub async fn names(&self, who: &User, name: &str) -> Value {
        who.post(&self.at("versions/"), &json!({ "name": name })).await.expect(201).body
    }

    pub async fn versions(&self) -> Vec<Value> {
        let listed = self.owner.get(&self.at("versions/")).await.expect(200);
        listed.body["data"].as_array().expect("versions").clone()
    }

    /// Waits until the activity of the page tells of a fact so often.
    pub async fn happened(&self, fact: &str, count: usize) {
        let mut told = String::new();
        for _ in 0..500 {
            told = self.owner.get(&self.at("activity/")).await.expect(200).text;
            if told.matches(fact).count() == count {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{fact} is not told {count} times: {told}");
    }

    /// What the page said in a state.
    pub async fn said(&self, at: &str) -> Vec<String> {
        let page = self.owner.get(&self.at(&format!("?at={at}"))).await.expect(200);
        let blocks = page.body["blocks"].as_array().expect("blocks").clone();
        blocks
            .iter()
            .map(|block| block["text"].as_str().expect("text").to_owned())
            .collect()
    }
}

/// The heads of an answer, as a query names them.
pub(crate) fn heads(body: &Value) -> String {
    let heads = body["heads"].as_array().expect("heads");
    heads
        .iter()
        .map(|head| head.as_str().expect("a hash"))
        .collect::<Vec<_>>()
        .join(",")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_read_as_it_was() {
    let paper = Paper::new("One").await;
    let first = heads(&paper.owner.get(&paper.at("")).await.expect(200).body);
    paper.says(&paper.owner, "Two").await;
    let version = paper.names(&paper.owner, "Second").await;
    let then = version["edited_at"].as_str().expect("a time").to_owned();
    paper.says(&paper.owner, "Three").await;
    assert_eq!(paper.said(&first).await, ["One"]);
    assert_eq!(paper.said("1").await, ["One"]);
    assert_eq!(paper.said(&text_of(&version["id"])).await, ["Two"]);
    assert_eq!(paper.said(&then).await, ["Two"]);
    assert_eq!(paper.said("2100-01-01T00:00:00Z").await, ["Three"]);
    let markdown = paper.owner.get(&paper.at("markdown/?at=1")).await.expect(200);
    assert!(markdown.text.contains("One"), "{}", markdown.text);
    let old = paper.owner.get(&paper.at("?at=2")).await.expect(200).body;
    assert_eq!((&old["version"], &old["heads"]), (&json!(2), &version["heads"]));
    paper
        .owner
        .get(&paper.at("?at=2000-01-01T00:00:00Z"))
        .await
        .problem(404, "state_not_found");
    paper
        .owner
        .get(&paper.at(&format!("?at={}", "ab".repeat(32))))
        .await
        .problem(404, "state_not_found");
    paper.owner.get(&paper.at("?at=99")).await.problem(404, "state_not_found");
    paper
        .owner
        .get(&paper.at(&format!("?at={}", paper.workspace)))
        .await
        .problem(404, "version_not_found");
    let nonsense = paper.owner.get(&paper.at("?at=yesterday")).await.problem(422, "invalid");
    assert_eq!(nonsense.body["errors"][0]["pointer"], "/at", "{}", nonsense.body);
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_named_renamed_and_removed() {
    let paper = Paper::new("One").await;
    let friend = paper.member("friend", "member").await;
    let first = paper.names(&friend, "  First  ").await;
    assert_eq!(
        (&first["name"], &first["kind"], &first["version"]),
        (&json!("First"), &json!("named"), &json!(1))
    );
    assert_eq!(
        (&first["created_by"]["id"], &first["authors"][0]["id"]),
        (&json!(friend.id), &json!(paper.owner.id))
    );
    paper
        .owner
        .post(&paper.at("versions/"), &json!({ "name": "Again" }))
        .await
        .problem(409, "version_exists");
    paper.says(&friend, "Two").await;
    let body = json!({ "name": "Second", "note": "for the printer" });
    let second = paper.owner.post(&paper.at("versions/"), &body).await.expect(201).body;
    let at_first = json!({ "name": "Old", "at": "1" });
    paper
        .owner
        .post(&paper.at("versions/"), &at_first)
        .await
        .problem(409, "version_exists");
    for bad in [json!({ "name": "" }), json!({ "name": "x".repeat(201) }), json!({ "name": "a\nb" })] {
        let refused = paper.owner.post(&paper.at("versions/"), &bad).await.problem(422, "invalid");
        assert_eq!(refused.body["errors"][0]["pointer"], "/name");
    }
    let both = json!({ "name": " ", "note": "x".repeat(2001) });
    let refused = paper.owner.post(&paper.at("versions/"), &both).await.problem(422, "invalid");
    assert_eq!(refused.body["errors"].as_array().expect("both").len(), 2);
    let place = |version: &Value| paper.at(&format!("versions/{}/", text_of(&version["id"])));
    let renamed = friend
        .patch(&place(&second), &json!({ "name": "Printed", "note": null }))
        .await
        .expect(200);
    assert_eq!((&renamed.body["name"], &renamed.body["note"]), (&json!("Printed"), &Value::Null));
    friend
        .patch(&place(&second), &json!({ "name": null }))
        .await
        .problem(422, "invalid");
    let listed: Vec<String> = paper.versions().await.iter().map(|v| text_of(&v["name"])).collect();
    assert_eq!(listed, ["Printed", "First"], "the latest state first");
    let one = paper.owner.get(&paper.at("versions/?limit=1")).await.expect(200);
    let next = paper.at(&format!("versions/?limit=1&cursor={}", text_of(&one.body["next_cursor"])));
    let rest = paper.owner.get(&next).await.expect(200);
    assert_eq!(
        (&rest.body["data"][0]["name"], &rest.body["next_cursor"]),
        (&json!("First"), &Value::Null)
    );
    friend.delete(&place(&second)).await.problem(403, "forbidden");
    assert_eq!(friend.get(&place(&second)).await.expect(200).body["abilities"]["delete"], false);
    friend.delete(&place(&first)).await.expect(204);
    paper.owner.delete(&place(&second)).await.expect(204);
    paper.owner.get(&place(&second)).await.problem(404, "version_not_found");
    for (fact, count) in [("created", 2), ("renamed", 1), ("deleted", 2)] {
        paper.happened(&format!("document.version_{fact}"), count).await;
    }
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_told_as_blocks_text_and_markdown() {
    let paper = Paper::new("Buy brass gears").await;
    paper.says(&paper.owner, "Buy steel gears").await;
    let added = json!({ "type": "todo", "text": "Oil them" });
    let made = paper.owner.post(&paper.at("blocks/"), &added).await.expect(201).body["blocks"][0]["id"].clone();
    let diff = paper.owner.get(&paper.at("diff/?from=1")).await.expect(200).body;
    let blocks = diff["blocks"].as_array().expect("blocks");
    assert_eq!((&blocks[0]["id"], &blocks[0]["what"]), (&json!(paper.block), &json!("changed")));
    let pieces: Vec<(String, String)> = blocks[0]["text"]
        .as_array()
        .expect("pieces")
        .iter()
        .map(|piece| (text_of(&piece["what"]), text_of(&piece["text"])))
        .collect();
    let piece = |what: &str, text: &str| (what.to_owned(), text.to_owned());
    assert_eq!(
        pieces,
        [
            piece("kept", "Buy "),
            piece("deleted", "brass"),
            piece("inserted", "steel"),
            piece("kept", " gears")
        ]
    );
    assert_eq!(
        (&blocks[1]["id"], &blocks[1]["what"], &blocks[1]["block"]["type"]),
        (&made, &json!("inserted"), &json!("todo"))
    );
    assert_eq!((&diff["truncated"], blocks.len()), (&json!(false), 2));
    let text = paper.owner.get(&paper.at("diff/?from=1&to=2&format=text")).await.expect(200);
    assert!(text.text.contains("\n-Buy brass gears\n+Buy steel gears\n"), "{}", text.text);
    assert!(!text.text.contains("Oil"), "{}", text.text);
    let markdown = paper.owner.get(&paper.at("diff/?from=2&format=markdown")).await.expect(200);
    assert!(markdown.text.contains("\n+- [ ] Oil them\n"), "{}", markdown.text);
    assert_eq!(
        paper.owner.get(&paper.at("diff/?from=3&to=3")).await.expect(200).body["blocks"],
        json!([])
    );
    paper.owner.get(&paper.at("diff/")).await.problem(422, "invalid");
    paper
        .owner
        .get(&paper.at("diff/?from=1&format=pictures"))
        .await
        .problem(422, "invalid");
    paper.owner.get(&paper.at("diff/?from=99")).await.problem(404, "state_not_found");
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blame_and_what_is_new() {
    let paper = Paper::new("Hello").await;
    let friend = paper.member("friend", "member").await;
    friend.put(&paper.at("seen/"), &json!({})).await.expect(204);
    let nothing = friend.get(&paper.at("changes/")).await.expect(200).body;
    assert_eq!((&nothing["groups"], &nothing["summary"]["changes"]), (&json!([]), &json!(0)));
    let seen = heads(&paper.owner.get(&paper.at("")).await.expect(200).body);
    paper.says(&paper.owner, "Hello world").await;
    paper.says(&friend, "Hello, world").await;
    let blame = paper
        .owner
        .get(&paper.at(&format!("blame/?block={}", paper.block)))
        .await
        .expect(200)
        .body;
    let runs = blame["blocks"][0]["runs"].as_array().expect("runs");
    let told: Vec<(u64, u64, String)> = runs
        .iter()
        .map(|run| {
            (
                run["start"].as_u64().expect("start"),
                run["end"].as_u64().expect("end"),
                text_of(&run["user"]["display_name"]),
            )
        })
        .collect();
    let run = |start, end, name: &str| (start, end, name.to_owned());
    assert_eq!(told, [run(0, 5, "owner"), run(5, 6, "friend"), run(6, 12, "owner")]);
    assert!(
        !blame.to_string().contains('@') || !blame.to_string().contains("example"),
        "no addresses: {blame}"
    );
    let whole = paper.owner.get(&paper.at("blame/?at=1")).await.expect(200).body;
    assert_eq!(
        whole["blocks"].as_array().expect("texts").last().expect("a block")["runs"]
            .as_array()
            .expect("runs")
            .len(),
        1
    );
    paper
        .owner
        .get(&paper.at("blame/?block=nowhere"))
        .await
        .problem(404, "block_not_found");
    let news = friend.get(&paper.at("changes/?since=last_seen")).await.expect(200).body;
    assert_eq!(
        (&news["summary"]["changes"], &news["summary"]["insertions"]),
        (&json!(2), &json!(7))
    );
    assert_eq!(news["groups"].as_array().expect("groups").len(), 2);
    assert_eq!(
        (&news["since"], &news["summary"]["block_ids"]),
        (&json!([seen]), &json!([paper.block]))
    );
    friend.put(&paper.at("seen/"), &json!({ "heads": news["heads"] })).await.expect(204);
    assert_eq!(friend.get(&paper.at("changes/")).await.expect(200).body["summary"]["changes"], 0);
    let all = paper.owner.get(&paper.at("changes/")).await.expect(200).body;
    assert_eq!(
        (&all["last_seen_at"], &all["summary"]["changes"]),
        (&Value::Null, &json!(3)),
        "who never looked is told all"
    );
    assert_eq!(
        paper.owner.get(&paper.at(&format!("changes/?since={seen}"))).await.expect(200).body["summary"]["changes"],
        2
    );
    friend
        .put(&paper.at("seen/"), &json!({ "heads": ["ab".repeat(32)] }))
        .await
        .problem(404, "state_not_found");
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_brought_back_by_a_new_change() {
    let paper = Paper::new("One").await;
    let version = paper.names(&paper.owner, "First").await;
    let restore = paper.at(&format!("versions/{}/restore/", text_of(&version["id"])));
    let same = paper.owner.post(&restore, &json!({})).await.expect(200).body;
    assert_eq!(
        (&same["version"], &same["restored"]),
        (&json!(1), &Value::Null),
        "it says that already"
    );
    paper.says(&paper.owner, "Two").await;
    paper.owner.delete(&paper.at(&format!("blocks/{}/", paper.block))).await.expect(204);
    let done = paper.owner.post(&restore, &json!({ "message_id": "r1" })).await.expect(200).body;
    assert_eq!((&done["version"], &done["restored"]["kind"]), (&json!(4), &json!("restore")));
    let page = paper.owner.get(&paper.at("")).await.expect(200).body;
    assert_eq!(
        (&page["blocks"][0]["id"], &page["blocks"][0]["text"]),
        (&json!(paper.block), &json!("One"))
    );
    let again = paper.owner.post(&restore, &json!({ "message_id": "r1" })).await.expect(200).body;
    assert_eq!(
        (&again["version"], &again["restored"]["id"]),
        (&json!(4), &done["restored"]["id"]),
        "once"
    );
    let kinds: Vec<(i64, String)> = paper
        .versions()
        .await
        .iter()
        .map(|v| (v["version"].as_i64().expect("a number"), text_of(&v["kind"])))
        .collect();
    let of = |seq, kind: &str| (seq, kind.to_owned());
    assert_eq!(
        kinds,
        [of(4, "restore"), of(3, "auto"), of(1, "named")],
        "how it stood before is kept"
    );
    paper.happened("document.version_restored", 1).await;
    paper.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_locked_is_not_brought_back() {
    let paper = Paper::new("One").await;
    let friend = paper.member("friend", "member").await;
    let version = paper.names(&paper.owner, "First").await;
    paper.says(&paper.owner, "Two").await;
    friend.put(&paper.at("lock/"), &json!({})).await.expect(200);
    let restore = paper.at(&format!("versions/{}/restore/", text_of(&version["id"])));
    paper.owner.post(&restore, &json!({})).await.problem(423, "locked");
    assert_eq!(paper.owner.texts(&paper.document).await, ["Two"]);
    friend.delete(&paper.at("lock/")).await.expect(204);
    paper.owner.post(&restore, &json!({})).await.expect(200);
    assert_eq!(paper.owner.texts(&paper.document).await, ["One"]);
    paper.app.stop().await;
}
