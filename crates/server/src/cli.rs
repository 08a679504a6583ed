//! The command line.

mod audit;
mod jobs;
mod reindex;
mod typeset;
mod user;

use crate::{
    background,
    config::{self, Config, LogFormat, Overrides},
    keys, say, serve, show, store,
};
use ::jobs::Queue;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use secrecy::ExposeSecret;
use std::{io::IsTerminal, path::PathBuf};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Workspaces, pages and live editing in one binary.
#[derive(Parser)]
#[command(name = "sheaf", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    common: Common,
}

/// Where the product keeps things; the same for every command.
#[derive(Args, Clone, Default)]
struct Common {
    /// A configuration file; ./sheaf.toml is read when there is one
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The data directory of the embedded form
    #[arg(long, global = true, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// postgres://… or sqlite://…
    #[arg(long, global = true, value_name = "URL")]
    database_url: Option<String>,
    /// redis://…
    #[arg(long, global = true, value_name = "URL")]
    redis_url: Option<String>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole product (the default)
    Serve {
        /// Where to listen
        #[arg(long, value_name = "ADDR:PORT")]
        listen: Option<String>,
        /// Leave background work to other processes
        #[arg(long)]
        no_worker: bool,
    },
    /// Run only the background work
    Worker {
        /// Which queues, with commas between them: mail, reports, documents, search, transfers, upkeep; all when left out
        #[arg(long, value_name = "NAMES")]
        queues: Option<String>,
    },
    /// Look at background jobs and manage them
    #[command(subcommand)]
    Jobs(jobs::Command),
    /// Check the audit log
    #[command(subcommand)]
    Audit(audit::Command),
    /// Put what pages say into the search index anew
    Reindex(reindex::Command),
    /// Make accounts, and say who administers the instance
    #[command(subcommand)]
    User(user::Command),
    /// Bring the database's schema up to date
    Migrate {
        /// Only say what would be done
        #[arg(long)]
        status: bool,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Typeset a page that comes in, as the product does for itself
    #[command(hide = true)]
    Typeset(typeset::Limits),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Check it, and say what is wrong
    Check,
    /// Print what is in force, without secrets
    Show,
}

fn overrides(common: &Common, command: &Command) -> Overrides {
    let mut all: Vec<(&'static str, Option<String>)> = vec![
        ("server.data_dir", common.data_dir.as_ref().map(|dir| dir.display().to_string())),
        ("database.url", common.database_url.clone()),
        ("redis.url", common.redis_url.clone()),
    ];
    if let Command::Serve { listen, no_worker } = command {
        all.push(("server.listen", listen.clone()));
        all.push(("worker.enabled", no_worker.then(|| "false".to_owned())));
    }
    if let Command::Worker { queues } = command {
        all.push(("worker.queues", queues.clone()));
    }
    Overrides(all.into_iter().filter_map(|(key, value)| value.map(|value| (key, value))).collect())
}

/// Does what the command line says.
///
/// # Errors
/// One sentence for whoever typed it.
pub fn run(cli: Cli) -> anyhow::Result<()> {
    let command = cli.command.unwrap_or(Command::Serve {
        listen: None,
        no_worker: false,
    });
    if matches!(command, Command::Openapi) {
        say::line(&api::openapi().to_pretty_json().context("the OpenAPI document does not serialise")?);
        return Ok(());
    }
    if let Command::Typeset(limits) = &command {
        return typeset::run(limits);
    }
    let config = config::load(
        cli.common.config.as_deref(),
        &config::environment()?,
        &overrides(&cli.common, &command),
    )?;
    match command {
        Command::Config(what) => inspect(&config, &what),
        command => {
            start_logging(&config)?;
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .context("cannot start the runtime")?;
            let done = runtime.block_on(dispatch(command, &config));
            // Without waiting for threads that still compute: what had to be finished was awaited.
            runtime.shutdown_background();
            done
        }
    }
}

fn inspect(config: &Config, what: &ConfigCommand) -> anyhow::Result<()> {
    if config.server.data_dir.join(keys::FILE).exists() || !config.auth.signing_keys.expose_secret().is_empty() {
        keys::ring(&config.auth.signing_keys, &config.server.data_dir)?;
    }
    match what {
        ConfigCommand::Check => say::line("the configuration is fine"),
        ConfigCommand::Show => say::line(show::text(config)?.trim_end()),
    }
    Ok(())
}

async fn dispatch(command: Command, config: &Config) -> anyhow::Result<()> {
    match command {
        Command::Serve { .. } => serve_until_told(config).await,
        Command::Worker { .. } => work_until_told(config).await,
        Command::Jobs(what) => jobs::run(config, what).await,
        Command::Audit(what) => audit::run(config, what).await,
        Command::Reindex(what) => reindex::run(config, what).await,
        Command::User(what) => user::run(config, what).await,
        Command::Migrate { status } => migrate(config, status).await,
        Command::Openapi | Command::Typeset(_) | Command::Config(_) => Ok(()),
    }
}

fn filter(config: &Config) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(&config.log.level).context("log.level is no filter")
}

fn start_logging(config: &Config) -> anyhow::Result<()> {
    // To standard error: what the product says about itself on standard output can be read by programs.
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter(config)?)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    let started = match config.log.format {
        LogFormat::Text => logs.try_init(),
        LogFormat::Json => logs.json().try_init(),
    };
    started.map_err(|e| anyhow::anyhow!("cannot start logging: {e}"))
}

/// What tells the process to stop. One is kept for its whole life, so that no signal falls between two waits.
struct Told {
    term: Signal,
    int: Signal,
}

impl Told {
    fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            int: signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?,
        })
    }

    /// Waits for the next Ctrl-C or SIGTERM.
    async fn once(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }
}

async fn serve_until_told(config: &Config) -> anyhow::Result<()> {
    let running = serve::start(config).await?;
    let mut told = Told::listen()?;
    let listening = format!("http://{}", running.addr);
    let at = match config.server.public_url.trim_end_matches('/') {
        "" => listening.as_str(),
        public => public,
    };
    say::line(&format!("listening on {listening}"));
    say::line(&format!("  docs      {at}/docs/"));
    say::line(&format!("  health    {at}/health/ready"));
    // ws for http, wss for https.
    let sockets = at.replacen("http", "ws", 1);
    say::line(&format!("  sockets   {sockets}/ws/documents/<id>?token=<access token>"));
    say::line(&format!("  data      {}", config.server.data_dir.display()));
    told.once().await;
    say::line("stopping; once more stops at once");
    tokio::select! {
        stopped = running.stop() => stopped,
        () = told.once() => Ok(()),
    }
}

async fn work_until_told(config: &Config) -> anyhow::Result<()> {
    let db = store::migrated(config).await?;
    let ring = keys::ring(&config.auth.signing_keys, &config.server.data_dir)?;
    let queues = Queue::list(&config.worker.queues).map_err(|why| anyhow::anyhow!("worker.queues: {why}"))?;
    let names: Vec<&str> = queues.iter().map(|queue| queue.name()).collect();
    let background = background::start(config, &db, &ring, Some(queues)).await?;
    let mut told = Told::listen()?;
    say::line(&format!("working on {}", names.join(", ")));
    told.once().await;
    say::line("stopping; once more stops at once");
    tokio::select! {
        () = background.stop() => {}
        () = told.once() => {}
    }
    Ok(())
}

async fn migrate(config: &Config, status: bool) -> anyhow::Result<()> {
    let db = store::open(config).await?;
    let pending = store::pending(&db).await?;
    if status {
        say::line(&if pending.is_empty() {
            "the schema is up to date".to_owned()
        } else {
            format!("to be applied: {}", pending.join(", "))
        });
        return Ok(());
    }
    store::migrate(&db).await?;
    say::line(&format!("the schema is up to date ({} applied now)", pending.len()));
    Ok(())
}
