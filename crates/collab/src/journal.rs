//! The journal: batches of all rooms of this node, committed together. While one transaction is in flight the next
//! gathers, so five hundred pages with an edit a second each cost a handful of commits, not five hundred.

use backends::db;
use documents::{
    lock::{self, Pass},
    log::{self, Batch},
};
use events::{By, Change};
use kernel::id::*;
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};
use std::{collections::HashMap, sync::Arc};
use tokio::sync::{mpsc, oneshot};
use workspaces::access::fence::{self, Writers};

/// The most batches in one transaction.
const GROUP: usize = 256;

/// What a room wants to be committed together.
#[derive(Clone, Debug)]
pub struct Append {
    /// The rows.
    pub batch: Arc<Batch>,
    /// Who made it; it is committed only while all of them may edit the page.
    pub writers: Writers,
    /// What its edits come with; it is committed only while no lock keeps one of them out.
    pub passes: Vec<Pass>,
    /// The new title, when the batch changed it.
    pub title: Option<String>,
    /// The workspace and user for a `document.edited` event, when one is due. With it the page is noted for a version.
    pub edited_by: Option<(WorkspaceId, Option<UserId>)>,
}

/// How it went.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Committed.
    Committed,
    /// The log stands elsewhere: another node was faster. Nothing was written.
    Behind,
    /// Somebody who made it may not edit the page any more. Nothing was written.
    AccessLost,
    /// A lock keeps some of it out. Nothing was written.
    Locked,
    /// Not known, or failed: the room reads the log to find out.
    Failed(String),
}

struct Request {
    append: Append,
    answer: oneshot::Sender<Outcome>,
}

/// The way to the journal's task.
#[derive(Clone)]
pub struct Journal {
    requests: mpsc::Sender<Request>,
}

impl Journal {
    /// A journal, and the future that does its work until the last handle is gone; the caller owns its task.
    pub fn new(db: DatabaseConnection) -> (Self, impl Future<Output = ()> + Send + 'static) {
        let (requests, queue) = mpsc::channel(4 * GROUP);
        (Self { requests }, run(db, queue))
    }

    /// Commits a batch; returns when it is durable, or will not be.
    pub async fn append(&self, append: Append) -> Outcome {
        let (answer, outcome) = oneshot::channel();
        if self.requests.send(Request { append, answer }).await.is_err() {
            return Outcome::Failed("the journal has ended".to_owned());
        }
        outcome
            .await
            .unwrap_or_else(|_| Outcome::Failed("the journal has ended".to_owned()))
    }
}

async fn run(db: DatabaseConnection, mut queue: mpsc::Receiver<Request>) {
    let mut group = Vec::with_capacity(GROUP);
    while queue.recv_many(&mut group, GROUP).await > 0 {
        let appends: Vec<Append> = group.iter().map(|request| request.append.clone()).collect();
        let outcomes = match commit(&db, &appends).await {
            Ok(outcomes) => outcomes,
            Err(error) if appends.len() == 1 => vec![Outcome::Failed(error.to_string())],
            // One bad batch must not take the others down: each on its own.
            Err(_) => one_by_one(&db, &appends).await,
        };
        for (request, outcome) in group.drain(..).zip(outcomes) {
            // A room that has gone meanwhile does not need to know.
            drop(request.answer.send(outcome));
        }
    }
}

async fn one_by_one(db: &DatabaseConnection, appends: &[Append]) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(appends.len());
    for append in appends {
        let outcome = match commit(db, std::slice::from_ref(append)).await {
            Ok(mut outcome) => outcome.pop().unwrap_or(Outcome::Behind),
            Err(error) => Outcome::Failed(error.to_string()),
        };
        outcomes.push(outcome);
    }
    outcomes
}

/// Why a batch is not written, whatever is tried.
#[derive(Clone, Copy)]
enum Barred {
    /// Somebody who made it has lost the right to.
    AccessLost,
    /// A lock keeps some of it out.
    Locked,
}

/// What ended a transaction.
enum Ended {
    /// These are not to be written.
    Barred(Vec<(usize, Barred)>),
    /// The database's own.
    Db(DbErr),
}

impl From<DbErr> for Ended {
    fn from(error: DbErr) -> Self {
        Self::Db(error)
    }
}

async fn commit(db: &DatabaseConnection, appends: &[Append]) -> Result<Vec<Outcome>, DbErr> {
    let mut barred = HashMap::new();
    loop {
        match try_commit(db, appends, &barred).await {
            Ok(outcomes) => return Ok(outcomes),
            // Everything was rolled back; the others try again without them.
            Err(Ended::Barred(more)) => barred.extend(more),
            Err(Ended::Db(error)) => return Err(error),
        }
    }
}

async fn try_commit(db: &DatabaseConnection, appends: &[Append], barred: &HashMap<usize, Barred>) -> Result<Vec<Outcome>, Ended> {
    let outcome_of = |i| match barred.get(&i) {
        Some(Barred::AccessLost) => Outcome::AccessLost,
        Some(Barred::Locked) => Outcome::Locked,
        None => Outcome::Behind,
    };
    let mut outcomes: Vec<Outcome> = (0..appends.len()).map(outcome_of).collect();
    if barred.len() == appends.len() {
        return Ok(outcomes);
    }
    db::write(db, async |tx: &DatabaseTransaction| {
        // In the order of their ids, so that two nodes never wait for each other's rows crosswise.
        let mut order: Vec<usize> = (0..appends.len()).filter(|i| !barred.contains_key(i)).collect();
        order.sort_by_key(|i| appends[*i].batch.document);
        let mut written = Vec::with_capacity(order.len());
        for i in order {
            if write_one(tx, &appends[i]).await? {
                outcomes[i] = Outcome::Committed;
                written.push(i);
            }
        }
        let mut more = locked(tx, appends, &written).await?;
        // The last thing before the commit: whoever takes a right away waits for us, or we have waited for them.
        let writers: Vec<&Writers> = written.iter().map(|i| &appends[*i].writers).collect();
        let may = fence::may_still_write(tx, &writers).await?;
        let lost = written.iter().zip(may).filter(|(_, may)| !may);
        more.extend(lost.map(|(i, _)| (*i, Barred::AccessLost)));
        if more.is_empty() { Ok(outcomes) } else { Err(Ended::Barred(more)) }
    })
    .await
}

/// Which of these a lock keeps out. They are written already, so their pages are held: whoever takes a lock waits for us,
/// or we have waited for them and see it.
async fn locked(tx: &DatabaseTransaction, appends: &[Append], written: &[usize]) -> Result<Vec<(usize, Barred)>, DbErr> {
    let pages: Vec<DocumentId> = written.iter().map(|i| appends[*i].batch.document).collect();
    let stand = lock::held_on(tx, &pages).await?;
    let is_kept_out = |append: &Append| {
        let held = stand.get(&append.batch.document).map_or(&[][..], Vec::as_slice);
        append.passes.iter().any(|pass| lock::stop(held, *pass).is_some())
    };
    let out = written.iter().filter(|i| is_kept_out(&appends[**i]));
    Ok(out.map(|i| (*i, Barred::Locked)).collect())
}

async fn write_one(tx: &DatabaseTransaction, append: &Append) -> Result<bool, DbErr> {
    if !log::append(tx, &append.batch).await? {
        return Ok(false);
    }
    let document = append.batch.document;
    if let Some(title) = &append.title {
        documents::document::project_title(tx, document, title).await?;
    }
    if let Some((workspace, user)) = append.edited_by {
        let by = By {
            workspace: Some(workspace),
            user,
        };
        documents::version::note_editing(tx, document).await?;
        events::append(tx, by, Change::DocumentEdited { document }).await?;
    }
    Ok(true)
}
