//! Why the gate refused something.

/// A refusal. Its code is what the client sees.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The bytes are no chunk or message at all.
    #[error("malformed: {0}")]
    Malformed(&'static str),
    /// Larger than the limit.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// A kind of chunk that clients may not send.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
    /// The change breaks a rule of Automerge that its own code does not check.
    #[error("invalid change: {0}")]
    Invalid(&'static str),
    /// The actor belongs to somebody else.
    #[error("the actor belongs to somebody else")]
    ForeignActor,
    /// The change builds on changes that are not here.
    #[error("the change builds on changes that are not here")]
    MissingDependencies,
    /// The page could not be saved and loaded with it.
    #[error("the page does not survive the change")]
    Poisonous,
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "bad_frame",
            Self::TooLarge(_) => "too_large",
            Self::Unsupported(_) => "unsupported",
            Self::Invalid(_) | Self::Poisonous => "invalid_change",
            Self::ForeignActor => "foreign_actor",
            Self::MissingDependencies => "missing_dependencies",
        }
    }
}
