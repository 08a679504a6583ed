//! What the kernel knows about a process: processor time and memory. And how many files this one may open.

use anyhow::{Context, Result, bail};
use rustix::{
    param::clock_ticks_per_second,
    process::{Resource, Rlimit, getrlimit, setrlimit},
};
use std::fs;

/// User and system time of a process and all its threads so far, in seconds.
pub fn cpu_secs(pid: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything, so the fields are counted behind it; utime and stime are 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / clock_ticks_per_second() as f64)
}

/// The same for several processes; `None` when one is unknown or there is none.
pub fn cpu_secs_of(pids: &[u32]) -> Option<f64> {
    if pids.is_empty() {
        None
    } else {
        pids.iter().map(|pid| cpu_secs(*pid)).sum()
    }
}

/// A line of `/proc/<pid>/status` that counts kilobytes (`VmHWM` is the peak, `VmRSS` the present), as megabytes.
pub fn memory_mb(pids: &[u32], key: &str) -> Option<f64> {
    let of = |pid: &u32| -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(':'))?;
        line.trim().trim_end_matches("kB").trim().parse::<f64>().ok().map(|kb| kb / 1024.0)
    };
    if pids.is_empty() { None } else { pids.iter().map(of).sum() }
}

/// The load average of the last minute.
pub fn load_average() -> Option<f64> {
    fs::read_to_string("/proc/loadavg").ok()?.split(' ').next()?.parse().ok()
}

/// Processor time that was used, in seconds.
pub struct Usage {
    /// By the servers.
    pub servers: Option<f64>,
    /// By this program.
    pub own: Option<f64>,
}

impl Usage {
    /// Up to now.
    pub fn now(servers: &[u32]) -> Self {
        Self {
            servers: cpu_secs_of(servers),
            own: cpu_secs(std::process::id()),
        }
    }

    /// Since an earlier moment.
    pub fn since(&self, before: &Self) -> Self {
        let less = |now: Option<f64>, before: Option<f64>| Some(now? - before?);
        Self {
            servers: less(self.servers, before.servers),
            own: less(self.own, before.own),
        }
    }
}

/// What a server may need for each of our connections: a socket, a second handle on it to cut it off, and some room.
const FILES_OF_A_SERVER: u64 = 3;

/// Makes sure that this process may open so many files, and gives a server that it starts as many more as the system
/// lets us.
pub fn allow_files(wanted: u64) -> Result<()> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let ample = wanted * FILES_OF_A_SERVER;
    if current.is_none_or(|now| now >= ample) {
        return Ok(());
    }
    let raised = Rlimit {
        current: Some(ample),
        maximum: maximum.map(|most| most.max(ample)),
    };
    if setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    // Only the administrator raises the hard limit; below it, we may.
    if maximum.is_some_and(|most| most < wanted) {
        bail!(
            "{wanted} open files are needed, but the limit is {}: raise it (ulimit -Hn)",
            maximum.unwrap_or_default()
        );
    }
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).context("the limit of open files cannot be raised")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_known_and_one_that_is_not_there_is_not() {
        let own = std::process::id();
        assert!(cpu_secs(own).is_some());
        assert!(memory_mb(&[own, own], "VmHWM").is_some_and(|mb| mb > 1.0));
        assert_eq!(cpu_secs_of(&[own, u32::MAX]), None);
        assert_eq!((cpu_secs_of(&[]), memory_mb(&[], "VmHWM")), (None, None));
        assert!(load_average().is_some());
        allow_files(64).expect("64 files");
    }
}
