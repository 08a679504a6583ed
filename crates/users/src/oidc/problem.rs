//! What can go wrong with logins at other providers.

use kernel::error::{Explain, Kind};

/// A login with another provider that did not work out.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The configuration names none of that id.
    #[error("there is no such provider")]
    NoSuchProvider,
    /// It does not answer, or with nothing that could be understood.
    #[error("the provider cannot be reached: {0}")]
    Unavailable(String),
    /// The login is unknown, used, too old, or was begun by another client.
    #[error("this login was not begun here, or it is over; begin again")]
    NotBegunHere,
    /// The provider said no, or what it said is not to be believed.
    #[error("the provider's answer is refused: {0}")]
    Refused(String),
    /// The provider does not vouch for the address.
    #[error("the provider has not verified your e-mail address")]
    AddressUnverifiedThere,
    /// Whoever made the account may be somebody else: nobody has proven the address.
    #[error("an account with this e-mail address exists whose address was never verified; sign in to it and verify the address first")]
    AddressUnverifiedHere,
}

impl Explain for Problem {
    fn kind(&self) -> Kind {
        match self {
            Self::NoSuchProvider => Kind::NotFound,
            Self::Unavailable(_) => Kind::Unavailable,
            Self::NotBegunHere | Self::Refused(_) => Kind::Unauthenticated,
            Self::AddressUnverifiedThere => Kind::Forbidden,
            Self::AddressUnverifiedHere => Kind::Conflict,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchProvider => "oidc_provider_not_found",
            Self::Unavailable(_) => "oidc_provider_unavailable",
            Self::NotBegunHere => "oidc_not_begun_here",
            Self::Refused(_) => "oidc_refused",
            Self::AddressUnverifiedThere => "oidc_email_unverified",
            Self::AddressUnverifiedHere => "oidc_account_unverified",
        }
    }
}
