//! Tickets for sockets and live streams.

use crate::support::{TestApp, User};
use futures::StreamExt;
use serde_json::json;
use tokio_tungstenite::connect_async;

const TICKETS: &str = "/api/v1/auth/ws-ticket/";

async fn ticket(user: &User, document: Option<&str>) -> String {
    let made = user.post(TICKETS, &json!({ "document_id": document })).await.expect(201);
    assert_eq!(
        (&made.headers["cache-control"], &made.body["expires_in"]),
        (&"no-store".parse().expect("a value"), &json!(30))
    );
    made.body["ticket"].as_str().expect("a ticket").to_owned()
}

/// The first words of a page's socket, or the code it is closed with.
async fn hello(app: &TestApp, document: &str, ticket: &str) -> Result<String, u16> {
    let url = format!("ws://{}/ws/documents/{document}/?ticket={ticket}&protocol=json", app.address(0));
    let (mut socket, _) = connect_async(url).await.expect("a socket");
    loop {
        match socket.next().await.expect("an answer").expect("a frame") {
            tokio_tungstenite::tungstenite::Message::Close(why) => return Err(why.expect("a reason").code.into()),
            tokio_tungstenite::tungstenite::Message::Text(text) if !text.contains("\"error\"") => return Ok(text.to_string()),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_socket_of_its_page() {
    let app = TestApp::new().await;
    let (ada, _, page, _) = app.page("hello").await;
    let one = ticket(&ada, Some(&page)).await;
    hello(&app, &page, &one).await.expect("the page");
    assert_eq!(hello(&app, &page, &one).await, Err(4401));
    let (_, _, other, _) = app.page("other").await;
    let elsewhere = ticket(&ada, Some(&page)).await;
    assert_eq!(hello(&app, &other, &elsewhere).await, Err(4401));
    ada.post(TICKETS, &json!({ "document_id": other })).await.problem(422, "invalid");
    User::nobody(&app).post(TICKETS, &json!({})).await.problem(401, "unauthenticated");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ticket_opens_one_live_stream_and_no_other_operation() {
    let app = TestApp::new().await;
    let (ada, workspace, page, _) = app.page("hello").await;
    let nobody = User::nobody(&app);
    let stream = format!("/api/v1/workspaces/{workspace}/events/?ticket={}", ticket(&ada, None).await);
    assert_eq!(nobody.status_of(&stream).await, 200);
    assert_eq!(nobody.status_of(&stream).await, 401);
    let bound = ticket(&ada, Some(&page)).await;
    assert_eq!(
        nobody
            .status_of(&format!("/api/v1/workspaces/{workspace}/events/?ticket={bound}"))
            .await,
        401
    );
    let unused = ticket(&ada, None).await;
    nobody
        .get(&format!("/api/v1/workspaces/{workspace}/?ticket={unused}"))
        .await
        .problem(401, "unauthenticated");
    assert_eq!(
        nobody
            .status_of(&format!("/api/v1/workspaces/{workspace}/events/?ticket={unused}"))
            .await,
        200
    );
    let strangers = ticket(&app.user("eve").await, None).await;
    assert_eq!(
        nobody
            .status_of(&format!("/api/v1/workspaces/{workspace}/events/?ticket={strangers}"))
            .await,
        404
    );
    app.stop().await;
}
