//! The last check: does the page survive being saved and loaded with what strangers wrote?
//!
//! Verifying costs what saving and loading the page costs (0.7 ms at a thousand operations, 17 ms at twenty
//! thousand), so it runs on every batch of strangers' changes while that is cheap, and otherwise as often as a share
//! of the time allows. Snapshots are verified always.

use super::Refusal;
use crate::page::Page;
use std::time::{Duration, Instant};

/// Pages that verify within this are verified on every batch.
const CHEAP: Duration = Duration::from_millis(4);
/// Otherwise at most this part of the time goes into verifying: one quarter.
const SHARE: u32 = 4;

/// Decides when to verify a page, and does.
#[derive(Default)]
pub struct Verifier {
    last: Option<(Instant, Duration)>,
}

impl Verifier {
    /// Verifies the page when it is due.
    ///
    /// # Errors
    /// [`Refusal::Poisonous`] when the page would not load again.
    pub fn check(&mut self, page: &Page) -> Result<(), Refusal> {
        let is_due = self.last.is_none_or(|(at, cost)| cost <= CHEAP || at.elapsed() >= cost * SHARE);
        if is_due { self.check_now(page) } else { Ok(()) }
    }

    /// Verifies the page whatever it costs.
    ///
    /// # Errors
    /// [`Refusal::Poisonous`] when the page would not load again.
    pub fn check_now(&mut self, page: &Page) -> Result<(), Refusal> {
        let start = Instant::now();
        let verified = page.save_verified();
        self.last = Some((Instant::now(), start.elapsed()));
        verified.map(drop).map_err(|_| Refusal::Poisonous)
    }
}
