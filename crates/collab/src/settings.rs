//! The limits and times of live pages. Every one can be configured; `hello_ack` tells clients those that bind them.

use documents::limits::Limits;
use std::time::Duration;

/// How live pages behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Limits of a page.
    pub limits: Limits,
    /// Bytes of the first frame, before anybody is known.
    pub first_frame_bytes: usize,
    /// Bytes of a JSON frame.
    pub json_frame_bytes: usize,
    /// Bytes of a binary frame. A stock client sends its whole backlog in one.
    pub binary_frame_bytes: usize,
    /// Edits that may wait for their commit, per connection.
    pub unacked: usize,
    /// JSON edits a second and connection, on average and at once.
    pub ops_per_sec: u32,
    /// See `ops_per_sec`.
    pub ops_burst: u32,
    /// Presence updates a second and connection that are taken; more are merged.
    pub presence_hz: u32,
    /// Bytes of one presence value.
    pub presence_bytes: usize,
    /// Bytes waiting for a slow client before presence is dropped and edits are held back.
    pub outbox_soft: usize,
    /// Bytes waiting before it is closed with 4510.
    pub outbox_hard: usize,
    /// How long a client may stay above the soft limit.
    pub outbox_patience: Duration,
    /// How long changes of a busy room gather at most before they are committed together.
    pub commit_window: Duration,
    /// A connection that has not said who it is by then is closed with 4508.
    pub handshake: Duration,
    /// A silent connection is taken for a listening JSON client after this.
    pub listen_after: Duration,
    /// Rows and bytes up to which a returning JSON client gets a replay instead of a snapshot.
    pub replay_rows: i64,
    /// See `replay_rows`.
    pub replay_bytes: usize,
    /// A room without anybody is kept this long.
    pub idle: Duration,
    /// Rows of log behind the last save after which a room saves itself.
    pub snapshot_rows: i64,
    /// Silence after which presence is forgotten.
    pub presence_ttl: Duration,
    /// How often the positions of live rooms are compared with the database, to notice lost news.
    pub heartbeat: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            first_frame_bytes: 64 << 10,
            json_frame_bytes: 1 << 20,
            binary_frame_bytes: 32 << 20,
            unacked: 64,
            ops_per_sec: 60,
            ops_burst: 200,
            presence_hz: 20,
            presence_bytes: 10 << 10,
            outbox_soft: 256 << 10,
            outbox_hard: 4 << 20,
            outbox_patience: Duration::from_secs(30),
            commit_window: Duration::from_millis(20),
            handshake: Duration::from_secs(10),
            listen_after: Duration::from_secs(5),
            replay_rows: 1_000,
            replay_bytes: 1 << 20,
            idle: Duration::from_secs(30),
            snapshot_rows: 500,
            presence_ttl: Duration::from_secs(60),
            heartbeat: Duration::from_secs(2),
        }
    }
}
