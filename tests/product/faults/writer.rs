//! Somebody who types without rest, remembers what was acknowledged, and sends again what was not.
//!
//! Every edit puts one marker `<name.number>` into the page, so the page's text alone tells what was lost or doubled.

use super::control::Control;
use crate::support::{Socket, User, socket::Heard};
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc, transaction::Transactable};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

/// Edits on their way at once.
const WINDOW: usize = 6;
/// How soon an edit that was refused for now is sent again.
const AGAIN: Duration = Duration::from_millis(100);

/// How a writer says what it types.
enum Hand {
    /// By block and position.
    Ops,
    /// As Automerge changes of a page of its own that never hears of the others.
    Changes(Option<Box<AutoCommit>>),
}

struct Edit {
    id: String,
    marker: String,
    ops: Value,
}

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    /// Everything is acknowledged and the writer was told to stop.
    Done,
    /// The connection is gone, with its close code if there was one.
    Lost(Option<u16>),
}

/// A writer; it outlives its connections.
pub struct Writer {
    name: String,
    user: User,
    document: String,
    blocks: Vec<String>,
    hand: Hand,
    count: usize,
    pending: VecDeque<Edit>,
    resend: Option<Instant>,
    last_seen: Option<i64>,
    epoch: Option<String>,
    is_live: bool,
    /// Markers of acknowledged edits.
    pub acked: Vec<String>,
    /// Markers it was shown, by echoes and snapshots.
    pub seen: HashSet<String>,
    /// The codes of errors it was told.
    pub errors: Vec<String>,
}

impl Writer {
    /// Somebody who writes into these blocks in turn.
    pub fn new(name: &str, user: &User, document: &str, blocks: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            user: user.clone(),
            document: document.to_owned(),
            blocks: blocks.iter().map(|block| (*block).to_owned()).collect(),
            hand: Hand::Ops,
            count: 0,
            pending: VecDeque::new(),
            resend: None,
            last_seen: None,
            epoch: None,
            is_live: false,
            acked: Vec::new(),
            seen: HashSet::new(),
            errors: Vec::new(),
        }
    }

    /// The same with Automerge changes.
    pub fn with_changes(self) -> Self {
        Self {
            hand: Hand::Changes(None),
            ..self
        }
    }

    /// Edits that it has made.
    pub fn made(&self) -> usize {
        self.count
    }

    /// Writes on one connection until that is lost or everything is done.
    pub async fn connection(&mut self, address: &str, control: &Control) -> End {
        self.is_live = false;
        let Some(mut socket) = Socket::try_page(address, &self.document, &self.user.token).await else {
            return End::Lost(None);
        };
        socket.say(self.hello()).await;
        loop {
            if self.is_live {
                if control.is_stopping() && self.pending.is_empty() {
                    socket.close().await;
                    return End::Done;
                }
                self.write(&mut socket, control).await;
            }
            match socket.hear_within(Duration::from_millis(20)).await {
                None => {}
                Some(Heard::Json(message)) => self.take(&message),
                Some(Heard::Binary(_)) => panic!("{} speaks JSON and heard bytes", self.name),
                Some(Heard::Closed(code, _)) => return End::Lost(Some(code)),
                Some(Heard::Lost) => return End::Lost(None),
            }
        }
    }

    /// Writes on one connection after another until everything is done.
    pub async fn until_done(&mut self, address: &str, control: &Control) {
        while self.connection(address, control).await != End::Done {
            assert!(
                !control.is_overdue(),
                "{} still waits for {} acknowledgements; errors: {:?}",
                self.name,
                self.pending.len(),
                self.errors
            );
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn hello(&self) -> Value {
        let mut hello = json!({ "type": "hello", "client_id": self.name });
        if let (Some(seq), Some(epoch)) = (self.last_seen, &self.epoch) {
            hello["last_seen_server_seq"] = json!(seq);
            hello["epoch"] = json!(epoch);
        }
        if matches!(self.hand, Hand::Changes(None)) {
            hello["want"] = json!({ "snapshot": "automerge" });
        }
        hello
    }

    async fn write(&mut self, socket: &mut Socket, control: &Control) {
        if self.resend.is_some_and(|at| at <= Instant::now()) {
            self.resend = None;
            for edit in &self.pending {
                socket.say(json!({ "type": "op", "id": edit.id, "ops": edit.ops })).await;
            }
        }
        while self.resend.is_none() && self.pending.len() < WINDOW && !control.is_stopping() {
            let edit = self.compose();
            socket.say(json!({ "type": "op", "id": edit.id, "ops": edit.ops })).await;
            self.pending.push_back(edit);
        }
    }

    fn compose(&mut self) -> Edit {
        self.count += 1;
        let (marker, block) = (
            format!("<{}.{}>", self.name, self.count),
            self.blocks[self.count % self.blocks.len()].clone(),
        );
        let ops = match &mut self.hand {
            Hand::Ops => json!([{ "op": "insert", "block": block, "pos": 0, "text": marker }]),
            Hand::Changes(page) => {
                let page = page.as_mut().expect("a live writer has the page");
                json!([{ "op": "changes", "payload": STANDARD.encode(type_into(page, &block, &marker)) }])
            }
        };
        Edit {
            id: format!("{}-{}", self.name, self.count),
            marker,
            ops,
        }
    }

    fn take(&mut self, message: &Value) {
        match message["type"].as_str().unwrap_or_default() {
            "batch" => message["items"].as_array().expect("items").iter().for_each(|item| self.take(item)),
            "hello_ack" => self.welcome(message),
            "snapshot" | "resync" => self.whole(message),
            "op_echo" => self.echo(message),
            "ack" => self.acknowledged(message),
            "error" => self.refused(message),
            _ => {}
        }
    }

    fn welcome(&mut self, message: &Value) {
        self.epoch = message["epoch"].as_str().map(str::to_owned);
        self.is_live = !matches!(self.hand, Hand::Changes(None));
        self.resend = (!self.pending.is_empty()).then(Instant::now);
    }

    fn whole(&mut self, message: &Value) {
        self.last_seen = message["server_seq"].as_i64();
        self.seen.extend(markers(&message["doc"].to_string()));
        if let (Hand::Changes(page @ None), Some(bytes)) = (&mut self.hand, message["automerge"].as_str()) {
            let bytes = STANDARD.decode(bytes).expect("base64");
            *page = Some(Box::new(AutoCommit::load(&bytes).expect("a page")));
            self.is_live = true;
        }
    }

    fn echo(&mut self, echo: &Value) {
        let to = echo["server_seq"].as_i64().expect("a number");
        let from = echo["from_seq"].as_i64().unwrap_or(to - 1);
        assert_eq!(self.last_seen, Some(from), "{}: a hole or a repetition before {echo}", self.name);
        self.last_seen = Some(to);
        for marker in markers(&echo["ops"].to_string()) {
            assert!(!self.seen.contains(&marker), "{} was told of {marker} twice", self.name);
            self.seen.insert(marker);
        }
    }

    fn acknowledged(&mut self, ack: &Value) {
        let id = ack["id"].as_str().expect("every edit has an id");
        // Sent twice, acknowledged twice.
        if let Some(at) = self.pending.iter().position(|edit| edit.id == id) {
            let edit = self.pending.remove(at).expect("it was found");
            self.acked.push(edit.marker);
        }
    }

    fn refused(&mut self, error: &Value) {
        let code = error["code"].as_str().expect("a code");
        let is_for_now = ["unavailable", "missing_dependencies", "rate_limited", "internal"].contains(&code);
        assert!(is_for_now, "{}: {error}", self.name);
        self.errors.push(code.to_owned());
        self.resend = Some(Instant::now() + AGAIN);
    }
}

/// Types at the start of a block of a page that is only here, and gives the change.
fn type_into(page: &mut AutoCommit, block: &str, marker: &str) -> Vec<u8> {
    let id = |found: Result<Option<(automerge::Value<'_>, automerge::ObjId)>, _>, kind: ObjType| match found {
        Ok(Some((automerge::Value::Object(is), id))) if is == kind => id,
        other => panic!("not a {kind:?} but {other:?}"),
    };
    let blocks = id(page.get(ROOT, "blocks"), ObjType::Map);
    let block = id(page.get(&blocks, block), ObjType::Map);
    let text = id(page.get(&block, "text"), ObjType::Text);
    page.splice_text(&text, 0, 0, marker).expect("text takes text");
    page.commit();
    page.get_last_local_change().expect("there is a change").raw_bytes().to_vec()
}

/// The markers in a text.
pub fn markers(text: &str) -> Vec<String> {
    let behind = text.split('<').skip(1);
    behind
        .filter_map(|part| part.split_once('>'))
        .map(|(inside, _)| format!("<{inside}>"))
        .collect()
}
