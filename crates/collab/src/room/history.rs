//! The recent past of a page, as far as it is kept in memory: heads by number, echoes for those who come back, ids of
//! messages, and what was touched since.

use super::echo::Item;
use automerge::ChangeHash;
use documents::mirror::Touched;
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

/// How many rows back heads and message ids are kept.
const ROWS: usize = 10_000;
/// How many echoes are kept for replay, and how many bytes of them.
const ECHOES: usize = 1_000;
const ECHO_BYTES: usize = 1 << 20;

/// The recent past.
#[derive(Default)]
pub struct History {
    heads: BTreeMap<i64, Vec<ChangeHash>>,
    messages: HashMap<String, i64>,
    order: VecDeque<String>,
    echoes: VecDeque<Arc<Item>>,
    bytes: usize,
    touched: VecDeque<(i64, Touched)>,
}

impl History {
    /// Remembers the heads at a number.
    pub fn know_heads(&mut self, seq: i64, heads: Vec<ChangeHash>) {
        self.heads.insert(seq, heads);
        while self.heads.len() > ROWS {
            self.heads.pop_first();
        }
    }

    /// The heads at a number, when they are remembered.
    pub fn heads_at(&self, seq: i64) -> Option<&Vec<ChangeHash>> {
        self.heads.get(&seq)
    }

    /// Remembers the number of a message.
    pub fn know_message(&mut self, id: String, seq: i64) {
        if self.messages.insert(id.clone(), seq).is_none() {
            self.order.push_back(id);
        }
        while self.order.len() > ROWS
            && let Some(old) = self.order.pop_front()
        {
            self.messages.remove(&old);
        }
    }

    /// The number of a message, when it is remembered.
    pub fn seq_of(&self, id: &str) -> Option<i64> {
        self.messages.get(id).copied()
    }

    /// Remembers an echo and what it touched.
    pub fn push(&mut self, item: Arc<Item>) {
        self.bytes += item.size();
        self.touched.push_back((item.to_seq, item.touched.clone()));
        self.echoes.push_back(item);
        while self.echoes.len() > ECHOES || self.bytes > ECHO_BYTES {
            let Some(old) = self.echoes.pop_front() else { break };
            self.bytes -= old.size();
            self.touched.pop_front();
        }
    }

    /// Forgets echoes: their numbers may not be what they were.
    pub fn forget_echoes(&mut self) {
        self.echoes.clear();
        self.touched.clear();
        self.bytes = 0;
        self.messages.clear();
        self.order.clear();
        self.heads.clear();
    }

    /// The echoes behind a number, when none is missing up to `head`.
    pub fn echoes_after(&self, seq: i64, head: i64) -> Option<Vec<Arc<Item>>> {
        if seq == head {
            return Some(Vec::new());
        }
        let behind: Vec<Arc<Item>> = self.echoes.iter().filter(|item| item.to_seq > seq).cloned().collect();
        // An echo that began before and ends behind covers rows the client has seen: it cannot be used.
        let follows = behind.first().is_some_and(|first| first.from_seq == seq) && behind.last().is_some_and(|last| last.to_seq == head);
        follows.then_some(behind)
    }

    /// What was touched behind a number; `None` when that is not remembered.
    pub fn touched_after(&self, seq: i64, head: i64) -> Option<Touched> {
        if seq == head {
            return Some(Touched::default());
        }
        if self.echoes.front().is_none_or(|first| first.from_seq > seq) {
            return None;
        }
        let mut all = Touched::default();
        for (_, touched) in self.touched.iter().filter(|(to, _)| *to > seq) {
            all.everything |= touched.everything;
            all.title |= touched.title;
            all.blocks.extend(touched.blocks.iter().cloned());
        }
        Some(all)
    }
}
