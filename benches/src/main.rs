//! `socket-load`: what live editing costs and how fast it is, measured from outside with many sockets at once.

mod args;
mod client;
mod frame;
mod histogram;
mod http;
mod load;
mod marker;
mod process;
mod report;
mod server;
mod setup;
mod speech;
mod sync;
mod tally;
mod tip;

use anyhow::Result;
use args::Args;
use clap::Parser;
use load::Load;
use report::Report;
use server::Servers;

/// Files that are open besides the sockets.
const OTHER_FILES: u64 = 256;

fn main() -> Result<()> {
    let args = Args::parse();
    args.check()?;
    let runs: Vec<Args> = match args.sweep.as_slice() {
        [] => vec![args.with_clients(args.clients)],
        sweep => sweep.iter().map(|clients| args.with_clients(*clients)).collect(),
    };
    let most = runs.iter().map(Args::all_clients).max().unwrap_or(0) as u64;
    // Visitors come on top: those of the second they stay, and as many again who are still joining.
    process::allow_files(most + 2 * args.churn as u64 + OTHER_FILES)?;
    report::print_head();
    let mut reports = Vec::new();
    for run in &runs {
        let report = measure(run)?;
        report.print();
        reports.push(report);
    }
    args.json_out.as_deref().map_or(Ok(()), |path| report::write_json(path, &reports))
}

/// One run, with a server of its own if one is to be started.
fn measure(args: &Args) -> Result<Report> {
    let servers = Servers::of(args)?;
    let setup = setup::prepare(servers.addresses[0], args)?;
    let outcome = Load::new(args, &servers, setup)?.run()?;
    Ok(Report::new(args, outcome, &servers))
}
