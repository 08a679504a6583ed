//! What writers are told, and what a page has to look like after them.

use super::{
    rest::RestWriter,
    writer::{Writer, markers},
};
use crate::support::User;
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// How long a test may take before writers give up.
const PATIENCE: Duration = Duration::from_secs(120);

/// Tells writers when to stop.
#[derive(Clone)]
pub struct Control {
    stopping: Arc<AtomicBool>,
    since: Instant,
}

impl Control {
    pub fn new() -> Self {
        Self {
            stopping: Arc::default(),
            since: Instant::now(),
        }
    }

    /// For writers who only finish what they began.
    pub fn stopped() -> Self {
        let control = Self::new();
        control.stop();
        control
    }

    /// Nothing new from now on; what is on its way is finished.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    pub fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn is_overdue(&self) -> bool {
        self.since.elapsed() > PATIENCE
    }
}

/// What a page holds: how often each marker stands in it.
pub struct Stands(HashMap<String, usize>);

impl Stands {
    /// Reads the page at a node.
    pub async fn read(user: &User, address: &str, document: &str) -> Self {
        let mut counts = HashMap::new();
        for marker in user.at(address).texts(document).await.iter().flat_map(|text| markers(text)) {
            *counts.entry(marker).or_insert(0) += 1;
        }
        Self(counts)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Nothing stands twice, and everything that was acknowledged or shown stands.
    pub fn check<'a>(&self, promised: impl IntoIterator<Item = &'a String>) {
        let doubled: Vec<_> = self.0.iter().filter(|(_, count)| **count > 1).collect();
        assert!(doubled.is_empty(), "doubled: {doubled:?}");
        let lost: Vec<_> = promised.into_iter().filter(|marker| !self.0.contains_key(*marker)).collect();
        assert!(lost.is_empty(), "{} were promised and are lost: {lost:?}", lost.len());
    }

    /// The same for writers.
    pub fn check_writers(&self, writers: &[Writer], rest: &[RestWriter]) {
        writers
            .iter()
            .for_each(|writer| self.check(writer.acked.iter().chain(&writer.seen)));
        rest.iter().for_each(|writer| self.check(&writer.acked));
    }

    /// Everything that was ever made stands, and nothing else but what others are known to have made.
    pub fn check_done(&self, writers: &[Writer], rest: &[RestWriter], others: usize) {
        self.check_writers(writers, rest);
        let made: usize = writers.iter().map(Writer::made).chain(rest.iter().map(RestWriter::made)).sum();
        assert_eq!(self.len(), made + others, "what was made and what stands");
    }
}
