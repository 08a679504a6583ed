//! `import`: what a long Markdown file costs to become pages, step by step: read, parted, made into first changes.
//! Knows no database; what is written afterwards is one row of that change and one of the page as JSON.

#[path = "../process.rs"]
#[expect(dead_code, reason = "it knows of more than is asked here")]
mod process;

use anyhow::{Context, Result, anyhow};
use clap::Parser;
use documents::{beginning::Beginning, limits::Limits as PageLimits};
use kernel::id::JobId;
use std::{
    fmt::Write as _,
    io::{Seek, Write as _},
    time::Instant,
};
use transfer::import::{
    format::Format,
    limits::Limits,
    parts::{self, Measure},
    reader::{Reader, Request},
};

#[derive(Parser)]
struct Args {
    /// Mebibytes of Markdown
    #[arg(long, default_value_t = 5)]
    mib: usize,
    /// Words in a paragraph
    #[arg(long, default_value_t = 30)]
    words: usize,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let text = markdown(args.mib << 20, args.words)?;
    let mut file = tempfile::tempfile()?;
    file.write_all(text.as_bytes())?;
    file.rewind()?;
    let request = Request {
        job: JobId::new(),
        format: Format::Markdown,
        file_name: "long.md".to_owned(),
    };
    let began = Instant::now();
    let mut reader = Reader::open(file, &request, &Limits::default()).map_err(|refusal| anyhow!("{refusal:?}"))?;
    let page = reader
        .next()
        .context("there is a page")?
        .map_err(|(_, refusal)| anyhow!("{refusal:?}"))?;
    let read = began.elapsed();
    let began = Instant::now();
    let parts = parts::split(page.blocks, Measure::default());
    let (mut blocks, mut made) = (0, Vec::new());
    for part in &parts {
        let beginning = Beginning::new(&page.title, part, &PageLimits::default())?;
        blocks += beginning.content().blocks.len();
        made.push(beginning);
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} bytes, {blocks} blocks at the top of {} pages", text.len(), made.len())?;
    writeln!(out, "read {read:?}, made {:?}", began.elapsed())?;
    let (own, profile) = (std::process::id(), if cfg!(debug_assertions) { "dev" } else { "release" });
    let cpu = process::cpu_secs(own).context("the system counts time")?;
    let peak = process::memory_mb(&[own], "VmHWM").context("the system counts memory")?;
    writeln!(out, "{cpu:.1} s of CPU, {peak:.0} MB at most, built with the profile {profile}")?;
    Ok(())
}

fn markdown(bytes: usize, words: usize) -> Result<String> {
    let mut text = String::from("# The long one\n\n");
    let mut number = 0;
    while text.len() < bytes {
        number += 1;
        if number % 20 == 1 {
            write!(text, "## Chapter {}\n\n", number / 20 + 1)?;
        }
        write!(
            text,
            "Paragraph {number} with **bold** and [a link](https://example.com/{number}), {}\n\n",
            "word ".repeat(words)
        )?;
    }
    Ok(text)
}
