//! A WebSocket that a test drives.

use futures::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::{collections::VecDeque, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Bytes, Message, client::IntoClientRequest, http::HeaderValue, protocol::WebSocketConfig},
};

/// How long a test waits for a frame before it says what it waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A connection to a page.
pub struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Items of a batch that were not looked at yet.
    waiting: VecDeque<Value>,
}

/// What a connection said last.
#[derive(Debug, PartialEq)]
pub enum Heard {
    Json(Value),
    Binary(Vec<u8>),
    Closed(u16, String),
    Lost,
}

impl Socket {
    /// Opens a connection to `path` at `127.0.0.1:port`.
    pub async fn open(address: &str, path: &str, subprotocol: Option<&str>) -> Self {
        let mut request = format!("ws://{address}{path}").into_client_request().expect("a url");
        if let Some(name) = subprotocol {
            request
                .headers_mut()
                .insert("sec-websocket-protocol", HeaderValue::from_str(name).expect("a name"));
        }
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let (stream, _) = connect_async_with_config(request, Some(config), true)
            .await
            .expect("the upgrade is accepted");
        Self {
            stream,
            waiting: VecDeque::new(),
        }
    }

    /// Opens a page with a token.
    pub async fn page(address: &str, document: &str, token: &str) -> Self {
        Self::open(address, &format!("/ws/documents/{document}?token={token}"), None).await
    }

    /// Opens a page where there may be nobody.
    pub async fn try_page(address: &str, document: &str, token: &str) -> Option<Self> {
        let request = format!("ws://{address}/ws/documents/{document}?token={token}")
            .into_client_request()
            .expect("a url");
        let config = WebSocketConfig::default().max_message_size(None).max_frame_size(None);
        let connecting = connect_async_with_config(request, Some(config), true);
        let (stream, _) = tokio::time::timeout(PATIENCE, connecting).await.ok()?.ok()?;
        Some(Self {
            stream,
            waiting: VecDeque::new(),
        })
    }

    /// The next thing that is not a ping, if there is one within a time.
    pub async fn hear_within(&mut self, within: Duration) -> Option<Heard> {
        tokio::time::timeout(within, self.hear()).await.ok()
    }

    /// Opens a page as a JSON client, and gives its snapshot.
    pub async fn join(address: &str, document: &str, token: &str) -> (Self, Value) {
        let mut socket = Self::page(address, document, token).await;
        socket.say(json!({ "type": "hello" })).await;
        socket.until("hello_ack").await;
        let snapshot = socket.until("snapshot").await;
        (socket, snapshot)
    }

    pub async fn say(&mut self, message: Value) {
        self.text(&message.to_string()).await;
    }

    pub async fn text(&mut self, text: &str) {
        // A connection that the product has closed is what some tests look at.
        drop(self.stream.send(Message::text(text)).await);
    }

    pub async fn binary(&mut self, bytes: Vec<u8>) {
        drop(self.stream.send(Message::Binary(Bytes::from(bytes))).await);
    }

    /// The next thing that is not a ping.
    pub async fn hear(&mut self) -> Heard {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.stream.next())
                .await
                .expect("the product says something in time");
            return match next {
                Some(Ok(Message::Text(text))) => Heard::Json(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(Message::Binary(bytes))) => Heard::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => {
                    let (code, reason) = frame.map_or((1005, String::new()), |f| (f.code.into(), f.reason.to_string()));
                    Heard::Closed(code, reason)
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Heard::Lost,
            };
        }
    }

    /// The next JSON message of a type; items of batches count one by one, others are passed over.
    pub async fn until(&mut self, kind: &str) -> Value {
        self.find(kind, |_| true).await
    }

    /// The next JSON message of a type that fits.
    pub async fn find(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            while let Some(item) = self.waiting.pop_front() {
                if item["type"] == kind && fits(&item) {
                    return item;
                }
            }
            match self.hear().await {
                Heard::Json(message) => match message["items"].as_array() {
                    Some(items) => self.waiting.extend(items.iter().cloned()),
                    None => self.waiting.push_back(message),
                },
                Heard::Binary(_) => {}
                end => panic!("waited for {kind}, but heard {end:?}"),
            }
        }
    }

    /// The code it is closed with, after whatever else.
    pub async fn closed(&mut self) -> u16 {
        loop {
            match self.hear().await {
                Heard::Closed(code, _) => return code,
                Heard::Lost => return 0,
                _ => {}
            }
        }
    }

    pub async fn close(mut self) {
        drop(self.stream.close(None).await);
    }
}
