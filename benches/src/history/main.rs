//! `history`: what reading a page's past costs. One page of many blocks is typed by four people, a letter a change, and its
//! state of halfway is then read, compared, blamed and brought back. Beside each stands what cutting a copy of the
//! document back to that state costs, which is the other way to do it.

use anyhow::{Context, Result, ensure};
use clap::Parser;
use documents::{
    history::{
        blame::Of,
        difference,
        ledger::{Ledger, Line},
    },
    limits::Limits,
    op::{NewBlock, Op, Pos},
    page::Page,
    past::Past,
    projection::Content,
};
use kernel::id::UserId;
use std::time::{Duration, Instant};

/// People who type, in turns of a word.
const PEOPLE: usize = 4;
const WORD: usize = 6;

#[derive(Parser)]
struct Args {
    /// How many changes
    #[arg(long, default_value_t = 20_000)]
    changes: usize,
    /// Over how many blocks
    #[arg(long, default_value_t = 500)]
    blocks: usize,
}

/// Does something and says how long it took.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    let took: Duration = began.elapsed();
    println!("| {what} | {:.1} |", took.as_secs_f64() * 1e3);
    done
}

fn typed(args: &Args) -> Result<(Page, Vec<Line>, Vec<documents::heads::Hash>)> {
    let people: Vec<UserId> = (0..PEOPLE).map(|_| UserId::new()).collect();
    let block = |i: usize| NewBlock {
        id: Some(format!("b{i}")),
        kind: "paragraph".to_owned(),
        ..NewBlock::default()
    };
    let blocks: Vec<NewBlock> = (0..args.blocks.max(1)).map(block).collect();
    let (mut page, first) = Page::create("A long page", &blocks, &Limits::default(), 0)?;
    let mut lines = vec![Line {
        seq: 1,
        hash: first.hash(),
        user: people.first().copied(),
        at_ms: 0,
    }];
    let mut halfway = Vec::new();
    for i in 0..args.changes {
        let op = Op::Insert {
            block: Some(format!("b{}", (i / WORD) % blocks.len())),
            pos: Pos::At(0),
            text: "x".to_owned(),
            marks: None,
        };
        let at_ms = i as i64 * 1_000;
        let edited = page.edit(&[op], None, &Limits::default(), at_ms)?;
        let hash = edited.change.context("a change")?.hash();
        lines.push(Line {
            seq: lines.len() as i64 + 1,
            hash,
            user: Some(people[(i / WORD) % PEOPLE]),
            at_ms,
        });
        if i == args.changes / 2 {
            halfway = page.heads().to_vec();
        }
    }
    Ok((page, lines, halfway))
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() -> Result<()> {
    let args = Args::parse();
    let (mut page, lines, halfway) = typed(&args)?;
    println!("{} changes over {} blocks\n\n| what | ms |\n|---|---|", args.changes, args.blocks);
    let past: Past = timed("copy of the document", || page.past());
    let before = timed("the page as it was", || past.content_at(&halfway))?;
    let cut = timed("the same, by cutting a copy back", || page.doc().fork_at(&halfway))?;
    ensure!(
        Content::from(&documents::mirror::Mirror::read(&cut)).title == before.title,
        "both read alike"
    );
    let after = timed("the page as it is", || past.content_at(past.heads()))?;
    timed("the difference as blocks", || difference::between(&before, &after));
    let ledger = timed("a ledger", || Ledger::of(lines.clone()));
    let folded: Vec<_> = lines.iter().take(lines.len() / 2).map(|line| line.hash).collect();
    timed("heads of folded changes", || past.heads_with(&folded))?;
    timed("blame of the page", || past.blame(&ledger, past.heads(), &Of::Page))?;
    timed("blame of the page as it was", || past.blame(&ledger, &halfway, &Of::Page))?;
    timed("blame of a block as it was", || {
        past.blame(&ledger, &halfway, &Of::Block("b0".to_owned()))
    })?;
    timed("what happened since", || past.happened_since(&ledger, &halfway))?;
    let restored = timed("restore", || page.restore(&halfway, None, 0))?;
    ensure!(restored.change.is_some(), "something was restored");
    ensure!(Content::from(page.mirror()) == before, "it is as it was");
    Ok(())
}
