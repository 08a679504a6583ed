//! One stream, as Server-Sent Events (WHATWG HTML, section 9.2): reads the log from a place on, asks before every batch
//! what the caller may see now, and ends when that is nothing.

use super::{Log, Seat, Streams};
use crate::event::Event;
use backends::signal::JobNews;
use bytes::Bytes;
use entity::event;
use kernel::{clock, role::Role};
use sea_orm::DatabaseConnection;
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::sync::{broadcast, watch};
use users::Caller;
use workspaces::{
    access::{self, Access, AccessError, ReadWorkspace},
    activity,
};

/// Entries read at once.
const AT_ONCE: u64 = 100;
/// How often a quiet stream says that it lives; the caller's rights are asked again each time.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// Milliseconds after which a client that lost the stream should come back.
const RETRY_MS: u32 = 2_000;

/// Where a stream begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// Behind this entry.
    After(i64),
    /// At the end of the log, because what came before cannot be replayed.
    Reset(i64),
}

/// One stream.
pub(crate) struct Feed {
    db: DatabaseConnection,
    caller: Caller,
    access: Access<ReadWorkspace>,
    at: i64,
    /// Sent before anything else.
    greeting: Option<String>,
    position: watch::Receiver<i64>,
    rights: watch::Receiver<()>,
    /// Keeps both up to date.
    _log: Arc<Log>,
    closing: watch::Receiver<bool>,
    jobs: broadcast::Receiver<JobNews>,
    /// Said last.
    is_over: bool,
    _seat: Seat,
}

/// What a wait ended with.
enum Woken {
    Grown,
    Access,
    Job(JobNews),
    Heartbeat,
    Closing,
    Expired,
}

impl Feed {
    pub(crate) fn new(db: DatabaseConnection, streams: &Streams, seat: Seat, caller: Caller, access: Access<ReadWorkspace>) -> Self {
        let log = streams.log(access.workspace());
        Self {
            db,
            caller,
            access,
            at: 0,
            greeting: None,
            position: log.position.subscribe(),
            rights: log.access.subscribe(),
            _log: log,
            closing: streams.closing(),
            jobs: streams.jobs(),
            is_over: false,
            _seat: seat,
        }
    }

    /// Begins at a place. The place was read after this stream began to listen, so that nothing falls in between.
    pub(crate) fn begin(mut self, start: Start) -> Self {
        let (at, reset) = match start {
            Start::After(seq) => (seq, String::new()),
            Start::Reset(seq) => (seq, message(Some(seq), "stream.reset", &json!({ "reason": "log_cut", "seq": seq }))),
        };
        self.at = at;
        self.greeting = Some(format!("retry: {RETRY_MS}\nid: {at}\n\n{reset}"));
        self
    }

    /// The next bytes; none at the end.
    pub(crate) async fn next(mut self) -> Option<(Result<Bytes, actix_web::Error>, Self)> {
        if self.is_over {
            return None;
        }
        let text = match self.greeting.take() {
            Some(greeting) => greeting,
            None => self.step().await,
        };
        Some((Ok(Bytes::from(text)), self))
    }

    async fn step(&mut self) -> String {
        loop {
            if let Some(why) = self.shut().await {
                return self.end(why);
            }
            match activity::after(&self.db, &self.access, self.at, AT_ONCE).await {
                Ok((events, last)) if last > self.at => {
                    self.at = last;
                    if !events.is_empty() {
                        return events.into_iter().map(entry).collect();
                    }
                }
                Ok(_) => match self.wait().await {
                    Woken::Grown | Woken::Access => {}
                    Woken::Job(news) => return job(&news),
                    Woken::Heartbeat => return format!("id: {}\n: still here\n\n", self.at),
                    Woken::Closing => return self.end("node_going_away"),
                    Woken::Expired => return self.end("token_expired"),
                },
                // Its client comes back with the last entry it saw.
                Err(_) => return self.end("unavailable"),
            }
        }
    }

    /// Asks the door again. Why the stream has to end, if it has to.
    async fn shut(&mut self) -> Option<&'static str> {
        if self.caller.expires_at <= clock::now() {
            return Some("token_expired");
        }
        match access::enter_again(&self.db, &self.access).await {
            Ok(access) => {
                self.access = access;
                None
            }
            Err(AccessError::NotFound | AccessError::Forbidden | AccessError::Archived | AccessError::DocumentArchived) => {
                Some("access_lost")
            }
            Err(AccessError::Db(_) | AccessError::Changed) => Some("unavailable"),
        }
    }

    fn end(&mut self, reason: &'static str) -> String {
        self.is_over = true;
        message(None, "stream.closed", &json!({ "reason": reason }))
    }

    async fn wait(&mut self) -> Woken {
        let good_for = (self.caller.expires_at - clock::now()).to_std().unwrap_or_default();
        let (heartbeat, expiry) = (tokio::time::sleep(HEARTBEAT), tokio::time::sleep(good_for));
        tokio::pin!(heartbeat, expiry);
        loop {
            let news = tokio::select! {
                // Their senders are held by this stream.
                _ = self.position.changed() => return Woken::Grown,
                _ = self.rights.changed() => return Woken::Access,
                _ = self.closing.wait_for(|closing| *closing) => return Woken::Closing,
                () = &mut heartbeat => return Woken::Heartbeat,
                () = &mut expiry => return Woken::Expired,
                news = self.jobs.recv() => news,
            };
            match news {
                Ok(news) if self.concerns(&news) => return Woken::Job(news),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Woken::Closing,
            }
        }
    }

    /// Whoever asked for a job sees how far it is, and so do admins.
    fn concerns(&self, news: &JobNews) -> bool {
        let is_here = news.workspace == Some(self.access.workspace());
        is_here && (news.user == Some(self.access.user()) || self.access.role() >= Role::Admin)
    }
}

fn entry(event: event::Model) -> String {
    let (seq, kind) = (event.seq, event.kind.clone());
    message(seq, &kind, &json!(Event::from(event)))
}

/// Not in the log, so it moves no place.
fn job(news: &JobNews) -> String {
    let data = json!({ "job_id": news.job, "kind": news.kind, "progress": news.progress, "message": news.message });
    message(None, "job.progressed", &data)
}

/// JSON has no line breaks of its own, so it is one line of data.
fn message(seq: Option<i64>, kind: &str, data: &serde_json::Value) -> String {
    let id = seq.map(|seq| format!("id: {seq}\n")).unwrap_or_default();
    format!("{id}event: {kind}\ndata: {data}\n\n")
}
