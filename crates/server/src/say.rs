//! The one place that writes to the terminal.

use std::io::Write;

/// A line for whoever started the program. A closed terminal is no reason to stop.
pub fn line(text: &str) {
    let mut out = std::io::stdout().lock();
    drop(writeln!(out, "{text}"));
    drop(out.flush());
}

/// A line about what went wrong.
pub fn problem(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
