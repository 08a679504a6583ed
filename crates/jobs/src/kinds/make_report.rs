//! Activity reports: every Monday for each workspace where something happened, or when somebody asks.

use super::SendMail;
use crate::{
    Job, Queue,
    letter::Mail,
    work::{Done, Trouble, Work},
};
use entity::{user, workspace};
use futures::FutureExt;
use kernel::{clock::Time, id::*};
use queue::Unique;
use sea_orm::{ConnectionTrait, DatabaseTransaction, EntityTrait};
use serde::{Deserialize, Serialize};
use serde_json::json;
use workspaces::report::{self, Figures};

/// Workspaces for which jobs are enqueued at once.
const AT_ONCE: u64 = 500;

/// Enqueues a report of last week for every workspace where something happened.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeReports {
    /// The time of the plan: last week is the one before it.
    pub tick: Time,
}

impl Job for MakeReports {
    const QUEUE: Queue = Queue::Reports;
    const KIND: &'static str = "make_reports";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let (starts_at, ends_at) = report::last_week(self.tick);
        let (mut after, mut all) = (None, Vec::new());
        loop {
            let some = report::active_workspaces(work.db(), starts_at, ends_at, after, AT_ONCE).await?;
            let Some(last) = some.last() else { break };
            after = Some(*last);
            all.extend(some);
        }
        work.commit(None, |tx, work| {
            async move {
                for workspace in all {
                    let once = Unique::Once(format!("make_report:{workspace}:{}", starts_at.timestamp()));
                    let job = MakeReport {
                        workspace,
                        starts_at,
                        ends_at,
                        has_mail: true,
                    };
                    work.enqueue(tx, &job, once).await?;
                }
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

/// Makes one workspace's report of a period.
#[derive(Debug, Serialize, Deserialize)]
pub struct MakeReport {
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The first instant it counts.
    pub starts_at: Time,
    /// The first instant it does not count any more.
    pub ends_at: Time,
    /// Whether those who want reports get it by mail.
    pub has_mail: bool,
}

impl Job for MakeReport {
    const QUEUE: Queue = Queue::Reports;
    const KIND: &'static str = "make_report";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        if name_of(work.db(), self.workspace).await?.is_none() {
            return Err(Trouble::Permanent("the workspace is gone".to_owned()));
        }
        work.progress(10, "counting").await?;
        let figures = report::figures(work.db(), self.workspace, self.starts_at, self.ends_at).await?;
        work.progress(90, "writing").await?;
        let result = json!({ "workspace_id": self.workspace, "starts_at": self.starts_at, "ends_at": self.ends_at, "figures": &figures });
        work.commit(Some(result.to_string()), |tx, work| {
            async move {
                let made = report::keep(tx, self.workspace, self.starts_at, self.ends_at, &figures).await?;
                match made {
                    Some(_) if self.has_mail => self.send(tx, work, &figures).await,
                    _ => Ok(()),
                }
            }
            .boxed()
        })
        .await
    }
}

impl MakeReport {
    async fn send(&self, tx: &DatabaseTransaction, work: &Work, figures: &Figures) -> Result<(), Trouble> {
        let Some(name) = name_of(tx, self.workspace).await? else {
            return Ok(());
        };
        for to in report::subscribers(tx, self.workspace).await? {
            let once = Unique::Once(format!("report:{}:{}:{}", self.workspace, self.starts_at.timestamp(), to.id));
            work.enqueue(tx, &self.letter(to, &name, figures), once).await?;
        }
        Ok(())
    }

    fn letter(&self, to: user::Model, name: &str, figures: &Figures) -> SendMail {
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        let last = self.ends_at - chrono::Duration::days(1);
        SendMail {
            to: to.email,
            to_name: to.display_name,
            mail: Mail::WeeklyReport {
                workspace: name.to_owned(),
                from: self.starts_at.format("%Y-%m-%d").to_string(),
                to: last.format("%Y-%m-%d").to_string(),
                edits: count(figures.documents_edited),
                active: count(figures.active_people),
                created: count(figures.documents_created),
                people: figures
                    .people
                    .iter()
                    .map(|one| (one.display_name.clone(), count(one.events)))
                    .collect(),
                pages: figures.documents.iter().map(|one| (one.title.clone(), count(one.events))).collect(),
                url: format!("/workspaces/{}/reports", self.workspace),
            },
        }
    }
}

async fn name_of(tx: &impl ConnectionTrait, id: WorkspaceId) -> Result<Option<String>, Trouble> {
    let row = workspace::Entity::find_by_id(id).one(tx).await?;
    Ok(row.filter(|row| row.deleted_at.is_none()).map(|row| row.name))
}
