//! How much may come, how fast it has to, and what is left of what did not.

use super::{adds, content, fetches, png, sends, stored};
use crate::support::TestApp;
use futures::stream;
use serde_json::json;
use std::time::Duration;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// Bytes whose number is not said before.
fn unannounced(pieces: usize, size: usize) -> reqwest::Body {
    reqwest::Body::wrap_stream(stream::iter((0..pieces).map(move |_| Ok::<_, std::io::Error>(vec![b'x'; size]))))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_byte_too_many_is_refused_and_nothing_stays() {
    let app = TestApp::with(&[("files.max_bytes", "100000"), ("quotas.storage_bytes", "150000")]).await;
    let (owner, workspace, page, _) = app.page("with files").await;
    adds(&app, &owner, &page, "x", vec![0; 100_001])
        .await
        .problem(413, "file_too_large");
    adds(&app, &owner, &page, "x", unannounced(10, 10_001))
        .await
        .problem(413, "file_too_large");
    let announced = json!({ "document_id": page, "name": "x", "size": 100_001 });
    owner.post("/api/v1/attachments/", &announced).await.problem(413, "file_too_large");
    assert_eq!(stored(&app), 0);
    adds(&app, &owner, &page, "x", unannounced(10, 10_000)).await.expect(201);
    adds(&app, &owner, &page, "x", vec![0; 50_001]).await.problem(409, "quota_exceeded");
    adds(&app, &owner, &page, "x", unannounced(3, 16_667))
        .await
        .problem(409, "quota_exceeded");
    adds(&app, &owner, &page, "x", vec![0; 50_000]).await.expect(201);
    assert_eq!(stored(&app), 2);
    let usage = owner.get(&format!("/api/v1/workspaces/{workspace}/usage/")).await.expect(200).body;
    assert_eq!(
        (&usage["storage_bytes"], &usage["limits"]["storage_bytes"]),
        (&json!(150_000), &json!(150_000))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_once_keep_the_quota_together() {
    let app = TestApp::with(&[("quotas.storage_bytes", "100000")]).await;
    let (owner, workspace, page, _) = app.page("with files").await;
    let all = (0..6).map(|_| adds(&app, &owner, &page, "x", unannounced(4, 10_000)));
    let answers = futures::future::join_all(all).await;
    let kept = answers.iter().filter(|answer| answer.status == 201).count();
    assert!((1..=2).contains(&kept), "{kept}");
    assert!(answers.iter().all(|answer| [201, 409].contains(&answer.status)));
    let usage = owner.get(&format!("/api/v1/workspaces/{workspace}/usage/")).await.expect(200).body;
    assert_eq!((usage["storage_bytes"].as_u64(), stored(&app)), (Some(40_000 * kept as u64), kept));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_breaks_off_leaves_nothing() {
    let app = TestApp::new().await;
    let (owner, workspace, page, _) = app.page("with files").await;
    let mut line = TcpStream::connect(app.address(0)).await.expect("connected");
    let head = format!(
        "POST /api/v1/documents/{page}/attachments/?name=x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 9000000\r\n\r\n",
        owner.token
    );
    line.write_all(head.as_bytes()).await.expect("sent");
    line.write_all(&vec![b'x'; 3_000_000]).await.expect("sent");
    let begun = async || stored(&app) > 0;
    until(begun).await;
    drop(line);
    let usage = format!("/api/v1/workspaces/{workspace}/usage/");
    until(async || stored(&app) == 0 && owner.get(&usage).await.expect(200).body["storage_bytes"] == 0).await;
    assert_eq!(
        owner.get(&format!("/api/v1/documents/{page}/attachments/")).await.expect(200).body["data"],
        json!([])
    );
    app.stop().await;
}

/// Waits until something is so.
async fn until(is_so: impl AsyncFn() -> bool) {
    for _ in 0..2_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it does not come true");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_says_nothing_more_is_given_up() {
    let app = TestApp::with(&[("files.idle_secs", "1")]).await;
    let (owner, _, page, _) = app.page("with files").await;
    let first = stream::iter([Ok::<_, std::io::Error>(vec![b'x'; 100])]);
    let silent = futures::StreamExt::chain(first, stream::pending());
    adds(&app, &owner, &page, "x", reqwest::Body::wrap_stream(silent))
        .await
        .problem(408, "upload_too_slow");
    assert_eq!(stored(&app), 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_upload_is_refused_before_its_bytes_are_read() {
    let app = TestApp::new().await;
    let (owner, _, page, _) = app.page("with files").await;
    let url = app.url(&format!("/api/v1/documents/{page}/attachments/"));
    let packed = app.http.post(&url).header("content-encoding", "gzip");
    sends(packed, &owner, "x").await.problem(415, "unsupported_media_type");
    let hashed = app.http.post(format!("{url}?sha256=abc"));
    sends(hashed, &owner, "x").await.problem(422, "invalid");
    let id = adds(&app, &owner, &page, "x.png", png(1, 1)).await.expect(201).id();
    owner.get(&format!("{}?thumbnail=17", content(&id))).await.problem(422, "invalid");
    assert_eq!(fetches(&app, &owner, &content(&id), &[]).await.status, 200);
    app.stop().await;
}
