//! A bundle: written page by page into a file without a name, which is gone when the process is, and then put into the
//! store as a whole.

use super::{Made, Said, Steps, Tools, around, bytes};
use crate::{
    bundle::{File, Manifest, PageContent, PageEntry, Writer, attachment_path, names},
    export::{
        around::{Around, Asset, relative},
        content,
        error::Error,
        gather::{Found, Gathered},
        order::{Format, Order, Scope},
        render,
    },
};
use attachments::{attachment as files_of, content as bytes_of};
use backends::files::{FilesError, Key};
use documents::projection::Content;
use entity::attachment as file;
use futures::TryStreamExt;
use kernel::{error::Explain, error::Kind, id::*};
use std::{
    collections::{BTreeSet, HashMap},
    fs,
    io::{BufWriter, Seek},
    sync::Arc,
};
use tokio::io::AsyncReadExt;
use workspaces::{
    access::{self, DocumentAccess, ViewDocument},
    workspace,
};

/// Bytes that are read back at once.
const CHUNK: usize = 256 << 10;

type Zip = Writer<BufWriter<fs::File>>;

/// A bundle being made.
struct Making<'a> {
    tools: Tools<'a>,
    order: &'a Order,
    /// It is away while a thread writes into it.
    zip: Option<Zip>,
    /// Where pages stand for people, by their ids.
    readable: HashMap<DocumentId, String>,
    /// Bytes of content so far, before they are packed.
    written: u64,
    /// Pages of which other pages show something.
    shown: BTreeSet<DocumentId>,
    said: Said,
}

pub(super) async fn make<S: Steps>(tools: Tools<'_>, order: &Order, job: JobId, what: (Gathered, &S)) -> Result<Made, S::Error> {
    let (gathered, steps) = what;
    let name = name(tools, order, &gathered).await?;
    let mut making = Making::begin(tools, order, &gathered).await?;
    for (done, page) in gathered.pages.iter().enumerate() {
        steps.step(done, gathered.pages.len()).await?;
        making.page(page).await?;
    }
    steps.step(gathered.pages.len(), gathered.pages.len()).await?;
    Ok(making.finish(job, name).await?)
}

/// What the file is called: as the page, or as the workspace.
async fn name(tools: Tools<'_>, order: &Order, gathered: &Gathered) -> Result<String, Error> {
    let title = match order.scope {
        Scope::Page(_) | Scope::Subtree(_) => gathered.pages.first().map(|page| page.row.title.clone()),
        Scope::Workspace => workspace_name(tools, order).await?,
    };
    Ok(format!("{}.zip", names::safe(&title.unwrap_or_default(), "Pages")))
}

async fn workspace_name(tools: Tools<'_>, order: &Order) -> Result<Option<String>, Error> {
    let homes = workspace::list(tools.db, order.user).await?;
    Ok(homes
        .into_iter()
        .find(|(row, _)| row.id == order.workspace)
        .map(|(row, _)| row.name))
}

/// Where each page stands for people. Nothing, when there is nothing for them.
fn paths(pages: &[Found], format: Format) -> HashMap<DocumentId, String> {
    let (mut given, mut paths) = (names::Paths::default(), HashMap::new());
    if format == Format::Json {
        return paths;
    }
    for page in pages {
        let above = page.parent.and_then(|parent| paths.get(&parent));
        let folder = above.map(|path: &String| names::folder_of(path)).unwrap_or_default();
        let path = given.give(&folder, &page.row.title, format.extension());
        paths.insert(page.row.id, path);
    }
    paths
}

impl<'a> Making<'a> {
    async fn begin(tools: Tools<'a>, order: &'a Order, gathered: &Gathered) -> Result<Self, Error> {
        let mut manifest = Manifest::new();
        manifest.root = order.scope.document();
        if order.scope == Scope::Workspace {
            manifest.workspace = workspace_name(tools, order).await?;
        }
        manifest.left_out.not_visible = gathered.not_visible;
        let file = tokio::task::spawn_blocking(tempfile::tempfile)
            .await
            .map_err(std::io::Error::other)??;
        Ok(Self {
            tools,
            order,
            zip: Some(Writer::new(BufWriter::with_capacity(CHUNK, file), manifest)),
            readable: paths(&gathered.pages, order.format),
            written: 0,
            shown: BTreeSet::new(),
            said: Said::default(),
        })
    }

    /// Writes on a thread that may wait for the disk.
    async fn on_disk<T: Send + 'static>(&mut self, work: impl FnOnce(&mut Zip) -> std::io::Result<T> + Send + 'static) -> Result<T, Error> {
        let mut zip = self.zip.take().ok_or_else(|| Error::Unwritable("the bundle was lost".to_owned()))?;
        let (zip, done) = tokio::task::spawn_blocking(move || {
            let done = work(&mut zip);
            (zip, done)
        })
        .await
        .map_err(std::io::Error::other)?;
        self.zip = Some(zip);
        Ok(done?)
    }

    fn count(&mut self, bytes: u64) -> Result<(), Error> {
        self.written += bytes;
        match self.tools.settings.bytes {
            most if self.written > most => Err(Error::TooLarge(most)),
            _ => Ok(()),
        }
    }

    async fn left_out(&mut self, note: impl FnOnce(&mut crate::bundle::LeftOut) + Send + 'static) -> Result<(), Error> {
        self.on_disk(move |zip| {
            note(&mut zip.manifest_mut().left_out);
            Ok(())
        })
        .await
    }

    async fn page(&mut self, page: &Found) -> Result<(), Error> {
        // Asked again for each: it may have been taken away meanwhile.
        let access = match access::open::<ViewDocument>(self.tools.db, self.order.user, page.row.id).await {
            Ok(access) => access,
            Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => {
                return self.left_out(|out| out.not_visible += 1).await;
            }
            Err(error) => return Err(error.into()),
        };
        let content = match content::read(self.tools.db, page.row.id).await {
            Ok(content) => content,
            // One broken page does not keep the others back.
            Err(error) if error.kind() == Kind::Internal => {
                tracing::error!(%error, document = %page.row.id, "left out of an export");
                return self.left_out(|out| out.unreadable += 1).await;
            }
            Err(error) => return Err(error.into()),
        };
        let files = self.attachments(&access).await?;
        self.content(page, &content).await?;
        self.readable(page, content, &files).await
    }

    async fn content(&mut self, page: &Found, content: &Content) -> Result<(), Error> {
        let row = &page.row;
        let entry = PageEntry {
            id: row.id,
            parent_id: page.parent,
            rank: row.rank.clone(),
            title: content.title.clone(),
            icon: row.icon.clone(),
            cover: row.cover.clone(),
            is_template: row.is_template,
            created_at: row.created_at,
            updated_at: row.updated_at,
            path: String::new(),
            readable: self.readable.get(&row.id).map(|path| format!("{}/{path}", crate::bundle::READABLE)),
        };
        let whole = PageContent {
            title: content.title.clone(),
            blocks: content.blocks.clone(),
        };
        let length = content.blocks.iter().map(|block| block.text.len() as u64).sum();
        self.count(length)?;
        self.on_disk(move |zip| zip.page(entry, &whole)).await?;
        self.said.pages += 1;
        Ok(())
    }

    /// Writes the files of a page; gives those that are in the bundle.
    async fn attachments(&mut self, access: &DocumentAccess<ViewDocument>) -> Result<Vec<file::Model>, Error> {
        let mut written = Vec::new();
        for row in files_of::list_of(self.tools.db, access).await? {
            match self.attachment(&row).await? {
                true => written.push(row),
                false => self.left_out(|out| out.missing_files += 1).await?,
            }
        }
        self.said.attachments += written.len() as u64;
        Ok(written)
    }

    /// `false` when its bytes are not there.
    async fn attachment(&mut self, row: &file::Model) -> Result<bool, Error> {
        let opened = bytes_of::open(self.tools.files, row, bytes_of::Which::Original, None).await;
        let mut opened = match opened {
            Ok(opened) => opened,
            Err(attachments::Error::Files(FilesError::NotFound)) => return Ok(false),
            Err(error) => return Err(Error::Unwritable(error.to_string())),
        };
        self.count(opened.size)?;
        let begun = File {
            id: row.id.0,
            document: row.document_id,
            name: row.name.clone(),
            media_type: row.media_type.clone(),
            size: bytes(row).max(opened.size),
        };
        self.on_disk(move |zip| zip.begin(begun)).await?;
        while let Some(some) = opened.bytes.try_next().await? {
            self.on_disk(move |zip| zip.bytes(&some)).await?;
        }
        self.on_disk(|zip| {
            zip.end();
            Ok(())
        })
        .await?;
        Ok(true)
    }

    async fn readable(&mut self, page: &Found, mut content: Content, files: &[file::Model]) -> Result<(), Error> {
        let Some(path) = self.readable.get(&page.row.id).cloned() else {
            return Ok(());
        };
        self.shown
            .extend(content::fill(self.tools.db, self.order, page.row.id, &mut content).await?);
        let around = self.around(page.row.id, &path, files, &content).await?;
        let rendered = render::render(
            self.tools.db,
            self.tools.settings,
            self.order.format,
            (&page.row, Arc::new(content), around),
        )
        .await?;
        self.count(rendered.bytes.len() as u64)?;
        self.said.add(rendered.report);
        self.on_disk(move |zip| zip.readable(&path, &rendered.bytes)).await
    }

    /// What stands around a page in the zip. Paper has its pictures on it; everything else has them beside it.
    async fn around(&self, id: DocumentId, path: &str, files: &[file::Model], content: &Content) -> Result<Around, Error> {
        let from = format!("{}/{path}", crate::bundle::READABLE);
        let beside = |row: &file::Model| Asset::Beside(relative(&from, &attachment_path(row.id.0, &row.name)));
        let mut around = around(self.tools.settings);
        if self.order.format == Format::Pdf {
            let access = access::open::<ViewDocument>(self.tools.db, self.order.user, id).await?;
            around.assets = super::pictures(self.tools, &access, &content.blocks).await?;
        } else {
            around.assets = files.iter().map(|row| (row.id.0, beside(row))).collect();
        }
        let others = self.readable.iter().filter(|(other, _)| **other != id);
        around.pages = others
            .map(|(other, path)| (*other, relative(&from, &format!("{}/{path}", crate::bundle::READABLE))))
            .collect();
        Ok(around)
    }

    /// Ends the zip and puts it into the store.
    async fn finish(mut self, job: JobId, name: String) -> Result<Made, Error> {
        let zip = self.zip.take().ok_or_else(|| Error::Unwritable("the bundle was lost".to_owned()))?;
        let ended = tokio::task::spawn_blocking(move || {
            let (buffer, manifest) = zip.finish()?;
            let mut file = buffer.into_inner().map_err(std::io::IntoInnerError::into_error)?;
            file.rewind()?;
            Ok::<_, std::io::Error>((file, manifest))
        });
        let (file, manifest) = ended.await.map_err(std::io::Error::other)??;
        let mut writing = self.tools.files.begin(Key::export(job), self.tools.settings.bytes);
        let (mut file, mut buffer) = (tokio::fs::File::from_std(file), vec![0_u8; CHUNK]);
        loop {
            let read = file.read(&mut buffer).await?;
            if read == 0 {
                break;
            }
            if let Err(error) = writing.write(&buffer[..read]).await {
                writing.abort().await;
                return Err(error.into());
            }
        }
        let stored = writing.finish().await?;
        self.said.left_out = manifest.left_out;
        Ok(Made {
            name,
            media_type: "application/zip",
            size: stored.size,
            documents: manifest
                .pages
                .iter()
                .map(|page| page.id)
                .chain(self.shown)
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
            said: self.said,
        })
    }
}
