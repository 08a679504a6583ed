//! What a run has counted so far. Only what was sent since the measurement began counts; what is due is known when an
//! edit leaves, so that an edit that arrives nowhere is missed.

use crate::{
    histogram::Histogram,
    marker::{Marker, Seen, Sighting},
    setup::Page,
    tip::Tip,
};
use std::{collections::BTreeMap, time::Instant};

/// Counts and times.
#[derive(Default)]
pub struct Tally {
    /// The moment since which edits count; none before the measurement.
    pub since: Option<u64>,
    /// Edits sent.
    pub edits: u64,
    /// Edits that were due but never written: the writer was gone, or this program too slow.
    pub unsent: u64,
    /// Arrivals that these edits call for.
    pub expected: u64,
    /// Arrivals, each edit once per client.
    pub received: u64,
    /// Arrivals of what had arrived.
    pub again: u64,
    /// Edits that came back to their writer as committed.
    pub acked: u64,
    /// Edits that the server refused.
    pub refused: u64,
    /// From sending to arrival at another client.
    pub propagation: Histogram,
    /// From sending to acknowledgement.
    pub acks: Histogram,
    /// From connecting to having the page.
    pub joins: Histogram,
    /// The same for the visitors, while the load goes on.
    pub visits: Histogram,
    /// How late edits left, by the schedule: the generator's own weakness.
    pub late: Histogram,
    /// What went wrong, and how often.
    pub errors: BTreeMap<String, u64>,
}

impl Tally {
    fn counts(&self, sent: u64) -> bool {
        self.since.is_some_and(|since| sent >= since)
    }

    /// An edit leaves for so many other clients.
    pub fn edit(&mut self, sent: u64, due: u64, others: u32) {
        if self.counts(sent) {
            self.edits += 1;
            self.expected += u64::from(others);
            self.late.add(sent.saturating_sub(due));
        }
    }

    /// An edit was seen by somebody else.
    pub fn arrival(&mut self, marker: Marker, seen: &mut Seen, now: u64) {
        let sighting = seen.note(marker.number);
        if !self.counts(marker.sent) {
            return;
        }
        match sighting {
            Sighting::New => {
                self.received += 1;
                self.propagation.add(now.saturating_sub(marker.sent));
            }
            Sighting::Again => self.again += 1,
            Sighting::TooOld => self.error("an edit that is too old to tell whether it arrived before"),
        }
    }

    /// The server has committed an edit.
    pub fn ack(&mut self, sent: u64, now: u64) {
        if self.counts(sent) {
            self.acked += 1;
            self.acks.add(now.saturating_sub(sent));
        }
    }

    /// The server has refused an edit: nobody waits for it any more.
    pub fn refuse(&mut self, sent: u64, others: u32) {
        if self.counts(sent) {
            self.refused += 1;
            self.expected = self.expected.saturating_sub(u64::from(others));
        }
    }

    /// Something went wrong.
    pub fn error(&mut self, what: impl Into<String>) {
        *self.errors.entry(what.into()).or_default() += 1;
    }

    /// Whether all that was sent has arrived.
    pub fn is_complete(&self) -> bool {
        self.received >= self.expected && self.acked + self.refused >= self.edits
    }
}

/// A page during a run.
pub struct Sheet {
    /// The page.
    pub page: Page,
    /// Clients that have it, without visitors.
    pub readers: u32,
    /// For each block, how much stands in it at least.
    pub fill: Vec<Fill>,
    /// How many write in the same block, at most.
    pub sharing: usize,
    /// What the writers of Automerge changes know of it.
    pub tip: Option<Tip>,
}

/// Edits that went into a block and that were deleted again.
#[derive(Clone, Copy, Default)]
pub struct Fill {
    /// Acknowledged insertions.
    pub inserted: usize,
    /// Deletions asked for, whether or not they happened yet.
    pub deleted: usize,
}

impl Sheet {
    /// A page nobody has opened yet.
    pub fn new(page: Page, writers: usize, tip: Option<Tip>) -> Self {
        let blocks = page.blocks.len();
        Self {
            readers: 0,
            fill: vec![Fill::default(); blocks],
            sharing: writers.div_ceil(blocks).max(1),
            tip,
            page,
        }
    }

    /// To how many an edit of one of its clients goes.
    pub fn others(&self) -> u32 {
        self.readers.saturating_sub(1)
    }
}

/// The run's clock: microseconds since it began.
#[derive(Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// Starts it.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// How much has passed.
    pub fn now(self) -> u64 {
        self.0.elapsed().as_micros() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_before_the_measurement_does_not_count() {
        let mut tally = Tally::default();
        let mut seen = Seen::default();
        let marker = |number, sent| Marker { writer: 0, number, sent };
        tally.edit(10, 9, 3);
        tally.since = Some(100);
        tally.arrival(marker(0, 10), &mut seen, 120);
        tally.ack(10, 120);
        assert_eq!((tally.expected, tally.received, tally.acked, tally.is_complete()), (0, 0, 0, true));

        tally.edit(110, 109, 3);
        tally.arrival(marker(1, 110), &mut seen, 130);
        tally.arrival(marker(1, 110), &mut seen, 140);
        assert_eq!((tally.expected, tally.received, tally.again, tally.is_complete()), (3, 1, 1, false));

        tally.refuse(110, 3);
        assert_eq!((tally.expected, tally.refused), (0, 1));
        assert!(tally.is_complete());
    }
}
