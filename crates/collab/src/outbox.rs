//! What waits to be sent to one connection. The room pushes and never waits; the socket's task takes.
//!
//! Bounded in bytes: above the soft limit presence is dropped and the room holds edits back (it knows how to catch a
//! client up); above the hard limit, or too long above the soft one, the connection is closed.

use crate::{close::Close, settings::Settings};
use bytes::Bytes;
use bytestring::ByteString;
use parking_lot::Mutex;
use std::{collections::VecDeque, time::Instant};
use tokio::sync::Notify;

/// One frame to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Out {
    /// A text frame.
    Text(ByteString),
    /// A binary frame.
    Binary(Bytes),
    /// The last thing: a close frame.
    Close(Close),
}

impl Out {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Close(_) => 0,
        }
    }
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Out>,
    bytes: usize,
    above_since: Option<Instant>,
    closing: bool,
}

/// The frames that wait for one connection.
pub struct Outbox {
    queue: Mutex<Queue>,
    ready: Notify,
    soft: usize,
    hard: usize,
    patience: std::time::Duration,
}

impl Outbox {
    /// An empty one.
    pub fn new(settings: &Settings) -> Self {
        Self {
            queue: Mutex::default(),
            ready: Notify::new(),
            soft: settings.outbox_soft,
            hard: settings.outbox_hard,
            patience: settings.outbox_patience,
        }
    }

    /// Adds a frame; after a close nothing more is added.
    pub fn push(&self, frame: Out) {
        let mut queue = self.queue.lock();
        if queue.closing {
            return;
        }
        queue.bytes += frame.len();
        queue.closing = matches!(frame, Out::Close(_));
        queue.frames.push_back(frame);
        if queue.bytes <= self.soft {
            queue.above_since = None;
        } else if queue.above_since.get_or_insert_with(Instant::now).elapsed() > self.patience || queue.bytes > self.hard {
            // What waits would never arrive: the client comes back and catches up.
            queue.frames.clear();
            queue.frames.push_back(Out::Close(Close::SlowConsumer));
            queue.closing = true;
        }
        drop(queue);
        self.ready.notify_one();
    }

    /// Closes once everything before has been sent.
    pub fn close(&self, why: Close) {
        self.push(Out::Close(why));
    }

    /// Whether a close waits or was sent.
    pub fn is_closing(&self) -> bool {
        self.queue.lock().closing
    }

    /// Whether the client is behind: no presence, and the room holds edits back.
    pub fn is_lagging(&self) -> bool {
        self.queue.lock().bytes > self.soft
    }

    /// Everything that waits, at once; nothing when nothing does.
    pub fn take(&self) -> Vec<Out> {
        let mut queue = self.queue.lock();
        queue.bytes = 0;
        queue.frames.drain(..).collect()
    }

    /// Waits until something is there, then takes up to 64 KiB of it: what a socket is given at once still counts as
    /// waiting until it was accepted.
    pub async fn next(&self) -> Vec<Out> {
        loop {
            let some = self.some();
            if !some.is_empty() {
                return some;
            }
            self.ready.notified().await;
        }
    }

    fn some(&self) -> Vec<Out> {
        let mut queue = self.queue.lock();
        let mut taken = Vec::new();
        let mut bytes = 0;
        while bytes < 64 << 10
            && let Some(frame) = queue.frames.pop_front()
        {
            bytes += frame.len();
            taken.push(frame);
        }
        queue.bytes = queue.bytes.saturating_sub(bytes);
        taken
    }
}
