//! A client with an Automerge document and Automerge's own sync protocol, as stock clients have them.

use crate::{
    outbox::{Out, Outbox},
    room::{Input, Join, JoinAs},
    settings::Settings,
    wire::sync,
};
use automerge::{
    ActorId, AutoCommit, ObjType, ROOT, ReadDoc,
    sync::{self as stock, SyncDoc},
    transaction::{CommitOptions, Transactable},
};
use kernel::{id::*, role::Level};
use rand::{RngExt, rngs::StdRng};
use std::sync::Arc;

/// A replica and its connection.
pub struct Replica {
    pub user: UserId,
    pub node: usize,
    pub conn: Option<ConnectionId>,
    pub doc: AutoCommit,
    state: stock::State,
    outbox: Arc<Outbox>,
    edits: usize,
    name: String,
}

impl Replica {
    pub fn new(index: usize, rng: &mut StdRng) -> Self {
        let mut actor = [0_u8; 16];
        rng.fill(&mut actor);
        Self {
            user: UserId::new(),
            node: 0,
            conn: None,
            doc: AutoCommit::new().with_actor(ActorId::from(actor)),
            state: stock::State::new(),
            outbox: Arc::new(Outbox::new(&Settings::default())),
            edits: 0,
            name: format!("replica-{index}"),
        }
    }

    /// Comes (back) with a fresh sync state, as stock clients without storage do.
    pub fn connect(&mut self, node: usize) -> Vec<Input> {
        let conn = ConnectionId::new();
        (self.node, self.conn, self.state) = (node, Some(conn), stock::State::new());
        self.outbox = Arc::new(Outbox::new(&Settings::default()));
        let join = Join {
            conn,
            who: self.user.into(),
            proven: 0,
            level: Level::Edit,
            outbox: self.outbox.clone(),
            token_exp: i64::MAX,
            as_what: JoinAs::Sync,
        };
        let mut inputs = vec![Input::Join(Box::new(join))];
        inputs.extend(self.say());
        inputs
    }

    /// What its protocol has to say now.
    pub fn say(&mut self) -> Vec<Input> {
        let Some(conn) = self.conn else { return Vec::new() };
        let message = self.doc.sync().generate_sync_message(&mut self.state);
        let read = |message: stock::Message| sync::read(&message.encode(), 100_000).expect("a stock message is read");
        message.map(|message| Input::Sync(conn, read(message))).into_iter().collect()
    }

    /// A random edit on its own copy; said later.
    pub fn edit(&mut self, rng: &mut StdRng) {
        let Some((_, blocks)) = self.doc.get(ROOT, "blocks").expect("readable") else {
            return;
        };
        let ids: Vec<String> = self.doc.keys(&blocks).collect();
        let Some(id) = ids.get(rng.random_range(0..ids.len().max(1))) else {
            return;
        };
        let Some((_, block)) = self.doc.get(&blocks, id.as_str()).expect("readable") else {
            return;
        };
        let Some((_, text)) = self.doc.get(&block, "text").expect("readable") else {
            return;
        };
        self.edits += 1;
        let len = self.doc.length(&text);
        match rng.random_range(0..8) {
            0 => {
                let new = self
                    .doc
                    .put_object(&blocks, format!("{}-{}", self.name, self.edits), ObjType::Map)
                    .expect("a block");
                self.doc.put(&new, "type", "paragraph").expect("put");
                self.doc.put(&new, "place", format!("{id}|V{}V", self.edits)).expect("put");
                self.doc.put_object(&new, "text", ObjType::Text).expect("a text");
            }
            1 => {
                let parent = &ids[rng.random_range(0..ids.len())];
                self.doc.put(&block, "place", format!("{parent}|W{}V", self.edits)).expect("put");
            }
            2 => self
                .doc
                .put(&block, "deleted_at", automerge::ScalarValue::Timestamp(1))
                .expect("put"),
            3 if len > 1 => self.doc.splice_text(&text, rng.random_range(0..len - 1), 1, "").expect("spliced"),
            _ => self
                .doc
                .splice_text(&text, rng.random_range(0..=len), 0, &format!("[{}:{}]", self.name, self.edits))
                .expect("spliced"),
        }
        self.doc.commit_with(CommitOptions::default().with_time(1));
    }

    /// Reads what waits for it.
    pub fn read(&mut self) {
        for out in self.outbox.take() {
            match out {
                Out::Binary(bytes) => {
                    let message = stock::Message::decode(&bytes).expect("a sync message");
                    self.doc.sync().receive_sync_message(&mut self.state, message).expect("received");
                }
                // What was left out because of a lock is ground that later changes may lack, until it is asked for.
                Out::Text(text) => assert!(
                    !text.contains("\"error\"") || text.contains("missing_dependencies"),
                    "{}: {text}",
                    self.name
                ),
                Out::Close(_) => self.conn = None,
            }
        }
    }
}
