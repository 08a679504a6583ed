//! `sheaf typeset`: the process in which the product typesets a page. It first takes from itself what it must not use up.

use anyhow::Context;
use clap::Args;
use rustix::process::{Resource, Rlimit, setrlimit};

/// What the process may take.
#[derive(Args)]
pub(super) struct Limits {
    /// MiB of memory
    #[arg(long, default_value_t = 512)]
    memory_mib: u64,
    /// Seconds of CPU
    #[arg(long, default_value_t = 10)]
    secs: u64,
}

/// Typesets what comes in on standard input.
pub(super) fn run(limits: &Limits) -> anyhow::Result<()> {
    limit(Resource::Data, limits.memory_mib << 20).context("cannot limit its memory")?;
    limit(Resource::Cpu, limits.secs).context("cannot limit its time")?;
    limit(Resource::Core, 0).context("cannot do without a core dump")?;
    transfer::export::typesetting::serve().map_err(anyhow::Error::msg)
}

fn limit(resource: Resource, most: u64) -> rustix::io::Result<()> {
    let most = Some(most);
    setrlimit(
        resource,
        Rlimit {
            current: most,
            maximum: most,
        },
    )
}
