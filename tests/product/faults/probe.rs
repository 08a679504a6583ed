//! Two people on two nodes: what one writes has to be acknowledged there and arrive at the other.

use super::{scene::Scene, writer::markers};
use crate::support::Socket;
use serde_json::json;
use std::time::{Duration, Instant};

/// A probe between nodes; both ends may be the same node.
pub struct Probe<'a> {
    scene: &'a Scene,
    from: &'a str,
    to: &'a str,
}

impl<'a> Probe<'a> {
    pub fn new(scene: &'a Scene, from: &'a str, to: &'a str) -> Self {
        Self { scene, from, to }
    }

    /// Writes one edit and waits until the other end has it; gives how long that took.
    pub async fn send(&self, marker: &str, within: Duration) -> Duration {
        let started = Instant::now();
        let sent = tokio::time::timeout(within, async {
            let (mut from, mut to) = (self.open(self.from).await, self.open(self.to).await);
            let edit = json!({ "type": "insert", "id": marker, "block": self.scene.block(0), "pos": 0, "text": marker });
            from.say(edit).await;
            from.find("ack", |ack| ack["id"] == marker).await;
            to.find("op_echo", |echo| markers(&echo["ops"].to_string()).iter().any(|m| m == marker))
                .await;
        });
        sent.await
            .unwrap_or_else(|_| panic!("{marker} from {} did not arrive at {} within {within:?}", self.from, self.to));
        started.elapsed()
    }

    async fn open(&self, address: &str) -> Socket {
        Socket::join(address, &self.scene.document, &self.scene.owner.token).await.0
    }
}

/// Writes one edit, again and again under the same id, until it is acknowledged; gives how long that took.
pub async fn until_acknowledged(scene: &Scene, address: &str, marker: &str, within: Duration) -> Duration {
    let started = Instant::now();
    while started.elapsed() < within {
        let Some(mut socket) = Socket::try_page(address, &scene.document, &scene.owner.token).await else {
            continue;
        };
        socket
            .say(json!({ "type": "insert", "id": marker, "block": scene.block(0), "pos": 0, "text": marker }))
            .await;
        if tokio::time::timeout(within, acknowledged(&mut socket, marker))
            .await
            .unwrap_or(false)
        {
            return started.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{marker} was not acknowledged by {address} within {within:?}");
}

async fn acknowledged(socket: &mut Socket, id: &str) -> bool {
    use crate::support::socket::Heard;
    loop {
        match socket.hear().await {
            Heard::Json(message) if message["id"] == id && message["type"] == "ack" => return true,
            Heard::Json(message) if message["type"] == "error" => return false,
            Heard::Json(_) | Heard::Binary(_) => {}
            Heard::Closed(..) | Heard::Lost => return false,
        }
    }
}
