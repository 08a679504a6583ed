//! `export-load`: what exports cost, through the same code as the job: pages are made in an SQLite file of its own and exported
//! as HTML, PDF and bundles. Prints the time, the processor time of this process and of the typesetter, and the typesetter's
//! memory at its highest.

#[path = "../process.rs"]
#[expect(dead_code, reason = "it knows of more than is asked here")]
mod process;
mod watch;

use anyhow::{Context, Result};
use backends::{db, files::Files};
use clap::Parser;
use documents::{
    document::{self, NewDocument},
    op::NewBlock,
};
use entity::user;
use kernel::{clock, id::*};
use migration::Migrator;
use sea_orm::{DatabaseConnection, DatabaseTransaction, EntityTrait, IntoActiveModel};
use sea_orm_migration::MigratorTrait;
use serde_json::json;
use std::{
    io::Write,
    path::PathBuf,
    time::{Duration, Instant},
};
use transfer::export::{
    error::Error,
    make::{self, Steps, Tools},
    order::{Format, Order, Scope},
    settings::{Fonts, Settings, Typesetter},
};
use watch::Watch;
use workspaces::access::{self, EditDocument};

#[derive(Parser)]
struct Args {
    /// Blocks on a page
    #[arg(long, default_value_t = 300)]
    blocks: usize,
    /// Pages under the first one
    #[arg(long, default_value_t = 20)]
    pages: usize,
    /// The product's binary, which typesets
    #[arg(long, default_value = "target/debug/sheaf")]
    sheaf: PathBuf,
}

/// Nobody stops it.
struct Goes;

impl Steps for Goes {
    type Error = Error;

    async fn step(&self, _done: usize, _of: usize) -> Result<(), Error> {
        Ok(())
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("a runtime")?;
    runtime.block_on(run(Args::parse()))
}

async fn run(args: Args) -> Result<()> {
    let folder = tempfile::tempdir().context("a folder")?;
    let url = format!("sqlite://{}", folder.path().join("bench.db").display());
    let db = db::connect(&db::Options::new(url)).await.context("the database")?;
    Migrator::up(&db, None).await.context("the schema")?;
    let files = Files::directory(&folder.path().join("files")).context("the store")?;
    let settings = Settings {
        typesetter: Typesetter {
            program: args.sheaf.canonicalize().context("the product's binary")?,
            time: Duration::from_secs(300),
            memory_mib: 4_096,
            fonts: Fonts::new(None, false),
        },
        ..Settings::default()
    };
    let (user, workspace, top) = pages(&db, &args).await?;
    let mut out = std::io::stdout().lock();
    let profile = if cfg!(debug_assertions) { "dev" } else { "release" };
    let load = process::load_average().unwrap_or_default();
    writeln!(out, "{} blocks a page, profile {profile}, load {load:.1}\n", args.blocks)?;
    writeln!(
        out,
        "| export | pages | sheets | bytes | s | own CPU s | typesetter CPU s | typesetter peak MB |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|---|")?;
    let (page, subtree) = (Scope::Page(top), Scope::Subtree(top));
    let wanted = [
        ("a page as HTML", page, Format::Html),
        ("a page as Markdown", page, Format::Markdown),
        ("a page as PDF", page, Format::Pdf),
        ("a bundle, JSON alone", subtree, Format::Json),
        ("a bundle with HTML", subtree, Format::Html),
        ("a bundle with PDF", subtree, Format::Pdf),
    ];
    for (name, scope, format) in wanted {
        let tools = Tools {
            db: &db,
            files: &files,
            settings: &settings,
        };
        let order = Order {
            user,
            workspace,
            scope,
            format,
        };
        let (began, watch) = (Instant::now(), Watch::begin());
        let made = make::make(tools, &order, JobId::new(), &Goes).await?;
        let (took, used) = (began.elapsed().as_secs_f64(), watch.end()?);
        writeln!(
            out,
            "| {name} | {} | {} | {} | {took:.2} | {:.2} | {:.2} | {:.0} |",
            made.said.pages, made.said.typeset.sheets, made.size, used.own, used.children, used.peak_mb
        )?;
    }
    Ok(())
}

/// Somebody's workspace with a page and some under it.
async fn pages(db: &DatabaseConnection, args: &Args) -> Result<(UserId, WorkspaceId, DocumentId)> {
    let (user, now) = (UserId::new(), clock::now());
    let row = user::Model {
        id: user,
        email: "ada@example.com".to_owned(),
        display_name: "Ada".to_owned(),
        password_hash: String::new(),
        created_at: now,
        updated_at: now,
        deleted_at: None,
        email_verified_at: None,
        time_zone: None,
    };
    user::Entity::insert(row.into_active_model()).exec_without_returning(db).await?;
    let home = db::write(db, async |tx: &DatabaseTransaction| {
        workspaces::workspace::create(tx, user, "Bench").await
    })
    .await?;
    let (blocks, mut top) = (blocks(args.blocks)?, None);
    for number in 0..=args.pages {
        let access = access::enter(db, user, home.id).await?;
        let under = match top {
            Some(top) => Some(access::open::<EditDocument>(db, user, top).await?),
            None => None,
        };
        let new = NewDocument {
            parent: top,
            title: format!("Page {number}"),
            blocks: blocks.clone(),
            ..NewDocument::default()
        };
        let limits = documents::limits::Limits::default();
        let create = async |tx: &DatabaseTransaction| document::create(tx, &access, under.as_ref(), new, &limits).await;
        let made = db::write(db, create).await?;
        top.get_or_insert(made.row.id);
    }
    Ok((user, home.id, top.context("there is a page")?))
}

/// Text as people write it: headings, paragraphs with marks, lists, code, and a table now and then.
fn blocks(count: usize) -> Result<Vec<NewBlock>> {
    let words = "word ".repeat(40);
    let block = |number: usize| match number % 12 {
        0 => json!({ "type": "heading", "text": format!("Chapter {number}"), "props": { "level": 2 } }),
        5 => json!({ "type": "bulleted_list_item", "text": "an item of a list" }),
        7 => json!({ "type": "code", "text": "fn main() {\n    println!(\"hello\");\n}", "props": { "language": "rust" } }),
        9 => json!({ "type": "equation", "text": r"\sum_{i=1}^{n} \frac{i}{2}" }),
        11 => json!({ "type": "table", "children": [
            { "type": "table_row", "props": { "cells": ["a", "b", "c"] } }, { "type": "table_row", "props": { "cells": ["1", "2", "3"] } },
        ] }),
        _ => json!({ "type": "paragraph", "text": format!("Paragraph {number} {words}"), "marks": [
            { "name": "bold", "value": true, "start": 0, "end": 9 },
            { "name": "link", "value": "https://example.com/", "start": 12, "end": 20 },
        ] }),
    };
    (0..count).map(|number| Ok(serde_json::from_value(block(number))?)).collect()
}
