//! The command line, and what of it is refused.

use anyhow::{Context, Result, ensure};
use clap::{Parser, ValueEnum};
use serde::Serialize;
use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};
use url::Url;

/// Measures live editing: opens many sockets to a server, edits through some of them, and times what arrives at all
/// the others. Talks to this machine only.
#[derive(Clone, Debug, Parser)]
#[command(name = "socket-load", version)]
pub struct Args {
    /// Start this binary for every run, and stop it afterwards
    #[arg(long, value_name = "PATH", required_unless_present = "url", conflicts_with = "url")]
    pub server: Option<PathBuf>,
    /// A server that runs already; several for the nodes of one deployment, over which the clients are spread
    #[arg(long, value_name = "URL")]
    pub url: Vec<String>,
    /// The process of such a server, to measure it; several for several nodes
    #[arg(long, value_name = "PID", conflicts_with = "server")]
    pub pid: Vec<u32>,
    /// Handed on to the started server; without it, it uses SQLite
    #[arg(long, value_name = "URL", requires = "server")]
    pub database_url: Option<String>,
    /// Handed on to the started server
    #[arg(long, value_name = "URL", requires = "server")]
    pub redis_url: Option<String>,
    /// Where the started server keeps its files, in a fresh directory that is removed afterwards
    #[arg(long, value_name = "DIR", requires = "server")]
    pub data_dir: Option<PathBuf>,

    /// What the clients speak
    #[arg(long, value_enum, default_value_t = Protocol::Json)]
    pub protocol: Protocol,
    /// Clients on each page
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub clients: u32,
    /// How many of them write; all of them when there are fewer clients
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(..100_000))]
    pub writers: u32,
    /// Edits a second of each writer
    #[arg(long, default_value_t = 1.0, value_name = "PER_SECOND")]
    pub rate: f64,
    /// Seconds to measure
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    pub seconds: u64,
    /// Seconds of the same load before that
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(..=600))]
    pub warmup: u64,
    /// Seconds that the last edits have to arrive after the writers have stopped
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(..=600))]
    pub drain: u64,
    /// Seconds that all clients have to join
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub join_within: u64,
    /// Pages, each with its own clients and writers
    #[arg(long, default_value_t = 1)]
    pub pages: usize,
    /// Blocks on each page; the writers are spread over them
    #[arg(long, default_value_t = 20)]
    pub blocks: usize,
    /// Edits that stay in a block: at twice as many a writer deletes the older half, so that pages stay small (0 keeps
    /// all)
    #[arg(long, default_value_t = 50)]
    pub keep: usize,
    /// Accounts to spread the clients over
    #[arg(long, default_value_t = 1)]
    pub users: usize,
    /// Visitors a second who come besides, read a page whole, stay a second and leave
    #[arg(long, default_value_t = 0.0, value_name = "PER_SECOND")]
    pub churn: f64,
    /// Several runs, one for each number of clients
    #[arg(long, value_name = "CLIENTS,…", value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub sweep: Vec<u32>,
    /// Where to write all figures as JSON
    #[arg(long, value_name = "FILE")]
    pub json_out: Option<PathBuf>,
}

/// What a client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Text frames, `{"type": …}`
    Json,
    /// CBOR frames with Automerge sync messages, as stock clients send them
    AutomergeRepo,
    /// Binary frames of Automerge changes
    Raw,
}

impl Protocol {
    /// Its name, as on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::AutomergeRepo => "automerge-repo",
            Self::Raw => "raw",
        }
    }
}

impl Args {
    /// Refuses what makes no sense together, and every address that is not on this machine.
    pub fn check(&self) -> Result<()> {
        let sane = |rate: f64| (0.0..=1e6).contains(&rate);
        ensure!(sane(self.rate) && sane(self.churn), "a rate is between 0 and a million a second");
        ensure!(
            self.pages > 0 && self.blocks > 0 && self.users > 0,
            "there is at least one page, one block and one user"
        );
        ensure!(
            self.rate * (self.warmup + self.seconds) as f64 <= 999_999.0,
            "a writer makes at most 999999 edits in a run"
        );
        for url in self.database_url.iter().chain(&self.redis_url) {
            ensure!(
                is_local_service(url)?,
                "the database and Redis have to be on this machine, at a loopback address"
            );
        }
        self.addresses().map(drop)
    }

    /// Where the given servers listen.
    pub fn addresses(&self) -> Result<Vec<SocketAddr>> {
        self.url.iter().map(|url| loopback(url)).collect()
    }

    /// The same command line for one number of clients.
    pub fn with_clients(&self, clients: u32) -> Self {
        Self {
            clients,
            writers: self.writers.min(clients),
            ..self.clone()
        }
    }

    /// All clients on all pages.
    pub fn all_clients(&self) -> usize {
        self.clients as usize * self.pages
    }
}

/// The address of an `http://` url, if all it resolves to is on this machine.
pub fn loopback(url: &str) -> Result<SocketAddr> {
    let parsed = Url::parse(url).with_context(|| format!("{url:?} is no url"))?;
    ensure!(parsed.scheme() == "http", "{url:?} is not an http:// url");
    let host = parsed.host_str().with_context(|| format!("{url:?} names no host"))?;
    let port = parsed.port_or_known_default().unwrap_or(80);
    resolve(host, port).with_context(|| format!("{url:?} is refused: load is only sent to loopback addresses"))
}

fn resolve(host: &str, port: u16) -> Result<SocketAddr> {
    let addresses: Vec<SocketAddr> = (host.trim_matches(['[', ']']), port).to_socket_addrs()?.collect();
    ensure!(addresses.iter().all(|address| address.ip().is_loopback()), "{host} is elsewhere");
    addresses.first().copied().with_context(|| format!("{host} has no address"))
}

/// Whether a database's url stays on this machine: a file, a Unix socket or a loopback address.
fn is_local_service(url: &str) -> Result<bool> {
    // Not repeated in the message: it may hold a password.
    let parsed = Url::parse(url).context("the url of the database or of Redis is no url")?;
    if parsed.scheme().starts_with("sqlite") || parsed.scheme() == "unix" || parsed.scheme() == "redis+unix" {
        return Ok(true);
    }
    let queried = parsed
        .query_pairs()
        .filter(|(key, _)| matches!(key.as_ref(), "host" | "hostaddr"))
        .map(|(_, host)| host.into_owned());
    let hosts: Vec<String> = parsed
        .host_str()
        .filter(|host| !host.is_empty())
        .map(str::to_owned)
        .into_iter()
        .chain(queried)
        .collect();
    let is_socket = |host: &String| host.starts_with('/') || host.to_ascii_lowercase().starts_with("%2f");
    Ok(hosts.iter().all(|host| is_socket(host) || resolve(host, 1).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Args> {
        let args = Args::try_parse_from(line.split(' '))?;
        args.check()?;
        Ok(args)
    }

    #[test]
    fn only_this_machine_is_talked_to() {
        for url in ["http://127.0.0.1:8000", "http://localhost:8000/", "http://[::1]:1"] {
            assert!(loopback(url).is_ok(), "{url}");
        }
        for url in [
            "http://192.0.2.1:8000",
            "http://0.0.0.0:80",
            "https://127.0.0.1",
            "127.0.0.1:80",
            "http://169.254.169.254/",
        ] {
            assert!(loopback(url).is_err(), "{url}");
        }
        for url in [
            "sqlite:///tmp/x.db",
            "postgres://me@%2Fvar%2Frun/x",
            "postgres:///x?host=/run",
            "redis://127.0.0.1",
            "unix:///run/redis",
        ] {
            assert!(is_local_service(url).expect("a url"), "{url}");
        }
        for url in [
            "postgres://me:pw@192.0.2.1/x",
            "postgres:///x?host=192.0.2.1",
            "redis://192.0.2.7:6379",
        ] {
            assert!(!is_local_service(url).expect("a url"), "{url}");
        }
    }

    #[test]
    fn a_command_line_is_refused_when_it_makes_no_sense() {
        assert!(parsed("socket-load").is_err());
        assert!(parsed("socket-load --server a --url http://127.0.0.1:1").is_err());
        assert!(parsed("socket-load --server a --rate -1").is_err());
        assert!(parsed("socket-load --server a --pid 1").is_err());
        assert!(parsed("socket-load --server a --clients 0").is_err());
        assert!(parsed("socket-load --url http://192.0.2.1:1").is_err());
        let args = parsed("socket-load --server a --sweep 10,300 --writers 100 --pages 2").expect("sound");
        assert_eq!(args.sweep, [10, 300]);
        let run = args.with_clients(10);
        assert_eq!((run.clients, run.writers, run.all_clients()), (10, 10, 20));
    }
}
