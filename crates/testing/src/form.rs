//! The two sizes the product runs in.

use crate::env;

/// Which backends a test run stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An SQLite file and memory, with nothing else installed.
    Embedded,
    /// PostgreSQL and Redis.
    Full,
}

impl Form {
    /// The form named by `SHEAF_TEST_FORM`: `embedded` (the default) or `full`.
    pub fn from_env() -> Self {
        match env::var("SHEAF_TEST_FORM").as_deref() {
            None | Some("embedded") => Self::Embedded,
            Some("full") => Self::Full,
            Some(other) => panic!("SHEAF_TEST_FORM is {other:?}; it must be \"embedded\" or \"full\""),
        }
    }
}
