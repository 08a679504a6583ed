//! Hostile clients. After each attack: the process answers, the page takes an honest client's edit, and after a restart
//! it reads as it should. Only a restart shows some losses.

mod bytes;
mod changes;
mod frames;

use crate::support::{Socket, TestApp, User};
use serde_json::json;

/// A product with one page, its owner, and a second member who attacks.
struct Scene {
    app: TestApp,
    owner: User,
    attacker: User,
    document: String,
    block: String,
}

impl Scene {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let (owner, workspace, document, block) = app.page("honest").await;
        let attacker = app.user("attacker").await;
        owner.adds(&attacker, &workspace, "member").await;
        Self {
            app,
            owner,
            attacker,
            document,
            block,
        }
    }

    /// A connection of the attacker's.
    async fn attack(&self, subprotocol: Option<&str>) -> Socket {
        let path = format!("/ws/documents/{}?token={}", self.document, self.attacker.token);
        Socket::open(&self.app.address(0), &path, subprotocol).await
    }

    /// Process alive, page alive for an honest client, page readable after a restart.
    async fn stands(self) {
        let nobody = User::nobody(&self.app);
        nobody.get("/health/ready").await.expect(200);
        let (mut honest, _) = Socket::join(&self.app.address(0), &self.document, &self.owner.token).await;
        honest
            .say(json!({ "type": "insert", "block": self.block, "pos": 0, "text": "still ", "id": "honest" }))
            .await;
        honest.find("ack", |ack| ack["id"] == "honest").await;
        honest.close().await;
        let text = self.owner.texts(&self.document).await.remove(0);
        assert!(text.starts_with("still ") && text.contains("honest"), "{text}");
        let app = self.app.restart().await;
        let owner = self.owner.at(&app.address(0));
        assert_eq!(owner.texts(&self.document).await.remove(0), text);
        let (mut again, snapshot) = Socket::join(&app.address(0), &self.document, &owner.token).await;
        assert!(snapshot["doc"]["blocks"].to_string().contains("honest"));
        again
            .say(json!({ "type": "insert", "block": self.block, "pos": 0, "text": "and ", "id": "again" }))
            .await;
        again.find("ack", |ack| ack["id"] == "again").await;
        app.stop().await;
    }
}
