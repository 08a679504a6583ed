//! Finding pages by their words.

use crate::support::{Socket, TestApp, User};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// From an edit until it is found, on a machine that does nothing else.
const SOON: Duration = Duration::from_secs(2);

async fn finds(user: &User, question: &str) -> Vec<Value> {
    let found = user.get(&format!("/api/v1/search/?{question}")).await.expect(200);
    found.body["data"].as_array().expect("results").clone()
}

async fn titles(user: &User, question: &str) -> Vec<String> {
    let text = |result: &Value| result["title"]["text"].as_str().expect("a title").to_owned();
    let mut titles: Vec<String> = finds(user, question).await.iter().map(text).collect();
    titles.sort();
    titles
}

/// Polls until somebody finds these pages and no others; gives how long that took.
async fn until(user: &User, question: &str, wanted: &[&str]) -> Duration {
    let from = Instant::now();
    loop {
        let found = titles(user, question).await;
        if found == wanted {
            return from.elapsed();
        }
        assert!(
            from.elapsed() < Duration::from_secs(30),
            "{question} finds {found:?} and not {wanted:?}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn paragraph(text: &str) -> Value {
    json!([{ "type": "paragraph", "text": text }])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_found_with_the_blocks_that_say_it() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("nothing of it").await;
    let blocks = json!([
        { "type": "paragraph", "text": "first" },
        { "type": "paragraph", "text": "🎉 <b>Résumé</b> of the résumés" },
    ]);
    let made = owner.document(&workspace, "The Resume", blocks).await;
    until(&owner, "q=resume%20", &["The Resume"]).await;
    let found = finds(&owner, "q=resume%20").await;
    let block = &made["blocks"][1]["id"];
    assert_eq!(found[0]["id"], made["id"]);
    assert_eq!(
        (&found[0]["type"], &found[0]["workspace_id"]),
        (&json!("document"), &json!(workspace))
    );
    assert_eq!(found[0]["author_id"], json!(owner.id));
    assert_eq!(found[0]["title"], json!({ "text": "The Resume", "highlights": [[4, 10]] }));
    let snippet = json!({ "text": "🎉 <b>Résumé</b> of the résumés", "highlights": [[6, 12]] });
    assert_eq!(found[0]["blocks"], json!([{ "id": block, "snippet": snippet }]));
    assert_eq!(
        finds(&owner, "q=resum").await[0]["blocks"][0]["snippet"]["highlights"],
        json!([[6, 12], [24, 31]])
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_on_a_socket_is_found_within_two_seconds() {
    let app = TestApp::new().await;
    let (owner, _, document, block) = app.page("Hello").await;
    let (mut socket, _) = Socket::join(&app.address(0), &document, &owner.token).await;
    for (n, (place, text)) in [(block.as_str(), "marzipan "), ("@title", "Nougat ")].into_iter().enumerate() {
        socket
            .say(json!({ "type": "insert", "block": place, "pos": 0, "text": text, "id": format!("m{n}") }))
            .await;
        socket.until("ack").await;
        let wanted = if n == 0 { "Notes" } else { "Nougat Notes" };
        let took = until(&owner, &format!("q={}", text.trim().to_lowercase()), &[wanted]).await;
        assert!(took <= SOON, "{text}: {took:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_what_they_may_not_see() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    let [member, guest, stranger] = [app.user("member").await, app.user("guest").await, app.user("stranger").await];
    owner.adds(&member, &workspace, "member").await;
    owner.adds(&guest, &workspace, "guest").await;
    let open = owner.document(&workspace, "Open", paragraph("plum")).await;
    let closed = owner.document(&workspace, "Closed", paragraph("plum")).await;
    let path = |page: &Value| format!("/api/v1/documents/{}/", page["id"].as_str().expect("an id"));
    owner.patch(&path(&closed), &json!({ "restricted": true })).await.expect(200);
    let below = json!({ "workspace_id": workspace, "title": "Below", "parent_id": closed["id"], "blocks": paragraph("plum") });
    let below = owner.post("/api/v1/documents/", &below).await.expect(201).body;
    until(&owner, "q=plum", &["Below", "Closed", "Open"]).await;
    assert_eq!(titles(&member, "q=plum").await, ["Open"]);
    for user in [&guest, &stranger] {
        let nothing = user.get("/api/v1/search/?q=plum&limit=1").await.expect(200).body;
        assert_eq!(nothing, json!({ "data": [], "next_cursor": null }));
    }
    stranger
        .get(&format!("/api/v1/search/?q=plum&workspace={workspace}"))
        .await
        .problem(404, "not_found");
    let grant = json!({ "user_id": guest.id, "level": "view" });
    let granted = owner.post(&format!("{}grants/", path(&below)), &grant).await.expect(201).id();
    assert_eq!(titles(&guest, "q=plum").await, ["Below"]);
    owner.delete(&format!("{}grants/{granted}/", path(&below))).await.expect(204);
    assert_eq!(titles(&guest, "q=plum").await, Vec::<String>::new(), "at once");
    owner.delete(&path(&open)).await.expect(204);
    assert_eq!(titles(&member, "q=plum").await, Vec::<String>::new(), "it is in the trash");
    owner.post(&format!("{}restore/", path(&open)), &json!({})).await.expect(200);
    assert_eq!(titles(&member, "q=plum").await, ["Open"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_come_page_after_page() {
    let app = TestApp::new().await;
    let (owner, workspace, ..) = app.page("Hello").await;
    for n in 0..5 {
        owner.document(&workspace, &format!("Plum {n}"), json!([])).await;
    }
    let all = ["Plum 0", "Plum 1", "Plum 2", "Plum 3", "Plum 4"];
    until(&owner, "q=plum", &all).await;
    let (mut seen, mut path) = (Vec::new(), format!("/api/v1/search/?q=plum&workspace={workspace}&limit=2"));
    loop {
        let page = owner.get(&path).await.expect(200);
        let some = page.body["data"].as_array().expect("results");
        seen.extend(
            some.iter()
                .map(|result| result["title"]["text"].as_str().expect("a title").to_owned()),
        );
        let Some(link) = page.headers.get("link") else { break };
        let link = link.to_str().expect("text");
        let next = link.trim_start_matches('<').split_once('>').expect("a link").0;
        assert!(next.contains(page.body["next_cursor"].as_str().expect("a cursor")));
        path = next.to_owned();
    }
    seen.sort();
    assert_eq!(seen, all);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_makes_no_sense_is_answered_as_such() {
    let app = TestApp::new().await;
    let (owner, ..) = app.page("Hello").await;
    let ask = async |question: &str| owner.get(&format!("/api/v1/search/?{question}")).await;
    for nothing in [
        "q=",
        "q=%20",
        "q=%22%22",
        "q=*",
        "q=-",
        "q=%27%22%5C(%29%26%7C!",
        "q=-hello",
        "q=%00",
    ] {
        assert_eq!(ask(nothing).await.expect(200).body["data"], json!([]), "{nothing}");
    }
    let long = format!("q={}", "a".repeat(501));
    let many = format!("q={}", (0..33).map(|n| format!("{n}+")).collect::<String>());
    for (question, field) in [
        ("", "/q"),
        (long.as_str(), "/q"),
        (many.as_str(), "/q"),
        ("q=x&type=board", "/type"),
        ("q=x&limit=0", "/limit"),
        ("q=x&limit=201", "/limit"),
        ("q=x&cursor=x", "/cursor"),
        ("q=x&author=me", "/author"),
        ("q=x&updated_after=yesterday", "/updated_after"),
        ("q=x&in=1", "/in"),
    ] {
        let problem = ask(question).await.problem(422, "invalid");
        assert_eq!(problem.body["errors"][0]["pointer"], field, "{question}");
    }
    for kind in ["comment", "card"] {
        assert_eq!(ask(&format!("q=hello&type={kind}")).await.expect(200).body["data"], json!([]));
    }
    app.stop().await;
}
