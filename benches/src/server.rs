//! The servers under load: started for one run and gone after it, or running already and left alone.

use crate::args::{Args, loopback};
use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long a server may take until it says where it listens.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long it may take to stop when it is asked to; then it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(10);
const LISTENING: &str = "listening on ";

/// Where to connect, and whom to measure.
pub struct Servers {
    /// The nodes.
    pub addresses: Vec<SocketAddr>,
    /// Their processes.
    pub pids: Vec<u32>,
    started: Option<Started>,
}

/// A child that does not outlive this value, and its files, which do not either.
struct Started {
    child: Child,
    dir: TempDir,
}

impl Servers {
    /// Those that the command line names, or a fresh one.
    pub fn of(args: &Args) -> Result<Self> {
        let Some(binary) = &args.server else {
            return Ok(Self {
                addresses: args.addresses()?,
                pids: args.pid.clone(),
                started: None,
            });
        };
        let (started, address) = start(binary, args)?;
        Ok(Self {
            addresses: vec![address],
            pids: vec![started.child.id()],
            started: Some(started),
        })
    }

    /// Lines in the started server's log that tell of trouble, without the time in front, and repeated ones once.
    pub fn complaints(&self) -> Vec<String> {
        let Some(started) = &self.started else { return Vec::new() };
        let log = fs::read(log_of(&started.dir)).unwrap_or_default();
        let is_trouble = |line: &String| ["ERROR", "WARN", "panicked"].iter().any(|word| line.contains(word));
        let lines = String::from_utf8_lossy(&log)
            .lines()
            .map(plain)
            .filter(is_trouble)
            .collect::<Vec<_>>();
        let mut told: Vec<String> = lines
            .iter()
            .map(|line| line.chars().skip_while(|c| !c.is_whitespace()).take(200).collect())
            .collect();
        told.dedup();
        told
    }
}

/// A line without the colours of a terminal.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}

fn log_of(dir: &TempDir) -> std::path::PathBuf {
    dir.path().join("server.log")
}

fn start(binary: &Path, args: &Args) -> Result<(Started, SocketAddr)> {
    let binary = binary.canonicalize().with_context(|| format!("there is no {}", binary.display()))?;
    let mut named = tempfile::Builder::new();
    named.prefix("socket-load-");
    let dir = match &args.data_dir {
        Some(parent) => named.tempdir_in(parent.canonicalize().with_context(|| format!("there is no {}", parent.display()))?),
        None => named.tempdir(),
    }
    .context("no directory for the server's files")?;
    let log = File::create(log_of(&dir)).context("the server's log cannot be written")?;
    let mut command = Command::new(&binary);
    // Its own directory, so that no configuration file that lies around is read.
    command
        .current_dir(dir.path())
        // All load comes from one address.
        .env("SHEAF__LIMITS__ENABLED", "false")
        .args(["serve", "--listen", "127.0.0.1:0", "--data-dir"])
        .arg(dir.path().join("data"));
    let urls = [("--database-url", &args.database_url), ("--redis-url", &args.redis_url)];
    for (flag, url) in urls.into_iter().filter_map(|(flag, url)| url.as_ref().map(|url| (flag, url))) {
        command.args([flag, url]);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let child = command.spawn().with_context(|| format!("{} does not start", binary.display()))?;
    let mut started = Started { child, dir };
    let address = address_of(&mut started)?;
    Ok((started, address))
}

/// Waits for the line that says where it listens. Its output is read to the end, so that it never blocks on it.
fn address_of(started: &mut Started) -> Result<SocketAddr> {
    let stdout = started.child.stdout.take().context("the server has no output")?;
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, url)) = line.split_once(LISTENING) {
                tell.send(url.trim().to_owned()).ok();
            }
        }
    });
    match told.recv_timeout(READY_WITHIN) {
        Ok(url) => loopback(&url),
        Err(_) => {
            let log = fs::read_to_string(log_of(&started.dir)).unwrap_or_default();
            let tail: Vec<&str> = log.lines().rev().take(10).collect();
            bail!(
                "the server did not say where it listens; its log ends with:\n{}",
                tail.into_iter().rev().collect::<Vec<_>>().join("\n")
            )
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let id = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(id) = id {
            rustix::process::kill_process(id, rustix::process::Signal::TERM).ok();
        }
        let asked = Instant::now();
        while asked.elapsed() < STOP_WITHIN {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use std::os::unix::fs::PermissionsExt;

    /// A server that says where it listens, complains, and then does nothing.
    fn fake(dir: &Path, script: &str) -> Args {
        let binary = dir.join("fake");
        fs::write(&binary, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).expect("executable");
        Args::parse_from(["socket-load", "--server", binary.to_str().expect("a path")])
    }

    #[test]
    fn a_started_server_is_found_read_and_gone_afterwards() {
        let dir = tempfile::tempdir().expect("a directory");
        let args = fake(
            dir.path(),
            "for i in 1 2; do printf '\\033[2m2026\\033[0m \\033[33m WARN\\033[0m slow\\n' >&2; done; echo listening on http://127.0.0.1:4711; exec sleep 60",
        );
        let servers = Servers::of(&args).expect("it starts");
        assert_eq!(servers.addresses, ["127.0.0.1:4711".parse().expect("an address")]);
        assert_eq!(servers.complaints(), ["  WARN slow"]);
        let process = format!("/proc/{}", servers.pids[0]);
        assert!(Path::new(&process).exists());
        drop(servers);
        assert!(!Path::new(&process).exists());
    }

    #[test]
    fn a_server_that_ends_or_listens_to_the_world_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let Err(error) = Servers::of(&fake(dir.path(), "echo no database >&2; exit 1")) else {
            panic!("it started")
        };
        assert!(error.to_string().contains("no database"), "{error}");
        assert!(Servers::of(&fake(dir.path(), "echo listening on http://0.0.0.0:4711; exec sleep 60")).is_err());
    }
}
