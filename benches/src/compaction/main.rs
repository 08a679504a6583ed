//! `compaction`: what folding the old part of a page's log is worth. One page is typed by four actors, a letter a change,
//! into an SQLite file of its own; it is saved twice and folded with nothing kept but what the snapshots need.
//!
//! Prints rows, bytes of the tables and of the database file (a vacuumed copy), and how long the page takes to load,
//! before and after.

use anyhow::{Context, Result, ensure};
use automerge::ActorId;
use backends::db;
use clap::Parser;
use documents::{
    compaction::{self, Folded, Retention, Sizes},
    limits::Limits,
    log::{self, Batch, Entry, Head, Source},
    op::{NewBlock, Op, Pos},
    page::Page,
    snapshot,
};
use entity::{document, user, workspace};
use kernel::{clock, id::*};
use migration::Migrator;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel};
use sea_orm_migration::MigratorTrait;
use std::{
    path::Path,
    time::{Duration, Instant},
};

/// Actors that type, in turns of a word.
const ACTORS: usize = 4;
const WORD: usize = 6;
/// Changes that are committed together.
const BATCH: usize = 200;

#[derive(Parser)]
struct Args {
    /// How many changes
    #[arg(long, default_value_t = 20_000)]
    changes: usize,
    /// Changes behind the older of the two snapshots
    #[arg(long, default_value_t = 1_000)]
    behind: usize,
}

/// A page that is being typed.
struct Typing {
    db: DatabaseConnection,
    document: DocumentId,
    people: Vec<UserId>,
    pages: Vec<Page>,
    head: Head,
    typed: usize,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("a runtime")?;
    runtime.block_on(run(Args::parse()))
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
async fn run(args: Args) -> Result<()> {
    let folder = tempfile::tempdir().context("a folder")?;
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let db = db::connect(&db::Options::new(url)).await.context("the database")?;
    Migrator::up(&db, None).await.context("the schema")?;
    let mut typing = Typing::new(db).await?;
    let older = args.changes.saturating_sub(args.behind);
    for (count, saves) in [(older, true), (args.behind / 2, true), (args.behind / 2, false)] {
        typing.types(count).await?;
        if saves {
            typing.save().await?;
        }
    }
    let (sizes, bytes, load) = typing.figures(folder.path()).await?;
    println!(
        "| | rows | row bytes | snapshot bytes | archives | archive bytes | file bytes | load ms |\n|---|---|---|---|---|---|---|---|"
    );
    line("before", &sizes, bytes, load);
    // The last rows have to be older than now by a millisecond.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let (folded, calls) = typing.fold().await?;
    let (sizes, bytes, load) = typing.figures(folder.path()).await?;
    line("after", &sizes, bytes, load);
    let authors = compaction::authors(&typing.db, typing.document).await?;
    ensure!(
        authors.len() as i64 == typing.head.seq,
        "{} authors of {}",
        authors.len(),
        typing.head.seq
    );
    let slowest = calls.iter().max().copied().unwrap_or_default();
    println!(
        "\nfolded {} rows in {} calls, the slowest {:.1} ms; {:.1} bytes a row before, {:.1} after",
        folded.rows,
        calls.len(),
        slowest.as_secs_f64() * 1e3,
        folded.bytes_before as f64 / folded.rows as f64,
        folded.bytes_after as f64 / folded.rows as f64,
    );
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn line(when: &str, sizes: &Sizes, file: u64, load: Duration) {
    println!(
        "| {when} | {} | {} | {} | {} | {} | {file} | {:.1} |",
        sizes.rows,
        sizes.row_bytes,
        sizes.snapshot_bytes,
        sizes.archives,
        sizes.archive_bytes,
        load.as_secs_f64() * 1e3
    );
}

/// People, their tenant, and the row of a page.
async fn people(db: &DatabaseConnection, document: DocumentId) -> Result<Vec<UserId>> {
    let now = clock::now();
    let people: Vec<UserId> = (0..ACTORS).map(|_| UserId::new()).collect();
    for id in &people {
        let row = user::Model {
            id: *id,
            email: format!("{id}@example.com"),
            display_name: "Somebody".to_owned(),
            password_hash: String::new(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
            email_verified_at: None,
            time_zone: None,
        };
        user::Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    }
    let workspace = workspace::Model {
        id: WorkspaceId::new(),
        name: "Work".to_owned(),
        created_by: people[0],
        created_at: now,
        updated_at: now,
        deleted_at: None,
        archived_at: None,
    };
    let row = document::Model {
        id: document,
        workspace_id: workspace.id,
        parent_id: None,
        rank: "a".to_owned(),
        title: String::new(),
        icon: None,
        cover: None,
        default_level: None,
        restricted: false,
        created_by: people[0],
        created_at: now,
        updated_at: now,
        deleted_at: None,
        deleted_with: None,
        deleted_by: None,
        archived_at: None,
        archived_with: None,
        is_template: false,
    };
    workspace::Entity::insert(workspace.into_active_model())
        .exec_without_returning(db)
        .await?;
    document::Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    Ok(people)
}

fn entry(change: automerge::Change, user: UserId, message_id: Option<String>) -> Entry {
    Entry {
        change,
        user: Some(user),
        message_id,
        source: Source::Json,
        binds_actor: false,
    }
}

impl Typing {
    async fn new(db: DatabaseConnection) -> Result<Self> {
        let document = DocumentId::new();
        let people = people(&db, document).await?;
        let block = NewBlock {
            id: Some("text".to_owned()),
            kind: "paragraph".to_owned(),
            ..NewBlock::default()
        };
        let (_, change) = Page::create("Bench", &[block], &Limits::default(), clock::now_ms())?;
        let pages = (0..ACTORS)
            .map(|_| Page::load(None, vec![change.clone()]))
            .collect::<Result<Vec<_>, _>>()?;
        let first = entry(change, people[0], None);
        let head = db::write(&db, async |tx: &DatabaseTransaction| log::start(tx, document, first).await).await?;
        let actors: std::collections::HashSet<&ActorId> = pages.iter().map(Page::actor).collect();
        ensure!(actors.len() == ACTORS, "every replica has an actor of its own");
        Ok(Self {
            db,
            document,
            people,
            pages,
            head,
            typed: 0,
        })
    }

    async fn types(&mut self, count: usize) -> Result<()> {
        let mut left = count;
        while left > 0 {
            let entries = (0..left.min(BATCH)).map(|_| self.letter()).collect::<Result<Vec<_>>>()?;
            left -= entries.len();
            let batch = Batch {
                document: self.document,
                head: self.head.clone(),
                entries,
            };
            let is_in = db::write(&self.db, async |tx: &DatabaseTransaction| log::append(tx, &batch).await).await?;
            ensure!(is_in, "nobody else types");
            self.head = batch.head_after();
        }
        Ok(())
    }

    /// The next letter, on the replica of whoever's turn it is, and on the others.
    fn letter(&mut self) -> Result<Entry> {
        let who = self.typed / WORD % ACTORS;
        let op = Op::Insert {
            block: Some("text".to_owned()),
            pos: Pos::At(self.typed),
            text: char::from(b'a' + (self.typed * 7 % 26) as u8).to_string(),
            marks: None,
        };
        let edited = self.pages[who].edit(&[op], None, &Limits::default(), clock::now_ms())?;
        let change = edited.change.context("a letter is a change")?;
        for (i, page) in self.pages.iter_mut().enumerate() {
            if i != who {
                page.apply(vec![change.clone()])?;
            }
        }
        self.typed += 1;
        // What stock JSON clients send: the user, and a random id of theirs.
        let id = format!("{}:{}", self.people[who].0.simple(), DocumentId::new());
        Ok(entry(change, self.people[who], Some(id)))
    }

    async fn save(&self) -> Result<()> {
        let bytes = self.pages[0].save_verified()?;
        let keep = async |tx: &DatabaseTransaction| snapshot::keep(tx, self.document, &self.head, bytes).await;
        Ok(db::write(&self.db, keep).await?)
    }

    async fn fold(&self) -> Result<(Folded, Vec<Duration>)> {
        let none_kept = Retention {
            age: Duration::ZERO,
            rows: 0,
        };
        let (mut all, mut calls) = (Folded::default(), Vec::new());
        while !all.is_done {
            let began = Instant::now();
            let fold = async |tx: &DatabaseTransaction| compaction::fold(tx, self.document, &none_kept).await;
            let folded = db::write(&self.db, fold).await?;
            calls.push(began.elapsed());
            all = Folded {
                rows: all.rows + folded.rows,
                bytes_before: all.bytes_before + folded.bytes_before,
                bytes_after: all.bytes_after + folded.bytes_after,
                is_done: folded.is_done,
            };
        }
        Ok((all, calls))
    }

    /// What the page takes, the file it would be in, and the best of five loads.
    async fn figures(&self, folder: &Path) -> Result<(Sizes, u64, Duration)> {
        let copy = folder.join("copy.db");
        self.db.execute_unprepared(&format!("VACUUM INTO '{}'", copy.display())).await?;
        let bytes = std::fs::metadata(&copy).context("the copy")?.len();
        std::fs::remove_file(&copy).context("the copy")?;
        let mut best = Duration::MAX;
        for _ in 0..5 {
            let began = Instant::now();
            let (page, _) = snapshot::load(&self.db, self.document).await?;
            best = best.min(began.elapsed());
            ensure!(page.heads() == self.head.heads, "it is the page that was typed");
        }
        Ok((compaction::measure(&self.db, self.document).await?, bytes, best))
    }
}
