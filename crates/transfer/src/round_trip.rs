//! A page with what hangs under it, out of one workspace and into another: through the exporter, the zip, the importer and
//! the database, with every kind of block, files, icons, templates and the order among siblings.

use crate::{
    arbitrary::{FILES, PAGES, any_block},
    export::{
        content,
        error::Error,
        make::{self, Steps, Tools},
        order::{Format, Order, Scope},
        settings::Settings,
    },
    import::{
        format::Format as Source,
        limits::Limits,
        reader::{Reader, Request},
        write::Maker,
    },
};
use attachments::{
    Store,
    attachment::{self as files, NewAttachment},
    content::{self as bytes_of, Which},
    copy,
};
use backends::{
    db::write,
    files::{Files, Key},
};
use bytes::Bytes;
use documents::{
    document::{self, NewDocument},
    op::NewBlock,
};
use entity::{document as rows, user};
use futures::{TryStreamExt, stream};
use kernel::{clock, id::*};
use proptest::{collection::vec, prelude::*, sample::select};
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    convert::Infallible,
    io::{Seek, Write as _},
};
use tempfile::TempDir;
use testing::TestDb;
use workspaces::access::{self, EditDocument};

/// A page before it is made.
#[derive(Clone, Debug)]
struct Leaf {
    blocks: Vec<NewBlock>,
    icon: Option<String>,
    is_template: bool,
    /// Whether it hangs under the first page, else under the one before it.
    is_high: bool,
}

fn leaf() -> impl Strategy<Value = Leaf> {
    let file = format!("/api/v1/attachments/{}/content/", FILES[0]);
    let icon = select(vec![None, Some("🚂".to_owned()), Some(file)]);
    (vec(any_block(2), 0..4), icon, any::<bool>(), any::<bool>()).prop_map(|(blocks, icon, is_template, is_high)| Leaf {
        blocks,
        icon,
        is_template,
        is_high,
    })
}

/// What is compared: the page's own fields, the place of the one above among the pages, the content and the files.
#[derive(Debug, PartialEq)]
struct Seen {
    title: String,
    above: Option<String>,
    icon: Option<String>,
    is_template: bool,
    content: Value,
    files: BTreeMap<String, Vec<u8>>,
}

struct Stage {
    _db: TestDb,
    _dir: TempDir,
    store: Store,
    user: UserId,
}

struct Goes;

impl Steps for Goes {
    type Error = Error;

    async fn step(&self, _done: usize, _of: usize) -> Result<(), Error> {
        Ok(())
    }
}

fn page_id(number: usize) -> DocumentId {
    PAGES[number].parse().expect("an id")
}

impl Stage {
    async fn new() -> Self {
        let (db, dir, id, now) = (TestDb::new().await, TempDir::new().expect("a folder"), UserId::new(), clock::now());
        let row = user::Model {
            id,
            email: format!("{id}@example.org"),
            display_name: "Ada".to_owned(),
            email_verified_at: None,
            time_zone: None,
            password_hash: String::new(),
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        let made = user::Entity::insert(row.into_active_model()).exec_without_returning(db.db()).await;
        made.expect("a user");
        let store = Store {
            db: db.db().clone(),
            files: Files::directory(dir.path()).expect("a directory"),
            limits: attachments::Limits::default(),
        };
        Self {
            _db: db,
            _dir: dir,
            store,
            user: id,
        }
    }

    async fn workspace(&self) -> WorkspaceId {
        let made = write(&self.store.db, async |tx: &DatabaseTransaction| {
            workspaces::workspace::create(tx, self.user, "Work").await
        });
        made.await.expect("a workspace").id
    }

    async fn edits(&self, page: DocumentId) -> access::DocumentAccess<EditDocument> {
        access::open(&self.store.db, self.user, page).await.expect("may edit")
    }

    async fn makes(&self, home: WorkspaceId, number: usize, leaf: &Leaf) {
        let db = &self.store.db;
        let access = access::enter(db, self.user, home).await.expect("comes in");
        let parent = (number > 0).then(|| page_id(if leaf.is_high { 0 } else { number - 1 }));
        let under = match parent {
            Some(parent) => Some(self.edits(parent).await),
            None => None,
        };
        let new = NewDocument {
            id: Some(page_id(number)),
            parent,
            title: format!("Page {number}"),
            icon: leaf.icon.clone(),
            is_template: leaf.is_template,
            blocks: leaf.blocks.clone(),
            ..NewDocument::default()
        };
        let limits = documents::limits::Limits::default();
        let made = write(db, async |tx: &DatabaseTransaction| {
            document::create(tx, &access, under.as_ref(), new, &limits).await
        });
        made.await.expect("a page");
    }

    /// Adds a file to the page of its number.
    async fn adds(&self, number: usize) {
        let new = NewAttachment {
            id: Some(FILES[number].parse().expect("an id")),
            name: format!("file {number}.bin"),
            ..NewAttachment::default()
        };
        let body = stream::iter([Ok::<_, Infallible>(Bytes::from(vec![number as u8; 1_000 + number]))]);
        let page = self.edits(page_id(number)).await;
        copy::store_stream(&self.store, &page, new, body).await.expect("a file");
    }

    async fn exports(&self, order: &Order) -> std::fs::File {
        let (settings, job) = (Settings::default(), JobId::new());
        let tools = Tools {
            db: &self.store.db,
            files: &self.store.files,
            settings: &settings,
        };
        make::make(tools, order, job, &Goes).await.expect("an export");
        let mut bytes = self.store.files.open(&Key::export(job)).await.expect("is there").bytes;
        let mut file = tempfile::tempfile().expect("a file");
        while let Some(some) = bytes.try_next().await.expect("bytes") {
            file.write_all(&some).expect("written");
        }
        file.rewind().expect("at the beginning");
        file
    }

    async fn imports(&self, workspace: WorkspaceId, file: std::fs::File) {
        let request = Request {
            job: JobId::new(),
            format: Source::Auto,
            file_name: "bundle.zip".to_owned(),
        };
        let mut reader = Reader::open(file, &request, &Limits::default()).expect("opens");
        let maker = Maker {
            store: self.store.clone(),
            limits: documents::limits::Limits::default(),
            user: self.user,
            workspace,
            under: None,
        };
        while let Some(ready) = reader.next() {
            let ready = ready.map_err(|(_, refusal)| refusal).expect("is read");
            let (back, made) = {
                let parent = ready.parent;
                maker.make(reader, ready, parent).await
            };
            reader = back;
            made.expect("is made");
        }
        assert!(reader.take_left_out().is_empty());
    }

    /// A workspace's pages in the order of a tree, with the ids of this list instead of their own.
    async fn sees(&self, workspace: WorkspaceId) -> Vec<Seen> {
        let db = &self.store.db;
        let living = rows::Entity::find().filter(rows::Column::WorkspaceId.eq(workspace));
        let all = living.order_by_asc(rows::Column::Rank).all(db).await.expect("rows");
        let title_of = |id: DocumentId| all.iter().find(|row| row.id == id).map(|row| row.title.clone());
        let number = |title: &str| PAGES[title[5..].parse::<usize>().expect("a number")];
        let names: Vec<(String, String)> = all.iter().map(|row| (row.id.to_string(), number(&row.title).to_owned())).collect();
        let mut seen = Vec::new();
        for row in &all {
            let access = access::open(db, self.user, row.id).await.expect("may see");
            let (mut names, mut files) = (names.clone(), BTreeMap::new());
            for file in files::list_of(db, &access).await.expect("files") {
                let place: usize = file.name[5..6].parse().expect("a number");
                names.push((file.id.to_string(), FILES[place].to_owned()));
                let opened = bytes_of::open(&self.store.files, &file, Which::Original, None)
                    .await
                    .expect("there");
                let bytes = opened.bytes.map_ok(|some| some.to_vec()).try_concat().await.expect("bytes");
                files.insert(file.name, bytes);
            }
            let renamed = |text: String| names.iter().fold(text, |text, (id, name)| text.replace(id, name));
            let content = content::read(db, row.id).await.expect("content");
            let content = renamed(serde_json::to_string(&content).expect("JSON"));
            seen.push(Seen {
                title: row.title.clone(),
                above: row.parent_id.and_then(title_of),
                icon: row.icon.clone().map(renamed),
                is_template: row.is_template,
                content: serde_json::from_str(&content).expect("JSON"),
                files,
            });
        }
        // Siblings keep their order, by rank.
        seen.sort_by(|a, b| a.above.cmp(&b.above));
        seen
    }
}

async fn check(leaves: &[Leaf], format: Format) -> Result<(), TestCaseError> {
    let stage = Stage::new().await;
    let (home, other) = (stage.workspace().await, stage.workspace().await);
    for (number, leaf) in leaves.iter().enumerate() {
        stage.makes(home, number, leaf).await;
    }
    for number in 0..FILES.len() {
        stage.adds(number).await;
    }
    let order = Order {
        user: stage.user,
        workspace: home,
        scope: Scope::Subtree(page_id(0)),
        format,
    };
    let zip = stage.exports(&order).await;
    stage.imports(other, zip).await;
    let (before, after) = (stage.sees(home).await, stage.sees(other).await);
    prop_assert_eq!(before.len(), leaves.len());
    for (before, mut after) in before.into_iter().zip(after) {
        // A page has copies of the files of others that it shows.
        after.files.retain(|name, _| before.files.contains_key(name));
        prop_assert_eq!(before, after);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn a_subtree_goes_to_another_workspace_without_loss(
        leaves in vec(leaf(), 3),
        format in select(vec![Format::Json, Format::Markdown, Format::Html]),
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
        runtime.block_on(check(&leaves, format))?;
    }
}
