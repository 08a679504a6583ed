//! Who is here and where: the latest value of each client, never persisted, gone after a minute of silence.

use kernel::id::*;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// One client's presence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Here {
    /// The client's name for itself in this room.
    pub client_id: String,
    /// The user, as the server knows it; never as the client claims.
    pub user_id: UserId,
    /// What the client says: cursor, selection, typing, status.
    pub state: Map<String, Value>,
}

impl Here {
    /// As it stands in a `presence` message.
    pub fn to_json(&self) -> Value {
        let mut out = self.state.clone();
        // Said last, so that no client can speak for another.
        out.insert("client_id".to_owned(), json!(self.client_id));
        out.insert("user_id".to_owned(), json!(self.user_id));
        Value::Object(out)
    }
}

/// Everybody's presence in one room, this node's clients and those of others.
#[derive(Default)]
pub struct Presence {
    here: BTreeMap<String, (Here, Instant)>,
    changed: BTreeSet<String>,
    left: BTreeSet<String>,
}

/// The most clients whose presence is kept; beyond it nobody could look at them all anyway.
const MAX_CLIENTS: usize = 5_000;

impl Presence {
    /// Merges what a client says into its state; null takes a key away.
    pub fn update(&mut self, client_id: &str, user: UserId, said: Value, now: Instant) {
        if self.here.len() >= MAX_CLIENTS && !self.here.contains_key(client_id) {
            return;
        }
        let fresh = || {
            (
                Here {
                    client_id: client_id.to_owned(),
                    user_id: user,
                    state: Map::new(),
                },
                now,
            )
        };
        let (here, seen) = self.here.entry(client_id.to_owned()).or_insert_with(fresh);
        *seen = now;
        here.user_id = user;
        if let Value::Object(fields) = said {
            for (key, value) in fields
                .into_iter()
                .filter(|(key, _)| key != "client_id" && key != "user_id" && key != "id")
            {
                if value.is_null() {
                    here.state.remove(&key)
                } else {
                    here.state.insert(key, value)
                };
            }
        }
        self.left.remove(client_id);
        self.changed.insert(client_id.to_owned());
    }

    /// A client is gone.
    pub fn leave(&mut self, client_id: &str) {
        if self.here.remove(client_id).is_some() {
            self.changed.remove(client_id);
            self.left.insert(client_id.to_owned());
        }
    }

    /// Forgets who has been silent for too long.
    pub fn expire(&mut self, now: Instant, ttl: Duration) {
        let gone: Vec<String> = self
            .here
            .iter()
            .filter(|(_, (_, seen))| now.duration_since(*seen) > ttl)
            .map(|(id, _)| id.clone())
            .collect();
        gone.iter().for_each(|id| self.leave(id));
    }

    /// What changed since the last call: presences and the clients that left; `None` when nothing did.
    pub fn flush(&mut self) -> Option<(Vec<Here>, Vec<String>)> {
        if self.changed.is_empty() && self.left.is_empty() {
            return None;
        }
        let changed = std::mem::take(&mut self.changed);
        let here = changed
            .iter()
            .filter_map(|id| self.here.get(id))
            .map(|(here, _)| here.clone())
            .collect();
        Some((here, std::mem::take(&mut self.left).into_iter().collect()))
    }

    /// Whether a flush would give something.
    pub fn is_changed(&self) -> bool {
        !self.changed.is_empty() || !self.left.is_empty()
    }

    /// Everybody, for a newcomer.
    pub fn all(&self) -> Vec<Value> {
        self.here.values().map(|(here, _)| here.to_json()).collect()
    }
}
