//! Making an export: one file, or a bundle, put into the store under the id of its job. Made again it replaces itself.

mod bundled;

use super::{
    around::{Around, Asset, attachment},
    content,
    error::Error,
    gather::{self, Found},
    order::{Format, Order, Scope},
    render,
    settings::Settings,
};
use crate::bundle::{LeftOut, names};
use attachments::{attachment as files_of, content as bytes_of};
use backends::files::{Files, Key};
use documents::view;
use entity::attachment as file;
use kernel::{clock, id::*};
use sea_orm::DatabaseConnection;
use serde::Serialize;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};
use typeset::Report;
use uuid::Uuid;
use workspaces::access::{self, DocumentAccess, ViewDocument};

/// The most bytes of pictures that stand in one file of HTML or PDF; the rest is linked to.
const MAX_INSIDE: u64 = 64 << 20;

/// What exports are made with.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// The rows.
    pub db: &'a DatabaseConnection,
    /// The store of files.
    pub files: &'a Files,
    /// How much one may take.
    pub settings: &'a Settings,
}

/// Who is told how far an export is, and says whether it is to go on.
pub trait Steps: Sync {
    /// Why it stops.
    type Error: From<Error> + Send;

    /// `done` of `of` pages are written.
    fn step(&self, done: usize, of: usize) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// An export that lies in the store.
#[derive(Clone, Debug)]
pub struct Made {
    /// The name of the file for people.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// How many bytes it has.
    pub size: u64,
    /// The pages in it.
    pub documents: Vec<DocumentId>,
    /// What is to be said about it.
    pub said: Said,
}

/// What is to be said about an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Said {
    /// How many pages are in it.
    pub pages: u64,
    /// How many files are in it.
    pub attachments: u64,
    /// What is not.
    pub left_out: LeftOut,
    /// What is to be said about what was typeset, all pages together.
    #[serde(flatten)]
    pub typeset: Report,
}

impl Said {
    fn add(&mut self, report: Option<Report>) {
        let Some(report) = report else { return };
        self.typeset.sheets += report.sheets;
        self.typeset.formulas_as_text += report.formulas_as_text;
        self.typeset.pictures_left_out += report.pictures_left_out;
        let known: HashSet<String> = self.typeset.missing_glyphs.iter().cloned().collect();
        let new = report.missing_glyphs.into_iter().filter(|glyph| !known.contains(glyph));
        self.typeset.missing_glyphs.extend(new);
        self.typeset.missing_glyphs.truncate(100);
    }
}

/// Makes an export.
///
/// # Errors
/// What the door says, that a limit was reached, or that the steps are to end.
pub async fn make<S: Steps>(tools: Tools<'_>, order: &Order, job: JobId, steps: &S) -> Result<Made, S::Error> {
    let gathered = gather::gather(tools.db, order, tools.settings.pages).await?;
    match (order.scope, gathered.pages.first()) {
        (Scope::Page(_), Some(page)) => {
            steps.step(0, 1).await?;
            Ok(single(tools, order, job, page).await?)
        }
        _ => bundled::make(tools, order, job, (gathered, steps)).await,
    }
}

async fn single(tools: Tools<'_>, order: &Order, job: JobId, page: &Found) -> Result<Made, Error> {
    let access = access::open::<ViewDocument>(tools.db, order.user, page.row.id).await?;
    let mut content = content::read(tools.db, page.row.id).await?;
    let mut around = around(tools.settings);
    if matches!(order.format, Format::Pdf | Format::Html) {
        around.assets = pictures(tools, &access, &content.blocks).await?;
    }
    let mut documents = BTreeSet::from([page.row.id]);
    if !matches!(order.format, Format::Json | Format::Automerge) {
        documents.extend(content::fill(tools.db, order, page.row.id, &mut content).await?);
    }
    let rendered = render::render(tools.db, tools.settings, order.format, (&page.row, Arc::new(content), around)).await?;
    let size = rendered.bytes.len() as u64;
    if size > tools.settings.bytes {
        return Err(Error::TooLarge(tools.settings.bytes));
    }
    tools.files.put(&Key::export(job), rendered.bytes.into()).await?;
    let mut said = Said {
        pages: 1,
        ..Said::default()
    };
    said.add(rendered.report);
    Ok(Made {
        name: format!("{}{}", names::safe(&page.row.title, "Untitled"), order.format.extension()),
        media_type: order.format.media_type(),
        size,
        documents: documents.into_iter().collect(),
        said,
    })
}

fn around(settings: &Settings) -> Around {
    Around {
        public_url: settings.public_url.clone(),
        date: clock::now().format("%Y-%m-%d").to_string(),
        ..Around::default()
    }
}

/// The pictures that a page shows, to stand in its file.
async fn pictures(tools: Tools<'_>, access: &DocumentAccess<ViewDocument>, blocks: &[view::Block]) -> Result<HashMap<Uuid, Asset>, Error> {
    let shown: HashSet<Uuid> = view::walk(blocks)
        .filter(|(_, block)| block.kind == "image")
        .filter_map(|(_, block)| attachment(block))
        .collect();
    let (mut assets, mut room) = (HashMap::new(), MAX_INSIDE);
    if shown.is_empty() {
        return Ok(assets);
    }
    for row in files_of::list_of(tools.db, access)
        .await?
        .into_iter()
        .filter(|row| shown.contains(&row.id.0))
    {
        let size = bytes(&row);
        if size > room {
            continue;
        }
        match read(tools.files, &row).await {
            Ok(bytes) => {
                room -= size;
                assets.insert(row.id.0, Asset::Inside(row.media_type, bytes));
            }
            Err(error) => tracing::warn!(%error, attachment = %row.id, "a picture is left out of an export"),
        }
    }
    Ok(assets)
}

fn bytes(row: &file::Model) -> u64 {
    row.size.and_then(|size| u64::try_from(size).ok()).unwrap_or(0)
}

async fn read(files: &Files, row: &file::Model) -> Result<Vec<u8>, attachments::Error> {
    use futures::TryStreamExt;
    let mut opened = bytes_of::open(files, row, bytes_of::Which::Original, None).await?;
    let mut whole = Vec::new();
    while let Some(some) = opened.bytes.try_next().await? {
        whole.extend_from_slice(&some);
    }
    Ok(whole)
}
