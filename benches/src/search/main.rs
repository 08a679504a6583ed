//! `search-load`: how long a search takes in a workspace of many pages, for somebody who sees all, most or little of it.
//!
//! Pages are made of words that are as common as words are (Zipf), put into the index by the function that the job calls, and
//! searched by the function that the HTTP face calls, one question after another.

mod corpus;
mod world;

use anyhow::{Context, Result};
use clap::Parser;
use corpus::Corpus;
use migration::Migrator;
use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;
use search::{
    ask::Ask,
    find::{self, Wanted},
};
use std::time::{Duration, Instant};
use world::World;

#[derive(Parser)]
struct Args {
    /// How many pages
    #[arg(long, default_value_t = 10_000)]
    pages: usize,
    /// Words of each page
    #[arg(long, default_value_t = 120)]
    words: usize,
    /// How often each question is asked, in another form each time
    #[arg(long, default_value_t = 50)]
    times: usize,
    /// Results that are asked for
    #[arg(long, default_value_t = 20)]
    limit: u64,
    /// An empty database (postgres://…); an SQLite file of its own when left out
    #[arg(long)]
    database_url: Option<String>,
    /// The database was filled by an earlier run
    #[arg(long, requires = "database_url")]
    filled: bool,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("a runtime")?;
    runtime.block_on(run(Args::parse()))
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
async fn run(args: Args) -> Result<()> {
    let folder = tempfile::tempdir().context("a folder")?;
    let url = args
        .database_url
        .clone()
        .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("bench.db").display()));
    let db = backends::db::connect(&backends::db::Options::new(url))
        .await
        .context("the database")?;
    Migrator::up(&db, None).await.context("the schema")?;
    let mut corpus = Corpus::new();
    let (began, cpu) = (Instant::now(), cpu_secs());
    if args.filled {
        // The same words and questions as when it was filled.
        (0..args.pages + args.pages / 4).for_each(|_| drop(world::text(&mut corpus, args.words)));
    }
    let world = match args.filled {
        true => World::of(&db).await?,
        false => World::build(&db, &mut corpus, (args.pages, args.words)).await?,
    };
    if !args.filled {
        println!(
            "{} pages of {} words put in: {:.1} s, {:.2} ms of this process a page",
            args.pages,
            args.words,
            began.elapsed().as_secs_f64(),
            (cpu_secs() - cpu) * 1000.0 / args.pages as f64
        );
    }
    // So that PostgreSQL knows how common words are, as it does soon after it was filled.
    db.execute_unprepared("ANALYZE").await.context("statistics")?;
    println!(
        "{:<10} {:<10} {:>8} {:>8} {:>8} {:>8} {:>10}",
        "question", "of", "results", "p50 ms", "p99 ms", "max ms", "cpu ms"
    );
    for kind in corpus::KINDS {
        let questions: Vec<Ask> = (0..args.times)
            .map(|_| Ask::read(&corpus.question(kind)).context("a question"))
            .collect::<Result<_>>()?;
        for (name, home) in world.people(&db).await? {
            measure((kind, name), &db, &home, (&questions, args.limit)).await?;
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
async fn measure(
    (kind, name): (&str, &str),
    db: &sea_orm::DatabaseConnection,
    home: &world::Home,
    (questions, limit): (&[Ask], u64),
) -> Result<()> {
    let wanted = Wanted {
        limit,
        ..Wanted::default()
    };
    let (mut times, mut results, cpu) = (Vec::new(), 0, cpu_secs());
    for ask in questions {
        let began = Instant::now();
        let found = find::find(db, std::slice::from_ref(home), ask, &wanted).await.context("a search")?;
        times.push(began.elapsed());
        results += found.hits.len();
    }
    let cpu = (cpu_secs() - cpu) * 1000.0 / questions.len() as f64;
    times.sort_unstable();
    let ms = |at: usize| {
        times
            .get(at.min(times.len() - 1))
            .map_or(0.0, |time: &Duration| time.as_secs_f64() * 1000.0)
    };
    println!(
        "{kind:<10} {name:<10} {:>8.1} {:>8.2} {:>8.2} {:>8.2} {cpu:>10.2}",
        results as f64 / questions.len() as f64,
        ms(times.len() / 2),
        ms(times.len() * 99 / 100),
        ms(times.len() - 1)
    );
    Ok(())
}

/// CPU seconds of this process, from the kernel's clock ticks.
fn cpu_secs() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
