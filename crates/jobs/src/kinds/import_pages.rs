//! Imports: what was sent becomes pages, one after another, and a report says what became of each file.
//!
//! Every page is made with its files in a transaction of its own, under an id that follows from the job's. A second
//! attempt finds what the first one made and goes on behind it. Who cancels keeps what is there by then, and is told.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use backends::files::{FilesError, Key};
use events::{By, Change};
use futures::{FutureExt, TryStreamExt};
use kernel::id::*;
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    fs::File,
    io::{Seek, SeekFrom, Write},
};
use tokio::task::spawn_blocking;
use transfer::import::{
    archive::Refusal,
    format::Format,
    limits::Limits,
    reader::{Reader, Ready, Request},
    report::{Reason, Report},
    write::{self, Maker},
};

/// Imports what somebody sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct ImportPages {
    /// What was sent, in the store of files.
    pub source: ImportId,
    /// What it is called.
    pub file_name: String,
    /// What it is said to be.
    pub format: Format,
    /// The tenant.
    pub workspace: WorkspaceId,
    /// The page that everything hangs under.
    pub parent: Option<DocumentId>,
    /// Who imports.
    pub user: UserId,
}

impl Job for ImportPages {
    const QUEUE: Queue = Queue::Transfers;
    const KIND: &'static str = "import_pages";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        work.progress(1, "opening").await?;
        let key = Key::import(self.source);
        let mut import = Import::new(&self, work);
        let ended = match self.open(work, &key).await? {
            Ok(reader) => import.all(reader).await,
            Err(refusal) => {
                import.report.skipped(&self.file_name, refusal.reason, &refusal.detail);
                Ok(())
            }
        };
        let report = import.report;
        let result = serde_json::to_string(&report).map_err(|error| Trouble::Permanent(error.to_string()))?;
        let done = match ended {
            Ok(()) => self.commit(work, &report, result).await?,
            Err(Trouble::Cancelled) => return Err(Trouble::Stopped(result)),
            Err(trouble) => return Err(trouble),
        };
        if let Err(error) = work.parts().files.delete(&key).await {
            tracing::warn!(%error, "what was imported stays in the store for a while");
        }
        Ok(done)
    }
}

impl ImportPages {
    async fn open(&self, work: &Work, key: &Key) -> Result<Result<Reader, Refusal>, Trouble> {
        let file = fetch(work, key).await?;
        let request = Request {
            job: work.id(),
            format: self.format,
            file_name: self.file_name.clone(),
        };
        spawn_blocking(move || Reader::open(file, &request, &Limits::default()))
            .await
            .map_err(|error| Trouble::Retry(error.to_string()))
    }

    async fn commit(&self, work: &Work, report: &Report, result: String) -> Result<Done, Trouble> {
        let change = Change::PagesImported {
            job: work.id(),
            pages: i64::try_from(report.counts.pages).unwrap_or(i64::MAX),
        };
        let by = By {
            workspace: Some(self.workspace),
            user: Some(self.user),
        };
        work.commit(Some(result), |tx, _| {
            async move {
                events::append(tx, by, change).await?;
                Ok(())
            }
            .boxed()
        })
        .await
    }
}

/// What was sent, as a file of ours without a name.
async fn fetch(work: &Work, key: &Key) -> Result<File, Trouble> {
    let local = |error: std::io::Error| Trouble::Retry(error.to_string());
    let remote = |error: FilesError| match error {
        FilesError::NotFound => Trouble::Permanent("what was sent is not there any more".to_owned()),
        error => Trouble::Retry(error.to_string()),
    };
    let mut bytes = work.parts().files.open(key).await.map_err(remote)?.bytes;
    let mut file = tempfile::tempfile().map_err(local)?;
    while let Some(some) = bytes.try_next().await.map_err(remote)? {
        let written = spawn_blocking(move || file.write_all(&some).map(|()| file)).await;
        file = written.map_err(|error| Trouble::Retry(error.to_string()))?.map_err(local)?;
    }
    file.seek(SeekFrom::Start(0)).map_err(local)?;
    Ok(file)
}

/// An import that runs.
struct Import<'w> {
    work: &'w Work,
    maker: Maker,
    report: Report,
    /// Pages that were made, by id; and for those that were not, the page above.
    made: BTreeSet<DocumentId>,
    above: HashMap<DocumentId, Option<DocumentId>>,
    /// Which pages lead to which.
    leads_to: Vec<(DocumentId, BTreeSet<DocumentId>)>,
}

impl<'w> Import<'w> {
    fn new(job: &ImportPages, work: &'w Work) -> Self {
        let parts = work.parts();
        Self {
            work,
            maker: Maker {
                store: parts.store(),
                limits: parts.settings.page_limits.clone(),
                user: job.user,
                workspace: job.workspace,
                under: job.parent,
            },
            report: Report::default(),
            made: BTreeSet::new(),
            above: HashMap::new(),
            leads_to: Vec::new(),
        }
    }

    /// Makes all pages. What was left out is told also when it is stopped.
    async fn all(&mut self, reader: Reader) -> Result<(), Trouble> {
        self.report.format = reader.format().name().to_owned();
        let (mut reader, mut ended) = (reader, Ok(()));
        self.tell_left_out(&mut reader);
        while ended.is_ok() {
            let (back, next) = blocking(reader, Reader::next).await?;
            reader = back;
            let Some(next) = next else { break };
            (reader, ended) = match next {
                Ok(ready) => self.page(reader, ready).await,
                Err((leaf, refusal)) => {
                    self.above.insert(leaf.id, reader.above(&leaf));
                    self.report.skipped(&leaf.path, refusal.reason, &refusal.detail);
                    (reader, Ok(()))
                }
            };
            if ended.is_ok() {
                ended = self.tell_progress(&reader).await;
            }
        }
        if matches!(ended, Err(Trouble::Cancelled)) {
            for path in reader.rest() {
                self.report.skipped(path, Reason::Cancelled, "the import was stopped before");
            }
        }
        self.tell_left_out(&mut reader);
        self.tell_broken_links();
        ended
    }

    async fn tell_progress(&self, reader: &Reader) -> Result<(), Trouble> {
        let (read, all) = reader.progress();
        let percent = u8::try_from(2 + 97 * read / all.max(1)).unwrap_or(99);
        self.work.progress(percent, &format!("{read} of {all} pages")).await
    }

    async fn page(&mut self, reader: Reader, mut ready: Ready) -> (Reader, Result<(), Trouble>) {
        let (id, path) = (ready.id, ready.path.clone());
        let parent = self.nearest(ready.parent);
        if parent != ready.parent {
            ready.notes.add(Reason::Moved, "the page above it was not imported");
        }
        let leads_to = std::mem::take(&mut ready.leads_to);
        self.above.insert(id, ready.parent);
        let (reader, made) = self.maker.make(reader, ready, parent.or(self.maker.under)).await;
        match made {
            Ok(made) => {
                self.report.counts.pages += made.pages;
                self.report.counts.attachments += made.files;
                if parent.is_none() && self.report.roots.len() < MAX_ROOTS {
                    self.report.roots.push(id);
                }
                self.made.insert(id);
                self.leads_to.push((id, leads_to));
                self.report.kept(&path, id, made.notes);
                (reader, Ok(()))
            }
            Err(write::Trouble::Refused(reason, detail)) => {
                self.report.skipped(&path, reason, detail);
                (reader, Ok(()))
            }
            Err(write::Trouble::Later(error)) => (reader, Err(Trouble::Retry(error))),
        }
    }

    /// The nearest page above that was made.
    fn nearest(&self, parent: Option<DocumentId>) -> Option<DocumentId> {
        let mut at = parent;
        while let Some(id) = at.filter(|id| !self.made.contains(id)) {
            at = self.above.get(&id).copied().flatten();
        }
        at
    }

    fn tell_left_out(&mut self, reader: &mut Reader) {
        for (path, refusal) in reader.take_left_out() {
            self.report.skipped(&path, refusal.reason, refusal.detail);
        }
    }

    fn tell_broken_links(&mut self) {
        for (page, leads_to) in std::mem::take(&mut self.leads_to) {
            let gone = leads_to
                .iter()
                .filter(|to| self.above.contains_key(to) && !self.made.contains(to))
                .take(MAX_BROKEN);
            for to in gone {
                self.report.degrade(page, Reason::LinkBroken, &format!("{to} was not imported"));
            }
        }
    }
}

/// Pages at the top that a report lists, and links of one page that lead nowhere.
const MAX_ROOTS: usize = 100;
const MAX_BROKEN: usize = 20;

/// Works on a reader where it may take as long as it needs.
async fn blocking<T: Send + 'static>(
    mut reader: Reader,
    work: impl FnOnce(&mut Reader) -> T + Send + 'static,
) -> Result<(Reader, T), Trouble> {
    let done = spawn_blocking(move || {
        let done = work(&mut reader);
        (reader, done)
    });
    done.await.map_err(|error| Trouble::Retry(error.to_string()))
}
