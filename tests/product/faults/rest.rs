//! Somebody who writes through the REST face and sends again, under the same id, what was not answered.

use super::control::Control;
use crate::support::User;
use reqwest::Method;
use serde_json::json;
use std::time::Duration;

/// A writer; it outlives the server.
pub struct RestWriter {
    name: String,
    user: User,
    document: String,
    count: usize,
    is_open: bool,
    /// Markers of acknowledged edits.
    pub acked: Vec<String>,
}

impl RestWriter {
    pub fn new(name: &str, user: &User, document: &str) -> Self {
        Self {
            name: name.to_owned(),
            user: user.clone(),
            document: document.to_owned(),
            count: 0,
            is_open: false,
            acked: Vec::new(),
        }
    }

    /// Edits that it has made.
    pub fn made(&self) -> usize {
        self.count
    }

    /// Adds paragraphs until nobody answers (`false`) or everything is done (`true`).
    pub async fn session(&mut self, address: &str, control: &Control) -> bool {
        let user = self.user.at(address);
        loop {
            if !self.is_open {
                if control.is_stopping() {
                    return true;
                }
                self.count += 1;
                self.is_open = true;
            }
            let marker = format!("<{}.{}>", self.name, self.count);
            let body = json!({ "type": "paragraph", "text": marker, "message_id": format!("{}-{}", self.name, self.count) });
            match user
                .try_call(Method::POST, &format!("/api/v1/documents/{}/blocks/", self.document), Some(&body))
                .await
            {
                Some((200..300, _)) => {
                    self.acked.push(marker);
                    self.is_open = false;
                }
                Some((500.., _)) | None => return false,
                Some((status, body)) => panic!("{}: {status} {body}", self.name),
            }
            // It is there to be hit by the kill, not to fill the page with blocks.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Adds paragraphs until everything is done, whatever happens to the server.
    pub async fn until_done(&mut self, address: &str, control: &Control) {
        while !self.session(address, control).await {
            assert!(!control.is_overdue(), "{} waits for an answer", self.name);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
