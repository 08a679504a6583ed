//! `job-load`: how fast the queue is, with two workers on one database, and whether each effect happened once.
//!
//! Jobs are enqueued by several tasks at once while the workers run; each is a letter into a file outbox, or a piece of
//! upkeep that finds nothing to do. Prints the rates, the CPU time of this process, and what the table says at the end.

use anyhow::{Context, Result, ensure};
use backends::{
    bus::Bus,
    db,
    files::Files,
    mail::Mailer,
    signal::{Signal, Signals},
};
use clap::{Parser, ValueEnum};
use entity::job::State;
use events::checkpoint::Seals;
use jobs::{
    Job, Parts, Queue, Settings,
    kinds::{PurgeSessions, SendMail},
    letter::Mail,
};
use kernel::secret::Mint;
use migration::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, Statement};
use sea_orm_migration::MigratorTrait;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

#[derive(Parser)]
struct Args {
    /// How many jobs
    #[arg(long, default_value_t = 10_000)]
    jobs: usize,
    /// An empty database (postgres://…); an SQLite file of its own when left out
    #[arg(long)]
    database_url: Option<String>,
    /// What each job does
    #[arg(long, value_enum, default_value_t = Kind::SendMail)]
    kind: Kind,
    /// Jobs that each worker runs at once
    #[arg(long, default_value_t = 4)]
    concurrency: usize,
    /// Jobs enqueued in one transaction
    #[arg(long, default_value_t = 1)]
    batch: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// A letter as a file, with an fsync
    SendMail,
    /// A query that finds nothing
    PurgeSessions,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("a runtime")?;
    runtime.block_on(run(Args::parse()))
}

async fn run(args: Args) -> Result<()> {
    let folder = tempfile::tempdir().context("a folder")?;
    let url = args
        .database_url
        .clone()
        .unwrap_or_else(|| format!("sqlite://{}", folder.path().join("bench.db").display()));
    let db = db::connect(&db::Options::new(url.clone())).await.context("the database")?;
    Migrator::up(&db, None).await.context("the schema")?;
    let stop = CancellationToken::new();
    let (signals, hearing) = Signals::new(Bus::memory());
    tokio::spawn(hearing);
    let mut workers = Vec::new();
    for _ in 0..2 {
        let own = db::connect(&db::Options::new(url.clone())).await.context("the database")?;
        workers.push(tokio::spawn(jobs::run(
            parts(own, &signals, &args, folder.path())?,
            Queue::ALL.to_vec(),
            stop.clone(),
        )));
    }
    let (began, cpu) = (Instant::now(), cpu());
    enqueue(&db, &signals, &args).await?;
    let enqueued = began.elapsed();
    while queue::list::open(&db).await? > 0 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let all = began.elapsed();
    let cpu = self::cpu() - cpu;
    stop.cancel();
    for worker in workers {
        worker.await.context("a worker")?;
    }
    report(&db, &args, &folder, (enqueued, all, cpu)).await
}

fn parts(db: DatabaseConnection, signals: &Signals, args: &Args, folder: &Path) -> Result<Parts> {
    let settings = Settings {
        concurrency: Queue::ALL.map(|queue| (queue, args.concurrency)).to_vec(),
        ..Settings::default()
    };
    Ok(Parts {
        db,
        signals: signals.clone(),
        mailer: Mailer::directory(folder.join("outbox"), "Sheaf <sheaf@localhost>").context("an outbox")?,
        files: Files::directory(&folder.join("files")).context("a directory")?,
        seals: Seals::new(vec![("bench".to_owned(), [7; 32])]),
        mint: Mint::new([[7; 32]]),
        settings: Arc::new(settings),
    })
}

/// Eight writers, each with transactions of its own.
async fn enqueue(db: &DatabaseConnection, signals: &Signals, args: &Args) -> Result<()> {
    let (each, kind, batch) = (args.jobs / 8, args.kind, args.batch.max(1));
    let writers = (0..8).map(|_| {
        let (db, signals) = (db.clone(), signals.clone());
        tokio::spawn(async move {
            let mut left = each;
            while left > 0 {
                let now = left.min(batch);
                left -= now;
                db::write(&db, async |tx: &DatabaseTransaction| {
                    for _ in 0..now {
                        queue::add(tx, job(kind)?).await?;
                    }
                    Ok::<_, queue::Error>(())
                })
                .await?;
                let queues = vec![job(kind)?.queue.to_owned()];
                signals.send(Signal::JobsDue { queues });
            }
            Ok::<_, queue::Error>(())
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.context("a writer")??;
    }
    Ok(())
}

fn job(kind: Kind) -> Result<queue::NewJob, queue::Error> {
    match kind {
        Kind::PurgeSessions => PurgeSessions {}.job(),
        Kind::SendMail => SendMail {
            to: "ada@example.com".to_owned(),
            to_name: "Ada".to_owned(),
            mail: Mail::SessionRevoked {
                at: "2026-11-20 12:00 UTC".to_owned(),
                user_agent: "bench".to_owned(),
            },
        }
        .job(),
    }
}

/// CPU seconds of this process, from the kernel's clock ticks.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
async fn report(db: &DatabaseConnection, args: &Args, folder: &TempDir, (enqueued, all, cpu): (Duration, Duration, f64)) -> Result<()> {
    let (counts, wanted) = (queue::list::counts(db).await?, job(args.kind)?);
    let done: i64 = counts
        .iter()
        // Schedules may fire meanwhile too.
        .filter(|((queue, state), _)| *queue == wanted.queue && *state == State::Done.name())
        .map(|(_, count)| *count)
        .sum();
    let twice = Statement::from_string(db.get_database_backend(), "SELECT COUNT(*) AS count FROM jobs WHERE attempts > 1");
    let twice: i64 = db.query_one_raw(twice).await?.map_or(Ok(0), |row| row.try_get("", "count"))?;
    ensure!(
        done >= i64::try_from(args.jobs / 8 * 8)?,
        "{done} of {} jobs were done: {counts:?}",
        args.jobs
    );
    if args.kind == Kind::SendMail {
        let files = std::fs::read_dir(folder.path().join("outbox")).context("the outbox")?.count();
        ensure!(i64::try_from(files)? == done, "{files} letters for {done} jobs");
    }
    let rate = |time: Duration| done as f64 / time.as_secs_f64();
    println!(
        "{done} jobs ({:?}), two workers x {}, {}",
        args.kind,
        args.concurrency,
        if args.database_url.is_some() {
            "PostgreSQL"
        } else {
            "SQLite, synchronous=FULL"
        }
    );
    println!(
        "enqueued in {:.2} s ({:.0}/s), all done after {:.2} s ({:.0}/s)",
        enqueued.as_secs_f64(),
        rate(enqueued),
        all.as_secs_f64(),
        rate(all)
    );
    println!(
        "begun more than once: {twice}; CPU of this process: {cpu:.1} s ({:.2} ms a job)",
        cpu * 1000.0 / done as f64
    );
    Ok(())
}
