//! Typesetting in a process of its own, which may take so much time and memory and no more. A page that asks for more
//! kills that process, and nothing else. Dropping the future kills it too: that is how an export is cancelled.

use super::{error::Error, settings::Typesetter};
use std::{
    io,
    process::{ExitStatus, Stdio},
};
use tokio::{io::AsyncWriteExt, process::Command};
use typeset::{Sheet, Typeset, pipe};

/// The longest sentence of the process that is passed on, in characters.
const MAX_SAID: usize = 300;
/// Bytes of the stack that pages are typeset on.
const STACK: usize = 32 << 20;

/// What the process does: a page from standard input becomes a PDF on standard output. The stack is that of the engine's
/// deepest page with room to spare.
///
/// # Errors
/// Why it cannot.
pub fn serve() -> Result<(), String> {
    let work = || pipe::serve(io::stdin().lock(), io::stdout().lock()).map_err(|error| error.to_string());
    let working = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(work)
        .map_err(|error| error.to_string())?;
    working.join().unwrap_or_else(|_| Err("the engine failed".to_owned()))
}

/// Typesets a page.
///
/// # Errors
/// [`Error::TooSlow`], [`Error::TooHeavy`], [`Error::Untypesettable`], [`Error::NoTypesetter`].
pub async fn set(typesetter: &Typesetter, sheet: Sheet) -> Result<Typeset, Error> {
    let order = pipe::order(sheet, &typesetter.fonts.0).map_err(|error| Error::Untypesettable(error.to_string()))?;
    match tokio::time::timeout(typesetter.time, run(typesetter, order)).await {
        Ok(done) => done,
        Err(_) => Err(Error::TooSlow(typesetter.time.as_secs())),
    }
}

async fn run(typesetter: &Typesetter, order: Vec<u8>) -> Result<Typeset, Error> {
    let cannot = |error: std::io::Error| Error::NoTypesetter(error.to_string());
    let mut process = Command::new(&typesetter.program)
        .arg("typeset")
        .args(["--memory-mib", &typesetter.memory_mib.to_string()])
        .args(["--secs", &(typesetter.time.as_secs() + 1).to_string()])
        // It needs no secret that the product was started with.
        .env_clear()
        // The allocator maps room ahead of need, which would count as memory taken.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(cannot)?;
    if let Some(mut input) = process.stdin.take() {
        // One that dies while it reads says why by how it ends.
        drop(input.write_all(&order).await);
    }
    drop(order);
    let output = process.wait_with_output().await.map_err(cannot)?;
    if output.status.success() {
        return pipe::answer(&output.stdout).map_err(|error| Error::NoTypesetter(error.to_string()));
    }
    Err(why(typesetter, output.status, &String::from_utf8_lossy(&output.stderr)))
}

/// What a process that failed died of: one that said nothing of its own was killed, or could get no memory.
fn why(typesetter: &Typesetter, status: ExitStatus, said: &str) -> Error {
    match status.code() {
        Some(1) => {
            let said = said.lines().last().unwrap_or_default().trim_start_matches("sheaf: ");
            Error::Untypesettable(said.chars().take(MAX_SAID).collect())
        }
        Some(2) => Error::NoTypesetter(said.lines().next().unwrap_or_default().chars().take(MAX_SAID).collect()),
        _ if said.contains("overflowed its stack") => Error::Untypesettable("it is nested too deeply".to_owned()),
        _ => Error::TooHeavy(typesetter.memory_mib),
    }
}
