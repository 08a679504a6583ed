//! The clock: the only place that asks what time it is.
//!
//! Times are UTC with microseconds, because PostgreSQL keeps no more and a value must read back as it was written.

use chrono::{DateTime, SubsecRound, Utc};

/// An instant, as it stands in tables and in JSON (RFC 3339).
pub type Time = DateTime<Utc>;

/// The present, cut to microseconds.
#[expect(clippy::disallowed_methods, reason = "this is the clock that everything else asks")]
pub fn now() -> Time {
    Utc::now().trunc_subsecs(6)
}

/// Milliseconds since 1970, for counters and leases.
pub fn now_ms() -> i64 {
    now().timestamp_millis()
}
