//! The environment that `./test` prepares. One place reads it, so one place says what is missing.

use std::path::{Path, PathBuf};

/// The value of a variable, when it is set to something.
#[expect(
    clippy::disallowed_methods,
    reason = "a test's settings come from the script that runs it, not from the product's configuration"
)]
pub fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The value of a variable that `./test` sets.
pub fn required(name: &str) -> String {
    var(name).unwrap_or_else(|| panic!("{name} is not set; run the tests with ./test, which starts the servers they need"))
}

/// The first program of this name on `PATH`.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = var("PATH")?;
    path.split(':')
        .map(|folder| Path::new(folder).join(program))
        .find(|file| file.is_file())
}
