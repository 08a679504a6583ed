//! What this process and those it starts take while something runs.

use super::process;
use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Pause between two looks at the processes: their peak is what the kernel has kept, so only what comes after the last look
/// is missed.
const PAUSE: Duration = Duration::from_millis(2);

/// What was taken.
pub struct Used {
    /// Processor time of this process, in seconds.
    pub own: f64,
    /// Of those it started and that have ended.
    pub children: f64,
    /// The highest resident memory of one of them, in megabytes.
    pub peak_mb: f64,
}

/// Looks on.
pub struct Watch {
    is_over: Arc<AtomicBool>,
    looking: JoinHandle<f64>,
    before: Option<(f64, f64)>,
}

impl Watch {
    /// From now on.
    pub fn begin() -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = is_over.clone();
        let looking = thread::spawn(move || {
            let mut peak = 0_f64;
            while !until.load(Ordering::Relaxed) {
                let seen = children().into_iter().filter_map(|child| process::memory_mb(&[child], "VmHWM"));
                peak = seen.fold(peak, f64::max);
                thread::sleep(PAUSE);
            }
            peak
        });
        Self {
            is_over,
            looking,
            before: times(),
        }
    }

    /// Until now.
    pub fn end(self) -> Result<Used> {
        self.is_over.store(true, Ordering::Relaxed);
        let peak_mb = self.looking.join().ok().context("it looked on")?;
        let (before, now) = self.before.zip(times()).context("the system counts time")?;
        Ok(Used {
            own: now.0 - before.0,
            children: now.1 - before.1,
            peak_mb,
        })
    }
}

/// Seconds of this process, and of those it started and waited for.
fn times() -> Option<(f64, f64)> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let secs = |at: usize| -> Option<f64> { Some(fields.get(at)?.parse::<u64>().ok()? as f64 / clock_ticks_per_second() as f64) };
    Some((secs(11)? + secs(12)?, secs(13)? + secs(14)?))
}

fn children() -> Vec<u32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    // Before it runs a program of its own, a child has this one's memory.
    let own = fs::read_link("/proc/self/exe").ok();
    let is_other = |id: &u32| fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|exe| Some(exe) != own);
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .filter(is_other)
        .collect()
}
