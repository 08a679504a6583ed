//! `sheaf audit`: whether the event log is what was written.

use crate::{background, config::Config, keys, say, store};
use anyhow::{Context, bail};
use clap::Subcommand;
use events::{chain::INSTANCE, read, verify};
use kernel::id::WorkspaceId;

/// Chains read at once.
const AT_ONCE: u64 = 200;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Hash every entry again and check every signed checkpoint; fails when something is wrong
    Verify {
        /// Only this workspace's log; all of them, and the instance's own, when left out
        #[arg(long, value_name = "ID")]
        workspace: Option<WorkspaceId>,
    },
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let Command::Verify { workspace } = command;
    let db = store::open(config).await?;
    store::refuse_newer(&db).await?;
    let seals = background::seals(&keys::ring(&config.auth.signing_keys, &config.server.data_dir)?);
    let mut chains: Vec<WorkspaceId> = workspace.into_iter().collect();
    let mut after = None;
    while workspace.is_none() {
        let some = read::chains(&db, after, AT_ONCE).await.context("cannot read the log")?;
        let Some(last) = some.last() else { break };
        after = Some(last.workspace_id);
        chains.extend(some.iter().map(|chain| chain.workspace_id));
    }
    let (mut broken, mut entries) = (0, 0);
    for id in &chains {
        let verdict = verify::chain(&db, &seals, *id).await.context("cannot read the log")?;
        entries += verdict.entries;
        let name = if *id == INSTANCE { "instance".to_owned() } else { id.to_string() };
        let cut = match verdict.floor_seq {
            0 => String::new(),
            floor => format!(", cut off at {floor}"),
        };
        match verdict.fault {
            None => say::line(&format!(
                "{name}: intact, {} entries, {} checkpoints{cut}",
                verdict.entries, verdict.checkpoints
            )),
            Some(fault) => {
                broken += 1;
                say::line(&format!("{name}: NOT INTACT at entry {}: {}{cut}", fault.seq, fault.kind.name()));
            }
        }
    }
    if broken > 0 {
        bail!("{broken} of {} logs are not what was written", chains.len());
    }
    say::line(&format!("{} logs with {entries} entries are what was written", chains.len()));
    Ok(())
}
