//! A room: one live page and everybody on it, as a state machine.
//!
//! Inputs are taken by [`Room::take`], which answers what needs no commit and gathers edits. [`Room::work`] turns the
//! gathered edits into one batch for the journal; until [`Room::committed`] (or [`Room::behind`], or a reload) nothing
//! else may be asked of the room, because the page in memory is ahead of the log. So no reader ever sees, and no
//! outbox ever gets, what is not committed.

mod admit;
mod commit;
mod crdt;
mod echo;
mod fanout;
mod gather;
mod hello;
mod history;
mod locks;
mod peer;
mod rights;
mod settle;
mod work;

pub use locks::{Ask, GiveLease, TakeLease};
pub use peer::{Join, JoinAs, Peer, Speaks};
pub use rights::{Right, Rights};
pub use work::{Answer, Base, EditDone, Origin, Task, Ticket, Work, Worked};

use crate::{
    close::Close,
    outbox::Out,
    presence::{Here, Presence},
    settings::Settings,
    wire::{cbor, json, sync::TheirMessage},
};
use automerge::ActorId;
use bytes::Bytes;
use documents::{gate::Verifier, heads, log::Head, page::Page, snapshot::Stored};
use history::History;
use kernel::{id::*, role::Level};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Instant,
};
use workspaces::access::Who;

/// The present, as the shell (or a simulation) tells it.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For waiting.
    pub at: Instant,
    /// Milliseconds since 1970.
    pub ms: i64,
}

/// Something that happens to a room.
pub enum Input {
    /// A connection wants in; it was authenticated and its level is known.
    Join(Box<Join>),
    /// A connection is gone.
    Leave(ConnectionId),
    /// A JSON message.
    Said(ConnectionId, json::Said),
    /// An Automerge sync message, parsed under bounds.
    Sync(ConnectionId, TheirMessage),
    /// Change chunks, parsed and inflated under bounds.
    Chunks(ConnectionId, Vec<Vec<u8>>),
    /// A stock client's broadcast: count, session, value.
    Ephemeral(ConnectionId, u64, String, Bytes),
    /// An edit from elsewhere than a socket.
    Edit(Box<Work>),
    /// What people may do has changed.
    Rights(Rights),
    /// A connection has a new token.
    Renewed(ConnectionId, Who),
    /// Presence of other nodes' clients.
    RemotePresence(Vec<Here>, Vec<String>),
    /// A stock client's broadcast on another node: sender, count, session, value.
    RemoteEphemeral(String, u64, String, Vec<u8>),
    /// The page was put in the trash or destroyed.
    Gone,
}

/// What the room wants to be told to other nodes.
#[derive(Default)]
pub struct Tell {
    /// Presence that changed here.
    pub presence: Option<(Vec<Here>, Vec<String>)>,
    /// Broadcasts of stock clients here: sender, count, session, value.
    pub ephemeral: Vec<(String, u64, String, Bytes)>,
}

/// One live page.
pub struct Room {
    document: DocumentId,
    workspace: WorkspaceId,
    settings: Arc<Settings>,
    page: Page,
    head: Head,
    actors: HashMap<ActorId, Option<UserId>>,
    history: History,
    peers: BTreeMap<ConnectionId, Peer>,
    presence: Presence,
    verifier: Verifier,
    /// Bytes of the last save and the rows since.
    size: usize,
    queue: Vec<Work>,
    pending: Option<commit::Pending>,
    answers: Vec<(Ticket, Answer)>,
    tell: Tell,
    whole: Option<(i64, Bytes)>,
    edited_at: Option<Instant>,
    /// Where the counter of changes of access stood when everybody's rights were last asked.
    rights_version: i64,
    locks: locks::Locks,
    /// Whether what was put behind another node's rows left something to be settled.
    is_unsettled: bool,
}

/// What a room is made of when its page was loaded.
pub struct Opened {
    /// The page.
    pub document: DocumentId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// The page in memory.
    pub page: Page,
    /// What it was loaded from.
    pub stored: Stored,
    /// Who its actors belong to.
    pub actors: Vec<(Vec<u8>, Option<UserId>)>,
}

impl Room {
    /// A room without anybody.
    pub fn new(opened: Opened, settings: Arc<Settings>) -> Self {
        let mut room = Self {
            document: opened.document,
            workspace: opened.workspace,
            settings,
            head: opened.stored.head.clone(),
            actors: HashMap::new(),
            history: History::default(),
            peers: BTreeMap::new(),
            presence: Presence::default(),
            verifier: Verifier::default(),
            size: 0,
            queue: Vec::new(),
            pending: None,
            answers: Vec::new(),
            tell: Tell::default(),
            whole: None,
            edited_at: None,
            rights_version: 0,
            locks: locks::Locks::default(),
            is_unsettled: false,
            page: opened.page,
        };
        room.adopt(opened.stored, opened.actors);
        room
    }

    /// Takes over what was read from the database.
    fn adopt(&mut self, stored: Stored, actors: Vec<(Vec<u8>, Option<UserId>)>) {
        self.size =
            stored.snapshot.as_ref().map_or(0, |(_, bytes)| bytes.len()) + stored.rows.iter().map(|row| row.bytes.len()).sum::<usize>();
        self.actors = actors.into_iter().map(|(actor, user)| (ActorId::from(actor), user)).collect();
        for row in stored.rows {
            self.history.know_heads(row.server_seq, heads::from_bytes(&row.heads_after));
            if let Some(id) = row.message_id {
                self.history.know_message(id, row.server_seq);
            }
        }
        self.head = stored.head;
        self.whole = None;
    }

    /// Replaces a page that broke, or that no longer matches the log, by what the log gives. Whoever was being told
    /// about it gets caught up from where they stood.
    pub fn reload(&mut self, page: Page, stored: Stored, actors: Vec<(Vec<u8>, Option<UserId>)>) {
        let same_log = stored.head.epoch == self.head.epoch;
        self.page = page;
        self.pending = None;
        self.history.forget_echoes();
        self.adopt(stored, actors);
        if !same_log {
            self.peers.values().for_each(|peer| peer.outbox.close(Close::Replaced));
        }
    }

    /// Takes an input: answers what needs no commit, and gathers edits for [`Room::work`].
    pub fn take(&mut self, input: Input, now: Now) {
        match input {
            Input::Join(join) => self.join(*join),
            Input::Leave(conn) => self.leave(conn, now),
            Input::Said(conn, said) => self.said(conn, said, now),
            Input::Sync(conn, message) => self.on_sync(conn, message),
            Input::Chunks(conn, chunks) => self.gather_changes(conn, None, chunks),
            Input::Ephemeral(conn, count, session, data) => self.on_ephemeral(conn, (count, session, data), now),
            Input::Edit(work) => self.queue.push(*work),
            Input::Rights(rights) => self.set_rights(&rights),
            Input::Renewed(conn, who) => self.renewed(conn, who),
            Input::RemotePresence(here, left) => {
                for one in here {
                    self.presence.update(&one.client_id, one.user_id, Value::Object(one.state), now.at);
                }
                left.iter().for_each(|client| self.presence.leave(client));
            }
            Input::RemoteEphemeral(sender, count, session, data) => self.relay_ephemeral(None, &sender, (count, &session, &data)),
            Input::Gone => self.peers.values().for_each(|peer| peer.gone(self.document)),
        }
    }

    /// Whether an input takes milliseconds: whole pages are written out for it, or compared.
    pub fn is_costly(&self, input: &Input) -> bool {
        match input {
            Input::Join(_) => true,
            Input::Said(_, json::Said::Hello(_) | json::Said::Resync) => true,
            Input::Sync(conn, message) => message.is_reset || !message.need.is_empty() || self.peers.get(conn).is_none_or(Peer::is_new),
            _ => false,
        }
    }

    fn said(&mut self, conn: ConnectionId, said: json::Said, now: Now) {
        let Some(peer) = self.peers.get_mut(&conn) else { return };
        match said {
            json::Said::Hello(hello) => self.hello_again(conn, &hello),
            json::Said::Edit(edit) => self.gather_edit(conn, edit),
            json::Said::Presence(value) => {
                let (client, user) = (peer.client_id.clone(), peer.user());
                if value.to_string().len() > self.settings.presence_bytes {
                    return peer.error(None, "too_large", "presence is at most a few kilobytes");
                }
                self.presence_from_json(&client, user, value, now);
            }
            json::Said::Lock(lock) => self.ask_for_lease(conn, lock),
            json::Said::Unlock(unlock) => self.give_lease_back(conn, &unlock),
            json::Said::Resync => self.send_snapshot(conn, "requested"),
            json::Said::Ping(t) => peer.send("pong", None, json!({ "t": t })),
            json::Said::Ack | json::Said::Auth(_) => {}
        }
    }

    fn leave(&mut self, conn: ConnectionId, now: Now) {
        self.locks.lost(conn, now.at);
        if let Some(peer) = self.peers.remove(&conn) {
            self.presence.leave(&peer.client_id);
        }
    }

    fn presence_from_json(&mut self, client: &str, user: UserId, value: Value, now: Now) {
        self.presence.update(client, user, value, now.at);
    }

    /// A slow beat: presence goes out, the silent are forgotten, the slow are caught up.
    pub fn tick(&mut self, now: Now) {
        self.presence.expire(now.at, self.settings.presence_ttl);
        self.send_presence();
        self.catch_up_the_slow();
        self.end_locks(now);
    }

    fn send_presence(&mut self) {
        let Some((here, left)) = self.presence.flush() else { return };
        let fields = json!({ "peers": here.iter().map(Here::to_json).collect::<Vec<_>>(), "left": left });
        let flat = json::frame("presence", None, fields.clone(), false);
        let enveloped = json::frame("presence", None, fields, true);
        for peer in self.peers.values().filter(|peer| !peer.outbox.is_lagging()) {
            if let Speaks::Json(speaks) = &peer.speaks
                && speaks.presence
            {
                peer.outbox
                    .push(Out::Text(if speaks.is_enveloped { enveloped.clone() } else { flat.clone() }));
            }
        }
        let is_ours = |client: &String| self.peers.values().any(|peer| &peer.client_id == client);
        let here: Vec<Here> = here.into_iter().filter(|one| is_ours(&one.client_id)).collect();
        if !here.is_empty() || !left.is_empty() {
            self.tell.presence = Some((here, left));
        }
    }

    /// What waits to be told to other nodes.
    pub fn tell(&mut self) -> Tell {
        std::mem::take(&mut self.tell)
    }

    /// Answers to edits that came with a ticket.
    pub fn answers(&mut self) -> Vec<(Ticket, Answer)> {
        std::mem::take(&mut self.answers)
    }

    /// Where the page's log stands, as far as this room knows.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The page. While a batch is pending it is ahead of the log.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Whether anybody is here.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// How many are here.
    pub fn len(&self) -> usize {
        self.peers.len()
    }

    /// The page's tenant.
    pub fn workspace(&self) -> WorkspaceId {
        self.workspace
    }

    /// Everybody's presence, as it stands in `presence` messages.
    pub fn present(&self) -> Vec<Value> {
        self.presence.all()
    }

    /// The page is in another tenant now. Nothing is waiting to be committed for the old one that is not asked about again.
    pub fn moved_to(&mut self, workspace: WorkspaceId) {
        self.workspace = workspace;
    }

    /// Whether presence waits to be sent.
    pub fn has_presence(&self) -> bool {
        self.presence.is_changed()
    }

    /// Bytes that a save would start to count from.
    pub fn saved_as(&mut self, bytes: usize) {
        self.size = bytes;
    }

    /// Closes everybody's connection.
    pub fn close_all(&self, why: Close) {
        self.peers.values().for_each(|peer| peer.outbox.close(why));
    }
}

/// What a level is called in `hello_ack` and `permission`.
pub fn permission(level: Level) -> &'static str {
    match level {
        Level::None => "none",
        Level::View => "read",
        Level::Comment => "comment",
        Level::Edit => "write",
        Level::Manage => "admin",
    }
}

/// A stock client's frame that a page is not there for it.
pub fn unavailable(us: &str, them: &str, document: DocumentId) -> Out {
    Out::Binary(cbor::unavailable(us, them, &documents::url::encode(document)))
}
