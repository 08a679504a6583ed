//! Putting into the search index what pages say.

use crate::{
    Job, Queue,
    work::{Done, Trouble, Work},
};
use documents::{
    error::Error,
    log,
    projection::{self, Content},
    snapshot,
    view::{self, Block},
};
use entity::document;
use futures::FutureExt;
use kernel::{clock, id::DocumentId};
use queue::{NewJob, Priority, Unique};
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait};
use search::{
    index::{self, Among},
    subject::{Kind, Subject, Text, Version},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// Pages that one look finds.
const AT_ONCE: u64 = 200;
/// Pages that one job puts in before it makes room for others.
const IN_ONE: usize = 20_000;
/// A page that was edited since is about to be put in by a job of its own.
const QUIET: Duration = Duration::from_secs(10);
/// Props that say something to readers.
const SAID: [&str; 6] = ["title", "name", "caption", "description", "alt", "cells"];

/// Puts one page into the index, as it is when the job runs.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexPage {
    /// The page.
    pub document: DocumentId,
}

impl IndexPage {
    /// The job for a page, one however often it is asked for until it is begun.
    ///
    /// # Errors
    /// When the payload does not serialise.
    pub fn once(document: DocumentId) -> Result<NewJob, queue::Error> {
        let mut job = Self { document }.job()?;
        job.unique = Unique::WhileWaiting(format!("{}:{document}", Self::KIND));
        Ok(job)
    }
}

impl Job for IndexPage {
    const QUEUE: Queue = Queue::Search;
    const KIND: &'static str = "index_page";
    const MAX_ATTEMPTS: i32 = 5;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let read = read(work.db(), self.document).await?;
        work.vanish(|tx, _| {
            async move {
                match read {
                    Some(page) => page.put(tx).await,
                    // Destroyed meanwhile, and its words with it.
                    None => Ok(()),
                }
            }
            .boxed()
        })
        .await
    }
}

/// Finds the pages that are not in the index as they are, and puts them in: after an update of the product that cuts words
/// in another way, after `sheaf reindex`, and when a node died before it could ask for it.
#[derive(Debug, Serialize, Deserialize)]
pub struct IndexPages {}

impl Job for IndexPages {
    const QUEUE: Queue = Queue::Upkeep;
    const KIND: &'static str = "index_pages";
    const PRIORITY: Priority = Priority::Low;

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let mut among = Among {
            quiet_since: Some(clock::now() - QUIET),
            ..Among::default()
        };
        let mut count = 0;
        while count < IN_ONE {
            work.go_on()?;
            let behind = index::behind(work.db(), &among, AT_ONCE).await?;
            let Some(last) = behind.last() else { break };
            among.after = Some(*last);
            count += behind.len();
            for document in behind {
                index(work.db(), document).await?;
            }
        }
        Ok(Done::Repeatable((count > 0).then(|| format!("{{\"pages\":{count}}}"))))
    }
}

/// Puts a page into the index.
///
/// # Errors
/// The database's; another may have put it in at the same moment, and then it can be tried again.
pub async fn index(db: &DatabaseConnection, document: DocumentId) -> Result<(), Trouble> {
    match read(db, document).await? {
        Some(page) => backends::db::write(db, async |tx: &DatabaseTransaction| page.put(tx).await).await,
        None => Ok(()),
    }
}

/// A page as it was read.
struct Read {
    document: DocumentId,
    content: Content,
    version: Version,
}

/// Reads a page: its projection where that is up to date, else the page itself. `None` when there is none.
async fn read(db: &DatabaseConnection, document: DocumentId) -> Result<Option<Read>, Trouble> {
    let head = match log::head(db, document).await {
        Err(Error::NotFound) => return Ok(None),
        other => other?,
    };
    let (content, head) = match projection::at(db, document, &head).await? {
        Some(content) => (content, head),
        None => match snapshot::load(db, document).await {
            Ok((page, stored)) => (Content::from(page.mirror()), stored.head),
            Err(Error::NotFound) => return Ok(None),
            Err(Error::Corrupt(why)) => {
                tracing::error!(%document, why, "a page that does not load is found by its title alone");
                (title_alone(db, document).await?, head)
            }
            Err(other) => return Err(other.into()),
        },
    };
    let version = Version {
        epoch: head.epoch,
        seq: head.seq,
    };
    Ok(Some(Read {
        document,
        content,
        version,
    }))
}

async fn title_alone(db: &impl ConnectionTrait, document: DocumentId) -> Result<Content, Trouble> {
    let row = document::Entity::find_by_id(document).one(db).await?;
    Ok(Content {
        title: row.map(|row| row.title).unwrap_or_default(),
        blocks: Vec::new(),
    })
}

impl Read {
    /// Everything that follows from what the page says, in one transaction.
    async fn put(&self, tx: &DatabaseTransaction) -> Result<(), Trouble> {
        let Some(row) = document::Entity::find_by_id(self.document).one(tx).await? else {
            return Ok(());
        };
        let subject = Subject {
            kind: Kind::Document,
            id: self.document.0,
            document: self.document,
            workspace: row.workspace_id,
            author: Some(row.created_by),
            updated_at: row.updated_at,
        };
        if index::put(tx, &subject, &text_of(&self.content), self.version).await? {
            // Also of a page whose projection was not written when its node died.
            documents::links::record(tx, self.document, &self.content).await?;
        }
        Ok(())
    }
}

/// What a page says, block by block.
fn text_of(content: &Content) -> Text {
    let part = |block: &Block| {
        let mut said = block.text.clone();
        for name in SAID {
            if let Some(value) = block.props.get(name) {
                say(value, &mut said);
            }
        }
        (block.id.clone(), said)
    };
    let parts = view::walk(&content.blocks).map(|(_, block)| part(block));
    Text {
        title: content.title.clone(),
        parts: parts.filter(|(_, said)| !said.is_empty()).collect(),
    }
}

/// The texts of a value, one on each line. How deep a prop nests is bounded.
fn say(value: &Value, said: &mut String) {
    match value {
        Value::String(text) => {
            if !said.is_empty() {
                said.push('\n');
            }
            said.push_str(text);
        }
        Value::Array(values) => values.iter().for_each(|value| say(value, said)),
        Value::Object(fields) => {
            if let Some(text) = fields.get("text") {
                say(text, said);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
