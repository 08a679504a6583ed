//! How much an export may take, and where its parts are.

use std::{path::PathBuf, time::Duration};

/// How exports behave.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How long one can be fetched.
    pub kept: Duration,
    /// How many of one person are made at once.
    pub most_running: u64,
    /// How many of one person are kept at once.
    pub most_kept: u64,
    /// Pages in one.
    pub pages: u64,
    /// Bytes of one.
    pub bytes: u64,
    /// Where people reach the product, for links; without a slash at its end.
    pub public_url: String,
    /// How pages are typeset.
    pub typesetter: Typesetter,
}

/// How pages are typeset.
#[derive(Clone, Debug)]
pub struct Typesetter {
    /// The program whose `typeset` command does it: the product itself.
    pub program: PathBuf,
    /// How long one page may take.
    pub time: Duration,
    /// MiB of memory that one page may take.
    pub memory_mib: u64,
    /// Where fonts are looked for besides the built-in ones.
    pub fonts: Fonts,
}

/// Where fonts are looked for besides the built-in ones.
#[derive(Clone, Debug, Default)]
pub struct Fonts(pub(super) typeset::Places);

impl Fonts {
    /// A directory of fonts, and the system's or only that.
    pub fn new(dir: Option<PathBuf>, system: bool) -> Self {
        Self(typeset::Places { dir, system })
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kept: Duration::from_secs(24 * 60 * 60),
            most_running: 3,
            most_kept: 50,
            pages: 10_000,
            bytes: 4 << 30,
            public_url: "http://127.0.0.1:8000".to_owned(),
            typesetter: Typesetter {
                program: PathBuf::from("sheaf"),
                time: Duration::from_secs(10),
                memory_mib: 512,
                fonts: Fonts::default(),
            },
        }
    }
}
