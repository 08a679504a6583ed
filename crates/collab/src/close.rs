//! Close codes: 4400–4499 are permanent, 4500–4599 mean try again (the rule of y-websocket 3 and Hocuspocus).

use documents::error::Error;

/// Why a connection is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// Frames that make no sense.
    Malformed,
    /// No token, a bad one, or one that ran out.
    Unauthenticated,
    /// No access, or not any more.
    Forbidden,
    /// No such page, or it was deleted.
    NotFound,
    /// A protocol this page does not speak.
    Protocol,
    /// Another connection took its place, or the page began a new epoch.
    Replaced,
    /// A frame or page above its limit.
    TooLarge,
    /// A fault of ours.
    Internal,
    /// This node is going away.
    Draining,
    /// Nobody said who they are in time.
    Handshake,
    /// It does not read what it is sent.
    SlowConsumer,
    /// Too much, too fast.
    RateLimited,
}

impl Close {
    /// The code on the wire.
    pub fn code(self) -> u16 {
        match self {
            Self::Malformed => 4400,
            Self::Unauthenticated => 4401,
            Self::Forbidden => 4403,
            Self::NotFound => 4404,
            Self::Protocol => 4406,
            Self::Replaced => 4409,
            Self::TooLarge => 4413,
            Self::Internal => 4500,
            Self::Draining => 4503,
            Self::Handshake => 4508,
            Self::SlowConsumer => 4510,
            Self::RateLimited => 4529,
        }
    }

    /// The stable word for it, as the JSON protocol's `error` has it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed => "bad_frame",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Protocol => "unsupported",
            Self::Replaced => "replaced",
            Self::TooLarge => "too_large",
            Self::Internal => "internal",
            Self::Draining => "unavailable",
            Self::Handshake => "handshake_timeout",
            Self::SlowConsumer => "slow_consumer",
            Self::RateLimited => "rate_limited",
        }
    }
}

/// Why a connection that could not be let in is closed.
pub fn close_for(error: &Error) -> Close {
    match error {
        Error::NotFound => Close::NotFound,
        _ => Close::Internal,
    }
}
