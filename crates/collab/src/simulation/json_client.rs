//! A JSON client without any CRDT: its copy of the page is what it was sent, applied word for word.

use crate::{
    outbox::{Out, Outbox},
    room::{Input, Join, JoinAs},
    settings::Settings,
    wire::json::{self, Hello, Said},
};
use kernel::{id::*, role::Level};
use rand::{RngExt, rngs::StdRng};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The page as the client knows it: text, parent and order of every block.
pub type Copy = BTreeMap<String, (Vec<u16>, String, String)>;

/// A client and its connection.
pub struct JsonClient {
    pub name: String,
    pub user: UserId,
    pub node: usize,
    pub conn: Option<ConnectionId>,
    outbox: Arc<Outbox>,
    pub copy: Copy,
    pub seq: Option<i64>,
    /// Sent and not acknowledged.
    pub pending: BTreeMap<String, Value>,
    pub acked: BTreeSet<String>,
    sent: usize,
}

impl JsonClient {
    pub fn new(index: usize) -> Self {
        Self {
            name: format!("json-{index}"),
            user: UserId::new(),
            node: 0,
            conn: None,
            outbox: Arc::new(Outbox::new(&Settings::default())),
            copy: Copy::new(),
            seq: None,
            pending: BTreeMap::new(),
            acked: BTreeSet::new(),
            sent: 0,
        }
    }

    /// Comes (back): says where it stands, and sends again what was not acknowledged.
    pub fn connect(&mut self, node: usize) -> Vec<Input> {
        let conn = ConnectionId::new();
        (self.node, self.conn, self.outbox) = (node, Some(conn), Arc::new(Outbox::new(&Settings::default())));
        let hello = Hello {
            last_seen_server_seq: self.seq,
            client_id: Some(self.name.clone()),
            ..Hello::default()
        };
        let as_what = JoinAs::Json {
            hello: Box::new(hello),
            is_enveloped: false,
        };
        let join = Join {
            conn,
            who: self.user.into(),
            proven: 0,
            level: Level::Edit,
            outbox: self.outbox.clone(),
            token_exp: i64::MAX,
            as_what,
        };
        let mut inputs = vec![Input::Join(Box::new(join))];
        inputs.extend(self.pending.values().map(|message| said(conn, message)));
        inputs
    }

    /// Wants the page for itself.
    pub fn lock(&self) -> Vec<Input> {
        let wish = json!({ "type": "lock", "ttl_ms": 60_000 });
        self.conn.map(|conn| said(conn, &wish)).into_iter().collect()
    }

    /// Gives it back.
    pub fn unlock(&self) -> Vec<Input> {
        self.conn.map(|conn| said(conn, &json!({ "type": "unlock" }))).into_iter().collect()
    }

    /// A random edit against what it knows.
    pub fn edit(&mut self, rng: &mut StdRng) -> Vec<Input> {
        let (Some(conn), Some(seq)) = (self.conn, self.seq) else {
            return Vec::new();
        };
        let (id, op) = self.next(|client, id| client.random_op(rng, id));
        let mut message = json!({ "type": "op", "id": id, "ops": [op] });
        if rng.random_range(0..4) > 0 {
            message["base"] = json!(seq);
        }
        self.pending.insert(id, message.clone());
        let mut inputs = vec![said(conn, &message)];
        if rng.random_range(0..10) == 0 {
            inputs.push(said(conn, &message));
        }
        inputs
    }

    /// Types something into the title, which always succeeds.
    pub fn types(&mut self) -> Vec<Input> {
        let Some(conn) = self.conn else { return Vec::new() };
        let (id, op) = self.next(|_, id| json!({ "op": "insert", "block": "@title", "pos": 0, "text": id }));
        let message = json!({ "type": "op", "id": id, "ops": [op] });
        self.pending.insert(id, message.clone());
        vec![said(conn, &message)]
    }

    fn next(&mut self, op: impl FnOnce(&Self, &str) -> Value) -> (String, Value) {
        self.sent += 1;
        let id = format!("{}:{}", self.name, self.sent);
        let op = op(self, &id);
        (id, op)
    }

    fn random_op(&self, rng: &mut StdRng, id: &str) -> Value {
        let ids: Vec<&String> = self.copy.keys().collect();
        let some = |rng: &mut StdRng| {
            ids.get(rng.random_range(0..ids.len().max(1)))
                .map_or("none", |id| id.as_str())
                .to_owned()
        };
        let block = some(rng);
        let len = self.copy.get(&block).map_or(0, |(text, ..)| text.len());
        match rng.random_range(0..10) {
            0 => {
                json!({ "op": "block_insert", "id": id.replace(':', "-"), "type": "paragraph", "text": format!("<{id}>"), "after": block })
            }
            1 => json!({ "op": "block_move", "id": block, "parent": if rng.random() { some(rng) } else { String::new() } }),
            2 if ids.len() > 3 => json!({ "op": "block_delete", "id": block }),
            3 => json!({ "op": "block_split", "id": block, "pos": len / 2, "new_id": id.replace(':', "-") }),
            4 if len > 2 => json!({ "op": "delete", "block": block, "pos": rng.random_range(0..len - 1), "len": 1 }),
            5 => json!({ "op": "format", "block": block, "pos": 0, "len": len, "name": "bold", "value": true }),
            _ => json!({ "op": "insert", "block": block, "pos": rng.random_range(0..=len), "text": format!("<{id}\u{1F600}>") }),
        }
    }

    /// Reads what waits for it: all of it, or nothing this time.
    pub fn read(&mut self) {
        for out in self.outbox.take() {
            match out {
                Out::Text(text) => {
                    let message: Value = serde_json::from_str(&text).expect("JSON");
                    let items = message["items"].as_array().cloned().unwrap_or_else(|| vec![message]);
                    items.iter().for_each(|item| self.on_message(item));
                }
                Out::Binary(_) => panic!("a binary frame for a JSON client"),
                Out::Close(_) => self.conn = None,
            }
        }
    }

    fn on_message(&mut self, message: &Value) {
        match message["type"].as_str().unwrap_or_default() {
            "snapshot" | "resync" => {
                self.seq = message["server_seq"].as_i64();
                let blocks = message["doc"]["blocks"].as_array().cloned().unwrap_or_default();
                self.copy = blocks.iter().map(|block| (word(block, "id"), shape(block))).collect();
            }
            "op_echo" => self.on_echo(message),
            "ack" => {
                if let Some(id) = message["id"].as_str() {
                    self.pending.remove(id);
                    self.acked.insert(id.to_owned());
                }
            }
            // What is only unavailable or locked is sent again at the next connect; anything else was refused for good.
            "error" if message["code"] != "unavailable" && message["code"] != "locked" => {
                self.pending.remove(message["id"].as_str().unwrap_or_default());
            }
            _ => {}
        }
    }

    fn on_echo(&mut self, echo: &Value) {
        let (to, seq) = (
            echo["server_seq"].as_i64().expect("a number"),
            self.seq.expect("a snapshot came first"),
        );
        let from = echo["from_seq"].as_i64().unwrap_or(to - 1);
        assert_eq!(from, seq, "{}: the echoes have a hole or come twice", self.name);
        self.seq = Some(to);
        for op in echo["ops"].as_array().expect("ops") {
            self.apply(op);
        }
    }

    fn apply(&mut self, op: &Value) {
        let units = |text: &str| text.encode_utf16().collect::<Vec<u16>>();
        let at = |name: &str| op[name].as_u64().unwrap_or_default() as usize;
        match op["op"].as_str().unwrap_or_default() {
            "insert" if op["block"] != "@title" => {
                let (text, ..) = self.copy.entry(word(op, "block")).or_default();
                text.splice(at("pos")..at("pos"), units(&word(op, "text")));
            }
            "delete" if op["block"] != "@title" => {
                let (text, ..) = self.copy.entry(word(op, "block")).or_default();
                text.drain(at("pos")..at("pos") + at("len"));
            }
            "block_insert" => drop(self.copy.insert(word(op, "id"), shape(op))),
            "block_delete" => drop(self.copy.remove(&word(op, "id"))),
            "block_move" => {
                if let Some(block) = self.copy.get_mut(&word(op, "id")) {
                    (block.1, block.2) = (word(op, "parent"), word(op, "order"));
                }
            }
            "block_set" if op["key"] == "text" => {
                self.copy.entry(word(op, "id")).or_default().0 = units(&word(op, "value"));
            }
            _ => {}
        }
    }
}

fn said(conn: ConnectionId, message: &Value) -> Input {
    let said: Said = json::read(&message.to_string()).said.expect("a message of ours");
    Input::Said(conn, said)
}

fn word(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_owned()
}

fn shape(block: &Value) -> (Vec<u16>, String, String) {
    (
        word(block, "text").encode_utf16().collect(),
        word(block, "parent"),
        word(block, "order"),
    )
}
