//! `sheaf jobs`: what waits, what runs, what failed.

use crate::{background, config::Config, say, store};
use anyhow::{Context, anyhow};
use backends::{db, signal::Signal};
use clap::{Subcommand, ValueEnum};
use entity::job::{self, State};
use kernel::id::JobId;
use queue::{list, manage};
use sea_orm::{DatabaseConnection, DatabaseTransaction};

#[derive(Subcommand)]
pub(super) enum Command {
    /// List jobs, newest first, and how many stand in each queue
    List {
        /// Only those in this state
        #[arg(long)]
        state: Option<StateName>,
        /// Only those of this queue
        #[arg(long)]
        queue: Option<String>,
        /// How many at most
        #[arg(long, default_value_t = 20)]
        limit: u64,
    },
    /// Show everything about one job
    Show { id: JobId },
    /// Let a job that is dead or cancelled try again
    Retry { id: JobId },
    /// Cancel a job
    Cancel { id: JobId },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum StateName {
    Ready,
    Running,
    Done,
    Dead,
    Cancelled,
}

impl From<StateName> for State {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Ready => Self::Ready,
            StateName::Running => Self::Running,
            StateName::Done => Self::Done,
            StateName::Dead => Self::Dead,
            StateName::Cancelled => Self::Cancelled,
        }
    }
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let db = store::open(config).await?;
    store::refuse_newer(&db).await?;
    match command {
        Command::List { state, queue, limit } => {
            let wanted = list::Wanted {
                state: state.map(State::from),
                queue,
                limit,
                ..list::Wanted::default()
            };
            print(&db, &wanted).await
        }
        Command::Show { id } => {
            say::line(&shown(&found(&db, id).await?));
            Ok(())
        }
        Command::Retry { id } => {
            let job = found(&db, id).await?;
            let job = db::write(&db, async |tx: &DatabaseTransaction| manage::retry(tx, &job).await).await?;
            tell(config, Signal::JobsDue { queues: vec![job.queue] }).await?;
            say::line(&format!("{id} will be tried again"));
            Ok(())
        }
        Command::Cancel { id } => {
            let job = found(&db, id).await?;
            let job = db::write(&db, async |tx: &DatabaseTransaction| manage::cancel(tx, &job).await).await?;
            tell(config, Signal::CancelJob { job: id }).await?;
            say::line(match job.state {
                State::Cancelled => "cancelled",
                _ => "it runs, and is asked to stop",
            });
            Ok(())
        }
    }
}

async fn found(db: &DatabaseConnection, id: JobId) -> anyhow::Result<job::Model> {
    list::find(db, id).await.map_err(|error| anyhow!("{id}: {error}"))
}

/// Hints the running processes; without Redis they find out by themselves within a second or two.
async fn tell(config: &Config, signal: Signal) -> anyhow::Result<()> {
    let (signals, tasks) = background::signals(config).await?;
    signals.send(signal);
    // What is on its way leaves before the process ends.
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    tasks.iter().for_each(tokio::task::JoinHandle::abort);
    Ok(())
}

async fn print(db: &DatabaseConnection, wanted: &list::Wanted) -> anyhow::Result<()> {
    for ((queue, state), count) in list::counts(db).await.context("cannot read the jobs")? {
        say::line(&format!("{queue:<12} {state:<10} {count}"));
    }
    let jobs = list::list(db, wanted).await.context("cannot read the jobs")?;
    say::line(&format!(
        "\n{:<36}  {:<9}  {:<15}  {:<8}  asked for",
        "id", "state", "kind", "attempts"
    ));
    for job in jobs {
        let at = job.created_at.format("%Y-%m-%d %H:%M:%S");
        let attempts = format!("{}/{}", job.attempts, job.max_attempts);
        let error = job
            .error
            .map(|error| format!("  {}", error.chars().take(60).collect::<String>()))
            .unwrap_or_default();
        say::line(&format!(
            "{}  {:<9}  {:<15}  {attempts:<8}  {at}{error}",
            job.id,
            job.state.name(),
            job.kind
        ));
    }
    Ok(())
}

fn shown(job: &job::Model) -> String {
    let mut lines = Vec::new();
    let mut line = |name: &str, value: String| lines.push(format!("{name:<14} {value}"));
    line("id", job.id.to_string());
    line("kind", format!("{} (version {})", job.kind, job.version));
    line("queue", job.queue.clone());
    line("state", job.state.name().to_owned());
    line("attempts", format!("{} of {}", job.attempts, job.max_attempts));
    line("asked for", job.created_at.to_rfc3339());
    let optional = [
        ("begun", job.started_at.map(|at| at.to_rfc3339())),
        ("over", job.finished_at.map(|at| at.to_rfc3339())),
        ("progress", job.progress.map(|percent| format!("{percent} %"))),
        ("message", job.message.clone()),
        ("worker", job.worker.clone()),
        ("user", job.user_id.map(|id| id.to_string())),
        ("workspace", job.workspace_id.map(|id| id.to_string())),
        ("unique key", job.unique_key.clone()),
        ("error", job.error.clone()),
        ("payload", Some(job.payload.clone())),
        ("result", job.result.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            line(name, value);
        }
    }
    lines.join("\n")
}
