//! The task around one room: takes its inputs from a channel, hands its batches to the journal, reads the log when the
//! room asks for it, and keeps saves and projections. Everything that waits is here.

mod access;
mod locks;
mod rest;

use crate::{
    close::Close,
    journal::{Append, Journal, Outcome},
    news::{News, Told},
    room::{Answer, Input, Now, Opened, Room, Ticket, Worked},
    rooms::Shared,
};
use documents::{error::Error, lock, lock::Held, log, past::Past, projection::Content, snapshot};
use kernel::{clock, id::*};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

/// What comes in at a room's door.
pub(crate) enum Mail {
    /// For the room itself.
    Input(Input),
    /// The same, of a large frame: the permit is given back when the room has looked at it.
    Large(Input, OwnedSemaphorePermit),
    /// An edit that somebody waits for.
    Edit(Box<crate::room::Work>, oneshot::Sender<Answer>),
    /// Somebody wants the content.
    Read(oneshot::Sender<(log::Head, Content)>),
    /// Somebody wants to know who is here.
    Presence(oneshot::Sender<Vec<serde_json::Value>>),
    /// Somebody wants the page with all that it ever was.
    Past(oneshot::Sender<(log::Head, Past)>),
    /// What people may do has changed: ask again.
    Recheck,
    /// The page's locks may be others than before.
    Locks,
    /// These were seen in the database a moment ago.
    LocksSeen(Vec<Held>),
    /// The log may have grown.
    News(Option<i64>),
    /// The node goes away: finish and close.
    Drain,
}

/// How many inputs wait at a room's door before senders have to wait.
pub(crate) const DOOR: usize = 4_096;
/// How many inputs are taken at once.
const HANDFUL: usize = 2_048;
/// The beat of presence and of catching slow clients up: 20 Hz.
const TICK: Duration = Duration::from_millis(50);

pub(crate) struct Shell {
    shared: Arc<Shared>,
    document: DocumentId,
    room: Room,
    mail: mpsc::Receiver<Mail>,
    waiting: HashMap<Ticket, oneshot::Sender<Answer>>,
    next_ticket: Ticket,
    journal: Journal,
    rest: rest::Rest,
    projected: i64,
    saved: i64,
    last_commit: Instant,
    draining: bool,
}

fn now() -> Now {
    Now {
        at: Instant::now(),
        ms: clock::now_ms(),
    }
}

impl Shell {
    /// Opens a page's room.
    pub(crate) async fn open(shared: Arc<Shared>, document: DocumentId, mut mail: mpsc::Receiver<Mail>) -> Result<Self, Error> {
        let opened = match load(&shared, document).await {
            Ok(opened) => opened,
            Err(error) => {
                turn_away(&mut mail, crate::close::close_for(&error));
                return Err(error);
            }
        };
        let (head, saved) = (opened.stored.head.seq, opened.stored.snapshot.as_ref().map_or(0, |(seq, _)| *seq));
        let mut room = Room::new(opened, shared.settings.clone());
        // Where this fails, the journal sees the locks.
        room.set_locks(lock::held(&shared.db, document).await.unwrap_or_default());
        let journal = shared.journal.clone();
        let (waiting, next_ticket, rest, draining) = (HashMap::new(), 0, rest::Rest::default(), false);
        Ok(Self {
            shared,
            document,
            room,
            mail,
            waiting,
            next_ticket,
            journal,
            rest,
            projected: head,
            saved,
            last_commit: Instant::now(),
            draining,
        })
    }

    /// Runs the room until nobody is there any more.
    pub(crate) async fn run(mut self) {
        let mut idle_since = Instant::now();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut handful = Vec::new();
            tokio::select! {
                count = self.mail.recv_many(&mut handful, HANDFUL) => if count == 0 { break },
                _ = tick.tick(), if self.needs_tick() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            if !handful.is_empty() || !self.room.is_empty() {
                idle_since = Instant::now();
            }
            self.handle(handful).await;
            self.settle().await;
            let is_idle = self.room.is_empty() && idle_since.elapsed() > self.shared.settings.idle;
            if self.draining || is_idle && self.shared.retire(self.document, &self.mail) {
                break;
            }
        }
        self.rest.comes_now();
        turn_away(&mut self.mail, Close::Draining);
        self.settle().await;
        self.save(true).await;
    }

    /// The page's tenant.
    pub(crate) fn workspace(&self) -> WorkspaceId {
        self.room.workspace()
    }

    fn needs_tick(&self) -> bool {
        !self.room.is_empty()
    }

    async fn handle(&mut self, handful: Vec<Mail>) {
        let (mut reads, mut pasts) = (Vec::new(), Vec::new());
        let mut behind = false;
        for mail in handful {
            match mail {
                Mail::Input(input) => self.take(input).await,
                Mail::Large(input, permit) => {
                    self.take(input).await;
                    drop(permit);
                }
                Mail::Edit(work, answer) => self.take_edit(*work, answer),
                Mail::Read(answer) => reads.push(answer),
                // Whoever asked may have gone.
                Mail::Presence(answer) => drop(answer.send(self.room.present())),
                Mail::Past(answer) => pasts.push(answer),
                Mail::Recheck => self.recheck().await,
                Mail::Locks => self.look_at_locks().await,
                Mail::LocksSeen(held) if held == self.room.locks() => {}
                Mail::LocksSeen(_) => self.look_at_locks().await,
                Mail::News(seq) => behind |= seq.is_none_or(|seq| seq > self.room.head().seq),
                Mail::Drain => self.draining = true,
            }
        }
        if behind {
            self.read_on().await;
        }
        if self.room.has_old_rights() {
            self.recheck().await;
        }
        self.commit_all().await;
        self.room.tick(now());
        self.answer_asks().await;
        self.tell().await;
        for answer in reads {
            let content = tokio::task::block_in_place(|| Content::from(self.room.page().mirror()));
            drop(answer.send((self.room.head().clone(), content)));
        }
        for answer in pasts {
            let past = tokio::task::block_in_place(|| self.room.page().past());
            drop(answer.send((self.room.head().clone(), past)));
        }
        if self.draining {
            self.room.close_all(Close::Draining);
        }
        self.gather_more().await;
    }

    /// In a crowded room changes gather for a moment, so that they are committed and told together.
    async fn gather_more(&self) {
        let crowd = u32::try_from(self.room.len()).unwrap_or(u32::MAX);
        let window = self.shared.settings.commit_window.min(Duration::from_micros(20) * crowd);
        let rest = window.saturating_sub(self.last_commit.elapsed());
        if crowd > 20 && !rest.is_zero() {
            tokio::time::sleep(rest).await;
        }
    }

    async fn take(&mut self, input: Input) {
        if let Input::Join(join) = &input
            && let crate::room::JoinAs::Json { hello, .. } = &join.as_what
            && let Some(seq) = self.room.needs_heads_at(hello)
        {
            self.look_up(seq).await;
        }
        // Whole pages are written out here, and diffs made: milliseconds that other tasks need not wait for.
        if self.room.is_costly(&input) {
            tokio::task::block_in_place(|| self.room.take(input, now()));
        } else {
            self.room.take(input, now());
        }
    }

    async fn look_up(&mut self, seq: i64) {
        let epoch = self.room.head().epoch;
        if let Ok(Some(heads)) = log::heads_at(&self.shared.db, self.document, epoch, seq).await {
            self.room.know_heads(seq, heads);
        }
    }

    fn take_edit(&mut self, mut work: crate::room::Work, answer: oneshot::Sender<Answer>) {
        self.next_ticket += 1;
        if let crate::room::Origin::Ticket(ticket, _) = &mut work.origin {
            *ticket = self.next_ticket;
        }
        self.waiting.insert(self.next_ticket, answer);
        self.room.take(Input::Edit(Box::new(work)), now());
    }

    /// Works the queue off: apply, commit, tell.
    async fn commit_all(&mut self) {
        let mut carefully = false;
        if self.shared.has_others && self.room.has_changes_waiting() {
            self.read_on().await;
        }
        while self.room.has_work() {
            if self.room.has_locked_out() {
                self.look_at_locks().await;
                self.room.refuse_the_locked_out();
            }
            for seq in self.room.unknown_bases() {
                self.look_up(seq).await;
            }
            let worked = tokio::task::block_in_place(|| self.room.work(carefully, now()));
            match worked {
                Worked::Nothing => {}
                Worked::Commit(append) => self.commit(append).await,
                Worked::Broken => {
                    tracing::warn!(document = %self.document, "a change broke the page in memory; loading it again");
                    carefully = true;
                    if !self.reload().await {
                        break;
                    }
                }
            }
        }
        self.hand_out_answers();
    }

    async fn commit(&mut self, mut append: Append) {
        loop {
            match self.journal.append(append.clone()).await {
                Outcome::Committed => {
                    tokio::task::block_in_place(|| self.room.committed());
                    self.rest.is_disturbed();
                    self.last_commit = Instant::now();
                    self.publish().await;
                    return;
                }
                Outcome::Behind => match self.make_fit().await {
                    Some(again) => {
                        append = Append {
                            edited_by: append.edited_by,
                            ..again
                        };
                    }
                    None => return self.recover().await,
                },
                Outcome::AccessLost => return self.sort_out().await,
                Outcome::Locked => return self.sort_out_the_locked().await,
                Outcome::Failed(why) => {
                    tracing::warn!(document = %self.document, why, "a commit failed or its outcome is unknown; reading the log");
                    return self.recover().await;
                }
            }
        }
    }

    /// Another node was faster: puts its rows in front of the pending batch.
    async fn make_fit(&mut self) -> Option<Append> {
        let head = self.room.head().clone();
        let stands = log::head(&self.shared.db, self.document).await.ok()?;
        if stands.epoch != head.epoch {
            return None;
        }
        let rows = log::after(&self.shared.db, self.document, head.epoch, head.seq).await.ok()?;
        if rows.is_empty() {
            return None;
        }
        tokio::task::block_in_place(|| self.room.behind(rows))
    }

    /// After a failed commit the log says what is true.
    async fn recover(&mut self) {
        let Some(pending) = self.room.take_pending() else {
            self.reload().await;
            return;
        };
        if !self.reload().await {
            return;
        }
        let mut found = Vec::new();
        for id in pending.message_ids() {
            if let Ok(Some(seq)) = log::seq_of_message(&self.shared.db, self.document, &id).await {
                found.push((id, seq));
            }
        }
        self.room.recovered(pending, &found);
    }

    /// Loads the page again, for as long as it takes the database to come back. `false` when it is gone for good.
    async fn reload(&mut self) -> bool {
        let mut wait = Duration::from_millis(50);
        loop {
            match load(&self.shared, self.document).await {
                Ok(opened) => {
                    self.room.reload(opened.page, opened.stored, opened.actors);
                    return true;
                }
                Err(Error::Db(error)) => {
                    tracing::warn!(document = %self.document, %error, "the page cannot be read now; trying again");
                    tokio::time::sleep(wait).await;
                    wait = (wait * 2).min(Duration::from_secs(1));
                }
                Err(error) => {
                    tracing::error!(document = %self.document, %error, "the page does not load");
                    let why = if matches!(error, Error::NotFound) {
                        Close::NotFound
                    } else {
                        Close::Internal
                    };
                    self.room.close_all(why);
                    self.waiting.clear();
                    self.draining = true;
                    return false;
                }
            }
        }
    }

    /// Reads what other nodes have written.
    async fn read_on(&mut self) {
        let head = self.room.head().clone();
        let Ok(stands) = log::head(&self.shared.db, self.document).await else {
            return;
        };
        let rows = log::after(&self.shared.db, self.document, head.epoch, head.seq).await;
        let followed = match rows {
            Ok(rows) if stands.epoch == head.epoch => tokio::task::block_in_place(|| self.room.news(rows)).is_ok(),
            Ok(_) => false,
            // The heartbeat will ask again.
            Err(_) => true,
        };
        if !followed {
            self.reload().await;
            self.room.tick(now());
        } else if self.room.head().seq > head.seq {
            self.rest.is_disturbed();
        }
    }

    fn hand_out_answers(&mut self) {
        for (ticket, answer) in self.room.answers() {
            if let Some(waiting) = self.waiting.remove(&ticket) {
                // Whoever asked may have gone; the edit stands all the same.
                drop(waiting.send(answer));
            }
        }
    }

    async fn publish(&self) {
        let head = self.room.head();
        self.send(Told::Rows {
            document: self.document,
            epoch: head.epoch,
            seq: head.seq,
        })
        .await;
    }

    async fn tell(&mut self) {
        let tell = self.room.tell();
        if !self.shared.has_others {
            return;
        }
        if let Some((here, left)) = tell.presence {
            self.send(Told::Presence {
                document: self.document,
                here,
                left,
            })
            .await;
        }
        for (sender, count, session, data) in tell.ephemeral {
            self.send(Told::Ephemeral {
                document: self.document,
                sender,
                count,
                session,
                data: data.to_vec(),
            })
            .await;
        }
    }

    async fn send(&self, what: Told) {
        if self.shared.has_others {
            self.shared.bus.publish(
                News {
                    node: self.shared.node,
                    what,
                }
                .to_bytes(),
            );
        }
    }
}

/// Closes the connections that were on their way into a room that is not there: nobody would ever answer them.
fn turn_away(mail: &mut mpsc::Receiver<Mail>, why: Close) {
    mail.close();
    while let Ok(mail) = mail.try_recv() {
        if let Mail::Input(Input::Join(join)) = mail {
            join.outbox.close(why);
        }
    }
}

/// Reads a page and who its actors belong to.
async fn load(shared: &Shared, document: DocumentId) -> Result<Opened, Error> {
    let row = shared.row(document).await?;
    let (page, stored) = snapshot::load(&shared.db, document).await?;
    let actors = log::actors(&shared.db, document).await?;
    Ok(Opened {
        document,
        workspace: row.workspace_id,
        page,
        stored,
        actors,
    })
}
