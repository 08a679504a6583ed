//! What only shows on a connection, or when one goes away.

use super::state;
use crate::{configure, middleware};
use actix_web::{
    App, HttpServer,
    dev::{ServerHandle, Service},
    middleware::{Compress, from_fn},
    test::{self, TestRequest},
    web,
};
use sea_orm::DatabaseConnection;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
};

/// A handler that goes on when it is told, and tells when it is done.
#[derive(Clone, Default)]
struct Slow {
    begun: Arc<Notify>,
    go: Arc<Notify>,
    done: Arc<Notify>,
}

async fn slow(slow: web::Data<Slow>) -> &'static str {
    slow.begun.notify_one();
    slow.go.notified().await;
    slow.done.notify_one();
    "done"
}

#[actix_web::test]
async fn a_client_that_goes_away_does_not_stop_a_handler_half_way() {
    let signals = Slow::default();
    let product = App::new()
        .wrap(from_fn(middleware::handle))
        .app_data(web::Data::new(signals.clone()));
    let app = test::init_service(product.route("/slow/", web::get().to(slow))).await;
    let call = app.call(TestRequest::get().uri("/slow").to_request());
    tokio::select! {
        _ = call => panic!("it answered before it was told to go on"),
        () = signals.begun.notified() => {}
    }
    // The call is dropped here, as it is when a connection ends.
    signals.go.notify_one();
    let done = tokio::time::timeout(Duration::from_secs(5), signals.done.notified()).await;
    assert!(done.is_ok(), "the handler was stopped");
}

/// The product on a real port, as the server builds it.
async fn listening() -> (SocketAddr, ServerHandle) {
    let state = state(DatabaseConnection::default());
    let make = move || {
        let product = App::new().wrap(from_fn(middleware::handle)).wrap(Compress::default());
        product.configure(|config| configure(config, state.clone()))
    };
    let server = HttpServer::new(make)
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a port");
    let addr = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    (addr, handle)
}

/// Sends bytes and reads until the connection ends.
async fn talk(addr: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(addr).await.expect("it listens");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    read.expect("it ends the connection").expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[actix_web::test]
async fn head_is_the_answer_to_get_without_its_body() {
    let (addr, handle) = listening().await;
    let get = talk(addr, "GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let head = talk(addr, "HEAD /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let (get_head, get_body) = get.split_once("\r\n\r\n").expect("an answer");
    let (head_head, head_body) = head.split_once("\r\n\r\n").expect("an answer");
    assert_eq!((get_body, head_body), ("{\"status\":\"ok\"}", ""));
    for answer in [get_head, head_head] {
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.to_lowercase().contains("content-length: 15"),
            "{answer}"
        );
    }
    handle.stop(false).await;
}

#[actix_web::test]
async fn a_body_that_ends_too_early_or_never_was_is_refused() {
    let (addr, handle) = listening().await;
    let head = "POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let none = talk(addr, &format!("{head}\r\n")).await;
    assert!(none.starts_with("HTTP/1.1 400") && none.contains("\"code\":\"bad_json\""), "{none}");
    let large = talk(addr, &format!("{head}content-length: 20000\r\n\r\n")).await;
    assert!(
        large.starts_with("HTTP/1.1 413") && large.contains("\"code\":\"too_large\""),
        "{large}"
    );
    let chunk = format!("4000\r\n{}\r\n", " ".repeat(0x4000));
    let chunked = talk(addr, &format!("{head}transfer-encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n")).await;
    assert!(
        chunked.starts_with("HTTP/1.1 413") && chunked.contains("\"code\":\"too_large\""),
        "{chunked}"
    );
    handle.stop(false).await;
}
