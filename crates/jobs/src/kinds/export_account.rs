//! Exports of accounts: what is kept about somebody and what they wrote, as one zip for them.

use super::SendMail;
use crate::{
    Job, Queue,
    letter::Mail,
    work::{Done, Trouble, Work},
};
use documents::{markdown, page::Page, projection::Content, snapshot};
use entity::{document, user};
use futures::FutureExt;
use kernel::{
    error::{Explain, Kind},
    id::*,
};
use queue::Unique;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::io::{Cursor, Write};
use users::{account, avatar, export};
use workspaces::{
    access::{self, ViewDocument},
    workspace,
};
use zip::{ZipWriter, write::SimpleFileOptions};

/// Pages that are read at once.
const AT_ONCE: u64 = 100;
/// Bytes of content from which on pages are only listed: the file is made in memory.
const MOST_BYTES: usize = 64 << 20;

/// Exports somebody's account and tells them.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportAccount {
    /// Whose.
    pub user: UserId,
}

impl Job for ExportAccount {
    const QUEUE: Queue = Queue::Reports;
    const KIND: &'static str = "export_account";

    async fn run(self, work: &Work) -> Result<Done, Trouble> {
        let gone = || Trouble::Permanent("the account is gone".to_owned());
        let user = account::find(work.db(), self.user).await?.ok_or_else(gone)?;
        work.progress(5, "gathering").await?;
        let mut parcel = Parcel::default();
        for (name, value) in export::of_account(work.db(), &user).await? {
            parcel.json(name, &value)?;
        }
        if let Some(picture) = avatar::find(work.db(), self.user).await? {
            parcel.file("avatar.png", &picture.bytes)?;
        }
        parcel.json("memberships.json", &memberships(work, self.user).await?)?;
        let pages = self.pages(work, &mut parcel).await?;
        parcel.json("documents.json", &Value::Array(pages))?;
        work.progress(95, "writing").await?;
        let bytes = parcel.close()?;
        work.commit(Some(json!({ "size": bytes.len() }).to_string()), |tx, work| {
            async move {
                // They may have closed the account meanwhile, or have another address.
                let user = account::find(tx, self.user).await?.ok_or_else(gone)?;
                let kept = export::store(tx, self.user, bytes).await?;
                let letter = letter(user, &kept.expires_at);
                work.enqueue(tx, &letter, Unique::Once(format!("mail:export:{}", work.id()))).await
            }
            .boxed()
        })
        .await
    }
}

impl ExportAccount {
    /// The pages that they made and still may see, written into the parcel; gives their list.
    async fn pages(&self, work: &Work, parcel: &mut Parcel) -> Result<Vec<Value>, Trouble> {
        let own = || {
            document::Entity::find()
                .filter(document::Column::CreatedBy.eq(self.user))
                .filter(document::Column::DeletedAt.is_null())
        };
        let count = own().count(work.db()).await?.max(1);
        let (mut listed, mut after, mut seen) = (Vec::new(), None, 0_u64);
        loop {
            let behind = after.map_or_else(own, |id: DocumentId| own().filter(document::Column::Id.gt(id)));
            let some = behind.order_by_asc(document::Column::Id).limit(AT_ONCE).all(work.db()).await?;
            let Some(last) = some.last() else { return Ok(listed) };
            after = Some(last.id);
            for page in some {
                seen += 1;
                if may_see(work, self.user, page.id).await? {
                    listed.push(write_page(work, parcel, &page).await?);
                }
            }
            let percent = u8::try_from(5 + 85 * seen.min(count) / count).unwrap_or(90);
            work.progress(percent, "gathering pages").await?;
        }
    }
}

/// Whether they still may see a page that they made.
async fn may_see(work: &Work, user: UserId, page: DocumentId) -> Result<bool, Trouble> {
    match access::open::<ViewDocument>(work.db(), user, page).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Forbidden) => Ok(false),
        Err(error) => Err(Trouble::Retry(error.to_string())),
    }
}

async fn write_page(work: &Work, parcel: &mut Parcel, page: &document::Model) -> Result<Value, Trouble> {
    let file = format!("documents/{}.md", page.id);
    let mut is_whole = parcel.bytes < MOST_BYTES;
    if is_whole {
        match snapshot::load(work.db(), page.id).await {
            Ok((loaded, _)) => parcel.file(&file, markdown_of(&loaded).as_bytes())?,
            // One broken page does not keep the others back.
            Err(error) => {
                tracing::warn!(%error, document = %page.id, "left out of an export");
                is_whole = false;
            }
        }
    }
    Ok(json!({
        "id": page.id, "workspace_id": page.workspace_id, "title": page.title, "created_at": page.created_at,
        "updated_at": page.updated_at, "file": is_whole.then_some(file),
    }))
}

fn markdown_of(page: &Page) -> String {
    let content = Content::from(page.mirror());
    markdown::to_markdown(&content.title, &content.blocks)
}

async fn memberships(work: &Work, user: UserId) -> Result<Value, Trouble> {
    let all = workspace::list(work.db(), user).await?;
    let row = |(workspace, role): &(entity::workspace::Model, kernel::role::Role)| json!({ "workspace_id": workspace.id, "name": workspace.name, "role": role.name() });
    Ok(all.iter().map(row).collect())
}

fn letter(user: user::Model, until: &kernel::clock::Time) -> SendMail {
    SendMail {
        to: user.email,
        to_name: user.display_name,
        mail: Mail::ExportReady {
            until: until.format("%Y-%m-%d").to_string(),
            url: "/api/v1/users/me/export/file/".to_owned(),
        },
    }
}

/// A zip that is being filled.
struct Parcel {
    zip: ZipWriter<Cursor<Vec<u8>>>,
    /// Bytes in it, before they are packed.
    bytes: usize,
}

impl Default for Parcel {
    fn default() -> Self {
        Self {
            zip: ZipWriter::new(Cursor::new(Vec::new())),
            bytes: 0,
        }
    }
}

fn unwritable(error: impl std::fmt::Display) -> Trouble {
    Trouble::Retry(format!("the file cannot be written: {error}"))
}

impl Parcel {
    fn file(&mut self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        self.bytes += bytes.len();
        self.zip.start_file(name, SimpleFileOptions::default()).map_err(unwritable)?;
        self.zip.write_all(bytes).map_err(unwritable)
    }

    fn json(&mut self, name: &str, value: &Value) -> Result<(), Trouble> {
        let text = serde_json::to_vec_pretty(value).map_err(unwritable)?;
        self.file(name, &text)
    }

    fn close(self) -> Result<Vec<u8>, Trouble> {
        self.zip.finish().map(Cursor::into_inner).map_err(unwritable)
    }
}
