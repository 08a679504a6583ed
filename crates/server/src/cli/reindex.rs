//! `sheaf reindex`: what pages say is put into the search index anew, here and now, beside a product that runs or without.

use crate::{config::Config, say, store};
use anyhow::{Context, bail};
use backends::db;
use clap::Args;
use entity::workspace;
use kernel::id::WorkspaceId;
use sea_orm::{DatabaseConnection, DatabaseTransaction, EntityTrait};
use search::index::{self, Among};
use std::time::{Duration, Instant};

/// Pages that are looked for at once.
const AT_ONCE: u64 = 200;
/// How often it is said how far it is.
const SAID_EVERY: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(super) struct Command {
    /// Only the pages of this workspace
    #[arg(long, value_name = "ID")]
    workspace: Option<WorkspaceId>,
    /// Go on with what an earlier run has left, and what is missing
    #[arg(long)]
    resume: bool,
}

pub(super) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let db = store::open(config).await?;
    store::refuse_newer(&db).await?;
    let Command { workspace, resume } = command;
    if let Some(id) = workspace
        && workspace::Entity::find_by_id(id).one(&db).await?.is_none()
    {
        bail!("there is no workspace {id}");
    }
    if !resume {
        db::write(&db, async |tx: &DatabaseTransaction| index::spoil(tx, workspace).await)
            .await
            .context("cannot begin")?;
    }
    let among = Among {
        workspace,
        ..Among::default()
    };
    let all = index::count_behind(&db, &among).await.context("cannot read the index")?;
    let failed = put_in(&db, among, all).await?;
    if failed > 0 {
        bail!("{failed} of {all} pages could not be put in; `sheaf reindex --resume` tries them again");
    }
    say::line(&format!("{all} pages were put in"));
    Ok(())
}

/// Puts in what is behind. Gives how many pages could not be.
async fn put_in(db: &DatabaseConnection, mut among: Among, all: u64) -> anyhow::Result<u64> {
    let (mut done, mut failed, mut said) = (0_u64, 0, Instant::now());
    loop {
        let behind = index::behind(db, &among, AT_ONCE).await.context("cannot read the index")?;
        let Some(last) = behind.last() else { return Ok(failed) };
        among.after = Some(*last);
        for document in behind {
            if let Err(error) = ::jobs::kinds::index_page::index(db, document).await {
                failed += 1;
                say::line(&format!("{document}: {error}"));
            }
            done += 1;
            if said.elapsed() >= SAID_EVERY {
                said = Instant::now();
                say::line(&format!("{done} of {all} pages"));
            }
        }
    }
}
