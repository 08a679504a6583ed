//! What was sent, opened and read page by page. Knows no database: it says what pages there are to be, and somebody else
//! makes them.

use super::{
    archive::{Archive, Refusal, name},
    csv,
    draft::{Draft, Reference, Target, read_reference},
    finish, fit,
    format::{self, Format},
    html,
    limits::Limits,
    markdown::{self, Flavour},
    notion,
    report::{Notes, Reason},
    restore::{self, Bundle},
    text,
    tree::{Kind, Leaf, Tree, id_of},
};
use documents::{op::NewBlock, ornament};
use kernel::id::{AttachmentId, DocumentId, JobId};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    fs::File,
    io::{Read, Seek, SeekFrom},
};

/// The longest title, in characters.
const MAX_TITLE: usize = documents::document::MAX_TITLE;

/// What is to be imported.
#[derive(Clone, Debug)]
pub struct Request {
    /// The import's own id: pages get theirs from it.
    pub job: JobId,
    /// What it is said to be.
    pub format: Format,
    /// What the file is called.
    pub file_name: String,
}

/// A page that was read, with files of the archive still to be put in their places.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The file.
    pub path: String,
    /// The page's id.
    pub id: DocumentId,
    /// The page it hangs under; none for the page that everything is imported under.
    pub parent: Option<DocumentId>,
    /// Its title.
    pub title: String,
    /// An emoji.
    pub icon: Option<String>,
    /// Where a picture for its top lies.
    pub cover: Option<String>,
    /// Whether new pages are made after it.
    pub is_template: bool,
    /// Its content.
    pub blocks: Vec<NewBlock>,
    /// Its files: their numbers here, and the ids they will have.
    pub files: BTreeMap<usize, AttachmentId>,
    /// The pages of the import that it leads to.
    pub leads_to: BTreeSet<DocumentId>,
    /// What was lost so far.
    pub notes: Notes,
}

enum Source {
    File(Vec<u8>),
    Archive(Box<Archive>),
    Bundle(Box<Archive>, Bundle),
}

/// An import that was opened.
pub struct Reader {
    source: Source,
    tree: Tree,
    format: Format,
    limits: Limits,
    next: usize,
    job: JobId,
    /// Files that are no pages, by number: where they stand, and what they are called.
    files: Vec<(String, String)>,
    numbers: HashMap<String, usize>,
    shown: BTreeSet<usize>,
    left_out: Vec<(String, Refusal)>,
}

impl Reader {
    /// Opens what was sent.
    ///
    /// # Errors
    /// When it is not what it is said to be, damaged as a whole, or made to do harm.
    pub fn open(mut file: File, request: &Request, limits: &Limits) -> Result<Self, Refusal> {
        let mut head = Vec::new();
        file.by_ref().take(8).read_to_end(&mut head).map_err(|error| unreadable(&error))?;
        file.seek(SeekFrom::Start(0)).map_err(|error| unreadable(&error))?;
        let is_archive = format::is_zip(&head);
        if request.format.is_archive() && !is_archive {
            return Err(Refusal::new(Reason::WrongFormat, "it is no zip"));
        }
        if is_archive && !request.format.is_archive() && request.format != Format::Auto {
            return Err(Refusal::new(Reason::WrongFormat, "it is a zip"));
        }
        match is_archive {
            true => Self::of_archive(Archive::open(file, limits)?, request, limits),
            false => Self::of_file(file, request, limits),
        }
    }

    fn of_file(file: File, request: &Request, limits: &Limits) -> Result<Self, Refusal> {
        let mut bytes = Vec::new();
        file.take(limits.page_bytes + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unreadable(&error))?;
        if bytes.len() as u64 > limits.page_bytes {
            return Err(Refusal::new(
                Reason::TooLarge,
                format!("a page's file has {} bytes at most", limits.page_bytes),
            ));
        }
        let format = match request.format {
            Format::Auto => format::of_file(&request.file_name, &text::decode(&bytes, &mut Notes::default())),
            format => format,
        };
        let path = if request.file_name.is_empty() {
            "import"
        } else {
            &request.file_name
        };
        let tree = Tree::of_file(request.job, path, format);
        Ok(Self::new(Source::File(bytes), (tree, format), (request, limits)))
    }

    fn of_archive(mut archive: Archive, request: &Request, limits: &Limits) -> Result<Self, Refusal> {
        if request.format != Format::Zip && restore::is_bundle(&archive) {
            return Self::of_bundle(archive, request, limits);
        }
        if request.format == Format::Bundle {
            return Err(Refusal::new(Reason::WrongFormat, "it has no manifest, so it is no whole bundle"));
        }
        let (mut tree, format) = Tree::of_archive(request.job, &archive, (request.format, limits.pages))?;
        let mut left_out = archive.take_refused();
        let superseded = std::mem::take(&mut tree.superseded).into_iter();
        left_out.extend(superseded.map(|path| (path, Refusal::new(Reason::Superseded, "the same stands in another file"))));
        let out: HashSet<&str> = left_out.iter().map(|(path, _)| path.as_str()).collect();
        let files: Vec<(String, String)> = archive
            .paths()
            .filter(|path| tree.page_at(path).is_none() && !out.contains(path))
            .map(|path| (path.to_owned(), name::file(path).to_owned()))
            .collect();
        let mut reader = Self::new(Source::Archive(Box::new(archive)), (tree, format), (request, limits));
        reader.numbers = files.iter().enumerate().map(|(number, (path, _))| (path.clone(), number)).collect();
        reader.files = files;
        reader.left_out = left_out;
        Ok(reader)
    }

    fn of_bundle(mut archive: Archive, request: &Request, limits: &Limits) -> Result<Self, Refusal> {
        let (bundle, tree) = Bundle::open(&mut archive, request.job, limits.pages)?;
        let left_out = archive.take_refused();
        let files = bundle.files().map(|(path, name)| (path.to_owned(), name.to_owned())).collect();
        let source = Source::Bundle(Box::new(archive), bundle);
        let mut reader = Self::new(source, (tree, Format::Bundle), (request, limits));
        reader.files = files;
        reader.left_out = left_out;
        Ok(reader)
    }

    fn new(source: Source, (tree, format): (Tree, Format), (request, limits): (&Request, &Limits)) -> Self {
        Self {
            source,
            tree,
            format,
            limits: limits.clone(),
            next: 0,
            job: request.job,
            files: Vec::new(),
            numbers: HashMap::new(),
            shown: BTreeSet::new(),
            left_out: Vec::new(),
        }
    }

    /// What it turned out to be.
    pub fn format(&self) -> Format {
        self.format
    }

    /// How many pages there are, and how many were read.
    pub fn progress(&self) -> (usize, usize) {
        (self.next, self.tree.pages.len())
    }

    /// The page above one.
    pub fn above(&self, leaf: &Leaf) -> Option<DocumentId> {
        self.tree.above(leaf).map(|above| above.id)
    }

    /// Files of pages that were not read yet.
    pub fn rest(&self) -> impl Iterator<Item = &str> {
        self.tree.pages[self.next..].iter().map(|leaf| leaf.path.as_str())
    }

    /// Files that were left out, and why; at the end, also those that no page shows.
    pub fn take_left_out(&mut self) -> Vec<(String, Refusal)> {
        let mut out = std::mem::take(&mut self.left_out);
        if self.next >= self.tree.pages.len() {
            let unused = self.files.iter().enumerate().filter(|(number, _)| !self.shown.contains(number));
            out.extend(unused.map(|(_, (path, _))| (path.clone(), Refusal::new(Reason::Unused, "no page shows it"))));
        }
        out
    }

    /// Reads the next page. Nothing when there is none.
    ///
    /// # Errors
    /// With the file and its id when it cannot be read.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator of results would hide that it stops for no error"
    )]
    pub fn next(&mut self) -> Option<Result<Ready, (Leaf, Refusal)>> {
        let place = self.next;
        let leaf = self.tree.pages.get(place)?.clone();
        self.next += 1;
        Some(self.read(place, &leaf).map_err(|refusal| (leaf, refusal)))
    }

    fn read(&mut self, place: usize, leaf: &Leaf) -> Result<Ready, Refusal> {
        let bytes = match &mut self.source {
            _ if leaf.kind == Kind::Folder => Vec::new(),
            Source::File(bytes) => std::mem::take(bytes),
            Source::Archive(archive) | Source::Bundle(archive, _) => archive.read(&leaf.path, self.limits.page_bytes)?,
        };
        let (draft, files) = match (&self.source, leaf.kind) {
            (Source::Bundle(_, bundle), _) => bundle.read(place, &bytes, &|number| self.file_id(leaf.id, number))?,
            (_, Kind::File(format)) => (self.draft(place, (leaf, format), &bytes)?, BTreeSet::new()),
            (_, Kind::Folder | Kind::Bundle) => (Draft::default(), BTreeSet::new()),
        };
        Ok(self.ready(leaf, draft, files))
    }

    /// The id of a file of a page: the same whenever the same import is read.
    fn file_id(&self, page: DocumentId, number: usize) -> AttachmentId {
        AttachmentId(id_of(self.job, &page.to_string(), number).0)
    }

    fn draft(&self, place: usize, (leaf, format): (&Leaf, Format), bytes: &[u8]) -> Result<Draft, Refusal> {
        let mut notes = Notes::default();
        let text = text::decode(bytes, &mut notes);
        let mut links = |reference: &str| self.target(&leaf.path, reference);
        let mut draft = match format {
            Format::Html => html::read(&text, &mut links)?,
            Format::Csv => {
                let rows = self.tree.under(place);
                csv::read(&text, &|name| rows.get(name).copied())?
            }
            _ => markdown::read(&text, self.flavour(leaf), &mut links)?,
        };
        draft.notes.extend(notes);
        Ok(draft)
    }

    fn flavour(&self, leaf: &Leaf) -> Flavour {
        let above = self.tree.above(leaf).map(|above| above.kind);
        match self.format {
            Format::Notion if above == Some(Kind::File(Format::Csv)) => Flavour::NotionRow,
            Format::Notion => Flavour::Notion,
            _ => Flavour::Plain,
        }
    }

    fn ready(&mut self, leaf: &Leaf, draft: Draft, own: BTreeSet<usize>) -> Ready {
        let Draft {
            title,
            icon,
            cover,
            is_template,
            mut blocks,
            mut notes,
        } = draft;
        let is_under = |page: DocumentId| {
            let above = self.tree.of_id(page).and_then(|page| self.tree.above(page));
            above.is_some_and(|above| above.id == leaf.id)
        };
        if self.format != Format::Bundle {
            finish::lone_links(&mut blocks, &is_under, &|number| {
                self.files.get(number).map(|(path, _)| path.clone())
            });
        }
        let mut blocks = fit::fit(blocks, &mut notes);
        let (mut files, leads_to) = finish::references(&blocks);
        files.extend(own);
        finish::with_files(&mut blocks, &|number| self.file_id(leaf.id, number));
        self.shown.extend(&files);
        Ready {
            path: leaf.path.clone(),
            id: leaf.id,
            parent: self.tree.above(leaf).map(|above| above.id),
            title: titled(
                title.filter(|title| !title.trim().is_empty()).unwrap_or_else(|| leaf.name.clone()),
                &mut notes,
            ),
            icon: icon.filter(|icon| ornament::check(Some(icon), None).is_ok()),
            cover: cover.filter(|cover| ornament::check(None, Some(cover)).is_ok()),
            is_template,
            blocks,
            files: files.into_iter().map(|number| (number, self.file_id(leaf.id, number))).collect(),
            leads_to,
            notes,
        }
    }

    /// Where a reference in a file leads.
    fn target(&self, from: &str, reference: &str) -> Target {
        let path = match read_reference(reference) {
            Reference::Whole(Target::Url(url)) => {
                let known = notion::id_in_url(&url).and_then(|id| self.tree.of_notion(id));
                return known.map_or(Target::Url(url), |leaf| Target::Page(leaf.id));
            }
            Reference::Whole(target) => return target,
            Reference::Path(path) => path,
        };
        let nowhere = || Target::Nowhere(Some(lost(&path)));
        let Some(whole) = name::join(name::folder(from), &path) else {
            return nowhere();
        };
        if let Some(leaf) = self.tree.page_at(&whole) {
            return Target::Page(leaf.id);
        }
        let Source::Archive(archive) = &self.source else { return nowhere() };
        match archive.find(&whole) {
            Some(found) if self.tree.page_at(found).is_some() => {
                self.tree.page_at(found).map_or_else(nowhere, |leaf| Target::Page(leaf.id))
            }
            Some(found) => self.numbers.get(found).map_or_else(nowhere, |number| Target::File(*number)),
            None => nowhere(),
        }
    }

    /// What a file is called, and its bytes in a file of ours without a name.
    ///
    /// # Errors
    /// When it cannot be read, or is larger than what is taken.
    pub fn file(&mut self, number: usize) -> Result<(String, File), Refusal> {
        let missing = || Refusal::new(Reason::FileMissing, "there is no such file");
        let (path, called) = self.files.get(number).cloned().ok_or_else(missing)?;
        match &mut self.source {
            Source::File(_) => Err(missing()),
            Source::Archive(archive) | Source::Bundle(archive, _) => Ok((called, archive.spool(&path, self.limits.file_bytes)?)),
        }
    }

    /// Where a file stands.
    pub fn path_of(&self, number: usize) -> &str {
        self.files.get(number).map_or("", |(path, _)| path)
    }
}

/// What is lost with a path that leads nowhere.
fn lost(path: &str) -> Reason {
    let is_page = format::of_name(path).is_some() || name::split(path).1.is_empty();
    if is_page { Reason::LinkBroken } else { Reason::FileMissing }
}

/// A title as a page takes it.
pub fn titled(title: String, notes: &mut Notes) -> String {
    let line: String = title.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line = line.trim();
    if line.chars().nth(MAX_TITLE).is_some() {
        notes.add(Reason::TitleShortened, line);
    }
    let short: String = line.chars().take(MAX_TITLE).collect();
    short.trim().to_owned()
}

fn unreadable(error: &std::io::Error) -> Refusal {
    Refusal::new(Reason::Unreadable, error.to_string())
}
