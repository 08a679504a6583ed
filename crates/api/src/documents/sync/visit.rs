//! One request in a room: a session whose frames come from the request and go into the answer.

use crate::{extract::Speaks, problem::ApiError, state::State};
use actix_web::http::StatusCode;
use collab::{
    close::Close,
    outbox::{Out, Outbox},
    protocol::{Frame, Protocol},
    session::{Arrival, Session},
};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long the room may take to let somebody in: it may have to load the page first.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client in a room for as long as a request.
pub(super) struct Visit {
    session: Session,
    outbox: Arc<Outbox>,
    heard: Vec<Value>,
}

impl Visit {
    pub(super) fn begin(state: &State, speaks: &Speaks) -> Self {
        let outbox = Arc::new(Outbox::new(state.rooms.settings()));
        let arrival = Arrival {
            document: Some(speaks.access.id()),
            bearer: Ok(speaks.bearer),
            protocol: Some(Ok(Protocol::Json)),
            // A request has one token, and it was looked at.
            authenticate: Arc::new(|_| Box::pin(async { Err(Close::Unauthenticated) })),
        };
        Self {
            session: Session::new(state.rooms.clone(), outbox.clone(), arrival),
            outbox,
            heard: Vec::new(),
        }
    }

    /// Leaves the room.
    pub(super) async fn end(mut self) {
        self.session.on_gone().await;
    }

    /// What was missed; when that is nothing, the first thing that happens within `wait`.
    pub(super) async fn listen(&mut self, hello: &Value, wait: Duration) -> Result<Vec<Value>, ApiError> {
        self.send(hello).await;
        let wants_page = hello["want"]["snapshot"] != "none";
        self.hear(Instant::now() + PATIENCE, |heard| is_greeted(heard, wants_page)).await?;
        if self.heard.len() == 1 {
            self.hear(Instant::now() + wait, |heard| heard.len() > 1).await?;
        }
        Ok(self.answer())
    }

    /// Sends edits, and hears what became of each.
    pub(super) async fn say(&mut self, messages: Vec<Value>, within: Duration) -> Result<Vec<Value>, ApiError> {
        let want = json!({ "snapshot": "none", "presence": false, "echo": false });
        self.send(&json!({ "type": "hello", "want": want })).await;
        self.hear(Instant::now() + PATIENCE, |heard| is_there(heard, "hello_ack")).await?;
        let count = messages.len();
        for message in &messages {
            self.send(message).await;
        }
        let answers = |heard: &[Value]| {
            heard
                .iter()
                .filter(|m| ["ack", "error"].iter().any(|kind| m["type"] == *kind))
                .count()
        };
        self.hear(Instant::now() + within, |heard| answers(heard) >= count).await?;
        // What others did meanwhile is told to those who listen.
        self.heard
            .retain(|message| ["hello_ack", "ack", "error"].iter().any(|kind| message["type"] == *kind));
        Ok(self.answer())
    }

    async fn send(&mut self, message: &Value) {
        self.session.on_frame(Frame::Text(message.to_string().into())).await;
    }

    /// Gathers what comes until there is enough of it or the time is over.
    async fn hear(&mut self, until: Instant, is_enough: impl Fn(&[Value]) -> bool) -> Result<(), ApiError> {
        while !is_enough(&self.heard) {
            let Ok(frames) = timeout_at(until, self.outbox.next()).await else {
                break;
            };
            for frame in frames {
                match frame {
                    Out::Text(text) => self.heard.extend(serde_json::from_str(&text).ok()),
                    Out::Binary(_) => {}
                    Out::Close(why) => return self.closed(why),
                }
            }
        }
        Ok(())
    }

    /// The room closed the door: before the greeting that is the answer; after it, what was heard still counts.
    fn closed(&self, why: Close) -> Result<(), ApiError> {
        if is_there(&self.heard, "hello_ack") && why != Close::NotFound && why != Close::Forbidden {
            return Ok(());
        }
        Err(match why {
            Close::NotFound | Close::Forbidden => ApiError::not_found(),
            Close::Unauthenticated => ApiError::unauthenticated(),
            Close::TooLarge => ApiError::of_status(StatusCode::PAYLOAD_TOO_LARGE),
            _ => ApiError::of_status(StatusCode::SERVICE_UNAVAILABLE),
        })
    }

    /// What was heard, without what only makes sense on a connection that lasts.
    fn answer(&mut self) -> Vec<Value> {
        for message in &mut self.heard {
            if let Some(fields) = message.as_object_mut() {
                fields.remove("session_id");
                fields.remove("token_exp");
            }
        }
        std::mem::take(&mut self.heard)
    }
}

/// Whether everything that belongs to the greeting is there: the page, or what was missed up to where the page stands.
fn is_greeted(heard: &[Value], wants_page: bool) -> bool {
    let Some(ack) = heard.iter().find(|message| message["type"] == "hello_ack") else {
        return false;
    };
    if ack["replay_from"].is_null() {
        return !wants_page || is_there(heard, "snapshot") || is_there(heard, "resync");
    }
    let reached = heard.iter().filter_map(|message| match message["items"].as_array() {
        Some(items) => items.last()?["server_seq"].as_i64(),
        None => message["server_seq"].as_i64().filter(|_| message["type"] == "op_echo"),
    });
    reached.chain(ack["replay_from"].as_i64()).max() >= ack["server_seq"].as_i64()
}

fn is_there(heard: &[Value], kind: &str) -> bool {
    heard.iter().any(|message| message["type"] == kind)
}
